#!/usr/bin/env python3
"""readme.py - what README.md shows is what the program prints.

Runs the lines that begin with "$ " in its ```console blocks, from the top of the tree, and compares
what each prints with the lines below it.  A line "..." stands for any lines.  `gradtrace` is the
program named by the environment variable GRADTRACE.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def sessions(text):
    """(command, expected lines) of every console block."""
    for block in re.findall(r"^```console\n(.*?)^```", text, re.M | re.S):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            command, *lines = part.rstrip("\n").split("\n")
            while command.endswith("\\"):
                command = command[:-1] + lines.pop(0)
            while lines and not lines[-1]:
                lines.pop()
            yield command, lines


def matches(lines, wanted):
    """Whether `lines` are `wanted`, in which "..." is any number of lines."""
    parts = re.escape("\n".join(wanted) + "\n").split(re.escape("...\n"))
    return re.fullmatch("(?:.*\n)*?".join(parts), "\n".join(lines) + "\n") is not None


def main():
    program = os.environ.get("GRADTRACE", os.path.join(ROOT, "build", "gradtrace"))
    path = os.path.dirname(program) + os.pathsep + os.environ["PATH"]
    passed = failed = 0
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as readme:
        for command, wanted in sessions(readme.read()):
            run = subprocess.run(
                ["bash", "-c", command], cwd=ROOT, env={**os.environ, "PATH": path},
                capture_output=True, text=True, check=False,
            )
            got = [line.rstrip() for line in run.stdout.rstrip("\n").split("\n")]
            if run.returncode == 0 and matches(got, wanted or [""]):
                passed += 1
                continue
            failed += 1
            print(f"FAILED $ {command}\n(status {run.returncode}) it printed")
            print(run.stdout + run.stderr)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
