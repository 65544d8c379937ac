"""test_recorder_queue.py - elements that wait, are dropped, or are kept around spikes."""

import io
import os
import pathlib
import subprocess
import sys
import warnings
from unittest import mock

import gradtrace
import numpy
import torch
from gradtrace import _elements, _progress
from harness import Case, loss_of, model, train
from recording import PROGRAM


class Terminal(io.StringIO):
    def isatty(self):
        return True


class Queue(Case):
    def test_elements_say_what_is_kept(self):
        for text, wanted in {
            "none": ("none", 1.0, 0),
            "full": ("full", 1.0, 0),
            "blocks:1/64": ("blocks", 1 / 64, 0),
            "around-spikes:16": ("full", 1.0, 16),
            "blocks:0.5,around-spikes:3": ("blocks", 0.5, 3),
            "around-spikes:3, full": ("full", 1.0, 3),
        }.items():
            self.assertEqual(_elements.parse(text), wanted, text)
        for text in (
            *("", "some", "none:1", "full,full", "blocks", "blocks:0", "blocks:2", "blocks:1/0"),
            *("around-spikes", "around-spikes:0", "around-spikes:x", "none,around-spikes:2", None),
        ):
            with self.assertRaisesRegex(ValueError, "around-spikes:CAPTURES", msg=text):
                _elements.parse(text)

    def test_wrong_arguments_raise_at_once(self):
        for wrong, error, words in (
            ({"when_full": "wait"}, ValueError, "when_full='wait': must be one of block, drop"),
            ({"compression": "zip"}, ValueError, "must be one of deflate, none"),
            ({"queue_mb": 0}, ValueError, "queue_mb=0: must be at least 1"),
            ({"queue_mb": 1.5}, TypeError, "must be an integer"),
            ({"elements": "around-spikes:4", "spike_kappa": 1}, ValueError, "spike_kappa 1"),
        ):
            with self.assertRaisesRegex(error, words):
                gradtrace.Recorder(model(), self.path(), **wrong)

    def test_what_is_recorded_does_not_depend_on_the_queue(self):
        wanted, _, gradients = train(model(), 12)
        for when_full in ("block", "drop"):  # nothing is: it is large enough
            losses, _, _ = train(
                model(), 12, self.path(), elements="full", when_full=when_full, force=True
            )
            self.assertEqual(losses, wanted)
            arrays, attributes = self.read()
            self.assertEqual(list(arrays["/grad/step"]), list(range(12)))
            self.assertNotIn("dropped_captures", attributes)
            for t, step in enumerate(gradients):
                for i, gradient in enumerate(step):
                    got = arrays[f"/grad/{i}"][t]
                    self.assertTrue(numpy.array_equal(got, gradient.flatten().numpy()))

    def test_dropped_captures_are_counted_in_the_trace_and_in_the_progress(self):
        big = torch.nn.Parameter(torch.zeros(300_000))
        big.grad = torch.randn(300_000)
        path = self.path()
        recorder = gradtrace.Recorder(
            [("big", big)], path, elements="full", queue_mb=2, when_full="drop"
        )
        for step in range(60):
            recorder.step(step)
        done = recorder.progress()
        recorder.close()
        arrays, attributes = self.read()
        self.assertEqual(done["steps"], 60)
        self.assertGreater(done["dropped"], 0)  # one slot, and no time between the steps
        self.assertEqual(attributes["dropped_captures"], done["dropped"])
        self.assertEqual(len(arrays["/grad/step"]), 60 - done["dropped"])
        self.assertEqual(len(arrays["/norm/sumsq"]), 60)
        self.assertEqual(len(set(arrays["/norm/sumsq"][:, 0])), 1)
        self.assertLess(done["memory_bytes"], (2 << 20) + (4 << 20))
        self.assertEqual(recorder.progress(), {})
        told = subprocess.check_output([PROGRAM, "info", path], text=True)
        self.assertIn(f" {done['dropped']} more captures were dropped: the recorder's", told)

    def spiked(self, name="run.h5", **options):
        net = model()
        recorder = gradtrace.Recorder(net, self.path(name), **options)
        for step in range(40):
            net.zero_grad()
            (loss_of(net, 0) * (100.0 if step == 25 else 1.0)).backward()
            recorder.step()
            recorder.applied(0.01 if step == 33 else 1.0)
        recorder.close()
        return list(self.read(name)[0]["/grad/step"]) if name.endswith("h5") else None

    def test_elements_around_a_spike(self):
        self.assertEqual(self.spiked(elements="around-spikes:2"), [23, 24, 25, 26, 27])
        self.assertEqual(
            self.spiked("b.h5", elements="blocks:1/2,around-spikes:1", spike_scale=0.1),
            [24, 25, 26, 32, 33, 34],
        )
        self.assertEqual(
            self.spiked("c.h5", elements="around-spikes:1", spike_kappa=200.0), []
        )
        policy = {"spike_policy": "aggc:high=20", "spike_scale": 0.9, "spike_kappa": 1e6}
        self.assertEqual(
            self.spiked("d.h5", elements="around-spikes:1", **policy), [24, 25, 26, 32, 33, 34]
        )

    def test_a_window_too_long_for_the_memory_is_told_in_a_warning(self):
        big = torch.nn.Parameter(torch.zeros(300_000))
        big.grad = torch.ones(300_000)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            recorder = gradtrace.Recorder(
                [("big", big)], self.path(), elements="around-spikes:16", queue_mb=4
            )
            recorder.step()
            recorder.step()
            recorder.close()
        self.assertEqual(len(caught), 1)
        self.assertIn("a window of 2, which is used", str(caught[0].message))
        self.assertIsNone(recorder.failed)

    def test_a_warning_that_is_an_error_does_not_end_the_recording(self):
        big = torch.nn.Parameter(torch.zeros(300_000))
        big.grad = torch.ones(300_000)
        recorder = gradtrace.Recorder(
            [("big", big)], self.path(), elements="around-spikes:16", queue_mb=4
        )
        try:
            recorder.step()  # warnings are errors in these tests
        except RuntimeWarning:
            pass
        recorder.step()
        recorder.close()
        self.assertIsNone(recorder.failed)
        self.assertEqual(len(self.read()[0]["/step/index"]), 2)

    def test_a_forked_child_leaves_the_file_alone_and_ends(self):
        net = model()
        loss_of(net, 0).backward()
        recorder = gradtrace.Recorder(net, self.path(), elements="full")
        for _ in range(5):
            recorder.step()
        child = os.fork()
        if child == 0:
            recorder.step()
            recorder.applied(1.0)
            recorder.close()
            os._exit(0)
        for _ in range(5):
            recorder.step()
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        recorder.close()
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/index"]), list(range(10)))
        self.assertEqual(list(arrays["/grad/step"]), list(range(10)))

    def said(self, stream, seconds, **options):
        """What a run of ten steps, each `seconds` long, writes to stderr."""
        clock = iter(range(10_000))
        now = mock.patch.object(_progress.time, "monotonic", lambda: seconds * next(clock))
        with mock.patch.object(sys, "stderr", stream), now:
            train(model(), 10, self.path(), force=True, total_steps=10, **options)
        return stream.getvalue()

    def test_progress_is_told_on_a_terminal_and_not_in_a_log(self):
        text = self.said(Terminal(), 1.0)
        self.assertIn("gradtrace: run.h5: 161 B a step, 1.61 kB in all, ", text)
        self.assertIn(" free\n", text)
        self.assertRegex(text, r"\r\x1b\[Kgradtrace: run.h5: \d+ steps, \d+ B, ")
        self.assertTrue(text.endswith("\n"))
        self.assertEqual(self.said(io.StringIO(), 100.0), "")
        self.assertEqual(self.said(Terminal(), 100.0, progress=False), "")
        text = self.said(io.StringIO(), 100.0, progress=True)
        self.assertNotIn("\r", text)
        self.assertRegex(text, r"gradtrace: run.h5: \d steps, \d+ B, [\d.]+ B/s\n")

    def test_a_stderr_that_is_closed_harms_nothing(self):
        closed = Terminal()
        closed.close()
        losses, _, _ = train(model(), 5)
        for stream in (closed, None):
            with mock.patch.object(sys, "stderr", stream):
                got, _, _ = train(model(), 5, self.path(), force=True, progress=True)
            self.assertEqual(got, losses)
        self.assertEqual(len(self.read()[0]["/step/index"]), 5)

    def test_a_folder_of_segments_can_be_recorded_into(self):
        self.spiked("run.gtr", elements="around-spikes:2")
        names = sorted(p.name for p in pathlib.Path(self.path("run.gtr")).iterdir())
        self.assertTrue(any(name.endswith(".h5") for name in names), names)
