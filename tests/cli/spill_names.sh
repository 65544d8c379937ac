# spill_names.sh - names that would steer a terminal or forge a line do not, whichever way they are
# told; and in every table all rows have names of their own.
. "$TESTS/cli/strange.bash"
. "$TESTS/cli/told_names.bash"
make_strange run.h5
"$GRADTRACE" spill run.h5 --max-norm auto --group-by tensor --top 20 --tsv spill.tsv \
    --steps steps.tsv --json spill.json >spill.txt || exit
look spill.txt spill.tsv steps.tsv spill.json
cut -f 2 spill.tsv | sed -n 2,9p
for trace in gpt2 lora; do
    "$GRADTRACE" spill "$TRACES/$trace.h5" --max-norm auto --group-by tensor >table.txt
    rows_differ group <table.txt
    sed -n '/^who paid/,/^$/p' table.txt | awk '/^[^ (]/ { print $1 }' | sort | uniq -d
done
# Policies that begin alike.
"$GRADTRACE" spill "$TRACES/lora.h5" \
    -p group:max_norm=0.123456789012345678901234567890123 \
    -p group:max_norm=0.123456789012345678901234567890124 |
    sed '/^A policy/,$d' | rows_differ policy
