# diff_traces.sh - two traces: noise is no change, a spiking group and a jump are found, groups that
# only one has are listed, runs of different length are compared where both have steps.
. "$TESTS/cli/try.bash"
calm=uneven=0,drift=1
"$GRADTRACE" simulate --scenario healthy --set $calm -o a.h5 2>/dev/null
"$GRADTRACE" simulate --scenario healthy --set $calm --seed 2 --steps 1200 -o b.h5 2>/dev/null
"$GRADTRACE" simulate --scenario culprit --culprit down_proj --set $calm,spikes=30 \
    -o c.h5 2>/dev/null
"$GRADTRACE" simulate --scenario regime --set $calm,change=1.3 --steps 4000 -o jump.h5 2>/dev/null
try diff a.h5 b.h5
try diff a.h5 c.h5 -p global:max_norm=1.5 | sed -n 1,9p
try diff jump.h5 --window 0:1999 --window 2000:3999 | sed -n 1,9p
# Same answer whatever the number of threads.
try diff a.h5 b.h5 --tsv - --threads 1 >one
try diff a.h5 b.h5 --tsv - --threads 3 >three
sed 's/--threads .//' one >1 && sed 's/--threads .//' three | cmp - 1 && echo same
grep -P '^(group|k_proj)\t' one
# Of itself nothing differs.
try diff a.h5 a.h5 --tsv - | awk -F '\t' '$10 == "1"' | head
try diff a.h5 c.h5 --window 0:99 --json - | sed -n 1,16p
# Groups that one of them lacks; too few steps to judge.
{ echo step,q_proj,k_proj; for t in 0 1 2 3; do echo "$t,1,2"; done; } >q.csv
{ echo step,q_proj,v_proj; for t in 1 2 3 4; do echo "$t,3,2"; done; } >v.csv
"$GRADTRACE" import q.csv -o q.h5 >/dev/null 2>&1
"$GRADTRACE" import v.csv -o v.h5 >/dev/null 2>&1
try diff q.h5 v.h5
