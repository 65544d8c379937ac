# diff_runs.sh - several runs a side: seeds of one setting are no difference; what cannot be
# compared is refused.
. "$TESTS/cli/try.bash"
for seed in 1 2 3 4 5 6; do
    "$GRADTRACE" simulate --scenario healthy --set drift=1 --seed $seed --steps 300 --layers 1 \
        -o $seed.h5 2>/dev/null
done
try diff 1.h5 2.h5 3.h5 -- 4.h5 5.h5 6.h5 | head -10
try diff --tsv - 1.h5 2.h5 -- 3.h5 4.h5 | head -3
try diff 1.h5 2.h5 -- 3.h5 4.h5 -p global:max_norm=1
try diff 1.h5 2.h5 -- 3.h5
try diff 1.h5 2.h5 --
try diff 1.h5 2.h5 3.h5
# one a side may have a "--" as well
try diff 1.h5 -- 2.h5 | sed -n 4,7p
try diff -p global:max_norm=1 --json - 1.h5 2.h5 -- 3.h5 4.h5 | head -12
