"""test_failures.py - whatever goes wrong, the training goes on, and it is told once."""

import gc
import os
import subprocess
import sys
import warnings
from types import SimpleNamespace

import gradtrace
import h5py
import torch
from gradtrace import _library
from harness import Case, loss_of, model, train


class Failures(Case):
    def trained_with_warnings(self, path, **options):
        """Losses of a recorded run, and the warnings it gave."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            losses, _, _ = train(model(), 6, path, **options)
        return losses, [str(w.message) for w in caught]

    def test_an_unwritable_path_gives_one_warning_and_the_run_goes_on(self):
        wanted, _, _ = train(model(), 6)
        path = self.path("no/such/folder/run.h5")
        losses, said = self.trained_with_warnings(path)
        self.assertEqual(losses, wanted)
        self.assertEqual(len(said), 1, said)
        self.assertIn(path, said[0])
        self.assertIn("No such file or directory", said[0])

    def test_a_full_disk_gives_one_warning_and_the_run_goes_on(self):
        if not os.path.exists("/dev/full"):
            self.skipTest("no /dev/full")
        losses, said = self.trained_with_warnings("/dev/full")
        self.assertEqual(len(losses), 6)
        self.assertEqual(len(said), 1, said)
        self.assertIn("/dev/full", said[0])

    def test_strict_raises(self):
        path = self.path("no/such/folder/run.h5")
        with self.assertRaisesRegex(gradtrace.Error, "No such file or directory") as caught:
            gradtrace.Recorder(model(), path, strict=True)
        self.assertEqual(caught.exception.kind, "system")

    def test_an_existing_file_is_kept_unless_forced(self):
        with open(self.path(), "w") as file:
            file.write("mine")
        _, said = self.trained_with_warnings(self.path())
        self.assertEqual(len(said), 1, said)
        self.assertIn("exists already", said[0])
        with open(self.path()) as file:
            self.assertEqual(file.read(), "mine")
        train(model(), 6, self.path(), force=True)
        self.assertEqual(len(self.read()[0]["/step/index"]), 6)

    def test_failed_says_why_and_later_calls_do_nothing(self):
        net = model()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            recorder = gradtrace.Recorder(net, self.path("no/run.h5"))
            loss_of(net, 0).backward()
            for _ in range(3):
                recorder.step(1.0)
                recorder.applied(0.5)
            recorder.close()
        self.assertEqual(len(caught), 1)
        self.assertIn("No such file", recorder.failed)

    def test_steps_before_a_failure_are_kept(self):
        net = model()
        loss_of(net, 0).backward()
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            recorder = gradtrace.Recorder(net, self.path())
            recorder.step(step=5)
            recorder.step(step=6)
            recorder.step(step=6)  # numbers must grow
            recorder.step(step=7)
            recorder.close()
        self.assertEqual(len(caught), 1, [str(w.message) for w in caught])
        self.assertIn("step", recorder.failed)
        self.assertEqual(list(self.read()[0]["/step/index"]), [5, 6])

    def test_a_step_that_fails_half_way_leaves_no_row(self):
        net = model()
        loss_of(net, 0).backward()

        class Lost:
            """A gradient that is there until it is read."""

            def detach(self):
                raise RuntimeError("device lost")

        class Torn(torch.nn.Parameter):
            steps = 0

            @property
            def grad(self):
                Torn.steps += 1
                return torch.ones(3) if Torn.steps <= 2 else Lost()

        last = Torn(torch.zeros(3))
        named = [*net.named_parameters(), ("last", last)]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            recorder = gradtrace.Recorder(named, self.path())
            for _ in range(4):
                recorder.step()
            recorder.close()
        self.assertEqual(len(caught), 1)
        self.assertIn("RuntimeError: device lost", str(caught[0].message))
        self.assertEqual(list(self.read()[0]["/step/index"]), [0, 1])

    def test_a_recorder_without_a_step_leaves_no_file_and_says_so(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            gradtrace.Recorder(model(), self.path()).close()
        self.assertEqual(len(caught), 1)
        self.assertIn(self.path(), str(caught[0].message))
        self.assertEqual(os.listdir(self.folder), [])

    def test_wrong_calls_are_told_and_do_not_raise(self):
        net = model()
        loss_of(net, 0).backward()
        wrong = {
            "before step": lambda r: r.applied(1.0),
            "grad_scale=0": lambda r: r.step(grad_scale=0.0),
            "grad_scale=inf": lambda r: r.step(grad_scale=float("inf")),
            "after close": lambda r: (r.step(), r.close(), r.step()),
            "could not convert": lambda r: r.step(loss="high"),
        }
        for n, (words, call) in enumerate(wrong.items()):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                recorder = gradtrace.Recorder(net, self.path(f"{n}.h5"))
                call(recorder)
            self.assertEqual(len(caught), 1, words)
            self.assertIn(words, str(caught[0].message))
            self.assertIn(f"{n}.h5", str(caught[0].message))

    def test_wrong_arguments_raise_at_once(self):
        net = model()
        for wrong, error, words in (
            ({"elements": "some"}, ValueError, "elements='some': must be none, full, or"),
            ({"grad_state": "clipped"}, ValueError, "must be one of pre-clip, post-clip, unknown"),
            ({"reduction": "max"}, ValueError, "must be one of none, sum, mean"),
            ({"every": 0}, ValueError, "every=0: must be at least 1"),
            ({"total_steps": -1}, ValueError, "total_steps=-1: must be at least 0"),
            ({"first": 1.5}, TypeError, "first=1.5: must be an integer"),
            ({"world_size": 0}, ValueError, "world_size=0: must be at least 1"),
            ({"world_size": 2, "rank": 2}, ValueError, "rank 2: must be from 0 to 1"),
            ({"first": 5, "last": 4}, ValueError, "last 4: must be 5 or more"),
            ({"group_by": "modul"}, ValueError, "modul"),
            ({"meta": {"x": float("nan")}}, ValueError, "meta: not JSON"),
        ):
            with self.assertRaises(error) as caught:
                gradtrace.Recorder(net, self.path(), **wrong)
            self.assertIn(words, str(caught.exception))
        net.requires_grad_(False)
        with self.assertRaisesRegex(ValueError, "no parameter requires a gradient"):
            gradtrace.Recorder(net, self.path())
        twice = [("w", torch.nn.Parameter(torch.ones(1)))] * 2
        with self.assertRaisesRegex(ValueError, "'w' is there twice"):
            gradtrace.Recorder(twice, self.path())
        other = [("w", SimpleNamespace(dtype="torch.float8_e5m2", requires_grad=True))]
        with self.assertRaisesRegex(TypeError, "w: type float8_e5m2 is not supported"):
            gradtrace.Recorder(other, self.path())
        self.assertEqual(os.listdir(self.folder), [])


class Endings(Case):
    """The file is completed however the recorder goes."""

    def test_a_recorder_that_is_dropped_completes_its_file(self):
        net = model()
        loss_of(net, 0).backward()
        recorder = gradtrace.Recorder(net, self.path())
        recorder.step()
        del recorder
        gc.collect()
        self.assertEqual(list(self.read()[0]["/step/index"]), [0])

    def test_an_exception_in_the_loop_completes_the_file_and_passes(self):
        net = model()
        loss_of(net, 0).backward()
        with self.assertRaisesRegex(KeyError, "mine"):
            with gradtrace.Recorder(net, self.path()) as recorder:
                recorder.step()
                raise KeyError("mine")
        self.assertEqual(list(self.read()[0]["/step/index"]), [0])

    def run_script(self, body):
        """Another interpreter with a net, a gradient and a recorder on run.h5."""
        script = (
            "import os, sys, torch, gradtrace\n"
            "net = torch.nn.Linear(3, 2)\n"
            "net(torch.ones(1, 3)).sum().backward()\n"
            "recorder = gradtrace.Recorder(net, sys.argv[1])\n" + body
        )
        package = os.path.dirname(os.path.dirname(gradtrace.__file__))
        environment = {**os.environ, "PYTHONPATH": package}
        return subprocess.run(
            [sys.executable, "-c", script, self.path()],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def test_the_end_of_the_interpreter_completes_the_file(self):
        done = self.run_script("recorder.step()\nrecorder.step()\n")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(list(self.read()[0]["/step/index"]), [0, 1])

    def test_a_forked_child_leaves_the_recorder_alone(self):
        done = self.run_script(
            "recorder.step()\n"
            "child = os.fork()\n"
            "if child == 0:\n"
            "    recorder.step(); recorder.close(); del recorder; sys.exit(0)\n"
            "assert os.waitpid(child, 0)[1] == 0\n"
            "assert not os.path.exists(sys.argv[1]), 'the child has closed it'\n"
            "recorder.step()\n"
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(list(self.read()[0]["/step/index"]), [0, 1])

    def test_two_recorders_at_once_do_not_meet(self):
        one, two = model(1), model(2)
        first = gradtrace.Recorder(one, self.path("1.h5"))
        second = gradtrace.Recorder(two, self.path("2.h5"))
        for step in range(3):
            for net, recorder in ((one, first), (two, second)):
                net.zero_grad()
                loss_of(net, step).backward()
                recorder.step()
        first.close()
        second.close()
        a, b = self.read("1.h5")[0], self.read("2.h5")[0]
        self.assertFalse((a["/norm/sumsq"] == b["/norm/sumsq"]).all())
        for arrays in (a, b):
            self.assertEqual(list(arrays["/step/index"]), [0, 1, 2])


class Library(Case):
    def with_environment(self, **names):
        kept = dict(os.environ)
        self.addCleanup(os.environ.update, kept)
        os.environ.update(names)

    def test_a_missing_library_is_told_with_what_to_do(self):
        self.with_environment(GRADTRACE_LIBRARY=self.path("nowhere.so"))
        with self.assertRaisesRegex(gradtrace.Error, "nowhere.so: no such file"):
            _library.find()
        os.environ.pop("GRADTRACE_LIBRARY")
        kept = _library.candidates
        self.addCleanup(setattr, _library, "candidates", kept)
        _library.candidates = lambda: [self.path("libgradtrace.so")]
        try:
            found = _library.find()  # the system may have one
        except gradtrace.Error as error:
            self.assertIn("run `make`", str(error))
        else:
            self.assertIn("libgradtrace", found)

    def test_an_installed_package_finds_its_prefix(self):
        package = os.path.join(self.folder, "lib/python3/dist-packages/gradtrace")
        kept = _library.__file__
        self.addCleanup(setattr, _library, "__file__", kept)
        _library.__file__ = os.path.join(package, "_library.py")
        self.assertIn(self.path("lib/libgradtrace.so"), _library.candidates())

    def test_the_file_stays_readable_by_h5py_in_the_same_process(self):
        # Two users of HDF5 in one process.
        with h5py.File(self.path("other.h5"), "w") as other:
            other["x"] = [1, 2, 3]
            train(model(), 3, self.path())
            other["y"] = [4, 5]
        with h5py.File(self.path("other.h5"), "r") as other:
            self.assertEqual(list(other["y"]), [4, 5])
        self.assertEqual(len(self.read()[0]["/step/index"]), 3)
