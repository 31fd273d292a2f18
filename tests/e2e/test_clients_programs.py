# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of Debian that ask RADIUS for a password, each with the same logins."""
import pytest

from lib import netns
from lib.pam import PamRadius
from lib.programs import Dovecot, Login, Radcli, Squid
from lib.radius_server import FreeRadius
from lib.story import every_scenario, tell
from lib.user import Enrolled

# The policies of the documentation: what a client can do follows from its name.
BY_CLIENT = """
	if (&NAS-Identifier == "mfa-mail" || &NAS-Identifier == "squid") {
		update control {
			&Peruser-MFA-Mode := append
		}
	}
	if (&NAS-Identifier == "mfa-test" || &NAS-Identifier == "login") {
		update control {
			&Peruser-MFA-Show := challenge
		}
	}
"""
WHY_NOT = netns.refusal("-m")
needs_mounts = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT or "-")


@pytest.fixture(scope="module")
def radius(slapd, ring):
    """One server for all of them."""
    with FreeRadius(slapd, ring=ring, sections={"authorize_first": BY_CLIENT}) as server:
        yield server


@pytest.fixture(scope="module")
def way(request, radius):
    if request.param in (Login, Dovecot):
        options = {"options": "client_id=mfa-mail"} if request.param is Dovecot else {}
        with PamRadius([radius.port], **options) as pam, request.param(pam) as client:
            yield client
    else:
        with request.param(radius.port) as client:
            yield client


@every_scenario
@pytest.mark.parametrize("way", [Radcli, Squid], indirect=True)
def test_story(slapd, way, scenario, record_property):
    tell(way, scenario, slapd, record_property)


@needs_mounts
@every_scenario
@pytest.mark.parametrize("way", [Login, Dovecot], indirect=True)
def test_story_by_pam(slapd, way, scenario, record_property):
    tell(way, scenario, slapd, record_property)


@pytest.mark.parametrize("bind, twice", [("%{NAS-Identifier}", True), ("%{NAS-Identifier} %{Packet-Src-Port}", False)])
def test_two_helpers_of_squid_in_one_second(slapd, ring, bind, twice):
    """Their packets are equal but for the port, so only a bind that names the port knows the second from a retransmission."""
    user = Enrolled(slapd)
    with FreeRadius(slapd, ring=ring, instance={"mode": "append", "challenge.bind": bind}) as server, \
            Squid(server.port) as squid:
        squid.stop_clock(server.preload("time_shift.so"))
        words = user.password + user.device.code()
        accepted, shown = squid.login(user, words)
        assert accepted, shown
        assert squid.login(user, words)[0] == twice
