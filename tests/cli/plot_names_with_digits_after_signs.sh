# plot_names_with_digits_after_signs.sh - in a script a sign is written by its number, which gnuplot
# ends at the first character that is no digit: "w[0]" came out as another character.
. "$TESTS/cli/try.bash"
command -v gnuplot >found || { echo "no gnuplot"; exit 77; }

printf 'step,grads/w[0],grads/w[1]#7,grads/$8\n1,1,2,3\n2,2,3,4\n3,2,2,2\n' >log.csv
"$GRADTRACE" import log.csv -o run.h5 2>/dev/null
"$GRADTRACE" plot run.h5 -p none --figure norms --format svg -o figures 2>/dev/null
grep -oE '>(w\[|\$)[^<]*<' figures/norms.svg
