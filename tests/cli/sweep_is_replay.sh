# sweep_is_replay.sh - a setting taken out of a sweep and replayed alone has the same objectives, to
# the bit; whatever the number of threads.
"$GRADTRACE" sweep "$TRACES/lora.h5" -p aggc-paper --set beta=0.5,0.9,0.99 --set high=1.2:3:3:log \
    -p aggc-code-lora --set max_down=0,0.5,0.9 -p group --set quantile=0.5,0.9 \
    -p global --set max_norm=auto:5 --tsv sweep.tsv >/dev/null
"$GRADTRACE" sweep "$TRACES/lora.h5" -p aggc-paper --set beta=0.5,0.9,0.99 --set high=1.2:3:3:log \
    -p aggc-code-lora --set max_down=0,0.5,0.9 -p group --set quantile=0.5,0.9 \
    -p global --set max_norm=auto:5 --threads 1 --tsv one.tsv >/dev/null
cmp sweep.tsv one.tsv && echo "the same on one thread"

first=$(head -n 1 sweep.tsv | tr '\t' '\n' | grep -n '^clip_rate$' | cut -d: -f1)
last=$(head -n 1 sweep.tsv | tr '\t' '\n' | grep -n '^skip_rate$' | cut -d: -f1)
same=0 all=0
while IFS=$'\t' read -r wanted text; do
    got=$("$GRADTRACE" replay "$TRACES/lora.h5" -p "$text" --objectives - 2>/dev/null |
        tail -n 1 | cut -f2-)
    all=$((all + 1))
    [ "${got//$'\t'/ }" = "$wanted" ] && same=$((same + 1)) || echo "$text: $got, not $wanted"
done < <(tail -n +2 sweep.tsv | awk -F'\t' -v a="$first" -v b="$last" '{
    row = $a; for (i = a + 1; i <= b; i++) row = row " " $i; print row "\t" $NF }')
echo "$same of $all settings the same by replay"
