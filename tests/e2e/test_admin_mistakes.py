# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa: nothing is lost or changed by mistake - wrong arguments, lost output, signals, key ring files."""
import os
import re
import signal
import stat
import subprocess
import termios

import pytest

from lib.admin import Admin, Terminal
from lib.process import wait_until
from lib.ring import Ring
from lib.slapd import PEOPLE, Slapd
from lib.user import Enrolled, User

ENDING = [signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM]
GROUP = "cn=sales,ou=groups,dc=example,dc=org"


@pytest.fixture(scope="module")
def own():
    with Slapd() as server:
        yield server


@pytest.fixture
def admin(own):
    with Admin(own, Ring("k1"), build="release") as command:
        yield command


def run_with(admin, words, **options):
    return subprocess.run(admin.command(*words), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60,
                          env=admin.environment(), check=False, **options)


@pytest.mark.parametrize("wrong", [("--from", "2026-12-01"), ("--users-file", "/nowhere"), ("--users", "(broken"),
                                   ("--users", "uid=x"), ("--group", "cn=nobody,dc=example,dc=org"), ("--no-such",)])
def test_wrong_arguments_change_nobody(own, admin, wrong):
    user = Enrolled(own)
    before = own.get(user.uid)
    for command in ("reset", "suspend"):
        done = admin.run(command, user.uid, *wrong, stdin="yes\n", status=None)
        assert done.status in (1, 2) and done.err and own.get(user.uid) == before


def test_a_bad_line_in_a_file_changes_nobody(own, admin):
    user = Enrolled(own)
    listed = admin.file("listed", f"{user.uid}\n{'n' * 300}\n")
    assert "line 2" in admin.run("reset", "--users-file", listed, status=2).err
    assert user.get("peruserMfaSecret")


def test_many_are_changed_after_a_yes(own, admin):
    mark = f"mark{os.urandom(4).hex()}"
    users = [Enrolled(own, description=mark) for _ in range(3)]
    for command in ("reset", "suspend", "require", "invite"):
        for answer in ("", "no\n", "\n"):
            err = admin.run(command, "--users", f"(description={mark})", stdin=answer, status=1).err
            assert f"{command} 3 users?" in err and "nothing was changed" in err
    assert all(user.get("peruserMfaSecret") for user in users)
    assert "dry run" in admin.run("reset", "--users", f"(description={mark})", "--dry-run").out
    assert "3 changed" in admin.run("suspend", "--users", f"(description={mark})", stdin="yes\n").out
    assert "3 changed" in admin.run("reset", "--users", f"(description={mark})", "--yes").out


@pytest.mark.parametrize("kind,attribute", [("groupOfNames", "member"), ("groupOfUniqueNames", "uniqueMember"),
                                            ("posixGroup", "memberUid")])
def test_users_of_a_group(own, admin, kind, attribute):
    users = [User(own) for _ in range(3)]
    values = [user.uid if attribute == "memberUid" else user.dn for user in users]
    with own.connect() as root:
        try:
            own.add_users((GROUP, {"objectClass": kind, "cn": "sales", attribute: values}
                           | ({"gidNumber": "7"} if kind == "posixGroup" else {})))
        except Exception as error:  # a schema that this server was not given
            pytest.skip(str(error))
        try:
            assert "3 changed" in admin.run("require", "--group", GROUP, "--yes").out
            assert {row["user"] for row in admin.json("list", "--group", GROUP)} == set(values)
            assert admin.json("report", "--group", GROUP)[0]["users"] == 3
        finally:
            root.delete_s(GROUP)
    assert all(user.get("peruserMfaRequiredFrom") for user in users)


def test_a_group_of_nobody_is_an_error(admin):
    assert "no such group" in admin.run("require", "--group", "cn=nobody,dc=example,dc=org", status=1).err
    assert "nobody is in this group" in admin.run("list", "--group", PEOPLE, status=1).err


# ---- output

@pytest.mark.parametrize("more", [(), ("--json",)])
def test_codes_that_cannot_be_shown_are_not_made(own, admin, more):
    user, other = Enrolled(own, peruserMfaRecoveryCode="k1$AAAA"), User(own)
    with open("/dev/full", "wb") as full:
        for words in (("recovery", user.uid), ("invite", "--voucher", other.uid)):
            done = run_with(admin, [*words, *more], stdout=full)
            assert done.returncode == 1 and b"could not be written" in done.stderr
    assert user.get("peruserMfaRecoveryCode") == "k1$AAAA" and other.get("peruserMfaVoucher") is None


def test_a_closed_pipe_stops_the_run(own, admin):
    users = [User(own) for _ in range(30)]
    listed = admin.file("listed", "".join(f"{user.uid}\n" for user in users))
    process = subprocess.Popen(admin.command("invite", "--voucher", "--users-file", listed), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=admin.environment())
    seen = process.stdout.readline() + process.stdout.readline()
    process.stdout.close()
    process.stderr.read()
    assert process.wait() == 1 and seen
    made = sum(bool(user.get("peruserMfaVoucher")) for user in users)
    assert made < len(users), "the run went on although nobody read it"


@pytest.mark.parametrize("sent", ENDING)
def test_what_is_in_the_directory_was_shown(own, admin, sent):
    users = [User(own) for _ in range(60)]
    listed = admin.file("listed", "".join(f"{user.uid}\n" for user in users))
    out = admin.dir / "out"
    with out.open("wb") as target:
        process = subprocess.Popen(admin.command("invite", "--voucher", "--users-file", listed),
                                   stdin=subprocess.DEVNULL, stdout=target, stderr=subprocess.PIPE, env=admin.environment())
        wait_until(lambda: users[5].get("peruserMfaVoucher"), 30, "some vouchers")
        process.send_signal(sent)
        err = process.stderr.read().decode()
    assert process.wait() == 1 and "interrupted" in err
    shown = set(re.findall(r"^(\S+): voucher", out.read_text(), re.MULTILINE))
    made = {user.uid for user in users if user.get("peruserMfaVoucher")}
    assert shown == made and 5 < len(made) < len(users)


@pytest.mark.parametrize("sent", ENDING)
def test_all_or_nothing_whatever_the_signal(own, admin, sent):
    users = [User(own) for _ in range(60)]
    rows = admin.file("rows.csv", "user,secret\n" + "".join(f"{user.uid},{'JBSWY3DPEHPK3PXP' * 2}\n" for user in users))
    process = admin.start("import", "--all-or-nothing", rows)
    wait_until(lambda: users[5].get("peruserMfaSecret"), 30, "some are imported")
    process.send_signal(sent)
    process.stdout.read()
    assert process.wait() == 1
    process.stdout.close()
    assert not any(user.get("peruserMfaSecret") for user in users)


def test_a_closed_output_does_not_become_the_connection(own, admin):
    user = Enrolled(own)
    for redirection in (">&-", "<&- >&-", "<&- >&- 2>&-", "2>&-"):
        command = " ".join(f"'{word}'" for word in admin.command("status", user.uid))
        done = subprocess.run(["sh", "-c", f"{command} {redirection}"], env=admin.environment(), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
        assert done.returncode == (1 if ">&- " in redirection + " " and redirection != "2>&-" else 0), redirection


# ---- the terminal

@pytest.mark.parametrize("sent", ENDING)
def test_the_terminal_gets_its_echo_back(own, admin, sent):
    with Terminal(admin, "status", "nobody", "-D", "cn=x,dc=example,dc=org", "-W") as terminal:
        terminal.expect("LDAP password: ")
        wait_until(lambda: not termios.tcgetattr(terminal.master)[3] & termios.ECHO, 10, "no echo")
        os.kill(terminal.process.pid, sent)
        assert terminal.finish() != 0
        assert termios.tcgetattr(terminal.master)[3] & termios.ECHO


def test_no_core_file(own, admin):
    with Terminal(admin, "status", "nobody", "-D", "cn=x,dc=example,dc=org", "-W") as terminal:
        terminal.expect("LDAP password: ")
        limits = open(f"/proc/{terminal.process.pid}/limits", encoding="ascii").read()
        assert re.search(r"^Max core file size +0 +0 ", limits, re.MULTILINE)


@pytest.mark.parametrize("trick", ["\u202e", "\u2066", "\u200b", "\u200f", "\ufeff", "\u00ad", "\U000e0041", "\u2028"])
def test_no_deceptive_character_reaches_the_terminal(own, admin, trick):
    user = User(own, uid=f"x{trick}y{os.urandom(3).hex()}")
    for words in (("status", user.dn), ("list",), ("require", user.uid), ("reset", f"no{trick}body")):
        for more in ((), ("--json",)):
            done = admin.run(*words, *more, status=None)
            assert trick not in done.out + done.err, words
    own.connect().delete_s(user.dn)


# ---- the key ring's file

def test_the_ring_keeps_its_access_control_list(admin):
    if subprocess.run(["setfacl", "-m", "u:1:r", admin.ring_path], check=False).returncode:
        pytest.skip("no access control lists here")
    def listed():
        return subprocess.check_output(["getfacl", "-c", admin.ring_path]).decode()
    before = listed()
    for words in (("keygen", "--id", "k2"), ("keys", "first", "k1"), ("keys", "remove", "k2", "--force")):
        admin.run(*words)
        assert listed() == before and "user:daemon:r--" in before
    kept = subprocess.check_output(["getfacl", "-c", f"{admin.ring_path}.removed"]).decode()
    assert kept == before


def test_what_a_killed_run_left_is_found(admin):
    left = admin.file(admin.ring_path.name + ".new", admin.ring.text())
    assert str(left) in admin.run("check", status=None).out
    assert "was left by a run that was killed" in admin.run("keygen").err
    assert not left.exists() and stat.S_IMODE(admin.ring_path.stat().st_mode) == 0o640


def test_a_link_as_ring_is_refused_with_the_reason(admin):
    moved = admin.ring_path.rename(admin.dir / "elsewhere")
    admin.ring_path.symlink_to(moved)
    assert "symbolic link" in admin.run("keygen", status=1).err


def test_keys_by_words(admin):
    assert "k1" in admin.run("keys", "list", "--ring-only").out
    admin.run("keygen", "--id", "k2")
    admin.run("keys", "first", "k1")
    assert admin.ring_path.read_text().startswith("k1 ")
    for words in (("first",), ("remove",), ("list", "k1"), ("drop", "k1"), ("first", "k1", "--remove", "k1")):
        admin.run("keys", *words, status=2)
