# SPDX-License-Identifier: GPL-2.0-or-later
"""What the administrator's policies make of the module: trial mode, skipping, requiring, restricting."""
import pytest

from lib.radius_server import FreeRadius
from lib.slapd import RADIUS_DN
from lib.user import Enrolled, User

REQUIRE = """
	if (&NAS-Identifier == "strict") {
		update control {
			&Peruser-MFA-Required := yes
		}
	}
"""
ANYBODY = '\tupdate control {\n\t\tCleartext-Password := "pw"\n\t}\n\tpap\n'


@pytest.fixture(scope="module")
def trial(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance={"report_only": True}) as server:
        yield server


@pytest.mark.parametrize("attributes,result", [
    ({}, "challenged"), ({"peruserMfaSecret": "broken"}, "broken"), ({"peruserMfaSecret": []}, "unenrolled"),
], ids=["enrolled", "broken", "invited"])
def test_trial_lets_everybody_in_and_says_what_would_be(slapd, trial, attributes, result):
    user = Enrolled(slapd)
    user.set(**attributes)
    before, mark = slapd.get(user.uid), trial.mark()
    with trial.client() as client:
        assert user.start(client).accepted
        assert client.password(user.uid, "not-it").rejected, "the first factor still counts"
    assert user.uid in trial.log(mark) and result in trial.log(mark)
    assert slapd.get(user.uid) == before


def test_user_that_only_the_first_factor_knows(slapd, ring):
    for choice, accepted in (("reject", False), ("accept", True)):
        options = {"sections": {"first_factor": ANYBODY}, "instance": {"not_found": choice}}
        with FreeRadius(slapd, ring=ring, **options) as server, server.client() as client:
            assert client.password("nobody-of-that-name", "pw").accepted == accepted


def test_mode_skip_asks_nobody_and_no_directory(slapd, ring):
    skip = "\tupdate control {\n\t\t&Peruser-MFA-Mode := skip\n\t}\n"
    with FreeRadius(slapd, ring=ring, sections={"authorize_first": skip}) as server, server.client() as client:
        user = Enrolled(slapd)
        mark = slapd.mark()
        reply = user.start(client)
        assert reply.accepted and reply.result == "skipped"
        assert slapd.operations(mark)[RADIUS_DN, "SRCH"] == 0


def test_trusted_network_needs_no_code(slapd, ring):
    sections = {"authorize_first": "\tperuser_mfa_skip_on_trusted_network\n"}
    with FreeRadius(slapd, ring=ring, sections=sections) as server, server.client() as client:
        user = Enrolled(slapd)
        assert user.start(client, Framed_IP_Address="192.0.2.7").accepted
        assert user.start(client, Framed_IP_Address="198.51.100.7").challenged
        assert user.start(client).challenged


def test_required_by_policy(slapd, ring):
    """Whoever comes by this NAS must have MFA, whatever the flag says."""
    with FreeRadius(slapd, ring=ring, sections={"authorize_first": REQUIRE}) as server, \
            server.client() as usual, server.client(nas="strict") as strict:
        suspended, plain = Enrolled(slapd, peruserMfaEnabled="FALSE"), User(slapd)
        assert suspended.start(usual).accepted and plain.start(usual).accepted
        assert plain.start(strict).result == "unenrolled"
        challenge = suspended.start(strict)
        assert challenge.challenged
        assert suspended.answer(strict, challenge, suspended.device.code()).accepted


def test_restricted_network_for_the_unenrolled(slapd, ring):
    sections = {"post_auth": "\tperuser_mfa_restrict_unenrolled\n"}
    with FreeRadius(slapd, ring=ring, sections=sections, instance={"unenrolled": "accept"}) as server, \
            server.client() as client:
        invited, plain = User(slapd, peruserMfaEnabled="TRUE"), User(slapd)
        assert "99" in invited.start(client).get("Tunnel-Private-Group-Id")
        assert plain.start(client).get("Tunnel-Private-Group-Id") is None
        assert Enrolled(slapd).login(client).get("Tunnel-Private-Group-Id") is None


@pytest.mark.parametrize("choice", ["yes", "no"])
def test_success_is_logged_unless_the_site_does_that(slapd, ring, choice):
    with FreeRadius(slapd, ring=ring, debug=0, instance={"log_success": choice}) as server, \
            server.client() as client:
        user = Enrolled(slapd)
        again = user.answer(client, user.challenge(client), "000000")
        assert again.challenged
        user.answer(client, again, user.device.code())
        lines = [line for line in server.log().splitlines() if f"user '{user.uid}'" in line]
    wanted = ["challenged: password accepted", "challenged: wrong code", "accepted: code accepted"]
    wanted = [text for text in wanted if choice == "yes" or "wrong" in text]
    assert len(lines) == len(wanted) and all(text in line for text, line in zip(wanted, lines)), lines


def test_trial_logs_whatever_the_site_asked_for(slapd, ring):
    with FreeRadius(slapd, ring=ring, debug=0, instance={"log_success": "no", "report_only": "yes"}) as server, \
            server.client() as client:
        user = Enrolled(slapd)
        assert user.start(client).accepted
        assert f"user '{user.uid}': challenged" in server.log()
