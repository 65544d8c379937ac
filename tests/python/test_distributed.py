"""test_distributed.py - two ranks of torch.distributed, recorded into one folder and merged.

Real processes on loopback.  Whatever hangs is killed after LIMIT seconds and counts as failed.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import unittest

import gradtrace
import h5py
import numpy as np
import torch
from harness import loss_of, model, text
from recording import PRELUDE, PROGRAM, RecordCase

LIMIT = 120
STEPS = 4
PYTHON = [os.path.dirname(os.path.dirname(gradtrace.__file__)), os.path.dirname(__file__)]

RANK = f"""
import datetime, json, os, signal, sys, time, torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel
import gradtrace
from harness import loss_of, model

STEPS = {STEPS}
torch.set_num_threads(1)
rank = int(os.environ["RANK"])
dist.init_process_group("gloo", timeout=datetime.timedelta(seconds=60))
net = model()
seen = {{"norms": [], "total": [], "losses": []}}

def see(loss, parameters):
    seen["norms"].append([float(p.grad.double().norm()) for p in parameters])
    seen["losses"].append(loss.item())

def leave():
    with open(f"seen.{{rank}}.json", "w") as file:
        json.dump(seen, file)
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def one_process(step, share=None):
    """Gradients of a step by torch without ranks: one rank's share, or the mean over both."""
    torch.set_num_threads(1)
    net = model()
    ranks = (0, 1) if share is None else (share,)
    sum(loss_of(net, 2 * step + rank) for rank in ranks).div(len(ranks)).backward()
    return [p.grad for p in net.parameters()]


def norms_of(gradients):
    return [float(gradient.double().norm()) for gradient in gradients]


@unittest.skipUnless(torch.distributed.is_available(), "needs torch.distributed")
class Ranks(RecordCase):
    def environment(self, **more):
        return super().environment(
            MASTER_ADDR="127.0.0.1",
            MASTER_PORT=str(free_port()),
            GLOO_SOCKET_IFNAME="lo",
            **more,
        )

    def start(self, body):
        """Two ranks of a script that knows gradtrace; their exit statuses and what they said."""
        self.write(RANK + body, "rank.py")
        environment = self.environment(WORLD_SIZE="2", PYTHONPATH=os.pathsep.join(PYTHON))
        ranks = [
            subprocess.Popen(
                [sys.executable, "-W", "error::RuntimeWarning", "rank.py"],
                cwd=self.folder,
                env={**environment, "RANK": str(rank)},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for rank in range(2)
        ]
        deadline = time.monotonic() + LIMIT
        said = []
        try:
            for rank in ranks:
                said.append(rank.communicate(timeout=max(1.0, deadline - time.monotonic()))[0])
        except subprocess.TimeoutExpired:
            self.fail(f"the ranks hang; said so far: {said}")
        finally:
            for rank in ranks:
                if rank.poll() is None:
                    rank.kill()
                    rank.communicate()
        return [rank.returncode for rank in ranks], said

    def both(self, body):
        """The same of ranks that must end well; what each saw."""
        status, said = self.start(body + "\nleave()\n")
        self.assertEqual(status, [0, 0], said)
        return [self.seen(rank) for rank in range(2)]

    def seen(self, rank):
        with open(self.path(f"seen.{rank}.json"), encoding="utf-8") as file:
            return json.load(file)

    def gradtrace(self, *words, status=0):
        """What a command says on stderr and stdout; it must exit so."""
        done = subprocess.run(
            [PROGRAM, *words],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr + done.stdout

    def merged(self, how, told=f"all.h5: {STEPS} rows, 0 with elements, of 2 ranks"):
        said = self.gradtrace("merge", "run.gtr", "-o", "all.h5", "--force", "--ranks", how)
        self.assertIn(told, said)
        arrays, attributes = self.read("all.h5")
        self.assertEqual((attributes["rank"], attributes["world_size"]), (0, 2))
        return arrays, attributes

    def close(self, sumsq, norms, rtol):
        np.testing.assert_allclose(np.sqrt(sumsq), norms, rtol=rtol)


class Replicas(Ranks):
    BODY = """
ddp = DistributedDataParallel(net)
optimizer = torch.optim.SGD(net.parameters(), lr=0.0)
with gradtrace.Recorder(ddp, "run.gtr", optimizer=optimizer, reduction="mean") as recorder:
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = loss_of(ddp, 2 * step + rank)
        loss.backward()
        recorder.step(loss)
        see(loss, net.parameters())
        seen["total"].append(float(torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)))
        recorder.applied(min(1.0, 0.5 / (seen["total"][-1] + 1e-6)))
        optimizer.step()
"""

    def test_gradients_after_the_all_reduce_are_those_of_the_run(self):
        one, two = self.both(self.BODY)
        self.assertEqual(one["norms"], two["norms"])
        self.assertNotEqual(one["losses"], two["losses"])
        arrays, attributes = self.merged("same")
        self.assertEqual(attributes["reduction"], "mean")
        self.assertEqual(self.names(arrays), [name for name, _ in model().named_parameters()])
        self.close(arrays["/norm/sumsq"], one["norms"], 1e-14)
        self.assertEqual(list(arrays["/step/loss"]), one["losses"])
        # torch sums in fp32
        np.testing.assert_allclose(self.totals(arrays), one["total"], rtol=1e-6)
        wanted = [min(1.0, 0.5 / (total + 1e-6)) for total in one["total"]]
        self.assertEqual(list(arrays["/step/applied_scale"]), wanted)
        for step in range(STEPS):
            self.close(arrays["/norm/sumsq"][step], norms_of(one_process(step)), 1e-5)

    def test_how_ranks_are_joined_must_be_said_and_must_fit(self):
        self.both(self.BODY)
        said = self.gradtrace("merge", "run.gtr", "-o", "all.h5", status=2)
        self.assertIn("2 ranks: how they are joined must be said", said)
        said = self.gradtrace("merge", "run.gtr", "-o", "wrong.h5", "--ranks", "sum")
        self.assertIn("all ranks have the very same norms; are these replicas?", said)
        said = self.gradtrace("info", "run.gtr", status=1)
        self.assertIn("has ranks 0 to 1; name one, as in run.gtr/rank0, or join them", said)
        # The gradient is the average already, so one rank has all of it.
        said = self.gradtrace("merge", "run.gtr/rank1", "-o", "one.h5")
        self.assertNotIn("the run had 2 ranks", said)
        self.assertEqual(self.read("one.h5")[1]["rank"], 1)


class Shares(Ranks):
    """Ranks whose gradients differ."""

    LOCAL = """
ddp = DistributedDataParallel(net)
with gradtrace.Recorder(ddp, "run.gtr") as recorder:
    for step in range(STEPS):
        net.zero_grad()
        with ddp.no_sync():
            loss = loss_of(ddp, 2 * step + rank)
            loss.backward()
        recorder.step(loss)
        see(loss, net.parameters())
"""

    def test_means_of_gradients_before_the_all_reduce_are_a_bound(self):
        one, two = self.both(self.LOCAL)
        said = self.gradtrace("merge", "run.gtr", "-o", "all.h5", "--ranks", "same", status=1)
        self.assertIn("step 0, tensor 0.weight: sum of squares", said)
        self.assertIn("are these replicas?", said)
        self.assertFalse(os.path.exists(self.path("all.h5")))
        arrays, attributes = self.merged("mean")
        self.assertEqual(attributes["reduction"], "mean")
        squares = (np.square(one["norms"]) + np.square(two["norms"])) / 2
        np.testing.assert_allclose(arrays["/norm/sumsq"], squares, rtol=1e-14)
        said = self.gradtrace("merge", "run.gtr/rank1", "-o", "one.h5")
        self.assertIn("run.gtr/rank1: the run had 2 ranks, and this is one of them", said)
        for step in range(STEPS):
            shares = [np.square(norms_of(one_process(step, rank))) for rank in range(2)]
            np.testing.assert_allclose(
                arrays["/norm/sumsq"][step], (shares[0] + shares[1]) / 2, rtol=1e-5
            )
            average = np.square(norms_of(one_process(step)))
            self.assertTrue((average < arrays["/norm/sumsq"][step]).all())

    # As FSDP leaves it: of each parameter a rank has some rows, whose gradient is the average.  The
    # last layer's bias has one row, so rank 1 has nothing of it.  Ranks wrap in ways of their own.
    SHARDS = """
prefix = ("_fsdp_wrapped_module.", "_orig_mod.module.")[rank]
net.add_module("4", torch.nn.Linear(3, 1))
torch.nn.init.constant_(net[4].weight, 0.5)
torch.nn.init.zeros_(net[4].bias)
shards = {}
for name, p in net.named_parameters():
    parts = p.detach().chunk(2)
    if rank < len(parts):
        shards[prefix + name] = torch.nn.Parameter(parts[rank].clone())
with gradtrace.Recorder(shards, "run.gtr", reduction="mean") as recorder:
    for step in range(STEPS):
        net.zero_grad()
        loss = loss_of(net, 2 * step + rank)
        loss.backward()
        for name, p in net.named_parameters():
            dist.all_reduce(p.grad)
            p.grad /= 2
            if prefix + name in shards:
                shards[prefix + name].grad = p.grad.chunk(2)[rank].clone()
        recorder.step(loss)
        see(loss, net.parameters())
"""

    def test_shards_add_up_to_the_gradient(self):
        one, two = self.both(self.SHARDS)
        self.assertEqual(one["norms"], two["norms"])
        arrays, attributes = self.merged("sum")
        self.assertEqual(attributes["reduction"], "sum")
        bare = [name.replace("_fsdp_wrapped_module.", "") for name in self.names(arrays)]
        names = [name for name, _ in model().named_parameters()] + ["4.weight", "4.bias"]
        self.assertEqual(bare, names)
        self.assertEqual(
            [text(shape) for shape in arrays["/param/shape"]],
            ["33x7", "33", "33", "33", "3x33", "3", "1x3", "1"],
        )
        # Sums over both halves of the elements that torch saw.
        self.close(arrays["/norm/sumsq"], one["norms"], 1e-14)
        with h5py.File(self.path("all.h5")) as file:
            self.assertEqual(int(file["/param/numel"][0]), 33 * 7)


class Unmodified(Ranks):
    """A script that has never heard of gradtrace and spawns its ranks itself."""

    SCRIPT = PRELUDE + """
import datetime
import torch.distributed as dist

def train(rank):
    dist.init_process_group("gloo", rank=rank, world_size=2,
                            timeout=datetime.timedelta(seconds=60))
    torch.set_num_threads(1)
    ddp = torch.nn.parallel.DistributedDataParallel(net)
    optimizer = torch.optim.AdamW(ddp.parameters(), lr=1e-2)
    for step in range(4):
        optimizer.zero_grad()
        loss = loss_of(ddp, 2 * step + rank)
        loss.backward()
        seen["norms"].append(norm(ddp.parameters()))
        seen["scales"].append(float(torch.nn.utils.clip_grad_norm_(ddp.parameters(), 0.5)))
        optimizer.step()
        seen["losses"].append(loss.item())
    seen["weights"] = [p.tolist() for p in net.parameters()]
    with open(f"seen.{rank}.json", "w") as file:
        json.dump(seen, file)
    dist.destroy_process_group()

if __name__ == "__main__":
    torch.multiprocessing.spawn(train, nprocs=2)
"""

    def test_each_rank_records_its_part_and_nothing_changes(self):
        self.write(self.SCRIPT)
        subprocess.run(
            [sys.executable, "train.py"],
            cwd=self.folder,
            env=self.environment(),
            check=True,
            timeout=LIMIT,
        )
        plain = [self.seen(rank) for rank in range(2)]
        done = self.run_command(sys.executable, "train.py", options=("-o", "run.gtr"))
        self.assertEqual(done.returncode, 0, done.stderr)
        for place in ("run.gtr", "run.gtr/rank1"):
            self.assertIn(f"{place}: {STEPS} steps of 4 tensors\n", done.stderr)
        recorded = [self.seen(rank) for rank in range(2)]
        self.assertEqual(recorded, plain)  # to the bit: JSON keeps all digits
        arrays, attributes = self.merged("same")
        self.assertEqual(attributes["reduction"], "mean")
        self.assertEqual(self.names(arrays)[0], "body.0.weight")
        np.testing.assert_allclose(self.totals(arrays), recorded[0]["norms"], rtol=1e-14)
        np.testing.assert_allclose(self.totals(arrays), recorded[0]["scales"], rtol=1e-6)
        self.assertEqual(list(arrays["/step/loss"]), recorded[0]["losses"])


def can_shard():
    try:
        from torch.distributed.fsdp import fully_shard  # noqa: F401
    except Exception:  # torch 1.13 fails to import it on Python 3.11 in a way of its own
        return False
    return True


@unittest.skipUnless(can_shard(), "this torch has no fully_shard")
class Sharded(Ranks):
    """FSDP2, in a script that has never heard of gradtrace."""

    SCRIPT = PRELUDE + """
import datetime
import torch.distributed as dist

def train(rank):
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard
    dist.init_process_group("gloo", rank=rank, world_size=2,
                            timeout=datetime.timedelta(seconds=60))
    torch.set_num_threads(1)
    mesh = init_device_mesh("cpu", (2,))
    for module in list(net.body):
        if isinstance(module, torch.nn.Linear):
            fully_shard(module, mesh=mesh)
    fully_shard(net, mesh=mesh)
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    for step in range(4):
        optimizer.zero_grad()
        loss = loss_of(net, 2 * step + rank)
        loss.backward()
        whole = [p.grad.full_tensor().double().norm() for p in net.parameters()]
        seen["norms"].append([float(norm) for norm in whole])
        total = torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5).full_tensor()
        seen["scales"].append(float(torch.clamp(0.5 / (total + 1e-6), max=1.0)))
        optimizer.step()
        seen["losses"].append(loss.item())
    with open(f"seen.{rank}.json", "w") as file:
        json.dump(seen, file)
    dist.destroy_process_group()

if __name__ == "__main__":
    torch.multiprocessing.spawn(train, nprocs=2)
"""

    def test_the_parts_of_the_ranks_make_the_gradient(self):
        self.write(self.SCRIPT)
        done = self.run_command(sys.executable, "train.py", options=("-o", "run.gtr"))
        self.assertEqual(done.returncode, 0, done.stderr)
        one, two = (self.seen(rank) for rank in range(2))
        self.assertEqual(one["norms"], two["norms"])
        arrays, attributes = self.merged("sum")
        self.assertTrue(json.loads(attributes["meta"])["sharded"])
        self.close(arrays["/norm/sumsq"], one["norms"], 1e-14)
        self.assertEqual(list(arrays["/step/loss"]), one["losses"])
        np.testing.assert_allclose(arrays["/step/applied_scale"], one["scales"], rtol=1e-6)


class Killed(Ranks):
    # Rank 1 dies between its backward of step 5 and its row, rank 0 in the next all-reduce, by the
    # exception of gloo.
    BODY = """
ddp = DistributedDataParallel(net)
recorder = gradtrace.Recorder(ddp, "run.gtr", reduction="mean")
for step in range(10):
    net.zero_grad()
    loss = loss_of(ddp, 2 * step + rank)
    loss.backward()
    if rank == 1 and step == 5:
        while not os.path.exists("seen.0.json"):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGKILL)
    recorder.step(loss)
    see(loss, net.parameters())
    if rank == 0 and step == 5:
        leave()
"""

    def test_what_a_killed_rank_lacks_is_told_and_the_others_rows_are_kept(self):
        status, said = self.start(self.BODY)
        self.assertEqual(status, [1, -signal.SIGKILL], said)
        self.assertIn("RuntimeError", said[0])
        norms = self.seen(0)["norms"]
        self.assertEqual(len(norms), 6)
        said = self.gradtrace("verify", "run.gtr")
        self.assertIn("run.gtr/rank0.000000000000.h5: ok: 6 rows", said)
        self.assertIn("run.gtr/rank1.journal: ok: 5 rows, 5 of them in no segment", said)
        before = sorted(os.listdir(self.path("run.gtr")))

        said = self.gradtrace("merge", "run.gtr", "-o", "all.h5", "--ranks", "same")
        self.assertIn(
            "run.gtr/rank0: 1 of its steps are left out, which not all ranks have: 5\n", said
        )
        self.assertIn("all.h5: 5 rows, 0 with elements, of 2 ranks", said)
        self.close(self.read("all.h5")[0]["/norm/sumsq"], norms[:5], 1e-14)

        said = self.gradtrace("recover", "run.gtr", "-o", "saved.h5", status=2)
        self.assertIn("has several ranks; name one, as in run.gtr/rank0", said)
        for rank, rows in ((0, 6), (1, 5)):
            said = self.gradtrace("recover", f"run.gtr/rank{rank}", "-o", f"saved{rank}.h5")
            self.assertIn(f"saved{rank}.h5: rows kept {rows}, lost 0", said)
            arrays, attributes = self.read(f"saved{rank}.h5")
            self.close(arrays["/norm/sumsq"], norms[:rows], 1e-14)
            self.assertEqual((attributes["rank"], attributes["world_size"]), (rank, 2))
        self.assertEqual(sorted(os.listdir(self.path("run.gtr"))), before)
        self.gradtrace("merge", "saved1.h5", "saved0.h5", "-o", "again.h5", "--ranks", "same")
        self.close(self.read("again.h5")[0]["/norm/sumsq"], norms[:5], 1e-14)
