# sweep_names.sh - names that would steer a terminal or forge a line do not, whichever way they are
# told; in every table all rows have names of their own, and so have the keys of JSON.
. "$TESTS/cli/strange.bash"
make_strange run.h5
cp run.h5 other.h5
mkdir else && cp run.h5 else/other.h5
"$GRADTRACE" sweep run.h5 -p aggc-paper --set beta=0.5,0.9 --set high=1.2,2 \
    -p aggc --set beta=0.5,0.9,0.99 --set high=1.2,2 --group-by tensor \
    --split 2 --against other.h5 --against else/other.h5 \
    --tsv sweep.tsv --json sweep.json >sweep.txt || exit
look sweep.txt sweep.tsv sweep.json
first_columns knob <sweep.txt
first_columns 'steps or trace' <sweep.txt
head -n 1 sweep.tsv
"$python" - <<'END'
import csv, json
rows = json.load(open("sweep.json"))
lines = list(csv.reader(open("sweep.tsv"), delimiter="\t"))[1:]
same = [len(row) == len(line) and all(
    str(v) == c or v is None and c == "nan" or float(c) == v for v, c in zip(row.values(), line))
    for row, line in zip(rows, lines)]
print(", ".join(rows[0]))
print(len(rows), "rows;", sum(same), "as in TSV")
END
# A name in what is to be pasted.
"$GRADTRACE" sweep run.h5 -p group --set max_norm=auto:5 --group-by tensor >paste.txt
look paste.txt
grep -A8 'limits = {' paste.txt
