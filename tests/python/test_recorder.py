"""test_recorder.py - the recorder inside real PyTorch runs, against what torch itself computes."""

import math

import gradtrace
import numpy
import torch
from harness import Case, batch, exact_norm, loss_of, model, train


class Norms(Case):
    def test_norms_are_the_ones_that_clip_grad_norm_returns(self):
        _, norms, gradients = train(model(), 40, self.path())
        arrays, _ = self.read()
        total = numpy.sqrt(arrays["/norm/sumsq"].sum(axis=1))
        for row, (norm, grads) in enumerate(zip(norms, gradients)):
            # torch sums in single precision: a few units in its last place
            self.assertLess(abs(total[row] / float(norm) - 1), 1e-6)
            self.assertLess(abs(total[row] / exact_norm(grads) - 1), 1e-14)

    def test_each_tensor_has_its_own_norm_and_largest_magnitude(self):
        _, _, gradients = train(model(), 12, self.path())
        arrays, _ = self.read()
        for row, grads in enumerate(gradients):
            for i, grad in enumerate(grads):
                exact = float((grad.double() ** 2).sum())
                self.assertLess(abs(arrays["/norm/sumsq"][row, i] - exact), 1e-14 * exact)
                self.assertEqual(arrays["/norm/maxabs"][row, i], float(grad.abs().max()))
        self.assertEqual(arrays["/norm/nonfinite"].sum(), 0)

    def test_applied_scales_are_the_clip_coefficient(self):
        net = model()
        _, norms, gradients = train(net, 25, self.path(), max_norm=6.0)
        arrays, _ = self.read()
        applied = arrays["/step/applied_scale"]
        for row, norm in enumerate(norms):
            self.assertEqual(applied[row], float(torch.clamp(6.0 / (norm + 1e-6), max=1.0)))
        self.assertTrue((applied < 1).any() and (applied == 1).any(), applied)

    def test_gradients_accumulated_over_micro_batches_are_one_step(self):
        net, n_micro = model(), 4
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        norms = []
        with gradtrace.Recorder(net, self.path(), optimizer=optimizer) as recorder:
            for step in range(5):
                optimizer.zero_grad()
                for micro in range(n_micro):
                    (loss_of(net, n_micro * step + micro) / n_micro).backward()
                recorder.step()
                norms.append(exact_norm([p.grad for p in net.parameters()]))
                optimizer.step()
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/index"]), [0, 1, 2, 3, 4])
        total = numpy.sqrt(arrays["/norm/sumsq"].sum(axis=1))
        numpy.testing.assert_allclose(total, norms, rtol=1e-14)

    def test_a_parameter_without_gradient_has_norm_zero_in_that_step(self):
        net = model()
        with gradtrace.Recorder(net, self.path()) as recorder:
            for step in range(3):
                net.zero_grad(set_to_none=True)
                loss_of(net, step).backward()
                if step == 1:
                    net[0].weight.grad = None
                recorder.step()
        arrays, _ = self.read()
        sumsq = arrays["/norm/sumsq"]
        self.assertEqual(sumsq[1, 0], 0)
        self.assertTrue((sumsq[[0, 2], 0] > 0).all() and (sumsq[:, 1:] > 0).all())

    def test_nan_and_inf_are_counted_and_left_out_of_the_sums(self):
        net = model()
        with gradtrace.Recorder(net, self.path()) as recorder:
            loss_of(net, 0).backward()
            grad = net[0].weight.grad
            grad[0, 0], grad[1, 1], grad[2, 2] = math.nan, math.inf, -math.inf
            finite = grad[torch.isfinite(grad)]
            recorder.step(loss=math.nan)
            recorder.applied(skipped=True)
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/norm/nonfinite"][0]), [3, 0, 0, 0, 0, 0])
        exact = float((finite.double() ** 2).sum())
        self.assertLess(abs(arrays["/norm/sumsq"][0, 0] - exact), 1e-14 * exact)
        self.assertEqual(arrays["/norm/maxabs"][0, 0], float(finite.abs().max()))
        self.assertEqual(arrays["/step/skipped"][0], 1)
        self.assertTrue(math.isnan(arrays["/step/loss"][0]))
        self.assertTrue(math.isnan(arrays["/step/applied_scale"][0]))


class Gradients(Case):
    """Types, layouts and loss scales."""

    def one_step(self, named, **step):
        with gradtrace.Recorder(named, self.path(), elements="full", strict=True) as recorder:
            recorder.step(**step)
        return self.read()[0]

    def parameter(self, grad, dtype=torch.float32, shape=None):
        parameter = torch.nn.Parameter(torch.zeros(shape or grad.shape, dtype=dtype))
        parameter.grad = grad
        return parameter

    def test_elements_are_bit_for_bit_what_torch_had(self):
        net = model()
        _, _, gradients = train(net, 10, self.path(), elements="full", first=2, last=8, every=2)
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/grad/step"]), [2, 4, 6, 8])
        for i in range(len(gradients[0])):
            stored = arrays[f"/grad/{i}"]
            wanted = numpy.stack([gradients[t][i].flatten().numpy() for t in (2, 4, 6, 8)])
            self.assertEqual(stored.dtype, numpy.float32)
            self.assertEqual(stored.tobytes(), wanted.tobytes())

    def test_double_half_and_bfloat16(self):
        generator = torch.Generator().manual_seed(3)
        raw = torch.randn(5, 1031, generator=generator, dtype=torch.float64)
        named = {}
        for dtype in (torch.float64, torch.float16, torch.bfloat16):
            grad = raw.to(dtype)
            named[str(dtype)[6:]] = self.parameter(grad, dtype)
        named["bfloat16"].grad[0, 0] = math.nan
        arrays = self.one_step(named)
        self.assertEqual([t.decode() for t in arrays["/param/dtype"]], ["f64", "f16", "bf16"])
        for i, parameter in enumerate(named.values()):
            exact = parameter.grad.double()
            exact = float((exact[torch.isfinite(exact)] ** 2).sum())
            self.assertLess(abs(arrays["/norm/sumsq"][0, i] / exact - 1), 1e-14)
        self.assertEqual(list(arrays["/norm/nonfinite"][0]), [0, 0, 1])
        double, half, brain = (parameter.grad for parameter in named.values())
        self.assertEqual(arrays["/grad/0"].dtype, numpy.float64)
        self.assertEqual(arrays["/grad/0"].tobytes(), double.numpy().tobytes())
        self.assertEqual(arrays["/grad/1"].dtype, numpy.float16)
        self.assertEqual(arrays["/grad/1"].tobytes(), half.numpy().tobytes())
        self.assertEqual(arrays["/grad/2"].dtype, numpy.uint16)
        self.assertEqual(
            arrays["/grad/2"].tobytes(), brain.view(torch.int16).numpy().tobytes()
        )

    def test_not_contiguous_sparse_scalar_and_empty_gradients(self):
        turned = torch.arange(12.0).reshape(3, 4).t()
        strided = torch.arange(10.0)[::3]
        embedding = torch.nn.Embedding(6, 2, sparse=True)
        embedding(torch.tensor([4, 1, 4])).sum().backward()
        self.assertTrue(embedding.weight.grad.is_sparse)
        named = {
            "turned": self.parameter(turned),
            "strided": self.parameter(strided),
            "sparse": embedding.weight,
            "scalar": self.parameter(torch.tensor(-3.0)),
            "empty": self.parameter(torch.zeros(0, 4)),
        }
        arrays = self.one_step(named)
        shapes = [shape.decode() for shape in arrays["/param/shape"]]
        self.assertEqual(shapes, ["4x3", "4", "6x2", "", "0x4"])
        self.assertEqual(list(arrays["/param/numel"]), [12, 4, 12, 1, 0])
        self.assertEqual(list(arrays["/norm/sumsq"][0]), [506, 126, 10, 9, 0])
        self.assertEqual(list(arrays["/grad/0"][0]), [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11])
        self.assertEqual(list(arrays["/grad/1"][0]), [0, 3, 6, 9])
        self.assertEqual(list(arrays["/grad/2"][0]), [0, 0, 1, 1, 0, 0, 0, 0, 2, 2, 0, 0])
        self.assertEqual(list(arrays["/grad/3"][0]), [-3])
        self.assertTrue(embedding.weight.grad.is_sparse)

    def test_a_loss_scale_is_divided_out_and_left_in_the_run(self):
        plain, scaled = model(), model()
        loss_of(plain, 0).backward()
        (loss_of(scaled, 0) * 2.0**16).backward()
        before = [p.grad.clone() for p in scaled.parameters()]
        arrays = self.one_step(scaled, grad_scale=2.0**16)
        for i, (p, q) in enumerate(zip(plain.parameters(), scaled.parameters())):
            self.assertTrue(torch.equal(q.grad, before[i]))
            self.assertEqual(arrays[f"/grad/{i}"].tobytes(), p.grad.numpy().tobytes())

    def test_an_odd_loss_scale_gives_the_bits_of_unscaling(self):
        # GradScaler multiplies by the reciprocal rounded to single precision, whatever the type.
        scale = 3.0 * 2.0**10
        inverse = torch.tensor(scale).double().reciprocal().float()
        for dtype in (torch.float32, torch.float64):
            net = model(dtype=dtype)
            (loss_of(net, 0, dtype) * scale).backward()
            with gradtrace.Recorder(net, self.path(), elements="full", force=True) as recorder:
                recorder.step(grad_scale=scale)
            arrays, _ = self.read()
            for i, parameter in enumerate(net.parameters()):
                wanted = parameter.grad * inverse.to(dtype)
                self.assertEqual(arrays[f"/grad/{i}"].tobytes(), wanted.numpy().tobytes())

    def test_half_precision_does_not_underflow_when_the_loss_scale_goes(self):
        small = torch.tensor([2.0**-10, 3 * 2.0**-11], dtype=torch.float16)
        arrays = self.one_step({"w": self.parameter(small, torch.float16)}, grad_scale=2.0**20)
        self.assertEqual(arrays["/param/dtype"][0], b"f32")
        self.assertEqual(list(arrays["/grad/0"][0]), [2.0**-30, 3 * 2.0**-31])
        self.assertEqual(arrays["/norm/sumsq"][0, 0], 2.0**-60 + 9 * 2.0**-62)


class Runs(Case):
    """Recording must not be felt."""

    def test_losses_are_bit_identical_to_the_run_without_a_recorder(self):
        with_dropout = []
        for path in (None, self.path()):
            net = model()
            net.insert(1, torch.nn.Dropout(0.3))
            torch.manual_seed(5)
            losses, _, _ = train(net, 30, path, elements="full")
            with_dropout.append((losses, [p.tolist() for p in net.parameters()]))
        self.assertEqual(with_dropout[0], with_dropout[1])
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/loss"]), with_dropout[0][0])

    def test_gradients_are_left_alone(self):
        net = model()
        loss_of(net, 0).backward()
        kept = [(p.grad, p.grad.clone(), p.grad.data_ptr()) for p in net.parameters()]
        with gradtrace.Recorder(net, self.path(), elements="full") as recorder:
            recorder.step(grad_scale=4.0)
        for p, (grad, copy, address) in zip(net.parameters(), kept):
            self.assertIs(p.grad, grad)
            self.assertEqual(p.grad.data_ptr(), address)
            self.assertTrue(torch.equal(p.grad, copy))

    def test_only_what_requires_a_gradient_is_recorded(self):
        net = model()
        net[0].requires_grad_(False)
        train_only = [name for name, p in net.named_parameters() if p.requires_grad]
        with gradtrace.Recorder(net, self.path()) as recorder:
            loss_of(net, 0).backward()
            recorder.step()
        arrays, _ = self.read()
        self.assertEqual([n.decode() for n in arrays["/param/name"]], train_only)
        self.assertNotIn("0.weight", train_only)

    def test_the_optimizers_groups_are_recorded(self):
        net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2))
        optimizer = torch.optim.SGD(
            [
                {"params": [net[0].weight, net[1].weight], "name": "matrices"},
                {"params": [net[0].bias]},
            ],
            lr=0.1,
        )
        with gradtrace.Recorder(net, self.path(), optimizer=optimizer, strict=True) as recorder:
            net(torch.ones(5, 3)).sum().backward()
            recorder.step()
        arrays, _ = self.read()
        # No optimizer has the last bias.
        self.assertEqual(
            list(zip(arrays["/param/name"], arrays["/param/group"])),
            [
                (b"0.weight", b"matrices"),
                (b"0.bias", b"group1"),
                (b"1.weight", b"matrices"),
                (b"1.bias", b""),
            ],
        )

    def test_wrappers_leave_no_trace_in_the_names(self):
        class DataParallel(torch.nn.Module):
            def __init__(self, inner):
                super().__init__()
                self.module = torch.nn.Module()
                self.module._orig_mod = inner

        net = model()
        loss_of(net, 0).backward()
        with gradtrace.Recorder(DataParallel(net), self.path()) as recorder:
            recorder.step()
        arrays, _ = self.read()
        names = [name for name, _ in net.named_parameters()]
        self.assertEqual([n.decode() for n in arrays["/param/name"]], names)

    def test_step_numbers_losses_and_learning_rates(self):
        net = model()
        optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
        with gradtrace.Recorder(net, self.path(), optimizer=optimizer) as recorder:
            loss_of(net, 0).backward()
            recorder.step(torch.tensor(1.5))
            optimizer.param_groups[0]["lr"] = 0.25
            recorder.step([2.5][0], step=10)
            recorder.step(lr=torch.tensor(0.125))
        arrays, _ = self.read()
        self.assertEqual(list(arrays["/step/index"]), [0, 10, 11])
        self.assertEqual(list(arrays["/step/lr"]), [0.5, 0.25, 0.125])
        self.assertEqual(list(arrays["/step/loss"][:2]), [1.5, 2.5])
        self.assertTrue(math.isnan(arrays["/step/loss"][2]))
        time = arrays["/step/time"]
        self.assertTrue(time[0] == 0 and (numpy.diff(time) >= 0).all())

    def test_a_batch_of_inputs_is_the_same_each_time(self):
        # What the comparison of two runs above rests on.
        self.assertTrue(torch.equal(batch(3)[0], batch(3)[0]))
        self.assertFalse(torch.equal(batch(3)[0], batch(4)[0]))
