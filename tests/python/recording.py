"""recording.py - what the tests of `gradtrace record` share: scripts, and running them.

A script is text: PRELUDE, which makes a net, batches and a list of what the test wants to compare,
and a body.  It leaves what it saw in seen.json.  Nothing in it knows of gradtrace.
"""

import json
import os
import subprocess
import sys
import unittest

from harness import Case

PROGRAM = os.environ.get("GRADTRACE") or os.path.join(
    os.path.dirname(os.environ["GRADTRACE_LIBRARY"]), "gradtrace"
)

PRELUDE = """
import json, os, sys, torch
torch.manual_seed(3)
torch.set_num_threads(1)

class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(7, 33), torch.nn.Tanh())
        self.head = torch.nn.Linear(33, 3)
    def forward(self, x):
        return self.head(self.body(x))

def batch(step):
    generator = torch.Generator().manual_seed(100 + step)
    return (torch.randn(16, 7, generator=generator),
            torch.randn(16, 3, generator=generator) * (1 + step % 5))

def loss_of(net, step):
    x, y = batch(step)
    return ((net(x) - y) ** 2).mean()

def norm(parameters):
    return float(torch.cat([p.grad.detach().double().flatten() for p in parameters
                            if p.grad is not None] or [torch.zeros(1)]).norm())

net = Net()
seen = {"norms": [], "losses": [], "scales": []}
"""

EPILOGUE = """
seen["weights"] = [p.tolist() for p in net.parameters()]
with open("seen.json", "w") as file:
    json.dump(seen, file)
"""


@unittest.skipUnless(os.path.isfile(PROGRAM), f"needs {PROGRAM}")
class RecordCase(Case):
    def environment(self, **more):
        """As a user has it: no path to the package, and the program says where the library is."""
        names = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH",)}
        return {**names, **more}

    def write(self, text, name="train.py"):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return name

    def run_command(self, *command, options=("-o", "run.h5"), env=None, **more):
        return subprocess.run(
            [PROGRAM, "record", *options, "--", *command],
            cwd=self.folder,
            env=env or self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
            **more,
        )

    def record(
        self, body, *, options=("-o", "run.h5"), python=sys.executable, epilogue=EPILOGUE
    ):
        """Records a script; returns what it saw.  It must end well and say what was recorded."""
        self.write(PRELUDE + body + epilogue)
        done = self.run_command(python, "train.py", options=options)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.said = done.stderr
        with open(self.path("seen.json"), encoding="utf-8") as file:
            return json.load(file)

    def plain(self, body):
        """What the same script sees without being recorded."""
        self.write(PRELUDE + body + EPILOGUE)
        subprocess.run(
            [sys.executable, "train.py"], cwd=self.folder, env=self.environment(), check=True
        )
        with open(self.path("seen.json"), encoding="utf-8") as file:
            return json.load(file)

    def told(self, name, option):
        """Rows of a table that `gradtrace info` prints of a trace."""
        text = subprocess.check_output([PROGRAM, "info", option, self.path(name)], text=True)
        return [line.split("\t") for line in text.splitlines()[1:]]

    def names(self, arrays):
        return [name.decode() for name in arrays["/param/name"]]

    def totals(self, arrays):
        return (arrays["/norm/sumsq"].sum(axis=1)) ** 0.5
