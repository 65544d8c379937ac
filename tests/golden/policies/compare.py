#!/usr/bin/env python3
"""compare.py - replays the logs of other people's clipping code and compares decision by decision.

    compare.py [LOG...]          prints a line for each log, then "N passed, N failed, N skipped"

Each log is imported and replayed with its setting from settings.txt, as a user would do it, with
--nonfinite propagate; GRADTRACE names the program.
"""
import math
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
PROGRAM = os.environ.get("GRADTRACE", "build/gradtrace")


def settings():
    for line in (HERE / "settings.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            log, setting, *tolerance = line.split()
            yield log, setting, float(tolerance[0]) if tolerance else 0.0


def table(text):
    rows = [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
    return [dict(zip(rows[0], row)) for row in rows[1:]]


def run(*words):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.strip())
    return done.stdout


def replay(log, setting, folder):
    """The decisions for (step, group)."""
    text = (HERE / f"{log}.tsv").read_text()
    plain = folder / "log.tsv"
    plain.write_text("".join(line + "\n" for line in text.splitlines() if line[0] != "#"))
    run("import", str(plain), "-o", str(folder / "log.h5"), "--force")
    steps = run("replay", str(folder / "log.h5"), "-p", setting, "--nonfinite", "propagate",
                "--group-by", "tensor", "--steps", "-")
    return table(text), {(row["step"], row["group"]): row for row in table(steps)}


def same(ours, theirs):
    return ours == theirs or (math.isnan(ours) and math.isnan(theirs))


def differs(row, ours, tolerance):
    """0: the same bits; else how far apart, infinite if another decision was made."""
    if row["skipped"] != ours["skipped"]:
        return math.inf
    if row.get("scale", "-") == "-":
        return 0.0
    theirs, mine = float(row["scale"]), float(ours["scale"])
    if same(mine, theirs):
        return 0.0
    if math.isnan(mine) or math.isnan(theirs) or theirs == 0.0 or (mine < 1) != (theirs < 1):
        return math.inf
    return abs(mine - theirs) / theirs


def compare(log, setting, tolerance):
    with tempfile.TemporaryDirectory() as folder:
        rows, ours = replay(log, setting, Path(folder))
    gaps = [differs(row, ours[row["step"], row["group"]], tolerance) for row in rows]
    seen = sum(1 for row in rows if row.get("scale", "-") != "-")
    print(f"{log}\t{setting}\trows {len(rows)}\tscales {seen}\tother bits "
          f"{sum(gap > 0 for gap in gaps)}\tworst {max(gaps):.3g}")
    return max(gaps) <= tolerance


def main():
    passed = failed = 0
    for log, setting, tolerance in settings():
        if sys.argv[1:] and log not in sys.argv[1:]:
            continue
        try:
            good = compare(log, setting, tolerance)
        except (RuntimeError, KeyError) as error:
            print(f"{log}\t{setting}\t{error}")
            good = False
        passed += good
        failed += not good
        if not good:
            print(f"FAILED {log}")
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
