# SPDX-License-Identifier: GPL-2.0-or-later
"""Who runs on which cores.

A directory has a machine of its own; here it has half of the cores, and what asks it
has the others. Otherwise a commit waits for a core that somebody else is using, and the
table would show how the scheduler divides the machine.
"""
import os

CORES = sorted(os.sched_getaffinity(0))
HALF = len(CORES) // 2
DIRECTORY, OTHERS = CORES[:HALF], CORES[HALF:]


def on(cores):
    """The beginning of a command that runs on these cores; nothing on a machine with one."""
    return ["taskset", "--cpu-list", ",".join(map(str, cores))] if HALF else []


def described():
    if not HALF:
        return "one core for all"
    return f"{len(DIRECTORY)} for the directory, {len(OTHERS)} for the RADIUS server and the load"
