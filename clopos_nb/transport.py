"""Sending requests until there is an answer, or no hope of one.

``Transport.send`` reads top to bottom: wait for the budget, send with the token, read the answer;
on a refused token log in once and send again; on a 429 or a failing read wait and try again, a
bounded number of times.
"""

from __future__ import annotations

import email.utils
import functools
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from clopos_nb import errors, wire
from clopos_nb.addresses import checked_path
from clopos_nb.budget import Budget, Rate
from clopos_nb.connections import Connections, Headers, Reply, unknown
from clopos_nb.credentials import Credentials
from clopos_nb.errands import Errand, Request, Stopped
from clopos_nb.quota import Quota, retry_after_s
from clopos_nb.tokens import Token, TokenStore

log = logging.getLogger("clopos_nb")

TRIES = 4
WORKERS = 16  # requests under way at once, at most
NOTICEABLE_S = 1.0  # a shorter wait is not worth a word
LONGEST_WAIT_S = 90.0  # a window is a minute; whoever asks for much more is not believed
_MAY_PASS = (
    errors.TransportError,
    errors.RateLimited,
    errors.ServerError,
    errors.ResponseError,
)
_FINAL = (errors.OutcomeUnknown, errors.UnexpectedRedirect, errors.AnswerTooLarge)


@dataclass
class Transport:
    """Requests to one base URL under one set of credentials.

    Parameters
    ----------
    base_url : str
        Checked by :func:`clopos_nb.addresses.checked_base_url`.
    credentials : callable
        Gives the credentials when they are first needed.
    store : TokenStore
    quota : Quota
    rate : Rate
        What the budget allows, until the server says otherwise.
    now, sleep : callable
        The clock.
    """

    base_url: str
    credentials: Callable[[], Credentials]
    store: TokenStore
    rate: Rate = field(default_factory=Rate)
    quota: Quota = field(default_factory=Quota)
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] | None = None
    _retired: str = field(default="", init=False)
    _connections: Connections = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._connections = Connections(self.base_url, WORKERS)

    # -- the public verbs

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Any = None,
        venue_id: int | None = None,
        reader: wire.Reader | None = None,
        errand: Errand | None = None,
    ) -> wire.Answer:
        """Send a request and return its good answer; ``reader`` as in ``wire.read_answer``.

        A request of an ``errand`` leaves a little of the budget to others.

        Raises
        ------
        AuthError, TransportError, ApiError, ResponseError
        """
        self.check_server()
        request = Request(method, checked_path(path), query, body, venue_id, reader, errand)
        token = self.token()
        try:
            return self._persist(request, Headers(token, venue_id))[0]
        except errors.TokenRejected:
            # Expired early, or revoked: one fresh login, one more try. The request was refused
            # before it did anything, so this is safe for writes too.
            token = self.token(but=token)
            return self._persist(request, Headers(token, venue_id))[0]

    def token(self, *, but: Token | None = None) -> Token:
        """Return a token that is good for a while, logging in when there is none."""
        self.check_server()
        key = self.credentials().fingerprint(self.base_url)
        return self.store.obtain(key, self._login, but=but)

    def login(self) -> Token:
        """Log in now, whatever token there is, and keep the new one."""
        self.check_server()
        key = self.credentials().fingerprint(self.base_url)
        return self.store.obtain(key, self._login, anew=True)

    def stored_token(self) -> Token | None:
        """Return the token there is, without logging in."""
        return self.store.peek(self.credentials().fingerprint(self.base_url))

    def held_token(self, credentials: Credentials | None) -> Token | None:
        """Return the token that was in use already; opens no file and asks for no credentials."""
        if credentials is None:
            return None
        return self.store.held(credentials.fingerprint(self.base_url))

    def logout(self) -> None:
        """Forget the token, here and on disk."""
        self.store.forget(self.credentials().fingerprint(self.base_url))

    def probe(self) -> tuple[float, float | None]:
        """Send one request without a token, whatever it answers.

        Returns
        -------
        tuple
            Seconds until the answer came, and the server's time if it tells it.

        Raises
        ------
        TransportError
        """
        self.check_server()
        began = time.perf_counter()
        reply = self._exchange(Request("GET", "/venues"), Headers())
        return time.perf_counter() - began, _server_time(reply)

    def close(self) -> None:
        """Close connections and the token store; the next request opens them again."""
        self._connections.close()
        self.store.close()

    def retire(self, why: str) -> None:
        """Take no more requests: there is no server; whoever asks is told why."""
        self._retired = why

    def check_server(self) -> None:
        """Raise ``ConfigError`` if there is no server any more, or never was."""
        if self._retired:
            raise errors.ConfigError(self._retired)

    # -- one request, and what to do when it fails

    def _login(self) -> Token:
        credentials = self.credentials()
        log.info("logging in to %s (brand %s)", urlsplit(self.base_url).hostname, credentials.brand)
        request = Request("POST", "/auth", body=credentials.body())
        answer, server_now = self._persist(request, Headers())
        token = Token.from_answer(answer.token or {}, now=self.now(), server_now=server_now)
        if isinstance(token, errors.ResponseError):
            raise token
        return token

    def _persist(self, request: Request, headers: Headers) -> tuple[wire.Answer, float | None]:
        """Send until there is an answer or no hope; return it with the server's time."""
        for attempt in range(1, TRIES + 1):
            try:
                reply = self._within_budget(request, headers)
                return self._read(reply, request), _server_time(reply)
            except _MAY_PASS as exc:
                wait = _wait_before_retry(exc, request, attempt)
                if wait is None:
                    raise
                why = type(exc).__name__
            log.info("%s %s: %s; waiting %.1f s", request.method, request.path, why, wait)
            self._wait(wait, request.errand)
        raise AssertionError  # the last attempt returns or raises

    def _within_budget(self, request: Request, headers: Headers) -> Reply:
        """Wait for the budget, send once, and note what the answer says of it."""
        budget, stated = self.budget if request.path != "/auth" else self.logins, None
        while True:
            name, wait = budget.take(bulk=request.errand is not None)
            if name is not None:
                break
            log.debug("request budget used up; waiting %.1f s", wait)
            self._wait(min(wait, LONGEST_WAIT_S), request.errand)
        try:
            reply = self._exchange(request, headers)
            if reply.status != 401 and request.path != "/auth":
                self.quota.read(reply.headers)  # the others count against other limits
                stated = Quota()
                stated.read(reply.headers)
            return reply
        finally:
            budget.ended(name, stated)

    @functools.cached_property
    def budget(self) -> Budget:
        """The budget of this integrator and brand, shared by the machine's processes."""
        known = self.credentials()
        name = f"{self.base_url} {known.integrator_id} {known.brand}"
        return Budget(self.store.cabinet, name, self.rate, self.now)

    @functools.cached_property
    def logins(self) -> Budget:
        """The budget of logins, which the API counts for each address."""
        return Budget(self.store.cabinet, f"{self.base_url} logins", Rate(60), self.now)

    def _wait(self, seconds: float, errand: Errand | None) -> None:
        errand = errand or Errand()
        if seconds >= NOTICEABLE_S:
            errand.waiting(seconds)
        if self.sleep is not None:
            self.sleep(seconds)
        else:
            errand.stopped.wait(seconds)
        if errand.stopped.is_set():
            raise Stopped

    def _exchange(self, request: Request, headers: Headers) -> Reply:
        if request.errand is not None and request.errand.stopped.is_set():
            raise Stopped
        began = time.perf_counter()
        reply = self._connections.exchange(request, headers)
        took_ms = 1e3 * (time.perf_counter() - began)
        log.debug("%s %s %d %.0f ms", request.method, request.path, reply.status, took_ms)
        return reply

    def _read(self, reply: Reply, request: Request) -> wire.Answer:
        answer: wire.Answer | errors.CloposError
        if isinstance(reply.body, errors.ResponseError):
            answer = reply.body
        else:
            answer = wire.read_answer(
                reply.status,
                reply.body,
                path=request.path,
                venue_id=request.venue_id,
                sent=self._known_to_the_server(request),
                retry_after=retry_after_s(reply.headers),
                reader=request.reader,
            )
        if isinstance(answer, wire.Answer):
            return answer
        if request.is_write and isinstance(answer, errors.ServerError | errors.ResponseError):
            raise unknown(request) from answer
        raise answer

    def _known_to_the_server(self, request: Request) -> list[str]:
        """Return what a server might repeat in an error: what was sent, now or at the login."""
        known = self.credentials()
        return [*request.strings.open(), known.client_id.reveal(), known.client_secret.reveal()]


def _server_time(reply: Reply) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(reply.headers["Date"]).timestamp()
    except (KeyError, ValueError, OverflowError, TypeError):
        return None


def _wait_before_retry(exc: errors.CloposError, request: Request, attempt: int) -> float | None:
    """Return the seconds to wait before another try, or None when there is none.

    A read whose answer cannot be read was cut off, or something between answered instead.

    A write is tried again only when it cannot have been processed: after a 429, or when no
    connection came about, which is all that ``ConnectionFailed`` means for a write.
    """
    if attempt == TRIES or isinstance(exc, _FINAL):
        return None
    if isinstance(exc, errors.RateLimited):
        asked = exc.retry_after if exc.retry_after is not None else 2.0**attempt
        return None if asked > LONGEST_WAIT_S else asked + random.uniform(0, 0.1)  # noqa: S311
    if request.is_write and not isinstance(exc, errors.ConnectionFailed):
        return None
    return random.uniform(0, 0.25 * 2.0**attempt)  # noqa: S311  # full jitter, not a secret
