"""small_trainings.py - eight small real trainings, seconds each, for planted_faults.py.

A Job is a training that has not begun: model, batches, loss, optimizer, learning rate.  What a
fault changes is an attribute of it or a call that the loop makes, so that a run with a fault is
the healthy one but for that.  Text is Python's help topics, byte by byte; pictures are waves of
32 x 32 in noise; the game is a pole on a cart.
"""

import math
import os
import sys

import torch
from torch import nn
from torch.nn import functional as F

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
sys.path[:0] = [os.path.join(TOP, "traces"), os.path.join(TOP, "lib/python")]
import corpus  # noqa: E402  (after the path is set)
import gradtrace  # noqa: E402

STEPS = 400
LENGTH, ROWS = 32, 16


class Job:
    """One training: what the loop in `run` asks for, each to be replaced by a fault."""

    clip = None  # a limit of the global norm
    state = "pre-clip"  # what is recorded, says the trace

    def __init__(self, model, batch, loss, optimizer, factor=None):
        self.model, self.batch, self.loss, self.optimizer = model, batch, loss, optimizer
        self.factor = factor or (lambda t: 1.0)  # of the learning rate

    def before(self, t):
        """Before the forward pass."""

    def forgets(self, t):
        """Is zero_grad forgotten?"""
        return False

    def scale(self, t):
        """Of the loss, when it is differentiated; nobody divides by it."""
        return 1.0

    def gradients(self, t):
        """After the backward pass, before recording."""

    def clipped(self, t):
        """Clips, and tells by what factor."""
        norm = float(nn.utils.clip_grad_norm_(self.model.parameters(), self.clip))
        return min(1.0, self.clip / (norm + 1e-6))

    def tensors(self):
        return list(self.model.named_parameters())


def run(job, path, steps=STEPS):
    """Trains and records.  A step whose gradient is not finite is left out, as GradScaler does,
    unless job.careless."""
    rates = [group["lr"] for group in job.optimizer.param_groups]
    meta = {"max_grad_norm": job.clip} if job.clip else {}
    with gradtrace.Recorder(
        job.model, path, optimizer=job.optimizer, total_steps=steps, meta=meta, force=True,
        strict=True, grad_state=job.state, progress=False,
    ) as recorder:
        for t in range(steps):
            for group, rate in zip(job.optimizer.param_groups, rates):
                group["lr"] = rate * job.factor(t)
            job.before(t)
            loss = job.loss(job.batch(t))
            if not job.forgets(t):
                job.optimizer.zero_grad()
            (loss * job.scale(t)).backward()
            job.gradients(t)
            after = job.state == "post-clip" or getattr(job, "records_late", False)
            applied = job.clipped(t) if after and job.clip else None
            recorder.step(loss)
            if job.clip:
                recorder.applied(applied if after else job.clipped(t))
            finite = all(
                bool(torch.isfinite(p.grad).all()) for _, p in job.tensors() if p.grad is not None
            )
            if finite or getattr(job, "careless", False):
                job.optimizer.step()


# --- what they learn from ------------------------------------------------------------------------


def text_batches(seed):
    raw = torch.tensor(list(corpus.help_topics()[0]))
    generator = torch.Generator().manual_seed(seed)

    def batch(t):
        starts = torch.randint(len(raw) - LENGTH, (ROWS, 1), generator=generator)
        rows = raw[starts + torch.arange(LENGTH + 1)]
        return rows[:, :-1], rows[:, 1:]

    return batch


def texture_batches(seed, classes=8, noise=1.0, size=16):
    generator = torch.Generator().manual_seed(seed)
    place = torch.arange(float(size))

    def batch(t):
        labels = torch.randint(classes, (32,), generator=generator)
        angle = (labels * torch.pi / classes)[:, None, None]
        phase = torch.rand(32, 1, 1, generator=generator) * 2 * torch.pi
        waves = torch.sin(angle.cos() * place[:, None] + angle.sin() * place + phase)
        return (waves + noise * torch.randn(32, size, size, generator=generator))[:, None], labels

    return batch


# --- models --------------------------------------------------------------------------------------


class Recurrent(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.embedding = nn.Embedding(256, width)
        self.rnn = nn.LSTM(width, width, batch_first=True)
        self.head = nn.Linear(width, 256)

    def forward(self, tokens):
        return self.head(self.rnn(self.embedding(tokens))[0])


class Experts(nn.Module):
    """The best of four small networks, weighted by how sure the router is."""

    def __init__(self, width, n=4):
        super().__init__()
        self.router = nn.Linear(width, n)
        self.experts = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
            for _ in range(n)
        )

    def forward(self, x):
        share, chosen = self.router(x).softmax(-1).max(-1)
        out = torch.zeros_like(x)
        for k, expert in enumerate(self.experts):
            mine = chosen == k
            if bool(mine.any()):
                out[mine] = expert(x[mine]) * share[mine][:, None]
        return out


class Block(nn.Module):
    def __init__(self, width, experts):
        super().__init__()
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = (
            Experts(width)
            if experts
            else nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        )

    def forward(self, x, mask):
        q, k, v = (
            part.unflatten(-1, (2, -1)).transpose(1, 2)
            for part in self.qkv(self.before(x)).chunk(3, -1)
        )
        weights = (q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]) + mask).softmax(-1)
        x = x + self.out((weights @ v).transpose(1, 2).flatten(-2))
        return x + self.feed(self.between(x))


class GPT(nn.Module):
    def __init__(self, width=48, layers=2, experts=False):
        super().__init__()
        self.words, self.places = nn.Embedding(256, width), nn.Embedding(LENGTH, width)
        self.blocks = nn.ModuleList(Block(width, experts) for _ in range(layers))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 256, bias=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.normal_(p, std=0.02)

    def forward(self, tokens):
        mask = torch.full((LENGTH, LENGTH), float("-inf")).triu(1)
        x = self.words(tokens) + self.places(torch.arange(LENGTH))
        for block in self.blocks:
            x = block(x, mask)
        return self.head(self.norm(x))


class Residual(nn.Module):
    def __init__(self, width=16, classes=8):
        super().__init__()
        self.first = nn.Conv2d(1, width, 3, padding=1)
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width),
                nn.ReLU(), nn.Conv2d(width, width, 3, padding=1, bias=False),
                nn.BatchNorm2d(width),
            )
            for _ in range(2)
        )
        self.out = nn.Linear(width, classes)

    def forward(self, x):
        x = F.relu(self.first(x))
        for block in self.blocks:
            x = F.relu(x + block(x))
        return self.out(x.mean((2, 3)))


class Autoencoder(nn.Module):
    """Variational: pictures to 16 numbers and back."""

    def __init__(self, size=256, hidden=64, code=16):
        super().__init__()
        self.encode, self.code = nn.Linear(size, hidden), nn.Linear(hidden, 2 * code)
        self.decode, self.out = nn.Linear(code, hidden), nn.Linear(hidden, size)

    def forward(self, x):
        mean, log_var = self.code(F.relu(self.encode(x))).chunk(2, -1)
        z = mean + torch.randn_like(mean) * (0.5 * log_var).exp()
        cost = 0.5 * (mean**2 + log_var.exp() - 1 - log_var).sum(-1).mean()
        return self.out(F.relu(self.decode(z))), cost


def convnet(width=16, classes=8):
    return nn.Sequential(
        nn.Conv2d(1, width, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(width, 2 * width, 3, stride=2, padding=1), nn.ReLU(),
        nn.Flatten(), nn.Linear(2 * width * 16, 64), nn.ReLU(), nn.Linear(64, classes),
    )


# --- jobs ----------------------------------------------------------------------------------------


def of_logits(model):
    def loss(batch):
        x, y = batch
        logits = model(x)
        return F.cross_entropy(logits.flatten(0, -2), y.flatten())

    return loss


def warm_cosine(t, warm=40, steps=STEPS):
    return min((t + 1) / warm, 0.1 + 0.45 * (1 + math.cos(math.pi * t / steps)))


def mlp(seed):
    model = nn.Sequential(
        nn.Flatten(), nn.Linear(256, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 8)
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Job(model, texture_batches(seed, noise=2.0), of_logits(model), optimizer)


def lstm(seed):
    model = Recurrent()
    job = Job(
        model, text_batches(seed), of_logits(model), torch.optim.Adam(model.parameters(), lr=3e-3)
    )
    job.clip = 1.0
    return job


def gpt(seed, experts=False):
    model = GPT(experts=experts)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95))
    job = Job(model, text_batches(seed), of_logits(model), optimizer, warm_cosine)
    job.clip = 1.0
    return job


def moe(seed):
    return gpt(seed, experts=True)


def conv(seed):
    model = convnet()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.03, momentum=0.9, weight_decay=1e-4)
    drops = lambda t: 0.1 ** (t >= STEPS * 3 // 4)  # noqa: E731
    return Job(model, texture_batches(seed, noise=2.0), of_logits(model), optimizer, drops)


def resnet(seed):
    model = Residual()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, nesterov=True)
    return Job(model, texture_batches(seed), of_logits(model), optimizer)


def vae(seed):
    model = Autoencoder()

    def loss(batch):
        x = batch[0].flatten(1)
        again, cost = model(x)
        return ((again - x) ** 2).sum(-1).mean() + cost

    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    return Job(model, texture_batches(seed, noise=0.3), loss, optimizer)


def push(state, force):
    """A pole on a cart, 0.02 s on (Barto, Sutton and Anderson 1983)."""
    x, v, angle, turn = state.unbind(-1)
    part = (force + 0.05 * turn**2 * angle.sin()) / 1.1
    bend = (9.8 * angle.sin() - angle.cos() * part) / (0.5 * (4 / 3 - 0.1 * angle.cos() ** 2 / 1.1))
    pull = part - 0.05 * bend * angle.cos() / 1.1
    return state + 0.02 * torch.stack([v, pull, turn, bend], -1)


def rl(seed):
    """REINFORCE with the batch's mean as its baseline, 8 games a step."""
    model = nn.Sequential(nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 2))
    generator = torch.Generator().manual_seed(seed)

    def play(t):
        state = 0.1 * torch.rand(8, 4, generator=generator) - 0.05
        alive, seen, done, lived = torch.ones(8), [], [], []
        for _ in range(100):
            with torch.no_grad():
                choice = torch.multinomial(model(state).softmax(-1), 1, generator=generator)[:, 0]
            seen.append(state)
            done.append(choice)
            lived.append(alive)
            state = push(state, 20.0 * choice - 10.0)
            alive = alive * ((state[:, 2].abs() < 0.21) & (state[:, 0].abs() < 2.4)).float()
            if not bool(alive.any()):
                break
        return torch.stack(seen), torch.stack(done), torch.stack(lived)

    def loss(batch):
        seen, done, lived = batch
        left = lived.flip(0).cumsum(0).flip(0)
        mean = (left * lived).sum() / lived.sum()
        chosen = model(seen).log_softmax(-1).gather(-1, done[..., None])[..., 0]
        return -(chosen * (left - mean) * lived).sum() / lived.sum()

    return Job(model, play, loss, torch.optim.Adam(model.parameters(), lr=3e-3))


JOBS = {f.__name__: f for f in (mlp, lstm, gpt, moe, conv, resnet, vae, rl)}


def job_of(name, seed):
    corpus.make_repeatable(seed)
    return JOBS[name](seed)
