"""test_missing_parts.py - traces that lack what FORMAT.md lets them lack, through every command."""

import os
import subprocess

import h5py
from harness import Case, model, train
from recording import PROGRAM

REQUIRED = {
    "/param/name", "/param/shape", "/param/numel", "/param/dtype", "/step/index", "/norm/sumsq"
}
COMMANDS = [
    "info", "info --groups", "info --meta", "doctor -p global:max_norm=1",
    "export", "export --what maxabs", "export --what nonfinite", "export --format jsonl",
    "spill --max-norm 0.1",
    "replay -p aggc-paper", "sweep -p global --set max_norm=0.1,1", "update -p global:max_norm=0.1",
    "explain --step worst -p aggc-paper", "diff -p global:max_norm=0.1 -p aggc-paper",
    "plot -p aggc-paper --figure norms,tails --term", "verify", "report -o -",
    "merge -o merged.h5 --force", "recover -o recovered.h5 --force",
]


class MissingParts(Case):
    def setUp(self):
        super().setUp()
        train(model(), 40, self.path("whole.h5"), elements="full", every=4)
        with h5py.File(self.path("whole.h5"), "r") as file:
            self.parts = []
            file.visititems(
                lambda name, item: self.parts.append("/" + name)
                if isinstance(item, h5py.Dataset) else None
            )

    def without(self, parts):
        """The trace without these datasets; its path."""
        path = self.path("run.h5")
        with h5py.File(self.path("whole.h5"), "r") as whole, h5py.File(path, "w") as file:
            for name, value in whole.attrs.items():
                file.attrs[name] = value
            for part in self.parts:
                if part not in parts:
                    whole.copy(part, file, name=part)
        return path

    def run_all(self, path):
        """{command: (exit status, what was told)}"""
        results = {}
        for command in COMMANDS:
            name, *options = command.split()
            done = subprocess.run(
                [PROGRAM, name, path, *options], cwd=self.folder, capture_output=True, timeout=120
            )
            told = (done.stdout + done.stderr).decode(errors="replace")
            results[command] = (done.returncode, told)
        return results

    def test_what_may_be_missing_is_missed_by_no_command(self):
        optional = [p for p in self.parts if p not in REQUIRED and not p.startswith("/grad/")]
        elements = [p for p in self.parts if p.startswith("/grad/")]
        self.assertGreater(len(optional), 6)
        for parts in [[p] for p in optional] + [elements, optional + elements]:
            for command, (status, told) in self.run_all(self.without(parts)).items():
                self.assertEqual(status, 0, f"{command} without {parts}: {told}")

    def test_what_must_be_there_is_named(self):
        for part in sorted(REQUIRED):
            for command, (status, told) in self.run_all(self.without([part])).items():
                self.assertEqual(status, 1, f"{command} without {part}: {told}")
                self.assertIn(part, told)

    def test_largest_elements_that_are_not_known_are_nan(self):
        path = self.without(["/norm/maxabs"])
        done = subprocess.run(
            [PROGRAM, "export", path, "--what", "maxabs", "-o", "-"], capture_output=True, text=True
        )
        values = {line.rsplit(",", 1)[1] for line in done.stdout.splitlines()[1:]}
        self.assertEqual(values, {"nan"})
