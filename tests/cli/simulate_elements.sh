# simulate_elements.sh - made-up elements, all of them or a sample, and what info says of them.
. "$TESTS/cli/try.bash"

try simulate --scenario culprit --layout tiny --steps 40 --elements full -o full.h5
try simulate --scenario culprit --layout tiny --steps 40 --elements blocks:1/4 -o some.h5
try simulate --scenario culprit --layout tiny --steps 1 --set spikes=0 --elements full -o one.h5
for trace in full some one; do
    "$GRADTRACE" info $trace.h5 | grep -A1 '^elements'
done
"$GRADTRACE" info some.h5 --meta | grep -A5 '"elements"'
"$GRADTRACE" simulate --scenario culprit --layout tiny --steps 40 --elements full -o again.h5 \
    2>/dev/null
cmp full.h5 again.h5 && echo the same bytes
