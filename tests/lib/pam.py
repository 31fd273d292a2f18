# SPDX-License-Identifier: GPL-2.0-or-later
"""pam_radius and the programs that ask it, without touching the machine's own /etc."""
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

from .process import Server, free_port

# Bind each pair over its target, in mounts that only this process and its children see.
_BIND = 'while [ "$1" != -- ]; do mount --bind "$1" "$2" || exit 99; shift 2; done; shift; exec "$@"'


def private(mounts, command):
    """A command with files and folders of ours in place of the machine's: {"/etc/pam.d": folder}."""
    pairs = [str(word) for target, source in mounts.items() for word in (source, target)]
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", _BIND, "sh", *pairs, "--", *map(str, command)]


class PamRadius:
    """A PAM service whose password and code are asked of a RADIUS server."""

    def __init__(self, ports, *, timeout_s=8, module="required", max_challenge=3, options=""):
        self.dir = Path(tempfile.mkdtemp(prefix="mfa-pam-"))
        self.services = self.dir / "pam.d"
        self.services.mkdir()
        servers = "".join(f"127.0.0.1:{port} testing123 {timeout_s}\n" for port in ports)
        (self.dir / "radius.conf").write_text(servers)
        (self.dir / "radius.conf").chmod(0o600)
        text = (f"auth {module} pam_radius_auth.so [conf={self.dir}/radius.conf] prompt=Password prompt_attribute "
                f"max_challenge={max_challenge} {options}\naccount required pam_permit.so\nsession required pam_permit.so\n")
        for service in ("mfa-test", "sshd"):
            (self.services / service).write_text(text)

    @property
    def mounts(self):
        return {"/etc/pam.d": self.services}

    def login(self, user, *answers):
        """pamtester: (whether it got in, all that it showed)."""
        done = subprocess.run(private(self.mounts, ["pamtester", "mfa-test", user.uid, "authenticate"]),
                              input="".join(f"{answer}\n" for answer in answers).encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60)
        return done.returncode == 0, done.stdout.decode("utf-8", "replace")

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Sshd(Server):
    """An OpenSSH server whose accounts are users of the directory; the machine's own files stay as they are."""

    name = "sshd"

    def __init__(self, pam, uids):
        super().__init__()
        try:
            self.pam = pam
            os.chmod(self.dir, 0o755)
            self.home = self.dir / "home"
            self.home.mkdir()
            for name in ("passwd", "shadow"):
                lines = Path("/etc", name).read_text()
                for number, uid in enumerate(uids):
                    lines += (f"{uid}:x:{47000 + number}:65534::{self.home}:/bin/sh\n" if name == "passwd"
                              else f"{uid}:*:19000:0:99999:7:::\n")
                (self.dir / name).write_text(lines)
            (self.dir / "shadow").chmod(0o600)
            (self.dir / "run").mkdir(mode=0o755)
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.dir / "host_key")], check=True)
            self.start_on_free_ports()
        except BaseException:
            self.close()
            raise

    def pick_ports(self):
        self.port = free_port()
        (self.dir / "sshd_config").write_text(
            f'Port {self.port}\nListenAddress 127.0.0.1\nHostKey "{self.dir}/host_key"\nPidFile none\nUsePAM yes\n'
            "PasswordAuthentication no\nPubkeyAuthentication no\nKbdInteractiveAuthentication yes\n"
            "AuthenticationMethods keyboard-interactive\nLogLevel VERBOSE\nPrintMotd no\n")

    def command(self):
        mounts = {**self.pam.mounts, "/etc/passwd": self.dir / "passwd", "/etc/shadow": self.dir / "shadow",
                  "/run": self.dir / "run"}
        inside = ["sh", "-c", 'mkdir -p /run/sshd && exec "$@"', "sh", "/usr/sbin/sshd", "-D", "-e",
                  "-f", self.dir / "sshd_config"]
        return private(mounts, inside)

    def is_ready(self):
        return "Server listening" in self.log(self._ready_from)

    def start(self):
        self._ready_from = self.mark()
        return super().start()

    def login(self, user, *answers, command="echo in"):
        """ssh, which asks a program of ours what to type: (output, prompts, what else it showed)."""
        folder = Path(tempfile.mkdtemp(prefix="mfa-ssh-"))
        try:
            (folder / "answers").write_text("".join(f"{answer}\n" for answer in answers))
            (folder / "prompts").write_text("")
            ask = folder / "ask"
            ask.write_text('#!/bin/sh\nset -e\ncd "$(dirname "$0")"\nprintf "%s\\n" "$1" >>prompts\n'
                           "head -n1 answers\nsed -i 1d answers\n")
            ask.chmod(ask.stat().st_mode | stat.S_IXUSR)
            done = subprocess.run(
                ["ssh", "-F", "none", "-p", str(self.port), "-o", "StrictHostKeyChecking=no",
                 "-o", "UserKnownHostsFile=/dev/null", "-o", "PreferredAuthentications=keyboard-interactive",
                 "-o", "NumberOfPasswordPrompts=1", f"{user.uid}@127.0.0.1", command],
                env={**os.environ, "SSH_ASKPASS": str(ask), "SSH_ASKPASS_REQUIRE": "force"},
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
            return done.stdout, (folder / "prompts").read_text().splitlines(), done.stderr
        finally:
            shutil.rmtree(folder, ignore_errors=True)
