# SPDX-License-Identifier: GPL-2.0-or-later
"""What a web server does: ask the program for one page, by CGI (RFC 3875) or by FastCGI."""
import os
import socket
import struct
import subprocess

from .page import VARIABLE, Answer, Visitor

BEGIN, END, PARAMS, STDIN, STDOUT, STDERR = 1, 3, 4, 5, 6, 7
KEEP = 1


def variables(method, path, body, headers, length=None):
    """The variables of one request under TLS from this host; length: what Content-Length says."""
    path, _, query = path.partition("?")
    found = {"REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": path, "QUERY_STRING": query, "HTTPS": "on",
             "REMOTE_ADDR": "127.0.0.1", "SERVER_PROTOCOL": "HTTP/1.1", "GATEWAY_INTERFACE": "CGI/1.1"}
    if body is not None:
        found["CONTENT_LENGTH"] = str(len(body) if length is None else length)
    for name, value in headers.items():
        name = name.upper().replace("-", "_")
        found[name if name == "CONTENT_TYPE" else "HTTP_" + name] = value
    return found


def answer_of(output):
    """The answer that a program wrote."""
    head, _, body = output.partition(b"\r\n\r\n")
    headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n")]
    return Answer(int(dict(headers)["Status"].split()[0]), headers, body)


class FastCgi:
    """Connections to FastCGI workers: asked to keep each, they close it after its one request."""

    def __init__(self, address):
        self.address, self.used = address, False
        self.connect()

    def connect(self):
        self.socket = socket.create_connection(self.address, 60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb")

    def send(self, *records):
        """Pairs of a kind and a content."""
        self.socket.sendall(b"".join(struct.pack(">BBHHBx", 1, kind, 1, len(content), 0) + content
                                     for kind, content in records))

    def ask(self, environment, body=b""):
        if self.used:
            self.close()
            self.connect()
        self.used = True
        params = b"".join(struct.pack(">II", len(name) | 1 << 31, len(value) | 1 << 31) + name + value
                          for name, value in ((n.encode(), v.encode()) for n, v in environment.items()))
        chunks = [body[start:start + 32768] for start in range(0, len(body), 32768)]
        self.send((BEGIN, struct.pack(">HB5x", 1, KEEP)), (PARAMS, params), (PARAMS, b""),
                  *[(STDIN, chunk) for chunk in chunks], (STDIN, b""))
        return self.read()

    def read(self):
        output = b""
        while True:
            _, kind, _, length, padding = struct.unpack(">BBHHBx", self.stream.read(8))
            content = self.stream.read(length)
            self.stream.read(padding)
            if kind == END:
                assert self.stream.read(1) == b""
                return answer_of(output)
            output += content if kind == STDOUT else b""

    def close(self):
        self.stream.close()
        self.socket.close()


class Cgi:
    """The program, run anew for each request."""

    def __init__(self, program, config):
        self.program, self.config = program, config

    def ask(self, environment, body=b""):
        done = subprocess.run([str(self.program)], input=body, capture_output=True, timeout=60,
                              env={VARIABLE: str(self.config), "PATH": os.environ["PATH"], **environment})
        return answer_of(done.stdout)

    def close(self):
        pass


class Client(Visitor):
    """A visitor without a web server between."""

    def __init__(self, gateway):
        super().__init__("http://localhost")   # never connected to
        self.gateway = gateway

    def request(self, method, path, body=None, headers=None, timeout=None, length=None):
        sent = dict(headers or {})
        if self.cookies:
            sent.setdefault("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))
        body = body.encode() if isinstance(body, str) else body
        answer = self.gateway.ask(variables(method, path, body, sent, length), body or b"")
        self._keep(answer)
        return answer
