# SPDX-License-Identifier: GPL-2.0-or-later
"""The connection breaks at each LDAP operation in turn: nothing is called done, or not done, that is not so."""
import itertools
import time

import pytest

from lib.admin import Admin
from lib.cut import MODIFY, Cut
from lib.page import Page, key_of
from lib.totp import Device, new_secret
from lib.user import Enrolled, User

NAMES = ("Enabled", "Secret", "RequiredFrom", "LastUse", "Failures", "RecoveryCode", "Voucher", "TrustedDevice")
LATER = int(time.time()) + 86400
TRUSTED = [f"k1$hash{i} {LATER} 02-00-00-00-00-0{i}" for i in range(3)]
# How it breaks: (the server got the request, new connections work).
WAYS = [(False, True), (True, True), (False, False), (True, False)]


def record(user):
    """All that the directory has about a user's MFA."""
    return {name: sorted(user.slapd.get(user.uid, "peruserMfa" + name)) for name in NAMES}


def each_break(cut, most=40, ends=True):
    """Every operation, in every way; the body is run until there is none left to cut off."""
    for answered, back in WAYS:
        for number in itertools.count(1):
            if number == most and not ends:
                break
            assert number < most, "it never ends"
            yield lambda n=number, a=answered, b=back: cut.at(n, a, b)
            was_cut = cut.was_cut
            cut.heal()
            if not was_cut:
                break


@pytest.fixture(scope="module")
def cut(slapd):
    with Cut(slapd.port) as relay:
        yield relay


# ---- the command

@pytest.fixture(scope="module")
def admin(slapd, ring, cut):
    with Admin(slapd, ring, build="release", settings={"ldap__uri": cut.uri, "ldap__timeout": 2}) as command:
        yield command


def enrolled(slapd):
    return Enrolled(slapd, peruserMfaRecoveryCode=["k1$old"], peruserMfaTrustedDevice=TRUSTED)


def locked(slapd):
    return Enrolled(slapd, peruserMfaFailures=f"100 {int(time.time())} {'t' * 22}")


def suspended(slapd):
    return Enrolled(slapd, peruserMfaEnabled="FALSE")


def required(slapd):
    return User(slapd, peruserMfaRequiredFrom="20200101000000Z")


# name: who, the words, what is so when it is done
CHANGES = {
    "reset": (enrolled, ["reset"], lambda now: not now["Secret"] and not now["TrustedDevice"]),
    "suspend": (enrolled, ["suspend"], lambda now: now["Enabled"] == ["FALSE"]),
    "resume": (suspended, ["resume"], lambda now: now["Enabled"] == ["TRUE"]),
    "invite": (User, ["invite"], lambda now: now["Enabled"] == ["TRUE"]),
    "voucher": (User, ["invite", "--voucher"], lambda now: now["Enabled"] == ["TRUE"] and len(now["Voucher"]) == 1),
    "require": (User, ["require"], lambda now: len(now["RequiredFrom"]) == 1),
    "not required": (required, ["require", "--remove"], lambda now: not now["RequiredFrom"]),
    "unlock": (locked, ["unlock"], lambda now: not now["Failures"]),
    "recovery": (enrolled, ["recovery"], lambda now: len(now["RecoveryCode"]) == 10),
    "enroll": (User, ["enroll", "--no-confirm"], lambda now: len(now["Secret"]) == 1 and now["Enabled"] == ["TRUE"]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_by_the_command(admin, slapd, cut, name):
    make, words, is_done = CHANGES[name]
    for begin in each_break(cut):
        user = make(slapd)
        before = record(user)
        begin()
        run = admin.run(*words, user.uid, "--json", status=None)
        now = record(user)
        row = next((row for row in run.rows if "outcome" in row), None)
        if run.status == 0:
            assert row["outcome"] == "changed" and is_done(now), (cut.number, run, now)
        else:
            assert row is None or row["outcome"] == "failed", run
        if now != before:
            assert "nothing was written" not in run.err + run.out, run
            assert run.status == 0 or "not known" in run.err, (cut.number, run, before, now)


def test_an_import_by_the_command(admin, slapd, cut):
    """All or nothing: what was written is taken back, or the output says that it is not known."""
    for begin in each_break(cut):
        users = [User(slapd), User(slapd)]
        rows = "".join(f"{user.uid},{new_secret()}\n" for user in users)
        path = admin.file("rows.csv", "user,secret\n" + rows)
        begin()
        run = admin.run("import", "--all-or-nothing", path, "--json", status=None)
        there = [len(record(user)["Secret"]) for user in users]
        assert there == [1, 1] if run.status == 0 else there == [0, 0] or "not known" in run.err or \
            "not taken back" in run.err, (cut.number, run, there)


@pytest.mark.parametrize("words", [["status"], ["list"], ["report"], ["keys"], ["rekey", "--dry-run"]], ids=" ".join)
def test_what_the_command_reads(admin, slapd, cut, words):
    """The same answer as ever, or a failure. Each user is asked for, so the operations grow with the directory."""
    user = enrolled(slapd)
    words = [*words, user.uid] if words == ["status"] else words
    expected = admin.json(*words)
    for begin in each_break(cut, most=25, ends=False):
        begin()
        run = admin.run(*words, "--json", status=None)
        assert run.status == 3 if run.status else run.rows == expected, (cut.number, run)


# ---- the page

@pytest.fixture(scope="module")
def page(slapd, ring, cut):
    with Page(slapd, ring=ring, settings={"throttle.address_attempts": 100000},
              shared={"ldap.uri": cut.uri, "ldap.timeout": 2}) as server:
        yield server


def code_form(path):
    """Ask for a form and fill in the code of the user's device."""
    def prepare(visitor, user):
        form = visitor.get(path)
        return path, {**form.form(path), "code": user.device.settle(3).code()}
    return prepare


def turn_on(visitor, user):
    form = visitor.get("/on")
    return "/on", {**form.form("/on"), "code": Device(key_of(form)).settle(3).code(), "name": "P"}


def add_device(visitor, user):
    user.device.settle(5)
    form = visitor.follow(visitor.submit(visitor.get("/device/add"), "/device/add", code=user.device.code(-1)))
    return "/device/new", {**form.form("/device/new"), "code": Device(key_of(form)).code(), "name": "P"}


def remove_device(visitor, user):
    user.set(peruserMfaSecret=[user.device.secret, new_secret()])
    link = next(link for link in visitor.get("/").page.links if "/device/remove" in link)
    form = visitor.request("GET", link)
    return "/device/remove", {**form.form("/device/remove"), "code": user.device.settle(3).code()}


def forget(which):
    return lambda visitor, user: ("/trusted", visitor.get("/trusted").page.forms[which][1])


FLOWS = {
    "on": (User, turn_on, lambda now: len(now["Secret"]) == 1 and len(now["RecoveryCode"]) == 10),
    "off": (enrolled, code_form("/off"), lambda now: not now["Secret"] and now["Enabled"] == ["FALSE"]),
    "add": (enrolled, add_device, lambda now: len(now["Secret"]) == 2),
    "remove": (enrolled, remove_device, lambda now: len(now["Secret"]) == 1),
    "recovery": (enrolled, code_form("/recovery"), lambda now: len(now["RecoveryCode"]) == 10),
    "forget one": (enrolled, forget(0), lambda now: now["TrustedDevice"] == TRUSTED[1:]),
    "forget all": (enrolled, forget(-1), lambda now: not now["TrustedDevice"]),
}


def sign_in(page, user):
    visitor = page.visitor()
    assert visitor.sign_in(user.uid, user.password).status == 200
    return visitor


@pytest.mark.parametrize("name", FLOWS)
def test_a_change_by_the_page(page, slapd, cut, name):
    make, prepare, is_done = FLOWS[name]
    for begin in each_break(cut):
        user = make(slapd)
        visitor = sign_in(page, user)
        path, fields = prepare(visitor, user)
        before = record(user)
        begin()
        answer = visitor.post(path, fields)
        now = record(user)
        if answer.status == 303 and not answer.header("Location").endswith(path) or "Forgotten" in answer.words:
            assert is_done(now), (cut.number, answer, now)
        elif now != before:
            assert answer.status == 303 or "not known" in answer.words, (cut.number, answer, before, now)
        if answer.status == 303 and path == "/trusted":
            was = cut.was_cut
            assert is_done(now) == ("Forgotten" in visitor.follow(answer).words) or was, (cut.number, answer)
            assert is_done(now), (cut.number, now)
        if "nothing was changed" in answer.words.lower():
            assert now == before, (cut.number, answer, before, now)


def test_trusted_devices_that_may_be_forgotten_are_shown(page, slapd, cut):
    """The write breaks each time: the page says that it is not known, and which devices there are."""
    user = enrolled(slapd)
    visitor = sign_in(page, user)
    path, fields = forget(-1)(visitor, user)
    cut.every(MODIFY)
    answer = visitor.post(path, fields)
    cut.heal()
    assert answer.status == 503 and "not known" in answer.words, answer
    assert all(f"02-00-00-00-00-0{i}" in answer.words for i in range(3))
    assert record(user)["TrustedDevice"] == TRUSTED
