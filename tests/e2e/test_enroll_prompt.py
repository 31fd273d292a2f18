# SPDX-License-Identifier: GPL-2.0-or-later
"""Somebody who has to enroll does so in a browser while the login waits, and gets in by the same login."""
import pytest

from lib import netns
from lib.ocserv import Ocserv
from lib.openvpn import static_challenge
from lib.page import Page, key_of
from lib.pam import PamRadius, private
from lib.radius_server import FreeRadius
from lib.terminal import converse
from lib.totp import Device
from lib.user import User

TEXT = "Set up two-factor login at https://mfa.example.org/ and type the next code from your app: "
NEXT = "This code was already used. Enter the next 6-digit code: "
SITE = {"unenrolled": "enroll", "message.enroll": TEXT, "rejected": "challenge", "replayed": "challenge"}


@pytest.fixture(scope="module")
def radius(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance=SITE) as server:
        yield server


@pytest.fixture(scope="module")
def page(slapd, ring):
    with Page(slapd, ring=ring) as server:
        yield server


class Person:
    """Has a password, a browser, and a phone that is set up at last."""

    def __init__(self, slapd, page):
        self.user, self.page, self.device, self.step = User(slapd, peruserMfaEnabled="TRUE"), page, None, None

    def enroll(self):
        """What is done in the other window; returns the code that the page has seen."""
        visitor = self.page.visitor()
        assert visitor.sign_in(self.user.uid, self.user.password).status == 200
        form = visitor.get("/on")
        self.device = Device(key_of(form)).settle()
        self.step, code = self.device.step(), self.device.code()
        assert visitor.submit(form, "/on", code=code, name="Phone").status == 303
        return code

    def next_code(self):
        """Of the step after the one that the page has seen; it is right from a step before its time on."""
        return self.device.code(now=(self.step + 1) * self.device.period)


class ByPam:
    """pam_radius, asked by pamtester at a terminal."""

    def __init__(self, port):
        self.pam = PamRadius([port])

    def login(self, user, *typed):
        command = private(self.pam.mounts, ["pamtester", "mfa-test", user.uid, "authenticate"])
        status, shown = converse([str(word) for word in command], typed, r": $")
        return status == 0, shown

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pam.close()


WAYS = {"ocserv and openconnect": Ocserv, "pam_radius": ByPam}


@pytest.fixture(scope="module", params=WAYS)
def way(request, radius):
    if request.param == "pam_radius" and netns.refusal("-m"):
        pytest.skip(netns.refusal("-m"))
    with WAYS[request.param](radius.port) as server:
        yield server


def flat(shown):
    return " ".join(shown.split())


def test_who_enrolls_at_the_prompt_gets_in(slapd, page, way):
    person = Person(slapd, page)
    accepted, shown = way.login(person.user, person.user.password, lambda: person.enroll() and person.next_code())
    assert accepted and TEXT.strip() in flat(shown), shown
    assert person.user.get("peruserMfaLastUse").split()[0] == str(person.step + 1)


def test_the_code_that_confirmed_the_phone_is_not_enough(slapd, page, way):
    person = Person(slapd, page)
    accepted, shown = way.login(person.user, person.user.password, person.enroll, person.next_code)
    assert accepted and NEXT.strip() in flat(shown), shown


def test_who_answers_before_enrolling_is_asked_again(slapd, page, way):
    person = Person(slapd, page)
    accepted, shown = way.login(person.user, person.user.password, "123456",
                                lambda: person.enroll() and person.next_code())
    assert accepted and flat(shown).count(TEXT.strip()) == 2, shown


def test_who_gives_up_is_not_let_in(slapd, page, way):
    person = Person(slapd, page)
    accepted, shown = way.login(person.user, person.user.password, "123456")
    assert not accepted and TEXT.strip() in flat(shown), shown
    assert person.user.get("peruserMfaLastUse") is None


def test_a_static_challenge_is_no_prompt(slapd, radius):
    """The code was typed together with the password: the answer is the reject that tells where to enroll."""
    user = User(slapd, peruserMfaEnabled="TRUE")
    with radius.client() as client:
        reply = client.password(user.uid, static_challenge(user.password, "123456"))
        assert reply.rejected and "You have to set up two-factor login" in reply.message
