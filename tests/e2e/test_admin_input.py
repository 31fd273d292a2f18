# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa: what people and other programs hand to it, and what it shows at a terminal."""
import subprocess

import pytest

from lib.admin import Admin
from lib.totp import Device
from lib.user import Enrolled, User

STRANGE = "o'brien (x)*\\é, +=;<>#\""
ASCII = "\x1b]0;title\x07\x1b[2J\r\x7f"
ESCAPES = ASCII + "\u009b31m"
LIMIT = 16 << 20


@pytest.fixture(scope="module")
def admin(slapd, ring):
    with Admin(slapd, ring) as command:
        yield command


@pytest.fixture(scope="module")
def strange(slapd):
    return User(slapd, uid=STRANGE)


def test_a_file_of_users_from_anywhere(admin, slapd, strange):
    """With a byte order mark, line ends of Windows, blank lines, blanks, comments, and a name that is given twice."""
    users = [User(slapd) for _ in range(3)]
    lines = ["\ufeff" + users[0].uid, "", f"  {users[1].uid}\t", "# nobody", users[0].uid, "   ", strange.uid, "nobody",
             users[2].uid]
    file = admin.file("users", "\r\n".join(lines))
    for words in (("--dry-run",), ()):
        done = admin.json("invite", "--users-file", file, *words, status=1)
        assert [row["user"] for row in done[:-1]] == [line.strip("\ufeff \t") for line in lines if line.strip()
                                                      and not line.startswith("#")]
        again = "changed" if words else "unchanged"
        assert [row["outcome"] for row in done[:-1]] == ["changed", "changed", again, "changed", "failed", "changed"]
        assert all(bool(user.get("peruserMfaEnabled")) != bool(words) for user in [*users, strange])
    admin.run("suspend", strange.uid, "--dry-run")


def test_nobody_found_is_said(admin):
    assert "nobody found" in admin.run("invite", "--users", "(uid=no-such-*)", status=1).err
    assert "names no user" in admin.run("invite", "--users-file", admin.file("empty", "\n# nobody\n"), status=1).err


@pytest.mark.parametrize("users,reason", [("(uid=u*", "Bad search filter"), ("/nowhere", "cannot be opened"),
                                          ("/", "cannot be read"), ("uid=u*", "takes a filter")])
def test_wrong_arguments_do_nothing(admin, users, reason):
    option = "--users-file" if users.startswith("/") else "--users"
    done = admin.run("invite", option, users, "--json", status=2)
    assert reason in done.err and not done.out


def test_names_with_every_kind_of_character(admin, slapd, strange):
    equals, device = User(slapd, uid="a=b"), Device()
    row = admin.json("import", "--user", strange.uid, admin.file("uri", device.uri()))[0]
    assert (row["user"], row["outcome"]) == (strange.uid, "changed")
    assert strange.uid in admin.run("list").out and strange.uid in {row["user"] for row in admin.json("list")}
    by_dn, = admin.json("status", row["dn"])
    assert by_dn["dn"] == admin.json("status", strange.uid)[0]["dn"] == row["dn"]
    moved = admin.json("export", strange.uid, stdin="export\nclear\n")
    admin.run("reset", strange.uid)
    admin.run("import", admin.file("back", moved[0]["uri"]))
    assert admin.json("verify", strange.uid, device.settle(15).code())[0]["right"]
    admin.run("status", equals.uid, status=1)   # that is a DN
    assert admin.json("invite", "--yes", "--users", "(uid=a=b)")[0]["outcome"] == "changed"
    assert equals.get("peruserMfaEnabled") == "TRUE"


def test_nothing_in_the_directory_controls_the_terminal(admin, slapd, ring):
    user = Enrolled(slapd, uid=f"evil{ESCAPES}", displayName=ESCAPES,
                    peruserMfaTrustedDevice=f"k1$a 1 {ESCAPES}", peruserMfaLastUse=ESCAPES, peruserMfaFailures=ESCAPES,
                    peruserMfaVoucher=f"{ESCAPES}$a 1", peruserMfaRecoveryCode=f"{ESCAPES}$a")
    user.set(peruserMfaSecret=[ring.seal(f"otpauth://totp/x:{ESCAPES}?secret={user.device.secret}", user.entry_id),
                               f"{{GCM}}{ASCII}$AAAA", ASCII])
    file = admin.file("rows", f"user,secret,device\n{user.dn},{user.device.secret},{ESCAPES}\n{ESCAPES},x,y\n"
                      .replace("\r", ""))
    for words in (("status", user.dn), ("list",), ("report",), ("keys",), ("check", user.dn), ("rekey", "--dry-run"),
                  ("verify", user.dn, "123456"), ("suspend", user.dn), ("resume", user.dn), ("import", "--format", "csv", file),
                  ("invite", "--users-file", admin.file("users", ESCAPES)), ("status", ESCAPES),
                  ("enroll", user.dn, "--no-confirm", "--device", ESCAPES)):
        for more in ((), ("--json",)):
            done = admin.run(*words, *more, status=None)
            for text in (done.out, done.err):
                assert not [c for c in text if c != "\n" and (c < " " or "\x7f" <= c < "\xa0")], words
            assert done.out or done.err
    slapd.connect().delete_s(user.dn)


@pytest.mark.parametrize("content,status,reason", [
    (b"x" * (LIMIT + 1), 2, "too large"),
    (b"x" * LIMIT, 2, "line 1: not a user name"),
    (b"a\0b\n" + b"n" * 300, 2, "line 1: not a user name"),
    (b"\n" * LIMIT, 1, "names no user"),
], ids=["longer", "one line", "no text", "no line"])
def test_files_that_are_too_much(admin, content, status, reason):
    assert reason in admin.run("invite", "--dry-run", "--users-file", admin.file("users", content), status=status).err


def test_arguments_that_are_too_much(admin):
    assert "no such entry" in admin.run("status", "n" * 900, status=1).err
    admin.run("status", "n" * 5000, status=1)
    assert "too long" in admin.run("invite", "--users", f"(uid={'n' * 5000})", status=2).err
    admin.run("verify", "nobody", "1" * 5000, status=1)
    assert "too large" in admin.run("import", admin.file("big", b"x" * (LIMIT + 1)), status=2).err


@pytest.mark.parametrize("make", [lambda user, device: f"user,secret\r\n{user.uid},{device.secret}\r\n",
                                  lambda user, device: device.uri(label=user.uid) + "\r\n"], ids=["csv", "otpauth"])
def test_imported_files_with_a_byte_order_mark(admin, slapd, make):
    user, device = User(slapd), Device()
    admin.run("import", admin.file("rows", "\ufeff" + make(user, device)))
    assert admin.json("verify", user.uid, device.settle(15).code())[0]["right"]


def test_verify_says_when_no_code_is_asked_for(admin, slapd):
    user = Enrolled(slapd, peruserMfaEnabled="FALSE")
    done = admin.run("verify", user.uid, user.device.settle(15).code(), status=1).out
    assert "the code is of device" in done and "no code is asked for: the record is suspended" in done


@pytest.mark.parametrize("words", [("list",), ("status", "{user}"), ("report", "--json"), ("enroll", "--no-confirm", "{user}")])
def test_output_that_cannot_be_written_is_a_failure(admin, slapd, words):
    user = User(slapd)
    with open("/dev/full", "w", encoding="ascii") as full:
        done = subprocess.run(admin.command(*(word.format(user=user.uid) for word in words)), stdin=subprocess.DEVNULL,
                              stdout=full, stderr=subprocess.PIPE, env=admin.environment(), timeout=60, check=False)
    assert done.returncode == 1 and b"the output could not be written" in done.stderr
    assert user.get("peruserMfaSecret") is None


def test_a_name_that_fits_into_no_link_is_said(admin, slapd):
    user = Enrolled(slapd, uid="ü" * 110)
    settings = admin.dir / "admin.conf"
    before = settings.read_text()
    settings.write_text(before + f'issuer = "{"Ü" * 32}"\n')
    try:
        refused = admin.run("export", user.uid, stdin="export\nclear\n", status=1)
    finally:
        settings.write_text(before)
    assert "too long for a link" in refused.err and "otpauth" not in refused.out


def test_an_export_is_on_record_before_it_shows_anything(admin, slapd):
    user = Enrolled(slapd)
    done = subprocess.run(admin.command("export", user.uid), input=b"export\nclear\n", stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=admin.environment(), timeout=60, check=True).stdout.decode()
    assert -1 < done.index("exports secrets in clear") < done.index("otpauth://") < done.index("exported 1 secrets")
