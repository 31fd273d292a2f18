# SPDX-License-Identifier: GPL-2.0-or-later
"""The instruments themselves: a server without our module, and published test vectors."""
import hashlib

import pytest

from lib import conf
from lib.mschap import des, md4
from lib.radius_packet import hide, request
from lib.radius_server import READ_PASSWORD, FreeRadius
from lib.totp import Device
from lib.user import User


MD4 = {"": "31d6cfe0d16ae931b73c59d7e0c089c0", "abc": "a448017aaf21d8525fc10ae87aa6729d",
       "1234567890" * 8: "e33b4ddc9c38f2199c3e7b164fcc0536"}


@pytest.mark.parametrize("text", MD4, ids=len)
def test_md4(text):
    """RFC 1320 appendix A.5."""
    assert md4(text.encode()).hex() == MD4[text]


def test_mschap2_response():
    """RFC 2759 section 9.2."""
    authenticator = bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628")
    peer = bytes.fromhex("21402324255E262A28295F2B3A337C7E")
    challenge = hashlib.sha1(peer + authenticator + b"User").digest()[:8]
    key = md4("clientPass".encode("utf-16-le")) + bytes(5)
    response = b"".join(des(key[i:i + 7], challenge) for i in (0, 7, 14))
    assert response.hex().upper() == "82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"


def test_hidden_password():
    """RFC 2865 section 7.1."""
    authenticator = bytes.fromhex("0f403f9473978057bd83d5cb98f4227a")
    assert hide(b"arctangent", b"xyzzy5461", authenticator).hex() == "0dbe708d93d413ce3196e43f782a0aee"
    packet = request([("User-Name", "nemo"), ("User-Password", "arctangent"), ("NAS-IP-Address", "192.168.1.16"),
                      ("NAS-Port", 3)], b"xyzzy5461", ident=0, authenticator=authenticator,
                     message_authenticator=False)
    assert packet.hex() == ("010000380f403f9473978057bd83d5cb98f4227a01066e656d6f"
                            "02120dbe708d93d413ce3196e43f782a0aee0406c0a80110050600000003")


def test_oathtool_counts_as_we_do():
    """RFC 6238 appendix B."""
    device = Device("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", digits=8)
    assert device.code(now=59) == "94287082" and device.codes(-1, 2, now=59)[1] == device.code(now=59)
    assert device.wrong() not in device.codes(-10, 21)


def test_first_factors_without_our_module(slapd):
    sections = {"first_factor": READ_PASSWORD}
    with FreeRadius(slapd, module=False) as binding, FreeRadius(slapd, module=False, sections=sections) as reading:
        user = User(slapd, clear=True)
        for server in (binding, reading):
            with server.client() as client:
                assert user.start(client).accepted and client.password(user.uid, "not-it").rejected
        with reading.client() as client:
            assert client.chap(user.uid, user.password).accepted and client.chap(user.uid, "not-it").rejected
            assert client.mschap2(user.uid, user.password).accepted and client.mschap2(user.uid, "not-it").rejected


def test_settings_are_edited_in_place():
    text = "a {\n\t# b = 1\n\tb = 2\n\tc {\n\t\td = 3\n\t}\n}\n"
    edited = conf.edit(text, {"a.b": 5, "a.c.e": "x y", "f": True, "a.g.h": 1, "a.c.d": None})
    assert edited == 'a {\n\t# b = 1\n\tb = 5\n\tc {\n\te = "x y"\n\t}\ng {\n\th = 1\n}\n}\n\n\tf = yes'
    assert conf.insert(text, "a.c", first="one", last="two") == (
        "a {\n\t# b = 1\n\tb = 2\n\tc {\none\n\t\td = 3\ntwo\n\t}\n}\n")
