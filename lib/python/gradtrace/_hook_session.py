"""_hook_session.py - all traces of one process of the script, and what keeps them from harming it.

The optimizers alive when the first step is seen share a trace, if they were made in one thread.
One that comes later and has none of its parameters in a trace begins a trace of its own.  Whatever
fails in here turns recording off, keeps what was recorded and leaves the script alone, unless it
was asked to be strict.
"""

import functools
import os
import sys
import threading
import weakref

from ._hook_here import Heres
from ._hook_optimizers import Optimizers
from ._hook_rows import Trace
from ._hook_tensors import parameters_of, recordable
from ._library import Error
from ._micro_batches import Ears

_UNTRACED = {}  # methods as torch.compile is to see them


class Session:
    """All traces of a process."""

    def __init__(self, folder, settings, talk):
        self.settings = settings
        self.talk = talk
        self.heres = Heres()
        self.on_first_row = lambda: None
        self.n_backwards = self.n_clips = 0
        self.optimizers = Optimizers(self.heres)
        self._folder = folder
        self._process = os.getpid()
        self._lock = threading.RLock()
        self._traces = []
        self._trace_of = {}  # id of an optimizer: (weak reference, its trace)
        self._n_begun = 0
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
                with self._lock:
                    return work(*arguments, **named)
            except Exception as error:
                self._off = True
                kind = "" if isinstance(error, Error) else f"{type(error).__name__}: "
                text = f"{kind}{error}"
                self.talk.failed(f"{text}; recording stops here")
                self._stop_all(text)
                if self.settings["recorder"].get("strict"):
                    raise Error(f"gradtrace record: {text}") from error
                return None

        @functools.wraps(work)
        def unseen(*arguments, **named):
            return (_untraced(careful) if _is_compiled() else careful)(*arguments, **named)

        return unseen

    def observe(self, optimizer, scale, clipped=None):
        """Part of the optimizer in the row under way, or None if it has nothing to record.

        clipped: what is about to be clipped; None: all is about to be used.
        """
        trace = self.trace_of(optimizer)
        if trace is None:
            if self.ears is not None or all(p.grad is None for p in parameters_of(optimizer)):
                return None  # a first step without gradients, as some warm-ups make
            trace = self._begin_trace(optimizer, scale)
        return trace.observe(optimizer, scale, clipped)

    def owners(self, parameters):
        """The optimizers that have any of these parameters."""
        return self.optimizers.of(parameters)

    def trace_of(self, optimizer):
        """The trace that has any of its parameters, or those that they have replaced."""
        known = self._trace_of.get(id(optimizer))
        if known is not None and known[0]() is optimizer and known[1] in self._traces:
            if known[1].tensors.knows(optimizer):
                return known[1]
        trace = next((t for t in self._traces if t.tensors.knows(optimizer)), None)
        if trace is not None and self._trains_elsewhere(optimizer, trace):
            trace.leave(optimizer)
            trace = None
        if trace is not None:
            self._trace_of[id(optimizer)] = weakref.ref(optimizer), trace
        return trace

    def _trains_elsewhere(self, optimizer, trace):
        """Was it taken into a trace at its begin, and is now seen in another thread?"""
        alive = {thread.ident for thread in threading.enumerate()}
        here = self.heres.find().thread
        return here != trace.thread and trace.thread in alive and not trace.has_played(optimizer)

    def given_up(self, parameters, optimizer=None):
        """Gradients were dropped without a step."""
        for trace in self._traces:
            trace.given_up(parameters, optimizer)

    def backward_begins(self):
        """Of the outermost of nested calls."""
        for trace in self._traces:
            if trace.thread == self.heres.find().thread:
                trace.backward_begins()

    def listen_to_passes(self):
        """Only where each backward pass is a row."""
        for optimizer in self.optimizers.alive():
            self.ears.listen_to(p for p in recordable(optimizer) if p.requires_grad)
        self.ears.listening = True

    def pass_ended(self, scale):
        """A row for each trace that the pass had gradients for."""
        self.ears.listening = False
        for optimizer in self.optimizers.alive():
            if self.ears.heard_any(recordable(optimizer)):
                of_optimizer = scale(optimizer)
                trace = self.trace_of(optimizer) or self._begin_trace(optimizer, of_optimizer)
                trace.micro_batch(optimizer, of_optimizer)
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

    def close(self, ended=False):
        """At the end of the process.  ended: the script came to it by itself."""
        if os.getpid() == self._process and not self._off:
            self.guarded(self._close_all)(ended)
            if self._n_begun == 0 and self.n_backwards + self.n_clips > 0:
                self.talk.note("problem", self._why_nothing())
            self._off = True

    def _why_nothing(self):
        return (
            "nothing recorded: torch was imported, but no optimizer step was seen; "
            f"{self.n_backwards} backward passes and {self.n_clips} calls that clip were"
        )

    def forked(self):
        """In a child: it may record itself if its parent has not begun to."""
        self._lock = threading.RLock()  # a thread that is not in the child may have had it
        if self._traces:
            self._off = True
        else:
            self._process = os.getpid()

    def _begin_trace(self, optimizer, scale):
        for old in [t for t in self._traces if not t.tensors.alive()]:
            old.close(ended=True)
            self._traces.remove(old)
        taken = [
            other
            for other in self.optimizers.alive()
            if other is not optimizer
            and self.optimizers.made_together(other, optimizer)
            and recordable(other)
            and not any(t.tensors.has_any(recordable(other)) for t in self._traces)
        ]
        if self._traces or not any(other is optimizer for other in self.optimizers.alive()):
            taken = []  # it came late: a trace of its own
        ordered = [
            o for o in self.optimizers.alive() if o is optimizer or any(o is t for t in taken)
        ]
        trace = Trace(self, ordered or [optimizer], scale)
        self._n_begun += 1
        self._traces.append(trace)
        self._trace_of[id(optimizer)] = weakref.ref(optimizer), trace
        self.on_first_row()
        self.on_first_row = lambda: None
        return trace

    def _stop_all(self, why):
        for trace in self._traces:
            try:
                trace.stop(why)
            except Exception:
                pass  # what it has is kept as far as it goes; why it stops has been told
        self._close_all(ended=False)

    def _close_all(self, ended):
        if self.ears is not None:
            self.ears.close()
        traces, self._traces = self._traces, []
        for trace in traces:
            trace.close(ended)


def _is_compiled():
    """May torch.compile look at what is called now?"""
    frames = sys.modules.get("torch._C._dynamo.eval_frame")
    callback = getattr(frames, "get_eval_frame_callback", None)
    return callback() is not None if callback is not None else "torch._dynamo" in sys.modules


def _untraced(work):
    """The same for torch.compile, if that has been loaded: a call to make, not to look into."""
    disable = getattr(sys.modules.get("torch._dynamo"), "disable", None)
    if disable is None:
        return work
    if work not in _UNTRACED:
        _UNTRACED[work] = disable(work)
    return _UNTRACED[work]
