# info_options_that_are_wrong.sh - each is told with its name, and the status is 2.
. "$TESTS/cli/try.bash"
make_trace run.h5

try info
try info run.h5 run.h5
try info run.h5 --policies
try info run.h5 --group-rules
try info run.h5 --groups --steps
try info --policies --group-rules
try info run.h5 --steps --group-by all
try info run.h5 --threads x
try info run.h5 --threads 1000
try info run.h5 --polices
try info run.h5 --groups=module
try info none.h5
try info .
