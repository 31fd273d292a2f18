# SPDX-License-Identifier: GPL-2.0-or-later
"""Honest logins and attacks. They send; whether a reply is allowed is the oracle's question.

Each takes a Bench. An attack that does not fit a site returns without a packet.
"""
import base64
import os

from .oracle import Packet
from .people import BROKEN, ENROLLED, OFF, UNENROLLED

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
    if method == "MS-CHAP" and not name.isascii():
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
    bench.expect(reply, wanted, f"honest {method} login of {person} as {name!r}")
    if reply is not None and reply.accepted:
        bench.honest += 1
    if reply is not None and reply.challenged and person.state == ENROLLED:
        finish(bench, bench.issue(reply, packet, person), packet)


def finish(bench, issued, packet):
    """Answer a challenge as a user does, sometimes after a wrong code."""
    person = issued.person
    if bench.chance.random() < 0.15:
        again = bench.answer(issued, bench.wrong_code(), kind=packet.kind)
        bench.expect(again, "challenge", f"wrong code of {person}")
        issued = bench.issue(again, packet, person)
    method = "CHAP" if packet.method == "CHAP" else "PAP"
    reply = bench.answer(issued, bench.fresh_code(person), method=method, kind=packet.kind)
    bench.expect(reply, "accept", f"right code of {person}")
    bench.honest += reply is not None and reply.accepted


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
    pair = chance.choice([("anna", "anna@example.org"), ("ben@example.org", "ben"), ("cora", "cora@whole.org"),
                          ("gwen", "CORP\\gwen"), ("gwen", "CORP\\gwendolyn")])
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
    name = bench.chance.choice([other.name, other.name, person.name + "\0x", "nobody", f"{person.name}@whole.org",
                                person.name.encode() + b"\xff"])
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
    """A State of a virtual server that checks no password, or of another site."""
    chance = bench.chance
    if bench.site.open_door:
        places = chance.choice([("open", "main"), ("main", "open")])
        issued = challenged(bench, place=places[0])
        if issued:
            bench.answer(issued, bench.fresh_code(issued.person), place=places[1])


def other_nas(bench):
    issued = challenged(bench)
    if issued:
        bench.answer(issued, bench.fresh_code(issued.person), nas=bench.chance.choice(["nas-2", "second", ""]))


def late_answer(bench):
    issued = challenged(bench)
    if issued:
        bench.wait(bench.chance.choice([121, 150, 600]))
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
    site, chance = bench.site, bench.chance
    person = bench.one()
    code = person.recovery.pop() if person.recovery and chance.random() < 0.5 else None
    text = code or bench.fresh_code(person)
    if code:
        person.recovery.append(code)
    typed = bench.glued(person, text) if site.mode != "challenge" and chance.random() < 0.7 else \
        "SCRV1:" + ":".join(base64.b64encode(part.encode()).decode() for part in (person.password, text))
    first = Packet("main", person.name, typed, authenticator=os.urandom(16))
    reply = bench.send(first)
    if reply is None or not reply.accepted:
        return
    again = Packet("main", person.name, typed, authenticator=first.authenticator, ident=first.ident)
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


ATTACKS = (wrong_password, password_alone, flag_with_option, unusable_name, colliding_name, empty_after_decoding,
           foreign_code, doubled_attribute, second_name, nameless_answer, foreign_code_and_name, other_place, other_nas,
           late_answer, replay, glued_twice, remembered_elsewhere, made_up_state)
