"""record_lora.py - record traces/lora.h5: LoRA fine-tuning of a small LLaMA, every step's norms.

    python3 traces/record_lora.py

from the top of the source tree, after `make`; needs torch (Debian: python3-torch).  About two
minutes on one core.

The base model is pre-trained here, on Python's help topics, then frozen; LoRA pairs beside all
seven projections of each layer learn the licences of /usr/share/common-licenses.  As people do,
the run clips the global norm at 1.0; gradients are recorded before that, the factor after it.
The norms of all 1,200 steps are kept, and all elements of 60 consecutive steps.
"""

import argparse
import os
import sys

import torch

import corpus
import llama

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib/python"))
import gradtrace  # noqa: E402  (after the path is set)

COMMAND = "python3 traces/record_lora.py"

MODEL = {"n_layers": 4, "width": 64, "n_heads": 4, "hidden": 176}
LENGTH = 64  # bytes of context

PRETRAIN = {"steps": 2000, "rows": 16, "lr": 3e-3, "warmup": 100, "weight_decay": 0.1}
FINE_TUNE = {"steps": 1200, "rows": 2, "lr": 3e-3, "warmup": 60, "weight_decay": 0.01}
LORA = {"rank": 2, "alpha": 4, "dropout": 0.05}
MAX_NORM = 1.0
SEED = 20

# All elements of these 60 steps, so that optimizer updates can be simulated.  One step has 9,856
# elements; more steps and the file would be too big to be kept with the sources.
ELEMENTS_FROM, ELEMENTS_TO = 600, 659


def train(model, raw, settings, new_recorder=None):
    """Trains what is trainable in `model`; new_recorder(optimizer) makes a recorder of the run."""
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(
        trainable, lr=settings["lr"], weight_decay=settings["weight_decay"]
    )
    generator = torch.Generator().manual_seed(SEED)
    stream = corpus.batches(raw, settings["rows"], LENGTH, generator)
    recorder = None if new_recorder is None else new_recorder(optimizer)
    total = 0.0
    for step in range(settings["steps"]):
        lr = corpus.warmup_cosine(step, settings["lr"], settings["warmup"], settings["steps"])
        for group in optimizer.param_groups:
            group["lr"] = lr
        loss = model.loss(*next(stream))
        optimizer.zero_grad()
        loss.backward()
        if recorder is not None:
            recorder.step(loss)
        norm = float(torch.nn.utils.clip_grad_norm_(trainable, MAX_NORM))
        if recorder is not None:
            recorder.applied(min(1.0, MAX_NORM / (norm + 1e-6)))
        optimizer.step()
        total += loss.item()
        if (step + 1) % 200 == 0:
            print(f"step {step + 1:5}  loss {total / 200:.3f}  norm {norm:.3f}", flush=True)
            total = 0.0
    if recorder is not None:
        recorder.close()


def main():
    here = os.path.dirname(os.path.abspath(__file__))
    parser = argparse.ArgumentParser(description="Record traces/lora.h5.")
    parser.add_argument("-o", "--output", default=os.path.join(here, "lora.h5"))
    parser.add_argument("--force", action="store_true", help="replace an existing file")
    arguments = parser.parse_args()

    corpus.make_repeatable(SEED)
    topics, topics_source = corpus.help_topics()
    licences, licences_source = corpus.licences()

    model = llama.LLaMA(**MODEL)
    print("pre-training")
    train(model, topics, PRETRAIN)
    llama.add_lora(model, **LORA)
    meta = {
        "command": COMMAND,
        "model": {"kind": "LLaMA-shaped, bytes", **MODEL, "length": LENGTH},
        "lora": LORA,
        "pretrained_on": {**topics_source, **PRETRAIN},
        "trained_on": {**licences_source, **FINE_TUNE},
        "schedule": "linear warmup, cosine to 0.1 of the peak",
        "max_grad_norm": MAX_NORM,
        "seed": SEED,
    }

    def record(optimizer):
        return gradtrace.Recorder(
            model,
            arguments.output,
            optimizer=optimizer,
            elements="full",
            first=ELEMENTS_FROM,
            last=ELEMENTS_TO,
            total_steps=FINE_TUNE["steps"],
            meta=meta,
            force=arguments.force,
            strict=True,
        )

    print("fine-tuning, recorded")
    train(model, licences, FINE_TUNE, record)
    print(f"{arguments.output}: {os.path.getsize(arguments.output)} bytes")


if __name__ == "__main__":
    main()
