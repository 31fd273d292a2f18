# SPDX-License-Identifier: GPL-2.0-or-later
"""Events of the three programs: what is documented, what the code knows, and what really comes out are the same."""
import base64
import json
import re
import shutil
import socket
import subprocess
import threading

import pytest

from lib import ROOT
from lib.admin import Admin
from lib.page import Page, codes_of, key_of
from lib.process import wait_until
from lib.radius_server import FreeRadius
from lib.ring import Ring, new_recovery_code
from lib.totp import Device
from lib.user import Enrolled, User

DOCS = (ROOT / "docs/events.md").read_text()
MEMBERS = re.findall(r"^\| `(\w+)` \|", DOCS.split("## The schema")[1].split("## Names")[0], re.M)
SOURCES = {"nas", "address", "device", "client"}


def documented():
    """Names of events, and which programs are said to write each."""
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", DOCS.split("## Names of events")[1], re.M)
    return {name: {word for word in ("module", "page", "command") if word in programs} for name, programs in rows}


def known_to_the_code():
    return set(re.findall(r'\[MFA_EVENT_\w+\] = "(\w+)"', (ROOT / "core/event.c").read_text()))


def read(path):
    events = [json.loads(line) for line in path.read_text().splitlines()]
    for event in events:
        assert list(event) == MEMBERS and set(event["source"]) == SOURCES, event
        assert set(event["actor"]) == {"kind", "name", "login"}
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", event["time"])
    return events


def with_events(admin, path):
    """Let a command write its events into a file."""
    settings = admin.dir / "admin.conf"
    settings.write_text(f'{settings.read_text()}events = "{path}"\n')
    return admin


@pytest.fixture
def folder(tmp_path):
    tmp_path.chmod(0o755)
    return tmp_path


# ---- the module

def login_in_every_way(slapd, client, ring, secrets):
    """Logins with each kind of result; the users by what happened to them."""
    user, plain = Enrolled(slapd, clear=True), User(slapd, clear=True)
    challenge = user.challenge(client, Calling_Station_Id="02-00-00-00-00-01")
    wrong, code = user.device.wrong(), user.device.code()
    again = user.answer(client, challenge, wrong)
    assert user.answer(client, again, code).accepted
    assert user.answer(client, user.challenge(client), code).rejected
    assert plain.start(client).accepted
    recovery = new_recovery_code()
    user.set(peruserMfaRecoveryCode=[ring.recovery(recovery, user.entry_id)])
    assert user.answer(client, user.challenge(client), recovery).accepted
    overdue = User(slapd, clear=True, peruserMfaRequiredFrom="20200101000000Z")
    overdue.start(client)
    secrets += [wrong, code, recovery, user.device.secret, user.password, plain.password, overdue.password]
    return user, plain, overdue


def test_module(slapd, folder):
    path, ring, secrets = folder / "events", Ring(), []
    with FreeRadius(slapd, ring=ring, instance={"events": str(path)}, debug=3) as server, server.client() as client:
        user, plain, overdue = login_in_every_way(slapd, client, ring, secrets)
    events = read(path)
    assert {event["event"] for event in events} == {"login"} <= {
        name for name, programs in documented().items() if "module" in programs}
    mine = [event for event in events if event["user"] == user.uid]
    assert [event["result"] for event in mine] == [
        "challenged", "challenged", "accepted", "challenged", "replayed", "challenged", "recovery"]
    assert [event["factor"] for event in mine] == [None, "code", "totp", None, "totp", None, "recovery_code"]
    ids = [event["login_id"] for event in mine]
    assert len(set(ids[:3])) == len(set(ids[3:5])) == 1 and len(set(ids)) == 3 and all(ids)
    first = mine[0]
    assert first["dn"] == user.dn and first["entry_id"] == user.entry_id.decode()
    assert first["source"]["device"] == "02-00-00-00-00-01" and first["source"]["address"] == "127.0.0.1"
    assert first["source"]["client"] and first["actor"] == {"kind": "server", "name": "peruser_mfa", "login": None}
    assert [event["result"] for event in events if event["user"] == plain.uid] == ["off"]
    assert [event["result"] for event in events if event["user"] == overdue.uid] == ["unenrolled"]
    no_secret_in(path, [*secrets, *ring_secrets(ring)])


def test_module_into_the_servers_log(slapd):
    with FreeRadius(slapd, ring=Ring(), instance={"events": "log"}) as server, server.client() as client:
        user = User(slapd, clear=True)
        assert user.start(client).accepted
        lines = [line for line in server.log().splitlines() if "event {" in line]
    event, = [json.loads(line[line.index("{"):]) for line in lines]
    assert event["user"] == user.uid and event["result"] == "off"


def test_module_refuses_to_start_without_its_file(slapd, folder):
    for target in (folder / "nowhere/events", folder, "nothing"):
        server = FreeRadius(slapd, ring=Ring(), instance={"events": str(target)}, start=False)
        with server:
            status, said = server.check()
            assert status == 1 and "'events' cannot be used" in said


def ring_secrets(ring):
    return [base64.b64encode(master).decode() for _, master in ring.keys]


def no_secret_in(path, secrets):
    text = path.read_text()
    for secret in secrets:
        assert secret not in text, secret


# ---- the page

@pytest.mark.parametrize("mode", ["fastcgi", "cgi"])
def test_page(slapd, folder, mode):
    path, ring = folder / "events", Ring()
    with Page(slapd, ring=ring, mode=mode, build="release",
              settings={"events": str(path), "enroll.require_voucher": True}) as page:
        secrets = live_on_the_page(slapd, ring, page)
    events = read(path)
    wanted = {name for name, programs in documented().items() if "page" in programs}
    assert {event["event"] for event in events} == wanted
    assert {event["result"] for event in events if event["event"] == "sign_in"} == {"accepted", "rejected"}
    assert {event["actor"]["kind"] for event in events} == {"user"}
    assert all(event["source"]["address"] in ("127.0.0.1", "::1") for event in events)
    assert all(event["dn"] for event in events if event["event"] != "sign_in")
    no_secret_in(path, [*secrets, *ring_secrets(ring)])


def live_on_the_page(slapd, ring, page):
    """Do all that a user can do; every secret that took part."""
    user, voucher = User(slapd), new_recovery_code()
    user.set(peruserMfaVoucher=ring.voucher(voucher, user.entry_id, 4000000000))
    visitor = page.visitor()
    assert visitor.sign_in(user.uid, "not the password").status == 403
    assert visitor.sign_in(user.uid, user.password).status == 200
    form = visitor.get("/on")
    device = Device(key_of(form)).settle(12)
    wrong = new_recovery_code()
    form = visitor.submit(form, "/on", code=device.code(), name="Phone", voucher=wrong)
    form = visitor.submit(form, "/on", code=device.wrong(), name="Phone", voucher=voucher)
    codes = codes_of(visitor.follow(visitor.submit(form, "/on", code=device.code(-1), name="Phone", voucher=voucher)))
    assert len(codes) == 10
    fresh = codes_of(visitor.follow(visitor.submit(visitor.get("/recovery"), "/recovery", code=device.code())))
    user.set(peruserMfaLastUse=[])
    form = visitor.follow(visitor.submit(visitor.get("/device/add"), "/device/add", code=device.code(-1)))
    second = Device(key_of(form))
    assert visitor.submit(form, "/device/new", code=second.code(), name="Second").status == 303
    return finish_on_the_page(visitor, slapd, user, fresh) + [
        user.password, "not the password", voucher, wrong, *codes, *fresh, device.secret, second.secret, device.code()]


def finish_on_the_page(visitor, slapd, user, codes):
    slapd.set(user.uid, peruserMfaTrustedDevice=["k1$a 4000000000 x"])
    assert visitor.submit(visitor.get("/trusted"), "/trusted").status == 303
    form = visitor.follow(visitor.submit(visitor.get("/lost"), "/lost", code=codes[0]))
    third = Device(key_of(form))
    last = codes_of(visitor.follow(visitor.submit(form, "/device/replace", code=third.code(1), name="Third")))
    user.set(peruserMfaSecret=[*slapd.get(user.uid, "peruserMfaSecret"), Device().secret], peruserMfaLastUse=[])
    return remove_and_leave(visitor, third, last)


def remove_and_leave(visitor, third, last):
    home = visitor.get("/")
    link = next(link for link in home.page.links if "/device/remove" in link)
    form = visitor.request("GET", link)
    assert visitor.submit(form, "/device/remove", code=third.code()).status == 303
    assert visitor.submit(visitor.get("/off"), "/off", code=last[0]).status == 303
    assert visitor.submit(visitor.get("/"), "/sign-out").status == 303
    return [third.secret, *last]


# ---- the command

def test_command(slapd, folder):
    path, ring = folder / "events", Ring("k1")
    with with_events(Admin(slapd, ring), path) as admin:
        secrets = administer(slapd, admin)
        admin.run("keygen", "--id", "k9")
        admin.run("rekey", status=None)
        unseen = path.read_text()
        admin.run("reset", "nobody", status=1)
        admin.run("suspend", Enrolled(slapd).uid, "--dry-run")
        assert path.read_text() == unseen
    events = read(path)
    wanted = {name for name, programs in documented().items() if "command" in programs}
    assert {event["event"] for event in events} == wanted
    assert {event["actor"]["kind"] for event in events} == {"administrator"}
    assert {event["actor"]["name"] for event in events if event["event"] not in ("key_ring",)} == {slapd.admin_dn}
    assert all(event["actor"]["login"] for event in events)
    assert all(event["user"] and event["dn"] and event["entry_id"] for event in events if event["event"] != "key_ring")
    no_secret_in(path, [*secrets, *ring_secrets(ring)])


def administer(slapd, admin):
    """One change of each kind; every secret that was shown or given."""
    user, other, device = Enrolled(slapd), User(slapd), Device()
    uid = user.uid
    user.set(peruserMfaSecret=[user.device.secret, device.uri(label="x:second")],
             peruserMfaTrustedDevice=["k1$a 4000000000 x"])
    wrong = user.device.wrong()
    admin.run("verify", uid, wrong, status=1)
    admin.run("trusted", "forget", uid)
    admin.run("unlock", uid)
    admin.run("device", "rename", uid, "second", "other")
    admin.run("device", "remove", uid, "other")
    shown = admin.json("recovery", uid)
    for words in (("suspend",), ("resume",), ("require",), ("reset",)):
        admin.run(words[0], uid, *words[1:])
    voucher = admin.json("invite", other.uid, "--voucher")
    enrolled = admin.run("enroll", uid, "--no-confirm").out
    file = admin.file("in.csv", f"user,secret\n{other.uid},{device.secret}\n")
    admin.run("import", file)
    exported = admin.run("export", uid, stdin="export\nclear\n").out
    return [wrong, user.device.secret, device.secret, shown[0]["recovery_codes"][0], voucher[0]["voucher"],
            *re.findall(r"secret=(\w+)", enrolled + exported)]


def test_command_changes_nothing_that_it_cannot_record(slapd, folder):
    users = [Enrolled(slapd) for _ in range(3)]
    with with_events(Admin(slapd), folder / "nowhere/events") as admin:
        assert "events" in admin.run("reset", users[0].uid, status=2).err
    assert users[0].get("peruserMfaSecret")
    with with_events(Admin(slapd), folder / "events") as admin:
        limited = ["prlimit", "--fsize=10", *admin.command("reset", *(user.uid for user in users))]
        done = subprocess.run(limited, capture_output=True, text=True, env=admin.environment(), check=False)
    assert done.returncode == 1 and "cannot be written" in done.stderr, done
    assert [bool(user.get("peruserMfaSecret")) for user in users] == [False, True, True]


# ---- the system's log

NAMESPACE = """\
mount -t tmpfs none "$1" && mkdir "$1/dev" &&
for name in null zero random urandom; do : >"$1/dev/$name" && mount --bind "/dev/$name" "$1/dev/$name"; done &&
ln -s /proc/self/fd "$1/dev/fd" && : >"$1/dev/log" && mount --bind "$2" "$1/dev/log" &&
mount --rbind "$1/dev" /dev && shift 2 && exec "$@"
"""


class SystemLog:
    """A socket that a program, in a mount namespace of its own, finds as /dev/log."""

    def __init__(self, folder):
        self.folder, self.path = folder / "mount", folder / "log"
        self.folder.mkdir()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(self.path))
        self.path.chmod(0o666)
        self.messages = []
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while True:
            self.messages.append(self.socket.recv(65536).decode())

    def under(self):
        return ["unshare", "--mount", "sh", "-c", NAMESPACE, "sh", str(self.folder), str(self.path)]


@pytest.mark.skipif(not shutil.which("unshare"), reason="no unshare")
def test_command_writes_to_syslog_by_default(slapd, folder):
    log, user = SystemLog(folder), Enrolled(slapd)
    with Admin(slapd, build="release") as admin:
        subprocess.run([*log.under(), *admin.command("suspend", user.uid)], check=True, stdout=subprocess.PIPE,
                       env=admin.environment(), timeout=60)
    wait_until(lambda: log.messages)
    message, = log.messages
    assert message.startswith("<85>") and "peruser-mfa[" in message
    event = json.loads(message.split("@cee: ")[1])
    assert event["event"] == "suspended" and event["user"] == user.uid


# ---- the documentation

def test_docs_name_every_event():
    assert set(documented()) == known_to_the_code()
