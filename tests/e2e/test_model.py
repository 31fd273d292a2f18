# SPDX-License-Identifier: GPL-2.0-or-later
"""1,000 logins of mixed kinds in random order against a model of the record: each ends as the model predicts."""
import random
import time

import pytest

from lib.radius_server import FreeRadius
from lib.ring import new_recovery_code
from lib.totp import Device
from lib.user import User

SEED, LOGINS, USERS = 20260101, 1000, 12
THRESHOLD, ATTEMPTS = 5, 3
STATIONS = ["02-00-00-00-00-01", "02-00-00-00-00-02"]
BY_NAS = """
	if (&NAS-Identifier == "glued") {
		update control {
			Peruser-MFA-Mode := append
		}
	}
"""


class Clock:
    """Codes of the steps around one moment, by one run of oathtool for each device."""

    def __init__(self, device):
        self.first = device.step(-12)
        self.codes = device.codes(-12, 60)

    def code(self, step):
        return self.codes[step - self.first]

    def wrong(self, chance, not_one_of):
        while True:
            code = f"{chance.randrange(10 ** 6):06}"
            if code not in self.codes and code not in not_one_of:
                return code


class Person:
    """A user of the directory, and what the record should say about them."""

    def __init__(self, slapd, ring):
        self.user, self.slapd, self.ring = User(slapd), slapd, ring
        self.enabled, self.device, self.required = False, None, False
        self.step, self.failures, self.last_wrong = -1, 0, None
        self.recovery, self.known = [], set()

    @property
    def state(self):
        if not (self.enabled or self.required):
            return "off"
        return "enrolled" if self.device else "unenrolled"

    @property
    def locked(self):
        return self.failures >= THRESHOLD

    # ---- what administrators and the page do

    def set_enabled(self, value):
        self.enabled = value
        self.user.set(peruserMfaEnabled="TRUE" if value else "FALSE")

    def set_required(self, value):
        self.required = value
        self.user.set(peruserMfaRequiredFrom="20200101000000Z" if value else None)

    def enrol(self):
        self.device = Device()
        self.clock = Clock(self.device)
        self.step, self.failures, self.last_wrong, self.known = -1, 0, None, set()
        self.recovery = [new_recovery_code() for _ in range(3)]
        self.user.set(peruserMfaSecret=self.device.secret, peruserMfaLastUse=None, peruserMfaFailures=None,
                      peruserMfaRecoveryCode=[self.ring.recovery(code, self.user.entry_id) for code in self.recovery])

    def reset(self):
        self.device, self.known = None, set()
        self.user.set(peruserMfaSecret=None)

    def unlock(self):
        self.failures, self.last_wrong = 0, None
        self.user.set(peruserMfaFailures=None)

    def let_time_pass(self):
        """As if the last code had been used long ago: the phone's next codes are fresh again."""
        self.step = -1
        self.user.set(peruserMfaLastUse=None)

    # ---- the model of a login

    def after_password(self, station):
        if self.state != "enrolled":
            return self.state
        if self.locked:
            return "locked"
        return "trusted" if station in self.known else "challenged"

    def after_code(self, kind, code, step, station, attempt):
        """The result, and the change of the record that comes with it."""
        if self.locked:
            return "locked"
        if kind == "recovery" and code in self.recovery:
            self.recovery.remove(code)
            self.failures, self.last_wrong = 0, None
            return "recovery"
        if kind == "right" and step > self.step:
            self.step, self.failures, self.last_wrong = step, 0, None
            self.known.add(station)
            return "accepted"
        if kind == "right":
            return "replayed"
        if code != self.last_wrong:
            self.failures += 1
            self.last_wrong = code
            if self.locked:
                return "locked"
        return "challenged" if attempt < ATTEMPTS else "rejected"

    def choose(self, chance, used):
        """(kind, code, step) of what is typed."""
        kind = chance.choices(["right", "wrong", "again", "recovery", "old recovery"], [4, 5, 1, 1, 1])[0]
        now = self.device.step()
        if kind == "wrong":
            return kind, self.clock.wrong(chance, ()), None
        if kind == "again":
            return ("wrong", self.last_wrong, None) if self.last_wrong and self.last_wrong.isdigit() \
                else ("wrong", self.clock.wrong(chance, ()), None)
        if kind == "recovery" and self.recovery:
            return kind, chance.choice(self.recovery), None
        if kind == "old recovery" and used:
            return "recovery", chance.choice(used), None
        step = now + chance.choice([-1, 0, 1])
        return "right", self.clock.code(step), step


def settle():
    """The step must not change between choosing a code and its arrival."""
    left = 30 - time.time() % 30
    if left < 0.5:
        time.sleep(left + 0.05)


@pytest.fixture(scope="module")
def nases(slapd, ring):
    settings = {"lockout.base": 3600, "lockout.threshold": THRESHOLD, "totp.drift_max": 0}
    with FreeRadius(slapd, ring=ring, settings=settings, sections={"authorize_first": BY_NAS},
                    instance={"remember.lifetime": 3600, "challenge.attempts": ATTEMPTS}) as server, \
            server.client(nas="challenging") as one, server.client(nas="glued") as two:
        yield one, two


def outcome(reply):
    if reply.challenged:
        return "challenged"
    assert reply.accepted == (reply.result in ("off", "accepted", "recovery", "trusted")), reply
    return reply.result


def by_challenge(person, client, chance, used, station):
    reply = person.user.start(client, Calling_Station_Id=station)
    predicted = person.after_password(station)
    assert outcome(reply) == predicted
    for attempt in range(1, ATTEMPTS + 1):
        if predicted != "challenged":
            break
        settle()
        kind, code, step = person.choose(chance, used)
        predicted = person.after_code(kind, code, step, station, attempt)
        if predicted == "recovery":
            used.append(code)
        reply = person.user.answer(client, reply, code, Calling_Station_Id=station)
        assert outcome(reply) == predicted, (kind, attempt, reply)
    return predicted


def by_gluing(person, client, chance, used, station):
    if person.device is None:
        reply = person.user.start(client, Calling_Station_Id=station)
        predicted = person.after_password(station)
        assert outcome(reply) == predicted
        return predicted
    settle()
    kind, code, step = person.choose(chance, used)
    predicted = person.after_password(station)
    if person.state == "off" or (kind == "recovery" and code not in person.recovery):
        # nothing is cut off: the first factor sees the whole, and says no
        assert client.password(person.user.uid, person.user.password + code, Calling_Station_Id=station).rejected
        return "first factor"
    if predicted == "challenged":
        predicted = person.after_code(kind, code, step, station, ATTEMPTS)
        if predicted == "recovery":
            used.append(code)
    reply = client.password(person.user.uid, person.user.password + code, Calling_Station_Id=station)
    assert outcome(reply) == predicted, (kind, reply)
    return "glued " + predicted


def change(person, chance):
    """What happens between logins, or nothing."""
    chance.choices([lambda: None, lambda: person.set_enabled(not person.enabled), person.enrol, person.reset,
                    lambda: person.set_required(not person.required), person.unlock, person.let_time_pass],
                   [30, 2, 3, 0.7, 0.5, 1, 8])[0]()


def test_1000_logins_end_as_predicted(slapd, ring, nases):
    chance = random.Random(SEED)
    people = [Person(slapd, ring) for _ in range(USERS)]
    used = {person: [] for person in people}
    for person in people[:8]:
        person.enrol()
        person.set_enabled(True)
    seen = {}
    for number in range(LOGINS):
        person = chance.choice(people)
        change(person, chance)
        station = f"{chance.choice(STATIONS)}-{chance.randrange(3)}"
        try:
            if chance.random() < 0.1:
                assert nases[0].password(person.user.uid, "not-it", Calling_Station_Id=station).rejected
                result = "wrong password"
            else:
                way, nas = chance.choice([(by_challenge, nases[0]), (by_gluing, nases[1])])
                result = way(person, nas, chance, used[person], station)
        except AssertionError as error:
            raise AssertionError(f"login {number}, seed {SEED}, {person.state}: {error}") from error
        seen[result] = seen.get(result, 0) + 1
    assert {"off", "accepted", "recovery", "trusted", "replayed", "locked", "unenrolled", "rejected", "first factor",
            "glued accepted", "glued recovery", "glued replayed", "glued locked", "glued trusted",
            "glued rejected"} <= set(seen), seen
    for person in people:
        assert person.user.failures() == person.failures
        assert len(slapd.get(person.user.uid, "peruserMfaRecoveryCode")) == len(person.recovery)
