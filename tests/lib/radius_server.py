# SPDX-License-Identifier: GPL-2.0-or-later
"""FreeRADIUS with our module in a small site, all in a folder of its own."""
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

from . import ROOT, conf
from .client import Client
from .process import Server, free_port
from .ring import Ring

TEMPLATES = Path(__file__).parent / "raddb"
SHIPPED = ROOT / "raddb"
PACKAGED_MODULES = Path("/usr/lib/freeradius")

LDAP_BIND = """\
	ldap
	if (&User-Password) {
		update control {
			Auth-Type = LDAP
		}
	}
"""
READ_PASSWORD = """\
	chap
	mschap
	ldap
	pap
"""
# The verdict and the reason, sent along so that a test need not search the log for them.
ECHO = """\
	update reply {
		Connect-Info := "%{Peruser-MFA-Result}"
		Callback-Id := "%{Module-Failure-Message}"
	}
"""
VALGRIND = ("valgrind", "--leak-check=full", "--show-leak-kinds=definite,indirect", "--num-callers=30",
            "--child-silent-after-fork=yes", "--keep-debuginfo=yes", "--log-file=valgrind.%p")


class FreeRadius(Server):
    """One server process.

    slapd       the directory of the first factor and of our module
    ring        a Ring; another server with the same one opens its States
    settings    items of the shared file, {"lockout.threshold": 3}; None removes an item
    instance    items of the module's own section, {"challenge.attempts": 2}
    sections    text by place: authorize_first, first_factor, authorize_last, post_auth_first, post_auth, reject
    update      lines of rlm_ldap's update section
    more        further configuration files by path under raddb
    echo        send the result and the reason in Connect-Info and Callback-Id
    build       which build of the module: release or asan
    under       a command to run the server under, such as VALGRIND
    policies    text of `policy NAME { }` sections
    ldap_uri    how rlm_ldap reaches the directory; ldapi works from another network namespace too
    """

    name = "freeradius"

    def __init__(self, slapd=None, *, ring=None, settings=None, instance=None, sections=None, update="", more=None,
                 proxy="", echo=True, debug=0, build="release", under=(), threads=4, module=True, ldap_uri=None,
                 policies="", start=True):
        super().__init__()
        try:
            self.slapd, self.build, self.under, self.threads = slapd, build, tuple(under), threads
            self.settings, self.instance, self.sections = settings or {}, instance or {}, sections or {}
            self.update, self.more, self.proxy, self.echo, self.debug = update, more or {}, proxy, echo, debug
            self.module, self.ldap_uri, self.policies = module, ldap_uri, policies
            self.ring = ring or Ring()
            self.ring_path = self.ring.write(self.dir / "ring")
            self._link_modules()
            if start:
                self.start_on_free_ports()
        except BaseException:
            self.close()
            raise

    # ---- configuration

    def _link_modules(self):
        lib = self.dir / "lib"
        lib.mkdir()
        for module in PACKAGED_MODULES.glob("*.so"):
            (lib / module.name).symlink_to(module)
        if self.module:
            (lib / "rlm_peruser_mfa.so").symlink_to(self.module_path)

    @property
    def module_path(self):
        return ROOT / "build" / self.build / "rlm_peruser_mfa.so"

    @property
    def raddb(self):
        return self.dir / "raddb"

    def configure(self, **changes):
        """Write raddb again, with some arguments of the constructor changed."""
        for name, value in changes.items():
            if not hasattr(self, name):
                raise AttributeError(name)
            setattr(self, name, value)
        shutil.rmtree(self.raddb, ignore_errors=True)
        words = self._words()
        self._write("radiusd.conf", _fill(TEMPLATES / "radiusd.conf", words))
        self._write("mods-enabled/standard", _fill(TEMPLATES / "standard", words))
        self._write("sites-enabled/test", _fill(TEMPLATES / "site", words))
        self._write("mods-config/files/authorize", "")
        self._write("mods-config/files/accounting", "")
        self._write("mods-config/files/pre-proxy", "")
        (self.raddb / "policy.d").mkdir()
        if self.module:
            self._write_ours()
        for path, text in self.more.items():
            self._write(path, _fill_text(text, words))

    def _write_ours(self):
        for policy in (SHIPPED / "policy.d").glob("*"):
            self._write(f"policy.d/{policy.name}", policy.read_text())
        self._write("mods-config/peruser_mfa/peruser_mfa.conf", self.shared_file())
        self._write("mods-enabled/peruser_mfa", self.instance_file())

    def shared_file(self):
        shipped = (SHIPPED / "mods-config/peruser_mfa/peruser_mfa.conf").read_text()
        return conf.edit(shipped, {**self._directory(), "key_ring": str(self.ring_path), **self.settings}) + self.policies

    def _directory(self):
        return self.slapd.settings if self.slapd else {}

    def instance_file(self):
        shipped = (SHIPPED / "mods-available/peruser_mfa").read_text()
        account = {"identity": self.slapd.radius_dn,
                   "password": self.slapd.passwords[self.slapd.radius_dn]} if self.slapd else {}
        items = {**account, **self.instance}
        return conf.edit(shipped, {f"peruser_mfa.{name}": value for name, value in items.items()})

    def _words(self):
        ldap = self.slapd
        words = {
            "DIR": str(self.dir), "PORT": str(self.port), "THREADS": str(self.threads), "PROXY": self.proxy,
            "LDAP_URI": self.ldap_uri or (ldap.uri if ldap else "ldap://127.0.0.1"),
            "LDAP_DN": ldap.freeradius_dn if ldap else "",
            "LDAP_PASSWORD": ldap.passwords[ldap.freeradius_dn] if ldap else "",
            "LDAP_BASE": ldap.people if ldap else "", "LDAP_USER_BASE": ldap.people if ldap else "", "LDAP_SCOPE": "sub",
            "LDAP_CA": str(ldap.ca_file) if ldap else "",
            "LDAP_LOGIN": ldap.login_attribute if ldap else "uid",
            "LDAP_UPDATE": "\t\tcontrol:Password-With-Header += 'userPassword'\n" + self.update, "LDAP_TIMEOUT": "2",
            "FIRST_FACTOR": LDAP_BIND, "ECHO": ECHO if self.echo and self.module else "",
            "AUTHORIZE_FIRST": "", "AUTHORIZE_LAST": "", "POST_AUTH_FIRST": "", "POST_AUTH": "", "REJECT": "",
            "MFA_AUTHORIZE": "", "MFA_AUTHENTICATE": "", "MFA_POST_AUTH": "",
        }
        if self.module:
            words.update(MFA_AUTHORIZE="peruser_mfa", MFA_AUTHENTICATE="peruser_mfa", MFA_POST_AUTH="peruser_mfa")
        words.update({name.upper(): text for name, text in self.sections.items()})
        return words

    def _write(self, path, text):
        target = self.raddb / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        target.chmod(0o640)

    # ---- the process

    def pick_ports(self):
        self.port = free_port(socket.SOCK_DGRAM)

    def start_on_free_ports(self, tries=5):
        self.pick_ports()
        self.configure()
        return self.start()

    def command(self):
        debug = ["-" + "x" * self.debug] if self.debug else []
        # the sanitizer needs its shadow at a fixed place, which random addresses may have taken
        still = ["setarch", "-R"] if self.build == "asan" else []
        return [*still, *self.under, *self._program(), "-f", *debug]

    def _program(self):
        return ["/usr/sbin/freeradius", "-l", "stdout", "-d", str(self.raddb), "-n", "radiusd"]

    def environment(self):
        if self.build != "asan":
            return None
        libasan = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True,
                                 check=True).stdout.strip()
        log = f"log_path={self.dir}/sanitizer"   # the server turns its standard error off
        return {**os.environ, "LD_PRELOAD": f"{self.preload('dlopen_shim.so')}:{libasan}", "UBSAN_OPTIONS": f"print_stacktrace=1:{log}",
                "ASAN_OPTIONS": f"verify_asan_link_order=0:detect_leaks=1:abort_on_error=0:"
                                f"fast_unwind_on_malloc=0:{log}"}

    def sanitizer_log(self):
        """What the sanitizers found, after the server has ended."""
        return "".join(path.read_text(errors="replace") for path in self.dir.glob("sanitizer.*"))

    def is_ready(self):
        return "Ready to process requests" in self.log(self._ready_from)

    def start(self):
        self._ready_from = self.mark()
        return super().start()

    def check(self):
        """Let the server check its configuration; returns exit status and what it said."""
        if not self.raddb.exists():
            self.pick_ports()
            self.configure()
        done = subprocess.run([*self._program(), "-C", "-x"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT,
                              timeout=60, env=self.environment())
        return done.returncode, done.stdout.decode("utf-8", "replace")

    def hup(self):
        """Make it read its configuration again; returns what it logged about that."""
        mark = self.mark()
        self._signal(signal.SIGHUP)
        self.wait_log("Received HUP", mark)
        return mark

    def client(self, **options):
        return Client(self.port, **options)


def _fill(path, words):
    return _fill_text(path.read_text(), words)


def _fill_text(text, words):
    for name, value in words.items():
        text = text.replace(f"@{name}@", value)
    return text


class Later(FreeRadius):
    """A server whose clock is ahead by so many seconds."""

    def __init__(self, *args, shift_s, **options):
        self.shift_s = shift_s
        super().__init__(*args, **options)

    def environment(self):
        # the server loads a module so that it would see the C library first
        preloads = f"{self.preload('dlopen_shim.so')}:{self.preload('time_shift.so')}"
        return {**os.environ, "LD_PRELOAD": preloads, "TIME_SHIFT_S": str(self.shift_s)}


class Clocked(FreeRadius):
    """A server with one thread, whose clock stands at what set_time() said."""

    def __init__(self, *args, now_s, **options):
        self.now_s = now_s
        super().__init__(*args, **{"threads": 1, **options})

    def set_time(self, now_s):
        self.now_s = now_s
        fresh = self.dir / "time.new"
        fresh.write_text(str(now_s))
        fresh.rename(self.dir / "time")

    def settle(self):
        """Let it finish the request that it answered last: its only thread answers another one after that.

        Until a request is finished, the server drops a retransmission of it. A NAS waits for seconds, so it does not see that.
        """
        with self.client(timeout_s=20) as client:
            client.password("nobody", "none")

    def environment(self):
        self.set_time(self.now_s)
        return {**os.environ, "LD_PRELOAD": f"{self.preload('dlopen_shim.so')}:{self.preload('time_shift.so')}",
                "TIME_FILE": str(self.dir / "time")}
