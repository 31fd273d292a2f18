# SPDX-License-Identifier: GPL-2.0-or-later
"""An OpenVPN server and its client in two network namespaces."""
import base64
import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .pam import private
from .process import Server, wait_until
from .tls import make_certificates

PLUGINS = Path("/usr/lib/openvpn")
BY_PAM = '"mfa-test login USERNAME Password PASSWORD Enter OTP"'
BASE = """\
dev tun
proto udp
local 10.99.0.1
port {port}
topology subnet
server {net}.0 255.255.255.0
ca ca.pem
cert server.pem
key server.key
dh none
verify-client-cert none
username-as-common-name
verb 4
"""


def static_challenge(password, code):
    """What the client makes of both, when its configuration has a `static-challenge` line."""
    return ":".join(["SCRV1", *(base64.b64encode(text.encode()).decode() for text in (password, code))])


_numbers = itertools.count(1)


class OpenVpn(Server):
    """The server. lines: what asks for the password; mounts: what it sees in place of the machine's files."""

    name = "openvpn"

    def __init__(self, space, lines, *, mounts=None, files=None):
        super().__init__()
        try:
            self.space, self.mounts, number = space, mounts or {}, next(_numbers)
            # in a namespace of its own, where nobody else takes a port
            self.port, self.net = 1194 + number, f"10.99.{number}"
            make_certificates(self.dir)
            (self.dir / "server.conf").write_text(BASE.format(port=self.port, net=self.net) + lines)
            for name, text in (files or {}).items():
                (self.dir / name).write_text(text.replace("@DIR@", str(self.dir)))
            self.start()
        except BaseException:
            self.close()
            raise

    def command(self):
        return [*self.space.enter, *private(self.mounts, ["openvpn", "--cd", self.dir, "--config", "server.conf"])]

    def kill(self):
        """With the processes that its plugins made, which outlive it."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        super().kill()

    def is_ready(self):
        return "Initialization Sequence Completed" in self.log()

    def connect(self, space, user, password, timeout_s=20):
        """Run a client until it is in or out: (whether the tunnel was made, its log)."""
        folder = Path(tempfile.mkdtemp(prefix="mfa-vpn-"))
        try:
            (folder / "login").write_text(f"{user.uid}\n{password}\n")
            (folder / "login").chmod(0o600)
            shutil.copy(self.dir / "ca.pem", folder)
            log = folder / "log"
            with open(log, "wb") as output:
                process = subprocess.Popen(
                    [*space.enter, "openvpn", "--cd", str(folder), "--client", "--dev", "tun", "--proto", "udp",
                     "--remote", "10.99.0.1", str(self.port), "--ca", "ca.pem", "--auth-user-pass", "login",
                     "--auth-retry", "none", "--verb", "3", "--connect-retry-max", "1"],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
                try:
                    wait_until(lambda: b"Initialization Sequence Completed" in log.read_bytes()
                               or process.poll() is not None, timeout_s, "OpenVPN client")
                    inside = process.poll() is None
                    if inside:
                        assert f"inet {self.net}." in space.run("ip", "addr").stdout
                finally:
                    process.terminate()
                    process.wait(20)
            return inside, log.read_text("utf-8", "replace")
        finally:
            shutil.rmtree(folder, ignore_errors=True)
