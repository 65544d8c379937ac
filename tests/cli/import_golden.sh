# import_golden.sh - the reference logs come back from a trace as they were, digit for digit.
for log in lora wide fixed; do
    "$GRADTRACE" import "$TESTS/golden/aggc/$log.csv" -o $log.h5
    cut -d, -f1-3 "$TESTS/golden/aggc/$log.csv" >wanted.csv
    "$GRADTRACE" export $log.h5 | cmp - wanted.csv && echo "$log: the same"
    "$GRADTRACE" export $log.h5 --layout wide -o $log.tsv
    "$GRADTRACE" import $log.tsv -o again.h5 --force 2>/dev/null
    "$GRADTRACE" export again.h5 | cmp - wanted.csv && echo "$log: the same through a wide table"
    "$GRADTRACE" export $log.h5 -o $log.jsonl
    "$GRADTRACE" import $log.jsonl -o again.h5 --force 2>/dev/null
    "$GRADTRACE" export again.h5 | cmp - wanted.csv && echo "$log: the same through JSON lines"
done
