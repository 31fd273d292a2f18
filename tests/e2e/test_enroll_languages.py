# SPDX-License-Identifier: GPL-2.0-or-later
"""Each page in each language: it is in that language throughout, and fits a small phone."""
import gettext
import re

import pytest

from lib import ROOT
from lib.browser import PHONE, Browser
from lib.page import Page
from lib.ring import new_recovery_code
from lib.user import Enrolled, User

LANGUAGES = ["en", *sorted(path.stem for path in (ROOT / "enroll/po").glob("*.po"))]
COUNTS = (0, 1, 2, 4, 5, 21, 22, 25, 100)


@pytest.fixture(scope="module")
def browser():
    with Browser(size=PHONE) as window:
        yield window


@pytest.fixture(scope="module")
def page(slapd, ring):
    with Page(slapd, ring=ring, settings={"throttle.address_attempts": 100000, "enroll.require_voucher": True}) as server:
        yield server


def words(language):
    return gettext.translation("peruser-mfa-enroll", ROOT / "build/release/locale", [language], fallback=language == "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_fits_a_small_phone(browser, page, slapd, ring, language):
    browser.forget().driver.execute_cdp_cmd("Network.enable", {})
    browser.driver.execute_cdp_cmd("Network.setExtraHTTPHeaders", {"headers": {"Accept-Language": language}})
    new, enrolled = User(slapd), Enrolled(slapd, peruserMfaTrustedDevice=["k1$a 4000000000 02-00-00-00-00-01"])
    enrolled.set(peruserMfaRecoveryCode=[ring.recovery(new_recovery_code(), enrolled.entry_id)])
    suspended = Enrolled(slapd, peruserMfaEnabled="FALSE")
    seen = 0
    for user, paths in ((new, ("/", "/on", "/off", "/nothing")), (suspended, ("/",)),
                        (enrolled, ("/", "/on", "/off", "/device/add", "/recovery", "/lost", "/trusted"))):
        browser.forget().open(page.url + "/sign-in")
        assert browser.overflow() == 0 and browser.heading == words(language).gettext("Sign in")
        browser.fill(user=user.uid, password="wrong").press()
        assert browser.overflow() == 0
        browser.fill(password=user.password).press()
        for path in paths:
            browser.open(page.url + path)
            assert browser.one("html").get_attribute("lang") == language and browser.overflow() == 0, (language, path)
            seen += 1
    assert seen == 12


@pytest.mark.parametrize("language", LANGUAGES[1:])
def test_counts_have_their_plural_forms(language):
    """Each form that the language has is used, and names its number where there are more than one."""
    found = words(language)
    one, many = "%zu recovery code is left.", "%zu recovery codes are left."
    texts = {found.ngettext(one, many, count) for count in COUNTS}
    assert not {one, many} & texts and all("%zu" in text for text in texts)
    assert len(texts) == int(re.search(r"nplurals=(\d)", found.info()["plural-forms"])[1])
