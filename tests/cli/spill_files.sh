# spill_files.sh - figures and the result file: which there are, that a script draws its picture
# again, and that what is there already is kept.
. "$TESTS/cli/try.bash"
"$GRADTRACE" simulate --scenario heavy --steps 400 -o run.h5 2>/dev/null
spill() {
    try spill run.h5 --max-norm 1 --tsv /dev/null "$@"
}
spill --figures figures | grep -E '^(figures/|gradtrace|->)'
ls figures
cp figures/spill_matrix.png before.png
(cd figures && gnuplot spill_matrix.gp 2>/dev/null) && cmp before.png figures/spill_matrix.png &&
    echo "drawn again: the same picture"
spill --figures figures | grep -E 'exists|^->'
for format in svg pdf tex; do
    spill --figures $format --format $format | grep -E '^(gradtrace|->)'
done
# Every row of blame, stacked: the top of the last bar of a bin is the sum of its excess.
spill --steps steps.tsv | tail -n 1
awk -F'\t' 'NR > 1 { if ($2 != last) sum += $7; last = $2 }
    END { printf "%.9f\n", sum }' steps.tsv
awk -F'\t' '/^$/ { next }
    FNR > 1 && $5 != "whole gradient" && NF == 5 { if ($4 > top[$1]) top[$1] = $4 }
    END { for (b in top) sum += top[b]; printf "%.9f\n", sum }' figures/spill_steps.tsv
# Nothing spilled: only the curve.
try spill run.h5 --max-norm 1e9 --figures calm --tsv /dev/null | grep -E '^(calm|gradtrace|->)'
try spill run.h5 -p none --figures none --tsv /dev/null | grep -E '^(none/|gradtrace|->)'
spill -o out.h5 | tail -n 1
spill -o out.h5 --threads 1 | tail -n 2
spill -o again.h5 --threads 1 | tail -n 1
cmp out.h5 again.h5 && echo "the same result on one thread"
