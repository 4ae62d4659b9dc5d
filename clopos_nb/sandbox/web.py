"""The API over HTTP: reads requests for the gateway, and delivers what it answers."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable
from urllib.parse import unquote

import tornado.httputil
from tornado.iostream import StreamClosedError

from clopos_nb.sandbox.answers import Answer
from clopos_nb.sandbox.faults.gateway import Gateway
from clopos_nb.sandbox.faults.work import Work
from clopos_nb.sandbox.requestlog import Entry
from clopos_nb.sandbox.service import Request, Seen, relative
from clopos_nb.sandbox.serving import JsonHandler, ServerThread

_TRICKLE_PIECES = 20
_BEFORE_RESET_S = 0.02
Observer = Callable[[Entry, float], None]
"""Called after each request with its log entry and the milliseconds it took."""


class _Handler(JsonHandler):
    """Hands every request to the gateway, whatever its method and path."""

    def initialize(
        self,
        gateway: Gateway,
        now: Callable[[], float],
        latency_s: float,
        observe: Observer,
        page: Callable[[], bytes],
    ) -> None:
        self._gateway = gateway
        self._now = now
        self._latency_s = latency_s
        self._observe = observe
        self._page = page
        self._seen = Seen()
        self._marks: tuple[str, ...] = ()
        self._skew_s = 0.0
        self._asked: Request | None = None

    async def serve(self) -> None:
        if self._latency_s:
            await asyncio.sleep(self._latency_s)
        request = self._asked = self._read()
        if request.method in ("GET", "HEAD") and request.path == "/":
            self.send(_front(self._page()))
            return
        await self._deliver(self._gateway.answer(request, self._seen))

    async def _deliver(self, work: Work) -> None:
        self._marks = tuple(work.marks)
        self._skew_s = work.skew_s
        answer = work.answer or Answer(500, b"")
        if work.delay_s:
            await asyncio.sleep(work.delay_s)
        if work.cut is None and not work.trickle_s:
            self.send(answer)
            return
        self._note(answer.status)
        try:
            if work.cut != 0.0:
                await self._send_slowly(answer, work)
            if work.cut is not None:
                await self._reset()
            else:
                self.finish()
        except StreamClosedError:  # the client has had enough
            self._auto_finish = False

    async def _send_slowly(self, answer: Answer, work: Work) -> None:
        body = answer.body
        if work.cut is not None:
            body = body[: max(1, min(len(body) - 1, round(len(body) * work.cut)))]
        self._head(answer)
        # Of the whole body: the client is to wait for what does not come.
        self.set_header("Content-Length", len(answer.body))
        await self.flush()
        pieces = _TRICKLE_PIECES if work.trickle_s else 1
        size = max(1, -(-len(body) // pieces))
        pause = work.trickle_s / max(1, -(-len(body) // size))
        for start in range(0, len(body), size):
            await asyncio.sleep(pause)
            self.write(body[start : start + size])
            await self.flush()

    async def _reset(self) -> None:
        await asyncio.sleep(_BEFORE_RESET_S)  # for what was sent to get through
        self._auto_finish = False
        stream = self.detach()
        if stream.closed():  # the client has left already
            return
        # Lingering for zero seconds makes close() send RST instead of FIN.
        stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()

    def send(self, answer: Answer) -> None:
        # Before the answer leaves: whoever has it may look at the log at once.
        self._note(answer.status)
        self._head(answer)
        self.finish(answer.body)

    def _head(self, answer: Answer) -> None:
        self.set_status(answer.status)
        for name, value in answer.headers.items():
            self.set_header(name, value)
        self.set_header("Content-Type", answer.content_type)
        # One clock for everything this server says: Date, token times and envelopes agree.
        said = self._now() + self._skew_s
        self.set_header("Date", tornado.httputil.format_timestamp(said))

    def _read(self) -> Request:
        if self._asked is not None:
            return self._asked
        headers = self.request.headers
        return Request(
            method=self.request.method or "",
            path=unquote(self.request.path, errors="replace"),
            query=self.request.query,
            token=headers.get("x-token"),
            venue=headers.get("x-venue"),
            content_type=headers.get("Content-Type"),
            body=self.body,
            address=self.request.remote_ip or "",
        )

    def _note(self, status: int) -> None:
        request = self._read()
        path = relative(request.path) or request.path
        entry = Entry(request.method, path, status, self._seen.venue_id, request.query, self._marks)
        self._observe(entry, self.request.request_time() * 1000)


def _front(page: bytes) -> Answer:
    headers = {
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
    return Answer(200, page, headers, content_type="text/html; charset=utf-8")


class WebServer(ServerThread):
    """Serves one gateway on one address until stopped.

    Parameters
    ----------
    gateway : Gateway
        Answers.
    host, port : str, int
        Where; port 0 picks a free one.
    now : callable
        Unix time, for ``Date``.
    latency_s : float
        Added to every answer.
    observe : callable
        See ``Observer``.
    page : callable
        Returns the page at ``/``.
    """

    def __init__(
        self,
        gateway: Gateway,
        *,
        host: str,
        port: int,
        now: Callable[[], float] = time.time,
        latency_s: float = 0.0,
        observe: Observer = lambda entry, ms: None,
        page: Callable[[], bytes] = lambda: b"",
    ) -> None:
        settings = {
            "gateway": gateway,
            "now": now,
            "latency_s": latency_s,
            "observe": observe,
            "page": page,
        }
        super().__init__(
            _Handler,
            settings,
            host=host,
            port=port,
            on_malformed=lambda address: observe(Entry("?", "?", 400, None, ""), 0.0),
        )
