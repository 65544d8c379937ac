# folders_that_lie.sh - in a folder of segments, what carries a part's name and is none.
. "$TESTS/cli/try.bash"
make_trace run.h5
"$GRADTRACE" merge run.h5 -o good.gtr 2>/dev/null
segment=rank0.000000000000.h5

# Never waited for, never read without end.
ask() {
    cp -r good.gtr bad.gtr
    rm -f "bad.gtr/$2"
    "$@"
    try info bad.gtr | head -n 2
    try verify bad.gtr
    try recover bad.gtr -o saved.h5
    try merge bad.gtr -o packed.h5
    rm -rf bad.gtr saved.h5 packed.h5
}
pipe() { mkfifo "bad.gtr/$1"; }
folder() { mkdir "bad.gtr/$1"; }
endless() { ln -s /dev/zero "bad.gtr/$1"; }
lost() { ln -s nowhere "bad.gtr/$1"; }
strange() { echo 'not a part of a trace' >"bad.gtr/$1"; }
for kind in pipe folder endless lost strange; do
    for part in $segment rank0.journal; do
        echo "--- $kind $part"
        ask $kind $part
    done
done
ls
