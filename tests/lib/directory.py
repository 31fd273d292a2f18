#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A slapd for a test that is written in C: commands on stdin, one answer a line on stdout.

The words of a line are separated by tabs.  First comes a line of settings; then each command is
answered by "ok" and words, or by "error" and a reason.  The directory is gone when stdin ends.

    stop, start, sigstop, sigcont
    add UID NAME=VALUE...    a user; "many" values of one name by repeating it
    set UID NAME=VALUE       replace one attribute; no value deletes
    get UID NAME             its values
    access RULE...           replace the access rules
    proxy MODE               what the proxy does with new connections (see Proxy)
"""
import os
import socket
import sys
import threading

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from lib.slapd import RADIUS_DN, Slapd, person  # noqa: E402

ASSERTION, UNKNOWN = b"1.3.6.1.1.12", b"1.3.6.1.1.99"
RANGE = b"peruserMfaSecret", b"secr;range=0-999"   # of one length, so that all lengths around stay right
MODIFY, MODIFY_RESPONSE = 0x66, 0x67


def operation(data):
    """The tag of the first LDAP message in a piece of a connection (RFC 4511 section 4.2 and on)."""
    length = data[1] if len(data) > 1 else 0
    at = 2 + (length & 0x7F if length & 0x80 else 0)
    return data[at + 2 + data[at + 1]] if len(data) > at + 1 and len(data) > at + 2 + data[at + 1] else 0


class Proxy:
    """Between a client and slapd, without TLS.

    pass       change nothing
    no_assert  be a server that never heard of the assertion control
    lose       let a modify through, and close the connection in place of the answer
    deaf       let no modify through, and close the connection in place of the answer
    range      give a part of the secrets only, and say so, as Active Directory does with very many values
    """

    def __init__(self, port):
        self.port, self.mode = port, "pass"
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.listener.getsockname()[1]}"

    def _serve(self):
        while True:
            client, _ = self.listener.accept()
            try:
                server = socket.create_connection(("127.0.0.1", self.port))
            except OSError:
                client.close()
                continue
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._copy, args=(source, target, source is client), daemon=True).start()

    def _copy(self, source, target, upwards):
        try:
            while data := source.recv(65536):
                if upwards and self.mode == "no_assert":
                    data = data.replace(ASSERTION, UNKNOWN)
                if not upwards and self.mode == "range":
                    data = data.replace(*RANGE)
                if (self.mode == "lose" and operation(data) == MODIFY_RESPONSE) or \
                        (self.mode == "deaf" and operation(data) == MODIFY):
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def attributes(words):
    found = {}
    for word in words:
        name, _, value = word.partition("=")
        found.setdefault(name, []).append(value)
    return found


def obey(slapd, proxy, command, *words):
    if command in ("stop", "start", "sigstop", "sigcont"):
        getattr(slapd, command)()
    elif command == "add":
        slapd.add_users(person(words[0], "password-" + words[0], **attributes(words[1:])))
    elif command == "set":
        name, _, value = words[1].partition("=")
        slapd.set(words[0], **{name: value or None})
    elif command == "get":
        return slapd.get(words[0], words[1])
    elif command == "access":
        slapd.set_access([f"{{{i}}}{rule}" for i, rule in enumerate(words)])
    elif command == "proxy":
        proxy.mode = words[0]
    else:
        raise ValueError(f"unknown command {command!r}")
    return []


def say(*words):
    print("\t".join(words), flush=True)


def main():
    with Slapd() as slapd:
        proxy = Proxy(slapd.port)
        say("ok", slapd.uri, slapd.ldaps_uri, slapd.ldapi_uri, str(slapd.ca_file), slapd.passwords[RADIUS_DN], proxy.uri)
        for line in sys.stdin:
            try:
                say("ok", *obey(slapd, proxy, *line.rstrip("\n").split("\t")))
            except Exception as error:  # whatever it is, the test that asked wants to print it
                say("error", f"{type(error).__name__}: {error}".replace("\n", " "))


if __name__ == "__main__":
    main()
