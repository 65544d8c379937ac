#!/bin/bash
# bits.sh - the same bits from every build: gcc and clang, three sets of flags, 1 to 3 threads.
#
# `make check-bits` runs this.  First tests/bits.c, built with each compiler and set of flags,
# must print the same lines; then the program's own output must not depend on --threads.
set -u
cd "$(dirname "$0")/.." || exit 1

passed=0 failed=0
report() { # what, and whether it is so
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
        echo "same bits: $1"
    else
        failed=$((failed + 1))
        echo "FAILED: $1"
    fi
}

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
first=
for compiler in gcc clang; do
    if ! command -v $compiler >/dev/null; then
        echo "FAILED: there is no $compiler; run: make deps"
        failed=$((failed + 1))
        continue
    fi
    for flags in '-O0' '-O2' '-O3 -march=native'; do
        # Letters and digits only: make would take "=" for an assignment.
        build=$BUILD/bits-$compiler${flags//[!A-Za-z0-9]/}
        out=$folder/$compiler${flags//[!A-Za-z0-9]/}
        if ! $MAKE -s --no-print-directory BUILD="$build" CC=$compiler OPT="$flags" CUDA=0 \
            "$build/bits" >"$out.log" 2>&1; then
            cat "$out.log"
            report "$compiler $flags: does not build" 1
            continue
        fi
        "$build/bits" >"$out" || { report "$compiler $flags: bits failed" 1; continue; }
        # More threads may not show either, so the lines of 2 and 3 must equal those of 1.
        for n in 2 3; do
            diff <(grep 'threads=1' "$out") <(grep "threads=$n" "$out" | sed "s/=$n/=1/")
            report "$compiler $flags: $n threads" $?
        done
        if [ -z "$first" ]; then
            first=$out
            echo "$(wc -l <"$out") digests from $compiler $flags"
        else
            diff "$first" "$out"
            report "$compiler $flags" $?
        fi
    done
done

shopt -s nullglob
for trace in traces/*.h5; do
    for n in 1 2 3; do
        "$GRADTRACE" replay "$trace" -p none -p global -p group:quantile=0.9 -p aggc-paper \
            -p aggc-code-lora --threads $n --steps "$folder/steps$n" --tsv "$folder/stats$n" \
            --force >"$folder/tables$n" || report "$trace: replay --threads $n failed" 1
        "$GRADTRACE" sweep "$trace" -p aggc --set beta=0.5:0.99:7:logit --set high=1.2:4:9:log \
            -p global --set max_norm=auto:5 --threads $n --tsv - >"$folder/sweep$n" ||
            report "$trace: sweep --threads $n failed" 1
    done
    for n in 2 3; do
        for what in tables steps stats sweep; do
            cmp "$folder/${what}1" "$folder/$what$n"
            report "$trace: $what, --threads $n" $?
        done
    done
done
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
