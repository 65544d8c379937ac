# spill_spills_nothing.sh - of policies that decide for each group by itself every number is exactly
# 0; and where nobody exceeds its past, those of a global limit are too (but for whose the norm is).
. "$TESTS/cli/try.bash"
"$GRADTRACE" spill "$TRACES/gpt2.h5" -p aggc-paper -p group:quantile=0.9 -p none --tsv groups.tsv \
    --json groups.json --steps steps.tsv >/dev/null
awk -F'\t' 'NR > 1 { for (i = 5; i <= NF; i++) if (i != 9 && i != 10 && $i != "0") bad++ }
    END { print NR - 1, bad + 0 }' groups.tsv
sed -n '/"policies"/,/"worst_steps"/p' groups.json |
    grep -E '"(excess|excess_share|excess_cost|bystanders|lost_descent|culprits)"' | sort | uniq -c
wc -l <steps.tsv
# Above kappa 1000 is nobody.
"$GRADTRACE" spill "$TRACES/gpt2.h5" --max-norm 1 --kappa 1000 --tsv - |
    awk -F'\t' 'NR > 1 { for (i = 5; i <= NF; i++) if (i != 9 && i != 10 && $i != "0") bad++ }
        END { print bad + 0 }'
"$GRADTRACE" spill "$TRACES/gpt2.h5" --max-norm 1 --kappa 1000 | sed -n '5,6p'
