# SPDX-License-Identifier: GPL-2.0-or-later
"""This machine, as often as one likes: an overlay over its files, with a network and processes of its own."""
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from . import ROOT
from .process import die_with_parent, wait_until

# The upper folder is in memory, so nothing that runs inside is written to the machine.
SCRIPT = """\
set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/upper" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/upper,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
for folder in run tmp; do mount -t tmpfs -o mode=1777 tmpfs "$1/root/$folder"; done
if [ ! -d "$1/root$2" ]; then   # the project is below one of these
	mkdir -p "$1/root$2" "$1/upper2" "$1/work2"
	mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/upper2,workdir=$1/work2" "$1/root$2"
fi
ip link set lo up
echo ready
while :; do sleep 1; done   # the first process has to wait for those that lost their parent
"""
# There is no systemd inside.
SYSTEMCTL = """\
#!/bin/sh
case "$2" in
slapd) pid=/run/slapd/slapd.pid ;;
freeradius) pid=/run/freeradius/freeradius.pid ;;
*) echo "systemctl: no $2 here" >&2; exit 1 ;;
esac
if [ "$1" = reload ]; then
	exec kill -HUP "$(cat $pid)"
fi
if [ -f $pid ] && old=$(cat $pid) && kill "$old" 2>/dev/null; then
	while kill -0 "$old" 2>/dev/null; do sleep 0.1; done
fi
[ "$1" != stop ] || exit 0
mkdir -p /run/slapd /run/freeradius
chown openldap:openldap /run/slapd
chown freerad:freerad /run/freeradius
case "$2" in
slapd) exec slapd -h 'ldap:/// ldapi:///' -u openldap -g openldap >/dev/null 2>&1 ;;
freeradius) exec freeradius >/dev/null 2>&1 ;;
esac
"""


class Overlay:
    """One such system."""

    def __init__(self):
        self.dir = Path(tempfile.mkdtemp(prefix="mfa-overlay-"))
        self.holder = subprocess.Popen(["unshare", "-m", "-n", "-p", "--fork", "--kill-child", "sh", "-c", SCRIPT, "sh",
                                        str(self.dir), str(ROOT)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, text=True, preexec_fn=die_with_parent)
        try:
            said = self.holder.stdout.readline()
            assert said == "ready\n", said + self.holder.stdout.read()
            self.write("/usr/local/bin/systemctl", SYSTEMCTL, 0o755)
        except BaseException:
            self.close()
            raise

    def run(self, script, cwd=ROOT, timeout_s=300):
        """(status, output) of a shell script."""
        [inside] = Path(f"/proc/{self.holder.pid}/task/{self.holder.pid}/children").read_text().split()
        with tempfile.TemporaryFile() as output:   # servers that it starts keep a pipe open
            done = subprocess.run(
                ["nsenter", "-t", inside, "-m", "-n", "-p", "chroot", str(self.dir / "root"), "bash", "-ec",
                 f"cd {shlex.quote(str(cwd))}\n{script}"], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                timeout=timeout_s, check=False,
                env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8",
                     "DEBIAN_FRONTEND": "noninteractive"})
            output.seek(0)
            return done.returncode, output.read().decode("utf-8", "replace")

    def write(self, path, text, mode=0o644):
        status, said = self.run(f"cat > {path} <<'END_OF_FILE'\n{text}END_OF_FILE\nchmod {mode:o} {path}", cwd="/")
        assert status == 0, said

    def close(self):
        self.holder.kill()
        self.holder.wait()
        self.holder.stdout.close()
        wait_until(lambda: not os.path.ismount(self.dir), what="the overlay's end")
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
