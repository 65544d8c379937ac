#!/usr/bin/env python3
"""recorder_overhead.py - what recording costs a PyTorch training step.

    python3 tests/bench/recorder_overhead.py [--pairs N] [--steps N] [--modes LIST] [--profile]
                                             [--device cuda]
    python3 tests/bench/recorder_overhead.py --counts [--pairs N] [--steps N]

Trains a small GPT on the CPU, or a larger one on a GPU, in short runs, alternately with a
recorder and without, from the same seed. Each pair of runs gives one ratio of times per step (the
median step of each run); printed is their median, with the quartiles, because other work on the
machine moves single pairs by more than what is measured. "in calls" is the time that the training
thread spent in the recorder, as a share of the step: what no other work can hide; "waited" is the
part of it in which the queue was full. "cpu" is the same ratio of the training thread's own
processor time, which other programs move less than the clock; the thread that writes is not in
it. Losses of both runs must be the same bits.

With --counts it is `gradtrace record` that is measured, where a step is small and much is listened
to: many tensors, an optimizer for each tensor that steps in the backward pass, a clipping for each
tensor. "a tensor" is what recording adds to a step, divided by the tensors: if that is flat, the
cost grows with the model and not faster.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "lib", "python"))

import gradtrace  # noqa: E402
import torch  # noqa: E402
from torch import nn  # noqa: E402

MODES = {
    "norms": {},
    "blocks:1/64": {"elements": "blocks:1/64"},
    "around-spikes:8": {"elements": "blocks:1/64,around-spikes:8"},
    "full": {"elements": "full"},
    "full, uncompressed": {"elements": "full", "compression": "none"},
    "full, drop": {"elements": "full", "when_full": "drop"},
}


SIZES = {
    "cpu": {"layers": 6, "width": 128, "words": 1000, "batch": 4, "length": 128},
    # 0.3 billion parameters
    "cuda": {"layers": 24, "width": 1024, "words": 16384, "batch": 8, "length": 512},
}


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.before = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, batch_first=True)
        self.between = nn.LayerNorm(width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x, mask):
        y = self.before(x)
        x = x + self.attention(y, y, y, attn_mask=mask, need_weights=False)[0]
        return x + self.down(nn.functional.gelu(self.up(self.between(x))))


class Model(nn.Module):
    def __init__(self, layers, width, words):
        super().__init__()
        self.words = nn.Embedding(words, width)
        self.blocks = nn.ModuleList(Block(width, 4) for _ in range(layers))
        self.head = nn.Linear(width, words)

    def forward(self, tokens):
        n = tokens.shape[1]
        mask = torch.full((n, n), float("-inf"), device=tokens.device).triu(1)
        x = self.words(tokens)
        for block in self.blocks:
            x = block(x, mask)
        return self.head(x)


def run(args, options):
    """What a run took and said, by name; lists have one number a step."""
    torch.manual_seed(0)
    model = Model(args.layers, args.width, args.words).to(args.device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    data = torch.randint(0, args.words, (args.steps, args.batch, args.length + 1))
    data = data.to(args.device)
    recorder, path = None, None
    if options is not None:
        path = os.path.join(args.folder, "run.h5")
        options = {"optimizer": optimizer, "strict": True, "progress": False, **options}
        recorder = gradtrace.Recorder(model, path, **options)
    whole, cpu, inside, losses = [], [], [], []
    for batch in data:
        start, worked = time.perf_counter(), time.thread_time()
        logits = model(batch[:, :-1])
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        called = time.perf_counter()
        if recorder is not None:
            recorder.step(loss)
        spent = time.perf_counter() - called
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        called = time.perf_counter()
        if recorder is not None:
            recorder.applied(min(1.0, 1.0 / (float(norm) + 1e-6)))
        spent += time.perf_counter() - called
        optimizer.step()
        losses.append(loss.item())
        whole.append(time.perf_counter() - start)
        cpu.append(time.thread_time() - worked)
        inside.append(spent)
    said, closing = {}, 0.0
    if recorder is not None:
        said = recorder.progress()
        start = time.perf_counter()
        recorder.close()
        closing = time.perf_counter() - start
        said["file"] = os.path.getsize(path)
        os.unlink(path)
    took = {name: statistics.median(v[2:]) for name, v in
            (("whole", whole), ("cpu", cpu), ("inside", inside))}
    return {**took, **said, "losses": losses, "closing": closing}


def compare(args, name):
    pairs = []
    for pair in range(args.pairs):
        order = [None, MODES[name]] if pair % 2 == 0 else [MODES[name], None]
        runs = {options is not None: run(args, options) for options in order}
        if runs[True]["losses"] != runs[False]["losses"]:
            sys.exit(f"{name}: losses differ from those of the run without a recorder")
        pairs.append((runs[False], runs[True]))

    def percent(part, of):
        return statistics.quantiles([100 * part(*p) / of(*p) for p in pairs], n=4)

    low, middle, high = percent(lambda a, b: b["whole"] - a["whole"], lambda a, b: a["whole"])
    cpu = percent(lambda a, b: b["cpu"] - a["cpu"], lambda a, b: a["cpu"])
    inside = percent(lambda a, b: b["inside"], lambda a, b: a["whole"])
    waited = percent(lambda a, b: b["seconds_waited"] / args.steps, lambda a, b: a["whole"])
    said = pairs[-1][1]
    print(
        f"{name:<16} {1e3 * statistics.median(a['whole'] for a, _ in pairs):6.1f} ms"
        f" {middle:+7.2f} % ({low:+.2f} .. {high:+.2f}) {cpu[1]:+7.2f} % {inside[1]:7.2f} %"
        f" {waited[1]:7.2f} % {said['file'] / 1e6:7.1f} MB {said['dropped']:5d}"
        f" {said['closing']:6.2f} s",
        flush=True,
    )


def profile(args):
    """Where the time goes in norms mode."""
    import cProfile
    import pstats

    torch.manual_seed(0)
    model = Model(args.layers, args.width, args.words)
    model(torch.zeros(1, 4, dtype=torch.long)).sum().backward()
    with gradtrace.Recorder(model, os.path.join(args.folder, "run.h5"), progress=False) as recorder:
        recorder.step(0.0)
        start = time.perf_counter()
        for _ in range(200):
            recorder.step(0.0)
        print(f"{1e6 * (time.perf_counter() - start) / 200:.0f} us a step")
        profiler = cProfile.Profile()
        profiler.enable()
        for _ in range(200):
            recorder.step(0.0)
        profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(12)


# Tensors, optimizers, calls that clip.
COUNTS = [
    (10, 1, 1), (100, 1, 1), (1000, 1, 1), (100, 1, 100), (1000, 1, 1000),
    (100, 100, 0), (300, 300, 0), (1000, 1000, 0),
]


def counted(n_tensors, n_optimizers, n_clips, n_steps):
    """A run of tensors of 64 elements; prints processor time of the median step, and the loss."""
    torch.manual_seed(0)
    torch.set_num_threads(1)
    parameters = [nn.Parameter(torch.randn(64)) for _ in range(n_tensors)]
    optimizers = [torch.optim.SGD(parameters[k::n_optimizers], lr=1e-3)
                  for k in range(n_optimizers)]
    in_backward = hasattr(torch.Tensor, "register_post_accumulate_grad_hook") and n_optimizers > 1
    for p, optimizer in zip(parameters, optimizers if in_backward else ()):
        def step(p, optimizer=optimizer):
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        p.register_post_accumulate_grad_hook(step)
    times = []
    for _ in range(n_steps):
        start = time.thread_time()
        loss = sum(p.square().sum() for p in parameters)
        loss.backward()
        for k in range(n_clips):
            nn.utils.clip_grad_norm_(parameters[k::n_clips], 1.0)
        for optimizer in () if in_backward else optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        times.append(time.thread_time() - start)
    print(json.dumps([statistics.median(times[n_steps // 2 :]), float(loss.detach())]))


def compare_counts(args):
    """Each in processes of its own, plain and recorded."""
    program = os.path.join(os.path.dirname(gradtrace._library.find()), "gradtrace")
    record = [program, "record", "--force", "-o", os.path.join(args.folder, "run.h5"), "--"]
    print(f"{'tensors':>8} {'optimizers':>10} {'clips':>6} {'step':>10} {'recorded':>10}"
          f" {'times':>6} {'a tensor':>10}")
    for counts in COUNTS:
        words = [sys.executable, os.path.abspath(__file__), "--steps", str(args.steps), "--counted"]
        words.append(",".join(map(str, counts)))
        plain, recorded = [], []
        for _ in range(args.pairs):
            runs = []
            for command in (words, record + words):
                said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                runs.append(json.loads(said))
            if runs[0][1] != runs[1][1]:
                sys.exit(f"{counts}: losses differ from those of the run that is not recorded")
            plain.append(runs[0][0])
            recorded.append(runs[1][0])
        one, other = statistics.median(plain), statistics.median(recorded)
        each = 1e6 * (other - one) / counts[0]
        print(f"{counts[0]:8d} {counts[1]:10d} {counts[2]:6d} {1e3 * one:7.2f} ms"
              f" {1e3 * other:7.2f} ms {other / one:6.2f} {each:7.1f} us", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--steps", type=int, default=20, help="of a run")
    parser.add_argument("--modes", default=";".join(MODES), help="separated by ;")
    parser.add_argument("--device", choices=list(SIZES), default="cpu")
    for name in SIZES["cpu"]:
        parser.add_argument(f"--{name}", type=int, help="of the model and its batches")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--counts", action="store_true", help="of tensors, optimizers, clips")
    parser.add_argument("--counted", help=argparse.SUPPRESS)
    parser.add_argument("--folder", help="for the traces; default: a temporary one")
    args = parser.parse_args()
    for name, size in SIZES[args.device].items():
        if getattr(args, name) is None:
            setattr(args, name, size)
    if args.counted:
        counted(*map(int, args.counted.split(",")), args.steps)
        return
    if args.device == "cuda":  # or two runs of the same would differ
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        torch.use_deterministic_algorithms(True, warn_only=True)
    with tempfile.TemporaryDirectory(prefix="gradtrace-bench-", dir=args.folder) as folder:
        args.folder = folder
        if args.profile or args.counts:
            (profile if args.profile else compare_counts)(args)
            return
        model = Model(args.layers, args.width, args.words)
        sizes = [p.numel() for p in model.parameters()]
        del model
        print(
            f"{args.device}: {len(sizes)} tensors, {sum(sizes):,} parameters, "
            f"batch {args.batch} x {args.length}; "
            f"{torch.get_num_threads()} threads of torch {torch.__version__}; load "
            f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; {args.pairs} pairs of runs "
            f"of {args.steps} steps"
        )
        print(
            f"{'':<16} {'step':>9} {'slower by':>9} (quartiles)     {'cpu':>9} {'in calls':>9}"
            f" {'waited':>9} {'file':>10} {'drops':>5} {'closing':>8}"
        )
        run(args, None)  # warm
        for name in args.modes.split(";"):
            compare(args, name)


if __name__ == "__main__":
    main()
