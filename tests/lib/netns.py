# SPDX-License-Identifier: GPL-2.0-or-later
"""Namespaces that live as long as a process of ours: nothing is left behind, whatever happens."""
import os
import subprocess

from .process import die_with_parent, wait_until


def refusal(*flags):
    """Why this machine does not allow namespaces ("-n", "-m"), or "" when it does."""
    try:
        done = subprocess.run(["unshare", *flags, "true"], capture_output=True, text=True, timeout=20)
    except OSError as error:
        return str(error)
    if done.returncode:
        return f"the machine does not allow namespaces: {done.stderr.strip()}"
    if "-n" in flags:
        with Namespace() as one:
            done = one.run("ip", "link", "add", "probe0", "type", "veth", "peer", "name", "probe1", check=False)
        if done.returncode:
            return f"the machine does not allow veth pairs: {done.stdout.strip()}"
    return ""


class Namespace:
    """A network namespace with nothing but a loopback."""

    def __init__(self):
        self.holder = subprocess.Popen(["unshare", "-n", "sleep", "infinity"], stdin=subprocess.DEVNULL,
                                       preexec_fn=die_with_parent)
        try:
            own = os.readlink("/proc/self/ns/net")
            wait_until(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != own, what="network namespace")
            self.run("ip", "link", "set", "lo", "up")
        except BaseException:
            self.close()
            raise

    @property
    def enter(self):
        """The words to put in front of a command that shall run inside."""
        return ("nsenter", "-t", str(self.holder.pid), "-n")

    def run(self, *command, check=True):
        return subprocess.run([*self.enter, *command], check=check, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)

    def close(self):
        self.holder.kill()
        self.holder.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def connect(one, two, name_one, name_two, net="10.99.0"):
    """A cable between two namespaces; the ends get .1 and .2."""
    one.run("ip", "link", "add", name_one, "type", "veth", "peer", "name", name_two, "netns", str(two.holder.pid))
    for number, (space, name) in enumerate(((one, name_one), (two, name_two)), 1):
        space.run("ip", "addr", "add", f"{net}.{number}/24", "dev", name)
        space.run("ip", "link", "set", name, "up")
