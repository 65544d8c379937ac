# record_c_trainer.sh - a trainer in C records itself: right gradients, and a trace that replays.
trainer=$BUILD/tests/train_iris
if [ ! -x "$trainer" ]; then
    echo "no $trainer; make test builds it"
    exit 77
fi
"$trainer" "$TESTS/c_trainer/iris.csv" run.h5 >said.tsv 2>summary || cat summary
# Of central differences 1e-10 is their own error; one wrong sign would be 0.1 and more.
awk '{ print ($5 < 1e-8 ? "derivatives agree with differences of the loss" : $0)
       print ($7 > 0.94 ? "it tells irises apart" : $0) }' summary
"$GRADTRACE" info run.h5 | grep -E '^(gradients|tensors|steps|grouped|clipping|elements)'
"$GRADTRACE" info run.h5 --groups | awk '/weight|bias/ { print $1, $2 }'
# What the trainer did at each step is what replay says global:max_norm=1 does: all 120 steps.
"$GRADTRACE" replay run.h5 -p global:max_norm=1 --group-by all --steps - |
    awk 'NR == FNR { norm[$1] = $3; scale[$1] = $4; next }
         function far(a, b) { return a > b ? a - b > 1e-14 * a : b - a > 1e-14 * b }
         FNR > 1 { n++; wrong += far($4, norm[$1]) + far($7, scale[$1]) }
         END { print n, "steps,", wrong, "wrong" }' said.tsv -
"$GRADTRACE" update run.h5 -p global:max_norm=1 >update.txt && echo "its SGD is replayed, too"
"$trainer" "$TESTS/c_trainer/iris.csv" no/such/folder/run.h5 >/dev/null
echo "status $?"
