# SPDX-License-Identifier: GPL-2.0-or-later
"""Users who have to enrol and have not, now or from a date on, and groups for whom MFA is not optional."""
import time

import pytest

from lib.radius_server import LDAP_BIND, FreeRadius, Later
from lib.slapd import SUFFIX
from lib.totp import Device
from lib.user import Enrolled, User

URL = "https://mfa.example.org/"
SHIPPED = "You have to set up two-factor login before you can log in."
PAST = "20200101000000Z"
INVITED = {"peruserMfaEnabled": "TRUE"}
OVERDUE = {"peruserMfaRequiredFrom": PAST}
ADMINS = "admins"
VLAN = 13


def stamp(seconds_from_now):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + seconds_from_now))


both = pytest.mark.parametrize("attributes", [INVITED, OVERDUE], ids=["invited", "overdue"])


@both
def test_reject_tells_where_to_enrol(slapd, radius, client, attributes):
    user = User(slapd, **attributes)
    mark = radius.mark()
    reply = user.start(client)
    assert reply.rejected and reply.result == "unenrolled"
    assert SHIPPED in reply.message and len(reply.all("Reply-Message")) == 1
    assert f"user '{user.uid}': unenrolled" in radius.log(mark)


@both
def test_nothing_is_told_before_the_password_was_right(slapd, client, attributes):
    reply = client.password(User(slapd, **attributes).uid, "not-it")
    assert reply.rejected and reply.message == "" and reply.result == ""


@both
def test_accept_for_a_policy_to_restrict(slapd, ring, attributes):
    sections = {"post_auth": "\tperuser_mfa_restrict_unenrolled\n"}
    with FreeRadius(slapd, ring=ring, instance={"unenrolled": "accept"}, sections=sections) as server, \
            server.client() as client:
        reply = User(slapd, **attributes).start(client)
        assert reply.accepted and reply.result == "unenrolled" and SHIPPED in reply.message
        assert (reply.get("Tunnel-Type"), reply.get("Tunnel-Private-Group-Id")) == (VLAN, "99")
        enrolled, plain = Enrolled(slapd), User(slapd)
        for reply in (plain.start(client), enrolled.login(client)):
            assert reply.accepted and reply.get("Tunnel-Private-Group-Id") is None


@pytest.fixture(scope="module")
def showing(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance={"unenrolled": "challenge"}) as server:
        yield server


@both
def test_challenge_shows_the_text_and_refuses(slapd, showing, attributes):
    """For clients that show nothing but challenges."""
    user = User(slapd, **attributes)
    with showing.client() as client:
        assert client.password(user.uid, "not-it").message == ""
        challenge = user.start(client)
        assert challenge.challenged and SHIPPED in challenge.message and challenge.state
        for answer in ("", "123456", user.password, "BCDF-GHJK-LMNP"):
            reply = user.answer(client, challenge, answer)
            assert reply.rejected and reply.result == "unenrolled" and SHIPPED in reply.message
        assert user.failures() == 0


def test_user_who_enrols_while_the_text_is_shown_can_answer_it(slapd, showing):
    user, device = User(slapd, **INVITED), Device()
    with showing.client() as client:
        challenge = user.start(client)
        user.set(peruserMfaSecret=device.secret)
        assert user.answer(client, challenge, device.code()).accepted


def test_enrolled_user_notices_nothing(slapd, showing):
    with showing.client() as client:
        assert Enrolled(slapd).login(client).accepted


# ---- enrolling while the prompt waits

ENROLL = {"unenrolled": "enroll", "message.enroll": f"Set up two-factor login at {URL} and type the next code from your app: "}
NEXT = "This code was already used. Enter the next 6-digit code: "


@pytest.fixture(scope="module")
def waiting(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance=ENROLL) as server:
        yield server


@pytest.fixture(scope="module")
def later(slapd, ring):
    """Another server of the site, 14 minutes ahead, and one 16 minutes ahead."""
    with Later(slapd, ring=ring, instance=ENROLL, shift_s=840) as in_time, \
            Later(slapd, ring=ring, instance=ENROLL, shift_s=960) as too_late:
        yield in_time, too_late


def prompted(user, client):
    challenge = user.start(client)
    assert challenge.challenged and challenge.message == ENROLL["message.enroll"]
    assert challenge.get("Session-Timeout") == 900
    return challenge


@both
def test_a_user_enrolls_at_the_prompt(slapd, waiting, attributes):
    """Nothing that is typed before counts; afterwards the new device's code lets them in, once."""
    user, device = User(slapd, **attributes), Device()
    with waiting.client() as client:
        assert client.password(user.uid, "not-it").message == ""
        challenge = prompted(user, client)
        for typed in ("", "123456", user.password, "BCDF-GHJK-LMNP"):
            challenge = user.answer(client, challenge, typed)
            assert challenge.challenged and challenge.message == ENROLL["message.enroll"]
        assert user.failures() == 0 and user.get("peruserMfaLastUse") is None
        user.set(peruserMfaEnabled="TRUE", peruserMfaSecret=device.secret)
        code = device.code()
        assert user.answer(client, challenge, code).accepted
        assert not user.answer(client, prompted_again(user, client), code).accepted


def prompted_again(user, client):
    challenge = user.start(client)
    assert challenge.message == "Enter the 6-digit code: " and challenge.get("Session-Timeout") == 120
    return challenge


def test_the_code_that_the_page_has_seen_is_asked_for_anew(slapd, waiting):
    user, device = User(slapd, **INVITED), Device()
    with waiting.client() as client:
        challenge = prompted(user, client)
        step = int(time.time()) // 30
        user.set(peruserMfaSecret=device.secret, peruserMfaLastUse=f"{step} {step * 30} AAAAAAAAAAAAAAAA")
        challenge = user.answer(client, challenge, device.code(now=step * 30))
        assert challenge.challenged and challenge.message == NEXT
        assert user.failures() == 0
        assert user.answer(client, challenge, device.code(now=(step + 1) * 30)).accepted


def test_a_wrong_code_counts_as_at_any_prompt(slapd, waiting):
    user, device = User(slapd, **INVITED), Device()
    with waiting.client() as client:
        challenge = prompted(user, client)
        user.set(peruserMfaSecret=device.secret)
        challenge = user.answer(client, challenge, device.wrong())
        assert challenge.message.startswith("Wrong code.") and challenge.get("Session-Timeout") == 120
        assert user.failures() == 1
        assert user.answer(client, challenge, device.code()).accepted


def test_the_prompt_waits_for_a_quarter_of_an_hour(slapd, waiting, later):
    in_time, too_late = later
    for server, accepted in ((in_time, True), (too_late, False)):
        user, device = User(slapd, **INVITED), Device()
        with waiting.client() as client:
            challenge = prompted(user, client)
        user.set(peruserMfaSecret=device.secret)
        with server.client() as client:
            reply = user.answer(client, challenge, device.code(now=time.time() + server.shift_s))
            assert reply.accepted == accepted
            if not accepted:
                assert reply.result == "expired" and "log in again" in reply.message


def test_who_is_let_off_or_suspended_meanwhile_logs_in_again(slapd, waiting):
    with waiting.client() as client:
        user = User(slapd, **INVITED)
        challenge = prompted(user, client)
        user.set(peruserMfaEnabled=None)
        assert user.answer(client, challenge, "123456").rejected
        assert user.start(client).accepted


def test_a_prompt_for_another_user_lets_nobody_in(slapd, waiting):
    user, other = User(slapd, **INVITED), Enrolled(slapd)
    with waiting.client() as client:
        challenge = prompted(user, client)
        assert other.answer(client, challenge, other.device.code()).rejected
        assert other.get("peruserMfaLastUse") is None


def test_without_a_prompt_the_reject_tells_where_to_enroll(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance={**ENROLL, "mode": "append"}) as server, server.client() as client:
        reply = User(slapd, **INVITED).start(client)
        assert reply.rejected and reply.result == "unenrolled" and SHIPPED in reply.message


@pytest.mark.parametrize("items, said", [({"unenrolled": "enroll"}, "enroll"),
                                         ({**ENROLL, "challenge.enroll_lifetime": 59}, "enroll_lifetime"),
                                         ({**ENROLL, "challenge.enroll_lifetime": 3601}, "enroll_lifetime")])
def test_what_enrolling_at_the_prompt_needs(slapd, ring, items, said):
    with FreeRadius(slapd, ring=ring, instance=items, start=False) as server:
        status, output = server.check()
        assert status != 0 and said in output and "peruser_mfa[" in output


# ---- locked, for clients that show nothing but challenges

def test_lock_as_a_challenge(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance={"locked": "challenge"}) as server, server.client() as client:
        user = Enrolled(slapd)
        user.set(peruserMfaFailures="4 4000000000 AAAAAAAAAAAAAAAAAAAAAA")
        challenge = user.challenge(client)
        text = user.answer(client, challenge, user.device.wrong())
        for shown in (text, user.start(client)):
            assert shown.challenged and shown.message.startswith("Too many wrong codes. Try again in ")
            user.set(peruserMfaFailures=None)
            for answer in ("", user.device.code(), "123456"):
                reply = user.answer(client, shown, answer)
                assert reply.rejected and reply.result == "locked" and reply.message == ""
            assert user.failures() == 0 and user.get("peruserMfaLastUse") is None
            user.set(peruserMfaFailures="100 4000000000 AAAAAAAAAAAAAAAAAAAAAA")
        assert user.start(client).message == "Too many wrong codes. Ask your help desk to unlock the account. Press Enter: "


# ---- the text

def test_longest_text_arrives_whole(slapd, ring):
    text = (URL + "x" * 253)[:253]
    with FreeRadius(slapd, ring=ring, instance={"message.unenrolled": text}) as server, server.client() as client:
        assert User(slapd, **INVITED).start(client).message == text


def test_text_that_would_be_cut_off_stops_the_server(slapd, ring):
    for name in ("unenrolled", "challenge", "locked"):
        server = FreeRadius(slapd, ring=ring, instance={f"message.{name}": URL + "x" * 230}, start=False)
        with server:
            status, output = server.check()
            assert status != 0 and f"'{name}' must be at most 253 bytes" in output and "peruser_mfa[" in output


def test_text_with_the_users_name(slapd, ring):
    """What is expanded may be too long only at a login: it is cut between characters, not within one."""
    instance = {"message.unenrolled": URL + "?user=%{User-Name}&" + "ä" * 20}
    with FreeRadius(slapd, ring=ring, instance=instance) as server, server.client() as client:
        user = User(slapd, **INVITED)
        assert user.start(client).message == URL + f"?user={user.uid}&" + "ä" * 20
        long = User(slapd, uid="u" + "x" * 199, **INVITED)
        message = long.start(client).message
        assert message.startswith(URL) and 250 <= len(message.encode()) <= 253
        message.encode("utf-8")


# ---- a date

def test_required_from_a_date_to_come(slapd, client):
    """The login works, and the Accept says until when."""
    day = stamp(86400 * 3)
    user = User(slapd, peruserMfaRequiredFrom=day)
    reply = user.start(client)
    assert reply.accepted and reply.result == "off"
    date = f"{day[:4]}-{day[4:6]}-{day[6:8]}"
    assert reply.message == f"From {date} on you need two-factor login. Please set it up."


def test_the_moment_itself(slapd, client):
    user = User(slapd, peruserMfaRequiredFrom=stamp(40))
    assert user.start(client).accepted
    user.set(peruserMfaRequiredFrom=stamp(-1))
    assert user.start(client).result == "unenrolled"


def test_enrolled_user_is_not_told_about_the_date(slapd, client):
    user = Enrolled(slapd, peruserMfaRequiredFrom=stamp(86400))
    assert user.login(client).message == ""


def test_suspended_user_is_told_and_then_asked(slapd, client):
    user = Enrolled(slapd, peruserMfaEnabled="FALSE", peruserMfaRequiredFrom=stamp(86400))
    reply = user.start(client)
    assert reply.accepted and reply.message.startswith("From ")
    user.set(peruserMfaRequiredFrom=PAST)
    assert user.login(client).accepted


# ---- a group

FOR_GROUP = f"""
	if (&LDAP-Group == "cn={ADMINS},ou=groups,{SUFFIX}") {{
		update control {{
			&Peruser-MFA-Required := yes
		}}
	}}
"""
GROUP_OBJECTS = f"""
ldap {{
	group {{
		base_dn = "ou=groups,{SUFFIX}"
		filter = "(objectClass=groupOfNames)"
		membership_filter = "(member=%{{control:Ldap-UserDn}})"
	}}
}}
"""


def add_to_group(slapd, *users):
    dn = f"cn={ADMINS},ou=groups,{SUFFIX}"
    members = [user.dn for user in users]
    slapd.add_users((dn, {"objectClass": "groupOfNames", "cn": ADMINS, "member": members}))


@pytest.fixture(scope="module")
def members(slapd):
    who = {"plain": User(slapd), "enrolled": Enrolled(slapd), "suspended": Enrolled(slapd, peruserMfaEnabled="FALSE"),
           "glued": Enrolled(slapd, peruserMfaEnabled="FALSE")}
    add_to_group(slapd, *who.values())
    return who


def with_group(slapd, ring, **more):
    """The shipped configuration of rlm_ldap has a group section; ours for the tests gets one here."""
    server = FreeRadius(slapd, ring=ring, start=False, **more)
    write = server._write
    group = GROUP_OBJECTS.strip().split("\n", 1)[1].rsplit("}", 1)[0]
    server._write = lambda path, text: write(
        path, text.replace("\toptions {", group + "\toptions {", 1) if path == "mods-enabled/standard" else text)
    try:
        return server.start_on_free_ports()
    except BaseException:
        server.close()
        raise


def test_group_is_asked_others_are_not(slapd, ring, members):
    with with_group(slapd, ring, sections={"authorize_last": FOR_GROUP}) as server, server.client() as client:
        reply = members["plain"].start(client)
        assert reply.rejected and reply.result == "unenrolled"
        assert members["enrolled"].login(client).accepted
        assert members["suspended"].login(client).accepted
        assert User(slapd).start(client).result == "off"
        assert Enrolled(slapd, peruserMfaEnabled="FALSE").start(client).result == "off"


def test_group_with_a_code_behind_the_password(slapd, ring, members):
    """Whether to split depends on the group, so ldap and the policy stand before our module."""
    sections = {"authorize_first": "\tldap\n" + FOR_GROUP, "first_factor": LDAP_BIND.replace("\tldap\n", "", 1)
                .replace("(ok || updated) && ", "")}
    with with_group(slapd, ring, sections=sections, instance={"mode": "append"}) as server, server.client() as client:
        user = members["glued"]
        assert user.start(client).rejected
        assert client.password(user.uid, user.password + user.device.code()).accepted
        assert User(slapd).start(client).accepted
