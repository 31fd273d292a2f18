# SPDX-License-Identifier: GPL-2.0-or-later
"""What the packages take of an installation: everything, each file once, and conffiles where they belong.

`make test-packages` builds and installs them in fresh systems; this is its short form.
"""
import fnmatch
import os
import shutil
import subprocess

import pytest

from lib import ROOT

DEBIAN = ROOT / "packaging/debian"
PACKAGES = ("freeradius-peruser-mfa", "peruser-mfa", "peruser-mfa-enroll")
VERSION = (ROOT / "VERSION").read_text().strip()
FOLDERS = {
    "BINDIR": "/usr/bin", "CGIDIR": "/usr/lib/peruser-mfa", "SHAREDIR": "/usr/share/peruser-mfa",
    "DOCDIR": "/usr/share/doc/peruser-mfa", "MANDIR": "/usr/share/man", "LOCALEDIR": "/usr/share/locale",
    "BASHDIR": "/usr/share/bash-completion/completions", "UNITDIR": "/lib/systemd/system", "PAGE_CONFDIR": "/etc/peruser-mfa",
    "STATEDIR": "/var/lib/peruser-mfa", "FR_LIBDIR": "/usr/lib/freeradius", "FR_CONFDIR": "/etc/freeradius/3.0",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    root = tmp_path_factory.mktemp("debian")
    subprocess.run(["sh", "tools/install.sh", "build/release"], cwd=ROOT, check=True, stdout=subprocess.PIPE,
                   env={**os.environ, **FOLDERS, "SYSTEMD": "yes", "DESTDIR": str(root)})
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def wanted(package):
    """What a package's lists name, as patterns of files."""
    for kind in ("install", "manpages", "docs", "examples"):
        path = DEBIAN / f"{package}.{kind}"
        for line in path.read_text().split() if path.exists() else ():
            yield line.removeprefix("debian/tmp/")
    if package == "peruser-mfa-enroll":
        yield "lib/systemd/system"   # debian/rules: from Debian 13 on, below usr/


def of_package(package, installed):
    return {name for name in installed for pattern in wanted(package)
            if fnmatch.fnmatch(name, pattern) or name.startswith(pattern + "/")}


def test_each_file_is_in_one_package(installed):
    parts = [of_package(package, installed) for package in PACKAGES]
    assert all(parts)
    units = {name for name in installed if "/examples/" in name and name.endswith((".service", ".socket"))}
    assert set().union(*parts) - units == installed - units, "a file is in no package"
    assert sum(map(len, parts)) == len(set().union(*parts)), "a file is in two packages"


def test_each_pattern_names_something(installed):
    for package in PACKAGES:
        for pattern in wanted(package):
            assert any(fnmatch.fnmatch(name, pattern) or name.startswith(pattern + "/") for name in installed), pattern


def test_configuration_is_where_dpkg_keeps_what_was_changed(installed):
    """debhelper makes each file below /etc a conffile."""
    for package, name in (("freeradius-peruser-mfa", "etc/freeradius/3.0/mods-available/peruser_mfa"),
                          ("peruser-mfa", "etc/freeradius/3.0/mods-config/peruser_mfa/peruser_mfa.conf"),
                          ("peruser-mfa-enroll", "etc/peruser-mfa/enroll.conf")):
        assert name in of_package(package, installed)
    assert not any(name.endswith((".keys", ".dist-new")) for name in installed)


def test_one_version_everywhere():
    said = (DEBIAN / "changelog").read_text().split("\n")[0]
    assert said.startswith(f"peruser-mfa ({VERSION}-")
    assert f"Version:\t{VERSION}\n" in (ROOT / "packaging/rpm/peruser-mfa.spec").read_text()
    assert f"\n## {VERSION}\n" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.parametrize("script", sorted(path.name for path in DEBIAN.glob("*.p*") if path.suffix in (
    ".postinst", ".postrm", ".prerm", ".preinst")))
def test_maintainer_script(script):
    path = DEBIAN / script
    subprocess.run(["sh", "-n", path], check=True)
    text = path.read_text()
    assert "\nset -e\n" in text and "\n#DEBHELPER#\n" in text


def test_rpm_spec():
    if not shutil.which("rpmspec"):
        pytest.skip("rpm is not installed")
    done = subprocess.run(["rpmspec", "--parse", ROOT / "packaging/rpm/peruser-mfa.spec"], capture_output=True, text=True)
    assert done.returncode == 0 and "warning" not in done.stderr, done.stderr
