# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa import of PSKC files (RFC 6030), in clear and encrypted."""
import base64
import re

import pytest

from lib import pskc
from lib.admin import Admin
from lib.totp import Device
from lib.user import User

SALT = "c2FsdHNhbHQ="
PLAIN = pskc.plain(pskc.FIGURE_SECRET)


@pytest.fixture(scope="module")
def admin(slapd, ring):
    with Admin(slapd, ring) as command:
        yield command


@pytest.fixture
def key(admin):
    return admin.file("key", pskc.FIGURE_6_KEY.hex() + "\n")


@pytest.fixture
def password(admin):
    return admin.file("password-of-file", pskc.FIGURE_7_PASSWORD + "\n")


def figure_device():
    """The secret of the RFC's examples."""
    return Device(secret=base64.b32encode(pskc.FIGURE_SECRET).decode(), digits=8)


def raw(device):
    return base64.b32decode(device.secret)


def works(admin, user, device):
    return admin.json("verify", user.uid, device.settle(15).code())[0]["right"]


def refuse(admin, text, *options):
    """What is said of a file of which nothing can be imported."""
    done = admin.run("import", admin.file("keys.xml", text), *options, status=1)
    assert "1234567890" not in done.err + done.out and pskc.base64_text(pskc.FIGURE_SECRET) not in done.err + done.out
    return done.err


def test_in_clear(admin, slapd):
    user, device = User(slapd), Device(digits=8)
    secret = pskc.plain(raw(device))
    text = pskc.document(pskc.package(secret, f"UID={user.uid},DC=example", digits=8),
                         pskc.package(secret, user.uid, serial="2", algorithm="hotp"),
                         pskc.package("<PlainValue>AAAA</PlainValue>", user.uid, serial="3"),
                         pskc.package("", user.uid, serial="4"),
                         pskc.package(secret, user.uid, serial="5", digits=9),
                         pskc.package(secret, user.uid, serial="6", period=5))
    done = admin.run("import", admin.file("keys.xml", text), status=1)
    for words in ("row 2: not a TOTP key", "row 3: the secret has 3 bytes", "row 4: there is no secret",
                  "row 5: codes of 9 digits", "row 6: time steps of 5 s"):
        assert words in done.err
    assert works(admin, user, device)


@pytest.mark.parametrize("figure,option", [(pskc.figure_6, "key"), (pskc.figure_7, "password")])
def test_encrypted_examples_of_the_rfc(admin, slapd, figure, option, request):
    user, option = User(slapd), (f"--pskc-{option}", request.getfixturevalue(option))
    assert "row 1: not a TOTP key: urn:ietf:params:xml:ns:keyprov:pskc:hotp" in refuse(
        admin, figure(user.uid, algorithm="hotp"), *option)
    assert admin.json("import", *option, admin.file("keys.xml", figure(user.uid)))[0]["outcome"] == "changed"
    assert works(admin, user, figure_device())
    prefixed = re.sub(r"<(/?)([A-Z]\w*)", r"<\1pskc:\2", figure(user.uid)).replace("xmlns=", "xmlns:pskc=")
    assert admin.json("import", *option, admin.file("keys.xml", prefixed))[0]["outcome"] == "unchanged"


FIGURE_2 = """<KeyPackage><Key Id="12345678" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp">
<Issuer>Issuer-A</Issuer><Data><Secret><PlainValue>MTIzNA==
</PlainValue></Secret></Data></Key></KeyPackage>"""
FIGURE_3 = """<KeyPackage><DeviceInfo><Manufacturer>Manufacturer</Manufacturer><SerialNo>987654321</SerialNo>
<UserId>DC=example-bank,DC=net</UserId></DeviceInfo><CryptoModuleInfo><Id>CM_ID_001</Id></CryptoModuleInfo>
<Key Id="12345678" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"><Issuer>Issuer</Issuer>
<AlgorithmParameters><ResponseFormat Length="8" Encoding="DECIMAL"/></AlgorithmParameters>
<Data><Secret><PlainValue>MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=</PlainValue></Secret><Counter><PlainValue>0</PlainValue></Counter>
</Data><UserId>UID=jsmith,DC=example-bank,DC=net</UserId></Key></KeyPackage>"""
FIGURE_10 = """<KeyPackage><DeviceInfo><Manufacturer>TokenVendorAcme</Manufacturer><SerialNo>{serial}</SerialNo></DeviceInfo>
<Key Id="{key}" Algorithm="urn:ietf:params:xml:ns:keyprov:pskc:hotp"><Issuer>Issuer</Issuer>
<AlgorithmParameters><ResponseFormat Length="8" Encoding="DECIMAL"/></AlgorithmParameters>
<Data><Secret><PlainValue>
  MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=
</PlainValue></Secret><Counter><PlainValue>0</PlainValue></Counter></Data>
<Policy><StartDate>2006-05-01T00:00:00Z</StartDate><ExpiryDate>2006-05-31T00:00:00Z</ExpiryDate></Policy>
</Key></KeyPackage>"""


def test_other_examples_of_the_rfc(admin, slapd):
    """All are HOTP keys, which are refused by row; with the algorithm changed they can be imported."""
    User(slapd, uid="jsmith")
    bulk = [FIGURE_10.format(serial=serial, key=key) for key, serial in enumerate((654321, 123456, 9999999, 9999999), 1)]
    for packages in ([FIGURE_2], [FIGURE_3], bulk):
        said = refuse(admin, pskc.document(*packages))
        assert all(f"row {row}: not a TOTP key" in said for row in range(1, len(packages) + 1))
    totp = pskc.document(FIGURE_2, FIGURE_3, *bulk).replace("pskc:hotp", "pskc:totp")
    said = refuse(admin, totp)
    assert "row 1: the secret has 4 bytes" in said and "row 3: names no user" in said and "jsmith" not in said
    assert admin.json("status", "jsmith")[0]["devices"][0]["digits"] == 8
    assert admin.json("status", "jsmith")[0]["devices"][0]["name"] == "987654321"


@pytest.mark.parametrize("bits", [128, 192, 256])
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_several_encrypted_keys(admin, slapd, bits, digest):
    users, devices = [User(slapd) for _ in range(3)], [Device() for _ in range(3)]
    secret_key = bytes(range(bits // 8))
    sealer = pskc.Sealer(secret_key, digest)
    packages = [pskc.package(sealer.value(raw(device)), user.uid) for user, device in zip(users, devices)]
    packages[1] = re.sub(r"<ValueMAC>..", "<ValueMAC>AA", packages[1])
    text = pskc.document(pskc.PRE_SHARED, sealer.mac_method(), *packages)
    key = admin.file("other", secret_key.hex())
    done = admin.run("import", "--pskc-key", key, admin.file("keys.xml", text), status=1)
    assert "row 2: wrong key or passphrase, or the file was changed" in done.err
    assert [bool(user.get("peruserMfaSecret")) for user in users] == [True, False, True]
    assert works(admin, users[2], devices[2])


@pytest.mark.parametrize("length", [16, 32])
def test_passphrase(admin, slapd, length):
    user, device = User(slapd), Device()
    sealer = pskc.Sealer.of_password("Schlüssel", SALT, 2000, length)
    text = pskc.document(pskc.derived(SALT, 2000, length), sealer.mac_method(),
                         pskc.package(sealer.value(raw(device)), user.uid))
    admin.run("import", "--pskc-password", admin.file("p", "Schlüssel\n"), admin.file("keys.xml", text))
    assert works(admin, user, device)


@pytest.mark.parametrize("figure,given,reason", [
    (pskc.figure_6, (), "give --pskc-key"),
    (pskc.figure_6, ("--pskc-password", "qwerty"), "give --pskc-key"),
    (pskc.figure_6, ("--pskc-key", "00" * 16), "wrong key or passphrase"),
    (pskc.figure_6, ("--pskc-key", "00" * 32), "encrypted with a key of 16 bytes, the one given has 32"),
    (pskc.figure_6, ("--pskc-key", "00" * 8), "give --pskc-key"),
    (pskc.figure_7, (), "give --pskc-password"),
    (pskc.figure_7, ("--pskc-key", "00" * 16), "give --pskc-password"),
    (pskc.figure_7, ("--pskc-password", "Qwerty"), "wrong key or passphrase"),
])
def test_what_does_not_open_it(admin, slapd, figure, given, reason):
    user = User(slapd)
    options = (given[0], admin.file("given", given[1])) if given else ()
    said = refuse(admin, figure(user.uid), *options)
    assert f"{user.uid}: failed: row 1: " in said and reason in said
    assert user.get("peruserMfaSecret") is None


@pytest.mark.parametrize("text", ["", "zz", "123", "00" * 33, "\0"])
def test_key_file_that_is_none(admin, text):
    done = admin.run("import", "--pskc-key", admin.file("key", text), admin.file("keys.xml", pskc.document()), status=2)
    assert "key" in done.err
    admin.run("import", "--pskc-password", "/nowhere", "/nowhere", status=2)


def cut(pattern, by=""):
    """A change that is really made."""
    def change(text):
        changed = re.sub(pattern, by, text, count=1, flags=re.DOTALL)
        assert changed != text
        return changed
    return change


@pytest.mark.parametrize("figure,change,reason", [
    (pskc.figure_6, cut(r"<ValueMAC>.*</ValueMAC>"), "without a ValueMAC"),
    (pskc.figure_6, cut(r"<ValueMAC>Su", "<ValueMAC>S!"), "without a ValueMAC"),
    (pskc.figure_6, cut(r"AAECAw", "AAECBw"), "the file was changed"),
    (pskc.figure_6, cut(r"AAECAwQFBgcICQoLDA0OD\+cIHItlB3Wra1DUpxVvOx2lef1VmNPCMl8jwZqIUqGv"), "CipherValue cannot be read"),
    (pskc.figure_6, cut(r"AAECAwQFBgcICQoLDA0OD\+", "A" * 400), "CipherValue cannot be read"),
    (pskc.figure_6, cut(r"ESIzRF", "A" * 400), "CipherValue cannot be read"),
    (pskc.figure_6, cut(r"ESIzRFVmd4iZABEiM0RVZgKn6WjLaTC1sbeBMSvIhRej", ""), "CipherValue cannot be read"),
    (pskc.figure_6, cut(r"<MACMethod.*</MACMethod>"), "without a MACKey"),
    (pskc.figure_6, cut(r"<MACKey>.*</MACKey>"), "without a MACKey"),
    (pskc.figure_6, cut(r"hmac-sha1", "hmac-md5"), "MACMethod 'http://www.w3.org/2000/09/xmldsig#hmac-md5' is not known"),
    (pskc.figure_6, cut(r"aes128-cbc", "tripledes-cbc"), "tripledes-cbc', which is not known"),
    (pskc.figure_6, cut(r"aes128-cbc(?!.*aes128)", "aes128-ecb"), "aes128-ecb', which is not known"),
    (pskc.figure_6, cut(r"aes128-cbc(?!.*aes128)", "aes256-cbc"), "a key of 32 bytes, the one given has 16"),
    (pskc.figure_6, cut(r"ds:KeyName", "ds:X509Data"), None),
    (pskc.figure_6, cut(r"<EncryptionKey>.*</EncryptionKey>"), "neither with a pre-shared key nor with a passphrase"),
    (pskc.figure_7, cut(r"<IterationCount>1000", "<IterationCount>0"), "PBKDF2-params cannot be used"),
    (pskc.figure_7, cut(r"<IterationCount>1000", "<IterationCount>99999999"), "PBKDF2-params cannot be used"),
    (pskc.figure_7, cut(r"<IterationCount>1000", "<IterationCount>-1"), "PBKDF2-params cannot be used"),
    (pskc.figure_7, cut(r"<KeyLength>16", "<KeyLength>64"), "PBKDF2-params cannot be used"),
    (pskc.figure_7, cut(r"<KeyLength>16", "<KeyLength>8"), "PBKDF2-params cannot be used"),
    (pskc.figure_7, cut(r"<Specified>.*</Specified>"), "PBKDF2-params cannot be used"),
    (pskc.figure_7, cut(r"<pkcs5:PBKDF2-params>.*</pkcs5:PBKDF2-params>"), "key derivation is not PBKDF2"),
    (pskc.figure_7, cut(r"<PRF/>", '<PRF Algorithm="md5"/>'), "PRF 'md5' is not known"),
])
def test_malformed_encryption(admin, slapd, key, password, figure, change, reason):
    """Each is a row with its reason, and the row in clear behind it is imported."""
    bad, good = User(slapd), User(slapd)
    text = change(figure(bad.uid)).replace("</KeyContainer>", pskc.package(PLAIN, good.uid) + "</KeyContainer>")
    said = refuse(admin, text, "--pskc-key", key, "--pskc-password", password)
    if reason:
        assert f"{bad.uid}: failed: row 1: " in said and reason in said
        assert good.get("peruserMfaEnabled") == "TRUE"
    assert bad.get("peruserMfaSecret") is None


@pytest.mark.parametrize("text", [
    pskc.document(), "<KeyContainer/>", "<nonsense/>", "<KeyContainer", pskc.document(pskc.package(PLAIN, "x"))[:-20],
    pskc.document("<Nonsense/>", pskc.package(PLAIN, "x")), pskc.document("<KeyPackage/>" * 2),
    pskc.document(pskc.package(PLAIN, "x")).replace("<PlainValue>30<", "<PlainValue>often<"),
])
def test_files_that_are_no_pskc(admin, text):
    assert refuse(admin, text, "--format", "pskc")


def test_document_types_are_refused(admin, slapd):
    """They can name other files, and things that grow without end."""
    user, secret = User(slapd), admin.file("secret", "TOP")
    for entity in (f'SYSTEM "file://{secret}"', '"x"'):
        text = pskc.document(pskc.package(PLAIN, user.uid + "&x;"))
        text = text.replace("?>\n", f"?>\n<!DOCTYPE KeyContainer [<!ENTITY x {entity}>]>\n", 1)
        assert "not a PSKC file" in refuse(admin, text)
    assert user.get("peruserMfaSecret") is None
