# SPDX-License-Identifier: GPL-2.0-or-later
"""Active Directory, played by a Samba domain controller in a folder and a network namespace of its own."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import ldap
from ldap.dn import escape_dn_chars

from . import ROOT
from .ldap_server import Directory, run_tool
from .netns import refusal
from .process import die_with_parent
from .tls import make_certificates

PACK = ROOT / "ldap-schema/ad"
DOMAIN_DN = "DC=mfa,DC=example,DC=org"
SERVICES = f"OU=services,{DOMAIN_DN}"
PEOPLE = f"OU=people,{DOMAIN_DN}"
ADMIN_GROUP = f"CN=mfa-admins,{SERVICES}"
LDAP, LDAPS = 389, 636

# Paths below one folder; the LDAP server and nothing else.
SMB_CONF = """\
[global]
	workgroup = MFA
	realm = MFA.EXAMPLE.ORG
	netbios name = DC1
	server role = active directory domain controller
	server services = ldap
	dcerpc endpoint servers =
	dsdb:schema update allowed = yes
	private dir = {dir}/private
	state directory = {dir}/state
	cache directory = {dir}/cache
	lock directory = {dir}
	pid directory = {dir}
	ncalrpc dir = {dir}/ncalrpc
	log file = {dir}/samba.log
	tls cafile = {dir}/ca.pem
	tls certfile = {dir}/server.pem
	tls keyfile = {dir}/server.key
"""


def missing():
    """Why the server cannot be started here; empty when it can."""
    for program in ("samba", "samba-tool", "unshare", "ip"):
        if not shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin"):
            return f"{program} is not installed"
    if os.geteuid() != 0:
        return "a domain controller needs root: its ports are fixed, so it gets a network namespace of its own"
    return refusal("-n", "-p", "-f")


class Samba(Directory):
    """One domain controller, on ldap and ldaps.

    rights    whether our accounts get the rights that access.sddl grants
    """

    name = "samba"
    root_dn = f"CN=Administrator,CN=Users,{DOMAIN_DN}"
    radius_dn, enroll_dn, admin_dn, freeradius_dn = (
        f"CN={name},{SERVICES}" for name in ("radius", "enroll", "admin", "freeradius"))
    people = PEOPLE
    id_attribute = "objectGUID"
    login_attribute = "sAMAccountName"
    object_class = ""
    read_everything = ("*",)

    def __init__(self, users=(), *, rights=True):
        super().__init__()
        self.relay = None
        try:
            self.make_passwords()
            self._provision()
            self.start()
            self._load_schema()
            self._make_accounts()
            if rights:
                for name in ("access.sddl", "access-samba.sddl"):
                    self.grant((PACK / name).read_text())
            self.add_users(*users)
        except BaseException:
            self.close()
            raise

    # ---- the instance

    def _tool(self, *words, stdin=None):
        return run_tool("samba-tool", *words, "-s", self.dir / "smb.conf", stdin=stdin)

    def _provision(self):
        make_certificates(self.dir)
        (self.dir / "empty.conf").write_text("")
        run_tool("samba-tool", "domain", "provision", "-s", self.dir / "empty.conf", "--quiet",
                 "--realm=MFA.EXAMPLE.ORG", "--domain=MFA", "--server-role=dc", "--dns-backend=NONE",
                 f"--targetdir={self.dir}", "--host-name=dc1", "--host-ip=127.0.0.1",
                 f"--adminpass={self.root_password}", f"--option=log file={self.dir}/samba.log")
        (self.dir / "smb.conf").write_text(SMB_CONF.format(dir=self.dir))
        self._tool("domain", "passwordsettings", "set", "--complexity=off", "--min-pwd-length=1",
                   "--history-length=0", "--min-pwd-age=0", "-H", self.dir / "private/sam.ldb")

    def _load_schema(self):
        self.ldapmodify((PACK / "peruser-mfa.ldif").read_text().replace("DC=X", DOMAIN_DN), self.root_dn)

    def _make_accounts(self):
        for unit in (SERVICES, PEOPLE):
            self.add_users((unit, {"objectClass": "organizationalUnit"}))
        for dn in (self.radius_dn, self.enroll_dn, self.admin_dn, self.freeradius_dn):
            name = dn.split(",")[0].split("=")[1]
            self.add_users((dn, account(f"svc-{name}", self.passwords[dn])))
        self.add_users((ADMIN_GROUP, {"objectClass": "group", "sAMAccountName": "mfa-admins", "member": self.admin_dn}))

    def sid(self, dn):
        with self.connect() as root:
            raw = root.read_s(dn, attrlist=["objectSid"])["objectSid"][0]
        words = [int.from_bytes(raw[i:i + 4], "little") for i in range(8, len(raw), 4)]
        return "S-1-%d-%s" % (int.from_bytes(raw[2:8], "big"), "-".join(map(str, words)))

    def grant(self, text):
        """Put access control entries on the unit of the users, the documented way."""
        for word, dn in (("@RADIUS@", self.radius_dn), ("@ENROLL@", self.enroll_dn), ("@ADMINS@", ADMIN_GROUP)):
            text = text.replace(word, self.sid(dn))
        entries = "".join(line.strip() for line in text.splitlines() if line.startswith("("))
        self._tool("dsacl", "set", f"--objectdn={PEOPLE}", f"--sddl={entries}", "-H", self.dir / "private/sam.ldb")

    # ---- the process

    def command(self):
        return ["unshare", "--net", "--pid", "--fork", "--kill-child",
                "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
                "samba", "-F", "--debug-stdout", "-s", str(self.dir / "smb.conf")]

    def start(self):
        self.stop_relay()
        return super().start()

    def is_ready(self):
        if not Path(self.dir, "private/ldapi").exists():
            return False
        if self.relay is None:
            self.relay = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("relay.py"), str(self.process.pid), str(LDAP),
                 str(LDAPS)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent)
            self.port, self.tls_port = map(int, self.relay.stdout.readline().split())
        try:
            with self.connect("") as anybody:
                return bool(anybody.read_rootdse_s())
        except ldap.SERVER_DOWN:
            return False

    def stop_relay(self):
        if self.relay is not None:
            self.relay.kill()
            self.relay.wait()
            self.relay.stdout.close()
            self.relay = None

    def close(self):
        self.stop_relay()
        super().close()

    @property
    def uri(self):
        """A simple bind is refused without TLS."""
        return self.ldaps_uri

    # ---- users

    @staticmethod
    def user_dn(uid):
        return f"CN={escape_dn_chars(uid)},{PEOPLE}"

    @classmethod
    def person(cls, uid, password, *, clear=False, **attributes):
        """A user as (dn, attributes); the password is never readable, so clear is of no use here."""
        if clear:
            raise ValueError("Active Directory gives no password away")
        return cls.user_dn(uid), {**account(uid, password), **attributes}


def account(name, password):
    return {"objectClass": ["top", "person", "organizationalPerson", "user"], "sAMAccountName": name,
            "userPrincipalName": f"{name}@mfa.example.org", "userAccountControl": "512",
            "unicodePwd": f'"{password}"'.encode("utf-16-le")}
