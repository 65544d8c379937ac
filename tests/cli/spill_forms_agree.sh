# spill_forms_agree.sh - tab-separated text, JSON and steps hold the same numbers, spelled alike;
# and the number of threads changes none.
policies=(-p global:max_norm=1 -p global:max_norm=3 -p group:max_norm=0.5)
spill() {
    "$GRADTRACE" spill "$TRACES/gpt2.h5" "${policies[@]}" "$@"
}
spill --tsv groups.tsv --json all.json --steps steps.tsv >report.txt
# From JSON: the rows of groups.tsv, by order of appearance.
tr -d ' ",' <all.json | awk -F: '
    /^(innocent|chance|received|loss|blamed|share|owned|without):/ { if (!over) print $2 }
    /^worst_steps:/ { over = 1 }' >json.txt
tail -n +2 groups.tsv | cut -f3-10 | tr '\t' '\n' >tsv.txt
cmp json.txt tsv.txt && echo "groups: $(wc -l <json.txt) numbers alike"
tr -d ' ",' <all.json | awk '/^matrix:/ { on = 1 } /^}/ { on = 0 } on && /^[-0-9.e]+$/ { print }' \
    >json.txt
tail -n +2 groups.tsv | cut -f11- | tr '\t' '\n' >tsv.txt
cmp json.txt tsv.txt && echo "matrix: $(wc -l <json.txt) numbers alike"

# Blame of a step sums to its excess; blame of a group over the steps to what groups.tsv has.
awk -F'\t' 'NR > 1 { key = $1 " " $2; sum[key] += $6; excess[key] = $7 }
    END { for (k in sum) { d = sum[k] - excess[k]; if (d < 0) d = -d
                           if (d > 1e-12 * excess[k]) bad++; n++ }
          print n " steps and policies", bad + 0 " where blame is not the excess" }' steps.tsv
awk -F'\t' 'FNR == 1 { file++; next }
    file == 1 { sum[$1 " " $3] += $6 }
    file == 2 { d = sum[$1 " " $2] - $7; if (d < 0) d = -d; if (d > 1e-9 * $7) bad++; n++ }
    END { print n " groups", bad + 0 " with other blame than their steps" }' steps.tsv groups.tsv
spill --threads 1 --tsv one.tsv --json one.json --steps one_steps.tsv >one.txt
cmp groups.tsv one.tsv && cmp all.json one.json && cmp steps.tsv one_steps.tsv &&
    cmp report.txt one.txt && echo "the same on one thread"
spill --tsv - | cmp - groups.tsv && spill --json - | cmp - all.json && echo "the same to stdout"
