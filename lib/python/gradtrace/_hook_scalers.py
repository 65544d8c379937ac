"""_hook_scalers.py - loss scales of AMP: torch's GradScaler, and classes derived from it.

Gradients are recorded without the loss scale, and a step that the scaler leaves out is a row that
was skipped.
"""

import sys
import weakref

from ._hook_replace import replace_method
from ._hook_tensors import parameters_of


class Scalers:
    """Knows the scaler that each thread used last; a run has one, as a rule."""

    def __init__(self, session, observe):
        """observe(optimizer): the row under way gets its gradients, if there are any."""
        self._session = session
        self._heres = session.heres
        self._observe = observe
        for name in ("_used", "_stepped", "_unscales"):  # they look at the run
            setattr(self, name, session.guarded(getattr(self, name)))

    def listen(self):
        classes = [
            getattr(sys.modules.get(name), "GradScaler", None)
            for name in ("torch.amp.grad_scaler", "torch.cuda.amp.grad_scaler")
        ]
        for cls in [c for c in classes if c is not None]:
            self._listen_to(cls)
            replace_method(cls, "__init__", self._made)

    def _made(self, original):
        def __init__(scaler, *arguments, **named):
            original(scaler, *arguments, **named)
            self._listen_to(type(scaler))  # a class derived from torch's

        return __init__

    def _listen_to(self, cls):
        replace_method(cls, "scale", self._scaling)
        replace_method(cls, "unscale_", self._unscaling)
        replace_method(cls, "step", self._step)

    def _scaling(self, original):
        def scale(scaler, *arguments, **named):
            result = original(scaler, *arguments, **named)
            self._used(scaler)
            return result

        return scale

    def _unscaling(self, original):
        def unscale_(scaler, optimizer, *arguments, **named):
            self._unscales(optimizer, False)
            result = original(scaler, optimizer, *arguments, **named)
            self._unscales(optimizer, True)
            self._used(scaler)
            return result

        return unscale_

    def _unscales(self, optimizer, done):
        """That gradients change is known."""
        watch, parameters = self._heres.find().watch, parameters_of(optimizer)
        if done:
            watch.look_again(parameters)
        else:
            watch.changed(parameters)

    def _step(self, original):
        def step(scaler, optimizer, *arguments, **named):
            part = self._used(scaler, optimizer)
            result = original(scaler, optimizer, *arguments, **named)
            self._stepped(scaler, optimizer, part)
            return result

        return step

    def _used(self, scaler, optimizer=None):
        """Remembers the scaler; with an optimizer, records before its step, which may not come."""
        if not scaler.is_enabled():
            return None
        here = self._heres.find()
        here.scaler = weakref.ref(scaler)
        here.losses.scaled_by(scaler.get_scale)
        part = None if optimizer is None else self._observe(optimizer)
        if part is not None:
            part.waits = True
        return part

    def _stepped(self, scaler, optimizer, part):
        if part is None:
            return
        if not part.done:  # the optimizer was not called
            self._session.trace_of(optimizer).finish(optimizer, lambda: True)
        elif getattr(optimizer, "_step_supports_amp_scaling", False):
            # It was called and may have done nothing; the counts lie on the GPU.
            counts = list(_notes(scaler, optimizer).get("found_inf_per_device", {}).values())
            part.skipped = lambda: any(float(count) > 0 for count in counts)

    def in_gradients(self, optimizer):
        """The loss scale that is still in the optimizer's gradients."""
        scaler = self._enabled()
        if scaler is None:
            return 1.0
        stage = getattr(_notes(scaler, optimizer).get("stage"), "name", None)
        return 1.0 if stage == "UNSCALED" else scaler.get_scale()

    def of_loss(self, optimizer):
        """The loss scale as backward has it, whatever was unscaled before."""
        scaler = self._enabled()
        return 1.0 if scaler is None else scaler.get_scale()

    def _enabled(self):
        ref = self._heres.find().scaler
        scaler = ref() if ref is not None else None
        return scaler if scaler is not None and scaler.is_enabled() else None


def _notes(scaler, optimizer):
    """What torch's scaler has noted about an optimizer since the last update."""
    return getattr(scaler, "_per_optimizer_states", {}).get(id(optimizer), {})
