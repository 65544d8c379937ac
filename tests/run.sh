#!/bin/bash
# run.sh - run test programs one after the other and add up what they count.
#
#     tests/run.sh COMMAND...
#
# Each COMMAND is one program with its arguments, as the shell would read it.  The last line of
# what it prints must be "N passed, N failed", with ", N skipped" if it skipped any.  A program
# that ends without that line, or that fails while it says "0 failed", has crashed: one failure.
# What a program printed is shown when it failed.  The last line here is the sum; the status is 1
# if anything failed.
set -u

passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

for command in "$@"; do
    name=${command#"$PWD"/}
    bash -c "$command" >"$log" 2>&1
    status=$?
    count='^([0-9]+) passed, ([0-9]+) failed(, ([0-9]+) skipped)?$'
    if [[ $(tail -n 1 "$log") =~ $count ]]; then
        p=${BASH_REMATCH[1]} f=${BASH_REMATCH[2]} s=${BASH_REMATCH[4]:-0} why=
        if [ "$f" -eq 0 ] && [ "$status" -ne 0 ]; then
            f=1 why=" (its exit status was $status)"
        fi
    else
        p=0 f=1 s=0 why=" (it did not finish; exit status $status)"
    fi
    if [ "$f" -gt 0 ]; then
        sed 's/^/    /' "$log"
    elif [ "$s" -gt 0 ]; then
        grep -i '^skipped' "$log" | sed 's/^/    /'
    fi
    skips=
    [ "$s" -gt 0 ] && skips=", $s skipped"
    printf '%-60s %s\n' "$name" "$p passed, $f failed$skips$why"
    passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
done

line="$passed passed, $failed failed"
[ "$skipped" -gt 0 ] && line="$line, $skipped skipped"
echo
echo "$line"
[ "$failed" -eq 0 ]
