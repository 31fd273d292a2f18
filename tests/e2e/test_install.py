# SPDX-License-Identifier: GPL-2.0-or-later
"""`make install` puts files in place and never overwrites a configuration file."""
import os
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FOLDERS = {
    "BINDIR": "/usr/bin", "CGIDIR": "/usr/lib/cgi-bin", "SHAREDIR": "/usr/share/peruser-mfa",
    "DOCDIR": "/usr/share/doc/peruser-mfa", "MANDIR": "/usr/share/man",
    "FR_LIBDIR": "/usr/lib/freeradius", "FR_CONFDIR": "/etc/freeradius/3.0",
    "LOCALEDIR": "/usr/share/locale", "BASHDIR": "/usr/share/bash-completion/completions", "PAGE_CONFDIR": "/etc/peruser-mfa",
}


@pytest.fixture
def root(tmp_path):
    return tmp_path / "a new root"


def install(root):
    return subprocess.run(["sh", "tools/install.sh", "build/release"], cwd=TOP, check=True, text=True,
                          stdout=subprocess.PIPE, env={**os.environ, **FOLDERS, "DESTDIR": str(root)}).stdout


def configuration(root):
    folder = root / FOLDERS["FR_CONFDIR"].lstrip("/")
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def shipped():
    return {path.relative_to(TOP / "raddb").as_posix() for path in (TOP / "raddb").rglob("*")
            if path.is_file() and path.suffix != ".md"}


def test_everything_is_installed_where_the_packaged_server_looks(root):
    install(root)
    assert (root / "usr/lib/freeradius/rlm_peruser_mfa.so").stat().st_mode & 0o777 == 0o644
    assert set(configuration(root)) == shipped()
    assert (root / "usr/share/peruser-mfa/ldap-schema/openldap/peruser-mfa.ldif").is_file()
    examples = {path.name for path in (root / "usr/share/doc/peruser-mfa/examples").iterdir()}
    assert examples == {path.name for path in (TOP / "enroll/examples").iterdir()}


def test_uninstall_leaves_the_configuration_alone(root):
    folders = [f"{name}={path}" for name, path in FOLDERS.items()]
    for goal in ("install", "uninstall"):
        subprocess.run(["make", "-s", goal, f"DESTDIR={root}", *folders], cwd=TOP, check=True, stdout=subprocess.PIPE)
        left = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
        assert ("usr/share/bash-completion/completions/peruser-mfa" in left) == (goal == "install")
        assert ("usr/share/man/man8/peruser-mfa.8" in left) == (goal == "install")
    assert left == {"etc/peruser-mfa/enroll.conf"} | {f"etc/freeradius/3.0/{name}" for name in shipped()}


def test_configuration_is_not_for_every_eye(root):
    install(root)
    assert {path.stat().st_mode & 0o777 for path in configuration(root).values()} == {0o640}


def test_a_second_time_changes_nothing(root):
    install(root)
    before = {name: path.stat().st_mtime_ns for name, path in configuration(root).items()}
    install(root)
    assert {name: path.stat().st_mtime_ns for name, path in configuration(root).items()} == before


def test_a_changed_configuration_file_stays(root):
    install(root)
    ours = configuration(root)
    for path in ours.values():
        path.write_text("changed here\n")
    said = install(root)
    for name, path in ours.items():
        assert path.read_text() == "changed here\n"
        assert f"{FOLDERS['FR_CONFDIR']}/{name} was there and stays" in said
        assert path.with_name(path.name + ".dist-new").read_bytes() == (TOP / "raddb" / name).read_bytes()


def test_the_changed_configuration_of_the_page_stays(root):
    install(root)
    ours = root / "etc/peruser-mfa/enroll.conf"
    assert ours.stat().st_mode & 0o777 == 0o640
    ours.write_text("changed here\n")
    install(root)
    assert ours.read_text() == "changed here\n"


def test_the_server_does_not_read_the_new_file_beside_it(root):
    """FreeRADIUS reads each file of policy.d whose name is letters, digits, dots and underscores."""
    install(root)
    policies = [path for name, path in configuration(root).items() if name.startswith("policy.d/")]
    for path in policies:
        path.write_text("changed here\n")
    install(root)
    new = {name for name in configuration(root) if name.startswith("policy.d/")} - shipped()
    assert new and all("-" in name.rpartition("/")[2] for name in new)


def test_a_dangling_link_is_not_written_through(root, tmp_path):
    name = sorted(shipped())[0]
    link = root / FOLDERS["FR_CONFDIR"].lstrip("/") / name
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    install(root)
    assert link.is_symlink() and not (tmp_path / "elsewhere").exists()
