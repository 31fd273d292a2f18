# SPDX-License-Identifier: GPL-2.0-or-later
"""`make install` puts files in place and never overwrites a configuration file."""
import os
import re
import subprocess
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]
FOLDERS = {
    "BINDIR": "/usr/bin", "CGIDIR": "/usr/lib/cgi-bin", "SHAREDIR": "/usr/share/peruser-mfa",
    "DOCDIR": "/usr/share/doc/peruser-mfa", "MANDIR": "/usr/share/man",
    "FR_LIBDIR": "/usr/lib/freeradius", "FR_CONFDIR": "/etc/freeradius/3.0",
    "LOCALEDIR": "/usr/share/locale", "BASHDIR": "/usr/share/bash-completion/completions", "PAGE_CONFDIR": "/etc/peruser-mfa",
    "UNITDIR": "/usr/lib/systemd/system", "STATEDIR": "/var/lib/peruser-mfa",
}
ELSEWHERE = {
    "CGIDIR": "/opt/cgi", "FR_LIBDIR": "/opt/radius/lib", "FR_CONFDIR": "/opt/radius/etc", "LOCALEDIR": "/opt/locale",
    "PAGE_CONFDIR": "/opt/page", "STATEDIR": "/opt/state",
}
DEBIAN = re.compile(r"/etc/freeradius|/usr/lib/freeradius|/etc/peruser-mfa|/usr/local/|/var/lib/peruser-mfa|^StateDirectory=", re.M)


@pytest.fixture
def root(tmp_path):
    return tmp_path / "a new root"


def install(root, systemd="yes", **folders):
    return subprocess.run(["sh", "tools/install.sh", "build/release"], cwd=TOP, check=True, text=True,
                          stdout=subprocess.PIPE,
                          env={**os.environ, **FOLDERS, **folders, "SYSTEMD": systemd, "DESTDIR": str(root)}).stdout


def make(*words, status=0):
    done = subprocess.run(["make", "-s", *words], cwd=TOP, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == status, done.stdout
    return done.stdout


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
        install(root) if goal == "install" else make(goal, f"DESTDIR={root}", *folders)
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


def written(folder):
    return {path: path.read_text() for path in folder.rglob("*")
            if path.is_file() and path.suffix not in (".so", ".mo", ".md") and os.access(path, os.R_OK)
            and b"\0" not in path.read_bytes()[:4096]}


def test_configuration_units_and_man_pages_name_the_folders_of_this_installation(root):
    install(root, **ELSEWHERE)
    files = {path: text for path, text in written(root).items() if "completion" not in str(path)}
    assert len(files) > 20
    for path, text in files.items():
        code = re.sub(r"(?m)^#(  |$).*", "", text)   # comments of the examples may speak of Debian
        assert not DEBIAN.search(code), path
    unit = (root / "usr/lib/systemd/system/peruser-mfa-enroll.service").read_text()
    assert "ExecStart=/opt/cgi/peruser-mfa-enroll" in unit and "BindReadOnlyPaths=/opt/radius/etc/mods-config" in unit
    assert "ReadWritePaths=/opt/state" in unit


def test_programs_know_the_folders_of_this_installation(tmp_path):
    folders = [f"{name}={path}" for name, path in ELSEWHERE.items()]
    objects = [tmp_path / name for name in ("admin/session.o", "admin/doctor/files.o", "enroll/settings.o")]
    make(f"B={tmp_path}", *folders, *map(str, objects))
    known = b"".join(path.read_bytes() for path in objects)
    for wanted in (b"/opt/radius/etc/mods-config/peruser_mfa/peruser_mfa.conf", b"/opt/radius/lib/rlm_peruser_mfa.so",
                   b"/opt/locale", b"/opt/state/throttle"):
        assert wanted in known
    for debian in (b"/etc/freeradius", b"/usr/lib/freeradius", b"/usr/local/share/locale", b"/var/lib/peruser-mfa"):
        assert debian not in known


def test_a_folder_that_changes_is_compiled_again(tmp_path):
    settings = tmp_path / "enroll/settings.o"
    for state in ("/one", "/two"):
        make(f"B={tmp_path}", f"STATEDIR={state}", str(settings))
        assert f"{state}/throttle".encode() in settings.read_bytes()


def test_without_libseccomp(tmp_path):
    sandbox = tmp_path / "enroll/sandbox.o"
    make(f"B={tmp_path}", "SECCOMP=no", "WERROR=-Werror", str(sandbox))
    undefined = subprocess.run(["nm", "--undefined-only", sandbox], check=True, capture_output=True, text=True).stdout
    assert "setrlimit" in undefined and "seccomp" not in undefined
    assert "seccomp" not in make("SECCOMP=no", "show-ALL_LIBS")


def test_without_systemd(root):
    install(root, systemd="no")
    assert not (root / "usr/lib/systemd").exists()


@pytest.mark.parametrize("file", ["mods-enabled/peruser_mfa", "sites-enabled/default"])
def test_uninstall_refuses_while_the_server_needs_the_module(root, file):
    folders = [f"{name}={path}" for name, path in FOLDERS.items()]
    install(root)
    named = root / "etc/freeradius/3.0" / file
    named.parent.mkdir(exist_ok=True)
    named.write_text("authorize {\n\tperuser_mfa\n}\n")
    before = sorted(root.rglob("*"))
    said = make("uninstall", f"DESTDIR={root}", *folders, status=2)
    assert f"/etc/freeradius/3.0/{file}" in said and "nothing was removed" in said
    assert sorted(root.rglob("*")) == before
    named.write_text("authorize {\n#\tperuser_mfa\n}\n")
    make("uninstall", f"DESTDIR={root}", *folders)
    assert not (root / "usr/lib/freeradius/rlm_peruser_mfa.so").exists()


def test_every_program_tells_its_version():
    version = (TOP / "VERSION").read_text().strip()
    for name in ("peruser-mfa", "peruser-mfa-enroll"):
        for option in ("-V", "--version"):
            said = subprocess.run([TOP / "build/release" / name, option], check=True, capture_output=True, text=True).stdout
            assert said.splitlines()[0] == f"{name} {version}"


def test_dist_twice_is_equal(tmp_path):
    """The second one is made of the first, since other tests may write into the tree meanwhile."""
    packed, source = [], TOP
    for folder in ("one", "two"):
        subprocess.run(["sh", "tools/dist.sh", tmp_path / folder], cwd=source, check=True, stdout=subprocess.PIPE)
        packed += (tmp_path / folder).iterdir()
        subprocess.run(["tar", "-xf", packed[-1], "-C", tmp_path / folder], check=True)
        source, = (path for path in (tmp_path / folder).iterdir() if path.is_dir())
    version = (TOP / "VERSION").read_text().strip()
    assert {path.name for path in packed} == {f"peruser-mfa-{version}.tar.xz"}
    assert packed[0].read_bytes() == packed[1].read_bytes()
    names = subprocess.run(["tar", "-tf", packed[0]], check=True, capture_output=True, text=True).stdout.splitlines()
    assert f"peruser-mfa-{version}/Makefile" in names and not any("/build/" in name for name in names)
