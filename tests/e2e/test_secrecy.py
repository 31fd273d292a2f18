# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole debug log of a run holds no password, secret, code or key."""
import base64
import re

import pytest

from lib.radius_server import READ_PASSWORD, FreeRadius
from lib.ring import Ring, new_recovery_code
from lib.slapd import FREERADIUS_DN, RADIUS_DN
from lib.user import Enrolled, User

# When it debugs, the server itself prints each packet that it receives, its configuration, and what its own modules do.
PRINTED_BY_THE_SERVER = re.compile(r"(User-Password|CHAP-Password|Password-With-Header|Cleartext-Password) [:+]?= |"
                                   r"\) (ldap|pap|chap|mschap): |\b(password|secret) = ")


# A sealed State in hexadecimal: nearly all digits, six of which may happen to be a code.
STATE = re.compile("0x(" + b"pm1.".hex() + "[0-9a-f]+)")


def with_state_as_text(line):
    return STATE.sub(lambda found: bytes.fromhex(found[1]).decode(), line)


def run_every_path(slapd, ring, server):
    """Logins of all kinds; returns every secret that took part, by name."""
    secrets = {}
    with server.client() as client:
        user, other = Enrolled(slapd, clear=True), Enrolled(slapd, clear=True)
        sealed = Enrolled(slapd, clear=True)
        sealed.set(peruserMfaSecret=[ring.seal(sealed.device.secret, sealed.entry_id),
                                     Ring("lost").seal(other.device.secret, sealed.entry_id), "broken secret text"])
        recovery = new_recovery_code()
        sealed.set(peruserMfaRecoveryCode=[ring.recovery(recovery, sealed.entry_id)])
        plain = User(slapd, clear=True)
        plain.start(client)
        client.password(user.uid, "a-wrong-password")
        wrong = user.device.wrong()
        code = user.device.code()
        challenge = user.answer(client, user.challenge(client), wrong)
        assert user.answer(client, challenge, code).accepted
        assert user.answer(client, user.challenge(client), code).rejected
        state = user.challenge(client).state
        user.answer(client, state[:-3] + b"AAA", user.device.code(1))
        client.chap(user.uid, user.device.code(1), user.challenge(client))
        assert sealed.answer(client, sealed.challenge(client), recovery).accepted
        sealed.login(client)
        broken = Enrolled(slapd, clear=True, peruserMfaSecret="broken secret text")
        broken.start(client)
        for name, one in {"user": user, "sealed": sealed, "other": other}.items():
            secrets[f"password of {name}"] = one.password
            secrets[f"secret of {name}"] = one.device.secret
            raw = base64.b32decode(one.device.secret)
            secrets[f"secret of {name} in hexadecimal"] = raw.hex()
        secrets.update({"code": code, "next code": user.device.code(1), "code of the sealed": sealed.device.code(),
                        "wrong code": wrong, "wrong password": "a-wrong-password", "recovery code": recovery,
                        "recovery code without dashes": recovery.replace("-", ""),
                        "malformed secret": "broken secret text",
                        "password of plain": plain.password})
    for key_id, master in ring.keys:
        secrets[f"key {key_id}"] = base64.b64encode(master).decode()
        secrets[f"key {key_id} in hexadecimal"] = master.hex()
    secrets["service password"] = slapd.passwords[RADIUS_DN]
    secrets["password of rlm_ldap's account"] = slapd.passwords[FREERADIUS_DN]
    return secrets


@pytest.mark.parametrize("debug", [0, 1, 2, 3])
@pytest.mark.parametrize("factor", ["bind", "read"])
def test_log_holds_no_secret(slapd, debug, factor):
    ring = Ring("k1", "k0")
    sections = {"first_factor": READ_PASSWORD} if factor == "read" else {}
    with FreeRadius(slapd, ring=ring, debug=debug, sections=sections) as server:
        secrets = run_every_path(slapd, ring, server)
        server.stop()
        lines = server.log().splitlines()
    if debug == 3:
        assert any("User-Password = " in line for line in lines), "this is not the whole debug log"
    lines = [with_state_as_text(line) for line in lines]
    if debug:
        lines = [line for line in lines if not PRINTED_BY_THE_SERVER.search(line)]
    found = {name: line for line in lines for name, secret in secrets.items() if secret.lower() in line.lower()}
    assert not found


def test_command_line_and_environment_hold_no_secret(slapd, radius, ring, client):
    user = Enrolled(slapd)
    user.login(client)
    proc = f"/proc/{radius.process.pid}"
    seen = b""
    for name in ("cmdline", "environ"):
        with open(f"{proc}/{name}", "rb") as file:
            seen += file.read()
    for secret in (user.device.secret, user.password, slapd.passwords[RADIUS_DN], ring.text().split()[1]):
        assert secret.encode() not in seen


def test_ldap_log_holds_no_code(slapd, client):
    """Nor does the directory's log: what we search and write shows no code and no secret."""
    user = Enrolled(slapd)
    mark = slapd.mark()
    code = user.device.code()
    assert user.answer(client, user.challenge(client), code).accepted
    log = slapd.log(mark)
    assert user.device.secret not in log and not re.search(rf"\b{code}\b", log)
