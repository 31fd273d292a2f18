# SPDX-License-Identifier: GPL-2.0-or-later
"""What each client is tried with: the same seven logins, whatever the client.

A client is an object with a name, `login(user, *typed)`, which returns whether the user got in and all
that the client showed, and these marks:

    mode      challenge: the code is typed at a prompt; append: after the password
    retries   a wrong code is asked again within the login
    told      a refused user reads the reason

The outcome goes into the report of the tests as properties; tools/client_table.py makes a table of them.
"""
import time

import pytest

from .user import Enrolled, User

SCENARIOS = ("no MFA", "right code", "wrong, then right", "replayed", "unenrolled", "locked", "empty answer")
every_scenario = pytest.mark.parametrize("scenario", SCENARIOS)
# A site for clients that show the text of a challenge and nothing of a reject.
SHOWING = {"locked": "challenge", "replayed": "challenge", "rejected": "challenge", "unenrolled": "challenge"}


class Way:
    """The marks of a client that can do everything; a subclass says what it cannot do."""

    mode, retries, told = "challenge", True, True

    def type(self, user, *codes):
        """The words that are typed for the password and codes."""
        return [user.password, *codes] if self.mode == "challenge" else [user.password + "".join(codes)]


def _refused(way, outcome, text):
    accepted, shown = outcome
    assert not accepted, shown
    if not way.told:
        return "refused"
    assert text in " ".join(shown.split()), shown
    return "refused, with the reason"


def _no_mfa(way, slapd):
    user = User(slapd)
    assert not way.login(user, "not-it")[0]
    accepted, shown = way.login(user, user.password)
    assert accepted, shown
    return "in"


def _right_code(way, slapd):
    user = Enrolled(slapd)
    accepted, shown = way.login(user, *way.type(user, user.device.code()))
    assert accepted and user.get("peruserMfaLastUse"), shown
    return "in"


def _wrong_then_right(way, slapd):
    user = Enrolled(slapd)
    wrong, right = user.device.wrong(), user.device.code()
    if way.mode == "challenge" and way.retries:
        accepted, shown = way.login(user, *way.type(user, wrong, right))
        assert accepted, shown
        return "asked again, in"
    assert not way.login(user, *way.type(user, wrong))[0] and user.failures() == 1
    accepted, shown = way.login(user, *way.type(user, right))
    assert accepted and user.failures() == 0, shown
    return "refused, in at the next login"


def _replayed(way, slapd):
    user = Enrolled(slapd)
    typed = way.type(user, user.device.code())
    accepted, shown = way.login(user, *typed)
    assert accepted, shown
    return _refused(way, way.login(user, *typed, ""), "already used")


def _unenrolled(way, slapd):
    user = User(slapd, peruserMfaEnabled="TRUE")
    return _refused(way, way.login(user, user.password, ""), "set up two-factor login")


def _locked(way, slapd):
    user = Enrolled(slapd)
    user.set(peruserMfaFailures=f"6 {int(time.time())} AAAAAAAAAAAAAAAAAAAAAA")
    return _refused(way, way.login(user, *way.type(user, user.device.code())), "Too many wrong codes")


def _empty_answer(way, slapd):
    user = Enrolled(slapd)
    if way.mode == "append":
        _refused(way, way.login(user, user.password), "Type the code")
        assert user.failures() == 0
        return "refused, no code counted"
    accepted, shown = way.login(user, *way.type(user, "", user.device.code()))
    assert accepted and user.failures() == 0, shown
    return "asked again, in"


_STORIES = dict(zip(SCENARIOS, (_no_mfa, _right_code, _wrong_then_right, _replayed, _unenrolled, _locked, _empty_answer)))


def tell(way, scenario, slapd, record_property):
    """Play one scenario; the table gets its outcome."""
    record_property("client", way.name)
    record_property("scenario", scenario)
    record_property("mode", way.mode)
    record_property("outcome", _STORIES[scenario](way, slapd))
