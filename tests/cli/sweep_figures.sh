# sweep_figures.sh - the figures of a sweep: which there are, that each is drawn again by its
# script, and that what is there already is kept.
. "$TESTS/cli/try.bash"
sweep() {
    try sweep "$TRACES/lora.h5" -p aggc --set beta=0.5,0.9,0.99 --set high=1.5:4:4:log \
        -p global --set max_norm=auto:6 --tsv /dev/null "$@" 2>&1
}
sweep --figures figures | grep -E '^(figures/|->)'
ls figures | grep -c tsv
cp figures/sweep_front.png before.png
(cd figures && gnuplot sweep_front.gp 2>/dev/null) && cmp before.png figures/sweep_front.png &&
    echo "drawn again: the same picture"
sweep --figures figures | grep -E 'exists|^->'
sweep --format svg | grep -E '^gradtrace|^->'
"$GRADTRACE" sweep "$TRACES/lora.h5" -p global --set max_norm=auto:6 --term 2>/dev/null |
    grep -c 'max_norm'
