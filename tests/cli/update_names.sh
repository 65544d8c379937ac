# update_names.sh - names that would steer a terminal or forge a line do not, whichever way they are
# told; and in every table all rows have names of their own.
. "$TESTS/cli/strange.bash"
make_strange run.h5
"$GRADTRACE" update run.h5 -p global:max_norm=1 -p aggc-paper --group-by tensor \
    --tsv update.tsv --json update.json >update.txt || exit
look update.txt update.tsv update.json
grep -E '^  (tab|line|esc|csi|bidi|not|q"uote)' update.txt | cut -c 1-16 | sort -u
cut -f 3 update.tsv | sed -n 2,9p
for trace in gpt2 lora; do
    "$GRADTRACE" update "$TRACES/$trace.h5" -p global:max_norm=1 -p aggc-paper --group-by tensor |
        tee table.txt | first_columns group
    first_columns policy <table.txt
done
"$GRADTRACE" update "$TRACES/lora.h5" -p global:max_norm=1 --json - | "$python" -c '
import json, sys
rows = json.load(sys.stdin)
print(len(rows), "rows;", ", ".join(f"{k} {v!r}" for k, v in rows[7].items()))'
