# folders.sh - a folder of segments as a user meets it: info, verify, recover, merge.
. "$TESTS/cli/try.bash"
make_trace run.h5

try verify run.h5
# A trace without checksums has some after a merge.
try merge run.h5 -o run.gtr
ls run.gtr
try verify run.gtr
try info run.gtr | head -n 3
try export run.gtr -o a.csv
try export run.h5 -o b.csv
cmp a.csv b.csv && echo the same norms
try replay run.gtr -p global:max_norm=2 >a.txt
try replay run.h5 -p global:max_norm=2 >b.txt
sed -i 's/run\.[a-z0-9]*/run/' a.txt b.txt
cmp a.txt b.txt && echo the same replay

# Damage: the last bytes that hold 64.0 squared, the spike of step 20.
cp -r run.gtr bad.gtr
python3 - <<'END'
import struct
path = "bad.gtr/rank0.000000000000.h5"
data = bytearray(open(path, "rb").read())
at = data.find(struct.pack("<d", 4096.0))
data[at + 6] ^= 1
open(path, "wb").write(data)
END
try info bad.gtr
try verify bad.gtr run.h5
try recover bad.gtr -o good.h5
try verify good.h5
try info good.h5 --steps | wc -l

try verify
try verify missing.h5
try recover bad.gtr
try recover bad.gtr -o bad.gtr
try recover bad.gtr -o good.h5
try merge run.h5 good.h5 -o all.h5
try merge run.h5 good.h5 -o all.h5 --ranks sum
try merge run.h5 -o run.h5 --force
try merge run.h5 -o all.h5 --ranks sums
try merge run.h5 -o all.h5 --ranks sum --tolerance 0.1
try merge run.h5 -o all.h5 --ranks same --tolerance 2
mkdir nothing
try verify nothing
try info nothing

# Before its first step a recorder has made no folder; if it was slow, one without a row.
mkdir early.gtr begun.gtr
touch early.gtr/rank0.lock
cp "$TESTS/fuzz/corpus/journal/header_only" begun.gtr/rank0.journal
for trace in later.gtr later.gtr/rank1 early.gtr begun.gtr; do
    try info $trace
    try verify $trace
    try doctor $trace
    try recover $trace -o early.h5
    try merge $trace -o early.h5
done
ls
