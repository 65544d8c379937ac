# plot_in_the_terminal.sh - figures as text on stdout; no file stays anywhere.
. "$TESTS/cli/try.bash"
command -v gnuplot >found || { echo "no gnuplot"; exit 77; }
make_trace run.h5
mkdir temporary
export TMPDIR=$PWD/temporary

# Drawings differ between versions of gnuplot; titles and marks do not.
"$GRADTRACE" plot run.h5 --figure all --term -p aggc -p global:max_norm=3 >drawn
echo "status $?"
grep -oE '(Gradient|recorded|after|held by|Scales|aggc:|global:max_norm=3:).*' drawn | sed 's/ *$//'
grep -cE '^ *[0-9.]* *\+?-*\+-*\+ *$' drawn
grep -q '  A o_proj' drawn && grep -q '  B k_proj' drawn && echo "groups have letters"
grep -q 'x clipped' drawn && echo "clipped steps have a mark"
tr -d '\f' <drawn | awk 'length($0) > 80'
grep -c "$(printf '\033')" drawn
ls -A temporary

echo "== more groups than the window has lines: each has its own"
{
    printf step
    printf ',g%02d' {1..40}
    echo
    for t in {1..9}; do echo "$t$(printf ",$((t % 4 + 1))%.0s" {1..40})"; done
} >many.csv
"$GRADTRACE" import many.csv --keys 'g*' -o many.h5 2>/dev/null
"$GRADTRACE" plot many.h5 --term --figure heatmap -p aggc >tall 2>/dev/null
grep -oE '^ *[0-9]+ \|.*[.%#]' tall | awk '{ print $1 }' | sort -u | wc -l

echo "== the default is one figure"
"$GRADTRACE" plot run.h5 --term -p aggc | grep -oE '(Gradient|recorded|Scales).*' | sed 's/ *$//'
try plot run.h5 --term -p aggc -o figures
try plot run.h5 --term -p aggc --format svg
ls
