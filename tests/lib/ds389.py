# SPDX-License-Identifier: GPL-2.0-or-later
"""389 Directory Server with our schema and our access rules, its whole instance in one temporary folder."""
import os
import pwd
import re
import shutil
from pathlib import Path

import ldap
import ldap.modlist

from . import ROOT, slapd_config
from .netns import refusal
from .ldap_server import Directory, encode, run_tool
from .process import free_port
from .tls import make_certificates

PROGRAM = Path("/usr/sbin/ns-slapd")
TEMPLATES = Path("/usr/share/dirsrv/data")
PACK = ROOT / "ldap-schema/389ds"
BACKEND = (
    ("cn=users,cn=ldbm database,cn=plugins,cn=config",
     {"objectClass": ["extensibleObject", "nsBackendInstance"], "cn": "users", "nsslapd-suffix": slapd_config.SUFFIX}),
    (f'cn="{slapd_config.SUFFIX}",cn=mapping tree,cn=config',
     {"objectClass": ["extensibleObject", "nsMappingTree"], "cn": slapd_config.SUFFIX, "nsslapd-state": "backend",
      "nsslapd-backend": "users"}),
)

# What a site has: everybody reads, and users edit their own entries.
SITE_ACCESS = (
    '(targetattr != "userPassword || aci")(version 3.0; acl "all read"; '
    'allow (read, search, compare) userdn = "ldap:///anyone";)',
    '(targetattr = "*")(version 3.0; acl "own entry"; allow (write) userdn = "ldap:///self";)',
)
# The template's word for each folder, and its name.
FOLDERS = {"config": "etc", "cert": "etc", "schema": "etc/schema", "db": "db", "db_home": "dbhome", "ldif": "ldif",
           "bak": "bak", "log": "logs", "run": "run", "lock": "lock", "tmp": "tmp"}
TLS = "nsslapd-security: on\nnsslapd-secureport: {port}\n"


def missing():
    """Why the server cannot be started here; empty when it can."""
    if not PROGRAM.exists():
        return "389-ds-base is not installed"
    return refusal("-m")


class Ds389(Directory):
    """One ns-slapd on ldap and ldaps. The packaged tools would write under /etc and /var; this writes there nothing.

    access    a file for ldapmodify with our rules, or None: then the site's own hold
    """

    name = "ds389"
    root_dn = "cn=Directory Manager"
    id_attribute = "nsUniqueId"
    read_everything = ("*", "+", "nsUniqueId")

    def __init__(self, users=(), *, schema=PACK / "peruser-mfa.ldif", access=PACK / "access.ldif"):
        super().__init__()
        try:
            self.make_passwords()
            self._make_folders()
            self.start_on_free_ports()
            self._fill()
            for file in filter(None, (schema, access)):
                self.load(file)
            self.add_users(*users)
        except BaseException:
            self.close()
            raise

    # ---- the instance

    def _make_folders(self):
        for name in FOLDERS.values():
            (self.dir / name).mkdir(exist_ok=True)
        for name in ("config/slapd-collations.conf", "config/certmap.conf"):
            shutil.copy(Path("/etc/dirsrv", name), self.dir / "etc")
        shutil.copy("/etc/dirsrv/schema/99user.ldif", self.dir / "etc/schema")
        make_certificates(self.dir)
        nss = f"sql:{self.dir}/etc"
        run_tool("certutil", "-N", "-d", nss, "--empty-password")
        run_tool("certutil", "-A", "-d", nss, "-n", "CA", "-t", "CT,,", "-i", self.dir / "ca.pem")
        run_tool("openssl", "pkcs12", "-export", "-in", self.dir / "server.pem", "-inkey", self.dir / "server.key",
                 "-name", "Server-Cert", "-out", self.dir / "server.p12", "-passout", "pass:")
        run_tool("pk12util", "-d", nss, "-i", self.dir / "server.p12", "-W", "", "-K", "")

    def pick_ports(self):
        self.port, self.tls_port = free_port(), free_port()
        etc, words = self.dir / "etc", self._words()
        text = re.sub(r"%(\w+)%", lambda found: words[found[1]], (TEMPLATES / "template-dse.ldif").read_text())
        text = text.replace("nsslapd-rootdn:", TLS.format(port=self.tls_port) + "nsslapd-rootdn:", 1)
        (etc / "dse.ldif").write_text(text)

    def _words(self):
        folders = {f"{word}_dir": str(self.dir / name) for word, name in FOLDERS.items()}
        return {
            **folders, "inst_dir": str(self.dir), "fqdn": "localhost", "db_lib": "bdb", "ds_port": str(self.port),
            "ds_user": pwd.getpwuid(os.getuid()).pw_name, "rootdn": self.root_dn,
            "ds_passwd": slapd_config.ssha(self.root_password), "ds_suffix": slapd_config.SUFFIX,
            "ldapi_enabled": "off", "ldapi": str(self.dir / "ldapi"), "ldapi_autobind": "off",
        }

    def _fill(self):
        with self.connect() as root:
            root.modify_s("cn=config", [(ldap.MOD_REPLACE, "nsslapd-accesslog-logbuffering", b"off")])
            for dn, attributes in BACKEND:
                root.add_s(dn, ldap.modlist.addModlist(encode(attributes)))
            for dn, attributes in slapd_config.base_entries(self.passwords):
                root.add_s(dn, ldap.modlist.addModlist(encode(attributes)))
            root.modify_s(slapd_config.SUFFIX, [(ldap.MOD_ADD, "aci", [rule.encode() for rule in SITE_ACCESS])])

    # ---- the process

    def command(self):
        # It leaves a semaphore behind in /dev/shm; this one is its own, and goes with it.
        return ["unshare", "-m", "sh", "-c", 'mount -t tmpfs tmpfs /dev/shm && exec "$@"', "sh",
                str(PROGRAM), "-D", str(self.dir / "etc"), "-i", str(self.dir / "run/pid"), "-d", "0"]

    def is_ready(self):
        try:
            with self.connect("") as anybody:
                return bool(anybody.read_rootdse_s())
        except ldap.SERVER_DOWN:
            return False

    def access_log(self):
        return (self.dir / "logs/access").read_text()

    def load(self, path):
        """Load an LDIF file the documented way."""
        self.ldapmodify(Path(path).read_text(), self.root_dn)
