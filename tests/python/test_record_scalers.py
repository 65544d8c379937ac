"""test_record_scalers.py - `gradtrace record` and the loss scale of mixed precision.

torch 1.13 scales losses on GPUs only.  The scaler here is torch's own with the few parts replaced
that need one; where torch has a GradScaler for the CPU, that is tested too.
"""

import unittest

import numpy
import torch
from recording import RecordCase

STAND_IN = """
from torch.cuda.amp import GradScaler

class Scaler(GradScaler):
    def __init__(self):
        super().__init__(enabled=False)
        self._enabled = True
        self._scale = torch.tensor(1024.0)
        self._per_optimizer_states = collections.defaultdict(
            lambda: {"stage": OptState.READY, "found_inf_per_device": {}})
    def scale(self, outputs):
        return outputs * self._scale
    def get_scale(self):
        return self._scale.item()
    def _check_scale_growth_tracker(self, name):
        return self._scale, None
    def _unscale_grads_(self, optimizer, inverse, found, allow):
        bad = 0.0
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.grad is not None:
                    bad += float((~torch.isfinite(p.grad)).any())
                    p.grad.mul_(inverse)
        return {p.device: torch.tensor(bad)}
    def update(self):
        found = [float(v) for s in self._per_optimizer_states.values()
                 for v in s["found_inf_per_device"].values()]
        self._scale = self._scale * (0.5 if sum(found) else 1.0)
        self._per_optimizer_states.clear()
"""

MAKE = {
    "stand-in": "import collections\nfrom torch.cuda.amp.grad_scaler import OptState\n"
    + STAND_IN
    + "scaler = Scaler()\n",
    "torch": "scaler = torch.amp.GradScaler('cpu', init_scale=1024.0, growth_interval=3)\n",
}

LOOP = """
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-2)
for step in range(8):
    optimizer.zero_grad()
    loss = loss_of(net, step)
    seen["losses"].append(loss.item())
    if step == 5:
        loss = loss * float("inf")
    scaler.scale(loss).backward()
    #CLIP
    scaler.step(optimizer)
    scaler.update()
"""
CLIP = """scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)"""


class Scalers(RecordCase):
    def check(self, kind):
        plain = self.record(
            MAKE[kind].split("scaler = ")[0]
            + LOOP.replace("#CLIP", "pass")
            .replace("scaler.scale(loss)", "loss")
            .replace("scaler.update()", "")
            .replace("scaler.step(optimizer)", "(step == 5) or optimizer.step()"),
            options=("-o", "plain.h5"),
        )
        wanted = self.read("plain.h5")[0]
        for clip in ("pass", CLIP):
            body = MAKE[kind] + LOOP.replace("#CLIP", clip)
            seen = self.record(body, options=("-o", "run.h5", "--force", "--elements", "full"))
            self.assertEqual(seen, self.plain(body))
            arrays, _ = self.read()
            self.assertEqual(list(arrays["/step/skipped"]), [0, 0, 0, 0, 0, 1, 0, 0])
            self.assertGreater(arrays["/norm/nonfinite"][5].sum(), 0)
            self.assertEqual(arrays["/norm/nonfinite"][[0, 1, 2, 3, 4, 6, 7]].sum(), 0)
            finite = [0, 1, 2, 3, 4, 6, 7]
            losses = [seen["losses"][row] for row in finite]
            numpy.testing.assert_allclose(arrays["/step/loss"][finite], losses, rtol=1e-6)
            if clip == "pass":
                # A scale that is a power of two changes no bit of a gradient.
                self.assertEqual(seen["losses"], plain["losses"])
                recorded = arrays["/norm/sumsq"][finite]
                self.assertTrue((recorded == wanted["/norm/sumsq"]).all())
                self.assertEqual(list(arrays["/step/applied_scale"][finite]), [1.0] * 7)
            else:
                self.assertTrue((arrays["/step/applied_scale"][finite] < 1).any())
                self.assertEqual(list(arrays["/norm/sumsq"][0]), list(wanted["/norm/sumsq"][0]))

    def test_the_loss_scale_is_divided_out_once_and_skipped_steps_are_marked(self):
        self.check("stand-in")

    @unittest.skipUnless(hasattr(torch.amp, "GradScaler"), "needs a GradScaler for the CPU")
    def test_the_same_with_a_scaler_for_the_cpu(self):
        self.check("torch")

    @unittest.skipUnless(hasattr(torch.amp, "GradScaler"), "needs a GradScaler for the CPU")
    def test_a_fused_optimizer_that_skips_by_itself(self):
        body = MAKE["torch"] + LOOP.replace("lr=1e-2)", "lr=1e-2, fused=True)")
        seen = self.record(body.replace("#CLIP", "pass"))
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/skipped"]), [0, 0, 0, 0, 0, 1, 0, 0])
        numpy.testing.assert_allclose(arrays["/step/loss"][:5], seen["losses"][:5], rtol=1e-6)
        self.assertEqual(seen, self.plain(body.replace("#CLIP", "pass")))

    def test_a_disabled_scaler_is_none(self):
        seen = self.record(
            "scaler = torch.cuda.amp.GradScaler(enabled=False)\n"
            + LOOP.replace("#CLIP", CLIP).replace("step == 5", "False")
        )
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/loss"]), seen["losses"])
        self.assertEqual(arrays["/step/skipped"].sum(), 0)
        self.assertTrue((arrays["/step/applied_scale"] < 1).any())
