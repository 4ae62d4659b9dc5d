"""The request budget of a brand and integrator, shared by every process of the machine.

The API counts each request of the last minute. So does this: when a request ends it is written down
in the shared directory, and a new one waits until it fits. Counting from the end of a request is
what makes a refusal impossible, since the server has counted it before that.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from clopos_nb.cabinet import Cabinet
from clopos_nb.quota import Quota

LEASE_S = 25.0  # a request that has not ended by then never will: its process died
RESERVED = 0.01  # of the budget, kept by a long read for whoever asks meanwhile


@dataclass(frozen=True)
class Rate:
    """So many requests in so many seconds.

    Raises
    ------
    ValueError
        There is no such rate.

    Examples
    --------
    >>> from clopos_nb.budget import Rate
    >>> Rate.of("300/60s")
    Rate(limit=300, window_s=60.0)
    """

    limit: int = 300
    window_s: float = 60.0

    def __post_init__(self) -> None:
        if self.limit < 1 or not 0 < self.window_s < math.inf:
            message = f"no rate: {self.limit} requests in {self.window_s} s"
            raise ValueError(message)

    @classmethod
    def of(cls, text: str) -> Rate:
        """Read ``"300/60s"``.

        Raises
        ------
        ValueError
        """
        limit, _, window = str(text).partition("/")
        return cls(int(limit), float(window.strip().removesuffix("s")))


@dataclass
class Window:
    """The requests of the last window, pure arithmetic: when the next one fits.

    ``sent`` holds when each request counts from, by a name of its own; those under way count from
    the end of their lease until they are ended. ``stated`` tells that the rate is the server's.
    """

    rate: Rate
    sent: dict[str, float] = field(default_factory=dict)
    stated: bool = False

    def forget_old(self, now: float) -> None:
        """Drop what has left the window, and what a clock that was set back left in the future."""
        ends = now - self.rate.window_s
        self.sent = {k: at for k, at in self.sent.items() if ends < at <= now + LEASE_S + 1}

    def wait_s(self, now: float, keep: int = 0) -> float:
        """Return the seconds until a request fits that leaves room for ``keep`` more."""
        room = max(self.rate.limit - keep, 1)
        over = len(self.sent) - room
        if over < 0:
            return 0.0
        leaves = sorted(self.sent.values())[over] + self.rate.window_s - now
        return max(leaves, 0.0)

    def heard(self, limit: int | None, remaining: int, reset_s: float | None, now: float) -> None:
        """Correct the count by what the server says: others may be spending the same budget."""
        if limit and limit > 0:
            self.rate, self.stated = Rate(limit, self.rate.window_s), True
        alone = limit is not None and remaining == limit - 1
        if reset_s and reset_s > 0 and (alone or reset_s > self.rate.window_s):
            self.rate, self.stated = Rate(self.rate.limit, reset_s), True
        # Of requests that others made it is only known when the first will have left the window.
        others = now if reset_s is None else min(now, now + reset_s - self.rate.window_s)
        for _ in range(self.rate.limit - remaining - len(self.sent)):
            self.sent[secrets.token_hex(4)] = others


_here: dict[str, dict[str, Any]] = {}  # the rows of this process, where no directory is shared
_here_lock = threading.Lock()


@dataclass
class Budget:
    """A window that all processes share through a cabinet, or the sessions of this one without.

    Parameters
    ----------
    cabinet : Cabinet
    name : str
        Whose budget: hashed into the row's key.
    rate : Rate
        What is allowed, until the server says otherwise.
    """

    cabinet: Cabinet
    name: str
    rate: Rate = field(default_factory=Rate)
    now: Callable[[], float] = time.time

    def take(self, *, bulk: bool = False) -> tuple[str | None, float]:
        """Return the name of a request that may be sent now, or None and the seconds to wait."""
        with self._window() as window:
            now = self.now()
            keep = max(round(window.rate.limit * RESERVED), 1) if bulk else 0
            wait = window.wait_s(now, keep)
            if wait > 0:
                return None, wait
            name = secrets.token_hex(4)
            window.sent[name] = now + LEASE_S
            return name, 0.0

    def ended(self, name: str, stated: Quota | None = None) -> None:
        """Note that a request has ended, and what the server stated of the budget."""
        with self._window() as window:
            now = self.now()
            window.sent[name] = now
            if stated is not None and stated.remaining is not None:
                window.heard(stated.limit, stated.remaining, stated.reset_s, now)

    def forecast_s(self, requests: int) -> float:
        """Return the seconds that so many requests will wait for the budget, all in all."""
        with self._window() as window:
            free = window.rate.limit - len(window.sent)
            if requests <= free:
                return 0.0
            wait = window.wait_s(self.now())
            rounds = (requests - max(free, 0) - 1) // window.rate.limit
            return wait + rounds * window.rate.window_s

    @contextmanager
    def _window(self) -> Iterator[Window]:
        """Yield the window as it is, and keep what becomes of it; nobody else meanwhile."""
        key = "budget:" + hashlib.sha256(self.name.encode()).hexdigest()[:32]
        shared = False
        with self.cabinet.turn, self.cabinet.opened() as cache:
            if cache is not None:
                with cache.transact():
                    window = self._read(self.cabinet.read(cache, key))
                    shared = True
                    yield window
                    cache.set(key, _row(window), expire=window.rate.window_s + LEASE_S)
        if shared:
            return
        with _here_lock:
            window = self._read(_here.get(key))
            yield window
            _here[key] = _row(window)

    def _read(self, row: Any) -> Window:
        window = Window(self.rate)
        try:
            if row is not None:
                window.sent = {str(name): float(at) for name, at in row["sent"].items()}
                if row["stated"]:
                    window.rate = Rate(int(row["limit"]), float(row["window_s"]))
                    window.stated = True
        except (KeyError, TypeError, ValueError, AttributeError):
            window = Window(self.rate)  # not a row of ours
        window.forget_old(self.now())
        return window


def _row(window: Window) -> dict[str, Any]:
    return {
        "limit": window.rate.limit,
        "window_s": window.rate.window_s,
        "stated": window.stated,
        "sent": window.sent,
    }
