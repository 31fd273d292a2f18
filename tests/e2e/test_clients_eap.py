# SPDX-License-Identifier: GPL-2.0-or-later
"""eapol_test, the supplicant of wpa_supplicant without a radio, against the Wi-Fi configuration that we ship."""
import pytest

from lib.eap import Relay, WifiRadius, eapol_test, network
from lib.ring import new_recovery_code
from lib.story import Way, every_scenario, tell
from lib.user import Enrolled, User

GLUED = ["TTLS/PAP", "TTLS/GTC", "PEAP/GTC"]
MSCHAP = ["PEAP/MSCHAPv2", "TTLS/MSCHAPv2", "TTLS/EAP-MSCHAPv2"]
RESTRICTED = "Attribute 81 (Tunnel-Private-Group-Id) length=4\n      Value: 3939"   # "99"
OTHER_MAC = "02:00:00:00:00:02"


@pytest.fixture(scope="module")
def radius(slapd, ring):
    with WifiRadius(slapd, ring=ring, debug=2) as server:
        yield server


@pytest.fixture
def join(radius, tmp_path):
    """Authenticate as a user with a password, by a method."""
    def run(method, user, password=None, *, port=None, server=radius, **options):
        text = network(method, user.uid, server.ca_file, password=user.password if password is None else password)
        return eapol_test(tmp_path, port or server.wifi_port, text, **options)
    return run


@pytest.mark.parametrize("method", GLUED)
def test_code_behind_the_password(slapd, join, method):
    user = Enrolled(slapd)
    assert join(method, user, user.password + user.device.code()).accepted
    assert user.get("peruserMfaLastUse")


@pytest.mark.parametrize("method", GLUED + MSCHAP)
def test_user_without_mfa(slapd, join, method):
    user = User(slapd, clear=method in MSCHAP)
    assert join(method, user).accepted
    assert not join(method, user, user.password + "x").accepted


@pytest.mark.parametrize("method", GLUED)
def test_what_is_refused(slapd, join, method):
    user = Enrolled(slapd)
    code = user.device.code()
    assert not join(method, user).accepted, "no code"
    assert not join(method, user, "x" + user.password + code).accepted, "a wrong password"
    assert user.failures() == 0 and user.get("peruserMfaLastUse") is None
    assert not join(method, user, user.password + user.device.wrong()).accepted
    assert user.failures() == 1
    assert join(method, user, user.password + code).accepted, "the wrong password did not burn the code"
    assert not join(method, user, user.password + code, mac=OTHER_MAC).accepted, "the same code again"


@pytest.mark.parametrize("method", GLUED)
def test_recovery_code_behind_the_password(slapd, join, ring, method):
    user, code = Enrolled(slapd), new_recovery_code()
    user.set(peruserMfaRecoveryCode=ring.recovery(code, user.entry_id))
    assert join(method, user, user.password + code.lower()).accepted
    assert slapd.get(user.uid, "peruserMfaRecoveryCode") == []


@pytest.mark.parametrize("method", GLUED)
def test_password_of_digits(slapd, join, method):
    user = Enrolled(slapd, password="12345678")
    assert join(method, user, user.password + user.device.code()).accepted


# ---- resumption

def refused_at_resumption(result):
    """PEAP has told the supplicant of its success inside of the tunnel by then; the NAS gets a reject all the same."""
    return result.outcomes in (["SUCCESS", "FAILURE"], ["SUCCESS"]) and not result.accepted \
        and result.text.count("RADIUS message: code=3 ") == 1


@pytest.mark.parametrize("method", GLUED)
def test_session_is_resumed_without_a_new_code(slapd, radius, join, method):
    """The supplicant sends the very same password and code, which would be refused by now."""
    user = Enrolled(slapd)
    mark = radius.mark()
    result = join(method, user, user.password + user.device.code(), again=2)
    assert result.accepted and result.outcomes == ["SUCCESS"] * 3, result.outcomes
    assert radius.log(mark).count("EAP-Session-Resumed := 1") == 2
    assert radius.log(mark).count(": accepted: code accepted") == 1
    assert result.user_names == [user.uid] * 3, "accounting knows who it is"


@pytest.mark.parametrize("method", GLUED + MSCHAP)
def test_resumed_session_of_a_user_who_was_deleted_meanwhile(slapd, radius, join, method):
    user = User(slapd, clear=True)

    def delete():
        with slapd.connect() as root:
            root.delete_s(user.dn)

    mark = radius.mark()
    with Relay(radius.wifi_port, delete) as relay:
        result = join(method, user, port=relay.port, again=1)
    assert refused_at_resumption(result)
    assert "EAP-Session-Resumed := 1" in radius.log(mark)
    assert "the account of the resumed session is not in order" in radius.log(mark)


@pytest.fixture(scope="module")
def with_lock(slapd, ring):
    """An attribute that disables an account, as rlm_ldap knows it."""
    with WifiRadius(slapd, ring=ring, debug=2, start=False) as server:
        write = server._write
        server._write = lambda path, text: write(path, text.replace(
            "(uid=%{%{Stripped-User-Name}:-%{User-Name}})",
            "(&(uid=%{%{Stripped-User-Name}:-%{User-Name}})(!(employeeType=disabled)))")
            if path == "mods-enabled/standard" else text)
        server.start_on_free_ports()
        yield server


@pytest.mark.parametrize("method", GLUED)
def test_resumed_session_of_a_user_who_was_disabled_meanwhile(slapd, with_lock, join, method):
    user = Enrolled(slapd)
    mark = with_lock.mark()
    with Relay(with_lock.wifi_port, lambda: user.set(employeeType="disabled")) as relay:
        result = join(method, user, user.password + user.device.code(), server=with_lock, port=relay.port, again=1)
    assert refused_at_resumption(result)
    assert "EAP-Session-Resumed := 1" in with_lock.log(mark)
    user.set(employeeType=None)
    assert join(method, user, user.password + user.device.code(1), server=with_lock, again=1).accepted


def test_failed_login_leaves_nothing_to_resume(slapd, radius, join):
    user = Enrolled(slapd)
    before = len(radius.sessions)
    assert not join("TTLS/PAP", user, user.password + user.device.wrong()).accepted
    assert len(radius.sessions) == before
    assert join("TTLS/PAP", user, user.password + user.device.code()).accepted
    assert len(radius.sessions) == before + 1


# ---- no place for a code

@pytest.mark.parametrize("method", MSCHAP)
def test_mschap_with_mfa_is_refused_with_a_reason(slapd, radius, join, method):
    user = Enrolled(slapd, clear=True)
    mark = radius.mark()
    assert not join(method, user).accepted
    assert f"user '{user.uid}': rejected: no place for a code in this first factor" in radius.log(mark)
    assert user.failures() == 0


@pytest.mark.parametrize("method", MSCHAP)
def test_mschap_from_a_remembered_device(slapd, radius, join, method):
    """Known by one login with a code, over TTLS/PAP, from the same device at the same kind of NAS."""
    user = Enrolled(slapd, clear=True)
    assert join("TTLS/PAP", user, user.password + user.device.code()).accepted
    mark = radius.mark()
    assert join(method, user).accepted
    assert f"user '{user.uid}': trusted" in radius.log(mark)
    assert not join(method, user, "not-it").accepted
    assert not join(method, user, mac=OTHER_MAC).accepted


@pytest.mark.parametrize("method", GLUED)
def test_remembered_device_needs_no_code_in_the_tunnel(slapd, join, method):
    user = Enrolled(slapd)
    assert join(method, user, user.password + user.device.code()).accepted
    assert join(method, user).accepted
    assert not join(method, user, mac=OTHER_MAC).accepted


class ForgetfulRadius(WifiRadius):
    """Its cache of TLS sessions does not keep what was decided in the tunnel."""

    def configure(self, **changes):
        super().configure(**changes)
        path = self.raddb / "mods-enabled/peruser_mfa_eap"
        path.write_text(path.read_text().replace("\t\t\t\tPeruser-MFA-Inner\n", ""))


def test_a_session_that_does_not_say_what_was_decided_is_not_resumed(slapd, ring, join):
    with ForgetfulRadius(slapd, ring=ring) as server:
        plain, enrolled = User(slapd), Enrolled(slapd)
        for user, typed in ((plain, plain.password), (enrolled, enrolled.password + enrolled.device.code())):
            mark = server.mark()
            result = join("TTLS/PAP", user, typed, server=server, again=1)
            assert refused_at_resumption(result), result.outcomes
            assert "the resumed TLS session does not say that it was decided" in server.log(mark)


# ---- the unenrolled

def test_unenrolled_user_gets_the_restricted_network_and_no_session(slapd, ring, join, tmp_path):
    """Every login anew, so that enrolling helps at once."""
    inner = {"server.post-auth": "\t\tperuser_mfa_restrict_unenrolled\n"}
    with WifiRadius(slapd, ring=ring, inner=inner, instance={"unenrolled": "accept"}, debug=2) as server:
        user = User(slapd, peruserMfaEnabled="TRUE")
        for method in GLUED:
            result = join(method, user, server=server)
            assert result.accepted and RESTRICTED in result.text, method
            result = join(method, User(slapd), server=server)
            assert result.accepted and RESTRICTED not in result.text, method
            result = join(method, user, server=server, again=1)
            assert refused_at_resumption(result), method


@pytest.mark.parametrize("method", ["TTLS/PAP", "PEAP/GTC"])
def test_silent_while_the_directory_is_away(slapd, ring, join, method):
    """No reject, which supplicants take for a wrong password."""
    settings = {"ldap.uri": "ldap://127.0.0.1:1", "ldap.timeout": 1}
    with WifiRadius(slapd, ring=ring, settings=settings, debug=2) as server:
        result = join(method, User(slapd), server=server, timeout_s=4)
        assert not result.accepted and "RADIUS message: code=3 " not in result.text


class Supplicant(Way):
    """eapol_test with a stored password."""

    name, mode, told = "wpa_supplicant, TTLS/PAP", "append", False

    def __init__(self, join):
        self.join, self.devices = join, 0

    def login(self, user, *typed):
        self.devices += 1
        result = self.join("TTLS/PAP", user, typed[0], mac=f"02:00:00:00:00:{self.devices:02x}")
        return result.accepted, result.text[-2000:]


@every_scenario
def test_story(slapd, join, scenario, record_property):
    """A device of its own for each login, since this server remembers devices."""
    tell(Supplicant(join), scenario, slapd, record_property)
