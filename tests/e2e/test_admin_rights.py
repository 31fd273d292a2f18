# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa under accounts that lack a right: "I may not read it" is never "it is not there"."""
import contextlib
import re

import pytest

from lib.admin import Admin
from lib.ring import Ring, new_recovery_code
from lib.slapd import ADMIN_DN, FREERADIUS_DN, PEOPLE, Slapd
from lib.totp import Device, new_secret
from lib.user import Enrolled, User

NAMES = ["Enabled", "Secret", "RequiredFrom", "LastUse", "Failures", "RecoveryCode", "Voucher", "TrustedDevice"]
ONE_USER = [("status", "{user}"), ("reset", "{user}"), ("suspend", "{user}"), ("resume", "{user}"),
            ("invite", "{user}"), ("require", "{user}"), ("require", "--remove", "{user}"), ("unlock", "{user}"),
            ("recovery", "{user}"), ("verify", "{user}", "123456"), ("enroll", "{user}", "--no-confirm"),
            ("export", "{user}"), ("import", "{file}")]
ALL_USERS = [("list",), ("list", "--state", "off"), ("report",), ("keys",), ("keys", "--remove", "k2"),
             ("rekey", "--dry-run"), ("export",), ("suspend", "--users", "(objectClass=*)")]
LOOKS_AT = {"unlock": ("Failures",)}


@contextlib.contextmanager
def hidden(slapd, name, level="none"):
    with slapd.access_first(f'to attrs=peruserMfa{name} by dn.exact="{ADMIN_DN}" {level} by * break'):
        yield


@pytest.fixture(scope="module")
def ring():
    return Ring("k1", "k2")


@pytest.fixture(scope="module")
def own():
    with Slapd() as server:
        yield server


@pytest.fixture(scope="module")
def nobody(own):
    """A user whose record is empty."""
    return User(own)


@pytest.fixture(scope="module")
def enrolled(own, ring):
    """A user who has something of everything."""
    user = Enrolled(own)
    user.set(peruserMfaSecret=ring.seal(user.device.secret, user.entry_id), peruserMfaRequiredFrom="20200101000000Z",
             peruserMfaLastUse="1 30 AAAAAAAAAAAAAAAA", peruserMfaFailures="1 1700000000 AAAAAAAAAAAAAAAA",
             peruserMfaRecoveryCode=ring.recovery(new_recovery_code(), user.entry_id),
             peruserMfaVoucher="k1$AAAA 1700000000", peruserMfaTrustedDevice="k1$AAAA 1700000000 phone")
    return user


def words_for(words, user, admin):
    rows = admin.file("rows.csv", f"user,secret\n{user.uid},{new_secret()}\n")
    return [word.format(user=user.uid, file=rows) for word in words]


def says_hidden(err, account, name=r"peruserMfa\w+"):
    """Whether an attribute is named as hidden: by the command, or by the library when it read the one entry."""
    return re.search(rf"insufficient access to '{name}' as '{account}'|'{account}' may not read '{name}'", err)


def refuses(admin, own, user, words, name):
    before = own.get(user.uid)
    done = admin.run(*words_for(words, user, admin), stdin="export\nclear\n", status=1)
    assert says_hidden(done.err, ADMIN_DN, f"peruserMfa{name}"), done
    assert own.get(user.uid) == before
    assert admin.ring_path.read_text() == admin.ring.text()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("words", ONE_USER + ALL_USERS, ids=" ".join)
def test_a_hidden_attribute_is_not_an_absent_one(own, ring, nobody, enrolled, words, name):
    if name not in LOOKS_AT.get(words[0], NAMES):
        return
    with Admin(own, ring, build="release") as admin:
        with hidden(own, name):
            refuses(admin, own, nobody, words, name)


@pytest.mark.parametrize("name", NAMES)
def test_values_that_may_only_be_searched_are_hidden_too(own, ring, enrolled, name):
    with Admin(own, ring, build="release") as admin:
        for words in (("status", "{user}"), ("keys",)):
            for level in ("none", "compare", "search"):
                with hidden(own, name, level):
                    refuses(admin, own, enrolled, words, name)


def test_an_account_without_any_right(own, ring, nobody, enrolled):
    with Admin(own, ring, account=FREERADIUS_DN) as admin:
        for words in ONE_USER + ALL_USERS:
            done = admin.run(*words_for(words, enrolled, admin), stdin="export\nclear\n", status=1)
            assert says_hidden(done.err, FREERADIUS_DN), done


def test_many_hidden_entries_are_counted(own, ring, enrolled):
    for _ in range(7):
        User(own)
    with hidden(own, "Voucher"), Admin(own, ring) as admin:
        err = admin.run("list", status=1).err
        assert err.count("insufficient access") == 6 and "entries in all" in err


def test_a_login_in_between_is_no_missing_right(own, ring, enrolled):
    """A user who may be seen is listed, whatever is written meanwhile."""
    with Admin(own, ring) as admin:
        assert enrolled.uid in admin.run("list", status=None).out


@pytest.mark.parametrize("target", ["dc=example,dc=org", PEOPLE, ADMIN_DN, "uid=nobody,ou=people,dc=example,dc=com"])
def test_a_dn_must_be_a_user(own, ring, target):
    with Admin(own, ring) as admin, own.connect() as root:
        for command in ("require", "invite", "reset", "status", "suspend"):
            assert "no such user" in admin.run(command, target, status=1).err
        if target.endswith("dc=org"):
            assert "peruserMfaRequiredFrom" not in root.read_s(target)


def test_a_user_may_be_named_by_dn(own, ring, enrolled):
    with Admin(own, ring) as admin:
        row, = admin.json("status", enrolled.dn.replace("ou=people", "OU=People"))
        assert row["dn"] == enrolled.dn


def test_what_matches_nobody_is_an_error(own, ring, enrolled):
    with Admin(own, ring) as admin:
        empty = admin.file("nobody", "# nobody\n\n")
        for command in ("require", "suspend", "resume", "invite", "reset", "unlock"):
            assert "nobody found" in admin.run(command, "--users", "(uid=no-such-user)", status=1).err
            assert "names no user" in admin.run(command, "--users-file", empty, status=1).err


def test_a_base_without_users_is_an_error(own, ring, enrolled):
    with Admin(own, ring, settings={"user.base_dn": "ou=services,dc=example,dc=org"}) as admin:
        for words in (("list",), ("list", "--state", "enrolled"), ("report",), ("keys",), ("rekey",)):
            assert "nobody found" in admin.run(*words, status=1).err


def test_a_key_in_use_stays_on_the_ring(own, ring, enrolled):
    """Whatever the account does not see, and wherever the command was told to look."""
    device = Device()
    user = Enrolled(own, device, peruserMfaSecret=[])
    user.set(peruserMfaSecret=ring.seal(device.secret, user.entry_id, 1))
    for settings, account in (({}, ""), ({"user.base_dn": "ou=services,dc=example,dc=org"}, ""), ({}, FREERADIUS_DN),
                              ({"user.filter": f"(&(uid=%{{User-Name}})(!(uid={user.uid})))"}, "")):
        with Admin(own, ring, settings=settings, account=account) as admin:
            admin.run("keys", "--remove", "k2", status=1)
            assert admin.ring_path.read_text() == ring.text()
            assert "may go" not in admin.run("rekey", "--dry-run", status=None).out
    user.set(peruserMfaSecret=None)


def test_a_ring_that_nothing_uses_is_not_proved_unused(ring):
    with Slapd() as slapd, Admin(slapd, ring) as admin:
        User(slapd)
        assert "no value" in admin.run("keys", "--remove", "k2", status=1).err
        assert admin.ring_path.read_text() == ring.text()


def test_a_removed_key_stays_in_a_file(own, ring, enrolled):
    with Admin(own, ring) as admin:
        lines = ring.text().splitlines(keepends=True)
        out = admin.run("keys", "--remove", "k2").out
        kept = admin.ring_path.with_name(admin.ring_path.name + ".removed")
        assert str(kept) in out and lines[1] in kept.read_text() and lines[0] not in kept.read_text()
        assert kept.stat().st_mode == admin.ring_path.stat().st_mode
        admin.run("keygen", "--id", "k3", "--last")
        admin.run("keys", "--remove", "k3", "--force")
        assert kept.read_text().count("\nk") == 2
