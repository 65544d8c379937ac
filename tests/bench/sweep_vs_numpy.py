#!/usr/bin/env python3
"""sweep_vs_numpy.py - a sweep against NumPy vectorised over settings, on the same work.

The series and the settings are those of bench_sweep.c, made again here from the same integers.
All compute AGGC as its code does it, with schedule and caps, and one of two works:

    scales only      of each setting the shares of decisions clipped, raised, capped and empty, and
                     the mean, least and largest scale
    every objective  what `gradtrace sweep` computes unless told otherwise: also attenuation,
                     volatility and leak, from ln s, and distortion, from a cosine for every step
                     (spill is 0 for this policy, and costs nobody anything)

    C        bench_sweep SETTINGS THREADS [all], its own time of the computation
    NumPy    float64 arrays [groups][settings], in place, in blocks of settings that stay in the
             cache, of the size that is found best; a loop over steps.  One thread, as NumPy has
    Python   a plain loop over steps and groups as the reference code has it, for few settings;
             its time for all is extrapolated

C and NumPy take turns, and which goes first alternates.  Prints the medians and the ratio, and
fails if the mean over the settings of any objective differs.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import time

STEPS, GROUPS = 1500, 7
OBJECTIVES = (
    "clip_rate raise_rate saturation empty_rate scale_mean scale_min scale_max"
    " attenuation volatility leak distortion spill"
).split()


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


DECAY, KAPPA, WARMUP = 0.98, 1.5, 10  # of a group's baseline, as baseline.h has them


def make_log_ratios(norms):
    """ln(n / m), m the group's baseline, [T][G]; None where there is none."""
    average, weight, ratios = [0.0] * GROUPS, 0.0, []
    for step, row in enumerate(norms):
        known = step >= WARMUP
        ratios.append([math.log(n * weight / a) if known else None for n, a in zip(row, average)])
        average = [DECAY * a + (1 - DECAY) * n for n, a in zip(row, average)]
        weight = DECAY * weight + (1 - DECAY)
    return ratios


def setting(i):
    """Setting i of bench_sweep.c: beta, low, high; i may be an array."""
    return 0.8 + i % 64 / 320.0, i // 64 % 32 / 64.0, 1.0 + i // 2048 % 64 / 16.0


MIN_NORM, MAX_UP, MAX_DOWN, SWITCH, TRANSITION = 0.01, 1.1, 0.1, 0.4, 0.3
LOW_LATE, HIGH_LATE = 1.25, 0.75  # times the early ones


def blend(progress):
    """Weight of the late pair."""
    if progress <= SWITCH:
        return 0.0
    if progress >= SWITCH + TRANSITION:
        return 1.0
    return (progress - SWITCH) / TRANSITION


# --- plain Python ------------------------------------------------------------------------------


class Tally:
    """Every objective of one setting, a decision at a time."""

    def __init__(self):
        self.logs, self.ratios, self.leaks, self.cosines = 0.0, [], [], []

    def add(self, row, scales, log_ratios):
        dot = sum(s * n * n for s, n in zip(scales, row))
        length = sum(s * s * n * n for s, n in zip(scales, row))
        self.cosines.append(dot / math.sqrt(length * sum(n * n for n in row)))
        for scale, log_ratio in zip(scales, log_ratios):
            log_scale = math.log(scale)
            self.logs += log_scale
            if log_ratio is not None:
                self.ratios.append(log_scale + log_ratio)
                if log_ratio > math.log(KAPPA):
                    self.leaks.append(max(0.0, self.ratios[-1] - math.log(KAPPA)))

    def results(self):
        """Attenuation, volatility, leak, distortion."""
        return (
            -self.logs / (STEPS * GROUPS),
            statistics.pstdev(self.ratios),
            sum(self.leaks) / len(self.leaks),
            1.0 - sum(self.cosines) / STEPS,
        )


def python_loop(norms, log_ratios, i, full):
    """One setting, as the reference code has it: clip rate and mean scale, and what Tally has."""
    beta, low0, high0 = setting(i)
    ema, total, clipped, tally = [0.0] * GROUPS, 0.0, 0, Tally()
    for step, row in enumerate(norms):
        a = blend(step / STEPS)
        low = low0 * (1 - a) + low0 * LOW_LATE * a
        high = high0 * (1 - a) + high0 * HIGH_LATE * a
        scales = []
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
            scales.append(scale)
        if full:
            tally.add(row, scales, log_ratios[step])
    rates = clipped / (STEPS * GROUPS), total / (STEPS * GROUPS)
    return rates + tally.results() if full else rates


# --- NumPy -------------------------------------------------------------------------------------


class Series:
    """What is the same for all settings, once for all blocks; all by step."""

    def __init__(self, np, norms, log_ratios):
        norm = np.array(norms)
        bottom = norm + 1e-12
        # An average over the norm it is held against next: from one step's unit to the next one's
        self.rescale = np.ones((STEPS, GROUPS, 1))
        self.rescale[:-1, :, 0] = bottom[:-1] / bottom[1:]
        self.floor = (MIN_NORM / bottom)[:, :, None]
        self.highest_floor = self.floor.max(axis=(1, 2)).tolist()
        seen = np.vstack([np.zeros(GROUPS), np.cumsum(norm, axis=0)[:-1]])
        self.odd = ((seen == 0.0) | (self.floor[:, :, 0] > 1.0)).any(axis=1).tolist()
        self.blend = [blend(step / STEPS) for step in range(STEPS)]
        # A row of these times [groups][settings] is a sum over groups
        self.ones = np.ones(GROUPS)
        self.energy = norm**2 / (norm**2).sum(axis=1, keepdims=True)
        based = np.array([[r is not None for r in row] for row in log_ratios])
        ratio = np.array([[r or 0.0 for r in row] for row in log_ratios])
        self.twice_ratio = 2.0 * ratio
        self.based = based.astype(float)
        self.all_based = based.all(axis=1).tolist()
        self.n_based, self.ratio_sum = based.sum(), ratio.sum()
        self.ratio_squares = (ratio**2).sum()
        over = ratio - math.log(KAPPA)
        self.spikes = [[(j, row[j]) for j in range(GROUPS) if row[j] > 0.0] for row in over]
        self.n_spikes = sum(len(spikes) for spikes in self.spikes)


class Block:
    """Settings first .. last - 1.

    Written for speed, passes over memory being what NumPy spends: the average of a group is kept
    in units of 1 - beta and of the norm it meets next, so that it need not be scaled to be mixed
    and to be compared; sums over groups are products with a row of weights; ln s is taken of every
    scale, which is faster than under a mask; what all groups share is held once for each, as NumPy
    is slower where it broadcasts; ones are an array, as np.minimum with a number is slower too.

    Within 1e-12 of a limit the code leaves a norm alone, here not.  That saves passes again, and
    changes a scale by as little; the check against C would show more.
    """

    def __init__(self, np, series, first, last):
        self.np, self.series = np, series
        beta, self.low0, self.high0 = setting(np.arange(first, last))
        n, shape = last - first, (GROUPS, last - first)
        self.fresh, self.known = 1.0 - beta, None
        self.beta, self.one = np.tile(beta, (GROUPS, 1)), np.ones(shape)
        self.low, self.high, self.past = np.empty(shape), np.empty(shape), np.zeros(shape)
        self.scale, self.spare = np.empty(shape), np.empty(shape)
        self.least, self.most = np.full(n, np.inf), np.zeros(n)
        self.some, self.small = np.empty(shape, bool), np.zeros((4, *shape), np.uint8)
        self.counts, self.total = np.zeros((4, n)), np.zeros(n)
        self.row, self.other = np.empty(n), np.empty(n)
        self.logs, self.squares, self.unbased, self.leaks, self.cosines = np.zeros((5, n))

    def multipliers(self, a):
        low = self.low0 * (1.0 - a) + self.low0 * LOW_LATE * a
        high = self.high0 * (1.0 - a) + self.high0 * HIGH_LATE * a
        self.low[:], self.high[:] = low * self.fresh, high * self.fresh
        self.crossed, self.known = bool((low > high).any()), a

    def count(self, what, mask):
        self.np.add(self.small[what], mask.view(self.np.uint8), out=self.small[what])

    def decide(self, step):
        """Scales where nothing is odd: what is above the interval clips, what is below lifts."""
        np, scale, ratio = self.np, self.scale, self.spare
        np.multiply(self.past, self.high, out=scale)
        if self.crossed or self.series.odd[step]:
            return self.decide_oddly(step)
        if scale.min() < self.series.highest_floor[step]:
            self.count(3, np.less(scale, self.series.floor[step], out=self.some))
        np.multiply(self.past, self.low, out=ratio)
        np.minimum(scale, self.one, out=scale)
        np.maximum(ratio, scale, out=ratio)
        ratio.clip(MAX_DOWN, MAX_UP, out=scale)
        self.count(2, np.not_equal(ratio, scale, out=self.some))

    def decide_oddly(self, step):
        """The same where an interval may be empty or above the norm, or there is no average yet;
        scale has the upper ends.  Rare, so as plain as can be."""
        np, upper = self.np, self.scale
        lower = np.maximum(self.past * self.low, self.series.floor[step])
        self.count(3, lower > upper)
        clip = (upper > 0.0) & (upper < 1.0)
        ratio = np.where(clip, upper, np.where(lower > 1.0, lower, 1.0))
        self.scale[:] = np.where(clip, np.maximum(ratio, MAX_DOWN), np.minimum(ratio, MAX_UP))
        self.count(2, ratio != self.scale)

    def gather(self, step):
        np, scale = self.np, self.scale
        self.count(0, np.less(scale, 1.0, out=self.some))
        self.count(1, np.greater(scale, 1.0, out=self.some))
        np.minimum(self.least, np.minimum.reduce(scale, axis=0, out=self.row), out=self.least)
        np.maximum(self.most, np.maximum.reduce(scale, axis=0, out=self.row), out=self.most)
        self.total += np.dot(self.series.ones, scale, out=self.row)
        if step % 255 == 254 or step == STEPS - 1:  # a byte counts to 255
            self.counts += self.small.sum(axis=1, dtype=float)
            self.small.fill(0)

    def gather_direction(self, step):
        """cos = sum s e / sqrt(sum e sum s^2 e), e in shares of the step's."""
        np, energy, cosine, root = self.np, self.series.energy[step], self.row, self.other
        np.dot(energy, self.scale, out=cosine)
        np.dot(energy, np.square(self.scale, out=self.spare), out=root)
        np.divide(cosine, np.sqrt(root, out=root), out=cosine)
        self.cosines += np.minimum(cosine, self.one[0], out=cosine)

    def gather_logs(self, step):
        """Sums of ln s, and of (ln s + r)^2 = (ln s)^2 + 2 r ln s + r^2, r as in the series."""
        np, series, logs = self.np, self.series, self.spare
        np.log(self.scale, out=logs)
        self.logs += np.dot(series.ones, logs, out=self.row)
        self.squares += np.dot(series.twice_ratio[step], logs, out=self.row)
        for group, over in series.spikes[step]:
            row = np.add(logs[group], over, out=self.row)
            self.leaks += np.maximum(row, 0.0, out=row)
        if not series.all_based[step]:
            self.unbased += (1.0 - series.based[step]) @ logs
        self.squares += np.dot(series.based[step], np.square(logs, out=logs), out=self.row)

    def run(self, full):
        """Objectives in order, [7] or [12] arrays."""
        np, decisions = self.np, STEPS * GROUPS
        for step, a in enumerate(self.series.blend):
            if a != self.known:
                self.multipliers(a)
            self.decide(step)
            self.gather(step)
            if full:
                self.gather_direction(step)
                self.gather_logs(step)
            np.multiply(self.past, self.beta, out=self.past)
            np.add(self.past, self.scale, out=self.past)
            np.multiply(self.past, self.series.rescale[step], out=self.past)
        scales = [*self.counts / decisions, self.total / decisions, self.least, self.most]
        return scales + self.rest() if full else scales

    def rest(self):
        np, series = self.np, self.series
        mean = (self.logs - self.unbased + series.ratio_sum) / series.n_based
        squares = (self.squares + series.ratio_squares) / series.n_based
        return [
            -self.logs / (STEPS * GROUPS),
            np.sqrt(np.maximum(squares - mean * mean, 0.0)),
            self.leaks / series.n_spikes,
            1.0 - self.cosines / STEPS,
            np.zeros_like(mean),
        ]


def time_numpy(np, series, n, block, full):
    """Seconds, and the mean over all settings of each objective."""
    start, sums = time.perf_counter(), 0.0
    for first in range(0, n, block):
        results = Block(np, series, first, min(n, first + block)).run(full)
        sums = sums + np.array([column.sum() for column in results])
    return time.perf_counter() - start, *(sums / n)


# --- the races ---------------------------------------------------------------------------------


def time_c(program, n, threads, full):
    command = [program, str(n), str(threads)] + ["all"] * full
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return tuple(float(x) for x in done.stdout.split())


def time_python(norms, log_ratios, n, full):
    """Seconds that n settings would take, from 8 of them."""
    sample = range(0, n, max(1, n // 8))
    start = time.perf_counter()
    for i in sample:
        python_loop(norms, log_ratios, i, full)
    return (time.perf_counter() - start) / len(sample) * n


def check(c, numpy):
    """Means of NumPy's objectives, which may be fewer, against C's."""
    for name, mine, other in zip(OBJECTIVES, c[1:], numpy[1:]):
        if not abs(mine - other) <= 1e-9:
            sys.exit(f"results differ: {name}: C {mine!r}, NumPy {other!r}")


def race(np, series, options, threads, block, full):
    """C against NumPy in such blocks, in turns; returns the median time of C."""
    n, work = options.settings, options.settings * STEPS * GROUPS
    c, numpy = [], []
    for pair in range(options.pairs):
        if pair % 2 == 0:
            numpy.append(time_numpy(np, series, n, block, full))
        c.append(time_c(options.program, n, threads, full))
        if pair % 2 == 1:
            numpy.append(time_numpy(np, series, n, block, full))
    check(c[0], numpy[0])
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
    log_ratios = make_log_ratios(norms)
    series = Series(np, norms, log_ratios)
    print(
        f"{n} settings x {STEPS} steps x {GROUPS} groups; {options.pairs} pairs;"
        f" NumPy {np.__version__}"
    )
    for full in (False, True):
        print("every objective" if full else "scales only")
        practice = [
            (time_numpy(np, series, 24576, block, full)[0], block)
            for block in (1024, 2048, 4096, 6144, 8192, 12288)
            for _ in range(2)
        ]
        block = min(practice)[1]
        for threads in sorted({1, len(os.sched_getaffinity(0))}):
            mine = race(np, series, options, threads, block, full)
        plain = time_python(norms, log_ratios, n, full)
        print(f"Python loop: {plain:.0f} s (from 8 settings); Python / C: {plain / mine:.0f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", required=True, help="bench_sweep")
    parser.add_argument("--settings", type=int, default=65536)
    parser.add_argument("--pairs", type=int, default=5)
    options = parser.parse_args()
    # The products are too small to share between threads, and would be slower for it
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        import numpy
    except ImportError:
        print(f"sweep_vs_numpy: skipped: {sys.executable} has no NumPy")
        sys.exit(77)
    compare(numpy, options)


if __name__ == "__main__":
    main()
