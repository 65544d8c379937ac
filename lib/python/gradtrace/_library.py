"""_library.py - the C library as ctypes sees it: where it is, its structs, its calls.

The structs mirror those of gradtrace.h field by field; tests/python compares sizes and offsets with
what the C compiler says, so that the two cannot drift apart.
"""

import ctypes
import ctypes.util
import os
import sys
from ctypes import POINTER, Structure, byref, c_bool, c_char, c_char_p, c_double, c_float
from ctypes import c_int, c_int64, c_size_t, c_uint64, c_void_p, cast

NAME = "libgradtrace.so"

# enum gtr_code
CODES = {-1: "usage", -2: "system", -3: "format", -4: "memory", -5: "device"}

# enum gtr_dtype, by the names that the trace file uses
DTYPES = {"f32": 0, "f16": 1, "bf16": 2, "f64": 3}

# enum gtr_elements
ELEMENTS = {"none": 0, "full": 1, "blocks": 2}

# enum gtr_when_full
WHEN_FULL = {"block": 0, "drop": 1}

# enum gtr_compression
COMPRESSION = {"deflate": 0, "none": 1}


class Error(RuntimeError):
    """What the library could not do, as a sentence that names the file or argument.

    `kind` is one of usage, system, format, memory, device, library.
    """

    def __init__(self, text, kind="library"):
        super().__init__(text)
        self.kind = kind


class Err(Structure):
    """struct gtr_err"""

    _fields_ = [("code", c_int), ("text", c_char * 400), ("file", c_char_p), ("line", c_int)]


class RecordOptions(Structure):
    """struct gtr_record_options"""

    _fields_ = [
        ("size", c_size_t),
        ("producer", c_char_p),
        ("reduction", c_char_p),
        ("grad_state", c_char_p),
        ("meta", c_char_p),
        ("group_by", c_char_p),
        ("created", c_char_p),
        ("rank", c_int64),
        ("world_size", c_int64),
        ("total_steps", c_int64),
        ("elements", c_int64),
        ("every", c_int64),
        ("first", c_int64),
        ("last", c_int64),
        ("fraction", c_double),
        ("seed", c_int64),
        ("force", c_int64),
        ("n_threads", c_int64),
        ("queue_bytes", c_int64),
        ("when_full", c_int64),
        ("around_spikes", c_int64),
        ("spike_kappa", c_double),
        ("spike_decay", c_double),
        ("spike_warmup", c_int64),
        ("spike_scale", c_double),
        ("spike_policy", c_char_p),
        ("synchronous", c_int64),
        ("compression", c_int64),
        ("writer_threads", c_int64),
        ("checksums", c_int64),
        ("segment_bytes", c_int64),
        ("segment_seconds", c_double),
        ("sync", c_int64),
    ]


class RecordProgress(Structure):
    """struct gtr_record_progress"""

    _fields_ = [
        ("steps", c_uint64),
        ("steps_written", c_uint64),
        ("captures_written", c_uint64),
        ("dropped", c_uint64),
        ("spikes", c_uint64),
        ("bytes_written", c_uint64),
        ("bytes_queued", c_uint64),
        ("memory_bytes", c_uint64),
        ("seconds_waited", c_double),
    ]


class RecordKept(Structure):
    """struct gtr_record_kept"""

    _fields_ = [("steps", c_uint64), ("rest", c_char * 400)]


class RecordEstimate(Structure):
    """struct gtr_record_estimate"""

    _fields_ = [
        ("row_bytes", c_uint64),
        ("capture_bytes", c_uint64),
        ("spike_bytes", c_uint64),
        ("step_bytes", c_double),
        ("run_bytes", c_double),
        ("free_bytes", c_uint64),
    ]


class Reduction(Structure):
    """struct gtr_reduction"""

    _fields_ = [("sumsq", c_double), ("maxabs", c_float), ("nonfinite", c_uint64)]


class Sample(Structure):
    """struct gtr_sample"""

    _fields_ = [("block", c_int64), ("fraction", c_double), ("seed", c_int64)]


# Arguments of each call, without the closing struct gtr_err * that all of them take.
_CALLS = {
    "gtr_recorder_open": [c_char_p, POINTER(RecordOptions), POINTER(c_void_p)],
    "gtr_recorder_tensor": [c_void_p, c_char_p, c_char_p, c_uint64, c_int],
    "gtr_recorder_param_group": [c_void_p, c_char_p],
    "gtr_recorder_begin": [c_void_p, c_int64, c_double, c_double],
    "gtr_recorder_begin_at": [c_void_p, c_int64, c_double, c_double, c_double],
    "gtr_recorder_rest": [c_void_p, c_double],
    "gtr_recorder_grad": [c_void_p, c_size_t, c_void_p],
    "gtr_recorder_norm": [c_void_p, c_size_t, c_double, c_float, c_uint64],
    "gtr_recorder_grads": [c_void_p, POINTER(c_void_p)],
    "gtr_recorder_reduced": [
        c_void_p,
        c_size_t,
        POINTER(c_size_t),
        POINTER(Reduction),
        POINTER(c_void_p),
    ],
    "gtr_recorder_end": [c_void_p],
    "gtr_recorder_applied": [c_void_p, c_double, c_bool],
    "gtr_recorder_set_grad_state": [c_void_p, c_char_p],
    "gtr_recorder_set_total_steps": [c_void_p, c_int64],
    "gtr_recorder_run_ended": [c_void_p],
    "gtr_recorder_estimate": [c_void_p, POINTER(RecordEstimate)],
    "gtr_recorder_close": [c_void_p],
    "gtr_recorder_close_kept": [c_void_p, POINTER(RecordKept)],
    "gtr_sample_blocks": [
        POINTER(Sample),
        c_char_p,
        c_uint64,
        POINTER(POINTER(c_uint64)),
        POINTER(c_size_t),
    ],
    "gtr_cuda_norms_new": [
        c_int,
        c_size_t,
        POINTER(c_int),
        POINTER(c_uint64),
        POINTER(c_void_p),
    ],
    "gtr_cuda_norms_start": [c_void_p, POINTER(c_void_p), c_void_p],
    "gtr_cuda_norms_wait": [c_void_p, POINTER(Reduction)],
}


def candidates():
    """Paths at which the library is looked for, best first."""
    here = os.path.dirname(os.path.abspath(__file__))
    tree = os.path.normpath(os.path.join(here, "..", "..", ".."))
    paths = [
        os.path.join(here, NAME),  # copied beside the package
        os.path.join(here, "bin", NAME),  # in the wheel, beside the program
        os.path.join(tree, os.environ.get("GRADTRACE_BUILD", "build"), NAME),  # a source tree
    ]
    # Installed: the package in PREFIX/lib/python3*/..., the library in PREFIX/lib.
    folder = here
    while os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
        if os.path.basename(folder) in ("lib", "lib64"):
            paths.append(os.path.join(folder, NAME))
    return paths


def find():
    """Path of the library, or an Error that says what to run.

    GRADTRACE_LIBRARY, if set, is the only place looked at.
    """
    asked = os.environ.get("GRADTRACE_LIBRARY")
    if asked:
        if os.path.isfile(asked):
            return asked
        raise Error(f"GRADTRACE_LIBRARY={asked}: no such file; name {NAME} itself")
    for path in candidates():
        if os.path.isfile(path):
            return path
    found = ctypes.util.find_library("gradtrace")
    if found:
        return found
    raise Error(
        f"{NAME}: not found; run `make` in gradtrace's source tree, or `make install`, "
        "or set GRADTRACE_LIBRARY to its path"
    )


_loaded = None


def load():
    """The library with its prototypes declared; loaded once."""
    global _loaded
    if _loaded is None:
        path = find()
        try:
            library = ctypes.CDLL(path)
            for name, arguments in _CALLS.items():
                call = getattr(library, name)
                call.argtypes = arguments + [POINTER(Err)]
                call.restype = c_int
            library.gtr_record_options_init.argtypes = [POINTER(RecordOptions), c_size_t]
            library.gtr_record_options_init.restype = None
            library.gtr_recorder_progress.argtypes = [c_void_p, POINTER(RecordProgress)]
            library.gtr_recorder_progress.restype = None
            library.gtr_recorder_warning.argtypes = [c_void_p]
            library.gtr_recorder_warning.restype = c_char_p
            library.gtr_recorder_elements_stopped.argtypes = [c_void_p]
            library.gtr_recorder_elements_stopped.restype = c_char_p
            library.gtr_recorder_stop.argtypes = [c_void_p, c_char_p]
            library.gtr_recorder_stop.restype = None
            library.gtr_recorder_captures.argtypes = [c_void_p, c_int64]
            library.gtr_recorder_captures.restype = c_bool
            library.gtr_reduce.argtypes = [
                c_int, c_void_p, c_uint64, c_size_t, c_void_p
            ]
            library.gtr_reduce.restype = None
            library.gtr_free.argtypes = [c_void_p]
            library.gtr_free.restype = None
            library.gtr_recorder_abandon.argtypes = [c_void_p]
            library.gtr_recorder_abandon.restype = None
            library.gtr_cuda_norms_free.argtypes = [c_void_p]
            library.gtr_cuda_norms_free.restype = None
            library.gtr_device_count.argtypes = []
            library.gtr_device_count.restype = c_size_t
            library.gtr_device_name.argtypes = [c_size_t, c_char_p, c_size_t]
            library.gtr_device_name.restype = None
        except (OSError, AttributeError) as error:
            raise Error(f"{path}: cannot be used: {error}; build it again with `make`") from error
        _loaded = library
    return _loaded


def call(name, *arguments):
    """Calls the library and turns a failure code into an Error with the library's own words."""
    err = Err()
    code = getattr(load(), name)(*arguments, byref(err))
    if code != 0:
        text = err.text.decode("utf-8", "replace") or f"{name}: failed with code {code}"
        raise Error(text, CODES.get(code, "library"))


def sample_blocks(sampling, name, numel):
    """The library's choice of blocks (a Sample) of a tensor, as a list that rises."""
    blocks, n = POINTER(c_uint64)(), c_size_t()
    call("gtr_sample_blocks", byref(sampling), os.fsencode(name), numel, byref(blocks), byref(n))
    try:
        return blocks[: n.value]
    finally:
        load().gtr_free(cast(blocks, c_void_p))


def text_or_null(text):
    """A Python string as char *; None stays NULL."""
    return None if text is None else str(text).encode("utf-8")


if sys.platform == "win32":
    raise ImportError("gradtrace: needs a POSIX system")
