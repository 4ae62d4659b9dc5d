"""A server elsewhere, with TLS, behind the proxy of the environment: who is told what there."""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import trustme
from pytest_httpserver import HTTPServer

from clopos_nb import errors
from clopos_nb.checkup import Checkup
from clopos_nb.tables import CATALOGUE

HOST = "clopos.test"
PROXY_LOGIN = "me:planted-proxy-password"


class Tunnel(socketserver.StreamRequestHandler):
    """Connects whoever asks with the one server there is, and keeps what it was asked."""

    server: Any

    def handle(self) -> None:
        head = b"".join(iter(self.rfile.readline, b"\r\n"))
        self.server.heads.append(head.decode())
        with socket.create_connection(("127.0.0.1", self.server.target)) as there:
            self.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(there, self.connection))
            back.start()
            pump(self.connection, there)
            back.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def afar(authority: trustme.CA, faulty: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Return a server with TLS at an address that only the proxy of the environment knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    with (
        HTTPServer(host="127.0.0.1", ssl_context=context) as server,
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tunnel) as proxy,
    ):
        proxy.daemon_threads = True
        proxy.heads, proxy.target = [], server.port  # type: ignore[attr-defined]
        threading.Thread(target=proxy.serve_forever, args=(0.01,), daemon=True).start()
        there = type(faulty)(server)
        there.url, there.heads = f"https://{HOST}/open-api/v2", proxy.heads  # type: ignore[attr-defined]
        for name in ("NO_PROXY", "no_proxy", "https_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv(
            "HTTPS_PROXY", f"http://{PROXY_LOGIN}@127.0.0.1:{proxy.server_address[1]}"
        )
        yield there
        proxy.shutdown()


@pytest.fixture
def trusted(authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust the authority that vouches for the server."""
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this machine's user a login for the server, as ``~/.netrc`` holds it."""
    (tmp_path / ".netrc").write_text(f"machine {HOST} login me password x\ndefault login d\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))


@pytest.mark.usefixtures("trusted", "netrc")
def test_no_login_of_this_machine_arrives_beside_the_token(afar, open_session):
    assert len(open_session(afar).get("/venues")) == 2
    login, read = afar.seen
    assert login.get_json() == afar.credentials
    assert read.headers["x-token"].startswith("eyJplanted")
    names = {name.lower() for request in afar.seen for name, _ in request.headers}
    assert not names & {"authorization", "proxy-authorization", "cookie"}
    requests.get(f"{afar.url}/venues", timeout=9)  # and what anybody else would send along
    assert "Authorization" in afar.seen[-1].headers


@pytest.mark.usefixtures("trusted")
def test_a_proxy_learns_the_server_and_nothing_else(afar, open_session):
    open_session(afar).get("/venues")
    assert {head.split("\r\n")[0] for head in afar.heads} == {f"CONNECT {HOST}:443 HTTP/1.0"}
    told = "".join(afar.heads)
    assert not [value for value in afar.credentials.values() if value in told]
    assert "eyJ" not in told


@pytest.mark.parametrize("bundle", [None, "/nowhere/authority.pem"], ids=["not ours", "no file"])
def test_nothing_is_sent_to_a_server_that_nobody_vouches_for(
    afar, open_session, monkeypatch, refused, verbose, bundle
):
    if bundle:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    session = open_session(afar)
    with refused(errors.ConnectionFailed, "certificates") as caught:
        session.get("/venues")
    assert afar.seen == []
    assert PROXY_LOGIN.split(":")[1] not in verbose(caught)


# ------------------------------------------------------------------------------- the doctor


def wrong(checkup: Checkup) -> list[tuple[str, str]]:
    return [(check.name, check.state) for check in checkup.checks if check.state != "ok"]


@pytest.mark.usefixtures("trusted")
def test_the_doctor_says_that_a_proxy_is_on_the_way_and_not_its_password(
    afar, open_session, envelope
):
    for table in CATALOGUE.values():
        if not table.parent and not table.per:
            afar.on(table.path, envelope({"id": 1}))
    checkup = open_session(afar).doctor()
    found = {check.name: check.found for check in checkup.checks}
    assert wrong(checkup) == []
    assert found["address"] == "looked up by the proxy that the environment names"
    assert found["connection"].endswith("with TLS, its certificate verified")
    assert PROXY_LOGIN not in json.dumps(checkup.as_dict())


@pytest.mark.parametrize("bundle", [None, "/nowhere/authority.pem"], ids=["not ours", "no file"])
def test_the_doctor_finds_a_certificate_that_nobody_vouches_for(
    afar, open_session, monkeypatch, bundle
):
    if bundle:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", bundle)
    checkup = open_session(afar).doctor()
    assert wrong(checkup) == [("connection", "failed")]
    assert "certificates" in {check.name: check for check in checkup.checks}["connection"].advice
