# SPDX-License-Identifier: GPL-2.0-or-later
"""The directory under load: many users, no log, and a switch between durable and not."""
import base64
import hashlib
import os

import ldap
from cores import DIRECTORY, on
from lib import slapd_config as conf
from lib.slapd import DATABASE_DN, FREERADIUS_DN, Slapd, run_tool
from lib.tls import make_certificates

INDEX = "objectClass,uid eq"   # what a login searches by; a provider of replicas has entryUUID and entryCSN too
OLD_STEP = 1          # so that every login replaces a value, as all but a user's first do
LAST_USE = f"{OLD_STEP} 30 AAAAAAAAAAAAAAAA"
PASSWORD = "correct-horse-42x"
MONITOR = """\
dn: olcDatabase={2}monitor,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {2}monitor
olcAccess: to * by * read

"""
OTP_OVERLAY = """\
dn: olcOverlay=otp,olcDatabase={1}mdb,cn=config
objectClass: olcOverlayConfig
olcOverlay: otp

"""
# What peers keep in attributes that every directory has, and may read and write there.
PEERS_SECRET, PEERS_STEP = "description", "employeeNumber"
ACCESS = (f'to * by dn.exact="{FREERADIUS_DN}" read by * break',
          f'to attrs={PEERS_STEP},oathTOTPLastTimeStep by dn.exact="{FREERADIUS_DN}" write by * break')
UNUSED = {   # what an entry says whose codes were not used yet
    "ours": [("peruserMfaLastUse", [LAST_USE.encode()]), ("peruserMfaFailures", None)],
    "peers": [(PEERS_STEP, [str(OLD_STEP).encode()])],
    "otp": [("oathTOTPLastTimeStep", [str(OLD_STEP).encode()])],
}
COUNTERS = {"S": "cn=Search", "B": "cn=Bind", "M": "cn=Modify"}


class Person:
    """One user, made from a number alone, so that lists of any length agree."""

    def __init__(self, kind, number):
        self.uid = f"{kind}{number:06}"
        self.enrolled = kind == "m"
        self.key = hashlib.sha1(f"key of {self.uid}".encode()).digest()

    @property
    def secret(self):
        return base64.b32encode(self.key).decode()

    def line(self):
        return f"{self.uid} {PASSWORD}" + (f" {self.secret}" if self.enrolled else "")

    def entry(self, otp):
        dn, attributes = conf.person(self.uid, PASSWORD)
        if self.enrolled and otp:
            attributes["objectClass"] += ["oathTOTPUser", "oathTOTPToken"]
            attributes.update(oathTOTPToken=dn, oathSecret=self.key, oathTOTPLastTimeStep=str(OLD_STEP),
                              oathTOTPParams=f"cn=totp,{conf.SUFFIX}")
        elif self.enrolled:
            attributes["objectClass"].append("peruserMfaUser")
            attributes.update({"peruserMfaEnabled": "TRUE", "peruserMfaSecret": self.secret,
                               "peruserMfaLastUse": LAST_USE,
                               PEERS_SECRET: self.secret, PEERS_STEP: str(OLD_STEP)})
        return dn, attributes


class Directory(Slapd):
    """slapd with people(); otp: the overlay checks codes inside of the bind."""

    name = "bench-slapd"

    def __init__(self, people, *, otp=False):
        self.otp = otp
        schema = () if otp else (conf.SCHEMA,)
        super().__init__(self._entries(people), schema=schema, access=None if otp else conf.ACCESS)
        with self.connect_config() as config:
            for rule in ACCESS[:1] if not otp else ACCESS:
                if otp or "oath" not in rule:
                    config.modify_s(DATABASE_DN, [(ldap.MOD_ADD, "olcAccess", [b"{0}" + rule.encode()])])
            if not otp:
                rule = ACCESS[1].replace(",oathTOTPLastTimeStep", "")
                config.modify_s(DATABASE_DN, [(ldap.MOD_ADD, "olcAccess", [b"{0}" + rule.encode()])])
        self.set_durable(True)

    def _entries(self, people):
        if self.otp:
            yield f"cn=totp,{conf.SUFFIX}", {
                "objectClass": ["device", "oathTOTPParams"], "cn": "totp", "oathOTPLength": "6",
                "oathHMACAlgorithm": "1.2.840.113549.2.7", "oathTOTPTimeStepPeriod": "30",
                "oathTOTPTimeStepWindow": "1"}
        for person in people:
            yield person.entry(self.otp)

    def _write_config(self, schema, ppolicy, syncprov):
        for folder in ("config", "db"):
            (self.dir / folder).mkdir()
        make_certificates(self.dir)
        self._slapadd("-n0", stdin=conf.config_ldif(
            self.dir, self.root_password, schemas=schema, modules=["otp"] if self.otp else [],
            overlays=(OTP_OVERLAY if self.otp else "") + MONITOR, index=INDEX))

    def command(self):
        """Errors alone are logged."""
        command = super().command()
        command[command.index("-d") + 1] = "32768"
        return on(DIRECTORY) + command

    def set_durable(self, durable):
        """Whether a change is on the disk before it is confirmed (olcDbNoSync).

        What was not yet written is written here, lest the first durable change do it.
        """
        with self.connect_config() as config:
            config.modify_s(DATABASE_DN, [(ldap.MOD_REPLACE, "olcDbNoSync", [b"FALSE" if durable else b"TRUE"])])
        if durable:
            with open(self.dir / "db/data.mdb", "rb") as database:
                os.fsync(database)

    def counters(self):
        """Operations completed so far, by letter."""
        with self.connect() as root:
            return {letter: int(root.read_s(f"{rdn},cn=Operations,cn=Monitor", attrlist=["monitorOpCompleted"])
                                ["monitorOpCompleted"][0]) for letter, rdn in COUNTERS.items()}

    def forget_use(self, people, codes):
        """Every code counts as unused again; takes about a second for 10,000 users. codes: a key of UNUSED."""
        changes = [(ldap.MOD_REPLACE, name, value) for name, value in UNUSED[codes]]
        with self.connect() as root:
            waiting = []
            for person in people:
                waiting.append(root.modify(conf.user_dn(person.uid), changes))
                if len(waiting) > 64:
                    root.result(waiting.pop(0))
            for operation in waiting:
                root.result(operation)


def people(kind, count):
    return [Person(kind, number) for number in range(count)]


def write_list(path, persons):
    path.write_text("".join(person.line() + "\n" for person in persons))
    os.chmod(path, 0o600)
    return path


def slapd_version():
    return run_tool("dpkg-query", "-W", "-f", "${Version}", "slapd")
