# report_hostile_names.sh - names that are markup, scripts, quotes, other alphabets: they are text
# on the page and in its pictures, and nothing else.
command -v gnuplot >/dev/null || { echo "no gnuplot"; exit 77; }
page() { python3 "$TESTS/cli/report.py" "$@"; }

python3 - <<'EOF'
import csv
names = ["<script>alert(1)</script>", "\"quo'te\" & <b onload=x>", "größe.\u202e日本",
         "</svg><img src=x onerror=alert(2)>", "url(#x) id=\"y\" `rm` [norm|x] {} </title>"]
with open("hostile.csv", "w", newline="", encoding="utf-8") as f:
    out = csv.writer(f)
    out.writerow(["step"] + names)
    for t in range(60):
        out.writerow([t, 1 + t % 3, 2 + t % 5, 1, 60 if t == 40 else 3, 2])
EOF
trace="run'; <b>.h5"
"$GRADTRACE" import hostile.csv --keys '*' -o "$trace" 2>/dev/null
"$GRADTRACE" report "$trace" --total-steps 60 --title '</title><script>alert(3)</script>' \
    -o page.html --tsv tables
page shape page.html
page numbers page.html tables
echo "script elements: $(grep -o '<script' page.html | wc -l)"
echo "raw names: $(grep -cE '<script>alert|<img|<b ' page.html)"
page text page.html run | grep -A 8 '^The groups'
page text page.html next | sed -n 1,6p
page text page.html fine-print | sed -n '/^gradtrace report/,/-o/p'
