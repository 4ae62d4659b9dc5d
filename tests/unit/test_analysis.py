"""Sales figures: what counts, what nets out, and that an empty frame is no special case."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from clopos_nb.analysis import compare_venues, daily_revenue

COMPARED = {
    "venue_id": "Int64",
    "venue": "string",
    "receipts": "Int64",
    "revenue": "float64",
    "average_receipt": "float64",
    "share": "float64",
}


def receipts(*rows: tuple[int, str, int, float, str], **more: list[object]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["venue_id", "venue", "status", "total", "shift_date"])
    frame = frame.astype(
        {
            "venue_id": "Int64",
            "venue": "string",
            "status": "Int64",
            "total": "float64",
            "shift_date": "datetime64[us]",
        }
    )
    return frame.assign(**more)


TWO_VENUES = receipts(
    (1, "Harbour", 2, 10.0, "2026-01-01"),
    (1, "Harbour", 2, 30.0, "2026-01-02"),
    (2, "Park", 2, 60.0, "2026-01-01"),
    (2, "Park", 1, 99.0, "2026-01-01"),
)


def test_venues_come_by_revenue_highest_first():
    compared = compare_venues(TWO_VENUES)
    assert compared["venue"].tolist() == ["Park", "Harbour"]
    assert compared["revenue"].tolist() == [60.0, 40.0]


def test_open_receipts_do_not_count():
    assert compare_venues(TWO_VENUES)["receipts"].tolist() == [1, 2]
    assert daily_revenue(TWO_VENUES)["Park"].sum() == 60.0


def test_deleted_receipts_do_not_count():
    frame = receipts(
        (1, "Harbour", 2, 10.0, "2026-01-01"),
        (1, "Harbour", 2, 5.0, "2026-01-01"),
        deleted_at=[pd.NaT, pd.Timestamp("2026-01-02")],
    )
    assert compare_venues(frame)["revenue"].tolist() == [10.0]


def test_a_receipt_of_unknown_status_does_not_count():
    frame = receipts((1, "Harbour", 2, 10.0, "2026-01-01"), (1, "Harbour", 2, 5.0, "2026-01-01"))
    frame.loc[1, "status"] = pd.NA
    assert compare_venues(frame)["receipts"].tolist() == [1]


def test_returns_lower_revenue_and_the_day_they_are_made():
    frame = receipts(
        (1, "Harbour", 2, 50.0, "2026-01-01"),
        (1, "Harbour", 2, 40.0, "2026-01-02"),
        (1, "Harbour", 2, -20.0, "2026-01-01"),
    )
    row = compare_venues(frame).iloc[0]
    assert row["revenue"] == 70.0
    assert (row["best_day"], row["best_day_revenue"]) == (pd.Timestamp("2026-01-02"), 40.0)


def test_the_first_of_equal_days_is_the_best():
    frame = receipts((1, "A", 2, 5.0, "2026-01-09"), (1, "A", 2, 5.0, "2026-01-03"))
    assert compare_venues(frame)["best_day"].tolist() == [pd.Timestamp("2026-01-03")]


def test_shares_add_up_to_one():
    assert math.isclose(compare_venues(TWO_VENUES)["share"].sum(), 1.0)


def test_the_total_row_is_of_all_venues_together():
    row = compare_venues(TWO_VENUES, total=True).iloc[-1]
    assert row["venue"] == "All venues"
    assert row["venue_id"] is pd.NA
    assert (row["receipts"], row["revenue"], row["share"]) == (3, 100.0, 1.0)
    assert (row["best_day"], row["best_day_revenue"]) == (pd.Timestamp("2026-01-01"), 70.0)


def test_a_venue_with_only_open_receipts_keeps_its_row_and_its_column():
    frame = receipts((1, "A", 2, 5.0, "2026-01-01"), (2, "B", 1, 5.0, "2026-01-01"))
    row = compare_venues(frame).iloc[1]
    assert (row["venue"], row["receipts"], row["revenue"], row["share"]) == ("B", 0, 0.0, 0.0)
    assert math.isnan(row["average_receipt"])
    assert row["best_day"] is pd.NaT
    assert daily_revenue(frame)["B"].tolist() == [0.0]


@pytest.mark.parametrize("total", [False, True])
def test_an_empty_frame_has_the_same_columns_and_dtypes(total: bool):
    full, empty = compare_venues(TWO_VENUES, total=total), compare_venues(receipts(), total=total)
    assert empty.dtypes.drop("best_day").to_dict() == full.dtypes.drop("best_day").to_dict()
    assert {name: str(empty.dtypes[name]) for name in COMPARED} == COMPARED
    assert str(empty["best_day"].dtype).startswith("datetime64")
    assert len(empty) == int(total)


def test_frames_that_carry_a_certificate_are_left_alone():
    frame = TWO_VENUES.copy()
    frame.attrs["clopos"] = {"complete": True}
    before = frame.copy()
    compare_venues(frame, total=True)
    daily_revenue(frame)
    pd.testing.assert_frame_equal(frame, before)


def test_days_without_sales_are_zero_rows():
    frame = receipts((1, "A", 2, 5.0, "2026-01-01"), (1, "A", 2, 7.0, "2026-01-04"))
    assert daily_revenue(frame)["A"].tolist() == [5.0, 0.0, 0.0, 7.0]


def test_daily_columns_follow_the_venue_ids():
    frame = receipts((9, "A", 2, 5.0, "2026-01-01"), (3, "Z", 2, 7.0, "2026-01-01"))
    assert daily_revenue(frame).columns.tolist() == ["Z", "A"]


def test_venues_of_one_name_stay_apart():
    frame = receipts((1, "Cafe", 2, 5.0, "2026-01-01"), (2, "Cafe", 2, 7.0, "2026-01-01"))
    assert compare_venues(frame)["revenue"].tolist() == [7.0, 5.0]
    assert daily_revenue(frame).columns.tolist() == ["Cafe (1)", "Cafe (2)"]


def test_daily_revenue_of_nothing_has_no_rows_and_a_day_index():
    days = daily_revenue(receipts())
    assert days.shape == (0, 0)
    assert isinstance(days.index, pd.DatetimeIndex)
    assert days.index.name == "shift_date"


def test_daily_revenue_adds_up_to_the_comparison():
    assert daily_revenue(TWO_VENUES).sum().sum() == compare_venues(TWO_VENUES)["revenue"].sum()
