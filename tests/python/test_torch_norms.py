"""test_torch_norms.py - sums made by torch's operations are the library's, bit for bit.

The operations are the same on a CPU and on a GPU, of which none is needed here;
check_cuda_recorder.py runs them on one.
"""

import ctypes
import unittest
from unittest import mock

import torch
from gradtrace import _library, _torch_norms

KINDS = {torch.float32: "f32", torch.float16: "f16", torch.bfloat16: "bf16", torch.float64: "f64"}


def by_library(grad):
    reduce = _library.load().gtr_reduce
    reduce.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_size_t]
    reduce.argtypes += [ctypes.POINTER(_library.Reduction)]
    reduce.restype = None
    out = _library.Reduction()
    kind = _library.DTYPES[KINDS[grad.dtype]]
    reduce(kind, grad.data_ptr(), grad.numel(), 1, ctypes.byref(out))
    return out.sumsq, out.maxabs, out.nonfinite


def by_torch(grads):
    norms = _torch_norms.TorchNorms("cpu", range(len(grads)), [g.numel() for g in grads])
    norms.start(dict(enumerate(grads)))
    return found_by(norms)


def found_by(norms):
    return {i: (s.sumsq, s.maxabs, s.nonfinite) for i, s in zip(*norms.wait())}


class TorchNorms(unittest.TestCase):
    def check(self, grads):
        found = by_torch(grads)
        self.assertEqual(sorted(found), list(range(len(grads))))
        for i, grad in enumerate(grads):
            self.assertEqual(found[i], by_library(grad), f"tensor {i}, {tuple(grad.shape)}")

    def test_sizes_around_every_edge(self):
        torch.manual_seed(1)
        sizes = [1, 2, 127, 128, 129, 1023, 1024, 1025, 2047, 2048, 2049, 3072, 5000, 8192, 70001]
        for dtype in KINDS:
            self.check([torch.randn(n).to(dtype) * 3 for n in sizes])

    def test_many_orders_of_magnitude(self):
        torch.manual_seed(2)
        self.check([torch.randn(4000) * 10.0 ** torch.randint(-30, 15, (4000,)) for _ in range(9)])

    def test_values_that_are_not_finite_count_and_are_left_out(self):
        torch.manual_seed(3)
        grad = torch.randn(5000)
        grad[torch.randint(0, 5000, (40,))] = float("nan")
        grad[torch.randint(0, 5000, (40,))] = float("-inf")
        grad[7] = -1e38
        infinite = torch.full((1030,), float("inf"))
        self.check([grad, infinite, torch.zeros(3), grad.to(torch.float16)])

    def test_doubles_beyond_what_a_float_holds(self):
        self.check([torch.tensor([1e300, 2.0], dtype=torch.float64), torch.tensor([1 + 2.0**-40])])

    def test_any_cut_into_batches_gives_the_same(self):
        torch.manual_seed(4)
        grads = [torch.randn(n) for n in (9000, 1, 40000, 1024, 3000, 12345)]
        for blocks in (1, 2, 7, 64):
            with mock.patch.object(_torch_norms, "_BATCH_BLOCKS", blocks):
                self.check(grads)

    def test_a_tensor_without_a_gradient_is_left_out(self):
        torch.manual_seed(5)
        grads = [torch.randn(n) for n in (3000, 500, 2000)]
        norms = _torch_norms.TorchNorms("cpu", [4, 9, 2], [3000, 500, 2000])
        norms.start({4: grads[0], 2: grads[2]})
        self.assertEqual(
            found_by(norms), {4: by_library(grads[0]), 2: by_library(grads[2])}
        )
        self.assertEqual(norms.wait(), ([], None))

    def test_gradients_are_only_read(self):
        grad = torch.tensor([1.0, float("nan"), -3.0])
        before = grad.clone()
        by_torch([grad])
        self.assertTrue(torch.equal(grad.nan_to_num(7.0), before.nan_to_num(7.0)))


if __name__ == "__main__":
    unittest.main()
