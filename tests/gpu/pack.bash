# pack.bash - what check-cuda.sh and bench-cuda.sh share: where things are, and which machine it is.

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export LC_ALL=C TZ=UTC

# Only our programs see the libraries of the pack.
packed() {
    LD_LIBRARY_PATH=$here/lib "$@"
}

device_name() {
    packed "$here/bin/gradtrace" info --devices 2>/dev/null | head -n 1 | cut -f 2
}

of_gpu() {
    nvidia-smi --query-gpu="$1" --format=csv,noheader 2>/dev/null | head -n 1
}

# A Python with a GPU in it, or nothing.
find_python() {
    local python
    for python in python3 /usr/bin/python3; do
        $python -c 'import sys, torch; sys.exit(not torch.cuda.is_available())' 2>&- &&
            echo $python && return
    done
}

# What a reader of the results wants to know before them.
tell_machine() {
    local driver clocks processor
    driver=$(of_gpu driver_version)
    [ -n "$driver" ] || driver=$(sed -n 's/^NVRM version: *//p' /proc/driver/nvidia/version 2>&-)
    clocks=$(of_gpu clocks.sm,clocks.mem,clocks.max.sm,clocks.max.mem,power.limit)
    echo "$1: gradtrace $(cat "$here/commit"), $(date '+%Y-%m-%d %H:%M UTC')"
    echo
    packed "$here/bin/gradtrace" info --devices | sed 's/^/  /'
    echo "  driver     ${driver:-unknown}"
    echo "  clocks     ${clocks:-unknown} (SM, memory, most of each, power limit)"
    processor=$(sed -n "s/^model name[^:]*: //p" /proc/cpuinfo | head -n 1)
    echo "  processor  $processor, $(nproc) threads"
    echo
}

# FOLDER/cuda-DEVICE-DATE.txt, or -check.txt: a name to commit the results under.
result_file() {
    local device
    device=$(device_name | tr 'A-Z ' 'a-z-' | tr -cd 'a-z0-9-')
    mkdir -p "$1"
    echo "$1/cuda-${device:-none}-$(date +%Y-%m-%d)$2.txt"
}
