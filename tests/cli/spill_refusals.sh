# spill_refusals.sh - wrong options are told before any work, and nothing is written.
. "$TESTS/cli/try.bash"
make_trace run.h5
try spill
try spill run.h5
try spill run.h5 --max-norm 0
try spill run.h5 --max-norm automatic
try spill run.h5 --max-norm 1 --max-norm 2
try spill run.h5 --max-norm 1 --blame shaply
try spill run.h5 --max-norm 1 --kappa 0.5
try spill run.h5 --max-norm 1 --decay 1
try spill run.h5 --max-norm 1 --warmup 0
try spill run.h5 --max-norm auto --cost 0
try spill run.h5 --max-norm 1 --top -1
try spill run.h5 --max-norm 1 --tsv - --json -
try spill run.h5 --max-norm 1 --tsv - --steps -
try spill run.h5 --max-norm 1 --tsv - --figures f
try spill run.h5 --max-norm 1 --steps - --figures f
try spill run.h5 --max-norm 1 --format png
try spill run.h5 --max-norm 1 --figures f --format jpeg
try spill run.h5 -p globl:max_norm=1
try spill run.h5 -p global:max_norm=1,max_norm@q_proj=2
try spill run.h5 --max-norm 1 -o run.h5
try spill run.h5 --max-norm 1 --tsv log.csv
try spill no.h5 --max-norm 1
try spill run.h5 run.h5 --max-norm 1
ls
