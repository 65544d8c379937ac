"""_hook_rows.py - from what is seen of a script to the rows of its traces.

A row is made of one part for each optimizer.  A part begins when the optimizer's gradients are
first known to be complete: when they are clipped, or unscaled and stepped, or when the optimizer
steps.  That is the moment at which they are recorded: as the backward passes left them.  It ends
when the optimizer has stepped, or when the step was left out.

    one optimizer    backward ... backward  clip  step     a row each step
    two, A and B     A  B  A  B                            a row each round
                     A  A  A  B                            rows A, A, A B: a row is complete when
                                                           all have stepped or one comes again
"""

import math
import os
import weakref

from . import _hook_names
from ._arguments import distributed
from ._hook_recorder import RowRecorder

MOST_LOSSES = 4096  # backward calls between two rows; beyond, the loss is not known


def each_trainable(optimizer):
    """The parameters of an optimizer that training changes, at this moment, one by one."""
    return (p for group in optimizer.param_groups for p in group["params"] if p.requires_grad)


def trainable(optimizer):
    """All of them."""
    return list(each_trainable(optimizer))


class Losses:
    """What backward was called on since the last row: their sum is what was differentiated.

    Read only when a row is written, which waits for the gradients anyway.
    """

    def __init__(self):
        self._roots = []
        self._divisor = lambda: 1.0

    def add(self, root):
        if len(self._roots) <= MOST_LOSSES:
            self._roots.append((root.detach(), root._version))

    def __float__(self):
        if not self._roots or len(self._roots) > MOST_LOSSES:
            return math.nan
        if any(root._version != version for root, version in self._roots):
            return math.nan  # the script has reused the tensor
        return sum(float(root) for root, _ in self._roots) / self._divisor()

    def scaled_by(self, divisor):
        """divisor() is the loss scale in all of them."""
        self._divisor = divisor

    def clear(self):
        self.__init__()


class Part:
    """One optimizer in one row."""

    def __init__(self):
        self.done = False  # stepped, or left out
        self.skipped = lambda: False
        self.scales = []  # of each clipping: a function that tells it, once the GPU has it
        self.waits = False  # a scale or a skip is known only once a GPU has it
        self.changed = False  # gradients were added to after they were recorded
        self.settled = False  # what a closure does after its first call is not looked at

    def scale(self):
        """By what the run multiplied the gradients; NaN if that is no one number."""
        if self.changed:
            return math.nan
        return math.prod(scale() for scale in self.scales)


class Trace:
    """One file, and the row of it that is under way."""

    def __init__(self, session, optimizers, clip):
        self._session = session
        self._parts = {}  # id of the optimizer: its Part in the row under way
        self._told_late = False
        self._before = []  # parts of the row that was completed last, until it is told what applied
        found = _hook_names.find(optimizers, trainable)
        meta = {"command": session.settings["command"]}
        if found.model:
            meta["model"] = found.model
        meta.update(clip)
        if len(optimizers) > 1:
            meta["optimizers"] = [type(optimizer).__name__ for optimizer in optimizers]
        options = dict(session.settings["recorder"])
        meta.update(options.pop("meta", {}))
        rank, world_size = _rank()
        # What is heard during a backward pass is the rank's own; the average comes after it.
        averaged = found.data_parallel and world_size > 1 and session.ears is None
        self.path = session.claim(rank)
        self._place = self.path  # what of it is ours
        if rank > 0 and self.path.endswith(".gtr"):
            self._place += f"/rank{rank}"
        self._recorder = RowRecorder(
            found.named,
            self.path,
            session.talk,
            optimizers=optimizers,
            reduction="mean" if averaged else "none",
            meta=meta,
            rank=rank,
            world_size=world_size,
            **options,
        )
        self._refs = [weakref.ref(p) for _, p in found.named]
        self._index = {id(p): i for i, (_, p) in enumerate(found.named)}
        self._optimizers = [weakref.ref(optimizer) for optimizer in optimizers]
        session.talk.note("trace", self.path)

    def number_of(self, p):
        """The tensor that records a parameter, or None."""
        i = self._index.get(id(p))
        return i if i is not None and self._refs[i]() is p else None

    def has_any(self, parameters):
        return any(self.number_of(p) is not None for p in parameters)

    def alive(self):
        return any(ref() is not None for ref in self._refs)

    def observe(self, optimizer, grad_scale):
        """Records the optimizer's gradients, unless they are in the row already; its Part."""
        part = self._parts.get(id(optimizer))
        if part is not None and not part.done:
            return part
        if part is not None:
            self._end_row()
        grads, late = self._grads_of(optimizer)
        if late and not self._told_late:
            self._told_late = True
            self._session.talk.once(
                f"{self.path}: {late} tensors became trainable after the first step; they are not "
                "in the trace"
            )
        first = not self._parts
        if self._session.ears is None:  # else each backward pass was recorded as it came
            self._record(grads, grad_scale, optimizer, first)
        part = self._parts[id(optimizer)] = Part()
        if all(ref() is not optimizer for ref in self._optimizers):
            self._optimizers.append(weakref.ref(optimizer))
        return part

    def _grads_of(self, optimizer):
        """{number of a tensor: its gradient}, and how many trainable tensors have no number.

        Runs over all parameters at each step, so it is number_of() written out.
        """
        grads, late = {}, 0
        index, refs = self._index, self._refs
        for group in optimizer.param_groups:
            for p in group["params"]:
                if p.requires_grad:
                    i = index.get(id(p))
                    if i is None or refs[i]() is not p:
                        late += 1
                    else:
                        grads[i] = p.grad
        return grads, late

    def micro_batch(self, optimizer, grad_scale):
        """A row of what the backward pass that has just ended gave to each tensor."""
        alive = [(i, ref()) for i, ref in enumerate(self._refs)]
        alive = [(i, p) for i, p in alive if p is not None]
        grads = self._session.ears.take([p for _, p in alive])
        self._record({i: g for (i, _), g in zip(alive, grads)}, grad_scale, optimizer, True)
        self._recorder.end()

    def give_up(self):
        """Gradients were dropped: if the step has rows and has not ended, it was left out."""
        if self._recorder.in_step() and not self._parts:
            self._tell_applied()
            self._recorder.applied(math.nan, True)
            self._recorder.stepped()

    def _record(self, grads, grad_scale, optimizer, first):
        if first:
            self._tell_applied()
        losses = self._session.losses
        self._recorder.add(grads, grad_scale, optimizer.param_groups[0], losses, first)
        if first:
            losses.clear()

    def finish(self, optimizer, skipped):
        """The optimizer has stepped, or has not: skipped() will tell."""
        part = self._parts.get(id(optimizer))
        if part is None or part.done:
            return
        part.done = True
        part.skipped = skipped
        members = [ref() for ref in self._optimizers]
        parts = [self._parts.get(id(member)) for member in members if member is not None]
        if all(part is not None and part.done for part in parts):
            self._end_row()
            self._session.losses.clear()
            if not any(part.waits for part in parts):
                self._tell_applied()

    def pending(self):
        """(parameters of the trace, part) of what was recorded and has not stepped."""
        for ref in self._optimizers:
            optimizer = ref()
            part = self._parts.get(id(optimizer)) if optimizer is not None else None
            if part is not None and not part.done:
                yield optimizer, part

    def close(self):
        if self._parts:
            self._end_row()
        self._tell_applied()
        self._recorder.close()
        self._session.talk.note(
            "closed", f"{self._recorder.rows} {len(self._refs)} {self._place}"
        )

    def _end_row(self):
        if self._session.ears is None:
            self._recorder.end()
        self._recorder.stepped()
        self._before = list(self._parts.values())
        self._parts = {}

    def _tell_applied(self):
        """What became of the last row.  Late, so that nothing waits for a GPU before it must."""
        parts, self._before = self._before, []
        if parts:
            scales = {part.scale() for part in parts}
            scale = scales.pop() if len(scales) == 1 else math.nan
            self._recorder.applied(scale, all(part.skipped() for part in parts))


def _rank():
    """(rank, world size) of torch.distributed; before it is initialised, of the launcher."""
    rank, world_size = distributed()
    if world_size == 1:
        try:
            world_size = max(1, int(os.environ.get("WORLD_SIZE", "1")))
            rank = int(os.environ.get("RANK", "0"))
        except ValueError:
            return 0, 1
        if not 0 <= rank < world_size:
            return 0, 1
    return rank, world_size
