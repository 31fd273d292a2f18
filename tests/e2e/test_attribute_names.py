# SPDX-License-Identifier: GPL-2.0-or-later
"""An attribute that the directory gives by another name, or with an option, is never passed over."""
import ldap
import pytest

from lib.admin import Admin
from lib.radius_server import FreeRadius
from lib.user import Enrolled, User

NAMES = ["favouriteDrink", "0.9.2342.19200300.100.1.5"]


def drinker(slapd, uid_of=None):
    """A user whose flag is in an attribute that has two names."""
    user = uid_of or User(slapd)
    with slapd.connect() as root:
        root.modify_s(user.dn, [(ldap.MOD_ADD, "objectClass", [b"extensibleObject"]),
                                (ldap.MOD_ADD, "drink", [b"TRUE"])])
    return user


@pytest.mark.parametrize("name", NAMES)
def test_a_flag_by_its_other_name_is_not_absent(slapd, ring, name):
    with FreeRadius(slapd, ring=ring, settings={"attribute.enabled": name}) as server, server.client() as client:
        reply = drinker(slapd).start(client)
        assert reply.rejected and reply.result == "broken", reply
        assert "'drink'" in reply.reason and "section attribute" in reply.reason
        assert "'drink'" in server.log()


@pytest.mark.parametrize("name", ["drink", "DRINK"])
def test_a_flag_by_its_first_name_counts_in_any_case(slapd, ring, name):
    with FreeRadius(slapd, ring=ring, settings={"attribute.enabled": name}) as server, server.client() as client:
        assert drinker(slapd).start(client).result == "unenrolled"
        assert drinker(slapd, Enrolled(slapd)).start(client).challenged


@pytest.mark.parametrize("name", NAMES)
def test_check_tells_the_first_name(slapd, ring, name):
    with Admin(slapd, ring, settings={"attribute.enabled": name}) as admin:
        text = admin.run("check", status=1).out
        assert f"'{name}' by another name" in text and "write 'drink'" in text


def test_a_supertype_is_no_name_of_ours(slapd, ring):
    """Asked for "name", the directory gives cn, sn and more; a login does not read the voucher."""
    with FreeRadius(slapd, ring=ring, settings={"attribute.voucher": "name"},
                    instance={"remember.lifetime": 60}) as server, server.client() as client:
        assert User(slapd).start(client).accepted
    with FreeRadius(slapd, ring=ring, settings={"attribute.enabled": "name"}) as server, server.client() as client:
        assert User(slapd).start(client).result == "broken"


OPTIONS = {
    "peruserMfaEnabled;lang-en": "TRUE",
    "peruserMfaRequiredFrom;lang-en": "20200101000000Z",
    "peruserMfaSecret;lang-de;lang-en": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ",
    "peruserMfaLastUse;lang-en": "1 30 AAAAAAAAAAAAAAAA",
}


@pytest.mark.parametrize("described", OPTIONS)
def test_a_value_with_an_option_is_not_absent(slapd, radius, client, described):
    user = Enrolled(slapd, peruserMfaEnabled="FALSE")
    with slapd.connect() as root:
        root.modify_s(user.dn, [(ldap.MOD_ADD, described, [OPTIONS[described].encode()])])
    mark = radius.mark()
    reply = user.start(client)
    assert reply.rejected and reply.result == "broken", reply
    assert f"'{described}'" in radius.log(mark) and "must have no option" in radius.log(mark)
    with Admin(slapd, radius.ring) as admin:
        assert f"'{described}'" in admin.run("status", user.uid, status=1).err
    with slapd.connect() as root:
        root.modify_s(user.dn, [(ldap.MOD_DELETE, described, None)])
    assert user.start(client).accepted
