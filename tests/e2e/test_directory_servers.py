# SPDX-License-Identifier: GPL-2.0-or-later
"""The same on every directory server that we have a pack for: the story, single use, the state table, access."""
import contextlib
import functools
import time
import uuid

import ldap
import pytest
from ldap.controls.libldap import AssertionControl, SimplePagedResultsControl
from ldap.controls.simple import ManageDSAITControl

from lib import ds389, samba
from lib.admin import Admin
from lib.client import pap
from lib.mapped import SITE_NAME, MappedSlapd
from lib.radius_server import FreeRadius
from lib.ring import new_recovery_code
from lib.slapd import Slapd
from lib.totp import Device
from lib.user import Enrolled, User
from test_acl import VALUES as OPENLDAP_VALUES
from test_single_use import codes_at_once
from test_states import DEVICE, TABLE, outcome, row_name

SERVERS = {
    "openldap": (Slapd, lambda: ""),
    "389ds": (ds389.Ds389, ds389.missing),
    "ad": (samba.Samba, samba.missing),
    "mapped": (MappedSlapd, lambda: ""),
}
ROUNDS = 50
LOCKED_FROM = 3  # lockout.threshold as shipped
PATIENT = {"ldap.timeout": 10, "ldap.connect_timeout": 10}   # the machine may be busy with other tests
VALUES = {**OPENLDAP_VALUES, "peruserMfaRequiredFrom": "20300101000000.0Z"}
OWN_SEARCH = '\tupdate control {\n\t\tCleartext-Password := "pw"\n\t}\n\tpap\n'


def only(*kinds):
    """For a test that means something on these servers alone."""
    def mark(function):
        function.servers = kinds
        return function
    return mark


def pytest_generate_tests(metafunc):
    if "slapd" in metafunc.fixturenames:
        metafunc.parametrize("slapd", getattr(metafunc.function, "servers", tuple(SERVERS)), indirect=True,
                             scope="module")


@pytest.fixture(scope="module")
def started():
    """The servers that were needed so far: each is started once."""
    with contextlib.ExitStack() as stack:
        servers = {}

        def get(kind):
            if kind not in servers:
                servers[kind] = stack.enter_context(SERVERS[kind][0]())
                servers[kind].kind = kind
            return servers[kind]
        yield get


@pytest.fixture(scope="module")
def slapd(request, started):
    why = SERVERS[request.param][1]()
    if why:
        pytest.skip(why)
    return started(request.param)


@pytest.fixture(scope="module")
def radius(slapd, ring):
    with FreeRadius(slapd, ring=ring, settings=PATIENT) as server:
        yield server


@pytest.fixture(scope="module")
def second_radius(slapd, ring):
    """Another process with the same key ring and directory."""
    with FreeRadius(slapd, ring=ring, settings=PATIENT) as server:
        yield server


@pytest.fixture
def nases(radius, second_radius):
    with radius.client() as one, second_radius.client() as two:
        yield one, two


def called(slapd, name):
    """What the directory calls one of our attributes."""
    return SITE_NAME[name] if slapd.kind == "mapped" else name


# ---- the story

def test_one_user_with_mfa_and_one_without(slapd, client):
    plain, user = User(slapd), Enrolled(slapd)
    assert plain.start(client).accepted
    challenge = user.challenge(client)
    code = user.device.code()
    assert user.answer(client, challenge, user.device.wrong()).challenged and user.failures() == 1
    assert user.login(client).accepted and user.failures() == 0
    again = user.answer(client, user.challenge(client), code)
    assert again.rejected and again.result == "replayed"
    for person in (plain, user):
        assert client.password(person.uid, person.password + "x").rejected


def test_flag_is_turned_off_and_on_by_an_administrator(slapd, client):
    user = Enrolled(slapd)
    for flag, expected in (("FALSE", "accept"), ("TRUE", "challenge")):
        slapd.ldapmodify(f"dn: {user.dn}\nchangetype: modify\nreplace: peruserMfaEnabled\nperuserMfaEnabled: {flag}\n")
        assert outcome(user.start(client)) == expected


def test_sealed_secret_opens_in_its_own_entry_alone(slapd, client, ring):
    """The immutable id of this directory is what it is bound to."""
    user, thief = Enrolled(slapd), Enrolled(slapd)
    sealed = ring.seal(user.device.secret, user.entry_id)
    user.set(peruserMfaSecret=sealed)
    thief.set(peruserMfaSecret=sealed)
    assert user.login(client).accepted
    reply = thief.start(client)
    assert reply.rejected and reply.result == "broken"


def test_recovery_code_works_once(slapd, client, ring):
    user = Enrolled(slapd)
    codes = [new_recovery_code() for _ in range(2)]
    user.set(peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id) for code in codes])
    assert user.answer(client, user.challenge(client), codes[0]).accepted
    assert slapd.get(user.uid, "peruserMfaRecoveryCode") == [ring.recovery(codes[1], user.entry_id)]
    assert not user.answer(client, user.challenge(client), codes[0]).accepted


@pytest.mark.parametrize("row", TABLE, ids=row_name)
def test_state_table(slapd, client, row):
    flag, secret, required, expected, result = row
    user = User(slapd)
    user.set(peruserMfaEnabled=flag, peruserMfaRequiredFrom=required and required.replace("Z", ".0Z"), **secret)
    reply = user.start(client)
    assert outcome(reply) == expected
    if result:
        assert reply.result == result
    if expected == "challenge":
        assert user.answer(client, reply, DEVICE.code()).accepted


# ---- compare and swap

def answer_at_once(user, nases, *codes):
    """A login at each server, then a code to each at the same moment; the replies."""
    return codes_at_once(*[(nas, nas.packet(pap(user.uid, code, user.challenge(nas).state)))
                           for nas, code in zip(nases, codes)])


@pytest.mark.parametrize("used_before", [False, True], ids=["first use", "later use"])
def test_one_code_at_two_servers_at_the_same_moment(slapd, nases, used_before):
    for _ in range(ROUNDS):
        user = Enrolled(slapd)
        if used_before:
            then = int(time.time()) - 86400
            user.set(peruserMfaLastUse=f"{then // 30} {then} AAAAAAAAAAAAAAAA")
        code = user.device.code()
        replies = answer_at_once(user, nases, code, code)
        assert sorted(reply.code for reply in replies) == [2, 3]
        loser, = (reply for reply in replies if reply.rejected)
        assert loser.result == "replayed"


def test_one_recovery_code_at_two_servers_at_the_same_moment(slapd, nases, ring):
    for _ in range(10):
        user, code = Enrolled(slapd), new_recovery_code()
        user.set(peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id)])
        replies = answer_at_once(user, nases, code, code)
        assert sum(reply.accepted for reply in replies) == 1


def test_two_wrong_codes_at_the_same_moment_both_count(slapd, nases):
    """The first failures as well as later ones."""
    user = Enrolled(slapd)
    for expected in (2, 4):
        codes = user.device.wrong(), user.device.wrong()
        answer_at_once(user, nases, *codes)
        assert user.failures() == expected


def test_the_right_code_in_a_burst_of_guesses_is_refused(slapd, nases):
    """More guesses at once than the lock allows: those before the right code lock, whatever the server can assert."""
    for _ in range(2):
        user, used, packets = Enrolled(slapd), [], []
        for number in range(21):
            nas = nases[number % 2]
            used.append(user.device.wrong(used) if number < 20 else user.device.code())
            packets.append((nas, nas.packet(pap(user.uid, used[-1], user.challenge(nas).state))))
        for nas, packet in packets:
            nas.send(packet)
        replies = [nas.receive(packet) for nas, packet in packets]
        assert not any(reply.accepted for reply in replies)
        assert user.failures() == LOCKED_FROM


def test_result_codes_of_a_lost_compare_and_swap(slapd):
    """What each server says to the second of two writers; the store must take all of these for a conflict."""
    user = Enrolled(slapd)
    expected = {"389ds": ldap.OBJECT_CLASS_VIOLATION, "ad": ldap.TYPE_OR_VALUE_EXISTS}
    last_use, failures = called(slapd, "peruserMfaLastUse"), called(slapd, "peruserMfaFailures")
    with slapd.connect(slapd.radius_dn) as radius:
        radius.modify_s(user.dn, [(ldap.MOD_ADD, last_use, [b"1 2 a"])])
        with pytest.raises(expected.get(slapd.kind, ldap.CONSTRAINT_VIOLATION)):
            radius.modify_s(user.dn, [(ldap.MOD_ADD, last_use, [b"1 2 b"])])
        for name in (last_use, failures):
            with pytest.raises(ldap.NO_SUCH_ATTRIBUTE):
                radius.modify_s(user.dn, [(ldap.MOD_DELETE, name, [b"1 2 A"]), (ldap.MOD_ADD, name, [b"1 2 c"])])
    assert user.get("peruserMfaLastUse") == "1 2 a"


@only("openldap", "389ds", "ad")
def test_assertion_control_is_offered_by_openldap_alone(slapd):
    user = Enrolled(slapd)
    refusal = ldap.ASSERTION_FAILED if slapd.kind == "openldap" else ldap.UNAVAILABLE_CRITICAL_EXTENSION
    with slapd.connect() as root, pytest.raises(refusal):
        root.modify_ext_s(user.dn, [(ldap.MOD_REPLACE, "peruserMfaEnabled", [b"FALSE"])],
                          serverctrls=[AssertionControl(True, "(peruserMfaEnabled=FALSE)")])
    assert user.get("peruserMfaEnabled") == "TRUE"


@only("389ds")
def test_assertion_control_is_tried_once_for_each_process(slapd, ring):
    with FreeRadius(slapd, ring=ring, settings=PATIENT) as server, server.client() as client:
        before = slapd.access_log().count(" err=12 ")
        for _ in range(3):
            assert Enrolled(slapd).login(client).accepted
        assert slapd.access_log().count(" err=12 ") == before + 1


# ---- how values are spelled

@only("openldap", "389ds", "ad")
@pytest.mark.parametrize("value", ["true", "True", "yes", "1"])
def test_directory_takes_no_other_boolean(slapd, value):
    user = Enrolled(slapd)
    with pytest.raises(ldap.INVALID_SYNTAX):
        user.set(peruserMfaEnabled=value)


def test_generalized_time_with_a_fraction_is_taken_and_read_everywhere(slapd, client):
    user = Enrolled(slapd, peruserMfaEnabled="FALSE")
    assert user.start(client).accepted
    user.set(peruserMfaRequiredFrom="20200101000000.0Z")
    assert user.get("peruserMfaRequiredFrom") == "20200101000000.0Z"
    assert user.login(client).accepted


@only("openldap", "389ds", "ad")
def test_generalized_time_without_a_fraction_is_refused_by_active_directory_alone(slapd, client):
    user = Enrolled(slapd, peruserMfaEnabled="FALSE")
    try:
        user.set(peruserMfaRequiredFrom="20200101000000Z")
    except ldap.INVALID_SYNTAX:
        assert slapd.kind == "ad"
    else:
        assert slapd.kind != "ad" and user.start(client).challenged


# ---- searches

@pytest.fixture
def own_search(slapd, ring):
    """A server whose module searches for the user by itself, from above all users."""
    above = slapd.people.split(",", 1)[1]
    with FreeRadius(slapd, ring=ring, sections={"first_factor": OWN_SEARCH},
                    settings={**PATIENT, "user.base_dn": above}) as server:
        yield server


@pytest.fixture
def referral(slapd):
    """Part of the tree is elsewhere: a search below its top is told where to go on. A domain has such parts already."""
    dn = f"ou=elsewhere,{slapd.people}"
    if slapd.kind == "ad":
        yield
        return
    with slapd.connect() as root:
        entry = {"objectClass": [b"referral", b"extensibleObject"], "ou": [b"elsewhere"],
                 "ref": [b"ldap://192.0.2.1/ou=elsewhere,dc=example,dc=net"]}
        root.add_ext_s(dn, list(entry.items()), serverctrls=[ManageDSAITControl()])
        yield
        root.delete_ext_s(dn, serverctrls=[ManageDSAITControl()])


def test_search_continuation_does_not_break_a_login(slapd, own_search, referral):
    user = Enrolled(slapd, password="pw")
    with slapd.connect(slapd.radius_dn) as radius:
        found = radius.search_s(slapd.people.split(",", 1)[1], ldap.SCOPE_SUBTREE,
                                f"({slapd.login_attribute}={user.uid})", [slapd.id_attribute])
    assert [dn for dn, _ in found if dn] == [user.dn] and any(dn is None for dn, _ in found)
    with own_search.client() as client:
        assert user.login(client).accepted
        assert User(slapd, password="pw").start(client).accepted
        assert client.password("nobody-of-that-name", "pw").rejected


def test_paged_results_as_the_administrator(slapd):
    users = {User(slapd, peruserMfaEnabled="FALSE").dn for _ in range(12)}
    flag = called(slapd, "peruserMfaEnabled")
    control, found, pages = SimplePagedResultsControl(True, 5, ""), set(), 0
    with slapd.connect(slapd.admin_dn) as admin:
        while True:
            message = admin.search_ext(slapd.people, ldap.SCOPE_SUBTREE, f"({flag}=FALSE)", [flag],
                                       serverctrls=[control])
            _, entries, _, controls = admin.result3(message)
            found |= {dn for dn, _ in entries if dn}
            pages += 1
            control.cookie = controls[0].cookie
            if not control.cookie:
                break
    assert users <= found and pages >= 3


def test_ldaps(slapd, ring):
    with FreeRadius(slapd, ring=ring, settings={**PATIENT, "ldap.uri": slapd.ldaps_uri}) as server, \
            server.client() as client:
        assert Enrolled(slapd).login(client).accepted


def test_starttls(slapd, ring):
    settings = {**PATIENT, "ldap.uri": slapd.plain_uri, "ldap.start_tls": True}
    with FreeRadius(slapd, ring=ring, settings=settings) as server, server.client() as client:
        assert Enrolled(slapd).login(client).accepted


# ---- the command

@pytest.fixture(scope="module")
def admin(slapd, ring):
    with Admin(slapd, ring, settings=PATIENT) as command:
        yield command


def test_command_changes_the_state(slapd, admin, client):
    """Each subcommand that writes, and what the next login makes of it."""
    user, device = User(slapd), Device()

    def status():
        return admin.json("status", user.uid)[0]
    admin.run("invite", "--voucher", user.uid)
    assert status()["state"] == "invited" and status()["voucher_until"]
    assert admin.json("import", admin.file("uri", device.uri(label=user.uid)))[0]["outcome"] == "changed"
    assert status()["state"] == "enrolled" and not status()["voucher_until"]
    assert user.answer(client, user.start(client), device.code()).accepted
    assert status()["last_use"]["drift_steps"] == 0
    codes = admin.json("recovery", user.uid)[0]["recovery_codes"]
    assert user.answer(client, user.start(client), codes[0]).accepted and status()["recovery_codes"] == 9
    assert user.answer(client, user.start(client), device.wrong()).challenged and status()["failures"]["count"] == 1
    admin.run("unlock", user.uid)
    assert status()["failures"]["count"] == 0
    for word, expected in (("suspend", "accept"), ("resume", "challenge")):
        admin.run(word, user.uid)
        assert outcome(user.start(client)) == expected
    admin.run("suspend", user.uid)
    for words, expected in ((("--until-removed",), "challenge"), (("--remove",), "accept"), ((), "challenge"),
                            (("--from", "2030-01-01"), "accept"), (("--from", "2020-01-01T00:00"), "challenge")):
        admin.run("require", user.uid, *words)
        assert outcome(user.start(client)) == expected, words
    assert status()["required_from"] == "2020-01-01T00:00:00Z"
    admin.run("reset", user.uid)
    assert status()["state"] == "overdue" and outcome(user.start(client)) == "reject"
    again = admin.json("require", "--from", "2020-01-01", "--yes", "--users", f"({slapd.login_attribute}={user.uid})")
    assert again[-1]["summary"] == {"changed": 0, "unchanged": 1, "refused": 0, "failed": 0}


def test_command_takes_back_what_it_wrote(slapd, admin):
    """All or nothing, on servers without the assertion control too."""
    first, second = User(slapd), Enrolled(slapd, peruserMfaEnabled="FALSE")
    rows = "".join(f"{user.uid},{Device().secret},phone\n" for user in (first, first))
    assert "taken back" in admin.run("import", "--all-or-nothing", admin.file("rows", "user,secret,device\n" + rows),
                                     status=1).out
    assert not first.get("peruserMfaSecret") and not first.get("peruserMfaEnabled")
    assert second.get("peruserMfaEnabled") == "FALSE"


def test_command_lists_and_counts_all_pages(slapd, admin):
    users = {User(slapd, peruserMfaEnabled="FALSE").uid for _ in range(5)}
    listed = admin.json("list")
    assert users <= {row["user"] for row in listed}
    report, = admin.json("report")
    assert report["users"] == len(listed) == sum(report["states"].values())


def test_command_finds_nothing_wrong(slapd, admin):
    user = Enrolled(slapd, **{name: value for name, value in VALUES.items() if name != "peruserMfaSecret"})
    accounts = []
    for name, dn, password in (("radius", slapd.radius_dn, slapd.passwords[slapd.radius_dn]),
                               ("page", slapd.enroll_dn, slapd.passwords[slapd.enroll_dn]),
                               ("user", user.dn, user.password)):
        accounts += [f"--as-{name}", dn, f"--as-{name}-file", admin.file(name, password)]
    rows = admin.json("check", user.uid, *accounts)
    assert len([row for row in rows if row["check"] == "access" and row["health"] == "ok"]) == 5
    told = {row["check"]: row["health"] for row in rows}
    tells_clock, tells_index = slapd.kind in ("389ds", "ad"), slapd.kind == "ad"
    assert (told["clock"], told["index"]) == ("ok" if tells_clock else "warning", "ok" if tells_index else "warning")


@only("389ds", "ad")
def test_command_reads_of_an_index(slapd, admin):
    root = ("-D", slapd.root_dn, "-y", admin.file("root", slapd.root_password))
    for attribute, wanted in ((slapd.login_attribute, "ok"), ("description", "warning")):
        with Admin(slapd, admin.ring, settings={**PATIENT, "user.filter": f"({attribute}=%{{User-Name}})"}) as other:
            found, = [row for row in other.json("check", *root, status=None) if row["check"] == "index"]
        assert found["health"] == wanted and attribute in found["text"]


def test_command_over_ldaps_and_starttls(slapd, admin):
    user = Enrolled(slapd)
    for words in (("-H", slapd.ldaps_uri), ("-H", slapd.plain_uri, "-ZZ")):
        assert admin.json("status", user.uid, *words)[0]["state"] == "enrolled"
    if slapd.kind == "ad":
        assert "authentication required" in admin.run("status", user.uid, "-H", slapd.plain_uri, status=1).err


# ---- attributes that Active Directory has anyway

CLOUD = {name: f"msDS-cloudExtensionAttribute{number}" for number, name in
         enumerate(("enabled", "secret", "required_from", "last_use", "failures"), 1)}


@only("ad")
def test_record_in_extension_attributes(slapd, ring):
    with slapd.connect() as root:
        for name in CLOUD.values():
            (_, found), = [entry for entry in root.search_s(
                f"CN=Schema,CN=Configuration,{samba.DOMAIN_DN}", ldap.SCOPE_ONELEVEL, f"(lDAPDisplayName={name})",
                ["schemaIDGUID"]) if entry[0]]
            slapd.grant(f"(OA;CIIO;RPWP;{uuid.UUID(bytes_le=found['schemaIDGUID'][0])};"
                        "bf967aba-0de6-11d0-a285-00aa003049e2;@RADIUS@)")
    settings = {**PATIENT, **{f"attribute.{setting}": name for setting, name in CLOUD.items()}}
    options = {"ring": ring, "settings": settings}
    with FreeRadius(slapd, **options) as one, FreeRadius(slapd, **options) as two, \
            one.client() as nas, two.client() as other:
        for _ in range(5):
            user = Enrolled(slapd, peruserMfaEnabled=[], peruserMfaSecret=[])
            assert user.start(nas).accepted
            sealed = ring.seal(user.device.secret, user.entry_id)
            slapd.set(user.uid, **{CLOUD["enabled"]: "TRUE", CLOUD["secret"]: sealed})
            assert user.answer(nas, user.challenge(nas), user.device.wrong()).challenged
            code = user.device.code()
            assert sorted(reply.code for reply in answer_at_once(user, (nas, other), code, code)) == [2, 3]
            assert slapd.get(user.uid, CLOUD["last_use"]) and not slapd.get(user.uid, CLOUD["failures"])


# ---- access: each rule of the pack, proved by trying it as each kind of client

ALL = set(VALUES)
LOGIN = {"peruserMfaLastUse", "peruserMfaFailures", "peruserMfaTrustedDevice"}
PAGE = {"peruserMfaEnabled", "peruserMfaSecret", "peruserMfaLastUse", "peruserMfaFailures", "peruserMfaRecoveryCode"}
READ = {"radius": ALL, "enroll": ALL, "admin": ALL, "self": {"peruserMfaEnabled"}, "another": set(), "anonymous": set()}
DELETE = {"radius": LOGIN | {"peruserMfaRecoveryCode"},
          "enroll": PAGE | {"peruserMfaVoucher", "peruserMfaTrustedDevice"}, "admin": ALL}
ADD = {"radius": LOGIN, "enroll": PAGE, "admin": ALL}
each_client = pytest.mark.parametrize("who", READ)
REFUSED = (ldap.INSUFFICIENT_ACCESS, ldap.STRONG_AUTH_REQUIRED, ldap.NO_SUCH_ATTRIBUTE, ldap.OPERATIONS_ERROR,
           ldap.NO_SUCH_OBJECT)


def may_add(slapd, who):
    """Active Directory has one right to write: who may delete a value may add one."""
    return (DELETE if slapd.kind == "ad" else ADD).get(who, set())


@pytest.fixture(scope="module")
def people(slapd):
    return User(slapd, **VALUES), User(slapd)


def connect(slapd, people, who):
    anna, bert = people
    if who in ("radius", "enroll", "admin"):
        return slapd.connect(getattr(slapd, f"{who}_dn"))
    if who == "anonymous":
        return slapd.connect("")
    return slapd.connect(*((anna.dn, anna.password) if who == "self" else (bert.dn, bert.password)))


def attempt(connection, dn, *changes):
    try:
        connection.modify_s(dn, list(changes))
    except REFUSED:
        return False
    return True


def succeed(function, *args):
    """The result, or None where the directory refuses the whole operation."""
    try:
        return function(*args)
    except REFUSED:
        return None


def names(slapd):
    """Our names and the directory's."""
    return [(name, called(slapd, name)) for name in sorted(ALL)]


def changed(slapd, connection, dn, operation):
    """Which attributes could be changed so."""
    return {name for name, their_name in names(slapd)
            if attempt(connection, dn, (operation, their_name, [VALUES[name].encode()]))}


@each_client
def test_who_reads_what(slapd, people, who):
    dn = people[0].dn
    with connect(slapd, people, who) as connection:
        entry = succeed(functools.partial(connection.read_s, dn, attrlist=[theirs for _, theirs in names(slapd)])) or {}
        found = {name for name, theirs in names(slapd) for value in (VALUES[name], "*")
                 if any(dn for dn, _ in succeed(connection.search_s, dn, ldap.SCOPE_BASE, f"({theirs}={value})") or ())}
        compared = {name for name, theirs in names(slapd)
                    if succeed(connection.compare_s, dn, theirs, VALUES[name].encode())}
    assert {name for name, theirs in names(slapd) if theirs in entry} == READ[who]
    assert found == READ[who]
    if slapd.kind != "ad":   # Samba 4.17 answers a compare without asking who wants to know
        assert compared == READ[who]


@each_client
def test_who_deletes_what(slapd, people, who):
    anna = people[0]
    with connect(slapd, people, who) as connection:
        done = changed(slapd, connection, anna.dn, ldap.MOD_DELETE)
    anna.set(**VALUES)
    assert done == DELETE.get(who, set())


@each_client
def test_who_adds_what(slapd, people, who):
    anna = people[0]
    anna.set(**{name: None for name in ALL})
    with connect(slapd, people, who) as connection:
        done = changed(slapd, connection, anna.dn, ldap.MOD_ADD)
    anna.set(**VALUES)
    assert done == may_add(slapd, who)


@each_client
def test_who_replaces_what(slapd, people, who):
    anna = people[0]
    with connect(slapd, people, who) as connection:
        done = changed(slapd, connection, anna.dn, ldap.MOD_REPLACE)
    anna.set(**VALUES)
    assert done <= may_add(slapd, who) and done >= (LOGIN if who == "radius" else set())


@pytest.mark.parametrize("who", ["radius", "enroll"])
def test_services_write_nothing_else(slapd, people, who):
    anna = people[0]
    password = ("unicodePwd", '"stolen"'.encode("utf-16-le")) if slapd.kind == "ad" else ("userPassword", b"stolen")
    with connect(slapd, people, who) as connection:
        for name, value in (("description", b"x"), ("sn", b"x"), ("telephoneNumber", b"1"), password):
            assert not attempt(connection, anna.dn, (ldap.MOD_REPLACE, name, [value])), name
        for change in (lambda: connection.delete_s(anna.dn), lambda: connection.rename_s(anna.dn, "cn=mallory")):
            with pytest.raises(REFUSED):
                change()


@pytest.mark.parametrize("who", ["radius", "enroll", "admin"])
def test_services_find_a_user_and_its_immutable_id(slapd, people, who):
    anna = people[0]
    with connect(slapd, people, who) as connection:
        found = connection.search_s(slapd.people, ldap.SCOPE_SUBTREE, f"({slapd.login_attribute}={anna.uid})",
                                    [slapd.id_attribute])
    assert [(dn.lower(), set(entry)) for dn, entry in found if dn] == [(anna.dn.lower(), {slapd.id_attribute})]


def test_the_page_reads_where_its_notices_go(slapd, people):
    user = User(slapd, mail="anna@example.org")
    with connect(slapd, people, "enroll") as page:
        assert page.read_s(user.dn, attrlist=["mail"])["mail"] == [b"anna@example.org"]


@only("openldap", "389ds")
@each_client
def test_who_adds_our_class_and_no_other(slapd, people, who):
    user = User(slapd)
    with connect(slapd, (user, people[1]), who) as connection:
        added = {name for name in (slapd.object_class, "extensibleObject")
                 if attempt(connection, user.dn, (ldap.MOD_ADD, "objectClass", [name.encode()]))}
    if who == "self" and slapd.kind == "389ds":
        added.clear()   # the site's own rule there: users edit all of their entries
    assert added == ({slapd.object_class} if who in ("enroll", "admin") else set())
