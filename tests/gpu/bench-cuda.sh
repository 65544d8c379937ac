#!/bin/bash
# bench-cuda.sh - how fast the kernels are.  Run it in the folder that `make gpu-pack` filled.
#
#     ./bench-cuda.sh [-o FOLDER]
#
# Runs each timing program; where a python3 sees torch and a GPU through it, also the scripts that
# time PyTorch at the same work, and what recording costs a training step there.  -o leaves what is
# printed in FOLDER as well, under a name that tells device and date.
set -u
. "$(dirname "$0")/pack.bash"

output=
if [ "${1-}" = -o ]; then
    output=$(result_file "$2" '') || exit 1
    shift 2
fi

bench() {
    local file python status=0
    tell_machine bench-cuda
    if [ -z "$(device_name)" ]; then
        packed "$here/bin/gradtrace" info --devices
        return 1
    fi
    for file in "$here"/bin/bench_*; do
        [ -e "$file" ] || continue
        echo "--- ${file##*/}"
        packed "$file" || { echo "FAILED: status $?"; status=1; }
        echo
    done
    python=$(find_python)
    for file in "$here"/*torch*.py; do
        [ -e "$file" ] || continue
        echo "--- ${file##*/}"
        if [ -z "$python" ]; then
            echo "left out: no python3 here sees torch with a GPU"
        else
            $python "$file" --pack "$here" || { echo "FAILED: status $?"; status=1; }
        fi
        echo
    done
    echo "--- recorder_overhead.py"
    if [ -z "$python" ]; then
        echo "left out: no python3 here sees torch with a GPU"
    else
        $python "$here/packed.py" "$here/tests/bench/recorder_overhead.py" --device cuda ||
            { echo "FAILED: status $?"; status=1; }
    fi
    echo
    echo "after it: $(of_gpu clocks.sm,clocks.mem,temperature.gpu) (SM, memory, degrees)"
    return $status
}

bench 2>&1 | tee ${output:+"$output"}
exit "${PIPESTATUS[0]}"
