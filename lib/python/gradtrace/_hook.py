"""_hook.py - the recording of a script that knows nothing of it, for `gradtrace record`.

start() is called by start/sitecustomize.py when the script has just imported torch.  What follows
is in parts: _hook_torch.py listens to torch, _hook_session.py decides which trace an optimizer
belongs to, _hook_rows.py what becomes a row of it, _hook_names.py what its parameters are called,
_hook_watch.py looks for what is not listened to.  Here are settings, the ways in which a process
ends, and what the user is told.
"""

import atexit
import json
import os
import signal
import sys

from . import _hook_torch
from ._hook_session import Session


class Talk:
    """What is told: to the program that waits, for the end; warnings and failures at once."""

    def __init__(self, note):
        self._note = note
        self._told = set()

    def note(self, kind, text=""):
        self._note(kind, text)

    def once(self, text):
        """A remark for the end of the run."""
        if text not in self._told:
            self._told.add(text)
            self._note("note", text)

    def warn(self, text):
        """What cannot wait for the end of the run."""
        if text not in self._told:
            self._told.add(text)
            _say(text)

    def failed(self, text):
        if text in self._told:
            return
        self._told.add(text)
        self._note("failed", text)
        _say(f"{text}; the run goes on")


def _say(text):
    try:
        sys.stderr.write(f"gradtrace record: {text}\n")
    except Exception:
        pass  # a closed stderr is the run's own affair


def start(folder, note):
    """Called once in each process that imports torch.  Raises nothing."""
    talk = Talk(note)
    try:
        with open(os.path.join(folder, "settings.json"), encoding="utf-8") as file:
            settings = json.load(file)
        session = Session(folder, settings, talk)
        _hook_torch.install(session)
        _watch_the_end(session)
        note("torch")
    except Exception as error:
        talk.failed(f"nothing is recorded: {type(error).__name__}: {error}")


def _watch_the_end(session):
    """Completes the traces however this process ends, SIGKILL excepted."""
    atexit.register(lambda: session.close(not _has_raised()))
    os.register_at_fork(after_in_child=session.forked)
    leave = os._exit

    def _exit(status):
        session.close(status == 0)
        leave(status)

    os._exit = _exit
    session.on_first_row = lambda: _complete_on_signals(session)


def _has_raised():
    """Has an exception ended the script?  Then Python keeps it for a debugger."""
    return getattr(sys, "last_type", None) is not None


def _complete_on_signals(session):
    """A trace in one file is complete only once closed, and SIGTERM, or SIGHUP when a terminal is
    closed, would end Python without that.

    Only where the script has not said what they are to do; then Python dies of it, as it would
    have.  A folder of segments (.gtr) needs none of this: what it holds is complete at all times.
    """
    if not session.settings["output"].endswith(".gtr"):
        try:
            for number in (signal.SIGTERM, signal.SIGHUP):
                if signal.getsignal(number) is signal.SIG_DFL:
                    signal.signal(number, lambda number, frame: _die_of(session, number))
        except ValueError:
            pass  # not in the main thread


def _die_of(session, number):
    session.close()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
