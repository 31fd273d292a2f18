# SPDX-License-Identifier: GPL-2.0-or-later
"""Sites, accounts, packets and attacks drawn at random; an oracle judges each reply.

No Access-Accept without a fresh code where the account whose password was proven is enrolled and no option of the
site says otherwise.  The reply and the log line are those of the account whose password and code were proven.  And the
honest get in.

SITES=n SEED=s run more; SITE=k runs that one and those that share its server. What fails is kept in build/site-matrix.
"""
import os

import pytest

from lib import ROOT
from lib.site_matrix.logins import ATTACKS, EAP_ATTACKS
from lib.site_matrix.run import rack_of, run
from lib.site_matrix.site import FACTORS, MODES

SEED = int(os.environ.get("SEED", "20260101"))
SITES = int(os.environ.get("SITES", "100"))
KEPT = ROOT / "build/site-matrix"
MODULE = ROOT / "build/release/rlm_peruser_mfa.so"
ASKED = "SITES" in os.environ or "SITE" in os.environ

KINDS = (*(("code", kind) for kind in (*FACTORS, *MODES, "eap inside", "eap both")),
         *(("password", kind) for kind in FACTORS))


@pytest.mark.skipif(not ASKED and b"require_inner" not in MODULE.read_bytes(),
                    reason="the module does not decide EAP in the tunnel yet")
def test_sites():
    only = os.environ.get("SITE")
    seen = run(SEED, rack_of(int(only)) if only else range(SITES), KEPT)
    assert not seen.failures, "\n" + "\n".join(failure.text(KEPT) for failure in seen.failures)
    if only or SITES < 100:
        return
    assert seen.logins >= 20 * SITES and seen.welcomed["all"] >= 0.2 * seen.logins
    assert all(seen.welcomed[kind] >= SITES // 50 for kind in KINDS), seen.welcomed
    assert all(seen.kinds[attack.__name__] >= SITES // 8 for attack in ATTACKS + EAP_ATTACKS), seen.kinds
