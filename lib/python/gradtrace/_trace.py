"""_trace.py - a trace to read and to ask."""

import json
import math
import os
import tempfile
from ctypes import POINTER, byref, c_void_p

from . import _program, _reading
from ._library import DTYPES, Error, Sample, call, sample_blocks, text_or_null
from ._replayed import Owned, Replay
from ._tables import structured, table

_TYPES = {number: name for name, number in DTYPES.items()}
_STEPS = {"loss": "loss", "lr": "lr", "time": "time", "applied_scale": "applied_scale"}


class Trace:
    """A recorded run: T steps of P tensors.  Arrays are NumPy's; nothing here changes the file.

    ::

        t = gradtrace.open("run.h5")
        t.norms(group_by="module")              # [T][G], beside t.groups("module")
        t.replay("aggc-paper").scale            # [T][G]
        t.sweep(("global", {"max_norm": "0.1:10:50:log"})).frame()
        t.spill(max_norm="auto"); t.doctor(); t.explain(step=1368)
        t.plot("norms")                         # a picture, in a notebook at once
        t.report("run.html")

    Numbers are the command's to the bit: the arrays come from the same library, the studies from
    the program itself.

    Attributes
    ----------
    path, total_steps (planned; 0: unknown), meta (dict), grad_state, reduction, rank, world_size
    names, shapes, dtypes       lists of P
    numel                       int64 [P]
    steps                       int64 [T]: the run's own numbers
    loss, lr, time, applied_scale   float64 [T]; NaN where it is not known; time in seconds
    skipped                     bool [T]: the run left the update out
    """

    def __init__(self, path):
        import numpy

        library = _reading.load()
        pointer = c_void_p()
        call("gtr_trace_open", os.fsencode(path), byref(pointer))
        self._owner = Owned(pointer, library.gtr_trace_close)
        self._series = {}
        self.path = os.fspath(path)
        head = library.gtr_trace_head(pointer).contents
        self._head = head
        tensors = head.tensors[: head.n_tensors]
        self.names = [_text(tensor.name) for tensor in tensors]
        self.shapes = [_shape(tensor.shape) for tensor in tensors]
        self.dtypes = [_TYPES[tensor.dtype] for tensor in tensors]
        self.numel = numpy.array([tensor.numel for tensor in tensors], dtype="i8")
        self.total_steps = head.total_steps
        self.grad_state, self.reduction = _text(head.grad_state), _text(head.reduction)
        self.rank, self.world_size = head.rank, head.world_size
        self.meta = structured(json.loads(head.meta or b"{}"))
        self._read_steps(library, pointer)

    def _read_steps(self, library, pointer):
        import numpy

        n = library.gtr_trace_n_steps(pointer)
        kind = numpy.dtype(_reading.Step)
        steps = self._owner.array(library.gtr_trace_steps(pointer), (n,), kind)
        self.steps, self.skipped = steps["index"], steps["skipped"]
        for name, field in _STEPS.items():
            setattr(self, name, steps[field])

    # --- numbers ------------------------------------------------------------------------------

    def _matrix(self, name):
        """One of the file's [T][P] matrices."""
        import numpy

        number, kind = _reading.NORMS[name]
        values = numpy.empty((len(self.steps), len(self.names)), dtype=kind)
        call(
            "gtr_trace_read_rows", self._owner.pointer, number, 0, len(self.steps),
            values.ctypes.data,
        )
        return values

    @property
    def sumsq(self):
        """float64 [T][P]: sums of squares of the finite elements of each tensor's gradient."""
        return self._matrix("sumsq")

    @property
    def maxabs(self):
        """float32 [T][P]: the largest magnitude among them; NaN if the trace has none."""
        return self._matrix("maxabs")

    @property
    def nonfinite(self):
        """uint64 [T][P]: how many elements were NaN or infinite."""
        return self._matrix("nonfinite")

    @property
    def weight_sumsq(self):
        """float64 [T][P]: sums of squares of the weights; Error if the trace has none."""
        return self._matrix("param_sumsq")

    def _series_of(self, group_by):
        if group_by not in self._series:
            self._series[group_by] = _Series(self, group_by)
        return self._series[group_by]

    def groups(self, group_by=None):
        """{name of a group: names of its tensors}, in the library's order.

        group_by: module, layer, layer.module, tensor, all, lora-ab, aggc, param-group, or
        file:PATH; None: the trace's own rule, else module.
        """
        series = self._series_of(group_by)
        found = {name: [] for name in series.names}
        for tensor, group in zip(self.names, series.of_tensor):
            found[series.names[group]].append(tensor)
        return found

    def norms(self, group_by=None):
        """float64 [T][G]: L2 norm of each group's gradient; infinite or NaN where an element was
        (NaN if the trace does not say which).

        Groups are those of groups(group_by), in that order.
        """
        return self._series_of(group_by).norms

    @property
    def norm(self):
        """float64 [T]: L2 norm of the whole gradient; infinite or NaN where an element was."""
        return self._series_of(None).norm

    def frame(self, group_by=None):
        """A pandas.DataFrame indexed by step: loss, lr, norm, then each group's norm."""
        import pandas

        index = pandas.Index(self.steps, name="step")
        whole = pandas.DataFrame(
            {"loss": self.loss, "lr": self.lr, "norm": self.norm}, index=index
        )
        groups = pandas.DataFrame(
            self.norms(group_by), index=index, columns=self._series_of(group_by).names
        )
        return pandas.concat([whole, groups], axis=1)

    # --- captured elements --------------------------------------------------------------------

    @property
    def captured_steps(self):
        """int64 [S]: steps whose elements were kept."""
        library, pointer = _reading.load(), self._owner.pointer
        n = library.gtr_trace_n_captures(pointer)
        rows = library.gtr_trace_capture_rows(pointer)[:n] if n else []
        return self.steps[rows]

    def elements(self, tensor):
        """[S][n]: the captured elements of a tensor (a name or its number), all captures.

        In the gradient's own type; bfloat16, which NumPy does not have, as float32 (exact).
        element_index(tensor) says which elements of the flattened tensor these are.
        """
        import numpy

        number, captured = self._captured(tensor)
        kind = {"f32": "f4", "f16": "f2", "bf16": "u2", "f64": "f8"}[self.dtypes[number]]
        shape = (len(self.captured_steps), captured.n)
        values = numpy.empty(shape, dtype=kind)
        call(
            "gtr_trace_read_captured", self._owner.pointer, number, 0, shape[0], 0, shape[1],
            values.ctypes.data, values.strides[0],
        )
        if self.dtypes[number] == "bf16":
            return (values.astype("u4") << 16).view("f4")
        return values

    def element_index(self, tensor):
        """int64 [n]: positions, in the flattened tensor, of what elements(tensor) holds."""
        import numpy

        number, captured = self._captured(tensor)
        numel = int(self.numel[number])
        if not captured.sampled:
            return numpy.arange(numel)
        sampling = Sample(captured.block, captured.fraction, captured.seed)
        blocks = numpy.array(sample_blocks(sampling, self.names[number], numel), dtype="i8")
        index = (blocks[:, None] * captured.block + numpy.arange(captured.block)).ravel()
        return index[index < numel]

    def _captured(self, tensor):
        number = self.names.index(tensor) if isinstance(tensor, str) else int(tensor)
        captured = _reading.Captured()
        call("gtr_trace_captured", self._owner.pointer, number, byref(captured))
        if captured.n == 0:
            raise Error(f"{self.path}: no elements of {self.names[number]} were captured", "usage")
        return number, captured

    # --- studies ------------------------------------------------------------------------------

    def ask(self, command, *policies, **options):
        """The numbers of any command about this trace: `gradtrace COMMAND TRACE -p POLICY --json`.

        Keywords are the command's options: group_by="layer", max_norm="auto", fast=True; a list
        repeats one.  Returns a Table or a Report.  Raises Error with the program's words.
        """
        return structured(_program.ask(command, self.path, policies=policies, **options))

    def replay(self, policy, group_by=None, nonfinite="skip", total_steps=None):
        """What a policy would have done: a Replay.

        policy: NAME[:KEY=VALUE,...] as after -p.  nonfinite: skip or propagate.  total_steps:
        planned steps for schedules; None: the trace's own, 0: unknown.
        """
        return Replay(self, policy, group_by, nonfinite, total_steps)

    def sweep(self, *policies, **options):
        """Many settings at once: a Table with a row for each, as `gradtrace sweep`.

        Each policy is a name, or a pair (name, {key: values}) with values as after --set.
        """
        return self.ask("sweep", *policies, **options)

    def spill(self, *policies, **options):
        """Who makes the norm explode, and who pays: a Report, as `gradtrace spill`."""
        return self.ask("spill", *policies, **options)

    def doctor(self, *policies, **options):
        """What is wrong with the run or a setting: a Report, as `gradtrace doctor`."""
        return self.ask("doctor", *policies, **options)

    def explain(self, *policies, step, **options):
        """One step: a Report, as `gradtrace explain --step STEP`."""
        return self.ask("explain", *policies, step=step, **options)

    def plot(self, figure, *policies, format="png", **options):
        """One figure of `gradtrace plot`, a Picture that a notebook shows; its bytes are `.data`.

        format: png or svg.
        """
        with tempfile.TemporaryDirectory(prefix="gradtrace-") as folder:
            _program.run(
                "plot", self.path, policies=policies, figure=figure, format=format, output=folder,
                **options,
            )
            name = next(n for n in sorted(os.listdir(folder)) if n.endswith("." + format))
            with open(os.path.join(folder, name), "rb") as file:
                return Picture(file.read(), format)

    def report(self, path, *policies, **options):
        """Write the page of `gradtrace report` to a path."""
        _program.run("report", self.path, policies=policies, output=os.fspath(path), **options)

    def __repr__(self):
        return f"<gradtrace.Trace {self.path}: {len(self.steps)} steps, {len(self.names)} tensors>"

    def _repr_html_(self):
        facts = self.ask("info")
        return table(["", self.path], [[row["fact"], row["value"]] for row in facts[1:]], most=80)


class Picture:
    """A figure: `data` holds its bytes, `format` says png or svg; notebooks show it."""

    def __init__(self, data, format):
        self.data, self.format = data, format

    def save(self, path):
        """Write it to a file."""
        with open(path, "wb") as file:
            file.write(self.data)

    def _repr_png_(self):
        return self.data if self.format == "png" else None

    def _repr_svg_(self):
        return self.data.decode("utf-8") if self.format == "svg" else None


class _Series:
    """A trace by groups: the library's gtr_series, and arrays that look at it."""

    def __init__(self, trace, group_by):
        import numpy

        library = _reading.load()
        groups, series = POINTER(_reading.Groups)(), POINTER(_reading.Series)()
        call("gtr_groups_new", text_or_null(group_by), byref(trace._head), byref(groups))
        try:
            what = _reading.SERIES_MAXABS | _reading.SERIES_WEIGHTS
            call("gtr_series_read_with", trace._owner.pointer, groups, what, 0, byref(series))
            self.of_tensor = groups.contents.of_tensor[: groups.contents.n_tensors]
        finally:
            library.gtr_groups_free(groups)
        self.pointer = series
        self._owner = owner = Owned(series, library.gtr_series_free)
        read = series.contents
        self.names = [_text(name) for name in read.names[: read.n_groups]]
        shape = (read.n_groups, read.n_steps)
        self.norms = numpy.sqrt(owner.array(read.sumsq, shape, "f8")).T
        self.norm = owner.array(read.total, shape[1:], "f8").copy()
        _mark(self.norm, owner.array(read.nonfinite, shape[1:], "u1"))
        if read.group_nonfinite:
            _mark(self.norms, owner.array(read.group_nonfinite, shape, "u1").T)


def _mark(norms, oddities):
    """Norms that were infinite or NaN, as they were; NaN where the trace does not say which."""
    odd = oddities != 0
    norms[odd] = [math.inf if o == _reading.IS_INFINITE else math.nan for o in oddities[odd]]


def _text(value):
    return value.decode("utf-8", "replace") if value is not None else None


def _shape(text):
    """(4096, 11008) of b"4096x11008"; () of a scalar."""
    return tuple(int(part) for part in text.decode().split("x")) if text else ()
