# traces_out_of_proportion.sh - small files whose reading would take much memory or time.
#
# Deflate shrinks a thousandfold, so a chunk of 256 MiB fits a quarter of a megabyte, around sixty
# numbers, or behind the size that a chunk should have.  Those are refused, in 400 MB of address
# space; rows that are really there are read, however well they shrink.
. "$TESTS/cli/try.bash"
. "$TESTS/cli/strange.bash"

"$python" - <<'END'
import zlib
import h5py
import numpy as np

def trace(name, change, rows=64, tensors=64):
    """A trace of `rows` steps, whose norms are 1; `change(file)` makes it out of proportion."""
    with h5py.File(name, "w") as f:
        f.attrs["format"] = np.bytes_("gradtrace")
        f.attrs["format_version"] = np.int64(1)
        f["/param/name"] = np.array([f"w{i}".encode() for i in range(tensors)])
        f["/param/shape"] = np.array([b"4"] * tensors)
        f["/param/numel"] = np.full(tensors, 4, "<u8")
        f["/param/dtype"] = np.array([b"f32"] * tensors)
        f["/step/index"] = np.arange(rows, dtype="<i8")
        f["/norm/sumsq"] = np.ones((rows, tensors))
        change(f)

def again(f, name, **options):
    values = f[name][()]
    del f[name]
    return f.create_dataset(name, data=values, **options)

def bomb(f, name, **options):
    """The first chunk's stream inflates to half a gigabyte, whatever a chunk is."""
    dataset = again(f, name, compression=1, **options)
    pump, mib = zlib.compressobj(9), bytes(1 << 20)
    stream = b"".join([pump.compress(mib) for _ in range(1 << 9)] + [pump.flush()])
    dataset.id.write_direct_chunk((0,) * len(dataset.shape), stream)

def many_rows(f):
    """Half a million rows in one chunk of each dataset."""
    n, shrink = 1 << 19, {"compression": 9, "shuffle": True}
    del f["/step/index"], f["/norm/sumsq"]
    f.create_dataset("/step/index", data=np.arange(n, dtype="<i8"), chunks=(n,), **shrink)
    f.create_dataset("/norm/sumsq", data=np.ones((n, 1)), chunks=(n, 1), **shrink)

def blank(f, name, shape):
    del f[name]
    f.create_dataset(name, shape, "<i8" if name == "/step/index" else "<f8", chunks=True)

wide = {"maxshape": (None, None), "chunks": (1 << 24, 2), "compression": 1}
trace("chunk.h5", lambda f: again(f, "/norm/sumsq", **wide), tensors=2)
long = {"maxshape": (None,), "chunks": (1 << 25,), "compression": 1}
trace("vector.h5", lambda f: again(f, "/step/index", **long))
longer = {**long, "chunks": (1 << 27,)}
trace("names.h5", lambda f: again(f, "/param/name", **longer))
trace("bomb.h5", lambda f: bomb(f, "/norm/sumsq", chunks=(64, 64)))
trace("bomb_vector.h5", lambda f: bomb(f, "/step/index", chunks=(64,)))
trace("bomb_sum.h5", lambda f: bomb(f, "/param/numel", chunks=(64,), fletcher32=True))
trace("blank_index.h5", lambda f: blank(f, "/step/index", (1 << 16,)))
trace("blank_norms.h5", lambda f: blank(f, "/norm/sumsq", (1 << 36, 64)))
trace("rows.h5", many_rows, rows=1, tensors=1)
END

# A sanitizer's shadow alone is terabytes.
[ -n "${ASAN_OPTIONS-}" ] || nm "$GRADTRACE" 2>/dev/null | grep -q __asan_init || ulimit -v 400000
commands=(info doctor 'replay -p none' 'export -o out.csv --force' 'spill --max-norm 1'
    'recover -o out.h5 --force' 'merge -o out.h5 --force' 'explain --step worst -p global')
for file in chunk vector names bomb bomb_vector bomb_sum blank_index blank_norms rows; do
    try verify $file.h5
    for command in "${commands[@]}"; do
        read -r name options <<<"$command"
        # shellcheck disable=SC2086 # words
        timeout 60 "$GRADTRACE" "$name" $file.h5 $options >said 2>&1
        echo "$?$(grep -o ': /.*' said | head -n 1)"
    done | sort | uniq -c
done
ls -l ./*.h5 | awk '$5 > 3000000 && !/out/ { print $9, "is large" }'
