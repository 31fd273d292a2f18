# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of the README in the packaged "default" site: nobody with MFA gets in without a code, EAP or not."""
import pytest

from lib.eap import eapol_test, network
from lib.packaged_site import SNAKEOIL, PackagedRadius
from lib.user import Enrolled, User

METHODS = ["TTLS/PAP", "TTLS/GTC", "PEAP/GTC"]


@pytest.fixture(scope="module")
def outside(slapd, ring):
    with PackagedRadius(slapd, ring=ring) as server:
        yield server


@pytest.fixture(scope="module")
def both(slapd, ring):
    with PackagedRadius(slapd, ring=ring, inside=True) as server:
        yield server


def join(tmp_path, server, method, user, password, outer="anonymous"):
    text = network(method, user.uid, SNAKEOIL, password=password, anonymous=outer)
    return eapol_test(tmp_path, server.port, text)


def test_the_story(slapd, outside):
    plain, enrolled = User(slapd), Enrolled(slapd)
    with outside.client() as client:
        assert plain.start(client).accepted
        assert client.password(enrolled.uid, "not-it").rejected
        challenge = enrolled.challenge(client)
        assert enrolled.answer(client, challenge, enrolled.device.code()).accepted


@pytest.mark.parametrize("method", METHODS)
def test_the_outer_name_does_not_decide(slapd, outside, tmp_path, method):
    """The inner tunnel as packaged: the password there is the inner user's, whoever is named outside."""
    plain, enrolled = User(slapd), Enrolled(slapd)
    mark = outside.mark()
    assert not join(tmp_path, outside, method, enrolled, enrolled.password, outer=plain.uid).accepted
    assert "list peruser_mfa in authorize and post-auth of the inner tunnel" in outside.log(mark)


@pytest.mark.parametrize("method", METHODS)
def test_nobody_is_let_in_undecided(slapd, outside, tmp_path, method):
    plain = User(slapd)
    assert not join(tmp_path, outside, method, plain, plain.password, outer=plain.uid).accepted


def test_with_the_lines_inside_the_inner_name_decides(slapd, both, tmp_path):
    plain, enrolled = User(slapd), Enrolled(slapd)
    assert join(tmp_path, both, "TTLS/PAP", plain, plain.password).accepted
    assert join(tmp_path, both, "PEAP/GTC", plain, plain.password).accepted
    assert not join(tmp_path, both, "TTLS/PAP", enrolled, enrolled.password, outer=plain.uid).accepted
    assert not join(tmp_path, both, "PEAP/GTC", enrolled, enrolled.password, outer=plain.uid).accepted
    assert join(tmp_path, both, "TTLS/PAP", enrolled, enrolled.password + enrolled.device.code(),
                outer=plain.uid).accepted
