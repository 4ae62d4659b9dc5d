"""The token: how long it lives, and where it is kept between sessions.

One login serves every session, thread and process of the machine that shares the cache directory.
The token is the only thing kept there; client id and secret never are.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeGuard

from clopos_nb.cabinet import LOCK_S, Cabinet
from clopos_nb.credentials import Secret
from clopos_nb.errors import ResponseError

log = logging.getLogger("clopos_nb")

_POLL_S = 0.02
_MARGIN_S = 60.0
_UNKNOWN_LIFE_S = 300.0  # of a token that says nothing about its end


@dataclass(frozen=True)
class Token:
    """A token and its life, in seconds since 1970 by this machine's clock.

    Attributes
    ----------
    secret : Secret
        What goes into ``x-token``.
    issued_at, expires_at : float
    """

    secret: Secret
    issued_at: float
    expires_at: float

    @classmethod
    def from_answer(
        cls, answer: Mapping[str, Any], *, now: float, server_now: float | None = None
    ) -> Token | ResponseError:
        """Read the answer of ``POST /auth``.

        ``expires_in`` is believed first, since it needs no clock; then ``expires_at``, corrected by
        what the server's clock shows; the token's own claims may only shorten the life.

        Returns
        -------
        Token or ResponseError
            The error, returned so that no traceback holds the answer, when there is no token in it
            or none that a header can carry.
        """
        value = answer.get("token")
        if not _is_token(value):
            return ResponseError("The answer of /auth has no token that could be sent in a header")
        claims = read_claims(value)
        expires_in, expires_at = (
            _number(answer.get("expires_in")),
            _number(answer.get("expires_at")),
        )
        ends, began = _number(claims.get("exp")), _number(claims.get("iat"))
        lives = []
        if expires_in is not None:
            lives.append(expires_in)
        elif expires_at is not None:
            lives.append(expires_at - (now if server_now is None else server_now))
        if ends is not None and began is not None:
            lives.append(ends - began)
        # A token that is over when it comes would mean a login before each request.
        life = min((life for life in lives if life > 0), default=_UNKNOWN_LIFE_S)
        return cls(Secret(value), now, now + life)

    def seconds_left(self, now: float) -> float:
        """Return how long the token still lives; negative when it is over."""
        return self.expires_at - now

    def is_fresh(self, now: float) -> bool:
        """Tell whether to go on using it: not within 60 s, or a tenth of its life, of its end."""
        margin = min(_MARGIN_S, (self.expires_at - self.issued_at) / 10)
        # A clock set back would make a token look younger than it can be.
        return self.issued_at - _MARGIN_S <= now < self.expires_at - margin

    @property
    def claims(self) -> dict[str, Any]:
        """Return what the token says about itself, unverified and without its inner secret."""
        return {k: v for k, v in read_claims(self.secret.reveal()).items() if k != "token"}


def read_claims(value: str) -> dict[str, Any]:
    """Return a JWT's claims without verifying them; an opaque token has none."""
    import jwt  # brings the package cryptography along, where that is installed

    try:
        return jwt.decode(value, options={"verify_signature": False})
    except (jwt.PyJWTError, RecursionError):
        return {}


def _is_token(value: Any) -> TypeGuard[str]:
    return isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]+", value) is not None


def _number(value: Any) -> float | None:
    if type(value) is bool or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):  # a text that is no number, a number of 400 digits
        return None
    return number if math.isfinite(number) else None


# ------------------------------------------------------------------------------ store


@dataclass
class TokenStore:
    """Tokens by fingerprint, in memory and, where it can be, in a private diskcache directory.

    Nothing is opened before the first use. A directory that cannot be used costs one
    ``CacheUnavailable`` warning and a login of its own; the session works.

    Parameters
    ----------
    directory : Path or None
        The cache directory; tokens are in ``tokens/`` below it. None keeps them in memory only.
    now : callable
        The clock.
    """

    directory: Path | None
    now: Callable[[], float] = time.time
    cabinet: Cabinet = field(init=False, repr=False)
    _memory: dict[str, Token] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _process: int = field(default_factory=os.getpid, repr=False)

    def __post_init__(self) -> None:
        self.cabinet = Cabinet(self.directory)

    def obtain(
        self,
        key: str,
        login: Callable[[], Token],
        *,
        but: Token | None = None,
        anew: bool = False,
    ) -> Token:
        """Return a fresh token, logging in at most once however many ask at the same time.

        Parameters
        ----------
        key : str
            The credentials' fingerprint.
        login : callable
            Fetches a new token.
        but : Token, optional
            A token that the server has just refused.
        anew : bool
            Log in whatever token there is.

        Returns
        -------
        Token
        """
        if self._process != os.getpid():  # forked, perhaps while another thread held the lock
            self._lock, self._process = threading.RLock(), os.getpid()
            self.cabinet.after_fork()
        with self._lock:
            while anew or (token := self._find(key, but)) is None:
                with self._sole(key) as mine:
                    if not mine:
                        continue
                    found = None if anew else self._find(key, but)
                    token = found or self._keep(key, login())
                    break
            return token

    def peek(self, key: str) -> Token | None:
        """Return the fresh token there is, from memory or disk, without logging in."""
        with self._lock:
            return self._find(key, None)

    def held(self, key: str) -> Token | None:
        """Return the fresh token in memory; neither waits for a login nor opens a file."""
        token = self._memory.get(key)
        return token if token and token.is_fresh(self.now()) else None

    def forget(self, key: str) -> None:
        """Delete the token here and on disk, with every expired row; no piece of it is left."""
        with self._lock:
            self._memory.pop(key, None)
            with self.cabinet.opened() as cache:
                if cache is not None:
                    cache.delete(key)
                    cache.expire()
                    self.cabinet.wipe(cache)

    def close(self) -> None:
        """Close the cache; the next use opens it again."""
        with self._lock:
            self.cabinet.close()

    # -- one login at a time

    @contextlib.contextmanager
    def _sole(self, key: str) -> Iterator[bool]:
        """Yield True when this process may log in, False after a short wait when another does."""
        mine, shared, nonce = True, False, secrets.token_hex(8)
        with self.cabinet.opened() as cache:
            if cache is not None:
                shared = True
                mine = bool(cache.add(f"{key}:login", nonce, expire=LOCK_S))
        try:
            yield mine
        finally:
            if mine and shared:
                with self.cabinet.opened() as cache:
                    # After LOCK_S another may hold it by now.
                    if cache is not None and cache.get(f"{key}:login") == nonce:
                        cache.delete(f"{key}:login")
        if not mine:
            time.sleep(_POLL_S)

    # -- reading and keeping

    def _find(self, key: str, but: Token | None) -> Token | None:
        now = self.now()
        for look in (self._memory.get, self._stored):  # the disk only when memory has none
            token = look(key)
            if token and token.is_fresh(now) and (but is None or token.secret != but.secret):
                self._memory[key] = token
                return token
        return None

    def _stored(self, key: str) -> Token | None:
        with self.cabinet.opened() as cache:
            if cache is None:
                return None
            return _token_of(self.cabinet.read(cache, key))
        return None

    def _keep(self, key: str, token: Token) -> Token:
        self._memory[key] = token
        with self.cabinet.opened() as cache:
            if cache is not None:
                row = {
                    "v": 1,
                    "token": token.secret.reveal(),
                    "issued_at": token.issued_at,
                    "expires_at": token.expires_at,
                }
                cache.expire()  # tokens that are over do not stay on disk
                cache.set(key, row, expire=max(token.seconds_left(self.now()), 0.0))
        return token


def _token_of(row: Any) -> Token | None:
    """Return a stored row as a Token; a row is input, so its shape is checked."""
    if not isinstance(row, dict) or row.get("v") != 1 or not _is_token(row.get("token")):
        return None
    issued_at, expires_at = _number(row.get("issued_at")), _number(row.get("expires_at"))
    if issued_at is None or expires_at is None:
        return None
    return Token(Secret(row["token"]), issued_at, expires_at)
