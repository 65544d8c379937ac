# told_names.bash - of what spill, diff, doctor, info and plot tell: whether rows have names of their
# own.

# rows_differ HEADING: of the table on standard input whose first word is HEADING, up to an empty line
# or one in brackets: how many rows, and how many different names.
rows_differ() {
    "$python" -c '
import sys
lines = iter(sys.stdin.read().split("\n"))
for line in lines:
    words = line.split()
    if not words or words[0] != sys.argv[1]:
        continue
    indent = len(line) - len(line.lstrip())
    rows = []
    for line in lines:
        if line[:indent].strip() or not line.strip() or line.lstrip().startswith(("(", "means ")):
            break
        if line[indent] != " ":
            rows.append(line.split()[0])
    print(f"{len(rows)} rows, {len(set(rows))} different")' "$1"
}
