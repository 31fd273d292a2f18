# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways through the enrolment page: by keyboard, without scripts, back and again, late, and two people at once."""
from concurrent.futures import ThreadPoolExecutor

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from lib.axe import look
from lib.browser import PHONE, Browser, turn_off, turn_on
from lib.page import Page, aged
from lib.ring import new_recovery_code
from lib.user import Enrolled, User

CAN_BE_REACHED = "a[href], button:not([hidden]), input:not([type=hidden]), summary"
FOCUS = """\
const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
return {index: [...document.querySelectorAll(arguments[0])].filter((e) => e.checkVisibility()).indexOf(element),
	outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth), inMain: !!element.closest("main"),
	top: box.top + scrollY, seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth};
"""
SESSION, CODES = "__Host-mfa", "__Host-mfa-codes"


@pytest.fixture(scope="module")
def page(slapd, ring):
    with Page(slapd, ring=ring, workers=2, settings={"throttle.address_attempts": 100000}) as server:
        yield server


@pytest.fixture(scope="module")
def windows():
    with Browser() as one, Browser(size=PHONE) as two:
        yield one, two


@pytest.fixture
def browser(windows):
    return windows[0].forget()


def modifies(slapd, mark):
    return sum(count for (_, kind), count in slapd.operations(mark).items() if kind == "MOD")


# ---- by keyboard


def keys(browser, *typed):
    ActionChains(browser.driver).send_keys(*typed).perform()


def tab_through(browser):
    """Tab from the top to the end: all is reached, in the order of the page, and one sees where one is."""
    count = len([element for element in browser.all(CAN_BE_REACHED) if element.is_displayed()])
    tops = []
    for index in range(count):
        keys(browser, Keys.TAB)
        focus = browser.driver.execute_script(FOCUS, CAN_BE_REACHED)
        assert focus["index"] == index and focus["seen"] and focus["outline"] >= 2, focus
        tops += [focus["top"]] if focus["inMain"] else []
    assert tops == sorted(tops)


def tab_to(browser, css):
    """Tab until that element has the focus."""
    wanted = browser.one(css)
    for _ in range(30):
        keys(browser, Keys.TAB)
        if browser.driver.switch_to.active_element == wanted:
            return
    raise AssertionError(f"{css} is not reached by keyboard")


def enter(browser):
    browser.leave(lambda: keys(browser, Keys.ENTER))


def test_keyboard_alone(browser, page, slapd):
    user = User(slapd)
    browser.open(page.url)
    tab_through(browser)
    browser.open(page.url)
    tab_to(browser, "#user")
    keys(browser, user.uid, Keys.TAB, user.password)
    enter(browser)
    tab_through(browser)
    keys(browser, Keys.SHIFT + Keys.TAB)
    tab_to(browser, "main a[href$='/on']")
    enter(browser)
    tab_through(browser)
    device = browser.scan().settle(10)
    tab_to(browser, "summary")
    keys(browser, Keys.ENTER)
    assert browser.one("#key").is_displayed()
    tab_to(browser, "#code")
    keys(browser, device.code(-1), Keys.TAB, Keys.TAB)
    enter(browser)
    assert len(browser.codes()) == 10
    tab_through(browser)
    tab_to(browser, "main a[href$='/']")
    enter(browser)
    tab_through(browser)
    tab_to(browser, "main a[href$='/off']")
    enter(browser)
    tab_through(browser)
    tab_to(browser, "#code")
    keys(browser, device.code())
    enter(browser)
    assert "MFA is off." in browser.text and user.get("peruserMfaEnabled") == "FALSE"
    keys(browser, Keys.TAB, Keys.ENTER)
    browser.wait(lambda: browser.driver.execute_script("return document.activeElement.id") == "main")
    tab_to(browser, ".who button")
    enter(browser)
    assert browser.heading == "Sign in"


# ---- with and without scripts


def test_without_scripts(page, slapd):
    user = User(slapd)
    with Browser(script=False, size=PHONE) as browser:
        device, codes = turn_on(browser, page.url, user.uid, user.password)
        assert len(codes) == 10 and user.get("peruserMfaEnabled") == "TRUE"
        browser.go("/recovery").fill(code=device.code(1)).press()
        fresh = browser.codes()
        assert len(fresh) == 10 and fresh != codes
        assert not any(button.is_displayed() for button in browser.all("[data-copy], [data-print]"))
        saved = browser.dir / "recovery-codes.txt"
        browser.one("form[action$='/codes.txt'] button").click()
        browser.wait(saved.exists)
        assert all(code in saved.read_text() for code in fresh) and user.uid in saved.read_text()
        turn_off(browser, page.url, fresh[0])
        assert "MFA is off." in browser.text and user.get("peruserMfaSecret") is None
        browser.press(".who [type=submit]")
        assert browser.heading == "Sign in"


def test_scripts_copy_and_print(browser, page, slapd):
    user = User(slapd)
    origin = {"origin": page.origin, "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.driver.execute_cdp_cmd("Browser.grantPermissions", origin)
    browser.sign_in(page.url, user.uid, user.password).go("/on")
    device = browser.scan().settle()
    browser.one("summary").click()
    assert copied(browser, "key").replace(" ", "") == device.secret
    browser.fill(code=device.code()).press()
    codes = browser.codes()
    assert copied(browser, "codes").split() == codes
    browser.driver.execute_script("addEventListener('beforeprint', () => { document.title = 'printed'; })")
    browser.one("[data-print]").click()
    browser.wait(lambda: browser.driver.title == "printed")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    assert browser.codes() == codes and not any(button.is_displayed() for button in browser.all("button"))
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def copied(browser, what):
    """Press the button that copies; what is in the clipboard then."""
    button = browser.one(f"[data-copy={what}]")
    button.click()
    browser.wait(lambda: button.text == "Copied")
    return browser.driver.execute_async_script(
        "const done = arguments[0]; navigator.clipboard.readText().then(done, (error) => done(String(error)));")


# ---- back and again


def test_back_and_again_change_nothing(browser, page, slapd):
    user = User(slapd)
    device, _ = turn_on(browser, page.url, user.uid, user.password)
    mark, secret = slapd.mark(), user.get("peruserMfaSecret")
    browser.driver.back()
    browser.wait(lambda: "Recovery codes are shown only once." in browser.text)
    assert not browser.codes()
    browser.driver.back()
    browser.wait(lambda: browser.heading == "MFA is already on")
    browser.driver.refresh()
    assert browser.status == 409
    assert modifies(slapd, mark) == 0 and user.get("peruserMfaSecret") == secret
    turn_off(browser, page.url, device.code(1))
    mark = slapd.mark()
    browser.driver.refresh()
    assert browser.status == 200 and "MFA is off." in browser.text
    browser.driver.back()
    browser.wait(lambda: browser.heading == "MFA is not on" and browser.status == 409)
    assert modifies(slapd, mark) == 0


def test_a_refused_form_sent_again_counts_once(browser, page, slapd):
    user = Enrolled(slapd)
    browser.sign_in(page.url, user.uid, user.password).go("/off").fill(code=user.device.wrong()).press()
    for _ in range(2):
        browser.leave(browser.driver.refresh)
        assert browser.status == 403 and "This code is not right." in browser.text
    assert user.failures() == 1


def test_there_is_no_second_click(browser, page, slapd):
    user = Enrolled(slapd)
    browser.sign_in(page.url, user.uid, user.password).go("/off").fill(code=user.device.code())
    button = browser.one("main form [type=submit]")
    browser.driver.execute_script("arguments[0].form.addEventListener('submit', (event) => event.preventDefault())", button)
    button.click()
    browser.wait(lambda: not button.is_enabled())


# ---- late


def age(browser, page, seconds):
    """Let the session be so much older."""
    cookie = browser.driver.get_cookie(SESSION)
    browser.driver.execute_cdp_cmd("Network.setCookie", {
        "name": SESSION, "value": aged(page.ring, cookie["value"], seconds), "url": page.origin, "path": "/",
        "secure": True, "httpOnly": True, "sameSite": "Lax"})


def test_a_change_wants_a_password_that_is_not_old(browser, page, slapd):
    user = User(slapd)
    browser.sign_in(page.url, user.uid, user.password).go("/on")
    device = browser.scan().settle(10)
    age(browser, page, 301)
    browser.fill(code=device.code()).press()
    look(browser, "Turn on MFA", "You signed in a while ago: please give your password once more.", status=403)
    assert browser.scan().secret == device.secret
    browser.fill(code=device.code(), password="wrong").press()
    look(browser, "Turn on MFA", "User name or password is not right.", status=403)
    assert browser.driver.switch_to.active_element.get_attribute("id") == "password"
    assert user.get("peruserMfaSecret") is None
    browser.fill(code=device.code(-1), password=user.password).press()
    assert len(browser.codes()) == 10
    browser.go("/").go("/off")
    assert not browser.has("#password")
    age(browser, page, 301)
    browser.driver.refresh()
    look(browser, "Turn off MFA", "You signed in a while ago: please give it once more.")
    browser.fill(code=device.code(), password=user.password).press()
    assert "MFA is off." in browser.text


def test_forgetting_a_device_late(browser, page, slapd):
    user = Enrolled(slapd, peruserMfaTrustedDevice=["k1$a 4000000000 02-00-00-00-00-01",
                                                    "k1$b 4000000000 02-00-00-00-00-02"])
    browser.sign_in(page.url, user.uid, user.password).go("/trusted")
    age(browser, page, 301)
    browser.press("main .list [type=submit]")
    look(browser, "Trusted devices", "You signed in a while ago: please give your password once more.", status=403)
    browser.fill(password=user.password).press()
    look(browser, "Trusted devices", "Forgotten. The next sign-in from there asks for a code.")
    assert len(slapd.get(user.uid, "peruserMfaTrustedDevice")) == 1


def test_a_session_ends(browser, page, slapd):
    user = Enrolled(slapd)
    browser.sign_in(page.url, user.uid, user.password).go("/off")
    age(browser, page, 1740)   # a minute is left for a slow machine
    browser.open(page.url)
    assert browser.heading == "Your MFA"
    browser.go("/off")
    age(browser, page, 61)
    browser.fill(code=user.device.code(), password=user.password).press()
    look(browser, "Sign in", "Your session has ended. Please sign in again.")
    assert user.get("peruserMfaEnabled") == "TRUE" and user.get("peruserMfaLastUse") is None


# ---- two at once


def both(windows, *actions):
    """Two people press at the same moment."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda pair: pair[0].leave(pair[1]), zip(windows, actions)))


def test_two_turn_it_on(windows, page, slapd):
    user = User(slapd)
    devices = []
    for browser in windows:
        browser.forget().sign_in(page.url, user.uid, user.password).go("/on")
        devices.append(browser.scan())
    for browser, device in zip(windows, devices):
        browser.fill(code=device.settle(8).code())
    both(windows, *[browser.one("main form [type=submit]").click for browser in windows])
    won, lost = sorted(windows, key=lambda browser: browser.heading != "Keep your recovery codes")
    assert len(won.codes()) == 10
    look(lost, "MFA is already on", "Nothing was changed. To use another phone as well, add it as a device.", status=409)
    assert len(slapd.get(user.uid, "peruserMfaSecret")) == 1
    assert len(slapd.get(user.uid, "peruserMfaRecoveryCode")) == 10
    lost.press("main .primary")
    assert "MFA is on." in lost.text
    used = devices[windows.index(won)]
    won.open(page.url + "/off").fill(code=used.code(1)).press()
    assert "MFA is off." in won.text


def test_two_turn_it_off(windows, page, slapd, ring):
    user, code = Enrolled(slapd), new_recovery_code()
    user.set(peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id)])
    for browser, typed in zip(windows, (user.device.settle(8).code(), code)):
        browser.forget().sign_in(page.url, user.uid, user.password).go("/off").fill(code=typed)
    both(windows, *[browser.one("main form [type=submit]").click for browser in windows])
    assert sorted(browser.heading for browser in windows) == ["MFA is not on", "Your MFA"]
    assert user.get("peruserMfaEnabled") == "FALSE" and user.get("peruserMfaSecret") is None


def test_two_remove_a_device(windows, page, slapd):
    """Each the other one's: one device stays."""
    user = Enrolled(slapd)
    user.set(peruserMfaSecret=[user.device.uri("Example:one"), user.device.uri("Example:two")])
    user.device.settle(8)
    for index, browser in enumerate(windows):
        browser.forget().sign_in(page.url, user.uid, user.password)
        browser.open(browser.all("a[href*='/device/remove']")[index].get_attribute("href"))
        browser.fill(code=user.device.code(index))
    both(windows, *[browser.one("main form [type=submit]").click for browser in windows])
    assert "Your MFA" in [browser.heading for browser in windows]
    assert {browser.heading for browser in windows} <= {"Your MFA", "Turn off MFA", "Remove a device"}
    assert len(slapd.get(user.uid, "peruserMfaSecret")) == 1
