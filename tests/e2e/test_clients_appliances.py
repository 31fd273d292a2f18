# SPDX-License-Identifier: GPL-2.0-or-later
"""Appliances, played from their documentation, at the site that we ship."""
import os
import time

import pytest

from lib.appliances import APPLIANCES, POLICY
from lib.radius_server import Clocked, FreeRadius
from lib.shipped_site import shipped_site
from lib.story import SCENARIOS, tell
from lib.user import Enrolled

# The long form, `make clients`, plays all logins; the short one those that differ between the families.
PLAYED = SCENARIOS if os.environ.get("CLIENTS") == "full" else ("right code", "replayed")


@pytest.fixture(scope="module")
def site():
    """The shipped site, and what its administrator says about these appliances."""
    files = shipped_site()
    files["sites-enabled/test"] = files["sites-enabled/test"].replace("\t\tfilter_username\n",
                                                                      "\t\tfilter_username\n" + POLICY)
    return files


@pytest.fixture(scope="module")
def radius(slapd, ring, site):
    with FreeRadius(slapd, ring=ring, more=site, echo=False) as server:
        yield server


@pytest.fixture(scope="module")
def clocked(slapd, ring, site):
    with Clocked(slapd, ring=ring, more=site, echo=False, now_s=int(time.time())) as server:
        yield server


@pytest.mark.parametrize("scenario", PLAYED)
@pytest.mark.parametrize("family", APPLIANCES)
def test_story(slapd, radius, family, scenario, record_property):
    record_property("played", "yes")
    tell(APPLIANCES[family].at(radius.port), scenario, slapd, record_property)


@pytest.mark.parametrize("family", APPLIANCES)
def test_only_the_answer_to_the_last_try_arrives(slapd, clocked, family):
    """A code is good for one login, however often the appliance sends its packets."""
    way, user, codes = APPLIANCES[family].at(clocked.port), Enrolled(slapd), []

    def code():
        codes.append(user.device.code(now=clocked.now_s))
        return codes[0]

    typed = [user.password, code] if way.mode == "challenge" else way.type(user, code())
    accepted, shown = way.login_with_losses(user, *typed, server=clocked)
    assert accepted and user.failures() == 0, shown
    assert not way.login(user, *way.type(user, *codes))[0]
