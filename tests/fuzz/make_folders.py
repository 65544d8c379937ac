"""make_folders.py - writes corpus/folder: folders of segments, whole and damaged.

    /usr/bin/python3 tests/fuzz/make_folders.py

As traces/FORMAT.md has them, packed as fuzz_folder.c says.  Segments are written with h5py, in as
few bytes as it can.  They hold the time, so run this only to add to the corpus.
"""

import io
import pathlib
import struct
import zlib

import h5py
import numpy as np
from make_journals import FOLDER, P, amend, flip, header, record, row, row_bytes

CORPUS = FOLDER.parent / "folder"
JOURNAL = "rank0.journal"


def segment(first, n, rank=0, named=None, crc_of=row_bytes, captures=False, change=None):
    """Rows first .. first + n - 1."""
    rows = range(first, first + n)
    memory = io.BytesIO()
    with h5py.File(memory, "w", libver="latest") as f:
        f.attrs["format"] = np.bytes_("gradtrace")
        f.attrs["format_version"] = np.int64(1)
        f.attrs["rank"] = np.int64(rank)
        f.attrs["total_steps"] = np.int64(1000)
        f.attrs["first_row"] = np.int64(first)
        f["/param/name"] = np.array([f"layers.{i}.weight".encode() for i in range(P)])
        f["/param/shape"] = np.array([b"4x4"] * P)
        f["/param/numel"] = np.array([16] * P, dtype="<u8")
        f["/param/dtype"] = np.array([b"f32"] * P)
        f["/step/index"] = np.array([t + 7 for t in rows], dtype="<i8")
        f["/step/loss"] = np.full(n, 0.5)
        f["/step/lr"] = np.full(n, 1e-3)
        f["/step/time"] = np.array([1.5 * t for t in rows])
        f["/step/crc"] = np.array([zlib.crc32(crc_of(t)) for t in rows], dtype="<u4")
        sums = np.tile(np.arange(P, dtype="<f8"), (n, 1))
        f["/norm/sumsq"] = sums
        f["/norm/maxabs"] = sums.astype("<f4")
        f["/norm/nonfinite"] = sums.astype("<u8")
        if captures:
            f["/grad/step"] = np.array([n - 1], dtype="<i8")
            f["/grad/crc"] = np.full((1, P), zlib.crc32(bytes(64)), dtype="<u4")
            for i in range(P):
                f[f"/grad/{i}"] = np.zeros((1, 16), dtype="<f4")
                f[f"/grad/{i}"].attrs["sampling"] = np.bytes_("full")
        if change is not None:
            change(f)
    return named or f"rank{rank}.{first:012}.h5", memory.getvalue()


def pack(*files, mend=0):
    """`mend`: the target may compute the journals' checksums anew."""
    return b"".join(
        bytes([mend, len(name)]) + name.encode() + struct.pack("<I", len(data)) + data
        for name, data in files
    )


def journal(first, n, name=JOURNAL, **more):
    rows = b"".join(row(t, **more) for t in range(first, first + n))
    return name, header(first=first) + rows


def dropped(f):
    f.attrs["dropped_captures"] = np.int64(-1)


last = (1 << 63) - 9  # row and step numbers are i64
FILES = {
    "whole": pack(segment(0, 2), journal(2, 2)),
    "elements": pack(segment(0, 2, captures=True), segment(2, 1, captures=True)),
    "both": pack(segment(0, 2), journal(0, 3)),
    "gap": pack(segment(0, 2), segment(4, 1), journal(9, 1)),
    "overlap": pack(segment(0, 3), segment(2, 2)),
    "twice": pack(segment(0, 2), segment(0, 2, named="rank0.0.h5"), journal(0, 2)),
    "misnamed": pack(segment(0, 2, named="rank0.000000000005.h5")),
    "left": pack(segment(0, 2), segment(2, 2, named="rank0.000000000002.h5.tmp"), journal(2, 1)),
    "ranks": pack(segment(0, 2), segment(0, 2, rank=1), journal(2, 1)),
    "of_another_rank": pack(segment(0, 2, rank=3, named="rank0.000000000000.h5")),
    "altered": pack(segment(0, 2, crc_of=lambda t: row_bytes(t + 1)), journal(1, 2)),
    "torn": pack(segment(0, 1), (JOURNAL, header(first=1) + row(1)[:-9])),
    "flipped": pack((JOURNAL, header() + flip(row(0), 60) + row(1) + amend(1))),
    "mended": pack((JOURNAL, header() + row(0) + amend(0) + row(1)), mend=1),
    "params": pack(segment(0, 1), (JOURNAL, header(params=1, first=1) + row(1, params=1))),
    "negative": pack((JOURNAL, header() + row(0, sums=(-1.0, 0.0, float("nan"))))),
    "far": pack((JOURNAL, header(first=last) + row(last))),
    "dropped": pack(segment(0, 1, change=dropped)),
    "no_crc": pack(segment(0, 1, change=lambda f: f.__delitem__("/step/crc"))),
    "no_rows": pack(segment(0, 0), journal(0, 0)),
    "garbage": pack(("rank0.0.h5", b"\x89HDF\r\n\x1a\n" + bytes(40)), (JOURNAL, b"JTrh")),
    "empty": b"",
    "names": pack(
        *((name, b"x") for name in (
            "rank99999999999999999999.journal", "rank-1.journal", "rank0.", "rank.0.h5",
            "rank9223372036854775806.9223372036854775806.h5", "rank00.journal", "rank0.lock",
            "rank0.journal.tmp",
        ))
    ),
    "bare_header": pack((JOURNAL, record(b"JTrh", b""))),
}

CORPUS.mkdir(parents=True, exist_ok=True)
for file, data in FILES.items():
    (CORPUS / file).write_bytes(data)
