# SPDX-License-Identifier: GPL-2.0-or-later
"""Metrics: what Prometheus reads, and that it is true."""
import json
import re
import shutil
import subprocess

import pytest

from lib import ROOT
from lib.admin import Admin
from lib.radius_server import FreeRadius
from lib.ring import Ring
from lib.slapd import Slapd
from lib.user import Enrolled, User

pytestmark = pytest.mark.skipif(not shutil.which("promtool"), reason="no promtool")
COUNT = re.compile(r'^peruser_mfa_decisions_seconds_count\{instance_name="peruser_mfa",result="(\w+)"\} (\d+)$', re.M)


def promtool(*words, stdin=None):
    done = subprocess.run(["promtool", *words], input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def counts(path):
    """Decisions by result, of those that there were."""
    text = path.read_text()
    promtool("check", "metrics", stdin=text)
    return {result: int(count) for result, count in COUNT.findall(text) if count != "0"}


@pytest.fixture
def folder(tmp_path):
    tmp_path.chmod(0o777)
    return tmp_path


def test_module_counts_each_decision_once(slapd, folder):
    path = folder / "mfa.prom"
    with FreeRadius(slapd, ring=Ring(), instance={"metrics": str(path)}) as server:
        assert counts(path) == {}
        with server.client() as client:
            user, plain = Enrolled(slapd, clear=True), User(slapd, clear=True)
            challenge = user.challenge(client)
            code = user.device.settle().code()
            again = user.answer(client, challenge, user.device.wrong())
            assert user.answer(client, again, code).accepted
            assert user.answer(client, user.challenge(client), code).rejected
            for _ in range(3):
                assert plain.start(client).accepted
            client.password(plain.uid, "wrong")
        server.check()
        server.stop()
        assert counts(path) == {"challenged": 3, "accepted": 1, "replayed": 1, "off": 3}
        text = path.read_text()
    buckets = re.findall(r'bucket\{instance_name="peruser_mfa",result="off",le="([^"]+)"\} (\d+)', text)
    assert buckets[-1] == ("+Inf", "3") and [int(count) for _, count in buckets] == sorted(int(count) for _, count in buckets)
    took_s = float(re.search(r'sum\{instance_name="peruser_mfa",result="off"\} ([\d.]+)', text)[1])
    assert 0 < took_s < 30
    assert [file.name for file in folder.iterdir()] == ["mfa.prom"] and path.stat().st_mode & 0o777 == 0o644


def test_counters_go_on_over_a_reload(slapd, folder):
    path = folder / "mfa.prom"
    with FreeRadius(slapd, ring=Ring(), instance={"metrics": str(path)}) as server, server.client() as client:
        plain = User(slapd, clear=True)
        assert plain.start(client).accepted
        raddb = next(server.raddb.glob("mods-enabled/peruser_mfa"))
        raddb.write_text(raddb.read_text() + "\n")
        server.hup()
        assert plain.start(client).accepted
        server.stop()
        assert counts(path) == {"off": 2}


def test_a_folder_that_cannot_be_written_stops_the_start(slapd, folder):
    for path in (folder / "nowhere/mfa.prom", "relative.prom"):
        with FreeRadius(slapd, ring=Ring(), instance={"metrics": str(path)}, start=False) as server:
            with pytest.raises(Exception):
                server.start_on_free_ports()
            assert "'metrics' cannot be used" in server.log()


def test_command_tells_the_states(folder):
    with Slapd() as slapd, Admin(slapd) as admin:
        Enrolled(slapd), Enrolled(slapd), User(slapd), Enrolled(slapd, peruserMfaEnabled="FALSE")
        path = folder / "users.prom"
        admin.run("metrics", "--output", path)
        text = path.read_text()
        promtool("check", "metrics", stdin=text)
        assert 'peruser_mfa_users{state="enrolled"} 2' in text and 'peruser_mfa_users{state="suspended"} 1' in text
        report, = admin.json("report")
        assert f'peruser_mfa_report{{item="never_used"}} {report["never_used"]}\n' in text
        shown = admin.run("metrics").out
        assert [line for line in shown.splitlines() if "time_seconds " not in line] == [
            line for line in text.splitlines() if "time_seconds " not in line]
        with slapd.access_first(f'to filter=(peruserMfaEnabled=FALSE) attrs=peruserMfaSecret by dn.exact="{slapd.admin_dn}" none by * break'):
            assert "nothing was written" in admin.run("metrics", "--output", path, status=1).err
        assert path.read_text() == text


def test_alerts_fire_when_they_should():
    promtool("check", "rules", str(ROOT / "docs/monitoring/alerts.yml"))
    promtool("test", "rules", str(ROOT / "docs/monitoring/alerts.test.yml"))


def test_examples_name_metrics_that_there_are():
    known = set(re.findall(r"`(peruser_mfa_\w+)`", (ROOT / "docs/metrics.md").read_text()))
    board = json.loads((ROOT / "docs/monitoring/grafana.json").read_text())
    texts = [(ROOT / "docs/monitoring/alerts.yml").read_text(),
             *(target["expr"] for panel in board["panels"] for target in panel["targets"])]
    for text in texts:
        for name in re.findall(r"peruser_mfa_\w+", text):
            assert re.sub(r"_(count|bucket|sum)$", "", name) in known
