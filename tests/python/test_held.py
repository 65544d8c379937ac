"""test_held.py - surroundings that broke nothing when they were tried, and must not."""

import locale
import os
import shutil
import subprocess
import sys
import unittest

import gradtrace
import numpy as np
import torch
from harness import Case, model, train

SCRIPT = """
import locale, sys
locale.setlocale(locale.LC_ALL, "de_DE")
assert locale.localeconv()["decimal_point"] == ","
import gradtrace
from harness import model, train
train(model(), 12, sys.argv[1], elements="blocks:1/2", meta={"lr": 0.25})
trace = gradtrace.open(sys.argv[1])
print(repr(float(trace.norm[5])), trace.meta.lr, trace.replay("global:max_norm=0.5").policy)
print(trace.sweep(("global", {"max_norm": "0.25,0.5"}))["max_norm"])
"""


class Held(Case):
    def test_a_decimal_comma_changes_nothing(self):
        if shutil.which("localedef") is None:
            self.skipTest("needs localedef")
        folder = self.path("locales")
        os.mkdir(folder)
        made = subprocess.run(
            ["localedef", "-i", "de_DE", "-f", "UTF-8", os.path.join(folder, "de_DE")],
            capture_output=True, check=False,
        )
        if not os.path.isdir(os.path.join(folder, "de_DE")):
            self.skipTest(f"no locale with a comma: {made.stderr.decode()}")
        told = []
        for name, script in (
            ("comma.h5", SCRIPT),
            ("point.h5", SCRIPT.replace('"de_DE"', '"C"').replace('== ","', '== "."')),
        ):
            done = subprocess.run(
                [sys.executable, "-c", script, self.path(name)],
                env={**os.environ, "LOCPATH": folder, "PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True, text=True, check=False,
            )
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            told.append(done.stdout)
        self.assertEqual(told[0], told[1])
        self.assertIn("0.25 global:max_norm=0.5\n[0.25, 0.5]", told[0])

    def test_a_hundred_thousand_tensors(self):
        n = 100_000
        tensors = {f"experts.{i // 100}.w{i % 100}": torch.zeros(2) for i in range(n)}
        for i, tensor in enumerate(tensors.values()):
            tensor.requires_grad_()
            tensor.grad = torch.tensor([3.0 * (i + 1), 4.0 * (i + 1)])
        with gradtrace.Recorder(tensors, self.path(), strict=True) as recorder:
            recorder.step(1.0)
            recorder.step(0.5)
        trace = gradtrace.open(self.path())
        self.assertEqual(len(trace.names), n)
        self.assertEqual(trace.names[-1], "experts.999.w99")
        wanted = 5.0 * np.arange(1, n + 1)
        self.assertEqual(np.sqrt(trace.sumsq[1]).tolist(), wanted.tolist())
        facts = {row["fact"]: row["value"] for row in trace.ask("info")}
        self.assertEqual(facts["tensors"], n)

    def test_the_locale_of_the_process_is_left_as_it_was(self):
        before = locale.setlocale(locale.LC_ALL)
        train(model(), 2, self.path())
        gradtrace.open(self.path()).ask("info")
        self.assertEqual(locale.setlocale(locale.LC_ALL), before)


if __name__ == "__main__":
    unittest.main()
