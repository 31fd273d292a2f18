# SPDX-License-Identifier: GPL-2.0-or-later
"""Appliances, played from their documentation, at the site that we ship."""
import os

import pytest

from lib.appliances import APPLIANCES, POLICY
from lib.radius_server import FreeRadius
from lib.shipped_site import shipped_site
from lib.story import SCENARIOS, tell

# The long form, `make clients`, plays all logins; the short one those that differ between the families.
PLAYED = SCENARIOS if os.environ.get("CLIENTS") == "full" else ("right code", "replayed")


@pytest.fixture(scope="module")
def radius(slapd, ring):
    files = shipped_site()
    lines = files["sites-enabled/test"].replace("\t\tfilter_username\n", "\t\tfilter_username\n" + POLICY)
    files["sites-enabled/test"] = lines
    with FreeRadius(slapd, ring=ring, more=files, echo=False) as server:
        yield server


@pytest.mark.parametrize("scenario", PLAYED)
@pytest.mark.parametrize("family", APPLIANCES)
def test_story(slapd, radius, family, scenario, record_property):
    record_property("played", "yes")
    tell(APPLIANCES[family].at(radius.port), scenario, slapd, record_property)
