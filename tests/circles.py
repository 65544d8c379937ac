#!/usr/bin/env python3
"""circles.py - which object files need each other in a circle, by their symbols.

    tests/circles.py BUILD     from the top of the tree; reads BUILD/{lib,tools}/**/*.o with nm

A circle is a set of files each of which needs all others (a strongly connected component).  Prints
each with its members.  Exit status 1 if one joins two rooms, or if there are more than MOST.
"""

import subprocess
import sys
from pathlib import Path

MOST = 6  # a table that names its members, and they its helpers, is a circle that nobody minds


def symbols(build):
    """Two maps: symbol -> the object that defines it, object -> symbols that it needs."""
    defines, needs = {}, {}
    for path in sorted(build.glob("lib/**/*.o")) + sorted(build.glob("tools/**/*.o")):
        name = str(path.relative_to(build))
        if not (Path(name).with_suffix(".c").exists() or Path(name).with_suffix(".cu").exists()):
            continue  # left over from before a file was moved
        needs[name] = set()
        listing = subprocess.run(["nm", "-g", path], capture_output=True, text=True, check=True)
        for line in listing.stdout.splitlines():
            *_, kind, symbol = line.split()
            if kind == "U":
                needs[name].add(symbol)
            elif kind not in "wv":
                defines[symbol] = name
    return defines, needs


def components(graph):
    """Tarjan's strongly connected components of more than one member."""
    index, low, stack, on_stack, found = {}, {}, [], set(), []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        on_stack.add(node)
        for other in sorted(graph[node]):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in on_stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            members = set()
            while node not in members:
                members.add(stack.pop())
            on_stack.difference_update(members)
            if len(members) > 1:
                found.append(sorted(members))

    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def main():
    sys.setrecursionlimit(10000)
    defines, needs = symbols(Path(sys.argv[1]))
    graph = {
        name: {defines[s] for s in wanted if s in defines} - {name}
        for name, wanted in needs.items()
    }
    circles = components(graph)
    joined = 0
    for members in circles:
        rooms = sorted({str(Path(name).parent) for name in members})
        joined += len(rooms) > 1
        print(f"a circle {'joins' if len(rooms) > 1 else 'in'} {', '.join(rooms)}:")
        for name in members:
            others = sorted(Path(other).name for other in graph[name] & set(members))
            print(f"    {Path(name).name} -> {' '.join(others)}")
    print(f"{len(circles)} circles, {MOST} are allowed; {joined} join rooms, none may")
    return joined > 0 or len(circles) > MOST


if __name__ == "__main__":
    sys.exit(main())
