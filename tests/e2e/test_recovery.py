# SPDX-License-Identifier: GPL-2.0-or-later
"""Recovery codes at the prompt: where a code is asked for, a recovery code does, once."""
import threading

import pytest

from lib.client import pap
from lib.radius_server import FreeRadius
from lib.ring import Ring, new_recovery_code
from lib.user import Enrolled, User

ROUNDS = 25


def give(user, ring, count=1):
    """Fresh recovery codes, in the user's entry."""
    codes = [new_recovery_code() for _ in range(count)]
    user.set(peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id) for code in codes])
    return codes


def left(slapd, user):
    return len(slapd.get(user.uid, "peruserMfaRecoveryCode"))


@pytest.fixture(scope="module")
def other(slapd, ring):
    """A second server of the cluster."""
    with FreeRadius(slapd, ring=ring) as server:
        yield server


WAYS = {"as printed": str, "small": str.lower, "no dashes": lambda code: code.replace("-", ""),
        "small, no dashes": lambda code: code.replace("-", "").lower(),
        "spaces": lambda code: code.replace("-", " "), "every letter apart": lambda code: " ".join(code),
        "mixed case": lambda code: code[:6].lower() + code[6:], "dashes elsewhere": lambda code: f"-{code[:2]}-{code[2:]}-"}


@pytest.mark.parametrize("way", WAYS)
def test_any_way_of_writing_it(slapd, client, ring, way):
    user = Enrolled(slapd)
    [code] = give(user, ring)
    reply = user.answer(client, user.challenge(client), WAYS[way](code))
    assert reply.accepted and reply.result == "recovery"
    assert left(slapd, user) == 0


def test_how_many_are_left(slapd, client, ring):
    user = Enrolled(slapd)
    for count, code in zip((2, 1, 0), give(user, ring, 3)):
        reply = user.answer(client, user.challenge(client), code)
        assert reply.message == f"Recovery code accepted. Recovery codes left: {count}."
        assert left(slapd, user) == count


def test_text_of_ones_own(slapd, ring):
    text = {"message.recovery": "Noch %{Peruser-MFA-Recovery-Left} übrig"}
    with FreeRadius(slapd, ring=ring, instance=text) as server, server.client() as client:
        user = Enrolled(slapd)
        [code] = give(user, ring)
        assert user.answer(client, user.challenge(client), code).message == "Noch 0 übrig"


def test_same_attributes_as_with_a_code(slapd, client, ring):
    """But for the text."""
    user = Enrolled(slapd)
    [code] = give(user, ring)
    with_recovery = user.answer(client, user.challenge(client), code)
    with_code = user.login(client)
    names = [{name for name, _ in reply.attributes} - {"Reply-Message"} for reply in (with_recovery, with_code)]
    assert names[0] == names[1]


def test_at_the_second_prompt_of_a_login(slapd, client, ring):
    user = Enrolled(slapd)
    [code] = give(user, ring)
    again = user.answer(client, user.challenge(client), user.device.wrong())
    assert again.challenged and user.failures() == 1
    assert user.answer(client, again, code).result == "recovery"
    assert user.failures() == 0


def test_used_one_is_a_wrong_code(slapd, client, ring):
    user = Enrolled(slapd)
    codes = give(user, ring, 2)
    assert user.answer(client, user.challenge(client), codes[0]).accepted
    again = user.answer(client, user.challenge(client), codes[0])
    assert again.challenged and again.message.startswith("Wrong code") and user.failures() == 1
    assert left(slapd, user) == 1


@pytest.mark.parametrize("change", [lambda code: code[:-1], lambda code: code + "B", lambda code: code[1:] + code[0],
                                    lambda code: "BCDF-GHJK-LMNP", lambda code: code[:-1] + "1"],
                         ids=["a letter less", "a letter more", "turned", "of another", "a digit in it"])
def test_nearly_a_recovery_code_counts_as_wrong(slapd, client, ring, change):
    user = Enrolled(slapd)
    [code] = give(user, ring)
    assert user.answer(client, user.challenge(client), change(code)).challenged
    assert user.failures() == 1 and left(slapd, user) == 1


def test_no_help_against_a_lock(slapd, client, ring):
    user = Enrolled(slapd)
    [code] = give(user, ring)
    challenge = user.challenge(client)
    user.set(peruserMfaFailures="5 4000000000 AAAAAAAAAAAAAAAAAAAAAA")
    assert user.answer(client, challenge, code).result == "locked"
    assert left(slapd, user) == 1


def test_user_without_mfa_is_not_asked_for_one(slapd, client, ring):
    user = User(slapd)
    [code] = give(user, ring)
    assert user.start(client).accepted
    assert client.password(user.uid, code).rejected
    assert left(slapd, user) == 1


def test_codes_of_the_app_stay_used(slapd, client, ring):
    """A recovery code in between is no way to use a code twice."""
    user = Enrolled(slapd)
    [code] = give(user, ring)
    typed = user.device.code()
    assert user.answer(client, user.challenge(client), typed).accepted
    assert user.answer(client, user.challenge(client), code).accepted
    assert user.answer(client, user.challenge(client), typed).result == "replayed"


def test_key_that_hashed_it_need_not_be_the_first(slapd, ring):
    user = Enrolled(slapd)
    [code] = give(user, ring)
    with FreeRadius(slapd, ring=ring.with_new_key("k2")) as server, server.client() as client:
        assert user.answer(client, user.challenge(client), code).accepted
    [code] = give(user, Ring("k3"))
    with FreeRadius(slapd, ring=ring) as server, server.client() as client:
        assert not user.answer(client, user.challenge(client), code).accepted, "hashed by a key that is gone"


def test_hash_is_of_no_use(slapd, client, ring):
    """What stands in the directory does not get anybody in."""
    user = Enrolled(slapd)
    give(user, ring)
    [value] = slapd.get(user.uid, "peruserMfaRecoveryCode")
    assert not user.answer(client, user.challenge(client), value).accepted


def test_answer_that_got_lost(slapd, radius, other, ring):
    """The same State and code again, here and at the other server: the same login."""
    user = Enrolled(slapd)
    [code] = give(user, ring)
    with radius.client() as one, other.client() as two:
        challenge = user.challenge(one)
        for client in (one, two, one):
            assert user.answer(client, challenge, code).accepted
        assert not user.answer(two, user.challenge(two), code).accepted


def test_two_servers_one_recovery_code(slapd, radius, other, ring):
    """Two logins at each of two servers, the code sent to all at the same moment: exactly one gets in."""
    with radius.client() as one, other.client() as two:
        for _ in range(ROUNDS):
            user = Enrolled(slapd)
            [code] = give(user, ring)
            packets = [(nas, nas.packet(pap(user.uid, code, user.challenge(nas).state))) for nas in (one, two) * 2]
            for nas, packet in packets:
                nas.send(packet)
            replies = [nas.receive(packet) for nas, packet in packets]
            assert sum(reply.accepted for reply in replies) == 1, replies
            assert left(slapd, user) == 0


def test_ten_codes_at_once_each_once(slapd, radius, other, ring):
    """One login for each code, half of them at each server, all at the same time: all get in, no code is left."""
    user = Enrolled(slapd)
    codes = give(user, ring, 10)
    replies = []

    def run(server, mine):
        with server.client() as client:
            for code in mine:
                replies.append(user.answer(client, user.challenge(client), code))

    threads = [threading.Thread(target=run, args=(server, codes[half::2])) for half, server in enumerate((radius, other))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [reply.result for reply in replies] == ["recovery"] * 10
    assert left(slapd, user) == 0
