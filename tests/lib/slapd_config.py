# SPDX-License-Identifier: GPL-2.0-or-later
"""The cn=config tree and the first entries of a test directory."""
import base64
import hashlib
import os
from urllib.parse import quote

from . import ROOT

SCHEMA = ROOT / "ldap-schema/openldap/peruser-mfa.ldif"
ACCESS = ROOT / "ldap-schema/openldap/access.ldif"

SUFFIX = "dc=example,dc=org"
PEOPLE = f"ou=people,{SUFFIX}"
SERVICES = f"ou=services,{SUFFIX}"
ROOT_DN = f"cn=root,{SUFFIX}"
RADIUS_DN = f"cn=radius,{SERVICES}"           # our module
ENROLL_DN = f"cn=enroll,{SERVICES}"           # the page
ADMIN_DN = f"cn=admin,{SERVICES}"             # member of cn=mfa-admins
FREERADIUS_DN = f"cn=freeradius,{SERVICES}"   # rlm_ldap, may read userPassword
ADMIN_GROUP = f"cn=mfa-admins,ou=groups,{SUFFIX}"

# What a site has before ours come in front: Debian's defaults and a reader of passwords.
SITE_ACCESS = (
    f'to attrs=userPassword by dn.exact="{FREERADIUS_DN}" read by self write by anonymous auth by * none',
    "to * by * read",
)

CONFIG = """\
dn: cn=config
objectClass: olcGlobal
cn: config
olcLogLevel: none
olcTLSCACertificateFile: "{dir}/ca.pem"
olcTLSCertificateFile: "{dir}/server.pem"
olcTLSCertificateKeyFile: "{dir}/server.key"

dn: cn=module{{0}},cn=config
objectClass: olcModuleList
cn: module{{0}}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb
{modules}
dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

{schemas}
dn: olcDatabase={{-1}}frontend,cn=config
objectClass: olcDatabaseConfig
objectClass: olcFrontendConfig
olcDatabase: {{-1}}frontend

dn: olcDatabase={{0}}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {{0}}config
olcAccess: to * by dn.exact="gidNumber={gid}+uidNumber={uid},cn=peercred,cn=external,cn=auth" manage by * none

dn: olcDatabase={{1}}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {{1}}mdb
olcSuffix: {suffix}
olcRootDN: {root_dn}
olcRootPW: {root_password}
olcDbDirectory: "{dir}/db"
olcDbMaxSize: 1073741824
olcDbIndex: {index}
{database}
{overlays}"""

PPOLICY = f"""\
dn: olcOverlay=ppolicy,olcDatabase={{1}}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcPPolicyConfig
olcOverlay: ppolicy
olcPPolicyDefault: cn=default,ou=policies,{SUFFIX}

"""
SYNCPROV = """\
dn: olcOverlay=syncprov,olcDatabase={1}mdb,cn=config
objectClass: olcOverlayConfig
objectClass: olcSyncProvConfig
olcOverlay: syncprov

"""
POLICY_ENTRIES = f"""\
dn: ou=policies,{SUFFIX}
objectClass: organizationalUnit
ou: policies

dn: cn=default,ou=policies,{SUFFIX}
objectClass: device
objectClass: pwdPolicy
cn: default
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 3

"""
CONSUMER = """\
olcSyncrepl: rid=1 provider={uri} type=refreshAndPersist retry="1 +" searchbase="{suffix}"
  bindmethod=simple binddn="{root_dn}" credentials="{password}"
olcUpdateRef: {uri}
"""


def file_url(path):
    return "file://" + quote(str(path))


def config_ldif(folder, root_password, *, schemas, modules=(), site_access=SITE_ACCESS, overlays="", database="",
                index="objectClass,uid,entryUUID,entryCSN eq"):
    schema_files = [f"/etc/ldap/schema/{name}.ldif" for name in ("core", "cosine", "inetorgperson")] + list(schemas)
    database += "".join(f"olcAccess: {rule}\n" for rule in site_access)
    return CONFIG.format(
        dir=folder, suffix=SUFFIX, root_dn=ROOT_DN, root_password=root_password, uid=os.getuid(), gid=os.getgid(),
        modules="".join(f"olcModuleLoad: {name}\n" for name in modules),
        schemas="".join(f"include: {file_url(path)}\n\n" for path in schema_files),
        database=database, overlays=overlays, index=index)


def ssha(password):
    salt = os.urandom(8)
    digest = hashlib.sha1(password.encode() + salt).digest()
    return "{SSHA}" + base64.b64encode(digest + salt).decode()


def entry_ldif(dn, attributes):
    """One entry; a value is text or bytes, a list holds several. base64 all: nothing needs quoting then."""
    lines = ["dn:: " + base64.b64encode(dn.encode()).decode()]
    for name, values in attributes.items():
        for value in values if isinstance(values, (list, tuple)) else [values]:
            raw = value if isinstance(value, bytes) else str(value).encode()
            lines.append(f"{name}:: {base64.b64encode(raw).decode()}")
    return "\n".join(lines) + "\n\n"


def person(uid, password, *, clear=False, **attributes):
    """An entry of ou=people as (dn, attributes). A MFA attribute brings our object class along.

    clear keeps the password readable for CHAP and MS-CHAP.
    """
    classes = ["inetOrgPerson"]
    if any(name.startswith("peruserMfa") for name in attributes):
        classes.append("peruserMfaUser")
    entry = {"objectClass": classes, "uid": uid, "cn": uid, "sn": uid,
             "userPassword": password if clear else ssha(password)}
    entry.update(attributes)
    return user_dn(uid), entry


def user_dn(uid):
    from ldap.dn import escape_dn_chars
    return f"uid={escape_dn_chars(uid)},{PEOPLE}"


def base_entries(passwords):
    """The tree and the service accounts; passwords maps an account's DN to its password."""
    yield SUFFIX, {"objectClass": ["dcObject", "organization"], "dc": "example", "o": "Example"}
    for unit in ("people", "services", "groups"):
        yield f"ou={unit},{SUFFIX}", {"objectClass": "organizationalUnit", "ou": unit}
    for dn, password in passwords.items():
        name = dn.split(",")[0].split("=")[1]
        yield dn, {"objectClass": ["organizationalRole", "simpleSecurityObject"], "cn": name,
                   "userPassword": ssha(password)}
    yield ADMIN_GROUP, {"objectClass": "groupOfNames", "cn": "mfa-admins", "member": ADMIN_DN}
