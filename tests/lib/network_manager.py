# SPDX-License-Identifier: GPL-2.0-or-later
"""NetworkManager with a message bus and a wpa_supplicant of its own, at one end of a cable."""
import itertools
import subprocess
from pathlib import Path

from .process import Server, wait_until
from .story import Way

BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path=/run/dbus/system_bus_socket</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/> <allow own="*"/> <allow send_destination="*" eavesdrop="true"/> <allow eavesdrop="true"/>
  </policy>
</busconfig>
"""
CONFIG = """\
[main]
plugins=keyfile
auth-polkit=false
dns=none
rc-manager=unmanaged
no-auto-default=*

[keyfile]
path={dir}/connections

[connectivity]
enabled=false
"""
# In namespaces of its own: /run and the state are empty, and /sys is read-only, which tells NetworkManager that no udev runs.
SCRIPT = """\
set -e
mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib/NetworkManager
mount -t sysfs -o ro sysfs /sys
mkdir /run/dbus
dbus-daemon --config-file=bus.conf --fork --nopidfile
wpa_supplicant -u -s -B -dd -f wpa.log
exec NetworkManager --debug --config=nm.conf --config-dir=none --system-config-dir=none --intern-config=intern \\
    --state-file=state --pid-file=/run/nm.pid
"""
NUMBERS = itertools.count(1)


class NetworkManager(Server, Way):
    """nmcli brings a connection up with a password that is asked for every time."""

    name, mode, told, retries = "NetworkManager, TTLS/PAP", "append", False, False

    def __init__(self, space, interface, ca_file):
        Server.__init__(self)
        try:
            self.space, self.interface, self.ca_file = space, interface, ca_file
            (self.dir / "bus.conf").write_text(BUS)
            (self.dir / "nm.conf").write_text(CONFIG.format(dir=self.dir))
            self.start()
            self.nmcli("device", "set", interface, "managed", "yes")
        except BaseException:
            self.close()
            raise

    def command(self):
        return [*self.space.enter, "unshare", "-m", "-p", "--fork", "--kill-child", "--mount-proc", "sh", "-c", SCRIPT]

    def is_ready(self):
        return "manager: startup complete" in self.log()

    def nmcli(self, *words):
        with self._nmcli(*words) as running:
            shown = running.communicate(timeout=60)[0]
        assert running.returncode == 0, shown
        return shown

    def _nmcli(self, *words):
        unshared = self.process.pid
        [inside] = Path(f"/proc/{unshared}/task/{unshared}/children").read_text().split()
        return subprocess.Popen(["nsenter", "-t", inside, "-m", "-n", "-p", "nmcli", *words], text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def add(self, user):
        """A connection for this user; returns its name."""
        name = f"office-{next(NUMBERS)}"
        self.nmcli("connection", "add", "type", "ethernet", "ifname", self.interface, "con-name", name, "autoconnect", "no",
                   "ipv4.method", "manual", "ipv4.addresses", "10.99.0.2/24", "ipv6.method", "disabled",
                   "802-1x.eap", "ttls", "802-1x.phase2-auth", "pap", "802-1x.identity", user.uid,
                   "802-1x.anonymous-identity", "anonymous", "802-1x.ca-cert", str(self.ca_file),
                   "802-1x.password-flags", "2")
        self.take_another_address(name)
        return name

    def take_another_address(self, name):
        """A port that refused an address holds it off for half a minute."""
        self.nmcli("connection", "modify", name, "802-3-ethernet.cloned-mac-address",
                   f"02:00:00:00:03:{next(NUMBERS) % 256:02x}")

    def up(self, name, user, password):
        """Whether the connection comes up, and what nmcli said. After a refusal it would try on for half a minute."""
        (self.dir / "password").write_text(f"802-1x.identity:{user.uid}\n802-1x.password:{password}\n")
        mark = self.supplicant_mark()
        with self._nmcli("-w", "30", "connection", "up", name, "passwd-file", str(self.dir / "password")) as running:
            wait_until(lambda: running.poll() is not None or "EAP-FAILURE" in self.supplicant_log(mark), what="nmcli")
            if running.poll() is None:
                self.down(name)
            shown = running.communicate()[0]
        assert running.returncode == 0 or "EAP-FAILURE" in self.supplicant_log(mark), shown
        return running.returncode == 0, shown

    def supplicant_mark(self):
        return (self.dir / "wpa.log").stat().st_size

    def supplicant_log(self, since=0):
        return (self.dir / "wpa.log").read_bytes()[since:].decode("utf-8", "replace")

    def down(self, name):
        self.nmcli("connection", "down", name)

    def login(self, user, *typed):
        name = self.add(user)
        try:
            return self.up(name, user, typed[0])
        finally:
            self.nmcli("connection", "delete", name)
