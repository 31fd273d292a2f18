# SPDX-License-Identifier: GPL-2.0-or-later
"""A relay in front of a directory, without TLS, that breaks the connection at the n-th LDAP operation."""
import socket
import threading

UNBIND, ABANDON, MODIFY = 0x42, 0x50, 0x66   # tags of requests (RFC 4511 section 4.2 and on)


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        piece = sock.recv(count - len(data))
        if not piece:
            raise ConnectionError("closed")
        data += piece
    return data


def read_message(sock):
    """One LDAP message: its bytes, and the tag of the operation."""
    head = read_exactly(sock, 2)
    length = head[1]
    if length & 0x80:
        more = read_exactly(sock, length & 0x7F)
        head, length = head + more, int.from_bytes(more, "big")
    body = read_exactly(sock, length)
    return head + body, body[2 + body[1]]


class Cut:
    """Relays 127.0.0.1:port to another port.

    at(n, answered=False, back=True)   the n-th operation from now is cut off: before the server sees it, or,
                                       when answered, in place of the server's answer; back: new connections work
    every(tag)                         each operation of this kind is cut off before the server sees it
    heal()                             nothing is cut off any more
    count, was_cut                     operations since then, and whether one was cut off
    """

    def __init__(self, target_port):
        self.target_port = target_port
        self.lock = threading.Lock()
        self.heal()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.port}"

    def at(self, number, answered=False, back=True):
        with self.lock:
            self.number, self.answered, self.back = number, answered, back
            self.count, self.was_cut, self.tag = 0, False, None

    def every(self, tag):
        self.heal()
        self.tag = tag

    def heal(self):
        self.at(0)

    def close(self):
        self._listener.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _serve(self):
        while True:
            try:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target_port))
            except OSError:
                return
            if self.was_cut and not self.back:
                client.close()
                server.close()
                continue
            mute = threading.Event()
            threading.Thread(target=self._upwards, args=(client, server, mute), daemon=True).start()
            threading.Thread(target=self._downwards, args=(client, server, mute), daemon=True).start()

    def _is_cut(self, tag):
        """Count an operation; whether it is the one to cut off."""
        with self.lock:
            if tag in (UNBIND, ABANDON):
                return False
            self.count += 1
            if tag == self.tag:
                return True
            if self.was_cut:
                return not self.back
            self.was_cut = self.count == self.number
            return self.was_cut

    def _upwards(self, client, server, mute):
        try:
            while True:
                message, tag = read_message(client)
                if self._is_cut(tag):
                    if not self.answered:
                        break
                    mute.set()
                server.sendall(message)
        except OSError:
            pass
        self._end(client, server)

    def _downwards(self, client, server, mute):
        try:
            while data := server.recv(65536):
                if mute.is_set():
                    break
                client.sendall(data)
        except OSError:
            pass
        self._end(client, server)

    @staticmethod
    def _end(*ends):
        for end in ends:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
