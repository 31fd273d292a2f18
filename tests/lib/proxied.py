# SPDX-License-Identifier: GPL-2.0-or-later
"""A NAS behind a proxy: FreeRADIUS with realms, radsecproxy and RADIUS over TLS (RFC 6614)."""
import socket

from .client import Client
from .process import Server, free_port
from .radius_server import FreeRadius
from .story import Way
from .tls import make_certificates

REALM = "example.org"
# A realm "home" at another RADIUS server, of which the port is to be filled in.
HOME = """
home_server home {
	type = auth
	ipaddr = 127.0.0.1
	port = %d
	secret = testing123
	response_window = 5
	zombie_period = 10
}
home_server_pool home {
	home_server = home
}
realm home {
	auth_pool = home
	nostrip
}
realm LOCAL {
}
"""
TLS_SITE = """
clients radsec {
	client proxies {
		ipaddr = 127.0.0.1
		proto = tls
		secret = radsec
	}
}
listen {
	type = auth
	proto = tcp
	ipaddr = 127.0.0.1
	port = @TLS_PORT@
	virtual_server = test
	clients = radsec
	tls {
		certificate_file = "@CERTS@/server.pem"
		private_key_file = "@CERTS@/server.key"
		ca_file = "@CERTS@/ca.pem"
		require_client_cert = yes
		tls_min_version = "1.2"
		ecdh_curve = ""
	}
}
"""


class Nas(Way):
    """Our own NAS, with PAP, through whatever is listening on port."""

    def __init__(self, name, port, realm=None):
        self.name, self.port, self.realm = name, port, realm

    def login(self, user, *typed):
        name = f"{user.uid}@{self.realm}" if self.realm else user.uid
        with Client(self.port) as client:
            reply, shown = client.password(name, typed[0]), []
            for word in typed[1:]:
                shown.append(reply.message)
                if not reply.challenged:
                    break
                reply = client.code(name, reply, word)
        return reply.accepted, "\n".join([*shown, reply.message])


class TlsRadius(FreeRadius):
    """The tests' site, also behind a TLS listener that wants a client's certificate."""

    def pick_ports(self):
        super().pick_ports()
        self.tls_port = free_port()
        self.certificates = self.dir / "certificates"
        if not self.certificates.exists():
            self.certificates.mkdir()
            make_certificates(self.certificates)
        site = TLS_SITE.replace("@TLS_PORT@", str(self.tls_port)).replace("@CERTS@", str(self.certificates))
        self.more = {**self.more, "sites-enabled/tls": site}


class Front(FreeRadius):
    """FreeRADIUS with the packaged modules only, which sends everything to a home server.

    realm is REALM: users of that realm are proxied, with the realm taken off (strip) or left (nostrip).
    """

    def __init__(self, slapd, home_port, *, strip=True, tls=None, **options):
        way = (f"\tport = {home_port}\n\tsecret = testing123\n" if not tls else
               f"\tport = {home_port}\n\tproto = tcp\n\tsecret = radsec\n\ttls {{\n\t\tca_file = \"{tls}/ca.pem\"\n"
               f"\t\tcertificate_file = \"{tls}/server.pem\"\n\t\tprivate_key_file = \"{tls}/server.key\"\n\t}}\n")
        realm = f"realm {REALM} {{\n\tauth_pool = home\n{'' if strip else chr(9) + 'nostrip' + chr(10)}}}\n"
        proxy = (f"home_server home {{\n\ttype = auth\n\tipaddr = 127.0.0.1\n{way}\tresponse_window = 8\n"
                 f"\tzombie_period = 10\n}}\nhome_server_pool home {{\n\thome_server = home\n}}\n{realm}")
        super().__init__(slapd, module=False, proxy=proxy, sections={"first_factor": "\tsuffix\n"}, **options)


class RadsecProxy(Server):
    """radsecproxy between UDP and RADIUS over TLS."""

    name = "radsecproxy"

    def __init__(self, tls_port, certificates):
        super().__init__()
        try:
            self.tls_port, self.certificates = tls_port, certificates
            self.start_on_free_ports()
        except BaseException:
            self.close()
            raise

    def pick_ports(self):
        self.port = free_port(socket.SOCK_DGRAM)
        (self.dir / "proxy.conf").write_text(
            f"ListenUDP 127.0.0.1:{self.port}\nLogLevel 2\n"
            f"tls default {{\n\tCACertificateFile {self.certificates}/ca.pem\n\tCertificateFile {self.certificates}/server.pem\n"
            f"\tCertificateKeyFile {self.certificates}/server.key\n}}\n"
            "client nas {\n\thost 127.0.0.1\n\ttype udp\n\tsecret testing123\n}\n"
            f"server home {{\n\thost 127.0.0.1\n\tport {self.tls_port}\n\ttype tls\n\tsecret radsec\n}}\n"
            "realm * {\n\tserver home\n}\n")

    def command(self):
        return ["radsecproxy", "-f", "-c", str(self.dir / "proxy.conf")]

    def is_ready(self):
        return f":{self.port:04X} " in open("/proc/net/udp", encoding="ascii").read()
