#!/usr/bin/env python3
"""sweep_vs_numpy.py - a sweep against NumPy vectorised over settings, on the same work.

The series and the settings are those of bench_sweep.c, made again here from the same integers.
All compute AGGC as its code does it, with schedule and caps, and of each setting the shares of
decisions clipped, raised, capped and empty and the mean, least and largest scale (Python: only the
share clipped and the mean):

    C        bench_sweep SETTINGS THREADS, its own time of the computation
    NumPy    one array per quantity with the settings as its axis, float64, in-place operations; a
             loop over steps and groups.  Once all settings together, once in blocks of them that
             stay in the cache, of the size that is found best
    Python   a plain loop over steps and groups as the reference code has it, for few settings;
             its time for all is extrapolated

C and NumPy take turns, and which goes first alternates.  Prints the medians and the ratio, and
fails if the results differ.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import time

STEPS, GROUPS = 1500, 7


def make_norms():
    """The norms of bench_sweep.c, [T][G]; roots of squares, as a trace has them."""
    state, mask = 88172645463325252, (1 << 64) - 1

    def draw():
        nonlocal state
        state ^= (state << 13) & mask
        state ^= state >> 7
        state ^= (state << 17) & mask
        return state >> 32

    norms = []
    for _ in range(STEPS):
        row = []
        for group in range(GROUPS):
            norm = (draw() % 256 + 1) / 256.0 + (group + 1) / 4.0
            if draw() % 64 == 0:
                norm *= 16.0
            row.append(math.sqrt(norm * norm))
        norms.append(row)
    return norms


def setting(i):
    """Setting i of bench_sweep.c: beta, low, high."""
    return 0.8 + (i % 64) / 320.0, (i // 64 % 32) / 64.0, 1.0 + (i // 2048 % 64) / 16.0


MIN_NORM, MAX_UP, MAX_DOWN, SWITCH, TRANSITION = 0.01, 1.1, 0.1, 0.4, 0.3
LOW_LATE, HIGH_LATE = 1.25, 0.75  # times the early ones


def blend(progress):
    """Weight of the late pair."""
    if progress <= SWITCH:
        return 0.0
    if progress >= SWITCH + TRANSITION:
        return 1.0
    return (progress - SWITCH) / TRANSITION


def python_loop(norms, i):
    """One setting, as the reference code has it: clip rate and mean scale."""
    beta, low0, high0 = setting(i)
    ema, total, clipped = [0.0] * GROUPS, 0.0, 0
    for step, row in enumerate(norms):
        a = blend(step / STEPS)
        low = low0 * (1 - a) + low0 * LOW_LATE * a
        high = high0 * (1 - a) + high0 * HIGH_LATE * a
        for group, norm in enumerate(row):
            lower, upper = max(MIN_NORM, ema[group] * low), max(0.0, ema[group] * high)
            scale = 1.0
            if upper > 0 and norm > upper + 1e-12:
                scale = max(upper / (norm + 1e-12), MAX_DOWN)
            elif norm < lower - 1e-12:
                scale = min(lower / (norm + 1e-12), MAX_UP)
            ema[group] = beta * ema[group] + (1 - beta) * (norm * scale)
            total += scale
            clipped += scale < 1.0
    return clipped / (STEPS * GROUPS), total / (STEPS * GROUPS)


def numpy_block(np, norms, first, last):
    """Settings first .. last - 1: rates of clipped, raised, capped and empty; mean, least and
    largest scale."""
    i = np.arange(first, last)
    beta, low0, high0 = 0.8 + i % 64 / 320.0, i // 64 % 32 / 64.0, 1.0 + i // 2048 % 64 / 16.0
    fresh, low_late, high_late = 1.0 - beta, low0 * LOW_LATE, high0 * HIGH_LATE
    n = len(i)
    ema, total, least, most = np.zeros((GROUPS, n)), np.zeros(n), np.full(n, np.inf), np.zeros(n)
    low, high, lower, upper, part = (np.empty(n) for _ in range(5))
    clip, lift, some, other = (np.empty(n, dtype=bool) for _ in range(4))
    counts, small = np.zeros((4, n)), np.zeros((4, n), dtype=np.uint8)
    known = None
    for step, row in enumerate(norms):
        a = blend(step / STEPS)
        if a != known:
            np.multiply(low0, 1.0 - a, out=low)
            np.add(low, np.multiply(low_late, a, out=part), out=low)
            np.multiply(high0, 1.0 - a, out=high)
            np.add(high, np.multiply(high_late, a, out=part), out=high)
            known = a
        for group, norm in enumerate(row):
            past = ema[group]
            np.maximum(np.multiply(past, low, out=lower), MIN_NORM, out=lower)
            np.maximum(np.multiply(past, high, out=upper), 0.0, out=upper)
            np.greater(lower, upper, out=some)
            np.add(small[3], some.view(np.uint8), out=small[3])
            np.less(np.add(upper, 1e-12, out=part), norm, out=clip)
            np.logical_and(clip, np.greater(upper, 0.0, out=some), out=clip)
            np.greater(np.subtract(lower, 1e-12, out=part), norm, out=lift)
            np.greater(lift, clip, out=lift)  # clipping comes first
            scale = lower
            np.copyto(scale, upper, where=clip)
            np.divide(scale, norm + 1e-12, out=scale)
            np.logical_and(clip, np.less(scale, MAX_DOWN, out=some), out=some)
            np.logical_and(lift, np.greater(scale, MAX_UP, out=other), out=other)
            np.copyto(scale, MAX_DOWN, where=some)
            np.copyto(scale, MAX_UP, where=other)
            np.add(small[2], np.logical_or(some, other, out=some).view(np.uint8), out=small[2])
            np.logical_not(np.logical_or(clip, lift, out=clip), out=clip)
            np.copyto(scale, 1.0, where=clip)
            np.add(small[0], np.less(scale, 1.0, out=some).view(np.uint8), out=small[0])
            np.add(small[1], np.greater(scale, 1.0, out=some).view(np.uint8), out=small[1])
            np.add(total, scale, out=total)
            np.minimum(least, scale, out=least)
            np.maximum(most, scale, out=most)
            np.multiply(past, beta, out=past)
            np.multiply(scale, norm, out=scale)
            np.add(past, np.multiply(scale, fresh, out=scale), out=past)
        if step % 32 == 31 or step == STEPS - 1:  # a byte counts to 255
            np.add(counts, small, out=counts)
            small.fill(0)
    return counts / (STEPS * GROUPS), total / (STEPS * GROUPS), least, most


def time_numpy(np, norms, n, block):
    """Seconds, and the means over all settings of clip rate and mean scale."""
    start = time.perf_counter()
    clip = scale = 0.0
    for first in range(0, n, block):
        rates, scales = numpy_block(np, norms, first, min(n, first + block))[:2]
        clip, scale = clip + rates[0].sum(), scale + scales.sum()
    return time.perf_counter() - start, clip / n, scale / n


def time_c(program, n, threads):
    done = subprocess.run(
        [program, str(n), str(threads)], check=True, capture_output=True, text=True
    )
    return tuple(float(x) for x in done.stdout.split())


def time_python(norms, n):
    """Seconds that n settings would take, from 8 of them."""
    sample = range(0, n, max(1, n // 8))
    start = time.perf_counter()
    for i in sample:
        python_loop(norms, i)
    return (time.perf_counter() - start) / len(sample) * n


def race(np, norms, options, threads, block):
    """C against NumPy in such blocks, in turns; returns the median time of C."""
    n, work = options.settings, options.settings * STEPS * GROUPS
    c, numpy = [], []
    for pair in range(options.pairs):
        if pair % 2 == 0:
            numpy.append(time_numpy(np, norms, n, block))
        c.append(time_c(options.program, n, threads))
        if pair % 2 == 1:
            numpy.append(time_numpy(np, norms, n, block))
    if max(abs(c[0][k] - numpy[0][k]) for k in (1, 2)) > 1e-9:
        sys.exit(f"results differ: C {c[0][1:]}, NumPy {numpy[0][1:]}")
    ratios = [b[0] / a[0] for a, b in zip(c, numpy)]
    mine, theirs = (statistics.median(t[0] for t in times) for times in (c, numpy))
    print(
        f"C, {threads} threads: {mine:.3f} s, {work / mine / 1e9:.2f} * 10^9 / s;"
        f"  NumPy, blocks of {block}: {theirs:.2f} s, {work / theirs / 1e9:.3f} * 10^9 / s;"
        f"  NumPy / C: {statistics.median(ratios):.1f}"
        f" (pairs from {min(ratios):.1f} to {max(ratios):.1f})"
    )
    return mine


def compare(np, options):
    norms, n = make_norms(), options.settings
    print(f"{n} settings x {STEPS} steps x {GROUPS} groups; {options.pairs} pairs")
    practice = [(time_numpy(np, norms, 16384, block)[0], block) for block in (2048, 4096, 8192)]
    best = min(practice)[1]
    for threads in sorted({1, len(os.sched_getaffinity(0))}):
        for block in (n, best):
            mine = race(np, norms, options, threads, block)
    plain = time_python(norms, n)
    print(f"Python loop: {plain:.0f} s (from 8 settings); Python / C: {plain / mine:.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="bench_sweep")
    parser.add_argument("--settings", type=int, default=65536)
    parser.add_argument("--pairs", type=int, default=3)
    options = parser.parse_args()
    try:
        import numpy
    except ImportError:
        print(f"sweep_vs_numpy: skipped: {sys.executable} has no NumPy")
        sys.exit(77)
    compare(numpy, options)


if __name__ == "__main__":
    main()
