#!/bin/bash
# ptx.sh - what nvcc makes of the kernels: exact arithmetic in the order written, and in registers.
#
#     NVCC=nvcc CU_FLAGS='...' tests/ptx.sh [FILE.cu...]        (make check-ptx)
#
# The bits of a result may not depend on the device.  So the PTX of each kernel, for each of ARCHS,
# must hold
#
#   no fused multiply-add         it rounds once where the source rounds twice
#   no mul, add or sub of floats  the assembler may fuse those, but leaves mul.rn alone
#     without a rounding
#   no approximations             .approx, div.full
#   no flushing of subnormals     .ftz
#   no atomics, no shuffles       their order is not that of the source
#
# It is the PTX that is looked at and not the machine code: there a division is several fused steps,
# and still rounds correctly.  The assembler then says what each kernel takes; registers that do not
# fit are spilled to memory, which no kernel does unless it is excused below.
set -u
cd "$(dirname "$0")/.." || exit 1

NVCC=${NVCC:-nvcc} ARCHS=${ARCHS:-80 90}

# kernel -> bytes it may spill.  The sweep's, held to 96 registers so that five blocks of threads
# fit, what is set before its rows and wanted after; rmsprop's walk (GTR_RMSPROP is 3), which
# divides before it remembers and is held to 128, as much.
declare -A excused=([gtr_sweep_all_usual_aggc]=16
                    ["gtr_update_walk_rows<3>"]=64)

if ! command -v "$NVCC" >/dev/null || ! command -v ptxas >/dev/null; then
    exec tests/skip.sh "no $NVCC and ptxas here"
fi
[ $# -gt 0 ] || set -- lib/*/*.cu

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
passed=0 failed=0

# Prints "KERNEL: INSTRUCTION" for what may not be there.
forbidden() {
    awk '
        /\.entry / { kernel = $0; sub(/.*\.entry */, "", kernel); sub(/[( ].*/, "", kernel) }
        /^\.(weak |visible )*func / { kernel = "a function" }
        {
            op = $1
            if (op ~ /^@/) op = $2
        }
        op ~ /^fma\./ || op ~ /\.approx/ || op ~ /^div\.full/ || op ~ /\.ftz/ ||
        op ~ /^(atom|red)\./ || op ~ /^shfl\./ ||
        (op ~ /^(mul|add|sub|mad)\..*(f16|bf16|f32|f64)/ && op !~ /\.r[nzmp]i?\./) {
            print kernel ": " op
        }' "$1" | sort | uniq -c
}

short_name() {
    local name
    name=$(c++filt "$1" 2>/dev/null) || name=$1
    name=${name%%(*}
    echo "${name##* }"
}

# From ptxas -v: kernel, registers, stack, spilled, shared bytes.
usage() {
    awk '
        /Compiling entry function/ { split($0, part, "\047"); kernel = part[2] }
        / bytes stack frame/ { stack = $1; spilled = $5 + $9 }
        /Used [0-9]+ registers/ {
            shared = 0
            for (i = 1; i < NF; i++) {
                if ($i == "Used") registers = $(i + 1)
                if ($i == "bytes" && $(i + 1) ~ /^smem/) shared = $(i - 1)
            }
            print kernel, registers, stack, spilled, shared
        }' "$1"
}

# First of all: would it be seen?  nvcc fuses unless it is told not to.
cat >"$folder/fused.cu" <<'END'
static __global__ void fused(double *x)
{
    x[0] = x[1] * x[2] + x[3];
}
void start(double *x)
{
    fused<<<1, 1>>>(x);
}
END
if "$NVCC" -arch=sm_80 -ptx -o "$folder/fused.ptx" "$folder/fused.cu" &&
    [[ $(forbidden "$folder/fused.ptx") == *fma.rn.f64* ]]; then
    passed=$((passed + 1))
else
    echo "FAILED a fused multiply-add is not seen"
    failed=$((failed + 1))
fi

printf '%-44s %-5s %9s %6s %7s %7s\n' kernel arch registers stack spilled shared
for file in "$@"; do
    for arch in $ARCHS; do
        ptx=$folder/$arch.ptx
        # The flags are words for a shell, as make would hand them to one.
        if ! eval "$NVCC $CU_FLAGS -arch=sm_$arch -ptx -o '$ptx' '$file'" >"$folder/log" 2>&1 ||
            ! ptxas -v --fmad false -arch=sm_$arch -o "$folder/cubin" "$ptx" >"$folder/log" 2>&1
        then
            cat "$folder/log"
            echo "FAILED $file, sm_$arch: does not compile"
            failed=$((failed + 1))
            continue
        fi
        found=$(forbidden "$ptx")
        if [ -n "$found" ]; then
            echo "FAILED $file, sm_$arch: these may not be there:"
            echo "$found"
            failed=$((failed + 1))
        else
            passed=$((passed + 1))
        fi
        while read -r kernel registers stack spilled shared; do
            name=$(short_name "$kernel")
            printf '%-44s sm_%-2s %9d %6d %7d %7d\n' "$name" $arch $registers $stack $spilled \
                $shared
            if [ "$spilled" -gt "${excused[$name]:-0}" ]; then
                echo "FAILED $name, sm_$arch: spills $spilled bytes"
                failed=$((failed + 1))
            else
                passed=$((passed + 1))
            fi
        done < <(usage "$folder/log")
    done
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
