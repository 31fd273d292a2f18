# SPDX-License-Identifier: GPL-2.0-or-later
"""Three members of etcd, by TLS and with passwords, on the loopback."""
import json
import secrets
import subprocess

from .process import Server, free_port, wait_until
from .tls import make_certificates

USER = "peruser-mfa"
PREFIX = "peruser-mfa/"


def key_of(user):
    return PREFIX + user.entry_id.decode()


class Member(Server):
    """One process of a cluster."""

    def __init__(self, cluster, number):
        self.name = f"etcd-{number}"
        super().__init__()
        self.cluster, self.number = cluster, number
        make_certificates(self.dir) if number == 0 else None
        self.port, self.peer_port = free_port(), free_port()

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}"

    def command(self):
        members = self.cluster.members
        peers = ",".join(f"m{other.number}=http://127.0.0.1:{other.peer_port}" for other in members)
        keys = members[0].dir
        return ["/usr/bin/etcd", "--name", f"m{self.number}", "--data-dir", str(self.dir / "data"),
                "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
                "--listen-peer-urls", f"http://127.0.0.1:{self.peer_port}",
                "--initial-advertise-peer-urls", f"http://127.0.0.1:{self.peer_port}",
                "--initial-cluster", peers, "--initial-cluster-state", "new",
                "--initial-cluster-token", self.cluster.token,
                "--cert-file", str(keys / "server.pem"), "--key-file", str(keys / "server.key"),
                "--bcrypt-cost", "4", "--unsafe-no-fsync", "--logger", "zap", "--log-outputs", "stderr"]

    def start(self):
        self._ready_from = self.mark()
        return super().start()

    def is_ready(self):
        # without a majority it serves nobody, and is as ready as it will be
        text = self.log(self._ready_from)
        return "serving client traffic securely" in text or not self.cluster.wait


class Etcd:
    """The cluster; members[i] can be killed, stopped and started again."""

    def __init__(self):
        self.token, self.password = secrets.token_hex(8), secrets.token_urlsafe(12)
        self.root_password, self.wait = secrets.token_urlsafe(12), False
        self.members = []
        try:
            for number in range(3):
                self.members.append(Member(self, number))
            for member in self.members:
                member.start()
            self.wait = True
            for member in self.members:
                wait_until(member.is_ready, what=f"{member.name} serves")
            self._protect()
        except BaseException:
            self.close()
            raise

    def _protect(self):
        self.password_file = self.members[0].dir / "password"
        self.password_file.write_text(self.password + "\n")
        self.password_file.chmod(0o640)
        for words in (["user", "add", f"root:{self.root_password}"], ["role", "add", "root"],
                      ["user", "grant-role", "root", "root"], ["role", "add", USER],
                      ["role", "grant-permission", USER, "--prefix=true", "readwrite", PREFIX],
                      ["user", "add", f"{USER}:{self.password}"], ["user", "grant-role", USER, USER],
                      ["auth", "enable"]):
            self.ctl(*words, user=None)

    @property
    def ca_file(self):
        return self.members[0].dir / "ca.pem"

    @property
    def endpoints(self):
        return " ".join(member.url for member in self.members)

    def settings(self, endpoints=None):
        """Items of the shared file."""
        return {"ledger.type": "etcd", "ledger.endpoints": endpoints or self.endpoints, "ledger.user": USER,
                "ledger.password_file": str(self.password_file), "ledger.ca_file": str(self.ca_file)}

    def ctl(self, *words, user="root"):
        """etcdctl, its output."""
        alive = ",".join(member.url for member in self.members if member.process and member.process.poll() is None)
        account = ["--user", f"root:{self.root_password}"] if user else []
        return subprocess.run(["etcdctl", "--endpoints", alive, "--cacert", str(self.ca_file), *account, *words],
                              check=True, capture_output=True, text=True, timeout=30,
                              env={"ETCDCTL_API": "3", "PATH": "/usr/bin:/bin"}).stdout

    def get(self, user):
        """A user's ledger; None: there is none."""
        text = self.ctl("get", "--print-value-only", key_of(user))
        return json.loads(text) if text.strip() else None

    def put(self, user, value):
        self.ctl("put", key_of(user), value if isinstance(value, str) else json.dumps(value))

    def wait_healthy(self):
        """Every member serves, so that the next fault is the only one."""
        for member in self.members:
            if member.process.poll() is not None:
                member.start()
            member.sigcont()
        wait_until(lambda: self._healthy(), what="every member of etcd")

    def _healthy(self):
        try:
            self.ctl("endpoint", "health")
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return False
        return all(member.process.poll() is None for member in self.members)

    def close(self):
        for member in self.members:
            member.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
