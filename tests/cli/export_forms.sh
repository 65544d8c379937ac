# export_forms.sh - layouts, formats and matrices of an export, and its refusals.
{
    echo step,loss,grads/l.0.q.weight,grads/l.1.q.weight,grads/l.1.k.weight
    printf '3,2.5,3,4,0.1\n8,,5,12,nan\n'
} | "$GRADTRACE" import - -o run.h5 2>/dev/null
"$GRADTRACE" export run.h5
"$GRADTRACE" export run.h5 --layout wide --group-by layer
"$GRADTRACE" export run.h5 --format jsonl --group-by all
"$GRADTRACE" export run.h5 --what sumsq --format tsv
"$GRADTRACE" export run.h5 --what nonfinite --layout wide -o counts.csv
cat counts.csv
"$GRADTRACE" export run.h5 -o counts.csv && echo "replaced without --force"
"$GRADTRACE" export run.h5 -o norms.jsonl
head -c 40 norms.jsonl
echo
"$GRADTRACE" export run.h5 >/dev/full
echo "status $?"
"$GRADTRACE" export run.h5 --what norms
echo "status $?"
"$GRADTRACE" export run.h5 --format jsonl --layout wide
echo "status $?"
"$GRADTRACE" export run.h5 --group-by modul
echo "status $?"
"$GRADTRACE" export counts.csv
echo "status $?"
"$GRADTRACE" export
