# SPDX-License-Identifier: GPL-2.0-or-later
"""`peruser-mfa setup` on a packaged FreeRADIUS and a directory that never heard of us: all of it, again, and back."""
import re
from pathlib import Path

import ldap
import pytest

from lib import ds389, machine, samba
from lib.machine import PAGE, RADDB, Machine
from lib.process import free_port
from lib.slapd import DATABASE_DN, ROOT_DN, Slapd, person
from lib.slapd_config import SUFFIX
from lib.terminal import converse

SERVICES = f"ou=mfa,{SUFFIX}"
SITE = f"{RADDB}/sites-available/default"
SHARED = f"{RADDB}/mods-config/peruser_mfa/peruser_mfa.conf"
RING = f"{RADDB}/mods-config/peruser_mfa/peruser_mfa.keys"
USERS = [person("jo", "secret-1")]

pytestmark = pytest.mark.skipif(bool(machine.missing()), reason=machine.missing() or "none")


def make_directory(kind):
    if kind != "ds389":
        return Slapd(USERS, schema=(), access=None)
    if ds389.missing():
        pytest.skip(ds389.missing())
    return ds389.Ds389(USERS, schema=None, access=None)


@pytest.fixture(params=["slapd", "slapd by StartTLS", "slapd by ldaps", "ds389", "ds389 by StartTLS"])
def site(request):
    with make_directory(request.param.split()[0]) as directory, Machine() as here:
        yield Site(here, directory, request.param.rpartition(" ")[2])


class Site:
    def __init__(self, here, directory, way, suffix=SUFFIX, services=SERVICES):
        self.here, self.directory = here, directory
        self.password = here.dir / "admin.password"
        self.password.write_text(directory.root_password)
        self.password.chmod(0o600)
        self.items = {"uri": directory.ldaps_uri if way == "ldaps" else directory.plain_uri, "administrator": directory.root_dn,
                      "suffix": suffix, "services_dn": services}
        if way in ("ldaps", "StartTLS"):
            self.items["ca_file"] = directory.ca_file
        if way == "StartTLS":
            self.items["tls"] = "starttls"
        if directory.name == "slapd":
            self.items["config_uri"] = directory.ldapi_uri
        self.answers = here.dir / "answers"

        self.write_answers()

    def write_answers(self):
        self.answers.write_text("".join(f'{name} = "{value}"\n' for name, value in self.items.items()))

    def setup(self, *words, answers=True, check=True):
        given = ["--answers", self.answers] if answers else []
        return self.here.run(self.here.command, "setup", *given, "-y", self.password, *words, check=check)

    def files(self):
        """What setup may change and undo puts back: not the key ring, not its own notes."""
        return {name: text for name, text in self.here.written().items()
                if name != RING and not name.startswith(f"{PAGE}/setup") and not name.startswith("/etc/ldap")}

    def rules(self):
        if self.directory.name == "ds389":
            with self.directory.connect() as root:
                return sorted(root.read_s(SUFFIX, attrlist=["aci"]).get("aci", []))
        with self.directory.connect_config() as config:
            return config.read_s(DATABASE_DN, attrlist=["olcAccess"]).get("olcAccess", [])

    def entries(self):
        with self.directory.connect() as root:
            return sorted(dn for dn, _ in root.search_s(SUFFIX, ldap.SCOPE_SUBTREE, "(objectClass=*)", ["1.1"]))

    def account(self, file):
        text = self.here.text(file)
        return [re.search(rf'^\s*{name} = "(.*)"', text, re.MULTILINE)[1] for name in ("identity", "password")]


def test_all_of_it_and_back(site):
    before = site.files(), site.rules(), site.entries()

    shown = site.setup("--dry-run")
    assert (site.files(), site.rules(), site.entries()) == before
    assert "would: change " + SITE in shown and "peruserMfaEnabled" in shown

    said = site.setup()
    assert re.search(r"^\+ +peruser_mfa +# added by peruser-mfa setup$", said, re.MULTILINE) and "?" not in said
    assert len(site.rules()) > len(before[1])
    assert set(site.entries()) - set(before[2]) == {SERVICES, *(f"cn={n},{SERVICES}" for n in ("radius", "enroll", "mfa-admins"))}
    for file in (f"{RADDB}/mods-available/peruser_mfa", f"{PAGE}/enroll.conf"):
        dn, password = site.account(file)
        assert password not in said and site.directory.root_password not in said
        site.directory.connect(dn, password).unbind_s()
    site.here.run("/usr/sbin/freeradius", "-C", "-l", "stdout")
    assert "rlm_peruser_mfa" in site.here.run("/usr/sbin/freeradius", "-Cx", "-l", "stdout")

    as_admin = ["-y", site.password, "-D", site.items["administrator"]]
    site.here.run(site.here.command, "enroll", *as_admin, "--no-confirm", "jo")
    checked = site.here.run(site.here.command, "check", *as_admin, "--as-radius", f"cn=radius,{SERVICES}", "jo", check=False)
    assert site.directory.get("jo", "peruserMfaEnabled") == ["TRUE"], checked

    once = site.files(), site.rules(), site.entries()
    site.setup()
    assert (site.files(), site.rules(), site.entries()) == once

    assert "would: put back " in site.setup("--undo", "--dry-run")
    assert (site.files(), site.rules(), site.entries()) == once
    site.setup("--undo")
    assert (site.files(), site.rules(), site.entries()) == before


@pytest.fixture
def plain():
    with make_directory("slapd") as directory, Machine() as here:
        yield Site(here, directory, "")


def test_a_wrong_password_changes_nothing(plain):
    before = plain.files(), plain.rules(), plain.entries()
    plain.password.write_text("wrong")
    said = plain.setup(check=False)
    assert "nothing was changed" in said and "Invalid credentials" in said
    assert (plain.files(), plain.rules(), plain.entries()) == before
    with plain.directory.connect_config() as config:
        assert not config.search_s("cn=schema,cn=config", ldap.SCOPE_ONELEVEL, "(cn=*peruser-mfa)")


def test_a_site_that_the_server_refuses_is_put_back(plain):
    """The module's lines are right; what else is wrong with the site shows only now."""
    path = plain.here.dir / "etc/freeradius/3.0/sites-available/default"
    plain.here.run("sh", "-c", f"echo 'no_such_word {{' >>{SITE}")
    before = plain.here.text(SITE)
    said = plain.setup(check=False)
    assert "refuses the configuration" in said and "put back as it was" in said
    assert path.read_text() == before
    assert f"{RADDB}/mods-enabled/peruser_mfa" not in plain.here.written()


def test_undo_knows_the_answers(plain):
    before = plain.files(), plain.rules(), plain.entries()
    plain.setup()
    kept = plain.here.text(f"{PAGE}/setup/answers")
    assert plain.directory.root_password not in kept
    asked = [*plain.here.enter, plain.here.command, "setup", "--undo", "-y", plain.password]
    status, shown = converse(list(map(str, asked)), ["yes"], r"\[yes/no\]: $", timeout_s=200)
    assert status == 0, shown
    assert (plain.files(), plain.rules(), plain.entries()) == before


@pytest.mark.parametrize("last", ["yes", "no"])
def test_a_person_at_a_terminal(plain, last):
    """Each question once, everything shown first, the password never on the screen."""
    before = plain.files(), plain.rules(), plain.entries()
    plain.here.run("sh", "-c", f"mkdir /run/slapd && ln -s {plain.directory.dir}/ldapi /run/slapd/ldapi")
    words = [plain.items["uri"], "maybe", "none", "", "", "", "uid", ROOT_DN, "", "", "", "", plain.directory.root_password, last]
    command = [*plain.here.enter, plain.here.command, "setup"]
    status, shown = converse(list(map(str, command)), words, r"(\]|administrator): $", timeout_s=200)
    assert plain.directory.root_password not in shown
    assert "'tls' must be one of: none starttls" in shown and "would: change " + SITE in shown
    assert (status, plain.entries() == before[2]) == ((0, False) if last == "yes" else (1, True)), shown
    if last == "no":
        assert "nothing was changed" in shown and (plain.files(), plain.rules(), plain.entries()) == before


NGINX = """\
server {{
	listen 127.0.0.1:{port} ssl;
	ssl_certificate {dir}/server.pem;
	ssl_certificate_key {dir}/server.key;
}}
"""


@pytest.mark.skipif(not Path("/usr/sbin/nginx").exists(), reason="nginx is not installed")
def test_nginx_gets_the_page_where_its_certificate_is(plain):
    path = "/etc/nginx/sites-enabled/mfa"
    site = plain.here.dir / "nginx-site"
    site.write_text(NGINX.format(port=free_port(), dir=plain.directory.dir))
    plain.here.run("sh", "-c", f"rm -f /etc/nginx/sites-enabled/*; cp {site} {path}")
    plain.items.update(web_server="nginx", web_site=path)
    plain.write_answers()
    assert "to do: reload nginx" in plain.setup()
    assert "fastcgi_pass unix:/run/peruser-mfa-enroll.sock" in plain.here.run("nginx", "-T")
    plain.setup("--undo")
    assert plain.here.text(path) == site.read_text()
    assert "peruser-mfa-enroll" not in plain.here.run("nginx", "-T")


@pytest.mark.skipif(bool(samba.missing()), reason=samba.missing() or "none")
def test_active_directory_is_left_to_its_administrators():
    with samba.Samba([samba.Samba.person("jo", "secret-1")]) as domain, Machine() as here:
        site = Site(here, domain, "ldaps", samba.DOMAIN_DN, f"ou=mfa,{samba.DOMAIN_DN}")
        site.write_answers()
        before = site.files()
        assert "follow the steps of directories.md" in site.setup(check=False)
        assert site.files() == before
