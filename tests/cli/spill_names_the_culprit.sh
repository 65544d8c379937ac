# spill_names_the_culprit.sh - a group that was made to spike has most of the blame, what the
# innocent paid they paid for it, to 90 % at least, and it never pays for itself.
. "$TESTS/cli/try.bash"
for culprit in down_proj q_proj lm_head; do
    "$GRADTRACE" simulate --scenario culprit --culprit $culprit --seed 7 -o $culprit.h5 2>/dev/null
    for limit in auto 2; do
        "$GRADTRACE" spill $culprit.h5 --max-norm $limit --tsv - | awk -F'\t' -v c=$culprit '
            NR == 1 { for (i = 8; i <= NF; i++) if ($i == "from " c) own = i }
            NR > 1 && $7 > most { most = $7; name = $2 }
            NR > 1 && $2 == c { itself = $own }
            NR > 1 { for (i = 8; i <= NF; i++) { paid += $i; if (i == own) for_it += $i } }
            END { named = name == c && for_it >= 0.9 * paid
                  print c, (named ? "is named" : "is not: " name " " for_it / paid),
                        (itself == "0" ? "" : "and pays " itself " for itself") }'
    done
done
