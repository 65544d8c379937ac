# replay_golden.sh - logs of the published AGGC code, from their norms: the same bits in lower,
# upper and scale, through import and replay as a user would type them.
compare() { # LOG STEPS SETTING
    "$GRADTRACE" import "$TESTS/golden/aggc/$1.csv" -o "$1.h5" 2>/dev/null
    "$GRADTRACE" replay "$1.h5" --total-steps "$2" -p "aggc:$3" --steps "$1.tsv" >/dev/null
    # The log writes 1.0 and ours 1: numbers are compared, as doubles, in full.
    python3 - "$TESTS/golden/aggc/$1.csv" "$1.tsv" <<'EOF'
import csv, sys
with open(sys.argv[1]) as log, open(sys.argv[2]) as steps:
    wanted, got = list(csv.DictReader(log)), list(csv.DictReader(steps, delimiter="\t"))
same = sum(
    (w["step"], w["module"]) == (g["step"], g["group"])
    and all(float(w[k]).hex() == float(g[k]).hex() for k in ("norm", "lower", "upper", "scale"))
    for w, g in zip(wanted, got)
)
print(f"{same} of {len(wanted)} rows the same, {len(got) - len(wanted)} more")
EOF
}

early=form=code,beta=.95,low=.95,high=.6,switch=.4,transition=.3
compare lora 1200 $early,low_late=.98,high_late=.7,min_norm=.01,raise=off,max_up=1.1,max_down=.9
early=form=code,beta=.9,low=.5,high=1.5,switch=.3,transition=.4
compare wide 800 $early,low_late=.8,high_late=1.1,min_norm=0,raise=on
compare fixed 400 form=fixed,min_norm=.05,max_norm=.2,raise=on
