# SPDX-License-Identifier: GPL-2.0-or-later
"""Guessing at the enrollment page: strangers are slowed down, and nobody else is."""
import ctypes
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.page import Page
from lib.process import wait_until
from lib.user import Enrolled, User

PROXY = {"http.trusted_proxies": "127.0.0.1 ::1"}
SOFT_HYPHEN = "\u00ad"


@pytest.fixture
def make(slapd, ring):
    """Makes a page with the settings that are shipped, and others given here."""
    pages = []

    def make_page(settings=None, **options):
        pages.append(Page(slapd, ring=ring, settings=settings or {}, **options))
        return pages[-1]
    yield make_page
    for page in pages:
        page.close()


def attempt(page, name, password, address=None, visitor=None):
    """Sign in, by way of a proxy when an address is given; the answer to that."""
    headers = {"X-Forwarded-For": address} if address else {}
    visitor = visitor or page.visitor()
    form = visitor.get("/sign-in", headers=headers)
    if form.status == 303:
        return form
    fields = {**form.form("/sign-in"), "user": name, "password": password}
    return visitor.post("/sign-in", fields, headers=headers)


def statuses(page, names, address=None):
    return [attempt(page, name, "wrong", address).status for name in names]


# ---- an office behind one address


def test_thirty_typing_errors_and_fifty_right_sign_ins(make, slapd):
    page, users = make(workers=4), [User(slapd) for _ in range(50)]
    with ThreadPoolExecutor(10) as pool:
        assert set(pool.map(lambda i: attempt(page, f"mistyped{i}", "x").status, range(30))) == {403}
        assert set(pool.map(lambda user: attempt(page, user.uid, user.password).status, users)) == {303}


def test_a_right_password_begins_no_wait_for_others(make, slapd):
    page, users = make({"throttle.address_attempts": 3, "throttle.wait": 6}), [User(slapd) for _ in range(10)]
    assert statuses(page, [f"nobody{i}" for i in range(4)]) == [403] * 3 + [429]
    time.sleep(6.2)
    assert [attempt(page, user.uid, user.password).status for user in users] == [303] * 10


def test_addresses_are_counted_one_by_one_and_by_network(make):
    page = make({"throttle.address_attempts": 2, **PROXY})
    assert statuses(page, ["a", "b", "c"], "::ffff:203.0.113.1") == [403, 403, 429]
    assert statuses(page, ["d"], "203.0.113.1") == [429]
    assert statuses(page, ["d", "e", "f"], "::ffff:203.0.113.2") == [403, 403, 429]
    assert statuses(page, ["g", "h"], "2001:db8:1:1::1") == [403, 403]
    assert statuses(page, ["i"], "2001:db8:1:1::2") == [429]
    # Four addresses' worth for a /48, whatever /64 it comes from.
    seen = [attempt(page, f"k{i}", "wrong", f"2001:db8:1:{i + 2:x}::1").status for i in range(7)]
    assert seen == [403] * 6 + [429]
    assert statuses(page, ["l"], "2001:db8:2:1::1") == [403]


def test_a_visitor_chooses_no_address(make):
    """Nobody but a trusted proxy says where a visitor comes from, and of its list only what it added itself counts."""
    page = make({"throttle.address_attempts": 2})
    assert [attempt(page, f"a{i}", "wrong", f"203.0.113.{i}").status for i in range(3)] == [403, 403, 429]
    page = make({"throttle.address_attempts": 2, **PROXY})
    seen = [attempt(page, f"b{i}", "wrong", f"203.0.113.{i}, 198.51.100.7").status for i in range(3)]
    assert seen == [403, 403, 429]
    assert "from 198.51.100.7: " in page.all_logs() or " 198.51.100.7: " in page.all_logs()


def test_https_by_the_word_of_a_trusted_proxy(make):
    asked = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.1"}
    trusted = make({"http.allow_plain_loopback": False, **PROXY}, tls=False)
    answer = trusted.visitor().get("/sign-in", headers=asked)
    assert answer.status == 200 and answer.header("Set-Cookie").startswith("__Host-mfa=")
    assert trusted.visitor().get("/sign-in", headers={"X-Forwarded-For": "203.0.113.1"}).status == 403
    stranger = make({"http.allow_plain_loopback": False}, tls=False)
    assert stranger.visitor().get("/sign-in", headers=asked).status == 403


# ---- names


def test_known_and_unknown_names_count_alike(make, slapd):
    page = make({"throttle.address_attempts": 100000, "throttle.user_attempts": 2})
    known, unknown = User(slapd, uid="alice-zoë").uid, "bert-zoë"
    for spell in (str.upper, lambda name: f"  {name} ", lambda name: name[:3] + SOFT_HYPHEN + name[3:],
                  lambda name: chr(ord(name[0]) + 0xfee0) + name[1:]):
        page.workers.stop()
        (page.dir / "throttle").unlink(missing_ok=True)
        page.workers.start()
        seen = [statuses(page, [name, name, spell(name)]) for name in (known, unknown)]
        assert seen == [[403, 403, 429]] * 2


def test_spellings_of_one_name_are_one_entry(make, slapd):
    """What the folding of names does not know, the entry's own counter does."""
    page = make({"throttle.address_attempts": 100000, "throttle.user_attempts": 2})
    user = User(slapd, uid="strasse")
    assert statuses(page, ["strasse", "strasse", "straße", "STRAẞE", user.uid])[:2] == [403, 403]
    assert set(statuses(page, [user.uid] * 4)) == {429}


def slow(password):
    """A password hash that takes the directory about a second of its processor's time."""
    library = ctypes.CDLL("libcrypt.so.1")
    library.crypt.restype = ctypes.c_char_p

    def crypt(rounds):
        return library.crypt(password.encode(), f"$6$rounds={rounds}$abcdefgh".encode()).decode()
    begun = time.process_time()
    crypt(500000)
    return "{CRYPT}" + crypt(int(500000 / (time.process_time() - begun)))


def took(page, name, password):
    visitor = page.visitor()
    form = visitor.get("/sign-in").form("/sign-in")
    begun = time.monotonic()
    answer = visitor.post("/sign-in", {**form, "user": name, "password": password})
    return time.monotonic() - begun, answer.status


def test_the_time_does_not_tell_names_apart_even_with_a_slow_hash(make, slapd):
    page, user = make({"throttle.user_attempts": 100}, shared={"ldap.timeout": 30, "ldap.connect_timeout": 30}), User(slapd)
    slapd.set(user.uid, userPassword=slow(user.password))
    bind_s, status = took(page, user.uid, user.password)
    assert status == 303 and bind_s > 0.5   # the page has seen now how slow the directory is
    known = [took(page, user.uid, "wrong") for _ in range(3)]
    unknown = [took(page, f"nobody{i}", "wrong") for i in range(3)]
    assert {status for _, status in known + unknown} == {403}
    assert min(unknown)[0] > bind_s, (bind_s, unknown)
    usual = [sorted(times)[1][0] for times in (known, unknown)]   # of three: other work on the machine hits one
    assert abs(usual[0] - usual[1]) < 0.25 * bind_s, (known, unknown)


# ---- what does not suffer


def test_refusals_hold_up_no_worker(make, slapd):
    page, user = make({"throttle.address_attempts": 100000}), User(slapd)
    visitor = page.visitor()
    assert visitor.sign_in(user.uid, user.password).status == 200

    def guess(i):
        return took(page, f"nobody{i}", "wrong")
    with ThreadPoolExecutor(16) as pool:
        guesses = [pool.submit(guess, i) for i in range(48)]
        wait_until(lambda: page.all_logs().count("password refused") > 2, 20, "refusals")
        seen = []
        for _ in range(10):
            begun = time.monotonic()
            assert visitor.get("/").status == 200
            seen.append(time.monotonic() - begun)
        answers = [guess.result() for guess in guesses]
    assert {status for _, status in answers} == {403} and min(answers)[0] > 0.35
    assert sorted(seen)[5] < 0.3, seen   # each refusal takes 0.4 s


def test_more_refusals_than_are_held_back_still_take_their_time(make):
    page = make({"throttle.address_attempts": 100000})
    with ThreadPoolExecutor(80) as pool:
        answers = list(pool.map(lambda i: took(page, f"nobody{i}", "wrong"), range(80)))
    assert {status for _, status in answers} == {403} and min(answers)[0] > 0.35


def test_an_answer_held_back_is_sent_when_the_service_stops(make):
    page = make()
    with ThreadPoolExecutor(1) as pool:
        guess = pool.submit(took, page, "nobody", "wrong")
        wait_until(lambda: "password refused" in page.all_logs(), 20, "a refusal")
        assert page.workers.stop() == 0
        assert guess.result()[1] == 403


def test_strangers_do_not_shut_out_a_browser_that_signed_in_before(make, slapd):
    page, user, other = make({"throttle.user_attempts": 3}), User(slapd), User(slapd)
    browser = page.visitor()
    assert browser.sign_in(user.uid, user.password).status == 200
    browser.submit(browser.get("/"), "/sign-out")
    assert statuses(page, [user.uid] * 4) == [403] * 3 + [429]
    assert attempt(page, user.uid, user.password).status == 429   # a browser that nobody knows
    assert attempt(page, user.uid, user.password, visitor=browser).status == 303
    # It has a counter of its own, and is no way to guess for others.
    browser.submit(browser.get("/"), "/sign-out")
    assert [attempt(page, user.uid, "wrong", visitor=browser).status for _ in range(4)] == [403] * 3 + [429]
    assert statuses(page, [other.uid] * 3) == [403] * 3
    assert attempt(page, other.uid, other.password, visitor=browser).status == 429


def test_a_known_browser_of_another_page_is_none(make, slapd):
    page, elsewhere, user = make({"throttle.user_attempts": 1}), Page(slapd), User(slapd)
    with elsewhere:
        browser = elsewhere.visitor()
        assert browser.sign_in(user.uid, user.password).status == 200
    forged = page.visitor()
    forged.cookies["__Host-mfa-known"] = browser.cookies["__Host-mfa-known"]
    assert statuses(page, [user.uid] * 2) == [403, 429]
    assert attempt(page, user.uid, user.password, visitor=forged).status == 429


def test_the_log_names_the_user_who_has_to_wait(make, slapd):
    page, user = make({"throttle.user_attempts": 1}), User(slapd)
    assert statuses(page, [user.uid] * 2) == [403, 429]
    assert f"password for {user.dn}: too many wrong tries for this user, " in page.all_logs()
    assert statuses(page, ["nobody"] * 2) == [403, 429]
    assert "password for a name that nobody has: too many wrong tries for this user, " in page.all_logs()


def test_codes_are_counted_by_address(make, slapd):
    page = make({"throttle.address_attempts": 2})
    visitors = []
    for _ in range(3):
        user, visitor = Enrolled(slapd), page.visitor()
        assert visitor.sign_in(user.uid, user.password).status == 200
        visitors.append((visitor, user))
    seen = [visitor.submit(visitor.get("/off"), "/off", code=user.device.wrong()).status for visitor, user in visitors]
    assert seen == [403, 403, 429]


def test_a_throttle_file_that_cannot_be_used_lets_nobody_guess(make, slapd):
    page, user = make(), User(slapd)
    (page.dir / "throttle").write_bytes(b"")
    assert attempt(page, user.uid, user.password).status == 429
    assert "the throttle file cannot be used: refused" in page.all_logs()
