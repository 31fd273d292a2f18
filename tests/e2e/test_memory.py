# SPDX-License-Identifier: GPL-2.0-or-later
"""The module under the address sanitizer and under valgrind: no bad access, and no leak of ours."""
import re

from lib.client import pap
from lib.radius_server import VALGRIND, FreeRadius
from lib.ring import new_recovery_code
from lib.user import Enrolled, User

MODULE = re.compile("mfa_|peruser_|unknown module")


def run_every_path(slapd, ring, server):
    with server.client(timeout_s=30) as client:
        user, code = Enrolled(slapd), new_recovery_code()
        user.device.settle(6)
        user.set(peruserMfaSecret=[ring.seal(user.device.uri(), user.entry_id), "unreadable!"],
                 peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id)])
        assert User(slapd).start(client).accepted
        assert client.password(user.uid, "not-it").rejected
        challenge = user.answer(client, user.challenge(client), user.device.wrong())
        assert user.answer(client, challenge, user.device.code()).accepted
        assert user.answer(client, challenge, user.device.code()).accepted
        assert user.login(client).rejected
        assert user.answer(client, user.challenge(client), code).accepted
        assert client.code(user.uid, challenge.state[:-9] + b"A" * 9, "123456").rejected
        assert client.code(user.uid, b"pm1." + b"A" * 249, "123456").rejected
        assert client.chap(user.uid, user.device.code(1), user.challenge(client)).accepted
        assert Enrolled(slapd, peruserMfaSecret="broken").start(client).rejected
        assert User(slapd, peruserMfaEnabled="TRUE").start(client).rejected
        user.set(peruserMfaFailures="nonsense")
        assert user.start(client).rejected
        user.set(peruserMfaFailures=None, peruserMfaLastUse=None)
        many = [Enrolled(slapd) for _ in range(20)]
        packets = [client.send(client.packet(pap(one.uid, one.password))) for one in many]
        assert all(client.receive(packet).challenged for packet in packets)
        slapd.restart()
        user.start(client)
        mark = server.mark()
        user.start(client)
    # A request that the server still holds when it ends is a leak of its own, with our notes in it.
    server.wait_log("Cleaning up request", mark, 15)


def test_address_sanitizer(slapd, ring):
    with FreeRadius(slapd, ring=ring, build="asan", debug=2) as server:
        with open(f"/proc/{server.process.pid}/maps") as maps:
            text = maps.read()
        assert "libasan" in text and "build/asan/rlm_peruser_mfa.so" in text
        run_every_path(slapd, ring, server)
        server.stop()
        found = server.sanitizer_log()
    assert "client_list_init" in found, "the leak of the server itself should have been found"
    assert not re.search("ERROR: AddressSanitizer|runtime error:", found), found[:6000]
    ours = [leak for leak in re.findall(r"(?:Direct|Indirect) leak.*?\n\n", found, re.S) if MODULE.search(leak)]
    assert not ours, "\n".join(ours)[:6000]


def test_valgrind(slapd, ring):
    with FreeRadius(slapd, ring=ring, under=VALGRIND, threads=2, debug=2) as server:
        run_every_path(slapd, ring, server)
        server.stop(60)
        found = "".join(path.read_text() for path in server.dir.glob("valgrind.*"))
    assert "ERROR SUMMARY" in found
    ours = [block for block in re.split(r"==\d+== \n", found) if MODULE.search(block)]
    assert not ours, "\n".join(ours)[:6000]
