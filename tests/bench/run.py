#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Measure our module, its peers and the directory alone, side by side; tables and plots go to build/bench.

    tests/bench/run.py [PHASE...]     by default those of BENCH=quick or BENCH=full

Rounds are interleaved: each row once a round, in an order that changes, and
ratios are made of two runs of one round. What slows the machine down hits both.
"""
import contextlib
import os
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import report  # noqa: E402
from directory_load import UNUSED, Directory, people, write_list  # noqa: E402
from lib import ROOT  # noqa: E402
from measure import Generator, Row  # noqa: E402
from sites import FAST, FLAGS, QUIET, RECORD, SEARCHED, Site, google_authenticator, mapped  # noqa: E402

OUT = ROOT / "build/bench"
FULL = os.environ.get("BENCH", "quick") == "full"
ROUNDS, SECONDS = (8, 3) if FULL else (4, 1)
ONCE, PRESENT = ("--reuse-codes",), ("--present-code",)
LENIENT = {"lockout.threshold": 99}   # rows of wrong codes must not lock the users of the others

BARE = "bare libldap S + B + M"
BEST, APPENDED = "ours, bind_users, user_dn, cache", "ours, appended, bind_users"
FLOOR, TOTP = "password only, without our module", "rlm_totp, challenge (remembers nothing)"
UNLANG, OVERLAY = "rlm_totp and a replay check in unlang", "slapo-otp, appended"
PAM = "rlm_pam and pam_google_authenticator, appended"
ROWS = {
    FLOOR: Row("", "plain", "password", "p"),
    "ours, user without MFA, own search": Row("", "ours", "password", "p"),
    "ours, user without MFA, flags mapped by rlm_ldap": Row("", "flags", "password", "p"),
    "ours, user without MFA, bind_users": Row("", "fast", "password", "p"),
    "ours, own search": Row("", "ours"),
    "ours, mapped by rlm_ldap": Row("", "mapped"),
    "ours, bind_users, cache": Row("", "searched"),
    BEST: Row("", "fast"),
    APPENDED: Row("", "append", "append"),
    "ours, wrong code, bind_users": Row("", "fast", "wrong", codes="wrong"),
    TOTP: Row("", "totp", options=ONCE, codes="totp"),
    "rlm_totp, appended (remembers nothing)": Row("", "totp_append", "append", options=ONCE, codes="totp"),
    UNLANG: Row("", "unlang", options=PRESENT, codes="peers"),
    OVERLAY: Row("", "otp", "append", codes="otp"),
    "rlm_perl": Row("", "perl", codes="peers"),
    "rlm_python3": Row("", "python3", codes="peers"),
    PAM: Row("", "pam", "append", codes="pam"),
}
DURABLE = [BARE, "ours, own search", "ours, mapped by rlm_ldap", "ours, bind_users, cache", BEST, APPENDED, UNLANG,
           OVERLAY, "rlm_perl", "rlm_python3", PAM]
FAST_ROWS = [BARE, *(name for name in ROWS if name not in ("rlm_perl", "rlm_python3", PAM))]
MANY_ROWS = [BARE, BEST, APPENDED, TOTP, UNLANG, OVERLAY]


def rate(result):
    return result["rate"]


def radius_cpu(result):
    return report.cpu(result, "radius")


def wanted(durable):
    """The ratios that the project wants to reach: what, above, below, at least, at most, of what.

    The first is no goal: it tells how far a goal lies from what the directory can do.
    """
    limit = ("the directory alone, bare S + B + M ÷ slapo-otp", BARE, OVERLAY, None, None, rate)
    if durable:
        return [limit, ("two-step ÷ bare S + B + M", BEST, BARE, 0.90, None, rate),
                ("÷ slapo-otp", BEST, OVERLAY, 1.0, None, rate),
                ("appended ÷ slapo-otp, which is appended too", APPENDED, OVERLAY, 1.0, None, rate),
                ("÷ rlm_totp + unlang", BEST, UNLANG, 1.1, None, rate),
                ("÷ rlm_perl", BEST, "rlm_perl", 1.9, None, rate),
                ("÷ rlm_python3", BEST, "rlm_python3", 2.3, None, rate),
                ("÷ rlm_pam + pam_google_authenticator", BEST, PAM, 6, None, rate)]
    return [limit, ("two-step ÷ bare S + B + M", BEST, BARE, 0.60, None, rate),
            ("÷ slapo-otp", BEST, OVERLAY, 0.85, None, rate),
            ("appended ÷ slapo-otp, which is appended too", APPENDED, OVERLAY, 0.85, None, rate),
            ("÷ rlm_totp + unlang", BEST, UNLANG, 1.3, None, rate),
            ("÷ rlm_totp challenge", BEST, TOTP, 0.90, None, rate),
            ("CPU of the RADIUS server ÷ rlm_totp challenge", BEST, TOTP, None, 1.15, radius_cpu),
            ("users without MFA, flags mapped ÷ without our module",
             "ours, user without MFA, flags mapped by rlm_ldap", FLOOR, 0.98, None, rate),
            ("users without MFA, own search ÷ without our module", "ours, user without MFA, own search", FLOOR,
             0.85, None, rate),
            ("users without MFA, bind_users ÷ without our module", "ours, user without MFA, bind_users", FLOOR,
             0.85, None, rate)]


class Bench(contextlib.ExitStack):
    """Directories with so many enrolled users, and the servers that were asked for."""

    def __init__(self, count):
        super().__init__()
        self.folder = Path(self.enter_context(tempfile.TemporaryDirectory(prefix="mfa-bench-")))
        self.enrolled, plain = people("m", count), people("p", max(count // 10, 500))
        self.generator = Generator(self.folder, {"m": write_list(self.folder / "m", self.enrolled),
                                                 "p": write_list(self.folder / "p", plain)})
        self.main = self._open(lambda: Directory(self.enrolled + plain))
        self.otp = None
        self.servers = {}

    def _open(self, make):
        server = make()
        self.callback(server.close)
        return server

    def directory(self, server):
        if server != "otp":
            return self.main
        if not self.otp:
            self.otp = self._open(lambda: Directory(self.enrolled, otp=True))
        return self.otp

    def server(self, name):
        if name not in self.servers:
            ours = {"ours": {"instance": QUIET}, "mapped": {"instance": QUIET, "update": mapped(RECORD)},
                    "flags": {"instance": QUIET, "update": mapped(FLAGS)}, "searched": {"instance": SEARCHED},
                    "fast": {"instance": FAST}, "append": {"instance": {**FAST, "mode": "append"}}}
            site = {"mapped": "ours", "flags": "ours", "searched": "fast", "append": "fast"}.get(name, name)
            more = {"module": True, "settings": LENIENT, **ours[name]} if name in ours else {}
            if name == "pam":
                more["pam_services"] = google_authenticator(self.folder, self.enrolled)
            self.servers[name] = self._open(lambda: Site(self.directory(name), site, **more))
        return self.servers[name]

    def set_durable(self, durable):
        for directory in (self.main, self.otp):
            if directory:
                directory.set_durable(durable)

    def renew_codes(self, name=BEST):
        """Every code counts as unused again, for the servers that share a row's codes; nothing is durable then."""
        row = ROWS.get(name)
        if row and row.users == "m" and row.codes in UNUSED:
            self.set_durable(False)
            self.directory(row.server).forget_use(self.enrolled, row.codes)
            self.generator.used(row).unlink(missing_ok=True)

    def run(self, name, **options):
        if name == BARE:
            outstanding = options.pop("outstanding", 16)
            return self.generator.bare(self.main, connections=outstanding, **options)
        row = ROWS[name]
        result = self.generator.login(self.server(row.server), self.directory(row.server), row, **options)
        # A code on its way when its time step ends is refused by servers that take the present one alone.
        allowed = 32 if row.options else 0
        if result["unexpected"] + result["lost"] + result["forged"] > allowed or not result["logins"]:
            raise RuntimeError(f"{name}: {result}\n{self.server(row.server).log()[-2000:]}")
        return result


def rounds(bench, names, *, durable, renew):
    """Results by name, one of each round."""
    for name in names:
        if name != BARE:
            bench.server(ROWS[name].server)
    bench.set_durable(False)
    for name in names:
        bench.run(name, seconds=1)   # connections are opened, caches filled
    found = {name: [] for name in names}
    for number in range(ROUNDS):
        order = list(names)
        random.Random(number).shuffle(order)
        for name in order:
            if renew:
                bench.renew_codes(name)
            bench.set_durable(durable)
            found[name].append(bench.run(name, seconds=SECONDS))
    return found


def publish(title, file, found, ratios):
    text = f"### {title}\n\n{report.table(found.items())}\n"
    if ratios:
        text += report.ratios(found, ratios) + "\n"
    (OUT / f"{file}.md").write_text(text)
    (OUT / f"{file}.svg").write_text(report.bars(title, list(found.items())))
    print(text, flush=True)
    return text


def phase_durable():
    with Bench(10000) as bench:
        found = rounds(bench, DURABLE, durable=True, renew=True)
    return publish("Durable, 10,000 users, 16 outstanding: logins/s", "durable", found, wanted(True))


def phase_nosync():
    with Bench(10000) as bench:
        found = rounds(bench, FAST_ROWS, durable=False, renew=True)
    return publish("dbnosync, 10,000 users, 16 outstanding: logins/s", "nosync", found, wanted(False))


def phase_many():
    with Bench(100000) as bench:
        found = rounds(bench, MANY_ROWS, durable=False, renew=False)
    ratios = [ratio for ratio in wanted(False) if ratio[1] in found and ratio[2] in found]
    return publish("dbnosync, 100,000 users, 16 outstanding: logins/s", "many", found, ratios)


def phase_outstanding():
    """1, 4, 16 and 64 at a time, durable; and the latency of one at a time."""
    text, found = "", {}
    with Bench(10000) as bench:
        bench.set_durable(False)
        bench.run(BEST, seconds=1)
        for number in (1, 4, 16, 64):
            for turn in range(ROUNDS):
                bench.renew_codes()
                bench.set_durable(True)
                for name in (BEST, BARE) if turn % 2 else (BARE, BEST):
                    found.setdefault(f"{name}, {number} at a time", []).append(
                        bench.run(name, seconds=1, outstanding=number))
    alone = [("p50 at 1 outstanding ÷ bare S + B + M", f"{BEST}, 1 at a time", f"{BARE}, 1 at a time", None, 1.4,
              lambda result: result["p50_us"])]
    text += publish("Durable, by logins at a time", "outstanding", found, alone)
    return text


def phase_growth():
    """The same with 1,000 and 100,000 users, a round each in turn."""
    found = {}
    with Bench(1000) as small, Bench(100000) as large:
        for bench in (small, large):
            bench.set_durable(False)
            bench.run(BEST, count=500)
        for _ in range(ROUNDS):
            for name, bench in (("1,000", small), ("100,000", large)):
                small.renew_codes()
                found.setdefault(f"{BEST}, {name} users", []).append(bench.run(BEST, count=2500, seconds=60))
    ratio = [("100,000 ÷ 1,000 users", f"{BEST}, 100,000 users", f"{BEST}, 1,000 users", 0.95, None, rate)]
    return publish("dbnosync, by number of users", "growth", found, ratio)


def resident_kb(server):
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1])


def phase_abandon():
    """Many challenges that nobody answers: the next login works, and memory stays."""
    count = 100000 if FULL else 30000
    with Bench(10000) as bench:
        bench.set_durable(False)
        row, server = Row("", "fast", "abandon"), bench.server("fast")
        bench.generator.login(server, bench.main, row, count=10000, seconds=60)
        before = resident_kb(server)
        result = bench.generator.login(server, bench.main, row, count=count, seconds=300)
        after = resident_kb(server)
        bench.run(BEST, count=1)
    text = (f"### Abandoned challenges\n\n{result['logins']:,} challenges were left open behind 10,000 others; the next login was "
            f"accepted. Resident memory {before} KB before, {after} KB after: {after / before:.3f}.\n\n")
    (OUT / "abandon.md").write_text(text)
    print(text, flush=True)
    return text


def phase_memory():
    """A million logins; takes about ten minutes."""
    with Bench(100000) as bench:
        bench.set_durable(False)
        bench.run(BEST, count=10000, seconds=60)
        before, done, end = resident_kb(bench.server("fast")), 0, time.monotonic() + 1500
        while done < 1000000 and time.monotonic() < end:
            bench.renew_codes()
            done += bench.run(BEST, count=100000, seconds=120)["logins"]
        after = resident_kb(bench.server("fast"))
    text = (f"### Memory\n\nResident after 10,000 logins {before} KB, after {done:,} more {after} KB: "
            f"{after / before:.3f} (to reach: ≤ 1.02 after a million).\n\n")
    (OUT / "memory.md").write_text(text)
    print(text, flush=True)
    return text


def phase_race():
    """One code sent eight times at once for 60 users: 60 may be accepted."""
    lines = ["### One code, eight logins at once, 60 users\n", "| server | accepted of 480 |", "|---|---|"]
    with Bench(1000) as bench:
        for name in (BEST, "ours, own search", "ours, mapped by rlm_ldap", APPENDED, UNLANG, OVERLAY, "rlm_perl",
                     "rlm_python3"):
            row = ROWS[name]
            result = bench.generator.race(bench.server(row.server), row)
            lines.append(f"| {name} | {result['accepted']} |")
            if name.startswith("ours") and result["accepted"] > 60:
                raise RuntimeError(f"{name} accepted a code twice: {result}")
            bench.renew_codes(name)
    text = "\n".join(lines) + "\n\n"
    (OUT / "race.md").write_text(text)
    print(text, flush=True)
    return text


PHASES = {name[len("phase_"):]: function for name, function in list(globals().items()) if name.startswith("phase_")}
QUICK = ("durable", "nosync")


def main():
    chosen = sys.argv[1:] or (list(PHASES) if FULL else QUICK)
    unknown = [name for name in chosen if name not in PHASES]
    if unknown:
        sys.exit(f"no such phase: {', '.join(unknown)}; there are {', '.join(PHASES)}")
    OUT.mkdir(parents=True, exist_ok=True)
    start = time.monotonic()
    text = "## Measured\n\n" + report.machine() + f"\n{ROUNDS} interleaved rounds of {SECONDS} s each.\n\n"
    for name in chosen:
        text += PHASES[name]()
    text += f"Took {time.monotonic() - start:.0f} s.\n"
    (OUT / "results.md").write_text(text)
    print(f"build/bench/results.md, after {time.monotonic() - start:.0f} s")


if __name__ == "__main__":
    main()
