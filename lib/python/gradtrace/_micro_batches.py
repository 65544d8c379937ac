"""_micro_batches.py - the gradient of each backward pass by itself, where several are accumulated.

A hook on each parameter is shown what a backward pass is about to add to .grad, and keeps it until
the row is written: exactly that micro-batch's gradient, bit for bit, with nothing subtracted.  It
costs the memory of one more set of gradients until then, since autograd may no longer give
away what is still held here, and about a microsecond a tensor.
"""

import functools
import weakref

from ._library import Error


class Ears:
    """Hears the gradients of backward passes; forgotten with the last reference to it."""

    def __init__(self):
        self.listening = True
        self._heard = {}  # id of the parameter: gradients, usually one
        self._hooks = {}  # id of the parameter: (weak reference to it, its hook)

    def listen_to(self, parameters):
        """Hooks those that are not hooked yet."""
        for p in parameters:
            known = self._hooks.get(id(p))
            if known is None or known[0]() is not p:
                hear = functools.partial(_hear, weakref.ref(self), id(p))
                self._hooks[id(p)] = weakref.ref(p), p.register_hook(hear)

    def heard_any(self, parameters):
        return any(id(p) in self._heard for p in parameters)

    def take(self, parameters):
        """What was heard of each since it was last taken; None where nothing was."""
        found = []
        for p in parameters:
            parts = self._heard.pop(id(p), None)  # more than one: of two passes, or checkpoints
            found.append(functools.reduce(lambda a, b: a + b, parts) if parts else None)
        return found

    def forget(self):
        self._heard.clear()

    def close(self):
        for _, hook in self._hooks.values():
            hook.remove()
        self._hooks.clear()
        self.forget()


def _hear(ears, key, gradient):
    ears = ears()
    if ears is not None and ears.listening:
        # The very tensor and no view of it: a reference keeps autograd from reusing its memory.
        ears._heard.setdefault(key, []).append(gradient)


class Numbers:
    """Of rows: with N to a step, those of step s are s N, s N + 1, ..., s N + N - 1."""

    def __init__(self, rows_a_step):
        self.n = rows_a_step
        self.step = 0
        self.taken = 0  # of this step

    def next(self):
        if self.taken == self.n:
            raise Error(
                f"step {self.step} has more than {self.n} backward passes; give their number, "
                "as in rows micro-batch:4",
                "usage",
            )
        self.taken += 1
        return self.step * self.n + self.taken - 1

    def begin(self, step):
        """The next row is the first of this step, unless it is under way."""
        if step != self.step:
            self.step, self.taken = step, 0

    def stepped(self):
        """What follows belongs to the next step."""
        if self.taken > 0:
            self.begin(self.step + 1)
