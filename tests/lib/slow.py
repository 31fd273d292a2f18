# SPDX-License-Identifier: GPL-2.0-or-later
"""A TCP relay in front of a server that can be made slow, silent or rude."""
import selectors
import socket
import threading
import time


class Relay:
    """Relays 127.0.0.1:port to another port.

    delay_s   seconds that every answer is held back
    silent    answers are swallowed; connections stay open
    """

    def __init__(self, target_port):
        self.target_port = target_port
        self.delay_s, self.silent = 0.0, False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._pairs = {}
        self._held = []
        self._thread.start()

    @property
    def uri(self):
        return f"ldap://127.0.0.1:{self.port}"

    def drop_connections(self):
        """Reset what is open now; new connections work."""
        self._command(b"d")

    def close(self):
        self._command(b"q")
        self._thread.join()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _command(self, letter):
        self._wake.send(letter)

    def _run(self):
        with selectors.DefaultSelector() as self._selector:
            self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
            self._selector.register(self._woken, selectors.EVENT_READ, None)
            while self._turn():
                pass
            self._drop_all()
            for sock in (self._listener, self._wake, self._woken):
                sock.close()

    def _turn(self):
        for key, _ in self._selector.select(0.01 if self._held else None):
            if key.fileobj is self._woken:
                if self._woken.recv(1) == b"q":
                    return False
                self._drop_all()
                return True
            if key.fileobj in self._pairs or key.data == self._accept:
                key.data(key.fileobj)
        self._release()
        return True

    def _accept(self, listener):
        inside, _ = listener.accept()
        try:
            outside = socket.create_connection(("127.0.0.1", self.target_port), timeout=5)
        except OSError:
            inside.close()
            return
        for sock, other, forward in ((inside, outside, self._to_server), (outside, inside, self._to_client)):
            self._pairs[sock] = other
            self._selector.register(sock, selectors.EVENT_READ, forward)

    def _read(self, sock):
        try:
            data = sock.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._drop(sock)
        return data

    def _to_server(self, sock):
        data = self._read(sock)
        if data:
            self._send(self._pairs[sock], data)

    def _to_client(self, sock):
        data = self._read(sock)
        if data and not self.silent:
            self._held.append((time.monotonic() + self.delay_s, self._pairs[sock], data))

    def _release(self):
        now = time.monotonic()
        due = [item for item in self._held if item[0] <= now]
        self._held = [item for item in self._held if item[0] > now]
        for _, sock, data in due:
            if sock in self._pairs:
                self._send(sock, data)

    def _send(self, sock, data):
        try:
            sock.sendall(data)
        except OSError:
            self._drop(sock)

    def _drop(self, sock):
        for one in (sock, self._pairs.pop(sock, None)):
            if one is not None:
                self._pairs.pop(one, None)
                self._selector.unregister(one)
                one.close()

    def _drop_all(self):
        for sock in list(self._pairs):
            if sock in self._pairs:
                self._drop(sock)
