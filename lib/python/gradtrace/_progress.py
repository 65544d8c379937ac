"""_progress.py - a line on the terminal that says how much is recorded; nothing in a log."""

import os
import sys
import time
from ctypes import byref

from . import _library

_TERMINAL_SECONDS = 2.0  # between two lines, of which each replaces the last
_LOG_SECONDS = 60.0


class Progress:
    """progress=None: on a terminal only; True: always; False: never.

    Whatever goes wrong here ends the talking and nothing else.
    """

    def __init__(self, progress, path):
        self._path = path
        self._terminal = _is_terminal()
        self._on = self._terminal if progress is None else bool(progress)
        self._pause = _TERMINAL_SECONDS if self._terminal else _LOG_SECONDS
        self._next = time.monotonic() + self._pause
        self._last = None  # (time, bytes)
        self._open = False  # a line without its end is on the screen

    def announce(self, handle):
        """Before the first step: how much it will be."""
        if not self._on:
            return
        estimate = _library.RecordEstimate()
        _library.call("gtr_recorder_estimate", handle, byref(estimate))
        parts = [f"{_size(estimate.step_bytes)} a step"]
        if estimate.spike_bytes:
            parts.append(f"at most {_size(estimate.spike_bytes)} around a spike")
        if estimate.run_bytes:
            parts.append(f"{_size(estimate.run_bytes)} in all")
        if estimate.free_bytes:
            parts.append(f"{_size(estimate.free_bytes)} free")
        self._say(", ".join(parts), "\n")

    def step(self, handle):
        """After a step: now and then, how far it is."""
        if not self._on or time.monotonic() < self._next:
            return
        now, done = time.monotonic(), read(handle)
        self._next = now + self._pause
        since, before = self._last or (now - self._pause, 0)
        rate = (done.bytes_written - before) / max(now - since, 1e-9)
        self._last = now, done.bytes_written
        text = f"{done.steps:,} steps, {_size(done.bytes_written)}, {_size(rate)}/s"
        if done.spikes:
            text += f", {done.spikes:,} spikes"
        if done.dropped:
            text += f", {done.dropped:,} captures dropped"
        if done.seconds_waited >= 0.1:
            text += f", waited {done.seconds_waited:.1f} s"
        self._say(text, "" if self._terminal else "\n")

    def end(self):
        if self._open:
            self._write("\n")
            self._open = False

    def _say(self, text, end):
        start = "\r\x1b[K" if self._terminal else ""
        self._write(f"{start}gradtrace: {os.path.basename(self._path)}: {text}{end}")
        self._open = end == ""

    def _write(self, text):
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):
            self._on = False


def read(handle):
    """The library's struct gtr_record_progress of a recorder."""
    progress = _library.RecordProgress()
    _library.load().gtr_recorder_progress(handle, byref(progress))
    return progress


def _is_terminal():
    try:
        return sys.stderr.isatty()
    except (OSError, ValueError, AttributeError):
        return False


def _size(n_bytes):
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if n_bytes < 1000 or unit == "TB":
            return f"{n_bytes:.3g} {unit}" if n_bytes < 1000 else f"{n_bytes:,.0f} {unit}"
        n_bytes /= 1000
