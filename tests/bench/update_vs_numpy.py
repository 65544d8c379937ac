#!/usr/bin/env python3
"""update_vs_numpy.py - update replay against NumPy, on the same work.

AdamW in fp32 over gradients in memory, for 8 policies whose scales differ at each step, and of each
policy and step three sums in fp64: of u^2, of (u - u_none)^2 and of u u_none.  Gradients and scales
are those of bench_update.c, made again here from the same integers.

NumPy is written as one would for speed: blocks of elements that stay in cache go through all steps,
everything is in place, what policies share is made once, and constants are multiplied first.  Each
pair of runs is NumPy and C in turns; the ratio printed is the median over the pairs.  The sums of
both are compared.  Block sizes are tried first, and the fastest is taken.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

POLICIES = 8
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8


def make_gradients(np, elements, steps):
    gradients = np.empty((steps, elements), np.float32)
    i = (np.arange(elements, dtype=np.uint32) + np.uint32(1)) * np.uint32(2654435761)
    for t in range(steps):
        h = i ^ np.uint32((t + 1) * 2246822519 & 0xFFFFFFFF)
        h = (h ^ h >> np.uint32(15)) * np.uint32(2654435769)
        gradients[t] = ((h >> np.uint32(9)).astype(np.int32) - (1 << 22)) * np.float32(2.0**-30)
    return gradients


def scale(t, policy):
    return 0.5 if policy == 0 else ((t * 7 + policy * 5) % 16 + 1) / 16


class Lane:
    """The states of one policy for a block of elements, and space to work in."""

    def __init__(self, np, n, space):
        self.np = np
        self.m, self.v = np.zeros(n, np.float32), np.zeros(n, np.float32)
        self.part, self.u = space[0][:n], space[1][:n]

    def move(self, x, x_squared, s, root):
        np, m, v, part, u = self.np, self.m, self.v, self.part, self.u
        np.multiply(m, np.float32(BETA1), out=m)
        np.multiply(x, np.float32((1 - BETA1) * s), out=part)
        np.add(m, part, out=m)
        np.multiply(v, np.float32(BETA2), out=v)
        np.multiply(x_squared, np.float32((1 - BETA2) * s * s), out=part)
        np.add(v, part, out=v)
        np.sqrt(v, out=part)
        np.multiply(part, np.float32(root), out=part)
        np.add(part, np.float32(EPS), out=part)
        np.divide(m, part, out=u)
        return u


def run_block(np, gradients, constants, sums):
    """All steps of one block; adds to sums [1 + 3 POLICIES], means over the steps."""
    steps, n = gradients.shape
    space = np.empty((2, n), np.float32)
    lanes = [Lane(np, n, space) for _ in range(POLICIES + 1)]
    x_squared = np.empty(n, np.float32)
    none, wide, change = np.empty(n), np.empty(n), np.empty(n)
    for t, (root, factor) in enumerate(constants):
        x = gradients[t]
        np.multiply(x, x, out=x_squared)
        none[:] = lanes[POLICIES].move(x, x_squared, 1.0, root)
        weight = factor * factor / steps
        sums[0] += np.dot(none, none) * weight
        for p in range(POLICIES):
            wide[:] = lanes[p].move(x, x_squared, scale(t, p), root)
            np.subtract(wide, none, out=change)
            sums[1 + 3 * p] += np.dot(wide, wide) * weight
            sums[2 + 3 * p] += np.dot(change, change) * weight
            sums[3 + 3 * p] += np.dot(wide, none) * weight


def time_numpy(np, gradients, block):
    """Seconds and sums."""
    steps, n = gradients.shape
    constants = [
        ((1 - BETA2 ** (t + 1)) ** -0.5, 1 / (1 - BETA1 ** (t + 1))) for t in range(steps)
    ]
    sums = [0.0] * (1 + 3 * POLICIES)
    start = time.perf_counter()
    for first in range(0, n, block):
        run_block(np, gradients[:, first : first + block], constants, sums)
    return time.perf_counter() - start, sums


def time_c(program, elements, steps, threads):
    command = [program, str(elements), str(steps), str(threads)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    seconds, *sums = (float(x) for x in done.stdout.split())
    return seconds, sums


def check(c, numpy):
    for i, (mine, other) in enumerate(zip(c, numpy)):
        if not abs(mine - other) <= 1e-5 * abs(other):
            sys.exit(f"results differ: sum {i}: C {mine!r}, NumPy {other!r}")


def race(np, options, gradients, block, threads):
    work = options.elements * options.steps * POLICIES
    c, numpy = [], []
    for pair in range(options.pairs):
        for turn in (pair % 2, 1 - pair % 2):
            if turn == 0:
                numpy.append(time_numpy(np, gradients, block))
            else:
                c.append(time_c(options.program, options.elements, options.steps, threads))
    check(c[0][1], numpy[0][1])
    ratios = [b[0] / a[0] for a, b in zip(c, numpy)]
    mine, theirs = (statistics.median(t[0] for t in times) for times in (c, numpy))
    print(
        f"C, {threads} threads: {mine:.3f} s, {work / mine / 1e9:.2f} * 10^9 / s;"
        f"  NumPy, blocks of {block}: {theirs:.2f} s, {work / theirs / 1e9:.3f} * 10^9 / s;"
        f"  NumPy / C: {statistics.median(ratios):.1f}"
        f" (pairs from {min(ratios):.1f} to {max(ratios):.1f})"
    )


def compare(np, options):
    gradients = make_gradients(np, options.elements, options.steps)
    print(
        f"{options.elements} elements x {options.steps} steps x {POLICIES} policies, adamw;"
        f" {options.pairs} pairs; NumPy {np.__version__}"
    )
    part = gradients[:, : min(options.elements, 1 << 17)]
    practice = [
        (time_numpy(np, part, block)[0], block)
        for block in (2048, 4096, 8192, 16384, 32768)
        for _ in range(2)
    ]
    block = min(practice)[1]
    for threads in sorted({1, len(os.sched_getaffinity(0))}):
        race(np, options, gradients, block, threads)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="bench_update")
    parser.add_argument("--elements", type=int, default=1 << 20)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    # The products are too small to share between threads, and would be slower for it
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        import numpy
    except ImportError:
        print(f"update_vs_numpy: skipped: {sys.executable} has no NumPy")
        sys.exit(77)
    compare(numpy, options)


if __name__ == "__main__":
    main()
