"""test_sample.py - samples of elements, against FORMAT.md's own program and against full traces."""

import math
import os
import re
import shutil
import subprocess

import gradtrace
import h5py
import numpy
from harness import Case, model, text, train

TREE = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def documented_blocks():
    """The function blocks() as traces/FORMAT.md prints it."""
    with open(os.path.join(TREE, "traces", "FORMAT.md"), encoding="utf-8") as file:
        program = re.search(r"```python\n(.*?def blocks\(.*?)```", file.read(), re.S).group(1)
    names = {"math": math}
    exec(program, names)
    return names["blocks"]


blocks = documented_blocks()


def places(name, numel, block, fraction, seed):
    """Indices of the elements that a sample keeps, in the order of the file."""
    kept = blocks(name, numel, block, fraction, seed)
    return numpy.concatenate(
        [numpy.arange(b * block, min((b + 1) * block, numel)) for b in kept]
    )


class Big(Case):
    """A recording of parameters that have several blocks."""

    def record(self, name, elements, **options):
        import torch

        torch.manual_seed(4)
        net = torch.nn.Linear(100, 173)  # 17 blocks, the last short; and a bias of one
        optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
        path = self.path(name)
        with gradtrace.Recorder(net, path, elements=elements, strict=True, **options) as recorder:
            for _ in range(10):
                optimizer.zero_grad()
                net(torch.randn(8, 100)).square().mean().backward()
                recorder.step()
                optimizer.step()
        return h5py.File(path, "r")

    def compare(self, elements, fraction, seed=0):
        window = {"every": 3, "first": 2, "last": 9}
        with self.record("full.h5", "full", **window) as full:
            whole = {i: full[f"/grad/{i}"][()] for i in (0, 1)}
            self.assertEqual(list(full["/grad/step"]), [2, 5, 8])
        with self.record("some.h5", elements, sample_seed=seed, **window) as some:
            self.assertEqual(list(some["/grad/step"]), [2, 5, 8])
            for i, name in enumerate(("weight", "bias")):
                dataset = some[f"/grad/{i}"]
                attributes = dataset.attrs
                self.assertEqual(text(attributes["sampling"]), "blocks")
                self.assertEqual(attributes["block"], 1024)
                self.assertEqual(attributes["fraction"], fraction)
                self.assertEqual(attributes["seed"], seed)
                at = places(name, whole[i].shape[1], 1024, fraction, seed)
                numpy.testing.assert_array_equal(dataset[()], whole[i][:, at])

    def test_a_sample_is_the_right_part_of_the_whole(self):
        self.compare("blocks:1/4", 0.25)
        os.unlink(self.path("full.h5"))
        os.unlink(self.path("some.h5"))
        self.compare("blocks:0.02", 0.02, seed=-3)

    def test_a_whole_fraction_keeps_everything(self):
        self.compare("blocks:1", 1.0, seed=9)

    def test_wrong_samples_are_told_at_once(self):
        bad = ("blocks", "blocks:", "blocks:0", "blocks:1/0", "blocks:3/2", "blocks:x", "full:1/2")
        for elements in (*bad, "blocks:nan", "blocks:-1/2", None):
            with self.assertRaisesRegex(ValueError, r"must be none, full, or blocks:FRACTION"):
                gradtrace.Recorder(model(), self.path(), elements=elements)
        with self.assertRaisesRegex(TypeError, "sample_seed='a': must be an integer"):
            gradtrace.Recorder(model(), self.path(), elements="blocks:1/2", sample_seed="a")

    def test_a_small_model_keeps_all_of_its_blocks(self):
        net = model()
        train(net, 3, self.path(), elements="blocks:1/64")
        arrays, _ = self.read()
        for i, parameter in enumerate(net.parameters()):
            self.assertEqual(arrays[f"/grad/{i}"].shape, (3, parameter.numel()))


class Program(Case):
    """`gradtrace simulate --elements`, read with h5py."""

    def simulate(self, name, *options):
        program = os.environ.get("GRADTRACE") or shutil.which("gradtrace")
        if not program:
            self.skipTest("no GRADTRACE in the environment")
        command = [program, "simulate", "--scenario=culprit", "--layout=tiny", "--steps=60"]
        command += [*options, "-o", self.path(name)]
        subprocess.run(command, check=True, capture_output=True)
        return self.read(name)[0]

    def test_norms_are_those_of_the_elements_and_of_the_scenario(self):
        bare = self.simulate("bare.h5")
        full = self.simulate("full.h5", "--elements", "full")
        some = self.simulate("some.h5", "--elements", "blocks:1/3")
        numpy.testing.assert_allclose(full["/norm/sumsq"], bare["/norm/sumsq"], rtol=2e-7)
        numpy.testing.assert_array_equal(full["/norm/sumsq"], some["/norm/sumsq"])
        for i, name in enumerate(full["/param/name"]):
            elements = full[f"/grad/{i}"]
            exact = (elements.astype(numpy.float64) ** 2).sum(axis=1)
            numpy.testing.assert_allclose(full["/norm/sumsq"][:, i], exact, rtol=1e-13)
            numpy.testing.assert_array_equal(
                full["/norm/maxabs"][:, i], numpy.abs(elements).max(axis=1)
            )
            at = places(name.decode(), elements.shape[1], 1024, 1 / 3, 1)
            numpy.testing.assert_array_equal(some[f"/grad/{i}"], elements[:, at])

    def test_directions_turn_slowly_and_sizes_stay(self):
        full = self.simulate("full.h5", "--elements", "full", "--steps", "400")
        elements = full["/grad/0"].astype(numpy.float64)  # 12288 of them
        unit = elements / numpy.linalg.norm(elements, axis=1, keepdims=True)
        self.assertAlmostEqual(float((unit[1:] * unit[:-1]).sum(axis=1).mean()), 0.3, delta=0.01)
        self.assertAlmostEqual(float((unit[2:] * unit[:-2]).sum(axis=1).mean()), 0.09, delta=0.01)
        sizes = numpy.log(unit.std(axis=0))
        self.assertAlmostEqual(float(sizes.std()), 1.0, delta=0.03)
