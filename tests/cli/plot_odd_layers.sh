# plot_odd_layers.sh - maps of layers and spikes of runs with one step, with zeros, with nothing
# finite, with steps that have gaps, with 40 groups: each is drawn, or it is told why not.
. "$TESTS/cli/try.bash"
command -v gnuplot >found || { echo "no gnuplot"; exit 77; }

names=layers.0.q_proj,layers.1.q_proj,layers.0.k_proj,layers.1.k_proj
figures() {
    "$GRADTRACE" import log.csv --keys '*' -o "$1.h5" 2>/dev/null
    try plot "$1.h5" -p aggc --figure layers,intervals,spike,tails --format png,svg,pdf -o "$1"
    for file in "$1"/*; do [ -s "$file" ] || echo "$file is empty"; done
}

echo "== one step"
printf 'step,%s\n7,1,2,3,4\n' $names >log.csv
figures one
echo "== zeros"
printf 'step,%s\n1,0,0,0,0\n2,0,0,0,0\n' $names >log.csv
figures zeros
echo "== nothing finite"
printf 'step,%s\n1,nan,1,1,1\n2,1,inf,1,1\n' $names >log.csv
figures nan
echo "== every norm the same, with gaps between the steps"
{
    echo step,$names
    for ((t = 0; t < 60; t++)); do echo "$((t * t)),2,2,2,2"; done
} >log.csv
figures same
echo "== 40 groups, steps that are not finite"
{
    printf step
    printf ',layers.%d.q_proj' {0..39}
    echo
    for ((t = 0; t < 50; t++)); do
        echo "$t,$((t == 30 ? 90 : 3)),$((t == 31 ? 0 : 1))$(printf ",$((t % 4 + 1))%.0s" {1..38})"
    done | sed '46s/,1,/,nan,/'
} >log.csv
"$GRADTRACE" import log.csv --keys '*' -o many.h5 2>/dev/null
try plot many.h5 --group-by layer.module -p aggc --figure layers,intervals,spike,tails -o many
grep -E '^(N_PANELS|N_GROUPS|SPIKE|SPIKE_GROUP|FACTOR) =' many/intervals-aggc.gp many/spike.gp
try plot many.h5 --group-by layer -p aggc --figure layers,interval --group layers.3 -o kind
try plot many.h5 -p aggc --figure layers,spike,tails --term >drawn
tail -n 1 drawn
