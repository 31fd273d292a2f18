# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine on which our software is installed: this one, with /etc and /usr of its own to write to.

It is a mount namespace with an overlay on each folder and an empty /run. What is written goes to a temporary folder; this
machine's own files stay as they are.
"""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import ROOT
from .netns import refusal
from .process import die_with_parent, wait_until

RADDB = "/etc/freeradius/3.0"
PAGE = "/etc/peruser-mfa"
FOLDERS = ("/etc", "/usr")
INSTALL = {
    "BINDIR": "/usr/local/bin", "CGIDIR": "/usr/local/lib/cgi-bin", "SHAREDIR": "/usr/local/share/peruser-mfa",
    "DOCDIR": "/usr/local/share/doc/peruser-mfa", "MANDIR": "/usr/local/share/man",
    "LOCALEDIR": "/usr/local/share/locale", "BASHDIR": "/usr/local/share/bash-completion/completions",
    "UNITDIR": "/usr/local/lib/systemd/system", "PAGE_CONFDIR": PAGE, "STATEDIR": "/var/lib/peruser-mfa",
    "FR_LIBDIR": "/usr/lib/freeradius", "FR_CONFDIR": RADDB, "SYSTEMD": "no",
}
MOUNT = """
for folder in /etc /usr; do
	mkdir -p "$0$folder" "$0/work$folder"
	mount -t overlay overlay -o "lowerdir=$folder,upperdir=$0$folder,workdir=$0/work$folder" "$folder" || exit 1
done
mount -t tmpfs tmpfs /run && exec sleep infinity
"""


def missing():
    """Why there is no such machine here; empty when there is."""
    if os.geteuid() != 0:
        return "only root mounts over /etc"
    if not Path("/usr/sbin/freeradius").exists():
        return "freeradius is not installed"
    reason = refusal("-m")
    if not reason:
        with tempfile.TemporaryDirectory() as folder:
            done = subprocess.run(["unshare", "-m", "sh", "-c", MOUNT.replace("exec sleep infinity", "true"), folder],
                                  capture_output=True, text=True)
            reason = done.stderr.strip() and f"the machine mounts no overlay: {done.stderr.strip()}"
    return reason


class Machine:
    """Installed by tools/install.sh; `build` is the build whose command is run."""

    def __init__(self, build="release"):
        self.dir = Path(tempfile.mkdtemp(prefix="mfa-machine-"))
        self.command = ROOT / "build" / build / "peruser-mfa"
        self.holder = subprocess.Popen(["unshare", "-m", "sh", "-c", MOUNT, self.dir], stdin=subprocess.DEVNULL,
                                       preexec_fn=die_with_parent)
        try:
            wait_until(lambda: Path(f"/proc/{self.holder.pid}/comm").read_text() == "sleep\n", what="overlays")
            self.run("sh", "tools/install.sh", "build/release", env={**os.environ, **INSTALL})
        except BaseException:
            self.close()
            raise

    @property
    def enter(self):
        return ["nsenter", "-t", str(self.holder.pid), "-m", f"--wd={ROOT}"]

    def run(self, *command, check=True, **options):
        done = subprocess.run([*self.enter, *map(str, command)], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=120, **options)
        assert done.returncode == 0 or not check, done.stdout
        return done.stdout

    def written(self):
        """Every file that is not as on this machine: path and bytes, or where a link points."""
        found = {}
        for folder in FOLDERS:
            top = Path(str(self.dir) + folder)
            for path in top.rglob("*"):
                name = folder + "/" + path.relative_to(top).as_posix()
                if path.is_symlink():
                    found[name] = os.readlink(path)
                elif path.is_file() and not (Path(name).is_file() and Path(name).read_bytes() == path.read_bytes()):
                    found[name] = path.read_bytes()
        return found

    def text(self, path):
        return Path(str(self.dir) + path).read_text()

    def close(self):
        self.holder.kill()
        self.holder.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
