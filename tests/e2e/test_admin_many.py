# SPDX-License-Identifier: GPL-2.0-or-later
"""peruser-mfa list, report and rekey on a large directory: time, and memory that does not grow.

ADMIN_MANY (4000) is the number of users; docs/admin.md has the numbers for 100000.
"""
import os
import re
import subprocess
import time
import uuid
from pathlib import Path

import ldap
import pytest

from lib.admin import Admin
from lib.ring import Ring
from lib.slapd import Slapd, person
from lib.slapd_config import PEOPLE
from lib.totp import new_secret

MANY = int(os.environ.get("ADMIN_MANY", "4000"))
PEAK_MAX_KB = 24 * 1024
SECONDS_MAX = 60 + MANY // 100


def users(ring, count):
    """Every second one is enrolled, and sealed by the old key."""
    for number in range(count):
        entry_id = str(uuid.uuid4())
        dn, attributes = person(f"m{number}", "x", clear=True, entryUUID=entry_id)
        if number % 2:
            attributes["objectClass"] = [*attributes["objectClass"], "peruserMfaUser"]
            attributes["peruserMfaEnabled"] = "TRUE"
            attributes["peruserMfaSecret"] = ring.seal(new_secret(), entry_id)
        yield dn, attributes


@pytest.fixture(scope="module")
def large():
    ring = Ring("k1")
    with Slapd(users(ring, MANY)) as slapd:
        with slapd.connect_config() as config:   # the disk of the machine is not what is measured
            config.modify_s("olcDatabase={1}mdb,cn=config", [(ldap.MOD_REPLACE, "olcDbNoSync", b"TRUE")])
        with Admin(slapd, ring.with_new_key("k2"), build="release") as admin:
            yield admin


def peak_kb(pid):
    """The largest resident size so far. Its resource usage would include that of this process, which it was forked from."""
    try:
        return int(re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])
    except (OSError, TypeError):
        return 0


def measured(admin, *words):
    """Run; status, output, seconds, peak memory in KB."""
    out = admin.dir / "out"
    peak, started = 0, time.monotonic()
    with out.open("w") as target:
        process = subprocess.Popen(admin.command(*words), stdin=subprocess.DEVNULL, stdout=target)
        while process.poll() is None:
            peak = max(peak, peak_kb(process.pid))
            time.sleep(0.005)
    seconds = time.monotonic() - started
    assert peak, "too quick to be measured: make ADMIN_MANY larger"
    print(f"{words[0]}: {MANY} users, {seconds:.1f} s, {peak} KB")
    return process.returncode, out.read_text(), seconds, peak


@pytest.mark.timeout(1800)
def test_many_users_in_constant_memory(large):
    for words, lines in ((("list",), MANY + 2), (("list", "--json"), MANY), (("report", "--json"), 1)):
        status, text, seconds, peak = measured(large, *words)
        assert status == 0 and len(text.splitlines()) == lines
        assert seconds < SECONDS_MAX and peak < PEAK_MAX_KB
    status, text, seconds, peak = measured(large, "rekey")
    assert status == 0 and f"{MANY // 2} changed, 0 unchanged, 0 refused, 0 failed" in text
    assert seconds < SECONDS_MAX and peak < PEAK_MAX_KB
    with large.slapd.connect() as root:
        left = root.search_s(PEOPLE, ldap.SCOPE_SUBTREE, "(&(peruserMfaSecret=*)(uid=m1))", ["peruserMfaSecret"])
    assert left[0][1]["peruserMfaSecret"][0].startswith(b"{GCM}k2$")
