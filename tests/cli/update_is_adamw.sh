# update_is_adamw.sh - every number of --tsv is that of AdamW and of SGD written down again in
# NumPy, from the elements that h5py reads; and RESULT.h5 holds the same numbers.
python=
for p in /usr/bin/python3 python3; do
    [ -z "$python" ] && $p -c 'import h5py, numpy' 2>/dev/null && python=$p
done
[ -n "$python" ] || { echo "no python3 sees h5py and numpy"; exit 77; }

for optimizer in adamw:beta2=0.9 sgd:momentum=0.5,nesterov=1; do
    "$GRADTRACE" update "$TRACES/lora.h5" -p global:max_norm=1 -p aggc-paper --force \
        --optimizer "$optimizer" --tsv steps.tsv -o result.h5 >/dev/null || exit
    $python - "$TRACES/lora.h5" "$optimizer" <<'END'
import csv, re, sys
import h5py, numpy as np

rows = list(csv.DictReader(open("steps.tsv"), delimiter="\t"))
result, trace = h5py.File("result.h5"), h5py.File(sys.argv[1])
adamw = sys.argv[2].startswith("adamw")

# RESULT.h5 beside the TSV, to the bit.
groups = [g.decode() for g in result["group"][:]] + ["(all)"]
steps, labels = list(result["step"][:]), [p.attrs["label"] for p in result["policy"].values()]
labels = [l.decode() if isinstance(l, bytes) else l for l in labels]
same = 0
for row in rows:
    k, g, r = labels.index(row["policy"]), groups.index(row["group"]), steps.index(int(row["step"]))
    policy = result[f"policy/{k}"]
    known = ("update_norm", "change", "cosine") + ("scale", "proxy") * (row["group"] != "(all)")
    same += all(policy[n][g, r] == float(row[n]) for n in known)
    same += result["plain_norm"][g, r] == float(row["plain_norm"])
print(f"{sys.argv[2]}: {same} of {2 * len(rows)} the same in RESULT.h5, {len(rows)} rows")

# The updates again: fp64 sums of fp32 updates of fp32 gradients times fp32 scales.
f32 = np.float32
names = [n.decode() for n in trace["param/name"][:]]
of = [groups.index(re.search(r"(\w+)\.lora_", n)[1]) for n in names]
scale = {(r["policy"], r["group"], int(r["step"])): float(r["scale"]) for r in rows}

def updates(gradients, scales):
    m, v, b, out = 0, 0, 0, []
    for t, (g, s) in enumerate(zip(gradients, scales), 1):
        g = f32(s) * g
        if adamw:
            m = f32(0.9) * m + f32(1 - 0.9) * g
            v = f32(0.9) * v + f32(1 - 0.9) * g * g
            out.append(m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.9**t)) + 1e-8))
        else:
            b = f32(0.5) * b + g
            out.append(g + f32(0.5) * b)
    return np.array(out, np.float64)

worst = 0.0
for policy in labels:
    sums = np.zeros((4, len(groups), len(steps)))
    for i, g in enumerate(of):
        gradients = trace[f"grad/{i}"][:].astype(f32)
        u = updates(gradients, [scale[policy, groups[g], s] for s in steps])
        none = updates(gradients, np.ones(len(steps)))
        for k, x in enumerate((u * u, none * none, (u - none) ** 2, u * none)):
            sums[k, g] += x.sum(1)
            sums[k, -1] += x.sum(1)
    for row in rows:
        if row["policy"] != policy:
            continue
        uu, nn, dd, un = sums[:, groups.index(row["group"]), steps.index(int(row["step"]))]
        wanted = (uu**0.5, nn**0.5, (dd / nn) ** 0.5, un / (uu * nn) ** 0.5)
        got = [float(row[c]) for c in ("update_norm", "plain_norm", "change", "cosine")]
        worst = max(worst, *(abs(a - b) / max(1.0, abs(b)) for a, b in zip(got, wanted)))
print("updates as in NumPy" if worst < 2e-6 else f"off by {worst:.3g}")
END
done
