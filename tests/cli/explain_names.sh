# explain_names.sh - names that would steer a terminal or forge a line do not, whichever way they
# are told; and in every table all rows have names of their own.
. "$TESTS/cli/strange.bash"
make_strange run.h5
"$GRADTRACE" explain run.h5 --step worst -p global:max_norm=1 -p group:max_norm=0.01 --top 0 \
    --group-by tensor --tsv explain.tsv --json explain.json >explain.txt || exit
look explain.txt explain.tsv explain.json
cut -f 3 explain.tsv | sed -n 2,9p
grep -c 'tab?here' explain.txt
for trace in gpt2 lora; do
    "$GRADTRACE" explain "$TRACES/$trace.h5" --step worst -p global:max_norm=1 --top 0 \
        --group-by tensor | first_columns group
done

# The table for programs: all together in the last row of a policy; less without a policy.
"$GRADTRACE" explain "$TRACES/lora.h5" --step 800 -p global:max_norm=1 --tsv - | sed -n '1p;2p;$p'
"$GRADTRACE" explain "$TRACES/lora.h5" --step 800 --tsv - | sed -n '1p;2p;$p'
