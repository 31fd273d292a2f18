#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare the table of the record's attributes in core/attr.h with all that repeats a part of it.

Schema packs, access rules, docs/record.md and peruser_mfa.conf: what the table says and they do not,
and what they have and the table has not.
"""
import re
import sys
from pathlib import Path

ROW = re.compile(r'X\((\w+), "(\w+)", "(\w+)", "([\w-]+)", (\w+), (true|false), "(\w*)", "(\w*)", "(\w*)"\)')
RIGHTS = {"none": "", "read": "r", "write": "rw", "=zrscd": "rd"}
PARTY = {"cn=radius": "radius", "cn=enroll": "page", "cn=mfa-admins": "admins"}
problems = []


DEFINES = dict(re.findall(r"#define (MFA_\w+)\s+(\d+)u", Path("core/attr.h").read_text(encoding="utf-8")))


class Attr:
    def __init__(self, _id, item, name, radius, values, _secret, user, radius_may, page):
        self.item, self.name, self.radius = item, name, radius
        self.values = int(values) if values.isdigit() else int(DEFINES[values])
        self.single = self.values == 1
        self.may = {"self": user, "radius": radius_may, "page": page, "admins": "rw"}


def read(name):
    return Path(name).read_text(encoding="utf-8")


def expect(ok, where, text):
    if not ok:
        problems.append(f"check_attrs: {where}: {text}")


def same_names(where, found, attrs):
    for attr in attrs:
        expect(attr.name in found, where, f"{attr.name} is missing")
    for name in sorted(set(found) - {attr.name for attr in attrs} - {"peruserMfaUser"}):
        expect(False, where, f"{name} is not in core/attr.h")


def schema(where, attrs):
    """OpenLDAP and 389 Directory Server: attribute types in the form of RFC 4512, and what the class may have."""
    text = re.sub(r"\n[ \t]+", " ", read(where))
    types = {m[1]: "SINGLE-VALUE" in m[0] for m in re.finditer(r"attribute ?types?:? \( .*?NAME '(\w+)'.*", text, re.I)}
    same_names(where, types, attrs)
    for attr in attrs:
        expect(types.get(attr.name) == attr.single, where, f"{attr.name}: one value, or several")
    same_names(where + ", class", re.findall(r"\w+", text[text.index("MAY ("):].split(")")[0])[1:], attrs)


def active_directory(where, attrs):
    entries = {m[1]: entry for entry in read(where).split("\n\n") if (m := re.search(r"lDAPDisplayName: (\w+)", entry))}
    same_names(where, [name for name, entry in entries.items() if "attributeSchema" in entry], attrs)
    for attr in attrs:
        entry = entries.get(attr.name, "")
        expect(f"isSingleValued: {str(attr.single).upper()}\n" in entry, where, f"{attr.name}: one value, or several")
        expect("searchFlags: 128" in entry, where, f"{attr.name} is not confidential")
    same_names(where + ", class", re.findall(r"mayContain: (\w+)", read(where)), attrs)


def openldap_access(where, attrs):
    rules = {}
    for rule in re.split(r"\nolcAccess: ", read(where)):
        names = re.match(r"\{\d+\}to attrs=(\S+)\n", rule)
        for name in names[1].split(",") if names else []:
            rules[name] = rule
    same_names(where, [name for name in rules if name.startswith("peruserMfa")], attrs)
    for attr in attrs:
        given = dict.fromkeys(attr.may, "")
        for who, right in re.findall(r"\n  by (\S+) (\S+)", rules.get(attr.name, "")):
            party = next((to for start, to in PARTY.items() if f'"{start},' in who), who)
            given[party] = RIGHTS.get(right, right)
        expect(given.pop("*", None) == "", where, f"{attr.name}: others are not shut out")
        expect(given == attr.may, where, f"{attr.name}: {given}, the table has {attr.may}")


def rule_389(text, title):
    """The attributes of the rule with a title."""
    rule = next((rule for rule in text.split("\naci: ") if f'acl "peruser-mfa: {title}"' in rule), "")
    return set(re.findall(r"peruserMfa\w+", rule)) - {"peruserMfaUser"}


def access_389(where, attrs):
    text = read(where)

    def is_for(title, wanted):
        found, expected = rule_389(text, title), {attr.name for attr in attrs if wanted(attr.may)}
        expect(found == expected, where, f"{title}: {sorted(found ^ expected)}")
    is_for("not for others", lambda may: not may["self"])
    is_for("the flag, not for others", lambda may: may["self"])
    is_for("not written by others", lambda may: True)
    is_for("own flag", lambda may: "r" in may["self"])
    is_for("read", lambda may: True)
    is_for("a login writes", lambda may: "w" in may["radius"])
    is_for("a login uses a recovery code up", lambda may: "d" in may["radius"])
    is_for("the page writes", lambda may: "w" in may["page"])
    is_for("the page takes away", lambda may: "d" in may["page"])
    is_for("administrators", lambda may: True)


def entries_of(where, kind, schema_ids, attrs):
    """What access control entries of a kind give or deny: {attribute: {account: rights}}."""
    party = {"PS": "self", "@RADIUS@": "radius", "@ENROLL@": "page", "@ADMINS@": "admins"}
    given = {attr.name: dict.fromkeys(attr.may, "") for attr in attrs}
    for rights, guid, who in re.findall(rf"\({kind};CIIO;(\w+);([\w-]+);[\w-]*;(\S+)\)", read(where)):
        name = schema_ids.get(guid)
        if name in given and who in party:
            given[name][party[who]] += rights
    return given


def active_directory_access(folder, schema_ids, attrs):
    """This directory cannot tell adding a value from deleting one: who may delete writes.

    Samba lets everybody write who may read a confidential attribute, unless that is denied.
    """
    where, samba = folder + "/access.sddl", folder + "/access-samba.sddl"
    given, denied = entries_of(where, "OA", schema_ids, attrs), entries_of(samba, "OD", schema_ids, attrs)
    for attr in attrs:
        for who, may in attr.may.items():
            rights, writes = given[attr.name][who], "w" in may or "d" in may
            expect(("RP" in rights and "CR" in rights) == ("r" in may), where, f"{attr.name}: {who} reads")
            expect(("WP" in rights) == writes, where, f"{attr.name}: {who} writes")
            expect(("WP" in denied[attr.name][who]) == ("r" in may and not writes), samba, f"{attr.name}: {who} writes")


def main():
    attrs = [Attr(*row) for row in ROW.findall(read("core/attr.h"))]
    expect(len(attrs) == len(re.findall(r"\bX\([A-Z_]+, \"", read("core/attr.h"))), "core/attr.h", "a row cannot be read")
    for where in ("openldap/peruser-mfa.schema", "openldap/peruser-mfa.ldif", "389ds/peruser-mfa.ldif"):
        schema("ldap-schema/" + where, attrs)
    active_directory("ldap-schema/ad/peruser-mfa.ldif", attrs)
    openldap_access("ldap-schema/openldap/access.ldif", attrs)
    access_389("ldap-schema/389ds/access.ldif", attrs)
    oids = read("ldap-schema/OIDS.md")
    schema_ids = {guid: name for name, guid in re.findall(r"`(peruserMfa\w+)` \|[^|]*\| `([0-9a-f-]{36})`", oids)}
    active_directory_access("ldap-schema/ad", schema_ids, attrs)
    values = dict(re.findall(r"`(peruserMfa\w+)` \|.*\| (one|many) \|\n", oids))
    same_names("ldap-schema/OIDS.md", values, attrs)
    record = dict(re.findall(r"^\| `(peruserMfa\w+)` \| (one|up to \d+)", read("docs/record.md"), re.M))
    same_names("docs/record.md", record, attrs)
    settings = dict(re.findall(r'^#\t(\w+) = "(peruserMfa\w+)"', read("raddb/mods-config/peruser_mfa/peruser_mfa.conf"), re.M))
    for attr in attrs:
        expect(values.get(attr.name) == ("one" if attr.single else "many"), "ldap-schema/OIDS.md", attr.name)
        expect(record.get(attr.name) == ("one" if attr.single else f"up to {attr.values}"), "docs/record.md", attr.name)
        expect(settings.get(attr.item) == attr.name, "peruser_mfa.conf", f"{attr.item} is missing, or named otherwise")
    print("".join(problem + "\n" for problem in problems), end="")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
