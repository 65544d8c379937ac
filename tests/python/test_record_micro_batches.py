"""test_record_micro_batches.py - a row for each backward pass, against torch's own gradients."""

import json
import math

import numpy
import torch
from harness import Case, loss_of, model
from recording import RecordCase
from test_record_scalers import MAKE

import gradtrace

ACCUMULATE = """
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
def own(loss):
    gradients = torch.autograd.grad(loss, list(net.parameters()), retain_graph=True)
    return [float(g.double().square().sum()) for g in gradients]
for step in range(4):
    for micro in range(3 if step != 2 else 2):
        loss = loss_of(net, 3 * step + micro) / 3
        seen["norms"].append(own(loss))
        seen["losses"].append(loss.item())
        loss.backward()
    total = torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    seen["scales"].append(float(torch.clamp(1.0 / (total + 1e-6), max=1.0)))
    optimizer.step()
    optimizer.zero_grad(set_to_none=step % 2 == 0)
"""
ROWS = ("-o", "run.h5", "--rows", "micro-batch:3")
INDEX = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11]  # step 2 has two micro-batches
LAST = [2, 5, 7, 10]  # rows at which the optimizer stepped


class Recorded(RecordCase):
    def test_each_backward_pass_is_a_row_of_its_own_gradient(self):
        seen = self.record(ACCUMULATE, options=(*ROWS, "--total-steps", "4"))
        arrays, attributes = self.read()
        self.assertEqual(list(arrays["/step/index"]), INDEX)
        numpy.testing.assert_allclose(arrays["/norm/sumsq"], seen["norms"], rtol=1e-13)
        self.assertEqual(list(arrays["/step/loss"]), seen["losses"])
        scales = numpy.full(len(INDEX), math.nan)
        scales[LAST] = seen["scales"]
        numpy.testing.assert_array_equal(arrays["/step/applied_scale"], scales)
        self.assertFalse(arrays["/step/skipped"].any())
        self.assertEqual(attributes["total_steps"], 12)
        meta = json.loads(attributes["meta"])
        self.assertEqual((meta["rows"], meta["micro_batches"]), ("micro-batch", 3))
        self.assertEqual(self.said, "gradtrace record: run.h5: 11 micro-batches of 4 tensors\n")

    def test_rows_of_a_step_add_up_to_it_and_the_run_is_the_same(self):
        micro = self.record(ACCUMULATE, options=(*ROWS, "--elements", "full"))
        rows = self.read()[0]
        whole = self.record(ACCUMULATE, options=("-o", "step.h5", "--elements", "full"))
        steps = self.read("step.h5")[0]
        self.assertEqual(micro, whole)
        self.assertEqual(micro, self.plain(ACCUMULATE))
        for step, (first, last) in enumerate(zip([0, 3, 6, 8], LAST)):
            sums = rows["/grad/0"][first].copy()
            for row in range(first + 1, last + 1):
                sums += rows["/grad/0"][row]  # as autograd adds: in fp32, in this order
            numpy.testing.assert_array_equal(sums, steps["/grad/0"][step])

    def test_the_loss_scale_is_divided_out_and_an_overflow_is_its_own_row_only(self):
        seen = self.record(MAKE["stand-in"] + """
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(3):
    for micro in range(2):
        loss = loss_of(net, 2 * step + micro)
        gradients = torch.autograd.grad(loss, list(net.parameters()), retain_graph=True)
        seen["norms"].append([float(g.double().square().sum()) for g in gradients])
        if step == 1 and micro == 0:
            loss = loss * float("inf")
        scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad()
""", options=("-o", "run.h5", "--rows", "micro-batch:2"))
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/skipped"]), [0, 0, 0, 1, 0, 0])
        self.assertEqual(
            list(arrays["/norm/nonfinite"].sum(axis=1) > 0), [False, False, True] + [False] * 3
        )
        finite = [0, 1, 3, 4, 5]
        numpy.testing.assert_allclose(
            arrays["/norm/sumsq"][finite], numpy.array(seen["norms"])[finite], rtol=1e-13
        )

    def test_more_passes_than_were_announced_are_told_and_the_run_goes_on(self):
        options = ("-o", "run.h5", "--rows", "micro-batch:2")
        seen = self.record(ACCUMULATE, options=options)
        self.assertIn("step 0 has more than 2 backward passes", self.said)
        self.assertIn("the run goes on", self.said)
        self.assertEqual(list(self.read()[0]["/step/index"]), [0, 1])
        self.assertEqual(seen, self.plain(ACCUMULATE))

    def test_steps_that_are_left_out(self):
        self.record("""
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(4):
    optimizer.zero_grad()
    for micro in range(2):
        loss_of(net, step).backward()
    if step != 1:
        optimizer.step()
""", options=("-o", "run.h5", "--rows", "micro-batch:2"))
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/index"]), list(range(8)))
        self.assertEqual(list(arrays["/step/skipped"]), [0, 0, 0, 1, 0, 0, 0, 0])

    def test_checkpoints_inside_a_pass_are_part_of_it(self):
        seen = self.record("""
import warnings
from torch.utils.checkpoint import checkpoint
warnings.simplefilter("ignore")
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(3):
    for micro in range(2):
        x, y = batch(2 * step + micro)
        x.requires_grad_(True)
        loss = ((net.head(checkpoint(net.body, x)) - y) ** 2).mean()
        seen["norms"].append([float(g.double().square().sum()) for g in torch.autograd.grad(
            loss_of(net, 2 * step + micro), list(net.parameters()))])
        loss.backward()
    optimizer.step()
    optimizer.zero_grad()
""", options=("-o", "run.h5", "--rows", "micro-batch:2"))
        numpy.testing.assert_allclose(
            self.read()[0]["/norm/sumsq"], seen["norms"], rtol=1e-12
        )

    def test_two_optimizers_of_one_backward_pass(self):
        two = ACCUMULATE.replace(
            "optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)",
            "other = torch.optim.SGD(net.head.parameters(), lr=1e-2)\n"
            "optimizer = torch.optim.SGD(net.body.parameters(), lr=1e-2)",
        ).replace("    optimizer.step()\n", "    optimizer.step()\n    other.step()\n")
        two = two.replace(
            "    optimizer.zero_grad", "    other.zero_grad()\n    optimizer.zero_grad"
        )
        seen = self.record(two, options=ROWS)
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/index"]), INDEX)
        numpy.testing.assert_allclose(arrays["/norm/sumsq"], seen["norms"], rtol=1e-13)

    def test_a_closure_has_no_rows_of_its_own_and_that_is_told(self):
        self.record("""
optimizer = torch.optim.LBFGS(net.parameters(), max_iter=3)
def closure():
    optimizer.zero_grad()
    loss = loss_of(net, 0)
    loss.backward()
    return loss
optimizer.step(closure)
""", options=ROWS)
        self.assertIn("by a closure, have no rows", self.said)


class ByHand(Case):
    def micro(self, net, recorder, steps, passes, **more):
        wanted = []
        for step in range(steps):
            net.zero_grad()
            for m in range(passes):
                loss = loss_of(net, passes * step + m)
                own = torch.autograd.grad(loss, list(net.parameters()), retain_graph=True)
                recorder._ears.forget()  # autograd.grad is heard, too
                wanted.append([float(g.double().square().sum()) for g in own])
                loss.backward()
                recorder.step(loss, **more)
        return wanted

    def test_a_recorder_counts_passes_by_itself(self):
        net = model()
        with gradtrace.Recorder(net, self.path(), rows="micro-batch:3", strict=True) as recorder:
            wanted = self.micro(net, recorder, 3, 3)
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/index"]), list(range(9)))
        numpy.testing.assert_allclose(arrays["/norm/sumsq"], wanted, rtol=1e-13)
        self.assertFalse(next(net.parameters())._backward_hooks)  # taken off again

    def test_applied_or_the_next_number_ends_a_step(self):
        net = model()
        with gradtrace.Recorder(net, self.path(), rows="micro-batch:4", strict=True) as recorder:
            self.micro(net, recorder, 1, 2)
            recorder.applied(0.5)
            self.micro(net, recorder, 1, 3, step=1)
            self.micro(net, recorder, 1, 1, step=7)
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/index"]), [0, 1, 4, 5, 6, 28])
        numpy.testing.assert_array_equal(
            arrays["/step/applied_scale"], [math.nan, 0.5] + [math.nan] * 4
        )

    def test_a_recorder_that_is_dropped_hears_nothing_more(self):
        net = model()
        recorder = gradtrace.Recorder(net, self.path(), rows="micro-batch:2", strict=True)
        self.micro(net, recorder, 1, 2)
        heard = recorder._ears._heard
        del recorder
        loss_of(net, 0).backward()
        self.assertEqual(heard, {})

    def test_wrong_rows_are_refused(self):
        for rows in ("steps", "micro-batch", "micro-batch:0", "micro-batch:x", "step:2", None):
            with self.assertRaisesRegex(ValueError, "must be step, or micro-batch:N"):
                gradtrace.Recorder(model(), self.path(), rows=rows)
        with self.assertRaisesRegex(ValueError, "the Trainer calls back once a step"):
            gradtrace.TrainerCallback(self.path(), rows="micro-batch:2")
