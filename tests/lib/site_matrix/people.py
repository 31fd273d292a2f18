# SPDX-License-Identifier: GPL-2.0-or-later
"""The accounts of one site: names that collide and alias, records of every state."""
import base64
import hashlib
import hmac
import struct
from dataclasses import dataclass, field

from ..ring import CONSONANTS
from ..slapd import PEOPLE

STEP_S = 30
PAST = "20200101000000Z"
ENROLLED, OFF, UNENROLLED, BROKEN = "enrolled", "off", "unenrolled", "broken"

# uids, state, and what differs from the usual record of that state
CAST = (
    (("anna",), ENROLLED, {}),
    (("ben",), OFF, {}),
    (("cora",), ENROLLED, {}),
    (("dora",), UNENROLLED, {"peruserMfaEnabled": "TRUE"}),
    (("emil",), OFF, {"peruserMfaEnabled": "FALSE"}),
    (("fritz",), UNENROLLED, {"peruserMfaRequiredFrom": PAST}),
    (("gwen", "gwendolyn"), ENROLLED, {}),
    (("hans",), ENROLLED, {"peruserMfaEnabled": "FALSE", "peruserMfaRequiredFrom": PAST}),
    (("anna@example.org",), OFF, {}),
    (("ben@example.org",), ENROLLED, {}),
    (("cora@whole.org",), OFF, {}),
    (("CORP\\gwen",), OFF, {}),
    (("j\u00fcrgen",), ENROLLED, {}),
    (("lena",), ENROLLED, {"peruserMfaEnabled": None, "peruserMfaEnabled;lang-en": "TRUE"}),
    (("mia",), UNENROLLED, {"peruserMfaRequiredFrom;lang-en": PAST}),
    (("otto",), BROKEN, {"peruserMfaSecret": "{GCM}k9$AAAA"}),
    (("paul",), ENROLLED, {}),
)
CERTIFIED = ("anna", "ben")   # have a client certificate, too
STRANGER = "zoe"   # the first factor knows her, the directory does not


@dataclass(eq=False)
class Person:
    """One account: what is known of it, and what was used up."""

    names: tuple
    state: str
    record: dict
    password: str
    label: str                      # the Filter-Id that belongs to this account and to no other
    secret: bytes = b""
    recovery: list = field(default_factory=list)
    known_by_directory: bool = True
    last_step: int = -1
    trusted: dict = field(default_factory=dict)   # (kind of NAS, station): until when

    @property
    def name(self):
        return self.names[0]

    def code(self, now_s, offset=0):
        """RFC 6238 with SHA-1, 6 digits and 30 seconds."""
        return self.code_of(now_s // STEP_S + offset)

    def code_of(self, step):
        digest = hmac.new(self.secret, struct.pack("!Q", step), hashlib.sha1).digest()
        at = digest[-1] & 15
        return f"{(struct.unpack('!I', digest[at:at + 4])[0] & 0x7FFFFFFF) % 10 ** 6:06}"

    def entry(self, unit):
        """The entry below a site's unit, as (dn, attributes)."""
        record = {name: value for name, value in self.record.items() if value is not None}
        classes = ["inetOrgPerson"] + ["peruserMfaUser"] * any(name.startswith("peruserMfa") for name in record)
        return f"uid={escaped(self.name)},{unit}", {
            "objectClass": classes, "uid": list(self.names), "cn": self.name, "sn": self.name,
            "employeeNumber": self.label, "userPassword": self.password, **record}

    def __repr__(self):
        return f"{self.name!r} ({self.state})"


def escaped(name):
    from ldap.dn import escape_dn_chars
    return escape_dn_chars(name)


def unit_of(number):
    return f"ou=s{number},{PEOPLE}"


def draw_people(chance, number):
    """The cast of one site, with secrets of its own."""
    people = [_person(chance, number, names, state, changes) for names, state, changes in CAST]
    stranger = _person(chance, number, (STRANGER,), OFF, {})
    stranger.known_by_directory = False
    return people + [stranger]


def _person(chance, number, names, state, changes):
    password = "".join(chance.choice("bcdfghjkmnpqrstvwxz") for _ in range(9))
    if names[0] == "paul":
        password += f"{chance.randrange(10 ** 6):06}"   # looks like a code
    secret = chance.randbytes(20)
    record = {}
    if state in (ENROLLED, BROKEN) or names[0] == "emil":
        record = {"peruserMfaEnabled": "TRUE", "peruserMfaSecret": base64.b32encode(secret).decode()}
    record.update(changes)
    person = Person(names, state, record, password, f"s{number}-{names[0]}", secret)
    if state == ENROLLED:
        person.recovery = ["-".join("".join(chance.choice(CONSONANTS) for _ in range(4)) for _ in range(3))
                           for _ in range(3)]
    return person
