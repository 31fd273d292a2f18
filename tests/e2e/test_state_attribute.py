# SPDX-License-Identifier: GPL-2.0-or-later
"""The sealed State: whatever is not exactly ours, now, for this user and NAS, gets nobody in."""
import os
import string
import time

import pytest

from lib.client import pap
from lib.radius_server import FreeRadius
from lib.ring import Ring
from lib.user import Enrolled, User

BASE64URL = string.ascii_letters + string.digits + "-_"


def refused_with_a_reason(radius, reply, mark):
    """Rejected, and the reason is in the log as well."""
    assert reply.rejected and reply.reason
    assert reply.reason in radius.log(mark)
    return reply.reason


def test_shape(slapd, client):
    for _ in range(5):
        state = Enrolled(slapd).challenge(client).state
        assert state.startswith(b"pm1.") and len(state) <= 253
        assert set(state[4:].decode("ascii")) <= set(BASE64URL)


def test_each_login_has_its_own(slapd, client):
    user = Enrolled(slapd)
    assert user.challenge(client).state != user.challenge(client).state


def test_altered_in_each_byte(slapd, client):
    user = Enrolled(slapd)
    state, code = user.challenge(client).state, user.device.code()
    for at in range(len(state)):
        for other in {b"A", b"b", bytes([state[at] ^ 0x80])} - {state[at:at + 1]}:
            changed = state[:at] + other + state[at + 1:]
            assert user.answer(client, changed, code).rejected, at
    assert user.failures() == 0
    assert user.answer(client, state, code).accepted


def test_altered_state_says_why(slapd, radius, client):
    user = Enrolled(slapd)
    state = bytearray(user.challenge(client).state)
    state[40] = ord("A") if state[40] != ord("A") else ord("B")
    mark = radius.mark()
    refused_with_a_reason(radius, user.answer(client, bytes(state), user.device.code()), mark)


def test_cut(slapd, client):
    user = Enrolled(slapd)
    state, code = user.challenge(client).state, user.device.code()
    for length in [*range(4, len(state), 7), len(state) - 1]:
        assert user.answer(client, state[:length], code).rejected
    for longer in (state + b"A", state + b"=", state + state[:20]):
        assert user.answer(client, longer, code).rejected
    assert user.answer(client, state, code).accepted


@pytest.mark.parametrize("make", [User, Enrolled])
def test_of_another_user(slapd, radius, client, make):
    user, other = Enrolled(slapd), make(slapd)
    challenge = user.challenge(client)
    mark = radius.mark()
    refused_with_a_reason(radius, client.code(other.uid, challenge, user.device.code()), mark)


def test_of_another_nas(slapd, radius, client):
    user = Enrolled(slapd)
    challenge = user.challenge(client)
    mark = radius.mark()
    with radius.client(nas="nas-2") as elsewhere:
        refused_with_a_reason(radius, user.answer(elsewhere, challenge, user.device.code()), mark)
    assert user.answer(client, challenge, user.device.code()).accepted


def test_nas_without_a_name_is_told_by_its_address(slapd, radius):
    user = Enrolled(slapd)
    with radius.client(nas=None) as client:
        challenge = user.challenge(client, NAS_IP_Address="192.0.2.1")
        assert user.answer(client, challenge, user.device.code(), NAS_IP_Address="192.0.2.2").rejected
        assert user.answer(client, challenge, user.device.code(), NAS_IP_Address="192.0.2.1").accepted


def test_second_packet_may_lack_the_calling_station(slapd, client):
    user = Enrolled(slapd)
    challenge = user.challenge(client, Calling_Station_Id="198.51.100.7", NAS_Port=3)
    assert user.answer(client, challenge, user.device.code()).accepted


@pytest.mark.parametrize("service_type", [None, 1, 2, 5, 8], ids=str)
def test_service_type_does_not_matter(slapd, client, service_type):
    user = Enrolled(slapd)
    extra = {} if service_type is None else {"Service_Type": service_type}
    assert user.login(client, **extra).accepted


def test_binding_is_the_administrators_choice(slapd, ring):
    instance = {"challenge.bind": "%{Calling-Station-Id}"}
    with FreeRadius(slapd, ring=ring, instance=instance) as server, server.client() as client, \
            server.client(nas="nas-2") as elsewhere:
        user = Enrolled(slapd)
        challenge = user.challenge(client, Calling_Station_Id="198.51.100.7")
        assert user.answer(client, challenge, user.device.code(), Calling_Station_Id="198.51.100.8").rejected
        assert user.answer(elsewhere, challenge, user.device.code(), Calling_Station_Id="198.51.100.7").accepted


def test_expired(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance={"challenge.lifetime": 10}) as server, server.client() as client:
        user = Enrolled(slapd)
        challenge = user.challenge(client)
        assert challenge.get("Session-Timeout") == 10
        early = user.challenge(client)
        assert user.answer(client, early, user.device.code()).accepted
        time.sleep(11)
        mark = server.mark()
        reply = user.answer(client, challenge, user.device.code(1))
        refused_with_a_reason(server, reply, mark)
        assert reply.result == "expired"
        assert user.failures() == 0


def test_sealed_by_an_unknown_key(slapd, radius, client):
    user = Enrolled(slapd)
    with FreeRadius(slapd, ring=Ring("foreign")) as stranger, stranger.client() as other:
        challenge = user.challenge(other)
    mark = radius.mark()
    assert "key" in refused_with_a_reason(radius, user.answer(client, challenge, user.device.code()), mark)


def test_sealed_by_another_key_of_that_name(slapd, client):
    user = Enrolled(slapd)
    with FreeRadius(slapd, ring=Ring("k1")) as stranger, stranger.client() as other:
        challenge = user.challenge(other)
    assert user.answer(client, challenge, user.device.code()).rejected


def test_noise_behind_our_prefix(slapd, radius, client):
    user = Enrolled(slapd)
    for size in (0, 1, 12, 28, 100, 249):
        mark = radius.mark()
        refused_with_a_reason(radius, client.code(user.uid, b"pm1." + os.urandom(size), user.device.code()), mark)
    assert client.ask(pap(user.uid, user.device.code())
                      + [("State", b"pm1." + os.urandom(249)), ("State", os.urandom(51))]).rejected


@pytest.mark.parametrize("state", [os.urandom(16), os.urandom(253), b"", b"\0" * 16, b"pm", b"PM1.AAAA", b"pm2.AAAA"],
                         ids=["eap", "253 bytes", "empty", "zeros", "pm", "capitals", "another version"])
def test_state_of_somebody_else_is_left_alone(slapd, client, state):
    """It is as if there were none: the password is asked for, and a code is no password."""
    user, plain = Enrolled(slapd), User(slapd)
    assert client.code(user.uid, state, user.password).challenged
    assert client.code(user.uid, state, user.device.code()).rejected
    assert client.code(plain.uid, state, plain.password).accepted


def test_password_with_our_state_is_a_wrong_code(slapd, client):
    user = Enrolled(slapd)
    reply = user.answer(client, user.challenge(client), user.password)
    assert reply.challenged and reply.message.startswith("Wrong code")
