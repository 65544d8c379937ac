# replay_keeps_existing_files.sh - without --force nothing is replaced; with it, whole files are.
. "$TESTS/cli/try.bash"
make_trace run.h5

for option in -o --steps --tsv; do
    echo mine >there
    try replay run.h5 -p none $option there
    cat there
    "$GRADTRACE" replay run.h5 -p none $option there --force >/dev/null
    echo "forced: $?, $([ "$(cat there | tr -d '\0')" = mine ] && echo kept || echo replaced)"
    rm there
    try replay run.h5 -p none $option missing/there
    try replay run.h5 -p none $option .
done
# The trace itself is no place for the result.
cp run.h5 copy.h5
try replay run.h5 -p none -o run.h5
cmp run.h5 copy.h5
ls
