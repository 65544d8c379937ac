# diff_refusals.sh - wrong options are told, and nothing is written.
. "$TESTS/cli/try.bash"
make_trace run.h5
cp run.h5 two.h5
try diff
try diff run.h5
try diff run.h5 -p none
try diff run.h5 -p none -p none -p none
try diff run.h5 two.h5 run.h5
try diff run.h5 two.h5 --window 5
try diff run.h5 two.h5 --window 9:5
try diff run.h5 two.h5 --window :5
try diff run.h5 two.h5 --window 1:2 --window 1:2 --window 1:2
try diff run.h5 two.h5 --window 90:95
try diff run.h5 -p none -p none --window 90:95
try diff run.h5 two.h5 --kappa 0
try diff run.h5 two.h5 --json - --tsv -
try diff run.h5 two.h5 --tsv log.csv
try diff run.h5 no.h5
try diff run.h5 two.h5 -p globl
ls
