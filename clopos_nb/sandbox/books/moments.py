"""Moments as the books hold them: a shift's day, and seconds after its midnight."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

Moment = tuple[date, int]
"""A shift day, and seconds after its midnight."""

_SHIFT_ENDS = timedelta(hours=6)


def moment(at: datetime) -> Moment:
    """Return the shift day of a moment, which ends early in the morning, and its second."""
    day = (at - _SHIFT_ENDS).date()
    return day, seconds(at, day)


def seconds(at: datetime, day: date) -> int:
    """Return how many seconds after the midnight of a day a moment is."""
    return int((at - datetime.combine(day, time())).total_seconds())


def within(day: date, first: date | None, last: date | None) -> bool:
    """Return whether a day is one of these; None is open ended."""
    return (first is None or first <= day) and (last is None or day <= last)
