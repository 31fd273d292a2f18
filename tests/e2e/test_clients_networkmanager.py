# SPDX-License-Identifier: GPL-2.0-or-later
"""NetworkManager at a wired port: nmcli, wpa_supplicant, hostapd, and the server that docs/wifi.md sets up."""
import pytest

from lib import netns
from lib.eap import Hostapd, WifiRadius
from lib.network_manager import NetworkManager
from lib.process import wait_until
from lib.story import every_scenario, tell
from lib.user import Enrolled

WHY_NOT = netns.refusal("-n") or netns.refusal("-m", "-p", "--fork")
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")


@pytest.fixture(scope="module")
def port(slapd, ring):
    """(RADIUS server, switch, NetworkManager): all at one cable."""
    with netns.Namespace() as switch, netns.Namespace() as station:
        netns.connect(switch, station, "port1", "eth1")
        with WifiRadius(slapd, ring=ring, debug=2, under=switch.enter, settings={"ldap.uri": slapd.ldapi_uri},
                        ldap_uri=slapd.ldapi_uri, instance={"remember.lifetime": 0}) as server, \
                Hostapd(switch, "port1", server.wifi_port) as hostapd, \
                NetworkManager(station, "eth1", server.ca_file) as manager:
            yield server, hostapd, manager


@every_scenario
def test_story(slapd, port, scenario, record_property):
    tell(port[2], scenario, slapd, record_property)


def test_authentication_again_while_the_connection_stays_up(slapd, port):
    """The session is resumed: the code, which was used, is not looked at."""
    server, hostapd, manager = port
    user = Enrolled(slapd)
    name = manager.add(user)
    accepted, shown = manager.up(name, user, user.password + user.device.code())
    assert accepted, shown
    mark = server.mark()
    assert "OK" in hostapd.reauthenticate()
    wait_until(lambda: "EAP-Session-Resumed := 1" in server.log(mark), what="a resumed session")
    assert "code accepted" not in server.log(mark)
    assert f"{name}:activated" in manager.nmcli("-t", "-f", "NAME,STATE", "connection", "show", "--active")
    manager.down(name)


def test_connection_that_is_brought_up_again_is_a_full_login(slapd, port):
    """NetworkManager keeps no TLS session, so the used code is refused, and the next one is not."""
    server, _, manager = port
    user = Enrolled(slapd)
    first, second = user.device.codes(0, 2)
    name = manager.add(user)
    accepted, shown = manager.up(name, user, user.password + first)
    assert accepted, shown
    manager.down(name)
    mark = server.mark()
    assert not manager.up(name, user, user.password + first)[0]
    assert "EAP-Session-Resumed" not in server.log(mark) and "used before" in server.log(mark)
    manager.take_another_address(name)
    accepted, shown = manager.up(name, user, user.password + second)
    assert accepted, shown
    manager.down(name)
