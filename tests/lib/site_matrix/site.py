# SPDX-License-Identifier: GPL-2.0-or-later
"""What a site is made of, drawn from a seed."""
import random
from dataclasses import dataclass, field

from .people import draw_people

# Realms that every server process knows, and whether they strip the name.
REALMS = {"example.org": True, "whole.org": False, "CORP": True, "PLAIN": False}
FACTORS = ("bind", "password", "files", "own", "proxy")
MODES = ("challenge", "append", "auto")


@dataclass(eq=False)
class Site:
    """One virtual server with our module, and its people. Every field but the first three is drawn."""

    number: int
    seed: int
    people: list
    factor: str = "bind"
    mode: str = "challenge"
    separator: str = ""
    realms: tuple = ()               # realm modules in authorize
    order: tuple = ("mfa", "realm", "factor")
    post_auth_first: bool = False    # something stands before our module in post-auth
    not_found: str = "reject"
    unenrolled: str = "reject"
    cache: int = 0
    remember_s: int = 0
    report_only: bool = False
    mapped: str = ""                 # "", "readable", "hidden": rlm_ldap maps the flags, and may read them or not
    user_dn: bool = False
    with_ldap: bool = True           # rlm_ldap is listed although another first factor checks the password
    second: str = ""                 # mode of a second instance, for the NAS "second"
    open_door: bool = False          # another virtual server with this instance, which checks no password
    eap: str = ""                    # "", "inside", "outside", "both": where our module is listed; "bare": no tunnel
    outside: str = ""                # the item "eap": identity, certificate, or its default
    ports: dict = field(default_factory=dict)

    @property
    def name(self):
        return f"s{self.number}"

    @property
    def methods(self):
        """How a password may be sent."""
        return ("PAP", "CHAP", "MS-CHAP") if self.factor in ("password", "files") else ("PAP",)

    @property
    def eap_methods(self):
        """Supplicants of this site."""
        clear = self.factor == "password" or (self.factor == "files" and self.eap in ("outside", "bare"))
        if self.eap == "bare":
            return ("GTC",) + ("MSCHAPV2", "MD5") * clear
        return ("TTLS/PAP", "TTLS/GTC", "PEAP/GTC") + ("PEAP/MSCHAPV2", "TTLS/MSCHAPV2", "TTLS/MD5") * clear

    @property
    def eap_place(self):
        return "wifi" if self.eap == "inside" else "main"

    def mode_for(self, nas):
        return self.second if self.second and nas == "second" else self.mode

    def stripped(self, name):
        """The name that the realm modules of this site leave."""
        for module in self.realms:
            text, realm = _split(name, module)
            if realm is not None:
                return text if REALMS[realm] else name
        return name

    def describe(self):
        skip = ("people", "ports", "number", "seed")
        return " ".join(f"{key}={value!r}" for key, value in vars(self).items() if key not in skip and value)


def _split(name, module):
    text, _, realm = name.rpartition("@") if module == "suffix" else name.partition("\\")[::-1]
    for known in REALMS:
        if realm.lower() == known.lower() and (module == "suffix") == ("." in known):
            return text, known
    return name, None


def draw_site(seed, number):
    """The site with this number; the same for the same seed."""
    chance = random.Random(f"{seed}/{number}")
    site = Site(number, seed, draw_people(chance, number))
    often = lambda likely, yes, no: yes if chance.random() < likely else no  # noqa: E731
    site.factor = chance.choices(FACTORS, [30, 25, 20, 15, 10])[0]
    if site.factor == "proxy":
        for person in site.people[::3]:
            person.label += "-" * chance.choice([30, 100, 150])
    site.mode = chance.choices(MODES, [50, 30, 20])[0]
    site.separator = chance.choice(["", "", "", ",", "::"]) if site.mode != "challenge" else ""
    site.realms = chance.choices([(), ("suffix",), ("ntdomain",), ("suffix", "ntdomain")], [20, 40, 15, 25])[0]
    site.order = _draw_order(chance, site.factor)
    site.post_auth_first = chance.random() < 0.3
    site.not_found = often(0.4, "accept", "reject")
    site.unenrolled = chance.choice(["reject", "accept", "challenge"])
    site.cache = chance.choice([0, 0, 16, 4096])
    site.remember_s = often(0.3, 3600, 0)
    site.report_only = chance.random() < 0.15
    site.with_ldap = site.factor in ("bind", "password") or chance.random() < 0.5
    site.user_dn = chance.random() < 0.2
    if site.with_ldap:
        site.mapped = chance.choices(["", "readable", "hidden"], [60, 20, 20])[0]
    site.second = often(0.15, chance.choice(MODES), "") if site.factor != "proxy" else ""
    site.open_door = chance.random() < 0.4
    if site.factor in ("bind", "password", "files") and chance.random() < 0.5:
        site.eap = chance.choice(["inside", "inside", "outside", "outside", "both", "bare", "bare"])
        if site.eap == "bare":
            site.second = ""     # its Auth-Type sections name the first instance
        site.with_ldap = site.with_ldap or site.eap in ("inside", "both")
        site.outside = {"bare": chance.choice(["identity", "identity", "certificate", ""]),
                        "outside": chance.choice(["certificate", "", ""])}.get(site.eap, "")
    return site


def _draw_order(chance, factor):
    """Our module stands first in most sites.

    A first factor that knows accounts by their names only comes behind what changes the names.
    """
    rest = ["realm", "factor"]
    if factor in ("bind", "password", "own"):
        chance.shuffle(rest)
    place = chance.choices([0, 1, 2], [60, 25, 15])[0]
    return tuple(rest[:place] + ["mfa"] + rest[place:])
