"""A server that answers with whatever bytes a test says, and a session that meets it."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator

import pytest
from bad_server import Hostile

import clopos_nb


@pytest.fixture
def hostile() -> Iterator[Hostile]:
    """Serve one test on a port of its own."""
    connections = iter(range(10**9))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            server.serve(self.request, next(connections))

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        server = Hostile(listening.server_address[1])
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield server
        listening.shutdown()
        thread.join()


@pytest.fixture
def credentials() -> dict[str, str]:
    return {
        "client_id": "planted-client-id",
        "client_secret": "planted-client-secret",
        "brand": "narbag",
        "integrator_id": "planted-integrator",
    }


@pytest.fixture
def victim(hostile: Hostile, credentials: dict[str, str]) -> Iterator[clopos_nb.Session]:
    """Return a session on the server, whose clock jumps instead of waiting."""
    waited: list[float] = []
    with clopos_nb.Session(base_url=hostile.url, cache_dir=False, **credentials) as session:
        session._transport.now = lambda: time.time() + sum(waited)
        session._transport.sleep = waited.append
        yield session
