# report_refusals.sh - what gradtrace report does not take, and what it leaves alone.
. "$TESTS/cli/try.bash"
make_trace run.h5

try report
try report run.h5
try report nothing.h5 -o page.html
try report run.h5 -p aggcc -o page.html
try report run.h5 --tsv - -o page.html
try report run.h5 run.h5 -o page.html
try report run.h5 -o nowhere/page.html
try report run.h5 -o page.html --tsv run.h5
ls

echo "== existing files stay"
echo mine >page.html
mkdir tables
echo mine >tables/other.tsv
try report run.h5 -o page.html
try report run.h5 -o new.html --tsv tables
cat page.html tables/other.tsv
try report run.h5 -o page.html --tsv tables --force
cat tables/other.tsv
head -c 15 page.html && echo
ls -A . tables

echo "== without gnuplot"
mkdir nothing broken
PATH=$PWD/nothing "$GRADTRACE" report run.h5 -o plain.html --tsv plain 2>&1
echo "-> $?"
python3 "$TESTS/cli/report.py" shape plain.html
python3 "$TESTS/cli/report.py" numbers plain.html plain
python3 "$TESTS/cli/report.py" text plain.html | grep 'missing from'
printf '#!/bin/sh\necho trouble >&2\nexit 3\n' >broken/gnuplot
chmod +x broken/gnuplot
PATH=$PWD/broken:$PATH "$GRADTRACE" report run.h5 -o failed.html 2>&1 | tail -n 1
python3 "$TESTS/cli/report.py" text failed.html | grep 'missing from'
[ -w /dev/full ] && try report run.h5 -o /dev/full
