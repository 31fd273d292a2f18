# SPDX-License-Identifier: GPL-2.0-or-later
"""On the way of a password and of an answer: who may see it, whose it is, how long it is good, what the reply holds."""
import time

import pytest

from lib.proxied import HOME
from lib.radius_server import Clocked, FreeRadius, Later
from lib.totp import Device
from lib.user import Enrolled, User

TO_HOME = "\tupdate control {\n\t\tProxy-To-Realm %s home\n\t}\n"
PROFILE = "\tupdate reply {\n\t\tTunnel-Private-Group-Id := 42\n\t\tClass := 0x666f6f\n\t}\n"
TELL = """
	if (&User-Password || &CHAP-Password) {
		update reply {
			Filter-Id := "saw something typed"
		}
	}
"""
RECEIVED = "Received Access-Request"


def reason(reply):
    return reply.get("Callback-Id") or ""


# ---- nobody else sees the code

@pytest.mark.parametrize("way", ["pap", "chap"])
def test_a_code_is_seen_by_no_module_behind(slapd, ring, way):
    with FreeRadius(slapd, ring=ring, sections={"authorize_last": TELL}) as server, server.client() as client:
        assert User(slapd).start(client).get("Filter-Id"), "a password is seen there"
        own = Enrolled(slapd)
        challenge, code = own.challenge(client), own.device.code()
        answer = client.chap(own.uid, code, challenge) if way == "chap" else own.answer(client, challenge, code)
        assert answer.accepted and answer.get("Filter-Id") is None


@pytest.mark.parametrize("place, operator", [("authorize_first", ":="), ("authorize_last", "+=")])
def test_a_code_goes_to_no_home_server(slapd, ring, place, operator):
    """Whether the realm module comes before our line or behind it."""
    with FreeRadius(slapd, module=False, debug=1) as home:
        with FreeRadius(slapd, ring=ring, sections={"first_factor": "", place: TO_HOME % operator},
                        proxy=HOME % home.port) as server, server.client() as client:
            own = Enrolled(slapd)
            mark = home.mark()
            challenge = own.challenge(client)
            assert RECEIVED in home.log(mark), "the password is checked there"
            mark = home.mark()
            assert own.answer(client, challenge, own.device.code()).accepted
            assert RECEIVED not in home.log(mark)


def test_an_encrypted_attribute_of_the_home_server_is_not_kept(slapd, ring):
    """A State is no place for the secrets of others."""
    more = "\tupdate reply {\n\t\tTunnel-Password := \"secret-of-the-tunnel\"\n\t\tFilter-Id := \"kept\"\n\t}\n"
    with FreeRadius(slapd, module=False, sections={"post_auth": more}) as home:
        with FreeRadius(slapd, ring=ring, sections={"first_factor": TO_HOME % ":=",
                                                    "mfa_authorize": "peruser_mfa {\n\t\tok = return\n\t}"},
                        proxy=HOME % home.port) as server, server.client() as client:
            assert User(slapd).start(client).get("Attr-69"), "it reaches who needs no code"
            own = Enrolled(slapd)
            answer = own.login(client)
            assert answer.accepted and answer.get("Filter-Id") == "kept"
            assert answer.get("Attr-69") is None


# ---- whose answer it is, and how old

def test_the_state_of_another_instance_is_refused(slapd, ring):
    with FreeRadius(slapd, ring=ring, start=False) as other, FreeRadius(slapd, ring=ring) as server:
        other.pick_ports()
        other.configure()
        other.more = {"mods-enabled/second": other.instance_file().replace("peruser_mfa {", "peruser_mfa second {", 1)}
        other.sections = {place: "second" for place in ("mfa_authorize", "mfa_authenticate", "mfa_post_auth")}
        other.start_on_free_ports()
        with other.client() as there, server.client() as here:
            own = Enrolled(slapd)
            challenge, code = own.challenge(there), own.device.code()
            assert own.answer(here, challenge, code).rejected
            assert own.answer(there, challenge, code).accepted


def test_a_state_from_the_future_is_refused(slapd, ring):
    """But for what two servers may differ by."""
    with FreeRadius(slapd, ring=ring) as server, server.client() as client:
        for shift_s, accepted in ((45, True), (200, False)):
            with Later(slapd, ring=ring, shift_s=shift_s) as ahead, ahead.client() as nas:
                own = Enrolled(slapd)
                answer = own.answer(client, own.challenge(nas), own.device.code())
                assert answer.accepted == accepted, shift_s
                assert accepted or "from the future" in reason(answer)


def test_a_second_prompt_has_a_lifetime_of_its_own(slapd, ring):
    now_s = int(time.time())
    with Clocked(slapd, ring=ring, now_s=now_s) as server, server.client() as client:
        own = Enrolled(slapd)
        challenge = own.challenge(client)
        server.set_time(now_s + 100)
        again = own.answer(client, challenge, own.device.wrong())
        assert again.challenged
        server.set_time(now_s + 190)
        assert own.answer(client, again, own.device.code(190 // 30)).accepted


# ---- the cache: what was kept is no fresh read

def test_a_device_that_came_after_the_challenge_counts(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance={"challenge.cache": 64}) as server, server.client() as client:
        own, second = Enrolled(slapd), Device()
        challenge = own.challenge(client)
        own.set(peruserMfaSecret=[own.device.secret, second.secret])
        assert own.answer(client, challenge, second.code()).accepted
        assert own.failures() == 0


def test_a_kept_record_is_used_once(slapd, ring):
    """The second answer reads the record, and writes nothing."""
    with FreeRadius(slapd, ring=ring, instance={"challenge.cache": 64}) as server, server.client() as client:
        own = Enrolled(slapd)
        challenge, code = own.challenge(client), own.device.code()
        assert own.answer(client, challenge, code).accepted
        mark = slapd.mark()
        assert own.answer(client, challenge, code).accepted
        assert sum(count for (_, what), count in slapd.operations(mark).items() if what == "MOD") == 0


# ---- who checks the password

def test_without_bind_users_no_password_is_checked(slapd, ring):
    """An Auth-Type that names the module by mistake lets nobody in."""
    wrong = "\tupdate control {\n\t\tAuth-Type := peruser_mfa\n\t}\n"
    with FreeRadius(slapd, ring=ring, sections={"authorize_last": wrong}) as server, server.client() as client:
        own = User(slapd)
        mark = slapd.mark()
        assert own.start(client).rejected
        assert f'BIND dn="{own.dn}"' not in slapd.log(mark)


def test_bind_users_leaves_a_refusal_of_the_site_alone(slapd, ring):
    refuse = """
	if (&User-Name =~ /^refused/) {
		update control {
			Auth-Type := Reject
		}
	}
"""
    with FreeRadius(slapd, ring=ring, instance={"bind_users": True},
                    sections={"first_factor": "", "authorize_first": refuse}) as server, server.client() as client:
        plain = User(slapd)
        assert plain.start(client).accepted
        assert User(slapd, uid=f"refused-{plain.uid}").start(client).rejected


def test_bind_users_leaves_users_of_a_home_server_alone(slapd, ring):
    with FreeRadius(slapd, module=False, debug=1) as home:
        with FreeRadius(slapd, ring=ring, instance={"bind_users": True}, proxy=HOME % home.port,
                        sections={"first_factor": "", "authorize_first": TO_HOME % ":="}) as server, \
                server.client() as client:
            own, mark, here = User(slapd), home.mark(), slapd.mark()
            assert own.start(client).accepted
            assert RECEIVED in home.log(mark)
            assert slapd.operations(here)[own.dn, "BIND"] == 1, "once, for the home server"


def test_a_trial_behind_an_instance_that_takes_codes_off_spends_none(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance={"report_only": True}, start=False) as server:
        server.pick_ports()
        server.configure(instance={"mode": "append"})
        second = server.instance_file().replace("peruser_mfa {", "peruser_mfa second {", 1)
        server.instance = {"report_only": True}
        server.more = {"mods-enabled/second": second}
        server.sections = {"mfa_authorize": "second", "mfa_authenticate": "peruser_mfa\n\tsecond"}
        server.start_on_free_ports()
        with server.client() as client:
            own = Enrolled(slapd)
            reply = client.password(own.uid, own.password + own.device.code())
            assert reply.accepted, reply
            assert own.get("peruserMfaLastUse") is None
            assert client.password(own.uid, own.password + own.device.wrong()).accepted
            assert own.failures() == 0


def test_a_used_code_behind_the_password_is_called_used(slapd, ring):
    """Also at a server that does not know where the password ends; where codes of two lengths fit, each time."""
    append = {"mode": "append"}
    with FreeRadius(slapd, ring=ring, instance=append) as first, FreeRadius(slapd, ring=ring, instance=append) as second, \
            first.client() as one, second.client() as two:
        for _ in range(7):
            short, long = Device(), Device(digits=8)
            own = Enrolled(slapd, short, peruserMfaSecret=[short.uri(), long.uri()])
            typed = own.password + long.code()
            assert one.password(own.uid, typed).accepted
            assert two.password(own.uid, typed).result == "replayed"


# ---- what a refusal holds

def test_a_refusal_while_the_directory_is_away_holds_nothing_of_the_accept(slapd, ring):
    with FreeRadius(slapd, ring=ring, settings={"ldap.uri": "ldap://127.0.0.1:1"}, echo=False,
                    sections={"authorize_last": PROFILE}) as server, server.client() as client:
        reply = User(slapd).start(client)
        assert reply.rejected
        assert {name for name, _ in reply.attributes} <= {"Message-Authenticator", "Reply-Message"}


def test_a_wrong_password_stays_refused_wherever_we_are_listed(slapd, ring):
    with FreeRadius(slapd, ring=ring, sections={"reject": "\tperuser_mfa\n"}) as server, server.client() as client:
        own = Enrolled(slapd)
        reply = client.password(own.uid, "not-it")
        assert reply.rejected and reply.get("State") is None
        assert own.login(client).accepted
