# plot_paper.sh - pictures for a paper: as wide as a column, no titles, fonts inside, small files.
. "$TESTS/cli/try.bash"
command -v gnuplot >found || { echo "no gnuplot"; exit 77; }
command -v pdffonts >found || { echo "no pdffonts (Debian: apt install poppler-utils)"; exit 77; }

"$GRADTRACE" simulate --scenario culprit --layout llama-small --steps 9000 -o run.h5 2>/dev/null
policies=(-p global:max_norm=1 -p aggc-paper)
try plot run.h5 "${policies[@]}" --style paper -o one
try plot run.h5 "${policies[@]}" --style paper --columns 2 --format pdf -o two >/dev/null

for folder in one two; do
    for file in $folder/*.pdf; do pdfinfo "$file" | awk '/^Page size/ { print $3 }'; done | sort -u
    # emb is the column fifth from the end; every font is inside
    for file in $folder/*.pdf; do pdffonts "$file" | tail -n +3 | awk '{ print $(NF - 4) }'; done |
        sort -u
done
titles='Gradient norm per|Tails of|Scales by|held by|^Step [0-9]'
for file in one/*.pdf; do pdftotext "$file" - | grep -E "$titles"; done
echo "== type of 8 points is 10.67 pixels"
grep -o 'font-size="10[^"]*"' one/norms.svg | sort -u
echo "== files above 1 MB"
find one two -size +1000k
echo "== SVG is XML"
command -v xmllint >found && for file in one/*.svg; do xmllint --noout "$file"; done
ls one | wc -l
