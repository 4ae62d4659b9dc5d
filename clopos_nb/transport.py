"""Sending requests: the only module that imports requests.

``Transport.send`` reads top to bottom: wait for the budget, send with the token, read the answer;
on a refused token log in once and send again; on a 429 or a failing read wait and try again, a
bounded number of times.
"""

from __future__ import annotations

import email.utils
import ipaddress
import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from clopos_nb import errors, wire
from clopos_nb.credentials import Credentials
from clopos_nb.quota import Quota, retry_after_s
from clopos_nb.tokens import Token, TokenStore

log = logging.getLogger("clopos_nb")

CONNECT_S = 5.0
READ_S = 15.0  # the gateway itself gives up after 8 s
TRIES = 4
LONGEST_WAIT_S = 90.0  # a window is a minute; whoever asks for much more is not believed


def checked_base_url(url: str) -> str:
    """Return the base URL without a trailing slash, if it is safe to send credentials to.

    Raises
    ------
    ConfigError
        Not ``https://``, nor ``http://`` to this machine; or it carries a login, query or fragment.
    """
    parts = urlsplit(url.strip()) if isinstance(url, str) else urlsplit("")
    try:
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("https", "http"):
        message = (
            "base_url is not a web address. Expected https://HOST/PATH, as in "
            f"{wire.DEFAULT_BASE_URL}; set CLOPOS_BASE_URL or pass base_url="
        )
        raise errors.ConfigError(message)
    if parts.username or parts.password or parts.query or parts.fragment:
        message = "base_url must not carry a login, a query or a fragment; credentials go elsewhere"
        raise errors.ConfigError(message)
    if parts.scheme == "http" and not is_loopback(host):
        message = (
            f"base_url is http:// to {host}, which would send the credentials readable to all on "
            "the way. Use https://; plain http:// is for this machine only (127.0.0.1, localhost)"
        )
        raise errors.ConfigError(message)
    return url.strip().rstrip("/")


def is_loopback(host: str) -> bool:
    """Tell whether a host name is this machine."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Headers(AuthBase):
    """The API's own headers.

    They are an auth object, because requests looks for logins in ``.netrc`` whenever there is none.
    """

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers.update(self._headers)
        return request


@dataclass
class Transport:
    """Requests to one base URL under one set of credentials.

    Parameters
    ----------
    base_url : str
        Checked by :func:`checked_base_url`.
    credentials : callable
        Gives the credentials when they are first needed.
    store : TokenStore
    quota : Quota
    now, sleep : callable
        The clock.
    """

    base_url: str
    credentials: Callable[[], Credentials]
    store: TokenStore
    quota: Quota = field(default_factory=Quota)
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    requests_sent: int = field(default=0, init=False)
    _local: threading.local = field(default_factory=threading.local, init=False, repr=False)

    # -- the public verbs

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Sequence[tuple[str, str]] = (),
        body: Any = None,
        venue_id: int | None = None,
    ) -> wire.Answer:
        """Send a request and return its good answer.

        Raises
        ------
        AuthError, TransportError, ApiError, ResponseError
        """
        path = checked_path(path)
        token = self.token()
        try:
            return self._persist(method, path, query, body, venue_id, token)
        except errors.TokenRejected:
            # Expired early, or revoked: one fresh login, one more try. The request was refused
            # before it did anything, so this is safe for writes too.
            token = self.token(but=token)
            return self._persist(method, path, query, body, venue_id, token)

    def token(self, *, but: Token | None = None) -> Token:
        """Return a token that is good for a while, logging in when there is none."""
        key = self.credentials().fingerprint(self.base_url)
        return self.store.obtain(key, self._login, but=but)

    def login(self) -> Token:
        """Log in now, whatever token there is, and keep the new one."""
        return self.token(but=self.stored_token())

    def stored_token(self) -> Token | None:
        """Return the token there is, without logging in."""
        return self.store.peek(self.credentials().fingerprint(self.base_url))

    def logout(self) -> None:
        """Forget the token, here and on disk."""
        self.store.forget(self.credentials().fingerprint(self.base_url))

    def close(self) -> None:
        """Close connections and the token store."""
        if http := getattr(self._local, "http", None):
            http.close()
            del self._local.http
        self.store.close()

    # -- one request, and what to do when it fails

    def _login(self) -> Token:
        credentials = self.credentials()
        log.info("logging in to %s (brand %s)", urlsplit(self.base_url).hostname, credentials.brand)
        response = self._exchange("POST", "/auth", (), credentials.body(), {})
        answer = self._open(response, "/auth", None, list(credentials.body().values()))
        if answer.token is None:
            message = "The answer of /auth has no token"
            raise errors.ResponseError(message)
        return Token.from_answer(answer.token, now=self.now(), server_now=_server_time(response))

    def _persist(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        body: Any,
        venue_id: int | None,
        token: Token,
    ) -> wire.Answer:
        headers = {"x-token": token.secret.reveal()}
        if venue_id is not None:
            headers["x-venue"] = str(venue_id)
        sent = [value for _, value in query] + list(_strings(body))
        for attempt in range(1, TRIES + 1):
            self.sleep_for_budget()
            try:
                response = self._exchange(method, path, query, body, headers)
                if response.status_code != 401:  # those count against another limit
                    self.quota.read(response.headers)
                return self._open(response, path, venue_id, sent)
            except (errors.TransportError, errors.RateLimited, errors.ServerError) as exc:
                wait = _wait_before_retry(exc, method, attempt)
                if wait is None:
                    raise
                log.info("%s %s: %s; waiting %.1f s", method, path, type(exc).__name__, wait)
                self.sleep(wait)
        raise AssertionError  # the last attempt returns or raises

    def sleep_for_budget(self) -> None:
        """Wait while the budget that the server stated is used up."""
        if (wait := min(self.quota.wait_s(), LONGEST_WAIT_S)) > 0:
            log.info("request budget used up; waiting %.1f s", wait)
            self.sleep(wait)

    def _exchange(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]],
        body: Any,
        headers: Mapping[str, str],
    ) -> requests.Response:
        """Send once and return the HTTP answer, or say why there is none."""
        self.requests_sent += 1
        began = time.perf_counter()
        try:
            response = self._http().request(
                method,
                self.base_url + path,
                params=list(query),
                json=body,
                auth=_Headers(headers),
                timeout=(CONNECT_S, READ_S),
                allow_redirects=False,
            )
        except requests.RequestException as exc:
            raise _no_answer(exc, method, self.base_url, path) from None  # its text has the URL
        log.debug(
            "%s %s %d %.0f ms",
            method,
            path,
            response.status_code,
            1e3 * (time.perf_counter() - began),
        )
        if 300 <= response.status_code < 400:
            message = (
                f"{path} was answered with a redirect (HTTP {response.status_code}), which this "
                "API never needs and which could carry the token elsewhere. Check base_url"
            )
            raise errors.UnexpectedRedirect(message)
        return response

    def _open(
        self, response: requests.Response, path: str, venue_id: int | None, sent: Sequence[str]
    ) -> wire.Answer:
        return wire.open_answer(
            response.status_code,
            response.content,
            path=path,
            venue_id=venue_id,
            sent=sent,
            retry_after=retry_after_s(response.headers),
        )

    def _http(self) -> requests.Session:
        """Return this thread's connections."""
        http: requests.Session | None = getattr(self._local, "http", None)
        if http is None:
            http = requests.Session()
            http.headers["Accept"] = "application/json"
            # A proxy of the environment has no business between two programs of one machine.
            http.trust_env = not is_loopback(urlsplit(self.base_url).hostname or "")
            self._local.http = http
        return http


def checked_path(path: str) -> str:
    """Return a path below the base URL, with its leading slash.

    Raises
    ------
    ConfigError
        It leads elsewhere, or has a query of its own.
    """
    path = "/" + str(path).lstrip("/")
    if "://" in path or "?" in path or "#" in path or ".." in path.split("/"):
        message = (
            f"{path!r} is not a path of the API; write it as in '/receipts/12' and use params="
        )
        raise errors.ConfigError(message)
    return path


def _server_time(response: requests.Response) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(response.headers["Date"]).timestamp()
    except (KeyError, ValueError):
        return None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value


def _no_answer(
    exc: requests.RequestException, method: str, base_url: str, path: str
) -> errors.CloposError:
    host = urlsplit(base_url).netloc
    refused = isinstance(exc, requests.ConnectTimeout) or "NewConnectionError" in repr(exc)
    if method not in ("GET", "HEAD") and path != "/auth" and not refused:
        return errors.OutcomeUnknown(
            f"{method} {path}: the answer did not come back, so it may or may not have happened. "
            "Read the resource again before repeating it"
        )
    if isinstance(exc, requests.Timeout):
        return errors.RequestTimeout(
            f"{path}: {host} did not answer within {READ_S:.0f} s. Try again, or ask for fewer days"
        )
    if isinstance(exc, requests.exceptions.SSLError):
        return errors.ConnectionFailed(
            f"{host}: the secure connection failed. Check the machine's clock and certificates, "
            "and that base_url is right"
        )
    if isinstance(exc, requests.ConnectionError | requests.exceptions.ChunkedEncodingError):
        return errors.ConnectionFailed(
            f"{host} could not be reached, or broke the connection off. Check the network and "
            "base_url (CLOPOS_BASE_URL)"
        )
    return errors.ConnectionFailed(f"{path}: no readable answer from {host} ({type(exc).__name__})")


def _wait_before_retry(exc: errors.CloposError, method: str, attempt: int) -> float | None:
    """Return the seconds to wait before another try, or None when there is none.

    A write is tried again only when it cannot have been processed: after a 429.
    """
    if attempt == TRIES or isinstance(exc, errors.OutcomeUnknown | errors.UnexpectedRedirect):
        return None
    if isinstance(exc, errors.RateLimited):
        asked = exc.retry_after if exc.retry_after is not None else 2.0**attempt
        return None if asked > LONGEST_WAIT_S else asked + random.uniform(0, 0.1)  # noqa: S311
    if method != "GET":
        return None
    return random.uniform(0, 0.25 * 2.0**attempt)  # noqa: S311  # full jitter, not a secret
