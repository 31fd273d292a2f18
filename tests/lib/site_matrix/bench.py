# SPDX-License-Identifier: GPL-2.0-or-later
"""Sends packets to one site and lets the oracle judge the replies."""
import collections
import os
import random
import re
from types import SimpleNamespace

from ..client import Client, NoAnswer
from ..eap import eapol_test, network
from ..eap_peer import converse, peer
from ..mschap import chap, mschap2
from .oracle import Issued, Oracle, Packet, raw
from .people import ENROLLED, STEP_S

KINDS = {"Ethernet": 15, "Virtual": 5, "Wireless": 19}
LOGGED = re.compile(r"user '(.*)': (?:accepted|recovery|trusted)\b")


ODD = ("lena", "mia")   # their records are for an attack of its own


class Violation(Exception):
    """A reply that the oracle does not allow, and whose login it was."""

    def __init__(self, why, person=None):
        super().__init__(why)
        self.person = person


class Bench:
    """The NAS, the users and the attackers of one site."""

    def __init__(self, rack, site):
        self.rack, self.site = rack, site
        self.others = [other for other in rack.sites if other is not site]
        self.oracle = Oracle(site)
        self.chance = random.Random(f"{site.seed}/{site.number}/logins")
        self.clients = {}
        self.spoiled = set()
        self.sent = []               # lines for people
        self.accepted = 0
        self.welcomed = collections.Counter()   # honest logins that were accepted, by kind

    def close(self):
        for client in self.clients.values():
            client.close()

    # ---- time

    @property
    def now_s(self):
        return self.rack.now_s

    def wait(self, seconds):
        self.rack.set_time(self.now_s + seconds)
        self.sent.append(f"wait {seconds} s")

    # ---- packets

    def send(self, packet):
        """Send one packet; the reply, or None when there is none. A reply that is not allowed is raised."""
        mark = self.rack.mark()
        packet.session_s = self.now_s
        try:
            reply = self._ask(packet)
        except NoAnswer:
            reply = None
        self.sent.append(f"{self._shown(packet)} -> {reply}")
        if reply is None:
            return None
        why = self.oracle.wrong(packet, reply, self.now_s)
        if reply.accepted and not why:
            self.accepted += 1
            why = self._wrong_log(packet, mark)
        if why:
            raise self._violation(why, packet)
        return reply

    def _violation(self, why, packet):
        """Whose account this was is not known for certain any more, so it is left alone from now on."""
        people = [packet.issued.person] if packet.issued else [person for person, _ in self.oracle.owners(packet.typed)]
        self.spoiled.update(people)
        return Violation(why, people[0] if people else None)

    def _ask(self, packet):
        port = self.site.ports[packet.place]
        if packet.by_program:
            return self._run_program(packet, port)
        client = self.clients.get(port)
        if client is None or packet.other_port:
            if client:
                client.close()
            client = self.clients[port] = Client(port, nas=None, timeout_s=8)
        if packet.is_eap:
            folder, name = self.rack.certificates, str(packet.typed).rpartition(" ")[2]
            files = (folder / f"{name}.pem", folder / f"{name}.key") if packet.method == "TLS" else None
            inner = raw(packet.name if packet.inner is None else packet.inner)
            supplicant = peer(packet.method, raw(packet.name), inner, raw(packet.typed), packet.lies, files)
            return converse(client, supplicant, self._attributes(packet))
        if packet.authenticator is None:
            packet.authenticator = os.urandom(16)
        bytes_sent = client.packet(self._attributes(packet), ident=packet.ident, authenticator=packet.authenticator)
        packet.ident = bytes_sent[1]
        return client.receive(client.send(bytes_sent))

    def _run_program(self, packet, port):
        """Let eapol_test do it; what it says, in the form of a reply without attributes."""
        self.rack.programs_left -= 1
        text = network(packet.method, packet.inner, self.rack.certificates / "ca.pem", password=packet.typed,
                       anonymous=packet.name)
        done = eapol_test(self.rack.dir, port, text, mac=packet.station.replace("-", ":"))
        return SimpleNamespace(accepted=done.accepted, rejected=not done.accepted, challenged=False, state=None,
                               all=lambda _: [])

    def _attributes(self, packet):
        attributes = [("User-Name", packet.name)] if packet.name is not None else []
        attributes += self._secret(packet)
        if packet.issued:
            attributes.append(("State", packet.issued.state))
        attributes.append(("NAS-Identifier", packet.nas))
        if packet.kind:
            attributes.append(("NAS-Port-Type", KINDS[packet.kind]))
        if packet.station:
            attributes.append(("Calling-Station-Id", packet.station))
        return attributes + list(packet.extra)

    def _secret(self, packet):
        if packet.typed is None or packet.is_eap:
            return []
        typed = raw(packet.typed)
        if packet.method == "CHAP":
            return [("CHAP-Password", chap(7, typed, packet.authenticator))]
        if packet.method == "MS-CHAP":
            challenge = os.urandom(16)
            name = packet.name_bytes.decode("utf-8", "replace")
            return [("MS-CHAP-Challenge", challenge),
                    ("MS-CHAP2-Response", mschap2(name, typed.decode("utf-8", "replace"), challenge))]
        return [("User-Password", typed)]

    def _shown(self, packet):
        """A packet as a line for people."""
        words = [f"t={self.now_s} {packet.place} port {self.site.ports[packet.place]} id {packet.ident}:",
                 packet.method + " by eapol_test" * packet.by_program,
                 f"User-Name {packet.name!r} typed {packet.typed!r}"]
        if packet.is_eap:
            words.append(f"inside {packet.inner!r} {packet.lies}")
        if packet.issued:
            words.append(f"State of {packet.issued.site.name} {packet.issued.place} for {packet.issued.name!r}")
        words.append(f"NAS {packet.nas} {packet.kind} station {packet.station}")
        return " ".join(words + [str(packet.extra)] * bool(packet.extra))

    def _wrong_log(self, packet, mark):
        """A line that tells of an accept names the account."""
        people = self.oracle.readings(packet.name_bytes)
        for name in LOGGED.findall(self.rack.log(mark).replace("\\\\", "\\").replace("\\\\", "\\")):
            if not set(self.oracle.readings(name.encode())) & set(people):
                return f"the log tells of {name!r}"
        return ""

    # ---- steps of logins

    def issue(self, reply, packet, person):
        """What a challenge stands for."""
        return Issued(self.site, packet.place, packet.nas, packet.name_bytes, person, packet.station,
                      packet.kind, self.now_s, reply.state)

    def first(self, person, name=None, typed=None, **more):
        """A first packet; the reply and what it issued, if it is a challenge."""
        packet = Packet("main", person.name if name is None else name, person.password if typed is None else typed)
        for key, value in more.items():
            setattr(packet, key, value)
        reply = self.send(packet)
        issued = self.issue(reply, packet, person) if reply is not None and reply.challenged and reply.state else None
        return reply, issued

    def answer(self, issued, typed, name=None, **more):
        packet = Packet(issued.place, issued.name if name is None else name, typed, issued=issued, nas=issued.nas,
                        station=issued.station, kind=issued.kind)
        for key, value in more.items():
            setattr(packet, key, value)
        return self.send(packet)

    def fresh_code(self, person):
        """A code that was never typed; time passes until there is one."""
        step = max(self.now_s // STEP_S, getattr(person, "tried_step", -1) + 1)
        if step > self.now_s // STEP_S + 1:
            self.wait((step - self.now_s // STEP_S) * STEP_S)
        person.tried_step = step
        return person.code_of(step)

    def wrong_code(self):
        """Digits that are nobody's code now."""
        step = self.now_s // STEP_S
        taken = {person.code_of(step + i) for person in self.site.people for i in range(-3, 4)}
        while True:
            code = f"{self.chance.randrange(10 ** 6):06}"
            if code not in taken:
                return code

    def one(self, *states, but=()):
        """Somebody of these states."""
        return self.chance.choice([person for person in self.site.people
                                   if person.state in (states or (ENROLLED,)) and person not in but
                                   and person.name not in ODD and person not in self.spoiled]
                                  or [person for person in self.site.people if person.state in (states or (ENROLLED,))])

    def called(self, name):
        return next(person for person in self.site.people if name in person.names)

    def glued(self, person, code):
        return f"{person.password}{self.site.separator}{code}"

    def welcome(self, reply, person, by_eap=False):
        """Count an honest login that was accepted."""
        if reply is not None and reply.accepted:
            coded = "code" if person.state == ENROLLED and not self.site.report_only else "password"
            self.welcomed[coded, f"eap {self.site.eap}" if by_eap else self.site.factor] += 1
            self.welcomed[coded, self.site.mode] += 1
            self.welcomed["all"] += 1

    def expect(self, reply, wanted, why, person):
        """An honest login must end as the README promises."""
        got = "no answer" if reply is None else \
            "accept" if reply.accepted else "challenge" if reply.challenged else "reject"
        if wanted is not None and got != wanted:
            raise Violation(f"{why}: {wanted} was promised, {got} came", person)
