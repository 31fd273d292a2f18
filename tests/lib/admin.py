# SPDX-License-Identifier: GPL-2.0-or-later
"""The peruser-mfa command, with a configuration of its own for a test directory."""
import json
import os
import pty
import select
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from . import ROOT, conf
from .ring import Ring

SHARED = ROOT / "raddb/mods-config/peruser_mfa/peruser_mfa.conf"
SANITIZER = {"ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1"}


class Done:
    """What a run left behind."""

    def __init__(self, status, out, err):
        self.status, self.out, self.err = status, out, err

    @property
    def rows(self):
        """JSON, an object a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return f"<exit {self.status}\n{self.out}\n--\n{self.err}>"


def _prefix():
    """Fixed addresses: some kernels spread them further than a sanitizer can follow."""
    works = subprocess.run(["setarch", "-R", "true"], capture_output=True, check=False).returncode == 0
    return ["setarch", "-R"] if works else []


class Admin:
    """A folder with peruser_mfa.conf, admin.conf, a password and a key ring.

    settings  items of the shared file
    account   who binds, the directory's administrator of MFA unless it is given; None: nobody is configured
    build     release or asan
    """

    def __init__(self, slapd, ring=None, *, settings=None, account="", build="asan", policies=""):
        self.slapd, self.build, self.policies = slapd, build, policies
        self.dir = Path(tempfile.mkdtemp(prefix="mfa-admin-"))
        self.ring = ring or Ring()
        self.ring_path = self.ring.write(self.dir / "ring")
        self.config = self.dir / "peruser_mfa.conf"
        self.configure(**(settings or {}))
        if account is not None:
            account = account or slapd.admin_dn
            password = self.dir / "password"
            password.write_text(slapd.passwords[account] + "\n")
            password.chmod(0o600)
            (self.dir / "admin.conf").write_text(f'identity = "{account}"\npassword_file = "{password}"\n')

    def configure(self, **settings):
        items = {**self.slapd.settings, "key_ring": str(self.ring_path),
                 **{name.replace("__", "."): value for name, value in settings.items()}}
        self.config.write_text(conf.edit(SHARED.read_text(), items) + self.policies)

    def command(self, *words):
        program = ROOT / "build" / self.build / "peruser-mfa"
        return [*(_prefix() if self.build == "asan" else []), str(program), "-c", str(self.config),
                *(str(word) for word in words)]

    def environment(self):
        return {**os.environ, **SANITIZER, "LC_ALL": "C.UTF-8"}

    def run(self, *words, stdin="", status=0):
        """Run it to its end and look at the exit status; None: any."""
        done = subprocess.run(self.command(*words), input=stdin.encode(), capture_output=True, timeout=240,
                              env=self.environment())
        result = Done(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Sanitizer" not in result.err and "runtime error" not in result.err, result
        assert status is None or result.status == status, result
        return result

    def json(self, *words, **options):
        """The rows of a run with --json."""
        return self.run(*words, "--json", **options).rows

    def start(self, *words):
        """Run it beside the test."""
        return subprocess.Popen(self.command(*words), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, env=self.environment())

    def file(self, name, text, mode=0o600):
        path = self.dir / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        return path

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Terminal:
    """A run at a terminal: what it shows, and answers to what it asks."""

    def __init__(self, admin, *words):
        self.shown = b""
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(admin.command(*words), stdin=slave, stdout=slave, stderr=slave,
                                        env=admin.environment(), start_new_session=True)
        os.close(slave)

    def _read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            data = os.read(self.master, 65536)
        except OSError:
            data = b""
        self.shown += data
        return bool(data)

    def expect(self, text, timeout_s=30):
        """Wait until something is shown, and return all up to there."""
        end = time.monotonic() + timeout_s
        while text.encode() not in self.shown:
            if not self._read(0.1) or time.monotonic() > end:
                raise AssertionError(f"{text!r} never came: {self.shown.decode()}")
        return self.shown.decode()

    def send(self, line):
        os.write(self.master, line.encode() + b"\n")

    def finish(self, timeout_s=30):
        """Wait for the end; exit status."""
        end = time.monotonic() + timeout_s
        while self._read(0.1) and time.monotonic() < end:
            if self.process.poll() is not None and not select.select([self.master], [], [], 0.1)[0]:
                break
        return self.process.wait(timeout_s)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
