# SPDX-License-Identifier: GPL-2.0-or-later
"""The program as a web server meets it, by CGI and by FastCGI: requests that are none, and very many of them."""
import re
import socket
import time
from pathlib import Path

import pytest

from lib.gateway import BEGIN, PARAMS, STDIN, Cgi, Client, FastCgi, variables
from lib.page import Page, Workers
from lib.user import Enrolled, User
from test_enroll_attacks import FORM
from test_enroll_headers import HEADERS

ROUNDS, WARM_UP = 1100, 100   # of ten requests each
LONG, LARGE = "/" + "a" * 300, b"a" * 8193


@pytest.fixture(scope="module")
def page(slapd, ring):
    with Page(slapd, ring=ring, mode="cgi", start=False, settings={"throttle.address_attempts": 100000}) as page:
        yield page


@pytest.fixture(scope="module")
def workers(page):
    with Workers(page.program, page.config) as server:
        yield server.start()


@pytest.fixture(params=["fastcgi", "cgi"])
def gateway(request, page, workers):
    gateway = FastCgi(("127.0.0.1", workers.port)) if request.param == "fastcgi" else Cgi(page.program, page.config)
    yield gateway
    gateway.close()


@pytest.fixture
def client(gateway, slapd):
    user, client = User(slapd), Client(gateway)
    assert client.sign_in(user.uid, user.password).status == 200
    return client


@pytest.mark.parametrize("method,path,body,headers,status", [
    ("GET", "/nothing", None, {}, 404), ("GET", "/sign-in/", None, {}, 404), ("GET", "//sign-in", None, {}, 404),
    ("GET", "/x/../sign-in", None, {}, 404), ("GET", "/sign-in\n", None, {}, 404), ("GET", LONG, None, {}, 404),
    ("PUT", "/on", b"", FORM, 405), ("OPTIONS", "/", None, {}, 405), ("get", "/sign-in", None, {}, 405),
    ("POST", "/style.css", b"", FORM, 405), ("GET", "/sign-out", None, {}, 405),
    ("POST", "/on", LARGE, FORM, 413), ("POST", "/on", b"a=b", {"Content-Type": "text/plain"}, 415),
    ("POST", "/on", b"a=b", {"Content-Type": "application/x-www-form-urlencodedx"}, 415), ("POST", "/on", b"a=b", {}, 415),
    ("POST", "/on", b"unknown=1", FORM, 400), ("POST", "/on", b"code=1&code=1", FORM, 400),
    ("POST", "/on", b"code=%0", FORM, 400), ("POST", "/on?a=b", b"", FORM, 400), ("GET", "/?a=b", None, {}, 400)],
                         ids=lambda value: None if len(str(value)) < 30 else "long")
def test_a_request_that_is_none(client, method, path, body, headers, status):
    answer = client.request(method, path, body, headers)
    assert answer.status == status and "<h1>" in answer.text, answer
    assert bool(answer.header("Allow")) == (status == 405)
    for name, value in HEADERS.items():
        assert answer.header(name) == value, name


@pytest.mark.parametrize("length,status", [
    (20, 400), (8192, 400), (8193, 413), (10 ** 9, 413), (10 ** 30, 400), (-1, 400), ("", 400), ("5x", 400), ("+5", 400)])
def test_a_body_that_is_not_as_long_as_it_said(client, length, status):
    assert client.request("POST", "/on", b"code=123456", FORM, length=length).status == status
    assert client.get("/").status == 200


def dripping(connection, seconds):
    """Send a byte now and then until the answer begins; how long that took."""
    begun = time.monotonic()
    connection.socket.settimeout(0.5)
    while time.monotonic() - begun < seconds:
        connection.send((STDIN, b"a"))
        try:
            connection.socket.recv(1, socket.MSG_PEEK)
            break
        except TimeoutError:
            continue
    connection.socket.settimeout(60)
    return time.monotonic() - begun


def test_a_body_that_drips_is_given_up(page):
    """Where a web server passes a body on as it comes."""
    with Workers(page.program, page.config).start() as workers:
        connection = FastCgi(("127.0.0.1", workers.port))
        params = variables("POST", "/sign-in", b"a" * 8000, FORM)
        pairs = b"".join(bytes([len(name), len(value)]) + (name + value).encode() for name, value in params.items())
        connection.send((BEGIN, b"\0\1\1\0\0\0\0\0"), (PARAMS, pairs), (PARAMS, b""))
        assert 3 < dripping(connection, 60) < 30
        assert connection.read().status == 408
        connection.close()
        fresh = FastCgi(("127.0.0.1", workers.port))
        assert Client(fresh).get("/sign-in").status == 200
        fresh.close()


def own_memory_kb(pid):
    """What a process has in memory of its own."""
    return int(re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1])


def test_a_worker_does_not_grow(page, slapd):
    """Eleven thousand requests of every kind."""
    enrolled, user = Enrolled(slapd), User(slapd)
    with Workers(page.program, page.config).start() as workers:
        connection = FastCgi(("127.0.0.1", workers.port))
        visitor, stranger = Client(connection), Client(connection)
        assert visitor.sign_in(enrolled.uid, enrolled.password).status == 200
        form = stranger.get("/sign-in").form("/sign-in")
        off = visitor.get("/off").form("/off")
        memory = []
        for i in range(ROUNDS):
            statuses = [
                stranger.get("/sign-in", headers={"Accept-Language": "de" if i % 2 else "en"}).status,
                visitor.get("/").status, visitor.get("/style.css").status, visitor.get("/nothing").status,
                visitor.post("/off", {**off, "csrf": "x"}).status, visitor.request("POST", "/off", b"a" * 9000, FORM).status,
                visitor.request("PUT", "/").status, visitor.get("/device/add").status, stranger.get("/").status,
                stranger.post("/sign-in", {"user": user.uid}).status]
            assert statuses == [200, 200, 200, 404, 403, 413, 405, 200, 303, 400], i
            if i % 100 == 50:
                other = Client(connection)
                assert other.sign_in(user.uid, "wrong").status == 403
                assert other.sign_in(user.uid, user.password).status == 200
                assert stranger.post("/sign-in", {**form, "user": "nobody", "password": "x"}).status in (403, 429)
            if i + 1 in (WARM_UP, ROUNDS):
                memory.append(own_memory_kb(workers.pids()[0]))
        connection.close()
        assert memory[1] - memory[0] < 128, memory
