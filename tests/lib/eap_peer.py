# SPDX-License-Identifier: GPL-2.0-or-later
"""A supplicant that says what it is told, also what no honest one would: EAP (RFC 3748), TTLS (RFC 5281), PEAPv0."""
import hashlib
import os
import ssl
import struct

from .mschap import mschap2
from .radius_packet import ATTRIBUTES

REQUEST, RESPONSE = 1, 2
IDENTITY, NAK, MD5, GTC, TLS, TTLS, PEAP, MSCHAPV2, TLV = 1, 3, 4, 6, 13, 21, 25, 26, 33
TYPES = {"TTLS": TTLS, "PEAP": PEAP, "TLS": TLS, "GTC": GTC, "MSCHAPV2": MSCHAPV2, "MD5": MD5}
LENGTH, MORE = 0x80, 0x40
FRAGMENT = 1000
ROUNDS = 40
SUCCESS_TLV = bytes.fromhex("80030002 0001")


def response(ident, kind, data):
    return struct.pack("!BBHB", RESPONSE, ident, 5 + len(data), kind) + data


class Method:
    """A method without a tunnel: answers requests as (kind, data)."""

    def __init__(self, kind, name, password):
        self.kind, self.name, self.password = kind, name, password

    def answer(self, ident, kind, data):
        """What to send for a request, as (kind, data)."""
        if kind == IDENTITY:
            return IDENTITY, self.name
        if kind != self.kind:
            return NAK, bytes([self.kind])
        return kind, {GTC: self._gtc, MD5: self._md5, MSCHAPV2: self._mschapv2}[kind](ident, data)

    def _gtc(self, _, __):
        return self.password

    def _md5(self, ident, data):
        digest = hashlib.md5(bytes([ident]) + self.password + data[1:1 + data[0]]).digest()
        return bytes([16]) + digest

    def _mschapv2(self, _, data):
        if data[0] != 1:
            return data[:1]      # success or failure: agreed
        value = mschap2(self.name.decode("utf-8", "replace"), self.password.decode("utf-8", "replace"), data[5:21])
        answer = value[2:] + b"\0"
        return struct.pack("!BBHB", 2, data[1], 5 + 49 + len(self.name), 49) + answer[:49] + self.name


class Tunnel:
    """TLS in EAP; what is said inside is the business of those who inherit."""

    def __init__(self, kind, name, certificate=None):
        self.kind, self.name, self.certificate = kind, name, certificate
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        if certificate:
            context.load_cert_chain(*certificate)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)
        self.to_send, self.up = b"", False

    def answer(self, _, kind, data):
        if kind == IDENTITY:
            return IDENTITY, self.name
        if kind != self.kind:
            return NAK, bytes([self.kind])
        flags, data = data[0], data[1:]
        self.incoming.write(data[4:] if flags & LENGTH else data)
        if not flags & MORE and not self.to_send:
            self._think()
        return kind, self._fragment()

    def _think(self):
        try:
            if not self.up:
                self.tls.do_handshake()
                self.up = True
                self.opened()
            else:
                self.heard(self.tls.read(16384))
        except ssl.SSLWantReadError:
            pass
        self.to_send += self.outgoing.read()

    def _fragment(self):
        part, self.to_send = self.to_send[:FRAGMENT], self.to_send[FRAGMENT:]
        return bytes([MORE if self.to_send else 0]) + part

    def opened(self):
        """The handshake has ended."""

    def heard(self, data):
        """Something came through the tunnel."""


def avp(name, value):
    """An attribute of TTLS, marked as mandatory."""
    number = ATTRIBUTES[name][0]
    raw = value if isinstance(value, bytes) else struct.pack("!I", value) if isinstance(value, int) else value.encode()
    length = 8 + len(raw)
    return struct.pack("!II", number, 0x40000000 | length) + raw + bytes(-length % 4)


class Ttls(Tunnel):
    """Inside: attributes, or another EAP method in them. more: further attributes, true or not."""

    def __init__(self, outer, inner, password, method=None, more=()):
        super().__init__(TTLS, outer)
        self.inner_name, self.password, self.more = inner, password, tuple(more)
        self.inner = method and Method(method, inner, password)

    def opened(self):
        more = b"".join(avp(name, value) for name, value in self.more)
        if self.inner:
            self.tls.write(avp("EAP-Message", response(0, IDENTITY, self.inner_name)) + more)
        else:
            padded = self.password + bytes(-len(self.password) % 16)
            self.tls.write(avp("User-Name", self.inner_name) + avp("User-Password", padded) + more)

    def heard(self, data):
        eap = b"".join(value for number, value in avps(data) if number == ATTRIBUTES["EAP-Message"][0])
        if self.inner and len(eap) > 4 and eap[0] == REQUEST:
            self.tls.write(avp("EAP-Message", response(eap[1], *self.inner.answer(eap[1], eap[4], eap[5:]))))


def avps(data):
    """(number, value) of each attribute of TTLS without a vendor."""
    while len(data) >= 8:
        number, length = struct.unpack("!II", data[:8])
        length &= 0xFFFFFF
        yield number, data[8:length]
        data = data[length + -length % 4:]


class Peap(Tunnel):
    """Inside: EAP without its header, but for the identity and the result."""

    def __init__(self, outer, inner, password, method):
        super().__init__(PEAP, outer)
        self.inner = Method(method, inner, password)

    def heard(self, data):
        whole = len(data) > 4 and data[0] == REQUEST and struct.unpack("!H", data[2:4])[0] == len(data)
        if whole and data[4] == TLV:
            self.tls.write(response(data[1], TLV, data[5:]))
            return
        ident, kind, rest = (data[1], data[4], data[5:]) if whole else (0, data[0], data[1:])
        kind, answer = self.inner.answer(ident, kind, rest)
        self.tls.write(bytes([kind]) + answer)


def peer(method, outer, inner, password, more=(), certificate=None):
    """The supplicant for "TTLS/PAP", "TTLS/GTC", "PEAP/GTC", "GTC", "TLS" and so on. Names and password are bytes."""
    tunnel, _, phase2 = method.partition("/")
    if tunnel == "TTLS":
        return Ttls(outer, inner, password, TYPES.get(phase2), more)
    if tunnel == "PEAP":
        return Peap(outer, inner, password, TYPES[phase2])
    if tunnel == "TLS":
        return Tunnel(TLS, outer, certificate)
    return Method(TYPES[tunnel], outer, password)


def converse(client, supplicant, attributes):
    """One authentication over a Client; the last reply, which is no challenge unless the server never ends it."""
    eap, state, reply = response(os.urandom(1)[0], IDENTITY, supplicant.name), None, None
    for _ in range(ROUNDS):
        pieces = [("EAP-Message", eap[i:i + 253]) for i in range(0, len(eap), 253)]
        reply = client.ask([*attributes, *pieces, *([("State", state)] if state else [])])
        eap, state = b"".join(reply.all("EAP-Message")), reply.state
        if not reply.challenged or len(eap) < 5 or eap[0] != REQUEST:
            return reply
        ident, kind = eap[1], eap[4]
        eap = response(ident, *supplicant.answer(ident, kind, eap[5:]))
    return reply
