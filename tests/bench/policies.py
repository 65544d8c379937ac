#!/usr/bin/env python3
"""policies.py - every policy at its published defaults on the committed traces, as one table.

    python3 tests/bench/policies.py

from the top of the source tree, after `make`; needs NumPy.  A trace that does not have what a
policy needs has a dash.  Policies run on single tensors, which is where the originals that are not
for the whole gradient run.
"""

import os
import sys

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))
sys.path.insert(0, os.path.join(TOP, "lib", "python"))
import gradtrace  # noqa: E402  (after the path is set)

RUNS = ("lora", "gpt2", "grpo")
POLICIES = (
    "torch", "torch-inf", "keras-clipnorm", "aggc-paper", "aggc-code-lora", "aggc-code-grpo",
    "zclip", "autoclip", "trellis", "emaclip", "sigma", "adagc", "adagc-global", "olmo",
    "skipstep", "levanter-skip", "levanter-clip", "llmc:z_norm=3", "rms", "stablespam",
)


def cells(run, policy):
    """Share of decisions scaled down, of steps left out, mean scale, and what of spikes is left."""
    trace = gradtrace.open(os.path.join(TOP, "traces", run + ".h5"))
    try:
        (row,) = trace.sweep(policy, group_by="tensor")
    except gradtrace.Error as error:
        if ": needs " in str(error):
            return ["-"] * 4
        raise
    skipped = f"{row['skip_rate']:.1%}" if row["skip_rate"] else ""
    return [f"{row['clip_rate']:.1%}", skipped, f"{row['scale_mean']:.3f}", f"{row['leak']:.3f}"]


def main():
    print("| policy |" + "".join(f" {run}: clipped | skipped | scale | leak |" for run in RUNS))
    print("|---|" + "--:|" * 4 * len(RUNS))
    for policy in POLICIES:
        found = [cell for run in RUNS for cell in cells(run, policy)]
        print(f"| `{policy}` | " + " | ".join(found) + " |", flush=True)


if __name__ == "__main__":
    main()
