# report_numbers.sh - every number of a page is in the tables that --tsv writes, and is shown as
# what it is, rounded.
page() { python3 "$TESTS/cli/report.py" "$@"; }

for trace in lora gpt2; do
    "$GRADTRACE" report "$TRACES/$trace.h5" -o $trace.html --tsv $trace 2>/dev/null
    echo "== $trace"
    page numbers $trace.html $trace
    ls $trace
done
echo "== more groups than a page takes"
"$GRADTRACE" report "$TRACES/gpt2.h5" --group-by tensor -o tensors.html --tsv tensors
page numbers tensors.html tensors
page text tensors.html | grep 'more rows'
wc -l <tensors/groups.tsv

echo "== the tables are those of the commands"
"$GRADTRACE" replay "$TRACES/gpt2.h5" -p aggc-paper --tsv stats.tsv >/dev/null
column() {
    awk -F '\t' -v name="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i; next }
                              /^aggc-paper/ { print $c }' "$1"
}
diff <(column stats.tsv scale_min | head -n 7) <(column gpt2/scales_by_group.tsv scale_min) &&
    echo same
"$GRADTRACE" spill "$TRACES/gpt2.h5" --max-norm auto --tsv spill.tsv >/dev/null
pick() { # FILE KEY...: these columns, by their names, sorted
    awk -F '\t' -v keys="${*:2}" 'BEGIN { n = split(keys, key, " ") }
        NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
        { for (k = 1; k <= n; k++) printf "%s ", $at[key[k]]; print "" }' "$1" | sort
}
diff <(pick spill.tsv group innocent share blamed received loss) \
    <(pick gpt2/spill_groups.tsv group innocent blame_share blamed received loss) && echo same
"$GRADTRACE" doctor "$TRACES/gpt2.h5" -p global:max_norm=1.77 -p aggc-paper -p none \
    --tsv findings.tsv >/dev/null
diff findings.tsv gpt2/findings.tsv && echo same
