"""test_cuda_recorder.py - gradients on GPUs give the trace that gradients on the CPU give.

CPU tensors are taken for tensors of a GPU here: in a library built with CUDA=emulate (make
check-emulate), whose device memory is host memory, by the kernels; in any library by torch's own
operations.  Real GPUs are for check_cuda_recorder.py.
"""

import contextlib
import ctypes
from unittest import mock

import gradtrace
import numpy
import torch
from gradtrace import _gpu_gradients, _host_copies, _kernel_norms, _library, _torch_norms
from gradtrace._gradients import Gradients, Taken
from harness import Case, model, train


@contextlib.contextmanager
def pretend(device_of=lambda tensor: 0):
    """CPU tensors lie on GPUs from here on."""
    with mock.patch.object(_gpu_gradients, "device_of", device_of):
        with mock.patch.object(_kernel_norms, "stream_of", lambda device: None):
            yield


def emulated():
    name = ctypes.create_string_buffer(64)
    _library.load().gtr_device_name(0, name, 64)
    return name.value.startswith(b"emulated")


class Ways:
    """Records the same gradients over the host and as if they lay on GPUs."""

    def check_same(self, steps, device_of=lambda tensor: 0, launches=None, scale=1.0, **options):
        """steps: per step the gradients of all parameters, None where there is none."""
        kinds = [next(s[i] for s in steps if s[i] is not None) for i in range(len(steps[0]))]
        named = [(f"p{i}", torch.nn.Parameter(torch.zeros_like(g))) for i, g in enumerate(kinds)]
        calls = []
        real = _library.call

        def counted(name, *arguments):
            calls.append(name)
            if name == "gtr_recorder_grads":  # several in one call
                calls.extend("host" for pointer in arguments[1] if pointer)
            elif name == "gtr_recorder_grad":
                calls.append("host")
            elif name == "gtr_recorder_reduced":
                calls.extend(["gpu"] * arguments[1])
            real(name, *arguments)

        def record(path):
            with gradtrace.Recorder(named, path, strict=True, **options) as recorder:
                for grads in steps:
                    for (_, parameter), grad in zip(named, grads):
                        parameter.grad = grad
                    recorder.step(1.0, grad_scale=scale)

        record(self.path("cpu.h5"))
        with self.pretend(device_of), mock.patch.object(_library, "call", counted):
            record(self.path("gpu.h5"))
        wanted, got = self.read("cpu.h5")[0], self.read("gpu.h5")[0]
        self.assertEqual(wanted.keys(), got.keys())
        for name, array in wanted.items():
            if name != "/step/time":
                self.assertEqual(array.tobytes(), got[name].tobytes(), name)
        if launches is not None:
            self.check_launches(calls, launches)
        return calls

    def pretend(self, device_of):
        return pretend(device_of)

    def taken(self, elements, device_of, sizes):
        """What `gradtrace record` takes of gradients before it writes them, as plain numbers; a
        parameter is then replaced by one of another size."""
        tensors = [torch.nn.Parameter(torch.zeros(n)) for n in sizes]
        gradients = Gradients([(f"p{i}", p) for i, p in enumerate(tensors)], None, elements)
        found = []
        with self.pretend(device_of):
            gradients.prepare(1.0)
            gradients.hold_weakly()
            for size in (sizes[0], sizes[0] if gradients.keeps else 3000):
                tensors[0] = torch.nn.Parameter(torch.zeros(size))
                gradients.replace(0, tensors[0])
                grads = {i: torch.linspace(-1, 2, p.numel()) for i, p in enumerate(tensors)}
                taken = Taken(len(sizes), gradients.keeps)
                gradients.take(grads, 1.0, taken, 1)
                found += [(s.sumsq, s.maxabs, s.nonfinite) for s in taken.sums]
                found += [sorted((i, t.tolist()) for i, t in (taken.kept or {}).items())]
        return found

    def test_what_is_taken_before_it_is_written_is_the_same(self):
        for elements in ("none", "full", "blocks:1/2"):
            host = self.taken(elements, lambda tensor: None, [4000, 7, 1024])
            self.assertEqual(self.taken(elements, lambda tensor: 0, [4000, 7, 1024]), host)

    def check_launches(self, calls, launches):
        pass

    def random(self, n_steps, dtype, *shapes):
        torch.manual_seed(1)
        return [[torch.randn(s).to(dtype) for s in shapes] for _ in range(n_steps)]

    def test_every_type_gives_the_same_bits_in_one_launch_a_step(self):
        for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
            steps = self.random(3, dtype, (40, 70), (9000,), (), (3, 1, 2))
            calls = self.check_same(steps, launches=3, force=True)
            self.assertEqual(calls.count("gpu"), 12)
            self.assertEqual(calls.count("host"), 0)

    def test_mixed_types_are_one_plan(self):
        a, b = self.random(2, torch.float32, (50,)), self.random(2, torch.bfloat16, (60, 2))
        self.check_same([x + y for x, y in zip(a, b)], launches=2)

    def test_nan_and_infinity_are_counted(self):
        steps = self.random(2, torch.float32, (2000,))
        steps[1][0][7] = float("nan")
        steps[1][0][1999] = float("-inf")
        self.check_same(steps)
        self.assertEqual(list(self.read("gpu.h5")[0]["/norm/nonfinite"][:, 0]), [0, 2])

    def test_strided_gradients_are_read_in_their_order(self):
        base = self.random(2, torch.float32, (60, 50))
        self.check_same([[g.t()] for (g,) in base])
        self.check_same([[g[::2, ::3]] for (g,) in base], force=True)

    def test_a_step_without_some_gradients(self):
        steps = self.random(4, torch.float32, (30,), (0,), (50,))
        steps[1][0] = steps[2][0] = steps[2][2] = None
        calls = self.check_same(steps, launches=3)  # none for the step without any
        self.assertEqual(calls.count("gpu"), 2 + 1 + 0 + 2)

    def test_the_loss_scale_is_divided_out(self):
        steps = self.random(2, torch.float32, (300,))
        self.check_same(steps, launches=2, scale=1024.0 / 3)
        steps = self.random(2, torch.float16, (300,))
        self.check_same(steps, launches=2, scale=1024.0, force=True)

    def test_steps_that_keep_elements(self):
        for dtype in (torch.float32, torch.bfloat16):
            steps = self.random(7, dtype, (3000,), (20, 20), (0,), (2048,))
            steps[1][1] = None
            options = {"every": 3, "first": 1, "last": 5, "force": True}
            for elements in ("full", "blocks:0.4", "around-spikes:2"):
                calls = self.check_same(steps, launches=7, elements=elements, **options)
                self.assertEqual(calls.count("host"), 0)
                self.assertEqual(calls.count("gpu"), 7 * 3 - 1)

    def test_elements_come_in_batches_of_any_size(self):
        steps = self.random(2, torch.float32, *((n,) for n in range(100, 3000, 170)))
        for most in (1, 5000, 1 << 20):
            with mock.patch.object(_host_copies, "_BATCH_BYTES", most):
                self.check_same(steps, elements="full", force=True)

    def test_each_gpu_and_the_cpu_have_their_share(self):
        places = {10: 0, 20: 1, 30: None, 40: 1}
        steps = self.random(3, torch.float32, (10,), (20,), (30,), (40,))
        calls = self.check_same(steps, lambda t: places[t.numel()], launches=6)
        self.assertEqual(calls.count("gpu"), 9)
        self.assertEqual(calls.count("host"), 3)

    def test_a_gradient_elsewhere_than_its_parameter_goes_over_the_host(self):
        def device_of(tensor):
            return None if tensor.abs().sum() > 0 else 0  # parameters here are zeros

        calls = self.check_same(self.random(2, torch.float32, (300,)), device_of, launches=0)
        self.assertEqual(calls.count("host"), 2)

    def test_a_whole_run_is_the_same(self):
        train(model(), 12, self.path("cpu.h5"))
        with self.pretend(lambda tensor: 0):
            train(model(), 12, self.path("gpu.h5"))
        wanted, got = self.read("cpu.h5")[0], self.read("gpu.h5")[0]
        for name in ("/norm/sumsq", "/norm/maxabs", "/step/loss", "/step/applied_scale"):
            numpy.testing.assert_array_equal(wanted[name], got[name])


class Kernels(Ways, Case):
    """By the kernels of a library whose device memory is host memory."""

    def setUp(self):
        super().setUp()
        if not emulated():
            self.skipTest("the library was not built with CUDA=emulate")

    def check_launches(self, calls, launches):
        self.assertEqual(calls.count("gtr_cuda_norms_start"), launches)
        self.assertEqual(calls.count("gtr_cuda_norms_wait"), launches)

    def test_a_gpu_that_the_library_cannot_use_is_left_to_torch(self):
        calls = self.check_same(self.random(2, torch.float32, (300,)), lambda t: 99, launches=0)
        self.assertEqual(calls.count("gpu"), 2)


class TorchOperations(Ways, Case):
    """By those, in whatever library."""

    @contextlib.contextmanager
    def pretend(self, device_of):
        with pretend(device_of), mock.patch.object(_library.load(), "gtr_device_count", lambda: 0):
            yield

    def check_launches(self, calls, launches):
        self.assertEqual(calls.count("gtr_cuda_norms_start"), 0)

    def test_a_gpu_without_memory_for_it_leaves_the_way_over_the_host(self):
        def full(self, gradients):
            raise RuntimeError("CUDA out of memory")

        with mock.patch.object(_torch_norms.TorchNorms, "_reduce", full):
            for elements in ("none", "full"):
                steps = self.random(2, torch.float32, (300,), (5,))
                calls = self.check_same(steps, elements=elements, force=True)
                self.assertEqual((calls.count("gpu"), calls.count("host")), (0, 4))
