# SPDX-License-Identifier: GPL-2.0-or-later
"""The password checked by the module itself, and records kept from the challenge to the answer."""
import re
import threading
from pathlib import Path

import pytest

from lib.process import wait_until
from lib.radius_server import FreeRadius
from lib.ring import new_recovery_code
from lib.slapd import PEOPLE, RADIUS_DN
from lib.user import Enrolled, User

NOT_NEEDED = ("peruserMfaRecoveryCode", "peruserMfaVoucher", "peruserMfaTrustedDevice")
FAST = {"bind_users": True, "challenge.cache": 64}


NAME = "%{%{Stripped-User-Name}:-%{User-Name}}"
DN = {"user_dn": f"uid={NAME},{PEOPLE}"}
OPEN = {"user.filter": f"(&(uid={NAME})(!(description=closed)))"}
# Users are searched for, or their DN is made of their name; what the instance and the shared file say of it.
PLACES = {"search": ({}, {}), "dn": (DN, {}), "dn and conditions": (DN, OPEN)}


@pytest.fixture(scope="module", params=PLACES)
def place(request):
    return PLACES[request.param]


def serve(slapd, ring, place, **settings):
    """No rlm_ldap at all."""
    instance, shared = place
    return FreeRadius(slapd, ring=ring, instance={**FAST, **instance}, sections={"first_factor": ""},
                      settings={**shared, **settings})


@pytest.fixture(scope="module")
def radius(slapd, ring, place):
    with serve(slapd, ring, place) as server:
        yield server


def counted(slapd, step):
    mark = slapd.mark()
    reply = step()
    counts = slapd.operations(mark)
    return reply, counts[RADIUS_DN, "SRCH"], counts[RADIUS_DN, "MOD"]


def test_password_alone_for_a_user_without_mfa(slapd, client):
    assert User(slapd).start(client).accepted


def test_wrong_and_empty_passwords_are_refused(slapd, client):
    for make in (User, Enrolled):
        user = make(slapd)
        assert client.password(user.uid, "not-it").rejected
        assert client.password(user.uid, "").rejected
        assert user.start(client).accepted == (make is User)


def test_unknown_user_is_refused(client):
    assert client.password("nobody-here", "secret").rejected


def test_a_name_is_no_part_of_a_dn(slapd, client):
    user = User(slapd)
    for name in (f"{user.uid},{PEOPLE}", f"{user.uid}+cn=x", f"{user.uid},ou=x", "*", "", " ", f"{user.uid})(uid=*"):
        assert not client.password(name, user.password).accepted, name
    assert user.start(client).accepted


def unread(slapd):
    """Connections on which slapd has not read what was sent."""
    port = f":{slapd.port:04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(port) and int(row[4].split(":")[1], 16) > 0 for row in rows)


def test_both_operations_are_asked_for_at_once(slapd, radius, client, place):
    """A directory that sleeps has the search and the bind before it, where the DN is known and has no conditions."""
    user, replies = User(slapd), []
    for _ in range(2 * radius.threads):   # every connection of the pool is up
        assert user.start(client).accepted
    waiting = 2 if place == PLACES["dn"] else 1
    login = threading.Thread(target=lambda: replies.append(user.start(client)))
    slapd.sigstop()
    try:
        login.start()
        wait_until(lambda: unread(slapd) == waiting, what=f"{waiting} operations")
    finally:
        slapd.sigcont()
    login.join()
    assert replies[0].accepted


@pytest.mark.parametrize("place", [({}, OPEN), (DN, OPEN), (DN, {"user.filter": "(!(description=closed))"})],
                         ids=["search", "dn", "dn, conditions alone"])
def test_filter_keeps_out_before_a_password_is_tried(slapd, ring, place):
    """Else anybody who reaches RADIUS could have wrong passwords counted for entries that are none of its users."""
    closed, user = User(slapd), User(slapd)
    closed.set(description="closed")
    with serve(slapd, ring, place) as server, server.client() as nas:
        for _ in range(2 * server.threads):
            assert user.start(nas).accepted
        mark = slapd.mark()
        assert closed.start(nas).rejected and nas.password(closed.uid, "not-it").rejected
        assert slapd.operations(mark)[closed.dn, "BIND"] == 0
        closed.set(description=None)
        assert closed.start(nas).accepted
        assert slapd.operations(mark)[closed.dn, "BIND"] == 1


def test_right_password_of_an_entry_that_is_not_found(slapd, ring):
    """It was bound already when the search found nobody: neither this user nor the next gets in by it."""
    place = DN, {"user.filter": f"(cn={NAME})"}
    stranger, user = User(slapd), User(slapd)
    stranger.set(cn="another")
    with serve(slapd, ring, place) as server, server.client() as nas:
        for _ in range(2 * server.threads):
            assert user.start(nas).accepted
        for _ in range(3):
            assert stranger.start(nas).rejected
            assert nas.password(user.uid, "not-it").rejected
            assert user.start(nas).accepted


def test_restart_of_the_directory_is_not_noticed(slapd, client):
    user = User(slapd)
    assert user.start(client).accepted
    slapd.restart()
    assert user.start(client).accepted
    slapd.restart()
    assert client.password(user.uid, "not-it").rejected


def test_one_login_is_one_search_and_one_modify(slapd, client):
    user = Enrolled(slapd)
    assert user.login(client).accepted
    challenge, searches, modifies = counted(slapd, lambda: user.challenge(client))
    assert (searches, modifies) == (1, 0)
    reply, searches, modifies = counted(slapd, lambda: user.answer(client, challenge, user.device.code(1)))
    assert reply.accepted and (searches, modifies) == (0, 1)


def as_the_page_enrols(slapd, ring):
    """A user with a sealed secret and ten recovery codes, and the first of them."""
    user, codes = Enrolled(slapd), [new_recovery_code() for _ in range(10)]
    sealed = ring.seal(user.device.secret, user.entry_id)
    user.set(peruserMfaSecret=sealed, peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id) for code in codes])
    return user, codes[0]


def test_record_as_the_page_writes_it_is_kept_as_well(slapd, ring, client):
    """Nobody asks for recovery codes that are not needed."""
    user, _ = as_the_page_enrols(slapd, ring)
    mark = slapd.mark()
    challenge, searches, modifies = counted(slapd, lambda: user.challenge(client))
    assert (searches, modifies) == (1, 0)
    asked = re.findall(r"SRCH attr=(.*)", slapd.log(mark))
    assert asked and not any(name in words for words in asked for name in NOT_NEEDED), asked
    reply, searches, modifies = counted(slapd, lambda: user.answer(client, challenge, user.device.code()))
    assert reply.accepted and (searches, modifies) == (0, 1)


def test_recovery_code_is_read_when_one_was_typed(slapd, ring, client):
    user, code = as_the_page_enrols(slapd, ring)
    reply, searches, modifies = counted(slapd, lambda: user.answer(client, user.challenge(client), code))
    assert reply.accepted and (searches, modifies) == (2, 1)
    assert len(slapd.get(user.uid)["peruserMfaRecoveryCode"]) == 9
    assert user.answer(client, user.challenge(client), code).challenged, "used up"


def test_answer_again_is_not_a_replay(slapd, client):
    """The record was taken out for the first answer: the second one reads it."""
    user = Enrolled(slapd)
    challenge, code = user.challenge(client), user.device.code()
    assert user.answer(client, challenge, code).accepted
    assert user.answer(client, challenge, code).accepted


def test_code_of_another_login_is_a_replay(slapd, client):
    user = Enrolled(slapd)
    first, second, code = user.challenge(client), user.challenge(client), user.device.code()
    assert user.answer(client, first, code).accepted
    assert user.answer(client, second, code).rejected


def test_wrong_code_is_asked_again_and_counted(slapd, client):
    user = Enrolled(slapd)
    reply = user.answer(client, user.challenge(client), user.device.wrong())
    assert reply.challenged and user.failures() == 1
    assert user.answer(client, reply, user.device.code()).accepted


@pytest.mark.parametrize("change", [{"peruserMfaEnabled": "FALSE"}, {"peruserMfaSecret": None},
                                    {"peruserMfaSecret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"},
                                    {"peruserMfaFailures": "100 1800000000 AAAAAAAAAAAAAAAAAAAAAA"}])
def test_change_between_challenge_and_answer_counts(slapd, client, change):
    user = Enrolled(slapd)
    challenge = user.challenge(client)
    user.set(**change)
    assert not user.answer(client, challenge, user.device.code()).accepted
    assert user.get("peruserMfaLastUse") is None


def test_one_code_in_many_logins_at_once(slapd, radius):
    user = Enrolled(slapd)
    user.device.settle(6)
    with radius.client() as nas:
        challenges, code = [user.challenge(nas) for _ in range(8)], user.device.code()
    accepted, start = [], threading.Barrier(len(challenges))

    def answer(challenge):
        with radius.client() as nas:
            start.wait()
            accepted.append(user.answer(nas, challenge, code).accepted)

    threads = [threading.Thread(target=answer, args=(challenge,)) for challenge in challenges]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(accepted) == [False] * 7 + [True]


def test_state_of_a_server_without_the_record(slapd, ring, place, client):
    """Another server of the cluster reads what it does not have."""
    user = Enrolled(slapd)
    challenge = user.challenge(client)
    with serve(slapd, ring, place) as other, other.client() as nas:
        assert user.answer(nas, challenge, user.device.code()).accepted
    assert user.answer(client, challenge, user.device.code()).accepted   # the same login, retransmitted


def test_directory_away_is_no_accept(slapd, ring, place):
    user = User(slapd)
    with serve(slapd, ring, place, **{"ldap.timeout": 1, "ldap.connect_timeout": 1}) as server, server.client() as nas:
        assert user.start(nas).accepted
        slapd.sigstop()
        try:
            assert not nas.password(user.uid, user.password, timeout_s=8).accepted
        finally:
            slapd.sigcont()
        assert user.start(nas).accepted
