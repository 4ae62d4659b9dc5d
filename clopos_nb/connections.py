"""Connections to one server, and one exchange on them within bounds: the only importer of requests.

What arrives is not trusted to end: neither a body, packed or not, nor its head, nor the waiting.
"""

from __future__ import annotations

import functools
import http.client
import io
import os
import socket
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from clopos_nb import errors
from clopos_nb.addresses import is_loopback
from clopos_nb.errands import Request
from clopos_nb.quiet import log_no_queries
from clopos_nb.tokens import Token

CONNECT_S = 5.0
READ_S = 15.0  # without a byte; the gateway itself gives up after 8 s
ANSWER_S = 120.0  # until the last byte, however steadily they drip
MOST_BYTES = 64 * 2**20  # of an answer, as it comes and unpacked; the largest known page has 5 MB
MOST_HEAD = 2**20  # bytes of status lines and headers
_PIECE = 2**20


class Headers(AuthBase):
    """The API's own headers.

    They are an auth object, because requests looks for logins in ``.netrc`` whenever there is none.
    """

    def __init__(self, token: Token | None = None, venue_id: int | None = None) -> None:
        self._token = token
        self._venue_id = venue_id

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add them to a request."""
        if self._token is not None:
            request.headers["x-token"] = self._token.secret.reveal()
        if self._venue_id is not None:
            request.headers["x-venue"] = str(self._venue_id)
        return request


@dataclass(frozen=True)
class Reply:
    """An HTTP answer, read to its end."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | errors.ResponseError = field(repr=False)


@dataclass
class Connections:
    """Connections to one base URL, opened when they are first used.

    Parameters
    ----------
    base_url : str
        Checked by :func:`clopos_nb.addresses.checked_base_url`.
    most : int
        Requests under way at once.
    """

    base_url: str
    most: int
    _session: requests.Session | None = field(default=None, init=False, repr=False)
    _process: int = field(default=0, init=False, repr=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def exchange(self, request: Request, headers: Headers) -> Reply:
        """Send once and return the HTTP answer, or say why there is none.

        Where the answer is too large, or packed in a way nobody asked for, its ``body`` says so.

        Raises
        ------
        TransportError
        """
        problem: BaseException | None
        try:
            with self._opened().request(
                request.method,
                self.base_url + request.path,
                params=request.query.open(),
                data=request.body.open(),
                auth=headers,
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
                stream=True,
            ) as response:
                reply = Reply(response.status_code, response.headers, _body(response, request))
        except (OSError, urllib3.exceptions.HTTPError, ValueError) as exc:
            # RequestException is an OSError; a bare one is a missing certificate file. ValueError
            # is what broken chunks may end in.
            problem = _no_answer(exc, request, self.base_url)
        except KeyboardInterrupt:
            problem = KeyboardInterrupt()  # a new one: the old one's frames hold the headers
        else:
            problem = _redirected(reply, request)
        if problem is not None:  # outside of the except: its exception has the URL and the headers
            raise problem
        return reply

    def close(self) -> None:
        """Close them; the next exchange opens them again."""
        with self._opening:
            if self._session is not None:
                self._session.close()
                self._session = None

    def _opened(self) -> requests.Session:
        """Return the connections, which all threads of this process share."""
        # A forked process must not speak on its parent's connections: answers would cross. Nor may
        # it wait for a lock that a thread of its parent held.
        if self._process != os.getpid():
            self._opening, self._session, self._process = threading.Lock(), None, os.getpid()
        with self._opening:
            if self._session is None:
                session = _Straight()
                session.mount(self.base_url, _Bounded(pool_maxsize=self.most))
                session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
                session.headers["Accept"] = "application/json"
                session.headers["Accept-Encoding"] = "gzip"
                session.headers["Content-Type"] = "application/json"
                # A proxy of the environment has no business between two programs of one machine.
                session.trust_env = not is_loopback(urlsplit(self.base_url).hostname or "")
                log_no_queries(self.base_url)
                self._session = session
            return self._session


def unknown(request: Request) -> errors.OutcomeUnknown:
    """Return the error of a write that may or may not have happened."""
    return errors.OutcomeUnknown(
        f"{request.method} {request}: no clear answer came back, so it may or may not have "
        "happened. Read the resource again before repeating it"
    )


# ------------------------------------------------------------------------------- in bounds


class _Straight(requests.Session):
    """A session that follows no redirect; requests would read its whole body first."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Bounded(HTTPAdapter):
    """An adapter whose connections end an answer that does not end by itself."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if pool.ConnectionCls.response_class is not _Answer:
            pool.ConnectionCls = _ending(pool.ConnectionCls)
        return pool


@functools.cache
def _ending(connection: type[Any]) -> type[Any]:
    return type(connection.__name__, (connection,), {"response_class": _Answer})


class _Answer(http.client.HTTPResponse):
    """An answer that is read from a socket in time, and no more of it than is bearable."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self._stream = _Stream(sock, self.fp.detach())
        self.fp = io.BufferedReader(self._stream)

    def begin(self) -> None:
        super().begin()
        del self.headers["Set-Cookie"]  # nobody wants them, and an odd one makes cookiejar warn
        self._stream.left = MOST_BYTES + MOST_HEAD  # a body that is larger ends earlier


class _Stream(io.RawIOBase):
    """The bytes of a socket, until they are too many or come too late."""

    def __init__(self, sock: socket.socket, raw: io.RawIOBase) -> None:
        self._sock = sock
        self._raw = raw
        self._until = time.monotonic() + ANSWER_S
        self.left = MOST_HEAD

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self.left <= 0:
            message = "the answer does not end"
            raise OSError(message)
        wait = self._until - time.monotonic()
        if wait <= 0:
            raise TimeoutError
        self._sock.settimeout(min(wait, READ_S))
        try:
            count: int | None = self._raw.readinto(buffer)
        finally:
            self._sock.settimeout(READ_S)  # of whoever uses this connection next
        self.left -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def _body(response: requests.Response, request: Request) -> bytes | errors.ResponseError:
    """Return the body unpacked, or the error that it is; no traceback holds a piece of it."""
    packed = response.headers.get("Content-Encoding", "").strip().lower()
    if packed not in ("", "identity", "gzip"):
        return errors.ResponseError(
            f"The answer of {request} is packed in a way that was not asked for. Check base_url: "
            "something else may be answering there"
        )
    unpack = zlib.decompressobj(wbits=31).decompress if packed == "gzip" else None
    pieces, came, size = [], 0, 0
    while piece := response.raw.read(_PIECE, decode_content=False):
        came += len(piece)
        try:
            piece = unpack(piece, MOST_BYTES + 1 - size) if unpack else piece
        except zlib.error:
            return errors.ResponseError(f"The answer of {request} cannot be unpacked")
        size += len(piece)
        if max(came, size) > MOST_BYTES:
            return errors.AnswerTooLarge(
                f"The answer of {request} is larger than {MOST_BYTES // 2**20} MB and was not read "
                "to its end. Ask for less at a time"
            )
        pieces.append(piece)
    return b"".join(pieces)


# --------------------------------------------------------------------------- what went wrong


def _redirected(reply: Reply, request: Request) -> errors.CloposError | None:
    if not 300 <= reply.status < 400:
        return None
    return errors.UnexpectedRedirect(
        f"{request} was answered with a redirect (HTTP {reply.status}), which this "
        "API never needs and which could carry the token elsewhere. Check base_url"
    )


def _no_answer(exc: Exception, request: Request, base_url: str) -> errors.CloposError:
    host = urlsplit(base_url).netloc
    refused = isinstance(exc, requests.ConnectTimeout) or "NewConnectionError" in repr(exc)
    if request.is_write and not refused:
        return unknown(request)
    if isinstance(exc, requests.Timeout | urllib3.exceptions.TimeoutError):
        return errors.RequestTimeout(
            f"{request}: {host} did not answer within {READ_S:.0f} s, or not to the end within "
            f"{ANSWER_S:.0f} s. Try again, or ask for fewer days"
        )
    no_file = isinstance(exc, OSError) and not isinstance(exc, requests.RequestException)
    if isinstance(exc, requests.exceptions.SSLError) or no_file:
        return errors.ConnectionFailed(
            f"{request}: the secure connection to {host} failed. Check the machine's clock and "
            "certificates (REQUESTS_CA_BUNDLE, where it is set), and that base_url is right"
        )
    return errors.ConnectionFailed(
        f"{request}: {host} could not be reached, or broke the connection off "
        f"({type(exc).__name__}). Check the network and base_url (CLOPOS_BASE_URL)"
    )
