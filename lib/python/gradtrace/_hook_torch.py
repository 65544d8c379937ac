"""_hook_torch.py - where torch tells what a script does: the functions that are listened to.

    torch.autograd.backward      the loss; Tensor.backward comes through here
    clip_grad_norm_ and others   gradients are complete, and are about to be changed
    GradScaler                   see _hook_scalers.py
    Optimizer.step               the step itself; the last moment to see gradients
    zero_grad                    gradients given up without a step

Each is replaced by a function that calls it with the same arguments and returns what it returns.
Accelerate, transformers.Trainer and their like call these very functions.  Optimizer.step is
replaced in the class of each optimizer that is made, rather than listened to by torch's own hooks:
those cannot see what a closure does.
"""

import functools
import math
import sys

import torch

from ._hook_replace import replace, replace_method
from ._hook_scalers import Scalers
from ._sharded import replicated

# Methods of a Listener that look at the run; the others only pass calls on.
_GUARDED = (
    "_backward",
    "_backward_begins",
    "_backward_ended",
    "_before_clipping",
    "_clipped",
    "_made",
    "_observe",
    "_stepped",
    "_given_up",
)


def install(session):
    Listener(session).listen()


class Listener:
    def __init__(self, session):
        self._session = session
        self._in_backward = False
        self._stepping = []  # optimizers whose step is under way: some call those of others
        for name in _GUARDED:
            setattr(self, name, session.guarded(getattr(self, name)))
        self._scalers = Scalers(session, self._observe)

    def listen(self):
        self.listen_to_backward()
        self.listen_to_clipping()
        self.listen_to_optimizers()
        self._scalers.listen()

    # --- the loss

    def listen_to_backward(self):
        def make(original):
            def backward(tensors, *arguments, **named):
                self._backward(
                    tensors,
                    bool(arguments and arguments[0] is not None)
                    or named.get("grad_tensors") is not None,
                )
                if self._session.ears is None:
                    return original(tensors, *arguments, **named)
                return self._listened_to(original, tensors, *arguments, **named)

            return backward

        replace(torch.autograd, "backward", make)

    def _listened_to(self, original, *arguments, **named):
        """A backward pass that is a row; checkpoints call others inside it."""
        outermost = self._backward_begins()
        complete = False
        try:
            result = original(*arguments, **named)
            complete = True
        finally:
            if outermost:
                self._backward_ended(complete)
        return result

    def _backward_begins(self):
        if self._in_backward:
            return False
        if self._stepping:
            self._session.talk.once(
                "backward passes that an optimizer calls, by a closure, have no rows of their own"
            )
            return False
        self._in_backward = True
        self._session.backward_begins()
        return True

    def _backward_ended(self, complete):
        self._in_backward = False
        if complete:
            self._session.backward_ended(self._scalers.of_loss)
        else:
            self._session.ears.forget()

    def _backward(self, tensors, weighted):
        if not self._stepping:  # a closure may well call backward again
            for _, _, part in self._session.pending():
                part.changed = True
        tensors = [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)
        if not weighted:
            for root in tensors:
                if root.numel() == 1:
                    self._session.losses.add(root)

    # --- clipping

    def listen_to_clipping(self):
        module = sys.modules["torch.nn.utils.clip_grad"]
        for name, kind in (
            ("clip_grad_norm_", "norm"),
            ("clip_grads_with_norm_", "given norm"),
            ("clip_grad_value_", "value"),
        ):
            if hasattr(module, name):
                replace(module, name, functools.partial(self._clipping, kind))
                setattr(torch.nn.utils, name, getattr(module, name))

    def _clipping(self, kind, original):
        def clip(parameters, *arguments, **named):
            if not isinstance(parameters, (torch.Tensor, list, tuple)):
                parameters = list(parameters)  # a generator can be read only once
            key = "clip_value" if kind == "value" else "max_norm"
            limit = named.get(key, arguments[0] if arguments else None)
            seen = self._before_clipping(parameters, key, limit)
            result = norm = original(parameters, *arguments, **named)
            if kind == "given norm":
                norm = named.get("total_norm", arguments[1] if len(arguments) > 1 else None)
            self._clipped(seen, parameters, limit, norm, kind)
            return result

        return clip

    def _before_clipping(self, parameters, key, limit):
        parameters = [parameters] if isinstance(parameters, torch.Tensor) else parameters
        clip = {"max_grad_norm" if key == "max_norm" else "clip_grad_value": _plain(limit)}
        seen = []
        for optimizer in self._session.owners(parameters):
            _, part = self._session.observe(optimizer, self._scalers.in_gradients(optimizer), clip)
            if part is not None:
                if part.changed:
                    self._session.talk.once(
                        "gradients were added to after they had been clipped, before the "
                        "optimizer's step: rows show them as they were before the first clipping"
                    )
                seen.append((optimizer, part))
        return seen

    def _clipped(self, seen, parameters, limit, norm, kind):
        parameters = [parameters] if isinstance(parameters, torch.Tensor) else parameters
        clipped = {id(p) for p in parameters}
        norm = replicated(norm)
        for optimizer, part in seen:
            if part.settled:
                continue
            whole = all(
                id(p) in clipped
                for group in optimizer.param_groups
                for p in group["params"]
                if p.grad is not None
            )
            if kind == "value" or not whole or not isinstance(norm, torch.Tensor):
                part.scales.append(lambda: math.nan)  # not one scale for all
            else:
                part.scales.append(functools.partial(_clip_scale, float(limit), norm.detach()))
                part.waits |= norm.is_cuda

    # --- optimizers

    def listen_to_optimizers(self):
        base = torch.optim.Optimizer

        def make_init(original):
            def __init__(optimizer, *arguments, **named):
                original(optimizer, *arguments, **named)
                self._made(optimizer)

            return __init__

        replace(base, "__init__", make_init)
        for owner in (base, torch.nn.Module):
            replace(owner, "zero_grad", self._giving_up)

    def _made(self, optimizer):
        self._session.made(optimizer)
        replace_method(type(optimizer), "step", self._step)

    def _step(self, original):
        def step(optimizer, *arguments, **named):
            if self._stepping:
                return original(optimizer, *arguments, **named)
            self._stepping.append(optimizer)
            try:
                arguments, named = self._before_step(optimizer, arguments, named)
                result = original(optimizer, *arguments, **named)
            finally:
                self._stepping.pop()
            self._stepped(optimizer)
            return result

        return step

    def _before_step(self, optimizer, arguments, named):
        """Gradients are there, or will be when the closure has been called for the first time."""
        closure = named.get("closure", arguments[0] if arguments else None)
        if not callable(closure):
            self._observe(optimizer)
            return arguments, named
        seen = []

        @functools.wraps(closure)
        def watched(*of_it, **its):
            result = closure(*of_it, **its)
            if not seen:
                seen.append(True)
                self._observe(optimizer, settled=True)
            return result

        if "closure" in named:
            return arguments, {**named, "closure": watched}
        return (watched, *arguments[1:]), named

    def _observe(self, optimizer, settled=False):
        _, part = self._session.observe(optimizer, self._scalers.in_gradients(optimizer))
        if part is not None:
            part.settled |= settled
        return part

    def _stepped(self, optimizer):
        trace = self._session.trace_of(optimizer)
        if trace is not None:
            trace.finish(optimizer, lambda: False)

    def _giving_up(self, original):
        def zero_grad(owner, *arguments, **named):
            self._given_up(owner)
            return original(owner, *arguments, **named)

        return zero_grad

    def _given_up(self, owner):
        """Gradients that were recorded are dropped without a step: the script skips it."""
        if self._stepping:
            return
        is_optimizer = isinstance(owner, torch.optim.Optimizer)
        for trace, optimizer, _ in list(self._session.pending()):
            if owner is not optimizer:
                if is_optimizer:
                    continue
                mine = {id(p) for p in _parameters_of(optimizer)}
                if not any(id(p) in mine for p in owner.parameters()):
                    continue
            trace.finish(optimizer, lambda: True)
        if self._session.ears is not None:
            dropped = _parameters_of(owner) if is_optimizer else owner.parameters()
            self._session.given_up(list(dropped))


def _parameters_of(optimizer):
    return [p for group in optimizer.param_groups for p in group["params"]]


def _clip_scale(limit, norm):
    """What clip_grad_norm_ multiplied by, in its own arithmetic."""
    return float(torch.clamp(limit / (norm.cpu() + 1e-6), max=1.0))


def _plain(limit):
    try:
        limit = float(limit)
    except (TypeError, ValueError):
        return None
    return limit if math.isfinite(limit) else str(limit)
