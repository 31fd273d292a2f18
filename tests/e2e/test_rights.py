# SPDX-License-Identifier: GPL-2.0-or-later
"""What our account may not read is not absent: nobody gets in by the password because of access rules."""
import contextlib

import pytest

from lib.radius_server import FreeRadius
from lib.slapd import PEOPLE, RADIUS_DN, Slapd
from lib.user import Enrolled, User

PASSWORD = "the same for all"
# The first factor does without the directory, so that only our account meets the rules.
KNOWN_PASSWORD = f"""
	update control {{
		Cleartext-Password := "{PASSWORD}"
	}}
	pap
"""
HIDDEN = 'to attrs={} by dn.exact="' + RADIUS_DN + '" none by * break'


@pytest.fixture(scope="module")
def slapd():
    with Slapd() as server:
        yield server


@contextlib.contextmanager
def radius_behind(slapd, ring, *rules, **options):
    """A server that is started under additional access rules."""
    with contextlib.ExitStack() as stack:
        for rule in rules:
            stack.enter_context(slapd.access_first(rule))
        server = stack.enter_context(FreeRadius(slapd, ring=ring, sections={"first_factor": KNOWN_PASSWORD}, **options))
        yield server, stack.enter_context(server.client())


@pytest.mark.parametrize("hidden", ["peruserMfaEnabled", "peruserMfaEnabled,peruserMfaSecret",
                                    "peruserMfaEnabled,peruserMfaSecret,peruserMfaRequiredFrom,objectClass"])
def test_a_flag_that_is_hidden_is_not_off(slapd, ring, hidden):
    user = Enrolled(slapd, password=PASSWORD, peruserMfaLastUse="1 30 AAAAAAAAAAAAAAAA")
    with radius_behind(slapd, ring, HIDDEN.format(hidden)) as (server, client):
        reply = user.start(client)
        assert reply.rejected and "may not read 'peruserMfaEnabled'" in reply.reason, reply
        lines = [line for line in server.log().splitlines() if f"'{RADIUS_DN}' may not read" in line
                 and "logins that rest on it" in line]
        assert len(lines) == len([name for name in hidden.split(",") if name.startswith("peruser")])
        assert all("ERROR" in line.upper() for line in lines)


@pytest.mark.parametrize("hidden", ["peruserMfaFailures", "peruserMfaRequiredFrom", "peruserMfaSecret"])
def test_anything_hidden_that_a_login_rests_on_refuses(slapd, ring, hidden):
    """Without the failures nobody would be locked; without the date nobody would be overdue."""
    user = User(slapd, password=PASSWORD)
    with radius_behind(slapd, ring, HIDDEN.format(hidden)) as (server, client):
        reply = user.start(client)
        assert reply.rejected and f"may not read '{hidden}'" in reply.reason, reply


def test_a_flag_that_is_hidden_in_one_entry(slapd, ring):
    """Nothing is wrong with the rules for everybody else."""
    user = Enrolled(slapd, password=PASSWORD)
    with radius_behind(slapd, ring) as (server, client):
        with slapd.access_first(f'to dn.exact="{user.dn}" attrs=peruserMfaEnabled by dn.exact="{RADIUS_DN}" none '
                                'by * break'):
            assert "may not read 'peruserMfaEnabled' of this entry" in user.start(client).reason
        assert user.start(client).challenged
        assert User(slapd, password=PASSWORD).start(client).accepted


def test_a_record_without_a_flag_is_no_fault(slapd, ring):
    user = User(slapd, password=PASSWORD, peruserMfaRequiredFrom="21000101000000Z")
    with radius_behind(slapd, ring) as (server, client):
        assert user.start(client).accepted
        assert "may not read" not in server.log()


@pytest.mark.parametrize("rule", [f'to dn.subtree="{PEOPLE}" by dn.exact="{RADIUS_DN}" none by * break',
                                  f'to * by dn.exact="{RADIUS_DN}" none by * break'])
def test_not_found_accept_lets_nobody_in_when_nothing_can_be_read(slapd, ring, rule):
    user = Enrolled(slapd, password=PASSWORD)
    with radius_behind(slapd, ring, instance={"not_found": "accept"}) as (server, client):
        assert client.password("nobody-of-that-name", PASSWORD).accepted
    with radius_behind(slapd, ring, rule, instance={"not_found": "accept"}) as (server, client):
        for name in (user.uid, "nobody-of-that-name"):
            reply = client.password(name, PASSWORD)
            assert reply.rejected and "cannot read base_dn" in reply.reason, reply
        assert "cannot read base_dn" in server.log()


def test_a_base_dn_that_does_not_exist_lets_nobody_in(slapd, ring):
    settings = {"user.base_dn": "ou=peopel,dc=example,dc=org"}
    with radius_behind(slapd, ring, settings=settings, instance={"not_found": "accept"}) as (server, client):
        assert client.password("nobody-of-that-name", PASSWORD).rejected


def test_rights_that_come_back_count_at_once(slapd, ring):
    user = Enrolled(slapd, password=PASSWORD)
    rule = f'to * by dn.exact="{RADIUS_DN}" none by * break'
    with FreeRadius(slapd, ring=ring, sections={"first_factor": KNOWN_PASSWORD}) as server, server.client() as client:
        with slapd.access_first(rule), slapd.access_first(HIDDEN.format("peruserMfaEnabled")):
            assert user.start(client).rejected
        assert user.start(client).challenged
        assert User(slapd, password=PASSWORD).start(client).accepted
