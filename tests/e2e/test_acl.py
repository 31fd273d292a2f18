# SPDX-License-Identifier: GPL-2.0-or-later
"""Each line of access.ldif, proved by trying it as each kind of client."""
import ldap
import pytest

from lib.slapd import ADMIN_DN, ENROLL_DN, PEOPLE, RADIUS_DN, Slapd, person, user_dn

VALUES = {
    "peruserMfaEnabled": "TRUE",
    "peruserMfaSecret": "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
    "peruserMfaRequiredFrom": "20300101000000Z",
    "peruserMfaLastUse": "58000000 1740000000 bm9uY2U",
    "peruserMfaFailures": "1 1740000000 dGFn",
    "peruserMfaRecoveryCode": "aGFzaA",
    "peruserMfaVoucher": "aGFzaA 1740000000",
    "peruserMfaTrustedDevice": "aGFzaA 1740000000 laptop",
}
OTHER = {
    "peruserMfaEnabled": "FALSE",
    "peruserMfaRequiredFrom": "20310101000000Z",
}
ALL = set(VALUES)
SEVEN = ALL - {"peruserMfaEnabled"}

ANNA, BERT, CARL = (user_dn(uid) for uid in ("anna", "bert", "carl"))
ANONYMOUS = ""

# Who may add a value to, and delete a value from, which attributes
ADD = {
    RADIUS_DN: {"peruserMfaLastUse", "peruserMfaFailures", "peruserMfaTrustedDevice"},
    ENROLL_DN: {"peruserMfaEnabled", "peruserMfaSecret", "peruserMfaLastUse", "peruserMfaFailures",
                "peruserMfaRecoveryCode"},
    ADMIN_DN: ALL, ANNA: set(), BERT: set(), ANONYMOUS: set(),
}
DELETE = {
    **ADD,
    RADIUS_DN: ADD[RADIUS_DN] | {"peruserMfaRecoveryCode"},
    ENROLL_DN: ADD[ENROLL_DN] | {"peruserMfaVoucher", "peruserMfaTrustedDevice"},
}
READ = {RADIUS_DN: ALL, ENROLL_DN: ALL, ADMIN_DN: ALL, ANNA: {"peruserMfaEnabled"}, BERT: set(), ANONYMOUS: set()}
WHO = list(READ)
NAMES = ["radius", "enroll", "admin", "self", "another user", "anonymous"]
PASSWORDS = {ANNA: "anna-pw", BERT: "bert-pw", CARL: "carl-pw"}

each_client = pytest.mark.parametrize("who", WHO, ids=NAMES)
each_attribute = pytest.mark.parametrize("attribute", sorted(ALL))


@pytest.fixture(scope="module")
def slapd():
    users = [person("anna", "anna-pw", mail="anna@example.org", telephoneNumber="1", **VALUES),
             person("bert", "bert-pw"), person("carl", "carl-pw")]
    with Slapd(users) as server:
        yield server


@pytest.fixture
def anna(slapd):
    """Anna's entry as it was, also after a test wrote to it."""
    yield ANNA
    slapd.set("anna", description=None, **VALUES)


def connect(slapd, who):
    return slapd.connect(who, PASSWORDS.get(who))


def attempt(slapd, who, dn, *changes):
    """True when the directory did it, False when it said that who may not."""
    with connect(slapd, who) as connection:
        try:
            connection.modify_s(dn, list(changes))
        except (ldap.INSUFFICIENT_ACCESS, ldap.STRONG_AUTH_REQUIRED, ldap.NO_SUCH_ATTRIBUTE):
            return False
        return True


@each_attribute
@each_client
def test_read(slapd, who, attribute):
    with connect(slapd, who) as connection:
        seen = connection.read_s(ANNA, attrlist=[attribute]) or {}
    assert (attribute in seen) == (attribute in READ[who])


@each_attribute
@each_client
def test_search_by_value(slapd, who, attribute):
    """Who may not read an attribute may not find the users that have it either."""
    with connect(slapd, who) as connection:
        for condition in ("*", VALUES[attribute]):
            found = connection.search_s(PEOPLE, ldap.SCOPE_SUBTREE, f"({attribute}={condition})", ["uid"])
            assert bool(found) == (attribute in READ[who])


@each_attribute
@each_client
def test_compare(slapd, who, attribute):
    with connect(slapd, who) as connection:
        try:
            said = bool(connection.compare_s(ANNA, attribute, VALUES[attribute].encode()))
        except (ldap.INSUFFICIENT_ACCESS, ldap.NO_SUCH_ATTRIBUTE):
            said = False
    assert said == (attribute in READ[who])


@each_attribute
@each_client
def test_delete(slapd, anna, who, attribute):
    assert attempt(slapd, who, anna, (ldap.MOD_DELETE, attribute, [VALUES[attribute].encode()])) \
        == (attribute in DELETE[who])


@each_attribute
@each_client
def test_add(slapd, anna, who, attribute):
    slapd.set("anna", **{attribute: None})
    assert attempt(slapd, who, anna, (ldap.MOD_ADD, attribute, [VALUES[attribute].encode()])) == (attribute in ADD[who])


@each_attribute
@each_client
def test_compare_and_swap(slapd, anna, who, attribute):
    """Delete the old value and add a new one in a single modify, as a login does."""
    new = OTHER.get(attribute, VALUES[attribute] + "x").encode()
    changes = (ldap.MOD_DELETE, attribute, [VALUES[attribute].encode()]), (ldap.MOD_ADD, attribute, [new])
    assert attempt(slapd, who, anna, *changes) == (attribute in ADD[who] & DELETE[who])


@pytest.mark.parametrize("who", [RADIUS_DN, ENROLL_DN, ANNA, BERT, ANONYMOUS],
                         ids=["radius", "enroll", "self", "another user", "anonymous"])
@pytest.mark.parametrize("attribute", ["description", "mail", "cn", "uid"])
def test_nothing_else_is_written(slapd, anna, who, attribute):
    assert not attempt(slapd, who, anna, (ldap.MOD_ADD, attribute, [b"x@example.org"]))


@pytest.mark.parametrize("who", [RADIUS_DN, ENROLL_DN], ids=["radius", "enroll"])
def test_services_neither_read_nor_write_passwords(slapd, who):
    with connect(slapd, who) as connection:
        assert "userPassword" not in (connection.read_s(ANNA, attrlist=["userPassword"]) or {})
    assert not attempt(slapd, who, ANNA, (ldap.MOD_REPLACE, "userPassword", [b"stolen"]))


@pytest.mark.parametrize("who", [RADIUS_DN, ENROLL_DN, ADMIN_DN], ids=["radius", "enroll", "admin"])
def test_service_finds_a_user_by_name_and_its_immutable_id(slapd, who):
    with connect(slapd, who) as connection:
        (dn, found), = connection.search_s(PEOPLE, ldap.SCOPE_SUBTREE, "(uid=anna)",
                                           ["uid", "objectClass", "entryUUID"])
    assert dn == ANNA and set(found) == {"uid", "objectClass", "entryUUID"}


def test_radius_reads_what_it_sends_to_the_nas_and_the_page_only_where_notices_go(slapd):
    for who, expected in ((RADIUS_DN, {"mail", "telephoneNumber"}), (ENROLL_DN, {"mail"})):
        with connect(slapd, who) as connection:
            assert set(connection.read_s(ANNA, attrlist=["mail", "telephoneNumber"]) or {}) == expected


@pytest.mark.parametrize("who,allowed", [(RADIUS_DN, False), (ENROLL_DN, True), (ADMIN_DN, True), (CARL, False),
                                         (BERT, False), (ANONYMOUS, False)],
                         ids=["radius", "enroll", "admin", "self", "another user", "anonymous"])
def test_our_class_is_added(slapd, who, allowed):
    try:
        assert attempt(slapd, who, CARL, (ldap.MOD_ADD, "objectClass", [b"peruserMfaUser"])) == allowed
    finally:
        slapd_classes = slapd.get("carl", "objectClass")
        if "peruserMfaUser" in slapd_classes:
            with slapd.connect() as root:
                root.modify_s(CARL, [(ldap.MOD_DELETE, "objectClass", [b"peruserMfaUser"])])


@pytest.mark.parametrize("who", [RADIUS_DN, ENROLL_DN, CARL, ANONYMOUS], ids=["radius", "enroll", "self", "anonymous"])
def test_no_other_class_is_added(slapd, who):
    assert not attempt(slapd, who, CARL, (ldap.MOD_ADD, "objectClass", [b"extensibleObject"]))


@pytest.mark.parametrize("who", [RADIUS_DN, ENROLL_DN], ids=["radius", "enroll"])
def test_no_class_is_taken_away(slapd, who):
    for name in (b"peruserMfaUser", b"inetOrgPerson"):
        assert not attempt(slapd, who, ANNA, (ldap.MOD_DELETE, "objectClass", [name]))


@pytest.mark.parametrize("who", [RADIUS_DN, ENROLL_DN, ANNA, ANONYMOUS], ids=["radius", "enroll", "self", "anonymous"])
def test_no_entry_is_made_moved_or_removed(slapd, who):
    refusals = (ldap.INSUFFICIENT_ACCESS, ldap.STRONG_AUTH_REQUIRED)
    with connect(slapd, who) as connection:
        dn, attributes = person("mallory", "pw")
        with pytest.raises(refusals):
            connection.add_s(dn, [(name, [v.encode() for v in ([values] if isinstance(values, str) else values)])
                                  for name, values in attributes.items()])
        with pytest.raises(refusals):
            connection.rename_s(CARL, "uid=mallory")
        with pytest.raises(refusals):
            connection.delete_s(CARL)


def test_a_user_logs_in_and_the_site_rules_still_hold(slapd):
    """Our rules come in front of the site's and take nothing away: users change their own password."""
    assert attempt(slapd, CARL, CARL, (ldap.MOD_REPLACE, "userPassword", [b"carl-pw"]))
    with slapd.connect(BERT, "bert-pw") as bert:
        assert bert.read_s(CARL, attrlist=["cn"])["cn"] == [b"carl"]
