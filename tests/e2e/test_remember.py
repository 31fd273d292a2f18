# SPDX-License-Identifier: GPL-2.0-or-later
"""Remembered devices, and networks where nobody is asked for a code."""
import time

import pytest

from lib.client import state_of
from lib.radius_server import FreeRadius
from lib.totp import Device
from lib.user import Enrolled, User

MAX = 20
PHONE, LAPTOP = "02-00-00-00-00-01", "02-00-00-00-00-02"
WIRELESS, VIRTUAL, ETHERNET = 19, 5, 15


def remembering(slapd, ring, **more):
    return FreeRadius(slapd, ring=ring, instance={"remember.lifetime": 3600, **more})


@pytest.fixture(scope="module")
def radius(slapd, ring):
    with remembering(slapd, ring) as server:
        yield server


def values(slapd, user):
    """(hash, expiry, label) of each remembered device."""
    return [value.split(" ", 2) for value in slapd.get(user.uid, "peruserMfaTrustedDevice")]


def log_in(user, client, station=PHONE, offset=0, **extra):
    reply = user.login(client, offset, Calling_Station_Id=station, **extra)
    assert reply.accepted and reply.result == "accepted", reply


def is_known(user, client, station=PHONE, **extra):
    reply = user.start(client, Calling_Station_Id=station, **extra)
    assert reply.challenged or (reply.accepted and reply.result == "trusted"), reply
    return reply.accepted


def test_off_by_default(slapd, ring):
    with FreeRadius(slapd, ring=ring) as server, server.client() as client:
        user = Enrolled(slapd)
        log_in(user, client)
        assert not is_known(user, client)
        assert values(slapd, user) == []


def test_same_device_is_not_asked_again(slapd, client):
    user = Enrolled(slapd)
    log_in(user, client)
    assert is_known(user, client)
    assert not is_known(user, client, LAPTOP)
    log_in(user, client, LAPTOP, 1)
    assert is_known(user, client) and is_known(user, client, LAPTOP)
    assert len(values(slapd, user)) == 2


def test_password_is_always_checked(slapd, client):
    user = Enrolled(slapd)
    log_in(user, client)
    assert client.password(user.uid, "not-it", Calling_Station_Id=PHONE).rejected
    assert client.password(user.uid, user.device.code(1), Calling_Station_Id=PHONE).rejected


def test_known_device_without_mfa_login_costs_no_write(slapd, client):
    user = Enrolled(slapd)
    log_in(user, client)
    before = slapd.get(user.uid)
    assert is_known(user, client)
    assert slapd.get(user.uid) == before


def test_device_of_somebody_else(slapd, client):
    """The hash covers the entry: also when the value is copied."""
    user, thief = Enrolled(slapd), Enrolled(slapd)
    log_in(user, client)
    assert not is_known(thief, client)
    thief.set(peruserMfaTrustedDevice=slapd.get(user.uid, "peruserMfaTrustedDevice"),
              peruserMfaSecret=user.device.secret)
    assert not is_known(thief, client)


def test_request_that_names_no_device(slapd, client):
    user = Enrolled(slapd)
    assert user.login(client).accepted
    assert values(slapd, user) == []
    assert user.start(client).challenged
    assert user.login(client, 1, Calling_Station_Id="").accepted
    assert user.start(client, Calling_Station_Id="").challenged


def test_second_packet_may_leave_the_device_out(slapd, client):
    """Some clients do: the device is the one that the password came from."""
    user = Enrolled(slapd)
    challenge = user.challenge(client, Calling_Station_Id=PHONE)
    assert user.answer(client, challenge, user.device.code()).accepted
    assert is_known(user, client)


def test_second_packet_cannot_name_another_device(slapd, client):
    user = Enrolled(slapd)
    challenge = user.challenge(client, Calling_Station_Id=PHONE)
    assert user.answer(client, challenge, user.device.code(), Calling_Station_Id=LAPTOP).accepted
    assert is_known(user, client) and not is_known(user, client, LAPTOP)


def test_after_a_wrong_code(slapd, client):
    user = Enrolled(slapd)
    again = user.answer(client, user.challenge(client, Calling_Station_Id=PHONE), user.device.wrong())
    assert again.challenged and values(slapd, user) == []
    assert user.answer(client, again, user.device.code()).accepted
    assert is_known(user, client)


def test_kind_of_nas(slapd, client):
    """What the Wi-Fi knows is not known at the VPN; a switch is another kind still."""
    user = Enrolled(slapd)
    log_in(user, client, NAS_Port_Type=WIRELESS)
    assert is_known(user, client, NAS_Port_Type=WIRELESS)
    assert not is_known(user, client, NAS_Port_Type=VIRTUAL)
    assert not is_known(user, client, NAS_Port_Type=ETHERNET)
    assert not is_known(user, client)


def test_another_nas_of_the_same_kind(slapd, radius):
    user = Enrolled(slapd)
    with radius.client(nas="ap-1") as one, radius.client(nas="ap-2") as two:
        log_in(user, one, NAS_Port_Type=WIRELESS)
        assert is_known(user, two, NAS_Port_Type=WIRELESS)


def test_kind_and_key_do_not_run_into_each_other(slapd, client):
    user = Enrolled(slapd)
    log_in(user, client, f"Ethernet {PHONE}")
    assert not is_known(user, client, NAS_Port_Type=ETHERNET)
    log_in(user, client, PHONE, 1, NAS_Port_Type=ETHERNET)
    assert not is_known(user, client, f"- {PHONE}", NAS_Port_Type=ETHERNET)


def test_key_and_kind_of_ones_own(slapd, ring):
    choice = {"remember.key": "%{Framed-IP-Address}", "remember.nas": "%{NAS-Identifier}"}
    with remembering(slapd, ring, **choice) as server, server.client(nas="ap-1") as one, server.client(nas="ap-2") as two:
        user = Enrolled(slapd)
        assert user.login(one, Framed_IP_Address="192.0.2.7").accepted
        assert user.start(one, Framed_IP_Address="192.0.2.7").result == "trusted"
        assert user.start(one, Framed_IP_Address="192.0.2.8").challenged
        assert user.start(two, Framed_IP_Address="192.0.2.7").challenged


def test_a_kind_of_several_words_is_one_word(slapd, ring):
    """So that what a client says of itself cannot go on with the name of another kind."""
    choice = {"remember.key": "%{Calling-Station-Id}", "remember.nas": "%{NAS-Identifier}"}
    with remembering(slapd, ring, **choice) as server, server.client(nas="ap west") as west, server.client(nas="ap") as other:
        user = Enrolled(slapd)
        assert user.login(west, Calling_Station_Id="phone").accepted
        assert user.start(west, Calling_Station_Id="phone").result == "trusted"
        assert user.start(other, Calling_Station_Id="west phone").challenged


@pytest.mark.parametrize("station", ["x" * 253, "ü" * 100, "a\x01b\nc", " ", "$1 2 3"],
                         ids=["long", "not ASCII", "control characters", "a space", "like a value"])
def test_unusual_names_of_devices(slapd, client, station):
    user = Enrolled(slapd)
    log_in(user, client, station)
    assert is_known(user, client, station)
    assert not is_known(user, client, station[:-1] + "y")
    [(_, _, label)] = values(slapd, user)
    assert label.isascii() and label.isprintable() and len(label) <= 64


def test_port_of_an_ike_gateway_is_no_part_of_the_device(slapd, client):
    """It changes with each connection."""
    user = Enrolled(slapd)
    log_in(user, client, "192.0.2.7[4500]")
    assert is_known(user, client, "192.0.2.7[61234]") and is_known(user, client, "192.0.2.7")
    assert not is_known(user, client, "192.0.2.8[4500]")
    for other in ("192.0.2.7[", "192.0.2.7[x]", "192.0.2.7[4500", "192.0.2.7[4500]x", "[4500]"):
        assert not is_known(user, client, other), other


def test_what_is_kept(slapd, client, ring):
    """A keyed hash, when it ends, and a label for people."""
    user = Enrolled(slapd)
    before = int(time.time())
    log_in(user, client, NAS_Port_Type=WIRELESS)
    [(digest, expires, label)] = values(slapd, user)
    assert digest.startswith("k1$") and len(digest) == len("k1$") + 43
    assert before + 3600 <= int(expires) <= time.time() + 3600
    assert label == f"Wireless-802.11 {PHONE}"


def test_lifetime(slapd, client):
    user = Enrolled(slapd)
    log_in(user, client)
    [(digest, _, label)] = values(slapd, user)
    now = int(time.time())
    user.set(peruserMfaTrustedDevice=f"{digest} {now + 30} {label}")
    assert is_known(user, client)
    for expired in (now, now - 1, 0):
        user.set(peruserMfaTrustedDevice=f"{digest} {expired} {label}")
        assert not is_known(user, client)


def test_login_renews_an_expired_device_and_drops_the_others(slapd, client):
    user = Enrolled(slapd)
    log_in(user, client)
    log_in(user, client, LAPTOP, 1)
    user.set(peruserMfaTrustedDevice=[f"{digest} {int(time.time()) - 5} {label}"
                                      for digest, _, label in values(slapd, user)],
             peruserMfaLastUse=None)
    log_in(user, client)
    assert [label for _, _, label in values(slapd, user)] == [f"- {PHONE}"]
    assert is_known(user, client)


def test_at_most_20_the_oldest_goes(slapd, client):
    user = Enrolled(slapd)
    log_in(user, client, "first")
    [(first, expires, label)] = values(slapd, user)
    soon = int(expires) - 100
    others = [f"k1${'A' * 40}{i:03} {soon + 50 + i} device {i}" for i in range(MAX - 1)]
    user.set(peruserMfaTrustedDevice=[f"{first} {soon} {label}", *others])
    assert is_known(user, client, "first")
    log_in(user, client, "the 21st", 1)
    assert len(values(slapd, user)) == MAX
    assert is_known(user, client, "the 21st") and not is_known(user, client, "first")
    assert {" ".join(value) for value in values(slapd, user)} > set(others)


def test_device_that_logs_in_again_takes_no_second_place(slapd, client):
    user = Enrolled(slapd)
    log_in(user, client)
    challenge = user.challenge(client, Calling_Station_Id=LAPTOP)
    user.set(peruserMfaLastUse=None)
    assert user.answer(client, challenge, user.device.code()).accepted
    [before] = [value for value in values(slapd, user) if value[2].endswith(PHONE)]
    user.set(peruserMfaTrustedDevice=[f"{before[0]} {int(before[1]) - 9999} {before[2]}"], peruserMfaLastUse=None)
    log_in(user, client)
    assert len(values(slapd, user)) == 1


# ---- forgetting

FORGET = {
    "the value is deleted": lambda user: {"peruserMfaTrustedDevice": None},
    "another secret": lambda user: {"peruserMfaSecret": Device().secret},
    "the secret is deleted": lambda user: {"peruserMfaSecret": None},
}


@pytest.mark.parametrize("how", FORGET)
def test_forgotten(slapd, client, how):
    user = Enrolled(slapd)
    log_in(user, client)
    user.set(**FORGET[how](user))
    assert not user.start(client, Calling_Station_Id=PHONE).accepted


def test_forgotten_with_the_device_that_made_it_known(slapd, client):
    """Two phones; the one that is taken away takes what it made known along."""
    user, second = Enrolled(slapd), Device()
    user.set(peruserMfaSecret=[user.device.secret, second.secret])
    log_in(user, client)
    challenge = user.challenge(client, Calling_Station_Id=LAPTOP)
    assert user.answer(client, challenge, second.code(1)).accepted
    user.set(peruserMfaSecret=second.secret)
    assert not is_known(user, client) and is_known(user, client, LAPTOP)


def test_new_enrolment_with_the_old_values_still_there(slapd, client):
    user = Enrolled(slapd)
    log_in(user, client)
    user.set(peruserMfaSecret=None, peruserMfaEnabled="FALSE")
    assert user.start(client, Calling_Station_Id=PHONE).result == "off"
    user.set(peruserMfaSecret=Device().secret, peruserMfaEnabled="TRUE")
    assert not is_known(user, client)


def test_turned_off_by_configuration(slapd, ring, client):
    """A server that does not remember does not believe what another one remembered."""
    user = Enrolled(slapd)
    log_in(user, client)
    with FreeRadius(slapd, ring=ring) as server, server.client() as other:
        assert not is_known(user, other)


@pytest.mark.parametrize("value", ["", "k1$", "nonsense", "k1$AAAA x label", "k1$AAAA 99999999999999999999 label"])
def test_malformed_value_trusts_nobody(slapd, client, value):
    user = Enrolled(slapd, peruserMfaTrustedDevice=value or " ")
    assert not is_known(user, client)
    log_in(user, client)
    assert is_known(user, client) and len(values(slapd, user)) == 1


def test_locked_user_is_locked_on_every_device(slapd, client):
    user = Enrolled(slapd)
    log_in(user, client)
    user.set(peruserMfaFailures="5 4000000000 AAAAAAAAAAAAAAAAAAAAAA")
    assert user.start(client, Calling_Station_Id=PHONE).result == "locked"


def test_recovery_code_makes_no_device_known(slapd, client, ring):
    """Who has lost the phone may sit at a borrowed computer."""
    from lib.ring import new_recovery_code
    user, code = Enrolled(slapd), new_recovery_code()
    user.set(peruserMfaRecoveryCode=ring.recovery(code, user.entry_id))
    challenge = user.challenge(client, Calling_Station_Id=PHONE)
    assert user.answer(client, challenge, code, Calling_Station_Id=PHONE).accepted
    assert not is_known(user, client)


def test_glued_code_makes_the_device_known(slapd, ring):
    with remembering(slapd, ring, mode="append") as server, server.client() as client:
        user = Enrolled(slapd)
        reply = client.password(user.uid, user.password + user.device.code(), Calling_Station_Id=PHONE)
        assert reply.accepted
        assert is_known(user, client)
        use = user.get("peruserMfaLastUse")
        spare = client.password(user.uid, user.password + user.device.code(1), Calling_Station_Id=PHONE)
        assert spare.result == "trusted" and user.get("peruserMfaLastUse") == use, "a code that is not needed is kept"


def test_state_stays_within_an_attribute(slapd, client):
    challenge = Enrolled(slapd).challenge(client, Calling_Station_Id="x" * 253, NAS_Port_Type=WIRELESS)
    assert len(state_of(challenge)) <= 253


# ---- trusted networks

@pytest.fixture(scope="module", params=["challenge", "append"])
def inside(slapd, ring, request):
    """The policy that we ship, as its comment says."""
    sections = {"authorize_first": "\tperuser_mfa_skip_on_trusted_network\n"}
    with FreeRadius(slapd, ring=ring, instance={"mode": request.param}, sections=sections) as server:
        yield server


@pytest.mark.parametrize("extra", [{"Framed_IP_Address": "192.0.2.1"}, {"Framed_IP_Address": "192.0.2.254"},
                                   {"Calling_Station_Id": "192.0.2.77"}, {"Calling_Station_Id": "192.0.2.77[4500]"},
                                   {"Framed_IPv6_Address": "2001:db8::7"}, {"Calling_Station_Id": "2001:db8::7"},
                                   {"Calling_Station_Id": "2001:DB8:0:1::7[4500]"}])
def test_user_from_a_trusted_network_is_not_asked(slapd, inside, extra):
    user = Enrolled(slapd)
    with inside.client() as client:
        reply = user.start(client, **extra)
        assert reply.accepted and reply.result == "skipped"
        assert client.password(user.uid, "not-it", **extra).rejected


@pytest.mark.parametrize("extra", [{}, {"Framed_IP_Address": "192.0.3.1"}, {"Framed_IP_Address": "0.0.0.0"},
                                   {"NAS_IP_Address": "192.0.2.1"}, {"Calling_Station_Id": "198.51.100.1"},
                                   {"Calling_Station_Id": PHONE}, {"Calling_Station_Id": "192.0.2"},
                                   {"Calling_Station_Id": "198.51.100.1[4500]"}, {"Calling_Station_Id": "192.0.2.7[x]"},
                                   {"Framed_IPv6_Address": "2001:db9::7"}, {"Calling_Station_Id": "2001:db9::7"},
                                   {"NAS_IPv6_Address": "2001:db8::7"}, {"Calling_Station_Id": "02:00:00:00:00:01"},
                                   {"Calling_Station_Id": "::ffff:192.0.2.7"},
                                   {"Calling_Station_Id": "192.0.2.1.example.org"}])
def test_everybody_else_is(slapd, inside, extra):
    user, plain = Enrolled(slapd), User(slapd)
    with inside.client() as client:
        assert not user.start(client, **extra).accepted
        assert plain.start(client, **extra).accepted
