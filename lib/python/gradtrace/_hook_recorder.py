"""_hook_recorder.py - a Recorder whose rows come in parts, and that owns nothing of the run.

The parameters are held weakly: a script that drops its model gets its memory back.
"""

import math
import weakref

from . import _library
from ._gpu_norms import GpuNorms
from ._tensors import readable
from .recorder import Recorder, _number, _reason


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
    """begin-add-add-end instead of step; tells failures to `talk` instead of warning."""

    def __init__(self, named, path, talk, *, optimizers, **options):
        self._talk = talk
        self.rows = 0
        options = {"progress": False, **options}  # stderr is the run's own
        super().__init__(named, path, optimizer=_Joined(optimizers), **options)
        if self._close is not None:
            self._close.atexit = False  # the session closes it, after it has told the last row

    def add(self, numbers, grad_scale, group, losses, first):
        """Records the gradients of some tensors; the first of a row begins it.

        group: the parameter group whose learning rate the row has.
        """
        self._guard(lambda: self._add(numbers, grad_scale, group, losses, first))

    def end(self):
        """Completes the row."""
        self._guard(self._end)

    def _add(self, numbers, grad_scale, group, losses, first):
        if self._declared is None:
            self._declared = self._declare(grad_scale)
            self._gpu_norms = GpuNorms(self._named, self._declared)
            self._named = [(name, weakref.ref(p)) for name, p in self._named]
            self._optimizer = None
        grads = [None] * len(self._named)
        for i in numbers:
            p = self._named[i][1]()
            grads[i] = p.grad if p is not None and p.numel() > 0 else None

        def readable_gradient(i):
            return readable(self._named[i][0], grads[i], self._declared[i], grad_scale)

        step = self._next_step
        # Before the loss is read, because that waits for the GPU.
        on_gpu = set()
        if not self._keeps_elements(step):
            on_gpu = self._gpu_norms.start(grads, readable_gradient)
        if first:
            _library.call("gtr_recorder_begin", self._handle, step, float(losses), _rate(group))
            if step == 0:
                self._tell_warning()
        self._give(grads, on_gpu, readable_gradient, grad_scale == 1.0)
        for i, sums in self._gpu_norms.wait():
            values = sums.sumsq, sums.maxabs, sums.nonfinite
            _library.call("gtr_recorder_norm", self._handle, i, *values)

    def _tell_warning(self):
        said = _library.load().gtr_recorder_warning(self._handle).decode("utf-8", "replace")
        if said:
            self._talk.once(said)

    def _end(self):
        _library.call("gtr_recorder_end", self._handle)
        self._next_step += 1
        self.rows += 1
        self._pending = True

    def _guard(self, work):
        if self.failed is not None:
            return
        try:
            work()
        except Exception as error:
            self.failed = _reason(error)
            self._give_up()
            about = "" if self.path in self.failed else f"{self.path}: "
            if self.strict:
                raise _library.Error(about + self.failed) from error
            self._talk.failed(f"{about}{self.failed}; recording stops here")


def _rate(group):
    rate = group.get("lr")
    return math.nan if rate is None else _number(rate)
