# SPDX-License-Identifier: GPL-2.0-or-later
"""Which replies are allowed: who owns the password, who owns the code, what the site's options say.

Every account has a password, a secret and a label of its own, so their owner is known for certain.
"""
import base64
import binascii
import unicodedata
from dataclasses import dataclass, field

from .people import BROKEN, ENROLLED, OFF, STEP_S, UNENROLLED

ATTEMPTS = 3              # codes that may be tried in one login
LIFETIME_S = 120          # of a challenge
KEPT = 60                 # bytes of a home server's reply that a State surely holds
RETRANSMISSION_S = 10     # of a packet that holds password and code


@dataclass(eq=False)
class Issued:
    """A challenge: whose password was proven for it, and all that it is bound to."""

    site: object
    place: str
    nas: str
    name: bytes
    person: object
    station: str
    kind: str
    now_s: int
    state: bytes = b""
    tries: list = field(default_factory=list)   # wrong codes of this login, shared by all its challenges


@dataclass(eq=False)
class Packet:
    """What was sent. typed is the password or the code, as the client had it before CHAP and the like."""

    place: str
    name: object
    typed: object
    method: str = "PAP"
    issued: Issued = None
    nas: str = "nas-1"
    kind: str = "Ethernet"
    station: str = "02-00-00-00-00-01"
    authenticator: bytes = None
    ident: int = None
    extra: tuple = ()
    inner: object = None       # the name in the tunnel; name is the one outside
    lies: tuple = ()           # further attributes in the tunnel
    by_program: bool = False   # eapol_test sends it, not the supplicant of the tests
    other_port: bool = False   # of the NAS, so that the server takes it for no duplicate by itself
    session_s: int = 0

    @property
    def is_eap(self):
        return self.method not in ("PAP", "CHAP", "MS-CHAP")

    @property
    def name_bytes(self):
        """The name that the password was sent with."""
        name = raw(self.name if self.inner is None else self.inner)
        # What reads the attributes of TTLS cuts a name at a NUL before any module sees it.
        return name.partition(b"\0")[0] if self.method == "TTLS/PAP" else name


def raw(text):
    return text if isinstance(text, bytes) or text is None else str(text).encode()


def usable(name):
    """Whether a name can be somebody's: text without a NUL."""
    try:
        return bool(name) and b"\0" not in name and len(name.decode()) <= 253
    except UnicodeDecodeError:
        return False


def certificate(person):
    """What stands for a person's client certificate where a password would be."""
    return f"certificate of {person.name}"


def folded(name):
    """A name as a directory compares it."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


class Oracle:
    """Judges the replies of one site."""

    def __init__(self, site):
        self.site = site
        self.used = {}          # (person, code): (packet that was accepted with it, when)

    # ---- who is meant

    def readings(self, name, stripped=True):
        """The accounts that a name can mean here: as it stands, or as a realm module leaves it."""
        if not usable(name):
            return []
        text = name.decode()
        wanted = {folded(text), folded(self.site.stripped(text) if stripped else text)}
        return [person for person in self.site.people if wanted & {folded(known) for known in person.names}]

    def owners(self, typed):
        """(person, code) for each way to read what was typed as a password; code is None without one."""
        typed, found = raw(typed) or b"", []
        for person in self.site.people:
            password = person.password.encode()
            if typed == password:
                found.append((person, None))
            elif typed.startswith(password):
                code = typed[len(password):].decode("utf-8", "replace")
                found.append((person, code.removeprefix(self.site.separator)))
        found += [(person, None) for person in self.site.people if typed == certificate(person).encode()]
        return found + self._scrv1(typed)

    def _scrv1(self, typed):
        parts = typed.split(b":")
        if len(parts) != 3 or parts[0] != b"SCRV1":
            return []
        try:
            password, code = (base64.b64decode(part) for part in parts[1:])
        except (binascii.Error, ValueError):
            return []
        return [(person, code.decode("utf-8", "replace")) for person in self.site.people
                if person.password.encode() == password]

    # ---- what is needed

    def exempt(self, person, packet):
        """Whether the password is enough for this account, by its record or by an option of the site."""
        site = self.site
        if site.report_only or (packet.method == "TLS" and site.outside == "certificate"):
            return True
        if not person.known_by_directory:
            return site.not_found == "accept"
        if person.state == UNENROLLED:
            return site.unenrolled == "accept"
        if person.state == BROKEN:
            return False
        trusted = packet.station and person.trusted.get((packet.kind, packet.station), 0) > packet.session_s
        return person.state == OFF or bool(site.remember_s and trusted)

    def fresh(self, person, code, packet, now_s):
        """Whether this is a code of the person that no accepted login has used, or the same packet again."""
        if person.state != ENROLLED or not code:
            return False
        used = self.used.get((person, normal(code)))
        if used:
            return same_login(used[0], packet) and now_s - used[1] <= \
                (LIFETIME_S if packet.issued else RETRANSMISSION_S)
        if normal(code) in {normal(known) for known in person.recovery}:
            return True
        step = now_s // STEP_S
        return any(person.code_of(step + i) == normal(code) and step + i > person.last_step for i in (-1, 0, 1))

    # ---- judging

    def wrong(self, packet, reply, now_s):
        """What a reply breaks, as text; an allowed one is also taken down."""
        if packet.issued and not reply.accepted:
            packet.issued.tries.append(packet.typed)
        if reply.challenged:
            return self._wrong_challenge(packet, reply)
        return self._wrong_accept(packet, reply, now_s) if reply.accepted else ""

    def _wrong_challenge(self, packet, reply):
        if reply.all("Filter-Id"):
            return "a challenge carries what belongs to an Accept"
        known = packet.place == "open" or packet.issued or self.owners(packet.typed)
        return "" if known else "a challenge although no password was proven"

    def _wrong_accept(self, packet, reply, now_s):
        if self.site.report_only and packet.is_eap and self.site.eap == "outside":
            return ""            # the first factor in the tunnel said yes, and nobody else was asked
        found = self._as_answer(packet, now_s) if packet.issued else "nobody's password"
        if isinstance(found, str):
            first = self._as_password(packet, now_s)
            found = found if isinstance(first, str) and packet.issued else first
        if isinstance(found, str):
            return f"Access-Accept: {found}"
        person, code = found
        self._take_down(person, code, packet, now_s)
        labels = set(reply.all("Filter-Id"))
        if not labels <= {person.label}:
            return f"Access-Accept for {person} with the attributes of {labels}"
        return ""

    def _as_password(self, packet, now_s):
        """(person, code), or why a first packet must not be accepted."""
        why = "nobody's password"
        if packet.place == "open":
            pairs = [(person, None) for person in self.readings(packet.name_bytes, stripped=False)]
        else:
            pairs = self.owners(packet.typed)
        if not usable(packet.name_bytes):
            return pairs[0] if pairs and self.site.report_only else "a name that cannot be anybody's"
        for person, code in pairs:
            if person not in self.readings(packet.name_bytes):
                why = f"password of {person} under another name"
            elif self.exempt(person, packet):
                return person, None
            elif self.fresh(person, code, packet, now_s):
                return person, code
            else:
                why = f"password of {person} without a fresh code"
        return why

    def _as_answer(self, packet, now_s):
        """(person, code), or why the answer to this challenge must not be accepted."""
        issued = packet.issued
        person, code = issued.person, raw(packet.typed or b"").decode("utf-8", "replace")
        if issued.site is not self.site or issued.place != packet.place:
            return "a State of another site or virtual server"
        if issued.nas != packet.nas:
            return "a State of another NAS"
        if len(set(issued.tries)) >= ATTEMPTS:
            return "a State whose login has no attempts left"
        if now_s - issued.now_s > LIFETIME_S:
            return "a State that is too old"
        if person not in self.readings(packet.name_bytes):
            return f"a State of {person} under another name"
        if not self.fresh(person, code, packet, now_s):
            return f"no fresh code of {person}"
        return person, code

    def _take_down(self, person, code, packet, now_s):
        if code is None:
            return
        if (person, normal(code)) in self.used:
            return
        self.used[person, normal(code)] = packet, now_s
        step = now_s // STEP_S
        steps = [step + i for i in (-1, 0, 1) if person.code_of(step + i) == normal(code)]
        person.last_step = max([person.last_step, *steps])
        if steps:      # a recovery code makes no device known
            device = packet.issued or packet
            person.trusted[device.kind, device.station] = now_s + self.site.remember_s

    # ---- what an honest login gets

    def _promised_eap(self, person, packet, with_code):
        """Where the module is listed in the tunnel, codes stand behind passwords there."""
        needs_code = not self.exempt(person, packet)
        decided = self.site.eap in ("inside", "both") or self.site.outside == "identity"
        if not decided or not person.known_by_directory:
            return None
        if not needs_code:
            looks_cut = not self.site.separator and person.password[-6:].isdigit()
            return None if with_code or (looks_cut and person.state == ENROLLED) else "accept"
        if person.state == UNENROLLED and self.site.unenrolled == "challenge":
            return None
        takes_code = person.state == ENROLLED and packet.method.endswith(("PAP", "GTC"))
        return "accept" if with_code and takes_code else "reject"

    def promised(self, person, nas, packet, with_code):
        """accept, challenge or reject for the right password (and code); None when it is not said."""
        site, mode = self.site, self.site.mode_for(nas)
        if site.report_only:
            return None if with_code else "accept"
        if packet.is_eap:
            return self._promised_eap(person, packet, with_code)
        if not person.known_by_directory:
            return "accept" if site.not_found == "accept" else "reject"
        looks_cut = mode != "challenge" and not site.separator and person.password[-6:].isdigit()
        if self.exempt(person, packet):
            return "accept" if not with_code and not (looks_cut and person.state == ENROLLED) else None
        if site.factor == "proxy" and len(person.label) > KEPT:
            return None      # a State has not the room for such a reply
        if person.state == UNENROLLED:
            return "challenge" if site.unenrolled == "challenge" and not with_code else "reject"
        if person.state == BROKEN:
            return "reject"
        if with_code:
            return "accept" if mode != "challenge" and packet.method == "PAP" else None
        if mode == "auto" and looks_cut:
            return None
        return "reject" if mode == "append" else "challenge"


def normal(code):
    """A code as people may type it, without what they add."""
    return code.replace("-", "").replace(" ", "").upper()


def same_login(one, other):
    """Whether the second packet is a retransmission of the first."""
    if one.issued or other.issued:
        return bool(one.issued and other.issued) and one.issued.state == other.issued.state and \
            (one.name_bytes, one.nas) == (other.name_bytes, other.nas)
    return (one.authenticator, one.ident, one.name_bytes, one.nas, one.station, one.place) == \
        (other.authenticator, other.ident, other.name_bytes, other.nas, other.station, other.place)
