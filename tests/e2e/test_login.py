# SPDX-License-Identifier: GPL-2.0-or-later
"""The story: one user without MFA, one with, the same prompt for both."""
import ldap
import pytest

from lib.proxied import HOME
from lib.radius_server import READ_PASSWORD, FreeRadius
from lib.ring import new_recovery_code
from lib.slapd import RADIUS_DN
from lib.user import Enrolled, User

PROMPT = "Enter the 6-digit code: "


def test_user_without_mfa_gets_in_with_the_password(slapd, client):
    user = User(slapd)
    assert user.start(client).accepted
    assert "peruserMfaUser" not in slapd.get(user.uid, "objectClass")


def test_user_with_mfa_is_asked_and_the_code_works_once(slapd, client):
    user = Enrolled(slapd)
    challenge = user.start(client)
    assert challenge.challenged and challenge.message == PROMPT
    code = user.device.code()
    assert user.answer(client, challenge, code).accepted
    again = user.answer(client, user.challenge(client), code)
    assert again.rejected and again.result == "replayed"


def test_one_line_of_ldif_turns_mfa_off_and_on(slapd, client):
    """Without restarting anything; the secret stays for the day when it is turned on again."""
    user = Enrolled(slapd)
    for flag, expected in (("FALSE", "off"), ("TRUE", "challenged")):
        slapd.ldapmodify(f"dn: {user.dn}\nchangetype: modify\nreplace: peruserMfaEnabled\nperuserMfaEnabled: {flag}\n")
        reply = user.start(client)
        assert (reply.accepted, reply.challenged) == (expected == "off", expected == "challenged")
    assert user.get("peruserMfaSecret") == user.device.secret


def test_wrong_password_never_gets_a_challenge_and_tells_nothing(slapd, ring):
    """Enrolled, not enrolled, unknown: the same empty reject."""
    with FreeRadius(slapd, ring=ring, echo=False) as server, server.client() as client:
        for name in (User(slapd).uid, Enrolled(slapd).uid, "nobody-of-that-name"):
            reply = client.password(name, "not-it")
            assert reply.rejected and reply.said == []


def test_wrong_password_leaves_no_trace_in_the_record(slapd, client):
    user = Enrolled(slapd)
    before = slapd.get(user.uid)
    assert client.password(user.uid, user.device.code()).rejected
    assert slapd.get(user.uid) == before


def test_user_without_our_class_costs_no_write(slapd, client):
    user = User(slapd)
    mark = slapd.mark()
    assert user.start(client).accepted
    counts = slapd.operations(mark)
    assert counts[RADIUS_DN, "SRCH"] <= 1 and counts[RADIUS_DN, "MOD"] == 0


def test_recovery_code_works_once(slapd, client, ring):
    user = Enrolled(slapd)
    codes = [new_recovery_code() for _ in range(2)]
    user.set(peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id) for code in codes])
    typed = codes[0].lower().replace("-", " ")
    reply = user.answer(client, user.challenge(client), typed)
    assert reply.accepted and reply.result == "recovery"
    assert slapd.get(user.uid, "peruserMfaRecoveryCode") == [ring.recovery(codes[1], user.entry_id)]
    assert not user.answer(client, user.challenge(client), typed).accepted


def test_recovery_code_of_another_user_is_refused(slapd, client, ring):
    user, other = Enrolled(slapd), Enrolled(slapd)
    code = new_recovery_code()
    user.set(peruserMfaRecoveryCode=[ring.recovery(code, other.entry_id)])
    assert not user.answer(client, user.challenge(client), code).accepted


def test_failure_of_the_first_code_does_not_burn_the_second_device(slapd, client):
    """Two devices: either one's code is accepted."""
    user, second = Enrolled(slapd), Enrolled(slapd).device
    user.set(peruserMfaSecret=[user.device.secret, second.secret])
    assert user.answer(client, user.challenge(client), second.code()).accepted
    assert user.answer(client, user.challenge(client), user.device.code(1)).accepted


# ---- first factors

CLEAR_FACTORS = {
    "pap": lambda client, user: client.password(user.uid, user.password),
    "chap": lambda client, user: client.chap(user.uid, user.password),
    "chap with a challenge of its own": lambda client, user: client.chap(user.uid, user.password, challenge=b"x" * 16),
    "ms-chapv2": lambda client, user: client.mschap2(user.uid, user.password),
}


@pytest.fixture(scope="module")
def clear_radius(slapd, ring):
    with FreeRadius(slapd, ring=ring, sections={"first_factor": READ_PASSWORD}) as server:
        yield server


@pytest.mark.parametrize("factor", CLEAR_FACTORS)
def test_first_factor_that_reads_the_password(slapd, clear_radius, factor):
    plain, enrolled = User(slapd, clear=True), Enrolled(slapd, clear=True)
    ask = CLEAR_FACTORS[factor]
    with clear_radius.client() as client:
        assert ask(client, plain).accepted
        challenge = ask(client, enrolled)
        assert challenge.challenged and challenge.message == PROMPT
        assert enrolled.answer(client, challenge, enrolled.device.code()).accepted
        plain.password = enrolled.password = "not-it"
        assert ask(client, plain).rejected and ask(client, enrolled).rejected


@pytest.mark.parametrize("challenge_size", [None, 1, 16, 64])
def test_chap_over_the_code(slapd, client, challenge_size):
    own = b"c" * challenge_size if challenge_size else None
    user = Enrolled(slapd)
    challenge = user.challenge(client)
    assert client.chap(user.uid, user.device.code(), challenge, challenge=own).accepted
    again = user.challenge(client)
    wrong = client.chap(user.uid, user.device.wrong(), again, challenge=own)
    assert wrong.challenged and user.failures() == 1


ANSWERS_STAY = """peruser_mfa {
		ok = return
	}"""
TO_HOME = """
	update control {
		Proxy-To-Realm := home
	}
"""


def test_proxied_home_server_as_first_factor(slapd, ring):
    """The home server knows the password only; it never sees the second packet."""
    with FreeRadius(slapd, module=False, debug=1) as home:
        sections = {"first_factor": TO_HOME, "mfa_authorize": ANSWERS_STAY}
        with FreeRadius(slapd, ring=ring, sections=sections, proxy=HOME % home.port) as server, \
                server.client() as client:
            plain, enrolled = User(slapd), Enrolled(slapd)
            assert plain.start(client).accepted
            assert client.password(enrolled.uid, "not-it").rejected
            challenge = enrolled.challenge(client)
            mark = home.mark()
            assert enrolled.answer(client, challenge, enrolled.device.code()).accepted
            assert "Received Access-Request" not in home.log(mark)


# ---- the way to the directory

def test_ldaps(slapd, ring):
    with FreeRadius(slapd, ring=ring, settings={"ldap.uri": slapd.ldaps_uri}) as server, server.client() as client:
        assert Enrolled(slapd).login(client).accepted
    assert "TLS established" in slapd.log()


def test_starttls(slapd, ring):
    mark = slapd.mark()
    with FreeRadius(slapd, ring=ring, settings={"ldap.start_tls": True}) as server, server.client() as client:
        assert Enrolled(slapd).login(client).accepted
    assert "TLS established" in slapd.log(mark)


@pytest.mark.parametrize("way", ["ldaps", "starttls"])
def test_certificate_of_a_stranger_is_refused(slapd, ring, tmp_path, way):
    from lib.tls import make_certificates
    make_certificates(tmp_path)
    settings = {"ldap.ca_file": str(tmp_path / "ca.pem"),
                "ldap.uri": slapd.ldaps_uri if way == "ldaps" else slapd.uri, "ldap.start_tls": way == "starttls"}
    with FreeRadius(slapd, ring=ring, settings=settings) as server, server.client(timeout_s=6) as client:
        user = Enrolled(slapd)
        mark = slapd.mark()
        reply = answer_or_none(user.start, client)
        assert reply is None or reply.rejected
        assert slapd.operations(mark)[RADIUS_DN, "BIND"] == 0


def answer_or_none(ask, *args):
    from lib.client import NoAnswer
    try:
        return ask(*args)
    except NoAnswer:
        return None


def test_searching_for_the_user_by_ourselves(slapd, ring):
    """Without rlm_ldap the module finds the entry by its own filter."""
    sections = {"first_factor": '\tupdate control {\n\t\tCleartext-Password := "pw"\n\t}\n\tpap\n'}
    with FreeRadius(slapd, ring=ring, sections=sections) as server, server.client() as client:
        assert User(slapd, password="pw").start(client).accepted
        assert Enrolled(slapd, password="pw").login(client).accepted


def test_two_people_under_one_name_are_refused(slapd, ring):
    sections = {"first_factor": '\tupdate control {\n\t\tCleartext-Password := "pw"\n\t}\n\tpap\n'}
    settings = {"user.filter": "(|(uid=%{User-Name})(description=%{User-Name}))"}
    with FreeRadius(slapd, ring=ring, sections=sections, settings=settings) as server, server.client() as client:
        user = User(slapd, password="pw")
        User(slapd, description=user.uid)
        assert not client.password(user.uid, "pw").accepted


def test_acl_that_we_ship_is_enough(slapd, client, ring):
    """Everything above ran with it; a success and a failure were written by the RADIUS account."""
    user = Enrolled(slapd)
    user.answer(client, user.challenge(client), user.device.wrong())
    assert user.get("modifiersName") == RADIUS_DN
    assert user.login(client).accepted
    with pytest.raises(ldap.INSUFFICIENT_ACCESS), slapd.connect(RADIUS_DN) as radius:
        radius.modify_s(user.dn, [(ldap.MOD_REPLACE, "peruserMfaSecret", [b"A" * 32])])
