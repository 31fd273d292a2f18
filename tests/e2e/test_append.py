# SPDX-License-Identifier: GPL-2.0-or-later
"""Password and code in one packet: glued together, or as OpenVPN sends a static challenge."""
import base64
import os

import pytest

from lib.client import pap
from lib.radius_server import FreeRadius, Later
from lib.ring import new_recovery_code
from lib.slapd import RADIUS_DN
from lib.totp import Device
from lib.user import Enrolled, User

SEPARATORS = ["", ",", "::"]
PASSWORDS = {
    "letters": "correct horse", "ends in 6 digits": "horse123456", "ends in 8 digits": "horse12345678",
    "only digits": "739201", "8 digits": "73920146", "14 digits": "73920146739201", "one digit": "7", "one letter": "x",
    "holds commas": "a,b,c", "ends in a comma": "horse,", "a comma and 6 digits": "horse,123456",
    "colons": "::", "colons and digits": "a::123456", "not ASCII": "pÄßwörd£", "a space at the end": "horse ",
    "like a recovery code": "BCDF-GHJK-LMNP", "12 letters": "bcdfghjklmnp",
}


def glued(client, user, code, separator="", password=None, **extra):
    return client.password(user.uid, (password or user.password) + separator + code, **extra)


def scrv1(password, code):
    """What OpenVPN makes of a password and the answer to `static-challenge`."""
    return ":".join(["SCRV1", *(base64.b64encode(text.encode()).decode() for text in (password, code))])


def recovery_codes(user, ring, count=2):
    codes = [new_recovery_code() for _ in range(count)]
    user.set(peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id) for code in codes])
    return codes


def append(slapd, ring, separator="", mode="append", **more):
    return FreeRadius(slapd, ring=ring, instance={"mode": mode, "separator": separator, **more})


@pytest.fixture(scope="module")
def radius(slapd, ring):
    with append(slapd, ring) as server:
        yield server


@pytest.fixture(scope="module", params=SEPARATORS, ids=["no separator", "a comma", "two colons"])
def separated(slapd, ring, request):
    with append(slapd, ring, request.param) as server:
        yield server, request.param


@pytest.fixture(scope="module")
def auto(slapd, ring):
    with append(slapd, ring, mode="auto") as server:
        yield server


# ---- any password

@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS)
def test_any_password_with_a_code_behind_it(slapd, separated, password):
    server, separator = separated
    user, plain = Enrolled(slapd, password=password), User(slapd, password=password)
    with server.client() as client:
        reply = glued(client, user, user.device.code(), separator)
        assert reply.accepted and reply.result == "accepted"
        assert plain.start(client).accepted, "a user without MFA is never split"


@pytest.mark.parametrize("tail", ["123456", "12345678", ",123456", "", "BCDF-GHJK-LMNP"])
def test_user_without_mfa_is_never_split(slapd, separated, tail):
    """Also where the server would accept what stands before the digits."""
    server, separator = separated
    user = User(slapd, password="horse")
    suspended = Enrolled(slapd, password="horse", peruserMfaEnabled="FALSE")
    with server.client() as client:
        for who in (user, suspended):
            assert who.start(client).accepted
            if tail or separator:
                assert client.password(who.uid, "horse" + separator + tail).rejected
        assert client.password(suspended.uid, "horse" + separator + suspended.device.code()).rejected


def test_separator_is_needed_where_there_is_one(slapd, separated):
    server, separator = separated
    user = Enrolled(slapd)
    with server.client() as client:
        if separator:
            assert glued(client, user, user.device.code()).rejected
            assert glued(client, user, user.device.code(), separator[:-1] + ".").rejected
        assert user.get("peruserMfaLastUse") is None
        assert glued(client, user, user.device.code(), separator).accepted


@pytest.mark.parametrize("digits", [6, 7, 8])
@pytest.mark.parametrize("password", ["horse", "horse12", "12345678", "1"])
def test_digits_of_the_one_device(slapd, client, digits, password):
    device = Device(digits=digits)
    user = Enrolled(slapd, device, password=password, peruserMfaSecret=device.uri())
    assert glued(client, user, device.code()).accepted


@pytest.mark.parametrize("password", ["horse", "horse12", "horse123456", "12345678", "1"])
def test_devices_of_6_and_8_digits(slapd, client, password):
    short, long = Device(), Device(digits=8)
    user = Enrolled(slapd, short, password=password, peruserMfaSecret=[short.secret, long.uri()])
    assert glued(client, user, short.code(-1)).accepted
    assert glued(client, user, long.code()).accepted
    assert glued(client, user, short.code(1)).accepted


@pytest.mark.parametrize("but", [1, -1])
def test_code_of_another_length_is_none(slapd, client, but):
    user = Enrolled(slapd)
    code = user.device.code() + "0" if but > 0 else user.device.code()[:-1]
    assert glued(client, user, code).rejected
    assert user.get("peruserMfaLastUse") is None


def test_nothing_but_a_code(slapd, client):
    """The password cannot be empty: RFC 4513 section 5.1.2, an empty one binds as nobody."""
    user = Enrolled(slapd)
    assert client.password(user.uid, user.device.code()).rejected
    assert user.get("peruserMfaLastUse") is None and user.failures() == 0


def test_longest_password(slapd, client):
    user = Enrolled(slapd, password="x" * 122)
    assert glued(client, user, user.device.code()).accepted


# ---- what is used up, and what counts

def test_code_works_once(slapd, client):
    user = Enrolled(slapd)
    code = user.device.code()
    assert glued(client, user, code).accepted
    again = glued(client, user, code)
    assert again.rejected and again.result == "replayed"


def test_packet_that_is_sent_again_is_no_second_use(slapd, radius, ring):
    """To the same server, and to another one: an answer got lost."""
    user = Enrolled(slapd)
    with append(slapd, ring) as other, radius.client() as one, other.client() as two:
        packet = one.packet(pap(user.uid, user.password + user.device.code()))
        assert one.receive(one.send(packet)).accepted
        assert one.receive(one.send(packet)).accepted
        assert two.receive(two.send(packet)).accepted
        assert glued(two, user, user.device.code()).result == "replayed"


def test_two_servers_one_code(slapd, radius, ring):
    with append(slapd, ring) as other, radius.client() as one, other.client() as two:
        for _ in range(20):
            user = Enrolled(slapd)
            attributes = pap(user.uid, user.password + user.device.code())
            sent = [(nas, nas.send(nas.packet(attributes))) for nas in (one, two)]
            results = sorted(nas.receive(packet).result for nas, packet in sent)
            assert results == ["accepted", "replayed"]


def test_wrong_password_does_not_burn_the_code(slapd, client):
    user = Enrolled(slapd)
    before = slapd.get(user.uid)
    for password in ("not-it", user.password + "1", "1" + user.password):
        assert glued(client, user, user.device.code(), password=password).rejected
    assert slapd.get(user.uid) == before
    assert glued(client, user, user.device.code()).accepted


def test_wrong_password_and_wrong_code_count_for_nothing(slapd, client):
    user = Enrolled(slapd)
    assert glued(client, user, user.device.wrong(), password="not-it").rejected
    assert user.failures() == 0


def test_wrong_code_counts_and_ends_the_login(slapd, client):
    user, codes = Enrolled(slapd), []
    for count in (1, 2, 3):
        codes.append(user.device.wrong(codes))
        reply = glued(client, user, codes[-1])
        assert reply.rejected and reply.message == "Wrong code. Please log in again."
        assert user.failures() == count
    assert glued(client, user, codes[-1]).rejected and user.failures() == 3, "a client that repeats by itself"
    assert glued(client, user, user.device.code()).accepted and user.failures() == 0


def test_locked_user_is_told_how_long(slapd, client):
    user, codes = Enrolled(slapd), []
    for _ in range(5):
        codes.append(user.device.wrong(codes))
        glued(client, user, codes[-1])
    reply = glued(client, user, user.device.code())
    assert reply.rejected and reply.result == "locked"
    assert reply.message.startswith("Too many wrong codes. Try again in ")
    assert user.get("peruserMfaLastUse") is None


def test_locked_user_with_two_lengths_is_told_so(slapd, client):
    """Whichever cut is right, the password in front of it is."""
    short, long = Device(), Device(digits=8)
    for device in (short, long):
        user = Enrolled(slapd, short, password="horse1234", peruserMfaSecret=[short.secret, long.uri()])
        user.set(peruserMfaFailures=f"6 {4000000000} AAAAAAAAAAAAAAAAAAAAAA")
        assert glued(client, user, device.code()).result == "locked"


@pytest.mark.parametrize("guessed", ["short", "long"])
def test_wrong_codes_are_counted_whatever_the_length(slapd, client, guessed):
    """Digits that may belong to either device's code are not a way to guess for ever, neither device's codes."""
    short, long = Device(), Device(digits=8)
    user = Enrolled(slapd, short, password="horse12", peruserMfaSecret=[short.secret, long.uri()])
    guess = {"short": short, "long": long}[guessed]
    for _ in range(60):
        assert not glued(client, user, guess.wrong()).accepted
        if user.failures() >= 5:
            break
    assert glued(client, user, short.code()).result == "locked"


def test_wrong_code_counts_for_each_place_where_it_could_be_cut(slapd, client):
    """One cut of three reaches the first factor with the right password, so a third of the guesses counts three each."""
    devices = [Device(digits=digits) for digits in (6, 7, 8)]
    user = Enrolled(slapd, devices[0], password="horse12", peruserMfaSecret=[device.uri() for device in devices])
    used, counts = [], []
    for _ in range(40):
        used.append(devices[0].wrong(used))
        assert glued(client, user, used[-1]).rejected
        counts.append(user.failures())
        user.set(peruserMfaFailures=None)
        if counts[-1] > 0:
            break
    assert set(counts) <= {0, 3} and counts[-1] == 3, counts


def test_wrong_codes_count_once_when_the_password_is_known(slapd, client):
    """Once a password was right, the next code is cut off where that one ended."""
    devices = [Device(digits=digits) for digits in (6, 7, 8)]
    user = Enrolled(slapd, devices[0], password="horse12", peruserMfaSecret=[device.uri() for device in devices])
    assert glued(client, user, devices[0].code()).accepted
    used = []
    for length in (6, 7, 8) * 10:
        used.append(devices[length - 6].wrong(used))
        assert glued(client, user, used[-1]).rejected
        assert user.failures() == 1
        user.set(peruserMfaFailures=None)


def test_changed_password_spoils_one_guess_only(slapd, client):
    """The length that was remembered is forgotten when it is used, so codes are not guessed for nothing."""
    devices = [Device(digits=digits) for digits in (6, 8)]
    user = Enrolled(slapd, devices[0], password="horse12", peruserMfaSecret=[device.uri() for device in devices])
    assert glued(client, user, devices[0].code()).accepted
    user.set(userPassword="horse1234")
    user.password = "horse1234"
    used, counts = [], []
    for _ in range(40):
        used.append(devices[0].wrong(used))
        assert glued(client, user, used[-1]).rejected
        counts.append(user.failures())
        user.set(peruserMfaFailures=None)
    assert counts[0] == 0 and 2 in counts and set(counts) <= {0, 1, 2}, counts
    assert counts.count(0) < 30 and counts[counts.index(2) + 1:] == [1] * (39 - counts.index(2)), counts


def test_password_without_a_code(slapd, client):
    user = Enrolled(slapd)
    reply = user.start(client)
    assert reply.rejected and reply.state is None
    assert reply.message == "Type the code from your app behind your password."
    assert "no code behind the password" in reply.reason


@pytest.mark.parametrize("password", ["not-it", "not-it123456"])
def test_nobody_learns_who_has_mfa_before_the_password_is_right(slapd, client, password):
    replies = [client.password(user.uid, password) for user in (Enrolled(slapd), User(slapd))]
    assert replies[0].said == replies[1].said
    assert all(reply.rejected and reply.message == "" for reply in replies)


def test_ldap_operations(slapd, client):
    """One search and one modify by our account; none for the modify when the password was wrong."""
    user, plain = Enrolled(slapd), User(slapd)
    for ask, expected in ((lambda: glued(client, user, user.device.code()), (1, 1)),
                          (lambda: glued(client, user, user.device.code(1), password="not-it"), (1, 0)),
                          (lambda: plain.start(client), (1, 0))):
        mark = slapd.mark()
        ask()
        counts = slapd.operations(mark)
        assert (counts[RADIUS_DN, "SRCH"], counts[RADIUS_DN, "MOD"]) == expected


# ---- modes

def test_mode_by_request(slapd, ring):
    """One server, three kinds of client: the policy knows them by their name."""
    choose = """
	if (&NAS-Identifier == "old-vpn") {
		update control {
			Peruser-MFA-Mode := append
		}
	}
	elsif (&NAS-Identifier == "either") {
		update control {
			Peruser-MFA-Mode := auto
		}
	}
"""
    with FreeRadius(slapd, ring=ring, sections={"authorize_first": choose}) as server:
        user = Enrolled(slapd)
        with server.client(nas="old-vpn") as client:
            assert glued(client, user, user.device.code(-1)).accepted
            assert user.start(client).rejected
        with server.client(nas="either") as client:
            assert glued(client, user, user.device.code()).accepted
            assert user.start(client).challenged
        with server.client(nas="new-vpn") as client:
            assert glued(client, user, user.device.code(1)).rejected
            assert user.login(client, 1).accepted


def test_auto_splits_when_it_fits_and_asks_when_there_is_no_code(slapd, auto):
    user, plain = Enrolled(slapd), User(slapd, password="horse123456")
    with auto.client() as client:
        assert glued(client, user, user.device.code(-1)).accepted
        challenge = user.challenge(client)
        assert challenge.message == "Enter the 6-digit code: "
        assert user.answer(client, challenge, user.device.code()).accepted
        assert plain.start(client).accepted


def test_auto_counts_a_wrong_code(slapd, auto):
    user = Enrolled(slapd)
    with auto.client() as client:
        reply = glued(client, user, user.device.wrong())
        assert reply.rejected and user.failures() == 1


@pytest.mark.parametrize("password", ["horse123456", "739201739201", "a,b"])
def test_auto_with_a_separator_takes_any_password(slapd, ring, password):
    with append(slapd, ring, ",", mode="auto") as server, server.client() as client:
        user = Enrolled(slapd, password=password)
        assert glued(client, user, user.device.code(-1), ",").accepted
        assert user.login(client).accepted


def test_mode_challenge_splits_nothing(slapd, ring):
    with FreeRadius(slapd, ring=ring) as server, server.client() as client:
        user = Enrolled(slapd)
        assert glued(client, user, user.device.code()).rejected
        assert user.get("peruserMfaLastUse") is None


def test_directory_away_at_the_split(slapd, ring):
    """The record says whether to split; without it nothing is guessed, and nobody gets in."""
    settings = {"ldap.uri": "ldap://127.0.0.1:1", "ldap.timeout": 1}
    with FreeRadius(slapd, ring=ring, settings=settings, instance={"mode": "append"}) as server, \
            server.client() as client:
        for user in (Enrolled(slapd), User(slapd)):
            reply = user.start(client)
            assert reply.rejected and reply.result == "unavailable"


# ---- recovery codes behind the password

@pytest.mark.parametrize("write", [str, str.lower, lambda code: code.replace("-", ""),
                                   lambda code: code.replace("-", "").lower()],
                         ids=["as printed", "small", "no dashes", "small, no dashes"])
@pytest.mark.parametrize("password", ["horse", "horse12", "739201", "bcdfghjklmnp", "BCDF-GHJK-LMNP"])
def test_recovery_code_behind_the_password(slapd, separated, ring, write, password):
    server, separator = separated
    user = Enrolled(slapd, password=password)
    codes = recovery_codes(user, ring)
    with server.client() as client:
        assert glued(client, user, write(codes[0]), separator, password="not-it").rejected
        reply = glued(client, user, write(codes[0]), separator)
        assert reply.accepted and reply.result == "recovery"
        assert reply.message == "Recovery code accepted. Recovery codes left: 1."
        assert not glued(client, user, write(codes[0]), separator).accepted
        assert glued(client, user, user.device.code(), separator).accepted


@pytest.mark.parametrize("kind", ["totp", "recovery"])
def test_packet_that_is_sent_again_too_late(slapd, radius, ring, kind):
    """The NAS chooses what a retransmission is known by, so it counts for a few seconds only."""
    user = Enrolled(slapd)
    code = user.device.code() if kind == "totp" else recovery_codes(user, ring)[0].replace("-", "")
    # drift reaches further than the retransmission, so that the code is in reach at the later server
    with Later(slapd, ring=ring, instance={"mode": "append"}, shift_s=8) as soon, \
            Later(slapd, ring=ring, instance={"mode": "append"}, shift_s=25) as later, \
            radius.client() as one, soon.client() as two, later.client() as three:
        packet = one.packet(pap(user.uid, user.password + code))
        assert one.receive(one.send(packet)).accepted
        assert two.receive(two.send(packet)).accepted, "the answer got lost, the other server was asked"
        assert three.receive(three.send(packet)).rejected


def test_how_long_a_packet_counts_is_configured(slapd, radius, ring):
    user = Enrolled(slapd)
    [code] = recovery_codes(user, ring, 1)
    with Later(slapd, ring=ring, instance={"mode": "append", "append.retransmission": 60}, shift_s=25) as later, \
            radius.client() as one, later.client() as two:
        packet = one.packet(pap(user.uid, user.password + code))
        assert one.receive(one.send(packet)).accepted
        assert two.receive(two.send(packet)).accepted


# ---- SCRV1

@pytest.mark.parametrize("password", PASSWORDS.values(), ids=PASSWORDS)
def test_static_challenge_of_openvpn(slapd, radius, auto, password):
    """In every mode, and for users without MFA too: the client sends the form to all."""
    user, plain = Enrolled(slapd, password=password), User(slapd, password=password)
    with radius.client() as client, auto.client() as other:
        reply = client.password(user.uid, scrv1(password, user.device.code()))
        assert reply.accepted and reply.result == "accepted"
        assert client.password(plain.uid, scrv1(password, "123456")).accepted
        assert client.password(plain.uid, scrv1(password, "")).accepted
        assert other.password(user.uid, scrv1(password, user.device.code())).result == "replayed"


def test_static_challenge_in_challenge_mode(slapd, ring):
    with FreeRadius(slapd, ring=ring) as server, server.client() as client:
        user = Enrolled(slapd)
        assert client.password(user.uid, scrv1("not-it", user.device.code())).rejected
        assert user.get("peruserMfaLastUse") is None and user.failures() == 0
        wrong = client.password(user.uid, scrv1(user.password, user.device.wrong()))
        assert wrong.rejected and user.failures() == 1
        assert client.password(user.uid, scrv1(user.password, user.device.code())).accepted
        challenge = client.password(user.uid, scrv1(user.password, ""))
        assert challenge.challenged, "the field for the code was left empty"
        assert user.answer(client, challenge, user.device.code(1)).accepted


def test_static_challenge_with_a_recovery_code(slapd, client, ring):
    user = Enrolled(slapd)
    codes = recovery_codes(user, ring)
    assert client.password(user.uid, scrv1(user.password, codes[0].lower())).result == "recovery"
    assert client.password(user.uid, scrv1(user.password, codes[0])).rejected


@pytest.mark.parametrize("text", ["SCRV1:", "SCRV1::", "SCRV1:a", "SCRV1:!!!!:MTIzNDU2", "SCRV1:aG9yc2U=",
                                  "SCRV1:aG9yc2U=:MTIzNDU2:", "SCRV1:aG9yc2U=:!", "SCRV1:A:B", "scrv1:aG9yc2U=:MTIzNDU2"])
def test_password_that_only_looks_like_a_static_challenge(slapd, client, text):
    user, plain = Enrolled(slapd, password=text), User(slapd, password=text)
    assert plain.start(client).accepted
    assert glued(client, user, user.device.code()).accepted


def test_random_bytes_in_place_of_a_password(slapd, radius, auto):
    """Nothing of it gets anybody in, and the server lives on."""
    user = Enrolled(slapd)
    with radius.client() as client, auto.client() as other:
        for size in (1, 5, 6, 7, 14, 15, 64, 128):
            for text in (os.urandom(size), b"SCRV1:" + os.urandom(size)[:122], bytes(size), b"0" * size):
                assert client.password(user.uid, text).rejected
                assert other.password(user.uid, text).rejected
        assert user.get("peruserMfaLastUse") is None
        assert glued(client, user, user.device.code()).accepted


def test_user_who_is_not_found_in_authorize_leaves_a_line(slapd, radius):
    """A realm that is stripped too late would otherwise look like a wrong password."""
    user = Enrolled(slapd)
    with radius.client() as client:
        mark = radius.mark()
        assert client.password(f"{user.uid}@example.org", user.password + user.device.code()).rejected
        assert radius.log(mark).count("not in the directory yet: no code is taken off; list realm modules before") == 1
        mark = radius.mark()
        assert client.password(user.uid, user.password + user.device.code()).accepted
        assert "not in the directory yet" not in radius.log(mark)
