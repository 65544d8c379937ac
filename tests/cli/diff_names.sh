# diff_names.sh - names that would steer a terminal or forge a line do not, whichever way they are
# told; and in every table all rows have names of their own.
. "$TESTS/cli/strange.bash"
. "$TESTS/cli/told_names.bash"
make_strange run.h5
"$GRADTRACE" diff run.h5 "$TRACES/lora.h5" --group-by tensor -p global:max_norm=1 \
    --tsv traces.tsv --json traces.json >traces.txt || exit
"$GRADTRACE" diff run.h5 --group-by tensor -p global:max_norm=1 -p aggc-paper \
    --tsv policies.tsv --json policies.json >policies.txt || exit
look traces.txt traces.tsv traces.json policies.txt policies.tsv policies.json
grep '^only in' traces.txt | cut -c 1-80
cut -f 1 policies.tsv | sed -n 2,9p
for trace in gpt2 lora; do
    "$GRADTRACE" diff "$TRACES/$trace.h5" --window 0:599 --window 600:1199 --group-by tensor \
        -p aggc-paper | rows_differ group
    "$GRADTRACE" diff "$TRACES/$trace.h5" --group-by tensor -p global:max_norm=1 -p aggc-paper |
        rows_differ group
done
