# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa: status, list, report, invite, require, suspend, resume, reset, unlock."""
import re
import time

import pytest

from lib import ROOT
from lib.admin import Admin
from lib.ring import Ring, new_recovery_code
from lib.slapd import RADIUS_DN, Slapd
from lib.totp import Device
from lib.user import Enrolled, User

STATES = ("off", "suspended", "enrolled", "invited", "overdue", "broken")


@pytest.fixture(scope="module")
def admin(slapd):
    with Admin(slapd, Ring("k1", "k0")) as command:
        yield command


def generalized(offset_s=0):
    return time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + offset_s))


def in_state(slapd, state):
    """A user in one of the states."""
    secret = Device().secret
    attributes = {
        "off": {},
        "suspended": {"peruserMfaEnabled": "FALSE", "peruserMfaSecret": secret},
        "enrolled": {"peruserMfaEnabled": "TRUE", "peruserMfaSecret": secret},
        "invited": {"peruserMfaEnabled": "TRUE"},
        "overdue": {"peruserMfaRequiredFrom": generalized(-3600)},
        "broken": {"peruserMfaEnabled": "TRUE", "peruserMfaSecret": "short"},
    }[state]
    return User(slapd, **attributes)


@pytest.mark.parametrize("state", STATES)
def test_status_names_the_state(admin, slapd, state):
    user = in_state(slapd, state)
    row, = admin.json("status", user.uid)
    assert row["user"] == user.uid and row["dn"] == user.dn and row["state"] == state
    assert f"state:        {state}: " in admin.run("status", user.uid).out


def test_status_tells_everything_but_secrets(admin, slapd):
    user = Enrolled(slapd)
    sealed = admin.ring.seal(user.device.uri(label="my%20phone", added=1700000000), user.entry_id)
    now = int(time.time())
    user.set(peruserMfaSecret=sealed, peruserMfaLastUse=f"{now // 30 + 2} {now} {'n' * 16}",
             peruserMfaFailures=f"7 {now} {'t' * 22}",
             peruserMfaRecoveryCode=[admin.ring.recovery(new_recovery_code(), user.entry_id) for _ in range(3)],
             peruserMfaTrustedDevice=f"k1$abc {now + 86400} AA-BB", peruserMfaRequiredFrom="20200101000000Z")
    row, = admin.json("status", user.uid)
    assert row["devices"] == [{"key_id": "k1", "readable": True, "name": "my phone", "algorithm": "SHA1", "digits": 6,
                               "period_s": 30, "added": "2023-11-14T22:13:20Z"}]
    assert row["since"] == "2023-11-14T22:13:20Z" and row["required_from"] == "2020-01-01T00:00:00Z"
    assert row["last_use"]["drift_steps"] == 2
    assert row["failures"]["count"] == 7 and row["failures"]["locked"] and 0 < row["failures"]["locked_s"] <= 120
    assert row["recovery_codes"] == 3 and row["trusted_devices"] == 1
    text = admin.run("status", user.uid).out
    for part in ("'my phone', SHA1, 6 digits, 30 s", "sealed with k1", "clock off by +2 steps", "7 in a row",
                 "3 codes left", "from 2020-01-01T00:00:00Z", "'AA-BB' until"):
        assert part in text
    assert user.device.secret not in text + str(row)


def test_status_takes_a_dn_and_refuses_a_stranger(admin, slapd):
    user = User(slapd)
    assert admin.json("status", user.dn)[0]["state"] == "off"
    assert "no such entry" in admin.run("status", "nobody", status=1).err
    assert "no such entry" in admin.run("status", "*", status=1).err


def test_list_and_filters(admin, slapd):
    users = {state: in_state(slapd, state).uid for state in STATES}
    rows = {row["user"]: row for row in admin.json("list")}
    assert {state: rows[uid]["state"] for state, uid in users.items()} == {state: state for state in STATES}
    for state, uid in users.items():
        listed = admin.json("list", "--state", state)
        assert uid in [row["user"] for row in listed] and {row["state"] for row in listed} == {state}
        text = admin.run("list", "--state", state).out
        assert uid in text and not any(other in text for other in users.values() if other != uid)
    assert users["overdue"] in [row["user"] for row in admin.json("list", "--required")]
    assert users["enrolled"] not in [row["user"] for row in admin.json("list", "--required")]
    assert "must be one of" in admin.run("list", "--state", "on", status=2).err


def test_list_stale_and_locked(admin, slapd):
    now = int(time.time())
    fresh, old, never = Enrolled(slapd), Enrolled(slapd), Enrolled(slapd)
    fresh.set(peruserMfaLastUse=f"{now // 30} {now} {'n' * 16}", peruserMfaFailures=f"100 {now} {'t' * 22}")
    past = now - 100 * 86400
    old.set(peruserMfaLastUse=f"{past // 30} {past} {'n' * 16}")
    stale = [row["user"] for row in admin.json("list", "--stale", "90")]
    assert old.uid in stale and never.uid in stale and fresh.uid not in stale
    locked = {row["user"]: row for row in admin.json("list", "--locked")}
    assert locked[fresh.uid]["failures"] == {"count": 100, "last": locked[fresh.uid]["failures"]["last"],
                                             "locked": True, "locked_s": None}
    assert old.uid not in locked


def test_report_counts(admin, slapd):
    before, = admin.json("report")
    for state in STATES:
        in_state(slapd, state)
    user = Enrolled(slapd)
    now = int(time.time())
    user.set(peruserMfaSecret=admin.ring.seal(user.device.secret, user.entry_id, key=1),
             peruserMfaLastUse=f"{now // 30 - 1} {now} {'n' * 16}", peruserMfaFailures=f"100 {now} {'t' * 22}",
             peruserMfaRecoveryCode=admin.ring.recovery(new_recovery_code(), user.entry_id))
    after, = admin.json("report")
    assert after["users"] == before["users"] + 7
    assert {state: after["states"][state] - before["states"][state] for state in STATES} == \
        {**dict.fromkeys(STATES, 1), "enrolled": 2}
    assert after["drift_steps"]["-1"] == before["drift_steps"]["-1"] + 1
    assert after["locked_until_unlocked"] == before["locked_until_unlocked"] + 1
    assert after["never_used"] == before["never_used"] + 3
    assert after["unsealed_secrets"] == before["unsealed_secrets"] + 3
    keys = {key["id"]: key for key in after["keys"]}
    assert keys["k1"]["role"] == "seals" and keys["k0"]["role"] == "opens" and keys["k0"]["secrets"] >= 1
    text = admin.run("report").out
    assert "enrolled" in text and "time steps" in text and "k0" in text


def test_invite(admin, slapd):
    user = User(slapd)
    assert admin.json("invite", "--dry-run", user.uid)[0]["outcome"] == "changed"
    assert user.get("peruserMfaEnabled") is None
    assert admin.run("invite", user.uid).out == \
        f"{user.uid}: invited: every login is refused until a device is enrolled\n"
    assert user.get("peruserMfaEnabled") == "TRUE"
    assert admin.json("invite", user.uid)[0]["outcome"] == "unchanged"


def test_invite_with_voucher(admin, slapd):
    user = User(slapd)
    row, = admin.json("invite", "--voucher", "--valid", "2", user.uid)
    stored = user.get("peruserMfaVoucher")
    assert stored.startswith("k1$") and row["voucher"] not in stored
    assert abs(int(stored.split()[1]) - time.time() - 7200) < 60
    text = admin.run("invite", "--voucher", user.uid).out
    assert "voucher" in text and user.get("peruserMfaVoucher") != stored


def test_invite_leaves_devices_alone(admin, slapd):
    enrolled, suspended = in_state(slapd, "enrolled"), in_state(slapd, "suspended")
    assert admin.json("invite", enrolled.uid)[0]["outcome"] == "unchanged"
    done = admin.run("invite", suspended.uid, status=1)
    assert "resume" in done.err
    assert suspended.get("peruserMfaEnabled") == "FALSE"


def test_require_now_later_always_and_no_more(admin, slapd):
    user = User(slapd)
    admin.run("require", user.uid, "--from", "2031-02-03T04:05:06+01:00")
    assert user.get("peruserMfaRequiredFrom") == "20310203030506.0Z"
    assert admin.json("require", user.uid)[0]["outcome"] == "changed"
    assert abs(time.time() - _seconds(user.get("peruserMfaRequiredFrom"))) < 60
    assert admin.json("require", user.uid)[0]["outcome"] == "unchanged"
    admin.run("require", user.uid, "--until-removed")
    assert user.get("peruserMfaRequiredFrom") == "19700101000000.0Z"
    assert "until that is removed" in admin.run("status", user.uid).out
    admin.run("require", user.uid, "--remove")
    assert user.get("peruserMfaRequiredFrom") is None
    admin.run("require", user.uid, "--from", "tomorrow", status=2)
    admin.run("require", user.uid, "--from", "+1d", "--remove", status=2)


def _seconds(text):
    import calendar
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%S.0Z"))


def test_suspend_and_resume(admin, slapd):
    user = in_state(slapd, "enrolled")
    assert "suspended" in admin.run("suspend", user.uid).out
    assert user.get("peruserMfaEnabled") == "FALSE"
    assert admin.json("suspend", user.uid)[0]["outcome"] == "unchanged"
    assert "resumed" in admin.run("resume", user.uid).out
    assert user.get("peruserMfaEnabled") == "TRUE"
    assert "no device" in admin.run("resume", in_state(slapd, "off").uid, status=1).err


def test_suspend_does_not_beat_a_requirement(admin, slapd):
    user = in_state(slapd, "enrolled").set(peruserMfaRequiredFrom=generalized(-60))
    assert "require --remove" in admin.run("suspend", user.uid, status=1).err
    assert user.get("peruserMfaEnabled") == "TRUE"
    user.set(peruserMfaRequiredFrom=generalized(86400))
    admin.run("suspend", user.uid)


def test_suspend_withdraws_an_invitation(admin, slapd):
    user = User(slapd)
    admin.run("invite", "--voucher", user.uid)
    assert "withdrawn" in admin.run("suspend", user.uid).out
    assert user.get("peruserMfaEnabled") == "FALSE" and user.get("peruserMfaVoucher") is None


def test_reset_forgets_the_phone(admin, slapd):
    user = in_state(slapd, "enrolled").set(
        peruserMfaFailures=f"7 1700000000 {'t' * 22}", peruserMfaRecoveryCode=["k1$a", "k1$b"],
        peruserMfaTrustedDevice="k1$a 1 x", peruserMfaLastUse=f"56666666 1700000000 {'n' * 16}")
    admin.run("reset", "--dry-run", user.uid)
    assert user.get("peruserMfaSecret")
    assert "1 device forgotten" in admin.run("reset", user.uid).out
    left = {name for name in slapd.get(user.uid) if name.startswith("peruserMfa")}
    assert left == {"peruserMfaEnabled", "peruserMfaLastUse"}
    assert admin.json("status", user.uid)[0]["state"] == "invited"
    assert admin.json("reset", user.uid)[0]["outcome"] == "unchanged"


def test_reset_mends_a_broken_record(admin, slapd):
    user = in_state(slapd, "broken").set(peruserMfaLastUse="nonsense",
                                         peruserMfaSecret=[f"broken{i}" for i in range(40)])
    admin.run("reset", user.uid)
    assert admin.json("status", user.uid)[0]["state"] == "invited"
    assert user.get("peruserMfaLastUse") is None


def test_unlock(admin, slapd):
    user = in_state(slapd, "enrolled").set(peruserMfaFailures=f"100 {int(time.time())} {'t' * 22}")
    assert admin.json("status", user.uid)[0]["failures"]["locked"]
    assert "unlocked" in admin.run("unlock", user.uid).out
    assert user.get("peruserMfaFailures") is None
    assert admin.json("unlock", user.uid)[0]["outcome"] == "unchanged"


def test_users_from_a_file(admin, slapd):
    users = [User(slapd) for _ in range(3)]
    listed = admin.file("users", f"# the first\n{users[0].uid}\r\n\n  {users[1].uid}\nnobody\n{users[2].dn}\n")
    rows = admin.json("invite", "--users-file", listed, status=1)
    assert [row["outcome"] for row in rows[:-1]] == ["changed", "changed", "failed", "changed"]
    assert rows[-1] == {"summary": {"changed": 3, "unchanged": 0, "refused": 0, "failed": 1}}
    assert all(user.get("peruserMfaEnabled") == "TRUE" for user in users)
    assert "3 unchanged" in admin.run("invite", "--users-file", listed, status=1).out


def test_users_by_a_filter(admin, slapd):
    mark = f"group{time.monotonic_ns()}"
    users = [User(slapd, description=mark) for _ in range(5)]
    rows = admin.json("require", "--yes", "--users", f"(description={mark})", "--from", "2031-01-01")
    assert len(rows) == 6 and all(user.get("peruserMfaRequiredFrom") for user in users)
    assert admin.run("require", "--users", "(description=", status=2)


def test_an_account_without_rights_changes_nothing(admin, slapd):
    user = User(slapd)
    password = admin.file("other", slapd.passwords[RADIUS_DN])
    done = admin.run("-D", RADIUS_DN, "-y", password, "invite", user.uid, status=1)
    assert "peruserMfaEnabled" in done.err and "Insufficient access" in done.err
    assert user.get("peruserMfaEnabled") is None


def test_ways_to_bind(slapd, ring):
    with Admin(slapd, ring, account=None) as admin:
        user = User(slapd)
        assert "no account" in admin.run("status", user.uid, status=2).err
        dn = next(dn for dn in slapd.passwords if "cn=admin" in dn)
        secret = slapd.passwords[dn]
        assert admin.json("-W", "-D", dn, "status", user.uid, stdin=secret + "\n")[0]["state"] == "off"
        password = admin.file("pw", secret)
        admin.run("-xZZ", "-D", dn, "-y", password, "status", user.uid)
        admin.run("status", user.uid, "-D", dn, "-y", password, "-H", slapd.ldaps_uri)
        done = admin.run("-Y", "EXTERNAL", "-H", slapd.ldapi_uri, "status", user.uid, status=1)
        assert "'SASL EXTERNAL' may not read 'peruserMfaEnabled' of this entry" in done.err
        admin.run("-Y", "GSSAPI", "status", user.uid, status=2)
        readable = admin.file("readable", secret, 0o644)
        assert "others can read" in admin.run("-D", dn, "-y", readable, "status", user.uid).err
        wrong = admin.file("wrong", "wrong")
        assert "Invalid credentials" in admin.run("-D", dn, "-y", wrong, "status", user.uid, status=1).err


def test_directory_unavailable(admin):
    assert "cannot connect" in admin.run("-H", "ldap://127.0.0.1:1", "status", "user1", status=3).err


def test_usage(admin):
    assert "subcommands:" in admin.run("--help").out
    for words in ([], ["frobnicate"], ["status"], ["status", "a", "b"], ["invite"], ["list", "--nonsense"],
                  ["list", "--stale", "0"], ["list", "--stale", "x"], ["list", "--stale"], ["list", "--json=yes"],
                  ["-H"], ["status", "a", "-Q"], ["-H", "a", "-H", "b", "list"]):
        assert admin.run(*words, status=2).err
    assert "usage: peruser-mfa status" in admin.run("status", "--help").out


def documented(command):
    """The fields of each kind of object that docs/admin.md names for a subcommand, as sets of names."""
    table = (ROOT / "docs/admin.md").read_text().split("## JSON")[1]
    cells = next(row.split("|")[2] for row in table.splitlines()
                 if row.startswith("| `") and f"`{command}`" in row.split("|")[1])
    return [set(re.sub(r"\[\]|\{.*?\}", "", span).split()) for span in re.findall(r"`([^`]+)`", cells)]


def test_json_is_as_documented():
    with Slapd() as slapd, Admin(slapd) as admin:
        user, other = Enrolled(slapd), User(slapd)
        code = user.device.wrong()
        for words, kinds in ((("status", user.uid), 1), (("list",), 1), (("report",), 1), (("verify", user.uid, code), 1),
                             (("keys", "--ring-only"), 1), (("keygen", "--dry-run"), 1), (("check",), 1),
                             (("suspend", user.uid), 1), (("unlock", user.uid), 1)):
            rows = admin.json(*words, status=None)
            assert rows and all(set(row) == documented(words[0])[0] for row in rows), words
        edit = documented("invite")[0]
        assert {"user", "dn", "outcome", "dry_run", "text"} == edit
        voucher, summary = admin.json("invite", "--voucher", "--users-file", admin.file("u", other.uid))
        assert set(voucher) == edit | {"voucher", "voucher_until"} and set(summary) == {"summary"}
        assert set(summary["summary"]) == {"changed", "unchanged", "refused", "failed"}
        admin.run("resume", user.uid)
        assert set(admin.json("recovery", user.uid)[0]) == edit | {"recovery_codes"}
        assert set(admin.json("import", admin.file("c", "user,secret\nx\n"), status=1)[0]) == edit | {"row"}
        moved, = admin.json("export", user.uid, stdin="export\nclear\n")
        assert set(moved) == documented("export")[0]
        shown, row = admin.json("enroll", "--no-confirm", other.uid)
        assert set(shown) == {"user", "uri", "key"} and set(row) == edit
        assert set(admin.json("rekey")[-1]) == {"keys", "unsealed_secrets"}
        device, = admin.json("status", other.uid)[0]["devices"]
        assert set(device) == documented("status")[1] - {"problem"}
