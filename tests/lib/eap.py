# SPDX-License-Identifier: GPL-2.0-or-later
"""The Wi-Fi configuration that we ship, in a server, and the supplicants that use it."""
import re
import select
import socket
import subprocess
import threading
from pathlib import Path

from . import conf
from .process import Server, free_port, wait_until
from .radius_server import SHIPPED, FreeRadius
from .shipped_site import on_loopback
from .tls import make_certificates

STOCK = Path("/etc/freeradius/3.0")
STOCK_FILES = ("mods-config/preprocess/huntgroups", "mods-config/preprocess/hints",
               "mods-config/attr_filter/access_reject", "policy.d/filter")
PREPROCESS = """
always handled {
	rcode = handled
}
preprocess {
	huntgroups = ${modconfdir}/preprocess/huntgroups
	hints = ${modconfdir}/preprocess/hints
}
attr_filter attr_filter.access_reject {
	key = "%{User-Name}"
	filename = ${modconfdir}/attr_filter/access_reject
}
"""
SITES = ("peruser_mfa_inner-tunnel", "peruser_mfa_wifi")
MAC = "02:00:00:00:00:01"
ECHO_OUTER = """
	update reply {
		Connect-Info := "%{Peruser-MFA-Result}"
	}
"""


class WifiRadius(FreeRadius):
    """FreeRADIUS as docs/wifi.md tells to set it up, on wifi_port, beside the tests' own site on port.

    inner    text by place in the inner tunnel, {"server.post-auth": ...}, added at the end of the section
    """

    def __init__(self, slapd, *, inner=None, **options):
        self.inner = inner or {}
        options.setdefault("instance", {"remember.lifetime": 3600})
        super().__init__(slapd, **options)

    def pick_ports(self):
        super().pick_ports()
        self.wifi_port = free_port(socket.SOCK_DGRAM)

    def configure(self, **changes):
        super().configure(**changes)
        certificates = self.raddb / "certs"
        certificates.mkdir()
        make_certificates(certificates)
        sessions = self.dir / "peruser_mfa_sessions"
        sessions.mkdir(mode=0o700, exist_ok=True)
        self._write("radiusd.conf", f'certdir = "{certificates}"\ncadir = "{certificates}"\n'
                    + (self.raddb / "radiusd.conf").read_text())
        for name in STOCK_FILES:
            self._write(name, (STOCK / name).read_text())
        self._write("mods-enabled/stock", PREPROCESS)
        self._write("mods-enabled/peruser_mfa_eap", (SHIPPED / "mods-available/peruser_mfa_eap").read_text())
        for site in SITES:
            self._write(f"sites-enabled/{site}", self._site(site))

    def _site(self, name):
        text = (SHIPPED / "sites-available" / name).read_text()
        if name == "peruser_mfa_wifi":
            return on_loopback(text, self.wifi_port)
        for section, lines in self.inner.items():
            text = conf.insert(text, section, last=lines)
        return text

    @property
    def ca_file(self):
        return self.raddb / "certs/ca.pem"

    @property
    def sessions(self):
        """Files of TLS sessions that can be resumed."""
        return list((self.dir / "peruser_mfa_sessions").glob("*.asn1"))


METHODS = {
    "TTLS/PAP": ("TTLS", "auth=PAP"), "TTLS/GTC": ("TTLS", "autheap=GTC"), "PEAP/GTC": ("PEAP", "auth=GTC"),
    "PEAP/MSCHAPv2": ("PEAP", "auth=MSCHAPV2"), "TTLS/MSCHAPv2": ("TTLS", "auth=MSCHAPV2"),
    "TTLS/EAP-MSCHAPv2": ("TTLS", "autheap=MSCHAPV2"),
}


def network(method, identity, ca_file, *, password=None, key_mgmt="WPA-EAP", anonymous="anonymous"):
    """A network block of wpa_supplicant.conf."""
    eap, phase2 = METHODS[method]
    lines = [f"key_mgmt={key_mgmt}", f"eap={eap}", f'identity="{identity}"', f'anonymous_identity="{anonymous}"',
             f'ca_cert="{ca_file}"', f'phase2="{phase2}"']
    if key_mgmt == "WPA-EAP":
        lines.append('ssid="test"')
    else:
        lines.append("eapol_flags=0")
    if password is not None:
        lines.append("password=" + password.encode().hex() if "HASH" in method else f'password="{password}"')
    return "network={\n" + "".join(f"\t{line}\n" for line in lines) + "}\n"


class EapolResult:
    """What eapol_test said: success of each authentication, and the attributes of each RADIUS reply."""

    def __init__(self, text):
        self.text = text
        self.outcomes = re.findall(r"CTRL-EVENT-EAP-(SUCCESS|FAILURE)", text)
        self.ended_well = text.rstrip().endswith("SUCCESS")

    @property
    def accepted(self):
        return self.ended_well and set(self.outcomes) == {"SUCCESS"}

    @property
    def resumed(self):
        return self.text.count("resumed=1") > 0

    @property
    def user_names(self):
        """User-Name of each Access-Accept."""
        names, accept, previous = [], False, ""
        for line in self.text.splitlines():
            if line.startswith("RADIUS message: code="):
                accept = line.startswith("RADIUS message: code=2 ")
            match = re.match(r"\s+Value: '(.*)'", line)
            if accept and match and previous.startswith("   Attribute 1 "):
                names.append(match[1])
            previous = line
        return names


def eapol_test(folder, port, text, *, again=0, mac=MAC, timeout_s=15, more=()):
    """Run eapol_test with a configuration; again: how often it authenticates once more."""
    path = Path(folder, "eapol.conf")
    path.write_text(text)
    done = subprocess.run(["eapol_test", "-c", str(path), "-a", "127.0.0.1", "-p", str(port), "-s", "testing123",
                           "-M", mac, "-t", str(timeout_s), f"-r{again}", *more], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=timeout_s + 20)
    return EapolResult(done.stdout.decode("utf-8", "replace"))


class Relay:
    """Between a NAS and a server: calls on_accept() before it passes the first Access-Accept on."""

    def __init__(self, port, on_accept):
        self.on_accept, self.server = on_accept, ("127.0.0.1", port)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.up = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.up.connect(self.server)
        self.stop_read, self.stop_write = socket.socketpair()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        nas = None
        while True:
            ready, _, _ = select.select([self.socket, self.up, self.stop_read], [], [])
            if self.stop_read in ready:
                return
            if self.socket in ready:
                data, nas = self.socket.recvfrom(4096)
                self.up.send(data)
            if self.up in ready:
                data = self.up.recv(4096)
                if data[0] == 2 and self.on_accept:
                    self.on_accept()
                    self.on_accept = None
                self.socket.sendto(data, nas)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop_write.send(b"x")
        self.thread.join()
        for sock in (self.socket, self.up, self.stop_read, self.stop_write):
            sock.close()


class Control:
    """The control socket of hostapd or wpa_supplicant."""

    def __init__(self, path, own):
        self.own = str(own)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.own)
        wait_until(lambda: Path(path).exists(), what=str(path))
        self.socket.connect(str(path))
        self.events = []

    def ask(self, text, timeout_s=10):
        self.socket.send(text.encode())
        while True:
            answer = self._receive(timeout_s)
            if not answer.startswith("<"):
                return answer
            self.events.append(answer)

    def _receive(self, timeout_s):
        self.socket.settimeout(timeout_s)
        return self.socket.recv(8192).decode("utf-8", "replace")

    def wait(self, pattern, timeout_s=20):
        """The first event from now on that matches; earlier ones are gone through first."""
        while True:
            event = self.events.pop(0) if self.events else self._receive(timeout_s)
            if re.search(pattern, event):
                return event

    def close(self):
        self.socket.close()
        Path(self.own).unlink()


class Hostapd(Server):
    """The authenticator of a wired port, in a namespace."""

    name = "hostapd"

    def __init__(self, space, interface, port):
        super().__init__()
        try:
            self.space, self.interface = space, interface
            (self.dir / "hostapd.conf").write_text(
                f"interface={interface}\ndriver=wired\nctrl_interface={self.dir}/ctrl\nieee8021x=1\n"
                "logger_stdout=-1\nlogger_stdout_level=0\n"
                "eap_reauth_period=0\nuse_pae_group_addr=1\nown_ip_addr=127.0.0.1\nnas_identifier=switch-1\n"
                f"auth_server_addr=127.0.0.1\nauth_server_port={port}\nauth_server_shared_secret=testing123\n")
            self.start()
        except BaseException:
            self.close()
            raise

    def command(self):
        return [*self.space.enter, "hostapd", "-dd", "hostapd.conf"]

    def is_ready(self):
        return "AP-ENABLED" in self.log()

    def reauthenticate(self):
        """Ask the one station to log in again, as a port does after its period; returns the answer."""
        control = Control(self.dir / "ctrl" / self.interface, self.dir / "own")
        try:
            station = control.ask("STA-FIRST").split("\n")[0]
            return control.ask(f"EAPOL_REAUTH {station}")
        finally:
            control.close()

    def accept_attributes(self, since=0):
        """Numbers and values of the last Access-Accept's attributes."""
        found = {}
        for part in re.split(r"RADIUS message: code=", self.log(since)):
            if part.startswith("2 "):
                found = dict(re.findall(r"Attribute (\d+) \([^)]*\) length=\d+\n\s+Value: (\S+)", part))
        return {int(number): value.strip("'") for number, value in found.items()}


class WpaSupplicant(Server):
    """The supplicant at the other end of the cable."""

    name = "wpa"

    def __init__(self, space, interface, text):
        super().__init__()
        self.control = None
        try:
            self.space, self.interface = space, interface
            (self.dir / "wpa.conf").write_text(f"ctrl_interface={self.dir}/ctrl\nap_scan=0\neapol_version=2\n{text}")
            self.start()
            self.control = Control(self.dir / "ctrl" / interface, self.dir / "own")
            self.control.ask("ATTACH")
        except BaseException:
            self.close()
            raise

    def command(self):
        return [*self.space.enter, "wpa_supplicant", "-D", "wired", "-i", self.interface, "-c", "wpa.conf", "-dd"]

    def is_ready(self):
        return (self.dir / "ctrl" / self.interface).exists()

    def outcome(self, timeout_s=20):
        """How the authentication that runs ends."""
        return self.control.wait("CTRL-EVENT-EAP-(SUCCESS|FAILURE)", timeout_s)

    def close(self):
        if self.control:
            self.control.close()
            self.control = None
        super().close()
