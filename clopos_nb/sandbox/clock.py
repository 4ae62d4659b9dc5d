"""Three times of a sandbox: the brand's calendar, the server's clock, and the rate limits' seconds.

They are separate because they are turned for different reasons. Data time says when a new order was
made; frozen, it keeps notebooks the same from run to run. Token time says when a token expires, and
is what the ``Date`` header tells. The limits' seconds follow every advance of token time but never
stop, so that whoever waits ``RateLimit-Reset`` gets through.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

_FASTEST = 1e6
_FIRST_YEAR, _LAST_YEAR = 1970, 8999
_LAST_UNIX = datetime(_LAST_YEAR, 12, 31, tzinfo=UTC).timestamp()


class ClockError(ValueError):
    """A moment or a speed that no clock here shows."""


class Dial:
    """One time that can be frozen, set running at any speed, and moved; safe to use from threads.

    Parameters
    ----------
    at : float
        What it shows now, in seconds.
    read : callable
        Real seconds, from which its own are made.
    frozen : bool
        Whether it stands still until ``run`` or ``advance``.
    """

    def __init__(
        self, at: float, *, read: Callable[[], float] = time.monotonic, frozen: bool = False
    ) -> None:
        self._lock = threading.RLock()
        self._read = read
        self._shown = at
        self._read_at = read()
        self._rate = 1.0
        self._frozen = frozen

    @property
    def frozen(self) -> bool:
        """Whether time stands still."""
        return self._frozen

    @property
    def rate(self) -> float:
        """Seconds that pass per real second while it runs."""
        return self._rate

    def seconds(self) -> float:
        """Return what it shows, in seconds."""
        with self._lock:
            if self._frozen:
                return self._shown
            return self._shown + (self._read() - self._read_at) * self._rate

    def freeze(self) -> None:
        """Stop where it is; frozen, it still can be advanced."""
        with self._lock:
            self._shown = self.seconds()
            self._frozen = True

    def run(self, rate: float = 1.0) -> None:
        """Go on from where it is, ``rate`` seconds per real second.

        Raises ClockError, a ValueError, unless ``rate`` is above 0 and at most a million.
        """
        if not 0 < rate <= _FASTEST:
            message = f"rate must be above 0 and at most {_FASTEST:g}, not {rate}"
            raise ClockError(message)
        with self._lock:
            self._shown = self.seconds()
            self._read_at = self._read()
            self._rate = rate
            self._frozen = False

    def advance(
        self, seconds: float = 0.0, *, minutes: float = 0.0, hours: float = 0.0, days: float = 0.0
    ) -> None:
        """Move by a span, backwards if it is negative; frozen stays frozen, running runs on.

        Raises ClockError when that is beyond what a calendar shows.
        """
        try:
            step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        except (OverflowError, ValueError) as error:
            message = f"that is too far to go: {error}"
            raise ClockError(message) from None
        self._move(step.total_seconds())

    def _move(self, seconds: float) -> None:
        with self._lock:
            self._check(self.seconds() + seconds)
            self._shown += seconds

    def _check(self, seconds: float) -> None:
        """Raise ClockError for what it could not show."""

    def state(self) -> dict[str, Any]:
        """Return ``now``, ``frozen`` and ``rate`` as JSON can hold them."""
        return {"now": self.seconds(), "frozen": self.frozen, "rate": self.rate}


class DataTime(Dial):
    """The brand's own calendar: naive local time, frozen at the end of the data until told."""

    def __init__(self, at: datetime, *, read: Callable[[], float] = time.monotonic) -> None:
        # Seconds since the start: naive local time has no Unix time without a zone.
        super().__init__(0.0, read=read, frozen=True)
        self._start = at

    def now(self) -> datetime:
        """Return the naive local moment."""
        return self._start + timedelta(seconds=self.seconds())

    def _check(self, seconds: float) -> None:
        try:
            year = (self._start + timedelta(seconds=seconds)).year
        except OverflowError:
            year = 0
        if not _FIRST_YEAR <= year <= _LAST_YEAR:
            message = f"data time must stay in the years {_FIRST_YEAR} to {_LAST_YEAR}"
            raise ClockError(message)

    def set(self, at: datetime) -> None:
        """Show this naive moment. Raises ClockError if it has a zone."""
        if at.tzinfo is not None:
            message = "data time is local to the brand and naive; give it no zone"
            raise ClockError(message)
        with self._lock:
            self._move((at - self.now()).total_seconds())

    def state(self) -> dict[str, Any]:
        """Return ``now`` as ISO text, ``frozen`` and ``rate``."""
        return {**super().state(), "now": self.now().isoformat(sep=" ", timespec="seconds")}


class TokenTime(Dial):
    """The server's clock, in Unix seconds: token lifetimes, ``Date`` and envelope times."""

    def __init__(self, limits: Dial, *, read: Callable[[], float] = time.time) -> None:
        super().__init__(read(), read=read)
        self._limits = limits

    def now(self) -> float:
        """Return Unix seconds."""
        return self.seconds()

    def _check(self, seconds: float) -> None:
        if not 0 <= seconds <= _LAST_UNIX:
            message = f"token time must stay in the years 1970 to {_LAST_YEAR}"
            raise ClockError(message)

    def set(self, unix: float) -> None:
        """Show this Unix time; if that is ahead, the limits' seconds move as much."""
        with self._lock:
            self._move(unix - self.seconds())

    def run(self, rate: float = 1.0) -> None:
        """Go on from where it is; the rate limits then run at the same speed."""
        super().run(rate)
        self._limits.run(rate)

    def _move(self, seconds: float) -> None:
        super()._move(seconds)
        if seconds > 0:  # a window must not grow because a clock was put back
            self._limits.advance(seconds)


class Clock:
    """All times of one sandbox.

    Parameters
    ----------
    data : datetime
        Where the brand's calendar stands: naive, and frozen until it is run or advanced.
    unix : callable
        Real Unix seconds, from which token time runs.
    monotonic : callable
        Real monotonic seconds, for the calendar and the limits.

    Examples
    --------
    >>> clock = Clock(datetime(2026, 2, 28, 22))
    >>> clock.data.advance(hours=1)
    >>> clock.data_now()
    datetime.datetime(2026, 2, 28, 23, 0)
    """

    def __init__(
        self,
        data: datetime,
        *,
        unix: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = Dial(0.0, read=monotonic)
        self.data = DataTime(data)
        self.token = TokenTime(self.limits, read=unix)

    def data_now(self) -> datetime:
        """Return the naive brand-local moment."""
        return self.data.now()

    def token_now(self) -> float:
        """Return the Unix seconds this server believes in."""
        return self.token.now()

    def limits_now(self) -> float:
        """Return the seconds the rate-limit windows count in; they never run backwards."""
        return self.limits.seconds()

    def state(self) -> dict[str, Any]:
        """Return data and token time as JSON can hold them."""
        return {"data": self.data.state(), "token": self.token.state()}

    def __repr__(self) -> str:
        data = "frozen" if self.data.frozen else "running"
        token = "frozen" if self.token.frozen else "running"
        return f"<Clock data {data} at {self.data_now():%Y-%m-%d %H:%M:%S}, token {token}>"
