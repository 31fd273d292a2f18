# SPDX-License-Identifier: GPL-2.0-or-later
"""Key ring and configuration are read again on HUP; what is broken leaves the old in place and says so."""
import os
import time

import pytest

from lib.process import wait_until
from lib.radius_server import FreeRadius
from lib.user import Enrolled

TOO_RECENT_S = 3   # the server ignores a HUP that follows another one at once


@pytest.fixture
def server(slapd, ring):
    with FreeRadius(slapd, ring=ring) as freeradius:
        yield freeradius


@pytest.fixture
def client(server):
    with server.client() as nas:
        yield nas


def newer(*paths):
    """The server compares whole seconds of the files' times."""
    for path in paths:
        os.utime(path, (time.time() + 5, time.time() + 5))


def hup(server, text):
    mark = server.hup()
    server.wait_log(text, mark)
    return mark


def challenged_with(client, user, message):
    return wait_until(lambda: (reply := user.start(client)).message == message and reply, 5, message)


def test_key_ring_is_rotated_while_running(slapd, server, client, ring):
    user = Enrolled(slapd)
    before = user.challenge(client)
    rotated = ring.with_new_key("k2")
    newer(rotated.write(server.ring_path))
    server.hup()
    user.set(peruserMfaSecret=rotated.seal(user.device.secret, user.entry_id))
    wait_until(lambda: user.start(client).challenged, 5, "the new key opens a secret")
    assert user.answer(client, before, user.device.code()).accepted, "the old key still opens a State"
    assert user.login(client, 1).accepted


def test_broken_key_ring_keeps_the_old_one(slapd, server, client):
    server.ring_path.write_text("k1 AAAA\n")
    newer(server.ring_path)
    mark = hup(server, "line 1")
    assert "Error" in server.log(mark)
    assert Enrolled(slapd).login(client).accepted


def test_key_ring_that_others_can_read_keeps_the_old_one(slapd, server, client, ring):
    ring.with_new_key("k2").write(server.ring_path, 0o644)
    newer(server.ring_path)
    hup(server, str(server.ring_path))
    assert Enrolled(slapd).login(client).accepted


def change_shared(server, **settings):
    server.settings = {name.replace("__", "."): value for name, value in settings.items()}
    path = server.raddb / "mods-config/peruser_mfa/peruser_mfa.conf"
    path.write_text(server.shared_file())
    newer(path)


def change_instance(server, items):
    server.instance = items
    path = server.raddb / "mods-enabled/peruser_mfa"
    path.write_text(server.instance_file())
    newer(path)


def test_new_message_is_used(slapd, server, client):
    user = Enrolled(slapd)
    change_instance(server, {"message.challenge": "Next, the code: "})
    server.hup()
    challenge = challenged_with(client, user, "Next, the code: ")
    assert user.answer(client, challenge, user.device.code()).accepted


def test_new_shared_setting_is_used(slapd, server, client):
    user = Enrolled(slapd, peruserMfaFailures=f"2 {int(time.time())} AAAAAAAAAAAAAAAAAAAAAA")
    assert user.start(client).challenged
    change_shared(server, lockout__threshold=2)
    server.hup()
    wait_until(lambda: user.start(client).rejected, 5, "the new threshold locks")


@pytest.mark.parametrize("settings", [{"lockout__threshold": 0}, {"lockout__treshold": 3}, {"key_ring": "/nowhere"}],
                         ids=["out of range", "unknown", "no key ring"])
def test_broken_shared_file_keeps_the_old_one(slapd, server, client, settings):
    change_shared(server, **settings)
    mark = hup(server, list(settings)[0].split("__")[-1])
    assert "Error" in server.log(mark)
    assert Enrolled(slapd).login(client).accepted


@pytest.mark.parametrize("items", [{"challenge.attempts": 0}, {"challenge.atempts": 3}, {"mode": "sometimes"}],
                         ids=["out of range", "unknown", "no such choice"])
def test_broken_instance_file_keeps_the_old_one(slapd, server, client, items):
    change_instance(server, items)
    mark = hup(server, list(items)[0].split(".")[-1])
    assert "Error" in server.log(mark)
    assert Enrolled(slapd).login(client).accepted


def test_logins_go_on_during_many_reloads(slapd, server, client, ring):
    user = Enrolled(slapd)
    end = time.monotonic() + 2.2 * TOO_RECENT_S
    last = 0
    while time.monotonic() < end:
        if time.monotonic() - last > TOO_RECENT_S + 0.2:
            last = time.monotonic()
            newer(ring.write(server.ring_path))
            server.hup()
        assert user.start(client).challenged
    assert user.login(client).accepted


def test_two_instances_with_settings_of_their_own(slapd, ring):
    """VPN and Wi-Fi, say: one module twice, with different texts."""
    server = FreeRadius(slapd, ring=ring, start=False)
    with server:
        server.pick_ports()
        server.configure()
        second = server.instance_file().replace("peruser_mfa {", "peruser_mfa second {", 1)
        from lib import conf
        second = conf.edit(second, {"peruser_mfa.message.challenge": "Second: "})
        choose = ('if (&NAS-Identifier == "nas-2") {\n\t\tsecond\n\t}\n\telse {\n\t\tperuser_mfa\n\t}')
        server.configure(more={"mods-enabled/second": second},
                         sections={"mfa_authorize": choose, "mfa_post_auth": choose,
                                   "mfa_authenticate": "peruser_mfa\n\tsecond"})
        server.start()
        user = Enrolled(slapd)
        with server.client() as first, server.client(nas="nas-2") as other:
            assert user.challenge(first).message == "Enter the 6-digit code: "
            challenge = user.challenge(other)
            assert challenge.message == "Second: "
            assert user.answer(other, challenge, user.device.code()).accepted
            assert user.login(first, 1).accepted
