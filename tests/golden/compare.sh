#!/bin/bash
# compare.sh - replays of the committed traces against tests/golden/replay.csv.
#
#     tests/golden/compare.sh [--accept] BITS      BITS: the program made from tests/bits.c
#
# Each row is one test: trace, policy, decisions below 1, digest of scales and intervals.  A row
# that changed means that replay decides differently; --accept writes the rows down, and `git
# diff` shows what they were.
set -u
cd "$(dirname "$0")/../.." || exit 1

accept=no
[ "$1" = --accept ] && accept=yes && shift
shopt -s nullglob
traces=(traces/*.h5)

rows=$(mktemp)
trap 'rm -f "$rows"' EXIT
echo 'trace,policy,clipped,digest' >"$rows"
"$1" golden "${traces[@]}" >>"$rows" || exit 1
if [ $accept = yes ]; then
    cat "$rows" >tests/golden/replay.csv
    echo "tests/golden/replay.csv: $(($(wc -l <"$rows") - 1)) rows"
    exit 0
fi
same=$(tail -n +2 "$rows" | grep -cxFf tests/golden/replay.csv)
different=$(($(wc -l <"$rows") - 1 - same))
# Rows that are no more count too.
gone=$(tail -n +2 tests/golden/replay.csv | cut -d, -f1 | sort -u | while read -r trace; do
    [ -e "traces/$trace" ] || echo "$trace"
done | wc -l)
diff -u tests/golden/replay.csv "$rows"
echo "$same passed, $((different + gone)) failed"
[ $((different + gone)) -eq 0 ]
