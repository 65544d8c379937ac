# spill_names_the_culprit.sh - a group that was made to spike has at least 95 % of the blame at any
# limit that its spikes pass and others' norms do not, and never pays for itself.
. "$TESTS/cli/try.bash"
for culprit in down_proj q_proj lm_head; do
    "$GRADTRACE" simulate --scenario culprit --culprit $culprit --seed 7 -o $culprit.h5 2>/dev/null
    for limit in auto 2; do
        "$GRADTRACE" spill $culprit.h5 --max-norm $limit --tsv - | awk -F'\t' -v c=$culprit '
            NR > 1 && $7 > most { most = $7; name = $2 }
            NR > 1 && $2 == c { for (i = 8; i <= NF; i++) paid[i] = $i }
            NR == 1 { for (i = 8; i <= NF; i++) if ($i == "from " c) own = i }
            END { print c, (name == c && most >= 0.95 ? "is named" : "is not: " name " " most),
                        (paid[own] == "0" ? "" : "and pays " paid[own] " for itself") }'
    done
done
