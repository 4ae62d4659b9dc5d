"""The average week by hour: nights belong to the day they began, and averages are over all days."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from clopos_nb.analysis import hour_by_weekday

WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def receipts(*rows: tuple[str, str, float], status: int = 2) -> pd.DataFrame:
    """Return receipts of one venue, each of a business day, a time of opening and a total."""
    frame = pd.DataFrame(rows, columns=["shift_date", "created_at", "total"])
    return frame.assign(
        venue_id=1,
        venue="Harbour",
        status=status,
        shift_date=pd.to_datetime(frame["shift_date"]),
        created_at=pd.to_datetime(frame["created_at"]),
    )


SATURDAY_NIGHT = receipts(
    ("2026-01-03", "2026-01-03 22:59", 30.0),
    ("2026-01-03", "2026-01-04 01:30", 12.0),
)


def test_a_night_goes_on_past_midnight_on_its_own_day():
    week = hour_by_weekday(SATURDAY_NIGHT)
    assert week.columns.tolist() == [22, 23, 24, 25]
    assert week.loc["Saturday"].tolist() == [30.0, 0.0, 0.0, 12.0]


def test_hours_are_those_of_the_zone_that_the_receipts_are_in():
    aware = SATURDAY_NIGHT.assign(
        created_at=SATURDAY_NIGHT["created_at"].dt.tz_localize("Asia/Baku")
    )
    pd.testing.assert_frame_equal(hour_by_weekday(aware), hour_by_weekday(SATURDAY_NIGHT))


def test_the_average_is_over_every_such_weekday_of_the_range_also_those_without_sales():
    frame = receipts(
        ("2026-01-05", "2026-01-05 12:00", 90.0),
        ("2026-01-19", "2026-01-19 12:00", 30.0),
    )
    week = hour_by_weekday(frame)
    assert week.loc["Monday", 12] == 40.0  # three Mondays, the 12th with nothing
    assert week.loc["Tuesday", 12] == 0.0


def test_a_weekday_outside_the_range_is_missing_and_not_zero():
    week = hour_by_weekday(SATURDAY_NIGHT)
    assert week.index.tolist() == WEEK
    assert week.drop("Saturday").isna().all(axis=None)


def test_receipts_can_be_counted_instead():
    week = hour_by_weekday(receipts(*[("2026-01-03", "2026-01-03 22:10", 5.0)] * 3), "receipts")
    assert week.loc["Saturday", 22] == 3.0


def test_open_receipts_do_not_count():
    assert hour_by_weekday(receipts(("2026-01-03", "2026-01-03 22:00", 5.0), status=1)).size == 0


@pytest.mark.parametrize("lacking", ["created_at", "shift_date"])
def test_a_receipt_without_a_time_or_a_day_is_in_no_hour(lacking: str):
    frame = SATURDAY_NIGHT.copy()
    frame.loc[0, lacking] = pd.NaT
    week = hour_by_weekday(frame)
    assert week.columns.tolist() == [25]
    assert week.loc["Saturday", 25] == 12.0


@pytest.mark.parametrize("value", ["revenue", "receipts"])
def test_nothing_sold_is_a_week_without_hours(value: Any):
    week = hour_by_weekday(SATURDAY_NIGHT.iloc[:0], value)
    assert (week.shape, week.index.tolist()) == ((7, 0), WEEK)
    assert (week.index.name, week.columns.name) == ("weekday", "hour")
