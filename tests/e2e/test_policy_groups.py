# SPDX-License-Identifier: GPL-2.0-or-later
"""Groups of the policy on every directory server: direct, nested, and groups that may not be read."""
import contextlib

import ldap
import pytest

from lib import ds389, samba
from lib.admin import Admin
from lib.ldap_server import encode
from lib.radius_server import FreeRadius
from lib.slapd import DATABASE_DN, Slapd
from lib.user import User

SERVERS = {"openldap": (Slapd, lambda: ""), "memberof": (Slapd, lambda: ""), "389ds": (ds389.Ds389, ds389.missing),
           "ad": (samba.Samba, samba.missing)}
PATIENT = {"ldap.timeout": 10, "ldap.connect_timeout": 10}
MEMBEROF = [("cn=module{1},cn=config", {"objectClass": "olcModuleList", "cn": "module{1}",
                                        "olcModulePath": "/usr/lib/ldap", "olcModuleLoad": "memberof"}),
            (f"olcOverlay=memberof,{DATABASE_DN}", {"objectClass": ["olcOverlayConfig", "olcMemberOf"],
                                                    "olcOverlay": "memberof"})]


class Groups:
    """inner has a user and is in outer; empty has nobody of the test."""

    def __init__(self, kind, directory):
        self.directory, self.is_ad = directory, kind == "ad"
        self.member, self.deep, self.other = (User(directory) for _ in range(3))
        self.base = samba.SERVICES if self.is_ad else "ou=groups,dc=example,dc=org"
        self.add("inner", self.deep.dn)
        self.add("outer", self.member.dn, self.dn("inner"))
        self.add("empty", directory.admin_dn)

    def dn(self, name):
        return f"cn=pol-{name},{self.base}"

    def add(self, name, *members):
        attributes = {"objectClass": "group" if self.is_ad else "groupOfNames", "cn": f"pol-{name}",
                      "member": list(members)}
        if self.is_ad:
            attributes["sAMAccountName"] = f"pol-{name}"
        with self.directory.connect() as root:
            root.add_s(self.dn(name), ldap.modlist.addModlist(encode(attributes)))

    def rule(self, name, nested=False):
        return f'\npolicy staff {{\n\tgroup = "{self.dn(name)}"\n\tnested = {"yes" if nested else "no"}\n}}\n'


@pytest.fixture(scope="module", params=list(SERVERS))
def groups(request):
    make, missing = SERVERS[request.param]
    if missing():
        pytest.skip(missing())
    with make() as directory:
        if request.param == "memberof":
            with directory.connect_config() as config:
                for dn, attributes in MEMBEROF:
                    config.add_s(dn, ldap.modlist.addModlist(encode(attributes)))
        yield Groups(request.param, directory)


@contextlib.contextmanager
def programs(groups, ring, rule):
    with FreeRadius(groups.directory, ring=ring, settings=PATIENT, policies=rule) as server, \
            server.client() as client, Admin(groups.directory, ring, build="release", policies=rule) as admin:
        yield server, client, admin


@pytest.mark.parametrize("name, nested, required", [
    ("outer", False, {"member"}), ("outer", True, {"member", "deep"}), ("inner", True, {"deep"}),
    ("empty", True, set())])
def test_members_are_required(groups, ring, name, nested, required):
    with programs(groups, ring, groups.rule(name, nested)) as (_, client, admin):
        for who in ("member", "deep", "other"):
            user = getattr(groups, who)
            reply = user.start(client)
            assert (reply.result == "unenrolled") == (who in required), (who, reply)
            assert reply.accepted == (who not in required)
            [row] = admin.json("policy", user.uid)
            assert row["required"] == (who in required), (who, row)


@contextlib.contextmanager
def hidden(groups, name):
    """Nobody but the administrator of the directory may read the members."""
    directory = groups.directory
    if groups.is_ad:
        with directory.connect() as root:
            members = root.read_s(groups.dn(name), attrlist=["member"])["member"]
            root.modify_s(groups.dn(name), [(ldap.MOD_DELETE, "member", None)])
            yield
            root.modify_s(groups.dn(name), [(ldap.MOD_ADD, "member", members)])
    elif isinstance(directory, ds389.Ds389):
        aci = (b'(targetattr = "member")(version 3.0; acl "hide"; deny (all) '
               b'userdn = "ldap:///anyone";)')
        with directory.connect() as root:
            root.modify_s(groups.dn(name), [(ldap.MOD_ADD, "aci", [aci])])
            yield
            root.modify_s(groups.dn(name), [(ldap.MOD_DELETE, "aci", None)])
    else:
        with directory.access_first(f'to dn.exact="{groups.dn(name)}" attrs=member,uniqueMember by * none'):
            yield


@pytest.mark.parametrize("nested", [False, True], ids=["direct", "nested"])
def test_group_that_may_not_be_read_refuses(groups, ring, nested):
    """Not to see the members is not the same as not to be one."""
    with programs(groups, ring, groups.rule("outer", nested)) as (server, client, admin):
        with hidden(groups, "outer"):
            mark = server.mark()
            assert groups.other.start(client).rejected
            assert "policy 'staff': group" in server.log(mark)
            done = admin.run("policy", groups.other.uid, status=1)
            assert "policy 'staff': group" in done.err and done.out == ""
        assert groups.other.start(client).accepted


def test_group_that_does_not_exist_refuses(groups, ring):
    with programs(groups, ring, groups.rule("nowhere")) as (_, client, admin):
        assert groups.other.start(client).rejected
        assert "pol-nowhere" in admin.run("policy", groups.other.uid, status=1).err
