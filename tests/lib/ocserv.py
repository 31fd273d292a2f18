# SPDX-License-Identifier: GPL-2.0-or-later
"""ocserv, which asks RADIUS by radcli, and openconnect at a terminal."""
import subprocess

from .process import Server, free_port, listens
from .story import Way
from .terminal import converse
from .tls import make_certificates


def radcli_files(folder, port, nas):
    """Write the configuration of radcli; returns its path."""
    (folder / "radcli-servers").write_text("127.0.0.1 testing123\n")
    path = folder / "radcli.conf"
    path.write_text(f"nas-identifier {nas}\nauthserver 127.0.0.1:{port}\nacctserver 127.0.0.1:{port}\n"
                    f"servers {folder}/radcli-servers\ndictionary /etc/radcli/dictionary\n"
                    "radius_timeout 5\nradius_retries 2\n")
    return path


class Ocserv(Server, Way):
    """The gateway. The client authenticates and makes no tunnel."""

    name = "ocserv with openconnect"

    def __init__(self, radius_port):
        Server.__init__(self)
        try:
            self.log_path = self.dir / "log"
            make_certificates(self.dir)
            self.radcli = radcli_files(self.dir, radius_port, "ocserv")
            key = subprocess.run("openssl x509 -in server.pem -pubkey -noout | openssl pkey -pubin -outform der | "
                                 "openssl dgst -sha256 -binary | base64", shell=True, cwd=self.dir, check=True,
                                 capture_output=True, text=True)
            self.pin = f"pin-sha256:{key.stdout.strip()}"
            self.start_on_free_ports()
        except BaseException:
            self.close()
            raise

    def pick_ports(self):
        self.port = free_port()
        (self.dir / "ocserv.conf").write_text(
            f'auth = "radius[config={self.radcli}]"\nlisten-host = 127.0.0.1\ntcp-port = {self.port}\n'
            f"run-as-user = root\nrun-as-group = root\nsocket-file = {self.dir}/socket\npid-file = {self.dir}/pid\n"
            f"server-cert = {self.dir}/server.pem\nserver-key = {self.dir}/server.key\nisolate-workers = false\n"
            "max-clients = 16\nmax-same-clients = 0\nmax-ban-score = 0\ncookie-timeout = 300\nauth-timeout = 240\n"
            "device = mfaoc\nipv4-network = 10.98.0.0\nipv4-netmask = 255.255.255.0\n")

    def command(self):
        return ["ocserv", "-f", "-c", str(self.dir / "ocserv.conf")]

    def is_ready(self):
        return listens(self.port)

    def login(self, user, *typed):
        command = ["openconnect", "--authenticate", "--user", user.uid, "--servercert", self.pin,
                   f"https://127.0.0.1:{self.port}/"]
        status, shown = converse(command, typed, r"Password\d*:\s*$")
        return status == 0 and "COOKIE=" in shown, shown
