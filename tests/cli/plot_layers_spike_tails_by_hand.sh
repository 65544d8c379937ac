# plot_layers_spike_tails_by_hand.sh - the numbers behind layers, intervals, spike and tails, small
# enough to check on paper.  gnuplot is kept out of the way: rows and scripts do not need it.
. "$TESTS/cli/try.bash"

mkdir nothing
plot() {
    PATH=$PWD/nothing "$GRADTRACE" plot "$@" >said 2>&1
    [ $? -eq 1 ] && grep -q '^gradtrace plot: gnuplot: not found' said || cat said
}

# Layer 10 stands before layer 2 in the log and above it in the figure; the norms of a layer are
# 3, 4 -> 5 and 6, 8 -> 10.
{
    printf 'step,embed.weight,layers.10.q_proj.weight,layers.10.k_proj.weight,'
    echo layers.2.q_proj.weight,layers.2.k_proj.weight,norm.weight
    echo 1,1,3,4,6,8,2
    echo 2,2,0,5,0,0,nan
} >log.csv
"$GRADTRACE" import log.csv --keys '*' -o run.h5 2>/dev/null
plot run.h5 -p none --figure layers -o layers
echo "== layers.tsv"
cat layers/layers.tsv
grep -E '^(MODULE|C_MIN|C_MAX|ROW\[.*|BLOCK\[.*|ONE_STACK) =' layers/layers.gp
plot run.h5 -p none --figure layers --group q_proj -o module
echo "== layers.tsv of q_proj"
cat module/layers.tsv

# 3001 steps in columns of 3: of 1 9 2 the largest is 9 and the median 2.
{
    echo step,layers.0.a,layers.1.a
    for ((t = 0; t < 3001; t++)); do echo "$t,$((t % 3 == 0 ? 1 : t % 3 == 1 ? 9 : 2)),1"; done
} >log.csv
"$GRADTRACE" import log.csv --keys '*' -o bins.h5 2>/dev/null
for bin in max median; do
    plot bins.h5 -p none --figure layers --bin $bin -o $bin
    echo "== $bin: first columns, the last, how many"
    awk -F'\t' '$4 == "layers.0"' $bin/layers.tsv | sed -n '1,2p;$p'
    awk -F'\t' '$4 == "layers.0"' $bin/layers.tsv | wc -l
done

# Twelve steps at 2 make a baseline of 2, over which 8 is 4; group:max_norm=4 halves it and leaves
# b.
{
    echo step,loss,grads/a,grads/b
    for ((t = 0; t < 14; t++)); do echo "$((10 * t)),$t,$((t == 12 ? 8 : 2)),1"; done
} >log.csv
"$GRADTRACE" import log.csv -o spike.h5 2>/dev/null
plot spike.h5 -p group:max_norm=4,eps=0 --figure spike,intervals -o spike
echo "== spike: at steps 100 to 130; ratios to nine digits"
awk -F'\t' -v OFS='\t' '$1 >= 100 && NF > 3 { print $1, sprintf("%.9g", $2), $3, $4 }' \
    spike/spike.tsv
grep -E '^(SPIKE|SPIKE_GROUP|SPIKE_RANK|KAPPA|FIRST|LAST|LOSS) =' spike/spike.gp
plot spike.h5 -p none --figure spike --step 110 -o step
grep -E '^(SPIKE|SPIKE_GROUP) =' step/spike.gp
echo "== intervals: steps 110 to 130, and what is told of the panels"
awk -F'\t' '$1 >= 110 && NF > 3' spike/intervals-group.tsv
grep -E '^(IS_LOG|LOW|HIGH)\[|^N_PANELS =' spike/intervals-group.gp

# The largest 10 of 200 norms are 2, all others 1: alpha = 10 / (10 ln 2) = 1.4427, error 0.4562.
{
    echo step,grads/a,grads/b
    for ((t = 0; t < 200; t++)); do echo "$t,$((t % 20 == 7 ? 2 : 1)),0"; done
} >log.csv
"$GRADTRACE" import log.csv -o tails.h5 2>/dev/null
plot tails.h5 -p none --figure tails -o tails
echo "== tails: where the ratio changes, of a; b is nothing but zeros"
awk -F'\t' 'NF == 3 && $1 != was { print; was = $1 }' tails/tails.tsv
grep -E '^(ALPHA|ERROR)\[.*\] =|^(TAIL|N_NORMS|RATIO_MAX) =' tails/tails.gp |
    sed 's/\(\.[0-9]\{4\}\)[0-9]*/\1/'
plot tails.h5 -p none --figure tails --tail 4 -o short
grep -E '^(ALPHA)\[1\] =' short/tails.gp

# A long run: a bin gives its least and its largest norm, and the steps clipped and raised most.
{
    echo step,a
    for ((t = 0; t < 8000; t++)); do echo "$t,$((t == 4003 ? 7 : t == 4005 ? 1 : 3))"; done
} >log.csv
"$GRADTRACE" import log.csv -o long.h5 2>/dev/null
plot long.h5 -p group:max_norm=5,eps=0 --figure interval -o long
echo "== the bin of steps 4000 to 4007, and how many rows there are of 8000"
awk -F'\t' '$1 >= 4000 && $1 < 4008' long/interval-group.tsv
awk -F'\t' '$1 >= 0 && NF > 3' long/interval-group.tsv | wc -l
grep -E '^(BIN|N_CLIPPED) =' long/interval-group.gp

# Not every clipped step is the largest of its bin: each bin that has one shows one.
{
    echo step,a
    x=1
    for ((t = 0; t < 8000; t++)); do
        x=$((x * 1103 % 7919))
        echo "$t,$((100 + x % 300))"
    done
} >log.csv
"$GRADTRACE" import log.csv -o noise.h5 2>/dev/null
plot noise.h5 -p aggc:beta=0.1,high=1.2 --figure interval -o noise
"$GRADTRACE" replay noise.h5 -p aggc:beta=0.1,high=1.2 --steps steps.tsv >table 2>&1
bins() { # of steps whose scale (column $2) is below or above 1
    awk -F'\t' -v c="$2" '$1 ~ /^[0-9]+$/ && $c != "nan" && $c != 1 {
        print int($1 / 8), ($c < 1 ? "clipped" : "raised") }' "$1" | sort -u
}
bins steps.tsv 7 >wanted
bins noise/interval-aggc.tsv 5 >got
echo "== bins with a clipped step: how many, and the same ones are shown"
cut -d' ' -f2 wanted | sort | uniq -c
cmp wanted got && echo same

# A limit on the whole gradient holds the root of 8^2 + 1.
plot spike.h5 -p global:max_norm=4,eps=0 --group b --figure interval -o whole
awk -F'\t' '$1 == 120 { printf "%.9g %s\n", $2, $4 }' whole/interval-global.tsv
