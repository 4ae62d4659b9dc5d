"""A small brand behind a real server, sessions on it, and a server that can be made to fail.

The brand's windows last a second, so that no test waits for a budget that another one used up.
"""

from __future__ import annotations

import contextlib
import json
import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from IPython.core.completer import provisionalcompleter
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.ultratb import VerboseTB
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

import clopos_nb
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.brand import Brand

BASE = "/open-api/v2"
OpenSession = Callable[..., clopos_nb.Session]


# ------------------------------------------------------------------------ the sandbox


@pytest.fixture(scope="session")
def brand() -> Brand:
    """Return four venues with all of January 2026 and a few days on either side of it."""
    return Brand(
        seed=7,
        venues=4,
        first_day=date(2025, 12, 29),
        last_day=date(2026, 2, 3),
        receipts_per_day=20,
    )


@pytest.fixture(scope="session")
def sandbox(brand: Brand) -> Iterator[Sandbox]:
    """Serve the brand to every test that only reads."""
    with Sandbox(brand=brand, window_s=1) as sandbox:
        yield sandbox


@pytest.fixture
def fresh(brand: Brand) -> Iterator[Sandbox]:
    """Serve the brand to one test alone: its requests are counted, its clock may be moved."""
    with Sandbox(brand=brand, window_s=1) as sandbox:
        yield sandbox


# ------------------------------------------------------------------------ the sessions


@pytest.fixture
def open_session() -> Iterator[OpenSession]:
    """Return a function that opens a session on a sandbox or faulty server, closed at the end."""
    with contextlib.ExitStack() as opened:

        def open_(server: Any, **settings: Any) -> clopos_nb.Session:
            settings = {"base_url": server.url, **server.credentials, **settings}
            return opened.enter_context(clopos_nb.Session(**settings))

        yield open_


@pytest.fixture
def session(sandbox: Sandbox, open_session: OpenSession) -> clopos_nb.Session:
    return open_session(sandbox, today=sandbox.today)


@pytest.fixture(scope="session")
def reader(sandbox: Sandbox) -> Iterator[clopos_nb.Session]:
    """Return one session for all tests that only look at frames."""
    with clopos_nb.Session(base_url=sandbox.url, cache_dir=False, **sandbox.credentials) as session:
        yield session


# ------------------------------------------------------------- a server that can fail

Answer = Response | Mapping[str, Any] | Callable[[Request], Response | Mapping[str, Any]]


class Faulty:
    """A server that logs everybody in and answers each path with what a test gives it."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for(BASE)
        self.credentials = {
            "client_id": "planted-client-id",
            "client_secret": "planted-client-secret",
            "brand": "narbag",
            "integrator_id": "planted-integrator",
        }
        self.seen: list[Request] = []
        self._server = server
        self.on("/auth", self._login)
        self.on("/venues", rows({"id": 1, "name": "Nizami"}, {"id": 2, "name": "Sahil"}))

    def on(self, path: str, *answers: Answer) -> None:
        """Answer a path with these, one after the other; the last one stays."""
        left = list(answers)

        def handle(request: Request) -> Response:
            self.seen.append(request)
            answer: Any = left.pop(0) if len(left) > 1 else left[0]
            answer = answer(request) if callable(answer) and not _is_response(answer) else answer
            return answer if _is_response(answer) else json_response(answer)

        self._server.handlers[:] = [
            handler
            for handler in self._server.handlers
            if getattr(handler.matcher, "uri", None) != BASE + path
        ]
        self._server.expect_request(BASE + path).respond_with_handler(handle)

    def count(self, path: str) -> int:
        return Counter(request.path for request in self.seen)[BASE + path]

    def _login(self, request: Request) -> Mapping[str, Any]:
        token = f"eyJplanted.token{self.count('/auth')}.x"
        return {"success": True, "token": token, "expires_in": 3600}


def rows(*data: Mapping[str, Any], total: int | None = None) -> dict[str, Any]:
    """Return a list's envelope."""
    return {"success": True, "data": list(data), "total": len(data) if total is None else total}


@pytest.fixture
def envelope() -> Callable[..., dict[str, Any]]:
    """Return a function that makes a list's envelope out of rows."""
    return rows


def json_response(body: Mapping[str, Any], status: int = 200, **headers: str) -> Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(json.dumps(body), status, named, content_type="application/json")


def _is_response(answer: object) -> bool:
    return isinstance(answer, Response)


@pytest.fixture(scope="session")
def make_httpserver(httpserver_listen_address: tuple[str, int]) -> Iterator[HTTPServer]:
    """Answer several requests at once, as a real server does."""
    host, port = httpserver_listen_address
    server = HTTPServer(host=host or "127.0.0.1", port=port or 0, threaded=True)
    server.start()
    yield server
    server.clear()
    if server.is_running():
        server.stop()


@pytest.fixture
def faulty(httpserver: HTTPServer) -> Faulty:
    return Faulty(httpserver)


@pytest.fixture
def visitor(faulty: Faulty, open_session: OpenSession) -> clopos_nb.Session:
    """Return a session on the faulty server."""
    return open_session(faulty)


@pytest.fixture
def waits(visitor: clopos_nb.Session) -> list[float]:
    """Give the visitor a clock that jumps instead of waiting, and return the jumps."""
    waited: list[float] = []
    visitor._transport.now = lambda: time.time() + sum(waited)
    visitor._transport.sleep = waited.append
    return waited


# --------------------------------------------------------------------------- refusals

PERSONAL = ("+994 50 555 44 33", "Aygun Planted", "Nizami 17, flat 4")
"""A phone, a name and an address that servers in these tests echo; nobody's."""

TOKENS = ("eyJ", "oauth_")
"""How tokens begin, the outer and the inner one."""


class Refused:
    """Expects an error of exactly one kind whose text says enough and tells nothing."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        self._logs = caplog
        self.hidden = ["planted-client-id", "planted-client-secret", *TOKENS, *PERSONAL]

    @contextlib.contextmanager
    def __call__(
        self, kind: type[BaseException], *said: str
    ) -> Iterator[pytest.ExceptionInfo[Any]]:
        with pytest.raises(kind) as caught:
            yield caught
        assert type(caught.value) is kind
        text = str(caught.value)
        assert [piece for piece in said if piece not in text] == []
        logged = "\n".join(record.getMessage() for record in self._logs.records)
        told = [text, repr(caught.value), *traceback.format_exception(caught.value), logged]
        assert [piece for piece in self.hidden if piece in "\n".join(told)] == []


@pytest.fixture
def refused(caplog: pytest.LogCaptureFixture) -> Refused:
    return Refused(caplog)


@pytest.fixture
def verbose() -> Callable[[pytest.ExceptionInfo[Any]], str]:
    """Return an error as ``%xmode Verbose`` shows it: with the values of variables."""

    def render(caught: pytest.ExceptionInfo[Any]) -> str:
        return str(VerboseTB(theme_name="nocolor").text(caught.type, caught.value, caught.tb))

    return render


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Return the directory that sessions of this test keep their token in."""
    return tmp_path / "cache" / "tokens"


# ---------------------------------------------------------------------------- notebooks


@pytest.fixture(scope="session")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InteractiveShell]:
    """Return an IPython shell whose files are nobody's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("ipython")))
        shell = InteractiveShell.instance()
        yield shell
        shell.history_manager.end_session()
        shell.restore_sys_module_state()
        InteractiveShell.clear_instance()


@pytest.fixture
def completions(shell: InteractiveShell) -> Callable[[str], list[str]]:
    """Return a function that gives what the end of a line can become."""

    def complete(line: str) -> list[str]:
        with provisionalcompleter():
            found = shell.Completer.completions(line, len(line))
            return [line[: each.start] + each.text for each in found]

    return complete
