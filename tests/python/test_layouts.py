"""test_layouts.py - however others lay a trace out in HDF5, its numbers are those h5py reads."""

import csv
import itertools
import subprocess

import h5py
import numpy
from harness import Case
from recording import PROGRAM

T, P = 37, 3


class Layouts(Case):
    def put(self, name, values, **options):
        """Puts a dataset in the place of one; `values` may be a shape, then nothing is written."""
        with h5py.File(self.path(), "a") as file:
            if name in file:
                del file[name]
            key = "shape" if isinstance(values, tuple) else "data"
            file.create_dataset(name, **{key: values}, **options)

    def setUp(self):
        super().setUp()
        with h5py.File(self.path(), "w") as file:
            file.attrs["format"] = numpy.bytes_("gradtrace")
            file.attrs["format_version"] = numpy.int64(1)
        self.put("/param/name", numpy.array([b"first", b"second", b"third"]))
        self.put("/param/shape", numpy.array([b"4"] * P))
        self.put("/param/numel", numpy.full(P, 4, "<u8"))
        self.put("/param/dtype", numpy.array([b"f32"] * P))
        self.put("/step/index", numpy.arange(T, dtype="<i8") * 3)
        self.sumsq = numpy.random.default_rng(1).random((T, P)) ** 2
        self.put("/norm/sumsq", self.sumsq)

    def export(self, status=0):
        """[(step, name, sumsq)], or what is said."""
        done = subprocess.run(
            [PROGRAM, "export", self.path(), "--what", "sumsq", "-o", "-"],
            capture_output=True, text=True,
        )
        self.assertEqual(done.returncode, status, done.stderr)
        if status != 0:
            return done.stderr
        rows = list(csv.reader(done.stdout.splitlines()))[1:]
        return [(int(step), name, float(value)) for step, name, value in rows]

    def check(self, about):
        with h5py.File(self.path(), "r") as file:
            names = [name.decode().rstrip(" ") for name in file["/param/name"]]
            wanted = [
                (int(step), name, value)
                for step, row in zip(file["/step/index"], file["/norm/sumsq"])
                for name, value in zip(names, row)
            ]
        self.assertEqual(self.export(), wanted, about)

    def test_filters_in_every_combination(self):
        for rows, cols in [(5, 2), (64, 3), (1, 1)]:
            for shuffle, compression, fletcher32 in itertools.product(
                (False, True), (None, 1), (False, True)
            ):
                filters = {
                    "shuffle": shuffle, "compression": compression, "fletcher32": fletcher32
                }
                table = {"chunks": (rows, cols), "maxshape": (None, None), **filters}
                self.put("/norm/sumsq", self.sumsq, **table)
                vector = {"chunks": (rows,), "maxshape": (None,), **filters}
                self.put("/step/index", numpy.arange(T, dtype="<i8") * 3, **vector)
                self.put("/param/name", numpy.array([b"first", b"second", b"third"]), **vector)
                self.check(filters)

    def test_a_filter_that_is_not_there_is_named(self):
        self.put("/norm/sumsq", self.sumsq, chunks=(4, 2), compression="lzf")
        told = self.export(status=1)
        self.assertIn("/norm/sumsq: needs the filter 32000 (lzf), which this HDF5 has not", told)

    def test_what_was_never_written_is_the_fill_value(self):
        for fill in (None, 0.0, 2.5):
            self.put("/norm/sumsq", (T, P), dtype="<f8", chunks=(4, 2), fillvalue=fill)
            self.check(f"nothing written over {fill}")
            with h5py.File(self.path(), "a") as file:
                file["/norm/sumsq"][9:15, 1] = 7.0
            self.check(f"a part written over {fill}")

    def test_strings_end_where_their_padding_says(self):
        names = [b"first", b"se ond", b"third  "]
        for padding in (h5py.h5t.STR_NULLTERM, h5py.h5t.STR_NULLPAD, h5py.h5t.STR_SPACEPAD):
            kind = h5py.h5t.C_S1.copy()
            kind.set_size(9)
            kind.set_strpad(padding)
            with h5py.File(self.path(), "a") as file:
                del file["/param/name"]
                space = h5py.h5s.create_simple((P,))
                dataset = h5py.h5d.create(file.id, b"/param/name", kind, space)
                blank = b" " if padding == h5py.h5t.STR_SPACEPAD else b"\0"
                padded = numpy.array([name.ljust(9, blank) for name in names], dtype="S9")
                dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, padded, kind)
            kept = {name for _, name, _ in self.export()}
            third = "third" if padding == h5py.h5t.STR_SPACEPAD else "third  "
            self.assertEqual(kept, {"first", "se ond", third})

    def test_a_changed_byte_under_a_checksum_is_damage(self):
        options = {"chunks": (T, P), "fletcher32": True}
        self.put("/norm/sumsq", self.sumsq, **options)
        with h5py.File(self.path(), "r") as file:
            at = file["/norm/sumsq"].id.get_chunk_info(0).byte_offset
        with open(self.path(), "r+b") as file:
            file.seek(at + 11)
            byte = file.read(1)
            file.seek(at + 11)
            file.write(bytes([byte[0] ^ 4]))
        self.assertIn("/norm/sumsq: rows from 0 on are damaged", self.export(status=1))
