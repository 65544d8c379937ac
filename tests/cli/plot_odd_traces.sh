# plot_odd_traces.sh - names that are commands to gnuplot or LaTeX, steps without norms, a run of
# one step: each is drawn, and nothing is run.
. "$TESTS/cli/try.bash"
command -v gnuplot >found || { echo "no gnuplot"; exit 77; }

# Everything in the folder comes from here; a name that ran would leave "pwned".
{
    printf %s step,
    printf '"%s",' "a'b\`touch pwned\`'" "'; system 'touch pwned' #" 'c""d%s@HEAD' \
        '""; system ""touch pwned""; #'
    echo 'e_{f}$\alpha^2~#&<|>,-,x\'
    echo 10,1,2,3,5,0,5,1
    echo 20,2,nan,4,5,1e3,5,2
    echo 30,4,8,0,5,1e-3,5,3
} >odd.csv
"$GRADTRACE" import odd.csv --keys '*' -o odd.h5 2>&1
try plot odd.h5 -p aggc -p global -o odd --format png,svg,pdf,tex | grep -v '^odd/'
for file in odd/*; do [ -s "$file" ] || echo "$file is empty"; done
ls odd | wc -l
# The names are in the picture as they are; in SVG, spelled for XML.
grep -oE "(>|\[)[^<>]*(pwned|HEAD|alpha)[^<]*" odd/norms.svg
try plot odd.h5 -p aggc --figure all --term >drawn
grep '^->' drawn
ls

echo "== one step"
printf 'step,grads/a,grads/b\n7,1.5,2.5\n' >one.csv
"$GRADTRACE" import one.csv -o one.h5 2>/dev/null
try plot one.h5 -p aggc -p global -o one
echo "== nothing finite"
printf 'step,grads/a,grads/b\n1,nan,1\n2,1,inf\n' >nan.csv
"$GRADTRACE" import nan.csv -o nan.h5 2>/dev/null
try plot nan.h5 -p aggc -o nan
echo "== nothing but zeros"
printf 'step,grads/a,grads/b\n1,0,0\n2,0,0\n' >zero.csv
"$GRADTRACE" import zero.csv -o zero.h5 2>/dev/null
try plot zero.h5 -p aggc -p none -o zero --log
