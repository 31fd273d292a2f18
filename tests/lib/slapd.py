# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenLDAP with our schema and our access rules, as an administrator would load them."""
import collections
import contextlib
import re
import secrets
import subprocess
from pathlib import Path
from urllib.parse import quote

import ldap
import ldap.ldapobject
import ldap.modlist
import ldap.sasl

from . import slapd_config as conf
from .process import Server, free_port, wait_until
from .slapd_config import ADMIN_DN, ENROLL_DN, FREERADIUS_DN, PEOPLE, RADIUS_DN, ROOT_DN, SUFFIX, person, user_dn
from .tls import make_certificates

__all__ = ["Slapd", "ADMIN_DN", "ENROLL_DN", "FREERADIUS_DN", "PEOPLE", "RADIUS_DN", "ROOT_DN", "SUFFIX",
           "person", "user_dn"]

DATABASE_DN = "olcDatabase={1}mdb,cn=config"
STATS_LEVEL = "256"
_OPERATION = re.compile(r"conn=(\d+) op=\d+ (BIND|SRCH|MOD|ADD|DEL|CMP) (.*)")
_BIND_DN = re.compile(r'dn="([^"]*)" method=')


class Connection(ldap.ldapobject.SimpleLDAPObject):
    """python-ldap's connection, usable in a with block."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unbind_s()


def run_tool(*command, stdin=None):
    """Run slapadd, ldapmodify and the like; all that they said goes into the exception."""
    done = subprocess.run([str(word) for word in command], input=stdin, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout}")
    return done.stdout


class Slapd(Server):
    """One slapd on mdb, on ldap, ldaps and ldapi.

    users     entries of ou=people as person() makes them
    schema    LDIF files to load behind inetOrgPerson; () for a directory that never heard of us
    access    a file for ldapmodify in cn=config, or None: then everybody reads everything
    ppolicy   the password policy overlay, which locks a user after 3 wrong passwords
    syncprov  be a provider
    provider  be a consumer of this other Slapd, whose users come over by themselves
    """

    name = "slapd"

    def __init__(self, users=(), *, schema=(conf.SCHEMA,), access=conf.ACCESS, ppolicy=False, syncprov=False,
                 provider=None):
        super().__init__()
        try:
            self.provider = provider
            self.passwords = provider.passwords if provider else {
                dn: secrets.token_urlsafe(12) for dn in (RADIUS_DN, ENROLL_DN, ADMIN_DN, FREERADIUS_DN)}
            self.root_password = provider.root_password if provider else secrets.token_urlsafe(12)
            self._write_config(schema, ppolicy, syncprov)
            if not provider:
                self.load(conf.base_entries(self.passwords))
                if ppolicy:
                    self._slapadd("-n1", stdin=conf.POLICY_ENTRIES)
                self.load(users)
            self.start_on_free_ports()
            if access:
                self.ldapmodify_config(access)
        except BaseException:
            self.close()
            raise

    def _write_config(self, schema, ppolicy, syncprov):
        for folder in ("config", "db"):
            (self.dir / folder).mkdir()
        make_certificates(self.dir)
        chosen = [(ppolicy, "ppolicy", conf.PPOLICY), (syncprov, "syncprov", conf.SYNCPROV)]
        database = ""
        if self.provider:
            database = conf.CONSUMER.format(uri=self.provider.uri, suffix=SUFFIX, root_dn=ROOT_DN,
                                            password=self.root_password)
        self._slapadd("-n0", stdin=conf.config_ldif(
            self.dir, self.root_password, schemas=schema, database=database,
            modules=[name for wanted, name, _ in chosen if wanted],
            overlays="".join(text for wanted, _, text in chosen if wanted)))

    def _slapadd(self, *args, stdin):
        return run_tool("/usr/sbin/slapadd", "-F", self.dir / "config", *args, stdin=stdin)

    def load(self, entries):
        """Bulk load while slapd does not run."""
        ldif = "".join(conf.entry_ldif(dn, attributes) for dn, attributes in entries)
        if ldif:
            self._slapadd("-q", "-n1", stdin=ldif)

    # ---- the process

    def pick_ports(self):
        self.port, self.tls_port = free_port(), free_port()

    def command(self):
        return ["/usr/sbin/slapd", "-F", str(self.dir / "config"), "-d", STATS_LEVEL,
                "-h", f"{self.uri} {self.ldaps_uri} {self.ldapi_uri}"]

    def is_ready(self):
        return "slapd starting" in self.log(self._ready_from)

    def start(self):
        self._ready_from = self.mark()
        return super().start()

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def ldaps_uri(self):
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def ldapi_uri(self):
        return "ldapi://" + quote(str(self.dir / "ldapi"), safe="")

    @property
    def ca_file(self):
        return self.dir / "ca.pem"

    # ---- talking to it

    def connect(self, dn=ROOT_DN, password=None, uri=None):
        """A bound connection: as the root DN, a service account or (with its password) a user. "" is anonymous."""
        connection = Connection(uri or self.uri)
        connection.timeout = connection.network_timeout = 10
        if dn:
            known = {ROOT_DN: self.root_password, **self.passwords}
            connection.simple_bind_s(dn, known[dn] if password is None else password)
        return connection

    def connect_config(self):
        connection = Connection(self.ldapi_uri)
        connection.sasl_interactive_bind_s("", ldap.sasl.external())
        return connection

    def ldapmodify_config(self, path):
        """Load a cn=config LDIF file the documented way."""
        run_tool("ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", self.ldapi_uri, "-f", path)

    def ldapmodify(self, ldif, dn=ADMIN_DN):
        """What an administrator types."""
        run_tool("ldapmodify", "-x", "-H", self.uri, "-D", dn, "-y", "/dev/stdin", "-f", self._file(ldif),
                 stdin={ROOT_DN: self.root_password, **self.passwords}[dn])

    def _file(self, text):
        path = Path(self.dir, f"ldif-{secrets.token_hex(4)}")
        path.write_text(text)
        return str(path)

    @contextlib.contextmanager
    def access_first(self, rule):
        """An access rule in front of all others while the block runs."""
        with self.connect_config() as config:
            config.modify_s(DATABASE_DN, [(ldap.MOD_ADD, "olcAccess", [b"{0}" + rule.encode()])])
            try:
                yield
            finally:
                config.modify_s(DATABASE_DN, [(ldap.MOD_DELETE, "olcAccess", [b"{0}"])])

    def add_users(self, *entries):
        with self.connect() as root:
            for dn, attributes in entries:
                encoded = {name: [v if isinstance(v, bytes) else str(v).encode() for v in
                                  (values if isinstance(values, (list, tuple)) else [values])]
                           for name, values in attributes.items()}
                root.add_s(dn, ldap.modlist.addModlist(encoded))

    def set(self, uid, **attributes):
        """Replace attributes of a user; None or [] deletes. Adds our object class when it is needed."""
        changes = []
        for name, values in attributes.items():
            if not isinstance(values, (list, tuple)):
                values = [] if values is None else [values]
            changes.append((ldap.MOD_REPLACE, name, [str(v).encode() for v in values] or None))
        with self.connect() as root:
            dn = user_dn(uid)
            classes = root.read_s(dn, attrlist=["objectClass"])["objectClass"]
            if any(name.startswith("peruserMfa") for name in attributes) and b"peruserMfaUser" not in classes:
                changes.insert(0, (ldap.MOD_ADD, "objectClass", [b"peruserMfaUser"]))
            root.modify_s(dn, changes)

    def get(self, uid, name=None):
        """A user's attributes as lists of text, operational ones too; with a name one attribute's values."""
        with self.connect() as root:
            raw = root.read_s(user_dn(uid), attrlist=["*", "+"])
        entry = {key: [value.decode("utf-8", "replace") for value in values] for key, values in raw.items()}
        return entry.get(name, []) if name else entry

    # ---- replication

    def stop_replication(self):
        """Stay as you are: a replica that lags behind for ever."""
        with self.connect_config() as config:
            config.modify_s(DATABASE_DN, [(ldap.MOD_DELETE, "olcSyncrepl", None)])

    def context_csn(self):
        try:
            with self.connect() as root:
                return sorted(root.read_s(SUFFIX, attrlist=["contextCSN"]).get("contextCSN", []))
        except ldap.NO_SUCH_OBJECT:
            return []

    def wait_synced(self, timeout_s=10):
        wait_until(lambda: self.context_csn() and self.context_csn() == self.provider.context_csn(),
                   timeout_s, "replica in step with its provider")

    # ---- what was asked of it

    def operations(self, since=0):
        """Counter of (bound DN, "BIND" | "SRCH" | "MOD" | ...) logged after the mark.

        A BIND is counted under the DN that it asks for.
        """
        identity, counts = {}, collections.Counter()
        position = 0
        for line in self.log_path.read_bytes().splitlines(keepends=True):
            position += len(line)
            found = _OPERATION.search(line.decode("utf-8", "replace"))
            if not found:
                continue
            connection, kind, rest = found.groups()
            if kind == "BIND":
                bind = _BIND_DN.search(rest)
                if not bind:
                    continue
                identity[connection] = bind[1].lower()
            elif rest.startswith("attr="):
                continue
            if position > since:
                counts[identity.get(connection, ""), kind] += 1
        return counts
