# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa check: each line finds the fault that it is there for."""
import contextlib
import os
import shutil

import ldap
import ldap.modlist
import pytest

from lib import ROOT
from lib.admin import Admin
from lib.ring import Ring
from lib.ldap_server import encode
from lib.slapd import ADMIN_DN, DATABASE_DN, ENROLL_DN, RADIUS_DN, Slapd
from lib.user import Enrolled, User

MODULE = ROOT / "build/release/rlm_peruser_mfa.so"


@pytest.fixture
def admin(slapd):
    with Admin(slapd, Ring("k1")) as command:
        yield command


def wrong(rows):
    return [f"{row['check']}: {row['text']}" for row in rows if row["health"] == "wrong"]


def warnings(rows):
    return [f"{row['check']}: {row['text']}" for row in rows if row["health"] == "warning"]


def record(slapd):
    """A user who has something of everything, so that reading it can be refused."""
    return Enrolled(slapd, peruserMfaRequiredFrom="20300101000000Z", peruserMfaLastUse=f"1 30 {'n' * 16}",
                    peruserMfaFailures=f"1 30 {'t' * 22}", peruserMfaRecoveryCode="k1$a", peruserMfaVoucher="k1$a 1",
                    peruserMfaTrustedDevice="k1$a 1 x")


def test_all_is_well(admin, slapd):
    user = record(slapd)
    before = slapd.get(user.uid)
    accounts = []
    for name, dn in (("radius", RADIUS_DN), ("page", ENROLL_DN), ("user", user.dn)):
        password = user.password if name == "user" else slapd.passwords[dn]
        accounts += [f"--as-{name}", dn, f"--as-{name}-file", admin.file(name, password)]
    rows = admin.json("check", "--module", MODULE, *accounts, user.uid)
    assert not wrong(rows)
    assert len([row for row in rows if row["check"] == "access" and row["health"] == "ok"]) == 5
    assert slapd.get(user.uid) == before, "looking changes nothing"
    text = admin.run("check", "--module", MODULE).out
    assert "built for FreeRADIUS" in text and " 0 wrong" in text
    if os.geteuid() == 0:
        assert [text.split(":")[0:2] for text in warnings(rows)] == [["index", " not known"], ["clock", " not known"]]


def test_access_that_is_too_wide(admin):
    with Slapd(access=None) as slapd:
        with Admin(slapd) as other:
            user = record(slapd)
            found = wrong(other.json("check", user.uid, "--as-user", user.dn, "--as-user-file",
                                     other.file("u", user.password), status=1))
        for line in ("anonymous may read 'peruserMfaSecret'", "a user may read 'peruserMfaRecoveryCode'",
                     "this account may not write 'peruserMfaEnabled'"):
            assert any(line in text for text in found), found


def test_accounts_that_may_too_much_or_too_little(admin, slapd):
    user = record(slapd)
    as_admin = admin.file("a", slapd.passwords[ADMIN_DN])
    found = wrong(admin.json("check", user.uid, "--as-radius", ADMIN_DN, "--as-radius-file", as_admin, status=1))
    assert any("RADIUS may write 'peruserMfaSecret', and must not" in text for text in found)
    as_radius = admin.file("r", slapd.passwords[RADIUS_DN])
    found = wrong(admin.json("check", user.uid, "--as-page", RADIUS_DN, "--as-page-file", as_radius, status=1))
    assert any("the page may not write 'peruserMfaSecret'" in text for text in found)
    found = wrong(admin.json("check", user.uid, "--as-page", RADIUS_DN, "--as-page-file", admin.file("w", "x"),
                             status=1))
    assert any("Invalid credentials" in text for text in found)


def test_no_schema():
    with Slapd(schema=(), access=None) as slapd, Admin(slapd) as admin:
        User(slapd)
        found = wrong(admin.json("check", status=1))
        assert any("does not know 'peruserMfaSecret'" in text for text in found)
        assert any("class 'peruserMfaUser'" in text for text in found)


def test_a_mapping_that_cannot_hold(admin, slapd):
    admin.configure(attribute__last_use="description", attribute__secret="employeeNumber")
    rows = admin.json("check", status=1)
    assert any("'description' may hold several values" in text for text in wrong(rows))
    assert any("'employeeNumber' may hold one value" in text for text in warnings(rows))


def test_no_id(admin, slapd):
    User(slapd)
    admin.configure(attribute__id="employeeNumber")
    assert any("employeeNumber" in text for text in wrong(admin.json("check", status=1)))


@pytest.mark.parametrize("mode,wanted", [(0o640, None), (0o644, "mode 0644"), (None, "no such file")])
def test_key_ring(admin, mode, wanted):
    if mode is None:
        admin.ring_path.unlink()
    else:
        admin.ring_path.chmod(mode)
    found = wrong(admin.json("check", status=None))
    assert bool(found) == bool(wanted) and (not wanted or wanted in found[0])


def test_files_that_others_read_or_write(admin):
    (admin.dir / "password").chmod(0o644)
    admin.config.chmod(0o646)
    found = wrong(admin.json("check", status=1))
    assert any("password file" in text for text in found) and any("others can write it" in text for text in found)


@pytest.mark.parametrize("settings,wanted", [
    ({"ldap__uri": "ldap://192.0.2.1", "ldap__connect_timeout": 1}, "in clear"),
    ({"ldap__require_cert": "never"}, "cannot be verified"),
])
def test_tls(admin, settings, wanted):
    admin.configure(**settings)
    rows = admin.json("check", status=None)
    assert any(wanted in text for text in wrong(rows) + warnings(rows))


def test_directory_and_configuration(admin):
    assert "cannot connect" in admin.run("check", "-H", "ldap://127.0.0.1:1", status=3).out
    admin.config.write_text("nonsense = 1\n")
    assert "nonsense" in admin.run("check", status=2).out


def lines(rows, check):
    return [f"{row['health']}: {row['text']}" for row in rows if row["check"] == check]


def test_index_as_the_configuration_has_it(admin, slapd):
    assert lines(admin.json("check"), "index")[0].startswith("warning: not known")
    with slapd.connect_config() as config:
        config.modify_s("olcDatabase={0}config,cn=config", [
            (ldap.MOD_ADD, "olcAccess", f'{{0}}to * by dn.exact="{ADMIN_DN}" read by * break'.encode())])
        before = config.read_s(DATABASE_DN, attrlist=["olcDbIndex"])["olcDbIndex"]
        try:
            for index, line in ((b"uid eq", "ok: 'uid' has one"), (b"cn,uid sub,eq", "ok: 'uid' has one"),
                                (b"uid pres", "warning: 'uid' has none"), (b"uidNumber eq", "warning: 'uid' has none")):
                config.modify_s(DATABASE_DN, [(ldap.MOD_REPLACE, "olcDbIndex", [b"entryUUID,entryCSN eq", index])])
                assert lines(admin.json("check"), "index")[0].startswith(line), index
        finally:
            config.modify_s(DATABASE_DN, [(ldap.MOD_REPLACE, "olcDbIndex", before)])
            config.modify_s("olcDatabase={0}config,cn=config", [(ldap.MOD_DELETE, "olcAccess", b"{0}")])


@contextlib.contextmanager
def wrong_clock(admin, shift_s):
    """The program's clock is wrong while the block runs."""
    shim = admin.file("shim.so", (ROOT / "build/release/lib/time_shift.so").read_bytes())
    before = admin.environment
    admin.environment = lambda: {**before(), "LD_PRELOAD": str(shim), "TIME_SHIFT_S": str(shift_s)}
    yield
    del admin.environment


def test_clock_against_the_directory():
    with Slapd() as slapd, Admin(slapd, build="release") as admin:
        User(slapd)
        assert lines(admin.json("check"), "clock")[0].startswith("warning: not known")
        with wrong_clock(admin, -60):
            assert "changed in our future" in lines(admin.json("check", status=1), "clock")[0]
        with slapd.connect_config() as config:
            config.add_s("olcDatabase=monitor,cn=config", ldap.modlist.addModlist(encode(
                {"objectClass": ["olcDatabaseConfig", "olcMonitorConfig"], "olcDatabase": "monitor",
                 "olcAccess": f'to * by dn.exact="{ADMIN_DN}" read'})))
        assert lines(admin.json("check"), "clock")[0].startswith("ok: the directory's is ")
        for shift_s, offset in ((60, "-6"), (-60, "+")):
            with wrong_clock(admin, shift_s):
                found, = lines(admin.json("check", status=1), "clock")
            assert found.startswith(f"wrong: the directory's is {offset}") and "run NTP on both" in found


def test_module_of_another_server(admin):
    other = admin.dir / "rlm.so"
    data = MODULE.read_bytes()
    magic = (0xf03020100000).to_bytes(8, "little")
    assert data.count(magic) == 1
    other.write_bytes(data.replace(magic, (0xf03020300000).to_bytes(8, "little")))
    assert any("built for FreeRADIUS 3.2.3" in text for text in wrong(admin.json("check", "--module", other, status=1)))
    for broken in (b"", b"\x7fELF", data[:5000], shutil.__doc__.encode()):
        other.write_bytes(broken)
        assert any("cannot be told" in text for text in warnings(admin.json("check", "--module", other)))
    assert any("not on this machine" in text for text in wrong(admin.json("check", "--module", "/nowhere", status=1)))


def test_a_version_with_two_digits(admin):
    """FreeRADIUS writes decimal digits as hexadecimal ones."""
    other = admin.dir / "other.so"
    other.write_bytes(MODULE.read_bytes().replace((0xf03020100000).to_bytes(8, "little"),
                                                  (0xf03021000000).to_bytes(8, "little")))
    assert any("built for FreeRADIUS 3.2.10," in text for text in wrong(admin.json("check", "--module", other, status=1)))


def in_raddb(admin, files):
    """The same settings, where FreeRADIUS has them, with other files of it."""
    folder = admin.dir / "raddb"
    for name, text in {"mods-config/peruser_mfa/peruser_mfa.conf": admin.config.read_text(),
                       "mods-config/peruser_mfa/admin.conf": (admin.dir / "admin.conf").read_text(), **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    admin.config = folder / "mods-config/peruser_mfa/peruser_mfa.conf"


LDAP_MODULE = """ldap {
	update {
		control:Password-With-Header	+= 'userPassword'
#		control:Auth-Type		:= 'description'
		control:			+= 'description'
		reply:				+= 'radiusReplyAttribute'
	}
}
"""


def test_attributes_that_are_copied_into_the_control_list(slapd, admin):
    user = User(slapd)
    in_raddb(admin, {"mods-enabled/ldap": LDAP_MODULE})
    found = [row for row in admin.json("check", status=None) if row["check"] == "control list"]
    assert [row["health"] for row in found] == ["warning"] and "'description'" in found[0]["text"]
    secret = admin.file("user-password", user.password)
    words = ("check", user.uid, "--as-user", user.dn, "--as-user-file", secret)
    assert [row["health"] for row in admin.json(*words, status=None) if row["check"] == "control list"] == ["ok"]
    with slapd.access_first("to attrs=description by self write by * break"):
        found = [row for row in admin.json(*words, status=1) if row["check"] == "control list"]
    assert [row["health"] for row in found] == ["wrong"] and "mods-enabled/ldap:5" in found[0]["text"]
    assert slapd.get(user.uid, "description") == []


def test_placeholders_are_found(admin):
    in_raddb(admin, {"mods-enabled/peruser_mfa": (ROOT / "raddb/mods-available/peruser_mfa").read_text()})
    found = [row["text"] for row in admin.json("check", status=None) if row["check"] == "placeholder"]
    assert len(found) == 1 and "change-me" in found[0], "the address of an enrollment page is a comment as shipped"
    in_raddb(admin, {"mods-enabled/peruser_mfa": 'message {\n\tunenrolled = "https://mfa.example.org/"\n}\n'})
    assert any("mfa.example.org" in row["text"] for row in admin.json("check", status=None))
