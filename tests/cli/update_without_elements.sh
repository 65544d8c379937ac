# update_without_elements.sh - a trace of norms alone: a guess that says it is one, everywhere.
"$GRADTRACE" update "$TRACES/gpt2.h5" -p global:max_norm=1 -p none --tsv steps.tsv -o result.h5 |
    sed "s,$TRACES/,,"
head -n 2 steps.tsv
awk -F'\t' 'NR > 1 { n++; known += $5 != "nan" || $7 != "nan"; guessed += $9 != "nan" }
    END { print n, "rows,", guessed, "with a proxy,", known, "with an update" }' steps.tsv
[ -s result.h5 ] && echo "a result"
