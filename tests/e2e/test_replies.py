# SPDX-License-Identifier: GPL-2.0-or-later
"""What a challenge may hold, and that the Accept behind it is the one a user without MFA gets."""
import pytest

from lib.radius_server import FreeRadius
from lib.user import Enrolled, User

PROFILE = """
		reply:Class := 'employeeNumber'
		reply:Filter-Id := 'employeeType'
		reply:Tunnel-Private-Group-Id:1 := 'departmentNumber'
		reply:Cisco-AVPair += 'description'
"""
STATIC = """
	update reply {
		Tunnel-Type:1 := VLAN
		Tunnel-Medium-Type:1 := IEEE-802
		Session-Timeout := 3600
		Reply-Message := "Welcome"
	}
"""
ATTRIBUTES = {"employeeNumber": "class-of-2026", "employeeType": "staff-filter", "departmentNumber": "42",
              "description": ["shell:priv-lvl=15", "ip:addr-pool=vpn"]}
CHALLENGE = ["Message-Authenticator", "Prompt", "Reply-Message", "Session-Timeout", "State"]
NO_ECHO = 0


@pytest.fixture(scope="module", params=["before the challenge", "after it"])
def radius(slapd, ring, request):
    """The site adds its attributes in authorize, or behind our line in post-auth."""
    place = {"before the challenge": "authorize_last", "after it": "post_auth"}[request.param]
    with FreeRadius(slapd, ring=ring, update=PROFILE, sections={place: STATIC}, echo=False) as server:
        yield server


def without_authenticator(reply):
    return [(name, value) for name, value in reply.attributes if name != "Message-Authenticator"]


def test_challenge_holds_only_what_may_be_in_one(slapd, client):
    """RFC 2865 section 5.44, RFC 2869 section 5.10: nothing that belongs to an Accept."""
    challenge = Enrolled(slapd, **ATTRIBUTES).challenge(client)
    assert sorted(name for name, _ in challenge.attributes) == CHALLENGE
    assert challenge.get("Prompt") == NO_ECHO
    assert challenge.get("Session-Timeout") == 120
    assert challenge.message.endswith(": ") and "\n" not in challenge.message


def test_challenge_after_a_wrong_code_too(slapd, client):
    user = Enrolled(slapd, **ATTRIBUTES)
    challenge = user.answer(client, user.challenge(client), user.device.wrong())
    assert challenge.challenged and sorted(name for name, _ in challenge.attributes) == CHALLENGE


def test_second_challenge_lives_no_longer_than_the_first_would(slapd, client):
    user = Enrolled(slapd)
    again = user.answer(client, user.challenge(client), user.device.wrong())
    assert again.get("Session-Timeout") <= 120


def test_accept_equals_that_of_a_user_without_mfa(slapd, client):
    plain, enrolled = User(slapd, **ATTRIBUTES), Enrolled(slapd, **ATTRIBUTES)
    expected = plain.start(client)
    reply = enrolled.login(client)
    assert expected.accepted and reply.accepted
    assert without_authenticator(reply) == without_authenticator(expected)
    assert reply.get("Filter-Id") == "staff-filter" and reply.get("Class") == b"class-of-2026"
    assert reply.all("Cisco-AVPair") == ATTRIBUTES["description"]
    assert reply.get("Tunnel-Type") == 13 and "42" in reply.get("Tunnel-Private-Group-Id")


def test_accept_after_a_wrong_code_is_the_same(slapd, client):
    plain, enrolled = User(slapd, **ATTRIBUTES), Enrolled(slapd, **ATTRIBUTES)
    again = enrolled.answer(client, enrolled.challenge(client), enrolled.device.wrong())
    reply = enrolled.answer(client, again, enrolled.device.code())
    assert without_authenticator(reply) == without_authenticator(plain.start(client))


def test_reject_holds_nothing_of_the_accept(slapd, client):
    user = Enrolled(slapd, **ATTRIBUTES)
    challenge, code = user.challenge(client), user.device.code()
    assert user.answer(client, challenge, code).accepted
    reply = user.answer(client, user.challenge(client), code)
    assert reply.rejected
    assert not {"Class", "Filter-Id", "Tunnel-Type", "Cisco-AVPair", "State"} & {name for name, _ in reply.attributes}


def test_proxy_state_comes_back_untouched(slapd, client):
    """RFC 2865 section 5.33: it is no attribute of ours, and none is lost."""
    user = Enrolled(slapd)
    states = [b"proxy-1", b"proxy-2"]

    def with_proxy_states(password, state=None):
        attributes = [("User-Name", user.uid), ("User-Password", password)]
        attributes += [("State", state)] if state else []
        return client.ask(attributes + [("Proxy-State", value) for value in states])

    challenge = with_proxy_states(user.password)
    assert challenge.challenged and challenge.all("Proxy-State") == states
    reply = with_proxy_states(user.device.code(), challenge.state)
    assert reply.accepted and reply.all("Proxy-State") == states


def test_message_authenticator_is_in_every_challenge(slapd, radius):
    """Also for a client that sends none itself."""
    with radius.client(message_authenticator=False) as old:
        user = Enrolled(slapd)
        challenge = user.challenge(old)
        assert len(challenge.get("Message-Authenticator")) == 16
        assert user.answer(old, challenge, user.device.code()).accepted


@pytest.mark.parametrize("item,text,expected", [
    ("message.challenge", "Code for %{User-Name}: ", "Code for {uid}: "),
    ("message.wrong", "No, %{User-Name}: ", "No, {uid}: "),
])
def test_messages_are_expanded(slapd, ring, item, text, expected):
    with FreeRadius(slapd, ring=ring, instance={item: text}) as server, server.client() as client:
        user = Enrolled(slapd)
        reply = user.challenge(client)
        if item == "message.wrong":
            reply = user.answer(client, reply, user.device.wrong())
        assert reply.message == expected.format(uid=user.uid)


def test_message_never_breaks_the_line(slapd, ring):
    """What a name brings along is not shown as lines of its own."""
    instance = {"message.challenge": "Code for %{User-Name}: "}
    first = '\tupdate control {\n\t\tCleartext-Password := "pw"\n\t}\n\tpap\n'
    with FreeRadius(slapd, ring=ring, instance=instance, sections={"first_factor": first},
                    settings={"user.filter": "(uid=%{NAS-Port-Id})"}) as server, server.client() as client:
        user = Enrolled(slapd, password="pw")
        reply = client.ask([("User-Name", "a\r\nb"), ("User-Password", "pw"), (87, user.uid.encode())])
        assert reply.challenged and "\n" not in reply.message and "\r" not in reply.message
