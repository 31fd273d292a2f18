# SPDX-License-Identifier: GPL-2.0-or-later
"""Names and codes as people and attackers type them."""
import pytest

from lib.client import pap
from lib.radius_server import FreeRadius
from lib.slapd import PEOPLE
from lib.user import Enrolled, User

HOSTILE = ["*)(uid=*", "*", "\\", "\\2a", "a\0b", "(", ")", "a*", "&", "|(uid=*)", "%{User-Name}", "%s%n",
           "\x01\x7f", "\u00e9", "\ufeff", "a" * 253, " ", "  a  ", "#", "+", ",", ";", '"', "<>", "'", "uid=x,dc=y",
           "\r\n", "$(id)"]


def name_of(value):
    return value.encode("unicode_escape").decode()[:20]


# Every name passes the first factor, so that it reaches the module's own search.
ANYBODY = {"first_factor": '\tupdate control {\n\t\tCleartext-Password := "pw"\n\t}\n\tpap\n'}


@pytest.fixture(scope="module")
def own_search(slapd, ring):
    with FreeRadius(slapd, ring=ring, sections=ANYBODY) as server:
        Enrolled(slapd, uid="victim")
        yield server


@pytest.fixture(scope="module")
def plain_filter(slapd, ring):
    """In the alternation of the default filter the server itself escapes twice what is special in a filter."""
    with FreeRadius(slapd, ring=ring, sections=ANYBODY, settings={"user.filter": "(uid=%{User-Name})"}) as server:
        yield server


NAME = "%{%{Stripped-User-Name}:-%{User-Name}}"


@pytest.fixture(scope="module")
def own_dn(slapd, ring):
    """The name stands in a DN, and in the filter."""
    with FreeRadius(slapd, ring=ring, sections=ANYBODY, instance={"user_dn": f"uid={NAME},{PEOPLE}"}) as server:
        yield server


@pytest.mark.parametrize("name", [*HOSTILE, f"victim,{PEOPLE}", "victim+uid=victim", "victim,uid=victim"], ids=name_of)
def test_hostile_name_finds_nobody_else(own_search, plain_filter, own_dn, client, name):
    with own_search.client() as one, plain_filter.client() as two, own_dn.client() as three:
        for nas in (one, two, three):
            reply = nas.password(name, "pw")
            assert reply.rejected and reply.state is None
    assert client.password(name, "pw").rejected


SPECIAL = ["\\", "a(b)", "c*d", "a\\28b", "\\\\"]
HARMLESS = ["x" * 200, "with space", "o'neil", "comma,name", "a+b", "hash#tag", 'quo"te', "semi;colon", "eq=ual",
            "<angle>"]
LETTERS = ["a\u00e9", "\u4e2d\u6587", "\u0438\u0432\u0430\u043d", "\U0001f600"]


@pytest.mark.parametrize("name", SPECIAL + HARMLESS + LETTERS, ids=name_of)
def test_odd_but_real_name_logs_in(slapd, plain_filter, own_dn, name):
    """Escaped, not refused: these are entries of the directory."""
    user = Enrolled(slapd, uid=name, password="pw")
    for offset, server in enumerate((plain_filter, own_dn)):
        with server.client() as nas:
            assert user.login(nas, offset).accepted


@pytest.mark.parametrize("name", ["Jos\u00e9", "\u5f20\u4f1f", "o'hara, jr"], ids=name_of)
def test_name_with_letters_of_any_language(slapd, own_search, client, name):
    user = Enrolled(slapd, uid=name, password="pw")
    with own_search.client() as nas:
        assert user.login(nas).accepted


@pytest.mark.parametrize("name", [b"\xff\xfe", b"\xc3\x28", b"\xed\xa0\x80"],
                         ids=["no utf-8", "cut utf-8", "surrogate"])
def test_name_that_is_no_text(client, own_search, name):
    with own_search.client() as nas:
        assert nas.password(name, "pw").rejected


def test_other_case_is_the_same_person(slapd, client):
    """uid ignores case: one code is used once. A challenge is answered under the name that was challenged."""
    user = Enrolled(slapd)
    code = user.device.code()
    challenge = client.password(user.uid.upper(), user.password)
    assert challenge.challenged
    assert client.code(user.uid, challenge, code).rejected
    assert client.code(user.uid.upper(), challenge, code).accepted
    again = client.password(user.uid.title(), user.password)
    reply = client.code(user.uid.title(), again, code)
    assert reply.rejected and reply.result == "replayed"


REALMS = """
realm example.org {
}
realm EXAMPLE {
}
"""


@pytest.mark.parametrize("instance", [{}, {"user_dn": f"uid={NAME},{PEOPLE}"}], ids=["search", "dn"])
@pytest.mark.parametrize("form", ["{}@example.org", "EXAMPLE\\{}", "{}"])
def test_domain_and_realm(slapd, ring, form, instance):
    sections = {"authorize_first": "\tsuffix\n\tntdomain\n"}
    with FreeRadius(slapd, ring=ring, sections=sections, proxy=REALMS, instance=instance) as server, \
            server.client() as client:
        user, plain = Enrolled(slapd), User(slapd)
        name = form.format(user.uid)
        challenge = client.password(name, user.password)
        assert challenge.challenged
        assert client.code(name, challenge, user.device.code()).accepted
        assert client.password(form.format(plain.uid), plain.password).accepted


def test_without_a_name(client):
    assert client.ask([("User-Password", "pw")]).rejected
    assert client.password("", "pw").rejected


def test_name_missing_in_the_second_packet(slapd, client):
    user = Enrolled(slapd)
    state = user.challenge(client).state
    assert client.ask([("User-Password", user.device.code()), ("State", state)]).rejected


def test_code_missing_in_the_second_packet(slapd, client):
    user = Enrolled(slapd)
    state = user.challenge(client).state
    assert not client.ask([("User-Name", user.uid), ("State", state)]).accepted
    assert not client.ask(pap(user.uid, "", state)).accepted


GOOD = {
    "plain": lambda code: code,
    "in two groups": lambda code: f"{code[:3]} {code[3:]}",
    "spaces around": lambda code: f"  {code} ",
    "with a dash": lambda code: f"{code[:3]}-{code[3:]}",
}
BAD = {
    "letters": lambda code: "abcdef",
    "letters behind": lambda code: code + "x",
    "5 digits": lambda code: code[:5],
    "7 digits": lambda code: code + "0",
    "zero in front": lambda code: "0" + code,
    "64 digits": lambda code: code * 10 + code[:4],
    "127 digits": lambda code: (code * 22)[:127],
    "full width": lambda code: "".join(chr(0xFF10 + int(digit)) for digit in code),
    "arabic": lambda code: "".join(chr(0x660 + int(digit)) for digit in code),
    "sign": lambda code: "+" + code,
    "hexadecimal": lambda code: hex(int(code)),
    "decimal point": lambda code: code + ".0",
    "NUL behind": lambda code: code.encode() + b"\0x",
    "NUL inside": lambda code: code[:3].encode() + b"\0" + code[3:].encode(),
    "new line": lambda code: code + "\n",
    "spaces only": lambda code: "      ",
    "twice": lambda code: code + code,
    "comma": lambda code: f"{code},{code}",
}


@pytest.mark.parametrize("form", GOOD)
def test_code_as_people_type_it(slapd, client, form):
    user = Enrolled(slapd)
    assert user.answer(client, user.challenge(client), GOOD[form](user.device.code())).accepted


@pytest.mark.parametrize("form", BAD)
def test_what_is_no_code(slapd, client, form):
    user = Enrolled(slapd)
    reply = user.answer(client, user.challenge(client), BAD[form](user.device.code()))
    assert not reply.accepted
    assert user.get("peruserMfaLastUse") is None
    assert user.answer(client, user.challenge(client), user.device.code()).accepted


@pytest.mark.parametrize("size", [0, 1, 16, 17, 63, 64, 128], ids=str)
def test_password_of_any_size(slapd, client, size):
    user = User(slapd)
    assert client.password(user.uid, "p" * size).rejected
