#!/bin/bash
# check-cuda.sh - does a GPU give the CPU's bits?  Run it in the folder that `make gpu-pack` filled.
#
#     ./check-cuda.sh [-o FOLDER] [tests] [program] [recorder] [sanitizer]
#
#     tests       the unit tests of the kernels; here they must not skip
#     program     replay, sweep and update by --device cpu and cuda, over all traces: the same bytes
#     recorder    gradients of PyTorch on the GPU, recorded in every way, if a python3 has it
#     sanitizer   the unit tests under compute-sanitizer, if there is one
#
# Without a word: all of them.  -o leaves what is printed in FOLDER as well, under a name that tells
# device and date.  The last line is "N passed, N failed".
set -u
. "$(dirname "$0")/pack.bash"

output=
if [ "${1-}" = -o ]; then
    output=$(result_file "$2" -check) || exit 1
    shift 2
fi
[ $# -gt 0 ] || set -- tests program recorder sanitizer
for part in "$@"; do
    case $part in
    tests | program | recorder | sanitizer) ;;
    *) echo "check-cuda.sh: $part: is none of tests, program, recorder, sanitizer" >&2; exit 2 ;;
    esac
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

good() {
    printf '  ok      %s\n' "$1"
    passed=$((passed + ${2:-1}))
}
bad() {
    printf '  FAILED  %s: %s\n' "$1" "${*:2}"
    failed=$((failed + 1))
}

# --- unit tests --------------------------------------------------------------------------------

# Runs a test program, by the command before it if any; a skip is a failure.
unit() {
    packed "${@:2}" >"$scratch/log" 2>&1
    judge "$1" $?
}

# By what it printed last, in $scratch/log, and its exit status.
judge() {
    local label=$1 status=$2 last
    last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$scratch/log" | tail -n 1)
    if [ $status -eq 0 ] && [[ $last =~ ^([1-9][0-9]*)\ passed,\ 0\ failed$ ]]; then
        good "$label: $last" "${BASH_REMATCH[1]}"
    else
        bad "$label" "${last:-no end}, status $status"
        tail -n 40 "$scratch/log" | sed 's/^/      /'
    fi
}

check_tests() {
    local file n=0
    echo "unit tests"
    for file in "$here"/bin/test_*; do
        [ -e "$file" ] || continue
        unit "${file##*/}" "$file"
        n=$((n + 1))
    done
    [ $n -gt 0 ] || bad "unit tests" "none was packed"
    echo
}

# --- the program -------------------------------------------------------------------------------

# Of all files in a folder.  Not every machine has a diff.
digests() {
    (cd "$scratch/$1" && sha256sum * | sort)
}

# Runs a command by both devices, each in a folder of its own, and compares all that came out.
same() {
    local label=$1 device different
    shift
    for device in cpu cuda; do
        rm -rf "${scratch:?}/$device"
        mkdir "$scratch/$device"
        (
            cd "$scratch/$device" || exit
            packed timeout 300 "$here/bin/gradtrace" "$@" --device $device >stdout 2>told
            echo $? >status
            # Which device it runs on may differ, and is wanted of one.
            [ $device = cpu ] || grep ': runs on ' told >../used
            sed -i '/: runs on /d' told
        )
    done
    different=$(comm -3 <(digests cpu) <(digests cuda) | awk '{ print $2 }' | sort -u)
    if [ -n "$different" ]; then
        bad "$label" "cpu and cuda differ in" $different
        head -n 3 "$scratch"/c*/told | cut -c 1-200 | sed 's/^/      /'
    elif [ "$(cat "$scratch/cpu/status")" -ne 0 ]; then
        bad "$label" "$(head -n 1 "$scratch/cpu/told")"
    elif [ ! -s "$scratch/used" ]; then
        bad "$label" "no GPU was used"
    else
        good "$label"
    fi
    rm -f "$scratch/used"
}

all_policies=(-p none -p global:max_norm=1 -p global:max_norm=0.5,eps=0,strict=on
    -p group:max_norm=1 -p aggc-paper -p aggc-code-lora -p aggc-code-grpo)

check_trace() {
    local trace=$1 name=${1#"$here"/traces/}
    same "$name: replay" replay "$trace" "${all_policies[@]}" --steps steps.tsv \
        --tsv stats.tsv
    # 3 x 7 x 5 x 2 settings and 61: full warps, and rests.
    same "$name: sweep" sweep "$trace" -p aggc --set beta=0.5:0.99:7:logit \
        --set high=1.1:4:3:log --set low=0:0.9:5 --set form=paper,code -p aggc-code-lora \
        --set beta=0.7,0.9 -p global --set max_norm=0.1:10:61:log -p group \
        --set max_norm=0.1:10:33:log -p none -o sweep.h5
    same "$name: sweep, random" sweep "$trace" -p aggc-paper --set beta=0.1:0.999:9 \
        --set low=0:1:9 --set high=1:5:9 --random 300 --seed 3 --fast --tsv sweep.tsv
}

check_update() {
    local trace=$1 name=${1#"$here"/traces/} optimizer
    for optimizer in adamw adamw:beta1=0,beta2=0.5 sgd:momentum=0 sgd:nesterov=1; do
        same "$name: update, $optimizer" update "$trace" "${all_policies[@]}" \
            --optimizer "$optimizer" --tsv update.tsv
    done
}

has_elements() {
    ! packed "$here/bin/gradtrace" info "$1" 2>&1 | grep -q '^elements *none'
}

check_program() {
    local trace
    echo "the program"
    for trace in "$here"/traces/*.h5 "$here"/traces/odd/*.h5; do
        check_trace "$trace"
        has_elements "$trace" && check_update "$trace"
    done
    echo
}

# --- PyTorch -----------------------------------------------------------------------------------

check_recorder() {
    local python
    python=$(find_python)
    echo "the recorder"
    if [ -z "$python" ]; then
        echo "  no python3 here sees torch with a GPU; these checks were left out"
    else
        "$python" "$here/packed.py" "$here/tests/python/check_cuda_recorder.py" \
            >"$scratch/log" 2>&1
        judge check_cuda_recorder.py $?
    fi
    echo
}

# --- compute-sanitizer -------------------------------------------------------------------------

check_sanitizer() {
    local sanitizer tool file
    sanitizer=$(PATH=$PATH:/usr/local/cuda/bin command -v compute-sanitizer)
    echo "compute-sanitizer"
    if [ -z "$sanitizer" ]; then
        echo "  none here; these checks were left out"
        echo
        return
    fi
    for tool in memcheck racecheck synccheck initcheck; do
        for file in "$here"/bin/test_*; do
            unit "$tool ${file##*/}" "$sanitizer" --tool $tool --error-exitcode 9 "$file"
        done
    done
    echo
}

# --- all of it ---------------------------------------------------------------------------------

check() {
    local part
    tell_machine check-cuda
    if [ -z "$(device_name)" ]; then
        packed "$here/bin/gradtrace" info --devices 2>&1 | sed 's/^/  /'
        echo "0 passed, 1 failed"
        return 1
    fi
    for part in "$@"; do
        check_$part
    done
    echo "$passed passed, $failed failed"
    [ $failed -eq 0 ]
}

check "$@" | tee ${output:+"$output"}
exit "${PIPESTATUS[0]}"
