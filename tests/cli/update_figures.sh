# update_figures.sh - the figures of an update: which there are, that each is drawn again by its
# script, and that what is there already is kept.
. "$TESTS/cli/try.bash"
command -v gnuplot >found || { echo "no gnuplot"; exit 77; }
update() {
    try update "$TRACES/lora.h5" -p none -p global:max_norm=1 -p aggc-code-lora "$@" 2>&1
}
update --figures figures | grep -E '^(figures/|->)'
ls figures
for figure in update_change update_groups; do
    cp figures/$figure.png before.png
    (cd figures && LC_ALL=C.UTF-8 gnuplot $figure.gp 2>&1)
    cmp before.png figures/$figure.png && echo "$figure drawn again: the same picture"
done
update --figures figures | grep -E 'exists|^->'
update --figures formats --format svg --format pdf --format tex | grep -E '^(formats/|->)'
update --figures figures --group-by tensor --force | grep -E '^(figures/|->)'
"$GRADTRACE" update "$TRACES/gpt2.h5" -p global:max_norm=1 --figures guessed | grep '^guessed/'
grep -c norms guessed/update_change.tsv
COLUMNS=80 "$GRADTRACE" update "$TRACES/lora.h5" -p global:max_norm=1 --term 2>&1 |
    sed -n '/Change of/p'
