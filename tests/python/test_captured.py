"""test_captured.py - rectangles of elements as the library reads them, against h5py's slices."""

import ctypes
import random
from ctypes import POINTER, byref, c_char_p, c_size_t, c_uint64, c_void_p

import h5py
import numpy
from gradtrace import _library
from harness import Case

CAPTURES, NUMEL = 13, 4099

# How /grad/0 lies in the file.  Chunks that are wider or taller than the table, filters of ours
# and filters that only HDF5 undoes, chunks never written.
LAYOUTS = {
    "contiguous": {},
    "chunked": {"chunks": (3, 1000)},
    "large chunks": {"chunks": (CAPTURES, 4099), "maxshape": (None, None)},
    "one element": {"chunks": (1, 1)},
    "deflate": {"chunks": (5, 700), "compression": "gzip", "shuffle": True},
    "only shuffle": {"chunks": (4, 4096), "shuffle": True},
    "fletcher32": {"chunks": (2, 512), "fletcher32": True},
    "all": {"chunks": (3, 333), "compression": "gzip", "shuffle": True, "fletcher32": True},
}


class Captured(Case):
    def setUp(self):
        super().setUp()
        self.library = ctypes.CDLL(_library.find())
        self.library.gtr_trace_open.argtypes = [c_char_p, POINTER(c_void_p), c_void_p]
        self.library.gtr_trace_close.argtypes = [c_void_p]
        self.library.gtr_trace_read_captured.argtypes = [
            c_void_p, c_size_t, c_size_t, c_size_t, c_uint64, c_uint64, c_void_p, c_size_t, c_void_p
        ]  # fmt: skip

    def write(self, elements, written=None, **layout):
        """The least that a trace must have, and elements that h5py wrote."""
        with h5py.File(self.path(), "w") as file:
            file.attrs["format"] = "gradtrace"
            file.attrs["format_version"] = 1
            for name, value in (("name", b"w"), ("shape", b"4099"), ("dtype", b"f32")):
                file[f"param/{name}"] = numpy.array([value])
            file["param/numel"] = numpy.array([NUMEL], "u8")
            file["step/index"] = numpy.arange(CAPTURES, dtype="i8")
            file["norm/sumsq"] = numpy.ones((CAPTURES, 1))
            file["grad/step"] = numpy.arange(CAPTURES, dtype="i8")
            dataset = file.create_dataset("grad/0", elements.shape, "f4", **layout)
            part = slice(None) if written is None else written
            dataset[:, part] = elements[:, part]

    def check(self, wanted):
        trace = c_void_p()
        self.assertEqual(self.library.gtr_trace_open(self.path().encode(), byref(trace), None), 0)
        draw = random.Random(5)
        for _ in range(60):
            top, left = draw.randrange(CAPTURES), draw.randrange(NUMEL)
            rows, cols = draw.randint(1, CAPTURES - top), draw.randint(1, NUMEL - left)
            gap = draw.choice([0, 0, 1, 7])
            out = numpy.full((rows, cols + gap), 7.5, "f4")
            code = self.library.gtr_trace_read_captured(
                trace, 0, top, rows, left, cols, out.ctypes.data, out.strides[0], None
            )
            self.assertEqual(code, 0)
            part = wanted[top : top + rows, left : left + cols]
            numpy.testing.assert_array_equal(out[:, :cols].view("u4"), part.view("u4"))
            self.assertTrue((out[:, cols:] == 7.5).all())
        self.library.gtr_trace_close(trace)

    def test_every_layout_reads_as_h5py_does(self):
        elements = numpy.random.default_rng(1).standard_normal((CAPTURES, NUMEL)).astype("f4")
        for name, layout in LAYOUTS.items():
            with self.subTest(name):
                self.write(elements, **layout)
                with h5py.File(self.path(), "r") as file:
                    wanted = file["grad/0"][()]
                numpy.testing.assert_array_equal(wanted, elements)
                self.check(wanted)

    def test_chunks_never_written_are_zeros(self):
        elements = numpy.random.default_rng(2).standard_normal((CAPTURES, NUMEL)).astype("f4")
        for written in (slice(1000, 2000), slice(0, 0)):
            self.write(elements, written, chunks=(4, 500), compression="gzip")
            wanted = numpy.zeros_like(elements)
            wanted[:, written] = elements[:, written]
            self.check(wanted)
