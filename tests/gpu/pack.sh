#!/bin/bash
# pack.sh - fill a folder that checks and times the kernels on a machine that has nothing but an
# NVIDIA driver: see `make gpu-pack`.
#
#     tests/gpu/pack.sh FOLDER PROGRAM TEST-OR-BENCH...
#
#     FOLDER/bin       the programs, stripped       FOLDER/check-cuda.sh   are the bits the CPU's?
#     FOLDER/lib       the libraries they need,     FOLDER/bench-cuda.sh   how fast is it?
#                      and the Python package
#     FOLDER/traces    recorded, made-up and odd traces
#
# All libraries but those of the C library go along: its own must fit the machine's loader, and an
# older program runs with a newer one.  The driver's is found when a program runs.
set -eu
cd "$(dirname "$0")/../.."

pack=$1 program=$2
shift
case $pack in
'' | / | . | ..) echo "pack.sh: $pack: is no folder to fill" >&2; exit 2 ;;
esac
rm -rf "$pack"
mkdir -p "$pack/bin" "$pack/lib" "$pack/traces" "$pack/tests/python" "$pack/tests/bench"

for file in "$@"; do
    strip -o "$pack/bin/${file##*/}" "$file"
done
{ git describe --always --dirty --abbrev=12 2>/dev/null || echo unknown; } >"$pack/commit"

strip -o "$pack/lib/libgradtrace.so" "$(dirname "$program")/libgradtrace.so"

ldd "$pack"/bin/* "$pack/lib/libgradtrace.so" |
    awk '$2 == "=>" && $3 ~ /^\// { print $3 }' | sort -u |
    grep -vE '/(ld-linux[^/]*|lib(c|m|pthread|dl|rt|resolv|util|anl|mvec|nsl)\.so[^/]*)$' |
    while read -r library; do
        cp -L "$library" "$pack/lib/"
    done

cp traces/*.h5 "$pack/traces"
# Small ones that hold what a reader does not expect, and are not refused.
mkdir "$pack/traces/odd"
for file in tests/fuzz/corpus/trace/*.h5; do
    "$program" replay "$file" -p none >/dev/null 2>&1 &&
        "$program" update "$file" -p none >/dev/null 2>&1 && cp "$file" "$pack/traces/odd"
done

# Says nothing unless it fails.
quietly() {
    local said
    said=$("$program" "$@" 2>&1) || { echo "pack.sh: $said" >&2; return 1; }
}
make_up() {
    quietly simulate "$@"
}
make_up --scenario culprit --steps 700 -o "$pack/traces/culprit.h5"
make_up --scenario moe --steps 300 -o "$pack/traces/moe.h5"
tiny=(--scenario culprit --layout tiny --steps 24 --set spikes=2)
make_up "${tiny[@]}" --elements full -o "$pack/traces/elements.h5"
make_up "${tiny[@]}" --elements blocks:0.5 -o "$pack/traces/sample.h5"

# Norms at the ends of what a double holds, of nothing, and of nothing else; one step; one group.
imported() {
    local log=$pack/traces/edge-$1.csv
    cat >"$log"
    quietly import "$log" -o "${log%.csv}.h5" --total-steps 100
    rm "$log"
}
imported ends <<'END'
step,q_proj,k_proj,v_proj,o_proj
0,0,1,4.9e-324,1
1,0,1e-160,1e154,2
2,0,1e-300,2.2e-308,nan
3,0,1e153,1,1
4,0,0,1e-200,inf
5,0,1,1e150,3
6,0,1,1e-154,4
7,0,64,1,5
END
imported one-step <<'END'
step,q_proj,k_proj
0,3,4
END
{
    echo step,q_proj
    for t in {0..99}; do
        echo "$t,$((1 + t * t % 17))"
    done
} | imported one-group
{
    echo "step$(printf ',group_%d' {1..70})"
    for t in {0..39}; do
        printf '%d' "$t"
        for j in {1..70}; do
            printf ',%d' $((1 + t * j % 23))
        done
        echo
    done
} | imported many-groups

# The recorder for PyTorch finds its library in lib/.
mkdir "$pack/lib/python"
cp -r lib/python/gradtrace "$pack/lib/python"
find "$pack/lib/python" -name __pycache__ -prune -exec rm -r {} +
cp tests/python/check_cuda_recorder.py "$pack/tests/python"
cp tests/bench/recorder_overhead.py "$pack/tests/bench"

cp tests/gpu/{check-cuda.sh,bench-cuda.sh,pack.bash,packed.py} "$pack"
for file in tests/bench/*torch*.py; do
    [ -e "$file" ] && cp "$file" "$pack"
done
echo "$pack: $(du -sm "$pack" | cut -f 1) MB; take it to a machine with a GPU and run check-cuda.sh"
