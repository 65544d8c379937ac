"""_hook_recorder.py - what writes the rows of one trace of `gradtrace record`.

Rows come complete: their sums were taken when the gradients were seen.  The library's recorder is
opened by the first of them, when all is known that stands in the head of a trace.
"""

import inspect

from ._arguments import Arguments, number
from ._handle import Handle
from ._library import Error
from ._micro_batches import Numbers
from ._progress import Progress
from .recorder import Recorder, reason

_DEFAULTS = {
    name: parameter.default
    for name, parameter in inspect.signature(Recorder.__init__).parameters.items()
    if parameter.default is not parameter.empty
}


class RowRecorder:
    """Tells failures and warnings to `talk`; the first failure ends it and keeps its rows."""

    def __init__(self, gradients, path, talk, **options):
        self.path = path
        self.rows = 0
        self.failed = None
        self._talk = talk
        self._gradients = gradients
        self._options = {**_DEFAULTS, **options}
        self._handle = None
        self._progress = None
        self._pending = False  # the last row waits to be told what became of it
        self._numbers = None
        micro_batches = Arguments(self._options, []).micro_batches
        if micro_batches:
            self._numbers = Numbers(micro_batches)
        self._number = None  # of the row that is next

    def begin(self):
        """The next row gets its number; are elements of it kept?"""
        self._guard(self._begin)
        return self.failed is None and self._keeps()

    def _begin(self):
        self._number = self.rows if self._numbers is None else self._numbers.next()

    def _keeps(self):
        """Before the head is known, a row is taken with elements in any case."""
        known = self._handle is not None
        return self._gradients.keeps and (not known or self._handle.keeps_elements(self._number))

    @property
    def threads(self):
        return self._options["threads"]

    def row(self, taken, made, loss, rate, rest, **about):
        """Writes a row that was taken at the monotonic clock's time `made`; about: options, for the
        first.  rest: sum of squares of what it has no tensor for."""
        self._guard(lambda: self._row(taken, made, loss, rate, rest, about))

    def planned(self, steps):
        """So many optimizer steps, in all."""
        rows = steps * (self._numbers.n if self._numbers is not None else 1)
        self._tell("gtr_recorder_set_total_steps", rows)

    def grad_state(self, state):
        """From now on, or of the head if there is none yet."""
        self._options["grad_state"] = state
        self._tell("gtr_recorder_set_grad_state", state.encode())

    def _tell(self, call, *arguments):
        if self._handle is not None and self._handle.alive:
            self._guard(lambda: self._handle.call(call, *arguments))

    def applied(self, scale=None, skipped=False):
        """Of the row written last, if there is one that has not been told of."""
        if self._pending:
            self._guard(lambda: self._applied(scale, skipped))

    def stepped(self):
        """The optimizer has stepped: the next row is of the next step."""
        if self._numbers is not None:
            self._numbers.stepped()

    def in_step(self):
        """Are there rows of a step that has not ended?  Only where each backward pass is one."""
        return self._numbers is not None and self._numbers.taken > 0

    def stop(self, why):
        """Ends the recording though the run goes on; the trace will say why."""
        if self.failed is None:
            self.failed = why
            if self._handle is None or not self._handle.alive:
                return
            self._handle.stop(why)
            try:
                self._finish()
            except Exception:
                pass  # the reason is told by whoever stops it

    def close(self, ended):
        """ended: the run, by itself, so that its rows may be taken for its plan."""
        if ended:
            self._tell("gtr_recorder_run_ended")
        self._guard(self._finish)

    def _row(self, taken, made, loss, rate, rest, about):
        first = self._handle is None
        if first:
            self._open(about)
        self._handle.call("gtr_recorder_begin_at", self._number, number(loss), rate, made)
        taken.give(self._handle, self._keeps())
        if rest > 0.0:
            self._handle.call("gtr_recorder_rest", rest)
        self._handle.call("gtr_recorder_end")
        self.rows += 1
        self._pending = True
        # The first row opened the trace: the time of a step is measured from the second on.
        said = self._handle.warning() if first else self._progress.step(self._handle)
        if said:
            self._talk.warn(said)
        stopped = self._handle.elements_stopped() if self._gradients.keeps else ""
        if stopped:
            self._talk.warn(f"{stopped}; from here on norms only")

    def _open(self, about):
        self._options.update(about)
        self._handle = Handle(self.path, Arguments(self._options, []).fields)
        self._handle.stay_open_at_exit()  # the session closes it, when it has told the last row
        self._gradients.declare(self._handle)
        rank, progress = self._options["rank"], self._options["progress"]
        self._progress = Progress(progress, self.path, rank, "gradtrace record", whole_lines=True)
        self._progress.announce(self._handle)

    def _applied(self, scale, skipped):
        self._handle.call("gtr_recorder_applied", number(scale), bool(skipped))
        self._pending = False

    def _finish(self):
        if self._handle is None or not self._handle.alive:
            return
        done, stopped = self._handle.progress(), self._handle.elements_stopped()
        if done.dropped and not stopped:
            self._talk.once(
                f"{self.path}: the elements of {done.dropped:,} steps were left out, because "
                "the queue was full; raise --queue-mb, or wait for room: --when-full block"
            )
        elif done.dropped:
            self._talk.once(f"{self.path}: the elements of {done.dropped:,} steps are not there")
        self._progress.end()
        kept, failure = self._handle.close()
        self.rows = kept.steps
        rest = kept.rest.decode("utf-8", "replace")
        if rest and (failure is None or rest not in str(failure)):
            self._talk.failed(rest)
        if failure is not None:
            raise failure

    def _guard(self, work):
        if self.failed is not None:
            return
        try:
            work()
        except Exception as error:
            why = reason(error)
            self.stop(why)
            about = "" if self.path in why else f"{self.path}: "
            if self._options["strict"]:
                raise Error(about + why) from error
            self._talk.failed(f"{about}{why}; recording stops here")
