"""_hook_session.py - all traces of one process of the script, and what keeps them from harming it.

The optimizers alive when the first step is seen share a trace.  One that comes later and has none
of its parameters in a trace begins a trace of its own.  Whatever fails in here turns recording off
and leaves the script alone, unless it was asked to be strict.
"""

import functools
import os
import sys
import weakref

from ._hook_rows import Losses, Trace, each_trainable, trainable
from ._library import Error
from ._micro_batches import Ears

_UNTRACED = {}  # methods as torch.compile is to see them


class Session:
    """All traces of a process."""

    def __init__(self, folder, settings, talk):
        self.settings = settings
        self.talk = talk
        self.losses = Losses()
        self.on_first_row = lambda: None
        self._folder = folder
        self._process = os.getpid()
        self._traces = []
        self._optimizers = []  # weak, in the order of their making
        self._off = False
        self.ears = None  # where each backward pass is a row: what hears their gradients
        if settings["recorder"].get("rows", "step") != "step":
            self.ears = Ears()
            self.ears.listening = False

    def guarded(self, work):
        """A method for the hooks: works only where it should, and raises only if strict."""

        def careful(*arguments, **named):
            if self._off or os.getpid() != self._process:
                return None
            try:
                return work(*arguments, **named)
            except Exception as error:
                self._off = True
                kind = "" if isinstance(error, Error) else f"{type(error).__name__}: "
                text = f"{kind}{error}"
                self.talk.failed(text)
                self._close_all()
                if self.settings["recorder"].get("strict"):
                    raise Error(f"gradtrace record: {text}") from error
                return None

        @functools.wraps(work)
        def unseen(*arguments, **named):
            return _untraced(careful)(*arguments, **named)

        return unseen

    def made(self, optimizer):
        self._optimizers = [ref for ref in self._optimizers if ref() is not None]
        self._optimizers.append(weakref.ref(optimizer))

    def observe(self, optimizer, grad_scale, clip=None):
        """Part of the optimizer in the row under way, or None if it has nothing to record."""
        trace = self.trace_of(optimizer)
        if trace is None:
            if self.ears is not None or all(p.grad is None for p in each_trainable(optimizer)):
                return None, None  # a first step without gradients, as some warm-ups make
            trace = self._begin_trace(optimizer, clip or {})
        return trace, trace.observe(optimizer, grad_scale)

    def owners(self, parameters):
        """The optimizers that have any of these parameters."""
        wanted = {id(p) for p in parameters}
        return [
            optimizer
            for optimizer in self._alive()
            if any(id(p) in wanted for g in optimizer.param_groups for p in g["params"])
        ]

    def trace_of(self, optimizer):
        """The trace that has any of its parameters; the first one asked for, as a rule."""
        return next((t for t in self._traces if t.has_any(each_trainable(optimizer))), None)

    def given_up(self, parameters):
        """Their gradients are dropped.  Matters only where rows were made before the step."""
        if self.ears is not None:
            for trace in self._traces:
                if trace.has_any(parameters):
                    trace.give_up()

    def pending(self):
        for trace in self._traces:
            for optimizer, part in list(trace.pending()):
                yield trace, optimizer, part

    def backward_begins(self):
        """Of the outermost of nested calls; only where each backward pass is a row."""
        for optimizer in self._alive():
            self.ears.listen_to(trainable(optimizer))
        self.ears.listening = True

    def backward_ended(self, grad_scale):
        """A row for each trace that the pass had gradients for."""
        self.ears.listening = False
        for optimizer in self._alive():
            parameters = trainable(optimizer)
            if self.ears.heard_any(parameters):
                trace = self.trace_of(optimizer) or self._begin_trace(optimizer, {})
                trace.micro_batch(optimizer, grad_scale(optimizer))
        self.ears.forget()

    def claim(self, rank):
        """The path of a new trace: run.h5, run.rank1.h5, then run.2.h5, run.rank1.2.h5.

        A folder of segments, run.gtr, has room for all ranks: run.gtr, then run.2.gtr.
        Other processes of the same run ask, too, so what is taken is marked in a folder of the run.
        """
        base, extension = os.path.splitext(self.settings["output"])
        if rank > 0 and extension != ".gtr":
            base = f"{base}.rank{rank}"
        n = 1
        while True:
            try:
                mark = os.path.join(self._folder, f"taken.{rank}.{n}")
                os.close(os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            except FileExistsError:
                n += 1
                continue
            except OSError:
                pass  # the program that waits is gone, and its folder
            return base + (f".{n}" if n > 1 else "") + extension

    def close(self):
        """At the end of the process."""
        if os.getpid() == self._process:
            self.guarded(self._close_all)()
            self._off = True

    def forked(self):
        """In a child: it may record itself if its parent has not begun to."""
        if self._traces:
            self._off = True
        else:
            self._process = os.getpid()

    def _alive(self):
        return [
            optimizer
            for optimizer in (ref() for ref in self._optimizers)
            if optimizer is not None
        ]

    def _begin_trace(self, optimizer, clip):
        for old in [t for t in self._traces if not t.alive()]:
            old.close()
            self._traces.remove(old)
        taken = [
            other
            for other in self._alive()
            if other is not optimizer
            and trainable(other)
            and not any(t.has_any(trainable(other)) for t in self._traces)
        ]
        if self._traces or not any(other is optimizer for other in self._alive()):
            taken = []  # it came late: a trace of its own
        ordered = [o for o in self._alive() if o is optimizer or any(o is t for t in taken)]
        trace = Trace(self, ordered or [optimizer], clip)
        self._traces.append(trace)
        self.on_first_row()
        self.on_first_row = lambda: None
        return trace

    def _close_all(self):
        if self.ears is not None:
            self.ears.close()
        traces, self._traces = self._traces, []
        for trace in traces:
            trace.close()


def _untraced(work):
    """The same for torch.compile, if that has been loaded: a call to make, not to look into."""
    disable = getattr(sys.modules.get("torch._dynamo"), "disable", None)
    if disable is None:
        return work
    if work not in _UNTRACED:
        _UNTRACED[work] = disable(work)
    return _UNTRACED[work]
