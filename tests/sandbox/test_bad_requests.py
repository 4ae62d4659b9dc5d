"""Requests that are no requests: clear answers, nothing in the log, and it serves on."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

from clopos_nb.sandbox import serving

AUTH = "POST /open-api/v2/auth HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"


@pytest.fixture(autouse=True)
def quiet(sandbox, caplog):
    """Whatever a test sends, nothing is logged as a fault, and the sandbox serves on."""
    with caplog.at_level(logging.WARNING):
        yield
    assert caplog.records == []
    assert requests.get(f"{sandbox.url}/venues", timeout=10).status_code == 401


@pytest.fixture
def send(sandbox):
    """Send bytes; return the status and the JSON of the answer, or None when there is none."""
    address = urlsplit(sandbox.url)

    def exchange(data, *, timeout=10):
        got = b""
        with socket.create_connection((address.hostname, address.port), timeout) as client:
            client.sendall(data if isinstance(data, bytes) else data.encode())
            try:
                while piece := client.recv(65536):
                    got += piece
            except ConnectionResetError:
                pass
        if not got:
            return None
        head, _, body = got.partition(b"\r\n\r\n")
        return int(head.split()[1]), json.loads(body)

    return exchange


@pytest.mark.parametrize(
    "data",
    [
        "GET\r\n\r\n",
        "nonsense\r\n\r\n",
        "GET / HTTP/0.9\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        AUTH + "Content-Length: abc\r\n\r\n",
        AUTH + "Content-Length: -1\r\n\r\n",
        AUTH + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        AUTH + "Content-Length: 99999999999\r\n\r\n",
        AUTH + "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        AUTH + "Transfer-Encoding: nonsense\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_json_400(data, send, sandbox):
    status, body = send(data)
    assert (status, body["success"], body["error"]) == (400, False, "bad_request")
    assert sandbox.requests[-1].status == 400


def test_an_unknown_method_is_405(send):
    status, body = send("BREW /open-api/v2/venues HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert (status, body["error"]) == (405, "method_not_allowed")


def test_a_connection_that_ends_with_an_unknown_method_says_so(sandbox):
    address = urlsplit(sandbox.url)
    client = http.client.HTTPConnection(address.hostname, address.port, timeout=10)
    client.request("TRACE", "/open-api/v2/venues")
    answer = client.getresponse()
    answer.read()
    assert (answer.status, answer.getheader("Connection")) == (405, "close")
    client.close()


def test_long_headers_are_431(send):
    line = f"GET /open-api/v2/venues HTTP/1.1\r\nHost: x\r\nConnection: close\r\nx: {'y' * 40_000}"
    assert send(line + "\r\n\r\n")[0] == 431


def test_endless_headers_are_cut_off(sandbox):
    address = urlsplit(sandbox.url)
    endless = b"GET / HTTP/1.1\r\n" + (b"x: " + b"y" * 65536 + b"\r\n") * 200
    client = socket.create_connection((address.hostname, address.port), 10)
    with client, pytest.raises(ConnectionError):
        client.sendall(endless)


@pytest.mark.parametrize("chunked", [False, True])
def test_a_large_body_is_413_once_it_has_arrived(chunked, sandbox):
    body = b"x" * (3 << 20)
    pieces = iter([body[: 1 << 20]] * 3)
    answer = requests.post(f"{sandbox.url}/auth", data=pieces if chunked else body, timeout=10)
    assert (answer.status_code, answer.json()["error"]) == (413, "content_too_large")


def test_a_body_that_does_not_arrive_is_408(send, monkeypatch):
    monkeypatch.setattr(serving.JsonHandler, "body_s", 0.1)
    status, body = send(AUTH + "Content-Length: 10\r\n\r\n{")
    assert (status, body["error"]) == (408, "request_timeout")


def test_a_client_that_says_nothing_is_hung_up_on(make_sandbox, monkeypatch):
    monkeypatch.setattr(serving, "IDLE_S", 0.1)
    address = urlsplit(make_sandbox().url)
    for begun in (b"", b"GET /open-api/v2/venues HTTP/1.1\r\nx-to"):
        with socket.create_connection((address.hostname, address.port), 10) as client:
            client.sendall(begun)
            assert client.recv(1000) == b""


def test_a_hundred_silent_clients_keep_nobody_waiting(api):
    address = urlsplit(api.sandbox.url)
    silent = [socket.create_connection((address.hostname, address.port), 10) for _ in range(100)]
    for client in silent:
        client.sendall(b"GET /open-api")
    began = time.perf_counter()
    assert api.get("/venues").status_code == 200
    assert time.perf_counter() - began < 2
    for client in silent:
        client.close()


def test_a_client_that_leaves_before_its_answer_is_no_fault(make_api):
    api = make_api(latency_s=0.05)
    address = urlsplit(api.sandbox.url)
    api.sandbox.faults.add("slow_body", path="/venues", spread_s=1.0)
    api.sandbox.faults.add("gateway_timeout", path="/orders", after_s=0.1)
    token = api.token
    for path in ("/venues", "/orders", "/receipts"):
        with socket.create_connection((address.hostname, address.port), 10) as client:
            client.sendall(
                f"GET /open-api/v2{path} HTTP/1.1\r\nHost: x\r\nx-token: {token}\r\n\r\n".encode()
            )
            time.sleep(0.08)
    time.sleep(0.2)
    assert api.get("/receipts").status_code == 200


def test_random_paths_do_not_grow_the_log_for_ever(sandbox):
    log = type(sandbox.requests)(size=10)
    entry = sandbox.requests
    requests.get(f"{sandbox.url}/{'x' * 5000}", timeout=10)
    assert len(entry[-1].path) == 1000
    for number in range(100):
        log.add(entry[-1]._replace(path=f"/{number}"))
    assert (len(log), sum(log.count(f"/{number}") for number in range(100))) == (10, 10)


def test_the_page_escapes_what_others_wrote(sandbox):
    sandbox.faults.add("wrong_content_type", content_type="<script>alert(1)</script>")
    page = requests.get(sandbox.url.removesuffix("/open-api/v2") + "/", timeout=10)
    assert "<script>" not in page.text
    assert "wrong_content_type,content_type=&lt;script&gt;" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
