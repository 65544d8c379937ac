"""test_record_runs.py - `gradtrace record` on scripts as people write them."""

import math
import unittest

import numpy
from recording import RecordCase

LOOP = """
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
schedule = torch.optim.lr_scheduler.StepLR(optimizer, 4, 0.5)
for step in range(12):
    optimizer.zero_grad()
    loss = loss_of(net, step)
    loss.backward()
    seen["norms"].append(norm(net.parameters()))
    total = torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
    seen["scales"].append(float(torch.clamp(2.0 / (total + 1e-6), max=1.0)))
    optimizer.step()
    seen["losses"].append(loss.item())
    seen.setdefault("rates", []).append(optimizer.param_groups[0]["lr"])
    schedule.step()
"""


class Loops(RecordCase):
    def check(self, seen, arrays):
        numpy.testing.assert_allclose(self.totals(arrays), seen["norms"], rtol=1e-13)
        self.assertEqual(list(arrays["/step/index"]), list(range(len(seen["norms"]))))

    def test_a_loop_that_clips_is_recorded_before_it_clips(self):
        seen = self.record(LOOP)
        arrays, attributes = self.read()
        self.check(seen, arrays)
        self.assertEqual(list(arrays["/step/loss"]), seen["losses"])
        self.assertEqual(list(arrays["/step/lr"]), seen["rates"])
        self.assertEqual(list(arrays["/step/applied_scale"]), seen["scales"])
        self.assertTrue(min(seen["scales"]) < 1 == max(seen["scales"]), seen["scales"])
        self.assertEqual(attributes["grad_state"], "pre-clip")
        self.assertEqual(
            self.names(arrays), ["body.0.weight", "body.0.bias", "head.weight", "head.bias"]
        )
        for part in ('"model": "Net"', '"class": "AdamW"', '"max_grad_norm": 2.0', "train.py"):
            self.assertIn(part, attributes["meta"])
        self.assertEqual(self.said, "gradtrace record: run.h5: 12 steps of 4 tensors\n")

    def test_the_run_is_the_same_to_the_bit(self):
        plain = self.plain(LOOP)
        recorded = self.record(LOOP, options=("-o", "run.h5", "--elements", "full"))
        self.assertEqual(plain, recorded)
        self.assertEqual(len(self.read()[0]["/grad/step"]), 12)

    def test_elements_are_sampled_as_asked(self):
        options = ("-o", "run.h5", "--elements", "blocks:1/2", "--every", "5")
        self.record(LOOP, options=(*options, "--total-steps", "12", "--group-by", "tensor"))
        arrays, attributes = self.read()
        self.assertEqual(list(arrays["/grad/step"]), [0, 5, 10])
        self.assertEqual(attributes["total_steps"], 12)

    def test_accumulated_gradients_are_one_row(self):
        seen = self.record("""
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(5):
    total = 0.0
    for micro in range(3):
        loss = loss_of(net, 3 * step + micro) / 3
        loss.backward()
        total += loss.item()
    seen["norms"].append(norm(net.parameters()))
    seen["losses"].append(total)
    optimizer.step()
    optimizer.zero_grad()
""")
        arrays, _ = self.read()
        self.check(seen, arrays)
        self.assertEqual(list(arrays["/step/loss"]), seen["losses"])
        self.assertEqual(list(arrays["/step/applied_scale"]), [1.0] * 5)

    def test_a_generator_of_parameters_is_still_clipped(self):
        body = LOOP.replace(
            "clip_grad_norm_(net.parameters(), 2.0)",
            "clip_grad_norm_((p for p in net.parameters()), max_norm=2.0)",
        )
        seen = self.record(body)
        arrays, _ = self.read()
        self.check(seen, arrays)
        self.assertEqual(list(arrays["/step/applied_scale"]), seen["scales"])
        self.assertEqual(seen, self.plain(body))

    def test_a_step_that_the_script_leaves_out_is_marked(self):
        seen = self.record("""
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(6):
    loss = loss_of(net, step)
    if step in (2, 3):
        loss = loss * float("inf")
    loss.backward()
    total = torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    if torch.isfinite(total):
        optimizer.step()
    net.zero_grad()
""")
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/skipped"]), [0, 0, 1, 1, 0, 0])
        self.assertTrue((arrays["/norm/nonfinite"][[2, 3]].sum(axis=1) > 0).all())
        self.assertIn("6 steps", self.said)
        self.assertEqual(len(seen["weights"]), 4)

    def test_clipping_that_is_no_one_scale_is_unknown(self):
        for call, scale in (
            ("clip_grad_value_(net.parameters(), 0.01)", math.nan),
            ("clip_grad_norm_(net.head.parameters(), 1e-3)", math.nan),
            ("clip_grad_norm_(net.parameters(), float('inf'))", 1.0),
        ):
            body = LOOP.replace("clip_grad_norm_(net.parameters(), 2.0)", call)
            body = "total = torch.zeros(1)\n" + body.replace("    total = ", "    ")
            seen = self.record(body, options=("-o", "run.h5", "--force"))
            arrays, _ = self.read()
            self.check(seen, arrays)
            numpy.testing.assert_array_equal(arrays["/step/applied_scale"], [scale] * 12)

    def test_clipping_twice_multiplies(self):
        again = (
            "    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)\n    optimizer.step()"
        )
        seen = self.record(LOOP.replace("    optimizer.step()", again))
        arrays, _ = self.read()
        self.check(seen, arrays)
        wanted = numpy.minimum(1.0, 1.0 / numpy.array(seen["norms"]))
        numpy.testing.assert_allclose(arrays["/step/applied_scale"], wanted, rtol=1e-5)

    def test_bfloat16_autocast(self):
        body = LOOP.replace(
            "loss = loss_of(net, step)",
            """with torch.autocast("cpu", torch.bfloat16):
        loss = loss_of(net, step)""",
        )
        seen = self.record(body)
        self.check(seen, self.read()[0])
        self.assertEqual(seen, self.plain(body))


class Optimizers(RecordCase):
    def test_a_closure_is_called_as_often_and_recorded_once(self):
        body = """
optimizer = torch.optim.LBFGS(net.parameters(), lr=0.1, max_iter=4)
for step in range(4):
    calls = []
    def closure():
        optimizer.zero_grad()
        loss = loss_of(net, step)
        loss.backward()
        calls.append((loss.item(), norm(net.parameters())))
        return loss
    seen["losses"].append(float(optimizer.step(closure)))
    seen["norms"].append(calls[0][1])
    seen["scales"].append(len(calls))
"""
        seen = self.record(body)
        arrays, _ = self.read()
        numpy.testing.assert_allclose(self.totals(arrays), seen["norms"], rtol=1e-13)
        self.assertEqual(list(arrays["/step/loss"]), seen["losses"])
        self.assertGreater(min(seen["scales"]), 1)
        self.assertEqual(seen, self.plain(body))

    def test_two_optimizers_of_one_backward_are_one_row(self):
        seen = self.record("""
matrices = [p for p in net.parameters() if p.dim() == 2]
vectors = [p for p in net.parameters() if p.dim() == 1]
first = torch.optim.SGD(matrices, lr=1e-2, momentum=0.9)
second = torch.optim.AdamW(vectors, lr=1e-3)
for step in range(5):
    loss = loss_of(net, step)
    loss.backward()
    seen["norms"].append(norm(net.parameters()))
    seen["losses"].append(loss.item())
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    first.step()
    second.step()
    first.zero_grad()
    second.zero_grad()
""")
        arrays, attributes = self.read()
        numpy.testing.assert_allclose(self.totals(arrays), seen["norms"], rtol=1e-13)
        self.assertEqual(list(arrays["/step/loss"]), seen["losses"])
        self.assertEqual(
            self.names(arrays), ["body.0.weight", "body.0.bias", "head.weight", "head.bias"]
        )
        self.assertIn('"optimizers": ["SGD", "AdamW"]', attributes["meta"])
        self.assertTrue((arrays["/step/applied_scale"] < 1).any())
        groups = [group.decode() for group in arrays["/param/group"]]
        self.assertEqual(groups, ["optimizer0.group0", "optimizer1.group0"] * 2)

    def test_two_models_that_take_turns_share_rows(self):
        seen = self.record("""
class Critic(torch.nn.Linear):
    pass
critic = Critic(3, 1)
for_net = torch.optim.SGD(net.parameters(), lr=1e-2)
for_critic = torch.optim.SGD(critic.parameters(), lr=1e-2)
for step in range(6):
    critic.zero_grad()
    critic(net(batch(step)[0]).detach()).square().mean().backward()
    seen["norms"].append([norm(critic.parameters())])
    for_critic.step()
    if step % 3 == 2:
        net.zero_grad()
        (loss_of(net, step) - critic(net(batch(step)[0])).mean()).backward()
        seen["norms"][-1].append(norm(net.parameters()))
        for_net.step()
""")
        arrays, _ = self.read()
        self.assertEqual(len(arrays["/step/index"]), 6)
        names = self.names(arrays)
        self.assertEqual(names[0], "Net.body.0.weight")
        self.assertEqual(names[4:], ["Critic.weight", "Critic.bias"])
        sums = arrays["/norm/sumsq"]
        for row, norms in enumerate(seen["norms"]):
            parts = [sums[row, 4:].sum() ** 0.5, sums[row, :4].sum() ** 0.5]
            numpy.testing.assert_allclose(parts, [*norms, 0.0][:2], rtol=1e-13)

    def test_a_second_training_gets_a_file_of_its_own(self):
        self.record("""
for size in (4, 9):
    other = torch.nn.Linear(size, 2)
    optimizer = torch.optim.SGD(other.parameters(), lr=0.1)
    for step in range(size):
        optimizer.zero_grad()
        other(torch.ones(3, size)).square().sum().backward()
        optimizer.step()
""")
        self.assertEqual(self.read("run.h5")[0]["/norm/sumsq"].shape, (4, 2))
        self.assertEqual(self.read("run.2.h5")[0]["/norm/sumsq"].shape, (9, 2))
        self.assertIn("run.2.h5: 9 steps of 2 tensors", self.said)

    def test_a_new_optimizer_of_the_same_model_goes_on(self):
        self.record("""
for epoch in range(3):
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1 / (1 + epoch))
    for step in range(2):
        optimizer.zero_grad()
        loss_of(net, step).backward()
        optimizer.step()
""")
        arrays, _ = self.read()
        numpy.testing.assert_allclose(
            arrays["/step/lr"], numpy.repeat([0.1, 0.05, 0.1 / 3], 2), rtol=1e-15
        )

    def test_a_dropped_model_is_not_kept_in_memory(self):
        seen = self.record("""
import gc, weakref
other = torch.nn.Linear(3, 2)
optimizer = torch.optim.SGD(other.parameters(), lr=0.1)
other(torch.ones(1, 3)).sum().backward()
optimizer.step()
alive = weakref.ref(other.weight)
del other, optimizer
gc.collect()
seen["norms"] = [alive() is None]
""")
        self.assertEqual(seen["norms"], [True])

    def test_tensors_thawed_later_are_there_from_the_start_and_frozen_ones_become_zero(self):
        seen = self.record("""
net.body.requires_grad_(False)
optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
for step in range(4):
    optimizer.zero_grad(set_to_none=True)
    if step == 2:
        net.body.requires_grad_(True)
        net.head.bias.requires_grad_(False)
    loss_of(net, step).backward()
    seen["norms"].append(norm(net.parameters()))
    optimizer.step()
""")
        arrays, _ = self.read()
        numpy.testing.assert_allclose(self.totals(arrays), seen["norms"], rtol=1e-13)
        self.assertEqual(
            (arrays["/norm/sumsq"] == 0).tolist(), 2 * [[True, True, False, False]]
            + 2 * [[False, False, False, True]]
        )
        self.assertEqual(self.said, "gradtrace record: run.h5: 4 steps of 4 tensors\n")

    def test_an_optimizer_of_ones_own_and_parameters_of_no_module(self):
        self.record("""
class Mine(torch.optim.SGD):
    def step(self, closure=None):
        return super().step(closure)
loose = torch.zeros(3, requires_grad=True)
optimizer = Mine([{"params": net.parameters()}, {"params": [loose], "lr": 0.1}], lr=0.01)
for step in range(3):
    optimizer.zero_grad()
    (loss_of(net, step) + (loose - 1).square().sum()).backward()
    optimizer.step()
""")
        arrays, _ = self.read()
        self.assertEqual(self.names(arrays)[-1], "param_groups.1.0")
        self.assertEqual(arrays["/norm/sumsq"].shape, (3, 5))
        self.assertTrue((arrays["/norm/sumsq"] > 0).all())


class Wrapped(RecordCase):
    def test_wrappers_leave_no_trace_in_the_names(self):
        self.record("""
class DataParallel(torch.nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module
    def forward(self, x):
        return self.module(x)
wrapped = DataParallel(net)
average = torch.optim.swa_utils.AveragedModel(net)
optimizer = torch.optim.SGD(wrapped.parameters(), lr=0.01)
loss_of(wrapped, 0).backward()
optimizer.step()
""")
        arrays, attributes = self.read()
        self.assertEqual(self.names(arrays)[:2], ["body.0.weight", "body.0.bias"])
        self.assertIn('"model": "Net"', attributes["meta"])

    def test_the_calls_of_accelerate_and_its_trainers(self):
        # AcceleratedOptimizer hands its optimizer a step of its own; the Trainer clips through
        # torch.nn.utils, only when gradients are complete.
        seen = self.record("""
class AcceleratedOptimizer(torch.optim.Optimizer):
    def __init__(self, optimizer):
        self.optimizer = optimizer
        inner = optimizer.step
        def step(*arguments, **named):
            self.called = True
            return inner(*arguments, **named)
        optimizer.step = step
    param_groups = property(lambda self: self.optimizer.param_groups)
    def zero_grad(self, set_to_none=None):
        self.optimizer.zero_grad()
    def step(self, closure=None):
        self.optimizer.step(closure)
optimizer = AcceleratedOptimizer(torch.optim.AdamW(net.parameters(), lr=1e-2))
for step in range(8):
    loss = loss_of(net, step) / 2
    loss.backward()
    if step % 2 == 1:
        seen["norms"].append(norm(net.parameters()))
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0, norm_type=2)
        optimizer.step()
        net.zero_grad()
""")
        arrays, _ = self.read()
        numpy.testing.assert_allclose(self.totals(arrays), seen["norms"], rtol=1e-13)
        self.assertEqual(len(arrays["/step/index"]), 4)


if __name__ == "__main__":
    unittest.main()
