"""_hook_rows.py - from what is seen of a script to the rows of its traces.

A row is what the optimizers are about to use.  It is made of one part for each player: an
optimizer, or several of the same tensors.  A part begins when gradients may be complete: when they
are clipped, or unscaled and stepped, or when an optimizer steps.  Then they are reduced, as the
backward passes left them, and again if more has been added to them before the step.  It ends when
an optimizer has stepped, or when the step was left out.

    one optimizer    backward ... backward  clip  step     a row each step
    two, A and B     A  B  A  B                            a row each round
                     A  A  A  B                            rows A, A, A B: a row is complete when
                                                           all have stepped or one comes again

A row is written as soon as it is complete.  How long the run is to be is known only when the next
backward pass begins, and that the run has ended by itself at its end: the trace is told then.
"""

import math
import os
import time

import torch

from . import _hook_names
from ._arguments import about_tensors, distributed, number
from ._gradients import Taken
from ._hook_clips import Clips
from ._hook_plan import Plan
from ._hook_players import Players
from ._hook_recorder import RowRecorder
from ._hook_tensors import Joined, Tensors, parameters_of, recordable
from ._hook_watch import Weights
from ._sharded import sum_of_squares
from ._tensors import is_recordable


class Part:
    """A player in one row."""

    def __init__(self):
        self.done = False  # stepped, or left out
        self.skipped = lambda: False
        self.waits = False  # whether it was skipped is known only once a GPU has it
        self.settled = False  # what a closure does after its first call is not looked at
        self.weights = None  # at the first clipping
        self.rate = math.nan
        self.begin()

    def begin(self):
        """Gradients are to be taken, perhaps anew."""
        self.clips = Clips()
        self.numbers = set()  # tensors with a gradient
        self.seen = set()  # ids of the optimizers whose tensors these are
        self.rest = {}  # id of a parameter that the trace has no tensor for: sum of squares
        self.stale = False  # gradients were added to since
        self.touched = False  # they were changed by something that is not listened to

    def scale(self):
        """By what the run multiplied the gradients; NaN if that is no one number."""
        return math.nan if self.touched else self.clips.scale(self.numbers)


class Row:
    def __init__(self, taken):
        self.made = time.monotonic()
        self.taken = taken
        self.parts = {}  # key of the player: its part, the first of them first
        self.n_done = 0
        self.loss = None

    def first_part(self):
        return next(iter(self.parts.values()))

    def rest(self):
        """What the whole gradient has beyond the tensors of the trace."""
        return sum({k: v for part in self.parts.values() for k, v in part.rest.items()}.values())


class Trace:
    """One file, and the row of it that is under way."""

    def __init__(self, session, optimizers, scale):
        self._session = session
        self.thread = session.heres.find().thread
        self._row = None
        self._before = []  # parts of the row that was completed last, until it is told what applied
        self._played = set()  # ids of optimizers that have had a part
        self._told_touched = False
        named, options = self._begin(optimizers)
        self._optimizer_is_loose = getattr(optimizers[0], "is_loose", False)
        self.tensors = Tensors(named, optimizers, options, scale, session.owners)
        self._gradients = self.tensors.gradients
        self._plan = Plan(optimizers) if not options.get("total_steps") else None
        self._recorder = RowRecorder(self._gradients, self.path, session.talk, **options)
        self._players = Players(self.tensors.numbers_of)
        for optimizer in optimizers:
            self._players.key(optimizer)
        session.talk.note("trace", self.path)

    def _begin(self, optimizers):
        """Names, and what is told to the recorder."""
        session = self._session
        found = _hook_names.find(optimizers, recordable)
        meta = {"command": session.settings["command"]}
        if found.model:
            meta["model"] = found.model
        if len(optimizers) > 1:
            meta["optimizers"] = [type(optimizer).__name__ for optimizer in optimizers]
        named = [(name, p) for name, p in found.named if is_recordable(p)]
        for name, p in found.named:
            if not is_recordable(p) and p.requires_grad:
                session.talk.once(f"{name}: its type, {p.dtype}, is not recorded")
        loose = getattr(optimizers[0], "is_loose", False)
        meta.update(about_tensors(named, None if loose else Joined(optimizers)))
        options = dict(session.settings["recorder"])
        self._meta = {**meta, **options.pop("meta", {})}
        rank, world_size = _rank()
        # What is heard during a backward pass is the rank's own; the average comes after it.
        averaged = found.data_parallel and world_size > 1 and session.ears is None
        self.path = session.claim(rank)
        self._place = self.path  # what of it is ours
        if rank > 0 and self.path.endswith(".gtr"):
            self._place += f"/rank{rank}"
        reduction = "mean" if averaged else "none"
        return named, {**options, "reduction": reduction, "rank": rank, "world_size": world_size}

    # --- one row

    def observe(self, optimizer, scale, clipped):
        """Takes the optimizer's gradients, unless they have been and are as they were; its Part."""
        here = self._session.heres.find()
        key = self._players.key(optimizer)
        self._played.add(id(optimizer))
        self.thread = here.thread
        self._session.optimizers.seen_in(optimizer, here.thread)
        part = self._row.parts.get(key) if self._row is not None else None
        if part is not None and not part.done and self._moved_by_hand(part):
            self._finish_part(part, lambda: False)
            part = self._row.parts.get(key) if self._row is not None else None
        if part is not None and part.done:
            self._end_row()
            part = None
        if part is not None and part.settled:
            return part
        if part is None:
            part = self._begin_part(key)
        elif part.stale:
            self._again(part)
        taken = id(optimizer) in part.seen
        used = clipped if taken and clipped is not None else parameters_of(optimizer)
        if here.backwards == 0 and here.watch.changed(used):
            part.touched = True
        part.rate = _rate(optimizer.param_groups[0])
        if not taken:
            self._take(part, optimizer, scale, here)
        if clipped is not None and part.weights is None:
            part.weights = Weights(parameters_of(optimizer))
        return part

    def _begin_part(self, key):
        if self._row is None:
            self._tell_applied()
            self._row = Row(self._session.ears is None and self._new_taken())
        part = self._row.parts[key] = Part()
        return part

    def _new_taken(self):
        return Taken(len(self.tensors), self._recorder.begin())

    def _again(self, part):
        """More was added to what was taken."""
        if part.clips.limit():
            self._session.talk.once(
                "gradients were clipped, and backward passes added to them before the step: rows "
                "show what the optimizer got, with the scale of the clipping after the last pass"
            )
        self._forget(part)
        part.begin()

    def _forget(self, part):
        for i in part.numbers if self._session.ears is None else ():
            self._row.taken.forget(i)

    def _take(self, part, optimizer, scale, here):
        grads, late = self.tensors.grads_of(optimizer, part.numbers)
        if late and self._session.ears is None:
            self._take_rest(part, late, scale)
        part.seen.add(id(optimizer))
        part.numbers.update(grads)
        if self._session.ears is not None:  # each backward pass was recorded as it came
            return
        self._gradients.take(grads, scale, self._row.taken, self._recorder.threads)
        if part is self._row.first_part():
            loss = here.losses.take()
            if loss is not None:
                self._row.loss = loss if self._row.loss is None else self._row.loss + loss

    def _take_rest(self, part, late, scale):
        """Of gradients {id of a parameter: gradient} that have no tensor in the trace."""
        squares = torch.stack([sum_of_squares(grad) for grad in late.values()]).tolist()
        for key, square in zip(late, squares):
            square /= scale * scale
            part.rest[key] = square if math.isfinite(square) else math.inf
        self._session.talk.once(
            f"{self.path}: tensors came to the optimizer after the first step; they have no series "
            "in the trace, but the global norm of its rows counts them"
        )

    def micro_batch(self, optimizer, scale):
        """A row of what the backward pass that has just ended gave to each tensor."""
        alive = self.tensors.numbered()
        grads = self._session.ears.take([p for _, p in alive])
        grads = {i: grad for (i, _), grad in zip(alive, grads) if grad is not None}
        self._tell_applied()
        row = Row(self._new_taken())
        self._gradients.take(grads, scale, row.taken, self._recorder.threads)
        row.loss = self._session.heres.find().losses.take()
        row.parts[None] = Part()
        row.first_part().rate = _rate(optimizer.param_groups[0])
        self._write(row)

    def finish(self, optimizer, skipped):
        """The optimizer has stepped, or has not: skipped() will tell."""
        part = self.part_of(optimizer)
        if part is not None and not part.done:
            self._finish_part(part, skipped)

    def part_of(self, optimizer):
        """In the row under way."""
        return self._row.parts.get(self._players.key(optimizer)) if self._row is not None else None

    def _finish_part(self, part, skipped):
        row = self._row
        part.done = True
        part.skipped = skipped
        row.n_done += 1
        alive = self._players.alive()
        if row.n_done >= len(alive) and all(k in row.parts and row.parts[k].done for k in alive):
            self._end_row()
            self._session.heres.find().losses.clear()
            self._tell_if_known()

    def given_up(self, parameters, optimizer=None):
        """Gradients were dropped: of this optimizer, or of any that has some of the parameters."""
        for key, part in self._pending():
            if optimizer is not None:
                mine = self._players.key(optimizer) == key
            else:
                mine = any(self.tensors.number_of(p) in part.numbers for p in parameters)
            if not mine or self._row is None:
                continue
            moved = part.weights is not None and part.weights.moved()
            if moved and not self._optimizer_is_loose:
                self._drop(key)
            else:
                self._finish_part(part, lambda moved=moved: not moved)
        # If rows were made before the step and it has not ended, it was left out.
        if self._recorder.in_step() and self._row is None and self.tensors.has_any(parameters):
            self._tell_applied()
            self._recorder.applied(math.nan, True)
            self._recorder.stepped()

    def _drop(self, key):
        """The gradients have moved the weights, and are no optimizer's step."""
        self._session.talk.once(
            "gradients that were clipped and used by the script itself, not by an optimizer's "
            "step, as in SAM, have no rows"
        )
        self._forget(self._row.parts.pop(key))
        if not self._row.parts:
            self._row = None

    def _moved_by_hand(self, part):
        """Has a script without an optimizer made its step?"""
        return self._optimizer_is_loose and part.weights is not None and part.weights.moved()

    def backward_begins(self):
        """Gradients will be added to."""
        self._ask_plan()
        for _, part in self._pending():
            if self._moved_by_hand(part):
                self._finish_part(part, lambda: False)
            else:
                part.stale = True

    def _pending(self):
        """(key, part) of what was taken and has not stepped."""
        if self._row is None or self._row.n_done == len(self._row.parts):
            return []
        return [(key, part) for key, part in self._row.parts.items() if not part.done]

    # --- to the recorder

    def _ask_plan(self):
        """After the first row: by now a schedule that counts steps has gone on."""
        if self._plan is not None and self._recorder.rows > 0:
            plan, self._plan = self._plan, None
            if plan.steps() > 0:
                self._recorder.planned(plan.steps())

    def stop(self, why):
        """Keeps the rows that are complete."""
        self._recorder.stop(why)

    def close(self, ended):
        """ended: by itself."""
        if self._row is not None:
            self._end_row()
        self._ask_plan()
        self._tell_applied()
        self._recorder.close(ended)
        self._session.talk.note(
            "closed", f"{self._recorder.rows} {len(self.tensors)} {self._place}"
        )

    def leave(self, optimizer):
        """It has a trace of its own."""
        self._players.leave(optimizer)

    def has_played(self, optimizer):
        return id(optimizer) in self._played

    def _end_row(self):
        row, self._row = self._row, None
        if any(part.touched for part in row.parts.values()):
            self._tell_touched()
        if self._session.ears is None:
            self._write(row)
        self._recorder.stepped()
        self._before = list(row.parts.values())
        self._session.heres.find().watch.row_ended()

    def _write(self, row):
        about = self._head(row) if self._recorder.rows == 0 else {}
        rate, rest = row.first_part().rate, row.rest()
        self._recorder.row(row.taken, row.made, row.loss, rate, rest, **about)

    def _head(self, row):
        """What the head of the trace says that is known only with the first row."""
        about, told = {"meta": dict(self._meta)}, []
        for part in row.parts.values():
            clips = part.clips.about(self.tensors.name)
            told += [clip for clip in clips if clip not in told]
            if part.touched:
                about["grad_state"] = "unknown"
        if len(told) == 1 and "tensors" not in told[0]:
            about["meta"] = {**told[0], **about["meta"]}
        elif told:
            about["meta"] = {"clips": told, **about["meta"]}
        return about

    def _tell_touched(self):
        if self._told_touched or self._session.ears is not None:
            return
        self._told_touched = True
        self._recorder.grad_state("unknown")
        self._session.talk.warn(
            f"{self.path}: gradients are changed between backward() and the step by something that "
            "is not listened to (a script's own clipping, FSDP's, DeepSpeed's): from step "
            f"{self._recorder.rows} on rows may show what it left, and their scale is unknown; "
            "grad_state is unknown"
        )

    def _tell_if_known(self):
        if not any(part.waits or part.clips.wait() for part in self._before):
            self._tell_applied()

    def _tell_applied(self):
        """What became of the last row.  Late, so that nothing waits for a GPU before it must."""
        parts, self._before = self._before, []
        if parts:
            scales = {part.scale() for part in parts}
            scale = scales.pop() if len(scales) == 1 else math.nan
            self._recorder.applied(scale, all(part.skipped() for part in parts))


def _rate(group):
    rate = group.get("lr")
    return math.nan if rate is None else number(rate)


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
