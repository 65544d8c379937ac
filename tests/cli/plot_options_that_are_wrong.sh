# plot_options_that_are_wrong.sh - each is refused before anything is written.
. "$TESTS/cli/try.bash"
make_trace run.h5

try plot
try plot run.h5 other.h5
try plot run.h5 --figure norm
try plot run.h5 --figure norms,,scales
try plot run.h5 --format gif
try plot run.h5 --format png,jpg
try plot run.h5 --size 5by3
try plot run.h5 --size 0.2x3
try plot run.h5 --size 5x
try plot run.h5 --size nan
try plot run.h5 -p aggcc
try plot run.h5 -p aggc --group k_prj
try plot run.h5 -p aggc --group xylophone
try plot run.h5 --figure layers --group k_prj
try plot run.h5 --step 99
try plot run.h5 --step last
try plot run.h5 --bin mean
try plot run.h5 --tail 0
try plot run.h5 --tail 51
try plot run.h5 --style poster
try plot run.h5 --columns 2
try plot run.h5 --style paper --columns 3
try plot run.h5 --style paper --columns 2 --size 5
try plot run.h5 --style paper --term
ls
