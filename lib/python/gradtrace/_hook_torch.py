"""_hook_torch.py - where torch tells what a script does: the functions that are listened to.

    torch.autograd.backward      the loss; Tensor.backward comes through here
    clip_grad_norm_ and others   see _hook_clipping.py
    GradScaler                   see _hook_scalers.py
    Optimizer.step               the step itself; the last moment to see gradients
    zero_grad                    gradients given up without a step

Each is replaced by a function that calls it with the same arguments and returns what it returns.
Accelerate, transformers.Trainer and their like call these very functions.  Optimizer.step is
replaced in the class of each optimizer that is made, rather than listened to by torch's own hooks:
those cannot see what a closure does.
"""

import functools

import torch

from ._hook_clipping import Clipping
from ._hook_replace import replace, replace_method
from ._hook_scalers import Scalers
from ._hook_tensors import parameters_of

# Methods of a Listener that look at the run; the others only pass calls on.
_GUARDED = (
    "_backward_begins",
    "_backward_ended",
    "_made",
    "_step_begins",
    "_observe",
    "_stepped",
    "_given_up",
)


def install(session):
    Listener(session).listen()


class Listener:
    def __init__(self, session):
        self._session = session
        self._heres = session.heres
        for name in _GUARDED:
            setattr(self, name, session.guarded(getattr(self, name)))
        self._scalers = Scalers(session, self._observe)

    def listen(self):
        self.listen_to_backward()
        Clipping(self._session, self._scalers).listen()
        self.listen_to_optimizers()
        self._scalers.listen()

    # --- the loss

    def listen_to_backward(self):
        def make(original):
            def backward(tensors, *arguments, **named):
                weighted = named.get("grad_tensors", arguments[0] if arguments else None)
                begun = self._backward_begins(tensors, weighted is not None)
                complete = False
                try:
                    result = original(tensors, *arguments, **named)
                    complete = True
                finally:
                    self._backward_ended(begun, complete)
                return result

            return backward

        replace(torch.autograd, "backward", make)

    def _backward_begins(self, tensors, weighted):
        """Notes the loss.  Returns what is to be told to _backward_ended: is the pass a row?"""
        here = self._heres.training()
        outermost = here.backwards == 0  # checkpoints call others inside one
        here.backwards += 1
        if outermost:
            self._session.n_backwards += 1
            if not here.stepping:  # a closure may well call backward again
                self._session.backward_begins()
        tensors = [tensors] if isinstance(tensors, torch.Tensor) else list(tensors)
        for root in tensors if not weighted else ():
            if root.numel() == 1:
                here.losses.add(root)
        if self._session.ears is None or not outermost:
            return False
        if here.stepping:
            self._session.talk.once(
                "backward passes that an optimizer calls, by a closure, have no rows of their own"
            )
            return False
        self._session.listen_to_passes()
        return True

    def _backward_ended(self, is_row, complete):
        here = self._heres.own()
        here.backwards -= 1
        if here.backwards == 0:
            here.watch.look(self._session.optimizers.watched(here.thread))
        if is_row and complete:
            self._session.pass_ended(self._scalers.of_loss)
        elif is_row:
            self._session.ears.forget()

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
        self._session.optimizers.made(optimizer)
        replace_method(type(optimizer), "step", self._step)

    def _step(self, original):
        def step(optimizer, *arguments, **named):
            here = self._heres.find()
            if here.stepping:
                return original(optimizer, *arguments, **named)
            here.stepping.append(optimizer)
            try:
                closure = self._step_begins(optimizer, arguments, named)
                if closure is not None and "closure" in named:
                    named["closure"] = closure
                elif closure is not None:
                    arguments = (closure, *arguments[1:])
                result = original(optimizer, *arguments, **named)
            finally:
                here.stepping.pop()
            self._stepped(optimizer)
            return result

        return step

    def _step_begins(self, optimizer, arguments, named):
        """Gradients are there, or will be when the closure has been called for the first time.

        Returns what to call instead of the closure, if there is one.
        """
        closure = named.get("closure", arguments[0] if arguments else None)
        if not callable(closure):
            self._look(optimizer)
            return None
        seen = []

        @functools.wraps(closure)
        def watched(*of_it, **its):
            result = closure(*of_it, **its)
            if not seen:
                seen.append(True)
                self._observe(optimizer, settled=True)
            return result

        return watched

    def _observe(self, optimizer, settled=False):
        return self._look(optimizer, settled)

    def _look(self, optimizer, settled=False):
        part = self._session.observe(optimizer, self._scalers.in_gradients(optimizer))
        if part is not None:
            part.settled |= settled
        return part

    def _stepped(self, optimizer):
        self._session.optimizers.stepped()
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
        here = self._heres.find()
        is_optimizer = isinstance(owner, torch.optim.Optimizer)
        parameters = parameters_of(owner) if is_optimizer else list(owner.parameters())
        here.watch.forget(parameters)
        if not here.stepping:
            self._session.given_up(parameters, owner if is_optimizer else None)
