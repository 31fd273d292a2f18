# SPDX-License-Identifier: GPL-2.0-or-later
"""pam_radius as it is, asked by pamtester and by an OpenSSH server."""
import time

import pytest

from lib import netns
from lib.pam import PamRadius, Sshd
from lib.process import free_port
from lib.radius_server import FreeRadius
from lib.ring import new_recovery_code
from lib.story import SHOWING, Way, every_scenario, tell
from lib.user import Enrolled, User

WHY_NOT = netns.refusal("-m")
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")

PROMPT, WRONG = "Enter the 6-digit code: ", "Wrong code. Enter the 6-digit code: "


@pytest.fixture(scope="module")
def radius(slapd, ring):
    """pam_radius shows the text of a challenge, and none of a reject."""
    with FreeRadius(slapd, ring=ring, instance={"locked": "challenge"}) as server:
        yield server


@pytest.fixture(scope="module")
def pam(radius):
    with PamRadius([radius.port]) as service:
        yield service


def lock(user):
    user.set(peruserMfaFailures=f"6 {int(time.time())} AAAAAAAAAAAAAAAAAAAAAA")


# ---- pamtester

def test_user_without_mfa(slapd, pam):
    user = User(slapd)
    assert pam.login(user, user.password)[0]
    assert not pam.login(user, "not-it")[0]


def test_login(slapd, pam):
    user = Enrolled(slapd)
    accepted, shown = pam.login(user, user.password, user.device.code())
    assert accepted and PROMPT in shown
    assert not pam.login(user, "not-it", user.device.code(1))[0]


def test_wrong_code_then_right_code(slapd, pam):
    user = Enrolled(slapd)
    accepted, shown = pam.login(user, user.password, user.device.wrong(), user.device.code())
    assert accepted and PROMPT in shown and WRONG in shown


def test_three_wrong_codes(slapd, pam):
    user, wrong = Enrolled(slapd), []
    for _ in range(3):
        wrong.append(user.device.wrong(wrong))
    accepted, shown = pam.login(user, user.password, *wrong, user.device.code())
    assert not accepted and shown.count(WRONG) == 2
    assert user.failures() == 3


def test_recovery_code(slapd, pam, ring):
    user, code = Enrolled(slapd), new_recovery_code()
    user.set(peruserMfaRecoveryCode=ring.recovery(code, user.entry_id))
    assert pam.login(user, user.password, code)[0]
    assert slapd.get(user.uid, "peruserMfaRecoveryCode") == []


def test_locked_user_sees_why(slapd, pam):
    user = Enrolled(slapd)
    lock(user)
    accepted, shown = pam.login(user, user.password, user.device.code())
    assert not accepted and "Too many wrong codes. Try again in " in shown, shown


def test_second_server_when_the_first_is_away(slapd, radius):
    """pam_radius tries the next line of its file, also for the code."""
    with PamRadius([free_port(), radius.port], timeout_s=1) as service:
        user = Enrolled(slapd)
        assert service.login(user, user.password, user.device.code())[0]


def test_unenrolled_user_is_shown_the_address(slapd, ring):
    """A client that shows challenges only: unenrolled = challenge."""
    with FreeRadius(slapd, ring=ring, instance={"unenrolled": "challenge",
                                                "message.unenrolled": "Set it up: https://mfa.example.org/"}) as server, \
            PamRadius([server.port]) as service:
        user = User(slapd, peruserMfaEnabled="TRUE")
        accepted, shown = service.login(user, user.password, "")
        assert not accepted and "https://mfa.example.org/" in shown


class Pamtester(Way):
    """pamtester, at a server that shows each refusal as a challenge."""

    name = "pamtester with pam_radius"

    def __init__(self, pam):
        self.login = pam.login


@pytest.fixture(scope="module")
def pamtester(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance=SHOWING) as server, PamRadius([server.port]) as service:
        yield Pamtester(service)


@every_scenario
def test_story(slapd, pamtester, scenario, record_property):
    tell(pamtester, scenario, slapd, record_property)


# ---- sshd

@pytest.fixture(scope="module")
def people(slapd):
    return {"plain": User(slapd), **{name: Enrolled(slapd) for name in ("login", "twice", "locked", "never")}}


@pytest.fixture(scope="module")
def sshd(pam, people):
    with Sshd(pam, [user.uid for user in people.values()]) as server:
        yield server


def test_ssh_without_mfa(sshd, people):
    user = people["plain"]
    output, prompts, _ = sshd.login(user, user.password, command="id -un")
    assert output.strip() == user.uid and len(prompts) == 1
    assert sshd.login(user, "not-it")[0] == ""


def test_ssh_asks_for_the_code(sshd, people):
    user = people["login"]
    output, prompts, _ = sshd.login(user, user.password, user.device.code(), command="id -un")
    assert output.strip() == user.uid
    assert len(prompts) == 2 and prompts[1].endswith(PROMPT)


def test_ssh_wrong_code_then_right_code(sshd, people):
    user = people["twice"]
    output, prompts, _ = sshd.login(user, user.password, user.device.wrong(), user.device.code())
    assert output == "in\n" and prompts[2].endswith(WRONG)


def test_ssh_without_the_code(sshd, people):
    user = people["never"]
    output, prompts, _ = sshd.login(user, user.password, user.password)
    assert output == "" and len(prompts) >= 2


def test_ssh_shows_the_lock(sshd, people):
    user = people["locked"]
    lock(user)
    output, prompts, shown = sshd.login(user, user.password, user.device.code())
    assert output == "" and "Too many wrong codes. Try again in " in shown + "".join(prompts), shown
