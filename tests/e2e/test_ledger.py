# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger in etcd: a code is used once at every server, whatever each one's directory knows."""
import time

import pytest

from lib.client import pap
from lib.etcd import Etcd
from lib.radius_server import FreeRadius
from lib.ring import new_recovery_code
from lib.slapd import RADIUS_DN, Slapd
from lib.totp import Device
from lib.user import Enrolled, User

ROUNDS = 100


@pytest.fixture(scope="module")
def etcd():
    with Etcd() as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def whole(etcd):
    """Each test begins and ends with all members there."""
    yield
    etcd.wait_healthy()


@pytest.fixture(scope="module")
def sites():
    """Two directories that never meet: what one takes, the other does not know."""
    with Slapd() as one, Slapd() as two:
        yield one, two


@pytest.fixture(scope="module")
def servers(etcd, slapd, ring):
    options = {"ring": ring, "settings": etcd.settings()}
    with FreeRadius(slapd, **options) as one, FreeRadius(slapd, **options) as two:
        yield one, two


@pytest.fixture
def nas(servers):
    with servers[0].client() as client:
        yield client


def test_a_login_is_written_to_etcd_and_not_to_the_directory(slapd, etcd, nas):
    user = Enrolled(slapd)
    mark = slapd.mark()
    challenge = user.challenge(nas)
    between = slapd.mark()
    assert user.answer(nas, challenge, user.device.code()).accepted
    password, code = slapd.operations(mark), slapd.operations(between)
    assert code[RADIUS_DN, "SRCH"] == 1 and password[RADIUS_DN, "SRCH"] == 2
    assert password[RADIUS_DN, "MOD"] == 0
    assert etcd.get(user)["last_use"].split()[0] == str(user.device.step())
    assert user.get("peruserMfaLastUse") is None


def test_the_account_needs_no_right_to_write_a_login(slapd, nas):
    """Last use and wrong codes may be out of its sight altogether."""
    user = Enrolled(slapd)
    with slapd.access_first(f'to attrs=peruserMfaLastUse,peruserMfaFailures by dn.exact="{RADIUS_DN}" none '
                            "by * break"):
        assert user.login(nas).accepted
        assert user.answer(nas, user.challenge(nas), user.device.wrong()).challenged


def test_a_used_code_is_refused_at_the_other_server(slapd, servers):
    user = Enrolled(slapd)
    with servers[0].client() as one, servers[1].client() as two:
        code = user.device.code()
        assert user.answer(one, user.challenge(one), code).accepted
        reply = user.answer(two, user.challenge(two), code)
        assert reply.rejected and reply.result == "replayed"


def test_a_retransmission_to_the_other_server_is_accepted(slapd, servers):
    user = Enrolled(slapd)
    with servers[0].client() as one, servers[1].client() as two:
        challenge, code = user.challenge(one), user.device.code()
        assert user.answer(one, challenge, code).accepted
        assert user.answer(two, challenge, code).accepted


def test_what_the_directory_says_of_the_last_use_does_not_count(slapd, nas):
    now = int(time.time())
    user = Enrolled(slapd)
    user.set(peruserMfaLastUse=f"{user.device.step(5)} {now} AAAAAAAAAAAAAAAA", peruserMfaFailures=f"100 {now} AAAA")
    assert user.login(nas).accepted


def test_two_servers_two_directories_one_code(etcd, sites, ring):
    """Each server writes and reads at a directory of its own: exactly one login gets in."""
    options = {"ring": ring, "settings": etcd.settings()}
    device, won = Device(), set()
    with FreeRadius(sites[0], **options) as one, FreeRadius(sites[1], **options) as two, \
            one.client() as at_one, two.client() as at_two:
        for _ in range(ROUNDS):
            user = Enrolled(sites[0], device=device)
            with sites[0].connect() as source, sites[1].connect() as target:
                copy_entry(source, target, user)
            code = device.code()
            asked = [(nas, nas.packet(pap(user.uid, code, user.challenge(nas).state))) for nas in (at_one, at_two)]
            for nas, packet in asked:
                nas.send(packet)
            accepted = tuple(nas.receive(packet).accepted for nas, packet in asked)
            assert sum(accepted) == 1, accepted
            won.add(accepted)
    assert len(won) == 2, f"one server won all of {ROUNDS} rounds: that was no race"


def copy_entry(source, target, user):
    """As replication does: with the entry's id."""
    import ldap
    import ldap.modlist
    from ldap.controls import RequestControl
    (_, attributes), = source.search_s(user.dn, ldap.SCOPE_BASE, attrlist=["*", "entryUUID"])
    relax = RequestControl("1.3.6.1.4.1.4203.666.5.12", True, None)
    target.add_ext_s(user.dn, ldap.modlist.addModlist(attributes), serverctrls=[relax])


def test_wrong_codes_count_in_etcd_and_lock(slapd, etcd, nas):
    user = Enrolled(slapd)
    for _ in range(5):
        user.answer(nas, user.challenge(nas), user.device.wrong())
        user.device.wrong()
    ledger = etcd.get(user)
    assert ledger["failures"].split()[0] == "5" and user.get("peruserMfaFailures") is None
    assert user.start(nas).result == "locked"


def test_a_recovery_code_is_refused_before_it_is_gone_from_the_directory(slapd, etcd, nas, ring):
    user = Enrolled(slapd)
    code = new_recovery_code()
    value = ring.recovery(code, user.entry_id)
    user.set(peruserMfaRecoveryCode=value)
    with slapd.access_first(f'to attrs=peruserMfaRecoveryCode by dn.exact="{RADIUS_DN}" =rsc by * break'):
        assert user.answer(nas, user.challenge(nas), code).result == "recovery"
        assert user.get("peruserMfaRecoveryCode") == value
        assert not user.answer(nas, user.challenge(nas), code).accepted
    assert len(etcd.get(user)["used"]) == 1


def test_a_recovery_code_is_deleted_from_the_directory(slapd, nas, ring):
    user = Enrolled(slapd)
    code = new_recovery_code()
    value = ring.recovery(code, user.entry_id)
    user.set(peruserMfaRecoveryCode=value)
    assert user.answer(nas, user.challenge(nas), code).result == "recovery"
    assert user.get("peruserMfaRecoveryCode") is None


@pytest.mark.parametrize("fault", ["kill", "sigstop"])
@pytest.mark.parametrize("number", [0, 1, 2])
def test_logins_go_on_without_one_member(slapd, etcd, nas, number, fault):
    user = Enrolled(slapd)
    getattr(etcd.members[number], fault)()
    for offset in (-1, 0, 1):
        reply = user.login(nas, offset)
        assert reply.accepted, reply


@pytest.mark.parametrize("fault", ["kill", "sigstop"])
def test_nobody_gets_in_without_a_majority(slapd, etcd, nas, fault):
    user, plain = Enrolled(slapd), User(slapd)
    challenge = user.challenge(nas)
    for member in etcd.members[1:]:
        getattr(member, fault)()
    start = time.monotonic()
    reply = user.answer(nas, challenge, user.device.code())
    assert reply.rejected and reply.result == "unavailable"
    assert time.monotonic() - start < 3.2
    etcd.wait_healthy()
    assert user.login(nas).accepted and plain.start(nas).accepted


def test_a_member_that_was_restarted_takes_the_password_again(slapd, etcd, nas):
    user = Enrolled(slapd)
    assert user.login(nas, -1).accepted
    for member in etcd.members:
        member.restart()
    etcd.wait_healthy()
    assert user.login(nas).accepted


def test_a_wrong_password_refuses_and_says_so(slapd, etcd, ring):
    wrong = etcd.members[0].dir / "wrong"
    wrong.write_text("nothing like it\n")
    wrong.chmod(0o640)
    user = Enrolled(slapd)
    with FreeRadius(slapd, ring=ring, settings={**etcd.settings(), "ledger.password_file": str(wrong)}) as radius, \
            radius.client() as nas:
        reply = user.start(nas)
        assert reply.rejected and "user or password is not accepted" in radius.log()
        assert "nothing like it" not in radius.log()


def test_a_user_of_etcd_without_permission_is_refused(slapd, etcd, ring):
    user = Enrolled(slapd)
    with FreeRadius(slapd, ring=ring, settings={**etcd.settings(), "ledger.prefix": "other/"}) as radius, \
            radius.client() as nas:
        assert user.start(nas).rejected
        assert "permission denied" in radius.log()


def test_a_member_that_the_authority_did_not_sign_is_not_asked(slapd, etcd, ring):
    user = Enrolled(slapd)
    with FreeRadius(slapd, ring=ring, settings={**etcd.settings(), "ledger.ca_file": str(slapd.ca_file)}) as radius, \
            radius.client() as nas:
        assert user.start(nas).rejected and "SSL" in radius.log()


@pytest.mark.parametrize("value", ["", "[]", "nonsense", '{"last_use":7}', '{"last_use":"x"}', '{"more":"1"}',
                                   '{"used":["short"]}'])
def test_a_value_that_cannot_be_understood_refuses(slapd, etcd, nas, value):
    user = Enrolled(slapd)
    etcd.put(user, value)
    reply = user.start(nas)
    if reply.challenged:
        reply = user.answer(nas, reply, user.device.code())
    assert reply.accepted if value == "" else reply.rejected and reply.result == "broken"


def test_no_secret_of_etcd_is_logged(slapd, etcd, ring):
    user = Enrolled(slapd)
    with FreeRadius(slapd, ring=ring, settings=etcd.settings(), debug=3) as radius, radius.client() as nas:
        assert user.login(nas).accepted
        assert etcd.password not in radius.log()
