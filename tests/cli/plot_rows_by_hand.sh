# plot_rows_by_hand.sh - the numbers behind the figures, small enough to check on paper.  gnuplot is
# kept out of the way: rows and scripts do not need it.
. "$TESTS/cli/try.bash"

mkdir nothing
plot() {
    PATH=$PWD/nothing "$GRADTRACE" plot "$@" >said 2>&1
    [ $? -eq 1 ] && grep -q '^gradtrace plot: gnuplot: not found' said || cat said
}

# Steps 5, 15, 35: the distances 10 and 20 have 10 in common, so a row of the heat map has four
# columns and the third is empty.  Limits of 2: scales 1, 1/2, 1/4 of a, and 1 of b.
printf 'step,loss,grads/a,grads/b\n5,3,2,1\n15,2.5,4,1\n35,2,8,1\n' >log.csv
"$GRADTRACE" import log.csv -o run.h5 2>/dev/null
plot run.h5 -p group:max_norm=2,eps=0 -o hand
for figure in norms panels interval-group heatmap-group scales; do
    echo "== $figure.tsv"
    cat hand/$figure.tsv
done

# A running median of 100 steps looks at 5: around the spike, of 48 49 1000 51 52.
{
    echo step,a
    for ((t = 0; t < 100; t++)); do echo "$t,$((t == 50 ? 1000 : t))"; done
} >spike.csv
"$GRADTRACE" import spike.csv -o spike.h5 2>/dev/null
plot spike.h5 -p none --figure norms -o median
echo '== medians at the ends and around the spike'
awk -F'\t' '$4 == "a" && ($1 < 3 || ($1 > 47 && $1 < 54) || $1 > 97)' median/norms.tsv

# 4001 steps are drawn in bins of 5: of each, the smallest and the largest at their own steps.
{
    echo step,a
    for ((t = 0; t < 4001; t++)); do echo "$t,$((t == 1002 ? 7 : 3 + t % 2))"; done
} >long.csv
"$GRADTRACE" import long.csv -o long.h5 2>/dev/null
plot long.h5 -p none --figure norms -o bins
echo '== bins around the spike, and how many rows there are of 4001'
awk -F'\t' '$4 == "a" && $1 >= 995 && $1 < 1010' bins/norms.tsv
awk -F'\t' '$4 == "a"' bins/norms.tsv | wc -l
grep -E '^(BIN|WINDOW|LOG|Y_MAX) =' bins/norms.gp
