# SPDX-License-Identifier: GPL-2.0-or-later
"""The shipped examples of how to run the page, as they are but for ports, paths and the account, under the real servers."""
import ctypes
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

from . import ROOT
from .page import VARIABLE, Page
from .process import Server, wait_until

EXAMPLES = ROOT / "enroll/examples"
SOCKET = "/run/peruser-mfa-enroll.sock"
PROGRAM = "/usr/local/lib/cgi-bin/peruser-mfa-enroll"
ACCOUNT = "www-data" if os.geteuid() == 0 else None   # of server and page; without root all runs as ourselves

APACHE = """\
ServerRoot "{dir}"
ServerName localhost
Listen 127.0.0.1:{port}
PidFile "{dir}/apache.pid"
ErrorLog "{dir}/log"
ScriptSock "{dir}/cgi.sock"
{load}
{account}
SetEnv {variable} "{config}"
<VirtualHost *:{port}>
	SSLEngine on
	SSLCertificateFile "{slapd}/server.pem"
	SSLCertificateKeyFile "{slapd}/server.key"
</VirtualHost>
Include "{example}"
"""
APACHE_MODULES = "mpm_event authz_core alias env reqtimeout setenvif ssl cgid proxy proxy_fcgi"
NGINX = """\
daemon off;
{account}
pid {dir}/nginx.pid;
error_log stderr;
events {{ }}
http {{
	access_log off;
	client_body_temp_path {dir}/body;
	fastcgi_temp_path {dir}/fastcgi;
	proxy_temp_path {dir}/proxy;
	scgi_temp_path {dir}/scgi;
	uwsgi_temp_path {dir}/uwsgi;
	server {{
		listen 127.0.0.1:{port} ssl;
		ssl_certificate {slapd}/server.pem;
		ssl_certificate_key {slapd}/server.key;
		include {example};
	}}
}}
"""
LIGHTTPD = """\
server.modules = ("mod_openssl")
server.document-root = "{dir}/www"
server.bind = "127.0.0.1"
server.port = {port}
ssl.engine = "enable"
ssl.pemfile = "{slapd}/server.pem"
ssl.privkey = "{slapd}/server.key"
{account}
include "{example}"
"""


def unit(name, section, key):
    """The values of a setting in one of the shipped units, in their order."""
    values, here = [], None
    for line in (EXAMPLES / name).read_text().splitlines():
        here = line if line.startswith("[") else here
        found, _, value = line.partition("=")
        if here == f"[{section}]" and found == key:
            values.append(value)
    return values


def system_calls():
    """The system calls that the service may make: what its filter lists, without what it takes away."""
    def expand(words):
        names = set()
        for word in words:
            if not word.startswith("@"):
                names.add(word)
                continue
            text = subprocess.run(["systemd-analyze", "syscall-filter", word], check=True, capture_output=True, text=True,
                                  env={**os.environ, "SYSTEMD_COLORS": "0"}).stdout
            names |= expand(line.strip() for line in text.splitlines()[1:] if not line.strip().startswith("#"))
        return names
    allowed = expand(["@default"])
    for value in unit("peruser-mfa-enroll.service", "Service", "SystemCallFilter"):
        names = expand(value.lstrip("~").split())
        allowed = allowed - names if value.startswith("~") else allowed | names
    return sorted(allowed - {""})


class Filter:
    """The service's filter of system calls, for a child that is about to run the program."""

    DENY, ALLOW = 0x00050001, 0x7fff0000   # EPERM, as the unit says

    def __init__(self):
        self.library = ctypes.CDLL("libseccomp.so.2")
        self.library.seccomp_init.restype = ctypes.c_void_p
        numbers = [self.library.seccomp_syscall_resolve_name(name.encode()) for name in system_calls()]
        self.numbers = [number for number in numbers if number >= 0]

    def __call__(self):
        context = ctypes.c_void_p(self.library.seccomp_init(self.DENY))
        for number in self.numbers:
            self.library.seccomp_rule_add(context, self.ALLOW, number, 0)
        if self.library.seccomp_load(context) != 0:
            os._exit(126)


class Backend(Server):
    """The program behind a FastCGI socket, started as one of the examples has it."""

    def __init__(self, program, config, socket):
        super().__init__()
        self.program, self.config, self.socket = program, config, socket


class SocketActivated(Backend):
    """The service as systemd would start it at the first connection: its command, its filter of system calls."""

    name = "activated"

    def command(self):
        words = unit("peruser-mfa-enroll.service", "Service", "ExecStart")[0].replace(PROGRAM, str(self.program)).split()
        user = ["setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups"] if ACCOUNT else []
        return ["systemd-socket-activate", "-l", str(self.socket), "-E", f"{VARIABLE}={self.config}", *user,
                "/usr/bin/python3", "-B", str(Path(__file__).with_name("filtered.py")), *words]

    def is_ready(self):
        if not self.socket.exists():
            return False
        give(self.socket, 0o660)
        return True


class Spawned(Backend):
    """The workers as nginx.conf says that spawn-fcgi runs them."""

    name = "spawned"

    def command(self):
        text = (EXAMPLES / "nginx.conf").read_text()
        text = re.search(r"spawn-fcgi -(?:.*\\\n)*.*", text)[0].replace("\\\n#", " ")
        words = text.replace(SOCKET, str(self.socket)).replace(PROGRAM, str(self.program)).split()
        if ACCOUNT:
            words = [ACCOUNT if word == "peruser-mfa" else word for word in words]
        else:
            mark = words.index("-U")
            del words[mark:words.index("--")]
        return [words[0], "-n", *words[1:]]

    def environment(self):
        return {**os.environ, VARIABLE: str(self.config)}

    def is_ready(self):
        return self.socket.exists()


def give(path, mode):
    """Let the account have a file."""
    path.chmod(mode)
    if ACCOUNT:
        found = pwd.getpwnam(ACCOUNT)
        os.chown(path, 0 if mode != 0o700 else found.pw_uid, found.pw_gid)


class ShippedPage(Page):
    """The page at /mfa as one of the examples has it: "apache-fastcgi", "apache-cgi", "nginx" or "lighttpd"."""

    def __init__(self, slapd, example, **options):
        self.example = example
        super().__init__(slapd, mode="cgi", start=False, **options)
        try:
            self._install()
            if example != "apache-cgi":
                kind = Spawned if example == "nginx" else SocketActivated
                self.workers = kind(self.program, self.config, self.dir / "page.sock").start()
            self.start_on_free_ports()
        except BaseException:
            self.close()
            raise

    def write_config(self, settings, shared, locale):
        super().write_config({**settings, "throttle.file": str(self.dir / "state/throttle")}, shared, locale)

    def _install(self):
        """What `make install` and the administrator do."""
        self.dir.chmod(0o755)
        folder = self.dir / "cgi-bin"
        folder.mkdir()
        self.program = Path(shutil.copy(self.program, folder))
        state = self.dir / "state"
        state.mkdir()
        give(state, 0o700)
        for path in (self.config, self.shared, self.ring_path):
            give(path, 0o640)
        text = (EXAMPLES / f"{self.example}.conf").read_text()
        text = text.replace(SOCKET, str(self.dir / "page.sock")).replace(PROGRAM, str(self.program))
        (self.dir / "example.conf").write_text(text.replace(str(Path(PROGRAM).parent), str(folder)))
        (self.dir / "fastcgi_params").symlink_to("/etc/nginx/fastcgi_params")

    @property
    def kind(self):
        return self.example.split("-")[0]

    def command(self):
        config = str(self.dir / "server.conf")
        return {"apache": ["/usr/sbin/apache2", "-f", config, "-DFOREGROUND"], "nginx": ["/usr/sbin/nginx", "-c", config],
                "lighttpd": ["/usr/sbin/lighttpd", "-D", "-f", config]}[self.kind]

    def start(self):
        text, account = {
            "apache": (APACHE, "User {0}\nGroup {0}"), "nginx": (NGINX, "user {0};"),
            "lighttpd": (LIGHTTPD, 'server.username = "{0}"\nserver.groupname = "{0}"')}[self.kind]
        (self.dir / "server.conf").write_text(text.format(
            dir=self.dir, port=self.port, slapd=self.slapd.dir, example=self.dir / "example.conf", variable=VARIABLE,
            config=self.config, account=account.format(ACCOUNT) if ACCOUNT else "",
            load="\n".join(f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so" for name in APACHE_MODULES.split())))
        Server.start(self)
        wait_until(self.is_ready, what="web server ready")
        return self
