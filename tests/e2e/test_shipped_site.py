# SPDX-License-Identifier: GPL-2.0-or-later
"""sites-available/peruser_mfa does what it says, as it is shipped."""
import pytest

from lib.client import NoAnswer
from lib.process import wait_until
from lib.radius_server import FreeRadius
from lib.shipped_site import shipped_site
from lib.user import Enrolled, User


@pytest.fixture(scope="module")
def server(slapd, ring):
    with FreeRadius(slapd, ring=ring, more=shipped_site(), echo=False) as freeradius:
        yield freeradius


@pytest.fixture
def client(server):
    with server.client() as nas:
        yield nas


def test_the_story(slapd, client):
    plain, enrolled = User(slapd), Enrolled(slapd)
    assert plain.start(client).accepted
    assert client.password(plain.uid, "not-it").rejected
    assert client.password(enrolled.uid, "not-it").rejected
    challenge = enrolled.challenge(client)
    assert challenge.message == "Enter the 6-digit code: "
    code = enrolled.device.code()
    assert enrolled.answer(client, challenge, code).accepted
    replay = enrolled.answer(client, enrolled.challenge(client), code)
    assert replay.rejected and "already used" in replay.message
    enrolled.set(peruserMfaEnabled="FALSE")
    assert enrolled.start(client).accepted


def test_silent_while_the_directory_is_away(slapd, client):
    user = Enrolled(slapd)
    challenge = user.challenge(client)
    slapd.stop()
    try:
        with pytest.raises(NoAnswer):
            user.start(client, timeout_s=5)
        with pytest.raises(NoAnswer):
            user.answer(client, challenge, user.device.code(), timeout_s=5)
    finally:
        slapd.start()
    wait_until(lambda: user.answer(client, challenge, user.device.code()).accepted, 10, "the directory is back")
