"""test_record_steps.py - `gradtrace record`: a row is what an optimizer is about to use.

Scripts in which it is not plain when gradients are complete, or whose step it is: each stands for
a kind of training that is written so.
"""

import json
import math
import subprocess
import unittest

import numpy
from recording import PROGRAM, RecordCase

QUIET = "gradtrace record: run.h5: {} steps of {} tensors\n"


class Steps(RecordCase):
    def check(self, body, n_tensors=4, said=None):
        """Norms that the script saw are those recorded; it runs as it would without us."""
        seen = self.record(body, options=("-o", "run.h5", "--force"))
        arrays, attributes = self.read()
        numpy.testing.assert_allclose(self.totals(arrays), seen["norms"], rtol=1e-6)
        self.assertEqual(len(self.names(arrays)), n_tensors)
        if said is None:
            self.assertEqual(self.said, QUIET.format(len(seen["norms"]), n_tensors))
        else:
            self.assertIn(said, self.said)
        self.assertEqual(seen, self.plain(body))
        return seen, arrays, attributes


class Accumulated(Steps):
    def test_norms_logged_at_each_micro_batch_do_not_make_its_gradient_the_row(self):
        seen, arrays, attributes = self.check("""
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(4):
    total = 0.0
    for micro in range(3):
        loss = loss_of(net, 3 * step + micro) / 3
        loss.backward()
        total += loss.item()
        torch.nn.utils.clip_grad_norm_(net.parameters(), float("inf"))
    seen["norms"].append(norm(net.parameters()))
    seen["losses"].append(total)
    clipped = torch.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
    seen["scales"].append(float(torch.clamp(0.1 / (clipped + 1e-6), max=1.0)))
    optimizer.step()
    optimizer.zero_grad()
""")
        self.assertEqual(list(arrays["/step/applied_scale"]), seen["scales"])
        numpy.testing.assert_allclose(arrays["/step/loss"], seen["losses"], rtol=1e-12)
        self.assertIn('"max_grad_norm": 0.1', attributes["meta"])

    def test_clipping_at_each_micro_batch_is_recorded_as_the_optimizer_gets_it(self):
        seen, arrays, _ = self.check("""
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(4):
    for micro in range(2):
        loss_of(net, 2 * step + micro).backward()
        if micro == 1:
            seen["norms"].append(norm(net.parameters()))
        clipped = torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    seen["scales"].append(float(torch.clamp(0.5 / (clipped + 1e-6), max=1.0)))
    optimizer.step()
    optimizer.zero_grad()
""", said="gradients were clipped, and backward passes added to them")
        self.assertEqual(list(arrays["/step/applied_scale"]), seen["scales"])

    def test_clipping_before_the_backward_pass_limits_nothing(self):
        for to_none in (False, True):
            seen, arrays, _ = self.check("""
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(5):
    optimizer.zero_grad(set_to_none=%r)
    torch.nn.utils.clip_grad_norm_(net.parameters(), 0.1)
    loss = loss_of(net, step)
    loss.backward()
    seen["losses"].append(loss.item())
    seen["norms"].append(norm(net.parameters()))
    optimizer.step()
""" % to_none, said="the optimizer got")
            self.assertEqual(list(arrays["/step/loss"]), seen["losses"])
            self.assertEqual(list(arrays["/step/applied_scale"]), [1.0] * 5)


class Players(Steps):
    def test_two_optimizers_one_after_the_other_over_the_same_tensors(self):
        _, arrays, _ = self.check("""
first = torch.optim.Adam(net.parameters(), lr=1e-2)
second = torch.optim.LBFGS(net.parameters(), lr=0.1, max_iter=3)
for step in range(4):
    first.zero_grad()
    loss_of(net, step).backward()
    seen["norms"].append(norm(net.parameters()))
    torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    first.step()
for step in range(3):
    calls = []
    def closure():
        second.zero_grad()
        loss = loss_of(net, step)
        loss.backward()
        calls.append(norm(net.parameters()))
        return loss
    second.step(closure)
    seen["norms"].append(calls[0])
""")
        self.assertTrue((arrays["/step/applied_scale"][:4] < 1).all())
        self.assertEqual(list(arrays["/step/applied_scale"][4:]), [1.0] * 3)
        self.assertEqual(list(arrays["/step/lr"]), [1e-2] * 4 + [0.1] * 3)

    SAM = """
class SAM(torch.optim.Optimizer):
    def __init__(self, parameters, base, **settings):
        super().__init__(parameters, settings)
        self.base = base(self.param_groups, **settings)
        self.param_groups = self.base.param_groups
    @torch.no_grad()
    def climb(self):
        self.moves = [(p, p.grad * 0.05) for g in self.param_groups for p in g["params"]]
        for p, move in self.moves:
            %s(move)
        self.zero_grad()
    @torch.no_grad()
    def descend(self):
        for p, move in self.moves:
            p.sub_(move)
        self.base.step()
        self.zero_grad()
optimizer = SAM(net.parameters(), torch.optim.SGD, lr=1e-2)
for step in range(4):
    loss_of(net, step).backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    optimizer.climb()
    loss = loss_of(net, step)
    loss.backward()
    seen["losses"].append(loss.item())
    seen["norms"].append(norm(net.parameters()))
    torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)
    optimizer.descend()
"""

    def test_a_gradient_that_only_moves_the_weights_for_another_one_has_no_row(self):
        for add in ("p.add_", "p.data.add_"):
            seen, arrays, _ = self.check(self.SAM % add, said="as in SAM, have no rows")
            self.assertEqual(list(arrays["/step/loss"]), seen["losses"])
            self.assertEqual(arrays["/step/skipped"].sum(), 0)

    def test_a_critic_that_is_frozen_while_the_other_steps_shares_the_trace(self):
        self.check("""
critic = torch.nn.Linear(3, 1)
for_net = torch.optim.SGD(net.parameters(), lr=1e-2)
for_critic = torch.optim.SGD(critic.parameters(), lr=1e-2)
for step in range(4):
    critic.requires_grad_(False)
    for_net.zero_grad()
    (loss_of(net, step) - critic(net(batch(step)[0])).mean()).backward()
    first = norm(net.parameters())
    for_net.step()
    critic.requires_grad_(True)
    for_critic.zero_grad()
    critic(net(batch(step)[0]).detach()).square().mean().backward()
    seen["norms"].append((first ** 2 + norm(critic.parameters()) ** 2) ** 0.5)
    for_critic.step()
""", 6)

    def test_an_optimizer_for_each_tensor(self):
        seen, arrays, _ = self.check("""
optimizers = [torch.optim.SGD([p], lr=1e-2) for p in net.parameters()]
for step in range(4):
    loss_of(net, step).backward()
    seen["norms"].append(norm(net.parameters()))
    for p in net.parameters():
        torch.nn.utils.clip_grad_norm_([p], 100.0)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
""")
        self.assertEqual(list(arrays["/step/applied_scale"]), [1.0] * 4)


class Changing(Steps):
    GROW = """
def made(n):
    return [torch.nn.Parameter(torch.ones(n, k)) for k in (3, 1)]
def optimizer_of(parts):
    return torch.optim.Adam([{"params": [p], "lr": 1e-2, "name": name}
                             for p, name in zip(parts, ("place", "size"))])
parts = made(10)
optimizer = optimizer_of(parts)
for step in range(9):
    optimizer.zero_grad(set_to_none=True)
    sum(p.square().sum() for p in parts).backward()
    seen["norms"].append(norm(parts))
    optimizer.step()
    if step %% 3 == 2:
        parts = made(12 + step)
        %s
"""
    IN_PLACE = """for group, p in zip(optimizer.param_groups, parts):
            optimizer.state.pop(group["params"][0])
            group["params"][0] = p"""

    def test_groups_of_the_same_name_go_on_when_their_tensors_are_replaced(self):
        for how in (self.IN_PLACE, "optimizer = optimizer_of(parts)"):
            self.check(self.GROW % how, 2)

    def test_elements_of_another_shape_need_a_trace_of_their_own(self):
        body = self.GROW % self.IN_PLACE
        self.record(body, options=("-o", "run.h5", "--elements", "full"))
        shapes = [self.read(name)[0]["/grad/0"].shape for name in ("run.h5", "run.2.h5")]
        self.assertEqual(shapes, [(3, 30), (3, 42)])

    def test_the_global_norm_counts_tensors_that_were_added_later(self):
        body = """
optimizer = torch.optim.SGD(net.head.parameters(), lr=1e-2)
for step in range(5):
    optimizer.zero_grad()
    if step == 2:
        optimizer.add_param_group({"params": list(net.body.parameters())})
    loss_of(net, step).backward()
    seen["norms"].append(norm(p for g in optimizer.param_groups for p in g["params"]))
    seen["losses"].append(norm(net.head.parameters()))
    clipped = torch.nn.utils.clip_grad_norm_(
        [p for g in optimizer.param_groups for p in g["params"]], 0.1)
    seen["scales"].append(float(torch.clamp(0.1 / (clipped + 1e-6), max=1.0)))
    optimizer.step()
"""
        for name in ("run.h5", "run.gtr"):
            seen = self.record(body, options=("-o", name, "--force"))
            self.assertIn("came to the optimizer after the first step; they have no series",
                          self.said)
            subprocess.run([PROGRAM, "merge", name, "-o", "one.h5", "--force"], check=True,
                           cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for each in (name, "one.h5"):
                rows = self.told(each, "--steps")
                numpy.testing.assert_allclose([float(row[4]) for row in rows], seen["norms"],
                                              rtol=1e-6)
            arrays, _ = self.read("one.h5")
            numpy.testing.assert_allclose(self.totals(arrays), seen["losses"], rtol=1e-6)
            numpy.testing.assert_allclose(
                arrays["/norm/rest"],
                numpy.square(seen["norms"]) - numpy.square(seen["losses"]), atol=1e-9)
            self.assertEqual(list(arrays["/step/applied_scale"]), seen["scales"])

    def test_a_complex_tensor_is_pairs_of_reals(self):
        _, arrays, _ = self.check("""
wave = torch.nn.Parameter(torch.full((5,), 1 + 2j, dtype=torch.complex64))
optimizer = torch.optim.Adam([*net.parameters(), wave], lr=1e-2)
for step in range(3):
    optimizer.zero_grad()
    (loss_of(net, step) + (wave * wave - 1).abs().square().sum()).backward()
    own = torch.view_as_real(wave.grad).double().square().sum()
    seen["norms"].append(float((norm(net.parameters()) ** 2 + own).sqrt()))
    optimizer.step()
""", 5)
        self.assertEqual([arrays["/param/shape"][4], arrays["/param/dtype"][4]], [b"5x2", b"f32"])

    def test_a_recording_that_stops_keeps_its_rows_and_tells_why_in_the_trace(self):
        body = """
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(6):
    optimizer.zero_grad(set_to_none=True)
    if step == 4:
        net.double()
    x, y = (t.to(net.head.weight.dtype) for t in batch(step))
    ((net(x) - y) ** 2).mean().backward()
    seen["norms"].append(norm(net.parameters()))
    optimizer.step()
"""
        seen = self.record(body)
        arrays, attributes = self.read()
        numpy.testing.assert_allclose(self.totals(arrays), seen["norms"][:4], rtol=1e-13)
        self.assertIn("gradient is f64, but f32 was recorded before", attributes["stopped"])
        self.assertIn("recording stops here", self.said)
        self.assertEqual(seen, self.plain(body))


class Clipped(Steps):
    def test_parts_that_are_clipped_apart_have_no_one_scale_and_are_told_of_in_meta(self):
        body = """
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(4):
    optimizer.zero_grad()
    loss_of(net, step).backward()
    seen["norms"].append(norm(net.parameters()))
    torch.nn.utils.clip_grad_norm_(net.body.parameters(), 100.0)
    torch.nn.utils.clip_grad_norm_(net.head.parameters(), 100.0 if step < 2 else 0.1)
    optimizer.step()
"""
        _, arrays, attributes = self.check(body)
        # As long as neither clips the scale is known: 1.
        numpy.testing.assert_array_equal(
            arrays["/step/applied_scale"], [1.0, 1.0, math.nan, math.nan]
        )
        clips = json.loads(attributes["meta"])["clips"]
        about = {"max_grad_norm": 100.0, "norm_type": 2.0, "tensors": 2}
        self.assertEqual(clips, [{**about, "first": "body.0.weight"},
                                 {**about, "first": "head.weight"}])


class ByHand(Steps):
    """Scripts without an optimizer."""

    LOOP = """
for step in range(4):
    net.zero_grad()
    loss = loss_of(net, step)
    loss.backward()
    seen["losses"].append(loss.item())
    seen["norms"].append(norm(net.parameters()))
    %s
    with torch.no_grad():
        for p in net.parameters():
            %s
"""

    def test_gradients_that_are_clipped_are_rows(self):
        clip = "torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5)"
        for step in ("p.data.add_(p.grad, alpha=-0.1)", "p -= 0.1 * p.grad; p.grad = None"):
            seen, arrays, attributes = self.check(self.LOOP % (clip, step))
            self.assertEqual(list(arrays["/step/loss"]), seen["losses"])
            self.assertEqual(arrays["/step/skipped"].sum(), 0)
            self.assertTrue((arrays["/step/applied_scale"] < 1).all())
            self.assertNotIn('"optimizer"', attributes["meta"])

    def test_without_clipping_it_is_told_what_was_seen(self):
        self.record(self.LOOP % ("", "p -= 0.1 * p.grad"))
        self.assertEqual(
            self.said,
            "gradtrace record: nothing recorded: torch was imported, but no optimizer step was "
            "seen; 4 backward passes and 0 calls that clip were\n",
        )


class Threads(RecordCase):
    def test_trainings_side_by_side_have_a_trace_each(self):
        for made in ("Net()", "models[k]"):
            seen = self.record("""
import threading
models = [Net(), Net()]
optimizers = {id(m): torch.optim.SGD(m.parameters(), lr=1e-2) for m in models}
seen["norms"] = [[], []]
def train(k):
    m = %s
    optimizer = optimizers.get(id(m)) or torch.optim.SGD(m.parameters(), lr=1e-2)
    for step in range(40):
        optimizer.zero_grad()
        loss_of(m, step + 40 * k).backward()
        seen["norms"][k].append(norm(m.parameters()))
        torch.nn.utils.clip_grad_norm_(m.parameters(), 1.0)
        optimizer.step()
threads = [threading.Thread(target=train, args=(k,)) for k in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
""" % made, options=("-o", "run.h5", "--force"))
            found = [self.totals(self.read(name)[0]) for name in ("run.h5", "run.2.h5")]
            if abs(found[0][0] - seen["norms"][0][0]) > 1e-6:
                found.reverse()  # the other one was first
            numpy.testing.assert_allclose(found, seen["norms"], rtol=1e-6)


class Placed(RecordCase):
    def test_a_warning_names_the_line_of_the_script(self):
        self.record("""
import warnings
class Old(torch.optim.SGD):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
    def zero_grad(self, *arguments):
        warnings.warn("old", FutureWarning, stacklevel=2)
        super().zero_grad(*arguments)
optimizer = Old(net.parameters(), lr=1e-2)
loss_of(net, 0).backward()
optimizer.step()
torch.cuda.amp.GradScaler(enabled=False)  # here
optimizer.zero_grad()  # here
""")
        lines = self.said.splitlines()
        places = [line for line in lines if "Warning: " in line]
        self.assertGreater(len(places), 0, self.said)
        self.assertTrue(all("train.py" in line for line in places), self.said)
        self.assertEqual(sum("# here" in line for line in lines), len(places))

    def test_names_have_nothing_of_wrappers(self):
        self.record("""
class FullyShardedDataParallel(torch.nn.Module):
    def __init__(self, module):
        super().__init__()
        self._fsdp_wrapped_module = module
    def forward(self, x):
        return self._fsdp_wrapped_module(x)
class DistributedDataParallel(torch.nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module
    def forward(self, x):
        return self.module(x)
inner = Net()
inner.body = FullyShardedDataParallel(inner.body)
inner.head = DistributedDataParallel(inner.head)
outer = FullyShardedDataParallel(inner)
optimizer = torch.optim.SGD(outer.parameters(), lr=1e-2)
loss_of(outer, 0).backward()
optimizer.step()
""")
        arrays, attributes = self.read()
        self.assertEqual(
            self.names(arrays), ["body.0.weight", "body.0.bias", "head.weight", "head.bias"]
        )
        self.assertIn('"model": "Net"', attributes["meta"])


if __name__ == "__main__":
    unittest.main()
