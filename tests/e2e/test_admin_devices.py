# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa: enroll, recovery, verify."""
import re
import subprocess
import time
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from lib.admin import Admin, Terminal
from lib.totp import Device
from lib.user import Enrolled, User


@pytest.fixture(scope="module")
def admin(slapd, ring):
    with Admin(slapd, ring) as command:
        yield command


def device_of(uri):
    """The app that scanned this link."""
    items = {name: values[0] for name, values in parse_qs(urlsplit(uri).query).items()}
    return Device(items["secret"], algorithm=items["algorithm"], digits=int(items["digits"]),
                  period=int(items["period"]))


def read_qr(text, folder):
    """What a camera reads from the terminal."""
    rows = [line for line in re.sub(r"\x1b\[[0-9;]*m", "", text).replace("\r", "").split("\n")
            if line and set(line) <= set(" ▀▄█")]
    pixels = []
    for row in rows:
        pixels += [[c in "▀█" for c in row], [c in "▄█" for c in row]]
    scale, width = 4, len(pixels[0])
    image = folder / "qr.pgm"
    body = b"".join(bytes(255 if light else 0 for light in line for _ in range(scale)) * scale for line in pixels)
    image.write_bytes(b"P5 %d %d 255\n" % (width * scale, len(pixels) * scale) + body)
    done = subprocess.run(["zbarimg", "-q", "--raw", str(image)], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_enroll_at_a_terminal(admin, slapd, tmp_path):
    user = User(slapd)
    with Terminal(admin, "enroll", user.uid, "--device", "Anna's phone") as terminal:
        shown = terminal.expect("Code that the app shows: ")
        uri = re.search(r"link: (\S+)", shown)[1]
        assert read_qr(shown, tmp_path) == uri
        assert unquote(urlsplit(uri).path) == f"/VPN:{user.uid}"
        device = device_of(uri).settle()
        assert f"key:  {device.secret}" in shown
        assert user.get("peruserMfaSecret") is None, "nothing is written before a code was right"
        terminal.send(device.wrong())
        terminal.expect("not the code of now")
        terminal.send(device.code())
        assert terminal.finish() == 0
    assert user.get("peruserMfaEnabled") == "TRUE"
    assert user.get("peruserMfaSecret").startswith("{GCM}k1$")
    row, = admin.json("status", user.uid)
    assert row["state"] == "enrolled" and row["devices"][0]["name"] == "Anna's phone"
    done = admin.run("verify", user.uid, device.code(), status=1)
    assert "replayed" in done.out, "the code that activated the device is used up"


def test_enroll_not_confirmed_writes_nothing(admin, slapd):
    user = User(slapd)
    done = admin.run("enroll", user.uid, stdin="000000\nnonsense\n", status=1)
    assert "not confirmed" in done.err and not [name for name in slapd.get(user.uid) if name.startswith("peruserMfa")]


@pytest.mark.parametrize("algorithm,digits,period", [("SHA1", 6, 30), ("SHA256", 8, 60), ("SHA512", 7, 15)])
def test_enroll_without_confirmation(admin, slapd, algorithm, digits, period):
    user = User(slapd)
    first, row = admin.json("enroll", user.uid, "--no-confirm", "--algorithm", algorithm, "--digits", digits,
                            "--period", period, "--issuer", "Our Site")
    assert row["outcome"] == "changed" and "issuer=Our%20Site" in first["uri"]
    device = device_of(first["uri"])
    assert (device.algorithm, device.digits, device.period) == (algorithm, digits, period)
    assert device.secret == first["key"]
    device.settle(2)
    answer, = admin.json("verify", user.uid, device.code())
    assert answer["right"] and answer["offset_steps"] == 0 and answer["device"] == "device 1"


def test_enroll_refusals(admin, slapd):
    user = User(slapd)
    for number in range(1, 6):
        admin.run("enroll", user.uid, "--no-confirm")
    assert [d["name"] for d in admin.json("status", user.uid)[0]["devices"]] == [f"device {n}" for n in range(1, 6)]
    assert "5 devices" in admin.run("enroll", user.uid, "--no-confirm", status=1).err
    suspended = Enrolled(slapd, peruserMfaEnabled="FALSE")
    assert "suspended" in admin.run("enroll", suspended.uid, "--no-confirm", status=1).err
    named = User(slapd)
    admin.run("enroll", named.uid, "--no-confirm", "--device", "phone")
    done = admin.run("enroll", named.uid, "--no-confirm", "--device", "phone", status=1)
    assert "'phone' already" in done.err and "link" not in done.out
    admin.run("enroll", named.uid, "--algorithm", "MD5", status=2)
    admin.run("enroll", named.uid, "--digits", "5", status=2)
    admin.run("enroll", named.uid, "--device", "x" * 65, status=2)


def test_enroll_dry_run(admin, slapd):
    user = User(slapd)
    assert "nothing was written" in admin.run("enroll", "--dry-run", user.uid).out
    assert user.get("peruserMfaSecret") is None


def test_enroll_takes_the_voucher_back(admin, slapd):
    user = User(slapd)
    admin.run("invite", "--voucher", user.uid)
    admin.run("enroll", "--no-confirm", user.uid)
    assert user.get("peruserMfaVoucher") is None


def test_secrets_in_a_file_that_others_read(admin, slapd):
    user = User(slapd)
    for mode, warned in ((0o600, False), (0o644, True)):
        target = admin.file("out", "", mode)
        with target.open("w") as out:
            done = subprocess.run(admin.command("enroll", "--no-confirm", user.uid), stdout=out,
                                  stderr=subprocess.PIPE, text=True, env=admin.environment(), check=True)
        assert ("others can read" in done.stderr) == warned


def test_recovery(admin, slapd):
    user = Enrolled(slapd)
    row, = admin.json("recovery", user.uid)
    assert len(set(row["recovery_codes"])) == 10
    stored = slapd.get(user.uid, "peruserMfaRecoveryCode")
    assert len(stored) == 10 and not any(code in value for code in row["recovery_codes"] for value in stored)
    for code in row["recovery_codes"][:2]:
        answer, = admin.json("verify", user.uid, code)
        assert answer["right"] and answer["result"] == "recovery"
    assert slapd.get(user.uid, "peruserMfaRecoveryCode") == stored, "looking uses nothing up"
    admin.run("recovery", "--dry-run", user.uid)
    assert slapd.get(user.uid, "peruserMfaRecoveryCode") == stored
    text = admin.run("recovery", user.uid).out
    assert len(re.findall(r"^[A-Z]{4}-[A-Z]{4}-[A-Z]{4}$", text, re.MULTILINE)) == 10
    admin.run("verify", user.uid, row["recovery_codes"][0], status=1)
    assert "no device" in admin.run("recovery", User(slapd).uid, status=1).err


def test_verify_uses_no_right_code_up_and_counts_wrong_ones(admin, slapd):
    user = Enrolled(slapd)
    user.device.settle(20)
    before = slapd.get(user.uid)
    assert admin.json("verify", user.uid, user.device.code())[0]["right"]
    assert admin.json("verify", user.uid, user.device.code(1))[0]["offset_steps"] == 1
    assert "a login with it now: accepted" in admin.run("verify", user.uid, "-", stdin=user.device.code() + "\n").out
    assert slapd.get(user.uid) == before
    late, = admin.json("verify", user.uid, user.device.code(-7), status=1)
    assert not late["right"] and late["offset_steps"] == -7 and late["counted"]
    assert user.failures() == 1
    far, = admin.json("verify", user.uid, user.device.code(45), status=1)
    assert far["offset_steps"] == 45
    wrong = admin.run("verify", user.uid, "0", status=1)
    assert "none of the user's devices" in wrong.out and "counted as a wrong code" in wrong.out
    assert user.failures() == 3


def test_verify_cannot_be_used_to_guess(admin, slapd):
    user = Enrolled(slapd)
    for _ in range(12):
        admin.run("verify", user.uid, user.device.wrong(), status=1)
    locked = admin.run("verify", user.uid, user.device.settle().code(), status=1)
    assert "nothing is said about the code" in locked.out and "of device" not in locked.out


def test_verify_says_nothing_where_it_cannot_count(admin, slapd):
    user = Enrolled(slapd)
    with slapd.access_first(f'to attrs=peruserMfaFailures by dn.exact="{slapd.admin_dn}" read by * break'):
        done = admin.run("verify", user.uid, user.device.wrong(), status=1)
    assert "nothing is said about the code" in done.err and not done.out


def test_verify_with_a_lock_and_without_mfa(admin, slapd):
    user = Enrolled(slapd).set(peruserMfaFailures=f"100 {int(time.time())} {'t' * 22}")
    row, = admin.json("verify", user.uid, user.device.settle().code(), status=1)
    assert row["result"] == "locked" and row["offset_steps"] is None
    suspended = Enrolled(slapd, peruserMfaEnabled="FALSE")
    assert admin.json("verify", suspended.uid, suspended.device.settle().code(), status=1)[0]["offset_steps"] == 0
