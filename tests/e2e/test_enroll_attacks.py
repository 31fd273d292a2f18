# SPDX-License-Identifier: GPL-2.0-or-later
"""The enrolment page by plain HTTP: what must not work."""
import socket
import ssl
import time

import pytest

from lib.page import Page, key_of
from lib.totp import Device
from lib.user import Enrolled, User

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def page(slapd, ring):
    with Page(slapd, ring=ring, settings={"throttle.address_attempts": 100000, "throttle.wait": 10}) as server:
        yield server


@pytest.fixture
def user(slapd):
    return User(slapd)


@pytest.fixture
def visitor(page, user):
    visitor = page.visitor()
    assert visitor.sign_in(user.uid, user.password).status == 200
    return visitor


def altered(text, position=20):
    return text[:position] + ("A" if text[position] != "A" else "B") + text[position + 1:]


@pytest.mark.parametrize("token", [None, "", "AAAA"])
def test_a_form_without_its_token_is_refused(page, slapd, visitor, token):
    form = visitor.get("/on")
    fields = form.form("/on")
    fields.update(code=Device(key_of(form)).code(), name="P")
    if token is None:
        del fields["csrf"]
    else:
        fields["csrf"] = token
    assert visitor.post("/on", fields).status == 403


def test_a_token_of_another_session_or_form_is_refused(page, slapd, visitor, user):
    enrolled = Enrolled(slapd)
    other = page.visitor()
    other.sign_in(enrolled.uid, enrolled.password)
    foreign = other.get("/off").form("/off")["csrf"]
    form = visitor.get("/on")
    code = Device(key_of(form)).code()
    assert visitor.submit(form, "/on", csrf=foreign, code=code, name="P").status == 403
    elsewhere = form.form("/sign-out")["csrf"]
    assert visitor.submit(form, "/on", csrf=elsewhere, code=code, name="P").status == 403
    assert user.get("peruserMfaSecret") is None


def test_an_altered_doubled_or_foreign_cookie_signs_nobody_in(page, visitor, slapd):
    good = visitor.cookies["__Host-mfa"]
    for bad in (altered(good), good[:-4], "", "x", good + "A", "A" * 6000):
        visitor.cookies["__Host-mfa"] = bad
        answer = visitor.get("/", headers={"Cookie": f"__Host-mfa={bad}"})
        assert answer.status in (303, 400, 431), answer
        assert answer.status != 303 or answer.header("Location").endswith("/sign-in")
    assert visitor.get("/", headers={"Cookie": f"__Host-mfa={good}; __Host-mfa={good}"}).status == 303
    with Page(slapd) as elsewhere:
        assert elsewhere.visitor().get("/", headers={"Cookie": f"__Host-mfa={good}"}).status == 303


def session_id(page, cookie):
    """Which session a cookie is of: two boxes of the same session never look alike."""
    return page.ring.unbox("session", cookie, "session")[8:24]


def test_signing_in_begins_a_new_session(page, user):
    visitor = page.visitor()
    form = visitor.get("/sign-in")
    planted = visitor.cookies["__Host-mfa"]
    visitor.submit(form, "/sign-in", user=user.uid, password=user.password)
    assert session_id(page, visitor.cookies["__Host-mfa"]) != session_id(page, planted)
    assert page.visitor().get("/", headers={"Cookie": f"__Host-mfa={planted}"}).status == 303


def copy_of(page, visitor):
    other = page.visitor()
    other.cookies = dict(visitor.cookies)
    return other


def is_signed_in(visitor):
    return visitor.get("/").status == 200


def test_signing_out_ends_every_copy_of_the_session(page, visitor, user):
    copy, elsewhere = copy_of(page, visitor), page.visitor()
    assert elsewhere.sign_in(user.uid, user.password).status == 200 and is_signed_in(copy)
    form = copy.get("/on")
    out = visitor.submit(visitor.get("/"), "/sign-out", which=0)
    assert out.status == 303 and visitor.get("/").header("Location").endswith("/sign-in")
    assert copy.submit(form, "/on", code="123456", name="P").header("Location").endswith("/sign-in")
    assert not is_signed_in(copy) and is_signed_in(elsewhere)


def test_signing_out_everywhere(page, visitor, user):
    elsewhere = page.visitor()
    assert elsewhere.sign_in(user.uid, user.password).status == 200
    out = visitor.submit(visitor.get("/"), "/sign-out", which=1)
    assert "signed out in all browsers" in visitor.follow(out).words
    assert not is_signed_in(elsewhere) and not is_signed_in(visitor)
    assert visitor.sign_in(user.uid, user.password).status == 200   # also within the same second


def test_a_code_that_was_given_is_good_for_one_device(page, slapd):
    """Neither a copy of the cookie from before, nor a use of the record elsewhere, leaves the door open."""
    enrolled, visitor = Enrolled(slapd), page.visitor()
    enrolled.device.settle(8)
    visitor.sign_in(enrolled.uid, enrolled.password)
    form = visitor.follow(visitor.submit(visitor.get("/device/add"), "/device/add", code=enrolled.device.code(-1)))
    copy, second = copy_of(page, visitor), Device(key_of(form))
    assert copy.get("/device/new").status == 200
    assert visitor.submit(form, "/device/new", code=second.code(), name="Second").status == 303
    assert copy.get("/device/new").header("Location").endswith("/device/add")
    assert visitor.get("/device/new").header("Location").endswith("/device/add")


def test_another_site_signs_nobody_out(page, visitor):
    foreign = {"Sec-Fetch-Site": "cross-site"}
    assert visitor.get("/", headers=foreign).status == 200   # a link in a web mail
    form = visitor.get("/on").form("/on")
    for path in ("/on", "/sign-in", "/sign-out"):
        answer = visitor.post(path, {**form, "code": "1", "name": "P"}, headers=foreign)
        assert answer.status == 403 and not answer.header("Set-Cookie"), path
    withheld = visitor.post("/off", {"csrf": "x", "code": "1"}, headers={"Cookie": ""})
    assert withheld.status == 303 and "__Host-mfa=" not in str(withheld.headers)
    assert is_signed_in(visitor)


def test_an_activation_form_is_good_once(page, visitor, user):
    """Turned on, turned off: the first key does not come back by sending its form again."""
    form = visitor.get("/on")
    device = Device(key_of(form)).settle(8)
    fields = {**form.form("/on"), "name": "P"}
    assert visitor.post("/on", {**fields, "code": device.code(-1)}).status == 303
    assert visitor.post("/on", {**fields, "code": device.code()}).status == 409
    assert visitor.submit(visitor.get("/off"), "/off", code=device.code()).status == 303
    again = visitor.post("/on", {**fields, "code": device.code(1)})
    assert again.status == 409 and key_of(again) != device.secret
    assert user.get("peruserMfaSecret") is None and user.get("peruserMfaEnabled") == "FALSE"


def test_a_pending_key_is_of_no_use_to_another_user_or_altered(page, visitor, slapd, user):
    other_user = User(slapd)
    other = page.visitor()
    other.sign_in(other_user.uid, other_user.password)
    form = visitor.get("/on")
    code = Device(key_of(form)).code()
    stolen = form.form("/on")["pending"]
    refused = other.submit(other.get("/on"), "/on", pending=stolen, code=code, name="P")
    assert refused.status == 409 and key_of(refused) != key_of(form)
    other.cookies["__Host-mfa-key"] = visitor.cookies["__Host-mfa-key"]
    assert key_of(other.get("/on")) != key_of(form)
    assert visitor.submit(form, "/on", pending=altered(stolen), code=code, name="P").status == 409
    for who in (user, other_user):
        assert who.get("peruserMfaSecret") is None


@pytest.mark.parametrize("method,path,status", [
    ("GET", "/nothing", 404), ("GET", "/On", 404), ("GET", "/on/", 404), ("GET", "/..%2f..%2fetc/passwd", 404),
    ("PUT", "/on", 405), ("DELETE", "/", 405), ("POST", "/", 405), ("GET", "/sign-out", 405), ("GET", "/?a=b", 400),
    ("GET", "/device/remove", 400), ("GET", "/on?csrf=a", 400)])
def test_wrong_paths_methods_and_queries(page, visitor, method, path, status):
    answer = visitor.request(method, page.visitor().base + path)
    assert answer.status == status and "<h1>" in answer.text, answer
    assert status != 405 or answer.header("Allow")


def test_bodies_that_are_no_form(page, visitor):
    form = visitor.get("/on").form("/on")
    post = lambda body, headers=FORM: visitor.request("POST", "/mfa/on", body, headers).status  # noqa: E731
    assert post(b"a" * 8193) == 413
    assert post(b"{}", {"Content-Type": "application/json"}) == 415
    assert post(b"code=1", {}) == 415
    for body in (b"code=1&code=2", b"unknown=1", b"code=%zz", b"code=%00", b"code", b"&", b"code=\xff", b"name=%0a"):
        assert post(b"csrf=" + form["csrf"].encode() + b"&" + body) == 400, body


def test_wrong_password_unknown_user_and_injection_are_answered_alike(page, user):
    def answer(name, password):
        begun = time.monotonic()
        reply = page.visitor().sign_in(name, password)
        return reply.status, reply.words.replace(name, ""), time.monotonic() - begun
    wrong = answer(user.uid, "wrong")
    for name in ("nobody-at-all", "*", "u*)(uid=*", f"{user.uid})(objectClass=*", "a" * 128):
        other = answer(name, "wrong")
        assert other[:2] == wrong[:2], name
        assert other[2] > 0.4
    assert wrong[0] == 403 and wrong[2] > 0.4


def test_what_users_type_is_escaped(page, visitor, user, slapd):
    name = '"><script>alert(1)</script>'
    answer = page.visitor().sign_in(name, "x")
    assert "<script>alert" not in answer.text and "&lt;script&gt;alert" in answer.text
    form = visitor.get("/on")
    device = Device(key_of(form))
    bad = visitor.submit(form, "/on", code=device.wrong(), name=name)
    assert "<script>alert" not in bad.text and "&lt;script&gt;" in bad.text


def test_passwords_are_throttled_by_user_over_restarts_and_a_right_one_passes_later(page, user, visitor):
    statuses = [page.visitor().sign_in(user.uid.upper() if i % 2 else user.uid, "wrong").status for i in range(6)]
    assert statuses == [403] * 5 + [429]
    page.workers.restart()
    locked = page.visitor().sign_in(user.uid, user.password)
    assert locked.status == 429 and int(locked.header("Retry-After")) <= 10
    time.sleep(int(locked.header("Retry-After")) + 0.2)
    assert page.visitor().sign_in(user.uid, user.password).status == 200


def test_addresses_are_throttled(slapd, ring, user):
    with Page(slapd, ring=ring, settings={"throttle.address_attempts": 3}) as page:
        statuses = [page.visitor().sign_in(f"nobody{i}", "x").status for i in range(5)]
    assert statuses == [403] * 3 + [429] * 2


def test_wrong_codes_lock_as_at_radius(page, slapd):
    enrolled = Enrolled(slapd)
    visitor = page.visitor()
    visitor.sign_in(enrolled.uid, enrolled.password)
    form, seen = visitor.get("/off"), []
    for _ in range(5):
        seen.append(enrolled.device.wrong(seen))
        answer = visitor.submit(form, "/off", code=seen[-1])
    assert enrolled.failures() == 5 and answer.status == 429
    assert visitor.submit(form, "/off", code=enrolled.device.code()).status == 429
    assert enrolled.get("peruserMfaEnabled") == "TRUE"


def test_plain_http_is_refused(slapd, ring):
    with Page(slapd, ring=ring, tls=False, settings={"http.allow_plain_loopback": False}) as page:
        refused = page.visitor().get("/sign-in")
        assert refused.status == 403 and "HTTPS only" in refused.words and not refused.header("Set-Cookie")
    with Page(slapd, ring=ring, tls=False) as page:
        allowed = page.visitor().get("/sign-in")
        assert allowed.status == 200 and allowed.header("Set-Cookie").startswith("mfa=")


def test_a_slow_body_holds_up_nobody_else(page, visitor):
    context = ssl.create_default_context(cafile=str(page.slapd.ca_file))
    with context.wrap_socket(socket.create_connection(("127.0.0.1", page.port)), server_hostname="localhost") as slow:
        slow.sendall(b"POST /mfa/on HTTP/1.1\r\nHost: localhost\r\nContent-Length: 8000\r\n"
                     b"Content-Type: application/x-www-form-urlencoded\r\n\r\ncode=")
        begun = time.monotonic()
        assert visitor.get("/").status == 200 and time.monotonic() - begun < 3


def test_no_secret_in_any_log(page, slapd):
    user = User(slapd)
    visitor = page.visitor()
    visitor.sign_in(user.uid, user.password)
    form = visitor.get("/on")
    device = Device(key_of(form))
    code = device.code()
    visitor.submit(form, "/on", code=code, name="P")
    log = page.all_logs()
    assert user.uid in log
    for secret in (user.password, device.secret, code, visitor.cookies["__Host-mfa"]):
        assert secret not in log
