"""test_reading.py - a trace in Python: the same numbers as h5py's and as the commands'."""

import csv
import doctest
import gc
import io
import json
import math
import os
import subprocess
import sys
import unittest

import gradtrace
import h5py
import numpy as np
import torch
from gradtrace import _program, _tables
from harness import Case, model, train

TREE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
LORA = os.path.join(TREE, "traces", "lora.h5")
GPT2 = os.path.join(TREE, "traces", "gpt2.h5")
PARAMETER = "transformer.h.1.attn.c_attn.weight"


def command(*words):
    """What the program prints."""
    return subprocess.run([_program.find(), *words], check=True, capture_output=True).stdout


def bits(value):
    """A float as the integer of its bits, so that NaN equals NaN and -0 is not 0."""
    return np.asarray(value, dtype="f8").view("u8").tolist()


class Reading(Case):
    def test_what_the_file_says_is_what_h5py_reads(self):
        trace = gradtrace.open(GPT2)
        with h5py.File(GPT2, "r") as file:
            self.assertEqual(trace.names, [name.decode() for name in file["param/name"][:]])
            self.assertEqual(trace.numel.tolist(), file["param/numel"][:].tolist())
            for name in ("loss", "lr", "time", "applied_scale"):
                self.assertEqual(bits(getattr(trace, name)), bits(file["step/" + name][:]), name)
            self.assertEqual(trace.steps.tolist(), file["step/index"][:].tolist())
            self.assertEqual(bits(trace.sumsq), bits(file["norm/sumsq"][:]))
            self.assertEqual(trace.maxabs.tolist(), file["norm/maxabs"][:].tolist())
            self.assertEqual(trace.nonfinite.tolist(), file["norm/nonfinite"][:].tolist())
            self.assertEqual(dict(trace.meta), json.loads(file.attrs["meta"]))
        self.assertEqual(trace.shapes[0], (256, 64))
        self.assertEqual(len(trace.shapes), len(trace.dtypes))

    def test_norms_are_roots_of_sums_over_the_tensors_of_a_group_in_their_order(self):
        trace = gradtrace.open(GPT2)
        sumsq, of = trace.sumsq, {name: i for i, name in enumerate(trace.names)}
        groups = trace.groups("layer")
        norms = trace.norms("layer")
        self.assertEqual(sorted(sum(groups.values(), [])), sorted(trace.names))
        for g, tensors in enumerate(groups.values()):
            energy = np.zeros(len(trace.steps))
            for tensor in tensors:
                energy = energy + sumsq[:, of[tensor]]
            self.assertEqual(bits(norms[:, g]), bits(np.sqrt(energy)))

    def test_a_replay_has_the_bits_of_the_commands_steps(self):
        trace = gradtrace.open(GPT2)
        replay = trace.replay("aggc-paper", group_by="layer")
        rows = csv.DictReader(
            io.StringIO(
                command(
                    "replay", GPT2, "-p", "aggc-paper", "--group-by=layer", "--steps=-"
                ).decode()
            ),
            delimiter="\t",
        )
        column = {name: g for g, name in enumerate(replay.groups)}
        row_of = {int(step): t for t, step in enumerate(trace.steps)}
        n = 0
        for row in rows:
            t, g = row_of[int(row["step"])], column[row["group"]]
            for name in ("scale", "lower", "upper"):
                self.assertEqual(bits(float(row[name])), bits(getattr(replay, name)[t, g]), row)
            n += 1
        self.assertEqual(n, replay.scale.size)
        self.assertTrue((replay.scale < 1).any())

    def test_a_policy_that_leaves_steps_out_says_which(self):
        replay = gradtrace.open(GPT2).replay("skipstep")
        rows = csv.DictReader(
            io.StringIO(command("replay", GPT2, "-p", "skipstep", "--steps=-").decode()),
            delimiter="\t",
        )
        skipped = {int(row["step"]) for row in rows if row["skipped"] == "1"}
        self.assertEqual(set(replay.steps[replay.skipped].tolist()), skipped)
        self.assertIn(1368, skipped)

    def test_studies_are_the_commands_own_numbers(self):
        trace = gradtrace.open(GPT2)
        policy, axis = "global", "0.5,1,2"
        for found, words in (
            (
                trace.sweep((policy, {"max_norm": axis}), fast=True),
                ("sweep", "-p", policy, "--set", "max_norm=" + axis, "--fast"),
            ),
            (trace.spill(max_norm=1.5), ("spill", "--max-norm=1.5")),
            (trace.doctor("global:max_norm=0.1"), ("doctor", "-p", "global:max_norm=0.1")),
            (trace.explain("none", step=1368), ("explain", "--step=1368", "-p", "none")),
            (trace.replay(policy).stats, ("replay", "-p", policy)),
            (trace.ask("info", groups=True), ("info", "--groups")),
        ):
            name, *rest = words
            self.assertEqual(found, json.loads(command(name, GPT2, *rest, "--json=-")), words)

    def test_tables_give_rows_and_columns_by_name(self):
        settings = gradtrace.open(GPT2).sweep(("global", {"max_norm": "0.5,1"}))
        self.assertEqual(settings["max_norm"], [0.5, 1])
        self.assertEqual(settings[1]["max_norm"], 1)
        self.assertEqual(settings[1:]["setting"], [1])
        with self.assertRaisesRegex(KeyError, "'clips' is no column; there are setting, policy"):
            settings["clips"]

    def test_captured_elements_are_those_of_h5py(self):
        trace = gradtrace.open(LORA)
        with h5py.File(LORA, "r") as file:
            for tensor in (0, 17):
                name = trace.names[tensor]
                self.assertEqual(
                    trace.elements(name).tolist(), file[f"grad/{tensor}"][:].tolist(), name
                )
            rows = file["grad/row"][:] if "grad/row" in file else range(600, 660)
            self.assertEqual(trace.captured_steps.tolist(), list(rows))
        with self.assertRaisesRegex(gradtrace.Error, "gpt2.h5: no elements of .*wte.* captured"):
            gradtrace.open(GPT2).elements(0)

    def test_a_sample_says_which_elements_it_holds(self):
        net = torch.nn.Linear(100, 80)
        recorder = gradtrace.Recorder(net, self.path(), elements="blocks:1/3", strict=True)
        x = torch.randn(5, 100, generator=torch.Generator().manual_seed(1))
        net(x).square().sum().backward()
        recorder.step(1.0)
        recorder.close()
        trace = gradtrace.open(self.path())
        index = trace.element_index("weight")
        self.assertLess(len(index), 8000)
        self.assertEqual(
            trace.elements("weight")[0].tolist(), net.weight.grad.flatten()[index].tolist()
        )

    def test_half_precision_elements_are_exact(self):
        for dtype in (torch.bfloat16, torch.float16):
            net = torch.nn.Linear(4, 3).to(dtype)
            net.weight.grad = torch.randn(3, 4).to(dtype)
            path = self.path(f"{dtype}.h5")
            with gradtrace.Recorder(net, path, elements="full", strict=True) as recorder:
                recorder.step(1.0)
            got = gradtrace.open(path).elements("weight")[0]
            self.assertEqual(got.tolist(), net.weight.grad.flatten().float().tolist())

    def test_a_gradient_that_is_not_finite_has_no_finite_norm(self):
        net = model()
        with gradtrace.Recorder(net, self.path(), strict=True) as recorder:
            for bad in (False, True):
                net.zero_grad()
                net(torch.ones(2, 7)).sum().backward()
                if bad:
                    net[0].weight.grad[0, 0] = math.inf
                recorder.step(1.0)
        trace = gradtrace.open(self.path())
        norms = trace.norms("tensor")
        odd = norms[1, trace.names.index("0.weight")]
        self.assertFalse(np.isfinite(odd))
        self.assertEqual((~np.isfinite(norms)).sum(), 1)
        self.assertTrue(np.isfinite(trace.norm[0]))
        self.assertFalse(np.isfinite(trace.norm[1]))
        self.assertTrue(np.isnan(trace.replay("none").scale[1]).all())
        self.assertEqual(trace.replay("none").scale[0].tolist(), [1.0] * len(trace.groups()))

    def test_a_folder_of_segments_reads_like_a_file(self):
        losses, norms, _ = train(model(), 5, self.path("run.gtr"))
        trace = gradtrace.open(self.path("run.gtr"))
        self.assertEqual(trace.loss.tolist(), [float(loss) for loss in losses])
        for ours, theirs in zip(trace.norm, norms):
            self.assertAlmostEqual(ours / float(theirs), 1.0, places=6)

    def test_arrays_outlive_what_they_came_from_and_cannot_be_written(self):
        trace = gradtrace.open(GPT2)
        loss, scale = trace.loss, trace.replay("global").scale
        before = bits(loss), bits(scale)
        del trace
        gc.collect()
        others = [gradtrace.open(LORA).replay("global").scale for _ in range(3)]
        self.assertEqual((bits(loss), bits(scale)), before)
        self.assertEqual(len(others), 3)
        with self.assertRaises(ValueError):
            scale[0, 0] = 2

    def test_errors_are_the_librarys_and_the_programs_own_sentences(self):
        with self.assertRaisesRegex(gradtrace.Error, "none.h5: cannot read: No such file"):
            gradtrace.open(self.path("none.h5"))
        trace = gradtrace.open(GPT2)
        with self.assertRaisesRegex(gradtrace.Error, "gloabl: no such policy or preset"):
            trace.replay("gloabl")
        with self.assertRaisesRegex(gradtrace.Error, "nonfinite='drop': must be skip or propagate"):
            trace.replay("none", nonfinite="drop")
        with self.assertRaisesRegex(gradtrace.Error, "unrecognized option '--bogus=1'"):
            trace.sweep("global", bogus=1)
        with self.assertRaisesRegex(gradtrace.Error, "group"):
            trace.norms("by-colour")

    def test_a_path_that_looks_like_an_option_is_a_path(self):
        train(model(), 3, self.path("-p.h5"))
        before = os.getcwd()
        os.chdir(self.folder)
        try:
            self.assertEqual(gradtrace.open("-p.h5").ask("info")[0]["value"], "-p.h5")
        finally:
            os.chdir(before)

    def test_figures_and_the_page_come_as_pictures_and_files(self):
        trace = gradtrace.open(LORA)
        try:
            png = trace.plot("norms")
        except gradtrace.Error as error:
            if "gnuplot" in str(error):
                self.skipTest(str(error))
            raise
        self.assertEqual(png._repr_png_()[:8], b"\x89PNG\r\n\x1a\n")
        self.assertIsNone(png._repr_svg_())
        svg = trace.plot("scales", "global:max_norm=1", format="svg")
        self.assertIn("<svg", svg._repr_svg_())
        svg.save(self.path("s.svg"))
        self.assertGreater(os.path.getsize(self.path("s.svg")), 1000)
        trace.report(self.path("run.html"), "global:max_norm=1")
        with open(self.path("run.html"), encoding="utf-8") as file:
            self.assertIn("</html>", file.read())

    def test_notebooks_show_tables_and_hostile_names_stay_text(self):
        trace = gradtrace.open(GPT2)
        for thing in (trace, trace.replay("global"), trace.doctor(), trace.spill(max_norm=1)):
            page = thing._repr_html_()
            self.assertEqual(page.count("<table>"), page.count("</table>"))
            self.assertIn("<td>", page)
        rows = _tables.Table([{"<b>": "<script>alert(1)</script>", "n": 0.123456}] * 40)
        page = rows._repr_html_()
        self.assertNotIn("<script", page)
        self.assertIn("… 10 rows …", page)
        self.assertIn("0.1235", page)

    def test_pandas_frames_have_the_same_numbers(self):
        try:
            import pandas
        except ImportError:
            self.skipTest("needs pandas")
        trace = gradtrace.open(GPT2)
        frame = trace.frame("layer")
        self.assertIsInstance(frame, pandas.DataFrame)
        self.assertEqual(bits(frame["norm"].to_numpy()), bits(trace.norm))
        self.assertEqual(bits(frame.iloc[:, 3:].to_numpy()), bits(trace.norms("layer")))
        replay = trace.replay("global")
        self.assertEqual(bits(replay.frame().to_numpy()), bits(replay.scale))
        self.assertEqual(trace.sweep("global").frame()["clip_rate"].tolist(),
                         trace.sweep("global")["clip_rate"])

    def test_norms_that_somebody_has_become_a_trace(self):
        values = np.array([[0.1, 3.0], [math.inf, 1e-100], [1 / 3, math.nan]])
        trace = gradtrace.norms(
            values, names=["a", "b.c"], steps=[5, 6, 9], loss=[1.5, math.nan, 0.25],
            grad_state="pre-clip",
        )
        self.assertEqual(bits(trace.norms("tensor")), bits(values))
        self.assertEqual((trace.names, trace.steps.tolist()), (["a", "b.c"], [5, 6, 9]))
        self.assertEqual(bits(trace.loss), bits([1.5, math.nan, 0.25]))
        self.assertEqual(trace.grad_state, "pre-clip")
        whole = gradtrace.norms([2.0, 0.5] * 20, path=self.path("whole.h5"))
        self.assertEqual(whole.replay("global:max_norm=1").scale[1].tolist(), [1.0])
        self.assertAlmostEqual(whole.replay("global:max_norm=1").scale[0, 0], 0.5, places=6)
        self.assertTrue(os.path.isfile(self.path("whole.h5")))
        made = trace.path
        del trace
        gc.collect()
        self.assertFalse(os.path.exists(made))
        with self.assertRaisesRegex(ValueError, "loss: 1 values for 2 steps"):
            gradtrace.norms([1.0, 2.0], loss=[1.0])
        with self.assertRaisesRegex(gradtrace.Error, "a name must not hold tabs"):
            gradtrace.norms([[1.0]], names=["a\tb"])

    def test_the_readmes_session_prints_what_it_says(self):
        before = os.getcwd()
        os.chdir(TREE)
        try:
            failed, tried = doctest.testfile(os.path.join(TREE, "README.md"), module_relative=False)
        finally:
            os.chdir(before)
        self.assertEqual(failed, 0)
        self.assertGreaterEqual(tried, 7)

    def test_reading_needs_no_torch(self):
        script = (
            "import sys; sys.modules['torch'] = None\n"
            "import gradtrace\n"
            f"print(len(gradtrace.open({GPT2!r}).norm))\n"
        )
        path = os.pathsep.join(sys.path)
        done = subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": path},
            capture_output=True, text=True,
        )
        self.assertEqual((done.stdout, done.stderr), ("2400\n", ""))


if __name__ == "__main__":
    unittest.main()
