# SPDX-License-Identifier: GPL-2.0-or-later
"""One run of a load generator against one server, and what a row of the table is."""
import dataclasses
import json
import subprocess
from pathlib import Path

from cores import OTHERS, on
from lib import ROOT
from lib.client import SECRET
from lib.slapd import PEOPLE, RADIUS_DN

BIN = ROOT / "build/release/bench"


class Failed(Exception):
    """The load generator ended with an error."""


@dataclasses.dataclass
class Row:
    """name: of the table; server: key of the driver's servers; the rest are radload's options.

    codes: rows with the same word share users' last use, and so the codes that are left.
    """
    name: str
    server: str
    mode: str = "challenge"
    users: str = "m"
    options: tuple = ()
    codes: str = "ours"


class Generator:
    """Runs radload and ldapload; keeps the used codes of each server apart."""

    def __init__(self, folder, lists):
        self.folder, self.lists = Path(folder), lists
        self.secret = self._private("secret", SECRET.decode())

    def _private(self, name, text):
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def used(self, row):
        """The file of a row's used codes."""
        return self.folder / f"used-{row.codes}-{row.users}"

    def _run(self, command):
        done = subprocess.run(on(OTHERS) + [str(word) for word in command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"{command[0]}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def login(self, server, directory, row, *, outstanding=16, seconds=1, count=10000000, used=None):
        """A RADIUS row; the result of radload with operations a login added."""
        used = used or self.used(row)
        before = directory.counters()
        result = self._run([
            BIN / "radload", "--server", f"127.0.0.1:{server.port}", "--secret-file", self.secret,
            "--users", self.lists[row.users], "--used", used, "--mode", row.mode,
            "--outstanding", outstanding, "--seconds", seconds, "--count", count,
            "--cpu", f"radius:{server.process.pid}", "--cpu", f"slapd:{directory.process.pid}", *row.options])
        return self._count(result, before, directory.counters())

    def race(self, server, row, *, codes=60, copies=8):
        used = self.used(row)
        return self._run([BIN / "radload", "--server", f"127.0.0.1:{server.port}", "--secret-file", self.secret,
                          "--users", self.lists[row.users], "--used", used, "--mode", row.mode, "--race", copies,
                          "--count", codes, "--seconds", 60, *row.options])

    def bare(self, directory, ops="SBM", *, users="m", connections=16, seconds=1):
        password = self._private("password", directory.passwords[RADIUS_DN])
        before = directory.counters()
        result = self._run([
            BIN / "ldapload", "-H", directory.uri, "-b", PEOPLE, "-D", RADIUS_DN, "-y", password,
            "-u", self.lists[users], "-o", ops, "-d", "-c", connections, "-s", seconds,
            "-p", f"slapd:{directory.process.pid}"])
        return self._count(result, before, directory.counters(), binds=connections)

    def _count(self, result, before, after, binds=0):
        """Reading the counters costs a bind and three searches, the first ones of which are in the difference."""
        own = {"S": 3, "B": 1 + binds, "M": 0}
        logins = max(result["logins"], 1)
        result["operations"] = {letter: max(after[letter] - before[letter] - own[letter], 0) / logins
                                for letter in after}
        return result

