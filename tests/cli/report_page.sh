# report_page.sh - the page of the committed traces: its parts, that nothing in it comes from
# elsewhere, and that the same command gives the same bytes.
command -v gnuplot >/dev/null || { echo "no gnuplot"; exit 77; }
page() { python3 "$TESTS/cli/report.py" "$@"; }

cp "$TRACES/lora.h5" "$TRACES/gpt2.h5" .
for trace in lora gpt2; do
    echo "== $trace"
    "$GRADTRACE" report $trace.h5 -o $trace.html 2>&1
    page shape $trace.html
    page text $trace.html | sed -n '/^In short/,/^The doctor/p' | grep -v '^The doctor'
    "$GRADTRACE" report $trace.h5 -o - --threads 1 >again.html
    # But for -o.
    diff <(sed "s/-o $trace.html</-o -</" $trace.html) again.html >/dev/null || echo "not the same"
done
echo "== policies of the user's choice, other groups, a title"
"$GRADTRACE" report gpt2.h5 -p global:max_norm=1 -p global:max_norm=2 -p group:quantile=0.9 \
    --group-by layer --title 'Run 7 & "friends"' -o chosen.html
page shape chosen.html
page text chosen.html | sed -n '/^gradtrace report$/,/^The doctor/p' |
    grep -v '^The doctor'
page text chosen.html next | sed -n 1,14p
page text chosen.html fine-print | sed -n '/^Made by/,$p'
