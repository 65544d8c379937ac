# record_refusals.sh - what is wrong is told before the command starts, and nothing is left.
. "$TESTS/cli/try.bash"

try record
try record -o run.h5
try record -o run.h5 --
try record -- echo started
try record -o run -- echo started
try record -o run.txt -- echo started
try record -o run.h5 --elements some -- echo started
try record -o run.h5 --elements blocks:2 -- echo started
try record -o run.h5 --elements blocks:1/0 -- echo started
try record -o run.h5 --elements around-spikes:0 -- echo started
try record -o run.h5 --every 0 -- echo started
try record -o run.h5 --total-steps -1 -- echo started
try record -o run.h5 --elements full --first 5 --last 4 -- echo started
try record -o run.h5 --elements full --queue-mb 0 -- echo started
try record -o run.h5 --elements full --when-full bloc -- echo started
try record -o run.h5 --elements full --compression zip -- echo started
try record -o run.h5 --elements around-spikes:3 --spike-kappa 1 -- echo started
try record -o run.h5 --elements around-spikes:3 --spike-scale x -- echo started
try record -o run.h5 --elements around-spikes:3 --spike-policy globl --spike-scale 0.5 -- true
try record -o run.h5 --elements around-spikes:3 --spike-policy aggc-paper -- echo started
try record -o run.h5 --spike-policy aggc-paper -- echo started
try record -o run.h5 --rows micro -- echo started
try record -o run.h5 --rows micro-batch:0 -- echo started
try record -o run.gtr --segment-seconds 0 -- echo started
try record -o run.h5 --meta name -- echo started
# An option that would change nothing is a mistake.
try record -o run.h5 --every 10 -- echo started
try record -o run.h5 --elements full --spike-kappa 2 -- echo started
try record -o run.h5 --segment-mb 64 -- echo started
try record -o run.h5 --group-by modul -- echo started
try record -o no/such/folder/run.h5 -- echo started
try record --bogus -o run.h5 -- echo started
echo mine >run.h5
try record -o run.h5 -- echo started
cat run.h5
rm run.h5
# The command's own options are its own, with and without the two dashes.
try record -o run.h5 echo --every -o -- x
try record -o run.h5 -- sh -c 'exit 9'
try record -o run.h5 -- no-such-program
ls
