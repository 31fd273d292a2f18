# SPDX-License-Identifier: GPL-2.0-or-later
"""`make demo` and `make serve`, as a newcomer runs them: in a folder with spaces, beside servers that are there already."""
import contextlib
import os
import re
import shutil
import signal
import socket
import ssl
import struct
import subprocess
import tempfile
import urllib.request
from pathlib import Path

import pytest

from lib import ROOT
from lib.process import die_with_parent, wait_until

USUAL_PORTS = (80, 389, 443, 636)
STORY = """\
user1 types the password -> Access-Accept
user1 types a wrong password -> Access-Reject
user2 types the password -> Access-Accept
user2 signs in with the same password -> "MFA is off."
user2 scans the QR code with a phone -> zbarimg reads it
user2 types the phone's code: N -> 10 recovery codes
user2 goes back to the overview -> "MFA is on."
user2's entry has changed -> two new attributes
user1 types the password -> Access-Accept
user2 types a wrong password -> Access-Reject
user2 types the password -> Access-Challenge
user2 types the phone's next code: N -> Access-Accept
somebody types the password -> Access-Challenge
somebody types the same code: N -> Access-Reject
somebody types the password -> Access-Challenge
somebody guesses a code: N -> Access-Challenge
user2 types the next code: N -> "MFA is off."
user2 types the password -> Access-Accept
user3 types the password -> Access-Challenge
user3 opens that address and signs in -> "Turn on MFA"
user3 scans the QR code with a phone -> zbarimg reads it
user3 types the phone's code: N -> 10 recovery codes
user3 types the phone's next code: N -> Access-Accept
"""
SHOTS = ["01-sign-in", "02-mfa-is-off", "03-turn-on", "04-recovery-codes", "05-mfa-is-on", "06-turn-off",
         "07-mfa-is-off-again", "08-turn-on", "09-recovery-codes"]


class Newcomer:
    """A copy of the tree with what is built already, and places for temporary and personal files of its own."""

    def __init__(self, folder):
        self.top, self.home = folder / "a new clone", folder / "home"
        self.temporary = Path(tempfile.mkdtemp(prefix=""))   # short: Chromium's socket is in it
        unwanted = shutil.ignore_patterns(".git", "build", "__pycache__")
        shutil.copytree(ROOT, self.top, ignore=unwanted, symlinks=True)
        for name in ("release", "include"):
            shutil.copytree(ROOT / "build" / name, self.top / "build" / name, symlinks=True)
        for stamp in (ROOT / "build").glob("packages-*"):
            shutil.copy2(stamp, self.top / "build")
        self.home.mkdir()

    def make(self, goal, **options):
        """Start make, behind a proxy that is not there: what is local must not ask it."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        return subprocess.Popen(["make", goal], cwd=self.top, text=True, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                                preexec_fn=die_with_parent, **options,
                                env={**kept, "TMPDIR": str(self.temporary), "HOME": str(self.home),
                                     "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"})

    def leftovers(self):
        """Files, and processes that were started with our folder for temporary files."""
        found = [*self.temporary.iterdir(), *self.home.iterdir()]
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if f"={self.temporary}".encode() in (process / "environ").read_bytes():
                    found.append((process / "cmdline").read_bytes())
        return found


@pytest.fixture(scope="module")
def newcomer(tmp_path_factory):
    made = Newcomer(tmp_path_factory.mktemp("demo"))
    yield made
    shutil.rmtree(made.temporary)


@pytest.fixture
def busy_ports():
    """Somebody listens where servers usually do; a port that is busy anyway will do."""
    with contextlib.ExitStack() as stack:
        for kind, ports in ((socket.SOCK_STREAM, USUAL_PORTS), (socket.SOCK_DGRAM, (1812,))):
            for port in ports:
                sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
                with contextlib.suppress(OSError):
                    sock.bind(("127.0.0.1", port))
                    sock.listen() if kind == socket.SOCK_STREAM else None
        yield


@contextlib.contextmanager
def serving(newcomer):
    """`make serve`: the process and what it printed up to its last line."""
    process, lines = newcomer.make("serve"), []
    try:
        while not (lines and lines[-1].startswith("Press Ctrl-C")):
            line = process.stdout.readline()
            assert line, "".join(lines)
            lines.append(line)
        yield process, "".join(lines)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def story(output):
    """What was done, and what the answer was."""
    lines = re.findall(r"^   (?:VPN|page|LDAP) +(.*?) \.* *(Access-\w+|\".*\"|[\w ]+)$", output, re.M)
    return "".join(f"{re.sub(r'[0-9]{6}', 'N', what)} -> {answer}\n" for what, answer in lines)


def test_the_demo_tells_its_story_and_leaves_only_pictures(newcomer, busy_ports):
    process = newcomer.make("demo")
    output = process.communicate(timeout=200)[0]
    assert process.returncode == 0, output
    assert story(output) == STORY, output
    assert max(map(len, output.splitlines())) <= 80
    folder = re.search(r"in (\S*/screenshots):", output)[1]
    pictures = sorted((newcomer.top / folder).iterdir())
    assert [picture.stem for picture in pictures] == SHOTS
    for picture in pictures:
        data = picture.read_bytes()
        width, height = struct.unpack(">II", data[16:24])
        assert data.startswith(b"\x89PNG\r\n\x1a\n") and width >= 700 and height >= 500 and len(data) > 10000, picture
    wait_until(lambda: not newcomer.leftovers(), 10, "nothing left")


def test_serve_prints_lines_that_work_and_ends_with_ctrl_c(newcomer):
    with serving(newcomer) as (process, output):
        lines = "\n".join(re.findall(r"^    (.*)$", output, re.M))
        done = subprocess.run(["bash"], input=lines, text=True, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done
        assert re.findall(r"Received (\S+)", done.stdout) == ["Access-Accept", "Access-Challenge", "Access-Accept"], done
        assert "uid: user2" in done.stdout and "peruserMfaEnabled: TRUE" in done.stdout
        assert re.search(r"^\d{6}$", done.stdout, re.M)
        url = re.search(r"https://\S+", output)[0]
        page = urllib.request.urlopen(url, context=ssl._create_unverified_context(), timeout=20).read().decode()
        assert "<h1" in page and 'name="password"' in page
        os.killpg(process.pid, signal.SIGINT)
        rest = process.communicate(timeout=30)[0]
        assert process.returncode == -signal.SIGINT and "servers and data are gone" in rest, rest
    wait_until(lambda: not newcomer.leftovers(), 10, "nothing left")


def test_serve_ends_with_sigterm(newcomer):
    with serving(newcomer) as (process, _):
        process.terminate()
        assert process.wait(30) != 0
    wait_until(lambda: not newcomer.leftovers(), 10, "nothing left")
