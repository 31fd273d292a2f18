# SPDX-License-Identifier: GPL-2.0-or-later
"""The page and the command with the ledger in etcd: all three programs look into the same book."""
import time

import pytest

from lib.admin import Admin
from lib.etcd import Etcd
from lib.page import Page, codes_of, key_of
from lib.radius_server import FreeRadius
from lib.totp import Device
from lib.user import Enrolled, User

ALMOST_LOCKED = "AAAAAAAAAAAAAAAAAAAAAA"


@pytest.fixture(scope="module")
def etcd():
    with Etcd() as cluster:
        yield cluster


@pytest.fixture(scope="module")
def radius(slapd, ring, etcd):
    with FreeRadius(slapd, ring=ring, settings=etcd.settings()) as server:
        yield server


@pytest.fixture(scope="module")
def page(slapd, ring, etcd):
    with Page(slapd, ring=ring, shared=etcd.settings(), settings={"throttle.address_attempts": 100000}) as server:
        yield server


@pytest.fixture(scope="module")
def admin(slapd, ring, etcd):
    with Admin(slapd, ring, settings={name.replace(".", "__"): value for name, value in etcd.settings().items()}) \
            as command:
        yield command


def failed(count):
    return {"failures": f"{count} {int(time.time())} {ALMOST_LOCKED}"}


def signed_in(page, user):
    visitor = page.visitor()
    assert visitor.sign_in(user.uid, user.password).status == 200
    return visitor


def test_the_code_that_turned_it_on_is_no_login(slapd, etcd, page, client):
    user = User(slapd)
    visitor = signed_in(page, user)
    form = visitor.get("/on")
    device = Device(key_of(form)).settle(8)
    code = device.code()
    shown = visitor.follow(visitor.submit(form, "/on", code=code, name="Phone"))
    assert len(set(codes_of(shown))) == 10
    assert etcd.get(user)["last_use"].split()[0] == str(device.step())
    assert user.get("peruserMfaLastUse") is None and user.get("peruserMfaEnabled") == "TRUE"
    reply = user.answer(client, user.start(client), code)
    assert reply.rejected and reply.result == "replayed"
    assert user.answer(client, user.start(client), device.code(1)).accepted


def test_a_code_of_a_login_is_none_on_the_page(slapd, etcd, page, client):
    user = Enrolled(slapd)
    user.device.settle(8)
    code = user.device.code()
    assert user.answer(client, user.challenge(client), code).accepted
    visitor = signed_in(page, user)
    answer = visitor.submit(visitor.get("/off"), "/off", code=code)
    assert answer.status == 403 and user.get("peruserMfaEnabled") == "TRUE"
    answer = visitor.submit(visitor.get("/off"), "/off", code=user.device.code(1))
    assert answer.status == 303 and user.get("peruserMfaEnabled") != "TRUE"


def test_wrong_codes_on_the_page_count_for_logins(slapd, etcd, page, client):
    user = Enrolled(slapd)
    etcd.put(user, failed(4))
    visitor = signed_in(page, user)
    assert visitor.submit(visitor.get("/off"), "/off", code=user.device.wrong()).status == 429
    assert etcd.get(user)["failures"].split()[0] == "5"
    assert user.start(client).result == "locked"


def test_the_command_sees_what_is_in_etcd(slapd, etcd, admin, client):
    user = Enrolled(slapd)
    assert user.login(client).accepted
    etcd.put(user, {**etcd.get(user), **failed(7)})
    row, = admin.json("status", user.uid)
    assert row["last_use"] and row["failures"]["count"] == 7
    assert user.uid in [row["user"] for row in admin.json("list", "--locked")]


def test_unlock_and_reset_change_etcd(slapd, etcd, admin, client):
    user = Enrolled(slapd)
    etcd.put(user, failed(100))
    assert user.start(client).result == "locked"
    admin.run("unlock", user.uid)
    assert "failures" not in etcd.get(user) and user.login(client).accepted
    etcd.put(user, {**etcd.get(user), **failed(2)})
    admin.run("reset", user.uid)
    assert "failures" not in etcd.get(user) and user.get("peruserMfaSecret") is None


MOVE = None
STAGES = (("ldap", "ldap"), ("both", "ldap"), ("both", "both"), MOVE, ("etcd", "both"), ("etcd", "etcd"),
          ("etcd", "both"), ("both", "both"), MOVE, ("both", "ldap"), ("ldap", "ldap"))


def test_no_code_counts_twice_while_the_ledger_moves(slapd, etcd, ring, admin):
    """There and back, one server at a time: what one accepted, the other one never does."""
    def settings(kind):
        return {**etcd.settings(), "ledger.type": kind}

    used = []
    with FreeRadius(slapd, ring=ring, settings=settings("ldap")) as one, \
            FreeRadius(slapd, ring=ring, settings=settings("ldap")) as two, \
            one.client() as at_one, two.client() as at_two:
        for stage in STAGES:
            if stage is MOVE:
                admin.configure(**{name.replace(".", "__"): value for name, value in settings("both").items()})
                admin.run("ledger", "move")
                assert "0 changed" in admin.run("ledger", "move").out
                continue
            for server, kind in zip((one, two), stage):
                if server.settings["ledger.type"] != kind:
                    server.configure(settings=settings(kind))
                    server.restart()
            for first, second in ((at_one, at_two), (at_two, at_one)):
                user = Enrolled(slapd)
                code = user.device.code()
                reply = user.answer(first, user.challenge(first), code)
                assert reply.accepted, (stage, reply)
                reply = user.answer(second, user.challenge(second), code)
                assert reply.result == "replayed", (stage, reply)
                used.append((user, code))
            for user, code in used:
                for nas in (at_one, at_two):
                    assert not user.answer(nas, user.challenge(nas), code).accepted, stage


def test_the_move_is_refused_before_every_server_knows(slapd, etcd, admin):
    admin.configure(**{name.replace(".", "__"): value for name, value in etcd.settings().items()})
    done = admin.run("ledger", "move", status=1)
    assert 'type = "both"' in done.err


def test_check_looks_at_each_member(slapd, etcd, admin):
    rows = [line for line in admin.run("check", status=None).out.splitlines() if "https://" in line]
    assert len(rows) == 3 and all("answers, and 'peruser-mfa' may read and write" in row for row in rows)
    etcd.members[1].kill()
    out = admin.run("check", status=None).out
    etcd.wait_healthy()
    rows = [line for line in out.splitlines() if "https://" in line]
    assert [etcd.members[1].url in row and "onnect" in row for row in rows] == [False, True, False]


def test_a_silent_ledger_is_no_answer_of_the_command(slapd, etcd, admin):
    user = Enrolled(slapd)
    for member in etcd.members[1:]:
        member.sigstop()
    try:
        done = admin.run("status", user.uid, status=None)
        assert done.status != 0 and "etcd" in done.err and "enrolled" not in done.out
    finally:
        etcd.wait_healthy()
