# SPDX-License-Identifier: GPL-2.0-or-later
"""A person at a terminal: types the next word whenever a program asks for one."""
import contextlib
import os
import pty
import re
import select
import signal
import subprocess
import time


def converse(command, words, prompt, *, timeout_s=30, env=None):
    """Run a command on a terminal of its own: (exit status, None when it did not end; all that was shown).

    prompt is a pattern for the end of what was shown since the last word. A word may be a function that
    returns it: what the person does before typing. Without a further word, the person hangs up.
    """
    master, slave = pty.openpty()
    process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True,
                               preexec_fn=_take_terminal)
    os.close(slave)
    try:
        shown = _talk(master, list(words), re.compile(prompt), time.monotonic() + timeout_s)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGHUP)
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(5), shown
        return None, shown
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(master)


def _take_terminal():
    import fcntl
    import termios
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def _talk(master, words, prompt, end):
    shown, seen = "", 0
    while time.monotonic() < end:
        if select.select([master], [], [], 0.2)[0]:
            try:
                data = os.read(master, 4096)
            except OSError:
                return shown
            if not data:
                return shown
            shown += data.decode("utf-8", "replace")
        if prompt.search(shown[seen:]):
            if not words:
                return shown
            seen, word = len(shown), words.pop(0)
            os.write(master, (word() if callable(word) else word).encode() + b"\n")
    raise TimeoutError(f"the program neither asks nor ends: {shown[-500:]}")
