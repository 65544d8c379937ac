"""_reading.py - the calls and structs of the C library that read traces and replay policies.

As in _library.py, structs mirror those of gradtrace.h field by field, and tests/python/test_mirror
compares the two.
"""

from ctypes import POINTER, Structure, c_bool, c_char_p, c_double, c_int, c_int64, c_size_t
from ctypes import c_uint, c_uint8, c_uint64, c_void_p

from . import _library
from ._library import Err


class Tensor(Structure):
    """struct gtr_tensor"""

    _fields_ = [
        ("name", c_char_p),
        ("shape", c_char_p),
        ("numel", c_uint64),
        ("dtype", c_int),
        ("param_group", c_char_p),
    ]


class Head(Structure):
    """struct gtr_head"""

    _fields_ = [
        ("producer", c_char_p),
        ("created", c_char_p),
        ("reduction", c_char_p),
        ("grad_state", c_char_p),
        ("meta", c_char_p),
        ("group_by", c_char_p),
        ("stopped", c_char_p),
        ("total_steps_from", c_char_p),
        ("elements_stopped", c_char_p),
        ("rank", c_int64),
        ("world_size", c_int64),
        ("total_steps", c_int64),
        ("tensors", POINTER(Tensor)),
        ("n_tensors", c_size_t),
        ("capacity", c_size_t),
    ]


class Step(Structure):
    """struct gtr_step"""

    _fields_ = [
        ("index", c_int64),
        ("loss", c_double),
        ("lr", c_double),
        ("time", c_double),
        ("applied_scale", c_double),
        ("skipped", c_bool),
        ("rest", c_double),
    ]


class Captured(Structure):
    """struct gtr_captured"""

    _fields_ = [
        ("n", c_uint64),
        ("sampled", c_bool),
        ("block", c_int64),
        ("fraction", c_double),
        ("seed", c_int64),
        ("chunk_rows", c_size_t),
        ("chunk_cols", c_size_t),
    ]


class Groups(Structure):
    """struct gtr_groups"""

    _fields_ = [
        ("rule", c_char_p),
        ("names", POINTER(c_char_p)),
        ("n_groups", c_size_t),
        ("n_tensors", c_size_t),
        ("of_tensor", POINTER(c_size_t)),
        ("left_out", c_size_t),
    ]


class Series(Structure):
    """struct gtr_series"""

    _fields_ = [
        ("n_groups", c_size_t),
        ("n_steps", c_size_t),
        ("left_out", c_size_t),
        ("names", POINTER(c_char_p)),
        ("index", POINTER(c_int64)),
        ("sumsq", POINTER(c_double)),
        ("total_sumsq", POINTER(c_double)),
        ("total", POINTER(c_double)),
        ("nonfinite", POINTER(c_uint8)),
        ("group_nonfinite", POINTER(c_uint8)),
        ("n_nonfinite", c_size_t),
        ("total_steps", c_int64),
        ("loss", POINTER(c_double)),
        ("numel", POINTER(c_double)),
        ("maxabs", POINTER(c_double)),
        ("weight", POINTER(c_double)),
    ]


class Device(Structure):
    """struct gtr_device"""

    _fields_ = [("kind", c_int), ("number", c_int)]


class ReplayOptions(Structure):
    """struct gtr_replay_options"""

    _fields_ = [
        ("size", c_size_t),
        ("total_steps", c_int64),
        ("nonfinite", c_int),
        ("n_threads", c_size_t),
        ("keep_interval", c_int),
        ("device", Device),
    ]


class Decisions(Structure):
    """struct gtr_decisions"""

    _fields_ = [
        ("n_groups", c_size_t),
        ("n_steps", c_size_t),
        ("policy", c_int),
        ("params", c_void_p),
        ("scale", POINTER(c_double)),
        ("lower", POINTER(c_double)),
        ("upper", POINTER(c_double)),
        ("flags", POINTER(c_uint8)),
    ]


# What gtr_series_read_with reads besides norms: what some policies ask for.
SERIES_MAXABS, SERIES_WEIGHTS = 1, 2

# enum gtr_oddity
IS_INFINITE = 2

# Flags of a decision
CAPPED, EMPTY, SKIPPED = 1, 2, 4

# enum gtr_norm, and what NumPy calls the type of each
NORMS = {
    "sumsq": (0, "f8"),
    "maxabs": (1, "f4"),
    "nonfinite": (2, "u8"),
    "param_sumsq": (3, "f8"),
}

# Calls that can fail take a closing struct gtr_err *; the others are declared whole.
_CALLS = {
    "gtr_trace_open": [c_char_p, POINTER(c_void_p)],
    "gtr_trace_read_rows": [c_void_p, c_int, c_size_t, c_size_t, c_void_p],
    "gtr_trace_captured": [c_void_p, c_size_t, POINTER(Captured)],
    "gtr_trace_read_captured": [
        c_void_p, c_size_t, c_size_t, c_size_t, c_uint64, c_uint64, c_void_p, c_size_t
    ],
    "gtr_groups_new": [c_char_p, POINTER(Head), POINTER(POINTER(Groups))],
    "gtr_series_read_with": [
        c_void_p, POINTER(Groups), c_uint, c_size_t, POINTER(POINTER(Series))
    ],
    "gtr_setting_parse": [c_char_p, POINTER(c_void_p)],
    "gtr_replay_new": [POINTER(Series), POINTER(ReplayOptions), POINTER(c_void_p)],
    "gtr_replay_run": [c_void_p, c_void_p, POINTER(POINTER(Decisions))],
}
_OTHERS = {
    "gtr_trace_close": (None, [c_void_p]),
    "gtr_trace_head": (POINTER(Head), [c_void_p]),
    "gtr_trace_steps": (POINTER(Step), [c_void_p]),
    "gtr_trace_n_steps": (c_size_t, [c_void_p]),
    "gtr_trace_has": (c_bool, [c_void_p, c_int]),
    "gtr_trace_n_captures": (c_size_t, [c_void_p]),
    "gtr_trace_capture_rows": (POINTER(c_int64), [c_void_p]),
    "gtr_groups_free": (None, [POINTER(Groups)]),
    "gtr_series_free": (None, [POINTER(Series)]),
    "gtr_setting_free": (None, [c_void_p]),
    "gtr_setting_print": (c_void_p, [c_void_p]),
    "gtr_replay_options_init": (None, [POINTER(ReplayOptions), c_size_t]),
    "gtr_replay_free": (None, [c_void_p]),
    "gtr_decisions_free": (None, [POINTER(Decisions)]),
}
_declared = False


def load():
    """The library with these prototypes declared, too."""
    global _declared
    library = _library.load()
    if not _declared:
        for name, arguments in _CALLS.items():
            function = getattr(library, name)
            function.argtypes = arguments + [POINTER(Err)]
            function.restype = c_int
        for name, (result, arguments) in _OTHERS.items():
            function = getattr(library, name)
            function.argtypes = arguments
            function.restype = result
        _declared = True
    return library

