# plot_names.sh - in a picture all groups and policies have names of their own, and its files hold
# nothing that steers a terminal; the panels of `intervals` have one kind of axis.
. "$TESTS/cli/strange.bash"
command -v gnuplot >/dev/null || { echo "no gnuplot"; exit 77; }
make_strange run.h5
names_differ() {
    local file array
    for file in "$@"; do
        for array in GROUP ROW PANEL SIDE POLICY; do
            grep -oE "^$array\[[0-9]+\] = .*" "$file" | cut -d = -f 2 | sort | uniq -d |
                sed "s,^,$file $array twice:,"
        done
    done
}
plot() {
    "$GRADTRACE" plot "$1" --group-by tensor -p aggc-paper:beta=0.9123456789012345678 \
        -p aggc-paper:beta=0.9123456789012345677 --figure all --format svg -o "$2" \
        >/dev/null 2>&1 || exit
    "$GRADTRACE" spill "$1" --group-by tensor --max-norm auto --figures "$2" --format svg \
        >/dev/null || exit
    names_differ "$2"/*.gp
}
plot run.h5 strange
look strange/*.gp strange/*.svg | grep -v 'steers nothing$'
for trace in gpt2 lora; do
    plot "$TRACES/$trace.h5" $trace
done
for axis in --log --linear ""; do
    "$GRADTRACE" plot "$TRACES/lora.h5" -p aggc-paper --figure intervals $axis -o axes$axis \
        >/dev/null 2>&1
    grep -o 'IS_LOG\[[0-9]*\] = [01]' axes$axis/intervals-aggc-paper.gp | cut -d = -f 2 | uniq -c
done
