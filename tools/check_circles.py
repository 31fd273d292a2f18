#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""No circle of includes: a file and its header are one unit, and no unit needs itself by way of others.

    tools/check_circles.py FOLDER...

Circles of before are listed in KNOWN.  Such a circle may lose units, it may not gain any.
"""
import collections
import os
import re
import sys

KNOWN = [
    "enroll/draft enroll/code enroll/guess enroll/layout enroll/mail enroll/pages enroll/web",
]
INCLUDE = re.compile(r'^#include "([^"]+)\.h"', re.M)


def units(folders):
    """Which unit includes which; includes of another part are left out, since tools/check_layers.sh looks at them."""
    found = collections.defaultdict(set)
    for place in [place for folder in folders for place in os.walk(folder)]:
        for name in sorted(place[2]):
            unit, ending = os.path.splitext(f"{place[0]}/{name}")
            if ending in (".c", ".h"):
                with open(f"{place[0]}/{name}", encoding="utf-8") as file:
                    found[unit] |= {to for to in INCLUDE.findall(file.read())
                                    if to.partition("/")[0] == unit.partition("/")[0]} - {unit}
    return found


def reached(graph, start):
    seen, todo = set(), [start]
    while todo:
        new = graph.get(todo.pop(), set()) - seen
        seen |= new
        todo += new
    return seen


def circles(graph):
    """Sets of units that all need each other."""
    reach = {unit: reached(graph, unit) for unit in graph}
    return {frozenset(other for other in reach[unit] if unit in reach.get(other, ())) for unit in graph
            if unit in reach[unit]}


def main():
    known = [frozenset(line.split()) for line in KNOWN]
    found = circles(units(sys.argv[1:]))
    new = [circle for circle in found if not any(circle <= old for old in known)]
    for circle in new:
        print("check_circles: these include each other:", *sorted(circle))
    return 1 if new else 0


if __name__ == "__main__":
    sys.exit(main())
