#!/bin/bash
# run.sh - tests of the program as a user meets it: what it prints, and its exit status.
#
#     tests/cli/run.sh [--accept] [NAME...]
#
# Each test is tests/cli/NAME.sh, run by bash in an empty folder of its own with
#
#     $GRADTRACE  the program         $TRACES  the committed traces
#     $TESTS      the tests folder    $BUILD   the build folder
#
# What it prints and returns must equal NAME.stdout, NAME.stderr and NAME.exit; a file that is not
# there means "nothing printed" and 0.  Exit status 77 means "skipped": the last line that the
# test printed says why.  --accept writes down what came out; look at `git diff` before you commit.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export TESTS=$root/tests TRACES=$root/traces
export BUILD=${BUILD:-$root/build}
[[ $BUILD = /* ]] || BUILD=$root/$BUILD
export GRADTRACE=${GRADTRACE:-$BUILD/gradtrace}
export LC_ALL=C TZ=UTC
unset SOURCE_DATE_EPOCH ARGP_HELP_FMT
seconds_each=120

# Runs one test; leaves "pass", "skip ..." or "FAIL" and what differs in $results/NAME.
one() {
    local name=$1 scratch status part
    scratch=$(mktemp -d)
    mkdir "$scratch/in" "$scratch/got"
    (cd "$scratch/in" && exec timeout -k 5 $seconds_each bash "$here/$name.sh") \
        >"$scratch/got/stdout" 2>"$scratch/got/stderr" </dev/null
    status=$?
    # How far a long sweep is is told every ten seconds, and only a busy machine lives to see it.
    sed -i '/^gradtrace .* a second, [0-9]* s left$/d' "$scratch/got/stderr"
    : >"$scratch/got/exit"
    [ $status -ne 0 ] && echo $status >"$scratch/got/exit"
    if [ $status -eq 77 ]; then
        echo "skip $(cat "$scratch/got/stdout" "$scratch/got/stderr" | tail -n 1)" >"$results/$name"
    else
        for part in exit stderr stdout; do
            compare "$name" $part "$scratch/got/$part"
        done >"$scratch/difference"
        if [ -s "$scratch/difference" ]; then
            { echo FAIL; cat "$scratch/difference"; } >"$results/$name"
        else
            echo pass >"$results/$name"
        fi
    fi
    rm -rf "$scratch"
}

compare() {
    local wanted=$here/$1.$2 got=$3
    if [ "$accept" = yes ]; then
        rm -f "$wanted"
        [ -s "$got" ] && cp "$got" "$wanted"
        return
    fi
    [ -e "$wanted" ] || wanted=/dev/null
    diff -u --label "wanted $1.$2" --label "got $1.$2" "$wanted" "$got" | head -n 60
}

if [ "${1-}" = --one ]; then
    one "$2"
    exit
fi
export accept=no results
if [ "${1-}" = --accept ]; then
    accept=yes
    shift
fi
if [ ! -x "$GRADTRACE" ]; then
    echo "tests/cli/run.sh: $GRADTRACE: no such program; run: make" >&2
    exit 1
fi
if [ $# -eq 0 ]; then
    for script in "$here"/*.sh; do
        [ "$script" != "$here/run.sh" ] && set -- "$@" "$(basename "$script" .sh)"
    done
fi
results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 bash "$here/run.sh" --one

passed=0 failed=0 skipped=0
for name in "$@"; do
    case $(head -n 1 "$results/$name" 2>&1) in
    pass) passed=$((passed + 1)) ;;
    skip*) skipped=$((skipped + 1)); echo "skipped $name: $(cut -c 6- "$results/$name")" ;;
    *) failed=$((failed + 1)); echo "FAILED $name"; tail -n +2 "$results/$name" ;;
    esac
done
line="$passed passed, $failed failed"
[ $skipped -gt 0 ] && line="$line, $skipped skipped"
echo "$line"
[ $failed -eq 0 ]
