# SPDX-License-Identifier: GPL-2.0-or-later
"""How often the directory is asked, counted in slapd's own log."""
import base64

import pytest

from lib.radius_server import FreeRadius
from lib.ring import new_recovery_code
from lib.slapd import FREERADIUS_DN, RADIUS_DN
from lib.user import Enrolled, User

FLAGS = """
		control:Peruser-MFA-Entry-Id := 'entryUUID'
		control:Peruser-MFA-Enabled := 'peruserMfaEnabled'
		control:Peruser-MFA-Required-From := 'peruserMfaRequiredFrom'
		control:Peruser-MFA-Object-Class += 'objectClass'
"""
MAPPED = FLAGS + """
		control:Peruser-MFA-Secret += 'peruserMfaSecret'
		control:Peruser-MFA-Failures := 'peruserMfaFailures'
"""


def counted(slapd, step):
    """Run step; the reply, and the searches and modifies that the module made meanwhile."""
    mark = slapd.mark()
    reply = step()
    counts = slapd.operations(mark)
    return reply, counts[RADIUS_DN, "SRCH"], counts[RADIUS_DN, "MOD"], counts[RADIUS_DN, "BIND"]


@pytest.fixture
def warm(slapd, client):
    """The pool's connections are up: a bind is not part of a login."""
    user = Enrolled(slapd)
    for offset in (0, 1):
        assert user.login(client, offset).accepted
    return client


@pytest.mark.parametrize("make", [User, Enrolled])
def test_password_step_is_one_search(slapd, warm, make):
    user = make(slapd)
    reply, searches, modifies, _ = counted(slapd, lambda: user.start(warm))
    assert reply.accepted == (make is User)
    assert (searches, modifies) == (1, 0)


def test_code_step_is_one_search_and_one_modify(slapd, warm):
    user = Enrolled(slapd)
    challenge = user.challenge(warm)
    reply, searches, modifies, _ = counted(slapd, lambda: user.answer(warm, challenge, user.device.code()))
    assert reply.accepted and (searches, modifies) == (1, 1)


def test_second_login_is_as_cheap(slapd, warm):
    """LastUse is there by then, and failures have to be cleared in the same modify."""
    user = Enrolled(slapd)
    assert user.login(warm).accepted
    user.answer(warm, user.challenge(warm), user.device.wrong())
    challenge = user.challenge(warm)
    reply, searches, modifies, _ = counted(slapd, lambda: user.answer(warm, challenge, user.device.code(1)))
    assert reply.accepted and (searches, modifies) == (1, 1)
    assert user.get("peruserMfaFailures") is None


def test_wrong_code_is_one_search_and_one_modify(slapd, warm):
    user = Enrolled(slapd)
    challenge = user.challenge(warm)
    reply, searches, modifies, _ = counted(slapd, lambda: user.answer(warm, challenge, user.device.wrong()))
    assert reply.challenged and (searches, modifies) == (1, 1)


def test_recovery_code_is_one_search_and_one_modify(slapd, warm, ring):
    user, code = Enrolled(slapd), new_recovery_code()
    user.set(peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id)])
    challenge = user.challenge(warm)
    reply, searches, modifies, _ = counted(slapd, lambda: user.answer(warm, challenge, code))
    assert reply.accepted and (searches, modifies) == (1, 1)


def test_wrong_password_costs_us_nothing(slapd, warm):
    user = Enrolled(slapd)
    reply, searches, modifies, _ = counted(slapd, lambda: warm.password(user.uid, "not-it"))
    assert reply.rejected and (searches, modifies) == (0, 0)


def test_altered_state_costs_nothing(slapd, warm):
    user = Enrolled(slapd)
    state = user.challenge(warm).state[:-1] + b"!"
    reply, searches, modifies, _ = counted(slapd, lambda: user.answer(warm, state, user.device.code()))
    assert reply.rejected and (searches, modifies) == (0, 0)


def test_search_is_a_base_search_when_rlm_ldap_found_the_user(slapd, warm):
    user = Enrolled(slapd)
    mark = slapd.mark()
    user.start(warm)
    ours = [line for line in slapd.log(mark).splitlines() if "SRCH base=" in line]
    assert sum(f'base="{user.dn}" scope=0' in line for line in ours) == 1


def test_connections_are_kept(slapd, warm):
    user = Enrolled(slapd)
    _, _, _, binds = counted(slapd, lambda: user.login(warm))
    assert binds == 0


@pytest.fixture(scope="module")
def readable(slapd):
    """The account of rlm_ldap may read the record."""
    with slapd.access_first(f'to * by dn.exact="{FREERADIUS_DN}" read by * break'):
        yield slapd


def test_mapped_attributes_save_the_search(readable, ring):
    """rlm_ldap read the record already: the password step asks the directory nothing."""
    with FreeRadius(readable, ring=ring, update=MAPPED) as server, server.client() as client:
        assert Enrolled(readable).login(client).accepted
        for make in (User, Enrolled):
            user = make(readable)
            reply, searches, modifies, _ = counted(readable, lambda: user.start(client))
            assert reply.accepted == (make is User)
            assert (searches, modifies) == (0, 0)
        assert user.answer(client, reply, user.device.code()).accepted


@pytest.fixture(scope="module")
def flags(slapd, ring):
    """A server whose rlm_ldap maps what tells that a user has no MFA; its account may not read a secret."""
    with slapd.access_first(f'to attrs=peruserMfaEnabled,peruserMfaRequiredFrom by dn.exact="{FREERADIUS_DN}" read '
                            "by * break"), FreeRadius(slapd, ring=ring, update=FLAGS) as server, \
            server.client() as client:
        assert Enrolled(slapd).login(client).accepted
        yield client


@pytest.mark.parametrize("make, attributes, searches, accepted", [
    (User, {}, 0, True),
    (User, {"peruserMfaEnabled": "FALSE"}, 1, True),
    (User, {"peruserMfaRequiredFrom": "20990101000000Z"}, 1, True),
    (Enrolled, {"peruserMfaEnabled": "FALSE"}, 1, True),
    (Enrolled, {}, 1, False),
    (Enrolled, {"peruserMfaEnabled": "FALSE", "peruserMfaRequiredFrom": "20200101000000Z"}, 1, False),
    (Enrolled, {"peruserMfaEnabled": None, "peruserMfaRequiredFrom": "20200101000000Z"}, 1, False),
])
def test_mapped_flags_save_the_search_of_those_without_a_record(slapd, flags, make, attributes, searches, accepted):
    """The object classes prove that there is none; a flag that is not there may be one that cannot be read."""
    user = make(slapd)
    user.set(**attributes)
    reply, asked, modifies, _ = counted(slapd, lambda: user.start(flags))
    assert (asked, modifies) == (searches, 0)
    assert reply.accepted == accepted
    if not accepted:
        assert reply.challenged and user.answer(flags, reply, user.device.code()).accepted


@pytest.mark.parametrize("attributes", [{}, {"peruserMfaEnabled": None, "peruserMfaRequiredFrom": "20200101000000Z"}])
@pytest.mark.parametrize("unenrolled", ["reject", "accept"])
def test_mapped_flags_that_cannot_be_read_let_nobody_in(slapd, ring, attributes, unenrolled):
    """As the shipped access rules have it: rlm_ldap's account may read the entry and nothing of the record."""
    with FreeRadius(slapd, ring=ring, update=FLAGS, instance={"unenrolled": unenrolled}) as server, \
            server.client() as client:
        user = Enrolled(slapd)
        user.set(**attributes)
        reply = user.start(client)
        assert reply.challenged and user.answer(client, reply, user.device.code()).accepted


@pytest.mark.parametrize("attributes", [
    {"peruserMfaEnabled": "TRUE"}, {"peruserMfaRequiredFrom": "20200101000000Z"}])
def test_mapped_flags_do_not_let_in_who_has_to_enrol(slapd, flags, attributes):
    user = User(slapd)
    user.set(**attributes)
    reply, searches, modifies, _ = counted(slapd, lambda: user.start(flags))
    assert reply.rejected and (searches, modifies) == (1, 0)


def test_mapped_flags_do_not_decide_when_mfa_is_required_for_a_login(slapd, ring):
    policy = "update control {\n\t\t&Peruser-MFA-Required := yes\n\t}\n\tperuser_mfa"
    with slapd.access_first(f'to attrs=peruserMfaEnabled by dn.exact="{FREERADIUS_DN}" read by * break'), \
            FreeRadius(slapd, ring=ring, update=FLAGS, sections={"mfa_authorize": policy}) as server, \
            server.client() as client:
        user = Enrolled(slapd)
        user.set(peruserMfaEnabled=None)
        assert user.login(client).accepted
        assert User(slapd).start(client).rejected


@pytest.mark.parametrize("bind_users", [False, True])
def test_mapped_flags_do_not_decide_when_mfa_is_required_at_last(slapd, ring, bind_users):
    """Required behind the first factor, which may have taken the flags for enough."""
    sections = {"post_auth_first": "\tupdate control {\n\t\t&Peruser-MFA-Required := yes\n\t}\n"}
    if bind_users:
        sections |= {"mfa_authorize": "", "first_factor": "\tldap\n\tperuser_mfa\n"}
    with slapd.access_first(f'to attrs=peruserMfaEnabled by dn.exact="{FREERADIUS_DN}" read by * break'), \
            FreeRadius(slapd, ring=ring, update=FLAGS, sections=sections,
                       instance={"bind_users": bind_users, "unenrolled": "accept"}) as server, server.client() as client:
        user = Enrolled(slapd)
        user.set(peruserMfaEnabled=None)
        assert user.start(client).challenged
        user.set(peruserMfaSecret=None)
        assert user.start(client).accepted


@pytest.mark.parametrize("place", ["mfa_authorize", "authorize_last"])
def test_mapped_attributes_do_not_decide_upon_a_code(readable, ring, place):
    """What was not mapped is read before an appended code is judged, whether our module comes before ldap or behind."""
    user, recovery = Enrolled(readable), new_recovery_code()
    user.set(peruserMfaRecoveryCode=[ring.recovery(recovery, user.entry_id)])
    sections = {"mfa_authorize": "", place: "peruser_mfa"}
    with FreeRadius(readable, ring=ring, update=MAPPED, instance={"mode": "append"}, sections=sections) as server, \
            server.client() as client:
        code = user.device.code()
        for typed, accepted in ((code, True), (code, False), (recovery, True), (recovery, False)):
            reply, searches, modifies, _ = counted(readable, lambda: client.password(user.uid, user.password + typed))
            assert (reply.accepted, searches) == (accepted, 1), typed
            assert modifies == (1 if accepted else 0)


def test_a_mapped_record_is_read_again_for_a_recovery_code(slapd, ring):
    """rlm_ldap maps no recovery codes: that none is in the record does not make the code a wrong one."""
    with FreeRadius(slapd, ring=ring, update=MAPPED) as server, server.client() as client:
        user, code = Enrolled(slapd), new_recovery_code()
        user.set(peruserMfaRecoveryCode=ring.recovery(code, user.entry_id))
        assert user.challenge(client)
        typed = ":".join(["SCRV1", *(base64.b64encode(part.encode()).decode() for part in (user.password, code))])
        assert client.password(user.uid, typed).result == "recovery"
        assert user.failures() == 0 and user.get("peruserMfaRecoveryCode") is None
