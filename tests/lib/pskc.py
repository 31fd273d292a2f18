# SPDX-License-Identifier: GPL-2.0-or-later
"""PSKC documents (RFC 6030), in clear and encrypted, and the data of the RFC's own examples."""
import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

XENC = "http://www.w3.org/2001/04/xmlenc#"
HMAC_SHA1 = "http://www.w3.org/2000/09/xmldsig#hmac-sha1"
PKCS5 = "http://www.rsasecurity.com/rsalabs/pkcs/schemas/pkcs-5v2-0#"
PRE_SHARED = "<EncryptionKey><ds:KeyName>Pre-shared-key</ds:KeyName></EncryptionKey>"
MAC_METHOD = '<MACMethod Algorithm="{algorithm}"><MACKey>{key}</MACKey></MACMethod>'
DERIVED = """<EncryptionKey><xenc11:DerivedKey>
<xenc11:KeyDerivationMethod Algorithm="{pkcs5}pbkdf2"><pkcs5:PBKDF2-params>
<Salt><Specified>{salt}</Specified></Salt><IterationCount>{iterations}</IterationCount><KeyLength>{length}</KeyLength><PRF/>
</pkcs5:PBKDF2-params></xenc11:KeyDerivationMethod></xenc11:DerivedKey></EncryptionKey>"""
CIPHER = """<xenc:EncryptionMethod Algorithm="{xenc}{cipher}"/>
<xenc:CipherData><xenc:CipherValue>
  {value}
</xenc:CipherValue></xenc:CipherData>"""
CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<KeyContainer Version="1.0" xmlns="urn:ietf:params:xml:ns:keyprov:pskc" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"
 xmlns:xenc="{xenc}" xmlns:xenc11="http://www.w3.org/2009/xmlenc11#" xmlns:pkcs5="{pkcs5}">
{content}</KeyContainer>
"""
PACKAGE = """<KeyPackage><DeviceInfo><Manufacturer>M</Manufacturer><SerialNo>{serial}</SerialNo></DeviceInfo>
<Key Id="{serial}" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:{algorithm}"><Issuer>I</Issuer>
<AlgorithmParameters><ResponseFormat Length="{digits}" Encoding="DECIMAL"/></AlgorithmParameters>
<Data><Secret>{secret}</Secret>
<Time><PlainValue>0</PlainValue></Time><TimeInterval><PlainValue>{period}</PlainValue></TimeInterval></Data>
<UserId>{user}</UserId></Key></KeyPackage>
"""

# Figures 6 and 7: what opens them, and what is in them.
FIGURE_SECRET = b"12345678901234567890"
FIGURE_6_KEY = bytes.fromhex("12345678901234567890123456789012")
FIGURE_6_MAC_KEY = "ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRejN9vJa2BOlSaMrR7I5wSX"
FIGURE_6_VALUE = "AAECAwQFBgcICQoLDA0OD+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv"
FIGURE_6_MAC = "Su+NvtQfmvfJzF6bmQiJqoLRExc="
FIGURE_7_PASSWORD = "qwerty"
FIGURE_7_SALT = "Ej7/PEpyEpw="
FIGURE_7_MAC_KEY = "2GTTnLwM3I4e5IO5FkufoOEiOhNj91fhKRQBtBJYluUDsPOLTfUvoU2dStyOwYZx"
FIGURE_7_VALUE = "oTvo+S22nsmS2Z/RtcoF8Hfh+jzMe0RkiafpoDpnoZTjPYZu6V+A4aEn032yCr4f"
FIGURE_7_MAC = "LP6xMvjtypbfT9PdkJhBZ+D6O4w="


def base64_text(data):
    return base64.b64encode(data).decode()


def document(*parts):
    return CONTAINER.format(xenc=XENC, pkcs5=PKCS5, content="".join(parts))


def package(secret, user, *, serial="1", algorithm="totp", digits=6, period=30):
    return PACKAGE.format(secret=secret, user=user, serial=serial, algorithm=algorithm, digits=digits, period=period)


def plain(secret):
    return f"<PlainValue>{base64_text(secret)}</PlainValue>"


def derived(salt, iterations=1000, length=16):
    return DERIVED.format(pkcs5=PKCS5, salt=salt, iterations=iterations, length=length)


def cipher(value, name="aes128-cbc"):
    return CIPHER.format(xenc=XENC, cipher=name, value=value)


def mac_method(key, algorithm=HMAC_SHA1):
    return MAC_METHOD.format(algorithm=algorithm, key=key)


def encrypted(value, mac):
    return f"<EncryptedValue>{value}</EncryptedValue><ValueMAC>{mac}</ValueMAC>"


def figure_6(user, algorithm="totp"):
    """Encrypted with a pre-shared key; the RFC's own is an HOTP key."""
    return document(PRE_SHARED, mac_method(cipher(FIGURE_6_MAC_KEY)),
                    package(encrypted(cipher(FIGURE_6_VALUE), FIGURE_6_MAC), user, digits=8, algorithm=algorithm))


def figure_7(user, algorithm="totp"):
    """Encrypted with a key made of a passphrase."""
    return document(derived(FIGURE_7_SALT), mac_method(cipher(FIGURE_7_MAC_KEY)),
                    package(encrypted(cipher(FIGURE_7_VALUE), FIGURE_7_MAC), user, digits=8, algorithm=algorithm))


class Sealer:
    """Encrypts values as such a document has them."""

    def __init__(self, key, digest="sha1"):
        self.key, self.mac_key, self.digest = key, os.urandom(20), digest

    @classmethod
    def of_password(cls, password, salt, iterations=1000, length=16):
        return cls(hashlib.pbkdf2_hmac("sha1", password.encode(), base64.b64decode(salt), iterations, length))

    def _encrypt(self, data):
        """CBC with the padding of XML encryption: its last byte says how much it is, the others may be anything."""
        count, iv = 16 - len(data) % 16, os.urandom(16)
        padded = data + os.urandom(count - 1) + bytes([count])
        encryptor = Cipher(algorithms.AES(self.key), modes.CBC(iv)).encryptor()
        return iv + encryptor.update(padded) + encryptor.finalize()

    def _cipher(self, box):
        return cipher(base64_text(box), f"aes{len(self.key) * 8}-cbc")

    def mac_method(self):
        algorithm = HMAC_SHA1 if self.digest == "sha1" else f"http://www.w3.org/2001/04/xmldsig-more#hmac-{self.digest}"
        return mac_method(self._cipher(self._encrypt(self.mac_key)), algorithm)

    def value(self, secret):
        box = self._encrypt(secret)
        return encrypted(self._cipher(box), base64_text(hmac.new(self.mac_key, box, self.digest).digest()))
