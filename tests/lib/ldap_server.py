# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests ask of a directory server, whichever one it is."""
import secrets
import subprocess
from pathlib import Path

import ldap
import ldap.ldapobject
import ldap.modlist

from .process import Server
from .slapd_config import ADMIN_DN, ENROLL_DN, FREERADIUS_DN, PEOPLE, RADIUS_DN, ROOT_DN, person, user_dn


class Connection(ldap.ldapobject.SimpleLDAPObject):
    """python-ldap's connection, usable in a with block."""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.unbind_s()


def run_tool(*command, stdin=None, env=None):
    """Run slapadd, ldapmodify and the like; all that they said goes into the exception."""
    done = subprocess.run([str(word) for word in command], input=stdin, text=True, env=env,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        raise RuntimeError(f"{command[0]} ended with {done.returncode}: {done.stdout}")
    return done.stdout


def encode(attributes):
    """Attributes as python-ldap wants them; a value is text, a number or bytes, a list holds several."""
    return {name: [v if isinstance(v, bytes) else str(v).encode() for v in
                   (values if isinstance(values, (list, tuple)) else [values])]
            for name, values in attributes.items()}


class Directory(Server):
    """A server with our schema, our access rules, the service accounts and users."""

    root_dn, radius_dn, enroll_dn, admin_dn, freeradius_dn = ROOT_DN, RADIUS_DN, ENROLL_DN, ADMIN_DN, FREERADIUS_DN
    people = PEOPLE
    id_attribute = "entryUUID"
    login_attribute = "uid"
    object_class = "peruserMfaUser"   # "" where entries need none for our attributes
    read_everything = ("*", "+")
    person = staticmethod(person)
    user_dn = staticmethod(user_dn)

    root_password = None
    passwords = {}

    @property
    def uri(self):
        return self.plain_uri

    @property
    def plain_uri(self):
        return f"ldap://127.0.0.1:{self.port}"

    @property
    def ldaps_uri(self):
        return f"ldaps://127.0.0.1:{self.tls_port}"

    @property
    def ca_file(self):
        return self.dir / "ca.pem"

    def make_passwords(self):
        self.root_password = new_password()
        self.passwords = {dn: new_password() for dn in
                          (self.radius_dn, self.enroll_dn, self.admin_dn, self.freeradius_dn)}

    @property
    def settings(self):
        """What differs from the shipped settings when this directory is used."""
        items = {"ldap.uri": self.uri, "ldap.ca_file": str(self.ca_file), "user.base_dn": self.people}
        if self.login_attribute != "uid":
            items["user.filter"] = f"({self.login_attribute}=%{{%{{Stripped-User-Name}}:-%{{User-Name}}}})"
        if self.id_attribute != "entryUUID":
            items["attribute.id"] = self.id_attribute
        if self.object_class != "peruserMfaUser":
            items["attribute.object_class"] = self.object_class
        return items

    # ---- talking to it

    def password_of(self, dn):
        return {self.root_dn: self.root_password, **self.passwords}[dn]

    def connect(self, dn=None, password=None, uri=None):
        """A bound connection: as the administrator (None), a service account or (with its password) a user.

        "" is anonymous.
        """
        dn = self.root_dn if dn is None else dn
        connection = Connection(uri or self.uri)
        connection.timeout = connection.network_timeout = 10
        connection.set_option(ldap.OPT_REFERRALS, ldap.OPT_OFF)
        if (uri or self.uri).startswith("ldaps:"):
            connection.set_option(ldap.OPT_X_TLS_CACERTFILE, str(self.ca_file))
            connection.set_option(ldap.OPT_X_TLS_NEWCTX, 0)
        if dn:
            connection.simple_bind_s(dn, self.password_of(dn) if password is None else password)
        return connection

    def ldapmodify(self, ldif, dn=None):
        """What an administrator types."""
        dn = dn or self.admin_dn
        run_tool("ldapmodify", "-x", "-H", self.uri, "-D", dn, "-y", "/dev/stdin", "-f", self.file(ldif),
                 stdin=self.password_of(dn), env=self.tool_environment())

    def tool_environment(self):
        """libldap's settings for the OpenLDAP tools."""
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LDAPTLS_CACERT": str(self.ca_file)}

    def file(self, text):
        path = Path(self.dir, f"ldif-{secrets.token_hex(4)}")
        path.write_text(text)
        return str(path)

    def add_users(self, *entries):
        with self.connect() as root:
            for dn, attributes in entries:
                root.add_s(dn, ldap.modlist.addModlist(encode(attributes)))

    def set(self, uid, **attributes):
        """Replace attributes of a user; None or [] deletes. Adds our object class when it is needed."""
        changes = []
        for name, values in attributes.items():
            if not isinstance(values, (list, tuple)):
                values = [] if values is None else [values]
            changes.append((ldap.MOD_REPLACE, name, [str(v).encode() for v in values] or None))
        with self.connect() as root:
            dn = self.user_dn(uid)
            if self.object_class and any(name.startswith("peruserMfa") for name in attributes):
                classes = root.read_s(dn, attrlist=["objectClass"])["objectClass"]
                if self.object_class.encode() not in classes:
                    changes.insert(0, (ldap.MOD_ADD, "objectClass", [self.object_class.encode()]))
            root.modify_s(dn, changes)

    def get(self, uid, name=None):
        """A user's attributes as lists of text, operational ones too; with a name one attribute's values."""
        with self.connect() as root:
            raw = root.read_s(self.user_dn(uid), attrlist=list(self.read_everything))
        entry = {key: [value.decode("utf-8", "replace") for value in values] for key, values in raw.items()}
        return entry.get(name, []) if name else entry

    def entry_id(self, uid):
        """A user's immutable id, as the bytes that the directory gives."""
        with self.connect() as root:
            return root.read_s(self.user_dn(uid), attrlist=[self.id_attribute])[self.id_attribute][0]


def new_password():
    """Long, printable, and with what a password policy may ask for."""
    return "Aa1-" + secrets.token_urlsafe(12)
