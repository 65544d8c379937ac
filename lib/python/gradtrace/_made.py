"""_made.py - a trace of norms that somebody has as arrays."""

import math
import os
import shutil
import tempfile
import weakref

from . import _program
from ._library import Error
from ._trace import Trace


def norms(values, names=None, steps=None, loss=None, lr=None, path=None, **options):
    """A trace of norms [T] (of the whole gradient) or [T][G] (of its parts).  Returns a Trace.

    names: of the G parts; default part0, part1, ...  steps: int [T], rising; default 0, 1, ...
    loss, lr: float [T], NaN where unknown.  path: where the trace is kept; default: a temporary
    file, which goes with the Trace.  options: those of `gradtrace import`, as max_norm=1,
    grad_state="pre-clip", total_steps=1000.  inf and NaN are norms; norms from 1e-150 to 1e150 are
    kept exactly (traces hold their squares).
    Raises Error or ValueError, which say what is wrong.
    """
    import numpy

    table = numpy.asarray(values, dtype="f8")
    if table.ndim == 1:
        table = table[:, None]
        names = names or ["total"]
    if table.ndim != 2:
        raise ValueError(f"norms of shape {table.shape}: must be [T] or [T][G]")
    names = [f"part{i}" for i in range(table.shape[1])] if names is None else list(names)
    columns = {"step": range(len(table)) if steps is None else steps, "loss": loss, "lr": lr}
    columns = {name: list(column) for name, column in columns.items() if column is not None}
    for name, column in columns.items():
        if len(column) != len(table):
            raise ValueError(f"{name}: {len(column)} values for {len(table)} steps")
    if len(names) != table.shape[1]:
        raise ValueError(f"names: {len(names)} of them for {table.shape[1]} parts")
    folder = tempfile.mkdtemp(prefix="gradtrace-")
    try:
        log = os.path.join(folder, "norms.tsv")
        _write(log, table, names, columns)
        made = os.path.join(folder, "norms.h5") if path is None else os.fspath(path)
        _program.run("import", log, output=made, columns="name=part,norm=norm", **options)
        trace = Trace(made)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    weakref.finalize(trace, shutil.rmtree, folder, ignore_errors=True)
    return trace


def _write(path, table, names, columns):
    """A row for each step and part."""
    for name in names:
        if any(letter in str(name) for letter in '\t\n\r"'):
            raise Error(f"{name!r}: a name must not hold tabs, quotes or ends of lines", "usage")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\t".join([*columns, "part", "norm"]) + "\n")
        for t, row in enumerate(table):
            before = "".join(_text(column[t]) + "\t" for column in columns.values())
            for name, norm in zip(names, row):
                file.write(f"{before}{name}\t{float(norm)!r}\n")


def _text(value):
    """A number that reads back exactly; of what is not known nothing."""
    value = value.item() if hasattr(value, "item") else value
    return "" if isinstance(value, float) and math.isnan(value) else repr(value)
