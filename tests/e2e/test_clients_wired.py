# SPDX-License-Identifier: GPL-2.0-or-later
"""802.1X at a wired port: hostapd and wpa_supplicant in two network namespaces with a cable between them."""
import itertools

import pytest

from lib import netns
from lib.eap import Hostapd, WifiRadius, WpaSupplicant, network
from lib.user import Enrolled, User

WHY_NOT = netns.refusal("-n")
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")

GLUED = ["TTLS/PAP", "TTLS/GTC", "PEAP/GTC"]
NUMBERS = itertools.count(1)
TUNNEL_TYPE, TUNNEL_GROUP = 64, 81
STAFF = "\t\tif (&Peruser-MFA-Result != unenrolled) {\n\t\t\tupdate reply {\n\t\t\t\t&Tunnel-Type := VLAN\n" \
        "\t\t\t\t&Tunnel-Medium-Type := IEEE-802\n\t\t\t\t&Tunnel-Private-Group-Id := \"10\"\n\t\t\t}\n\t\t}\n"


@pytest.fixture(scope="module")
def port(slapd, ring):
    """(RADIUS server, switch, namespace of the station): all behind one cable."""
    with netns.Namespace() as switch, netns.Namespace() as station:
        netns.connect(switch, station, "port1", "eth1")
        inner = {"server.post-auth": "\t\tperuser_mfa_restrict_unenrolled\n" + STAFF}
        with WifiRadius(slapd, ring=ring, debug=2, inner=inner, under=switch.enter,
                        settings={"ldap.uri": slapd.ldapi_uri}, ldap_uri=slapd.ldapi_uri,
                        instance={"unenrolled": "accept", "remember.lifetime": 3600}) as server, \
                Hostapd(switch, "port1", server.wifi_port) as hostapd:
            yield server, hostapd, station


@pytest.fixture
def plug_in(port):
    """Start a supplicant; returns it when the first authentication is over."""
    server, hostapd, station = port
    started = []

    def run(method, user, password=None, *, ask=()):
        text = network(method, user.uid, server.ca_file, password=None if ask else password or user.password,
                       key_mgmt="IEEE8021X")
        # a station of its own: the switch holds one that failed off for a minute
        station.run("ip", "link", "set", "eth1", "address", f"02:00:00:00:01:{next(NUMBERS):02x}")
        supplicant = WpaSupplicant(station, "eth1", text)
        started.append(supplicant)
        for answer in ask:
            [number] = supplicant.control.wait(r"CTRL-REQ-OTP-(\d+)").split("CTRL-REQ-OTP-")[1].split(":")[:1]
            supplicant.control.ask(f"CTRL-RSP-OTP-{number}:{answer}")
        return supplicant

    yield run
    for supplicant in started:
        supplicant.close()


def is_open(supplicant):
    return "suppPortStatus=Authorized" in supplicant.control.ask("STATUS")


@pytest.mark.parametrize("method", GLUED)
def test_code_behind_the_password(slapd, port, plug_in, method):
    server, hostapd, _ = port
    user = Enrolled(slapd)
    mark = hostapd.mark()
    supplicant = plug_in(method, user, user.password + user.device.code())
    assert "SUCCESS" in supplicant.outcome() and is_open(supplicant)
    assert user.get("peruserMfaLastUse")
    assert bytes.fromhex(hostapd.accept_attributes(mark)[TUNNEL_GROUP]) == b"10"


def test_wrong_code(slapd, plug_in):
    user = Enrolled(slapd)
    supplicant = plug_in("TTLS/PAP", user, user.password + user.device.wrong())
    assert "FAILURE" in supplicant.outcome() and not is_open(supplicant)
    assert user.failures() == 1


@pytest.mark.parametrize("method", ["TTLS/GTC", "PEAP/GTC"])
def test_typed_at_the_prompt(slapd, plug_in, method):
    """A supplicant that stores nothing shows the prompt of the GTC, and the person types both."""
    user = Enrolled(slapd)
    supplicant = plug_in(method, user, ask=[user.password + user.device.code()])
    assert "SUCCESS" in supplicant.outcome()


@pytest.mark.parametrize("method", GLUED)
def test_authentication_again_by_resumption(slapd, port, plug_in, method):
    """By the supplicant, as when it roams; the password with the old code is never looked at."""
    server, hostapd, _ = port
    user = Enrolled(slapd)
    supplicant = plug_in(method, user, user.password + user.device.code())
    assert "SUCCESS" in supplicant.outcome()
    mark, at_hostapd = server.mark(), hostapd.mark()
    supplicant.control.ask("REAUTHENTICATE")
    assert "SUCCESS" in supplicant.outcome() and is_open(supplicant)
    assert "EAP-Session-Resumed := 1" in server.log(mark) and "code accepted" not in server.log(mark)
    attributes = hostapd.accept_attributes(at_hostapd)
    assert bytes.fromhex(attributes[TUNNEL_GROUP]) == b"10", "the same network as before"
    assert attributes[1] == user.uid


@pytest.mark.parametrize("method", GLUED)
def test_resumption_of_a_user_who_was_deleted_meanwhile(slapd, port, plug_in, method):
    server, hostapd, _ = port
    user = Enrolled(slapd)
    supplicant = plug_in(method, user, user.password + user.device.code())
    assert "SUCCESS" in supplicant.outcome()
    with slapd.connect() as root:
        root.delete_s(user.dn)
    mark, at_hostapd = server.mark(), hostapd.mark()
    supplicant.control.ask("REAUTHENTICATE")
    hostapd.wait_log("code=3 (Access-Reject)", at_hostapd, timeout_s=20)
    assert "the account of the resumed session is not in order" in server.log(mark)
    assert "code=2 (Access-Accept)" not in hostapd.log(at_hostapd)


def test_unenrolled_user_reaches_the_restricted_network_alone(slapd, port, plug_in):
    """And the other one as soon as the user has enrolled and plugs in again."""
    server, hostapd, _ = port
    user = User(slapd, peruserMfaEnabled="TRUE")
    mark = hostapd.mark()
    supplicant = plug_in("TTLS/PAP", user)
    assert "SUCCESS" in supplicant.outcome() and is_open(supplicant)
    attributes = hostapd.accept_attributes(mark)
    assert attributes[TUNNEL_TYPE] == "0000000d" and bytes.fromhex(attributes[TUNNEL_GROUP]) == b"99"
    supplicant.close()

    enrolled = Enrolled(slapd)
    user.set(peruserMfaSecret=enrolled.device.secret)
    mark = hostapd.mark()
    supplicant = plug_in("TTLS/PAP", user, user.password + enrolled.device.code())
    assert "SUCCESS" in supplicant.outcome()
    attributes = hostapd.accept_attributes(mark)
    assert attributes[TUNNEL_TYPE] == "0000000d" and bytes.fromhex(attributes[TUNNEL_GROUP]) == b"10"


def test_mschap_without_mfa_and_with(slapd, port, plug_in):
    server, _, _ = port
    plain = plug_in("PEAP/MSCHAPv2", User(slapd, clear=True))
    assert "SUCCESS" in plain.outcome()
    plain.close()
    user = Enrolled(slapd, clear=True)
    mark = server.mark()
    assert "FAILURE" in plug_in("PEAP/MSCHAPv2", user).outcome()
    assert "no place for a code in this first factor" in server.log(mark)
