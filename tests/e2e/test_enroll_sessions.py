# SPDX-License-Identifier: GPL-2.0-or-later
"""The enrollment page: what ends a session, what belongs to one session only, and what the program may do at all."""
import time
from pathlib import Path

import pytest

from lib.page import Page, codes_of, key_of
from lib.ring import new_recovery_code
from lib.totp import Device
from lib.user import Enrolled, User

OPEN = "(&(uid=%{%{Stripped-User-Name}:-%{User-Name}})(!(mail=closed@example.org)))"


@pytest.fixture(scope="module")
def page(slapd, ring):
    with Page(slapd, ring=ring, shared={"user.filter": OPEN},
              settings={"throttle.address_attempts": 100000, "throttle.wait": 10}) as server:
        yield server


def signed_in(page, user):
    visitor = page.visitor()
    assert visitor.sign_in(user.uid, user.password).status == 200
    return visitor


def status_of(pid):
    return dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)


def test_the_page_may_do_little(page, slapd):
    """A filter of system calls, no new privileges, no core dump: whoever takes the program over gets little."""
    signed_in(page, User(slapd))
    for pid in page.workers.pids():
        status = status_of(pid)
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1", status
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        assert next(line for line in limits if line.startswith("Max core file size")).split()[4:6] == ["0", "0"]


@pytest.mark.parametrize("change", ["closed", "another entry"])
def test_a_session_ends_with_what_let_it_begin(page, slapd, change):
    """The filter that a user has to match, and the very entry: another one may have the same name later."""
    user = User(slapd)
    visitor = signed_in(page, user)
    if change == "closed":
        user.set(mail="closed@example.org")
    else:
        with slapd.connect() as root:
            root.delete_s(user.dn)
        slapd.add_users(slapd.person(user.uid, "another-password"))
    answer = visitor.get("/")
    assert answer.status == 303 and answer.header("Location").endswith("/sign-in")


def turned_on(page, user):
    """Just enrolled; the answer that leads to the recovery codes was not followed."""
    visitor = signed_in(page, user)
    form = visitor.get("/on")
    device = Device(key_of(form)).settle()
    assert visitor.submit(form, "/on", code=device.code(), name="P").status == 303
    return visitor


def test_recovery_codes_are_shown_to_their_session_only(page, slapd):
    user = User(slapd)
    visitor = turned_on(page, user)
    other = signed_in(page, user)
    for name, value in visitor.cookies.items():
        other.cookies.setdefault(name, value)
    assert not codes_of(other.follow(other.get("/codes")))
    assert len(codes_of(visitor.get("/codes"))) == 10


def test_signing_out_takes_the_recovery_codes_away(page, slapd):
    visitor = turned_on(page, User(slapd))
    assert any("codes" in name for name in visitor.cookies)
    visitor.submit(visitor.get("/"), "/sign-out")
    assert not any("codes" in name for name in visitor.cookies)


def test_a_recovery_code_removes_no_device(page, slapd, ring):
    code, devices = new_recovery_code(), [Device(), Device()]
    user = Enrolled(slapd, devices[0], peruserMfaSecret=[device.secret for device in devices])
    user.set(peruserMfaRecoveryCode=ring.recovery(code, user.entry_id))
    visitor = signed_in(page, user)
    link = next(link for link in visitor.get("/").page.links if "/device/remove" in link)
    answer = visitor.submit(visitor.request("GET", link), "/device/remove", code=code)
    assert answer.status == 403 and len(slapd.get(user.uid, "peruserMfaSecret")) == 2
    assert user.get("peruserMfaRecoveryCode"), "nor is it used up"


def test_forgetting_takes_the_token_of_a_trusted_device(page, slapd):
    later = int(time.time()) + 86400
    values = [f"k1$hash{i} {later} 02-00-00-00-00-0{i}" for i in range(2)]
    user = Enrolled(slapd, peruserMfaTrustedDevice=values)
    visitor = signed_in(page, user)
    fields = visitor.get("/trusted").form("/trusted")
    for device in (fields["csrf"], "A" * len(fields["device"]), "x"):
        assert visitor.post("/trusted", {**fields, "device": device}).status == 404
    assert slapd.get(user.uid, "peruserMfaTrustedDevice") == values


def test_vouchers_are_counted(slapd, ring):
    """Five wrong ones, then even the right one has to wait."""
    with Page(slapd, ring=ring, settings={"enroll.require_voucher": True, "throttle.address_attempts": 100000}) as page:
        user, right = User(slapd), new_recovery_code()
        user.set(peruserMfaVoucher=ring.voucher(right, user.entry_id, int(time.time()) + 600))
        visitor = signed_in(page, user)
        form = visitor.get("/on")
        device = Device(key_of(form)).settle()
        statuses = [visitor.submit(form, "/on", code=device.code(), name="P", voucher=new_recovery_code()).status
                    for _ in range(30)]
        assert statuses[0] == 403 and statuses[-1] == 429
        assert visitor.submit(form, "/on", code=device.code(), name="P", voucher=right).status == 429
        assert user.get("peruserMfaEnabled") is None
