"""make_corpus.py - the stored inputs of fuzz_trace: tiny traces, whole and damaged.

    /usr/bin/python3 tests/fuzz/make_corpus.py

Written with h5py, so that layouts which gradtrace itself never writes are there too: compact,
contiguous, chunked with each filter, and files that lie about their sizes.  Each file has less
than 10 kB.  Run it again only to add to the corpus; what libFuzzer found is kept beside these.
"""

import os

import h5py
import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus", "trace")
NAMES = [b"layers.0.q_proj.weight", b"layers.0.k_proj.weight", b"norm"]
STEPS = 5
P = len(NAMES)


def trace(name, change=None, meta="{}", libver="earliest", **norm_options):
    """Writes one trace; `change(file)` may then break it."""
    path = os.path.join(FOLDER, name)
    with h5py.File(path, "w", libver=libver) as f:
        f.attrs["format"] = np.bytes_("gradtrace")
        f.attrs["format_version"] = np.int64(1)
        f.attrs["meta"] = np.bytes_(meta)
        f.attrs["total_steps"] = np.int64(STEPS)
        f["/param/name"] = np.array(NAMES)
        f["/param/shape"] = np.array([b"8x8", b"8x8", b""])
        f["/param/numel"] = np.array([64, 64, 1], dtype="<u8")
        f["/param/dtype"] = np.array([b"f32", b"bf16", b"f64"])
        f["/step/index"] = np.arange(STEPS, dtype="<i8")
        f["/step/loss"] = np.linspace(2, 1, STEPS)
        f["/step/skipped"] = np.zeros(STEPS, dtype="u1")
        sumsq = np.arange(1, STEPS * P + 1, dtype="<f8").reshape(STEPS, P)
        f.create_dataset("/norm/sumsq", data=sumsq, **norm_options)
        f["/norm/maxabs"] = np.sqrt(sumsq).astype("<f4")
        f["/norm/nonfinite"] = np.zeros((STEPS, P), dtype="<u8")
        if change is not None:
            change(f)
    with open(path, "rb") as f:
        return f.read()


def damaged(name, whole, at, new):
    changed = bytearray(whole)
    changed[at : at + len(new)] = new
    with open(os.path.join(FOLDER, name), "wb") as f:
        f.write(changed)


def replace(path, **options):
    """A change that puts another dataset in the place of one."""

    def change(f):
        del f[path]
        f.create_dataset(path, **options)

    return change


def add_elements(f):
    f["/grad/step"] = np.array([1, 3], dtype="<i8")
    f["/grad/0"] = np.ones((2, 64), dtype="<f4")
    f["/grad/1"] = np.ones((2, 64), dtype="<u2")
    f["/grad/2"] = np.ones((2, 1), dtype="<f8")
    for i in range(P):
        f[f"/grad/{i}"].attrs["sampling"] = np.bytes_("full")


def add_sample(f, numel=64, width=32, block=8, fraction=0.5):
    """Half of the blocks of two tensors, deflated in chunks of part of a row."""
    f["/param/numel"][0] = numel
    f["/grad/step"] = np.array([0, 2, 4], dtype="<i8")
    data = (np.arange(3 * width) % 7).reshape(3, width)
    options = {"chunks": (2, 20), "compression": 1, "shuffle": True}
    f.create_dataset("/grad/0", data=data.astype("<f4"), **options)
    f.create_dataset("/grad/1", data=data[:, :32].astype("<u2"), **options)
    for i, (size, share) in enumerate(((block, fraction), (8, 0.5))):
        attributes = f[f"/grad/{i}"].attrs
        attributes["sampling"] = np.bytes_("blocks")
        attributes["block"] = np.int64(size)
        attributes["fraction"] = np.float64(share)
        attributes["seed"] = np.int64(-1)


def group_in_place(f):
    del f["/norm/sumsq"]
    f.create_group("/norm/sumsq")


def main():
    os.makedirs(FOLDER, exist_ok=True)
    whole = trace("contiguous.h5")
    # The newer format has checksums in its metadata, and is smaller.
    new = {"libver": "latest"}
    trace("chunked.h5", chunks=(2, P), maxshape=(None, P), **new)
    trace("filtered.h5", chunks=(2, P), maxshape=(None, P), compression=1, shuffle=True, **new)
    trace("fletcher.h5", chunks=(2, 2), fletcher32=True, compression=6, **new)
    trace("elements.h5", change=add_elements, **new)
    trace("blocks.h5", change=add_sample, **new)
    # More blocks than anybody could look at.
    many = {"numel": 1 << 60, "block": 1, "fraction": 32.0 / (1 << 60)}
    trace("many_blocks.h5", change=lambda f: add_sample(f, **many), **new)
    # Sizes that no file of this length can hold.
    wide = {"shape": (STEPS, 1 << 40), "chunks": (1, 1 << 20), "dtype": "<f8"}
    trace("wide.h5", change=replace("/norm/sumsq", **wide))
    tall = {"shape": (1 << 50, P), "chunks": (1 << 20, P), "dtype": "<f8"}
    trace("tall.h5", change=replace("/norm/sumsq", **tall))
    long_index = {"shape": (1 << 40,), "chunks": (1 << 10,), "dtype": "<i8"}
    trace("long_index.h5", change=replace("/step/index", **long_index))
    long_names = {"shape": (P,), "dtype": "S1000000000", "chunks": (1,)}
    trace("long_names.h5", change=replace("/param/name", **long_names))
    # Right names, wrong kinds.
    trace("scalar.h5", change=replace("/norm/sumsq", data=1.0))
    trace("vector.h5", change=replace("/norm/sumsq", data=np.ones(STEPS)))
    trace("integers.h5", change=replace("/norm/sumsq", data=np.ones((STEPS, P), dtype="<i4")))
    trace("big_endian.h5", change=replace("/norm/sumsq", data=np.ones((STEPS, P), dtype=">f8")))
    trace("negative.h5", change=replace("/norm/sumsq", data=-np.ones((STEPS, P))))
    trace("backward.h5", change=replace("/step/index", data=np.arange(STEPS, 0, -1)))
    trace("empty.h5", change=replace("/step/index", data=np.zeros(0, dtype="<i8")))
    trace("no_sumsq.h5", change=lambda f: f.__delitem__("/norm/sumsq"))
    trace("group_in_place.h5", change=group_in_place)
    trace("meta.h5", meta='{"open": [1, ')
    with h5py.File(os.path.join(FOLDER, "other_program.h5"), "w") as f:
        f["weights"] = np.ones(3)
    for part in (1, 2, 4, 8):
        damaged(f"cut_{part}.h5", whole[: len(whole) * part // 9], 0, b"")
    # Object headers, heaps and B-trees start with these; the bytes after them are lengths.
    for mark in (b"SNOD", b"HEAP", b"TREE", b"\x89HDF"):
        at = whole.index(mark)
        letters = "".join(chr(c) for c in mark if c < 128)
        damaged(f"after_{letters}.h5", whole, at + 8, b"\xff" * 8)


main()
