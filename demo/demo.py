# SPDX-License-Identifier: GPL-2.0-or-later
"""Two users and one VPN, shown with real servers on loopback; --serve leaves the servers running."""
import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
INSTALL = "\"make\" builds what is ours, \"sh tools/install_packages.sh demo\" installs the rest."
sys.path.insert(0, str(TOP / "tests"))
try:
    from selenium.common.exceptions import WebDriverException

    from lib.browser import Browser
    from lib.page import Page
    from lib.process import StartFailed
    from lib.radius_server import FreeRadius
    from lib.ring import Ring
    from lib.shipped_site import shipped_site
    from lib.slapd import ADMIN_DN, PEOPLE, Slapd, person
    from lib.totp import Device
except ImportError as missing:
    sys.exit(f"{missing}\n{INSTALL}")

SHOTS = TOP / "build/demo/screenshots"
WINDOW = (760, 480)
SECRET = "testing123"
PASSWORDS = {"user1": "sunflower-1", "user2": "sunflower-2", "user3": "sunflower-3"}
INVITED = {"user3": {"peruserMfaEnabled": "TRUE"}}
PHONE = "My phone"
WIDTH = 78
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Unexpected(Exception):
    """The story did not go as it should."""


class Stopped(BaseException):
    """A signal ended it; the number is the argument."""


def stop(number, _):
    """Only the first signal counts: the clean-up is not to be disturbed."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Stopped(number)


# ---- what one reads

def say(text=""):
    for paragraph in text.split("\n"):
        print(textwrap.fill(paragraph, WIDTH), flush=True)


def fact(what, value):
    print(f"   {what + ' ':.<36} {value}", flush=True)


@contextlib.contextmanager
def step(where, what):
    """A line: who does what before it is done, the answer behind it afterwards."""
    print(f"   {where:<5} {what + ' ':.<46} ", end="", flush=True)
    try:
        yield lambda answer, *more: print("\n".join([answer, *(" " * 9 + line for text in more
                                                                for line in textwrap.wrap(text, WIDTH - 9))]), flush=True)
    except BaseException:
        print(flush=True)
        raise


# ---- the servers

@contextlib.contextmanager
def servers():
    """Directory, RADIUS server and page, for two users without MFA and one who has to turn it on."""
    ring = Ring()
    users = [person(name, password, **INVITED.get(name, {})) for name, password in PASSWORDS.items()]
    with Slapd(users) as slapd, Page(slapd, ring=ring) as page, \
            FreeRadius(slapd, ring=ring, more=shipped_site(), echo=False, instance=enroll_at(page.url)) as radius:
        yield slapd, radius, page


def enroll_at(url):
    """Items of the module: a user who has to enroll does so while the login waits."""
    return {"unenrolled": "enroll", "message.enroll": f"Set up two-factor login at {url} and type the next code: "}


def introduce(slapd, radius, page):
    fact("a directory with user1, user2, user3", f"OpenLDAP    {slapd.uri}")
    fact("the RADIUS server that a VPN asks", f"FreeRADIUS  127.0.0.1:{radius.port}")
    fact("the enrollment page", f"lighttpd    {page.url}")


def start_browser():
    try:
        return Browser(size=WINDOW, shots=SHOTS)
    except WebDriverException as error:
        raise StartFailed(
            f"Chromium does not start: {error.msg.strip().splitlines()[0]}\n"
            "It takes the packages chromium and chromium-driver (sh tools/install_packages.sh demo), and /proc. "
            "What it says itself: chromium --headless --no-sandbox --dump-dom about:blank\n"
            "\"make serve\" shows the servers without a browser.") from None


# ---- the story

class Story:
    """The steps, in the order in which a newcomer should see them."""

    def __init__(self, slapd, radius, page, browser):
        self.slapd, self.radius, self.page, self.browser = slapd, radius, page, browser
        self.number, self.device = 0, None

    def heading(self, text):
        self.number += 1
        say(f"\n{self.number}. {text}")

    def vpn(self, user, password, what, expect, state=None):
        """One RADIUS request; stops when the answer is not what the story promises. Gives the State, if any."""
        request = {"User-Name": user, "User-Password": password, "NAS-Identifier": "demo-vpn"}
        text = "".join(f'{name} = "{value}"\n' for name, value in request.items()) + (f"State = {state}\n" if state else "")
        with step("VPN", what) as answer:
            done = subprocess.run(["radclient", "-x", "-t", "5", "-r", "1", f"127.0.0.1:{self.radius.port}", "auth",
                                   SECRET], input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            reply = done.stdout.partition("Received ")[2]
            if not reply.startswith(f"{expect} "):
                raise Unexpected(f"expected {expect}:\n{done.stdout}\n{self.radius.log()[-3000:]}")
            attributes = dict(re.findall(r"^\t([\w-]+) = (.*)$", reply, re.M))
            answer(expect, *filter(None, [attributes.get("Reply-Message")]))
        return attributes.get("State")

    def turn_on_at_page(self, name, code):
        """Confirm the phone; returns how many recovery codes there are."""
        with step("page", f"{name} types the phone's code: {code}") as answer:
            self.browser.fill(code=code, name=PHONE).shot("turn-on")
            self.browser.press().shot("recovery-codes")
            answer(f"{len(self.browser.codes())} recovery codes", "for the day when the phone is lost; the first one: "
                   f"{self.browser.codes()[0]}")

    def password(self, user, expect, who=None):
        return self.vpn(user, PASSWORDS[user], f"{who or user} types the password", expect)

    def see(self, words):
        """What the page says, in quotes."""
        if words not in self.browser.text:
            raise Unexpected(f"the page does not say {words!r}:\n{self.browser.text}\n{self.page.all_logs()[-3000:]}")
        return f'"{words}"'

    def tell(self):
        self.without_mfa()
        codes = self.turn_on()
        self.challenged(codes[1])
        self.replayed(codes[1])
        self.turn_off(codes[2])
        self.enroll_meanwhile()

    def without_mfa(self):
        self.heading("Nobody has turned MFA on yet: the password is enough.")
        self.password("user1", "Access-Accept")
        self.vpn("user1", "moonflower", "user1 types a wrong password", "Access-Reject")
        self.password("user2", "Access-Accept")

    def turn_on(self):
        """Gives the previous, the current and the next code of the phone; the first one is used here."""
        self.heading("user2 turns MFA on, on the enrollment page.")
        browser = self.browser
        with step("page", "user2 signs in with the same password") as answer:
            browser.open(self.page.url).fill(user="user2", password=PASSWORDS["user2"]).shot("sign-in")
            browser.press().shot("mfa-is-off")
            answer(self.see("MFA is off."))
        with step("page", "user2 scans the QR code with a phone") as answer:
            device = self.device = browser.go("/on").scan()
            answer("zbarimg reads it")
        if device.period - time.time() % device.period < 8:
            say("         (the phone is about to show another code: waiting a moment)")
        codes = device.settle(8).codes(-1, 3)
        self.turn_on_at_page("user2", codes[0])
        with step("page", "user2 goes back to the overview") as answer:
            browser.go("/").shot("mfa-is-on")
            answer(self.see("MFA is on."))
        with step("LDAP", "user2's entry has changed") as answer:
            flag, secret = (f"{name}: {self.slapd.get('user2', name)[0]}"
                            for name in ("peruserMfaEnabled", "peruserMfaSecret"))
            answer("two new attributes", flag, secret[:WIDTH - 12] + "...")
        return codes

    def challenged(self, code):
        self.heading("From now on user2 is asked for a code as well; user1 is not.")
        self.password("user1", "Access-Accept")
        self.vpn("user2", "moonflower", "user2 types a wrong password", "Access-Reject")
        state = self.password("user2", "Access-Challenge")
        self.vpn("user2", code, f"user2 types the phone's next code: {code}", "Access-Accept", state)
        say("         (The demo does not wait 30 s for each new code: a server takes the\n"
            "         previous and the next one too, as clocks differ.)")

    def replayed(self, code):
        self.heading("Somebody who looked over user2's shoulder knows the password and that code.")
        state = self.password("user2", "Access-Challenge", "somebody")
        self.vpn("user2", code, f"somebody types the same code: {code}", "Access-Reject", state)
        state = self.password("user2", "Access-Challenge", "somebody")
        guess = self.device.wrong()
        self.vpn("user2", guess, f"somebody guesses a code: {guess}", "Access-Challenge", state)

    def turn_off(self, code):
        self.heading("user2 turns MFA off again; a code proves that it is user2.")
        with step("page", f"user2 types the next code: {code}") as answer:
            self.browser.go("/off").fill(code=code).shot("turn-off")
            self.browser.press().shot("mfa-is-off-again")
            answer(self.see("MFA is off."))
        self.password("user2", "Access-Accept")

    def enroll_meanwhile(self):
        self.heading("An administrator has decided that user3 needs MFA. user3 sets it up while the login waits.")
        state = self.password("user3", "Access-Challenge")
        with step("page", "user3 opens that address and signs in") as answer:
            self.browser.forget().open(self.page.url).fill(user="user3", password=PASSWORDS["user3"])
            self.browser.press()
            answer(self.see("Turn on MFA"))
        with step("page", "user3 scans the QR code with a phone") as answer:
            device = self.browser.scan()
            answer("zbarimg reads it")
        codes = device.settle(8).codes(0, 2)
        self.turn_on_at_page("user3", codes[0])
        self.vpn("user3", codes[1], f"user3 types the phone's next code: {codes[1]}", "Access-Accept", state)


def demo():
    began = time.monotonic()
    shutil.rmtree(SHOTS, ignore_errors=True)
    say("user1, user2 and user3 log in at the same VPN. user1 does not want MFA, user2 does, and user3 has to. What you "
        "see is real, runs on this machine only, on free ports and with throw-away data:\n")
    with servers() as (slapd, radius, page), start_browser() as browser:
        introduce(slapd, radius, page)
        say("\n\"VPN\" lines are RADIUS requests, sent by radclient, and the server's answer. \"page\" lines are a user in "
            "front of a browser: Chromium without a window.")
        Story(slapd, radius, page, browser).tell()
    say(f"\nEach page that they saw, as a picture, in {os.path.relpath(SHOTS)}:")
    for path in sorted(SHOTS.iterdir()):
        say(f"   {path.name}")
    say(f"\nThat was it, in {time.monotonic() - began:.0f} s; servers and data are gone. To try it by hand: make serve")


# ---- by hand

def by_hand(slapd, radius, page, device):
    """Commands to type while everything runs; lines that begin with four spaces work as they stand."""
    return f"""
   user1   password {PASSWORDS["user1"]}   MFA is off
   user2   password {PASSWORDS["user2"]}   MFA is on
   user3   password {PASSWORDS["user3"]}   has to turn MFA on: the challenge says where

Open the page in a browser; with your own phone you can turn MFA on for user1.
The browser warns, since the certificate is made for this run. From another
machine: ssh -L {page.port}:localhost:{page.port} THIS_MACHINE

Play the VPN in another terminal. Paste these three first:

    ask() {{ reply=$(echo "$1" | radclient -x 127.0.0.1:{radius.port} auth {SECRET}); echo "$reply"; }}
    state() {{ echo "$reply" | sed -n 's/.*State = //p' | tail -n 1; }}
    code() {{ oathtool --totp -b {device.secret}; }}

user1 is accepted. user2 is challenged, and answers with the challenge's State:

    ask 'User-Name=user1, User-Password={PASSWORDS["user1"]}'
    ask 'User-Name=user2, User-Password={PASSWORDS["user2"]}'
    ask "User-Name=user2, User-Password=$(code), State=$(state)"

A code works once, and every 30 s there is a new one. user2's, for the page:

    oathtool --totp -b {device.secret}

What the directory holds:

    ldapsearch -LLL -x -H {slapd.uri} -b {PEOPLE} \\
      -D {ADMIN_DN} -w {slapd.passwords[ADMIN_DN]} uid=user2

Press Ctrl-C to end: servers and data will be gone.
"""


def serve():
    with servers() as (slapd, radius, page):
        device = Device()
        slapd.set("user2", peruserMfaEnabled="TRUE", peruserMfaSecret=radius.ring.seal(
            device.uri(f"Example:{PHONE.replace(' ', '%20')}"), slapd.entry_id("user2")))
        say("These run on this machine only, with throw-away data, until you press Ctrl-C:\n")
        introduce(slapd, radius, page)
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)   # from here on one that comes is waited for, never missed
        print(by_hand(slapd, radius, page, device), flush=True)
        raise Stopped(signal.sigwait(SIGNALS))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true", help="keep everything running until Ctrl-C")
    arguments = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, stop)
    try:
        (serve if arguments.serve else demo)()
    except Stopped as stopped:
        say("\nStopped; servers and data are gone.")
        return 0 if arguments.serve and stopped.args[0] == signal.SIGINT else 128 + stopped.args[0]
    except FileNotFoundError as error:
        say(f"\nThere is no {error.filename}. {INSTALL}")
    except StartFailed as error:
        say(f"\n{error}")
    except (Unexpected, WebDriverException) as problem:
        say(f"\nThe story did not go as it should: {problem}")
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main())
