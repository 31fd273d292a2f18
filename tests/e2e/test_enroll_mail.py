# SPDX-License-Identifier: GPL-2.0-or-later
"""Notices by mail: what the command gets, and that no trouble with it holds up a change."""
import email.header
import email.policy
import json
import re
import time

import pytest

from lib.page import Page, key_of
from lib.process import wait_until
from lib.ring import new_recovery_code
from lib.totp import Device
from lib.user import Enrolled, User

# What stands in place of sendmail: keeps what it was given, and behaves as the file "mode" says.
COMMAND = """\
#!/usr/bin/python3
import json, os, signal, sys, time
box = "%s"
files = [int(name) for name in os.listdir("/proc/self/fd")]
message = sys.stdin.buffer.read().decode()
name = os.path.join(box, "%%d" %% time.monotonic_ns())
with open(name + ".new", "w") as file:
    json.dump({"args": sys.argv[1:], "message": message, "environment": open("/proc/self/environ").read(),
               "files": files, "limit_s": signal.getitimer(signal.ITIMER_REAL)[0]}, file)
os.rename(name + ".new", name + ".json")
while os.path.exists(os.path.join(box, "hang")):
    time.sleep(0.05)
sys.exit(75 if os.path.exists(os.path.join(box, "fail")) else 0)
"""


class Box:
    """The folder with what was sent, and the command that fills it."""

    def __init__(self, folder):
        self.folder, self.command = folder / "box", folder / "sendmail"
        self.folder.mkdir()
        self.command.write_text(COMMAND % self.folder)
        self.command.chmod(0o755)
        self.settings = {"mail.command": str(self.command), "mail.from": "mfa@example.org",
                         "throttle.address_attempts": 100000}

    def sent(self):
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json"))]

    def wait(self, count):
        wait_until(lambda: len(self.sent()) >= count, 20, f"{count} messages")
        return self.sent()

    def behave(self, how, on):
        path = self.folder / how
        path.touch() if on else path.unlink()


@pytest.fixture
def box(tmp_path):
    return Box(tmp_path)


def turn_on(page, user):
    """Sign in and turn MFA on; how long the one request took that wrote it."""
    visitor = page.visitor()
    assert visitor.sign_in(user.uid, user.password).status == 200
    form = visitor.get("/on")
    device = Device(key_of(form)).settle()
    begun = time.monotonic()
    assert visitor.submit(form, "/on", code=device.code(), name="Phone").status == 303
    took_s = time.monotonic() - begun
    assert user.get("peruserMfaEnabled") == "TRUE"
    return visitor, device, took_s


@pytest.mark.parametrize("mode", ["fastcgi", "cgi"])
def test_each_change_is_told_to_the_user(slapd, ring, box, mode):
    user = User(slapd, mail="a.user+mfa@example.org")
    with Page(slapd, ring=ring, mode=mode, settings={**box.settings, "site.support": "Room 7"}) as page:
        visitor, device, _ = turn_on(page, user)
        first = box.wait(1)[0]
        assert visitor.submit(visitor.get("/off"), "/off", code=device.code(1)).status == 303
        second = box.wait(2)[1]
    message = email.message_from_string(first["message"], policy=email.policy.default)
    assert first["args"] == ["-i", "-f", "mfa@example.org", "--", "a.user+mfa@example.org"]
    assert first["environment"] == "PATH=/usr/sbin:/usr/bin:/sbin:/bin\0" and sorted(first["files"])[:3] == [0, 1, 2]
    assert len(first["files"]) == 4   # the fourth is the list itself
    assert 0 < first["limit_s"] <= 30
    assert (message["From"], message["To"], message["Subject"]) == (
        "mfa@example.org", "a.user+mfa@example.org", "MFA was turned on")
    assert message["Auto-Submitted"] == "auto-generated"
    for word in (user.uid, "127.0.0.1", "Room 7", "If this was not you"):
        assert word in message.get_content()
    assert device.secret not in first["message"] and user.password not in first["message"]
    assert email.message_from_string(second["message"], policy=email.policy.default)["Subject"] == "MFA was turned off"


def subjects(box, count):
    return [str(email.message_from_string(sent["message"], policy=email.policy.default)["Subject"])
            for sent in box.wait(count)]


def test_what_an_intruder_would_do_is_told_too(slapd, ring, box):
    """A further phone, a phone taken away, new recovery codes, a recovery code used, all replaced, and a lock."""
    user = Enrolled(slapd, mail="a@example.org")
    code = new_recovery_code()
    with Page(slapd, ring=ring, settings=box.settings) as page:
        visitor = page.visitor()
        visitor.sign_in(user.uid, user.password)
        user.device.settle(12)
        form = visitor.follow(visitor.submit(visitor.get("/device/add"), "/device/add", code=user.device.code(-1)))
        visitor.submit(form, "/device/new", code=Device(key_of(form)).code(), name="Two")
        link = next(link for link in visitor.get("/").page.links if "/device/remove" in link)
        visitor.submit(visitor.request("GET", link), "/device/remove", code=user.device.code(1))
        assert subjects(box, 2) == ["A device was added to your MFA", "A device was removed from your MFA"]
        user = Enrolled(slapd, mail="a@example.org")
        user.set(peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id)])
        visitor = page.visitor()
        visitor.sign_in(user.uid, user.password)
        form = visitor.follow(visitor.submit(visitor.get("/lost"), "/lost", code=code))
        device = Device(key_of(form)).settle(8)
        visitor.submit(form, "/device/replace", code=device.code(-1), name="New")
        visitor.submit(visitor.get("/recovery"), "/recovery", code=device.code())
        assert subjects(box, 5)[2:] == ["A recovery code of your MFA was used", "Your MFA devices were replaced by a new one",
                                        "New recovery codes were made for your MFA"]
        form, seen = visitor.get("/off"), []
        for _ in range(5):
            seen.append(device.wrong(seen))
            visitor.submit(form, "/off", code=seen[-1])
        assert subjects(box, 6)[5:] == ["Your MFA is locked after wrong codes"]
        assert re.search(r"Date: \d{4}-\d\d-\d\d \d\d:\d\d UTC", box.sent()[5]["message"])


@pytest.mark.parametrize("address", [
    None, "a@example.org\nBcc: b@example.net", "-oQ/tmp/x@example.org", "a@example.org, b@example.org",
    '"a b"@example.org', "a@example.org\r\n\r\nbody", "|/bin/sh@example.org", "a" * 250 + "@example.org", "nobody"])
def test_an_address_that_is_more_than_one_gets_nothing(slapd, ring, box, address):
    user = User(slapd, **({"mail": address} if address else {}))
    other = User(slapd, mail="other@example.org")
    with Page(slapd, ring=ring, settings=box.settings) as page:
        turn_on(page, user)
        assert "no address that can be used" in page.all_logs()
        turn_on(page, other)
        assert [sent["args"][-1] for sent in box.wait(1)] == ["other@example.org"]


@pytest.mark.parametrize("name", ['Eve\\0aBcc: x@example.net', "O'Hara <b>&amp;", "Jörg"])
def test_a_user_name_adds_no_header(slapd, ring, box, name):
    name = name.replace("\\0a", "\n")
    user = Enrolled(slapd, uid=name, mail="eve@example.org")
    with Page(slapd, ring=ring, settings=box.settings) as page:
        visitor = page.visitor()
        signed = visitor.sign_in(name, user.password)
        if "\n" in name:
            assert signed.status == 400
            return
        assert visitor.submit(visitor.get("/off"), "/off", code=user.device.code()).status == 303
        head, _, body = box.wait(1)[0]["message"].partition("\n\n")
    assert [line.split(":")[0] for line in head.split("\n")] == [
        "From", "To", "Subject", "MIME-Version", "Content-Type", "Content-Transfer-Encoding", "Auto-Submitted"]
    assert name in body


def test_a_command_that_hangs_or_fails_holds_up_no_change(slapd, ring, box):
    with Page(slapd, ring=ring, settings=box.settings) as page:
        box.behave("hang", True)
        took_s = [turn_on(page, User(slapd, mail=f"user{i}@example.org"))[2] for i in range(3)]
        assert max(took_s) < 5 and len(box.wait(1)) == 1
        box.behave("fail", True)
        box.behave("hang", False)
        assert [sent["args"][-1] for sent in box.wait(3)] == [f"user{i}@example.org" for i in range(3)]


def test_workers_stop_and_what_is_on_its_way_is_still_sent(slapd, ring, box):
    with Page(slapd, ring=ring, settings=box.settings, workers=2) as page:
        box.behave("hang", True)
        for i in range(2):
            turn_on(page, User(slapd, mail=f"user{i}@example.org"))
        box.wait(1)
        assert page.workers.stop() == 0
        box.behave("hang", False)
        assert [sent["args"][-1] for sent in box.wait(2)] == ["user0@example.org", "user1@example.org"]


def test_a_command_that_is_not_there_holds_up_no_change(slapd, ring, box):
    box.command.unlink()
    with Page(slapd, ring=ring, settings=box.settings) as page:
        for _ in range(2):
            turn_on(page, User(slapd, mail="a@example.org"))
