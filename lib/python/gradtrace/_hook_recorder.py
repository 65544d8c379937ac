"""_hook_recorder.py - a Recorder whose rows come in parts, and that owns nothing of the run.

The parameters are held weakly: a script that drops its model gets its memory back.
"""

import math

from ._arguments import number
from ._library import Error
from ._progress import Progress
from .recorder import Recorder, reason


class _Joined:
    """Several optimizers as one, for the names of their groups and the settings of the first."""

    def __init__(self, optimizers):
        self.optimizer = optimizers[0]
        self.param_groups = list(optimizers[0].param_groups)
        if len(optimizers) > 1:
            self.param_groups = [
                {**group, "name": f"optimizer{k}.{group.get('name') or f'group{g}'}"}
                for k, optimizer in enumerate(optimizers)
                for g, group in enumerate(optimizer.param_groups)
            ]


class RowRecorder(Recorder):
    """begin-add-add-end instead of step; tells failures and warnings to `talk`."""

    def __init__(self, named, path, talk, *, optimizers, **options):
        self._talk = talk
        self.rows = 0
        super().__init__(named, path, optimizer=_Joined(optimizers), **options)
        self._first = False  # the row under way is the first
        if self._handle is not None:
            self._handle.stay_open_at_exit()  # the session closes it, when it has told the last row

    def _make_progress(self, progress, rank):
        return Progress(progress, self.path, rank, "gradtrace record", whole_lines=True)

    def _make_ears(self):
        return None  # the session's hear all parameters of the script

    def add(self, grads, grad_scale, group, losses, first):
        """Records {number of the tensor: gradient or None}; the first call of a row begins it.

        group: the parameter group whose learning rate the row has.
        """
        self._guard(lambda: self._add(grads, grad_scale, group, losses, first))

    def end(self):
        """Completes the row."""
        self._guard(self._end)

    def applied(self, scale=None, skipped=False):
        """Of the row completed last, if there is one that has not been told of."""
        if self._pending:
            super().applied(scale, skipped)

    def _add(self, grads, grad_scale, group, losses, first):
        if self._begin(grad_scale):
            self._first = True
            self._gradients.hold_weakly()
            self._optimizer = None
        if first:
            self._next_step = self._number_of_row(None)
        step = self._next_step

        def begin():
            if first:
                self._handle.call("gtr_recorder_begin", step, float(losses), _rate(group))

        grads = [grads.get(i) for i in range(len(self._gradients.named))]
        self._gradients.give(self._handle, step, grads, grad_scale, begin)

    def _number_of_row(self, step):
        return self.rows if self._numbers is None else self._numbers.next()

    def _end(self):
        self._handle.call("gtr_recorder_end")
        self.rows += 1
        self._pending = True
        self._after_row(self._first)
        self._first = False
        while self._remarks:
            self._talk.warn(self._remarks.pop(0))

    def _applied(self, scale, skipped):
        self._handle.call("gtr_recorder_applied", number(scale), bool(skipped))
        self._pending = False

    def stepped(self):
        """The optimizer has stepped: the next row is of the next step."""
        if self._numbers is not None:
            self._numbers.stepped()

    def in_step(self):
        """Are there rows of a step that has not ended?  Only where each backward pass is one."""
        return self._numbers is not None and self._numbers.taken > 0

    def _finish(self):
        if self._handle is not None and self._handle.alive:
            done = self._handle.progress()
            if done.dropped:
                self._talk.once(
                    f"{self.path}: the elements of {done.dropped:,} steps were left out, because "
                    "the queue was full; raise --queue-mb, or wait for room: --when-full block"
                )
        super()._finish()

    def _guard(self, work):
        if self.failed is not None:
            return
        try:
            work()
        except Exception as error:
            self.failed = reason(error)
            self._give_up()
            about = "" if self.path in self.failed else f"{self.path}: "
            if self.strict:
                raise Error(about + self.failed) from error
            self._talk.failed(f"{about}{self.failed}; recording stops here")


def _rate(group):
    rate = group.get("lr")
    return math.nan if rate is None else number(rate)
