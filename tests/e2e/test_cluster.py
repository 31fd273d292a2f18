# SPDX-License-Identifier: GPL-2.0-or-later
"""Any server of a cluster answers the second packet; a replica that lags behind fools nobody."""
import subprocess
import time

import pytest

from lib.admin import Admin
from lib.page import Page
from lib.radius_server import FreeRadius
from lib.ring import Ring
from lib.slapd import RADIUS_DN, Slapd
from lib.totp import Device
from lib.user import Enrolled, User


@pytest.fixture(scope="module")
def servers(slapd, ring):
    with FreeRadius(slapd, ring=ring) as one, FreeRadius(slapd, ring=ring) as two:
        yield one, two


def test_first_packet_to_one_second_to_the_other(slapd, servers):
    user = Enrolled(slapd)
    with servers[0].client() as one, servers[1].client() as two:
        assert user.answer(two, user.challenge(one), user.device.code()).accepted


def test_wrong_code_at_the_other_server_counts_the_attempt(slapd, servers):
    user = Enrolled(slapd)
    with servers[0].client() as one, servers[1].client() as two:
        challenge = user.answer(two, user.challenge(one), user.device.wrong())
        assert challenge.challenged and challenge.message.startswith("Wrong code")
        assert user.answer(one, challenge, user.device.code()).accepted


def test_server_restarted_between_the_packets(slapd, servers):
    user = Enrolled(slapd)
    with servers[0].client() as client:
        challenge = user.challenge(client)
        servers[0].restart()
        assert user.answer(client, challenge, user.device.code()).accepted


def test_key_added_on_one_server_first(slapd, servers, ring):
    """Rotation: the new key is on both rings before it seals on either."""
    rotated = Ring()
    rotated.keys = ring.keys + Ring("k9").keys
    first_seals_new = Ring()
    first_seals_new.keys = rotated.keys[::-1]
    user = Enrolled(slapd)
    with FreeRadius(slapd, ring=first_seals_new) as new, FreeRadius(slapd, ring=rotated) as old, \
            new.client() as at_new, old.client() as at_old:
        assert user.answer(at_old, user.challenge(at_new), user.device.code()).accepted
        assert user.answer(at_new, user.challenge(at_old), user.device.code(1)).accepted


@pytest.fixture(scope="module")
def provider():
    with Slapd(syncprov=True) as server:
        yield server


@pytest.fixture
def replica(provider):
    with Slapd(provider=provider) as server:
        server.wait_synced()
        yield server


@pytest.fixture
def replica_of_its_own():
    """A provider that the test may ruin, and its replica."""
    with Slapd(syncprov=True) as provider, Slapd(provider=provider) as replica:
        replica.wait_synced()
        yield provider, replica


def reading_from(replica, provider, ring, **more):
    """Both factors read from the replica, our module writes to the provider."""
    settings = {"ldap.uri": replica.uri, "ldap.write_uri": provider.uri, "ldap.ca_file": str(provider.ca_file)}
    return FreeRadius(replica, ring=ring, settings=settings, **more)


SEVERAL = [{"ldap.uri": "ldap://127.0.0.1:1 ldap://127.0.0.1:2"},
           {"ldap.uri": "ldap://127.0.0.1:1", "ldap.write_uri": "ldap://127.0.0.1:1 ldap://127.0.0.1:2"}]
REASON = "names 2 servers to write to"


@pytest.mark.parametrize("servers", SEVERAL, ids=["uri", "write_uri"])
def test_several_servers_to_write_to_are_refused_by_all_programs(slapd, ring, servers, tmp_path):
    """Each of them could accept the same code once."""
    with FreeRadius(slapd, ring=ring, settings=servers, start=False) as server:
        status, text = server.check()
        assert status != 0 and REASON in text and "write_uri" in text and "several_writers" in text, text[-2000:]
    with Admin(slapd, ring, settings=servers) as admin:
        assert REASON in admin.run("status", "anybody", status=2).err
        assert REASON in admin.run("check", status=2).out
        admin.configure()
        assert REASON in admin.run("-H", SEVERAL[0]["ldap.uri"], "status", "anybody", status=2).err
    with Page(slapd, ring=ring, mode="cgi", shared=servers, start=False) as page:
        done = subprocess.run([page.program, "-t", "-c", page.config], capture_output=True, text=True, check=False)
        assert done.returncode != 0 and REASON in done.stdout + done.stderr


@pytest.mark.parametrize("servers", SEVERAL, ids=["uri", "write_uri"])
def test_an_option_with_an_honest_name_allows_several_writers(slapd, ring, servers):
    allowed = {**servers, "ldap.several_writers": "accept_replays"}
    with FreeRadius(slapd, ring=ring, settings=allowed, start=False) as server:
        status, text = server.check()
        assert status == 0 and "accept_replays" in text, text[-2000:]
    with Admin(slapd, ring, settings=allowed) as admin:
        assert any("accepted once at each server" in row["text"] and row["health"] == "wrong"
                   for row in admin.json("check", status=None))


def test_replica_for_reads_provider_for_writes(provider, replica, ring):
    user = Enrolled(provider)
    replica.wait_synced()
    with reading_from(replica, provider, ring) as server, server.client() as client:
        challenge = user.challenge(client)
        mark = provider.mark()
        assert user.answer(client, challenge, user.device.code()).accepted
        assert provider.operations(mark)[RADIUS_DN, "MOD"] == 1
        assert replica.operations()[RADIUS_DN, "MOD"] == 0


def test_stale_replica_does_not_accept_a_used_code(provider, replica, ring):
    """The replica never learns of the first use: the conflict on the provider shows it."""
    user = Enrolled(provider)
    user.device.settle(8)
    replica.wait_synced()
    replica.stop_replication()
    code = user.device.code()
    with reading_from(replica, provider, ring) as server, server.client() as client:
        assert user.answer(client, user.challenge(client), code).accepted
        again = user.answer(client, user.challenge(client), code)
        assert again.rejected and again.result == "replayed"
        assert user.login(client, -1).rejected
        assert user.login(client, 1).accepted


def test_retransmission_meets_a_stale_replica(provider, replica, ring):
    user = Enrolled(provider)
    replica.wait_synced()
    replica.stop_replication()
    with reading_from(replica, provider, ring) as server, server.client() as client:
        challenge, code = user.challenge(client), user.device.code()
        assert user.answer(client, challenge, code).accepted
        assert user.answer(client, challenge, code).accepted


def test_wrong_codes_are_counted_on_the_provider_although_the_replica_is_stale(provider, replica, ring):
    user = Enrolled(provider)
    replica.wait_synced()
    replica.stop_replication()
    with reading_from(replica, provider, ring) as server, server.client() as client:
        used = []
        for count in (1, 2, 3):
            used.append(user.device.wrong(used))
            user.answer(client, user.challenge(client), used[-1])
            assert user.failures() == count


def test_secret_taken_away_on_the_provider_counts_at_once(provider, replica, ring):
    """An administrator took the phone off the account: the stale replica must not let it in."""
    user = Enrolled(provider)
    replica.wait_synced()
    replica.stop_replication()
    with reading_from(replica, provider, ring) as server, server.client() as client:
        user.login(client, 0)
        user.set(peruserMfaSecret=None)
        assert not user.login(client, 1).accepted


def test_second_server_of_the_list_answers_when_the_first_is_gone(provider, replica, ring):
    user = Enrolled(provider)
    replica.wait_synced()
    settings = {"ldap.uri": f"{replica.uri} {provider.uri}", "ldap.write_uri": provider.uri}
    with FreeRadius(provider, ring=ring, settings=settings) as server, server.client() as client:
        assert user.login(client).accepted
        replica.kill()
        assert user.login(client, 1).accepted
        assert User(provider).start(client).accepted


# ---- an accept that writes nothing is confirmed by the provider

PASSWORD = "the same for all"
KNOWN_PASSWORD = f"""
	update control {{
		Cleartext-Password := "{PASSWORD}"
	}}
	pap
"""


def lagging(replica, provider, ring, *, instance=None, **settings):
    """The first factor does without the directory; the replica has stopped to follow."""
    replica.wait_synced()
    replica.stop_replication()
    settings = {"ldap.uri": replica.uri, "ldap.write_uri": provider.uri, "ldap.timeout": 2, "ldap.connect_timeout": 1,
                **{f"ldap.{name}": value for name, value in settings.items()}}
    return FreeRadius(replica, ring=ring, settings=settings, sections={"first_factor": KNOWN_PASSWORD},
                      instance=instance)


def test_a_stale_replica_does_not_let_in_a_user_who_has_enrolled(provider, replica, ring):
    user, other = User(provider, password=PASSWORD), Enrolled(provider, password=PASSWORD)
    device = Device()
    with lagging(replica, provider, ring) as server, server.client() as client:
        mark = provider.mark()
        assert user.start(client).result == "off"
        assert provider.operations(mark)[RADIUS_DN, "SRCH"] == 1
        user.set(peruserMfaEnabled="TRUE", peruserMfaSecret=device.secret)
        challenge = user.start(client)
        assert challenge.challenged
        assert user.answer(client, challenge, device.code()).accepted
        mark = provider.mark()
        other.challenge(client)
        assert provider.operations(mark)[RADIUS_DN, "SRCH"] == 0, "who is asked for a code needs no confirmation"


def test_without_confirm_the_replica_is_believed(provider, replica, ring):
    user = User(provider, password=PASSWORD)
    with lagging(replica, provider, ring, confirm="no") as server, server.client() as client:
        user.set(peruserMfaEnabled="TRUE", peruserMfaSecret=Device().secret)
        mark = provider.mark()
        assert user.start(client).result == "off"
        assert provider.operations(mark)[RADIUS_DN, "SRCH"] == 0


def test_a_device_that_was_forgotten_at_the_provider_is_not_remembered(provider, replica, ring):
    user = Enrolled(provider, password=PASSWORD)
    phone = {"Calling_Station_Id": "02-00-00-00-00-01", "NAS_Port_Type": 5}
    with FreeRadius(provider, ring=ring, sections={"first_factor": KNOWN_PASSWORD},
                    instance={"remember.lifetime": 600}) as server, server.client() as client:
        assert user.login(client, **phone).accepted
    with lagging(replica, provider, ring, instance={"remember.lifetime": 600}) as server, server.client() as client:
        assert user.start(client, **phone).result == "trusted"
        user.set(peruserMfaTrustedDevice=None)
        assert user.start(client, **phone).challenged


def test_a_user_whom_the_replica_does_not_have_yet(provider, replica, ring):
    with lagging(replica, provider, ring, instance={"not_found": "accept"}) as server, server.client() as client:
        user = Enrolled(provider, password=PASSWORD)
        assert user.start(client).challenged
        assert client.password("nobody-of-that-name", PASSWORD).accepted


@pytest.mark.parametrize("fault", ["kill", "sigstop"])
def test_a_provider_that_is_away_confirms_nothing_and_the_log_says_so(replica_of_its_own, ring, fault):
    provider, replica = replica_of_its_own
    user = User(provider, password=PASSWORD)
    with lagging(replica, provider, ring, instance={"not_found": "accept"}) as server, server.client() as client:
        assert user.start(client).result == "off"
        getattr(provider, fault)()
        mark = server.mark()
        assert user.start(client).result == "off"
        assert "the provider is away: 'off' is what a replica says" in server.log(mark)
        begin = time.monotonic()
        for _ in range(5):
            assert user.start(client).result == "off"
        assert time.monotonic() - begin < 1, "the provider is not waited for by each login"
        mark = server.mark()
        assert client.password("nobody-of-that-name", PASSWORD).accepted
        assert "a replica does not have this user" in server.log(mark)


@pytest.mark.parametrize("fault", ["kill", "sigstop"])
def test_confirm_always_lets_nobody_in_without_the_provider(replica_of_its_own, ring, fault):
    provider, replica = replica_of_its_own
    user = User(provider, password=PASSWORD)
    with lagging(replica, provider, ring, confirm="always", instance={"not_found": "accept"}) as server, \
            server.client() as client:
        assert user.start(client).result == "off"
        getattr(provider, fault)()
        for name in (user.uid, "nobody-of-that-name"):
            reply = client.password(name, PASSWORD)
            assert reply.rejected and reply.result == "unavailable"


# ---- failover

def seconds(ask, *args):
    begin = time.monotonic()
    return ask(*args), time.monotonic() - begin


@pytest.mark.parametrize("fault,back", [("kill", "start"), ("sigstop", "sigcont")])
def test_a_server_that_failed_costs_one_login_its_time(provider, ring, fault, back):
    with Slapd(provider=provider) as first, Slapd(provider=provider) as second:
        users = [Enrolled(provider, password=PASSWORD) for _ in range(2)]
        first.wait_synced()
        second.wait_synced()
        settings = {"ldap.uri": f"{first.uri} {second.uri}", "ldap.write_uri": provider.uri}
        with FreeRadius(provider, ring=ring, settings=settings,
                        sections={"first_factor": KNOWN_PASSWORD}) as server, server.client() as client:
            assert users[0].start(client).challenged
            getattr(first, fault)()
            try:
                mark = server.mark()
                _, took = seconds(users[0].start, client)
                assert took < 3.5, "ldap.timeout, and a little for this machine"
                for _ in range(3 * server.threads):
                    reply, took = seconds(users[1].start, client)
                    assert reply.challenged and took < 1, (reply, took)
                lines = [line for line in server.log(mark).splitlines() if "new connections go to" in line]
                assert len(lines) == 1 and second.uri in lines[0], lines
            finally:
                getattr(first, back)()
