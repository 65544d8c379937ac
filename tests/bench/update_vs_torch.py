#!/usr/bin/env python3
"""update_vs_torch.py - update replay on a GPU against PyTorch's foreach operations, same GPU.

AdamW under eight policies and under none, over the gradients of bench_update_cuda.c, made again
here from the same integers and resident on the GPU for both.  At each step nine optimizer states
go on, and of each policy come ||u||, ||u - u_none|| and u . u_none.

    kernels    bench_update_cuda ELEMENTS STEPS sums: its time of the kernels
    PyTorch    the steps of torch.optim.AdamW(foreach=True) over a list of nine tensors, one for
               each policy, then _foreach_norm and torch.dot; nothing goes back to the host before
               the last step

They take turns.  Prints medians and the ratio, and fails if a mean over the steps differs by more
than a thousandth of the mean of sum u_none^2: norms are fp32 there.  Ends with 77 where no GPU
answers to torch.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

try:
    import torch
except ImportError:
    torch = None

POLICIES = 8
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8
MASK = (1 << 32) - 1
# What an element, step and policy moves in PyTorch, read + written, in the order of step() below.
BYTES = 8 + 12 + 8 + 12 + 8 + 8 + 8 + 12 + 4 + 12 + 4 + 8


def make_gradients(elements, steps):
    """gradient() of bench_update_cuda.c: [steps] tensors on the GPU."""
    rows = []
    for t in range(steps):
        h = torch.arange(1, elements + 1, dtype=torch.int64, device="cuda")
        h = (h * 2654435761 & MASK) ^ ((t + 1) * 2246822519 & MASK)
        h = ((h ^ h >> 15) * 2654435769) & MASK
        rows.append(((h >> 9) - (1 << 22)).float() * 2.0**-30)
    return rows


def scale(t, policy):
    return 0.5 if policy == 0 else ((t * 7 + policy * 5) % 16 + 1) / 16.0


class Replay:
    """Lane 0 is u_none."""

    def __init__(self, gradients):
        self.gradients = gradients
        self.m = [torch.zeros_like(gradients[0]) for _ in range(POLICIES + 1)]
        self.v = [torch.zeros_like(gradients[0]) for _ in range(POLICIES + 1)]

    def step(self, t):
        """Norms of u, norms of u - u_none, dots; on the GPU."""
        scales = [1.0] + [scale(t, p) for p in range(POLICIES)]
        root = (1.0 - BETA2 ** (t + 1)) ** 0.5
        g = torch._foreach_mul([self.gradients[t]] * (POLICIES + 1), scales)
        torch._foreach_lerp_(self.m, g, 1.0 - BETA1)
        torch._foreach_mul_(self.v, BETA2)
        torch._foreach_addcmul_(self.v, g, g, 1.0 - BETA2)
        del g
        u = torch._foreach_sqrt(self.v)
        torch._foreach_div_(u, root)
        torch._foreach_add_(u, EPS)
        u = torch._foreach_div(self.m, u)
        norms = torch._foreach_norm(u)
        d = torch._foreach_sub(u[1:], [u[0]] * POLICIES)
        return norms, torch._foreach_norm(d), [torch.dot(a, u[0]) for a in u[1:]]

    def run(self):
        """Seconds, and what bench_update_cuda prints: means over the steps."""
        for state in self.m + self.v:
            state.zero_()
        torch.cuda.synchronize()
        start = time.perf_counter()
        told = [self.step(t) for t in range(len(self.gradients))]
        torch.cuda.synchronize()
        took = time.perf_counter() - start
        means = [0.0] * (1 + 3 * POLICIES)
        for t, (norms, changes, dots) in enumerate(told):
            factor = (1.0 - BETA1 ** (t + 1)) ** -2 / len(told)
            means[0] += norms[0].item() ** 2 * factor
            for p in range(POLICIES):
                means[1 + 3 * p] += norms[1 + p].item() ** 2 * factor
                means[2 + 3 * p] += changes[p].item() ** 2 * factor
                means[3 + 3 * p] += dots[p].item() * factor
        return took, means


def run_program(options):
    program, env = options.program, dict(os.environ)
    if options.pack:
        program = os.path.join(options.pack, "bin", "bench_update_cuda")
        env["LD_LIBRARY_PATH"] = os.path.join(options.pack, "lib")
    command = [program, str(options.elements), str(options.steps), "sums"]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=env)
    numbers = [float(x) for x in out.stdout.split()]
    return numbers[0], numbers[1], numbers[2:]


def main():
    parser = argparse.ArgumentParser(description="Update replay against PyTorch, on one GPU.")
    parser.add_argument("--program", default="build/bench_update_cuda")
    parser.add_argument("--pack", help="a folder that `make gpu-pack` filled, with the program")
    parser.add_argument("--elements", type=int, default=1 << 24)
    parser.add_argument("--steps", type=int, default=16)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if torch is None or not torch.cuda.is_available():
        print("update_vs_torch.py: torch sees no GPU here")
        return 77

    replay = Replay(make_gradients(options.elements, options.steps))
    replay.run()  # the first one makes room and loads kernels
    ours, copies, theirs = [], [], []
    for _ in range(options.runs):
        kernels, with_copies, wanted = run_program(options)
        took, means = replay.run()
        ours.append(kernels)
        copies.append(with_copies)
        theirs.append(took)
    worst = max(abs(a - b) / wanted[0] for a, b in zip(means, wanted))

    work = options.elements * options.steps * POLICIES
    ours, copies, theirs = map(statistics.median, (ours, copies, theirs))
    print(f"{torch.cuda.get_device_name(0)}, torch {torch.__version__}")
    print(f"{options.elements} elements x {options.steps} steps x {POLICIES} policies, fp32, adamw;"
          f" medians of {options.runs}")
    for name, took in (("kernels", ours), ("with copies", copies), ("PyTorch", theirs)):
        print(f"{name:<12} {took * 1e3:10.2f} ms {work / took * 1e-9:10.1f} 10^9 a second")
    moved = BYTES * work * (POLICIES + 1) / POLICIES
    print(f"PyTorch moves {BYTES} bytes for each: {moved / theirs * 1e-9:.0f} GB/s")
    print(f"ratio {theirs / ours:.1f}, largest difference of a mean {worst:.1e} of u_none's")
    return 1 if worst > 1e-3 else 0


if __name__ == "__main__":
    sys.exit(main())
