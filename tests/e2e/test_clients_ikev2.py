# SPDX-License-Identifier: GPL-2.0-or-later
"""strongSwan as an IKEv2 gateway, and as the client, with the site that we ship."""
import pytest

from lib import netns
from lib.process import wait_until
from lib.story import every_scenario, tell
from lib.strongswan import Charon, Gateway, Ike, Ikev2Radius
from lib.user import Enrolled, User

WHY_NOT = netns.refusal("-n")
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")


APPEND = """
	if (&NAS-Identifier == "ike-gateway") {
		update control {
			&Peruser-MFA-Mode := append
		}
	}
"""


@pytest.fixture(scope="module")
def spaces():
    """The gateway's network and the client's, with a cable between them."""
    with netns.Namespace() as inside, netns.Namespace() as outside:
        netns.connect(inside, outside, "ike1", "ike2")
        yield inside, outside


def radius_for(slapd, ring, spaces, **instance):
    return Ikev2Radius(slapd, ring=ring, debug=2, under=spaces[0].enter, settings={"ldap.uri": slapd.ldapi_uri},
                       ldap_uri=slapd.ldapi_uri, instance=instance, sections={"authorize_first": APPEND})


@pytest.fixture(scope="module")
def radius(slapd, ring, spaces):
    with radius_for(slapd, ring, spaces) as server:
        yield server


@pytest.fixture(scope="module")
def remembering(slapd, ring, spaces):
    with radius_for(slapd, ring, spaces, **{"remember.lifetime": 3600}) as server:
        yield server


@pytest.fixture(scope="module")
def daemons(spaces, radius):
    certificates = radius.ca_file.parent
    with Gateway(spaces[0], radius.ikev2_port, certificates) as gateway, \
            Charon(spaces[1], "", certificates) as client:
        yield gateway, client


@pytest.fixture
def ike(daemons, radius):
    """A client that uses one method; it is hung up at the end, and the gateway asks the first server again."""
    gateway, client = daemons
    started = []

    def connect(method, port=None):
        if port:
            gateway.ask(port)
        started.append(Ike(f"strongSwan, {method.upper()}", client, method))
        return started[-1]

    yield connect
    for one in started:
        one.hang_up()
    gateway.ask(radius.ikev2_port)


@every_scenario
def test_story_gtc(slapd, ike, scenario, record_property):
    tell(ike("eap-gtc"), scenario, slapd, record_property)


@every_scenario
def test_story_ttls(slapd, radius, ike, scenario, record_property):
    """GTC in a TLS tunnel: the Wi-Fi site serves the gateway."""
    tell(ike("eap-ttls", radius.wifi_port), scenario, slapd, record_property)


@every_scenario
def test_story_xauth(slapd, radius, ike, scenario, record_property):
    """IKEv1: the gateway sends the password as PAP, to a site whose policy sets the mode."""
    tell(ike("xauth", radius.port), scenario, slapd, record_property)


# ---- MS-CHAPv2: no place for a code

def test_mschap_without_mfa(slapd, ike):
    user, client = User(slapd, clear=True), ike("eap-mschapv2")
    accepted, said = client.login(user, user.password)
    assert accepted, said
    assert not client.login(user, "not-it")[0]


def test_mschap_with_mfa_is_refused_and_the_log_says_why(slapd, radius, ike):
    user, client = Enrolled(slapd, clear=True), ike("eap-mschapv2")
    mark = radius.mark()
    accepted, said = client.login(user, user.password)
    assert not accepted and "EAP_FAILURE" in said, said
    assert f"user '{user.uid}': rejected: no place for a code in this first factor" in radius.log(mark)


def test_mschap_of_a_remembered_device(slapd, remembering, ike):
    """A login by EAP-GTC makes it known; the port in Calling-Station-Id does not count."""
    user = Enrolled(slapd, clear=True)
    mark = remembering.mark()
    assert ike("eap-gtc", remembering.ikev2_port).login(user, user.password + user.device.code())[0]
    assert "10.99.0.2[4500]" in remembering.log(mark), "the gateway sends a port"
    assert ike("eap-mschapv2").login(user, user.password)[0]
    assert f"user '{user.uid}': trusted" in remembering.log(mark)


# ---- what happens after the login

@pytest.mark.parametrize("method", ["eap-gtc", "eap-mschapv2"])
def test_rekeying_asks_nobody(slapd, radius, daemons, ike, method):
    gateway, _ = daemons
    user, client = (Enrolled(slapd), ike(method)) if method == "eap-gtc" else (User(slapd, clear=True), ike(method))
    assert client.keep(user, user.password + (user.device.code() if method == "eap-gtc" else ""))[0]
    mark = radius.mark()
    for what in (("--child", "ra"), ("--ike", "ra")):
        assert gateway.swanctl("--rekey", *what)[0] == 0
        wait_until(client.is_up, 10, "the tunnel after rekeying")
    assert "Access-Request" not in radius.log(mark)


def test_reauthentication_repeats_the_code(slapd, radius, ike):
    """Why the documentation says reauth_time = 0."""
    user, client = Enrolled(slapd), ike("eap-gtc")
    assert client.keep(user, user.password + user.device.code())[0]
    mark = radius.mark()
    client.charon.swanctl("--rekey", "--reauth", "--ike", "home")
    radius.wait_log("code was used before", mark, timeout_s=15)


def test_reauthentication_of_a_remembered_device(slapd, remembering, ike):
    """With the password alone in the client's settings."""
    user, client = Enrolled(slapd), ike("eap-gtc", remembering.ikev2_port)
    assert client.login(user, user.password + user.device.code())[0]
    assert client.keep(user, user.password)[0]
    mark = remembering.mark()
    assert client.charon.swanctl("--rekey", "--reauth", "--ike", "home")[0] == 0
    remembering.wait_log(f"user '{user.uid}': trusted", mark, timeout_s=15)
    wait_until(client.is_up, 10, "the tunnel after authentication")
