# SPDX-License-Identifier: GPL-2.0-or-later
"""A server process in a folder of its own, gone with everything it made when the block ends."""
import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from . import ROOT

STARTUP_S = 30
_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


class StartFailed(Exception):
    """The server ended before it was ready. The text holds the end of its log."""


class PortTaken(StartFailed):
    """Somebody took the port between our look and the server's bind."""


def free_port(kind=socket.SOCK_STREAM):
    """A port that is free on 127.0.0.1 now. It may be lost again: start() tries more than once."""
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def listens(port):
    """Whether a connection to this port of 127.0.0.1 is taken."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def wait_until(condition, timeout_s=STARTUP_S, what="condition"):
    """Poll until condition() is true and return its value."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {timeout_s} s")
        time.sleep(0.02)


def die_with_parent():
    """In a child: be killed when the parent ends, however that ends."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Server:
    """Base of the servers: subclasses write configuration, name the command, and say when it is ready."""

    name = "server"

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix=f"mfa-{self.name.split()[0]}-"))
        self.log_path = self.dir / "log"
        self.process = None

    def command(self):
        raise NotImplementedError

    def pick_ports(self):
        """Choose ports. Called before the first start, and again when one was taken."""

    def is_ready(self):
        raise NotImplementedError

    def environment(self):
        return None

    def start(self):
        """Start, or start again on the same ports and data."""
        if self.process is not None and self.process.poll() is None:
            raise RuntimeError(f"{self.name} is already running")
        mark = self.mark()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd=self.dir, env=self.environment(), start_new_session=True, preexec_fn=die_with_parent)
        try:
            wait_until(lambda: self._started(mark), what=f"{self.name} ready")
        except TimeoutError as error:
            raise StartFailed(f"{error}\n{self.log(mark)[-4000:]}") from None
        return self

    def start_on_free_ports(self, tries=5):
        for left in reversed(range(tries)):
            self.pick_ports()
            try:
                return self.start()
            except PortTaken:
                if not left:
                    raise
        return self

    def _started(self, mark):
        if self.process.poll() is None:
            return self.is_ready()
        text = self.log(mark)
        taken = "in use" in text or "bind(" in text
        raise (PortTaken if taken else StartFailed)(f"{self.name} ended with {self.process.returncode}\n{text[-4000:]}")

    def _signal(self, number):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def sigstop(self):
        """Every thread stands still when this returns; when the signal was sent, some still run."""
        self._signal(signal.SIGSTOP)
        wait_until(lambda: self._states() <= {"T", "Z"}, what=f"{self.name} stopped")

    def _states(self):
        """Letters of proc(5), of all threads."""
        found = set()
        for stat in Path(f"/proc/{self.process.pid}/task").glob("*/stat"):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                found.add(stat.read_text().rpartition(")")[2].split()[0])
        return found

    def sigcont(self):
        self._signal(signal.SIGCONT)

    def kill(self):
        self._signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()

    def stop(self, timeout_s=30):
        """End the server and return its exit status; None if it never ran."""
        if self.process is None:
            return None
        self.sigcont()
        self._signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def restart(self):
        self.stop()
        return self.start()

    def mark(self):
        """The end of the log now, for log(since)."""
        return self.log_path.stat().st_size if self.log_path.exists() else 0

    def log(self, since=0):
        with open(self.log_path, "rb") as log:
            log.seek(since)
            return log.read().decode("utf-8", "replace")

    def wait_log(self, text, since=0, timeout_s=5):
        wait_until(lambda: text in self.log(since), timeout_s, f"{text!r} in the log of {self.name}")

    def _kill_children(self):
        """What a server has started is in its session, and outlives a server that was killed."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def close(self):
        try:
            self.sigcont()
            self._kill_children()
            self.kill()
        finally:
            if "MFA_KEEP" not in os.environ:
                shutil.rmtree(self.dir, ignore_errors=True)

    def preload(self, name):
        """One of the libraries that tests put in front of a program's: a copy, since LD_PRELOAD knows no spaces."""
        return shutil.copy(ROOT / "build/release/lib" / name, self.dir)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
