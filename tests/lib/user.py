# SPDX-License-Identifier: GPL-2.0-or-later
"""A person with a password and, once enrolled, an authenticator app."""
import itertools
import os
import secrets

from .totp import Device

_numbers = itertools.count(1)


class User:
    """Made in a running directory. uid is a fresh one unless it is given."""

    def __init__(self, slapd, *, uid=None, password=None, clear=False, **attributes):
        self.slapd = slapd
        self.uid = uid or f"u{os.getpid()}x{next(_numbers)}"
        self.password = password or secrets.token_urlsafe(9)
        slapd.add_users(slapd.person(self.uid, self.password, clear=clear, **attributes))

    @property
    def dn(self):
        return self.slapd.user_dn(self.uid)

    @property
    def entry_id(self):
        return self.slapd.entry_id(self.uid)

    def get(self, name):
        """The one value of an attribute, or None."""
        return next(iter(self.slapd.get(self.uid, name)), None)

    def set(self, **attributes):
        self.slapd.set(self.uid, **attributes)
        return self

    def failures(self):
        """Wrong codes in a row, as the directory has it."""
        return int((self.get("peruserMfaFailures") or "0").split()[0])

    def start(self, client, **extra):
        """First packet, with the right password."""
        return client.password(self.uid, self.password, **extra)

    def answer(self, client, challenge, code, **extra):
        """Second packet."""
        return client.code(self.uid, challenge, code, **extra)


class Enrolled(User):
    """A user with one device and the flag set."""

    def __init__(self, slapd, device=None, **attributes):
        self.device = device or Device()
        attributes.setdefault("peruserMfaEnabled", "TRUE")
        attributes.setdefault("peruserMfaSecret", self.device.secret)
        super().__init__(slapd, **attributes)

    def challenge(self, client, **extra):
        """The challenge that the right password is answered with."""
        reply = self.start(client, **extra)
        assert reply.challenged, reply
        return reply

    def login(self, client, offset=0, **extra):
        """Both packets; the last reply."""
        return self.answer(client, self.challenge(client, **extra), self.device.code(offset), **extra)
