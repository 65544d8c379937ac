# full_disks.sh - a write that fails is told, the status is 1, and no half of a file stays.
. "$TESTS/cli/try.bash"
make_trace run.h5

to_full() {
    echo "\$ gradtrace $* >/dev/full"
    "$GRADTRACE" "$@" 2>&1 >/dev/full
    echo "-> $?"
}

# The tables that come beside are not the subject.
try_silently() {
    echo "\$ gradtrace $*"
    timeout 20 "$GRADTRACE" "$@" 2>&1 >/dev/null
    echo "-> $?"
}

to_full info run.h5
to_full info --policies
to_full replay run.h5 -p none
to_full replay run.h5 -p none --steps -
to_full replay run.h5 -p none --tsv -
to_full export run.h5
try_silently replay run.h5 -p none --steps /dev/full
try_silently replay run.h5 -p none --tsv /dev/full
try_silently export run.h5 -o /dev/full

# No file may grow beyond 1 KiB: to the program that is a disk that fills up while it writes.
limited() {
    local said
    said=$(trap "" XFSZ && ulimit -f 1 && try_silently "$@")
    echo "$said"
}
limited replay run.h5 -p none -p aggc --steps steps.tsv
limited replay run.h5 -p none -o result.h5
limited export run.h5 -o norms.csv
limited import log.csv -o again.h5
limited merge run.h5 -o packed.h5
limited merge run.h5 -o packed.gtr
limited recover run.h5 -o saved.h5
limited recover run.h5 -o saved.gtr
# What an output is to replace stays until there is another.
cp run.h5 old.h5
limited recover run.h5 -o old.h5 --force
cmp run.h5 old.h5
ls
