# SPDX-License-Identifier: GPL-2.0-or-later
"""OpenLDAP with our schema and our access rules, as an administrator would load them."""
import collections
import contextlib
import re
from urllib.parse import quote

import ldap
import ldap.sasl

from . import slapd_config as conf
from .ldap_server import Connection, Directory, run_tool
from .process import free_port, listens, wait_until
from .slapd_config import ADMIN_DN, ENROLL_DN, FREERADIUS_DN, PEOPLE, RADIUS_DN, ROOT_DN, SUFFIX, person, user_dn
from .tls import make_certificates

__all__ = ["Slapd", "ADMIN_DN", "ENROLL_DN", "FREERADIUS_DN", "PEOPLE", "RADIUS_DN", "ROOT_DN", "SUFFIX",
           "person", "user_dn"]

DATABASE_DN = "olcDatabase={1}mdb,cn=config"
STATS_LEVEL = "256"
_OPERATION = re.compile(r"conn=(\d+) op=\d+ (BIND|SRCH|MOD|ADD|DEL|CMP) (.*)")
_BIND_DN = re.compile(r'dn="([^"]*)" method=')


class Slapd(Directory):
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
            self.make_passwords()
            if provider:
                self.passwords, self.root_password = provider.passwords, provider.root_password
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
        """It says that it starts, and a moment later it listens."""
        return "slapd starting" in self.log(self._ready_from) and listens(self.port)

    def start(self):
        self._ready_from = self.mark()
        return super().start()

    @property
    def ldapi_uri(self):
        return "ldapi://" + quote(str(self.dir / "ldapi"), safe="")

    # ---- talking to it

    def connect_config(self):
        connection = Connection(self.ldapi_uri)
        connection.sasl_interactive_bind_s("", ldap.sasl.external())
        return connection

    def ldapmodify_config(self, path):
        """Load a cn=config LDIF file the documented way."""
        run_tool("ldapmodify", "-Q", "-Y", "EXTERNAL", "-H", self.ldapi_uri, "-f", path)

    @contextlib.contextmanager
    def access_first(self, rule):
        """An access rule in front of all others while the block runs."""
        with self.connect_config() as config:
            config.modify_s(DATABASE_DN, [(ldap.MOD_ADD, "olcAccess", [b"{0}" + rule.encode()])])
            try:
                yield
            finally:
                config.modify_s(DATABASE_DN, [(ldap.MOD_DELETE, "olcAccess", [b"{0}"])])

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
