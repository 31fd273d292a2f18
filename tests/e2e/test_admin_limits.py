# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa in a directory that gives an account only so many entries, or that takes no changes."""
import uuid

import ldap
import pytest

from lib.admin import Admin
from lib.ring import Ring
from lib.slapd import DATABASE_DN, Slapd, person
from lib.totp import new_secret

USERS = 620   # more than slapd's own limit of 500


def users(ring, count):
    """Half of the names begin with the same letters, so that a slice by one letter is too large as well."""
    for number in range(count):
        entry_id = str(uuid.uuid4())
        name = f"staff{number}" if number % 2 else f"{chr(97 + number % 26)}x{number}"
        dn, attributes = person(name, "x", clear=True, entryUUID=entry_id)
        attributes["objectClass"] = [*attributes["objectClass"], "peruserMfaUser"]
        attributes["peruserMfaEnabled"] = "TRUE"
        attributes["peruserMfaSecret"] = ring.seal(new_secret(), entry_id)
        yield dn, attributes


@pytest.fixture(scope="module")
def ring():
    return Ring("k1")


@pytest.fixture(scope="module")
def large(ring):
    with Slapd(users(ring, USERS)) as server:
        yield server


@pytest.fixture
def limited(large):
    """Without the limits that our schema pack gives to the administrators."""
    with large.connect_config() as config:
        before = config.read_s(DATABASE_DN, attrlist=["olcLimits"])["olcLimits"]
        config.modify_s(DATABASE_DN, [(ldap.MOD_DELETE, "olcLimits", None)])
        yield large
        config.modify_s(DATABASE_DN, [(ldap.MOD_ADD, "olcLimits", before)])


def by_key(slapd):
    with slapd.connect() as root:
        found = root.search_s("ou=people,dc=example,dc=org", ldap.SCOPE_SUBTREE, "(peruserMfaSecret=*)",
                              ["peruserMfaSecret"])
    return sum(values["peruserMfaSecret"][0].startswith(b"{GCM}k2$") for _, values in found)


def test_the_schema_pack_gives_the_limits(large, ring):
    with Admin(large, ring, build="release") as admin:
        assert len(admin.json("list")) == USERS
        assert admin.json("report")[0]["users"] == USERS
        assert admin.json("keys")[0]["keys"][0]["secrets"] == USERS
        assert "limits" not in admin.run("check", status=None).out


def test_a_part_is_never_the_whole(limited, ring):
    with Admin(limited, ring, build="release") as admin:
        for words in (("list",), ("report",), ("keys",), ("keys", "remove", "k1"),
                      ("require", "--yes", "--users", "(objectClass=*)")):
            done = admin.run(*words, status=1)
            assert "this is a part" in done.err and "olcLimits" in done.err, done
            assert f"{USERS} users" not in done.out
        assert not any("peruserMfaRequiredFrom" in entry for _, entry in limited.connect().search_s(
            "ou=people,dc=example,dc=org", ldap.SCOPE_SUBTREE, "(peruserMfaRequiredFrom=*)"))
        assert "wrong    limits" in admin.run("check", status=1).out


def test_rekey_gets_through_whatever_the_limit(limited, ring):
    with Admin(limited, ring.with_new_key("k2"), build="release") as admin:
        done = admin.run("rekey", status=1)
        assert "olcLimits" in done.err and "may go" not in done.out
        assert by_key(limited) == USERS
        assert f"{USERS} changed" in done.out


def test_rekey_stops_when_the_directory_takes_nothing(ring):
    with Slapd(users(ring, 60)) as slapd, Admin(slapd, ring.with_new_key("k2"), build="release") as admin:
        with slapd.connect_config() as config:
            config.modify_s(DATABASE_DN, [(ldap.MOD_REPLACE, "olcReadOnly", b"TRUE")])
        done = admin.run("rekey", status=1)
        assert done.err.count("failed:") == 20 and done.err.count("stopped:") == 1, done
        with slapd.connect_config() as config:
            config.modify_s(DATABASE_DN, [(ldap.MOD_REPLACE, "olcReadOnly", b"FALSE")])
        assert "60 changed" in admin.run("rekey").out
