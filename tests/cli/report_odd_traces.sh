# report_odd_traces.sh - one step, nothing clipped, nothing finite, nothing but zeros, one group,
# norms recorded after clipping: the sentences are right there too.
command -v gnuplot >/dev/null || { echo "no gnuplot"; exit 77; }
page() { python3 "$TESTS/cli/report.py" "$@"; }

make() { # NAME: a log on standard input
    cat >"$1.csv"
    "$GRADTRACE" import "$1.csv" -o "$1.h5" --total-steps 60 2>/dev/null || echo "no trace"
}
show() { # NAME OPTIONS: the sentences of the first sections
    local name=$1
    shift
    "$GRADTRACE" report $name.h5 "$@" -o $name.html --tsv $name --force 2>&1
    page shape $name.html | grep -v -e '^sections' -e '^tables'
    page numbers $name.html $name | grep -v '^checked'
    page text $name.html | sed -n '/^In short/,/^The doctor/p' | grep -v '^The doctor'
    page text $name.html spill | sed -n 1,5p
    page text $name.html compare | sed -n 2p
    page text $name.html update | grep -E '^(This|There|The update|As far)'
}

echo "== one step"
printf 'step,q_proj,k_proj\n7,1,2\n' | make one
show one
echo "== one group"
{ echo step,all; for ((t = 0; t < 60; t++)); do echo $t,$((t == 30 ? 41 : 1 + t % 5)); done; } |
    make group
show group
echo "== never clipped"
{ echo step,grads/a,grads/b; for ((t = 0; t < 60; t++)); do echo $t,$((1 + t % 2)),2; done; } |
    make calm
show calm -p global:max_norm=100 -p none
page text calm.html run
echo "== always by the same"
show calm -p global:max_norm=0.01 -p aggc-code-lora
page text calm.html clip | sed -n '/^global/,/^What/p'
echo "== nothing finite"
printf 'step,grads/a,grads/b\n1,nan,1\n2,1,inf\n' | make nan
show nan
echo "== nothing but zeros"
printf 'step,grads/a,grads/b\n1,0,0\n2,0,0\n' | make zero
show zero
echo "== recorded after clipping"
"$GRADTRACE" import group.csv -o after.h5 --total-steps 60 --grad-state post-clip 2>&1 |
    grep -v after.h5
show after
page text after.html run | sed -n '/recorded after/p'
