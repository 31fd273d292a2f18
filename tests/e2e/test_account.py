# SPDX-License-Identifier: GPL-2.0-or-later
"""The account whose password was verified is the account whose record decides."""
import base64
import contextlib

import pytest

from lib.client import pap
from lib.proxied import HOME, REALM
from lib.radius_server import FreeRadius
from lib.ring import Ring, new_recovery_code
from lib.user import Enrolled, User

TO_HOME = "\tupdate control {\n\t\tProxy-To-Realm := home\n\t}\n"
SECOND_SERVER = """
server other {
listen {
	type = auth
	ipaddr = 127.0.0.1
	port = %d
}
authorize {
	peruser_mfa
}
authenticate {
	peruser_mfa
}
post-auth {
	peruser_mfa
}
}
"""


def reason(reply):
    return reply.get("Callback-Id") or ""


@contextlib.contextmanager
def serving(slapd, ring, **options):
    with FreeRadius(slapd, ring=ring, **options) as server, server.client() as client:
        yield client


# ---- the answer to a challenge

@pytest.fixture(scope="module", params=[{}, {"challenge.cache": 64}, {"challenge.cache": 64, "bind_users": True}],
                ids=["read again", "cached", "bind_users"])
def site(request, slapd, ring):
    sections = {"first_factor": ""} if "bind_users" in request.param else {}
    with serving(slapd, ring, instance=request.param, sections=sections) as client:
        yield client


@pytest.mark.parametrize("other", ["{plain}", "{enrolled}", "nobody-has-this-name", "{own}\0x", "{own} ", "\xff"])
def test_an_answer_under_another_name_is_refused(slapd, site, other):
    own, plain, enrolled = Enrolled(slapd), User(slapd), Enrolled(slapd)
    name = other.format(own=own.uid, plain=plain.uid, enrolled=enrolled.uid).encode("latin-1")
    challenge, code = own.challenge(site), own.device.code()
    assert site.code(name, challenge, code).rejected
    assert own.answer(site, challenge, code).accepted, "the code was not used up"


def test_an_answer_without_a_name_is_refused(slapd, site):
    own = Enrolled(slapd)
    challenge = own.challenge(site)
    assert site.ask([("User-Password", own.device.code()), ("State", challenge.state)]).rejected


def test_the_log_names_the_account_that_was_verified(slapd, ring):
    own, other = Enrolled(slapd), Enrolled(slapd)
    with FreeRadius(slapd, ring=ring, instance={"challenge.cache": 64}) as server, server.client() as client:
        challenge = own.challenge(client)
        assert client.code(other.uid, challenge, own.device.code()).rejected
        assert f"user '{other.uid}': accepted" not in server.log()


def test_an_answer_at_another_virtual_server_is_refused(slapd, ring):
    from lib.process import free_port
    import socket
    port = free_port(socket.SOCK_DGRAM)
    with FreeRadius(slapd, ring=ring, more={"sites-enabled/other": SECOND_SERVER % port}) as server, \
            server.client() as client:
        own = Enrolled(slapd)
        challenge, code = own.challenge(client), own.device.code()
        from lib.client import Client
        with Client(port) as other:
            assert other.code(own.uid, challenge, code).rejected
        assert own.answer(client, challenge, code).accepted


# ---- names and passwords that mean one thing here and another thing there

@pytest.fixture(scope="module")
def by_file(slapd, ring):
    """The first factor knows names by a file, and whoever the directory does not know is let in."""
    with FreeRadius(slapd, ring=ring, instance={"not_found": "accept"}, start=False,
                    sections={"first_factor": "\tfiles\n\tpap\n"}) as server:
        server.more = {"mods-config/files/authorize": 'DEFAULT Cleartext-Password := "horse"\n'}
        server.start_on_free_ports()
        with server.client() as client:
            yield client


@pytest.mark.parametrize("tail", [b"\0", b"\0x", b"\xff", b"\xc3", b"\xed\xa0\x80"])
def test_a_name_that_the_directory_cannot_search_for_is_refused(slapd, by_file, tail):
    own = Enrolled(slapd)
    assert by_file.password(own.uid, "horse").challenged
    assert by_file.password("nobody-has-this-name", "horse").accepted
    reply = by_file.password(own.uid.encode() + tail, "horse")
    assert reply.rejected and "the name " in reason(reply)


def test_a_name_in_utf_8_is_searched_for(slapd, by_file):
    own = Enrolled(slapd, uid="zoë-" + User(slapd).uid)
    assert by_file.password(own.uid, "horse").challenged


@pytest.mark.parametrize("mode", ["challenge", "append", "auto"])
@pytest.mark.parametrize("password", [b"\0", b"x\0y"])
def test_a_password_with_a_nul_reaches_no_first_factor(slapd, ring, mode, password):
    """A directory that accepts unauthenticated binds would take it for no password at all."""
    own = User(slapd)
    with serving(slapd, ring, instance={"mode": mode}) as client:
        mark = slapd.mark()
        reply = client.password(own.uid, b"SCRV1:" + base64.b64encode(password) + b":")
        assert reply.rejected and "NUL" in reason(reply)
        assert own.dn not in slapd.log(mark)


# ---- a code that was taken off the password

def test_a_code_taken_off_for_another_account_is_refused(slapd, ring):
    """The realm module comes behind ours: the name leads to one entry before, and to another one behind."""
    device_user = User(slapd)
    named_like_realm = Enrolled(slapd, uid=f"{device_user.uid}@{REALM}")
    sections = {"first_factor": "\tsuffix\n\tldap\n\tif (&User-Password) {\n\t\tupdate control {\n"
                                "\t\t\tAuth-Type = LDAP\n\t\t}\n\t}\n"}
    with serving(slapd, ring, instance={"mode": "append"}, sections=sections,
                 proxy=f"realm {REALM} {{\n}}\n") as client:
        typed = device_user.password + named_like_realm.device.code()
        reply = client.password(named_like_realm.uid, typed)
        assert reply.rejected and "another account" in reason(reply)


def test_the_record_of_the_account_that_was_verified_decides(slapd, ring):
    enrolled = Enrolled(slapd)
    User(slapd, uid=f"{enrolled.uid}@{REALM}")
    sections = {"first_factor": "\tsuffix\n\tldap\n\tif (&User-Password) {\n\t\tupdate control {\n"
                                "\t\t\tAuth-Type = LDAP\n\t\t}\n\t}\n"}
    with serving(slapd, ring, instance={"mode": "auto"}, sections=sections, proxy=f"realm {REALM} {{\n}}\n") as client:
        assert client.password(f"{enrolled.uid}@{REALM}", enrolled.password).challenged


@pytest.mark.parametrize("what", ["ident", "nas", "station", "authenticator"])
@pytest.mark.parametrize("recovery", [False, True], ids=["totp", "recovery"])
def test_only_a_repeated_packet_is_a_retransmission(slapd, ring, what, recovery):
    own, code = Enrolled(slapd), new_recovery_code()
    own.set(peruserMfaRecoveryCode=ring.recovery(code, own.entry_id))
    typed = own.password + (code if recovery else own.device.code())
    same = {"ident": 7, "authenticator": b"0123456789abcdef"}
    names = {"NAS-Identifier": "nas-1", "Calling-Station-Id": "02-00-00-00-00-01"}
    other = {"nas": {"NAS-Identifier": "nas-2"}, "station": {"Calling-Station-Id": "02-00-00-00-00-02"}}.get(what, {})
    changed = {"ident": {"ident": 8}, "authenticator": {"authenticator": b"fedcba9876543210"}}.get(what, {})
    with FreeRadius(slapd, ring=ring, instance={"mode": "append"}) as server:
        def send(names, packet):
            with server.client() as client:      # a port of its own: the server repeats no reply by itself
                return client.ask([*pap(own.uid, typed), *names.items()], **packet)
        assert send(names, same).accepted
        assert send(names, same).accepted, "a retransmission"
        assert send({**names, **other}, {**same, **changed}).rejected


# ---- a trial

@pytest.mark.parametrize("mode", ["append", "auto"])
def test_report_only_takes_no_code_off(slapd, ring, mode):
    own = Enrolled(slapd, password="horse123456")
    with serving(slapd, ring, instance={"mode": mode, "report_only": True}) as client:
        assert own.start(client).accepted


def test_report_only_looks_at_no_code(slapd, ring):
    """Switched on between the two packets of a login."""
    own = Enrolled(slapd)
    with FreeRadius(slapd, ring=ring) as asking, FreeRadius(slapd, ring=ring, instance={"report_only": True}) as trial, \
            asking.client() as one, trial.client() as two:
        challenge = own.challenge(one)
        assert own.answer(two, challenge, own.device.wrong()).accepted
        assert own.failures() == 0 and own.get("peruserMfaLastUse") is None
        assert two.code(Enrolled(slapd).uid, challenge, own.device.code()).rejected


# ---- several instances, several servers

def test_two_instances_in_one_site(slapd, ring):
    """Each leaves the other's State alone; the one that asked answers."""
    with FreeRadius(slapd, ring=ring, start=False) as server:
        server.pick_ports()
        server.configure()
        second = server.instance_file().replace("peruser_mfa {", "peruser_mfa second {", 1)
        server.more = {"mods-enabled/second": second}
        server.sections = {"mfa_authorize": "second\n\tperuser_mfa", "mfa_authenticate": "peruser_mfa\n\tsecond",
                           "mfa_post_auth": "peruser_mfa\n\tsecond"}
        server.start_on_free_ports()
        with server.client() as client:
            own = Enrolled(slapd)
            assert own.login(client).accepted
            assert User(slapd).start(client).accepted


@pytest.fixture(scope="module")
def partner(slapd):
    """A home server with the module and a key ring of its own, behind a server with ours."""
    with FreeRadius(slapd, ring=Ring()) as home:
        yield home


def test_the_home_servers_state_is_left_to_the_home_server(slapd, ring, partner):
    sections = {"first_factor": TO_HOME, "post_auth_first": "\tupdate control {\n\t\tPeruser-MFA-Mode := skip\n\t}\n"}
    with serving(slapd, ring, sections=sections, proxy=HOME % partner.port) as client:
        own = Enrolled(slapd)
        challenge = own.start(client)
        assert challenge.challenged
        assert own.answer(client, challenge, own.device.code()).accepted


def test_a_foreign_state_is_no_password(slapd, ring, partner):
    """Where nobody is asked about it, it is refused, and no first factor sees the code."""
    own = Enrolled(slapd)
    with partner.client() as there, serving(slapd, ring) as here:
        challenge = own.challenge(there)
        mark = slapd.mark()
        assert own.answer(here, challenge, own.device.code()).rejected
        assert f'BIND dn="{own.dn}"' not in slapd.log(mark)


@pytest.mark.parametrize("attributes", [
    {"Filter-Id": "x" * 120}, {"Tunnel-Private-Group-Id": "vlan-10421042-" + "9" * 95}, {"Class": "y" * 104}])
def test_a_reply_of_the_home_server_is_kept_whole_or_the_login_is_refused(slapd, ring, attributes):
    lines = "".join(f'\t\t{name} := "{value}"\n' for name, value in attributes.items())
    with FreeRadius(slapd, module=False, sections={"post_auth": f"\tupdate reply {{\n{lines}\t}}\n"}) as home:
        with serving(slapd, ring, sections={"first_factor": TO_HOME, "mfa_authorize": "peruser_mfa {\n\t\tok = return\n\t}"},
                     proxy=HOME % home.port) as client:
            own = Enrolled(slapd)
            reply = own.start(client)
            assert reply.rejected and "do not fit" in reason(reply)


@pytest.mark.parametrize("name, value", [("Filter-Id", "x" * 60), ("Tunnel-Private-Group-Id", "vlan-10421042"),
                                         ("Cisco-AVPair", "ip:inacl#1=permit ip any any")])
def test_a_reply_of_the_home_server_is_in_the_accept(slapd, ring, name, value):
    lines = f'\t\t{name} := "{value}"\n'
    with FreeRadius(slapd, module=False, sections={"post_auth": f"\tupdate reply {{\n{lines}\t}}\n"}) as home:
        with serving(slapd, ring, sections={"first_factor": TO_HOME, "mfa_authorize": "peruser_mfa {\n\t\tok = return\n\t}"},
                     proxy=HOME % home.port) as client:
            own = Enrolled(slapd)
            challenge = own.start(client)
            assert challenge.challenged and challenge.get(name) is None
            assert own.answer(client, challenge, own.device.code()).get(name) == value
