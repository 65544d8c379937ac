# spill_report.sh - what spill tells people, on a small trace and on a recorded run: one spike, the
# limit that the run had, policies that decide for each group, and limits that do nothing.
. "$TESTS/cli/try.bash"
make_trace run.h5
cp "$TRACES/gpt2.h5" "$TRACES/lora.h5" .
try spill run.h5 --max-norm 10
try spill run.h5 --max-norm 10 -p group:max_norm=2 -p none -p global:max_norm=5 --kappa 2.5 |
    head -n 12
try spill run.h5 -p group:max_norm=2
try spill run.h5 --max-norm 1000 | sed -n '1,8p'
try spill run.h5 --max-norm 10 --blame leave-one-out --kappa 1.01 | sed -n '5,22p'
try spill gpt2.h5 --max-norm auto --cost 0.02 --top 1
try spill lora.h5 --max-norm 1.5 --top 2 | tail -n 40
# Neither -p nor --max-norm: the limit in meta.
try spill lora.h5 | sed -n '5,8p'
