"""test_compressed.py - elements as gradtrace deflates them, read by h5py's filters and by zlib."""

import os
import zlib

import gradtrace
import h5py
import numpy
import torch
from harness import Case

DTYPES = (torch.float32, torch.bfloat16, torch.float16, torch.float64)
BITS = {2: torch.int16, 4: torch.int32, 8: torch.int64}
STEPS = 3


def kinds(dtype):
    """Tensors whose planes are noise, zeros, runs, repetitions or all of these; odd sizes."""
    generator = torch.Generator().manual_seed(4)
    noise = torch.randn(300001, generator=generator) * 1e-3
    rows = torch.randn(700, 300, generator=generator)
    rows[torch.rand(700, generator=generator) < 0.8] = 0.0
    outer = torch.outer(2.0 ** -torch.arange(600.0).remainder(9), noise[:512])
    odd = noise[:70001].clone()
    odd[::1000], odd[1::1000], odd[2::1000] = float("nan"), float("inf"), -0.0
    tensors = (noise, rows, outer, odd, torch.zeros(200000), noise[:1], noise[:77])
    return [tensor.to(dtype) for tensor in tensors]


def bits(tensor):
    return tensor.detach().flatten().view(BITS[tensor.element_size()]).numpy()


class Compressed(Case):
    def record(self, dtype):
        """Records gradients that halve from step to step; returns those of each step."""
        named = [(f"t{i}", torch.nn.Parameter(g)) for i, g in enumerate(kinds(dtype))]
        given = []
        with gradtrace.Recorder(named, self.path(), elements="full", strict=True) as recorder:
            for step in range(STEPS):
                for _, p in named:
                    p.grad = p.detach() * 0.5**step
                given.append([p.grad.clone() for _, p in named])
                recorder.step()
        return given

    def test_h5py_reads_the_same_bits(self):
        for dtype in DTYPES:
            with self.subTest(str(dtype)):
                given = self.record(dtype)
                with h5py.File(self.path(), "r") as file:
                    for i in range(len(given[0])):
                        dataset = file[f"grad/{i}"]
                        self.assertEqual((dataset.shuffle, dataset.compression), (True, "gzip"))
                        for step in range(STEPS):
                            wanted = bits(given[step][i])
                            got = dataset[step].view(wanted.dtype)
                            numpy.testing.assert_array_equal(got, wanted)
            os.remove(self.path())

    def test_a_chunk_is_one_zlib_stream(self):
        given = self.record(torch.float32)
        with h5py.File(self.path(), "r") as file:
            dataset = file["grad/0"]
            rows, cols = dataset.chunks
            mask, stream = dataset.id.read_direct_chunk((0, 0))
        self.assertEqual((mask, rows), (0, 1))
        inflate = zlib.decompressobj()
        planes = inflate.decompress(stream)
        self.assertTrue(inflate.eof)
        self.assertEqual(inflate.unused_data, b"")
        plain = numpy.frombuffer(planes, "u1").reshape(4, cols).T.copy().view("i4").ravel()
        numpy.testing.assert_array_equal(plain, bits(given[0][0])[:cols])
        self.assertLess(len(stream), 0.9 * len(planes))
