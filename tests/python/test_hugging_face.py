"""test_hugging_face.py - the callback, called as Hugging Face's Trainer calls it.

Trainer itself is not needed: the loop below makes its calls in its order - backward, clipping,
on_pre_optimizer_step, optimizer step, on_optimizer_step, scheduler step, zero_grad,
global_step += 1, on_log.
"""

import json
import types
import warnings

import gradtrace
import numpy
import torch
from harness import Case, exact_norm, loss_of, model


class Scaler:
    """A loss scale as accelerate's optimizer holds it, and the notes of torch's GradScaler."""

    def __init__(self, scale):
        self.scale = scale
        self._per_optimizer_states = {}

    def get_scale(self):
        return self.scale

    def unscale_(self, optimizer):
        for group in optimizer.param_groups:
            for parameter in group["params"]:
                parameter.grad /= self.scale
        stage = types.SimpleNamespace(name="UNSCALED")
        self._per_optimizer_states[id(optimizer)] = {"stage": stage}

    def update(self, overflow):
        self.scale *= 0.5 if overflow else 1.0
        self._per_optimizer_states = {}


def trainer_run(
    callback, max_grad_norm, n_steps=8, start=0, scale=1.0, zero=True, unscale=False, overflow=None
):
    """What Trainer.train does around the callback; returns norms before and after clipping.

    unscale: divide the loss scale out before the callback's turn, as transformers 5 does even
    without clipping.  overflow: the step that is left out because of infinite gradients.
    """
    net = model()
    optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
    scheduler = torch.optim.lr_scheduler.LinearLR(optimizer, total_iters=n_steps)
    optimizer.scaler = Scaler(scale) if scale != 1.0 else None
    args = types.SimpleNamespace(
        max_grad_norm=max_grad_norm, learning_rate=1e-2, logging_steps=1, world_size=1
    )
    state = types.SimpleNamespace(
        global_step=start, max_steps=start + n_steps, log_history=[], is_world_process_zero=zero
    )
    rest = {"model": net, "optimizer": optimizer, "lr_scheduler": scheduler}
    before, after, losses, rates = [], [], [], []
    for step in range(n_steps):
        loss = loss_of(net, step)
        (loss * scale).backward()
        before.append(exact_norm([p.grad for p in net.parameters()]) / scale)
        if max_grad_norm is not None and max_grad_norm > 0:
            torch.nn.utils.clip_grad_norm_(net.parameters(), max_grad_norm)
        after.append(exact_norm([p.grad for p in net.parameters()]) / scale)
        rates.append(optimizer.param_groups[0]["lr"])
        if unscale:
            optimizer.scaler.unscale_(optimizer)
        callback.on_pre_optimizer_step(args, state, None, **rest)
        if step != overflow:
            optimizer.step()
            scheduler.step()
        if optimizer.scaler is not None:
            optimizer.scaler.update(step == overflow)
            scale = optimizer.scaler.get_scale()
        callback.on_optimizer_step(args, state, None, **rest)
        net.zero_grad()
        state.global_step += 1
        losses.append(loss.item())
        state.log_history.append({"loss": loss.item(), "step": state.global_step})
        state.log_history.append({"eval_loss": 0.0, "step": state.global_step})
    callback.on_train_end(args, state, None, **rest)
    return {"before": before, "after": after, "losses": losses, "rates": rates}


class Callback(Case):
    def run_quietly(self, callback, *arguments, **options):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            run = trainer_run(callback, *arguments, **options)
        return run, [str(w.message) for w in caught if "gradtrace" in str(w.message)]

    def totals(self):
        arrays, attributes = self.read()
        return numpy.sqrt(arrays["/norm/sumsq"].sum(axis=1)), arrays, attributes

    def test_after_clipping_it_says_so_once_and_in_the_file(self):
        run, said = self.run_quietly(gradtrace.TrainerCallback(self.path()), 1.0)
        self.assertEqual(len(said), 1, said)
        self.assertIn("already clipped to 1:", said[0])
        self.assertIn("set max_grad_norm=0", said[0])
        total, arrays, attributes = self.totals()
        self.assertEqual(attributes["grad_state"], "post-clip")
        numpy.testing.assert_allclose(total, run["after"], rtol=1e-14)
        self.assertGreater(max(run["before"]), 1.0)
        self.assertLess(total.max(), 1.0 + 1e-6)

    def test_without_clipping_it_is_silent_and_records_what_clipping_would_see(self):
        for limit in (0, 0.0, None):
            callback = gradtrace.TrainerCallback(self.path(), force=True)
            run, said = self.run_quietly(callback, limit)
            self.assertEqual(said, [])
            total, _, attributes = self.totals()
            self.assertEqual(attributes["grad_state"], "pre-clip")
            numpy.testing.assert_allclose(total, run["before"], rtol=1e-14)

    def test_steps_rates_and_losses_come_from_the_trainer(self):
        callback = gradtrace.TrainerCallback(self.path(), elements="full", last=101)
        run, _ = self.run_quietly(callback, 0, start=100)
        _, arrays, attributes = self.totals()
        self.assertEqual(list(arrays["/step/index"]), list(range(100, 108)))
        self.assertEqual(list(arrays["/step/lr"]), run["rates"])
        self.assertTrue(numpy.isnan(arrays["/step/loss"][0]))
        self.assertEqual(list(arrays["/step/loss"][1:]), run["losses"][:-1])
        self.assertEqual(attributes["total_steps"], 108)
        self.assertEqual(list(arrays["/grad/step"]), [0, 1])
        meta = json.loads(attributes["meta"])
        self.assertEqual(meta["trainer"]["max_grad_norm"], 0)
        self.assertEqual(meta["optimizer"]["class"], "AdamW")
        self.assertEqual(meta["model"], "Sequential")

    def test_a_loss_scale_that_nobody_has_divided_out_is(self):
        run, _ = self.run_quietly(gradtrace.TrainerCallback(self.path()), 0, scale=1024.0)
        total, _, _ = self.totals()
        numpy.testing.assert_allclose(total, run["before"], rtol=1e-14)

    def test_a_loss_scale_that_has_been_divided_out_is_not_divided_out_twice(self):
        callback = gradtrace.TrainerCallback(self.path())
        run, _ = self.run_quietly(callback, 0, scale=1024.0, unscale=True)
        total, _, _ = self.totals()
        numpy.testing.assert_allclose(total, run["before"], rtol=1e-14)

    def test_steps_left_out_because_of_overflow_are_marked(self):
        for unscale in (False, True):
            callback = gradtrace.TrainerCallback(self.path(), force=True)
            run, said = self.run_quietly(callback, 0, scale=1024.0, unscale=unscale, overflow=5)
            self.assertEqual(said, [])
            total, arrays, _ = self.totals()
            self.assertEqual(list(arrays["/step/skipped"]), [0, 0, 0, 0, 0, 1, 0, 0])
            numpy.testing.assert_allclose(total, run["before"], rtol=1e-14)

    def test_only_the_first_rank_writes(self):
        _, said = self.run_quietly(gradtrace.TrainerCallback(self.path()), 0, zero=False)
        self.assertEqual(said, [])
        with self.assertRaises(FileNotFoundError):
            self.read()

    def test_a_trainer_without_the_hook_is_told_at_the_end(self):
        callback = gradtrace.TrainerCallback(self.path())
        state = types.SimpleNamespace(global_step=10)
        with self.assertWarnsRegex(RuntimeWarning, "nothing recorded"):
            callback.on_train_end(None, state, None)

    def test_an_unwritable_path_does_not_stop_the_trainer(self):
        callback = gradtrace.TrainerCallback(self.path("no/run.h5"))
        run, said = self.run_quietly(callback, 0)
        self.assertEqual(len(run["losses"]), 8)
        self.assertEqual(len(said), 1, said)
        self.assertIn("No such file", said[0])
