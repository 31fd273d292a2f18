# SPDX-License-Identifier: GPL-2.0-or-later
"""strongSwan as gateway and as client, each in a network namespace, with ESP in user space (kernel-libipsec)."""
import os
import shutil
import socket
import subprocess

from . import conf
from .eap import WifiRadius
from .process import Server, free_port
from .radius_server import SHIPPED
from .shipped_site import on_loopback
from .story import Way

PLUGINS = ("pem pkcs1 pkcs8 x509 constraints revocation pubkey nonce random openssl gcrypt hmac kdf sha1 md4 md5 "
           "kernel-libipsec kernel-netlink socket-default vici eap-identity eap-gtc eap-mschapv2 eap-ttls "
           "eap-radius xauth-generic updown")
BEHIND = "10.97.0.1"   # an address that only the tunnel leads to
GATEWAY_CONNECTIONS = """
connections {
	ra {
		version = 2
		local_addrs = 10.99.0.1
		encap = yes
		pools = pool
		local {
			auth = pubkey
			certs = server.pem
			id = localhost
		}
		remote {
			auth = eap-radius
			eap_id = %any
		}
		children {
			ra {
				local_ts = 10.97.0.0/24
			}
		}
	}
	old {
		version = 1
		local_addrs = 10.99.0.1
		encap = yes
		pools = pool
		local {
			auth = psk
		}
		remote-1 {
			auth = psk
		}
		remote-2 {
			auth = xauth-radius
		}
		children {
			ra {
				local_ts = 10.97.0.0/24
			}
		}
	}
}
pools {
	pool {
		addrs = 10.98.1.0/24
	}
}
secrets {
	ike {
		secret = shared
	}
}
"""
CLIENT_CONNECTIONS = """
connections {
	home {
		version = %(version)d
		remote_addrs = 10.99.0.1
		encap = yes
		vips = 0.0.0.0
%(local)s
		remote {
			auth = %(remote)s
		}
		children {
			home {
				remote_ts = 10.97.0.0/24
			}
		}
	}
}
secrets {
	ike {
		secret = shared
	}
	%(kind)s {
		id = %(uid)s
		secret = "%(secret)s"
	}
}
"""
EAP = "\t\tlocal {\n\t\t\tauth = %s\n\t\t\teap_id = %s\n\t\t\taaa_id = \"CN=localhost\"\n\t\t}\n"
XAUTH = "\t\tlocal-1 {\n\t\t\tauth = psk\n\t\t}\n\t\tlocal-2 {\n\t\t\tauth = xauth\n\t\t\txauth_id = %s\n\t\t}\n"


class Ikev2Radius(WifiRadius):
    """FreeRADIUS with the IKEv2 site that we ship, on ikev2_port, beside the Wi-Fi site on wifi_port."""

    def pick_ports(self):
        super().pick_ports()
        self.ikev2_port = free_port(socket.SOCK_DGRAM)

    def configure(self, **changes):
        super().configure(**changes)
        site = (SHIPPED / "sites-available/peruser_mfa_ikev2").read_text()
        standard = self.raddb / "mods-enabled/standard"   # IKE needs the keys that the packaged mschap makes
        standard.write_text(standard.read_text().replace("use_mppe = no", "use_mppe = yes"))
        self._write("sites-enabled/peruser_mfa_ikev2", on_loopback(site, self.ikev2_port))
        self._write("mods-enabled/peruser_mfa_ikev2", self._with_account("peruser_mfa_ikev2"))
        self._write("mods-enabled/peruser_mfa_ikev2_eap", (SHIPPED / "mods-available/peruser_mfa_ikev2_eap").read_text())

    def _with_account(self, name):
        """A shipped instance of our module with the account and the settings of this test."""
        items = {"identity": self.slapd.radius_dn, "password": self.slapd.passwords[self.slapd.radius_dn], **self.instance}
        return conf.edit((SHIPPED / "mods-available" / name).read_text(),
                         {f"peruser_mfa.{item}": value for item, value in items.items()})


class Charon(Server):
    """The IKE daemon with files of its own. certificates is a folder with ca.pem, server.pem and server.key."""

    name = "charon"

    def __init__(self, space, connections, certificates, *, plugins=""):
        super().__init__()
        try:
            self.space, self.vici = space, f"unix://{self.dir}/vici"
            for folder in ("x509", "x509ca", "private"):
                (self.dir / folder).mkdir()
            shutil.copy(certificates / "ca.pem", self.dir / "x509ca")
            if connections:   # the client, whose connections come later, has no certificate
                shutil.copy(certificates / "server.pem", self.dir / "x509")
                shutil.copy(certificates / "server.key", self.dir / "private")
            (self.dir / "strongswan.conf").write_text(
                f"charon-systemd {{\n\tload = {PLUGINS}\n\tinstall_routes = yes\n\tretransmit_tries = 2\n\tretransmit_timeout = 4\n"
                f"\tplugins {{\n\t\tvici {{\n\t\t\tsocket = {self.vici}\n\t\t}}\n{plugins}\t}}\n"
                f"\tjournal {{\n\t\tdefault = -1\n\t}}\n\tfilelog {{\n\t\tout {{\n\t\t\tpath = {self.dir}/charon.log\n"
                "\t\t\tdefault = 1\n\t\t\tflush_line = yes\n\t\t}\n\t}\n}\nlibtls {\n\tversion_max = 1.2\n}\n")
            self.start()
            self.log_path = self.dir / "charon.log"
            self.load(connections)
        except BaseException:
            self.close()
            raise

    def environment(self):
        return {**os.environ, "STRONGSWAN_CONF": str(self.dir / "strongswan.conf"), "SWANCTL_DIR": str(self.dir)}

    def command(self):
        return [*self.space.enter, "charon-systemd"]

    def is_ready(self):
        return (self.dir / "vici").exists()

    def swanctl(self, *words):
        done = subprocess.run([*self.space.enter, "swanctl", *words, "--uri", self.vici], env=self.environment(),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60)
        return done.returncode, done.stdout

    def load(self, connections):
        (self.dir / "swanctl.conf").write_text(connections)
        status, said = self.swanctl("--load-all", "--clear")
        assert status == 0, said


class Gateway(Charon):
    """A gateway that asks one RADIUS server."""

    def __init__(self, space, radius_port, certificates):
        space.run("ip", "addr", "add", f"{BEHIND}/24", "dev", "lo")
        super().__init__(space, GATEWAY_CONNECTIONS, certificates, plugins=_radius_plugin(radius_port))
        self.radius_port = radius_port

    def ask(self, radius_port):
        """Turn to another server from now on."""
        path = self.dir / "strongswan.conf"
        path.write_text(path.read_text().replace(f"auth_port = {self.radius_port}\n", f"auth_port = {radius_port}\n"))
        self.radius_port = radius_port
        status, said = self.swanctl("--reload-settings")
        assert status == 0, said


def _radius_plugin(port):
    return (f"\t\teap-radius {{\n\t\t\tnas_identifier = ike-gateway\n\t\t\tservers {{\n\t\t\t\tone {{\n\t\t\t\t\taddress = 127.0.0.1\n"
              f"\t\t\t\t\tauth_port = {port}\n\t\t\t\t\tsecret = testing123\n\t\t\t\t}}\n\t\t\t}}\n\t\t}}\n")


class Ike(Way):
    """A client with a stored secret, which it repeats whenever it is asked."""

    mode, told = "append", False

    def __init__(self, name, charon, method):
        self.name, self.charon, self.method = name, charon, method

    def login(self, user, *typed):
        """Whether the tunnel was made. It is closed again, unless keep() was asked for."""
        accepted, said = self.keep(user, *typed)
        if accepted:
            self.hang_up()
        return accepted, said

    def keep(self, user, *typed):
        xauth = self.method == "xauth"
        local = XAUTH % user.uid if xauth else EAP % (self.method, user.uid)
        self.charon.load(CLIENT_CONNECTIONS % {
            "version": 1 if xauth else 2, "local": local, "kind": "xauth" if xauth else "eap", "uid": user.uid, "secret": typed[0],
            "remote": "psk" if xauth else "pubkey\n\t\t\tid = localhost"})
        status, said = self.charon.swanctl("--initiate", "--child", "home", "--timeout", "20")
        return status == 0, said

    def hang_up(self):
        self.charon.swanctl("--terminate", "--ike", "home", "--timeout", "10")

    def is_up(self):
        sas = self.charon.swanctl("--list-sas")[1]
        return "ESTABLISHED" in sas and "INSTALLED" in sas
