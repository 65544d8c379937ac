"""harness.py - what the Python tests share: a scratch folder, a small model, a run of it."""

import os
import shutil
import tempfile
import unittest
import warnings

import h5py
import torch

import gradtrace


class Case(unittest.TestCase):
    """A test with a folder of its own, in which an unexpected warning is a failure."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="gradtrace-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        self.addCleanup(self._warnings.__exit__, None, None, None)
        warnings.simplefilter("error")

    def path(self, name="run.h5"):
        return os.path.join(self.folder, name)

    def read(self, name="run.h5"):
        """Everything in a trace, as {dataset path: array}, and its attributes."""
        arrays = {}

        def visit(path, item):
            if isinstance(item, h5py.Dataset):
                arrays["/" + path] = item[()]

        with h5py.File(self.path(name), "r") as file:
            file.visititems(visit)
            attributes = {name: text(value) for name, value in file.attrs.items()}
        return arrays, attributes


def text(value):
    """An attribute as text: fixed-length strings come as bytes."""
    return value.decode("utf-8") if isinstance(value, bytes) else value


def model(seed=0, dtype=torch.float32):
    """Two layers with a norm between them: 5 parameters, one of them a vector of ones."""
    torch.manual_seed(seed)
    layers = torch.nn.Sequential(
        torch.nn.Linear(7, 33), torch.nn.Tanh(), torch.nn.LayerNorm(33), torch.nn.Linear(33, 3)
    )
    return layers.to(dtype)


def batch(step, dtype=torch.float32):
    """Inputs and targets of a step, the same whenever it is asked for."""
    generator = torch.Generator().manual_seed(1000 + step)
    x = torch.randn(16, 7, generator=generator)
    y = torch.randn(16, 3, generator=generator) * (1 + step % 5)
    return x.to(dtype), y.to(dtype)


def loss_of(net, step, dtype=torch.float32):
    x, y = batch(step, dtype)
    return ((net(x) - y) ** 2).mean()


def exact_norm(gradients):
    """L2 norm over all tensors in float64, by torch."""
    return float(torch.cat([g.detach().double().flatten() for g in gradients]).norm())


def train(net, n_steps, path=None, max_norm=1.0, **options):
    """A run that clips; returns its losses, the norms torch saw, and the gradients before clipping.

    With a path the run is recorded.
    """
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    recorder = None
    if path is not None:
        recorder = gradtrace.Recorder(net, path, optimizer=optimizer, **options)
    losses, norms, gradients = [], [], []
    for step in range(n_steps):
        loss = loss_of(net, step)
        optimizer.zero_grad()
        loss.backward()
        if recorder is not None:
            recorder.step(loss)
        gradients.append([p.grad.clone() for p in net.parameters()])
        norm = torch.nn.utils.clip_grad_norm_(net.parameters(), max_norm)
        if recorder is not None:
            recorder.applied(torch.clamp(max_norm / (norm + 1e-6), max=1.0))
        optimizer.step()
        losses.append(loss.item())
        norms.append(norm)
    if recorder is not None:
        recorder.close()
    return losses, norms, gradients
