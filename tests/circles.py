#!/usr/bin/env python3
"""circles.py - which object files need each other in a circle, by their symbols.

    tests/circles.py BUILD     reads BUILD/{lib,tools}/**/*.o with nm

A circle is a set of files each of which needs all others (a strongly connected component).  Prints
each with its members; what breaks the rule of this house is a line with "FILE: WHY": a circle that
joins two rooms, or more than MOST circles inside rooms.
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
    inside = 0
    for members in components(graph):
        rooms = sorted({str(Path(name).parent) for name in members})
        inside += len(rooms) == 1
        print(("circle in " if len(rooms) == 1 else "CIRCLE OF ROOMS ") + ", ".join(rooms))
        for name in members:
            others = sorted(graph[name] & set(members))
            print("  ", Path(name).name, "->", *(Path(other).name for other in others))
        if len(rooms) > 1:
            print(f"{members[0]}: a circle joins {', '.join(rooms)}")
    if inside > MOST:
        print(f"{inside} circles inside rooms, {MOST} are allowed")


if __name__ == "__main__":
    main()
