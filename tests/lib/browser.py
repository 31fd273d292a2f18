# SPDX-License-Identifier: GPL-2.0-or-later
"""A person with a browser: headless Chromium, and a phone's camera played by zbarimg."""
import gettext
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse
from pathlib import Path

from selenium import webdriver
from selenium.common.exceptions import WebDriverException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from . import ROOT
from .totp import Device

DESKTOP = (1280, 900)
PHONE = (360, 740)
WAIT_S = 60   # a busy machine takes long to start a browser
POLL_S = 0.05


class Browser:
    """One window. shots is a folder for numbered screenshots, or None."""

    def __init__(self, *, size=DESKTOP, dark=False, language="en", script=True, shots=None):
        self.language = language
        self.words = gettext.translation("peruser-mfa-enroll", ROOT / "build/release/locale", [language],
                                         fallback=language == "en")
        self.dir = Path(tempfile.mkdtemp(prefix="mfa-"))   # short: Chromium's socket is in it
        self.shots, self.number = Path(shots) if shots else None, 0
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        options.ignore_local_proxy_environment_variables()
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                         "--ignore-certificate-errors", "--hide-scrollbars", "--no-first-run",
                         f"--user-data-dir={self.dir / 'profile'}", f"--lang={language}"):
            options.add_argument(argument)
        preferences = {"intl.accept_languages": language}
        if not script:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        options.add_experimental_option("prefs", preferences)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        # A session of its own, as for servers: Ctrl-C is for us, who then close it.  A home of its own: it leaves files.
        self.service = Service("/usr/bin/chromedriver", popen_kw={"start_new_session": True},
                               env={**os.environ, "HOME": str(self.dir), "TMPDIR": str(self.dir)})
        self.service.process = self.driver = None
        try:
            self.driver = webdriver.Chrome(service=self.service, options=options)
            self.driver.set_page_load_timeout(WAIT_S)
            self.driver.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(self.dir)})
            self.resize(size).paint(dark)
        except BaseException:
            self.close()
            raise

    def resize(self, size):
        self.size = size
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": size[0], "height": size[1], "deviceScaleFactor": 2, "mobile": size[0] < 600})
        return self

    def paint(self, dark):
        """Light or dark mode."""
        self.dark = dark
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        return self

    def close(self):
        try:
            (self.driver.quit if self.driver else self.service.stop)()
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- looking

    @property
    def text(self):
        return self.driver.find_element(By.TAG_NAME, "body").text

    @property
    def heading(self):
        return self.driver.find_element(By.TAG_NAME, "h1").text

    def one(self, css):
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def has(self, css):
        return bool(self.all(css))

    def word(self, text):
        """A text of the page in the language of this browser."""
        return self.words.gettext(text)

    @property
    def status(self):
        """The HTTP status that the page came with."""
        return self.driver.execute_script("return performance.getEntriesByType('navigation')[0].responseStatus")

    def complaints(self):
        """What the browser refused because of the page's policy."""
        return [entry["message"] for entry in self.driver.get_log("browser") if "Security Policy" in entry["message"]]

    def shot(self, name):
        """A screenshot of the whole page; its path, or None when nobody wants any."""
        if not self.shots:
            return None
        self.shots.mkdir(parents=True, exist_ok=True)
        self.number += 1
        path = self.shots / f"{self.number:02}-{name}.png"
        self._picture(path)
        return path

    def _picture(self, path):
        import base64
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        data = self.driver.execute_cdp_cmd("Page.captureScreenshot", {
            "format": "png", "captureBeyondViewport": True,
            "clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}})["data"]
        path.write_bytes(base64.b64decode(data))

    def overflow(self):
        """Pixels by which the page is wider than the window."""
        return self.driver.execute_script(
            "const page = document.documentElement; return page.scrollWidth - page.clientWidth")

    # ---- doing

    def forget(self):
        """Be somebody else: nobody is signed in."""
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        return self

    def open(self, url):
        self.driver.get(url)
        return self

    def fill(self, **fields):
        for name, value in fields.items():
            element = self.one(f"[name={name}]")
            element.clear()
            element.send_keys(value)
        return self

    def press(self, css="main form [type=submit]"):
        """Click, and wait for the next page."""
        return self.leave(lambda: self.one(css).click())

    def go(self, ending):
        """Follow the link whose address ends so."""
        return self.press(f"main a[href$='{ending}']")

    def leave(self, action):
        """Do something that leads to another page, and wait for that."""
        page = self.driver.find_element(By.TAG_NAME, "html")
        action()
        self.wait(lambda: self._is_gone(page))
        return self.wait(lambda: self.driver.execute_cdp_cmd("Runtime.evaluate", {
            "expression": "document.readyState"})["result"]["value"] == "complete")

    @staticmethod
    def _is_gone(element):
        try:
            element.is_enabled()
            return False
        except WebDriverException:
            return True

    def wait(self, condition):
        """Wait until condition() is true, while pages may come and go."""
        WebDriverWait(self.driver, WAIT_S, POLL_S, [WebDriverException]).until(lambda _: condition())
        return self

    def sign_in(self, url, user, password):
        self.open(url).fill(user=user, password=password)
        return self.press()

    def scan(self):
        """Hold a phone's camera to the screen: the device that the QR code sets up."""
        path = self.dir / "screen.png"
        self._picture(path)
        found = subprocess.run(["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(path)],
                               capture_output=True, text=True, check=True).stdout.strip()
        path.unlink()
        assert found.startswith("otpauth://totp/"), "no key in the picture"
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(found).query)
        return Device(query["secret"][0])

    def codes(self):
        """The recovery codes on the screen."""
        return re.findall(r"\b[A-Z]{4}-[A-Z]{4}-[A-Z]{4}\b", self.text)


def turn_on(browser, url, user, password, name="My phone"):
    """Sign in, scan, confirm: the device, and the recovery codes."""
    browser.sign_in(url, user, password)
    if browser.has("main a[href$='/on']"):
        browser.go("/on")
    device = browser.scan()
    device.settle()
    browser.fill(code=device.code(), name=name).press()
    codes = browser.codes()
    browser.go("/")
    return device, codes


def turn_off(browser, url, code):
    """Turn MFA off with a code, signed in already."""
    browser.open(url).go("/off")
    browser.fill(code=code).press()
    return browser
