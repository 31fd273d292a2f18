# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs sites: one directory for all, a server process for a rack of them; shows how a failing one is started."""
import collections
import contextlib
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import ldap
import ldap.modlist

from ..ldap_server import encode, new_password, run_tool
from ..ring import Ring
from ..slapd import Slapd
from ..tls import make_certificates
from .bench import Bench, Violation
from .logins import draw
from .people import CERTIFIED, unit_of
from .raddb import MAPPER_DN, Rack
from .site import draw_site

SITES_PER_RACK = 12
LOGINS_PER_SITE = 24
TEXT_MAX = 1 << 20   # bytes; the directory's database is larger
FLAGS = "peruserMfaEnabled,peruserMfaRequiredFrom,userPassword"


@dataclass
class Failure:
    """A reply that was not allowed, or an honest login that was refused."""

    site: object
    login: str
    why: str
    sent: list

    def text(self, keep):
        site = self.site
        return (f"site {site.number} of seed {site.seed}: {self.login}: {self.why}\n    {site.describe()}\n"
                + "".join(f"    {line}\n" for line in self.sent)
                + f"    again: make matrix SEED={site.seed} SITE={site.number}\n"
                f"    kept: {keep}/site{site.number}.packets, and rack*/start there says how it is started\n")


@dataclass
class Findings:
    """What a run saw."""

    sites: int = 0
    logins: int = 0
    accepted: int = 0
    welcomed: collections.Counter = field(default_factory=collections.Counter)   # honest logins that got in
    kinds: collections.Counter = field(default_factory=collections.Counter)
    failures: list = field(default_factory=list)


def run(seed, numbers, keep):
    """Run the sites with these numbers; keep is a folder for what fails."""
    shutil.rmtree(keep, ignore_errors=True)
    findings = Findings()
    numbers = list(numbers)
    ring = Ring()
    with directory() as slapd:
        certificates = slapd.dir / "certs"
        certificates.mkdir()
        make_certificates(certificates, CERTIFIED)
        for start in range(0, len(numbers), SITES_PER_RACK):
            sites = [draw_site(seed, number) for number in numbers[start:start + SITES_PER_RACK]]
            for site in sites:
                move_in(slapd, ring, site)
            with Rack(slapd, ring, sites, int(time.time()), certificates) as rack:
                run_rack(findings, rack, Path(keep))
    return findings


def rack_of(number):
    """The numbers of the sites that share a server process with this one."""
    first = number - number % SITES_PER_RACK
    return range(first, first + SITES_PER_RACK)


def directory():
    """A directory that takes a bind without a password for an anonymous one, with the access rules that we ship."""
    slapd = Slapd()
    try:
        slapd.passwords[MAPPER_DN] = new_password()
        with slapd.connect_config() as config:
            config.modify_s("cn=config", [(ldap.MOD_ADD, "olcAllows", [b"bind_anon_dn", b"bind_anon_cred"])])
            rule = f'{{0}}to attrs={FLAGS} by dn.exact="{MAPPER_DN}" read by * break'
            config.modify_s("olcDatabase={1}mdb,cn=config", [(ldap.MOD_ADD, "olcAccess", [rule.encode()]),
                                                             (ldap.MOD_ADD, "olcDbNoSync", [b"TRUE"])])
        with slapd.connect() as root:
            root.add_s(MAPPER_DN, ldap.modlist.addModlist(encode({
                "objectClass": ["organizationalRole", "simpleSecurityObject"], "cn": "mapper",
                "userPassword": slapd.passwords[MAPPER_DN]})))
    except BaseException:
        slapd.close()
        raise
    return slapd


def move_in(slapd, ring, site):
    """Add a site's people."""
    unit = unit_of(site.number)
    with slapd.connect() as root:
        root.add_s(unit, ldap.modlist.addModlist(encode({"objectClass": "organizationalUnit", "ou": site.name})))
        for person in site.people:
            if person.known_by_directory:
                dn, attributes = person.entry(unit)
                root.add_s(dn, ldap.modlist.addModlist(encode(attributes)))
        ids = {attributes["uid"][0].decode(): attributes["entryUUID"][0] for _, attributes in
               root.search_s(unit, ldap.SCOPE_ONELEVEL, "(uid=*)", ["uid", "entryUUID"])}
        for person in site.people:
            if person.recovery:
                values = [ring.recovery(code, ids[person.name]) for code in person.recovery]
                root.modify_s(f"{person.entry(unit)[0]}", [(ldap.MOD_ADD, "peruserMfaRecoveryCode",
                                                            [value.encode() for value in values])])


def run_rack(findings, rack, keep):
    before = len(findings.failures)
    for site in rack.sites:
        run_site(findings, rack, site, keep)
    if len(findings.failures) > before:
        keep_rack(rack, rack.slapd, keep)


def run_site(findings, rack, site, keep):
    bench = Bench(rack, site)
    failed = set()
    for _ in range(LOGINS_PER_SITE):
        login = draw(bench)
        bench.sent.append(f"-- {login.__name__}")
        start = len(bench.sent)
        findings.logins += 1
        findings.kinds[login.__name__] += 1
        try:
            login(bench)
        except Violation as why:
            if (login, why.person) not in failed:
                failed.add((login, why.person))
                findings.failures.append(Failure(site, login.__name__, str(why), bench.sent[start:]))
    bench.close()
    findings.sites += 1
    findings.accepted += bench.accepted
    findings.welcomed += bench.welcomed
    if failed:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"site{site.number}.packets").write_text(site.describe() + "\n" + "\n".join(bench.sent) + "\n")


def keep_rack(rack, slapd, keep):
    """Copy server and directory, so that they can be started by hand on the same ports."""
    name = f"rack{rack.sites[0].number}-{rack.sites[-1].number}"
    moved = {str(rack.dir): f"{keep}/{name}", str(slapd.dir): f"{keep}/slapd"}
    for source, target in moved.items():
        shutil.rmtree(target, ignore_errors=True)
        run_tool("cp", "-a", "--sparse=always", source, target)
        for path in Path(target).rglob("*"):
            if path.is_file() and not path.is_symlink() and path.stat().st_size < TEXT_MAX:
                rewrite(path, moved)
    environment = " ".join(f"{key}={value}" for key, value in rack.environment().items() if key != "PATH")
    (keep / name / "start").write_text(
        f"/usr/sbin/slapd -F {keep}/slapd/config -h {slapd.plain_uri}\n"
        f"env {environment} /usr/sbin/freeradius -X -d {keep}/{name}/raddb -n radiusd\n")
    rewrite(keep / name / "start", moved)


def rewrite(path, moved):
    """Let a file name the copies."""
    with contextlib.suppress(UnicodeDecodeError):
        text = path.read_text()
        for old, new in moved.items():
            text = text.replace(old, new)
        path.write_text(text)
