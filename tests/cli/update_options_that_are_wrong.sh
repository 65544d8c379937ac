# update_options_that_are_wrong.sh - what cannot be meant is said in one line, before any work.
. "$TESTS/cli/try.bash"
make_trace run.h5
try update
try update run.h5
try update run.h5 -p none -p nonne
try update run.h5 -p none --optimizer adamx
try update run.h5 -p none --optimizer adamw:beta2=1
try update run.h5 -p none --warm-up x
try update run.h5 -p none --warm-up 40
try update run.h5 -p none --format svg
try update run.h5 -p none --term --figures figures
try update run.h5 -p none --tsv - --figures figures
try update run.h5 -p none --device gpu
echo mine >steps.tsv
try update run.h5 -p none --tsv steps.tsv
try update run.h5 -p none -o no/such/folder.h5
cat steps.tsv
ls
