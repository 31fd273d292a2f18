# SPDX-License-Identifier: GPL-2.0-or-later
"""The directory dead, deaf, slow, changed or closed to us: nobody gets in by it, and all is well when it is back."""
import contextlib
import re
import time

import pytest

from lib.client import pap
from lib.radius_server import FreeRadius
from lib.slapd import RADIUS_DN, Slapd
from lib.slow import Relay
from lib.totp import Device
from lib.user import Enrolled, User

PASSWORD = "the same for all"
# The first factor does without the directory, so that every fault here is one that our module meets.
KNOWN_PASSWORD = f"""
	update control {{
		Cleartext-Password := "{PASSWORD}"
	}}
	pap
"""
TIMEOUT_S = 1
LIMIT_S = 2 * TIMEOUT_S + 1.5
SETTINGS = {"ldap.timeout": TIMEOUT_S, "ldap.connect_timeout": TIMEOUT_S}


@pytest.fixture
def slapd():
    """Each test here may ruin its directory."""
    with Slapd() as server:
        yield server


@contextlib.contextmanager
def radius_for(slapd, ring, **settings):
    settings = {**SETTINGS, **settings}
    with FreeRadius(slapd, ring=ring, settings=settings, sections={"first_factor": KNOWN_PASSWORD}) as server, \
            server.client() as client:
        yield server, client


def enrolled(slapd):
    return Enrolled(slapd, password=PASSWORD)


def within_the_limit(ask, *args):
    """The reply, which must come in time."""
    begin = time.monotonic()
    reply = ask(*args)
    assert time.monotonic() - begin < LIMIT_S
    return reply


def works_again(users, client, timeout_s=8):
    """Logins work without anything done to FreeRADIUS; its pool may wait a little before it tries."""
    end = time.monotonic() + timeout_s
    for user in users:
        while not (reply := user.start(client)).accepted and not reply.challenged:
            assert time.monotonic() < end, reply
            time.sleep(0.3)
        if reply.challenged:
            assert user.answer(client, reply, user.device.code(1)).accepted


@contextlib.contextmanager
def killed(slapd):
    slapd.kill()
    yield
    slapd.start()


@contextlib.contextmanager
def stopped(slapd):
    slapd.sigstop()
    yield
    slapd.sigcont()


@pytest.mark.parametrize("fault", [killed, stopped])
def test_directory_gone_at_the_password_step(slapd, ring, fault):
    with radius_for(slapd, ring) as (server, client):
        users = [User(slapd, password=PASSWORD), enrolled(slapd)]
        assert users[0].start(client).accepted
        with fault(slapd):
            for user in users:
                reply = within_the_limit(user.start, client)
                assert reply.rejected and reply.result == "unavailable" and reply.reason
        works_again(users, client)


@pytest.mark.parametrize("fault", [killed, stopped])
def test_directory_gone_at_the_code_step(slapd, ring, fault):
    """The code is not burned and the State stays valid."""
    with radius_for(slapd, ring) as (server, client):
        user = enrolled(slapd)
        challenge, code = user.challenge(client), user.device.code()
        with fault(slapd):
            reply = within_the_limit(user.answer, client, challenge, code)
            assert reply.rejected and reply.result == "unavailable"
        end = time.monotonic() + 8
        while not (reply := user.answer(client, challenge, code)).accepted:
            assert reply.result == "unavailable" and time.monotonic() < end, reply
            time.sleep(0.3)
        assert user.failures() == 0


def test_directory_restarted_between_two_logins(slapd, ring):
    with radius_for(slapd, ring) as (server, client):
        user = enrolled(slapd)
        assert user.login(client).accepted
        slapd.restart()
        assert user.login(client, 1).accepted, "the first login after a restart finds closed connections in the pool"


def test_directory_down_when_the_server_starts(slapd, ring):
    user = enrolled(slapd)
    slapd.stop()
    with radius_for(slapd, ring, **{}) as (server, client):
        assert within_the_limit(user.start, client).rejected
        slapd.start()
        works_again([user], client)


def test_slow_directory_is_waited_for_and_no_longer(slapd, ring):
    with Relay(slapd.port) as relay, radius_for(slapd, ring, **{"ldap.uri": relay.uri}) as (server, client):
        user = enrolled(slapd)
        relay.delay_s = 0.2 * TIMEOUT_S   # three answers for the first login: bind, rights, search
        challenge = user.challenge(client)
        assert user.answer(client, challenge, user.device.code()).accepted
        relay.delay_s = 3 * TIMEOUT_S
        assert within_the_limit(user.start, client).rejected
        relay.delay_s = 0
        works_again([user], client)


def test_answer_that_never_comes(slapd, ring):
    """The connection stays open and silent: only a time limit helps."""
    with Relay(slapd.port) as relay, radius_for(slapd, ring, **{"ldap.uri": relay.uri}) as (server, client):
        user = enrolled(slapd)
        challenge, code = user.challenge(client), user.device.code()
        relay.silent = True
        assert within_the_limit(user.start, client).rejected
        assert within_the_limit(user.answer, client, challenge, code).rejected
        relay.silent = False
        works_again([user], client)


def test_answer_to_the_modify_is_lost(slapd, ring):
    """The code is used in the directory, but we never heard: the NAS asks again with the same State and gets in."""
    with Relay(slapd.port) as relay, \
            radius_for(slapd, ring, **{"ldap.uri": slapd.uri, "ldap.write_uri": relay.uri}) as (server, client):
        user = enrolled(slapd)
        assert user.login(client).accepted
        challenge, code = user.challenge(client), user.device.code(1)
        relay.silent = True
        assert within_the_limit(user.answer, client, challenge, code).rejected
        relay.silent = False
        end = time.monotonic() + 8
        while not (reply := user.answer(client, challenge, code)).accepted:
            assert reply.result == "unavailable" and time.monotonic() < end, reply
            time.sleep(0.3)
        assert not user.answer(client, user.challenge(client), code).accepted


def test_many_logins_while_the_directory_hangs(slapd, ring):
    """A hanging directory does not pile up: those who wait are answered in time as well."""
    with radius_for(slapd, ring) as (server, client):
        user = enrolled(slapd)
        assert user.start(client).challenged
        with stopped(slapd):
            packets = [client.send(client.packet(pap(user.uid, PASSWORD))) for _ in range(server.threads)]
            begin = time.monotonic()
            assert all(client.receive(packet).rejected for packet in packets)
            assert time.monotonic() - begin < LIMIT_S
        works_again([user], client)


OTHER_REALM = KNOWN_PASSWORD + """
	if (&User-Name =~ /@other$/) {
		update control {
			Peruser-MFA-Mode := skip
		}
	}
"""


def test_a_directory_that_hangs_leaves_other_users_alone(slapd, ring):
    """Two of eight threads wait for it, and further logins are unavailable soon."""
    user = enrolled(slapd)
    with FreeRadius(slapd, ring=ring, settings={"ldap.timeout": 3}, instance={"pool.max": 2, "pool.wait_ms": 50}, threads=8,
                    sections={"first_factor": OTHER_REALM}) as server, server.client() as load, server.client() as client:
        assert user.start(load).challenged
        with stopped(slapd):
            times, waiting = [], []
            end = time.monotonic() + 6
            while time.monotonic() < end and len(waiting) < 240:
                waiting += [load.send(load.packet(pap(user.uid, PASSWORD))) for _ in range(3)]
                begin = time.monotonic()
                assert client.password("somebody@other", PASSWORD).accepted
                times.append(time.monotonic() - begin)
                time.sleep(0.08)
            assert max(times) < 1.5 and sorted(times)[len(times) // 2] < 0.05, times
            replies = [load.receive(packet) for packet in waiting]
            assert all(reply.rejected and reply.result == "unavailable" for reply in replies)
            assert any("pool.max" in reply.reason for reply in replies)
        works_again([user], load)


def test_a_login_waits_for_its_turn(slapd, ring):
    """More logins at once than there are connections, and none is refused for it."""
    users = [enrolled(slapd) for _ in range(6)]
    with FreeRadius(slapd, ring=ring, instance={"pool.max": 1, "pool.wait_ms": 5000}, threads=6,
                    sections={"first_factor": KNOWN_PASSWORD}) as server, server.client() as client:
        packets = [client.send(client.packet(pap(user.uid, PASSWORD))) for user in users * 3]
        assert all(client.receive(packet).challenged for packet in packets)


# ---- what the directory refuses

READ_ONLY = "to attrs={} by dn.exact=\"" + RADIUS_DN + "\" read by * break"


def errors(server, mark):
    return [line for line in server.log(mark).splitlines() if "Error" in line or "ERROR" in line]


def test_refused_write_of_the_last_use_is_a_reject(slapd, ring):
    with radius_for(slapd, ring) as (server, client):
        user = enrolled(slapd)
        challenge, code = user.challenge(client), user.device.code()
        with slapd.access_first(READ_ONLY.format("peruserMfaLastUse")):
            mark = server.mark()
            assert user.answer(client, challenge, code).rejected
            assert any("peruserMfaLastUse" in line and RADIUS_DN in line for line in errors(server, mark))
        assert user.login(client).accepted


def test_refused_write_of_the_failures_is_a_reject(slapd, ring):
    """A failure that cannot be counted would be a free guess."""
    with radius_for(slapd, ring) as (server, client):
        user = enrolled(slapd)
        challenge = user.challenge(client)
        with slapd.access_first(READ_ONLY.format("peruserMfaFailures")):
            mark = server.mark()
            assert user.answer(client, challenge, user.device.wrong()).rejected
            assert any("peruserMfaFailures" in line and RADIUS_DN in line for line in errors(server, mark))


def test_wrong_service_password_is_nobodys_accept(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance={"password": "not-it"}, settings=SETTINGS,
                    sections={"first_factor": KNOWN_PASSWORD}) as server, server.client() as client:
        mark = server.mark()
        for user in (User(slapd, password=PASSWORD), enrolled(slapd)):
            assert within_the_limit(user.start, client).rejected
        assert any(RADIUS_DN in line for line in errors(server, mark)) and "not-it" not in server.log(mark)


def test_entry_that_we_may_not_see_is_nobodys_accept(slapd, ring):
    """The first factor knows the user, the module cannot find the entry: that is a fault, not a user without MFA."""
    with radius_for(slapd, ring) as (server, client):
        user = enrolled(slapd)
        with slapd.access_first(f'to dn.exact="{user.dn}" by * none'):
            assert user.start(client).rejected


def test_user_that_the_directory_does_not_know(slapd, ring):
    with radius_for(slapd, ring) as (server, client):
        assert client.password("nobody-of-that-name", PASSWORD).rejected


def test_user_deleted_between_the_packets(slapd, ring):
    with radius_for(slapd, ring) as (server, client):
        user = enrolled(slapd)
        challenge = user.challenge(client)
        with slapd.connect() as root:
            root.delete_s(user.dn)
        assert user.answer(client, challenge, user.device.code()).rejected


def test_entry_made_anew_between_the_packets_is_another_user(slapd, ring):
    """Same name, same secret, another entryUUID."""
    with radius_for(slapd, ring) as (server, client):
        user = enrolled(slapd)
        challenge = user.challenge(client)
        with slapd.connect() as root:
            root.delete_s(user.dn)
        Enrolled(slapd, user.device, uid=user.uid, password=PASSWORD)
        assert user.answer(client, challenge, user.device.code()).rejected


def test_without_our_schema_nothing_is_accepted_on_a_code(ring):
    """The site keeps flag and secret in attributes of its own, and forgot our schema for the rest."""
    with Slapd(schema=(), access=None) as slapd:
        settings = {"attribute.enabled": "description", "attribute.secret": "title"}
        with radius_for(slapd, ring, **settings) as (server, client):
            user = User(slapd, password=PASSWORD)
            device = Device()
            user.set(description="TRUE", title=device.secret)
            challenge = user.start(client)
            if challenge.challenged:
                mark = server.mark()
                reply = user.answer(client, challenge, device.code())
                assert reply.rejected
                assert any("peruserMfaLastUse" in line for line in errors(server, mark))
            else:
                assert challenge.rejected


def test_flag_is_read_anew_at_the_code_step(slapd, ring):
    """Suspended or broken between the packets."""
    with radius_for(slapd, ring) as (server, client):
        user = enrolled(slapd)
        challenge = user.challenge(client)
        user.set(peruserMfaSecret="not base32 at all!")
        assert user.answer(client, challenge, user.device.code()).rejected
        user.set(peruserMfaSecret=None)
        assert not user.answer(client, challenge, user.device.code()).accepted


def test_last_use_in_the_future_refuses_and_says_how_far(slapd, ring):
    """The clock of this server jumped back."""
    with radius_for(slapd, ring) as (server, client):
        user = enrolled(slapd)
        ahead = 7200
        user.set(peruserMfaLastUse=f"{user.device.step(ahead // 30)} {int(time.time()) + ahead} AAAAAAAAAAAAAAAA")
        mark = server.mark()
        reply = user.login(client)
        assert not reply.accepted
        behind = re.search(r"behind\D*(\d+) ?s", server.log(mark)) or re.search(r"(\d+) ?s\w* behind", server.log(mark))
        assert behind and ahead - 60 <= int(behind[1]) <= ahead + 60, server.log(mark)[-2000:]
