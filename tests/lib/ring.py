# SPDX-License-Identifier: GPL-2.0-or-later
"""Key rings, and values sealed by them: written from the description of the record, not from the library's code."""
import base64
import hashlib
import hmac
import os
import secrets

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CONSONANTS = "BCDFGHJKLMNPQRSTVWXZ"


def base64url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def hkdf(master, info):
    """RFC 5869 without salt, for 32 bytes."""
    key = hmac.new(bytes(32), master, hashlib.sha256).digest()
    return hmac.new(key, info.encode() + b"\1", hashlib.sha256).digest()


class Ring:
    """Named keys; the first one seals."""

    def __init__(self, *ids):
        self.keys = [(key_id, os.urandom(32)) for key_id in ids or ("k1",)]

    def text(self):
        return "".join(f"{key_id} {base64.b64encode(master).decode()}\n" for key_id, master in self.keys)

    def write(self, path, mode=0o640):
        path.write_text(self.text())
        path.chmod(mode)
        return path

    def with_new_key(self, key_id):
        """A ring with one more key, on top."""
        ring = Ring(key_id)
        ring.keys += self.keys
        return ring

    def box(self, purpose, plain, bound_to, key=0):
        """Bytes in a box, as text."""
        nonce = os.urandom(12)
        return base64url(nonce + self._cipher(purpose, key).encrypt(nonce, plain, _bytes(bound_to)))

    def unbox(self, purpose, text, bound_to, key=0):
        """What is in a box."""
        box = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return self._cipher(purpose, key).decrypt(box[:12], box[12:], _bytes(bound_to))

    def _cipher(self, purpose, key):
        return AESGCM(hkdf(self.keys[key][1], f"peruser-mfa {purpose}"))

    def seal(self, secret, entry_id, key=0):
        """A secret in the form {GCM}, for the entry with this immutable id."""
        return f"{{GCM}}{self.keys[key][0]}${self.box('secret', secret.encode(), entry_id, key)}"

    def recovery(self, code, entry_id):
        """The value that stands for a recovery code in the entry."""
        return self._hashed("recovery", code, entry_id)

    def voucher(self, code, entry_id, expires):
        """The value that stands for a voucher, good until that Unix time."""
        return f"{self._hashed('voucher', code, entry_id)} {expires}"

    def _hashed(self, purpose, code, entry_id):
        key_id, master = self.keys[0]
        letters = code.replace("-", "").replace(" ", "").upper().encode()
        data = b"".join(len(part).to_bytes(4, "big") + part for part in (_bytes(entry_id), letters))
        digest = hmac.new(hkdf(master, f"peruser-mfa {purpose}"), data, hashlib.sha256).digest()
        return f"{key_id}${base64url(digest)}"


def _bytes(value):
    return value.encode() if isinstance(value, str) else value


def new_recovery_code():
    return "-".join("".join(secrets.choice(CONSONANTS) for _ in range(4)) for _ in range(3))
