"""_progress.py - what a person wants to know about the size of a recording, while it grows.

    before the first step     bytes a step and in all, what the disk has left
    once steps have a length  bytes an hour; told even where all else is quiet: a disk that is full
                              within the hour
    now and then              steps, bytes, bytes a second, what was dropped

Lines go to stderr: on a terminal, nothing in a log.  The Recorder of a script that knows of it
rewrites one line; `gradtrace record`, whose script may print as well, writes whole ones, rarer and
rarer.
"""

import os
import sys
import time

_TERMINAL_SECONDS = 2.0  # between two lines
_LOG_SECONDS = 60.0
_TIMED_STEPS = 5  # beside the first, which is slow; and so many seconds
_TIMED_SECONDS = 2.0
_HOUR = 3600.0


class Progress:
    """progress=None: on a terminal, for the first rank; True: always; False: never.

    Whatever goes wrong here ends the talking and nothing else.
    """

    def __init__(self, progress, path, rank=0, speaker="gradtrace", whole_lines=False):
        self._path = path
        self._speaker = speaker
        self._terminal = _is_terminal()
        self._on = self._terminal and rank == 0 if progress is None else bool(progress)
        self._whole_lines = whole_lines or not self._terminal
        self._pause = _TERMINAL_SECONDS if self._terminal else _LOG_SECONDS
        self._next = time.monotonic() + self._pause
        self._last = None  # (time, bytes)
        self._timed = None  # (time, steps) at the end of the first step; () when done with
        self._estimate = None
        self._open = False  # a line without its end is on the screen

    def announce(self, handle):
        """Before the first step: how much it will be."""
        self._estimate = estimate = handle.estimate()
        parts = [f"{size(estimate.step_bytes)} a step"]
        if estimate.spike_bytes:
            parts.append(f"at most {size(estimate.spike_bytes)} around a spike")
        if estimate.run_bytes:
            parts.append(f"{size(estimate.run_bytes)} in all")
        if estimate.free_bytes:
            parts.append(f"{size(estimate.free_bytes)} free")
        self._say(", ".join(parts), "\n")

    def step(self, handle):
        """After a step.  Returns what must be told in any case, or None."""
        if self._timed == () and not self._on:
            return None
        now = time.monotonic()
        remark = None if self._timed == () else self._time(now, handle)
        if self._on and now >= self._next:
            self._tell(now, handle.progress())
        return remark

    def end(self):
        if self._open:
            self._write("\n")
            self._open = False

    def _time(self, now, handle):
        """Bytes an hour, once; alarm if the disk is full before that."""
        if self._timed is None:
            self._timed = now, handle.progress().steps
            return None
        began, steps = self._timed
        if now - began < _TIMED_SECONDS:
            return None
        steps = handle.progress().steps - steps
        if steps < _TIMED_STEPS:
            return None
        self._timed = ()
        seconds = (now - began) / steps
        hourly = self._estimate.step_bytes * _HOUR / seconds
        self._say(f"{seconds:.3g} s a step, {size(hourly)} an hour", "\n")
        free, in_all = self._estimate.free_bytes, self._estimate.run_bytes
        if free == 0 or in_all or hourly <= free:  # a run of known length has been judged by it
            return None
        return (
            f"{self._path}: {size(free)} are free, which this recording fills in "
            f"{60 * free / hourly:.2g} minutes"
        )

    def _tell(self, now, done):
        since, before = self._last or (now - self._pause, 0)
        rate = (done.bytes_written - before) / max(now - since, 1e-9)
        self._last = now, done.bytes_written
        if self._whole_lines and self._terminal:
            self._pause = min(2 * self._pause, _LOG_SECONDS)
        self._next = now + self._pause
        text = f"{done.steps:,} steps, {size(done.bytes_written)}, {size(rate)}/s"
        if done.spikes:
            text += f", {done.spikes:,} spikes"
        if done.dropped:
            text += f", {done.dropped:,} captures dropped"
        if done.seconds_waited >= 0.1:
            text += f", waited {done.seconds_waited:.1f} s"
        self._say(text, "\n" if self._whole_lines else "")

    def _say(self, text, end):
        if self._on:
            start = "\r\x1b[K" if self._terminal else ""
            self._write(f"{start}{self._speaker}: {os.path.basename(self._path)}: {text}{end}")
            self._open = end == ""

    def _write(self, text):
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError, AttributeError):
            self._on = False


def _is_terminal():
    try:
        return sys.stderr.isatty()
    except (OSError, ValueError, AttributeError):
        return False


def size(n_bytes):
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if n_bytes < 1000 or unit == "TB":
            return f"{n_bytes:.3g} {unit}" if n_bytes < 1000 else f"{n_bytes:,.0f} {unit}"
        n_bytes /= 1000
