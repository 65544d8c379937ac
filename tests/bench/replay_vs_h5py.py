#!/usr/bin/env python3
"""replay_vs_h5py.py - a whole replay against merely reading the norms with h5py.

A trace of 100,000 steps x 448 tensors is made in a temporary folder.  Then two processes take
turns, and which goes first alternates; the file is in the page cache throughout:

    h5py     the time that file["/norm/sumsq"][...] takes, without the start of Python
    replay   the wall time of the whole process: four policies, tables and all

Prints the medians, the ratio replay / h5py (the median of the pairs' ratios), and how much memory
the replay took.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time

POLICIES = ("none", "global:max_norm=1", "group:quantile=0.9", "aggc-paper")

READ = """
import sys, time, h5py
with h5py.File(sys.argv[1], "r") as f:
    start = time.perf_counter()
    norms = f["/norm/sumsq"][...]
    print(time.perf_counter() - start)
"""


def time_h5py(path):
    """Seconds that one read of all norms takes in a fresh process."""
    done = subprocess.run(
        [sys.executable, "-c", READ, path], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def time_replay(program, path):
    """Wall seconds and peak resident bytes of one replay."""
    command = [program, "replay", path]
    for policy in POLICIES:
        command += ["-p", policy]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit status {process.returncode}")
    return seconds, usage.ru_maxrss * 1024


def warm(path):
    """Reads the file once, so that the disk has no part in what follows."""
    with open(path, "rb") as f:
        while f.read(1 << 24):
            pass


def compare(program, path, n_pairs):
    reading, replaying, peaks = [], [], []
    for pair in range(n_pairs):
        if pair % 2 == 0:
            reading.append(time_h5py(path))
        seconds, peak = time_replay(program, path)
        replaying.append(seconds)
        peaks.append(peak)
        if pair % 2 == 1:
            reading.append(time_h5py(path))
    ratios = [r / h for r, h in zip(replaying, reading)]
    print(f"h5py reads /norm/sumsq: {statistics.median(reading):.3f} s (median of {n_pairs})")
    print(f"replay of {len(POLICIES)} policies: {statistics.median(replaying):.3f} s")
    print(
        f"replay / h5py: {statistics.median(ratios):.2f}"
        f" (pairs from {min(ratios):.2f} to {max(ratios):.2f})"
    )
    print(f"replay's peak memory: {max(peaks) / 2**20:.0f} MiB")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="gradtrace")
    parser.add_argument("--generator", required=True, help="make_big_trace")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--folder", help="where the trace is made; default: the system's")
    options = parser.parse_args()
    try:
        import h5py  # noqa: F401
    except ImportError:
        print(f"replay_vs_h5py: skipped: {sys.executable} has no h5py")
        sys.exit(77)
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        path = os.path.join(folder, "big.h5")
        subprocess.run([options.generator, path, str(options.steps)], check=True)
        warm(path)
        print(f"trace: {options.steps} steps x 448 tensors, {os.path.getsize(path) / 1e6:.0f} MB")
        compare(options.program, path, options.pairs)


if __name__ == "__main__":
    main()
