# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa: keygen, keys, rekey."""
import os
import signal
import stat
import threading
import time

import ldap
import pytest

from lib.admin import Admin
from lib.process import wait_until
from lib.radius_server import FreeRadius
from lib.ring import Ring, new_recovery_code
from lib.slapd import ADMIN_DN, Slapd, person
from lib.totp import Device
from lib.user import Enrolled

KILLED_USERS = int(os.environ.get("ADMIN_REKEY_USERS", "600"))


@pytest.fixture
def admin(slapd):
    with Admin(slapd, Ring("k1")) as command:
        yield command


@pytest.fixture
def own_slapd():
    """A directory in which a test may count values."""
    with Slapd() as server:
        yield server


def ids(path):
    return [line.split()[0] for line in path.read_text().splitlines() if line and not line.startswith("#")]


def test_keygen_puts_a_key_on_top(admin):
    admin.ring_path.write_text("# our keys\n" + admin.ring.text().rstrip("\n"))
    admin.ring_path.chmod(0o600)
    old = admin.ring_path.open()   # kept open, so that its number is not given to a new file
    old_inode = os.fstat(old.fileno()).st_ino
    assert "dry run" in admin.run("keygen", "--dry-run").out and ids(admin.ring_path) == ["k1"]
    admin.run("keygen", "--id", "k2")
    row, = admin.json("keygen")
    today = time.strftime("k%Y%m%d", time.gmtime())
    assert row["key"] == today and row["role"] == "seals"
    admin.run("keygen", "--last")
    assert ids(admin.ring_path) == [today, "k2", "k1", f"{today}-2"]
    assert admin.ring_path.read_text().startswith("# our keys\n")
    assert stat.S_IMODE(admin.ring_path.stat().st_mode) == 0o600 and admin.ring_path.stat().st_ino != old_inode
    old.close()
    assert not [name for name in os.listdir(admin.dir) if name.startswith("ring.")]


def test_keygen_keeps_the_owner(admin):
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(admin.ring_path, 1, 2)
    admin.run("keygen")
    assert (admin.ring_path.stat().st_uid, admin.ring_path.stat().st_gid) == (1, 2)


def test_keygen_begins_a_ring(admin):
    admin.ring_path.unlink()
    done = admin.run("keygen")
    assert "is new" in done.err and stat.S_IMODE(admin.ring_path.stat().st_mode) == 0o640
    assert len(ids(admin.ring_path)) == 1


@pytest.mark.parametrize("words", [("--id", "k1"), ("--id", "a b"), ("--id", "x" * 33), ("--id", ""),
                                   ("--id", "é")])
def test_keygen_refuses(admin, words):
    before = admin.ring_path.read_text()
    admin.run("keygen", *words, status=1 if "k1" in words else 2)
    assert admin.ring_path.read_text() == before


def test_keygen_refuses_a_full_ring_and_a_link(admin):
    for _ in range(15):
        admin.run("keygen")
    admin.run("keygen", status=1)
    assert len(ids(admin.ring_path)) == 16
    moved = admin.dir / "elsewhere"
    admin.ring_path.rename(moved)
    admin.ring_path.symlink_to(moved)
    admin.run("keygen", status=1)


def test_keygen_in_parallel_loses_no_key(admin):
    runs = [admin.start("keygen", "--id", f"p{n}") for n in range(8)]
    assert [run.wait() for run in runs] == [0] * 8
    for run in runs:
        run.stdout.close()
    assert sorted(ids(admin.ring_path)) == sorted([f"p{n}" for n in range(8)] + ["k1"])


def test_keys_counts_what_needs_each(own_slapd):
    ring = Ring("k2", "k1")
    with Admin(own_slapd, ring) as admin:
        user = Enrolled(own_slapd)
        user.set(peruserMfaSecret=[ring.seal(Device().secret, user.entry_id), ring.seal(Device().secret, user.entry_id, 1),
                                   Device().secret],
                 peruserMfaRecoveryCode=[ring.recovery(new_recovery_code(), user.entry_id), "k1$x", "gone$y"],
                 peruserMfaVoucher="k1$z 1", peruserMfaTrustedDevice=["k1$a 1 x", "odd"])
        row, = admin.json("keys")
        assert row["keys"] == [
            {"id": "k2", "role": "seals", "secrets": 1, "recovery_codes": 1, "vouchers": 0, "trusted_devices": 0},
            {"id": "k1", "role": "opens", "secrets": 1, "recovery_codes": 1, "vouchers": 1, "trusted_devices": 1},
            {"id": "gone", "role": "missing", "secrets": 0, "recovery_codes": 1, "vouchers": 0, "trusted_devices": 0}]
        assert row["unsealed_secrets"] == 1 and row["unknown_values"] == 1
        assert "missing" in admin.run("keys").out
        assert "4 values need key 'k1'" in admin.run("keys", "--remove", "k1", status=1).err
        assert ids(admin.ring_path) == ["k2", "k1"]
        admin.run("keys", "--first", "k1")
        assert ids(admin.ring_path) == ["k1", "k2"]
        admin.run("keys", "--remove", "k2", "--force")
        assert ids(admin.ring_path) == ["k1"]
        admin.run("keys", "--remove", "k1", "--force", status=1)
        admin.run("keys", "--remove", "k9", status=1)
        admin.run("keys", "--remove", "k1", "--first", "k1", status=2)
        assert admin.json("keys", "--ring-only")[0]["keys"][0]["id"] == "k1"


def test_rekey_seals_everything_again(own_slapd):
    ring = Ring("k1")
    users = [Enrolled(own_slapd) for _ in range(3)]
    for user in users[:2]:
        user.set(peruserMfaSecret=[ring.seal(user.device.uri(label="phone"), user.entry_id), Device().secret])
    lost = Enrolled(own_slapd).set(peruserMfaSecret="{GCM}lost$AAAA")
    new = ring.with_new_key("k2")
    with Admin(own_slapd, new) as admin:
        before = {user.uid: own_slapd.get(user.uid, "peruserMfaSecret") for user in users}
        admin.run("rekey", "--dry-run", status=1)
        assert {user.uid: own_slapd.get(user.uid, "peruserMfaSecret") for user in users} == before
        rows = admin.json("rekey", "--progress", status=1)
        assert [row["user"] for row in rows if row.get("outcome") == "refused"].count(lost.uid) == 1
        keys = {key["id"]: key["secrets"] for key in rows[-1]["keys"]}
        assert keys["k1"] == 0 and keys["lost"] == 1 and rows[-1]["unsealed_secrets"] == 0
        for user in users:
            assert all(value.startswith("{GCM}k2$") for value in own_slapd.get(user.uid, "peruserMfaSecret"))
            answer, = admin.json("verify", user.uid, user.device.settle().code())
            assert answer["right"]
        lost.set(peruserMfaSecret=None)
        again = admin.json("rekey")
        assert again[0]["summary"]["changed"] == 0
        assert "key 'k1' may go" in admin.run("rekey").out


def _load(slapd, ring, count):
    """Many users with a sealed secret each, quickly; returns how to check one."""
    with slapd.connect(ADMIN_DN) as connection, slapd.connect() as root:
        for n in range(count):
            dn, attributes = person(f"load{n}", "x")
            attributes["objectClass"] = attributes["objectClass"] + ["peruserMfaUser"]
            root.add_s(dn, ldap.modlist.addModlist({name: [v.encode() for v in (values if isinstance(values, list)
                                                           else [values])] for name, values in attributes.items()}))
            entry_id = connection.read_s(dn, attrlist=["entryUUID"])["entryUUID"][0].decode()
            root.modify_s(dn, [(ldap.MOD_ADD, "peruserMfaEnabled", b"TRUE"),
                               (ldap.MOD_ADD, "peruserMfaSecret", ring.seal(Device().secret, entry_id).encode())])


def test_rekey_killed_and_run_again():
    ring = Ring("k1")
    with Slapd() as slapd, Admin(slapd, ring.with_new_key("k2"), build="release") as admin:
        _load(slapd, ring, KILLED_USERS)
        for part in (1, 2, 3):
            process = admin.start("rekey")
            wait_until(lambda: _by_key(slapd).get("k2", 0) >= part * KILLED_USERS // 8, 60, "some are sealed again")
            process.send_signal(signal.SIGKILL)
            process.wait()
            process.stdout.close()
            counts = _by_key(slapd)
            assert sum(counts.values()) == KILLED_USERS, "each user has one secret, old or new"
            assert counts["k2"] < KILLED_USERS, "the kill came too late: make ADMIN_REKEY_USERS larger"
        rows = admin.json("rekey")
        assert _by_key(slapd) == {"k2": KILLED_USERS}
        assert rows[0]["summary"]["failed"] == 0
        assert admin.json("report")[0]["states"]["enrolled"] == KILLED_USERS


def _by_key(slapd):
    with slapd.connect() as root:
        found = root.search_s("ou=people,dc=example,dc=org", ldap.SCOPE_SUBTREE, "(peruserMfaSecret=*)",
                              ["peruserMfaSecret"])
    counts = {}
    for _, attributes in found:
        value, = attributes["peruserMfaSecret"]
        key = value.decode().partition("}")[2].partition("$")[0]
        counts[key] = counts.get(key, 0) + 1
    return counts


def test_rekey_while_people_log_in(own_slapd):
    """Not one login fails while everything is sealed again and again."""
    ring = Ring("k1", "k2", "k3")
    users = [Enrolled(own_slapd) for _ in range(6)]
    for user in users:
        user.set(peruserMfaSecret=ring.seal(user.device.secret, user.entry_id))
    with FreeRadius(own_slapd, ring=ring) as radius, Admin(own_slapd, ring) as admin:
        stop, replies = threading.Event(), []

        def log_in(user):
            with radius.client() as nas:
                for offset in (-1, 0, 1):
                    replies.append(user.login(nas, offset))
                    time.sleep(0.2)
                while not stop.is_set():
                    replies.append(user.start(nas))
                    time.sleep(0.1)
        users[0].device.settle(15)
        threads = [threading.Thread(target=log_in, args=(user,)) for user in users]
        for thread in threads:
            thread.start()
        changed = 0
        for first in ("k3", "k2", "k1", "k3", "k2", "k1"):
            admin.run("keys", "--first", first)
            changed += admin.json("rekey", status=None)[0]["summary"]["changed"]
        stop.set()
        for thread in threads:
            thread.join()
    assert changed >= 6 * len(users) - 6
    refused = [reply for reply in replies if not (reply.accepted or reply.challenged)]
    assert not refused and sum(reply.accepted for reply in replies) == 3 * len(users)
