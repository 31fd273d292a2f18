# SPDX-License-Identifier: GPL-2.0-or-later
"""The configuration of some sites in one server process."""
import contextlib
import shutil
import socket

from .. import conf
from ..eap import PREPROCESS, STOCK, STOCK_FILES
from ..process import PortTaken
from ..radius_server import SHIPPED, TEMPLATES, FreeRadius, _fill
from ..shipped_site import on_loopback
from ..slapd import FREERADIUS_DN, RADIUS_DN
from .people import unit_of
from .site import REALMS

MAPPER_DN = "cn=mapper,ou=services,dc=example,dc=org"
NAME = "%{%{Stripped-User-Name}:-%{User-Name}}"
ECHO = """\
	update reply {
		Connect-Info := "%{Peruser-MFA-Result}"
		Callback-Id := "%{Module-Failure-Message}"
	}
"""
MAPPING = """\
		control:Peruser-MFA-Entry-Id := 'entryUUID'
		control:Peruser-MFA-Enabled := 'peruserMfaEnabled'
		control:Peruser-MFA-Required-From := 'peruserMfaRequiredFrom'
"""
BY_PASSWORD = """\
	if (&User-Password) {
		update control {
			Auth-Type = LDAP
		}
	}
"""
AUTHENTICATE = """\
	Auth-Type LDAP {{
		ldap{n}
	}}
	Auth-Type PAP {{
		pap
	}}
	Auth-Type CHAP {{
		chap
	}}
	Auth-Type MS-CHAP {{
		mschap
	}}
"""
HOME = """\
home_server home{n} {{
	type = auth
	ipaddr = 127.0.0.1
	port = {port}
	secret = testing123
	response_window = 5
	zombie_period = 10
}}
home_server_pool home{n} {{
	home_server = home{n}
}}
realm home{n} {{
	auth_pool = home{n}
}}
"""


class Rack(FreeRadius):
    """One server process with many sites; its clock stands at what set_time() said."""

    def __init__(self, slapd, ring, sites, now_s, certificates):
        self.sites, self.now_s, self.certificates = sites, now_s, certificates
        self.programs_left = 2    # runs of eapol_test, which are slow
        self.build = "release"
        if b"require_inner" not in self.module_path.read_bytes():
            for site in sites:
                site.outside = ""     # a module that does not know the item
        super().__init__(slapd, ring=ring)

    # ---- the clock

    def set_time(self, now_s):
        self.now_s = now_s
        fresh = self.dir / "time.new"
        fresh.write_text(str(now_s))
        fresh.rename(self.dir / "time")

    def environment(self):
        self.set_time(self.now_s)
        shim, clock = self.preload("dlopen_shim.so"), self.preload("time_shift.so")
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TIME_FILE": str(self.dir / "time"),
                "LD_PRELOAD": f"{shim}:{clock}"}

    # ---- the configuration

    def pick_ports(self):
        wanted = [(site, place) for site in self.sites for place in places(site)]
        with contextlib.ExitStack() as held:     # all at once, so that none is given out twice
            for site, place in wanted:
                sock = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                sock.bind(("127.0.0.1", 0))
                site.ports[place] = sock.getsockname()[1]
        self.port = self.sites[0].ports["main"]

    def start_on_free_ports(self, tries=5):
        for left in reversed(range(tries)):
            try:
                return super().start_on_free_ports()
            except PortTaken:
                if not left:
                    raise
        return self

    def configure(self, **changes):
        shutil.rmtree(self.raddb, ignore_errors=True)
        words = {**self._words(), "PROXY": self._realms()}
        self._write("radiusd.conf", f'certdir = "{self.certificates}"\ncadir = "{self.certificates}"\n'
                    + _fill(TEMPLATES / "radiusd.conf", words))
        for name in STOCK_FILES:
            self._write(name, (STOCK / name).read_text())
        self._write("mods-enabled/stock", PREPROCESS)
        standard = _fill(TEMPLATES / "standard", words)
        self._write("mods-enabled/standard", standard)
        for name in ("authorize", "accounting", "pre-proxy"):
            self._write(f"mods-config/files/{name}", "")
        for policy in (SHIPPED / "policy.d").glob("*"):
            self._write(f"policy.d/{policy.name}", policy.read_text())
        self._ldap = standard[standard.index("\nldap {"):]
        for site in self.sites:
            self._write_site(site)

    def _realms(self):
        text = "".join(f"realm {name} {{\n" + ("" if strip else "\tnostrip\n") + "}\n"
                       for name, strip in REALMS.items()) + "realm LOCAL {\n}\n"
        return text + "".join(HOME.format(n=site.number, port=site.ports["home"])
                              for site in self.sites if site.factor == "proxy")

    def _write_site(self, site):
        n = site.number
        self._write(f"mods-config/peruser_mfa/s{n}.conf", self._shared(site))
        self._write(f"mods-enabled/m{n}", self._instance(site, f"m{n}", site.mode))
        if site.second:
            self._write(f"mods-enabled/m{n}b", self._instance(site, f"m{n}b", site.second))
        self._write(f"mods-enabled/ldap{n}", self._rlm_ldap(site))
        self._write(f"mods-config/files/s{n}", users_file(site))
        self._write(f"mods-enabled/files{n}", f"files files{n} {{\n\tfilename = ${{modconfdir}}/files/s{n}\n}}\n")
        if site.eap:
            self._write(f"mods-enabled/eap{n}", eap_instance(site))
        self._write(f"sites-enabled/s{n}", virtual_servers(site))

    def _shared(self, site):
        shipped = (SHIPPED / "mods-config/peruser_mfa/peruser_mfa.conf").read_text()
        return conf.edit(shipped, {**self.slapd.settings, "key_ring": str(self.ring_path), "lockout.threshold": 99,
                                   "user.base_dn": unit_of(site.number), "totp.drift_max": 0})

    def _instance(self, site, name, mode):
        items = {"identity": RADIUS_DN, "password": self.slapd.passwords[RADIUS_DN], "mode": mode,
                 "separator": site.separator, "unenrolled": site.unenrolled, "not_found": site.not_found,
                 "bind_users": site.factor == "own", "report_only": site.report_only, "challenge.cache": site.cache,
                 "remember.lifetime": site.remember_s}
        if site.outside:
            items["eap"] = site.outside
        if site.user_dn:
            items["user_dn"] = f"uid={NAME},{unit_of(site.number)}"
        text = (SHIPPED / "mods-available/peruser_mfa").read_text()
        text = conf.edit(text, {f"peruser_mfa.{item}": value for item, value in items.items()})
        text = text.replace("peruser_mfa {", f"peruser_mfa {name} {{", 1)
        return text.replace("peruser_mfa.conf", f"{site.name}.conf")

    def _rlm_ldap(self, site):
        dn = MAPPER_DN if site.mapped == "readable" else FREERADIUS_DN
        update = "\t\treply:Filter-Id := 'employeeNumber'\n" if site.factor in ("bind", "password", "own") else ""
        update += MAPPING if site.mapped else ""
        update += "\t\tcontrol:Password-With-Header += 'userPassword'\n" if site.factor == "password" else ""
        text = conf.edit(self._ldap, {"ldap.identity": dn, "ldap.password": self.slapd.passwords[dn],
                                      "ldap.base_dn": unit_of(site.number),
                                      "ldap.user.base_dn": unit_of(site.number)})
        text = text.replace("\t\tcontrol:Password-With-Header += 'userPassword'\n", update)
        return text.replace("ldap {", f"ldap ldap{site.number} {{", 1)


def places(site):
    """The listeners of a site: main, another virtual server that checks no password, and a home server."""
    return (["main"] + ["open"] * site.open_door + ["home"] * (site.factor == "proxy")
            + ["wifi"] * (site.eap == "inside"))


def users_file(site):
    """Passwords for rlm_files, here or at the home server."""
    lines = []
    for person in site.people:
        names = person.names[:1] if site.user_dn else person.names
        lines += [f'"{name}" Cleartext-Password := "{person.password}"\n\tFilter-Id := "{person.label}"\n'.replace(
            "\\", "\\\\") for name in names]
    return "".join(lines)


# ---- virtual servers

def virtual_servers(site):
    text = server(site.name, site.ports["main"], authorize(site), authenticate(site), post_auth(site))
    n = site.number
    if site.open_door:
        instance = f"\tm{n}\n"
        accept = "\tupdate control {\n\t\tAuth-Type = Accept\n\t}\n" + f"\tldap{n}\n" * site.with_ldap
        text += server(f"s{n}open", site.ports["open"], instance + accept, instance + AUTHENTICATE.format(n=n),
                       instance + ECHO)
    if site.eap:
        text += tunnel(site)
    if site.factor == "proxy":
        text += server(f"s{n}home", site.ports["home"], f"\tfiles{n}\n\tchap\n\tmschap\n\tpap\n",
                       AUTHENTICATE.format(n=n), "")
    return text


def server(name, port, authorize_text, authenticate_text, post_auth_text):
    listen = f"listen {{\n\ttype = auth\n\tipaddr = 127.0.0.1\n\tport = {port}\n}}\n"
    reject = f"\tPost-Auth-Type REJECT {{\n{ECHO if post_auth_text else ''}\t}}\n"
    return (f"server {name} {{\n{listen}authorize {{\n{authorize_text}}}\nauthenticate {{\n{authenticate_text}}}\n"
            f"post-auth {{\n{post_auth_text}{reject}}}\n}}\n")


# ---- EAP

def eap_instance(site):
    """The instance that we ship, for this site."""
    text = (SHIPPED / "mods-available/peruser_mfa_eap").read_text()
    auth_type = "LDAP" if by_bind(site) else "PAP"
    text = text.replace("auth_type = LDAP", f"auth_type = {auth_type}")
    by_certificate = "tls {\n\t\ttls = tls-peruser-mfa\n\t}\n\t"
    text = text.replace("\tgtc {", f"\tmd5 {{\n\t}}\n\t{by_certificate}gtc {{", 1)
    text = text.replace("enable = yes", "enable = no")
    if site.outside == "certificate":
        text = text.replace("\t\ttls_min", '\t\tcheck_cert_cn = "%{User-Name}"\n\t\ttls_min', 1)
    if site.eap == "bare":
        text = text.replace("default_eap_type = ttls", "default_eap_type = gtc", 1)
    return named(text, site)


def by_bind(site):
    return site.factor == "bind" or site.eap in ("inside", "both")


def named(text, site):
    """A shipped file with the names of this site's modules."""
    n = site.number
    for old, new in (("peruser_mfa_inner-tunnel", f"s{n}inner"), ("peruser_mfa_eap", f"eap{n}"),
                     ("server peruser_mfa_wifi", f"server s{n}wifi"), ("tls-peruser-mfa", f"tls-{n}"),
                     ("\tperuser_mfa\n", f"\tm{n}\n"), ("peruser_mfa.authorize", f"m{n}.authorize"),
                     ("\tldap\n", f"\tldap{n}\n")):
        text = text.replace(old, new)
    return text


def tunnel(site):
    """The virtual servers of EAP: as shipped, or an inner tunnel that never heard of our module."""
    sites = SHIPPED / "sites-available"
    text = named((sites / "peruser_mfa_inner-tunnel").read_text(), site)
    if site.eap == "inside":
        outer = named((sites / "peruser_mfa_wifi").read_text(), site)
        return text + on_loopback(outer, site.ports["wifi"])
    if site.eap == "both":
        return text
    inner = f"\teap{site.number} {{\n\t\tok = return\n\t}}\n" + factor(site)
    return (f"server s{site.number}inner {{\nauthorize {{\n{inner}}}\nauthenticate {{\n\teap{site.number}\n"
            f"{AUTHENTICATE.format(n=site.number)}}}\n}}\n")


def authorize(site):
    if site.eap and site.eap != "inside":
        bare = "\tif (&EAP-Message) {\n\t\tupdate control {\n\t\t\tPeruser-MFA-Mode := append\n\t\t}\n\t}\n"
        return (bare if site.eap == "bare" else "") + modules(
            site, f"\teap{site.number} {{\n\t\tok = return\n\t}}\n")
    return modules(site, "")


def modules(site, eap):
    parts = {"mfa": instances(site, site.factor == "proxy"),
             "realm": "".join(f"\t{module}\n" for module in site.realms), "factor": eap + factor(site)}
    return "".join(parts[part] for part in site.order)


def instances(site, stay):
    """Our module in authorize; an answer must not be proxied."""
    one, two = (f"\t{name}" + (" {\n\t\tok = return\n\t}\n" if stay else "\n")
                for name in (f"m{site.number}", f"m{site.number}b"))
    if not site.second:
        return one
    return one + two if site.mode == site.second == "challenge" else by_nas(one, two)


def by_nas(one, two):
    return f'\tif (&NAS-Identifier == "second") {{\n{two}\t}}\n\telse {{\n{one}\t}}\n'


def factor(site):
    n = site.number
    ldap = f"\tldap{n}\n" if site.with_ldap else ""
    return {
        "bind": ldap + BY_PASSWORD,
        "password": f"\tchap\n\tmschap\n{ldap}\tpap\n",
        "files": f"\tfiles{n}\n{ldap}\tchap\n\tmschap\n\tpap\n",
        "own": ldap,
        "proxy": f"\tupdate control {{\n\t\tProxy-To-Realm := home{n}\n\t}}\n{ldap}",
    }[site.factor]


def authenticate(site):
    text = AUTHENTICATE.format(n=site.number)
    if site.eap == "bare":     # rlm_eap_gtc learns the password late, and comes here with it
        for module in (f"\t\tldap{site.number}\n", "\t\tpap\n"):
            text = text.replace(module, f"\t\tm{site.number}.authorize\n{module}")
    eap = f"\teap{site.number}\n" if site.eap and site.eap != "inside" else ""
    return "".join(f"\t{name}\n" for name in names(site)) + eap + text


def names(site):
    """Our instances in this site."""
    return [f"m{site.number}"] + [f"m{site.number}b"] * bool(site.second)


def post_auth(site):
    first = "\tupdate reply {\n\t\tClass := 0x01\n\t}\n" if site.post_auth_first else ""
    listed = [f"\t{name}\n" for name in names(site)]
    return first + (by_nas(*listed) if site.second else listed[0]) + ECHO
