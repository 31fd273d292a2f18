# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs of Debian that ask RADIUS for a password: login, squid's helper, Dovecot, radcli."""
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from .ocserv import radcli_files
from .pam import private
from .process import Server, wait_until
from .story import Way
from .terminal import converse

SQUID_HELPER = "/usr/lib/squid/basic_radius_auth"
# A program with radcli as its documentation shows it: one request, and one for each challenge.
RADCLI_PROGRAM = r"""
#include <radcli/radcli.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	rc_handle *rh = rc_read_config(argv[1]);
	VALUE_PAIR *received = NULL, *state;
	char message[PW_MAX_MSG_SIZE];
	int result = ERROR_RC, service = PW_AUTHENTICATE_ONLY;

	if (!rh || rc_read_dictionary(rh, rc_conf_str(rh, "dictionary"))) return 2;
	for (int i = 3; i < argc; i++) {
		VALUE_PAIR *send = NULL;

		rc_avpair_add(rh, &send, PW_USER_NAME, argv[2], -1, 0);
		rc_avpair_add(rh, &send, PW_USER_PASSWORD, argv[i], -1, 0);
		rc_avpair_add(rh, &send, PW_SERVICE_TYPE, &service, -1, 0);
		state = received ? rc_avpair_get(received, PW_STATE, 0) : NULL;
		if (state) rc_avpair_add(rh, &send, PW_STATE, state->strvalue, (int)state->lvalue, 0);
		received = NULL;
		message[0] = '\0';
		result = rc_auth(rh, 0, send, &received, message);
		printf("%s\n", message);
		if (result != CHALLENGE_RC) break;
	}
	return result == OK_RC ? 0 : 1;
}
"""


class Folder:
    """A temporary folder that goes with its owner."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="mfa-program-"))
        os.chmod(self.dir, 0o755)

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Login(Way, Folder):
    """login(1) at a terminal, with pam_radius; its accounts are made for each user."""

    name = "login with pam_radius"

    def __init__(self, pam):
        super().__init__()
        self.pam = pam
        shutil.copy(pam.services / "mfa-test", pam.services / "login")

    def login(self, user, *typed):
        for name, line in (("passwd", f"{user.uid}:x:47000:65534::{self.dir}:/usr/bin/id\n"),
                           ("shadow", f"{user.uid}:*:19000:0:99999:7:::\n")):
            (self.dir / name).write_text(Path("/etc", name).read_text() + line)
        (self.dir / "shadow").chmod(0o600)
        mounts = {**self.pam.mounts, "/etc/passwd": self.dir / "passwd", "/etc/shadow": self.dir / "shadow"}
        _, shown = converse(private(mounts, ["login", user.uid]), typed, r"(Password|: ?)\s*$")
        return "uid=47000" in shown, shown


class Squid(Way, Folder):
    """The helper of squid's basic authentication: a line in, OK or ERR out.

    It draws the Request Authenticator from the clock's seconds.  Two of its packets with the same words in
    one second are equal but for the port that they come from.
    """

    name, mode, told = "squid, basic_radius_auth", "append", False

    def __init__(self, port):
        super().__init__()
        self.port, self.second, self.clock = port, 0, {}

    def stop_clock(self, preload):
        """From now on each helper that is started sees this second."""
        (self.dir / "time").write_text(str(int(time.time())))
        self.clock = {"LD_PRELOAD": preload, "TIME_FILE": str(self.dir / "time")}

    def login(self, user, *typed):
        wait_until(lambda: self.clock or int(time.time()) > self.second, what="the next second")
        self.second = int(time.time()) + 1
        done = subprocess.run([SQUID_HELPER, "-h", "127.0.0.1", "-p", str(self.port), "-i", "squid", "-w", "testing123",
                               "-t", "5"], input=f"{user.uid} {typed[0]}\n", capture_output=True, text=True, timeout=60,
                              env={**os.environ, **self.clock})
        return done.stdout.startswith("OK"), done.stdout + done.stderr


class Radcli(Way, Folder):
    """A program that uses libradcli."""

    name = "radcli"

    def __init__(self, port):
        super().__init__()
        self.config = radcli_files(self.dir, port, "radcli")
        (self.dir / "ask.c").write_text(RADCLI_PROGRAM)
        subprocess.run(["cc", "-o", "ask", "ask.c", "-lradcli"], cwd=self.dir, check=True, capture_output=True)

    def login(self, user, *typed):
        done = subprocess.run([self.dir / "ask", self.config, user.uid, *typed], capture_output=True, text=True, timeout=60)
        assert done.returncode in (0, 1), done.stderr
        return done.returncode == 0, done.stdout


class Dovecot(Server, Way):
    """Dovecot with PAM and pam_radius; doveadm logs in as an IMAP client would."""

    name, mode, told = "Dovecot with pam_radius", "append", False

    def __init__(self, pam):
        Server.__init__(self)
        try:
            self.pam = pam
            os.chmod(self.dir, 0o755)
            (self.dir / "dovecot.conf").write_text(
                f"base_dir = {self.dir}/run\nstate_dir = {self.dir}/run\nlog_path = /dev/stderr\nprotocols =\n"
                f"ssl = no\nauth_failure_delay = 0\nauth_cache_size = 0\nauth_debug = yes\n"
                "passdb {\n\tdriver = pam\n\targs = mfa-test\n}\n"
                f"userdb {{\n\tdriver = static\n\targs = uid=65534 gid=65534 home={self.dir}\n}}\n")
            self.start()
        except BaseException:
            self.close()
            raise

    def command(self):
        return private(self.pam.mounts, ["dovecot", "-F", "-c", self.dir / "dovecot.conf"])

    def is_ready(self):
        return (self.dir / "run/auth-client").exists()

    def login(self, user, *typed):
        done = subprocess.run(["doveadm", "-c", self.dir / "dovecot.conf", "auth", "test", user.uid, typed[0]],
                              capture_output=True, text=True, timeout=60)
        return done.returncode == 0, done.stdout + done.stderr

    def close(self):
        """Its processes leave the session, so it has to end them itself."""
        self.stop()
        super().close()
