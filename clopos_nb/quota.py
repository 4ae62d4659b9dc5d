"""The request budget that a brand and integrator have, as the server states it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
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
    now: Callable[[], float] = field(default=time.monotonic, repr=False, compare=False)
    _read_at: float = field(default=0.0, repr=False, compare=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def read(self, headers: Mapping[str, str]) -> None:
        """Take note of an answer's headers; an answer without them changes nothing."""
        limit = _number(headers.get("RateLimit-Limit"))
        remaining = _number(headers.get("RateLimit-Remaining"))
        reset = _seconds(headers.get("RateLimit-Reset"))
        if remaining is None:
            return
        with self._lock:
            self.limit = None if limit is None else int(limit)
            self.remaining = max(int(remaining), 0)
            self.reset_s = reset
            self._read_at = self.now()

    def wait_s(self) -> float:
        """Return how long to wait before the next request so that it is not refused; mostly 0."""
        with self._lock:
            if self.remaining is None or self.remaining > 0 or self.reset_s is None:
                return 0.0
            return max(self._read_at + self.reset_s - self.now(), 0.0)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a 429 asks to wait, or None when it does not say."""
    for name in ("RateLimit-Reset", "Retry-After"):
        seconds = _seconds(headers.get(name))
        if seconds is not None:
            return max(seconds, 0.0)
    return None


LONGEST_WINDOW_S = 3600.0


def _seconds(text: str | None) -> float | None:
    """Return a wait; one of more than an hour is something else, such as a time of day."""
    seconds = _number(text)
    return seconds if seconds is not None and seconds <= LONGEST_WINDOW_S else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text) if text is not None else None
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None
