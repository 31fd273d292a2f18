# SPDX-License-Identifier: GPL-2.0-or-later
"""The enrolment page as people see it: in German on a phone, in English on a desktop.

Each page that they come to is looked at in both sizes, in light and dark mode, by axe-core too. MFA_SHOTS names a folder for a screenshot of each.
"""
import contextlib
import os
import time

import pytest

from lib.axe import look, problems
from lib.browser import DESKTOP, PHONE, Browser
from lib.page import Page
from lib.ring import new_recovery_code
from lib.slapd import ENROLL_DN
from lib.user import Enrolled, User

LOOSE = {"throttle.address_attempts": 100000}


KINDS = {"phone": {"size": PHONE, "language": "de"}, "desktop": {"size": DESKTOP, "language": "en", "dark": True}}
on_phone = pytest.mark.parametrize("browser", ["phone"], indirect=True)
on_desktop = pytest.mark.parametrize("browser", ["desktop"], indirect=True)


@pytest.fixture(scope="module")
def windows():
    """One browser of each kind."""
    shots = os.environ.get("MFA_SHOTS")
    with contextlib.ExitStack() as stack:
        yield {kind: stack.enter_context(Browser(shots=shots and f"{shots}/{kind}", **options))
               for kind, options in KINDS.items()}


@pytest.fixture(params=KINDS)
def browser(windows, request):
    return windows[request.param].forget()


@pytest.fixture(scope="module")
def page(slapd, ring):
    with Page(slapd, ring=ring, settings=LOOSE) as server:
        yield server


def signed_in(browser, page, user):
    return browser.sign_in(page.url, user.uid, user.password)


def with_recovery_codes(slapd, ring, count):
    """A user with that many recovery codes, and the codes."""
    user, codes = Enrolled(slapd), [new_recovery_code() for _ in range(count)]
    return user.set(peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id) for code in codes]), codes


def test_signing_in_and_out(browser, page, slapd):
    user = User(slapd)
    browser.open(page.url)
    look(browser, "Sign in")
    assert browser.one("#user").get_attribute("autocomplete") == "username"
    browser.fill(user=user.uid, password="wrong").press()
    look(browser, "Sign in", "User name or password is not right.", status=403)
    assert browser.one("#user").get_attribute("value") == user.uid
    assert not browser.one("#password").get_attribute("value")
    browser.fill(password=user.password).press()
    look(browser, "Your MFA", "MFA is off.")
    browser.press(".who [type=submit]")
    look(browser, "Sign in", "You are signed out.")
    browser.driver.back()
    browser.wait(lambda: browser.heading == browser.word("Sign in") and user.uid not in browser.text)


def test_turning_on(browser, page, slapd, client):
    user = User(slapd)
    signed_in(browser, page, user).go("/on")
    look(browser, "Turn on MFA")
    device = browser.scan().settle(10)
    assert f"secret={device.secret}" in browser.one("a[href^='otpauth://totp/']").get_attribute("href")
    browser.one("summary").click()
    shown = browser.one("#key").text
    assert [len(group) for group in shown.split()] == [4] * 8 and shown.replace(" ", "") == device.secret
    code = browser.one("#code")
    assert code.get_attribute("inputmode") == "numeric" and code.get_attribute("autocomplete") == "one-time-code"
    browser.fill(code=device.wrong(), name="Fön <1>").press()
    look(browser, "Turn on MFA", "This code is not right. Take the one that the app shows now for the new entry. "
         "If it keeps failing, check the clock of the device.", status=403)
    assert browser.scan().secret == device.secret and user.get("peruserMfaSecret") is None
    assert browser.has("main a.plain[href$='/mfa/']")
    browser.fill(code=device.code(-1)).press()
    look(browser, "Keep your recovery codes", "MFA is on.")
    codes = browser.codes()
    assert len(set(codes)) == 10
    browser.driver.refresh()
    look(browser, "Your MFA", "Recovery codes are shown only once. If you have not kept them, make new ones.", "Fön <1>")
    browser.open(page.url + "/on")
    look(browser, "MFA is already on", status=409)
    browser.open(page.url + "/codes")
    assert not browser.codes()
    challenge = user.start(client)
    assert challenge.challenged and user.answer(client, challenge, device.code()).accepted
    assert user.answer(client, user.start(client), codes[3]).accepted


def test_turning_off(browser, page, slapd, ring, client):
    user, codes = with_recovery_codes(slapd, ring, 2)
    signed_in(browser, page, user).go("/off")
    look(browser, "Turn off MFA")
    browser.fill(code=user.device.wrong()).press()
    look(browser, "Turn off MFA", "This code is not right. Take the one that your app shows now.", status=403)
    browser.fill(code=codes[1].lower()).press()
    look(browser, "Your MFA", "MFA is off. Your password alone signs you in now.")
    assert user.start(client).accepted
    browser.open(page.url + "/off")
    look(browser, "MFA is not on", status=409)
    user.set(peruserMfaEnabled="TRUE", peruserMfaSecret=user.device.secret)
    browser.open(page.url + "/off").fill(code=user.device.code()).press()
    assert user.start(client).accepted


def test_devices(browser, page, slapd, client):
    user = Enrolled(slapd)
    signed_in(browser, page, user)
    look(browser, "Your MFA", "MFA is on.", "Device without a name")
    browser.go("/device/add")
    look(browser, "Add a device")
    user.device.settle(10)
    browser.fill(code=user.device.code(-1)).press()
    look(browser, "Add a device", "Open the app on the new device")
    second = browser.scan()
    browser.fill(code=second.code(), name="Tablet").press()
    look(browser, "Your MFA", "The device was added.", "Tablet")
    links = [link.get_attribute("href") for link in browser.all("a[href*='/device/remove']")]
    assert len(links) == 2
    browser.open(links[0])
    look(browser, "Remove a device", "Device without a name")
    browser.fill(code=second.code(1)).press()
    look(browser, "Your MFA", "The device was removed. Delete it from its app too.")
    assert not browser.has("a[href*='/device/remove']")
    browser.open(links[0])
    look(browser, "No such device", status=404)
    browser.open(links[1])
    look(browser, "Turn off MFA")
    user.set(peruserMfaLastUse=[])
    assert not user.answer(client, user.start(client), user.device.code()).accepted
    assert user.answer(client, user.start(client), second.code()).accepted


@on_desktop
def test_five_devices_are_enough(browser, page, slapd):
    user = Enrolled(slapd)
    user.set(peruserMfaSecret=[user.device.uri(f"Example:device {i}") for i in range(5)])
    signed_in(browser, page, user)
    look(browser, "Your MFA", "No more devices can be added.")
    browser.open(page.url + "/device/add")
    look(browser, "No more devices can be added", status=409)


def test_new_recovery_codes(browser, page, slapd, ring, client):
    user, codes = with_recovery_codes(slapd, ring, 2)
    signed_in(browser, page, user)
    look(browser, "Your MFA", "Make new ones before you need them.")
    left = browser.words.ngettext("%zu recovery code is left.", "%zu recovery codes are left.", 2)
    assert left.replace("%zu", "2") in browser.text
    browser.go("/recovery")
    look(browser, "Make new recovery codes")
    browser.fill(code=codes[0]).press()
    look(browser, "Make new recovery codes",
         "A recovery code is not accepted here. Take the code from your app.", status=403)
    browser.fill(code=user.device.code()).press()
    look(browser, "Keep your recovery codes")
    fresh = browser.codes()
    browser.go("/")
    look(browser, "Your MFA", "Each one signs you in once, when your phone is not at hand.")
    assert user.answer(client, user.start(client), codes[0]).challenged
    assert user.answer(client, user.start(client), fresh[0]).accepted


def test_trusted_devices(browser, page, slapd):
    user = Enrolled(slapd)
    later = int(time.time()) + 86400
    user.set(peruserMfaTrustedDevice=[f"k1$hash{i} {later} 02-00-00-00-00-0{i}" for i in range(3)])
    signed_in(browser, page, user).go("/trusted")
    look(browser, "Trusted devices", "02-00-00-00-00-00", time.strftime(browser.word("%Y-%m-%d"), time.gmtime(later)))
    browser.press("main .list [type=submit]")
    look(browser, "Trusted devices", "Forgotten. The next sign-in from there asks for a code.")
    assert len(slapd.get(user.uid, "peruserMfaTrustedDevice")) == 2
    browser.press("main .danger")
    look(browser, "Trusted devices", "No device is remembered.")
    assert slapd.get(user.uid, "peruserMfaTrustedDevice") == []


@on_desktop
@pytest.mark.parametrize("attributes,heading,text", [
    ({"peruserMfaEnabled": "TRUE"}, "Turn on MFA",
     "Your administrator has invited you to turn on MFA. Until you have done so you may not be able to sign in."),
    ({"peruserMfaRequiredFrom": "20200101000000Z"}, "Turn on MFA",
     "MFA is required for you. Until you have turned it on you may not be able to sign in."),
    ({"peruserMfaRequiredFrom": "20990101000000Z"}, "Your MFA", "MFA becomes compulsory for you on:"),
    ({"peruserMfaSecret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}, "MFA is suspended",
     "An administrator has suspended your MFA. Your devices are kept, and no code is asked for. "
     "Only an administrator can end this."),
    ({"peruserMfaEnabled": "TRUE", "peruserMfaSecret": "{GCM}k9$AAAA"}, "Your MFA needs an administrator",
     "What the directory has stored about your MFA cannot be read. You cannot sign in with a code until an "
     "administrator has reset it.")],
    ids=["invited", "overdue", "ahead", "suspended", "broken"])
def test_states(browser, page, slapd, attributes, heading, text):
    signed_in(browser, page, User(slapd, **attributes))
    look(browser, heading, text)


def date(browser, year):
    """The first of January, as the browser's language writes it."""
    return time.strftime(browser.word("%Y-%m-%d"), (year, 1, 1, 0, 0, 0, 0, 1, 0))


@on_phone
def test_required_mfa_stays_on(browser, page, slapd):
    signed_in(browser, page, Enrolled(slapd, peruserMfaRequiredFrom="20200101000000Z"))
    look(browser, "Your MFA", "Your administrator requires MFA: it cannot be turned off here.")
    browser.open(page.url + "/off")
    look(browser, "MFA cannot be turned off",
         browser.word("Your administrator requires MFA for you since %s.") % date(browser, 2020), status=403)
    browser.forget()
    signed_in(browser, page, Enrolled(slapd, peruserMfaRequiredFrom="20990101000000Z"))
    look(browser, "Your MFA", "MFA becomes compulsory for you on:", date(browser, 2099))
    browser.go("/off")
    look(browser, "Turn off MFA", date(browser, 2099))


@on_desktop
def test_a_voucher(browser, slapd, ring):
    wrong = "This voucher is not right, or no longer valid. Ask for a new one."
    user, voucher = User(slapd), new_recovery_code()
    user.set(peruserMfaVoucher=ring.voucher(voucher, user.entry_id, int(time.time()) - 1))
    with Page(slapd, ring=ring, settings={**LOOSE, "enroll.require_voucher": True}) as page:
        signed_in(browser, page, user).go("/on")
        look(browser, "Turn on MFA", "The one-time voucher that your administrator gave you.")
        device = browser.scan().settle(8)
        for typed in (" ", new_recovery_code(), voucher):
            browser.fill(voucher=typed, code=device.code()).press()
            assert browser.status == 403 and browser.word(wrong) in browser.text
            assert browser.driver.switch_to.active_element.get_attribute("id") == "voucher"
        look(browser, "Turn on MFA", wrong, status=403)
        assert user.get("peruserMfaEnabled") is None
        user.set(peruserMfaVoucher=ring.voucher(voucher, user.entry_id, int(time.time()) + 60))
        browser.fill(code=device.code()).press()
        look(browser, "Keep your recovery codes")
        assert user.get("peruserMfaVoucher") is None and user.get("peruserMfaEnabled") == "TRUE"


@on_phone
def test_too_many_tries(browser, slapd, ring):
    user = Enrolled(slapd, peruserMfaFailures=f"100 {int(time.time())} -")
    with Page(slapd, ring=ring, settings={**LOOSE, "throttle.user_attempts": 1, "throttle.wait": 60}) as page:
        signed_in(browser, page, user).go("/off").fill(code=user.device.code()).press()
        look(browser, "Turn off MFA", "Too many wrong codes. An administrator has to unlock your MFA.", status=403)
        browser.forget().sign_in(page.url, user.uid, "wrong")
        browser.fill(password=user.password).press()
        look(browser, "Sign in", status=429)
        seconds = browser.words.ngettext("Too many wrong tries. Wait %u second, then try again.",
                                         "Too many wrong tries. Wait %u seconds, then try again.", 60)
        assert seconds.split("%u")[0] in browser.text


@on_phone
def test_the_directory_is_down(browser, page, slapd):
    user = User(slapd)
    signed_in(browser, page, user)
    try:
        slapd.stop()
        browser.open(page.url)
        look(browser, "Not available just now", status=503)
    finally:
        slapd.start()
    browser.press("main .primary")
    look(browser, "Your MFA", "MFA is off.")


@on_desktop
def test_the_directory_refuses(browser, page, slapd):
    user = Enrolled(slapd)
    signed_in(browser, page, user).go("/off")
    with slapd.access_first(f'to attrs=peruserMfaEnabled by dn.exact="{ENROLL_DN}" read by * break'):
        browser.fill(code=user.device.code()).press()
        look(browser, "This did not work", status=500)
    assert user.get("peruserMfaEnabled") == "TRUE" and user.get("peruserMfaLastUse") is None


@on_phone
@pytest.mark.parametrize("status,heading,path,script", [
    (400, "Not accepted", "/?a=b", None),
    (403, "Sign in", "/sign-in", "form.csrf.value = 'AAAA'"),
    (404, "Not found", "/nothing", None),
    (405, "Not accepted", "/sign-out", None),
    (413, "Not accepted", "/sign-in", "form.csrf.value = 'A'.repeat(9000)"),
    (415, "Not accepted", "/sign-in", "form.enctype = 'text/plain'")])
def test_refusals(browser, page, status, heading, path, script):
    browser.open(page.url + path)
    if script:
        browser.driver.execute_script("const form = document.querySelector('main form');" + script)
        browser.fill(user="a", password="b").press()
    look(browser, heading, status=status)


def test_a_lost_phone(browser, page, slapd, ring):
    user, codes = with_recovery_codes(slapd, ring, 2)
    signed_in(browser, page, user).go("/lost")
    look(browser, "Lost your phone?")
    browser.fill(code="BCDF-GHJK-LMNP").press()
    look(browser, "Lost your phone?", "This code is not right. Take the one that your app shows now.", status=403)
    browser.fill(code=codes[0]).press()
    look(browser, "Set up your new device")
    device = browser.scan().settle(10)
    browser.fill(code=device.code()).press()
    look(browser, "Keep your recovery codes")
    assert len(browser.codes()) == 10 and len(slapd.get(user.uid, "peruserMfaSecret")) == 1


OPEN_FOR_LONG = "This page was open for a long time. Please type your password once more."


@on_phone
def test_a_forged_token_signs_nobody_in(browser, page, slapd):
    user = User(slapd)
    browser.open(page.url)
    browser.driver.execute_script("document.querySelector('main form').csrf.value = 'AAAA'")
    browser.fill(user=user.uid, password=user.password).press()
    look(browser, "Sign in", OPEN_FOR_LONG, status=403)
    assert browser.one("#user").get_attribute("value") == user.uid
    assert not browser.one("#password").get_attribute("value") and len(browser.all(".notice")) == 1
    assert browser.open(page.url).heading == browser.word("Sign in")   # nobody is signed in
    browser.fill(user=user.uid, password=user.password).press()
    browser.driver.execute_script("document.querySelector('.who form').csrf.value = 'AAAA'")
    browser.press(".who [type=submit]")
    look(browser, "Not accepted", status=403)
    assert browser.open(page.url).heading == browser.word("Your MFA")   # nor signed out


@on_phone
def test_plain_http(browser, slapd, ring):
    with Page(slapd, ring=ring, tls=False, settings={"http.allow_plain_loopback": False}) as page:
        browser.open(page.url)
        look(browser, "HTTPS only", status=403)


@on_phone
def test_long_names_and_a_site_of_its_own(browser, slapd, ring):
    user = Enrolled(slapd, uid=f"an.unusually.long.user.name.that.somebody.in.{browser.language}.was.given")
    user.set(peruserMfaSecret=[user.device.uri("Example:" + name * 40) for name in "WM"])
    settings = {"site.name": "Donaudampfschifffahrtsgesellschaft für Elektrizitätsnutzung", "site.logo": "/logo.svg",
                "site.support": "helpdesk-of-the-whole-organisation@a-long-name.department.example.org"}
    with Page(slapd, ring=ring, settings={**LOOSE, **settings}) as page:
        (page.dir / "www/logo.svg").write_text(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 4"><rect width="9" height="4" fill="#c33"/></svg>')
        signed_in(browser, page, user)
        look(browser, "Your MFA", settings["site.name"], settings["site.support"])


@on_desktop
def test_axe_finds_what_is_wrong(browser, page):
    browser.open(page.url)
    browser.driver.execute_script("document.querySelector('.lead').style.color = '#888';"
                                  "document.querySelector('label').remove();"
                                  "document.querySelector('h1').style.width = '400px';")
    found = "\n".join(problems(browser))
    assert all(text in found for text in (": label:", "light: color-contrast:", "dark: color-contrast:",
                                          "360 light: scrolls sideways"))
    assert "1280 dark: scrolls sideways" not in found
