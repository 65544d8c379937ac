#!/usr/bin/env python3
"""readme.py - what the READMEs show is what the program prints.

Runs the lines that begin with "$ " in their ```console blocks, from the top of the tree, and
compares what each prints with the lines below it.  A line "..." stands for any lines.  `gradtrace`
is the program named by the environment variable GRADTRACE.  Then checks that files they link to are
there.
"""

import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
READMES = (
    "README.md", "lib/README.md", "lib/policy/README.md", "tests/README.md", "tools/README.md",
    "traces/README.md", "traces/FORMAT.md"
)


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


def run_session(command, wanted, path):
    """Whether the command prints what it should; if not, tells what it did."""
    run = subprocess.run(
        ["bash", "-c", command], cwd=ROOT, env={**os.environ, "PATH": path},
        capture_output=True, text=True, check=False,
    )
    got = [line.rstrip() for line in run.stdout.rstrip("\n").split("\n")]
    if run.returncode == 0 and matches(got, wanted or [""]):
        return True
    print(f"FAILED $ {command}\n(status {run.returncode}) it printed")
    print(run.stdout + run.stderr)
    return False


def lost_links(name, text):
    """Links of a file to files that are not there."""
    folder = os.path.dirname(os.path.join(ROOT, name))
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    return [target for target in targets if not os.path.exists(os.path.join(folder, target))]


def main():
    program = os.environ.get("GRADTRACE", os.path.join(ROOT, "build", "gradtrace"))
    path = os.path.dirname(program) + os.pathsep + os.environ["PATH"]
    results = []
    for name in READMES:
        with open(os.path.join(ROOT, name), encoding="utf-8") as readme:
            text = readme.read()
        results += [run_session(command, wanted, path) for command, wanted in sessions(text)]
        lost = lost_links(name, text)
        for target in lost:
            print(f"FAILED {name} links to {target}, which is not there")
        results.append(not lost)
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return not all(results)


if __name__ == "__main__":
    sys.exit(main())
