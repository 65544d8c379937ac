# explain_elements.sh - a step whose elements were captured has its update too, and it is the one
# that `gradtrace update` tells of.
. "$TESTS/cli/try.bash"
"$GRADTRACE" simulate --scenario culprit --culprit down_proj --layout tiny --set spikes=2 \
    --steps 40 --elements full -o run.h5 2>/dev/null
try explain run.h5 --step worst -p global:max_norm=1 -p none
"$GRADTRACE" explain run.h5 --step worst -p global:max_norm=1 --json out.json >/dev/null
step=$(sed -n 's/^  "step": \([0-9]*\),/\1/p' out.json)
sed -n 's/^ *"update_change": \(.*\),/\1/p' out.json >explained
"$GRADTRACE" update run.h5 -p global:max_norm=1 --tsv - 2>/dev/null |
    awk -v step="$step" '$1 == step && $3 !~ /^\(/ { print $7 }' >updated
cmp explained updated && echo "step $step: the same $(wc -l <explained) changes"
