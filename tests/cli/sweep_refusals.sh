# sweep_refusals.sh - wrong options are told before any work, and nothing is written.
. "$TESTS/cli/try.bash"
make_trace run.h5
try sweep
try sweep run.h5
try sweep run.h5 --set beta=0.5 -p aggc
try sweep run.h5 -p aggc --set bta=0.5
try sweep run.h5 -p aggc --set beta=0.5:2:4
try sweep run.h5 -p aggc --set beta=0.5:0.9
try sweep run.h5 -p aggc --set beta=0.5,0.9 --where 'lo<high'
try sweep run.h5 -p aggc --set beta=0.5,0.9 --goal leek
try sweep run.h5 -p aggc --set beta=0.5,0.9 --goal leak --goal spill --goal volatility --goal leak
try sweep run.h5 -p aggc --set beta=0.5,0.9 --limit 'clip_rate=0.1'
try sweep run.h5 -p aggc --set beta=0.5,0.9 --shard 3/2 -o x.h5
try sweep run.h5 -p aggc --set beta=0.5,0.9 --shard 1/2
try sweep run.h5 -p aggc --set beta=0.5,0.9 --random 5 --sobol 5
try sweep run.h5 -p aggc --set beta=0.5,0.9 -o run.h5
try sweep run.h5 -p aggc --set beta=0.5,0.9 --split 41
# Figures are told on standard output, and were left out without a word.
try sweep run.h5 -p aggc --set beta=0.5,0.9 --json - --figures figures
try sweep run.h5 -p aggc --set beta=0.5,0.9 --term --figures figures
echo text >x.h5.part
try sweep run.h5 -p aggc --set beta=0.5,0.9 -o x.h5
try sweep run.h5 -p aggc --set beta=0.5,0.9 --join run.h5 -o x.h5
ls

# Nothing to clip at all is told of as any run.
printf 'step\tnorm_a\n0\t0\n1\t0\n' >zero.tsv
"$GRADTRACE" import zero.tsv --columns 'step=step,norm=norm_*' -o zero.h5 2>/dev/null
"$GRADTRACE" sweep zero.h5 -p global --set max_norm=1,2 | sed -n '/^recommended/,/^  -p/p;/so few/p'
