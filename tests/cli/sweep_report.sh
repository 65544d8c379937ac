# sweep_report.sh - what a sweep tells: that nothing needs clipping on a calm run; on one with
# planted spikes how many there are (as many as were planted), and a setting that cuts them and
# leaves the rest.
. "$TESTS/cli/try.bash"
"$GRADTRACE" simulate --scenario healthy --set surge=0 -o healthy.h5 2>/dev/null
"$GRADTRACE" simulate --scenario culprit -o culprit.h5 2>/dev/null

"$GRADTRACE" sweep healthy.h5 -p global --set max_norm=auto:8 | sed -n 3,5p
try sweep culprit.h5 -p aggc --set beta=0.9,0.95,0.99 --set high=1.5:6:8:log \
    -p global --set max_norm=auto:12 --split 3

# Held against another run: one with spikes of its own, a calm one, and one of other groups.
"$GRADTRACE" simulate --scenario heavy -o heavy.h5 2>/dev/null
"$GRADTRACE" sweep culprit.h5 -p aggc --set beta=0.9,0.95,0.99 --set high=1.5:6:8:log \
    --against heavy.h5 --against healthy.h5 | grep -A4 '^steady'
"$GRADTRACE" sweep healthy.h5 -p aggc --set beta=0.9,0.95 --against "$TRACES/gpt2.h5" 2>&1 \
    >/dev/null | sed "s|$TRACES|TRACES|"

# The recommended setting clips every planted spike of the culprit, and little else.
text=$("$GRADTRACE" sweep culprit.h5 -p aggc --set beta=0.9,0.95,0.99 --set high=1.5:6:8:log \
    -p global --set max_norm=auto:12 | sed -n 's/^  -p //p' | head -n 1)
"$GRADTRACE" replay culprit.h5 -p "$text" --steps steps.tsv >/dev/null
"$GRADTRACE" info culprit.h5 --meta | grep -oE '"step": *[0-9]+' | grep -oE '[0-9]+' | sort -n \
    >planted
awk -F'\t' '$7 < 1 && $3 == "down_proj" { print $1 }' steps.tsv | sort -n >clipped
echo "planted: $(wc -l <planted), of them clipped: $(sort planted clipped | uniq -d | wc -l)"
awk -F'\t' 'NR > 1 { n++; c += $7 < 1 } END { printf "clipped in all: %.1f%%\n", 100 * c / n }' \
    steps.tsv
