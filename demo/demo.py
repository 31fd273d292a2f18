# SPDX-License-Identifier: GPL-2.0-or-later
"""Two users, one login: shown with a real directory, a real RADIUS server and real packets on loopback."""
import argparse
import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from lib.radius_server import FreeRadius  # noqa: E402
from lib.shipped_site import shipped_site  # noqa: E402
from lib.slapd import ADMIN_DN, Slapd, person, user_dn  # noqa: E402
from lib.totp import Device  # noqa: E402

SECRET = "testing123"
PASSWORDS = {"user1": "sunflower-1", "user2": "sunflower-2"}
WIDTH = 96


class Unexpected(Exception):
    """The story did not go as it should."""


def say(text=""):
    for line in text.splitlines() or [""]:
        print(textwrap.fill(line, WIDTH, subsequent_indent="  ") if line else "", flush=True)


def heading(text):
    print(f"\n--- {text}", flush=True)


def radclient(port, attributes):
    """Send one Access-Request; the kind of reply and its attributes."""
    text = "\n".join(f'{name} = {value}' for name, value in attributes.items()) + "\n"
    done = subprocess.run(["radclient", "-x", "-t", "5", "-r", "1", f"127.0.0.1:{port}", "auth", SECRET],
                          input=text, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    reply = done.stdout.partition("Received ")[2]
    if not reply:
        raise Unexpected(f"no reply from the RADIUS server:\n{done.stdout}")
    return reply.split()[0], dict(re.findall(r"^\t([\w-]+) = (.*)$", reply, re.M))


class Story:
    """The steps, in the order in which a newcomer should see them."""

    def __init__(self, slapd, radius, device):
        self.slapd, self.radius, self.device = slapd, radius, device

    def send(self, user, password, state=None, expect=None):
        """Send, print what came back in words, and stop when it is not what the story promises."""
        attributes = {"User-Name": f'"{user}"', "User-Password": f'"{password}"', "NAS-Identifier": '"demo-vpn"'}
        if state:
            attributes["State"] = state
        kind, reply = radclient(self.radius.port, attributes)
        words = f'   <- {kind}'
        if "Reply-Message" in reply:
            words += f': {reply["Reply-Message"]}'
        say(words)
        if kind != expect:
            raise Unexpected(f"{user} got {kind}, expected {expect}\n{self.radius.log()[-3000:]}")
        return reply

    def no_mfa(self):
        heading("user1 has not turned MFA on. A right password is enough.")
        say("   -> user1 logs in with the password")
        self.send("user1", PASSWORDS["user1"], expect="Access-Accept")
        say("   -> user1 logs in with a wrong password")
        self.send("user1", "wrong", expect="Access-Reject")

    def with_mfa(self):
        heading("user2 has. The same login asks for a code after the password.")
        say("   -> user2 logs in with a wrong password: nobody learns that user2 has MFA")
        self.send("user2", "wrong", expect="Access-Reject")
        say("   -> user2 logs in with the password")
        state = self.send("user2", PASSWORDS["user2"], expect="Access-Challenge")["State"]
        code = self.device.settle().code()
        say(f"   -> user2 types the code that the app shows ({code}, here computed by oathtool)")
        self.send("user2", code, state, expect="Access-Accept")
        return code

    def replay(self, code):
        heading("A code is good for one login, on every server of a cluster.")
        say("   -> somebody who saw the password and the code logs in as user2: the password is right ...")
        state = self.send("user2", PASSWORDS["user2"], expect="Access-Challenge")["State"]
        say(f"   -> ... and types the same code again ({code})")
        self.send("user2", code, state, expect="Access-Reject")

    def turned_off(self):
        heading("An administrator turns MFA off for user2 with ldapmodify. Nothing is restarted.")
        ldif = f"dn: {user_dn('user2')}\nchangetype: modify\nreplace: peruserMfaEnabled\nperuserMfaEnabled: FALSE\n"
        for line in ldif.splitlines():
            say(f"      {line}")
        self.slapd.ldapmodify(ldif)
        say("   -> user2 logs in with the password")
        self.send("user2", PASSWORDS["user2"], expect="Access-Accept")
        self.slapd.set("user2", peruserMfaEnabled="TRUE")

    def tell(self):
        say("A VPN and its RADIUS server, with users in LDAP. Two of them log in at the same prompt.")
        self.no_mfa()
        self.replay(self.with_mfa())
        self.turned_off()


def by_hand(slapd, radius, device):
    """Commands to type while everything runs."""
    port = radius.port
    return f"""
Everything runs until you press Ctrl-C. In another terminal:

  echo 'User-Name = user1, User-Password = {PASSWORDS["user1"]}' | radclient -x 127.0.0.1:{port} auth {SECRET}
  echo 'User-Name = user2, User-Password = {PASSWORDS["user2"]}' | radclient -x 127.0.0.1:{port} auth {SECRET}

The second one is answered by a challenge; copy its State into the next line:

  echo "User-Name = user2, State = 0x..., User-Password = $(oathtool --totp -b {device.secret})" | radclient -x 127.0.0.1:{port} auth {SECRET}

What the directory holds:

  ldapsearch -x -H {slapd.uri} -D {ADMIN_DN} -w {slapd.passwords[ADMIN_DN]} -b {user_dn("user2")} -LLL '*'
"""


def run(serve):
    device = Device()
    users = [person("user1", PASSWORDS["user1"]),
             person("user2", PASSWORDS["user2"], peruserMfaEnabled="TRUE", peruserMfaSecret=device.secret)]
    say("Starting a directory and a RADIUS server on loopback, with throw-away data ...")
    with Slapd(users) as slapd, FreeRadius(slapd, more=shipped_site(), echo=False) as radius:
        if serve:
            print(by_hand(slapd, radius, device), flush=True)
            signal.pause()
        Story(slapd, radius, device).tell()
    say("\nThat was it; servers and data are gone. To try it by hand, run: make serve")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true", help="keep everything running until Ctrl-C")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        run(arguments.serve)
    except KeyboardInterrupt:
        say("\nStopped; servers and data are gone.")
    except Unexpected as problem:
        say(f"\nThe story did not go as it should: {problem}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
