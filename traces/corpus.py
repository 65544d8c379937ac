"""corpus.py - the real text that the recorded runs learn from, and how it becomes batches.

Only files that Debian itself ships are read, so that a trace can be recorded again anywhere:
Python's help topics (package libpython3.11-stdlib), and the licences of base-files.  Tokens are
bytes.  Each source is described by its SHA-256, which goes into the trace.
"""

import hashlib
import math
import os
import platform

import torch
from pydoc_data import topics

LICENCES = "/usr/share/common-licenses"


def help_topics():
    """English prose with some code: the text behind Python's help(), topic after topic.

    Returns (text, description) as every source here does.
    """
    text = "\n\n".join(topics.topics[name].strip() for name in sorted(topics.topics))
    return _described(f"pydoc_data.topics of Python {platform.python_version()}", text)


def licences():
    """English legal prose: the licences that every Debian system holds."""
    names = sorted(os.listdir(LICENCES))
    paths = [os.path.join(LICENCES, name) for name in names]
    parts = []
    for path in paths:
        if not os.path.islink(path):  # GPL -> GPL-3 and the like
            with open(path, encoding="utf-8", errors="replace") as file:
                parts.append(file.read().strip())
    return _described(LICENCES, "\n\n".join(parts))


def licence(name):
    """One of them, e.g. "BSD"."""
    path = os.path.join(LICENCES, name)
    with open(path, encoding="utf-8") as file:
        return _described(path, file.read())


def _described(name, text):
    raw = text.encode("utf-8")
    return raw, {"source": name, "bytes": len(raw), "sha256": hashlib.sha256(raw).hexdigest()}


def make_repeatable(seed):
    """One thread, one seed, no algorithm that may differ from run to run: the same losses again on
    the same kind of processor with the same torch."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(seed)


def batches(raw, n_rows, length, generator):
    """Endless (inputs, targets), each an [n_rows, length] int64 tensor of bytes.

    Every row starts at a random place in the text; `generator` is the only source of chance.
    """
    tokens = torch.frombuffer(bytearray(raw), dtype=torch.uint8).long()
    offsets = torch.arange(length + 1)
    while True:
        starts = torch.randint(len(tokens) - length, (n_rows, 1), generator=generator)
        rows = tokens[starts + offsets]
        yield rows[:, :-1], rows[:, 1:]


def warmup_cosine(step, peak, n_warmup, n_steps, floor=0.1):
    """Learning rate of a step: a straight line up to `peak`, then half a cosine to floor * peak."""
    if step < n_warmup:
        return peak * (step + 1) / n_warmup
    progress = (step - n_warmup) / max(1, n_steps - n_warmup)
    return peak * (floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * progress)))
