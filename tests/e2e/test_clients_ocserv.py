# SPDX-License-Identifier: GPL-2.0-or-later
"""ocserv and openconnect, as they come with Debian."""
import pytest

from lib.ocserv import Ocserv
from lib.radius_server import FreeRadius
from lib.story import SHOWING, every_scenario, tell


@pytest.fixture(scope="module")
def gateway(slapd, ring):
    with FreeRadius(slapd, ring=ring, instance=SHOWING) as radius, Ocserv(radius.port) as server:
        yield server


@every_scenario
def test_story(slapd, gateway, scenario, record_property):
    tell(gateway, scenario, slapd, record_property)
