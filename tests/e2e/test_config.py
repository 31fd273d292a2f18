# SPDX-License-Identifier: GPL-2.0-or-later
"""Configuration that is wrong in any way stops the server, which says file, line and what is allowed."""
import os
import re

import pytest

from lib import ROOT, conf
from lib.radius_server import FreeRadius
from lib.ring import Ring


@pytest.fixture
def server(slapd, ring):
    with FreeRadius(slapd, ring=ring, start=False) as freeradius:
        yield freeradius


def refused(server, **changes):
    """What the server says when it refuses to start."""
    server.pick_ports()
    server.configure(**changes)
    status, text = server.check()
    assert status != 0, "the server would start"
    assert "Segmentation" not in text and "signal" not in text
    return text


def line_of(text, item, value):
    wanted = f"{item} = {conf.quoted(value)}"
    return next(number for number, line in enumerate(text.splitlines(), 1) if line.strip() == wanted)


def test_what_we_ship_is_accepted(server):
    status, text = server.check()
    assert status == 0, text[-3000:]
    version = (ROOT / "VERSION").read_text().strip()
    assert f"rlm_peruser_mfa: version {version}" in text
    assert "WARN" not in text.upper() or "peruser" not in text.split("WARN", 1)[-1].splitlines()[0]


OUT_OF_RANGE = [
    ("ldap.timeout", 0), ("ldap.timeout", 61), ("ldap.timeout", "soon"), ("ldap.timeout", -1),
    ("ldap.connect_timeout", 0), ("ldap.connect_timeout", 61), ("ldap.require_cert", "sometimes"),
    ("ldap.start_tls", "maybe"), ("ldap.uri", "http://127.0.0.1"), ("ldap.uri", ""), ("user.scope", "children"),
    ("totp.window", 11), ("totp.window", -1), ("totp.drift_max", 41), ("lockout.threshold", 0),
    ("lockout.threshold", 100), ("lockout.base", 0), ("lockout.max", "long"),
]


@pytest.mark.parametrize("item,value", OUT_OF_RANGE, ids=lambda v: str(v))
def test_shared_item_out_of_range(server, item, value):
    text = refused(server, settings={item: value})
    name = item.split(".")[1]
    line = line_of(server.shared_file(), name, value)
    assert re.search(rf"peruser_mfa\.conf\[{line}\]|peruser_mfa\.conf:{line}\b", text), text[-1500:]
    assert name in text


@pytest.mark.parametrize("item,value", [
    ("mode", "sometimes"), ("unenrolled", "maybe"), ("report_only", "perhaps"), ("challenge.attempts", 0),
    ("challenge.attempts", 1000), ("challenge.lifetime", 0), ("challenge.lifetime", 10 ** 6),
    ("append.retransmission", 0), ("append.retransmission", 61),
    ("challenge.lifetime", "long"), ("pool.wait_ms", "long"), ("pool.wait_ms", 10001), ("user_dn", "uid=%{User-Name"), ("user_dn", "uid=%{Nobody-Knows},dc=example"),
])
def test_instance_item_out_of_range(server, item, value):
    text = refused(server, instance={item: value})
    name = item.split(".")[-1]
    line = line_of(server.instance_file(), name, value)
    assert re.search(rf"mods-enabled/peruser_mfa\[{line}\]", text), text[-1500:]


@pytest.mark.parametrize("item", ["ldap.url", "user.basedn", "attribute.secrets", "totp.windows", "lockout.treshold",
                                  "keyring", "lokout.threshold"])
def test_unknown_shared_item(server, item):
    text = refused(server, settings={item: "x"})
    name = item.split(".")[-1] if "lokout" not in item else "lokout"
    assert name in text and "peruser_mfa.conf" in text, text[-1500:]


@pytest.mark.parametrize("item", ["mod", "challenge.atempts", "messages.challenge", "message.chalenge"])
def test_unknown_instance_item(server, item):
    text = refused(server, instance={item: "x"})
    assert item.split(".")[-1] in text or item.split(".")[0] in text, text[-1500:]


def test_two_active_definitions(server):
    server.pick_ports()
    server.configure()
    path = server.raddb / "mods-config/peruser_mfa/peruser_mfa.conf"
    twice = path.read_text().replace("lockout {", "lockout {\n\tthreshold = 4\n\tthreshold = 6", 1)
    path.write_text(twice)
    status, text = server.check()
    assert status != 0 and "threshold" in text
    second = [n for n, line in enumerate(twice.splitlines(), 1) if "threshold = 6" in line][0]
    assert re.search(rf"peruser_mfa\.conf\[?:?{second}\b", text), text[-1500:]


def test_section_that_stands_twice(server):
    server.pick_ports()
    server.configure()
    path = server.raddb / "mods-config/peruser_mfa/peruser_mfa.conf"
    path.write_text(path.read_text() + "\nlockout {\n\tthreshold = 6\n}\n")
    status, text = server.check()
    assert status != 0 and "lockout" in text, text[-1500:]


def test_key_ring_missing(server):
    text = refused(server, settings={"key_ring": str(server.dir / "nowhere")})
    assert "nowhere" in text


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o660, 0o642, 0o666, 0o777], ids=oct)
def test_key_ring_that_others_can_touch(server, mode):
    server.ring_path.chmod(mode)
    text = refused(server)
    assert str(server.ring_path) in text and re.search(r"0?640", text), text[-1500:]


@pytest.mark.parametrize("mode", [0o640, 0o600, 0o400, 0o440], ids=oct)
def test_key_ring_with_a_good_mode(server, mode):
    server.ring_path.chmod(mode)
    status, text = server.check()
    assert status == 0, text[-1500:]


def test_key_ring_behind_a_link(server):
    link = server.dir / "link"
    link.symlink_to(server.ring_path)
    assert str(link) in refused(server, settings={"key_ring": str(link)})


def test_key_ring_that_is_no_file(server):
    fifo = server.dir / "fifo"
    os.mkfifo(fifo, 0o600)
    assert "fifo" in refused(server, settings={"key_ring": str(fifo)})
    assert "ring" in refused(server, settings={"key_ring": str(server.dir)})


GOOD_LINE = Ring("good").text()
BAD_RINGS = {
    "empty": ("", None),
    "only a comment": ("# no key yet\n", None),
    "wrong base64": ("k1 !!!!\n", 1),
    "short key": ("k1 AAAA\n", 1),
    "long key": ("k1 " + "A" * 60 + "\n", 1),
    "no key": ("k1\n", 1),
    "second line wrong": (GOOD_LINE + "k1 AAAA\n", 2),
    "an id twice": (GOOD_LINE + "# again\n" + GOOD_LINE, 3),
    "id with a dollar": (GOOD_LINE.replace("good", "g$"), 1),
    "id too long": (GOOD_LINE.replace("good", "g" * 33), 1),
    "words behind": (GOOD_LINE.strip() + " comment\n", 1),
    "binary": ("\0\1\2\3\n", 1),
}


@pytest.mark.parametrize("kind", BAD_RINGS)
def test_key_ring_with_a_bad_line(server, kind):
    content, line = BAD_RINGS[kind]
    server.ring_path.write_text(content)
    text = refused(server)
    assert line is None or re.search(rf"line {line}\b", text), text[-1500:]
    for word in content.split()[1::2]:
        assert len(word) < 20 or word not in text, "the key is in the message"


@pytest.mark.parametrize("attribute", ["", "two words", "a,b", "1.2.3.x", "*"])
def test_attribute_name_that_is_none(server, attribute):
    assert "secret" in refused(server, settings={"attribute.secret": attribute})


def test_one_attribute_for_two_purposes(server):
    text = refused(server, settings={"attribute.last_use": "peruserMfaFailures"})
    assert re.search("last_use|failures", text)
