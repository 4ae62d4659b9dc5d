"""Same-store comparison: who may be compared, and that a change is taken apart rightly."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from clopos_nb.analysis import same_store

BEFORE, AFTER = ("2026-01-05", "2026-01-18"), ("2026-01-19", "2026-02-01")


def receipts(*rows: tuple[int, str, float], status: int = 2) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["venue_id", "shift_date", "total"])
    return frame.assign(
        venue="Venue " + frame["venue_id"].astype("string"),
        status=status,
        shift_date=pd.to_datetime(frame["shift_date"]),
    )


def daily(venue: int, total: float, first: str, last: str) -> pd.DataFrame:
    days = pd.date_range(first, last)
    return receipts(*[(venue, str(day.date()), total) for day in days])


OLD = daily(1, 10.0, "2026-01-05", "2026-02-01")


def test_a_venue_that_opened_between_is_not_the_same_store():
    new = daily(2, 50.0, "2026-01-15", "2026-02-01")
    table = same_store(pd.concat([OLD, new]), BEFORE, AFTER)
    assert table["same_store"].tolist() == [True, False]


def test_a_venue_that_closed_between_is_not_the_same_store():
    gone = daily(2, 50.0, "2026-01-05", "2026-01-25")
    table = same_store(pd.concat([OLD, gone]), BEFORE, AFTER)
    assert table["same_store"].tolist() == [True, False]


def test_a_rest_day_does_not_make_another_store():
    resting = OLD[OLD["shift_date"].dt.day_of_week != 6]  # the last day of both periods
    assert same_store(resting, BEFORE, AFTER)["same_store"].tolist() == [True]


def test_a_change_is_that_of_receipts_times_that_of_their_average():
    before, after = daily(1, 10.0, *BEFORE), daily(1, 12.0, *AFTER)
    row = same_store(pd.concat([before, after, after]), BEFORE, AFTER).iloc[0]
    assert (row["receipts_before"], row["receipts_after"]) == (14, 28)
    assert (row["revenue_before"], row["revenue_after"]) == (140.0, 336.0)
    assert math.isclose(row["receipts_change"], 1.0)
    assert math.isclose(row["average_receipt_change"], 0.2)
    assert math.isclose(row["change"], 1.4)


def test_days_outside_both_periods_do_not_count():
    more = daily(1, 999.0, "2026-02-02", "2026-02-20")
    pd.testing.assert_frame_equal(
        same_store(pd.concat([OLD, more]), BEFORE, AFTER), same_store(OLD, BEFORE, AFTER)
    )


def test_from_nothing_there_is_no_rate_of_growth():
    row = same_store(daily(1, 10.0, *AFTER), BEFORE, AFTER).iloc[0]
    assert (row["revenue_before"], row["revenue_after"]) == (0.0, 140.0)
    assert math.isnan(row["change"])
    assert math.isnan(row["average_receipt_change"])


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (("2026-01-19", "2026-02-02"), "14 and 15 days"),
        (("2026-01-20", "2026-02-02"), "Monday and a Tuesday"),
    ],
)
def test_periods_that_cannot_be_compared_are_refused(after: tuple[str, str], words: str):
    with pytest.raises(ValueError, match=words):
        same_store(OLD, BEFORE, after)


def test_an_empty_frame_gives_the_same_columns_and_dtypes():
    full, empty = same_store(OLD, BEFORE, AFTER), same_store(OLD.iloc[:0], BEFORE, AFTER)
    assert len(empty) == 0
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
