# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenVPN with a static challenge through pam_radius, and with openvpn-auth-radius, which knows no challenge."""
import os

import pytest

from lib import netns
from lib.openvpn import BY_PAM, PLUGINS, OpenVpn, static_challenge
from lib.pam import PamRadius
from lib.radius_server import FreeRadius
from lib.ring import new_recovery_code
from lib.user import Enrolled, User

WHY_NOT = netns.refusal("-n") or netns.refusal("-m") or \
    ("" if os.path.exists("/dev/net/tun") else "the machine has no /dev/net/tun")
pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")

BY_NAS = """
	if (&NAS-Identifier == "glued-vpn") {
		update control {
			Peruser-MFA-Mode := append
		}
	}
"""
# The plugin lets nobody in whom it cannot account for.
ACCOUNTING = """
server accounting {
	listen {
		type = acct
		ipaddr = 127.0.0.1
		port = 1813
	}
	accounting {
		ok
	}
}
"""
RADIUS_PLUGIN = """\
NAS-Identifier=glued-vpn
Service-Type=5
Framed-Protocol=1
NAS-Port-Type=5
NAS-IP-Address=127.0.0.1
OpenVPNConfig=@DIR@/server.conf
overwriteccfiles=false
server
{
	acctport=1813
	authport=1812
	name=127.0.0.1
	retry=1
	wait=5
	sharedsecret=testing123
}
"""


class Beside(FreeRadius):
    """In the VPN server's namespace, where no port is taken. The plugin takes ports above 32767 for negative."""

    def pick_ports(self):
        self.port = 1812


@pytest.fixture(scope="module")
def ends(slapd, ring):
    """(namespace of the VPN server, namespace of the client, RADIUS server beside the VPN server)."""
    with netns.Namespace() as inner, netns.Namespace() as outer:
        netns.connect(inner, outer, "wan0", "wan1")
        with Beside(slapd, ring=ring, under=inner.enter, settings={"ldap.uri": slapd.ldapi_uri},
                    sections={"authorize_first": BY_NAS}, more={"sites-enabled/accounting": ACCOUNTING}, ldap_uri=slapd.ldapi_uri) as radius:
            yield inner, outer, radius


@pytest.fixture(scope="module")
def by_pam(ends):
    inner, outer, radius = ends
    with PamRadius([radius.port]) as pam, \
            OpenVpn(inner, f"plugin {PLUGINS}/openvpn-plugin-auth-pam.so {BY_PAM}\n", mounts=pam.mounts) as server:
        yield lambda user, password: server.connect(outer, user, password)


def test_static_challenge(slapd, by_pam):
    user = Enrolled(slapd)
    inside, log = by_pam(user, static_challenge(user.password, user.device.code()))
    assert inside, log
    assert user.get("peruserMfaLastUse")


def test_wrong_password_does_not_burn_the_code(slapd, by_pam):
    user = Enrolled(slapd)
    code = user.device.code()
    inside, log = by_pam(user, static_challenge("not-it", code))
    assert not inside and "AUTH_FAILED" in log
    assert user.get("peruserMfaLastUse") is None and user.failures() == 0
    assert by_pam(user, static_challenge(user.password, code))[0]


def test_wrong_code(slapd, by_pam):
    user = Enrolled(slapd)
    inside, log = by_pam(user, static_challenge(user.password, user.device.wrong()))
    assert not inside and "AUTH_FAILED" in log
    assert user.failures() == 1


def test_user_without_mfa(slapd, by_pam):
    """With and without something in the field for the code, and with a client that has no such field."""
    user = User(slapd)
    for password in (static_challenge(user.password, ""), static_challenge(user.password, "123456"), user.password):
        assert by_pam(user, password)[0], password


def test_recovery_code(slapd, by_pam, ring):
    user, code = Enrolled(slapd), new_recovery_code()
    user.set(peruserMfaRecoveryCode=ring.recovery(code, user.entry_id))
    assert by_pam(user, static_challenge(user.password, code))[0]


# ---- openvpn-auth-radius

@pytest.fixture(scope="module")
def by_radius(ends):
    inner, outer, _ = ends
    files = {"radius.cnf": RADIUS_PLUGIN}
    with OpenVpn(inner, f"plugin {PLUGINS}/radiusplugin.so radius.cnf\nstatus status 1\nclient-config-dir .\n",
                 files=files) as server:
        yield lambda user, password: server.connect(outer, user, password)


def test_glued(slapd, by_radius):
    user = Enrolled(slapd)
    assert not by_radius(user, user.password)[0]
    assert not by_radius(user, "x" + user.password + user.device.code())[0]
    inside, log = by_radius(user, user.password + user.device.code())
    assert inside, log


def test_glued_wrong_code(slapd, by_radius):
    user = Enrolled(slapd)
    assert not by_radius(user, user.password + user.device.wrong())[0]
    assert user.failures() == 1


def test_glued_user_without_mfa(slapd, by_radius):
    user = User(slapd, password="horse123456")
    assert by_radius(user, user.password)[0]


def test_static_challenge_without_pam(slapd, by_radius):
    """The plugin hands the form on as it is, and our module takes it apart."""
    user, plain = Enrolled(slapd), User(slapd)
    assert by_radius(user, static_challenge(user.password, user.device.code()))[0]
    assert by_radius(plain, static_challenge(plain.password, ""))[0]
