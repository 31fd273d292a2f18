# SPDX-License-Identifier: GPL-2.0-or-later
"""radsecproxy between the NAS and the server: State and prompt survive, also when two proxies share the work."""
import socket

import pytest

from lib.process import Server, free_port
from lib.user import Enrolled, User


class RadsecProxy(Server):
    """One proxy in front of RADIUS servers, the first one that answers."""

    name = "radsecproxy"

    def __init__(self, *ports):
        super().__init__()
        try:
            self.servers = ports
            self.start_on_free_ports()
        except BaseException:
            self.close()
            raise

    def pick_ports(self):
        self.port = free_port(socket.SOCK_DGRAM)
        servers = "".join(f"server s{port} {{\n\thost 127.0.0.1\n\tport {port}\n\ttype udp\n\tsecret testing123\n}}\n"
                          for port in self.servers)
        names = "".join(f"\tserver s{port}\n" for port in self.servers)
        (self.dir / "proxy.conf").write_text(
            f"ListenUDP 127.0.0.1:{self.port}\nLogLevel 2\n"
            f"client nas {{\n\thost 127.0.0.1\n\ttype udp\n\tsecret testing123\n}}\n{servers}realm * {{\n{names}}}\n")

    def command(self):
        return ["radsecproxy", "-f", "-c", str(self.dir / "proxy.conf")]

    def is_ready(self):
        return f":{self.port:04X} " in open("/proc/net/udp", encoding="ascii").read()


@pytest.fixture(scope="module")
def proxy(radius):
    with RadsecProxy(radius.port) as server:
        yield server


@pytest.fixture
def client(proxy):
    from lib.client import Client
    with Client(proxy.port) as nas:
        yield nas


def test_login(slapd, client):
    user, plain = Enrolled(slapd), User(slapd)
    assert plain.start(client).accepted
    challenge = user.challenge(client)
    assert challenge.message == "Enter the 6-digit code: " and challenge.state.startswith(b"pm1.")
    assert (challenge.get("Prompt"), challenge.get("Session-Timeout")) == (0, 120)
    assert user.answer(client, challenge, user.device.code()).accepted


def test_wrong_code_then_right_code(slapd, client):
    user = Enrolled(slapd)
    again = user.answer(client, user.challenge(client), user.device.wrong())
    assert again.challenged and again.message.startswith("Wrong code")
    assert user.answer(client, again, user.device.code()).accepted


def test_proxy_state_of_the_nas_comes_back(slapd, client):
    user = Enrolled(slapd)
    attributes = [("User-Name", user.uid), ("User-Password", user.password), ("Proxy-State", b"one"),
                  ("Proxy-State", b"two")]
    reply = client.ask(attributes)
    assert reply.challenged and reply.all("Proxy-State") == [b"one", b"two"]


def test_password_by_one_proxy_code_by_the_other(slapd, radius, proxy):
    """The challenge is bound to the NAS, not to the address that the packet came from."""
    from lib.client import Client
    user = Enrolled(slapd)
    with RadsecProxy(radius.port) as other, Client(proxy.port) as one, Client(other.port) as two:
        assert user.answer(two, user.challenge(one), user.device.code()).accepted
