"""The request budget that a brand and integrator have, as the server states it."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Quota:
    """What the ``RateLimit-*`` headers of the last answer said.

    Attributes
    ----------
    limit : int or None
        Requests that one window allows; None before the first answer.
    remaining : int or None
        Requests left in this window.
    reset_s : float or None
        Seconds from that answer to the end of its window.
    """

    limit: int | None = None
    remaining: int | None = None
    reset_s: float | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def read(self, headers: Mapping[str, str]) -> None:
        """Take note of an answer's headers; an answer without them changes nothing."""
        limit = _count(headers.get("RateLimit-Limit"))
        remaining = _count(headers.get("RateLimit-Remaining"))
        reset = _seconds(headers.get("RateLimit-Reset"))
        if remaining is None:
            return
        with self._lock:
            self.limit = limit
            self.remaining = max(remaining, 0)
            self.reset_s = reset


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a 429 asks to wait, or None when it does not say."""
    for name in ("RateLimit-Reset", "Retry-After"):
        seconds = _seconds(headers.get(name))
        if seconds is not None:
            return max(seconds, 0.0)
    return None


LONGEST_WINDOW_S = 3600.0
LARGEST_LIMIT = 10_000  # requests in a window; each is counted by a name of its own


def _seconds(text: str | None) -> float | None:
    """Return a wait; one of more than an hour is something else, such as a time of day."""
    seconds = _number(text)
    return seconds if seconds is not None and seconds <= LONGEST_WINDOW_S else None


def _count(text: str | None) -> int | None:
    """Return a number of requests; one that no server means is none."""
    count = _number(text)
    return int(count) if count is not None and abs(count) <= LARGEST_LIMIT else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None
