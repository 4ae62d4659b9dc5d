"""HTTP on a thread of its own, and a request handler that answers bad input in JSON."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from typing import Any

import tornado.netutil
import tornado.web
from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream, StreamClosedError

from clopos_nb.sandbox import answers
from clopos_nb.sandbox.answers import Answer, Refusal

MAX_BODY = 1 << 20
"""Largest body that is looked at; larger ones are read, thrown away and answered with 413."""
MAX_DISCARDED = 64 << 20
"""Largest body that is even read; announcing more is a malformed request."""
MAX_HEADERS = 32 << 10
"""Largest request head that is looked at; 431 above it."""
MAX_HEAD_READ = 1 << 20
IDLE_S = 75.0
"""Time for a request line and headers to arrive, and between two requests."""
BODY_S = 20.0
"""Time for a body to arrive; 408 after it."""

_BARE_400 = b"HTTP/1.1 400 Bad Request\r\n\r\n"
Malformed = Callable[[str], None]
"""Called with the client's address when what it sent is no HTTP."""


@tornado.web.stream_request_body
class JsonHandler(tornado.web.RequestHandler):
    """Reads a bounded body, and answers what cannot be read in JSON.

    Subclasses say what to do in ``serve`` and how to send an answer in ``send``.
    """

    SUPPORTED_METHODS = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")
    body_s = BODY_S
    # A method that nobody supports is refused before prepare.
    _body = bytearray()
    _size = 0
    _head_size = 0
    _deadline: asyncio.TimerHandle | None = None

    async def serve(self) -> None:
        """Answer a request whose body has arrived."""
        raise NotImplementedError

    def send(self, answer: Answer) -> None:
        """Send an answer and finish."""
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.set_header("Content-Type", answer.content_type)
        self.finish(answer.body)

    def prepare(self) -> None:
        """Measure the head, and start the body's clock."""
        self._body = bytearray()
        self._size = 0
        self._deadline = asyncio.get_running_loop().call_later(self.body_s, self._too_slow)
        self._head_size = len(self.request.uri or "")
        self._head_size += sum(len(k) + len(v) + 4 for k, v in self.request.headers.get_all())

    def data_received(self, chunk: bytes) -> None:
        """Keep the body as long as it is not too large."""
        self._size += len(chunk)
        if self._size <= MAX_BODY:
            self._body += chunk

    @property
    def body(self) -> bytes:
        """What the client sent."""
        return bytes(self._body)

    async def _answer(self) -> None:
        self._stop_clock()
        # Not before the body has arrived: whoever still sends when the connection closes may never
        # see the answer.
        if self._head_size > MAX_HEADERS:
            self.refuse(431, "headers_too_large", f"At most {MAX_HEADERS} bytes of headers")
            return
        if self._size > MAX_BODY:
            self.refuse(413, "content_too_large", f"At most {MAX_BODY} bytes of body")
            return
        await self.serve()

    get = head = post = delete = patch = put = options = _answer

    def refuse(self, status: int, error: str, message: str) -> None:
        """Send an error with a slug, unless an answer has begun."""
        if self._finished:
            return
        refusal: Refusal = answers.slug(status, error, message)
        self.send(Answer(status, answers.encode(refusal.body)))

    def _too_slow(self) -> None:
        if not self._finished:
            self.set_header("Connection", "close")
            self.refuse(408, "request_timeout", f"The body did not arrive within {self.body_s} s")

    def on_finish(self) -> None:
        """Forget the body's clock."""
        self._stop_clock()

    def on_connection_close(self) -> None:
        """Forget the body's clock when the client went away."""
        super().on_connection_close()
        self._stop_clock()

    def _stop_clock(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()

    def set_default_headers(self) -> None:
        """Say who answers."""
        self.set_header("Server", "clopos-sandbox")

    def compute_etag(self) -> str | None:
        """Return none: the API has none."""
        return None

    def write_error(self, status_code: int, **_: object) -> None:
        """Answer what failed outside ``serve``, and what failed in it."""
        known = {
            405: ("method_not_allowed", "No endpoint answers this method"),
            500: ("server_error", "The sandbox failed; see its log"),
        }
        # An error outside of serve comes before the body was read, and tornado hangs up after it:
        # a client that keeps connections has to know.
        self.set_header("Connection", "close")
        self.refuse(
            status_code, *known.get(status_code, ("bad_request", "The request cannot be read"))
        )

    def log_exception(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        """Log the sandbox's own faults only; what a caller got wrong is in its answer."""
        if isinstance(value, StreamClosedError):  # the client went away
            return
        if not isinstance(value, tornado.web.HTTPError) or value.status_code >= 500:
            super().log_exception(typ, value, tb)


class ServerThread:
    """Serves one handler on one address until stopped.

    The socket is bound by ``start``, in the caller's thread, so that a taken port raises there.

    Parameters
    ----------
    handler : type
        Answers every request.
    settings : dict
        What the handler's ``initialize`` takes.
    host, port : str, int
        Where; port 0 picks a free one.
    name : str
        Of the thread.
    idle_s : float, optional
        Time for a request line and headers to arrive.
    on_malformed : callable, optional
        Called for what is no HTTP.
    """

    def __init__(
        self,
        handler: type[JsonHandler],
        settings: dict[str, Any],
        *,
        host: str,
        port: int,
        name: str = "clopos-sandbox",
        idle_s: float | None = None,
        on_malformed: Malformed = lambda address: None,
    ) -> None:
        self._handler = handler
        self._settings = settings
        self._host = host
        self._port = port
        self._name = name
        self._idle_s = IDLE_S if idle_s is None else idle_s
        self._on_malformed = on_malformed
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._quit: asyncio.Event | None = None

    def start(self) -> int:
        """Serve, and return the port."""
        sockets = tornado.netutil.bind_sockets(self._port, self._host, family=socket.AF_INET)
        ready = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._main(sockets, ready)), name=self._name, daemon=True
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
            [],
            default_handler_class=self._handler,
            default_handler_args=self._settings,
            log_function=lambda handler: None,
        )
        server = _Server(
            application,
            max_body_size=MAX_DISCARDED,
            max_header_size=MAX_HEAD_READ,
            idle_connection_timeout=self._idle_s,
            body_timeout=self._handler.body_s + 10,  # a backstop: the handler answers before
        )
        server.on_malformed = self._on_malformed
        server.add_sockets(sockets)
        ready.set()
        await self._quit.wait()
        server.stop()
        await server.close_all_connections()


class _Server(HTTPServer):
    """Tells in JSON, and to the log, that a request line, header or chunk was no HTTP."""

    on_malformed: Malformed

    def handle_stream(self, stream: IOStream, address: Any) -> None:
        write = stream.write

        def speak(data: bytes | memoryview) -> Any:
            # The one answer that tornado makes below any handler, and without a body.
            if bytes(data[: len(_BARE_400)]) == _BARE_400:
                with contextlib.suppress(Exception):
                    self.on_malformed(str(address[0]))
                data = _malformed()
            return write(data)

        # An instance's own write, as IOStream has no other place to change what it says.
        object.__setattr__(stream, "write", speak)
        super().handle_stream(stream, address)


def _malformed() -> bytes:
    refusal = answers.slug(400, "bad_request", "This is no HTTP/1.1, or has too many parameters")
    body = answers.encode(refusal.body)
    head = (
        "HTTP/1.1 400 Bad Request\r\nServer: clopos-sandbox\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
