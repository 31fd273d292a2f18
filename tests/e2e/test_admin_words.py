# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa: single devices, remembered devices, help, and what somebody may have meant."""
import pytest

from lib.admin import Admin
from lib.ring import Ring, new_recovery_code
from lib.totp import Device
from lib.user import Enrolled


@pytest.fixture(scope="module")
def ring():
    return Ring("k1")


@pytest.fixture
def admin(slapd, ring):
    with Admin(slapd, ring, build="release") as command:
        yield command


@pytest.fixture
def user(slapd, ring):
    """Two phones, one remembered device, one recovery code."""
    person = Enrolled(slapd)
    values = [ring.seal(device.uri(label=name), person.entry_id)
              for name, device in (("old", person.device), ("new", Device()))]
    return person.set(peruserMfaSecret=values, peruserMfaTrustedDevice="k1$AAAA 1900000000 laptop",
                      peruserMfaRecoveryCode=ring.recovery(new_recovery_code(), person.entry_id))


def names(admin, user):
    return sorted(device["name"] for device in admin.json("device", "list", user.uid)[0]["devices"])


@pytest.mark.parametrize("words", [("device", "remove", "{user}", "old"), ("reset", "{user}", "--device", "old")])
def test_one_phone_of_two(slapd, admin, user, words):
    assert names(admin, user) == ["new", "old"]
    words = [word.format(user=user.uid) for word in words]
    admin.run(*words, "--dry-run")
    assert names(admin, user) == ["new", "old"]
    admin.run(*words)
    assert names(admin, user) == ["new"]
    assert len(slapd.get(user.uid, "peruserMfaRecoveryCode")) == 1 and not slapd.get(user.uid, "peruserMfaTrustedDevice")
    assert "has no device 'old'" in admin.run(*words, status=1).err


def test_the_last_phone(slapd, admin, user):
    admin.run("device", "remove", user.uid, "old")
    assert "last device" in admin.run("device", "remove", user.uid, "new", status=1).err
    admin.run("reset", user.uid, "--device", "new")
    assert not slapd.get(user.uid, "peruserMfaSecret") and not slapd.get(user.uid, "peruserMfaRecoveryCode")


def test_rename(admin, user):
    admin.run("device", "rename", user.uid, "old", "tablet")
    assert names(admin, user) == ["new", "tablet"]
    answer, = admin.json("verify", user.uid, user.device.settle().code())
    assert answer["right"] and answer["device"] == "tablet"
    assert "already" in admin.run("device", "rename", user.uid, "tablet", "new", status=1).err
    admin.run("device", "rename", user.uid, "tablet", "x" * 65, status=2)
    for words in (("list",), ("drop", user.uid), ("remove", user.uid), ("rename", user.uid, "new")):
        admin.run("device", *words, status=2)


def test_a_device_that_cannot_be_read_has_a_number(slapd, admin, user):
    user.set(peruserMfaSecret=[*slapd.get(user.uid, "peruserMfaSecret"), "{GCM}gone$AAAA"])
    listed = admin.run("device", "list", user.uid).out
    number, = (line.split()[0] for line in listed.splitlines() if "cannot be read" in line)
    admin.run("device", "remove", user.uid, number)
    assert names(admin, user) == ["new", "old"]


def test_remembered_devices(slapd, admin, user):
    assert "forgotten" in admin.run("trusted", "forget", user.uid).out
    assert not slapd.get(user.uid, "peruserMfaTrustedDevice") and len(slapd.get(user.uid, "peruserMfaSecret")) == 2
    assert admin.json("trusted", "forget", user.uid)[0]["outcome"] == "unchanged"
    admin.run("trusted", "list", user.uid, status=2)


def test_help(admin):
    assert admin.run("help").out == admin.run("--help").out
    assert admin.run("help", "reset").out == admin.run("reset", "--help").out


@pytest.mark.parametrize("words,meant", [(("stauts",), "'status'"), (("suspnd", "x"), "'suspend'"), (("help", "rset"), "'reset'"),
                                         (("reset", "x", "--dryrun"), "'--dry-run'"), (("list", "--jsn"), "'--json'")])
def test_what_somebody_may_have_meant(admin, words, meant):
    assert f"did you mean {meant}?" in admin.run(*words, status=2).err


def test_nothing_near_is_suggested(admin):
    assert "did you mean" not in admin.run("xyzzy", status=2).err + admin.run("list", "--qqqqqq", status=2).err
