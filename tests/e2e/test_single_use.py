# SPDX-License-Identifier: GPL-2.0-or-later
"""A code is used once, on every server; a retransmission is not a second use."""
import threading
import time

import pytest

from lib.client import pap
from lib.radius_server import FreeRadius
from lib.ring import new_recovery_code
from lib.user import Enrolled, User

ROUNDS = 200


@pytest.fixture(scope="module")
def servers(slapd, ring):
    """Two processes with one key ring and one directory."""
    options = {"ring": ring, "debug": 0, "echo": False}
    with FreeRadius(slapd, **options) as one, FreeRadius(slapd, **options) as two:
        yield one, two


@pytest.fixture
def nases(servers):
    with servers[0].client() as one, servers[1].client() as two:
        yield one, two


def codes_at_once(*requests):
    """Send (client, packet) pairs as close together as one thread can; the replies in that order."""
    for client, packet in requests:
        client.send(packet)
    return [client.receive(packet) for client, packet in requests]


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_code_of_a_used_or_older_step_is_refused(slapd, client, offset):
    user = Enrolled(slapd)
    user.device.settle()
    assert user.login(client, 1).accepted
    reply = user.login(client, offset)
    assert reply.rejected and reply.result == "replayed"


@pytest.mark.parametrize("offset", [-1, 0, 1])
def test_one_step_of_delay_is_accepted_either_way(slapd, client, offset):
    user = Enrolled(slapd)
    user.device.settle()
    assert user.login(client, offset).accepted


@pytest.mark.parametrize("offset", [-3, -2, 3])
def test_code_outside_of_the_window_is_wrong(slapd, client, offset):
    user = Enrolled(slapd)
    user.device.settle()
    assert user.login(client, offset).challenged
    assert user.failures() == 1


def test_drift_seen_at_the_last_use_moves_the_window(slapd, client):
    """RFC 6238 section 6: a token that was one step late yesterday may be two late today."""
    user = Enrolled(slapd)
    user.device.settle()
    yesterday = int(time.time()) - 86400
    user.set(peruserMfaLastUse=f"{user.device.step(-1, yesterday)} {yesterday} AAAAAAAAAAAAAAAA")
    assert user.login(client, -2).accepted
    assert user.login(client, 2).challenged


def test_user_types_three_codes_one_after_the_other(slapd, client):
    user = Enrolled(slapd)
    user.device.settle()
    assert all(user.login(client, offset).accepted for offset in (-1, 0, 1))


def test_two_servers_one_code(slapd, nases):
    """Two logins at two servers, one code sent to both at the same moment: exactly one gets in."""
    seen = {}
    for _ in range(ROUNDS):
        user = Enrolled(slapd)
        code = user.device.code()
        replies = codes_at_once(*[
            (nas, nas.packet(pap(user.uid, code, user.challenge(nas).state))) for nas in nases])
        accepted = tuple(reply.accepted for reply in replies)
        seen[accepted] = seen.get(accepted, 0) + 1
        assert sum(accepted) == 1, (accepted, user.get("peruserMfaLastUse"))
        assert not any(reply.challenged for reply in replies)
    assert len(seen) == 2, f"one server won all of {ROUNDS} rounds: that was no race"


def test_eight_logins_one_code(slapd, servers):
    """The same from eight threads, four at each server."""
    for _ in range(10):
        user = Enrolled(slapd)
        code = user.device.code()
        accepted, barrier = [], threading.Barrier(8)

        def login(server):
            with server.client() as nas:
                challenge = user.challenge(nas)
                barrier.wait()
                accepted.append(user.answer(nas, challenge, code).accepted)

        threads = [threading.Thread(target=login, args=(servers[i % 2],)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(accepted) == 8 and sum(accepted) == 1


def test_two_servers_one_recovery_code(slapd, nases, ring):
    for _ in range(30):
        user, code = Enrolled(slapd), new_recovery_code()
        user.set(peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id)])
        replies = codes_at_once(*[
            (nas, nas.packet(pap(user.uid, code, user.challenge(nas).state))) for nas in nases])
        assert sum(reply.accepted for reply in replies) == 1


def test_first_use_is_a_race_as_well(slapd, nases):
    """No LastUse yet: nothing to delete, so it must be the add that fails."""
    for _ in range(20):
        user = Enrolled(slapd)
        assert user.get("peruserMfaLastUse") is None
        code = user.device.code()
        replies = codes_at_once(*[
            (nas, nas.packet(pap(user.uid, code, user.challenge(nas).state))) for nas in nases])
        assert sum(reply.accepted for reply in replies) == 1


def test_retransmission_to_the_other_server_is_accepted_again(slapd, nases):
    """The NAS lost the Accept and asks elsewhere with the same State and code."""
    user = Enrolled(slapd)
    challenge, code = user.challenge(nases[0]), user.device.code()
    assert user.answer(nases[0], challenge, code).accepted
    written = user.get("peruserMfaLastUse")
    assert user.answer(nases[1], challenge, code).accepted
    assert user.get("peruserMfaLastUse") == written


def test_retransmission_at_the_same_moment_is_accepted_by_both(slapd, nases):
    for _ in range(20):
        user = Enrolled(slapd)
        attributes = pap(user.uid, user.device.code(), user.challenge(nases[0]).state)
        replies = codes_at_once(*[(nas, nas.packet(attributes)) for nas in nases])
        assert all(reply.accepted for reply in replies)


def test_same_packet_sent_twice_is_answered_alike(slapd, nases):
    user = Enrolled(slapd)
    nas = nases[0]
    packet = nas.packet(pap(user.uid, user.device.code(), user.challenge(nas).state))
    assert nas.receive(nas.send(packet)).accepted
    assert nas.receive(nas.send(packet)).accepted


def test_state_of_an_accepted_login_takes_no_other_code(slapd, nases):
    user = Enrolled(slapd)
    challenge = user.challenge(nases[0])
    user.device.settle()
    assert user.answer(nases[0], challenge, user.device.code()).accepted
    for code in (user.device.code(-1), user.device.wrong()):
        assert not user.answer(nases[1], challenge, code).accepted


def test_state_of_another_login_is_a_replay(slapd, nases):
    user = Enrolled(slapd)
    first, second = user.challenge(nases[0]), user.challenge(nases[0])
    code = user.device.code()
    assert user.answer(nases[0], first, code).accepted
    assert user.answer(nases[1], second, code).rejected


def test_retransmission_after_a_later_login_is_refused(slapd, nases):
    """The stored nonce is the later login's by then."""
    user = Enrolled(slapd)
    user.device.settle()
    challenge, code = user.challenge(nases[0]), user.device.code()
    assert user.answer(nases[0], challenge, code).accepted
    assert user.login(nases[1], 1).accepted
    assert not user.answer(nases[0], challenge, code).accepted


def test_code_is_not_burned_by_a_refused_login(slapd, client):
    """Only a full success uses a code up."""
    user = Enrolled(slapd)
    code = user.device.code()
    other = User(slapd)
    assert client.code(other.uid, user.challenge(client), code).rejected
    assert user.answer(client, user.challenge(client), code).accepted
