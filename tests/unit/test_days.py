"""What people write for days becomes two calendar days, or a clear refusal."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clopos_nb.days import day_range
from clopos_nb.errors import InvalidDates

TODAY = dt.date(2026, 3, 31)  # a Tuesday at the end of a long month


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        ("2026-01", None, "2026-01-01", "2026-01-31"),
        ("2024-02", None, "2024-02-01", "2024-02-29"),
        ("2026-1-5", None, "2026-01-05", "2026-01-05"),
        (2025, None, "2025-01-01", "2025-12-31"),
        ("2025-Q4", None, "2025-10-01", "2025-12-31"),
        ("2025-12", "2026-01", "2025-12-01", "2026-01-31"),
        ("2026-01-31", "2026-01-31", "2026-01-31", "2026-01-31"),
        ("today", None, "2026-03-31", "2026-03-31"),
        ("Yesterday", None, "2026-03-30", "2026-03-30"),
        ("this week", None, "2026-03-30", "2026-04-05"),
        ("last week", None, "2026-03-23", "2026-03-29"),
        ("last month", None, "2026-02-01", "2026-02-28"),
        ("last quarter", None, "2025-10-01", "2025-12-31"),
        ("last year", None, "2025-01-01", "2025-12-31"),
        ("last 7 days", None, "2026-03-25", "2026-03-31"),
        ("last 1 month", None, "2026-03-01", "2026-03-31"),
        (pd.Period("2026-01", "M"), None, "2026-01-01", "2026-01-31"),
        (pd.Timestamp("2026-01-05 23:59"), None, "2026-01-05", "2026-01-05"),
        (dt.date(2026, 1, 5), "today", "2026-01-05", "2026-03-31"),
    ],
)
def test_a_period_means_all_of_its_days(start, end, first, last):
    assert tuple(map(str, day_range(start, end, today=TODAY))) == (first, last)


@pytest.mark.parametrize(
    "start",
    ["2026-13", "2026-02-30", "January", "", "last 0 days", "last 99999 months", 1.5, pd.NaT],
)
def test_what_is_no_day_is_refused_with_the_forms_there_are(start):
    with pytest.raises(InvalidDates, match="last 7 days"):
        day_range(start, today=TODAY)


def test_an_end_before_its_start_is_refused():
    with pytest.raises(InvalidDates, match="before the start"):
        day_range("2026-02", "2026-01", today=TODAY)


def test_an_end_alone_is_refused():
    with pytest.raises(InvalidDates, match="needs a start"):
        day_range(None, "2026-01", today=TODAY)


@given(st.text(max_size=20))
def test_no_text_ends_in_anything_but_days_or_a_refusal(text):
    try:
        first, last = day_range(text, today=TODAY)
    except InvalidDates:
        return
    assert first <= last


@given(st.dates(min_value=dt.date(2000, 1, 1), max_value=dt.date(2100, 1, 1)))
def test_a_month_is_the_days_that_carry_its_name(day):
    first, last = day_range(f"{day:%Y-%m}", today=TODAY)
    assert first <= day <= last
    assert (first - dt.timedelta(days=1)).month != day.month
    assert (last + dt.timedelta(days=1)).month != day.month
