# SPDX-License-Identifier: GPL-2.0-or-later
"""The client's side of CHAP (RFC 1994) and MS-CHAPv2 (RFC 2759)."""
import hashlib
import os
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.algorithms import TripleDES

MASK = 0xFFFFFFFF


def md4(data):
    """RFC 1320; OpenSSL 3 no longer offers it by default."""
    state = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
    padded = data + b"\x80" + b"\0" * ((55 - len(data)) % 64) + struct.pack("<Q", len(data) * 8)
    rounds = (
        (lambda x, y, z: (x & y) | (~x & z), 0, (3, 7, 11, 19), range(16)),
        (lambda x, y, z: (x & y) | (x & z) | (y & z), 0x5A827999, (3, 5, 9, 13),
         [4 * (i % 4) + i // 4 for i in range(16)]),
        (lambda x, y, z: x ^ y ^ z, 0x6ED9EBA1, (3, 9, 11, 15), [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15]),
    )
    for start in range(0, len(padded), 64):
        words = struct.unpack("<16I", padded[start:start + 64])
        a, b, c, d = state
        for mix, constant, shifts, order in rounds:
            for i, k in enumerate(order):
                total = (a + (mix(b, c, d) & MASK) + words[k] + constant) & MASK
                shift = shifts[i % 4]
                a, b, c, d = d, ((total << shift) | (total >> (32 - shift))) & MASK, b, c
        state = tuple((x + y) & MASK for x, y in zip(state, (a, b, c, d)))
    return struct.pack("<4I", *state)


def des(key7, block):
    """One DES block under 56 key bits: triple DES with one key three times, which OpenSSL still has by default."""
    bits = int.from_bytes(key7, "big")
    key = bytes((bits >> (49 - 7 * i) & 0x7F) << 1 for i in range(8))
    encryptor = Cipher(TripleDES(key * 3), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def chap(ident, password, challenge):
    """The value of CHAP-Password."""
    return bytes([ident]) + hashlib.md5(bytes([ident]) + password + challenge).digest()


def mschap2(user, password, authenticator_challenge):
    """The value of MS-CHAP2-Response for a 16 byte MS-CHAP-Challenge."""
    peer_challenge = os.urandom(16)
    challenge = hashlib.sha1(peer_challenge + authenticator_challenge + user.encode()).digest()[:8]
    nt_hash = md4(password.encode("utf-16-le")) + bytes(5)
    response = b"".join(des(nt_hash[i:i + 7], challenge) for i in (0, 7, 14))
    return bytes([0, 0]) + peer_challenge + bytes(8) + response
