# SPDX-License-Identifier: GPL-2.0-or-later
"""FreeRADIUS's own configuration as Debian installs it, with the lines of the README in its sites."""
import re
import shutil
import socket
from pathlib import Path

from . import conf
from .process import free_port
from .radius_server import FreeRadius

STOCK = Path("/etc/freeradius/3.0")
THREE_SECTIONS = ("server.authorize", "server.authenticate", "server.post-auth")
SNAKEOIL = Path("/etc/ssl/certs/ssl-cert-snakeoil.pem")


class PackagedRadius(FreeRadius):
    """The packaged "default" and "inner-tunnel", reading the directory by the packaged ldap module.

    inside   whether the lines are in the inner tunnel, too
    """

    def __init__(self, slapd, *, inside=False, **options):
        self.inside = inside
        super().__init__(slapd, **options)

    def pick_ports(self):
        super().pick_ports()
        self.other_ports = [free_port(socket.SOCK_DGRAM) for _ in range(4)]

    def configure(self, **changes):
        super().configure(**changes)
        for path in ("mods-enabled/standard", "sites-enabled/test", "mods-config"):
            target = self.raddb / path
            shutil.rmtree(target) if target.is_dir() else target.unlink()
        for folder in ("mods-config", "certs"):
            shutil.copytree(STOCK / folder, self.raddb / folder)
        self._write_ours()
        for path in ("proxy.conf", "clients.conf", *self._stock("mods-enabled"), *self._stock("policy.d")):
            self._write(path, (STOCK / path).read_text())
        self._write("radiusd.conf", self._main())
        self._write("mods-enabled/ldap", self._ldap())
        self._write("sites-enabled/default", self._site("default", True))
        self._write("sites-enabled/inner-tunnel", self._site("inner-tunnel", self.inside))

    @staticmethod
    def _stock(folder):
        return [f"{folder}/{path.name}" for path in (STOCK / folder).iterdir()]

    def _main(self):
        text = (STOCK / "radiusd.conf").read_text()
        places = {"logdir": self.dir, "raddbdir": self.raddb, "run_dir": self.dir, "db_dir": self.dir,
                  "libdir": self.dir / "lib", "security.user": None, "security.group": None,
                  "security.reject_delay": 0}
        return conf.edit(text, {name: None if value is None else str(value) for name, value in places.items()})

    def _ldap(self):
        text = (STOCK / "mods-available/ldap").read_text()
        return conf.edit(text, {
            "ldap.server": self.slapd.uri, "ldap.identity": self.slapd.freeradius_dn,
            "ldap.password": self.slapd.passwords[self.slapd.freeradius_dn], "ldap.base_dn": self.slapd.people,
            "ldap.pool.start": 0, "ldap.pool.min": 0})

    def _site(self, name, ours):
        text = (STOCK / "sites-available" / name).read_text()
        ports = iter([self.port, *self.other_ports] if name == "default" else [self.other_ports[-1]])
        text = re.sub(r"(?m)^(\s*port = )\d+$", lambda found: f"{found[1]}{next(ports)}", text)
        for section in THREE_SECTIONS if ours else ():
            text = conf.insert(text, section, first="\tperuser_mfa")
        return text
