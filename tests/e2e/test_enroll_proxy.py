# SPDX-License-Identifier: GPL-2.0-or-later
"""The page behind haproxy, as the shipped example has it."""
import socket

import pytest

from lib.page import BASE, Page, Visitor
from lib.process import Server, free_port
from lib.user import User
from lib.web_server import EXAMPLES

CONFIG = """\
{example}
frontend front
	mode http
	timeout client 60s
	bind 127.0.0.1:{port} ssl crt {dir}/front.pem
	use_backend peruser-mfa if {{ path /mfa }} or {{ path_beg /mfa/ }}
"""


class Haproxy(Server):
    """haproxy with a certificate, in front of a page that speaks plain HTTP."""

    name = "haproxy"

    def __init__(self, page):
        super().__init__()
        self.page = page
        self.start_on_free_ports()

    def pick_ports(self):
        self.port = free_port()

    def command(self):
        return ["/usr/sbin/haproxy", "-db", "-f", str(self.dir / "haproxy.cfg")]

    def start(self):
        keys = [(self.page.slapd.dir / name).read_text() for name in ("server.pem", "server.key")]
        (self.dir / "front.pem").write_text("".join(keys))
        example = (EXAMPLES / "haproxy.cfg").read_text().replace("127.0.0.1:8080", f"127.0.0.1:{self.page.port}")
        (self.dir / "haproxy.cfg").write_text(CONFIG.format(example=example, port=self.port, dir=self.dir))
        return super().start()

    def is_ready(self):
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0


@pytest.fixture
def page(slapd, ring):
    with Page(slapd, ring=ring, tls=False, settings={
            "http.allow_plain_loopback": False, "http.trusted_proxies": "127.0.0.1"}) as page:
        yield page


def test_the_page_behind_haproxy(page, slapd):
    user = User(slapd)
    with Haproxy(page) as front:
        visitor = Visitor(f"https://localhost:{front.port}", slapd.ca_file, base=BASE)
        assert visitor.sign_in(user.uid, user.password).status == 200
        assert "__Host-mfa" in visitor.cookies
        form = {**visitor.get("/").form("/sign-out")}
        assert visitor.post("/sign-out", form).status == 303
        assert " 127.0.0.1: signed in" in page.all_logs()
        assert page.visitor().get("/sign-in").status == 403   # past haproxy there is no TLS
        spoofed = {**visitor.get("/sign-in").form("/sign-in"), "user": "nobody", "password": "x"}
        visitor.post("/sign-in", spoofed, headers={"X-Forwarded-For": "203.0.113.5", "X-Forwarded-Proto": "http"})
        assert " 203.0.113.5" in page.all_logs()   # haproxy's own client is trusted here, so its word counts
