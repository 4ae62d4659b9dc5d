"""Rate limits as true sliding windows: what counts is the last ``window`` seconds, always."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

AUTH_CALLS = 60
"""Tier 1: calls of /auth per client address."""
ERRORS = 600
"""Tier 2: answers with status >= 400 per client address, on authenticated routes."""
CALLS = 300
"""Tier 3: calls per integrator and brand."""


@dataclass(frozen=True)
class Standing:
    """How one caller stands with one limit."""

    limit: int
    remaining: int
    reset_s: float

    @property
    def headers(self) -> dict[str, str]:
        """The three documented headers; seconds are rounded up, so that waiting them is enough."""
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(math.ceil(self.reset_s)),
        }


class SlidingWindow:
    """Count hits per key over the last ``window_s`` seconds.

    Parameters
    ----------
    limit : int
        Hits that fit into a window.
    window_s : float
        Length of the window.
    clock : callable
        Returns seconds and never runs backwards.
    """

    def __init__(self, limit: int, window_s: float, clock: Callable[[], float]) -> None:
        self.limit = limit
        self.window_s = window_s
        self._clock = clock
        self._hits: dict[str, deque[float]] = {}

    def hit(self, key: str) -> None:
        """Count one hit."""
        self._hits.setdefault(key, deque()).append(self._clock())

    def restart(self) -> None:
        """Forget all hits."""
        self._hits = {}

    def standing(self, key: str) -> Standing:
        """Return what is left, and when the oldest hit leaves the window."""
        hits = self._hits.get(key)
        now = self._clock()
        while hits and hits[0] + self.window_s <= now:
            hits.popleft()
        if not hits:
            self._hits.pop(key, None)
            return Standing(self.limit, self.limit, self.window_s)
        left = max(0, self.limit - len(hits))
        return Standing(self.limit, left, hits[0] + self.window_s - now)


class Limits:
    """The three documented tiers.

    A call refused by a tier is not counted by that tier again: a caller that waits
    ``RateLimit-Reset`` always gets through. A 429 of tier 3 is an answer >= 400, and so counts in
    tier 2.
    """

    def __init__(self, window_s: float, clock: Callable[[], float]) -> None:
        self.auth = SlidingWindow(AUTH_CALLS, window_s, clock)
        self.errors = SlidingWindow(ERRORS, window_s, clock)
        self.calls = SlidingWindow(CALLS, window_s, clock)

    def restart(self) -> None:
        """Give every caller its whole budget again."""
        for window in (self.auth, self.errors, self.calls):
            window.restart()

    def tightest(self, address: str, caller: str | None) -> Standing:
        """Return the standing with the fewest calls left; no ``caller`` before the JWT check."""
        errors = self.errors.standing(address)
        if caller is None:
            return errors
        calls = self.calls.standing(caller)
        return calls if calls.remaining <= errors.remaining else errors
