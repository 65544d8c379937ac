"""record_gpt2.py - record traces/gpt2.h5: a small GPT-2 whose learning rate is too high.

    python3 traces/record_gpt2.py

from the top of the source tree, after `make`; needs torch (Debian: python3-torch).  Two minutes
on one core.

A GPT-2 of four layers learns the BSD licence of /usr/share/common-licenses from scratch: warmup,
a plateau at the full learning rate, a straight line down at the end, no weight decay, no clipping.
The learning rate is a little above what the model bears (7e-3 was calm).  Nothing is injected: the
loss falls for more than half of the run, then leaps to several times its level while the norm
leaps to some forty times its own, and takes two hundred steps to come back.  The run is chaotic:
with another torch or processor the spike comes at another step, or there are several.
"""

import argparse
import os
import sys

import torch

import corpus
import gpt2

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib/python"))
import gradtrace  # noqa: E402  (after the path is set)

COMMAND = "python3 traces/record_gpt2.py"

MODEL = {"n_layers": 4, "width": 64, "n_heads": 4, "length": 64}
RUN = {"steps": 2400, "rows": 8, "lr": 1e-2, "warmup": 100, "decay_from": 1900}
SEED = 4


def learning_rate(step):
    """Warmup, plateau, straight line down to a tenth."""
    if step < RUN["warmup"]:
        return RUN["lr"] * (step + 1) / RUN["warmup"]
    if step < RUN["decay_from"]:
        return RUN["lr"]
    left = (RUN["steps"] - step) / (RUN["steps"] - RUN["decay_from"])
    return RUN["lr"] * (0.1 + 0.9 * left)


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description="Record traces/gpt2.h5.")
    parser.add_argument("-o", "--output", default=os.path.join(here, "gpt2.h5"))
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    arguments = parser.parse_args()

    corpus.make_repeatable(SEED)
    text, source = corpus.licence("BSD")
    model = gpt2.GPT2(**MODEL)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RUN["lr"], weight_decay=0.0)
    generator = torch.Generator().manual_seed(SEED)
    stream = corpus.batches(text, RUN["rows"], MODEL["length"], generator)
    meta = {
        "command": COMMAND,
        "model": {"kind": "GPT-2-shaped, bytes, tied embedding", **MODEL},
        "trained_on": {**source, **RUN},
        "schedule": "linear warmup, constant, linear to 0.1 of the peak",
        "max_grad_norm": None,
        "seed": SEED,
    }
    with gradtrace.Recorder(
        model,
        arguments.output,
        optimizer=optimizer,
        total_steps=RUN["steps"],
        meta=meta,
        force=arguments.force,
        strict=True,
    ) as recorder:
        total = 0.0
        for step in range(RUN["steps"]):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step)
            loss = model.loss(*next(stream))
            optimizer.zero_grad()
            loss.backward()
            recorder.step(loss)
            recorder.applied(1.0)
            optimizer.step()
            total += loss.item()
            if (step + 1) % 100 == 0:
                print(f"step {step + 1:5}  loss {total / 100:.3f}", flush=True)
                total = 0.0
    print(f"{arguments.output}: {os.path.getsize(arguments.output)} bytes")


if __name__ == "__main__":
    main()
