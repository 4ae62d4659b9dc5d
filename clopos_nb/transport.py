"""Sending requests: the only module that imports requests.

``Transport.send`` reads top to bottom: wait for the budget, send with the token, read the answer;
on a refused token log in once and send again; on a 429 or a failing read wait and try again, a
bounded number of times.
"""

from __future__ import annotations

import email.utils
import functools
import logging
import os
import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase

from clopos_nb import errors, wire
from clopos_nb.addresses import checked_path, is_loopback
from clopos_nb.budget import Budget, Rate
from clopos_nb.credentials import Credentials
from clopos_nb.errands import Errand, Request, Stopped
from clopos_nb.quiet import log_no_queries
from clopos_nb.quota import Quota, retry_after_s
from clopos_nb.tokens import Token, TokenStore

log = logging.getLogger("clopos_nb")

CONNECT_S = 5.0
READ_S = 15.0  # the gateway itself gives up after 8 s
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


class _Headers(AuthBase):
    """The API's own headers.

    They are an auth object, because requests looks for logins in ``.netrc`` whenever there is none.
    """

    def __init__(self, token: Token | None = None, venue_id: int | None = None) -> None:
        self._token = token
        self._venue_id = venue_id

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token is not None:
            request.headers["x-token"] = self._token.secret.reveal()
        if self._venue_id is not None:
            request.headers["x-venue"] = str(self._venue_id)
        return request


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
    _connections: requests.Session | None = field(default=None, init=False, repr=False)
    _process: int = field(default=0, init=False, repr=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

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
            return self._persist(request, _Headers(token, venue_id))[0]
        except errors.TokenRejected:
            # Expired early, or revoked: one fresh login, one more try. The request was refused
            # before it did anything, so this is safe for writes too.
            token = self.token(but=token)
            return self._persist(request, _Headers(token, venue_id))[0]

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
        response = self._exchange(Request("GET", "/venues"), _Headers())
        return time.perf_counter() - began, _server_time(response)

    def close(self) -> None:
        """Close connections and the token store; the next request opens them again."""
        with self._opening:
            if self._connections is not None:
                self._connections.close()
                self._connections = None
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
        answer, server_now = self._persist(request, _Headers())
        token = Token.from_answer(answer.token or {}, now=self.now(), server_now=server_now)
        if isinstance(token, errors.ResponseError):
            raise token
        return token

    def _persist(self, request: Request, headers: _Headers) -> tuple[wire.Answer, float | None]:
        """Send until there is an answer or no hope; return it with the server's time."""
        for attempt in range(1, TRIES + 1):
            try:
                response = self._within_budget(request, headers)
                return self._read(response, request), _server_time(response)
            except _MAY_PASS as exc:
                wait = _wait_before_retry(exc, request, attempt)
                if wait is None:
                    raise
                why = type(exc).__name__
            log.info("%s %s: %s; waiting %.1f s", request.method, request.path, why, wait)
            self._wait(wait, request.errand)
        raise AssertionError  # the last attempt returns or raises

    def _within_budget(self, request: Request, headers: _Headers) -> requests.Response:
        """Wait for the budget, send once, and note what the answer says of it."""
        budget, stated = self.budget if request.path != "/auth" else self.logins, None
        while True:
            name, wait = budget.take(bulk=request.errand is not None)
            if name is not None:
                break
            log.debug("request budget used up; waiting %.1f s", wait)
            self._wait(min(wait, LONGEST_WAIT_S), request.errand)
        try:
            response = self._exchange(request, headers)
            if response.status_code != 401 and request.path != "/auth":
                self.quota.read(response.headers)  # the others count against other limits
                stated = Quota()
                stated.read(response.headers)
            return response
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

    def _exchange(self, request: Request, headers: _Headers) -> requests.Response:
        """Send once and return the HTTP answer, or say why there is none."""
        if request.errand is not None and request.errand.stopped.is_set():
            raise Stopped
        began = time.perf_counter()
        problem: BaseException | None
        try:
            response = self._http().request(
                request.method,
                self.base_url + request.path,
                params=request.query.open(),
                data=request.body.open(),
                auth=headers,
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
            )
        except OSError as exc:  # RequestException is one; a bare one is a missing certificate file
            problem = _no_answer(exc, request, self.base_url)
        except KeyboardInterrupt:
            problem = KeyboardInterrupt()  # a new one: the old one's frames hold the headers
        else:
            problem = _redirected(response, request)
            log.debug(
                "%s %s %d %.0f ms",
                request.method,
                request.path,
                response.status_code,
                1e3 * (time.perf_counter() - began),
            )
        if problem is not None:  # outside of the except: its exception has the URL and the headers
            raise problem
        return response

    def _read(self, response: requests.Response, request: Request) -> wire.Answer:
        answer = wire.read_answer(
            response.status_code,
            response.content,
            path=request.path,
            venue_id=request.venue_id,
            sent=self._known_to_the_server(request),
            retry_after=retry_after_s(response.headers),
            reader=request.reader,
        )
        if isinstance(answer, wire.Answer):
            return answer
        if request.is_write and isinstance(answer, errors.ServerError | errors.ResponseError):
            raise _unknown(request) from answer
        raise answer

    def _known_to_the_server(self, request: Request) -> list[str]:
        """Return what a server might repeat in an error: what was sent, now or at the login."""
        known = self.credentials()
        return [*request.strings.open(), known.client_id.reveal(), known.client_secret.reveal()]

    def _http(self) -> requests.Session:
        """Return the connections, which all threads of this process share."""
        # A forked process must not speak on its parent's connections: answers would cross. Nor may
        # it wait for a lock that a thread of its parent held.
        if self._process != os.getpid():
            self._opening, self._connections, self._process = threading.Lock(), None, os.getpid()
        with self._opening:
            if self._connections is None:
                http = requests.Session()
                http.mount(self.base_url, HTTPAdapter(pool_maxsize=WORKERS))
                http.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
                http.headers["Accept"] = "application/json"
                http.headers["Content-Type"] = "application/json"
                # A proxy of the environment has no business between two programs of one machine.
                http.trust_env = not is_loopback(urlsplit(self.base_url).hostname or "")
                log_no_queries(self.base_url)
                self._connections = http
            return self._connections


def _server_time(response: requests.Response) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return None


def _redirected(response: requests.Response, request: Request) -> errors.CloposError | None:
    if not 300 <= response.status_code < 400:
        return None
    return errors.UnexpectedRedirect(
        f"{request} was answered with a redirect (HTTP {response.status_code}), which this "
        "API never needs and which could carry the token elsewhere. Check base_url"
    )


def _unknown(request: Request) -> errors.OutcomeUnknown:
    return errors.OutcomeUnknown(
        f"{request.method} {request}: no clear answer came back, so it may or may not have "
        "happened. Read the resource again before repeating it"
    )


def _no_answer(exc: OSError, request: Request, base_url: str) -> errors.CloposError:
    host = urlsplit(base_url).netloc
    bare = not isinstance(exc, requests.RequestException)
    refused = isinstance(exc, requests.ConnectTimeout) or "NewConnectionError" in repr(exc)
    if request.is_write and not refused:
        return _unknown(request)
    if isinstance(exc, requests.Timeout):
        return errors.RequestTimeout(
            f"{request}: {host} did not answer within {READ_S:.0f} s. Try again, or ask for "
            "fewer days"
        )
    if isinstance(exc, requests.exceptions.SSLError) or bare:
        return errors.ConnectionFailed(
            f"{request}: the secure connection to {host} failed. Check the machine's clock and "
            "certificates (REQUESTS_CA_BUNDLE, where it is set), and that base_url is right"
        )
    return errors.ConnectionFailed(
        f"{request}: {host} could not be reached, or broke the connection off "
        f"({type(exc).__name__}). Check the network and base_url (CLOPOS_BASE_URL)"
    )


def _wait_before_retry(exc: errors.CloposError, request: Request, attempt: int) -> float | None:
    """Return the seconds to wait before another try, or None when there is none.

    A read whose answer cannot be read was cut off, or something between answered instead.

    A write is tried again only when it cannot have been processed: after a 429, or when no
    connection came about, which is all that ``ConnectionFailed`` means for a write.
    """
    if attempt == TRIES or isinstance(exc, errors.OutcomeUnknown | errors.UnexpectedRedirect):
        return None
    if isinstance(exc, errors.RateLimited):
        asked = exc.retry_after if exc.retry_after is not None else 2.0**attempt
        return None if asked > LONGEST_WAIT_S else asked + random.uniform(0, 0.1)  # noqa: S311
    if request.is_write and not isinstance(exc, errors.ConnectionFailed):
        return None
    return random.uniform(0, 0.25 * 2.0**attempt)  # noqa: S311  # full jitter, not a secret
