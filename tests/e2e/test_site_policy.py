# SPDX-License-Identifier: GPL-2.0-or-later
"""The site's policy in the module, on the page and in the command: all three say the same."""
import random
import time

import ldap
import pytest

from lib.admin import Admin
from lib.ldap_server import encode
from lib.page import Page
from lib.policies import Rule, judge, written
from lib.radius_server import FreeRadius
from lib.slapd import PEOPLE, SUFFIX, Slapd
from lib.slapd_config import ENROLL_DN, SCHEMA
from lib.user import Enrolled, User

GROUPS = f"ou=groups,{SUFFIX}"
FILTER_ACCESS = f'to attrs=employeeType,memberUid by dn.exact="{ENROLL_DN}" read by * break'
NOBODY = f"cn=nobody,{PEOPLE}"
DAY = 86400
KINDS = {"names": ("groupOfNames", "member"), "unique": ("groupOfUniqueNames", "uniqueMember"),
         "posix": ("posixGroup", "memberUid")}
# Key of a group: (its kind, its users by number, the groups within it)
TREE = {"staff": ("names", {0, 1}, ()), "admins": ("unique", {1, 2}, ()), "unix": ("posix", {2, 3}, ()),
        "all": ("names", {4}, ("middle",)), "middle": ("names", set(), ("staff", "loop")),
        "loop": ("names", {5}, ("middle",))}


def group_dn(key):
    return f"cn={key},{GROUPS}"


class World:
    """Six users, every other one enrolled, in the groups of TREE."""

    def __init__(self, slapd):
        self.slapd = slapd
        self.users = [(Enrolled if i % 2 else User)(slapd, employeeType=["staff", "guest"][i % 3 == 0])
                      for i in range(6)]
        self.attributes = [{"employeeType": ["staff", "guest"][i % 3 == 0]} for i in range(6)]
        self.groups = {key: (users, within) for key, (_, users, within) in TREE.items()}
        with slapd.connect() as root:
            for key, (kind, users, within) in TREE.items():
                name, attribute = KINDS[kind]
                values = [self.users[i].uid if kind == "posix" else self.users[i].dn for i in sorted(users)]
                values += [group_dn(inner) for inner in within]
                entry = {"objectClass": [name], "cn": key, attribute: values or [NOBODY]}
                if kind == "posix":
                    entry["gidNumber"] = "5000"
                root.add_s(group_dn(key), ldap.modlist.addModlist(encode(entry)))

    def judge(self, rules, i, **login):
        return judge(rules, i, self.attributes[i], self.groups, **login)


@pytest.fixture(scope="module")
def directory():
    with Slapd(schema=("/etc/ldap/schema/nis.ldif", SCHEMA)) as slapd, slapd.access_first(FILTER_ACCESS):
        yield slapd


@pytest.fixture(scope="module")
def world(directory):
    return World(directory)


def policies(*rules):
    return written(rules, group_dn)


def some_rules(rng):
    """A handful of rules, drawn."""
    rules = []
    for i in range(rng.randint(1, 5)):
        mfa = rng.choice(["required", "required", "optional", "skip"])
        rule = Rule(f"p{i}", mfa=mfa, report_only=rng.random() < 0.15)
        if rng.random() < 0.7:
            rule.group, rule.nested = rng.choice(list(TREE)), rng.random() < 0.5
        if rng.random() < 0.3:
            rule.filter = ("employeeType", rng.choice(["staff", "guest"]))
        if rng.random() < 0.3:
            rule.nas = rng.choice([("vpn",), ("wifi", "vpn"), ("127.0.0.0/8",), ("203.0.113.1", "other")])
        if rng.random() < 0.3:
            rule.network = rng.choice([("192.0.2.0/24",), ("2001:db8::/32", "198.51.100.7")])
        if mfa == "required" and rng.random() < 0.4:
            rule.from_s = int(time.time()) + rng.choice([-1, 1]) * 30 * DAY
        rules.append(rule)
    return rules


def at_login(reply):
    """What a login says about the policy: off users and enrolled ones tell different things."""
    if reply.challenged:
        return "asked"
    if reply.result == "unenrolled":
        return "refused"
    assert reply.accepted, reply
    return {"skipped": "skip", "off": "later" if "From " in reply.message else "off"}[reply.result]


def expected_at_login(verdict, enrolled):
    if verdict == "skip":
        return "skip"
    if enrolled:
        return "asked"
    return {"required": "refused", "later": "later", "optional": "off"}[verdict]


def on_page(page, user):
    """"required", or not: whether the page wants the user to enroll, or lets MFA be turned off."""
    visitor = page.visitor()
    answer = visitor.follow(visitor.sign_in(user.uid, user.password))
    assert answer.status == 200, (answer, page.all_logs()[-1500:])
    if not isinstance(user, Enrolled):
        return "required" if "MFA is required for you" in answer.words else "free"
    refused = visitor.get("/off").status == 403
    assert refused == ("Your administrator requires MFA" in answer.words)
    return "required" if refused else "free"


@pytest.mark.parametrize("seed", range(4))
def test_page_radius_and_command_agree(directory, world, ring, seed):
    rng = random.Random(seed)
    rules = some_rules(rng)
    text = policies(*rules)
    with FreeRadius(directory, ring=ring, policies=text) as server, server.client() as client, \
            Page(directory, ring=ring, policies=text) as page, Admin(directory, ring, build="release", policies=text) as admin:
        for i, user in enumerate(world.users):
            enrolled = isinstance(user, Enrolled)
            rule, verdict = world.judge(rules, i)
            assert on_page(page, user) == ("required" if verdict == "required" else "free"), (i, text)
            [row] = admin.json("policy", user.uid)
            assert (row["policy"], row["required"]) == (rule, verdict == "required"), (i, text)
            for nas, address in rng.sample([("vpn", "192.0.2.9"), ("wifi", "198.51.100.7"), ("other", "2001:db8::7"),
                                            ("none", "203.0.113.5")], 2):
                rule, verdict = world.judge(rules, i, nas=nas, address=address)
                reply = user.start(client, NAS_Identifier=nas, Calling_Station_Id=address)
                assert at_login(reply) == expected_at_login(verdict, enrolled), (i, nas, address, text)
                if reply.challenged:
                    reply = user.answer(client, reply, user.device.wrong(), NAS_Identifier=nas)
                    user.set(peruserMfaFailures=None)
                    assert not reply.accepted
                [row] = admin.json("policy", user.uid, "--nas", nas, "--address", address)
                known = [r for r in rules if r.nas and any("." in n for n in r.nas)]
                if not known:
                    assert (row["policy"], row["required"]) == (rule, verdict == "required"), (i, nas, address, text)


# ---- what a rule says

@pytest.fixture
def served(directory, ring):
    """Start servers with some rules."""
    opened = []

    def serve(*rules, **options):
        opened.append(FreeRadius(directory, ring=ring, policies=policies(*rules), **options))
        return opened[-1]

    yield serve
    for server in opened:
        server.close()


def test_report_only_changes_nothing_and_is_logged(world, served):
    server = served(Rule("trial", group="staff", report_only=True), Rule("rest", mfa="optional"))
    with server.client() as client:
        mark = server.mark()
        assert world.users[0].start(client).result == "off"
        assert f"user '{world.users[0].uid}': policy 'trial' is only reported, and would say: mfa = required" in server.log(mark)


def test_mode_of_a_rule(world, served):
    """The members of one group type the code after the password, all others are challenged."""
    server = served(Rule("staff", group="staff", more={"mode": "append"}), Rule("rest", mfa="optional"))
    with server.client() as client:
        staff, other = world.users[1], world.users[3]
        assert client.password(staff.uid, staff.password + staff.device.code()).accepted
        assert staff.start(client).rejected
        assert other.start(client).challenged


def test_remembered_device_of_a_rule(world, served):
    server = served(Rule("staff", group="staff", more={"remember": 3600}))
    with server.client() as client:
        for user, known in ((world.users[1], True), (world.users[5], False)):
            reply = user.login(client, offset=1, Calling_Station_Id="02-00-00-00-00-01")
            assert reply.accepted, reply
            assert (user.start(client, Calling_Station_Id="02-00-00-00-00-01").result == "trusted") == known


def test_unenrolled_of_a_rule(world, served):
    server = served(Rule("staff", group="staff", more={"unenrolled": "accept"}),
                    Rule("admins", group="unix", more={"unenrolled": "enroll"}), Rule("all"),
                    instance={"message.enroll": "Set it up, then type the code: "})
    with server.client() as client:
        assert world.users[0].start(client).accepted
        assert world.users[2].start(client).challenged
        assert world.users[4].start(client).rejected


def test_page_tells_reason_and_date(directory, world, ring):
    rule = Rule("staff", group="staff", from_s=86400 * 20000, more={"reason": "Staff needs it & so do you."})
    with Page(directory, ring=ring, policies=policies(rule)) as page:
        visitor = page.visitor()
        answer = visitor.sign_in(world.users[0].uid, world.users[0].password)
        assert "Staff needs it & so do you." in answer.words and "since 2024-10-04" in answer.words, answer


def test_skip_is_for_logins_and_not_for_the_page(directory, world, ring, served):
    """The page still wants a code before an enrolled user changes anything."""
    rule, user = Rule("all", mfa="skip"), world.users[3]
    server = served(rule)
    with server.client() as client:
        assert user.start(client).result == "skipped"
    with Page(directory, ring=ring, policies=policies(rule)) as page:
        visitor = page.visitor()
        assert "MFA is on." in visitor.sign_in(user.uid, user.password).words
        assert "code" in visitor.get("/off").words


BROKEN = [
    ('policy a { group = "x y" }', "'group' must be a DN"),
    ("policy a { nested = yes }", "'nested' needs 'group'"),
    ('policy a { filter = "uid=x" }', "'filter' must be one filter in parentheses"),
    ('policy a { filter = "(uid=x)(uid=y)" }', "'filter' must be one filter in parentheses"),
    ('policy a { network = "192.0.2.0/33" }', "'network' must be"),
    ('policy a { mfa = skip\n from = 2027-01-01 }', "'from' needs mfa = required"),
    ("policy a { from = tomorrow }", "'from' must be a date"),
    ("policy a { mfa = maybe }", "'mfa' must be one of: required optional skip"),
    ("policy a { remember = -1 }", "'remember' must be a number"),
    ("policy a { unenrolled = enroll }", None),
    ("policy a { mfa = skip }\npolicy a { mfa = skip }", "'a'"),
    ("policy a { mfa = skip }\npolicy a { nas = gate }", "'a'"),
    ("policy { mfa = skip }", "policy"),
    ("policy a { group = \"cn=a\"\n group = \"cn=b\" }", "'group' is given twice"),
    ("policy a { what = x }", "what"),
]


@pytest.mark.parametrize("text, why", BROKEN)
def test_broken_rule_stops_module_and_command(directory, ring, text, why):
    text = "\n" + text.replace("{ ", "{\n").replace(" }", "\n}") + "\n"
    with FreeRadius(directory, ring=ring, policies=text, start=False) as server:
        status, output = server.check()
        assert status != 0 and (why or "'enroll' must be") in output
    if why:
        with Admin(directory, ring, build="release", policies=text) as admin:
            assert why in admin.run("policy", "somebody", status=2).err


def test_operations_of_a_login(directory, world, served):
    """Compares and searches that a rule costs; none without a group or filter."""
    plain, nas = served(), served(Rule("vpn", nas=("nas-1",), mfa="optional"))
    one = served(Rule("staff", group="staff", mfa="optional"))
    for server, compares in ((plain, 0), (nas, 0), (one, 4)):
        with server.client() as client:
            world.users[4].start(client)
            mark = directory.mark()
            assert world.users[4].start(client).result == "off"
            counts = directory.operations(mark)
            assert (counts[directory.radius_dn, "SRCH"], counts[directory.radius_dn, "CMP"]) == (1, compares)
