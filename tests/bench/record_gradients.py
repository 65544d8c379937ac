#!/usr/bin/env python3
"""record_gradients.py - whole gradients of small real models, for bench_planes.

    python3 tests/bench/record_gradients.py FOLDER

from the top of the source tree, after `make`; needs torch.  Writes FOLDER/<name>.h5, all elements
of all tensors at a few steps of a run of fifty, which takes half a minute:

    gpt2    a GPT-2 over words, its output layer tied to the embedding.  A word that does not occur
            gets a row that is nearly the same for all such words
    llama   a LLaMA over words with an output layer of its own: the rows of words that do not occur
            are zeros in the embedding, in the output layer as above
    lora    low-rank pairs beside the projections of that LLaMA
    convnet convolutions with ReLU, so with zeros, that tell textures apart

Words are those of Python's help topics.  The same seed gives the same run on one machine.
"""

import argparse
import os
import re
import sys

import torch
from torch import nn
from torch.nn import functional as F

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path[:0] = [os.path.join(TOP, "traces"), os.path.join(TOP, "lib/python")]
import corpus  # noqa: E402  (after the path is set)
import gpt2  # noqa: E402
import gradtrace  # noqa: E402
import llama  # noqa: E402

STEPS, KEPT, ROWS, LENGTH = 50, 5, 4, 64
VOCABULARY = 8192
SEED = 7


def word_batches(generator):
    """Endless (inputs, targets), [ROWS, LENGTH] numbers of words and of what is between them."""
    text = corpus.help_topics()[0].decode("utf-8")
    words = re.findall(r"\w+|[^\w\s]|\s+", text)
    number = {word: i for i, word in enumerate(sorted(set(words)))}
    tokens = torch.tensor([number[word] % VOCABULARY for word in words])
    while True:
        starts = torch.randint(len(tokens) - LENGTH, (ROWS, 1), generator=generator)
        rows = tokens[starts + torch.arange(LENGTH + 1)]
        yield rows[:, :-1], rows[:, 1:]


class Convnet(nn.Module):
    """Three convolutions, a mean over the picture, a linear layer."""

    def __init__(self, classes):
        super().__init__()
        widths = [1, 64, 128, 256]
        self.convolutions = nn.ModuleList(
            nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in zip(widths, widths[1:])
        )
        self.hidden = nn.Linear(256 * 4 * 4, 256)
        self.out = nn.Linear(256, classes)

    def loss(self, x, labels):
        for convolution in self.convolutions:
            x = F.relu(convolution(x))
        return F.cross_entropy(self.out(F.relu(self.hidden(x.flatten(1)))), labels)


def texture_batches(generator, classes=8):
    """Endless (pictures, labels): waves of 32 x 32 in noise, a label for each direction."""
    place = torch.arange(32.0)
    while True:
        labels = torch.randint(classes, (32,), generator=generator)
        angle = (labels * torch.pi / classes)[:, None, None]
        phase = torch.rand(32, 1, 1, generator=generator) * 2 * torch.pi
        waves = torch.sin(angle.cos() * place[:, None] + angle.sin() * place + phase)
        noise = torch.randn(32, 32, 32, generator=generator)
        yield (waves + noise)[:, None], labels


def record(model, stream, path):
    """Trains, and records the gradients of the last steps."""
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1e-3)
    with gradtrace.Recorder(
        model, path, elements="full", first=STEPS - KEPT, last=STEPS - 1, force=True, strict=True
    ) as recorder:
        for _ in range(STEPS):
            loss = model.loss(*next(stream))
            optimizer.zero_grad()
            loss.backward()
            recorder.step(loss)
            optimizer.step()
    print(f"{path}: loss {loss.item():.2f}, {sum(p.numel() for p in trainable)} elements a step")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("folder")
    folder = parser.parse_args().folder
    os.makedirs(folder, exist_ok=True)
    corpus.make_repeatable(SEED)
    generator = torch.Generator().manual_seed(SEED)
    words, textures = word_batches(generator), texture_batches(generator)

    tied = gpt2.GPT2(n_layers=4, width=128, n_heads=4, length=LENGTH, vocabulary=VOCABULARY)
    record(tied, words, os.path.join(folder, "gpt2.h5"))
    untied = llama.LLaMA(n_layers=4, width=128, n_heads=4, hidden=352, vocabulary=VOCABULARY)
    record(untied, words, os.path.join(folder, "llama.h5"))
    llama.add_lora(untied, rank=32, alpha=64, dropout=0.05)
    record(untied, words, os.path.join(folder, "lora.h5"))
    record(Convnet(classes=8), textures, os.path.join(folder, "convnet.h5"))


if __name__ == "__main__":
    main()
