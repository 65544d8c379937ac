"""_hook_plan.py - how many steps a run is planned to have, where it can be seen.

The Trainer of Hugging Face says it.  So do schedules of the learning rate, but they may count
steps or epochs: only those are believed that have gone on by the time of the second backward pass.
"""

import gc
import sys
import weakref

_NAMES = ("num_training_steps", "total_steps", "max_steps", "num_steps", "max_iters", "total_iters")


class Plan:
    def __init__(self, optimizers):
        """Before the first step of these."""
        wanted = {id(_inside(optimizer)) for optimizer in optimizers}
        self._states, found = [], []
        for thing in gc.get_objects():
            kind = type(thing)
            if kind.__name__ == "TrainerState":
                self._states.append(weakref.ref(thing))
            elif _is_schedule(kind) and id(_inside(thing.__dict__.get("optimizer"))) in wanted:
                found.append(thing)
        inner = {id(child) for schedule in found for child in _children(schedule)}
        self._schedules = [
            (weakref.ref(schedule), schedule.last_epoch)
            for schedule in found if id(schedule) not in inner
        ]

    def steps(self):
        """After the first step; 0: unknown."""
        for state in (ref() for ref in self._states):
            planned = getattr(state, "max_steps", 0)
            if isinstance(planned, int) and planned > 0:
                return planned
        planned = [0]
        for ref, before in self._schedules:
            schedule = ref()
            if schedule is not None and schedule.last_epoch > before:
                rest = max(0, _planned(schedule) - before)
                planned.append(-(-rest // (schedule.last_epoch - before)))
        return max(planned)


def _inside(optimizer):
    """That which Accelerate and others wrap."""
    return getattr(optimizer, "optimizer", optimizer)


def _is_schedule(kind):
    """By its bases: isinstance would wake lazy stand-ins."""
    module = sys.modules.get("torch.optim.lr_scheduler")
    base = getattr(module, "LRScheduler", None) or getattr(module, "_LRScheduler", None)
    return base is not None and issubclass(kind, base)


def _children(schedule):
    return schedule.__dict__.get("_schedulers") or []


def _planned(schedule):
    """The length of a schedule in its own steps, 0 if it has no end."""
    kind, known = type(schedule).__name__, schedule.__dict__
    if kind == "SequentialLR":
        last = _planned(schedule._schedulers[-1])
        return schedule._milestones[-1] + last if last > 0 else 0
    if kind == "ChainedScheduler":
        return max(_planned(child) for child in schedule._schedulers)
    if "lr_lambdas" in known:
        return max((_of_function(function) for function in known["lr_lambdas"]), default=0)
    warms_up = known.get("end_factor", 0.0) >= known.get("start_factor", 1.0)
    if kind == "ConstantLR" or warms_up:
        return 0
    for name in ("total_steps", "T_max", "total_iters"):
        if isinstance(known.get(name), int):
            return known[name]
    return 0


def _of_function(function):
    """What a schedule's own function was given under a name that tells."""
    given = dict(getattr(function, "keywords", None) or {})
    given.update(getattr(function, "__dict__", None) or {})
    inner = getattr(function, "func", function)
    names = getattr(getattr(inner, "__code__", None), "co_freevars", ())
    for name, cell in zip(names, getattr(inner, "__closure__", None) or ()):
        try:
            given[name] = cell.cell_contents
        except ValueError:
            pass  # not set yet
    for name in _NAMES:
        value = given.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return 0
