"""check_cuda_recorder.py - a model on a GPU, recorded by the kernels, by torch's operations and
over the host: the same bits.

    GRADTRACE_LIBRARY=build/libgradtrace.so python3 tests/python/check_cuda_recorder.py

Needs torch with CUDA, a GPU, and a library built with CUDA; counts as skipped otherwise.  The last
line is "N passed, N failed[, N skipped]".
"""

import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "..", "lib", "python")]


def missing():
    """What is not there, or None."""
    try:
        import torch
    except ImportError as error:
        return str(error)
    if not torch.cuda.is_available():
        return "torch sees no GPU"
    from gradtrace import _library

    if _library.load().gtr_device_count() == 0:
        return "the library sees no GPU, or was built without CUDA"
    return None


def gradients(dtype, scale):
    """A small model of this type on the GPU, and its gradients at three steps."""
    import torch

    torch.manual_seed(0)
    net = torch.nn.Sequential(
        torch.nn.Linear(300, 501), torch.nn.Tanh(), torch.nn.Linear(501, 7)
    ).to("cuda", dtype)
    steps = []
    for step in range(3):
        net.zero_grad(set_to_none=True)
        x = torch.randn(64, 300, device="cuda", dtype=dtype) * (1 + step)
        (net(x).square().mean() * scale).backward()
        steps.append([p.grad.clone() for p in net.parameters()])
    steps[1][0][3, 5] = float("inf")  # as mixed precision has it
    steps[2][2] = None
    steps[0][0] = steps[0][0].t().contiguous().t()  # another order in memory
    return net, steps


def record(net, steps, path, scale, stream, elements):
    import gradtrace
    import torch

    with torch.cuda.stream(stream):
        with gradtrace.Recorder(net, path, elements=elements, strict=True) as recorder:
            for grads in steps:
                for parameter, grad in zip(net.parameters(), grads):
                    parameter.grad = grad
                recorder.step(1.0, grad_scale=scale)


def same(one, other, n_steps):
    """What differs in two traces beside the times of their steps, n_steps doubles in a row."""
    with open(one, "rb") as a, open(other, "rb") as b:
        a, b = a.read(), b.read()
    if len(a) != len(b):
        return [f"{len(a)} bytes, not {len(b)}"]
    places = [i for i, (x, y) in enumerate(zip(a, b)) if x != y]
    if places and places[-1] - places[0] >= 8 * n_steps:
        return [f"bytes {places[0]} to {places[-1]}"]
    return []


def check(dtype, scale, stream, elements):
    """Records both ways; returns what differs."""
    from unittest import mock

    from gradtrace import _gpu_gradients, _kernel_norms, _library, _torch_norms

    net, steps = gradients(dtype, scale)
    different = []

    def counted(real, started):
        def start(plan, mine):
            started.append(len(mine))
            return real(plan, mine)

        return start

    with tempfile.TemporaryDirectory() as folder:
        gpu, host = os.path.join(folder, "gpu.h5"), os.path.join(folder, "host.h5")
        with mock.patch.object(_gpu_gradients, "device_of", lambda tensor: None):
            record(net, steps, host, scale, stream, elements)
        for cls, n_devices in ((_kernel_norms.KernelNorms, 1), (_torch_norms.TorchNorms, 0)):
            started = []
            with mock.patch.object(cls, "start", counted(cls.start, started)):
                with mock.patch.object(_library.load(), "gtr_device_count", lambda: n_devices):
                    record(net, steps, gpu, scale, stream, elements)
            different += [f"{name} by {cls.__name__}" for name in same(gpu, host, len(steps))]
            if started != [4, 4, 3]:
                different.append(f"{cls.__name__} had {started} tensors, not [4, 4, 3]")
            os.unlink(gpu)
    return different


def main():
    absent = missing()
    if absent is not None:
        print(f"skipped: {absent}")
        print("0 passed, 0 failed, 30 skipped")
        return 0
    import torch

    os.environ["SOURCE_DATE_EPOCH"] = "0"  # no time of day in the files
    passed = failed = 0
    for stream in (torch.cuda.default_stream(), torch.cuda.Stream()):
        for kind, scale in (
            ("float32", 1.0),
            ("float64", 1.0),
            ("bfloat16", 1.0),
            ("float16", 1.0),
            ("float16", 1024.0),
        ):
            for elements in ("none", "full", "blocks:1/8"):
                different = check(getattr(torch, kind), scale, stream, elements)
                failed += bool(different)
                passed += not different
                if different:
                    print(f"FAILED {kind}, scale {scale:g}, {elements}: {', '.join(different)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
