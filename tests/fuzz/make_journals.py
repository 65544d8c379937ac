# make_journals.py - writes corpus/journal: journals as traces/FORMAT.md has them, and damaged ones.
#
#     python3 tests/fuzz/make_journals.py
#
# Written from the description and not from the code, so that the two are compared.
import pathlib
import struct
import zlib

FOLDER = pathlib.Path(__file__).parent / "corpus" / "journal"
P = 3


def text(value):
    return struct.pack("<I", 0xFFFFFFFF) if value is None else (
        struct.pack("<I", len(value)) + value.encode())


def record(kind, inside):
    start = kind + struct.pack("<I", len(inside)) + inside
    return start + struct.pack("<I", zlib.crc32(start))


def header(params=0, first=0, version=1, n_tensors=P):
    head = struct.pack("<IIQqqq", version, params, first, 0, 1, 1000)
    for value in ("gradtrace", None, "none", "pre-clip", "{}", None):
        head += text(value)
    head += struct.pack("<Q", n_tensors)
    for i in range(P):
        head += text(f"layers.{i}.weight") + text("4x4") + text("f32") + text(None)
        head += struct.pack("<Q", 16)
    return record(b"JTrh", head)


def row_bytes(number, params=0, sums=range(P)):
    """What a checksum is of: the step, then its values."""
    step = struct.pack("<qddddB", number + 7, 0.5, 1e-3, 1.5 * number, float("nan"), 0)
    values = struct.pack(f"<{P}d{P}f{P}Q", *sums, *range(P), *range(P))
    return step + values + (struct.pack(f"<{P}d", *range(P)) if params else b"")


def row(number, params=0, **more):
    return record(b"JTrw", struct.pack("<Q", number) + row_bytes(number, params, **more))


def amend(number):
    return record(b"JTam", struct.pack("<QdB", number, 0.25, 1))


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 4]) + data[at + 1:]


whole = header() + row(0) + amend(0) + row(1) + row(2) + amend(2)
start = len(header())
FILES = {
    "whole": whole,
    "header_only": header(),
    "params": header(1, 5) + row(5, 1) + row(6, 1),
    "torn": whole[:-5],
    "torn_early": whole[: start + 3],
    "empty": b"",
    "no_header": row(0) + row(1),
    "future": header(version=2) + row(0),
    "many_tensors": header(n_tensors=1 << 60) + row(0),
    "flipped_row": flip(whole, start + 70),
    "flipped_length": flip(whole, start + 5),
    "flipped_kind": flip(whole, start + 1),
    "flipped_header": flip(whole, 30),
    "repeated_row": header() + row(0) + row(0),
    "gap": header() + row(0) + row(2),
    "amend_first": header() + amend(0) + row(0),
    "zeros": header() + row(0) + bytes(200),
}

if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, data in FILES.items():
        (FOLDER / name).write_bytes(data)
