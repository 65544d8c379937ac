"""test_record_told.py - `gradtrace record`: what its options do, and what it tells in a run."""

import os
import pty
import re
import subprocess
import sys
import unittest
import warnings
from unittest import mock

import numpy
from harness import Case, loss_of, model
from recording import PRELUDE, PROGRAM, RecordCase

import gradtrace
from gradtrace import _progress

LOOP = """
import time
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(%d):
    optimizer.zero_grad()
    loss_of(net, step).backward()
    optimizer.step()
    time.sleep(%g)
"""


class Options(RecordCase):
    def test_the_window_and_the_seed_of_elements(self):
        chosen = ("--elements", "blocks:1/4", "--every", "2", "--first", "3", "--last", "8")
        written = ("--compression", "none", "--queue-mb", "1", "--when-full", "block")
        body = """
net = torch.nn.Linear(64, 128)
def loss_of(net, step):
    return net(torch.ones(2, 64) * (1 + step)).square().mean()
"""
        kept = {}
        for seed in ("0", "0", "1"):
            options = ("-o", "run.h5", "--force", *chosen, *written, "--sample-seed", seed)
            self.record(body + LOOP % (12, 0), options=options)
            arrays, _ = self.read()
            self.assertEqual(list(arrays["/grad/step"]), [3, 5, 7])
            self.assertEqual(arrays["/grad/0"].shape[0], 3)
            if seed in kept:
                numpy.testing.assert_array_equal(kept[seed], arrays["/grad/0"])
            kept[seed] = arrays["/grad/0"]
        self.assertFalse(numpy.array_equal(kept["0"], kept["1"]))

    def test_settings_of_spikes(self):
        twice = "(loss_of(net, 0) * (2 if step == 15 else 1)).backward()"
        body = LOOP.replace("loss_of(net, step).backward()", twice) % (24, 0)
        for kappa, wanted in (("1.5", [13, 14, 15, 16, 17]), ("3", [])):
            spikes = ("--elements", "around-spikes:2", "--spike-kappa", kappa)
            self.record(body, options=("-o", "run.h5", "--force", *spikes))
            arrays, _ = self.read()
            self.assertEqual(list(arrays.get("/grad/step", [])), wanted)

    def test_a_step_that_the_run_scaled_is_a_spike_if_asked(self):
        clipped = LOOP.replace(
            "    optimizer.step()",
            "    limit = 1e-3 if step == 6 else 1e3\n"
            "    torch.nn.utils.clip_grad_norm_(net.parameters(), limit)\n    optimizer.step()",
        )
        spikes = ("--elements", "full,around-spikes:1", "--spike-scale", "0.5")
        self.record(clipped % (12, 0), options=("-o", "run.h5", *spikes))
        self.assertEqual(list(self.read()[0]["/grad/step"]), [5, 6, 7])

    def test_remarks_are_kept_in_the_trace(self):
        remarks = ("--meta", "name=first try", "--meta", "seed=7", "--meta", "noise=0.5")
        self.record(LOOP % (2, 0), options=("-o", "run.h5", *remarks))
        meta = self.read()[1]["meta"]
        for part in ('"name": "first try"', '"seed": 7', '"noise": 0.5', '"model": "Net"'):
            self.assertIn(part, meta)

    def test_segments_of_the_size_asked_for(self):
        body = "net = torch.nn.Linear(512, 512)\ndef loss_of(net, step):\n"
        body += "    return net(torch.randn(2, 512)).square().mean()\n"
        small = ("--elements", "full", "--segment-mb", "1", "--segment-seconds", "1000")
        self.record(body + LOOP % (6, 0), options=("-o", "run.gtr", *small))
        segments = [n for n in os.listdir(self.path("run.gtr")) if n.endswith(".h5")]
        self.assertGreaterEqual(len(segments), 3, segments)

    def test_dropped_captures_are_told_of_at_the_end(self):
        body = "net = torch.nn.Linear(400, 400)\ndef loss_of(net, step):\n"
        body += "    return net(torch.ones(1, 400)).square().mean()\n"
        queue = ("--elements", "full", "--queue-mb", "1", "--when-full", "drop")
        self.record(body + LOOP % (60, 0), options=("-o", "run.h5", *queue))
        kept = len(self.read()[0]["/grad/step"])
        if kept == 60:
            self.skipTest("the disk kept up")
        self.assertIn(f"run.h5: the elements of {60 - kept} steps were left out", self.said)


class OnATerminal(RecordCase):
    def on_terminal(self, *options, steps=9, pause=0.3):
        """What a script of almost three seconds shows there; carriage returns are line ends."""
        self.write(PRELUDE + LOOP % (steps, pause))
        ours, theirs = pty.openpty()
        command = [PROGRAM, "record", "-o", "run.h5", "--force", *options]
        with subprocess.Popen(
            [*command, "--", sys.executable, "train.py"],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=theirs,
        ) as running:
            os.close(theirs)
            shown = b""
            while True:
                try:
                    part = os.read(ours, 4096)
                except OSError:
                    break  # how Linux tells that the other side is closed
                if not part:
                    break
                shown += part
        os.close(ours)
        self.assertEqual(running.returncode, 0, shown)
        return shown.decode().replace("\x1b[K", "").replace("\r", "\n")

    def test_sizes_come_before_the_first_step_and_progress_after(self):
        shown = self.on_terminal("--total-steps", "9")
        lines = [line for line in shown.split("\n") if line]
        start = "gradtrace record: run.h5: "
        self.assertRegex(lines[0], start + r"121 B a step, 1\.09 kB in all, .*B free$")
        told = "\n".join(lines[1:-1])
        self.assertRegex(told, start + r"\d steps, \d+ B, [\d.]+ B/s(\n|$)")
        hourly = re.search(start + r"([\d.]+) s a step, ([\d.]+) MB an hour", told)
        seconds, megabytes = map(float, hourly.groups())
        self.assertTrue(0.29 < seconds < 2.0, seconds)
        self.assertAlmostEqual(megabytes, 121 * 3600 / seconds / 1e6, delta=0.02 * megabytes)
        self.assertEqual(lines[-1], start + "9 steps of 4 tensors")

    def test_no_progress_and_logs_are_quiet(self):
        self.assertEqual(
            self.on_terminal("--no-progress", pause=0.25).strip(),
            "gradtrace record: run.h5: 9 steps of 4 tensors",
        )
        self.record(LOOP % (9, 0.25), options=("-o", "run.h5", "--force"))
        self.assertEqual(self.said, "gradtrace record: run.h5: 9 steps of 4 tensors\n")

    def test_progress_in_a_log_if_asked(self):
        self.record(LOOP % (3, 0), options=("-o", "run.h5", "--progress"))
        self.assertRegex(self.said, r"^gradtrace record: run.h5: 121 B a step, .*free\n")
        self.assertNotIn("\r", self.said)


class Warned(RecordCase):
    BIG = """
net = torch.nn.Linear(512, 512)
def loss_of(net, step):
    return net(torch.ones(1, 512)).square().mean()
"""

    def test_what_the_library_warns_of_is_told_at_once_and_once(self):
        body = self.BIG + LOOP % (30, 0) + "print('script', file=sys.stderr)\n"
        small = ("--elements", "around-spikes:16", "--queue-mb", "4")
        self.record(body, options=("-o", "run.h5", *small))
        self.assertEqual(self.said.count("which is used"), 1, self.said)
        self.assertLess(self.said.index("which is used"), self.said.index("script\n"))

    def test_a_disk_too_small_for_the_run_is_told_before_it_is_full(self):
        # More than any disk: 2^42 steps of at least 100 bytes.
        options = ("-o", "run.h5", "--total-steps", str(1 << 42))
        self.record(self.BIG + LOOP % (3, 0) + "print('end', file=sys.stderr)\n", options=options)
        self.assertEqual(self.said.count("; the run is longer"), 1, self.said)
        self.assertLess(self.said.index("the run is longer"), self.said.index("end\n"))


class Hourly(Case):
    """A disk with little room, which only the time of a step shows to be too little."""

    def said(self, free_bytes):
        """The warnings of a run whose clock moves by a second with each look at it."""
        clock = iter(range(10_000))
        real = gradtrace.recorder.Handle.estimate

        def estimate(handle):
            found = real(handle)
            found.free_bytes = free_bytes
            return found

        now = mock.patch.object(_progress.time, "monotonic", lambda: float(next(clock)))
        room = mock.patch.object(gradtrace.recorder.Handle, "estimate", estimate)
        net = model()
        with now, room, warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            with gradtrace.Recorder(net, self.path(), progress=False) as recorder:
                for step in range(12):
                    loss_of(net, step).backward()
                    recorder.step()
        self.assertIsNone(recorder.failed)
        return [str(warning.message) for warning in caught]

    def test_a_disk_that_is_full_within_the_hour_is_told_of_once(self):
        # 161 bytes a step of one second.
        said = self.said(161 * 1800)
        self.assertEqual(len(said), 1, said)
        self.assertIn("290 kB are free, which this recording fills in 30 minutes", said[0])

    def test_one_with_room_for_it_is_not(self):
        self.assertEqual(self.said(161 * 3700), [])


if __name__ == "__main__":
    unittest.main()
