# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ring and configuration are read again on HUP; what is broken leaves the old in place and says so."""
import concurrent.futures
import contextlib
import os
import signal
import time

import pytest

from lib import conf
from lib.process import wait_until
from lib.radius_server import FreeRadius
from lib.user import Enrolled

LOGINS = int(os.environ.get("LOGINS", "200"))
SETTLED_S = 3.1   # the server reloads no module within 2 s of its start
PAUSE_S = 5.2     # and takes no HUP within 5 s of another
BROKEN = {
    "key ring: short key": lambda server: write_ring(server, "k1 AAAA\n"),
    "key ring: readable by others": lambda server: server.ring.with_new_key("k2").write(server.ring_path, 0o644),
    "shared: out of range": lambda server: change_shared(server, {"lockout.threshold": 0}),
    "shared: unknown": lambda server: change_shared(server, {"lockout.treshold": 3}),
    "shared: no key ring": lambda server: change_shared(server, {"key_ring": "/nowhere/ring"}),
    "instance: out of range": lambda server: change_instance(server, {"challenge.attempts": 0}),
    "instance: unknown": lambda server: change_instance(server, {"challenge.atempts": 3}),
    "instance: no such choice": lambda server: change_instance(server, {"mode": "sometimes"}),
}
SAID = {"key ring: short key": "line 1", "key ring: readable by others": "/ring", "shared: out of range": "threshold",
        "shared: unknown": "treshold", "shared: no key ring": "/nowhere/ring", "instance: out of range": "attempts",
        "instance: unknown": "atempts", "instance: no such choice": "mode"}
GOOD = ("rotated", "message", "threshold", "many", "both", "repaired", "busy")


@pytest.fixture(scope="module")
def fleet(slapd, ring):
    """A server for each test, all up long enough to be reloaded."""
    with contextlib.ExitStack() as stack:
        servers = {name: stack.enter_context(FreeRadius(slapd, ring=ring, threads=2)) for name in (*BROKEN, *GOOD)}
        time.sleep(SETTLED_S)
        yield servers


def newer(path):
    """The server compares whole seconds of the files' times."""
    os.utime(path, (time.time() + 5, time.time() + 5))


def write_ring(server, text):
    server.ring_path.write_text(text)


def change_shared(server, settings):
    server.settings = settings
    (server.raddb / "mods-config/peruser_mfa/peruser_mfa.conf").write_text(server.shared_file())


def change_instance(server, items):
    server.instance = items
    (server.raddb / "mods-enabled/peruser_mfa").write_text(server.instance_file())


def hup(server, change):
    """Change a file, tell the server, and return where its log was then."""
    files = [server.ring_path, *(path for path in server.raddb.rglob("*") if path.is_file())]
    before = {path: path.read_bytes() for path in files}
    change(server)
    for path in files:
        if path.read_bytes() != before[path]:
            newer(path)
    return server.hup()


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_file_keeps_the_old_one_and_is_reported(slapd, fleet, kind):
    server = fleet[kind]
    mark = hup(server, BROKEN[kind])
    wait_until(lambda: any("Error" in line and SAID[kind] in line for line in server.log(mark).splitlines()), 5,
               f"an error about {SAID[kind]}")
    with server.client() as client:
        assert Enrolled(slapd).login(client).accepted


def test_key_ring_is_rotated_while_running(slapd, fleet, ring):
    server, rotated, user = fleet["rotated"], ring.with_new_key("k2"), Enrolled(slapd)
    with server.client() as client:
        before = user.challenge(client)
        hup(server, lambda _: rotated.write(server.ring_path))
        user.set(peruserMfaSecret=rotated.seal(user.device.secret, user.entry_id))
        wait_until(lambda: user.start(client).challenged, 5, "the new key opens a secret")
        assert user.answer(client, before, user.device.code()).accepted, "the old key still opens a State"
        assert user.login(client, 1).accepted


def test_new_message_is_used(slapd, fleet):
    server, user = fleet["message"], Enrolled(slapd)
    with server.client() as client:
        hup(server, lambda _: change_instance(server, {"message.challenge": "Next, the code: "}))
        wait_until(lambda: user.start(client).message == "Next, the code: ", 5, "the new text")
        assert user.login(client).accepted


def locked_from_two(slapd):
    return Enrolled(slapd, peruserMfaFailures=f"2 {int(time.time())} AAAAAAAAAAAAAAAAAAAAAA")


def test_new_shared_setting_is_used(slapd, fleet):
    server, user = fleet["threshold"], locked_from_two(slapd)
    with server.client() as client:
        assert user.start(client).challenged
        hup(server, lambda _: change_shared(server, {"lockout.threshold": 2}))
        wait_until(lambda: user.start(client).rejected, 5, "the new threshold locks")


def test_both_files_may_change_at_once(slapd, fleet):
    server, user = fleet["both"], locked_from_two(slapd)

    def change(_):
        change_shared(server, {"lockout.threshold": 2})
        change_instance(server, {"message.locked": "Not now."})

    with server.client() as client:
        hup(server, change)
        wait_until(lambda: user.start(client).message == "Not now.", 5, "both changes")


def test_logins_go_on_during_reloads(slapd, fleet, ring):
    server, user = fleet["many"], Enrolled(slapd)
    with server.client() as client:
        for number in range(2):
            hup(server, lambda _: ring.with_new_key(f"n{number}").write(server.ring_path))
            end = time.monotonic() + PAUSE_S
            while time.monotonic() < end:
                assert user.start(client).challenged
        assert user.login(client).accepted


def test_two_instances_with_settings_of_their_own(slapd, ring):
    """VPN and Wi-Fi, say: one module twice, with different texts."""
    choose = 'if (&NAS-Identifier == "nas-2") {\n\t\tsecond\n\t}\n\telse {\n\t\tperuser_mfa\n\t}'
    with FreeRadius(slapd, ring=ring, start=False) as server:
        server.pick_ports()
        server.configure()
        second = conf.edit(server.instance_file(), {"peruser_mfa.message.challenge": "Second: "})
        server.more = {"mods-enabled/second": second.replace("peruser_mfa {", "peruser_mfa second {", 1)}
        server.sections = {"mfa_authorize": choose, "mfa_post_auth": choose,
                           "mfa_authenticate": "peruser_mfa\n\tsecond"}
        server.start_on_free_ports()
        user = Enrolled(slapd)
        with server.client() as first, server.client(nas="nas-2") as other:
            assert user.challenge(first).message == "Enter the 6-digit code: "
            challenge = user.challenge(other)
            assert challenge.message == "Second: "
            assert user.answer(other, challenge, user.device.code()).accepted
            assert user.login(first, 1).accepted


def test_a_repaired_key_ring_is_read_without_touching_another_file(slapd, fleet, ring):
    """Its mode alone was wrong, so its time stays as it was when the reload failed."""
    server, rotated, user = fleet["repaired"], ring.with_new_key("k2"), Enrolled(slapd)
    with server.client() as client:
        mark = hup(server, lambda _: rotated.write(server.ring_path, 0o644))
        wait_until(lambda: str(server.ring_path) in server.log(mark), 5, "the reason")
        assert user.login(client).accepted, "the keys read before stay in use"
        server.ring_path.chmod(0o640)
        user.set(peruserMfaSecret=rotated.seal(user.device.secret, user.entry_id))
        time.sleep(PAUSE_S)
        server.hup()
        wait_until(lambda: user.start(client).challenged, 5, "the new key opens a secret")
        assert user.login(client, 1).accepted
        said = [line for line in server.log(mark).splitlines() if "Error" in line and str(server.ring_path) in line]
        assert len(said) == 1, said


def test_a_reload_loses_no_login(slapd, fleet):
    """Logins go on while instances are replaced each second; an accepted code is not asked for again.  LOGINS=n: so many."""
    server, lost = fleet["busy"], []
    users = [Enrolled(slapd) for _ in range(LOGINS)]

    def log_in(share):
        with server.client() as client:
            for user in share:
                code = user.device.code()
                reply = user.answer(client, user.challenge(client), code)
                if not reply.accepted:
                    lost.append(reply)
                assert user.answer(client, user.challenge(client), code).rejected, "the code was used"

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        shares = [pool.submit(log_in, users[i::4]) for i in range(4)]
        mark = server.mark()
        while not all(share.done() for share in shares):
            newer(server.raddb / "mods-enabled/peruser_mfa")
            os.kill(server.process.pid, signal.SIGHUP)   # the server may say that it is too soon
            concurrent.futures.wait(shares, 1)
        for share in shares:
            share.result()
    assert lost == []
    assert server.log(mark).count('Reloaded module "peruser_mfa"') >= LOGINS // 2000 + 1
