# plot_rows_are_the_replay.sh - a figure shows the numbers that `gradtrace replay --steps` tells.
. "$TESTS/cli/try.bash"
make_trace run.h5

mkdir nothing
policies=(-p aggc -p aggc-paper -p global:max_norm=3)
PATH=$PWD/nothing "$GRADTRACE" plot run.h5 "${policies[@]}" --group k_proj -o figures >said 2>&1
echo "status $?"

# step norm lower upper scale norm_out, where the norm is that of the interval: the group's own.
"$GRADTRACE" replay run.h5 "${policies[@]}" --steps steps.tsv >table 2>&1
for policy in aggc aggc-paper; do
    awk -F'\t' -v OFS='\t' -v p=$policy \
        '$2 == p && $3 == "k_proj" { print $1, $4, $5, $6, $7, $8 }' steps.tsv >wanted
    tail -n +4 figures/interval-$policy.tsv >got
    cmp wanted got && echo "$policy: $(wc -l <got) rows are the same"
done

# heat maps: the scale of every decision
awk -F'\t' '$2 == "aggc-paper" { print $1, $3, $7 }' steps.tsv | sort >wanted
tail -n +4 figures/heatmap-aggc-paper.tsv | awk -F'\t' '{ print $1, $4, $3 }' | sort >got
cmp wanted got && echo "heatmap: $(wc -l <got) cells are the same"

# global holds the norm of the whole gradient, whichever group is asked for
grep -E '^(SUBJECT|HAS_LOWER|HAS_UPPER|N_DECIDED) =' figures/interval-global.gp
