"""_handle.py - an open recorder of the library: its calls, and its end.

It is closed exactly once: by close(), or when nobody holds it any more, or as the interpreter ends;
and only in the process that opened it, for a forked child has no part in its parent's file.
"""

import os
import warnings
import weakref
from ctypes import byref, c_void_p, sizeof

from . import _library
from ._library import Error


class Wrong(ValueError):
    """An argument of a Recorder that the library refused."""


class Handle:
    def __init__(self, path, fields):
        library = _library.load()
        self.options = _library.RecordOptions()
        library.gtr_record_options_init(byref(self.options), sizeof(self.options))
        for name, value in fields.items():
            setattr(self.options, name, value)
        self.pointer = c_void_p()
        try:
            _library.call(
                "gtr_recorder_open", os.fsencode(path), byref(self.options), byref(self.pointer)
            )
        except Error as error:
            if error.kind == "usage":
                raise Wrong(str(error)) from None
            raise
        self._end = weakref.finalize(self, _close, self.pointer, path, os.getpid())

    @property
    def alive(self):
        return self._end.alive

    def call(self, name, *arguments):
        _library.call(name, self.pointer, *arguments)

    def warning(self):
        """What the library has to say before the run goes on; "" if nothing."""
        said = _library.load().gtr_recorder_warning(self.pointer)
        return said.decode("utf-8", "replace")

    def progress(self):
        """The library's struct gtr_record_progress."""
        progress = _library.RecordProgress()
        _library.load().gtr_recorder_progress(self.pointer, byref(progress))
        return progress

    def estimate(self):
        """The library's struct gtr_record_estimate, once tensors are declared."""
        estimate = _library.RecordEstimate()
        self.call("gtr_recorder_estimate", byref(estimate))
        return estimate

    def keeps_elements(self, step):
        """At such a step the library is not content with norms."""
        return _library.load().gtr_recorder_captures(self.pointer, step)

    def elements_stopped(self):
        """Why elements are written no more, though norms are; "" while they are."""
        said = _library.load().gtr_recorder_elements_stopped(self.pointer)
        return said.decode("utf-8", "replace")

    def stay_open_at_exit(self):
        """Somebody else calls close() at the end of the process."""
        self._end.atexit = False

    def stop(self, why):
        """The recording ends before the run does; the trace will say why."""
        if self.alive:
            _library.load().gtr_recorder_stop(self.pointer, why.encode("utf-8"))

    def close(self):
        """(The library's struct gtr_record_kept, an Error or None)."""
        kept = _library.RecordKept()
        try:
            if self._end.detach() is not None:
                self.call("gtr_recorder_close_kept", byref(kept))
        except Error as error:
            return kept, error
        return kept, None


def _close(pointer, path, process):
    """The recorder was dropped without close(): complete its file."""
    if os.getpid() != process:
        return
    try:
        _library.call("gtr_recorder_close", pointer)
    except Error as error:
        warnings.warn(f"gradtrace: {path}: {error}", RuntimeWarning, stacklevel=2)
