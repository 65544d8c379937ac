# rows_differ.sh - in every table of every command each row has a name of its own, however alike the
# names of tensors are and however long.
cat >rows.py <<'END'
import re, sys

# A row: a name, then at least two cells that are numbers, shares or "-".
cell = r"(?:[<+-]?[0-9][0-9.,e+-]*%?|-|all|nan|inf|none)"
row = re.compile(rf"^ *(\S.*?)(?:\s+{cell}){{2,}}\s*$")
tables = 0
names = []

def end():
    global tables, names
    if len(names) > 1:
        tables += 1
        for name in sorted(set(n for n in names if names.count(n) > 1)):
            print("twice:", name)
    names = []

for line in sys.stdin:
    found = row.match(line.rstrip("\n"))
    if found:
        names.append(re.split(r"\s{2,}", found[1].strip())[0])
    else:
        end()
end()
print("tables" if tables else "no table")
END

for trace in gpt2 lora; do
    for command in "replay -p aggc-paper -p global:max_norm=1" "info --groups" \
        "update -p aggc-paper" \
        "spill --max-norm 1" "explain --step worst -p aggc-paper --top 0" \
        "diff -p aggc-paper -p global:max_norm=1" "diff --window 200:500 --window 800:1100"; do
        set -- $command
        name=$1
        shift
        echo "$trace: $command"
        "$GRADTRACE" $name "$TRACES/$trace.h5" "$@" --group-by tensor 2>&1 | python3 rows.py
    done
done
