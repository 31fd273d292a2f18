# SPDX-License-Identifier: GPL-2.0-or-later
"""The state table, the forms of a secret, the kinds of codes."""
import datetime
import itertools
import time

import pytest

from lib.radius_server import FreeRadius
from lib.ring import Ring
from lib.totp import Device
from lib.user import Enrolled, User

PAST, FUTURE = "20200101000000Z", "21000101000000Z"
DEVICE = Device()
USABLE = {"peruserMfaSecret": DEVICE.secret}
UNREADABLE = {"peruserMfaSecret": "not base32 at all!"}
MIXED = {"peruserMfaSecret": [DEVICE.secret, "not base32 at all!"]}
NONE = {}

# The columns: flag, secret, RequiredFrom -> the answer to the right password, the result
TABLE = [
    ("FALSE", USABLE, None, "accept", "off"),
    ("FALSE", USABLE, FUTURE, "accept", "off"),
    (None, USABLE, None, "accept", "off"),
    (None, NONE, None, "accept", "off"),
    ("FALSE", NONE, None, "accept", "off"),
    ("FALSE", NONE, FUTURE, "accept", "off"),
    ("FALSE", UNREADABLE, None, "accept", "off"),
    ("TRUE", USABLE, None, "challenge", None),
    ("TRUE", USABLE, PAST, "challenge", None),
    ("TRUE", USABLE, FUTURE, "challenge", None),
    ("TRUE", MIXED, None, "challenge", None),
    ("FALSE", USABLE, PAST, "challenge", None),
    (None, USABLE, PAST, "challenge", None),
    ("TRUE", NONE, None, "reject", "unenrolled"),
    ("TRUE", NONE, PAST, "reject", "unenrolled"),
    ("FALSE", NONE, PAST, "reject", "unenrolled"),
    (None, NONE, PAST, "reject", "unenrolled"),
    ("TRUE", UNREADABLE, None, "reject", "broken"),
    ("FALSE", UNREADABLE, PAST, "reject", "broken"),
    (None, UNREADABLE, PAST, "reject", "broken"),
]


WHEN = {None: "optional", PAST: "required", FUTURE: "required-later"}


def row_name(row):
    flag, secret, required, _, _ = row
    kind = {id(USABLE): "usable", id(UNREADABLE): "unreadable", id(MIXED): "mixed", id(NONE): "none"}[id(secret)]
    return f"{flag}-{kind}-{WHEN[required]}"


def outcome(reply):
    return {2: "accept", 3: "reject", 11: "challenge"}[reply.code]


@pytest.mark.parametrize("row", TABLE, ids=row_name)
def test_state_table(slapd, client, row):
    flag, secret, required, expected, result = row
    attributes = {"peruserMfaEnabled": flag, "peruserMfaRequiredFrom": required, **secret}
    user = User(slapd)
    user.set(**attributes)
    reply = user.start(client)
    assert outcome(reply) == expected
    if result:
        assert reply.result == result
    if expected == "challenge":
        assert user.answer(client, reply, DEVICE.code()).accepted
    assert client.password(user.uid, "not-it").rejected


def test_mfa_becomes_compulsory_at_the_moment_that_was_set(slapd, client):
    user = Enrolled(slapd, peruserMfaEnabled="FALSE")
    soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=2)
    user.set(peruserMfaRequiredFrom=soon.strftime("%Y%m%d%H%M%SZ"))
    early = user.start(client)
    seen_at = datetime.datetime.now(datetime.timezone.utc)
    assert early.accepted or seen_at >= soon.replace(microsecond=0)
    while datetime.datetime.now(datetime.timezone.utc) < soon:
        time.sleep(0.1)
    assert user.start(client).challenged


def test_unreadable_device_is_named_in_the_log(slapd, radius, client):
    user = Enrolled(slapd)
    user.set(peruserMfaSecret=[user.device.secret, "not base32 at all!"])
    mark = radius.mark()
    user.challenge(client)
    assert "not base32 at all!" not in radius.log(mark)
    assert "secret" in radius.log(mark)


def test_broken_record_is_an_error_in_the_log(slapd, radius, client):
    user = Enrolled(slapd, peruserMfaSecret="not base32 at all!")
    mark = radius.mark()
    assert user.start(client).rejected
    assert any("Error" in line and "secret" in line for line in radius.log(mark).splitlines())


@pytest.mark.parametrize("name,value", [
    ("peruserMfaLastUse", "yesterday"), ("peruserMfaLastUse", "1 2"), ("peruserMfaLastUse", "-1 2 AAAAAAAAAAAAAAAA"),
    ("peruserMfaFailures", "many"), ("peruserMfaFailures", "1 2 3 4"),
    ("peruserMfaFailures", "99999999999999999999 1 AAAAAAAAAAAAAAAAAAAAAA"),
])
def test_malformed_record_is_refused_and_left_alone(slapd, client, name, value):
    user = Enrolled(slapd)
    user.set(**{name: value})
    reply = user.start(client)
    if reply.challenged:
        reply = user.answer(client, reply, user.device.code())
    assert reply.rejected
    assert user.get(name) == value


@pytest.mark.parametrize("value", ["yes", "1", "TRUE ", "ja", ""])
def test_flag_that_is_no_boolean_is_broken(slapd, ring, value):
    """A directory with a looser syntax than ours: the flag is mapped to a text attribute."""
    settings = {"attribute.enabled": "description"}
    user = Enrolled(slapd, description=value or " ")
    with FreeRadius(slapd, ring=ring, settings=settings) as server, server.client() as client:
        reply = user.start(client)
        assert reply.rejected and reply.result == "broken"


@pytest.mark.parametrize("value,expected", [("TRUE", "challenge"), ("FALSE", "accept")])
def test_flag_in_an_attribute_that_the_site_already_has(slapd, ring, value, expected):
    with FreeRadius(slapd, ring=ring, settings={"attribute.enabled": "description"}) as server, \
            server.client() as client:
        user = Enrolled(slapd, peruserMfaEnabled=[], description=value)
        assert outcome(user.start(client)) == expected


@pytest.fixture(scope="module")
def accepting(slapd, ring):
    instance = {"unenrolled": "accept"}
    with FreeRadius(slapd, ring=ring, instance=instance) as server:
        yield server


@pytest.mark.parametrize("attributes", [{"peruserMfaEnabled": "TRUE"}, {"peruserMfaRequiredFrom": PAST}],
                         ids=["invited", "overdue"])
def test_unenrolled_user_may_be_let_in_for_a_policy_to_restrict(slapd, accepting, attributes):
    with accepting.client() as client:
        reply = User(slapd, **attributes).start(client)
        assert reply.accepted and reply.result == "unenrolled"
        assert User(slapd, **UNREADABLE, **attributes).start(client).rejected


def test_unenrolled_user_is_told_what_to_do(slapd, client, ring):
    reply = User(slapd, peruserMfaEnabled="TRUE").start(client)
    assert reply.rejected and reply.message
    instance = {"message.unenrolled": "Set up your phone at https://mfa.example.org/?u=%{User-Name}"}
    with FreeRadius(slapd, ring=ring, instance=instance) as server, server.client() as other:
        user = User(slapd, peruserMfaEnabled="TRUE")
        assert user.start(other).message == f"Set up your phone at https://mfa.example.org/?u={user.uid}"


# ---- the forms of a secret

def spaced(secret):
    return " ".join(secret[i:i + 4] for i in range(0, len(secret), 4))


FORMS = {
    "base32": lambda d: d.secret,
    "base32 in small letters": lambda d: d.secret.lower(),
    "base32 in groups": lambda d: spaced(d.secret),
    "otpauth": lambda d: d.uri(),
    "otpauth with nothing but the secret": lambda d: f"otpauth://totp/phone?secret={d.secret}",
    "otpauth with an issuer": lambda d: d.uri(label="Example%20Ltd:alice@example.org", issuer="Example%20Ltd"),
    "otpauth with an image": lambda d: d.uri(image="https://example.org/logo.png"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("sealed", [False, True], ids=["open", "sealed"])
def test_form_of_a_secret(slapd, client, ring, form, sealed):
    device = Device()
    user = Enrolled(slapd, device)
    value = FORMS[form](device)
    user.set(peruserMfaSecret=ring.seal(value, user.entry_id) if sealed else value)
    assert user.login(client).accepted


@pytest.mark.parametrize("algorithm,digits,period",
                         itertools.product(("SHA1", "SHA256", "SHA512"), (6, 7, 8), (30, 60)))
def test_algorithm_digits_period(slapd, client, algorithm, digits, period):
    device = Device(algorithm=algorithm, digits=digits, period=period)
    user = Enrolled(slapd, device, peruserMfaSecret=device.uri())
    challenge = user.challenge(client)
    for code in (device.wrong(), device.code()[:-1]):
        challenge = user.answer(client, challenge, code)
        assert challenge.challenged
    assert user.answer(client, challenge, device.code()).accepted


@pytest.mark.parametrize("period", [15, 120])
def test_shortest_and_longest_period(slapd, client, period):
    device = Device(period=period)
    assert Enrolled(slapd, device, peruserMfaSecret=device.uri()).login(client).accepted


BAD_SECRETS = {
    "80 bits": "A" * 16,
    "no base32 digits": "0189018901890189018901890189",
    "unknown algorithm": Device(algorithm="MD5").uri(),
    "5 digits": Device(digits=5).uri(),
    "9 digits": Device(digits=9).uri(),
    "14 seconds": Device(period=14).uri(),
    "121 seconds": Device(period=121).uri(),
    "hotp": Device().uri().replace("totp", "hotp"),
    "no secret": "otpauth://totp/phone?digits=6",
    "two secrets": Device().uri() + "&secret=" + "A" * 32,
    "sealed noise": "{GCM}k1$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "sealed nothing": "{GCM}k1$",
    "sealed without a key": "{GCM}",
    "another scheme": "{CLEAR}" + "A" * 32,
}


@pytest.mark.parametrize("kind", BAD_SECRETS)
def test_secret_that_is_not_understood_is_broken(slapd, client, kind):
    reply = Enrolled(slapd, peruserMfaSecret=BAD_SECRETS[kind]).start(client)
    assert reply.rejected and reply.result == "broken"


def test_sealed_secret_does_not_open_in_another_entry(slapd, client, ring):
    owner, thief = Enrolled(slapd), Enrolled(slapd)
    sealed = ring.seal(owner.device.secret, owner.entry_id)
    owner.set(peruserMfaSecret=sealed)
    thief.set(peruserMfaSecret=sealed)
    assert owner.start(client).challenged
    assert thief.start(client).rejected


def test_unknown_key_is_named_in_the_log(slapd, radius, client):
    user = Enrolled(slapd)
    user.set(peruserMfaSecret=Ring("lost-key").seal(user.device.secret, user.entry_id))
    mark = radius.mark()
    reply = user.start(client)
    assert reply.rejected and reply.result == "broken"
    assert "lost-key" in radius.log(mark)


def test_key_that_is_not_the_first_still_opens(slapd, ring):
    user = Enrolled(slapd)
    user.set(peruserMfaSecret=ring.seal(user.device.secret, user.entry_id))
    with FreeRadius(slapd, ring=ring.with_new_key("k2")) as server, server.client() as client:
        assert user.login(client).accepted


def test_more_than_five_devices_are_refused(slapd, client):
    user = Enrolled(slapd)
    user.set(peruserMfaSecret=[user.device.secret] + [Device().secret for _ in range(5)])
    assert user.start(client).rejected
    user.set(peruserMfaSecret=[user.device.secret] + [Device().secret for _ in range(4)])
    assert user.start(client).challenged
