# doctor_names.sh - names that would steer a terminal or forge a line do not, whichever way they are
# told; a line end in a name parts no advice.
. "$TESTS/cli/strange.bash"
make_strange run.h5
# Each of the strange tensors is an outlier in its turn.
"$python" - run.h5 <<'END'
import sys
import h5py
with h5py.File(sys.argv[1], "r+") as f:
    for i in range(8):
        f["norm/sumsq"][300 + 40 * i, i] = 1e4
END
"$GRADTRACE" doctor run.h5 --group-by tensor -p global:max_norm=1 --tsv doctor.tsv \
    --json doctor.json >doctor.txt || exit
look doctor.txt doctor.tsv doctor.json
grep -oE '(tab|line|esc|csi|bidi|not)\?[^ ,]*' doctor.txt | sort -u
