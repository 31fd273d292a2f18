# SPDX-License-Identifier: GPL-2.0-or-later
"""A FreeRADIUS or a radsecproxy before the server, by UDP and by TLS, with realms that are stripped and that are not."""
import socket
import ssl

import pytest

from lib.client import Client
from lib.proxied import REALM, Front, Nas, RadsecProxy, TlsRadius
from lib.radius_packet import request
from lib.story import every_scenario, tell
from lib.user import Enrolled

# As the shipped site has it: realms are found before our module reads the record.
LOCAL_REALM = f"realm {REALM} {{\n}}\n"


@pytest.fixture(scope="module")
def radius(slapd, ring):
    with TlsRadius(slapd, ring=ring, proxy=LOCAL_REALM, sections={"authorize_first": "\tsuffix\n"}) as server:
        yield server


@pytest.fixture(scope="module")
def ways(slapd, radius):
    tls = radius.certificates
    with Front(slapd, radius.port) as strip, Front(slapd, radius.port, strip=False) as nostrip, \
            RadsecProxy(radius.tls_port, tls) as radsec, Front(slapd, radius.tls_port, tls=tls) as by_tls:
        yield {"strip": Nas("FreeRADIUS in front, strip", strip.port, REALM),
               "nostrip": Nas("FreeRADIUS in front, nostrip", nostrip.port, REALM),
               "radsecproxy": Nas("radsecproxy, TLS", radsec.port),
               "tls": Nas("FreeRADIUS in front, TLS", by_tls.port, REALM)}


@every_scenario
@pytest.mark.parametrize("name", ["strip", "nostrip", "radsecproxy", "tls"])
def test_story(slapd, ways, name, scenario, record_property):
    tell(ways[name], scenario, slapd, record_property)


def ask_by_tls(radius, user, *, certificate):
    """One Access-Request over TLS; the first byte of the reply, or None when the server hangs up."""
    context = ssl.create_default_context(cafile=radius.certificates / "ca.pem")
    if certificate:
        context.load_cert_chain(radius.certificates / "server.pem", radius.certificates / "server.key")
    packet = request([("User-Name", user.uid), ("User-Password", user.password)], b"radsec", ident=1)
    try:
        with socket.create_connection(("127.0.0.1", radius.tls_port), 5) as plain, \
                context.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(packet)
            return next(iter(tls.recv(4096)), None)
    except OSError:
        return None


def test_tls_listener_wants_a_certificate(slapd, radius):
    user = Enrolled(slapd)
    assert ask_by_tls(radius, user, certificate=True) == 11, "a challenge"
    mark = radius.mark()
    assert ask_by_tls(radius, user, certificate=False) is None
    assert user.uid not in radius.log(mark)


def test_password_by_one_way_code_by_another(slapd, radius, ways):
    """The challenge is bound to the NAS, whatever brings the packets."""
    user = Enrolled(slapd)
    with Client(ways["radsecproxy"].port) as one, Client(radius.port) as two:
        assert user.answer(two, user.challenge(one), user.device.code()).accepted
