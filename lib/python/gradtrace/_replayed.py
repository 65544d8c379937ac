"""_replayed.py - the decisions of one policy on one trace."""

import ctypes
import weakref
from ctypes import POINTER, byref, c_void_p, sizeof

from . import _reading
from ._library import Error, call
from ._tables import table

_NONFINITE = {"skip": 0, "propagate": 1}


class Replay:
    """What a policy would have done at each step: made by Trace.replay.

    Attributes (float64 arrays [T][G] that lie in the library's memory; read only)
    ----------
    scale           factor of each group's gradient; NaN where the step is left out
    lower, upper    the interval that the policy compared the norm with; NaN or infinite if none
    capped, empty   bool [T][G]: a cap chose the scale; lower > upper
    skipped         bool [T]: the policy left the whole step out
    policy          the setting written out in full, as -p takes it
    groups          names of the G groups
    steps           int64 [T]: the run's own step numbers
    """

    def __init__(self, trace, policy, group_by=None, nonfinite="skip", total_steps=None):
        series = trace._series_of(group_by)
        if nonfinite not in _NONFINITE:
            raise Error(f"nonfinite={nonfinite!r}: must be skip or propagate", "usage")
        options = _reading.ReplayOptions()
        library = _reading.load()
        library.gtr_replay_options_init(byref(options), sizeof(options))
        options.total_steps = trace.total_steps if total_steps is None else (total_steps or -1)
        options.nonfinite = _NONFINITE[nonfinite]
        options.keep_interval = 1
        self._ask = {"group_by": group_by, "nonfinite": nonfinite, "total_steps": total_steps}
        self._trace, self._typed, self._series = trace, str(policy), series
        self.groups, self.steps = series.names, trace.steps
        self._run(library, options)

    def _run(self, library, options):
        setting, replay = c_void_p(), c_void_p()
        decisions = POINTER(_reading.Decisions)()
        call("gtr_setting_parse", self._typed.encode("utf-8"), byref(setting))
        try:
            printed = library.gtr_setting_print(setting)
            self.policy = ctypes.string_at(printed).decode("utf-8") if printed else self._typed
            library.gtr_free(printed)
            call("gtr_replay_new", self._series.pointer, byref(options), byref(replay))
            call("gtr_replay_run", replay, setting, byref(decisions))
        finally:
            library.gtr_replay_free(replay)
            library.gtr_setting_free(setting)
        owner = Owned(decisions, library.gtr_decisions_free)
        shape = (decisions.contents.n_groups, decisions.contents.n_steps)
        self.scale, self.lower, self.upper, flags = (
            owner.array(getattr(decisions.contents, name), shape, kind).T
            for name, kind in (("scale", "f8"), ("lower", "f8"), ("upper", "f8"), ("flags", "u1"))
        )
        self.capped, self.empty = (flags & _reading.CAPPED) != 0, (flags & _reading.EMPTY) != 0
        self.skipped = ((flags & _reading.SKIPPED) != 0).any(axis=1)

    @property
    def stats(self):
        """The table of `gradtrace replay`: a row for each group, with clip rate and quantiles."""
        return self._trace.ask("replay", self._typed, **self._ask)

    def frame(self):
        """A pandas.DataFrame of the scales: a column for each group, indexed by step."""
        import pandas

        index = pandas.Index(self.steps, name="step")
        return pandas.DataFrame(self.scale, index=index, columns=self.groups)

    def __repr__(self):
        size = f"{len(self.steps)} steps, {len(self.groups)} groups"
        return f"<gradtrace.Replay {self.policy}: {size}>"

    def _repr_html_(self):
        names = ("group", "clip_rate", "scale_mean", "scale_min", "norm_p50", "norm_out_p50")
        rows = [[row[name] for name in names] for row in self.stats]
        return f"<b>{table(['policy'], [[self.policy]])}</b>{table(names, rows)}"


class Owned:
    """Something of the library's that is freed when no array looks at it any more."""

    def __init__(self, pointer, free):
        self.pointer = pointer
        weakref.finalize(self, free, pointer)

    def array(self, pointer, shape, kind):
        """A read-only NumPy view of the library's memory; it keeps this alive."""
        import numpy

        size = int(numpy.prod(shape)) * numpy.dtype(kind).itemsize
        address = ctypes.cast(pointer, c_void_p).value
        buffer = (ctypes.c_char * size).from_address(address) if size else b""
        if size:
            buffer.owner = self
        array = numpy.frombuffer(buffer, dtype=kind).reshape(shape)
        array.flags.writeable = False
        return array
