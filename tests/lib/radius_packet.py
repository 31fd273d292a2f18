# SPDX-License-Identifier: GPL-2.0-or-later
"""RADIUS packets (RFC 2865), byte for byte: nothing is added, dropped or put in order behind a test's back."""
import hashlib
import hmac
import os
import socket
import struct

ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE, STATUS_SERVER = 1, 2, 3, 11, 12
CODE_NAMES = {ACCESS_ACCEPT: "Access-Accept", ACCESS_REJECT: "Access-Reject", ACCESS_CHALLENGE: "Access-Challenge"}

VENDOR_SPECIFIC = 26
MESSAGE_AUTHENTICATOR = 80
MICROSOFT, CISCO = 311, 9

# name: (type, kind) or ((vendor, type), kind)
ATTRIBUTES = {
    "User-Name": (1, "text"), "User-Password": (2, "hidden"), "CHAP-Password": (3, "octets"),
    "NAS-IP-Address": (4, "ip"), "NAS-Port": (5, "int"), "Service-Type": (6, "int"), "Framed-Protocol": (7, "int"),
    "Framed-IP-Address": (8, "ip"), "Filter-Id": (11, "text"), "Reply-Message": (18, "text"),
    "Callback-Id": (20, "text"), "State": (24, "octets"), "Class": (25, "octets"), "Session-Timeout": (27, "int"),
    "Called-Station-Id": (30, "text"), "Calling-Station-Id": (31, "text"), "NAS-Identifier": (32, "text"),
    "Proxy-State": (33, "octets"), "CHAP-Challenge": (60, "octets"), "NAS-Port-Type": (61, "int"),
    "Tunnel-Type": (64, "tagged-int"), "Tunnel-Medium-Type": (65, "tagged-int"), "Prompt": (76, "int"),
    "Connect-Info": (77, "text"), "EAP-Message": (79, "octets"),
    "NAS-IPv6-Address": (95, "ip6"), "Framed-IPv6-Address": (168, "ip6"),
    "Message-Authenticator": (MESSAGE_AUTHENTICATOR, "octets"), "Tunnel-Private-Group-Id": (81, "text"),
    "Cisco-AVPair": ((CISCO, 1), "text"), "MS-CHAP-Error": ((MICROSOFT, 2), "octets"),
    "MS-CHAP-Challenge": ((MICROSOFT, 11), "octets"), "MS-CHAP2-Response": ((MICROSOFT, 25), "octets"),
    "MS-CHAP2-Success": ((MICROSOFT, 26), "octets"),
}
_BY_NUMBER = {number: (name, kind) for name, (number, kind) in ATTRIBUTES.items()}


def hide(password, secret, authenticator):
    """User-Password, RFC 2865 section 5.2."""
    padded = password + bytes(-len(password) % 16 if password else 16)
    out, last = b"", authenticator
    for i in range(0, len(padded), 16):
        mask = hashlib.md5(secret + last).digest()
        last = bytes(x ^ y for x, y in zip(padded[i:i + 16], mask))
        out += last
    return out


def _value(kind, value):
    if isinstance(value, bytes):
        return value
    if kind in ("int", "tagged-int"):
        return struct.pack("!I", value)
    if kind == "ip":
        return socket.inet_aton(value)
    if kind == "ip6":
        return socket.inet_pton(socket.AF_INET6, value)
    return str(value).encode()


def _encode(name, value, secret, authenticator):
    number, kind = ATTRIBUTES[name] if isinstance(name, str) else (name, "octets")
    raw = _value(kind, value)
    if kind == "hidden":
        raw = hide(raw, secret, authenticator)
    if isinstance(number, tuple):
        vendor, number_in_vendor = number
        raw = struct.pack("!IBB", vendor, number_in_vendor, len(raw) + 2) + raw
        number = VENDOR_SPECIFIC
    if len(raw) > 253:
        raise ValueError(f"{name}: {len(raw)} bytes do not fit into an attribute")
    return bytes([number, len(raw) + 2]) + raw


def request(attributes, secret, *, ident, authenticator=None, code=ACCESS_REQUEST, message_authenticator=True):
    """The bytes of a request. attributes: (name or number, value) pairs, kept in their order."""
    authenticator = authenticator or os.urandom(16)
    body = b"".join(_encode(name, value, secret, authenticator) for name, value in attributes)
    if message_authenticator:
        body = bytes([MESSAGE_AUTHENTICATOR, 18]) + bytes(16) + body
    packet = struct.pack("!BBH", code, ident, 20 + len(body)) + authenticator + body
    if message_authenticator:
        packet = packet[:22] + hmac.new(secret, packet, "md5").digest() + packet[38:]
    return packet


def _decode_value(kind, raw):
    if kind == "int" and len(raw) == 4:
        return struct.unpack("!I", raw)[0]
    if kind == "tagged-int" and len(raw) == 4:
        return struct.unpack("!I", b"\0" + raw[1:])[0]
    if kind == "ip" and len(raw) == 4:
        return socket.inet_ntoa(raw)
    return raw.decode("utf-8", "surrogateescape") if kind == "text" else raw


def _decode(number, raw):
    if number == VENDOR_SPECIFIC and len(raw) >= 6:
        number, raw = (struct.unpack("!I", raw[:4])[0], raw[4]), raw[6:]
    name, kind = _BY_NUMBER.get(number, (f"Attr-{number}", "octets"))
    return name, _decode_value(kind, raw)


class Reply:
    """A reply that was checked: response authenticator, and Message-Authenticator where there is one."""

    def __init__(self, packet, secret, request_packet):
        self.code, self.ident, length = struct.unpack("!BBH", packet[:4])
        packet = packet[:length]
        sent = request_packet[4:20]
        if hashlib.md5(packet[:4] + sent + packet[20:] + secret).digest() != packet[4:20]:
            raise ValueError("response authenticator is wrong")
        self.attributes, at = [], 20
        while at < length:
            number, size = packet[at], packet[at + 1]
            raw = packet[at + 2:at + size]
            if number == MESSAGE_AUTHENTICATOR:
                zeroed = packet[:4] + sent + packet[20:at + 2] + bytes(16) + packet[at + size:]
                if hmac.new(secret, zeroed, "md5").digest() != raw:
                    raise ValueError("Message-Authenticator is wrong")
            self.attributes.append(_decode(number, raw))
            at += size

    @property
    def accepted(self):
        return self.code == ACCESS_ACCEPT

    @property
    def rejected(self):
        return self.code == ACCESS_REJECT

    @property
    def challenged(self):
        return self.code == ACCESS_CHALLENGE

    def all(self, name):
        return [value for key, value in self.attributes if key == name]

    def get(self, name, default=None):
        return next(iter(self.all(name)), default)

    @property
    def said(self):
        """The attributes without Message-Authenticator, which servers from 3.2.5 on put into each reply."""
        return [(name, value) for name, value in self.attributes if name != "Message-Authenticator"]

    @property
    def message(self):
        return self.get("Reply-Message", "")

    @property
    def result(self):
        """Peruser-MFA-Result, which the tests' site sends along."""
        return self.get("Connect-Info", "")

    @property
    def reason(self):
        """Module-Failure-Message, which the tests' site sends along."""
        return self.get("Callback-Id", "")

    @property
    def state(self):
        return self.get("State")

    def __repr__(self):
        return f"{CODE_NAMES.get(self.code, self.code)} {self.attributes}"
