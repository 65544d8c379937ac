# strange.bash - a trace whose names hold what a name should not, and what looks whether it got out.

for python in /usr/bin/python3 python3 ""; do
    [ -n "$python" ] && "$python" -c 'import h5py' 2>/dev/null && break
done
[ -n "$python" ] || { echo "no python3 sees h5py"; exit 77; }

# make_strange FILE: traces/lora.h5 with its first tensors renamed.
make_strange() {
    "$python" - "$TRACES/lora.h5" "$1" <<'END'
import shutil, sys
import h5py
shutil.copyfile(sys.argv[1], sys.argv[2])
with h5py.File(sys.argv[2], "r+") as f:
    names = f["param/name"][:]
    strange = [b"tab\there", b"line\nend", b"esc\x1b[31mred", "csi\u009b31m".encode(),
               "bidi\u202etxet".encode(), b"not\xffutf8", b"not\xfeutf8", b"q\"uote\\back"]
    names[: len(strange)] = strange
    f["param/name"][:] = names
END
}

# The bytes of a file that steer a terminal or are not UTF-8; what JSON says of it, if it is JSON.
look() {
    "$python" - "$@" <<'END'
import json, sys, unicodedata
for path in sys.argv[1:]:
    text = open(path, "rb").read()
    try:
        steer = {c for c in text.decode() if unicodedata.category(c) in ("Cc", "Cf")} - set("\t\n")
    except UnicodeDecodeError as e:
        steer = {str(e)}
    said = " ".join(sorted(map(ascii, steer))) or "nothing"
    kind = path.rsplit(".", 1)[1]
    if kind == "json":
        table = json.loads(text)
        said += f"; {len(table)} in JSON"
    if kind == "tsv":
        widths = {line.count(b"\t") for line in text.splitlines()}
        said += f"; {len(widths)} width of lines"
    print(f"{path}: steers {said}")
END
}

# first_columns NAME: of each table on standard input whose heading begins with NAME, how many rows
# and how many different first columns.
first_columns() {
    "$python" -c '
import re, sys
name, table = sys.argv[1], None
def end():
    if table is not None:
        print(f"{len(table)} rows, {len(set(table))} different")
for line in sys.stdin.read().split("\n"):
    if re.match(rf"  {name}  +", line):
        end()
        table = []
    elif table is not None and not line.startswith("  "):
        end()
        table = None
    elif table is not None:
        table.append(re.split("  +", line.strip())[0])
end()' "$1"
}
