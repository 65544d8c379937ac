# simulate_scenarios.sh - every scenario makes a trace that says that it is synthetic, and what is
# in it; equal arguments give equal bytes, whatever the day and the number of threads.
. "$TESTS/cli/try.bash"

short="--steps 200 --layers 1"
try simulate --list
for name in $("$GRADTRACE" simulate --list |
              sed -n '/^scenarios/,/^$/s/^  \([a-z-]*\) .*/\1/p'); do
    "$GRADTRACE" simulate --scenario "$name" -o "$name.h5" $short 2>/dev/null
    SOURCE_DATE_EPOCH=0 "$GRADTRACE" simulate --scenario "$name" -o again.h5 $short --threads 2 \
        --force 2>/dev/null
    cmp "$name.h5" again.h5 && "$GRADTRACE" info "$name.h5" | grep -E '^(synthetic|tensors|steps)'
    "$GRADTRACE" replay "$name.h5" -p aggc-paper >/dev/null || echo "replay of $name: $?"
done
try simulate --scenario culprit --steps 60 --seed 3 --set spikes=2,spike_factor=50 \
    --culprit o_proj -o planted.h5
"$GRADTRACE" info planted.h5 | head -5 |
    sed 's/gradtrace [0-9.]* simulate/gradtrace VERSION simulate/'
try info planted.h5 --meta
"$GRADTRACE" simulate --scenario moe -o moe.h5 --force 2>/dev/null
"$GRADTRACE" info moe.h5 --groups | awk '/gate|experts/'
try simulate --scenario moe --layout moe-8x7b --steps 5 --set idle=0 -o large.h5
"$GRADTRACE" info large.h5 | grep ^tensors
