# SPDX-License-Identifier: GPL-2.0-or-later
"""The enrolment page by plain HTTP: what each flow shows, and what it leaves in the directory."""
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.page import Page, codes_of, key_of
from lib.ring import new_recovery_code
from lib.tls import make_certificates
from lib.totp import Device
from lib.user import Enrolled, User

LOOSE = {"throttle.address_attempts": 100000}


@pytest.fixture(scope="module", params=["fastcgi", "cgi"])
def page(request, slapd, ring):
    with Page(slapd, ring=ring, mode=request.param, settings=LOOSE) as server:
        yield server


@pytest.fixture
def fast(slapd, ring):
    """Makes a page with settings of its own."""
    pages = []

    def make(settings=None, **options):
        pages.append(Page(slapd, ring=ring, settings={**LOOSE, **(settings or {})}, **options))
        return pages[-1]
    yield make
    for server in pages:
        server.close()


def signed_in(page, user):
    visitor = page.visitor()
    answer = visitor.sign_in(user.uid, user.password)
    assert answer.status == 200, answer
    return visitor


def turn_on(visitor, name="Phone"):
    """Turn MFA on: the device and the page with the recovery codes."""
    form = visitor.get("/on")
    device = Device(key_of(form)).settle()
    answer = visitor.submit(form, "/on", code=device.code(), name=name)
    assert answer.status == 303, answer
    return device, visitor.follow(answer)


def test_turning_on_writes_all_in_one_modify_and_shows_codes_once(page, slapd):
    user = User(slapd)
    visitor = signed_in(page, user)
    form = visitor.get("/on")
    assert user.get("peruserMfaSecret") is None
    device = Device(key_of(form)).settle()
    wrong = visitor.submit(form, "/on", code=device.wrong(), name="Phone")
    assert wrong.status == 403 and key_of(wrong) == device.secret
    assert user.get("peruserMfaSecret") is None and user.get("peruserMfaFailures") is None
    mark = slapd.mark()
    shown = visitor.follow(visitor.submit(wrong, "/on", code=device.code(), name="Phone"))
    assert sum(count for (_, kind), count in slapd.operations(mark).items() if kind == "MOD") == 1
    assert len(set(codes_of(shown))) == 10
    assert user.get("peruserMfaEnabled") == "TRUE" and user.get("peruserMfaSecret").startswith("{GCM}k1$")
    assert int(user.get("peruserMfaLastUse").split()[0]) in (device.step(-1), device.step())
    assert len(slapd.get(user.uid, "peruserMfaRecoveryCode")) == 10
    saved = visitor.submit(shown, "/codes.txt")
    assert "attachment" in saved.header("Content-Disposition") and codes_of(shown)[9] in saved.text
    again = visitor.follow(visitor.get("/codes"))
    assert codes_of(again) == [] and "shown only once" in again.words
    assert visitor.get("/on").status == 409 and "MFA is already on" in visitor.get("/on").words


def test_turning_off_takes_a_code_that_was_not_used(page, slapd):
    user = User(slapd)
    visitor = signed_in(page, user)
    device, _ = turn_on(visitor)
    form = visitor.get("/off")
    assert visitor.submit(form, "/off", code=device.wrong()).status == 403
    assert user.failures() == 1
    used = visitor.submit(form, "/off", code=device.code())
    assert used.status == 403 and "used before" in used.words
    assert visitor.submit(form, "/off", code="").status == 403
    off = visitor.follow(visitor.submit(form, "/off", code=device.code(1)))
    assert "MFA is off" in off.words
    assert user.get("peruserMfaEnabled") == "FALSE"
    for name in ("Secret", "RecoveryCode", "TrustedDevice", "Failures"):
        assert user.get("peruserMfa" + name) is None
    gone = visitor.get("/off")
    assert gone.status == 409 and "MFA is not on" in gone.words


def test_a_recovery_code_turns_off_and_adds_nothing(page, slapd):
    user = User(slapd)
    visitor = signed_in(page, user)
    codes = codes_of(turn_on(visitor)[1])
    refused = visitor.submit(visitor.get("/device/add"), "/device/add", code=codes[0])
    assert refused.status == 403 and "not accepted here" in refused.words
    assert visitor.follow(visitor.submit(visitor.get("/off"), "/off", code=codes[0].lower())).status == 200
    assert user.get("peruserMfaEnabled") == "FALSE"


def with_codes(slapd, ring, user, count=2):
    """Recovery codes of that user."""
    codes = [new_recovery_code() for _ in range(count)]
    user.set(peruserMfaRecoveryCode=[ring.recovery(code, user.entry_id) for code in codes])
    return codes


@pytest.mark.parametrize("required", [{}, {"peruserMfaRequiredFrom": "20200101000000Z"}])
def test_a_lost_phone_is_replaced_by_a_recovery_code(page, slapd, ring, client, required):
    user = Enrolled(slapd, peruserMfaTrustedDevice=["k1$a 4000000000 x"], **required)
    codes, visitor = with_codes(slapd, ring, user), page.visitor()
    assert "Lost your phone?" in visitor.get("/sign-in").words
    assert visitor.get("/device/replace").status == 303
    asked = visitor.request("GET", next(link for link in visitor.get("/sign-in").page.links if link.endswith("/lost")))
    assert asked.header("Location").endswith("/sign-in")
    form = visitor.sign_in(user.uid, user.password)
    assert "Lost your phone?" in form.words and "Lost your phone?" in visitor.get("/").words
    assert visitor.get("/device/replace").header("Location").endswith("/lost")
    wrong = visitor.submit(form, "/lost", code=new_recovery_code())
    assert wrong.status == 403 and user.failures() == 1
    form = visitor.follow(visitor.submit(form, "/lost", code=codes[0]))
    assert len(slapd.get(user.uid, "peruserMfaRecoveryCode")) == 1 and user.get("peruserMfaSecret") == user.device.secret
    fresh = Device(key_of(form)).settle(8)
    refused = visitor.submit(form, "/device/replace", code=fresh.wrong(), name="New phone")
    assert refused.status == 403 and user.get("peruserMfaSecret") == user.device.secret
    mark = slapd.mark()
    shown = visitor.follow(visitor.submit(refused, "/device/replace", code=fresh.code(), name="New phone"))
    assert sum(count for (_, kind), count in slapd.operations(mark).items() if kind == "MOD") == 1
    assert len(codes_of(shown)) == 10 and len(slapd.get(user.uid, "peruserMfaSecret")) == 1
    assert len(slapd.get(user.uid, "peruserMfaRecoveryCode")) == 10 and user.get("peruserMfaTrustedDevice") is None
    assert user.get("peruserMfaEnabled") == "TRUE" and "New phone" in visitor.get("/").words
    assert not user.answer(client, user.start(client), user.device.code(1)).accepted
    assert not user.answer(client, user.start(client), codes[1]).accepted
    assert user.answer(client, user.start(client), fresh.code(1)).accepted
    assert visitor.get("/device/replace").header("Location").endswith("/lost")


def test_a_recovery_code_adds_no_device_and_a_code_replaces_none(page, slapd, ring):
    user = Enrolled(slapd)
    codes, visitor = with_codes(slapd, ring, user), signed_in(page, user)
    form = visitor.follow(visitor.submit(visitor.get("/lost"), "/lost", code=codes[0]))
    assert visitor.get("/device/new").header("Location").endswith("/device/add")
    key = form.form("/device/replace")["pending"]
    assert visitor.submit(visitor.get("/device/add"), "/device/add", code=user.device.code()).status == 303
    assert visitor.get("/device/replace").header("Location").endswith("/lost")
    other = visitor.submit(visitor.get("/device/new"), "/device/new", pending=key, code="123456", name="P")
    assert other.status == 409 and len(slapd.get(user.uid, "peruserMfaSecret")) == 1


def test_a_lost_phone_without_recovery_codes(page, slapd):
    answer = signed_in(page, Enrolled(slapd)).get("/lost")
    assert answer.status == 409 and "Ask your administrator" in answer.words


def test_devices_are_added_and_removed_with_a_code(page, slapd, ring):
    user = Enrolled(slapd)
    user.device.settle()
    visitor = signed_in(page, user)
    assert visitor.get("/device/new").header("Location").endswith("/device/add")
    form = visitor.follow(visitor.submit(visitor.get("/device/add"), "/device/add", code=user.device.code(-1)))
    second = Device(key_of(form))
    answer = visitor.submit(form, "/device/new", code=second.code(), name="Tab <b>let")
    overview = visitor.follow(answer)
    assert "The device was added" in overview.words and "Tab &lt;b&gt;let" in overview.text
    assert len(slapd.get(user.uid, "peruserMfaSecret")) == 2
    link = next(link for link in overview.page.links if "/device/remove" in link)
    form = visitor.request("GET", link)
    assert visitor.submit(form, "/device/remove", code=second.wrong()).status == 403
    assert len(slapd.get(user.uid, "peruserMfaSecret")) == 2
    visitor.submit(form, "/device/remove", code=second.code(1))
    assert len(slapd.get(user.uid, "peruserMfaSecret")) == 1
    assert visitor.submit(form, "/device/remove", code=second.code(1)).status == 404


def test_a_long_name_is_cut_between_characters(page, slapd):
    visitor = signed_in(page, User(slapd))
    turn_on(visitor, name="ab" + "ü" * 38)
    assert f"<strong>ab{'ü' * 31}</strong>" in visitor.get("/").text


def test_the_longest_names_fit_into_the_picture(fast, slapd):
    """Each letter of both becomes six characters of the link."""
    page, user = fast({"site.name": "Ü" * 32}), User(slapd, uid="ü" * 64)
    visitor = signed_in(page, user)
    form = visitor.get("/on")
    assert form.status == 200 and "<svg" in form.text, form
    turn_on(visitor)
    assert user.get("peruserMfaEnabled") == "TRUE"


def test_new_recovery_codes_replace_the_old_ones(page, slapd):
    user = Enrolled(slapd, peruserMfaRecoveryCode=["k1$old"])
    visitor = signed_in(page, user)
    assert "1 recovery code is left. Make new ones" in visitor.get("/").words
    shown = visitor.follow(visitor.submit(visitor.get("/recovery"), "/recovery", code=user.device.code()))
    assert len(codes_of(shown)) == 10
    values = slapd.get(user.uid, "peruserMfaRecoveryCode")
    assert len(values) == 10 and "k1$old" not in values


def test_trusted_devices_are_forgotten(page, slapd):
    later = int(time.time()) + 86400
    values = [f"k1$hash{i} {later} 02-00-00-00-00-0{i}" for i in range(3)]
    user = Enrolled(slapd, peruserMfaTrustedDevice=values)
    visitor = signed_in(page, user)
    shown = visitor.get("/trusted")
    assert "02-00-00-00-00-02" in shown.words
    visitor.submit(shown, "/trusted")
    assert slapd.get(user.uid, "peruserMfaTrustedDevice") == values[1:]
    shown = visitor.get("/trusted")
    assert visitor.post("/trusted", shown.page.forms[-1][1]).status == 303
    assert slapd.get(user.uid, "peruserMfaTrustedDevice") == []


def test_states_say_whom_to_ask_or_what_to_do(page, slapd):
    invited, visitor = User(slapd, peruserMfaEnabled="TRUE"), page.visitor()
    form = visitor.sign_in(invited.uid, invited.password)
    assert "invited you" in form.words
    wrong = visitor.submit(form, "/on", code=Device(key_of(form)).wrong(), name="P")
    assert wrong.status == 403 and "invited you" in wrong.words
    overdue = User(slapd, peruserMfaRequiredFrom="20200101000000Z")
    assert "required for you" in page.visitor().sign_in(overdue.uid, overdue.password).words
    suspended = Enrolled(slapd, peruserMfaEnabled="FALSE")
    visitor = signed_in(page, suspended)
    assert "suspended" in visitor.get("/").words and visitor.get("/on").status == 409
    broken = User(slapd, peruserMfaEnabled="TRUE", peruserMfaSecret="{GCM}k9$AAAA")
    visitor = signed_in(page, broken)
    assert "needs an administrator" in visitor.get("/").words and visitor.get("/off").status == 409


def test_required_mfa_stays_on_and_a_date_ahead_is_shown(page, slapd):
    required = Enrolled(slapd, peruserMfaRequiredFrom="20200101000000Z")
    visitor = signed_in(page, required)
    refused = visitor.get("/off")
    assert refused.status == 403 and "since 2020-01-01" in refused.words
    ahead = Enrolled(slapd, peruserMfaRequiredFrom="20990101000000Z")
    visitor = signed_in(page, ahead)
    form = visitor.get("/off")
    assert "2099-01-01" in form.words
    assert visitor.submit(form, "/off", code=ahead.device.code()).status == 303


def test_required_by_configuration(fast, slapd):
    page, user = fast({"enroll.required": True}), Enrolled(slapd)
    refused = signed_in(page, user).get("/off")
    assert refused.status == 403 and "requires MFA for everybody" in refused.words
    new = User(slapd)
    assert "Turn on MFA" in page.visitor().sign_in(new.uid, new.password).words


def is_marked(answer, field):
    """Whether a field is said to be the wrong one."""
    return re.search(rf'<input id="{field}"[^>]* aria-invalid="true" aria-describedby="problem ', answer.text)


def test_a_voucher_is_asked_for_and_used_up(fast, slapd, ring):
    page, user, code = fast({"enroll.require_voucher": True}), User(slapd), new_recovery_code()
    user.set(peruserMfaVoucher=ring.voucher(code, user.entry_id, int(time.time()) - 1))
    visitor = signed_in(page, user)
    form = visitor.get("/on")
    device = Device(key_of(form)).settle(10)
    for typed in ("", new_recovery_code(), code):
        refused = visitor.submit(form, "/on", code=device.code(), name="P", voucher=typed)
        assert refused.status == 403 and "voucher is not right" in refused.words
        assert [field for field in ("voucher", "code") if is_marked(refused, field)] == ["voucher"]
    user.set(peruserMfaVoucher=ring.voucher(code, user.entry_id, int(time.time()) + 60))
    assert visitor.submit(form, "/on", code=device.code(), name="P", voucher=code).status == 303
    assert user.get("peruserMfaVoucher") is None and user.get("peruserMfaEnabled") == "TRUE"


def test_fifty_activations_at_once_and_one_wins(fast, slapd):
    page, user = fast(workers=6), User(slapd)
    visitor = signed_in(page, user)
    form = visitor.get("/on")
    device = Device(key_of(form)).settle(15)
    fields = {**form.form("/on"), "code": device.code(), "name": "P"}
    cookies = dict(visitor.cookies)

    def attempt(_):
        other = page.visitor()
        other.cookies = dict(cookies)
        return other.post("/on", fields, timeout=120)
    with ThreadPoolExecutor(25) as pool:
        answers = list(pool.map(attempt, range(50)))
    won = [a for a in answers if a.status == 303 and a.header("Location").endswith("/codes")]
    assert len(won) == 1, [a.status for a in answers]
    assert {a.status for a in answers if a not in won} <= {409, 303}
    assert len(slapd.get(user.uid, "peruserMfaSecret")) == 1
    assert len(slapd.get(user.uid, "peruserMfaRecoveryCode")) == 10


def test_directory_down_is_503_and_passes(fast, slapd):
    page, user = fast(), User(slapd)
    visitor = signed_in(page, user)
    try:
        slapd.stop()
        down = visitor.get("/")
        assert down.status == 503 and down.header("Retry-After")
        assert page.visitor().sign_in(user.uid, user.password).status == 503
    finally:
        slapd.start()
    assert visitor.get("/").status == 200
    assert signed_in(page, user)


@pytest.mark.parametrize("mode", ["fastcgi", "cgi"])
@pytest.mark.parametrize("way", ["ldaps", "starttls"])
def test_directory_over_tls_within_the_sandbox(fast, slapd, way, mode):
    """libldap, GnuTLS and the files that they read, under the filter of system calls; and again after a restart."""
    uri = {"ldap.uri": slapd.ldaps_uri} if way == "ldaps" else {"ldap.start_tls": True}
    page, user, mark = fast(mode=mode, shared={"ldap.ca_file": str(slapd.ca_file), **uri}), User(slapd), slapd.mark()
    visitor = signed_in(page, user)
    turn_on(visitor)
    assert user.get("peruserMfaEnabled") == "TRUE" and "TLS established" in slapd.log(mark)
    slapd.stop()
    slapd.start()
    assert visitor.get("/").status == 200
    assert signed_in(page, user)


@pytest.mark.parametrize("mode", ["fastcgi", "cgi"])
def test_directory_with_the_certificate_of_a_stranger(fast, slapd, tmp_path, mode):
    make_certificates(tmp_path)
    stranger = {"ldap.ca_file": str(tmp_path / "ca.pem"), "ldap.uri": slapd.ldaps_uri}
    page, user, mark = fast(mode=mode, shared=stranger), User(slapd), slapd.mark()
    assert page.visitor().sign_in(user.uid, user.password).status == 503
    assert not slapd.operations(mark)


def test_a_key_on_top_is_taken_up_without_a_restart(slapd):
    from lib.ring import Ring
    old = Ring("k1")
    with Page(slapd, ring=old, settings=LOOSE) as page:
        user = User(slapd)
        visitor = signed_in(page, user)
        old.with_new_key("k2").write(page.ring_path)
        turn_on(visitor)
        assert user.get("peruserMfaSecret").startswith("{GCM}k2$")


def test_apps_that_the_site_recommends(fast, slapd):
    visitor = signed_in(fast(), User(slapd))
    assert "https://getaegis.app" in visitor.get("/on").page.links
    page = fast({"site.apps": "Our <App> https://apps.example.org/a?b=c&d"})
    shown = signed_in(page, User(slapd)).get("/on")
    assert [link for link in shown.page.links if "https://" in link] == ["https://apps.example.org/a?b=c&d"]
    assert ">Our &lt;App&gt;</a>" in shown.text and "getaegis" not in shown.text
    assert "https://" not in "".join(signed_in(fast({"site.apps": ""}), User(slapd)).get("/on").page.links)


@pytest.mark.parametrize("apps", ["x", "Name http://example.org", "https://example.org", "A https://a.example;B https://b",
                                  "javascript:alert(1)", 'A https://a.example/"x'])
def test_apps_that_are_none_stop_the_program(fast, apps):
    import subprocess
    page = fast()
    text = page.config.read_text().replace('name = "Example"', f"name = \"Example\"\n\tapps = '{apps}'", 1)
    page.config.write_text(text)
    done = subprocess.run([str(page.program), "-c", str(page.config), "-t"], capture_output=True, text=True)
    assert done.returncode == 1 and "'apps' must be" in done.stderr, done.stderr


def test_language_and_names_of_the_site(fast, slapd):
    page = fast({"site.name": "Uni <Ost>", "site.support": "Call & ask", "site.logo": "/l.svg"})
    german = page.visitor(language="xx, de;q=0.8, en;q=0.3").get("/sign-in")
    assert german.page.lang == "de" and "Anmelden" in german.words and "Uni &lt;Ost&gt;" in german.text
    assert "Call &amp; ask" in german.text and german.header("Content-Language") == "de"
    assert page.visitor(language="xx").get("/sign-in").page.lang == "en"


def test_wrong_configuration_stops_the_program_with_file_and_line(fast):
    import subprocess
    page = fast()
    text = page.config.read_text()
    page.config.write_text(text + "\nnonsense = 1\n")
    done = subprocess.run([str(page.program), "-c", str(page.config), "-t"], capture_output=True, text=True)
    assert done.returncode == 1 and f"{page.config}:{text.count(chr(10)) + 2}" in done.stderr
    page.config.write_text(text.replace('name = "Example"', 'name = ""'))
    done = subprocess.run([str(page.program), "-c", str(page.config), "-t"], capture_output=True, text=True)
    assert done.returncode == 1 and "1 to 64" in done.stderr
