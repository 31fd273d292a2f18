# SPDX-License-Identifier: GPL-2.0-or-later
"""The page as the shipped examples run it: Apache, nginx with spawn-fcgi, lighttpd, socket activation by systemd."""
import re
import socket
import ssl
import subprocess
import time

import pytest

from lib.page import key_of
from lib.totp import Device
from lib.user import User
from lib.web_server import EXAMPLES, PROGRAM, ShippedPage, system_calls
from test_enroll_headers import HEADERS

SERVERS = ("apache-fastcgi", "apache-cgi", "nginx", "lighttpd")
SLOW = 6   # clients at once that do not get on; the examples have four workers


@pytest.fixture(scope="module", params=SERVERS)
def page(request, slapd, ring):
    with ShippedPage(slapd, request.param, ring=ring, settings={
            "throttle.address_attempts": 100000, "http.trusted_proxies": "127.0.0.1"}) as server:
        yield server


def protected(answer):
    return all(answer.header(name) == value for name, value in HEADERS.items())


def test_from_sign_in_to_a_login_with_a_code(page, slapd, client):
    user, visitor = User(slapd), page.visitor()
    signed_in = visitor.sign_in(user.uid, user.password)
    assert signed_in.status == 200 and protected(signed_in), (signed_in, page.all_logs())
    form = visitor.get("/on")
    device = Device(key_of(form)).settle()
    codes = visitor.follow(visitor.submit(form, "/on", code=device.code(), name="Phone"))
    assert codes.status == 200 and protected(codes) and user.get("peruserMfaEnabled") == "TRUE"
    challenge = user.start(client)
    assert challenge.challenged and user.answer(client, challenge, device.code(1)).accepted
    assert visitor.submit(visitor.get("/"), "/sign-out").header("Location") == "/mfa/sign-in"


def test_headers_and_cookie_are_ours(page):
    visitor = page.visitor()
    for path, status in (("/sign-in", 200), ("/nothing", 404), ("/on", 303), ("/?a=b", 400), ("", 303)):
        answer = visitor.get(path)
        assert answer.status == status and protected(answer), (path, answer)
    assert visitor.get("").header("Location") == "/mfa/sign-in"
    cookie, = [value for name, value in page.visitor().get("/sign-in").headers if name.lower() == "set-cookie"]
    assert cookie.startswith("__Host-mfa=") and "; Secure" in cookie
    style = visitor.get("/style.css")
    assert style.status == 200 and style.header("Content-Type").startswith("text/css")


@pytest.mark.parametrize("path", [
    "/mfa/sign%2din", "/mfa/%73ign-in", "/mfa//sign-in", "//mfa/sign-in", "/mfa/x/../sign-in", "/mfa/./sign-in",
    "/mfa/%2e%2e/mfa/sign-in", "/mfa/x/%2e%2e/sign-in", "/%6dfa/sign-in", "/mfa/sign-in%0a"])
def test_another_spelling_is_the_same_page_or_none(page, path):
    answer = page.visitor().request("GET", path)
    assert answer.status in (200, 301, 308, 400, 403, 404), answer
    if answer.status == 200:
        assert "<title>Sign in" in answer.text and protected(answer)


@pytest.mark.parametrize("path", [
    "/mfa/sign-in/", "/mfa/sign-in/x", "/mfax/sign-in", "/mfa/..%2f..%2fetc/passwd", "/mfa/../mfax", "/mfa/%00",
    "/mfa/style.css/../../../etc/passwd", "/mfa/peruser-mfa-enroll"])
def test_what_is_no_page(page, path):
    answer = page.visitor().request("GET", path)
    assert answer.status in (400, 403, 404), answer


def test_the_visitor_behind_a_trusted_proxy(page):
    """Anybody here is a trusted proxy: what it adds is believed, what was there before is not."""
    visitor = page.visitor()
    form = {**visitor.get("/sign-in").form("/sign-in"), "user": "nobody", "password": "x"}
    assert visitor.post("/sign-in", form, headers={"X-Forwarded-For": "1.2.3.4, 2001:db8::7"}).status == 403
    assert " 2001:db8::7: password refused" in page.all_logs() and "1.2.3.4" not in page.all_logs()
    assert visitor.post("/sign-in", form).status == 403
    assert " 127.0.0.1: password refused" in page.all_logs()


def test_another_spelling_opens_nothing(page):
    for path in ("/mfa/%6fn", "/mfa//on", "/mfa/x/../on", "/mfa/sign-in/../off"):
        answer = page.visitor().request("GET", path)
        assert answer.status in (301, 400, 404) or answer.header("Location") == "/mfa/sign-in", (path, answer)


def test_a_large_body_is_refused(page):
    visitor = page.visitor()
    form = {**visitor.get("/sign-in").form("/sign-in"), "user": "a"}
    assert visitor.post("/sign-in", {**form, "password": "a" * 9000}).status == 413
    try:
        assert visitor.post("/sign-in", {**form, "password": "a" * 100000}).status == 413
    except (ssl.SSLError, ConnectionError):
        pass   # the server answered and hung up before all of it was sent
    assert visitor.get("/sign-in").status == 200


def begin(page, text):
    """A connection on which a request has begun."""
    context = ssl.create_default_context(cafile=str(page.slapd.ca_file))
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", page.port)), server_hostname="localhost")
    connection.sendall(text)
    return connection


@pytest.mark.parametrize("text", [
    b"GET /mfa/sign-in HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
    b"POST /mfa/sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 8000\r\n\r\nuser="], ids=["head", "body"])
def test_slow_clients_hold_up_nobody_else(page, slapd, text):
    user = User(slapd)
    slow = [begin(page, text) for _ in range(SLOW)]
    begun = time.monotonic()
    assert page.visitor().sign_in(user.uid, user.password).status == 200
    # Apache passes a body on as it comes: a worker waits for it, and gives up.
    assert time.monotonic() - begun < (30 if page.example == "apache-fastcgi" else 4)
    for connection in slow:
        connection.close()


def test_the_log_holds_no_secret(page, slapd):
    user, visitor = User(slapd), page.visitor()
    visitor.sign_in(user.uid, user.password)
    log = page.all_logs()
    for secret in (user.password, *visitor.cookies.values()):
        assert secret not in log


# ---- the units

def test_systemd_takes_the_units(tmp_path, page):
    for name in ("service", "socket"):
        text = (EXAMPLES / f"peruser-mfa-enroll.{name}").read_text()
        (tmp_path / f"peruser-mfa-enroll.{name}").write_text(text.replace(PROGRAM, str(page.program)))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *map(str, tmp_path.glob("peruser-mfa-enroll.*"))],
                          capture_output=True, text=True)
    assert done.returncode == 0 and "peruser-mfa-enroll" not in done.stderr, done.stderr


def test_the_service_may_do_little():
    done = subprocess.run(["systemd-analyze", "security", "--offline=true", EXAMPLES / "peruser-mfa-enroll.service"],
                          capture_output=True, text=True)
    assert float(re.search(r"Overall exposure level .*: ([\d.]+) ", done.stdout)[1]) < 2
    assert "execve" in system_calls() and not {"ptrace", "mount", "setuid", "bpf", "reboot"} & set(system_calls())
