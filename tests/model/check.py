#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Run spin over the model of a login, tests/model/login.pml.

    tests/model/check.py [small|full]

small, as "make test" runs it: every order of a short history, and that spin finds each rule
that is left out.  full: longer histories as well; minutes and some gigabytes.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
MODEL = os.path.join(HERE, "login.pml")
QUIET = {"ADMIN_ACTS": 0, "JUMPS": 0}
SMALL = {"an administrator": {"ADMIN_ACTS": 1, "JUMPS": 0, "REPEATS": 0},
         "an administrator, no assertion control": {"ADMIN_ACTS": 1, "JUMPS": 0, "REPEATS": 0, "ASSERTS": 0},
         "repeated packets": QUIET,
         "a clock that jumps": {"ADMIN_ACTS": 0, "JUMPS": 1, "REPEATS": 0}}
FULL = {"everything": {"ADMIN_ACTS": 2, "JUMPS": 1},
        "everything, no assertion control": {"ADMIN_ACTS": 2, "JUMPS": 1, "ASSERTS": 0}}
ONE_ACCEPT, RESET, HONEST = "accepted_for", "phone[login]>dead_then", "got||disturbed"
# What is left out, where, and the property that notices it.
BROKEN = {"a code counts again in its own step": ({**QUIET, "BREAK": 1}, ONE_ACCEPT),
          "a modify compares nothing": ({**QUIET, "BREAK": 2}, ONE_ACCEPT),
          "nothing is read again without the assertion control":
              ({"ADMIN_ACTS": 1, "JUMPS": 0, "ASSERTS": 0, "BREAK": 3}, RESET),
          "a repeated packet is a replay": ({**QUIET, "BREAK": 4}, HONEST)}


def explore(options, timeout_s):
    """What spin says about the model with these options: the assertion that failed, "" when all held."""
    words = [f"-D{name}={value}" for name, value in options.items()]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["spin", *words, "-a", MODEL], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        subprocess.run(["gcc", "-O2", "-w", "-DSAFETY", "-DCOLLAPSE", "-DVECTORSZ=2048", "-o", "pan", "pan.c"], cwd=folder,
                       check=True)
        done = subprocess.run(["./pan", "-m100000"], cwd=folder, check=True, capture_output=True, text=True,
                              timeout=timeout_s)
    failed = re.search(r"^pan:1: (.*) \(at depth", done.stdout, re.MULTILINE)
    if failed:
        return failed[1]
    if "errors: 0" not in done.stdout or "max search depth too small" in done.stdout:
        return done.stdout
    return ""


def unknown_steps():
    """Steps of the model that are named after no function of core."""
    with open(MODEL, encoding="utf-8") as file:
        steps = set(re.findall(r"^inline (mfa_\w+)\(", file.read(), re.MULTILINE))
    code = ""
    for path in glob.glob(os.path.join(HERE, "../../core/*.c")):
        with open(path, encoding="utf-8") as file:
            code += file.read()
    return sorted(step for step in steps if not re.search(rf"^\S.*\b{step}\(", code, re.MULTILINE))


def checks(full=False):
    """(name, what is wrong or "") of each check, as they are done."""
    yield "each step is a function of core", "\n".join(unknown_steps())
    for name, options in {**SMALL, **(FULL if full else {})}.items():
        yield name, explore(options, 3600 if full else 240)
    for name, (options, expected) in BROKEN.items():
        found = explore(options, 240)
        yield f"left out: {name}", "" if expected in found else f"spin should have found {expected}: {found or 'nothing'}"


def main():
    bad = 0
    for name, problem in checks(sys.argv[1:] == ["full"]):
        print(f"model: {name}: {'FAILED ' + problem if problem else 'ok'}", flush=True)
        bad += problem != ""
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
