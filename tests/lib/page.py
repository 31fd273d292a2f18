# SPDX-License-Identifier: GPL-2.0-or-later
"""The enrolment page behind a real web server, and a visitor who speaks plain HTTP."""
import html.parser
import http.client
import socket
import ssl
import subprocess
import urllib.parse
from pathlib import Path

from . import ROOT, conf
from .process import Server, die_with_parent, free_port
from .ring import Ring
from .slapd import ENROLL_DN, PEOPLE

SHARED = ROOT / "raddb/mods-config/peruser_mfa/peruser_mfa.conf"
EXAMPLE = ROOT / "enroll/enroll.conf"
VARIABLE = "PERUSER_MFA_ENROLL_CONF"
BASE = "/mfa"

LIGHTTPD = """\
server.modules = ({modules})
server.document-root = "{dir}/www"
server.bind = "127.0.0.1"
server.port = {port}
server.errorlog = "/dev/stderr"
server.stream-request-body = 0
mimetype.assign = (".svg" => "image/svg+xml")
{tls}
{handler}
"""
LIGHTTPD_TLS = """\
ssl.engine = "enable"
ssl.pemfile = "{slapd}/server.pem"
ssl.privkey = "{slapd}/server.key"
"""
LIGHTTPD_FASTCGI = """\
fastcgi.server = ("{base}" => (("host" => "127.0.0.1", "port" => {fcgi_port}, "check-local" => "disable")))
"""
LIGHTTPD_CGI = """\
alias.url = ("{base}" => "{program}")
cgi.assign = ("peruser-mfa-enroll" => "")
setenv.set-environment = ("{variable}" => "{config}")
"""


class Workers(Server):
    """The program itself, serving FastCGI on a TCP port of 127.0.0.1."""

    name = "enroll"

    def __init__(self, program, config, count=1, under=()):
        super().__init__()
        self.program, self.config, self.count, self.under = program, config, count, tuple(under)
        self.shift_s = 0
        self.socket = None

    def command(self):
        shift = ("env", f"LD_PRELOAD={self.preload('time_shift.so')}", f"TIME_SHIFT_S={self.shift_s}") if self.shift_s else ()
        return [*shift, *self.under, str(self.program), "-c", str(self.config), "-n", str(self.count)]

    def start(self):
        """Bind a socket and hand it over as standard input, as spawn-fcgi does; keeps its port over restarts."""
        if self.socket is None:
            self.socket = socket.socket()
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.bind(("127.0.0.1", 0))
            self.socket.listen(128)
            self.port = self.socket.getsockname()[1]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command(), stdin=self.socket, stdout=log, stderr=subprocess.STDOUT,
                                            cwd=self.dir, start_new_session=True, preexec_fn=die_with_parent)
        return self

    def shift(self, seconds):
        """Let so much more time pass, for the program."""
        self.shift_s += seconds
        self.restart()

    def pids(self):
        """The processes that serve."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(pid) for pid in children] or [self.process.pid]

    def close(self):
        if self.process is not None and self.process.poll() is None:
            self.stop()
        if self.socket:
            self.socket.close()
        super().close()


class Page(Server):
    """lighttpd with the page at /mfa.

    ring       a Ring; the one of FreeRADIUS, so that both read the same secrets
    mode       "fastcgi" or "cgi"
    tls        HTTPS with the certificate of slapd's folder; without it plain HTTP, allowed for loopback
    workers    FastCGI processes
    settings   items of enroll.conf, {"site.name": "Example"}
    shared     items of the shared file, {"lockout.threshold": 3}
    preload    a library in front of those of the FastCGI processes, "no_entropy.so"
    """

    name = "page"

    def __init__(self, slapd, *, ring=None, mode="fastcgi", tls=True, workers=1, settings=None, shared=None,
                 build="release", start=True, preload=None, policies=""):
        super().__init__()
        self.workers = None
        try:
            self.slapd, self.mode, self.tls, self.policies = slapd, mode, tls, policies
            self.ring = ring or Ring()
            self.program = ROOT / f"build/{build}/peruser-mfa-enroll"
            self.ring_path = self.ring.write(self.dir / "ring")
            (self.dir / "www").mkdir()
            self.write_config(settings or {}, shared or {}, ROOT / f"build/{build}/locale")
            if mode == "fastcgi":
                under = ("env", f"LD_PRELOAD={self.preload(preload)}") if preload else ()
                self.workers = Workers(self.program, self.config, workers, under)
                self.workers.start()
            if start:
                self.start_on_free_ports()
        except BaseException:
            self.close()
            raise

    def write_config(self, settings, shared, locale):
        self.shared = self.dir / "peruser_mfa.conf"
        self.shared.write_text(conf.edit(SHARED.read_text(), {
            "ldap.uri": self.slapd.uri, "user.base_dn": PEOPLE, "key_ring": str(self.ring_path), **shared}) + self.policies)
        self.config = self.dir / "enroll.conf"
        self.config.write_text(conf.edit(EXAMPLE.read_text(), {
            "shared": str(self.shared), "account.identity": ENROLL_DN,
            "account.password": self.slapd.passwords[ENROLL_DN], "site.locale_dir": str(locale),
            "throttle.file": str(self.dir / "throttle"), "http.allow_plain_loopback": not self.tls, **settings}))

    # ---- lighttpd

    def pick_ports(self):
        self.port = free_port()

    def command(self):
        return ["/usr/sbin/lighttpd", "-D", "-f", str(self.dir / "lighttpd.conf")]

    def start(self):
        fastcgi = self.mode == "fastcgi"
        values = {"dir": self.dir, "port": self.port, "slapd": self.slapd.dir, "base": BASE, "variable": VARIABLE,
                  "config": self.config, "program": self.program,
                  "fcgi_port": self.workers.port if fastcgi else 0}
        modules = (["mod_openssl"] if self.tls else []) + (
            ["mod_fastcgi"] if fastcgi else ["mod_alias", "mod_setenv", "mod_cgi"])
        (self.dir / "lighttpd.conf").write_text(LIGHTTPD.format(
            modules=", ".join(f'"{name}"' for name in modules),
            tls=LIGHTTPD_TLS.format(**values) if self.tls else "",
            handler=(LIGHTTPD_FASTCGI if fastcgi else LIGHTTPD_CGI).format(**values), **values))
        return super().start()

    def is_ready(self):
        with socket.socket() as sock:
            return sock.connect_ex(("127.0.0.1", self.port)) == 0

    @property
    def origin(self):
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    @property
    def url(self):
        return self.origin + BASE

    def visitor(self, **options):
        return Visitor(self.origin, self.slapd.ca_file, base=BASE, **options)

    def all_logs(self):
        return self.log() + (self.workers.log() if self.workers else "")

    def close(self):
        try:
            if self.workers:
                self.workers.close()
        finally:
            super().close()


class Forms(html.parser.HTMLParser):
    """Forms of a page: {action: {field: value}}, its links, and its text."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.links, self.words, self.lang = [], [], [], None
        self._form, self._link = None, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "html":
            self.lang = attrs.get("lang")
        if tag == "form":
            self._form = {}
            self.forms.append((attrs["action"], self._form))
        if tag == "input" and self._form is not None:
            self._form[attrs["name"]] = attrs.get("value", "")
        if tag == "a":
            self.links.append(attrs.get("href", ""))

    def handle_endtag(self, tag):
        if tag == "form":
            self._form = None

    def handle_data(self, data):
        self.words.append(data)


class Answer:
    """What came back."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body
        self.text = body.decode("utf-8", "replace")

    def header(self, name):
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return values[0] if values else None

    @property
    def page(self):
        return Forms(self.text)

    @property
    def words(self):
        return " ".join("".join(self.page.words).split())

    def form(self, action, which=0):
        """The fields of the form that posts to a path below the base."""
        return dict([fields for where, fields in self.page.forms if where.endswith(action)][which])

    def __repr__(self):
        return f"{self.status} {self.header('Location') or ''} {self.words[:600]}"


class Visitor:
    """A browser without a window: keeps cookies, follows nothing by itself."""

    def __init__(self, origin, ca_file=None, *, base="", language=None):
        self.origin, self.base, self.language = urllib.parse.urlsplit(origin), base, language
        self.context = ssl.create_default_context(cafile=str(ca_file)) if self.origin.scheme == "https" else None
        self.cookies = {}

    def request(self, method, path, body=None, headers=None, timeout=30):
        """One request on a connection of its own; path as it is."""
        if self.context:
            connection = http.client.HTTPSConnection(self.origin.hostname, self.origin.port, timeout=timeout,
                                                     context=self.context)
        else:
            connection = http.client.HTTPConnection(self.origin.hostname, self.origin.port, timeout=timeout)
        sent = dict(headers or {})
        if self.cookies:
            sent.setdefault("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        if self.language:
            sent.setdefault("Accept-Language", self.language)
        try:
            connection.request(method, path, body=body, headers=sent)
            reply = connection.getresponse()
            answer = Answer(reply.status, reply.getheaders(), reply.read())
        finally:
            connection.close()
        self._keep(answer)
        return answer

    def _keep(self, answer):
        for name, value in answer.headers:
            if name.lower() != "set-cookie":
                continue
            pair, *attributes = [part.strip() for part in value.split(";")]
            key, _, content = pair.partition("=")
            if "Max-Age=0" in attributes or not content:
                self.cookies.pop(key, None)
            else:
                self.cookies[key] = content

    def get(self, path="/", **options):
        return self.request("GET", self.base + path, **options)

    def post(self, path, fields, **options):
        headers = {"Content-Type": "application/x-www-form-urlencoded", **options.pop("headers", {})}
        return self.request("POST", self.base + path, urllib.parse.urlencode(fields), headers, **options)

    def follow(self, answer):
        """Go where a redirect leads, until it is none."""
        for _ in range(5):
            if answer.status != 303:
                return answer
            answer = self.request("GET", answer.header("Location"))
        raise AssertionError("too many redirects")

    def submit(self, answer, action, which=0, **fields):
        """Fill in a form of a page and send it."""
        return self.post(action, {**answer.form(action, which), **fields})

    def sign_in(self, user, password):
        """Sign in and come to the overview, or wherever that leads; a refusal is returned as it is."""
        return self.follow(self.submit(self.get("/sign-in"), "/sign-in", user=user, password=password))


def key_of(answer):
    """The key on a page that turns MFA on, in base32."""
    link = next(link for link in answer.page.links if link.startswith("otpauth://"))
    return urllib.parse.parse_qs(urllib.parse.urlsplit(link).query)["secret"][0]


def codes_of(answer):
    """The recovery codes on a page."""
    import re
    return re.findall(r"<li>([A-Z]{4}-[A-Z]{4}-[A-Z]{4})</li>", answer.text)


def aged(ring, cookie, seconds):
    """The cookie of somebody who is signed in, as if it all had happened so much earlier."""
    plain = bytearray(ring.unbox("session", cookie, "session"))
    for at in (24, 40):  # when it began, when the password was given
        plain[at:at + 8] = (int.from_bytes(plain[at:at + 8], "big") - seconds).to_bytes(8, "big")
    return ring.box("session", bytes(plain), "session")
