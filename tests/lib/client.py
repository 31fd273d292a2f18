# SPDX-License-Identifier: GPL-2.0-or-later
"""A NAS for tests: sends what it is told, as often as it is told, and checks what comes back."""
import os
import select
import socket
import time

from . import mschap
from .radius_packet import Reply, request

SECRET = b"testing123"


class NoAnswer(Exception):
    """The server stayed silent."""


class Client:
    """One UDP socket to one server, up to 256 requests in flight. One thread at a time."""

    def __init__(self, port, *, secret=SECRET, host="127.0.0.1", nas="nas-1", message_authenticator=True, timeout_s=8):
        self.secret, self.nas, self.timeout_s = secret, nas, timeout_s
        self.message_authenticator = message_authenticator
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect((host, port))
        self._next_ident = os.urandom(1)[0]
        self._waiting = {}
        self._replies = {}

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- packets

    def packet(self, attributes, *, ident=None, authenticator=None, **options):
        """The bytes of a request with the NAS's own name added; ident counts up when it is not given."""
        if ident is None:
            ident = self._next_ident = (self._next_ident + 1) % 256
        attributes = list(attributes.items() if isinstance(attributes, dict) else attributes)
        if self.nas and not any(name == "NAS-Identifier" for name, _ in attributes):
            attributes.append(("NAS-Identifier", self.nas))
        options.setdefault("message_authenticator", self.message_authenticator)
        return request(attributes, self.secret, ident=ident, authenticator=authenticator, **options)

    def send(self, packet):
        """Send the bytes; also the very same ones a second time. Returns what receive() wants."""
        self._waiting[packet[1]] = packet
        self._replies.pop(packet[1], None)
        self.socket.send(packet)
        return packet

    def receive(self, packet, timeout_s=None):
        """The reply to a packet that was sent; replies to others are kept for them."""
        end = time.monotonic() + (self.timeout_s if timeout_s is None else timeout_s)
        while packet[1] not in self._replies:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.socket], [], [], left)[0]:
                raise NoAnswer(f"no answer within {self.timeout_s if timeout_s is None else timeout_s} s")
            data = self.socket.recv(4096)
            if data[1] in self._waiting:
                self._replies[data[1]] = Reply(data, self.secret, self._waiting[data[1]])
        return self._replies.pop(packet[1])

    def ask(self, attributes, *, timeout_s=None, **options):
        return self.receive(self.send(self.packet(attributes, **options)), timeout_s)

    # ---- logins

    def password(self, user, password, *, timeout_s=None, **extra):
        """First packet, PAP. extra: further attributes, dashes written as underscores."""
        return self.ask(pap(user, password, **extra), timeout_s=timeout_s)

    def code(self, user, challenge, code, *, timeout_s=None, **extra):
        """Second packet: the code and the State of a challenge (a Reply, or bytes)."""
        return self.ask(pap(user, code, state_of(challenge), **extra), timeout_s=timeout_s)

    def chap(self, user, password, state=None, *, challenge=None, **extra):
        """CHAP over the password or the code; without challenge the Request Authenticator is it."""
        authenticator = os.urandom(16)
        value = mschap.chap(7, password.encode(), challenge or authenticator)
        attributes = [("User-Name", user), ("CHAP-Password", value)]
        if challenge:
            attributes.append(("CHAP-Challenge", challenge))
        if state:
            attributes.append(("State", state_of(state)))
        return self.ask(attributes + _named(extra), authenticator=authenticator)

    def mschap2(self, user, password, **extra):
        challenge = os.urandom(16)
        return self.ask([("User-Name", user), ("MS-CHAP-Challenge", challenge),
                         ("MS-CHAP2-Response", mschap.mschap2(user, password, challenge)), *_named(extra)])


def state_of(challenge):
    return challenge.state if isinstance(challenge, Reply) else challenge


def _named(extra):
    return [(name.replace("_", "-"), value) for name, value in extra.items()]


def pap(user, password, state=None, **extra):
    """Attributes of a PAP request; password and State may be any bytes."""
    attributes = [("User-Name", user), ("User-Password", password)]
    if state is not None:
        attributes.append(("State", state))
    return attributes + _named(extra)
