"""The HTTP side: a tornado application on an event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import html
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from urllib.parse import unquote

import tornado.httputil
import tornado.netutil
import tornado.web
from tornado.httpserver import HTTPServer

from clopos_nb.sandbox import answers
from clopos_nb.sandbox.answers import Answer
from clopos_nb.sandbox.requestlog import Entry
from clopos_nb.sandbox.resources import RESOURCES
from clopos_nb.sandbox.service import BASE, Request, Seen, Service, relative

MAX_BODY = 1 << 20
Observer = Callable[[Entry, float], None]
"""Called after each request with its log entry and the milliseconds it took."""


class _Handler(tornado.web.RequestHandler):
    """Hands every request to the service, whatever its method and path."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")

    def initialize(
        self, service: Service, now: Callable[[], float], latency_s: float, observe: Observer
    ) -> None:
        self._service = service
        self._now = now
        self._latency_s = latency_s
        self._observe = observe
        self._seen = Seen()

    async def _serve(self) -> None:
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        request = self._read()
        if request.method == "GET" and request.path == "/":
            self._send(Answer(200, _front_page(), content_type="text/html; charset=utf-8"))
            return
        self._send(self._service.answer(request, self._seen))

    get = head = post = delete = patch = put = options = _serve

    def _read(self) -> Request:
        headers = self.request.headers
        return Request(
            method=self.request.method or "",
            path=unquote(self.request.path, errors="replace"),
            query=self.request.query,
            token=headers.get("x-token"),
            venue=headers.get("x-venue"),
            content_type=headers.get("Content-Type"),
            body=self.request.body,
            address=self.request.remote_ip or "",
        )

    def _send(self, answer: Answer) -> None:
        # Before the answer leaves: whoever has it may look at the log at once.
        self._observe(self._entry(answer.status), self.request.request_time() * 1000)
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.set_header("Content-Type", answer.content_type)
        # One clock for everything this server says: Date, token times and envelopes agree.
        self.set_header("Date", tornado.httputil.format_timestamp(self._now()))
        self.finish(answer.body)

    def set_default_headers(self) -> None:
        self.set_header("Server", "clopos-sandbox")

    def compute_etag(self) -> str | None:
        return None

    def write_error(self, status_code: int, **_: object) -> None:
        known = {
            405: ("method_not_allowed", "No endpoint answers this method"),
            500: ("server_error", "The sandbox failed; see its log"),
        }
        error, message = known.get(status_code, ("bad_request", "The request cannot be read"))
        refusal = answers.slug(status_code, error, message)
        self._send(Answer(status_code, answers.encode(refusal.body)))

    def log_exception(
        self,
        typ: type[BaseException] | None,
        value: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        # What a caller got wrong is in its answer; only the sandbox's own faults go to the log.
        if not isinstance(value, tornado.web.HTTPError) or value.status_code >= 500:
            super().log_exception(typ, value, tb)

    def _entry(self, status: int) -> Entry:
        request = self._read()
        path = relative(request.path) or request.path
        return Entry(request.method, path, status, self._seen.venue_id, request.query)


def _front_page() -> bytes:
    paths = [BASE + "/" + "/".join(resource.path) for resource in RESOURCES]
    items = "".join(f"<li><code>GET {html.escape(path)}</code></li>" for path in paths)
    return (
        "<!doctype html><title>Clopos sandbox</title>"
        "<h1>Clopos sandbox</h1><p>A simulated brand; not the vendor's service. "
        f"Start with <code>POST {BASE}/auth</code>.</p><ul>{items}</ul>"
    ).encode()


class WebServer:
    """Serves one service on one address until stopped.

    The socket is bound by ``start``, in the caller's thread, so that a taken port raises there.
    """

    def __init__(
        self,
        service: Service,
        *,
        host: str,
        port: int,
        now: Callable[[], float] = time.time,
        latency_s: float = 0.0,
        observe: Observer = lambda entry, ms: None,
    ) -> None:
        self._host = host
        self._port = port
        self._settings = {
            "service": service,
            "now": now,
            "latency_s": latency_s,
            "observe": observe,
        }
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._quit: asyncio.Event | None = None

    def start(self) -> int:
        """Serve, and return the port."""
        sockets = tornado.netutil.bind_sockets(self._port, self._host, family=socket.AF_INET)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._main(sockets, ready)),
            name="clopos-sandbox",
            daemon=True,
        )
        self._thread.start()
        ready.wait()
        port: int = sockets[0].getsockname()[1]
        return port

    def stop(self) -> None:
        """Close the port and every connection, and wait for the thread to end."""
        if self._thread is None or self._loop is None or self._quit is None:
            return
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._quit.set)
            self._thread.join(timeout=5)
        self._thread = None

    async def _main(self, sockets: list[socket.socket], ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._quit = asyncio.Event()
        application = tornado.web.Application(
            [(r".*", _Handler, self._settings)], log_function=lambda handler: None
        )
        server = HTTPServer(application, max_body_size=MAX_BODY)
        server.add_sockets(sockets)
        ready.set()
        await self._quit.wait()
        server.stop()
        await server.close_all_connections()
