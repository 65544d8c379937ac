"""test_wrong_kinds.py - each dataset and attribute of a trace as everything that HDF5 has besides.

A dataset of another type, rank or size, an object that is none, a link that leads elsewhere: it is
named and refused.  An attribute of another kind is read or refused, and nothing crashes.
"""

import subprocess

import h5py
import numpy
from harness import Case
from recording import PROGRAM

T, P = 6, 2
SHAPES = {
    "/param/name": (P,), "/param/shape": (P,), "/param/numel": (P,), "/param/dtype": (P,),
    "/param/group": (P,), "/step/index": (T,), "/step/loss": (T,), "/step/skipped": (T,),
    "/norm/sumsq": (T, P), "/norm/nonfinite": (T, P), "/norm/maxabs": (T, P),
    "/grad/step": (2,), "/grad/0": (2, 4),
}
TYPES = {
    "a compound": numpy.dtype([("a", "<f8"), ("b", "<i4")]),
    "arrays": numpy.dtype(("<f8", (3,))),
    "bytes without a meaning": numpy.dtype("V8"),
    "an enumeration": h5py.enum_dtype({"A": 0, "B": 1}),
    "lists": h5py.vlen_dtype("f8"),
    "strings of any length": h5py.string_dtype(),
    "references": h5py.ref_dtype,
    "regions": h5py.regionref_dtype,
    "truth values": numpy.dtype(bool),
    "complex numbers": numpy.dtype("c16"),
    "small integers": numpy.dtype("i1"),
    "big-endian halves": numpy.dtype(">f2"),
}
LINKS = {
    "a soft link to itself": lambda file, name: h5py.SoftLink(name),
    "an external link": lambda file, name: h5py.ExternalLink("other.h5", "/x"),
    "a link to the root": lambda file, name: file["/"],
    "a type": lambda file, name: numpy.dtype("f8"),
    "nothing at all": lambda file, name: h5py.Empty("f8"),
    "one number": lambda file, name: numpy.float64(1),
}
ATTRIBUTES = (
    "format", "format_version", "producer", "created", "rank", "world_size", "total_steps",
    "reduction", "grad_state", "meta", "group_by", "stopped", "dropped_captures", "first_row",
)
ELEMENTS = ("sampling", "dtype", "block", "fraction", "seed")
VALUES = {
    "an integer": numpy.int64(7), "a float": 1.5, "a text": "text", "numbers": numpy.arange(3),
    "nothing": h5py.Empty("S1"), "a zero inside": numpy.bytes_(b"a\0b"),
    "an empty text": numpy.bytes_(b""), "the least": numpy.int64(-(2**63)),
    "the largest": numpy.uint64(2**64 - 1), "a half": numpy.float16(3), "a truth": True,
    "one in brackets": numpy.array([5]),
}


class WrongKinds(Case):
    def trace(self):
        """A new one, open for writing."""
        file = h5py.File(self.path(), "w")
        file.attrs["format"] = numpy.bytes_("gradtrace")
        file.attrs["format_version"] = numpy.int64(1)
        texts = {"name": [b"first", b"second"], "shape": [b"4"] * P, "dtype": [b"f32"] * P}
        for name, value in {**texts, "group": [b"g"] * P}.items():
            file["/param/" + name] = numpy.array(value)
        file["/param/numel"] = numpy.full(P, 4, "<u8")
        file["/step/index"] = numpy.arange(T, dtype="<i8")
        file["/step/loss"] = numpy.ones(T)
        file["/step/skipped"] = numpy.zeros(T, "u1")
        file["/norm/sumsq"] = numpy.ones((T, P))
        file["/norm/maxabs"] = numpy.ones((T, P), "<f4")
        file["/norm/nonfinite"] = numpy.zeros((T, P), "<u8")
        file["/grad/step"] = numpy.array([1, 3], "<i8")
        file["/grad/0"] = numpy.ones((2, 4), "<f4")
        file["/grad/0"].attrs["sampling"] = numpy.bytes_("full")
        return file

    def verify(self):
        """(exit status, what was said)"""
        done = subprocess.run([PROGRAM, "verify", self.path()], capture_output=True, text=True)
        self.assertIn(done.returncode, (0, 1), done.stderr)
        self.assertIn("run.h5: ", done.stdout + done.stderr)
        return done.returncode, done.stdout + done.stderr

    def check_refused(self, name, about):
        status, told = self.verify()
        self.assertEqual(status, 1, f"{name} is {about}")
        self.assertIn(f"run.h5: DAMAGED: {name}: ", told, about)

    def test_the_trace_itself_is_whole(self):
        self.trace().close()
        self.assertEqual(self.verify()[0], 0)

    def test_datasets_of_other_types_are_named(self):
        for name, shape in SHAPES.items():
            for about, kind in TYPES.items():
                with self.trace() as file:
                    del file[name]
                    file.create_dataset(name, shape, kind)
                self.check_refused(name, about)

    def test_datasets_of_other_shapes_are_named(self):
        for name, shape in SHAPES.items():
            for other in (shape + (2,), (shape[0] + 1,) + shape[1:], (0,) + shape[1:]):
                with self.trace() as file:
                    kind = file[name].dtype
                    del file[name]
                    file.create_dataset(name, other, kind)
                status, told = self.verify()
                self.assertEqual(status, 1, f"{name} has the shape {other}")
                self.assertIn("run.h5: DAMAGED: /", told)

    def test_what_is_no_dataset_is_named(self):
        for name in SHAPES:
            for about, make in LINKS.items():
                with self.trace() as file:
                    del file[name]
                    file[name] = make(file, name)
                self.check_refused(name, about)

    def test_groups_that_lead_elsewhere_are_not_followed(self):
        for group in ("param", "step", "norm"):
            with self.trace() as file:
                file.move(group, "elsewhere")
                file[group] = h5py.SoftLink("/elsewhere")
            told = self.verify()[1]
            self.assertIn("is a link to another place, which is not followed", told, group)

    def test_attributes_of_any_kind_break_nothing(self):
        for about, value in VALUES.items():
            for name in ATTRIBUTES:
                with self.trace() as file:
                    file.attrs[name] = value
                self.verify()
            for name in ELEMENTS:
                for sampling in ("full", "blocks"):
                    with self.trace() as file:
                        attributes = file["/grad/0"].attrs
                        attributes["sampling"] = numpy.bytes_(sampling)
                        attributes["block"] = numpy.int64(1)
                        attributes["fraction"] = 1.0
                        attributes["seed"] = numpy.int64(1)
                        attributes[name] = value
                    self.verify()
