# SPDX-License-Identifier: GPL-2.0-or-later
"""Honest logins and attacks. They send; whether a reply is allowed is the oracle's question.

Each takes a Bench. An attack that does not fit a site returns without a packet.
"""
import base64
import os
import unicodedata
from dataclasses import replace

from .bench import Bench
from .oracle import ATTEMPTS, Packet, certificate
from .people import BROKEN, CERTIFIED, ENROLLED, OFF, UNENROLLED

STATIONS = ("02-00-00-00-00-01", "02-00-00-00-00-02", "")
SAME_NAMES = (lambda name: name, str.upper, str.title)


def spelled(bench, person):
    """A way to write a name that means this person at this site, whatever the order of modules."""
    site, names = bench.site, person.names if not bench.site.user_dn else person.names[:1]
    name = bench.chance.choice(names)
    if site.factor in ("bind", "password", "own") and name.isascii() and "\\" not in name and site.factor != "password":
        name = bench.chance.choice(SAME_NAMES)(name)
    before = site.order.index("realm") < min(site.order.index("mfa"), site.order.index("factor"))
    if before and "@" not in name and "\\" not in name and bench.chance.random() < 0.3:
        if "suffix" in site.realms:
            return f"{name}@example.org"
        if "ntdomain" in site.realms:
            return f"CORP\\{name}"
    return name


def means_one(bench, person, name):
    """Whether modules in any order find this person and nobody else under the name."""
    site = bench.site
    if "\\" in person.name:
        return False      # the server itself escapes a backslash twice in its filter
    if bench.oracle.readings(name.encode()) != [person]:
        return site.stripped(name) != name and site.order[0] == "realm" and \
            any(site.stripped(name).lower() == known.lower() for known in person.names)
    return site.stripped(name) == name or site.order[0] == "realm"


def honest(bench):
    """The right password, the right code when it is asked for, at the site as it is."""
    chance, site = bench.chance, bench.site
    person = bench.one(ENROLLED, OFF, UNENROLLED, BROKEN)
    name = spelled(bench, person)
    if not means_one(bench, person, name) or (not person.known_by_directory and site.factor not in ("files", "proxy")):
        return
    method = chance.choice(site.methods)
    if method == "MS-CHAP" and not name.isalpha():
        method = "PAP"
    nas = chance.choice(["nas-1", "nas-2"] + ["second"] * bool(site.second))
    packet = Packet("main", name, person.password, method, nas=nas, station=chance.choice(STATIONS),
                    kind=chance.choice(["Ethernet", "Virtual"]))
    with_code = person.state == ENROLLED and method == "PAP" and site.mode_for(nas) != "challenge" \
        and chance.random() < 0.7
    packet.session_s = bench.now_s
    wanted = bench.oracle.promised(person, nas, packet, with_code)
    if with_code:
        packet.typed = bench.glued(person, bench.fresh_code(person))
    reply = bench.send(packet)
    bench.expect(reply, wanted, f"honest {method} login of {person} as {name!r}", person)
    bench.welcome(reply, person)
    if reply is not None and reply.challenged and person.state == ENROLLED:
        finish(bench, bench.issue(reply, packet, person), packet)


def finish(bench, issued, packet):
    """Answer a challenge as a user does, sometimes after a wrong code."""
    person = issued.person
    if bench.chance.random() < 0.15:
        again = bench.answer(issued, bench.wrong_code())
        bench.expect(again, "challenge", f"wrong code of {person}", person)
        issued = replace(issued, state=again.state, now_s=bench.now_s)
    method = "CHAP" if packet.method == "CHAP" else "PAP"
    reply = bench.answer(issued, bench.fresh_code(person), method=method)
    bench.expect(reply, "accept", f"right code of {person}", person)
    bench.welcome(reply, person)


def honest_eap(bench):
    """A supplicant with an anonymous outer identity, and the code behind the password."""
    chance, site = bench.chance, bench.site
    person = bench.one(ENROLLED, OFF, UNENROLLED, BROKEN)
    while not person.known_by_directory or not person.name.isascii() or not person.name.isalpha():
        person = bench.one(ENROLLED, OFF, UNENROLLED, BROKEN)
    packet = eap_packet(bench, person)
    if bench.rack.programs_left and packet.method in ("TTLS/PAP", "TTLS/GTC", "PEAP/GTC"):
        packet.by_program, packet.kind, packet.station = True, "Wireless", STATIONS[0]
    with_code = person.state == ENROLLED and chance.random() < 0.7
    packet.session_s = bench.now_s
    wanted = bench.oracle.promised(person, packet.nas, packet, with_code)
    if with_code:
        packet.typed = bench.glued(person, bench.fresh_code(person))
    elif wanted == "reject" and person.state == ENROLLED and not site.separator and person.name == "paul":
        wanted = None
    reply = bench.send(packet)
    bench.expect(reply, wanted, f"honest {packet.method} login of {person}", person)
    bench.welcome(reply, person, by_eap=True)


def eap_packet(bench, person, typed=None, **more):
    """The start of a conversation by some method of the site."""
    method = bench.chance.choice(bench.site.eap_methods)
    packet = Packet(bench.site.eap_place, "anonymous" if "/" in method else person.name,
                    person.password if typed is None else typed, method, inner=person.name if "/" in method else None,
                    station=bench.chance.choice(STATIONS))
    for key, value in more.items():
        setattr(packet, key, value)
    return packet


# ---- attacks on EAP

def other_outer_name(bench):
    """Somebody else's name outside."""
    person = bench.one(ENROLLED, UNENROLLED)
    packet = eap_packet(bench, person)
    if packet.inner is not None:
        packet.name = bench.one(OFF).name
        bench.send(packet)


def eap_password_alone(bench):
    bench.send(eap_packet(bench, bench.one(ENROLLED, UNENROLLED, BROKEN)))


def lying_tunnel(bench):
    """Attributes in the tunnel that only the NAS should send."""
    person = bench.one()
    if bench.site.eap not in ("inside", "both"):
        return
    code = bench.glued(person, bench.fresh_code(person))
    bench.send(eap_packet(bench, person, code, method="TTLS/PAP", inner=person.name, name="anonymous",
                          station=STATIONS[0]))
    lies = (("Calling-Station-Id", STATIONS[0]), ("NAS-Port-Type", 15), ("NAS-Identifier", "nas-1"),
            ("Framed-IP-Address", bytes([192, 0, 2, 1])))
    bench.send(eap_packet(bench, person, method="TTLS/PAP", inner=person.name, name="anonymous",
                          station=bench.chance.choice(["", STATIONS[1]]), lies=lies,
                          kind=bench.chance.choice(["Ethernet", ""])))


def nul_in_tunnel(bench):
    """A password, or a name, with a NUL inside."""
    person = bench.one(ENROLLED, OFF)
    packet = eap_packet(bench, person)
    if bench.chance.random() < 0.5:
        packet.typed = bench.chance.choice([b"\0", b"", b"\0\0", b"\0" + person.code(bench.now_s).encode()])
    elif packet.inner is not None:
        packet.inner = person.name + bench.chance.choice(["\0", "\0x"])
    bench.send(packet)


def by_certificate(bench):
    """EAP-TLS under the own name and under another one."""
    person = bench.called(bench.chance.choice(CERTIFIED))
    name = bench.chance.choice([person, bench.one(OFF)]).name
    bench.send(Packet(bench.site.eap_place, name, certificate(person), "TLS"))


EAP_ATTACKS = (by_certificate, other_outer_name, eap_password_alone, lying_tunnel, nul_in_tunnel)


# ---- attacks on the first packet

def wrong_password(bench):
    person, other = bench.one(ENROLLED, OFF, UNENROLLED, BROKEN), bench.one(ENROLLED, OFF)
    typed = bench.chance.choice([other.password + "x", "", "\0", person.password[:-1], person.password + "\0"])
    bench.first(person, typed=typed, method=bench.chance.choice(bench.site.methods))


def password_alone(bench):
    """Whoever has to give a code gives none."""
    bench.first(bench.one(ENROLLED, UNENROLLED, BROKEN), method=bench.chance.choice(bench.site.methods))


def flag_with_option(bench):
    """A record whose attributes carry a language."""
    bench.first(bench.called(bench.chance.choice(["lena", "mia"])))


def unusable_name(bench):
    """A spelling that the first factor may understand and the directory does not."""
    person = bench.one(ENROLLED, OFF)
    name = person.name.encode()
    bench.first(person, name=bench.chance.choice(
        [name + b"\0", name + b"\0x", b"\0" + name, name + b"\xff", name + b"\xc3", name + b"\0@example.org"]))


def colliding_name(bench):
    """A name that one module reads as one account and another module as another."""
    chance = bench.chance
    pairs = [("ben@example.org", "ben"), ("cora", "cora@whole.org"), ("gwen", "CORP\\gwen"),
             ("gwen", "CORP\\gwendolyn"), ("anna", "anna "), ("cora", "  CORA"),
             ("j\u00fcrgen", unicodedata.normalize("NFD", "j\u00fcrgen"))]
    if "suffix" in bench.site.realms and chance.random() < 0.7:
        pairs = [("anna", "anna@example.org")]
    pair = chance.choice(pairs)
    person = bench.called(pair[0])
    name = pair[1] if chance.random() < 0.7 else pair[0]
    typed = person.password
    if chance.random() < 0.3 and person.state == ENROLLED:
        typed = bench.glued(person, bench.wrong_code())
    bench.first(person, name=name, typed=typed)


def empty_after_decoding(bench):
    """A password that is empty, or begins with a NUL, once it is decoded or the code is cut off."""
    person, chance = bench.one(ENROLLED, OFF), bench.chance
    code = person.code(bench.now_s) if person.state == ENROLLED else bench.wrong_code()
    password = chance.choice([b"\0", b"\0\0x", b""])
    coded = base64.b64encode(code.encode()).decode()
    bench.first(person, typed=chance.choice([
        f"SCRV1:{base64.b64encode(password).decode()}:{coded}", f"SCRV1:{base64.b64encode(password).decode()}:",
        bench.site.separator + code, b"\0" + bench.site.separator.encode() + code.encode()]))


def foreign_code(bench):
    """One's own password with somebody else's code."""
    person = bench.one()
    other = bench.one(but=(person,))
    code = other.code(bench.now_s)
    if bench.site.mode != "challenge":
        bench.first(person, typed=bench.glued(person, code))
        return
    _, issued = bench.first(person)
    if issued:
        bench.answer(issued, code)


def doubled_attribute(bench):
    """Two names, two passwords."""
    person, other = bench.one(), bench.one(OFF)
    extra = bench.chance.choice([("User-Name", other.name), ("User-Password", other.password),
                                 ("NAS-Identifier", "nas-2")])
    if bench.chance.random() < 0.5 and extra[0] == "User-Name":
        bench.first(other, name=other.name, typed=person.password, extra=(("User-Name", person.name),))
    else:
        bench.first(person, extra=(extra,))


def password_like_a_code(bench):
    """An honest login whose password ends in six digits."""
    person = bench.called("paul")
    packet = Packet("main", person.name, person.password, session_s=bench.now_s)
    wanted = bench.oracle.promised(person, packet.nas, packet, False)
    bench.expect(bench.send(packet), wanted, f"honest login of {person}", person)


# ---- attacks on the second packet

def challenged(bench, **more):
    """Somebody's challenge, with the right password."""
    person = bench.one()
    _, issued = bench.first(person, **more)
    return issued


def second_name(bench):
    """One's own password, code and State, under another name."""
    issued = challenged(bench)
    if not issued:
        return
    person = issued.person
    other = bench.one(ENROLLED, OFF, UNENROLLED, but=(person,))
    name = bench.chance.choice([other.name, other.name, person.name.upper(), person.name + "\0x", "nobody",
                                f"{person.name}@whole.org", person.name.encode() + b"\xff"])
    bench.answer(issued, bench.fresh_code(person), name=name)


def nameless_answer(bench):
    issued = challenged(bench)
    if issued:
        packet = Packet(issued.place, None, bench.fresh_code(issued.person), issued=issued, nas=issued.nas)
        bench.send(packet)


def foreign_code_and_name(bench):
    """One's own State with somebody else's name and code."""
    issued = challenged(bench)
    if issued:
        other = bench.one(but=(issued.person,))
        bench.answer(issued, bench.fresh_code(other), name=other.name)


def other_place(bench):
    """A State of a virtual server that checks no password."""
    chance = bench.chance
    if bench.site.open_door:
        places = chance.choice([("open", "main"), ("main", "open")])
        issued = challenged(bench, place=places[0])
        if issued:
            bench.answer(issued, bench.fresh_code(issued.person), place=places[1])


def other_site(bench):
    """A State that was given at another site."""
    issued = challenged(bench)
    if not issued or not bench.others:
        return
    other = Bench(bench.rack, bench.chance.choice(bench.others))
    other.sent = bench.sent
    namesake = other.called(issued.person.name)
    try:
        other.answer(issued, bench.fresh_code(issued.person), name=namesake.name)
        other.answer(issued, other.fresh_code(namesake), name=namesake.name)
    finally:
        other.close()


def other_nas(bench):
    issued = challenged(bench)
    if issued:
        bench.answer(issued, bench.fresh_code(issued.person), nas=bench.chance.choice(["nas-2", "second", ""]))


def late_answer(bench):
    issued = challenged(bench)
    if issued:
        bench.wait(bench.chance.choice([121, 150, 600]))
        bench.answer(issued, bench.fresh_code(issued.person))


def too_many_tries(bench):
    """The first State answered again and again."""
    issued = challenged(bench)
    if issued:
        for _ in range(ATTEMPTS):
            bench.answer(issued, bench.wrong_code())
        bench.answer(issued, bench.fresh_code(issued.person))


def replay(bench):
    """A code that was used, in the same login and in the next one."""
    issued = challenged(bench)
    if not issued:
        return
    code = bench.fresh_code(issued.person)
    bench.answer(issued, code)
    if bench.chance.random() < 0.5:
        bench.answer(issued, code, name=bench.one(OFF).name)
    _, again = bench.first(issued.person)
    if again:
        bench.answer(again, code)


def glued_twice(bench):
    """Password and code in one packet, and much of it once more: later, by another NAS, of another station."""
    person = bench.one()
    send_twice(bench, person, bench.fresh_code(person))


def recovery_code_twice(bench):
    """The same with a recovery code."""
    person = bench.one()
    send_twice(bench, person, bench.chance.choice(person.recovery))


def send_twice(bench, person, code):
    site, chance = bench.site, bench.chance
    typed = bench.glued(person, code) if site.mode != "challenge" and chance.random() < 0.7 else \
        "SCRV1:" + ":".join(base64.b64encode(part.encode()).decode() for part in (person.password, code))
    first = Packet("main", person.name, typed, authenticator=os.urandom(16))
    reply = bench.send(first)
    if reply is None or not reply.accepted:
        return
    again = Packet("main", person.name, typed, authenticator=first.authenticator, ident=first.ident, other_port=True)
    change = chance.choice(["late", "nas", "station", "ident", "nothing"])
    if change == "late":
        bench.wait(chance.choice([15, 100, 250]))
    elif change == "nas":
        again.nas = "nas-2"
    elif change == "station":
        again.station = STATIONS[1]
    elif change == "ident":
        again.ident = (first.ident + 1) % 256
    bench.send(again)


def remembered_elsewhere(bench):
    """A device that was remembered for one kind of NAS or one user."""
    if not bench.site.remember_s:
        return
    issued = challenged(bench, station=STATIONS[0])
    if issued:
        bench.answer(issued, bench.fresh_code(issued.person))
        bench.first(issued.person, kind="Virtual", station=STATIONS[0])
        bench.first(bench.one(but=(issued.person,)), station=STATIONS[0])
        bench.wait(3601)
        bench.first(issued.person, station=STATIONS[0])


def made_up_state(bench):
    """A State with a bit changed, or with a password in place of a code."""
    issued = challenged(bench)
    if not issued:
        return
    if bench.chance.random() < 0.5:
        bench.answer(issued, issued.person.password)
        return
    state = bytearray(issued.state)
    state[bench.chance.randrange(4, len(state))] ^= 1
    issued.state = bytes(state)
    issued.nas = "altered"       # no answer to it is allowed
    bench.answer(issued, bench.fresh_code(issued.person), nas="nas-1")


def draw(bench):
    """The next login at this site."""
    chance = bench.chance
    by_eap = bool(bench.site.eap) and chance.random() < 0.6
    if chance.random() < HONEST:
        return honest_eap if by_eap else honest
    attacks = EAP_ATTACKS if by_eap else ATTACKS
    return chance.choices(attacks, [weight(bench.site, attack) for attack in attacks])[0]


def weight(site, attack):
    """How often an attack is tried at a site: not where it cannot be, more where it is at home."""
    late_realm = site.mode != "challenge" and "suffix" in site.realms and site.order == ("mfa", "realm", "factor")
    return {colliding_name: 5 if late_realm else 1, password_like_a_code: 4 if site.report_only else 1,
            other_place: 2 * site.open_door, remembered_elsewhere: 1 if site.remember_s else 0,
            lying_tunnel: 2 if site.eap in ("inside", "both") and site.remember_s else 0,
            by_certificate: 0 if site.eap == "inside" or site.report_only else 1,
            other_outer_name: 0 if site.eap == "bare" else 1}.get(attack, 1)


HONEST = 0.45   # of all logins
ATTACKS = (wrong_password, password_alone, password_like_a_code, flag_with_option, unusable_name, colliding_name,
           empty_after_decoding, foreign_code, doubled_attribute, second_name, nameless_answer, foreign_code_and_name,
           other_place, other_site, other_nas, late_answer, too_many_tries, replay, glued_twice, recovery_code_twice,
           remembered_elsewhere, made_up_state)
