# SPDX-License-Identifier: GPL-2.0-or-later
"""Slow people: any time may pass between two steps of the enrollment page, and nothing that was typed is lost."""
import pytest

from lib.page import Page, codes_of, key_of
from lib.totp import Device
from lib.user import Enrolled, User

PAUSES = (240, 301, 1700, 1801, 3000)   # under and over the age of a password, of a key and session, and well past them


@pytest.fixture(scope="module")
def page(slapd, ring):
    with Page(slapd, ring=ring, settings={"throttle.address_attempts": 100000}) as server:
        yield server


class Slow:
    """A visitor for whom time passes."""

    def __init__(self, page, user):
        self.page, self.user, self.visitor = page, user, page.visitor()

    def wait(self, seconds):
        self.page.workers.shift(seconds)

    def code(self, device):
        """The code of the program's now."""
        return device.code(self.page.workers.shift_s // 30)

    def sign_in(self):
        return self.visitor.sign_in(self.user.uid, self.user.password)

    def send(self, answer, action, **fields):
        """Send a form; where the page asks for the password or a sign-in, give it, and send what is shown then."""
        code = fields.pop("code")
        for _ in range(4):
            form = answer.form(action)
            password = {"password": self.user.password} if "password" in form else {}
            answer = self.visitor.submit(answer, action, **fields, **password, code=code(answer))
            if answer.status == 303 and answer.header("Location").endswith("/sign-in"):
                answer = self.visitor.submit(self.visitor.get("/sign-in"), "/sign-in", user=self.user.uid,
                                             password=self.user.password)
                answer, fields = self.visitor.follow(answer), {}
            elif answer.status in (303,):
                return answer
            else:
                fields = {}   # what was typed must be in the form that came back
        raise AssertionError(answer)


@pytest.fixture
def slow(page, slapd):
    def make(user):
        return Slow(page, user)
    yield make
    page.workers.shift_s = 0
    page.workers.restart()


@pytest.mark.parametrize("pause", PAUSES)
def test_turning_on(slow, slapd, pause):
    user = User(slapd)
    person = slow(user)
    person.visitor.get("/sign-in")
    form = person.visitor.get("/sign-in")
    person.wait(pause)
    answer = person.visitor.submit(form, "/sign-in", user=user.uid, password=user.password)
    assert answer.status == 303 and answer.header("Location") == "/mfa/"
    form = person.visitor.get("/on")
    key = key_of(form)
    person.wait(pause)
    sent = []

    def code(answer):
        """From the app, which got the key that is on the page."""
        sent.append(key_of(answer))
        return person.code(Device(sent[-1]))
    answer = person.send(form, "/on", name="Grandma's phone", code=code)
    assert answer.header("Location").endswith("/codes"), answer
    assert user.get("peruserMfaEnabled") == "TRUE"
    assert pause > 1800 or set(sent) == {key}   # one key for half an hour
    person.wait(min(pause, 240))
    assert len(codes_of(person.visitor.get("/codes"))) == 10
    assert "Grandma" in person.visitor.follow(person.visitor.get("/")).text


@pytest.mark.parametrize("pause", PAUSES)
def test_adding_a_device(slow, slapd, pause):
    user = Enrolled(slapd)
    person = slow(user)
    person.sign_in()
    form = person.visitor.get("/device/add")
    person.wait(pause)
    answer = person.visitor.follow(person.send(form, "/device/add", code=lambda _: person.code(user.device)))
    person.wait(min(pause, 1700))
    second = Device(key_of(answer))
    assert key_of(answer) == key_of(person.visitor.follow(person.visitor.get("/device/new")))
    answer = person.send(answer, "/device/new", name="Tablet 7", code=lambda _: person.code(second))
    assert answer.header("Location") == "/mfa/"
    assert len(slapd.get(user.uid, "peruserMfaSecret")) == 2
    assert "Tablet 7" in person.visitor.follow(answer).text


@pytest.mark.parametrize("pause", PAUSES)
@pytest.mark.parametrize("path", ["/off", "/recovery"])
def test_forms_with_a_code(slow, slapd, path, pause):
    user = Enrolled(slapd)
    person = slow(user)
    person.sign_in()
    form = person.visitor.get(path)
    person.wait(pause)
    answer = person.send(form, path, code=lambda _: person.code(user.device))
    assert answer.header("Location") in ("/mfa/", "/mfa/codes")


@pytest.mark.parametrize("pause", PAUSES)
def test_removing_a_device(slow, slapd, pause):
    user = Enrolled(slapd)
    user.set(peruserMfaSecret=[user.device.uri("Example:one"), user.device.uri("Example:two")])
    person = slow(user)
    link = next(link for link in person.sign_in().page.links if "/device/remove" in link)
    form = person.visitor.request("GET", link)
    person.wait(pause)
    person.send(form, "/device/remove", code=lambda _: person.code(user.device))
    assert len(slapd.get(user.uid, "peruserMfaSecret")) == 1


def test_the_key_is_kept_over_reloads_tabs_and_sign_ins(page, slapd):
    user, visitor = User(slapd), page.visitor()
    visitor.sign_in(user.uid, user.password)
    key = key_of(visitor.get("/on"))
    assert key_of(visitor.get("/on")) == key
    visitor.submit(visitor.get("/"), "/sign-out")
    visitor.sign_in(user.uid, user.password)
    assert key_of(visitor.get("/on")) == key
    other = page.visitor()
    other.sign_in(user.uid, user.password)
    assert key_of(other.get("/on")) != key


def test_a_form_of_an_earlier_session_is_shown_again(page, slapd):
    user, visitor = User(slapd), page.visitor()
    visitor.sign_in(user.uid, user.password)
    form = visitor.get("/on")
    device = Device(key_of(form)).settle()
    visitor.submit(visitor.get("/"), "/sign-out")
    visitor.sign_in(user.uid, user.password)
    again = visitor.submit(form, "/on", code=device.code(), name="My <old> phone")
    assert again.status == 403 and "from an earlier session" in again.words and key_of(again) == device.secret
    assert again.form("/on")["name"] == "My <old> phone" and user.get("peruserMfaSecret") is None
    assert visitor.submit(again, "/on", code=device.code()).status == 303


def test_a_draft_is_shown_to_its_user_only(slow, slapd):
    one, other = User(slapd), User(slapd)
    for who in (other, one):
        person = slow(one)
        person.sign_in()
        form = person.visitor.get("/on")
        person.wait(1801)
        person.visitor.submit(form, "/on", code="123456", name="Private name")
        shown = person.visitor.sign_in(who.uid, who.password)
        assert "Turn on MFA" in shown.words and ("Private name" in shown.text) == (who is one)


def test_a_link_from_elsewhere_leads_on_after_sign_in(page, slapd):
    user, visitor = Enrolled(slapd), page.visitor()
    assert visitor.get("/recovery").header("Location").endswith("/sign-in")
    answer = visitor.submit(visitor.get("/sign-in"), "/sign-in", user=user.uid, password=user.password)
    assert answer.header("Location") == "/mfa/recovery"
