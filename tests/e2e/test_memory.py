# SPDX-License-Identifier: GPL-2.0-or-later
"""The module under the address sanitizer and under valgrind: no bad access, and no leak of ours."""
import re

from lib.client import pap
from lib.radius_server import VALGRIND, FreeRadius
from lib.ring import new_recovery_code
from lib.user import Enrolled, User


def run_every_path(slapd, ring, server):
    with server.client(timeout_s=30) as client:
        user, code = Enrolled(slapd), new_recovery_code()
        user.device.settle(15)
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
        for _ in range(2):
            user.start(client)


def test_address_sanitizer(slapd, ring):
    with FreeRadius(slapd, ring=ring, build="asan") as server:
        assert server.module_path.exists(), "make V=asan builds it"
        with open(f"/proc/{server.process.pid}/maps") as maps:
            text = maps.read()
        assert "libasan" in text and "build/asan/rlm_peruser_mfa.so" in text
        run_every_path(slapd, ring, server)
        server.stop()
        log = server.log()
    assert not re.search("ERROR: AddressSanitizer|runtime error:", log), log[-6000:]
    for leak in re.findall(r"(?:Direct|Indirect) leak.*?\n\n", log, re.S):
        assert "peruser_mfa" not in leak and "mfa_" not in leak, leak


def test_valgrind(slapd, ring):
    with FreeRadius(slapd, ring=ring, under=VALGRIND, threads=2) as server:
        run_every_path(slapd, ring, server)
        server.stop(60)
        log = server.log()
    errors = [block for block in re.split(r"==\d+== \n", log) if re.search(r"==\d+==", block)]
    ours = [block for block in errors if re.search(r"mfa_|rlm_peruser_mfa", block)]
    assert not ours, "\n".join(ours)[:6000]
