"""_arguments.py - the arguments of a Recorder, checked, as the fields of the library's options."""

import json
import math
import os
import shlex
import sys

from . import _elements, _library
from ._optimizer import settings_of
from ._sharded import is_sharded
from ._tensors import dtype_name

GRAD_STATES = ("pre-clip", "post-clip", "unknown")
REDUCTIONS = ("none", "sum", "mean")
_MOST = (1 << 63) - 1  # the library's integers are int64, and ctypes would cut others off silently


class Arguments:
    """`given` is all arguments of Recorder.__init__ by name; ValueError, TypeError if one is wrong.

    fields: of struct gtr_record_options, those that are not the library's own default.
    micro_batches: backward passes that one optimizer step has rows for; 0: a row is a whole step.
    """

    def __init__(self, given, named):
        self.micro_batches = _micro_batches(given["rows"])
        meta = dict(given["meta"] or {})
        if self.micro_batches:
            meta.update(rows="micro-batch", micro_batches=self.micro_batches)
        self.fields = {
            **_about_the_run(given, max(1, self.micro_batches)),
            **_what_is_kept(given),
            **_how_it_is_written(given),
            "meta": _meta_text(meta, named, given["optimizer"]).encode(),
        }


def _about_the_run(given, rows_a_step):
    one_of("grad_state", given["grad_state"], GRAD_STATES)
    one_of("reduction", given["reduction"], REDUCTIONS)
    return {
        "grad_state": given["grad_state"].encode(),
        "reduction": given["reduction"].encode(),
        "group_by": _library.text_or_null(given["group_by"]),
        "total_steps": rows_a_step
        * integer("total_steps", given["total_steps"], 0, _MOST // rows_a_step),
        "rank": integer("rank", given["rank"], 0),
        "world_size": integer("world_size", given["world_size"], 1),
        # The convention of reproducible-builds.org: no time of day in the file.
        "created": b"" if "SOURCE_DATE_EPOCH" in os.environ else None,
    }


def _what_is_kept(given):
    kind, fraction, around = _elements.parse(given["elements"])
    fields = {
        "elements": _library.ELEMENTS[kind],
        "fraction": fraction,
        "around_spikes": around,
        "seed": integer("sample_seed", given["sample_seed"]),
        "spike_kappa": float(given["spike_kappa"]),
        "spike_scale": float(given["spike_scale"]),
        "spike_policy": _library.text_or_null(given["spike_policy"]),
        "every": integer("every", given["every"], 1),
    }
    for name in ("first", "last"):
        if given[name] is not None:
            fields[name] = integer(name, given[name])
    return fields


def _how_it_is_written(given):
    one_of("when_full", given["when_full"], tuple(_library.WHEN_FULL))
    one_of("compression", given["compression"], tuple(_library.COMPRESSION))
    return {
        "queue_bytes": integer("queue_mb", given["queue_mb"], 1, _MOST >> 20) << 20,
        "when_full": _library.WHEN_FULL[given["when_full"]],
        "compression": _library.COMPRESSION[given["compression"]],
        "segment_bytes": integer("segment_mb", given["segment_mb"], 1, _MOST >> 20) << 20,
        "segment_seconds": float(given["segment_seconds"]),
        "writer_threads": integer("writer_threads", given["writer_threads"], 0),
        "n_threads": integer("threads", given["threads"], 0),
        "force": int(bool(given["force"])),
    }


def one_of(name, value, words):
    if value not in words:
        raise ValueError(f"{name}={value!r}: must be one of {', '.join(words)}")


def integer(name, value, least=-_MOST - 1, most=_MOST):
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}={value!r}: must be an integer")
    value = value.__index__()
    if value < least:
        raise ValueError(f"{name}={value}: must be at least {least}")
    if value > most:
        raise ValueError(f"{name}={value}: must be at most {most}")
    return value


def number(value):
    """A float, a tensor of one element, or None for what is not known."""
    if hasattr(value, "detach"):
        value = value.detach()  # torch 2 warns when a loss that requires a gradient becomes a float
    return math.nan if value is None else float(value)


def distributed():
    """(rank, world size) of torch.distributed, or of a process alone."""
    found = getattr(sys.modules.get("torch"), "distributed", None)
    if found is not None and found.is_available() and found.is_initialized():
        return found.get_rank(), found.get_world_size()
    return 0, 1


def _micro_batches(rows):
    """0 of "step", 4 of "micro-batch:4"."""
    kind, _, count = str(rows).partition(":")
    if kind == "step" and not count:
        return 0
    if kind == "micro-batch" and count.isdecimal() and 1 <= int(count) <= 1_000_000:
        return int(count)
    raise ValueError(
        f"rows={rows!r}: must be step, or micro-batch:N with N, from 1 to 1000000, the backward "
        "passes of an optimizer step, such as micro-batch:4"
    )


def about_tensors(named, optimizer):
    """What meta says about the parameters and who changes them."""
    types = sorted({dtype_name(name, parameter) for name, parameter in named})
    known = {"dtype": types[0] if len(types) == 1 else types}
    if any(is_sharded(parameter) for _, parameter in named):
        known["sharded"] = True
    if optimizer is not None:
        known["optimizer"] = settings_of(optimizer)
    return known


def _meta_text(meta, named, optimizer):
    """The JSON object for the trace: what the caller gave, and what can be seen from here."""
    known = {"command": " ".join(shlex.quote(word) for word in sys.argv)}
    if "torch" in sys.modules:
        known["torch"] = str(sys.modules["torch"].__version__)
    known.update(about_tensors(named, optimizer))
    known.update(meta)
    try:
        return json.dumps(known, ensure_ascii=False, allow_nan=False, default=str)
    except (TypeError, ValueError) as error:
        raise ValueError(f"meta: not JSON: {error}") from error
