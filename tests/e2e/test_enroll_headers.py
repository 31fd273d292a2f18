# SPDX-License-Identifier: GPL-2.0-or-later
"""Every answer of the enrolment page carries what protects it, whatever its path and status."""
import time

import pytest

from lib.page import Page, key_of
from lib.slapd import ENROLL_DN
from lib.totp import Device
from lib.user import Enrolled, User

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
                               "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000", "Cache-Control": "no-store"}
INLINE = ("style=", "<style", "<script>", "javascript:", " onclick", " onload", " onsubmit", 'src="http', "='http")
COOKIE = ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]
PAGES = ("/", "/on", "/off", "/device/add", "/device/new", "/device/remove?device=AAAA", "/recovery", "/lost", "/device/replace", "/codes",
         "/trusted", "/sign-in", "/style.css", "/page.js", "/icon.svg", "/sign-out", "/codes.txt", "/nothing", "/?a=b")


@pytest.fixture(scope="module")
def page(slapd, ring):
    with Page(slapd, ring=ring, settings={"throttle.address_attempts": 100000, "throttle.user_attempts": 1}) as server:
        yield server


def check(answer, status=None, **other):
    """The headers, the cookies, and that no code stands in the page itself."""
    assert status in (None, answer.status), answer
    for name, value in {**HEADERS, **{name.replace("_", "-"): value for name, value in other.items()}}.items():
        assert answer.header(name) == value, (answer, name)
    for value in [value for name, value in answer.headers if name.lower() == "set-cookie"]:
        pair, *attributes = value.split("; ")
        assert pair.partition("=")[0] in (
            "__Host-mfa", "__Host-mfa-codes", "__Host-mfa-known", "__Host-mfa-key", "__Host-mfa-draft")
        assert sorted(part for part in attributes if not part.startswith("Max-Age=")) == COOKIE
    if answer.header("Content-Type").startswith("text/html"):
        assert not [text for text in INLINE if text in answer.text]
        assert answer.header("Content-Language") == "en" and answer.header("Vary") == "Accept-Language"
    return answer


def cache(path):
    """Style sheet and script are the same for everybody."""
    return {"Cache_Control": "public, max-age=86400"} if path in ("/style.css", "/page.js", "/icon.svg") else {}


@pytest.mark.parametrize("kind", ["nobody", "off", "on", "suspended", "broken"])
def test_every_page_of_everybody(page, slapd, kind):
    visitor = page.visitor()
    if kind != "nobody":
        attributes = {"off": {}, "on": {"peruserMfaTrustedDevice": "k1$a 4000000000 x"},
                      "suspended": {"peruserMfaEnabled": "FALSE"}, "broken": {"peruserMfaSecret": "{GCM}k9$AAAA"}}[kind]
        user = (User if kind == "off" else Enrolled)(slapd, **attributes)
        assert visitor.sign_in(user.uid, user.password).status == 200
    seen = {}
    for path in PAGES:
        seen[path] = check(visitor.get(path), **cache(path)).status
        check(visitor.request("HEAD", page.visitor().base + path), seen[path], **cache(path))
        check(visitor.post(path.partition("?")[0], {}))
    assert (seen["/sign-out"], seen["/codes.txt"], seen["/nothing"], seen["/?a=b"]) == (405, 405, 404, 400)
    assert seen["/on"] == {"nobody": 303, "off": 200}.get(kind, 409)


def test_what_forms_are_answered_with(page, slapd):
    user, visitor = User(slapd), page.visitor()
    form = check(visitor.get("/sign-in"), 200)
    assert form.header("Set-Cookie")
    check(visitor.submit(form, "/sign-in", user=user.uid, password=user.password), 303)
    form = check(visitor.get("/on"), 200)
    device = Device(key_of(form)).settle(10)
    check(visitor.submit(form, "/on", code=device.wrong(), name="P"), 403)
    check(visitor.submit(form, "/on", csrf="AAAA", code=device.code(), name="P"), 403)
    done = check(visitor.submit(form, "/on", code=device.code(-1), name="P"), 303)
    assert "__Host-mfa-codes=" in str(done.headers)
    shown = check(visitor.get("/codes"), 200)
    check(visitor.submit(shown, "/codes.txt"), 200, Content_Disposition='attachment; filename="recovery-codes.txt"',
          Content_Type="text/plain; charset=utf-8")
    check(visitor.submit(form, "/on", code=device.code(), name="P"), 409)
    check(visitor.submit(visitor.get("/off"), "/off", code=device.code()), 303)
    check(visitor.submit(visitor.get("/"), "/sign-out"), 303)


def test_refusals_of_what_was_sent(page):
    visitor = page.visitor()
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, headers, status in ((b"a" * 8193, kind, 413), (b"{}", {"Content-Type": "application/json"}, 415),
                                  (b"code=1&code=1", kind, 400), (b"", kind, 400)):
        check(visitor.request("POST", "/mfa/sign-in", body, headers), status)
    check(visitor.request("PUT", "/mfa/on", b"", kind), 405, Allow="GET, HEAD, POST")
    check(visitor.request("GET", "/mfa/sign-out"), 405, Allow="POST")


def test_refusals_of_guesses_and_of_the_directory(page, slapd):
    user, visitor = Enrolled(slapd), page.visitor()
    visitor.sign_in(user.uid, user.password)
    form = visitor.get("/off")
    other = page.visitor()
    check(other.sign_in(user.uid, "wrong"), 403)
    refused = check(other.sign_in(user.uid, user.password), 429)
    assert 0 < int(refused.header("Retry-After")) <= 30
    with slapd.access_first(f'to attrs=peruserMfaEnabled by dn.exact="{ENROLL_DN}" read by * break'):
        check(visitor.submit(form, "/off", code=user.device.code()), 500)
    user.set(peruserMfaFailures=f"5 {int(time.time())} -")
    check(visitor.submit(form, "/off", code=user.device.code()), 429)
    try:
        slapd.stop()
        check(visitor.get("/"), 503, Retry_After="30")
        check(visitor.submit(form, "/off", code=user.device.code()), 503)
    finally:
        slapd.start()


def test_plain_http_has_no_hsts_and_no_cookie_that_needs_https(slapd, ring):
    plain = {"Strict_Transport_Security": None}
    with Page(slapd, ring=ring, tls=False, settings={"http.allow_plain_loopback": False}) as page:
        for path in PAGES:
            answer = check(page.visitor().get(path), **plain, **cache(path))
            assert not answer.header("Set-Cookie") and (answer.status in (403, 404, 405) or cache(path))


def test_a_page_that_cannot_be_made(slapd, ring):
    """Without random numbers there is no token for a form."""
    with Page(slapd, ring=ring, preload="no_entropy.so") as page:
        answer = check(page.visitor().get("/sign-in"), 500)
        assert answer.text == "Internal error\n" and not answer.header("Set-Cookie")
