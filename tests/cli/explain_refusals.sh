# explain_refusals.sh - wrong options are told; a step that is not there gets its neighbours.
. "$TESTS/cli/try.bash"
{ echo step,q_proj; for t in 5 10 15 30; do echo "$t,1"; done; } >gaps.csv
"$GRADTRACE" import gaps.csv -o gaps.h5 >/dev/null 2>&1
try explain
try explain gaps.h5
try explain gaps.h5 --step 12
try explain gaps.h5 --step 4
try explain gaps.h5 --step 31
try explain gaps.h5 --step wrst
try explain gaps.h5 --step 10 --kappa 0.5
try explain gaps.h5 --step 10 --top -1
try explain gaps.h5 --step 10 -p globl:max_norm=1
try explain gaps.h5 --step 10 --json gaps.csv
try explain no.h5 --step 1
try explain gaps.h5 gaps.h5 --step 5
ls
