# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa: import, export; the documented edits by hand; manual page and completion."""
import re
import signal
import time

import pytest

from lib import ROOT, pskc
from lib.admin import Admin
from lib.slapd import ADMIN_DN, Slapd, user_dn
from lib.totp import Device
from lib.user import Enrolled, User


@pytest.fixture(scope="module")
def admin(slapd, ring):
    with Admin(slapd, ring) as command:
        yield command


def works(admin, user, device):
    return admin.json("verify", user.uid, device.settle(15).code())[0]["right"]


def test_csv(admin, slapd):
    users, devices = [User(slapd) for _ in range(2)], [Device(), Device(algorithm="SHA256", digits=8, period=60)]
    rows = admin.file("list.csv", "user,department,secret,device,algorithm,digits,period\r\n"
                      f'{users[0].uid},"a, ""b""",{devices[0].secret},phone,,,\r\n'
                      f"{users[1].uid},,{devices[1].secret},,SHA256,8,60\r\n")
    assert "nothing was written" in admin.run("import", "--dry-run", rows).out
    assert users[0].get("peruserMfaSecret") is None
    assert [row.get("outcome") for row in admin.json("import", rows)] == ["changed", "changed", None]
    assert all(works(admin, user, device) for user, device in zip(users, devices))
    assert users[0].get("peruserMfaSecret").startswith("{GCM}k1$")
    again = admin.json("import", rows)
    assert again[-1]["summary"] == {"changed": 0, "unchanged": 2, "refused": 0, "failed": 0}


@pytest.mark.parametrize("line,reason", [
    ("{u},JBSWY3DPEHPK3PXP,6", "80 bits"), ("{u},not!base32,6", "not base32"), ("{u},{s},5", "'digits' must be"),
    ("{u},{s}", "2 fields"), ("{u},{s},6,7", "4 fields"), (",{s},6", "no user"), ('{u},"{s},6', "wrong quotes"),
    ("nobody,{s},6", "no such entry"), ("{u}," + "A" * 2000 + ",6", "too long")])
def test_malformed_rows_are_named_and_the_others_done(admin, slapd, line, reason):
    bad, good = User(slapd), User(slapd)
    secret = Device().secret
    text = f"user,secret,digits\n{good.uid},{Device().secret},6\n" + line.format(u=bad.uid, s=secret) + "\n"
    done = admin.run("import", admin.file("bad.csv", text), "--format", "csv", status=1)
    assert reason in done.err and (reason == "no such entry" or "row 3" in done.err)
    assert good.get("peruserMfaSecret") and not bad.get("peruserMfaSecret")
    assert secret not in done.err


def test_all_or_nothing(admin, slapd):
    good = User(slapd)
    text = f"user,secret\n{good.uid},{Device().secret}\nnobody,{Device().secret}\n"
    done = admin.run("import", "--all-or-nothing", admin.file("all.csv", text), status=1)
    assert "nothing was imported" in done.err and not good.get("peruserMfaSecret")
    admin.run("import", "--all-or-nothing", admin.file("all.csv", text.rsplit("nobody", 1)[0]))
    assert good.get("peruserMfaEnabled") == "TRUE"


def rows_for(users):
    return "user,secret\n" + "".join(f"{user.uid},{Device().secret}\n" for user in users)


def record(slapd, user):
    return {name: values for name, values in slapd.get(user.uid).items() if name.startswith("peruserMfa")}


def test_all_or_nothing_takes_back_what_was_written(admin, slapd):
    """A row fails that looked good: the directory refuses it, or it clashes with a row of the same file."""
    plain, invited, suspended, last = User(slapd), User(slapd), Enrolled(slapd, peruserMfaEnabled="FALSE"), User(slapd)
    users = [plain, invited, suspended, last]
    admin.run("invite", "--voucher", invited.uid)
    before = [record(slapd, user) for user in users]
    text = admin.file("all.csv", rows_for(users))
    for suspend in ([], ["--suspended"]):
        with slapd.access_first(f'to dn.base="{last.dn}" attrs=peruserMfaSecret by * read'):
            done = admin.json("import", "--all-or-nothing", *suspend, text, status=1)
        assert [record(slapd, user) for user in users] == before
        assert done[-1]["summary"]["changed"] == 0
    assert [(row["user"], row["text"]) for row in done[-4:-1]] == [
        (user.uid, "taken back") for user in (suspended, invited, plain)]
    same = "user,secret,device\n" + "".join(f"{plain.uid},{Device().secret},phone\n" for _ in range(2))
    done = admin.run("import", "--all-or-nothing", admin.file("same.csv", same), status=1)
    assert "has a device 'phone' already" in done.err and "taken back" in done.out
    assert record(slapd, plain) == before[0]
    admin.run("import", "--all-or-nothing", "--suspended", text)
    assert all(user.get("peruserMfaSecret") for user in users)


def wait_for(condition):
    end = time.monotonic() + 60
    while not condition() and time.monotonic() < end:
        time.sleep(0.005)
    assert condition()


def test_all_or_nothing_leaves_what_was_changed_since(admin, slapd):
    users = [User(slapd) for _ in range(150)]
    with slapd.access_first(f'to dn.base="{users[-1].dn}" attrs=peruserMfaSecret by * read'):
        process = admin.start("import", "--all-or-nothing", admin.file("many.csv", rows_for(users)))
        wait_for(lambda: users[1].get("peruserMfaSecret"))
        users[0].set(peruserMfaEnabled="FALSE")
        said = process.communicate(timeout=120)[0].decode()
    assert process.returncode == 1
    assert f"{users[0].uid}: refused: not taken back: the record was changed since" in said
    assert "1 changed, 0 unchanged, 1 refused, 1 failed" in said
    assert [bool(user.get("peruserMfaSecret")) for user in users] == [True] + [False] * 149


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_all_or_nothing_interrupted(admin, slapd, number):
    users = [User(slapd) for _ in range(100)]
    process = admin.start("import", "--all-or-nothing", admin.file("many.csv", rows_for(users)))
    wait_for(lambda: users[1].get("peruserMfaSecret"))
    process.send_signal(number)
    said = process.communicate(timeout=120)[0].decode()
    assert process.returncode == 1 and "interrupted" in said and "0 changed" in said
    assert not any(user.get("peruserMfaSecret") or user.get("peruserMfaEnabled") for user in users)


def test_all_or_nothing_when_the_directory_dies(ring):
    with Slapd() as slapd, Admin(slapd, ring) as admin:
        users = [User(slapd) for _ in range(150)]
        file = admin.file("many.csv", rows_for(users))
        process = admin.start("import", "--all-or-nothing", file)
        wait_for(lambda: users[5].get("peruserMfaSecret"))
        slapd.stop()
        said = process.communicate(timeout=120)[0].decode()
        slapd.start()
        assert process.returncode == 3
        left = {user.uid for user in users if user.get("peruserMfaSecret")}
        assert 5 < len(left) < 150
        named = set(re.findall(r"(\w+): failed: not taken back", said))
        assert left <= named, "each that is left is named"
        admin.run("import", "--all-or-nothing", file)
        assert all(len(slapd.get(user.uid, "peruserMfaSecret")) == 1 for user in users)


@pytest.mark.parametrize("name,text", [("header", "name,key\na,b\n"), ("empty", ""), ("xml", "<nonsense"),
                                       ("binary", b"\0\xff\0"), ("pskc", pskc.document())])
def test_files_that_are_nothing(admin, name, text):
    assert admin.run("import", admin.file(name, text), status=1).err
    admin.run("import", "/nowhere", status=2)


def test_otpauth_lines_and_back(admin, slapd):
    user, device = User(slapd), Device(digits=7)
    lines = admin.file("uris", f"# moved\n{device.uri(label=f'Old%20Site:{user.uid}')}\notpauth://hotp/a?secret=b\n")
    done = admin.run("import", "--suspended", lines, status=1)
    assert "row 3" in done.err and user.get("peruserMfaEnabled") is None
    admin.run("resume", user.uid)
    assert works(admin, user, device)
    moved = admin.run("export", user.uid, stdin="export\nclear\n")
    assert f"secret={device.secret}" in moved.out and "audit:" in moved.err and "1 secrets" in moved.err
    admin.run("reset", user.uid)
    admin.run("import", admin.file("back", moved.out))
    assert works(admin, user, device)
    for answers in ("", "yes\n", "export\n", "export\nexport\n"):
        refused = admin.run("export", user.uid, stdin=answers, status=1)
        assert "nothing was exported" in refused.err and not refused.out


@pytest.mark.parametrize("change,reason", [
    ({"secret": "JBSWY3DPEHPK3PXP"}, "16 to 128 bytes"), ({"secret": "not!base32"}, "secret"), ({"secret": None}, "secret"),
    ({"digits": 9}, "digits"), ({"period": 5}, "period"), ({"algorithm": "MD5"}, "algorithm"), ({"label": ""}, "account"),
    ({"label": "%zz"}, "otpauth"), ({"label": "a" * 400}, "otpauth")])
def test_malformed_otpauth_lines_are_named_and_the_others_done(admin, slapd, change, reason):
    good, device = User(slapd), Device()
    text = f"{device.uri(**{'label': 'nobody', **change})}\n\n{device.uri(label=good.uid)}\n"
    done = admin.run("import", admin.file("bad", text), status=1)
    assert "row 1: " in done.err and reason in done.err and device.secret not in done.err
    assert good.get("peruserMfaSecret")


def test_google_authenticator(admin, slapd):
    user, device = User(slapd), Device(period=60)
    text = f'{device.secret}\n" RATE_LIMIT 3 30\n" STEP_SIZE 60\n" TOTP_AUTH\n12345678\n'
    assert "--user" in admin.run("import", admin.file("ga", text), status=1).err
    admin.run("import", "--user", user.uid, admin.file("ga", text))
    assert works(admin, user, device)
    for bad, reason in ((text.replace("TOTP_AUTH", "HOTP_COUNTER 1"), "HOTP"), (text.replace("60", "5"), "STEP_SIZE"),
                        ('JBSWY3DPEHPK3PXP\n" TOTP_AUTH\n', "80 bits")):
        assert reason in admin.run("import", "--user", user.uid, admin.file("bad", bad), status=1).err


@pytest.mark.parametrize("words", [("import", "{file}"), ("require", "--users-file", "{users}", "--from", "+1d")])
def test_killed_in_the_middle_and_run_again(admin, slapd, words):
    users = [User(slapd) for _ in range(60)]
    file = admin.file("many.csv", rows_for(users))
    names = admin.file("many", "".join(f"{user.uid}\n" for user in users))
    command = [word.format(file=file, users=names) for word in words]
    attribute = "peruserMfaSecret" if words[0] == "import" else "peruserMfaRequiredFrom"
    process = admin.start(*command)
    wait_for(lambda: users[5].get(attribute))
    process.kill()
    process.wait()
    process.stdout.close()
    done = [bool(user.get(attribute)) for user in users]
    assert 5 < sum(done) < 60
    if words[0] == "import":
        assert done == [user.get("peruserMfaEnabled") == "TRUE" for user in users], "both or neither"
    admin.run(*command)
    assert all(len(slapd.get(user.uid, attribute)) == 1 for user in users)


def test_edits_by_hand_as_documented(admin, slapd):
    text = (ROOT / "docs/admin.md").read_text()
    edits = re.findall(r"\*\*(\w+)\*\*.*?```ldif\n(.*?)```", text, re.DOTALL)
    assert [name for name, _ in edits] == ["Invite", "Suspend", "Resume", "Reset", "Require", "Unlock"]
    first = User(slapd, uid="user1")
    second = Enrolled(slapd, uid="user2", peruserMfaFailures=f"100 {int(time.time())} {'t' * 22}",
                      peruserMfaRecoveryCode="k1$a")
    assert second.dn == user_dn("user2")

    def state(user):
        return admin.json("status", user.uid)[0]
    expected = {"Invite": (first, "invited"), "Suspend": (second, "suspended"), "Resume": (second, "enrolled"),
                "Reset": (second, "invited"), "Require": (second, "invited"), "Unlock": (second, "invited")}
    for name, ldif in edits:
        slapd.ldapmodify(ldif, ADMIN_DN)
        user, wanted = expected[name]
        assert state(user)["state"] == wanted, name
    assert state(second)["required_from"] == "2026-12-01T00:00:00Z" and not state(second)["failures"]["locked"]


def _options(text):
    return set(re.findall(r"--([a-z][a-z-]+)", text))


def test_manual_page_and_completion_know_every_option(admin):
    page = (ROOT / "docs/man/peruser-mfa.8").read_text()
    completion = (ROOT / "admin/completion/peruser-mfa.bash").read_text()
    commands = re.findall(r"^  (\w+) +[A-Z]", admin.run("--help").out, re.MULTILINE)
    assert len(commands) == 24
    for name in commands:
        shown = set(re.findall(r"^  (?:-\w, |    )--([\w-]+)", admin.run(name, "--help").out.split("options of every")[0],
                               re.MULTILINE))
        section = re.split(r"^\.S[sh] ", page.split(f"\n.Ss {name}")[1], maxsplit=1, flags=re.MULTILINE)[0]
        assert set(re.findall(r"Fl Fl ([\w-]+)", section)) == shown, name
        assert _options(re.search(rf"^\t{name}\) own='(.*?)'", completion, re.MULTILINE)[1]) == shown, name
    common = set(re.findall(r"^  (?:-\w, |    )--([\w-]+)", admin.run("--help").out, re.MULTILINE))
    assert set(re.findall(r"Fl Fl ([\w-]+)", page.split(".Sh SUBCOMMANDS")[0])) == common
    assert _options(re.search(r"local common='(.*?)'", completion)[1]) == common
