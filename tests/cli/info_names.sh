# info_names.sh - names and texts of a trace that would steer a terminal or forge a line do not,
# whichever way they are told; facts and groups for programs; all groups have names of their own.
. "$TESTS/cli/strange.bash"
. "$TESTS/cli/told_names.bash"
make_strange run.h5
"$python" - run.h5 <<'END'
import sys
import h5py
with h5py.File(sys.argv[1], "r+") as f:
    f.attrs["producer"] = b"esc\x1b]0;title\x07"
    f.attrs["meta"] = ('{"k\u009bey": "bidi\u202e", '
                       '"simulated": {"scenario": "x\u009by", "seed": 7}}').encode()
END
"$GRADTRACE" info run.h5 --tsv facts.tsv --json facts.json >facts.txt || exit
"$GRADTRACE" info run.h5 --group-by tensor --tsv groups.tsv --json groups.json >groups.txt || exit
"$GRADTRACE" info run.h5 --meta >meta.json || exit
"$GRADTRACE" info run.h5 --steps --json steps.json || exit
look facts.txt facts.tsv facts.json groups.txt groups.tsv groups.json meta.json steps.json
grep -E '^(producer|synthetic)' facts.txt
grep -E '^(producer|scenario|steps|elements|norm_largest)' facts.tsv
sed -n 1,9p groups.tsv
sed -n 2,3p steps.json
for trace in gpt2 lora; do
    "$GRADTRACE" info "$TRACES/$trace.h5" --group-by tensor | rows_differ group
done
