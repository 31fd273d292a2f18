# SPDX-License-Identifier: GPL-2.0-or-later
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from lib.radius_server import FreeRadius  # noqa: E402
from lib.ring import Ring  # noqa: E402
from lib.slapd import Slapd  # noqa: E402


@pytest.fixture(scope="module")
def slapd():
    """A directory for the tests of one file; a file that needs another one defines its own."""
    with Slapd() as server:
        yield server


@pytest.fixture(scope="module")
def ring():
    return Ring()


@pytest.fixture(scope="module")
def radius(slapd, ring):
    """A server with the settings that we ship."""
    with FreeRadius(slapd, ring=ring) as server:
        yield server


@pytest.fixture
def client(radius):
    with radius.client() as nas:
        yield nas
