# plot_loss_above_norms.sh - a loss outside the range of the norms is drawn as well: its statistics
# were once taken of what lies in the norms' range, and there was nothing.
. "$TESTS/cli/try.bash"
command -v gnuplot >found || { echo "no gnuplot"; exit 77; }

"$GRADTRACE" simulate --scenario moe --steps 100 -o moe.h5 2>/dev/null
try plot moe.h5 -p none --figure norms --format png -o figures
[ -s figures/norms.png ] && echo drawn
