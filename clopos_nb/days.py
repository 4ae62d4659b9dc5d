"""What people write for a day or a range of days, as two calendar days, both inclusive."""

from __future__ import annotations

import calendar
import datetime as dt
import re
from typing import TypeAlias

import numpy as np
import pandas as pd

from clopos_nb.errors import InvalidDates

DayLike: TypeAlias = "str | int | dt.date | pd.Period"

_FORMS = (
    '"2026-01-31", "2026-01", "2026-Q1", "2026", "today", "yesterday", "this week", "last month", '
    '"last 7 days", a date or a pandas.Period'
)
_ONE_DAY = dt.timedelta(days=1)


def day_range(
    start: DayLike | None, end: DayLike | None = None, *, today: dt.date
) -> tuple[dt.date, dt.date] | None:
    """Return the first and last calendar day that ``start`` and ``end`` mean.

    A period stands for all of its days, so ``start`` alone may be a month or a year, and a range
    runs from the first day of ``start`` to the last day of ``end``. "last 7 days" ends with today;
    weeks begin on Monday.

    Returns
    -------
    tuple of (date, date), or None when neither was given

    Raises
    ------
    InvalidDates
        Not a day or period, or ``end`` lies before ``start``.

    Examples
    --------
    >>> import datetime as dt
    >>> from clopos_nb.days import day_range
    >>> day_range("2026-02", today=dt.date(2026, 2, 28))
    (datetime.date(2026, 2, 1), datetime.date(2026, 2, 28))
    >>> day_range("last 7 days", today=dt.date(2026, 2, 28))[0]
    datetime.date(2026, 2, 22)
    """
    if start is None:
        if end is not None:
            message = f"An end ({end!r}) needs a start; write start as one of {_FORMS}"
            raise InvalidDates(message)
        return None
    first, last = _period(start, today)
    if end is not None:
        last = _period(end, today)[1]
    if last < first:
        message = f"The end, {last}, lies before the start, {first}; both days are included"
        raise InvalidDates(message)
    return first, last


def _period(value: DayLike, today: dt.date) -> tuple[dt.date, dt.date]:
    if isinstance(value, pd.Period):
        return value.start_time.date(), value.end_time.date()
    if isinstance(value, np.datetime64) and not pd.isna(value):
        value = pd.Timestamp(value)
    if isinstance(value, dt.datetime) and not pd.isna(value):  # a Timestamp too
        return value.date(), value.date()
    if isinstance(value, dt.date) and not pd.isna(value):
        return value, value
    text = str(value).strip().lower() if isinstance(value, str | int) else ""
    try:
        found = _calendar(text) or _relative(text, today)
    except (ValueError, OverflowError) as exc:  # month 13, 30 February, ten million months
        raise _cannot(value) from exc
    if found is None:
        raise _cannot(value)
    return found


def _cannot(value: object) -> InvalidDates:
    return InvalidDates(f"{value!r} is not a day or period; write one of {_FORMS}")


def _calendar(text: str) -> tuple[dt.date, dt.date] | None:
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        day = dt.date(*map(int, match.groups()))
        return day, day
    if match := re.fullmatch(r"(\d{4})-(\d{1,2})", text):
        return _months(int(match[1]), int(match[2]), 1)
    if match := re.fullmatch(r"(\d{4})-?q([1-4])", text):
        return _months(int(match[1]), int(match[2]) * 3 - 2, 3)
    if match := re.fullmatch(r"\d{4}", text):
        return _months(int(text), 1, 12)
    return None


def _months(year: int, month: int, count: int) -> tuple[dt.date, dt.date]:
    first = dt.date(year, month, 1)
    last_year, last_month = _shift_month(year, month, count - 1)
    return first, dt.date(last_year, last_month, calendar.monthrange(last_year, last_month)[1])


def _shift_month(year: int, month: int, by: int) -> tuple[int, int]:
    months = year * 12 + month - 1 + by
    return months // 12, months % 12 + 1


def _relative(text: str, today: dt.date) -> tuple[dt.date, dt.date] | None:
    if text == "today":
        return today, today
    if text == "yesterday":
        return today - _ONE_DAY, today - _ONE_DAY
    if match := re.fullmatch(r"(this|last) (week|month|quarter|year)", text):
        return _named(match[2], 0 if match[1] == "this" else -1, today)
    if match := re.fullmatch(r"last (\d{1,5}) (day|week|month)s?", text):
        count = int(match[1])
        if count < 1:
            return None
        if match[2] == "month":
            year, month = _shift_month(today.year, today.month, -count)
            length = calendar.monthrange(year, month)[1]
            return dt.date(year, month, min(today.day, length)) + _ONE_DAY, today
        return today - dt.timedelta(days=count * (7 if match[2] == "week" else 1) - 1), today
    return None


def _named(unit: str, by: int, today: dt.date) -> tuple[dt.date, dt.date]:
    """Return this week, month, quarter or year whole, or the one before."""
    if unit == "week":
        monday = today - dt.timedelta(days=today.weekday() - 7 * by)
        return monday, monday + dt.timedelta(days=6)
    if unit == "year":
        return _months(today.year + by, 1, 12)
    length = 3 if unit == "quarter" else 1
    year, month = today.year, today.month - (today.month - 1) % length
    return _months(*_shift_month(year, month, by * length), length)
