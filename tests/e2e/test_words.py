# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts about a refusal, for clients that show the text of a challenge only, and answers that are empty."""
import time

import pytest

from lib.radius_server import FreeRadius, Later
from lib.user import Enrolled, User

SHOW = {"locked": "challenge", "replayed": "challenge", "rejected": "challenge", "unenrolled": "challenge"}
PROMPT = "Enter the 6-digit code: "
REPLAYED = "This code was already used. Wait for the next one and log in again."
REJECTED = "Wrong code. Please log in again."
RESTART = "The login took too long or was interrupted. Please log in again."
ENTER = " Press Enter: "
# One server for two kinds of clients: the policy of the documentation.
BY_CLIENT = """
	if (&NAS-Identifier == "login") {
		update control {
			&Peruser-MFA-Show := challenge
		}
	}
	elsif (&NAS-Identifier == "vpn") {
		update control {
			&Peruser-MFA-Show := reject
		}
	}
"""


@pytest.fixture(scope="module")
def showing(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance=SHOW, sections={"authorize_first": BY_CLIENT}) as server:
        yield server


@pytest.fixture
def client(showing):
    with showing.client() as nas:
        yield nas


def use_up(user, client):
    """Three wrong codes; the last reply."""
    reply, wrong = user.challenge(client), []
    for _ in range(3):
        wrong.append(user.device.wrong(wrong))
        reply = user.answer(client, reply, wrong[-1])
    return reply


def replay(user, client):
    code = user.device.code()
    assert user.answer(client, user.challenge(client), code).accepted
    return user.answer(client, user.challenge(client), code)


def lock(user, client):
    user.set(peruserMfaFailures=f"6 {int(time.time())} AAAAAAAAAAAAAAAAAAAAAA")
    return user.start(client)


def damage(user, client):
    state = user.challenge(client).state
    return user.answer(client, state[:-1] + b"!", user.device.code())


CASES = {"rejected": (use_up, REJECTED), "replayed": (replay, REPLAYED), "restart": (damage, RESTART),
         "locked": (lock, "Too many wrong codes. Try again in ")}


@pytest.mark.parametrize("name", CASES)
def test_text_is_shown_as_a_challenge_and_then_refused(slapd, client, name):
    produce, text = CASES[name]
    user = Enrolled(slapd)
    shown = produce(user, client)
    assert shown.challenged and shown.message.startswith(text) and shown.message.endswith(ENTER), shown
    failures = user.failures()
    user.set(peruserMfaFailures=None)
    for answer in ("", user.device.code(1), user.password):
        reply = user.answer(client, shown, answer)
        assert reply.rejected and reply.message == "", reply
        assert reply.result == {"restart": "rejected"}.get(name, name)
    assert user.failures() == 0 and failures < 7


@pytest.mark.parametrize("name", CASES)
def test_policy_decides_for_one_client(slapd, showing, radius, name):
    """The same server tells by a reject, and a server that tells by a reject shows a challenge."""
    produce, text = CASES[name]
    with showing.client(nas="vpn") as vpn:
        reply = produce(Enrolled(slapd), vpn)
        assert reply.rejected and reply.message.startswith(text) and not reply.message.endswith(ENTER)
    with radius.client(nas="login") as unchanged:
        assert produce(Enrolled(slapd), unchanged).rejected


def test_policy_shows_what_the_instance_does_not(slapd, ring):
    with FreeRadius(slapd, ring=ring, sections={"authorize_first": BY_CLIENT}) as server, \
            server.client(nas="login") as login, server.client(nas="other") as other:
        for produce, text in CASES.values():
            assert produce(Enrolled(slapd), login).message.startswith(text)
            assert produce(Enrolled(slapd), other).rejected
        invited = User(slapd, peruserMfaEnabled="TRUE")
        shown = invited.start(login)
        assert shown.challenged and shown.message == "You have to set up two-factor login before you can log in." + ENTER
        assert invited.answer(login, shown, "").rejected
        assert invited.start(other).rejected


def test_policy_can_use_another_text_for_the_key(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance={**SHOW, "message.press_enter": ""}) as server, server.client() as client:
        assert replay(Enrolled(slapd), client).message == REPLAYED


def test_long_text_arrives_whole_without_the_key(slapd, ring):
    """A link is never cut for the sake of "Press Enter"."""
    text = "https://mfa.example.org/" + "x" * 220
    with FreeRadius(slapd, ring=ring, instance={**SHOW, "message.unenrolled": text}) as server, server.client() as client:
        assert User(slapd, peruserMfaEnabled="TRUE").start(client).message == text


def test_text_of_another_day_is_refused_without_a_further_one(slapd, ring, client):
    with Later(slapd, ring=ring, instance=SHOW, shift_s=3600) as server, server.client() as later:
        user = Enrolled(slapd)
        reply = user.answer(later, lock(user, client), "")
        assert reply.rejected and reply.result == "locked"


@pytest.mark.parametrize("value", ["maybe", "accept", ""])
@pytest.mark.parametrize("name", ["locked", "replayed", "rejected"])
def test_other_words_stop_the_server(slapd, ring, name, value):
    with FreeRadius(slapd, ring=ring, instance={name: value}, start=False) as server:
        status, output = server.check()
        assert status != 0 and f"'{name}' must be reject or challenge" in output


# ---- empty answers

def absent(user, client, challenge):
    return client.ask([("User-Name", user.uid), ("State", challenge.state)])


def empty(user, client, challenge):
    return user.answer(client, challenge, "")


both = pytest.mark.parametrize("nothing", [absent, empty])


@both
def test_empty_answer_is_asked_again(slapd, client, nothing):
    """Without a code that counts, and without using up one of the three."""
    user = Enrolled(slapd)
    reply = user.challenge(client)
    for _ in range(4):
        reply = nothing(user, client, reply)
        assert reply.challenged and reply.message == PROMPT
    assert user.failures() == 0
    for _ in range(2):
        reply = user.answer(client, reply, user.device.wrong())
        assert reply.challenged
    assert user.answer(client, nothing(user, client, reply), user.device.code()).accepted


def test_empty_answers_do_not_prolong_the_login(slapd, ring, radius):
    with Later(slapd, ring=ring, shift_s=100) as later, Later(slapd, ring=ring, shift_s=140) as too_late, \
            radius.client() as first, later.client() as second, too_late.client() as third:
        user = Enrolled(slapd)
        reply = empty(user, second, user.challenge(first))
        assert reply.challenged
        reply = user.answer(third, reply, user.device.code(4))
        assert reply.rejected and reply.result == "expired"


@both
@pytest.mark.parametrize("change,result", [
    ({"peruserMfaEnabled": "FALSE"}, "rejected"), ({"peruserMfaSecret": None}, "unenrolled"),
    ({"peruserMfaFailures": "6 4000000000 AAAAAAAAAAAAAAAAAAAAAA"}, "locked"),
], ids=["turned off", "reset", "locked"])
def test_empty_answer_never_accepts(slapd, radius, nothing, change, result):
    """Whatever happened to the record meanwhile."""
    with radius.client() as client:
        user = Enrolled(slapd)
        challenge = user.challenge(client)
        user.set(**change)
        reply = nothing(user, client, challenge)
        assert reply.rejected and reply.result == result


@both
def test_empty_answer_of_a_remembered_device(slapd, ring, nothing):
    with FreeRadius(slapd, ring=ring, instance={"remember.lifetime": 3600}) as server, server.client() as client:
        user, device = Enrolled(slapd), {"Calling_Station_Id": "02-00-00-00-00-01"}
        challenge = user.challenge(client, **device)
        assert user.login(client, **device).accepted and user.start(client, **device).accepted
        assert nothing(user, client, challenge).challenged


def test_answer_in_mschap_is_no_empty_answer(slapd, radius):
    with radius.client() as client:
        user = Enrolled(slapd)
        reply = client.mschap2(user.uid, "123456", State=user.challenge(client).state)
        assert reply.rejected and "no code in the request" in reply.reason
