"""test_update.py - simulated optimizers against torch's own, on the same scaled gradients."""

import ctypes
import unittest
from ctypes import POINTER, byref, c_double, c_float, c_int, c_int64, c_size_t, c_uint64, c_void_p

import torch
from gradtrace import _library
from harness import Case, model, train

STEPS = 25
SCALES = "global:max_norm=0.3", "group:max_norm=0.05", "none"


class Optimizer(ctypes.Structure):
    _fields_ = [("id", c_int)] + [
        (name, c_double) for name in (
            "beta1", "beta2", "eps", "momentum", "nesterov", "dampening", "momentum_decay"
        )
    ]


class Options(ctypes.Structure):
    _fields_ = [
        ("optimizer", Optimizer),
        ("n_threads", c_size_t),
        ("memory", c_size_t),
        ("device", c_int * 2),
        ("progress", c_void_p),
        ("context", c_void_p),
        ("part", c_size_t),
        ("n_parts", c_size_t),
        ("exchange", c_void_p),
    ]


class Sums(ctypes.Structure):
    _fields_ = [("update", c_double), ("change", c_double), ("along", c_double)]


class Update(ctypes.Structure):
    _fields_ = [
        ("n_policies", c_size_t),
        ("n_groups", c_size_t),
        ("n_rows", c_size_t),
        ("row", POINTER(c_int64)),
        ("sums", POINTER(Sums)),
        ("plain", POINTER(c_double)),
        ("errors", c_void_p),
        ("elements", c_uint64),
        ("captured", c_uint64),
        ("kept", c_void_p),
        ("blocks", c_void_p),
        ("complete", c_int),
    ]


class Groups(ctypes.Structure):
    _fields_ = [
        ("rule", c_void_p),
        ("names", c_void_p),
        ("n_groups", c_size_t),
        ("n_tensors", c_size_t),
        ("of_tensor", POINTER(c_size_t)),
    ]


class Decisions(ctypes.Structure):
    _fields_ = [
        ("n_groups", c_size_t),
        ("n_steps", c_size_t),
        ("policy", c_int),
        ("params", c_void_p),
        ("scale", POINTER(c_double)),
    ]


# A handle of its own: prototypes that the package declares do not hold here.
LIBRARY = ctypes.CDLL(_library.find())


def call(name, *arguments):
    """A call whose last argument but the error is where a pointer goes; returns the pointer."""
    err, out = _library.Err(), c_void_p()
    if getattr(LIBRARY, name)(*arguments, byref(out), byref(err)) != 0:
        raise RuntimeError(err.text.decode())
    return out


def simulate(path, optimizer):
    """What the C library makes of a trace: (update, groups, decisions of each policy)."""
    library = LIBRARY
    library.gtr_trace_head.restype = c_void_p
    trace = call("gtr_trace_open", path.encode())
    groups = call("gtr_groups_new", b"tensor", c_void_p(library.gtr_trace_head(trace)))
    series = call("gtr_series_read", trace, groups, c_size_t(1))
    # Options that are no more than their size: all defaults.
    replay = call("gtr_replay_new", series, byref(c_size_t(ctypes.sizeof(c_size_t))))
    settings = [call("gtr_setting_parse", text.encode()) for text in SCALES]
    decisions = [call("gtr_replay_run", replay, setting) for setting in settings]
    options, err = Options(device=(1, -1)), _library.Err()
    if library.gtr_optimizer_parse(optimizer.encode(), byref(options), byref(err)) != 0:
        raise RuntimeError(err.text.decode())
    array = (c_void_p * len(decisions))(*(d.value for d in decisions))
    update = call(
        "gtr_update_run", trace, groups, replay, array, c_size_t(len(decisions)), byref(options)
    )
    pointers = [ctypes.cast(d, POINTER(Decisions)).contents for d in decisions]
    return (
        ctypes.cast(update, POINTER(Update)).contents,
        ctypes.cast(groups, POINTER(Groups)).contents,
        pointers,
    )


def torch_updates(gradients, scales, make):
    """What torch's optimizer does to each parameter at each step, as float64.

    Parameters are put back to zero before each step, so that no rounding of theirs hides it.
    """
    parameters = [torch.nn.Parameter(torch.zeros_like(g)) for g in gradients[0]]
    optimizer, updates = make(parameters), []
    for step, row in enumerate(gradients):
        for i, parameter in enumerate(parameters):
            parameter.data.zero_()
            parameter.grad = row[i] * torch.tensor(c_float(scales[step][i]).value)
        optimizer.step()
        updates.append([-p.data.double().clone() for p in parameters])
    return updates


def adamw(parameters):
    return torch.optim.AdamW(parameters, lr=1.0, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.0)


def sgd(parameters):
    return torch.optim.SGD(parameters, lr=1.0, momentum=0.9)


def nesterov(parameters):
    return torch.optim.SGD(parameters, lr=1.0, momentum=0.8, nesterov=True)


def dampened(parameters):
    return torch.optim.SGD(parameters, lr=1.0, momentum=0.9, dampening=0.3)


def rmsprop(parameters):
    return torch.optim.RMSprop(parameters, lr=1.0, alpha=0.95, momentum=0.5)


def plain_rmsprop(parameters):
    return torch.optim.RMSprop(parameters, lr=1.0)


class SlowNAdam(torch.optim.Optimizer):
    """Dozat 2016, with the mu and the bias corrections of torch.optim.NAdam's documentation."""

    def __init__(self, parameters, beta2, decay):
        super().__init__(parameters, {"lr": 1.0})
        self.beta2, self.decay = beta2, decay
        self.steps, self.product = 0, 1.0

    def step(self):
        self.steps += 1
        mu, following = (
            0.9 * (1.0 - 0.5 * 0.96 ** (t * self.decay)) for t in (self.steps, self.steps + 1)
        )
        self.product *= mu
        for parameter in self.param_groups[0]["params"]:
            state, grad = self.state[parameter], parameter.grad.double()
            m = 0.9 * state.get("m", 0.0) + 0.1 * grad
            v = self.beta2 * state.get("v", 0.0) + (1.0 - self.beta2) * grad * grad
            ahead = following / (1.0 - self.product * following) * m
            ahead += (1.0 - mu) / (1.0 - self.product) * grad
            size = (v / (1.0 - self.beta2**self.steps)).sqrt() + 1e-8
            parameter.data -= (ahead / size).float()
            state["m"], state["v"] = m, v


def slow_nadam(parameters):
    return SlowNAdam(parameters, 0.99, 0.05)


def nadam(parameters):
    return torch.optim.NAdam(parameters, lr=1.0, betas=(0.9, 0.99), momentum_decay=0.05)


class Lion(torch.optim.Optimizer):
    """Algorithm 2 of arXiv 2302.06675, which torch does not have, in its words."""

    def __init__(self, parameters, beta1, beta2):
        super().__init__(parameters, {"lr": 1.0})
        self.beta1, self.beta2 = beta1, beta2

    def step(self):
        for parameter in self.param_groups[0]["params"]:
            state, grad = self.state[parameter], parameter.grad
            momentum = state.get("momentum", torch.zeros_like(grad))
            parameter.data -= torch.sign(self.beta1 * momentum + (1.0 - self.beta1) * grad)
            state["momentum"] = self.beta2 * momentum + (1.0 - self.beta2) * grad


def lion(parameters):
    return Lion(parameters, 0.9, 0.95)


class UpdateReplay(Case):
    def compare(self, text, make):
        _, _, gradients = train(model(), STEPS, self.path(), elements="full")
        update, groups, decisions = simulate(self.path(), text)
        self.assertEqual((update.n_policies, update.n_rows), (len(SCALES), STEPS))
        self.assertEqual(update.complete, 1)
        n_tensors = len(gradients[0])
        none = torch_updates(gradients, [[1.0] * n_tensors] * STEPS, make)
        clipped = 0
        for p, policy in enumerate(decisions):
            scales = [
                [policy.scale[groups.of_tensor[i] * STEPS + t] for i in range(n_tensors)]
                for t in range(STEPS)
            ]
            clipped += sum(scale < 0.9 for row in scales for scale in row)
            ours = torch_updates(gradients, scales, make)
            for i in range(n_tensors):
                for t in range(STEPS):
                    g = groups.of_tensor[i]
                    got = update.sums[(p * update.n_groups + g) * STEPS + t]
                    self.check(got, update.plain[g * STEPS + t], ours[t][i], none[t][i])
        self.assertGreater(clipped, STEPS)

    def check(self, got, plain, u, u_none):
        wanted = float((u * u).sum())
        size = float((u_none * u_none).sum())
        self.assertAlmostEqual(plain / size, 1.0, delta=2e-6)
        self.assertAlmostEqual(got.update / wanted, 1.0, delta=2e-6)
        # The difference of two roundings is as large as they are
        change = float(((u - u_none) ** 2).sum()) ** 0.5
        self.assertAlmostEqual(got.change**0.5, change, delta=1e-6 * (size**0.5 + wanted**0.5))
        along = float((u * u_none).sum())
        self.assertAlmostEqual(got.along, along, delta=2e-6 * (size * wanted) ** 0.5)

    def test_adamw_is_torchs(self):
        self.compare("adamw:beta2=0.99", adamw)

    def test_sgd_is_torchs(self):
        self.compare("sgd", sgd)

    def test_nesterov_is_torchs(self):
        self.compare("sgd:momentum=0.8,nesterov=1", nesterov)

    def test_dampening_is_torchs(self):
        self.compare("sgd:dampening=0.3", dampened)

    def test_rmsprop_is_torchs(self):
        self.compare("rmsprop", plain_rmsprop)

    def test_rmsprop_with_momentum_is_torchs(self):
        self.compare("rmsprop:alpha=0.95,momentum=0.5", rmsprop)

    def test_nadam_is_as_it_is_documented(self):
        self.compare("nadam:beta2=0.99,momentum_decay=0.05", slow_nadam)

    @unittest.skipIf(torch.__version__.startswith("1."), "torch 1 has mu in its product twice")
    def test_nadam_is_torchs(self):
        self.compare("nadam:beta2=0.99,momentum_decay=0.05", nadam)

    def test_lion_is_the_papers(self):
        self.compare("lion:beta2=0.95", lion)

    def test_the_recorder_tells_the_optimizer(self):
        train(model(), 2, self.path(), elements="full")
        _, attributes = self.read()
        optimizer, printed = Optimizer(id=1), ctypes.create_string_buffer(200)
        library = _library.load()
        self.assertEqual(
            library.gtr_optimizer_from_meta(attributes["meta"].encode(), byref(optimizer)), 1
        )
        library.gtr_optimizer_print(byref(optimizer), printed, 200)
        self.assertEqual(printed.value, b"adamw:beta1=0.9,beta2=0.999,eps=1e-08")
