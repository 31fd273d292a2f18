# SPDX-License-Identifier: GPL-2.0-or-later
"""The schema's two forms say the same, load, and say what the OID table says."""
import re
import subprocess

import ldap
import pytest
from ldap.schema import AttributeType, ObjectClass, SubSchema

from lib import ROOT
from lib.slapd import Slapd, person
from lib.slapd_config import SCHEMA

SCHEMA_FILE = SCHEMA.with_suffix(".schema")
OIDS = ROOT / "ldap-schema/OIDS.md"


def published(slapd):
    """Our definitions as the running server shows them to any client."""
    with slapd.connect() as root:
        raw = root.read_s("cn=Subschema", attrlist=["attributeTypes", "objectClasses"])
    schema = SubSchema(raw)
    names = {kind: sorted(name for oid in schema.listall(kind) for name in schema.get_obj(kind, oid).names
                          if name.startswith("peruserMfa")) for kind in (AttributeType, ObjectClass)}
    return {name: schema.get_obj(kind, name) for kind in names for name in names[kind]}


@pytest.fixture(scope="module")
def from_ldif():
    with Slapd() as slapd:
        yield published(slapd)


@pytest.fixture(scope="module")
def from_schema(tmp_path_factory):
    """The .schema file, turned into cn=config form by slapd's own converter."""
    folder = tmp_path_factory.mktemp("convert")
    conf = folder / "slapd.conf"
    conf.write_text(f'include "{SCHEMA_FILE}"\n')
    (folder / "out").mkdir()
    subprocess.run(["/usr/sbin/slaptest", "-f", conf, "-F", folder / "out"], check=True, capture_output=True)
    converted = next((folder / "out").glob("cn=config/cn=schema/*peruser-mfa.ldif"))
    text = re.sub(r"^dn: .*$", "dn: cn=peruser-mfa,cn=schema,cn=config", converted.read_text(), flags=re.M)
    text = re.sub(r"^cn: .*$", "cn: peruser-mfa", text, flags=re.M)
    operational = "structuralObjectClass entryUUID creatorsName createTimestamp entryCSN modifiersName modifyTimestamp"
    text = re.sub(rf"^({'|'.join(operational.split())}): .*\n", "", text, flags=re.M)
    ldif = folder / "converted.ldif"
    ldif.write_text(text)
    with Slapd(schema=(ldif,)) as slapd:
        yield published(slapd)


def test_schema_and_ldif_are_equivalent(from_ldif, from_schema):
    assert len(from_ldif) == 9
    assert {name: str(item) for name, item in from_ldif.items()} == {n: str(i) for n, i in from_schema.items()}


def test_each_definition_has_a_description(from_ldif):
    assert all(item.desc for item in from_ldif.values())


def test_class_is_auxiliary_and_demands_nothing(from_ldif):
    cls = from_ldif["peruserMfaUser"]
    assert (cls.kind, cls.sup, cls.must) == (2, ("top",), ())
    assert sorted(cls.may) == sorted(name for name in from_ldif if name != "peruserMfaUser")


def test_no_attribute_has_a_substring_rule(from_ldif):
    assert all(item.substr is None for item in from_ldif.values() if isinstance(item, AttributeType))


def test_oid_table_tells_the_truth(from_ldif):
    text = OIDS.read_text()
    arc = re.search(r"^    (2\.25\.\d+)$", text, re.M)[1]
    rows = re.findall(r"^\| `(\.[12]\.\d)` \| `(\w+)` \| [^|]* \| (\w*) ?\| (one|many)?", text, re.M)
    assert len(rows) == 9
    for suffix, name, equality, values in rows:
        item = from_ldif[name]
        assert item.oid == arc + suffix
        if isinstance(item, AttributeType):
            assert (item.equality, item.single_value) == (equality, values == "one")


@pytest.fixture(scope="module")
def slapd():
    with Slapd([person("anna", "pw")]) as server:
        yield server


@pytest.mark.parametrize("name", ["Enabled", "RequiredFrom", "LastUse", "Failures", "Voucher"])
def test_single_valued(slapd, name):
    values = {"Enabled": ("TRUE", "FALSE"), "RequiredFrom": ("20300101000000Z", "20310101000000Z")}
    with pytest.raises(ldap.LDAPError) as refused:
        slapd.set("anna", **{f"peruserMfa{name}": values.get(name, ("1 2 a", "1 2 b"))})
    assert isinstance(refused.value, (ldap.CONSTRAINT_VIOLATION, ldap.INVALID_SYNTAX))
    slapd.set("anna", **{f"peruserMfa{name}": values.get(name, ("1 2 a",))[0]})


@pytest.mark.parametrize("name", ["Secret", "RecoveryCode", "TrustedDevice"])
def test_values_differ_by_letter_case(slapd, name):
    """base64url: what differs in case alone is another value, and one is deleted without the other."""
    attribute = f"peruserMfa{name}"
    slapd.set("anna", **{attribute: ["{GCM}k1$aBc_-d", "{GCM}k1$abc_-d"]})
    with slapd.connect() as root:
        root.modify_s("uid=anna,ou=people,dc=example,dc=org", [(ldap.MOD_DELETE, attribute, [b"{GCM}k1$abc_-d"])])
        with pytest.raises(ldap.NO_SUCH_ATTRIBUTE):
            root.modify_s("uid=anna,ou=people,dc=example,dc=org", [(ldap.MOD_DELETE, attribute, [b"{GCM}k1$ABC_-d"])])
    assert slapd.get("anna", attribute) == ["{GCM}k1$aBc_-d"]


@pytest.mark.parametrize("name,value", [("Enabled", "yes"), ("Enabled", "1"), ("RequiredFrom", "tomorrow"),
                                        ("Secret", "schl\u00fcssel")])
def test_nonsense_is_refused_by_the_directory(slapd, name, value):
    with pytest.raises(ldap.INVALID_SYNTAX):
        slapd.set("anna", **{f"peruserMfa{name}": value})


def test_users_due_by_a_date_can_be_searched(slapd):
    slapd.set("anna", peruserMfaRequiredFrom="20300101000000Z")
    with slapd.connect() as root:
        def found(condition):
            return len(root.search_s("dc=example,dc=org", ldap.SCOPE_SUBTREE, f"(peruserMfaRequiredFrom{condition})"))
        assert (found("<=20300601000000Z"), found("<=20290601000000Z")) == (1, 0)
