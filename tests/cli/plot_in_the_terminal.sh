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
awk 'length($0) > 80' drawn
grep -c "$(printf '\033')" drawn
ls -A temporary

echo "== the default is one figure"
"$GRADTRACE" plot run.h5 --term -p aggc | grep -oE '(Gradient|recorded|Scales).*' | sed 's/ *$//'
try plot run.h5 --term -p aggc -o figures
try plot run.h5 --term -p aggc --format svg
ls
