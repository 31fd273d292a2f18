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


@pytest.fixture(params=["127.0.0.1", "::1"])
def client(server, request):
    with server.client(host=request.param) as nas:
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


def test_each_reply_begins_with_a_message_authenticator(slapd, client):
    """Some clients drop a reply without it, and nothing forged fits in before it."""
    plain, enrolled, invited = User(slapd), Enrolled(slapd), User(slapd, peruserMfaEnabled="TRUE")
    challenge, code = enrolled.challenge(client), enrolled.device.code()
    replies = [plain.start(client), client.password(plain.uid, "not-it"), client.password("nobody", "x"),
               client.password("no body", "x"), invited.start(client), challenge,
               enrolled.answer(client, challenge, enrolled.device.wrong()), enrolled.answer(client, challenge, code),
               enrolled.answer(client, enrolled.challenge(client), code),
               client.ask([("User-Name", plain.uid), ("User-Password", plain.password), ("Proxy-State", b"1")])]
    assert {reply.code for reply in replies} == {2, 3, 11}
    for reply in replies:
        assert [name for name, _ in reply.attributes].count("Message-Authenticator") == 1, reply
        assert reply.attributes[0][0] == "Message-Authenticator", reply


def test_challenge_of_an_ipv6_nas_without_a_name_is_bound_to_it(slapd, server):
    with server.client(host="::1", nas=None) as client:
        user, here, there = Enrolled(slapd), {"NAS_IPv6_Address": "2001:db8::1"}, {"NAS_IPv6_Address": "2001:db8::2"}
        challenge = user.challenge(client, **here)
        assert user.answer(client, challenge, user.device.code(), **there).rejected
        assert user.answer(client, challenge, user.device.code(), **here).accepted


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
