#!/usr/bin/env python3
"""closed_loop.py - do trainings clip as often as a replay said that they would?

    closed_loop.py FOLDER [--seeds 3] [--steps 400]

Trains two small tasks, which nothing else here was fitted to: a convolutional network on noisy
pictures of shapes, and a Transformer that recalls the value of a key.  One recording of each,
unclipped, of seed 0, gives the limits (quantiles of its norms) and the predictions: what `gradtrace
replay` says that each limit would clip, with its interval.  Then each limit is trained with, for
every seed, and recorded; replaying the policy over a run's own recording tells exactly what it did.
Prints a table: predicted, interval, realised (mean over seeds, and their spread), and how many lie
inside, of clip rates and mean scales.  Then what a second round is worth, a prediction from a
recording with the very limit, and whether the gap between the predictions of two recordings
(`--against`) foretells the error.

Needs torch; GRADTRACE and GRADTRACE_LIBRARY as for the other tests.  Takes some minutes on two
cores.  Recordings that are in FOLDER already are used as they are.
"""

import argparse
import csv
import json
import os
import statistics
import subprocess
import sys

import torch

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "lib", "python"))

import gradtrace  # noqa: E402  (the tree's own)

GRADTRACE = os.environ.get("GRADTRACE", os.path.join(ROOT, "build", "gradtrace"))
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.99)


# --- the tasks: a model, and a loss of a fresh batch ---------------------------------------------


def shapes(generator, n=32):
    """Squares, crosses and bars of 12 x 12 in noise; one label of ten is wrong."""
    label = torch.randint(0, 3, (n,), generator=generator)
    image = 0.7 * torch.randn(n, 1, 12, 12, generator=generator)
    for i in range(n):
        x, y = torch.randint(0, 7, (2,), generator=generator).tolist()
        if label[i] == 0:
            image[i, 0, y:y + 5, x:x + 5] += 1.0
        elif label[i] == 1:
            image[i, 0, y + 2, x:x + 5] += 2.0
            image[i, 0, y:y + 5, x + 2] += 2.0
        else:
            image[i, 0, y:y + 2, x:x + 5] += 1.5
    wrong = torch.rand(n, generator=generator) < 0.1
    label[wrong] = torch.randint(0, 3, (int(wrong.sum()),), generator=generator)
    return image, label


class Shapes(torch.nn.Module):
    rate = 3e-3

    def __init__(self):
        super().__init__()
        self.conv1 = torch.nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = torch.nn.Conv2d(12, 24, 3, padding=1)
        self.head = torch.nn.Linear(24 * 9, 3)

    def loss(self, generator):
        image, label = shapes(generator)
        hidden = torch.nn.functional.max_pool2d(torch.relu(self.conv1(image)), 2)
        hidden = torch.nn.functional.max_pool2d(torch.relu(self.conv2(hidden)), 2)
        return torch.nn.functional.cross_entropy(self.head(hidden.flatten(1)), label)


class Recall(torch.nn.Module):
    """Eight pairs of key and value, then a key: which value was its?"""

    rate = 4e-3
    words = 16

    def __init__(self):
        super().__init__()
        self.embed = torch.nn.Embedding(2 * self.words, 32)
        self.place = torch.nn.Parameter(0.1 * torch.randn(17, 32))
        layer = torch.nn.TransformerEncoderLayer(32, 2, 64, dropout=0.0, batch_first=True)
        self.layers = torch.nn.TransformerEncoder(layer, 2)
        self.head = torch.nn.Linear(32, self.words)

    def loss(self, generator, n=16):
        keys = torch.stack([torch.randperm(self.words, generator=generator)[:8] for _ in range(n)])
        values = torch.randint(0, self.words, (n, 8), generator=generator)
        asked = torch.randint(0, 8, (n,), generator=generator)
        pairs = torch.stack([keys, values + self.words], 2).flatten(1)
        pick = torch.arange(n)
        tokens = torch.cat([pairs, keys[pick, asked].unsqueeze(1)], 1)
        hidden = self.layers(self.embed(tokens) + self.place)[:, -1]
        return torch.nn.functional.cross_entropy(self.head(hidden), values[pick, asked])


TASKS = {"shapes": Shapes, "recall": Recall}


# --- trainings and what gradtrace says of them ----------------------------------------------------


def train(task, seed, steps, path, limit=None, limits=None):
    """Trains and records; `limit` clips the whole gradient, `limits` each tensor by its name."""
    if os.path.exists(path):
        return
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(1000 + seed)
    model = TASKS[task]()
    optimizer = torch.optim.AdamW(model.parameters(), lr=model.rate)
    with gradtrace.Recorder(model, path, total_steps=steps, group_by="tensor") as recorder:
        for _ in range(steps):
            loss = model.loss(generator)
            optimizer.zero_grad()
            loss.backward()
            recorder.step(loss)
            if limit is not None:
                torch.nn.utils.clip_grad_norm_(model.parameters(), limit)
            for name, parameter in model.named_parameters() if limits else ():
                torch.nn.utils.clip_grad_norm_([parameter], limits[name])
            optimizer.step()


def replay(path, policies, *options):
    """The pooled row of each policy."""
    command = [GRADTRACE, "replay", path, "--tsv", "-", *options]
    for policy in policies:
        command += ["-p", policy]
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    rows = csv.DictReader(run.stdout.splitlines(), delimiter="\t")
    return [{k: float(v) for k, v in row.items() if k not in ("policy", "group")}
            for row in rows if row["group"] == "(pooled)"]


def norms(path):
    """Of the whole gradient, and of each tensor."""
    run = subprocess.run([GRADTRACE, "replay", path, "-p", "none", "--steps", "-"], check=True,
                         capture_output=True, text=True)
    groups, total = {}, {}
    for row in csv.DictReader(run.stdout.splitlines(), delimiter="\t"):
        groups.setdefault(row["group"], []).append(float(row["norm"]))
        total[row["step"]] = total.get(row["step"], 0.0) + float(row["norm"]) ** 2
    return [x ** 0.5 for x in total.values()], groups


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def settings_of(path):
    """Name -> (policy as after -p, arguments of `train`)."""
    total, groups = norms(path)
    settings = {}
    for q in QUANTILES:
        limit = float(f"{quantile(total, q):.4g}")
        settings[f"p{q * 100:.0f}"] = (f"global:max_norm={limit!r}", {"limit": limit})
    for q in (0.5, 0.9):
        limits = {name: float(f"{quantile(values, q):.4g}") for name, values in groups.items()}
        text = "group:" + ",".join(f"{name}={limit!r}" for name, limit in limits.items())
        settings[f"tensors p{q * 100:.0f}"] = (text, {"limits": limits})
    return settings


def horizon(recorded, trained, limit):
    """Steps from the first clip until a training's norm is a tenth off the recording's; None if it
    never clips."""
    clipped = next((t for t, norm in enumerate(trained) if norm > limit), None)
    if clipped is None:
        return None
    off = (t for t in range(clipped + 1, len(trained))
           if abs(trained[t] - recorded[t]) > 0.1 * recorded[t])
    return next(off, len(trained)) - clipped


def recommended(path):
    """The range of limits that `gradtrace spill` recommends."""
    run = subprocess.run([GRADTRACE, "spill", path, "--max-norm", "auto", "--json", "-"],
                         check=True, capture_output=True, text=True)
    found = json.loads(run.stdout)
    return found["recommended_low"], found["recommended_high"]


def correlation(x, y):
    mean_x, mean_y = statistics.mean(x), statistics.mean(y)
    top = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y))
    below = sum((a - mean_x) ** 2 for a in x) * sum((b - mean_y) ** 2 for b in y)
    return top / below ** 0.5 if below > 0 else float("nan")


# --- the table ------------------------------------------------------------------------------------


def study(task, folder, seeds, steps, errors, gaps):
    """Prints the task's rows; returns how many lie inside, of how many, second round and ranges."""
    def path_of(name, seed):
        return os.path.join(folder, f"{task}.{name.replace(' ', '_')}.seed{seed}.h5")

    train(task, 0, steps, path_of("none", 0))
    settings = settings_of(path_of("none", 0))
    for name, (_, arguments) in settings.items():
        for seed in range(seeds):
            train(task, seed, steps, path_of(name, seed), **arguments)
    policies = [policy for policy, _ in settings.values()]
    predicted = replay(path_of("none", 0), policies)
    other = replay(path_of("p50", 0), policies)
    inside = [0, 0]
    second = []
    for name, policy, row, again in zip(settings, policies, predicted, other):
        runs = [replay(path_of(name, seed), [policy])[0] for seed in range(seeds)]
        rate = statistics.mean(r["clip_rate"] for r in runs)
        spread = statistics.pstdev(r["clip_rate"] for r in runs)
        scale = statistics.mean(r["scale_mean"] for r in runs)
        fits = (row["clip_rate_low"] <= rate <= row["clip_rate_high"],
                row["scale_mean_low"] <= scale <= row["scale_mean_high"])
        inside = [inside[0] + fits[0], inside[1] + fits[1]]
        errors.append(abs(rate - row["clip_rate"]))
        gaps.append(abs(again["clip_rate"] - row["clip_rate"]))
        if seeds > 1 and name in ("p25", "p50", "p75"):
            first = replay(path_of(name, 0), [policy])[0]["clip_rate"]
            rest = statistics.mean(r["clip_rate"] for r in runs[1:])
            second.append((name, abs(row["clip_rate"] - rest), abs(first - rest)))
        print(f"| {task} | {name} | {row['clip_rate']:.3f} | {row['clip_rate_low']:.3f} to "
              f"{row['clip_rate_high']:.3f} | {rate:.3f} ± {spread:.3f} | "
              f"{'yes' if fits[0] else 'no'} | {row['scale_mean']:.3f} | "
              f"{row['scale_mean_low']:.3f} to {row['scale_mean_high']:.3f} | {scale:.3f} | "
              f"{'yes' if fits[1] else 'no'} |", flush=True)
    recorded = norms(path_of("none", 0))[0]
    steps_alike = sorted(filter(None, (
        horizon(recorded, norms(path_of(name, 0))[0], arguments["limit"])
        for name, (_, arguments) in settings.items() if "limit" in arguments)))
    # Recordings that their limit hardly touched: is the same recommended of each?
    ranges = [recommended(path_of("p99", seed)) for seed in range(seeds)]
    low, high = max(r[0] for r in ranges), min(r[1] for r in ranges)
    told = (f"{task}: recommended of each seed "
            + ", ".join(f"{r[0]:.3g} to {r[1]:.3g}" for r in ranges)
            + (f"; all hold {low:.3g} to {high:.3g}" if low <= high else "; they do not overlap")
            + f"\n{task}: norms stay within a tenth of the recording's for "
            + ", ".join(map(str, steps_alike)) + " steps after the first clip")
    return inside, len(settings), second, told


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=400)
    options = parser.parse_args()
    torch.set_num_threads(1)
    os.makedirs(options.folder, exist_ok=True)
    print("| task | limit | clip rate | interval | realised | inside | mean scale | interval | "
          "realised | inside |")
    print("|---|---|--:|---|--:|---|--:|---|--:|---|")
    errors, gaps, told = [], [], []
    for task in TASKS:
        inside, n, second, ranges = study(task, options.folder, options.seeds, options.steps,
                                          errors, gaps)
        told.append(f"{task}: {inside[0]} of {n} clip rates and {inside[1]} of {n} mean scales lie "
                    "inside")
        told += [f"{task}, {name}: error {first:.3f} from the unclipped recording, {again:.3f} "
                 "from one with this limit" for name, first, again in second]
        told.append(ranges)
    print()
    print("\n".join(told))
    print(f"correlation of the error with the gap to a second recording: "
          f"{correlation(errors, gaps):.2f}")


if __name__ == "__main__":
    main()
