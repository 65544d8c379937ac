"""_program.py - the command `gradtrace`, run for its numbers.

Studies (sweep, spill, doctor, ...) are asked of the program, with --json: so there is one
definition of each, a notebook that is interrupted stops them, and their memory is given back.
"""

import json
import os
import shutil
import subprocess
import sys

from . import _library
from ._library import Error


def find():
    """Path of the program: beside the library, in PREFIX/bin above it, or on the PATH.

    GRADTRACE, if set, is the only place looked at.
    """
    asked = os.environ.get("GRADTRACE")
    if asked:
        if os.path.isfile(asked):
            return asked
        raise Error(f"GRADTRACE={asked}: no such file; name the program itself")
    folder = os.path.dirname(os.path.realpath(_library.find()))
    for path in (folder, os.path.join(os.path.dirname(folder), "bin")):
        path = os.path.join(path, "gradtrace")
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    found = shutil.which("gradtrace")
    if found:
        return found
    raise Error(
        "gradtrace: the program is not beside the library and not on the PATH; run `make`, or set "
        "GRADTRACE to its path"
    )


def words(options):
    """Keywords as options: max_norm="auto" is --max-norm=auto, a list repeats, True is a flag.

    None and False are left out.
    """
    said = []
    for key, value in options.items():
        name = "--" + key.rstrip("_").replace("_", "-")
        for one in value if isinstance(value, (list, tuple)) else [value]:
            if one is True:
                said.append(name)
            elif one is not None and one is not False:
                said.append(f"{name}={one}")
    return said


def _policies(policies):
    """-p for each; a pair (policy, {key: values}) with its axes behind it, as `sweep` has them."""
    said = []
    for policy in policies:
        name, axes = (policy, {}) if isinstance(policy, str) else policy
        said.append(f"--policy={name}")
        said += [f"--set={key}={values}" for key, values in axes.items()]
    return said


def run(command, path, policies=(), **options):
    """Run `gradtrace COMMAND OPTIONS PATH`; its standard output, as bytes.

    Raises Error with the program's own words if it fails.
    """
    line = [find(), command, *_policies(policies), *words(options), "--", os.fspath(path)]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if done.returncode != 0:
        text = done.stderr.decode("utf-8", "replace").strip()
        raise Error(text or f"gradtrace {command}: exit status {done.returncode}")
    return done.stdout


def ask(command, path, policies=(), **options):
    """The same with --json=-, as Python's own lists and dicts."""
    return json.loads(run(command, path, policies, json="-", **options))


def main():
    """The command `gradtrace` of the wheel: becomes the program inside it, and no other."""
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "gradtrace")
    os.execv(program, [program, *sys.argv[1:]])
