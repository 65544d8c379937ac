# simulate_refusals.sh - what is wrong is named, with its value, what it may be and what is near;
# and nothing is written.
. "$TESTS/cli/try.bash"

try simulate
try simulate --scenario healthy
try simulate -o t.h5
try simulate t.h5
try simulate --scenario helthy -o t.h5
try simulate --scenario sunshine -o t.h5
try simulate --scenario moe --layout moe-8x7 -o t.h5
try simulate --scenario healthy --steps 0 -o t.h5
try simulate --scenario healthy --steps many -o t.h5
try simulate --scenario healthy --steps 2000000 -o t.h5
try simulate --scenario healthy --layers -1 -o t.h5
try simulate --scenario healthy --seed -1 -o t.h5
try simulate --scenario healthy --set spred=0.1 -o t.h5
try simulate --scenario healthy --set spread -o t.h5
try simulate --scenario healthy --set spread= -o t.h5
try simulate --scenario healthy --set spread=wide -o t.h5
try simulate --scenario healthy --set spread=nan -o t.h5
try simulate --scenario healthy --set spread=0.1,memory=1 -o t.h5
try simulate --scenario healthy --set spikes=2.5 -o t.h5
try simulate --scenario healthy --set spikes=2 --set spikes=-1 -o t.h5
try simulate --scenario culprit --culprit down_poj -o t.h5
try simulate --scenario culprit --culprit nobody -o t.h5
try simulate --scenario healthy --culprit q_proj -o t.h5
try simulate --scenario culprit --steps 20 -o t.h5
try simulate --scenario moe --layout llama-7b -o t.h5
try simulate --scenario heavy --set stray=1 -o t.h5
try simulate --scenario healthy --steps 5 -o nowhere/t.h5
ls
echo keep me >t.h5
try simulate --scenario healthy --steps 5 -o t.h5
cat t.h5
try simulate --scenario healthy --steps 5 -o t.h5 --force
"$GRADTRACE" info t.h5 | grep ^steps
try simulate --scenario healthy --elements some -o e.h5
try simulate --scenario healthy --elements blocks:2 -o e.h5
try simulate --scenario healthy --elements full --elements-limit 0 -o e.h5
try simulate --scenario healthy --elements full -o e.h5
try simulate --scenario healthy --layout tiny --elements blocks:1/2 --elements-limit 0.1 -o e.h5
ls
