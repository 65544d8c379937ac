"""test_record_unheard.py - `gradtrace record`: what changes gradients and is not listened to.

Functions that clip are known by their names, and may be elsewhere in another torch; a script may
clip by hand.  The gradients themselves tell.
"""

import os
import subprocess
import sys
import types
import unittest
from unittest import mock

import numpy
import torch
from gradtrace import _hook_clipping, _hook_replace
from harness import Case
from recording import PRELUDE, RecordCase

LOOP = """
optimizer = torch.optim.SGD(net.parameters(), lr=1e-2)
for step in range(%d):
    optimizer.zero_grad()
    loss_of(net, step).backward()
    seen["norms"].append(norm(net.parameters()))
    total = norm(net.parameters())
    %s
    optimizer.step()
"""
EACH = "for p in net.parameters(): "
BY_HAND = {
    "in place": EACH + "p.grad.mul_(min(1.0, 0.5 / total))",
    "around autograd's count": EACH + "p.grad.data.mul_(0.5 / total)",
    "another tensor": EACH + "p.grad = p.grad * (0.5 / total)",
    "all at once": "torch._foreach_mul_([p.grad for p in net.parameters()], 0.5 / total)",
}


class ByNumbers(RecordCase):
    def test_a_clipping_by_hand_is_noticed_however_it_is_made(self):
        for how, line in BY_HAND.items():
            with self.subTest(how):
                body = LOOP % (6, line)
                seen = self.record(body, options=("-o", "run.h5", "--force"))
                self.assertEqual(seen, self.plain(body))
                arrays, attributes = self.read()
                self.assertEqual(attributes["grad_state"], "unknown")
                self.assertTrue(numpy.isnan(arrays["/step/applied_scale"]).all())
                numpy.testing.assert_allclose(self.totals(arrays), [0.5] * 6, rtol=1e-6)
                self.assertEqual(self.said.count("gradients are changed between backward()"), 1)

    def test_one_that_comes_later_is_noticed_then(self):
        self.record(LOOP % (6, "(step == 3) and " + BY_HAND["all at once"]))
        arrays, _ = self.read()
        self.assertEqual(list(numpy.isnan(arrays["/step/applied_scale"])), [False] * 3 + [True]
                         + [False] * 2)
        self.assertIn("from step 3 on", self.said)

    def test_one_after_a_clipping_that_is_heard_leaves_the_row_and_not_the_scale(self):
        clip = "torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0); "
        seen = self.record(LOOP % (3, clip + BY_HAND["all at once"]))
        arrays, _ = self.read()
        numpy.testing.assert_allclose(self.totals(arrays), seen["norms"], rtol=1e-13)
        self.assertTrue(numpy.isnan(arrays["/step/applied_scale"]).all())

    def test_gradients_that_are_parts_of_one_tensor_and_clipped_one_by_one_are_not_suspicious(self):
        self.record("""
parts = [torch.nn.Parameter(torch.ones(4) * k) for k in range(1, 6)]
optimizer = torch.optim.SGD(parts, lr=1e-3)
for step in range(6):
    torch.cat(parts).square().sum().backward()  # its gradients lie in one tensor
    for p in parts:
        torch.nn.utils.clip_grad_norm_([p], 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
""")
        self.assertEqual(self.said, "gradtrace record: run.h5: 6 steps of 5 tensors\n")

    def test_a_gradient_that_came_from_elsewhere_than_backward_is_of_unknown_state(self):
        self.record("""
masters = [p.detach().clone().requires_grad_(True) for p in net.parameters()]
optimizer = torch.optim.SGD(masters, lr=1e-2)
for step in range(3):
    loss_of(net, step).backward()
    for master, p in zip(masters, net.parameters()):
        master.grad = p.grad * 0.1
    optimizer.step()
""")
        self.assertEqual(self.read()[1]["grad_state"], "unknown")


    def test_the_clipping_of_a_sharded_model_by_its_own_method(self):
        script = PRELUDE + """
from torch.distributed.fsdp import FullyShardedDataParallel
torch.distributed.init_process_group("gloo")
whole = FullyShardedDataParallel(net, device_id=torch.device("cpu"), use_orig_params=True)
optimizer = torch.optim.SGD(whole.parameters(), lr=1e-2)
for step in range(3):
    loss_of(whole, step).backward()
    whole.clip_grad_norm_(0.1)
    optimizer.step()
    optimizer.zero_grad()
"""
        self.write(script)
        port = str(20002 + os.getpid() % 20000)
        words = ("-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", port)
        command = (sys.executable, *words, "train.py")
        plain = subprocess.run(
            command, cwd=self.folder, env=self.environment(), capture_output=True, check=False
        )
        if plain.returncode != 0:
            self.skipTest("this torch does not shard on CPUs")
        done = self.run_command(*command)
        self.assertEqual(done.returncode, 0, done.stderr)
        for name in ("run.h5", "run.rank1.h5"):
            arrays, attributes = self.read(name)
            self.assertEqual(attributes["grad_state"], "unknown")
            self.assertIn(b"head.bias", list(arrays["/param/name"]))
            self.assertEqual(done.stderr.count(f"{name}: gradients are changed"), 1, done.stderr)


class ByNames(RecordCase):
    @unittest.skipUnless(hasattr(torch.nn.utils, "clip_grads_with_norm_"), "needs torch 2.6")
    def test_clipping_by_a_norm_that_was_asked_for_before(self):
        for norm_type in (2.0, float("inf")):
            words = f"list(net.parameters()), 0.1, torch.nn.utils.get_total_norm(g, {norm_type!r})"
            words = words.replace("inf", "float('inf')")
            body = LOOP % (6, "g = [p.grad for p in net.parameters()]; "
                           f"torch.nn.utils.clip_grads_with_norm_({words})")
            body = body.replace("g = [p", 'seen["scales"].append(max(float(p.grad.abs().max()) '
                                "for p in net.parameters())); g = [p")
            seen = self.record(body, options=("-o", "run.h5", "--force"))
            arrays, attributes = self.read()
            numpy.testing.assert_allclose(self.totals(arrays), seen["norms"], rtol=1e-6)
            norms = seen["norms"] if norm_type == 2.0 else seen["scales"]
            scales = 0.1 / (numpy.array(norms) + 1e-6)
            numpy.testing.assert_allclose(arrays["/step/applied_scale"], scales, rtol=1e-5)
            self.assertEqual(attributes["grad_state"], "pre-clip")
            self.assertIn('"norm_type": ' + ("2.0" if norm_type == 2.0 else '"inf"'),
                          attributes["meta"])

    @unittest.skipUnless(hasattr(torch.nn.utils, "clip_grads_with_norm_"), "needs torch 2.6")
    def test_one_that_is_given_gradients_for_parameters_scales_nothing(self):
        line = "g = [p.grad for p in net.parameters()]; torch.nn.utils.clip_grads_with_norm_("
        seen = self.record(LOOP % (3, line + "g, 0.1, torch.nn.utils.get_total_norm(g))"))
        arrays, _ = self.read()
        numpy.testing.assert_allclose(self.totals(arrays), seen["norms"], rtol=1e-6)
        self.assertEqual(list(arrays["/step/applied_scale"]), [1.0] * 3)

    def test_the_norm_that_was_clipped_is_in_meta(self):
        clip = "torch.nn.utils.clip_grad_norm_(net.parameters(), 0.5, %s)"
        for words, wanted in (
            ("2", '"max_grad_norm": 0.5, "norm_type": 2.0'),
            ("norm_type=float('inf')", '"max_norm": 0.5, "norm_type": "inf"'),
        ):
            self.record(LOOP % (2, clip % words), options=("-o", "run.h5", "--force"))
            self.assertIn(wanted, self.read()[1]["meta"])


class InTorch(Case):
    """A torch that keeps its functions elsewhere, made up."""

    def fakes(self, **public):
        inner, outer = types.ModuleType("fake_torch.clip"), types.ModuleType("fake_torch")
        for name, function in public.items():
            setattr(outer, name, function)
            setattr(inner, "_" + name, function)
        return inner, outer

    def test_a_function_is_replaced_wherever_it_was_imported(self):
        def clip(p):
            return p

        inner, outer = self.fakes(clip_it_=clip)
        with mock.patch.dict(sys.modules, {"fake_torch.clip": inner, "fake_torch": outer}):
            found = _hook_replace.replace_everywhere(
                outer, "clip_it_", lambda original: lambda p: original(p) + 1
            )
        self.assertTrue(found)
        self.assertEqual((outer.clip_it_(1), inner._clip_it_(1)), (2, 2))
        self.assertIs(outer.clip_it_, inner._clip_it_)
        self.assertFalse(_hook_replace.replace_everywhere(outer, "no_such_", None))

    def test_a_function_that_is_not_found_or_not_known_is_told(self):
        session, told = mock.Mock(), []
        session.guarded = lambda work: work
        session.talk.warn = told.append
        _, outer = self.fakes(
            clip_grad_norm_=lambda p: p, clip_grad_new_=lambda p: p, get_total_norm=lambda p: p
        )
        with mock.patch.object(torch.nn, "utils", outer):
            _hook_clipping.Clipping(session, None).listen()
        for name in ("clip_grads_with_norm_", "clip_grad_value_", "clip_grad_new_"):
            self.assertEqual(sum(f"{name} is not listened to" in text for text in told), 1, told)
        self.assertEqual(len(told), 3, told)


if __name__ == "__main__":
    unittest.main()
