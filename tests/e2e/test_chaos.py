# SPDX-License-Identifier: GPL-2.0-or-later
"""The short form of `make chaos`, and whether its judge sees what it is there for."""
import json
import subprocess
import sys

import pytest

from lib import ROOT
from lib.netns import refusal

RUN, JUDGE = ROOT / "tests/chaos/run.py", ROOT / "tests/chaos/judge.py"


@pytest.mark.skipif(bool(refusal("--net")), reason="no network namespaces")
def test_a_code_counts_once_whatever_breaks(tmp_path):
    done = subprocess.run([sys.executable, "-B", RUN, "--seconds", "25", "--history", tmp_path / "history"],
                          capture_output=True, text=True, timeout=200, check=False)
    last = done.stdout.splitlines()[-1]
    assert ", 0 double accepts, 0 replays, " in last and not last.startswith("chaos: 0 "), done.stdout + done.stderr


def judged(tmp_path, *events):
    history = tmp_path / "history"
    history.write_text("".join(json.dumps({"fault": "", "user": "u", "code": "1", "why": "", **event}) + "\n"
                               for event in events))
    done = subprocess.run([sys.executable, "-B", JUDGE, history], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[-1], done.returncode


def event(kind, login, accepted, **more):
    return {"kind": kind, "login": login, "accepted": accepted, **more}


@pytest.mark.parametrize("events, verdict, status", [
    ([], "0 rounds, 0 double accepts, 0 replays, 0 honest logins lost", 1),
    ([event("race", "a", True), event("race", "b", False)], "2 rounds, 0 double accepts, 0 replays, 0 h", 0),
    ([event("race", "a", True), event("race", "b", True)], "2 rounds, 1 double accepts, 0 replays, 0 h", 1),
    ([event("honest", "a", True), event("replay", "b", True)], "2 rounds, 0 double accepts, 1 replays, 0 h", 1),
    ([event("honest", "a", False, fault="kill x")], "1 rounds, 0 double accepts, 0 replays, 1 h", 1),
    ([event("honest", "a", False, fault="kill x + kill y")], "1 rounds, 0 double accepts, 0 replays, 0 h", 0)])
def test_the_judge_counts(tmp_path, events, verdict, status):
    line, code = judged(tmp_path, *events)
    assert line.startswith("chaos: " + verdict) and code == status
