# SPDX-License-Identifier: GPL-2.0-or-later
"""Wrong codes: asked again, counted, locked for longer and longer, and never a matter of the directory's password."""
import re
import time

import ldap
import pytest

from lib.radius_server import FreeRadius
from lib.slapd import Slapd
from lib.user import Enrolled, User

WRONG = "Wrong code. Enter the 6-digit code: "
THRESHOLD, BASE_S, MAX_S, CAP = 5, 30, 3600, 100   # what we ship
TAG = "AAAAAAAAAAAAAAAAAAAAAA"


def failed(count, seconds_ago=0):
    """A record's value, as if the last wrong code had come that long ago."""
    return f"{count} {int(time.time()) - seconds_ago} {TAG}"


def wait_seconds(message):
    """How long the message says to wait, whichever unit it chose."""
    number, unit = re.search(r"(\d+) ?(second|minute|hour|s\b|min|h\b)", message).groups()
    return int(number) * {"s": 1, "m": 60, "h": 3600}[unit[0]]


def fail(user, client, count):
    """That many different wrong codes, in as many logins."""
    used = []
    for _ in range(count):
        used.append(user.device.wrong(used))
        user.answer(client, user.challenge(client), used[-1])


def test_wrong_code_is_asked_for_again_until_the_attempts_are_used(slapd, client):
    user = Enrolled(slapd)
    reply, used = user.challenge(client), []
    for _ in range(2):
        used.append(user.device.wrong(used))
        reply = user.answer(client, reply, used[-1])
        assert reply.challenged and reply.message == WRONG
    last = user.answer(client, reply, user.device.wrong(used))
    assert last.rejected and last.state is None
    assert user.failures() == 3


def test_right_code_after_a_wrong_one(slapd, client):
    user = Enrolled(slapd)
    again = user.answer(client, user.challenge(client), user.device.wrong())
    assert user.answer(client, again, user.device.code()).accepted


def test_attempts_is_configured(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance={"challenge.attempts": 1}) as server, server.client() as client:
        user = Enrolled(slapd)
        assert user.answer(client, user.challenge(client), user.device.wrong()).rejected


def test_old_state_does_not_bring_attempts_back(slapd, client):
    """Going back to the first challenge saves the attempt number, not the count in the record."""
    user = Enrolled(slapd)
    challenge, used = user.challenge(client), []
    for count in range(1, 4):
        used.append(user.device.wrong(used))
        user.answer(client, challenge, used[-1])
        assert user.failures() == count
    assert user.answer(client, challenge, user.device.code()).rejected


def test_attempts_of_a_login_are_used_up_at_its_first_state_too(slapd, ring):
    """A dozen wrong codes for one State, then the right one: refused, and only the attempts counted."""
    with FreeRadius(slapd, ring=ring, settings={"lockout.threshold": 50}) as server, server.client() as client:
        user = Enrolled(slapd)
        challenge, used = user.challenge(client), []
        for _ in range(12):
            used.append(user.device.wrong(used))
            user.answer(client, challenge, used[-1])
        reply = user.answer(client, challenge, user.device.code())
        assert reply.rejected and reply.result == "rejected"
        assert user.failures() == 3
        assert user.login(client).accepted, "the code was burned, or a new login has no attempts"


def test_success_clears_the_count(slapd, client):
    user = Enrolled(slapd)
    fail(user, client, 2)
    assert user.failures() == 2
    assert user.login(client).accepted
    assert user.get("peruserMfaFailures") is None


def test_locked_after_the_threshold_and_told_how_long(slapd, client):
    user = Enrolled(slapd)
    fail(user, client, THRESHOLD)
    reply = user.start(client)
    assert reply.rejected and reply.result == "locked" and reply.state is None
    assert BASE_S - 5 <= wait_seconds(reply.message) <= BASE_S


def test_locked_user_is_refused_the_right_code_too(slapd, client):
    user = Enrolled(slapd)
    challenge = user.challenge(client)
    user.set(peruserMfaFailures=failed(THRESHOLD))
    reply = user.answer(client, challenge, user.device.code())
    assert reply.rejected and reply.result == "locked"
    user.set(peruserMfaFailures=None)
    assert user.login(client).accepted, "the code was burned while the user was locked"


def test_locked_user_is_told_so_only_after_the_password(slapd, client):
    user = Enrolled(slapd, peruserMfaFailures=failed(THRESHOLD))
    wrong, nobody = client.password(user.uid, "not-it"), client.password("nobody-of-that-name", "x")
    assert wrong.message == nobody.message


@pytest.mark.parametrize("count,wait_s", [(4, 0), (5, 30), (6, 60), (7, 120), (8, 240), (9, 480), (10, 960), (11, 1920),
                                          (12, MAX_S), (30, MAX_S), (64, MAX_S), (99, MAX_S)])
def test_wait_doubles_up_to_the_maximum(slapd, client, count, wait_s):
    user = Enrolled(slapd, peruserMfaFailures=failed(count))
    reply = user.start(client)
    if not wait_s:
        assert reply.challenged
        return
    assert reply.rejected and wait_s * 0.9 - 60 <= wait_seconds(reply.message) <= wait_s + 60
    user.set(peruserMfaFailures=failed(count, wait_s - 5))
    assert user.start(client).rejected
    user.set(peruserMfaFailures=failed(count, wait_s + 1))
    assert user.start(client).challenged


def test_lock_ends_by_itself_and_comes_back_longer(slapd, ring):
    settings = {"lockout.threshold": 2, "lockout.base": 2, "lockout.max": 60}
    with FreeRadius(slapd, ring=ring, settings=settings) as server, server.client() as client:
        user = Enrolled(slapd)
        fail(user, client, 2)
        assert user.start(client).rejected
        time.sleep(2.1)
        fail(user, client, 1)
        time.sleep(2.1)   # whole seconds are compared, so 4 s are 3 at least
        assert user.start(client).rejected, "the second lock is as short as the first"
        time.sleep(2)
        assert user.login(client).accepted


def test_same_wrong_code_within_a_minute_counts_once(slapd, client):
    user = Enrolled(slapd)
    code = user.device.wrong()
    for _ in range(4):
        user.answer(client, user.challenge(client), code)
    assert user.failures() == 1
    user.answer(client, user.challenge(client), user.device.wrong([code]))
    assert user.failures() == 2


def test_same_wrong_code_after_a_minute_counts_again(slapd, client):
    user = Enrolled(slapd)
    code = user.device.wrong()
    user.answer(client, user.challenge(client), code)
    count, when, tag = user.get("peruserMfaFailures").split()
    user.set(peruserMfaFailures=f"{count} {int(when) - 61} {tag}")
    user.answer(client, user.challenge(client), code)
    assert user.failures() == 2


def test_retransmitted_wrong_code_counts_once(slapd, client):
    user = Enrolled(slapd)
    challenge, code = user.challenge(client), user.device.wrong()
    for _ in range(3):
        assert user.answer(client, challenge, code).challenged
    assert user.failures() == 1


def test_tag_does_not_show_the_code(slapd, client):
    """Two users, one wrong code: nothing in the record says that it was the same."""
    users, code = [Enrolled(slapd), Enrolled(slapd)], "000000"
    while any(code in user.device.codes(-10, 21) for user in users):
        code = f"{int(code) + 1:06}"
    for user in users:
        user.answer(client, user.challenge(client), code)
    tags = [user.get("peruserMfaFailures").split()[2] for user in users]
    assert tags[0] != tags[1] and len(tags[0]) >= 22


def test_deleting_the_attribute_unlocks(slapd, client):
    user = Enrolled(slapd)
    fail(user, client, THRESHOLD)
    assert user.start(client).rejected
    slapd.ldapmodify(f"dn: {user.dn}\nchangetype: modify\ndelete: peruserMfaFailures\n")
    assert user.login(client).accepted


def test_hundred_in_a_row_are_final(slapd, client):
    """NIST SP 800-63B section 5.2.2: from then on only an administrator helps."""
    user = Enrolled(slapd, peruserMfaFailures=failed(CAP - 1, 2 * MAX_S))
    fail(user, client, 1)
    assert user.failures() == CAP
    user.set(peruserMfaFailures=failed(CAP, 400 * 86400))
    reply = user.start(client)
    assert reply.rejected and reply.result == "locked" and not re.search(r"\d+ ?(second|minute|hour)", reply.message)
    user.set(peruserMfaFailures=None)
    assert user.login(client).accepted


def test_stranger_locks_nobody(slapd, client):
    """Without the password no failure can be made to count."""
    user = Enrolled(slapd)
    for _ in range(THRESHOLD + 2):
        assert client.password(user.uid, "not-it").rejected
    assert user.get("peruserMfaFailures") is None
    assert user.start(client).challenged


def test_count_survives_two_servers_at_once(slapd, ring):
    """Compare-and-swap: of many wrong codes at the same moment none is lost."""
    many = {"challenge.attempts": 10}
    with FreeRadius(slapd, ring=ring, instance=many) as server, FreeRadius(slapd, ring=ring, instance=many) as other, \
            server.client() as one, other.client() as two:
        from lib.client import pap
        user, used, sent = Enrolled(slapd), [], []
        for nas in (one, two) * 2:
            used.append(user.device.wrong(used))
            sent.append((nas, nas.packet(pap(user.uid, used[-1], user.challenge(nas).state))))
        for nas, packet in sent:
            nas.send(packet)
        for nas, packet in sent:
            assert not nas.receive(packet).accepted
        assert user.failures() == len(sent)


# ---- the directory's own lockout

@pytest.fixture(scope="module")
def strict():
    """A directory that locks an account after three wrong passwords."""
    with Slapd(ppolicy=True) as server:
        yield server


def password_state(user):
    return {name: user.get(name) for name in ("pwdFailureTime", "pwdAccountLockedTime")}


def test_wrong_code_does_not_touch_the_password_lockout(strict, ring):
    with FreeRadius(strict, ring=ring) as server, server.client() as client:
        user = Enrolled(strict)
        fail(user, client, THRESHOLD)
        assert user.start(client).rejected
        assert password_state(user) == {"pwdFailureTime": None, "pwdAccountLockedTime": None}
        with strict.connect(user.dn, user.password):
            pass


def test_wrong_password_counts_for_the_directory_alone(strict, ring):
    with FreeRadius(strict, ring=ring) as server, server.client() as client:
        user = Enrolled(strict)
        for _ in range(3):
            assert client.password(user.uid, "not-it").rejected
        assert password_state(user)["pwdAccountLockedTime"]
        assert user.failures() == 0
        assert user.start(client).rejected, "the directory locked the account: the right password is no use either"


def test_ppolicy_works_at_all(strict):
    user = User(strict)
    for _ in range(3):
        with pytest.raises(ldap.INVALID_CREDENTIALS):
            strict.connect(user.dn, "not-it")
    assert password_state(user)["pwdAccountLockedTime"]
