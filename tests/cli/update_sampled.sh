# update_sampled.sh - from some blocks of the elements: estimates whose errors are as large as they
# say; and a run seen from its start needs no warm-up.
make() { # SEED ELEMENTS FILE
    "$GRADTRACE" simulate --scenario culprit --layout tiny --steps 120 --seed "$1" --elements "$2" \
        -o "$3.h5" 2>/dev/null
    "$GRADTRACE" update "$3.h5" -p global:max_norm=0.5 --tsv "$3.tsv" >"$3.txt"
}
for seed in 1 2 3; do
    make $seed full full$seed
    make $seed blocks:0.4 blocks$seed
done
head -n 3 blocks1.txt
sed -n '/change of the update/,/group/p' blocks1.txt

# Few blocks are named.
"$GRADTRACE" simulate --scenario healthy --layout tiny --steps 20 --elements blocks:1/8 -o few.h5 \
    2>/dev/null
"$GRADTRACE" update few.h5 -p global:max_norm=0.5 | sed -n 4,5p

# Median and half of the interval of the whole update's change, beside that from all elements.
for seed in 1 2 3; do
    paste <(grep '(all)' full$seed.txt) <(grep '(all)' blocks$seed.txt)
done | tr -d % | awk '{ z = ($14 - $3) / $15; sum += z * z }
    END { print "the whole:", (sum / NR < 1 ? "as far off as it says" : "off by " sqrt(sum / NR)) }'

# And step by step, of groups that have twelve sampled blocks.
paste full1.tsv blocks1.tsv | awk -F'\t' '$3 == "embed_tokens" || $3 == "lm_head" {
        error = $19 - $7
        squares += $23 > 0 ? error * error / ($23 * $23) : 0
        n++
    }
    END {
        said = squares / n < 4 && squares / n > 0.2 ? "as far off as they say" : "not as they say"
        print n, "changes,", said
    }'
