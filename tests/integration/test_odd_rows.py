"""Rows that no documentation would admit: kept, bounded, and the same on both ways of reading."""

from __future__ import annotations

import pandas as pd
import pytest

DAY = "2026-01-09"


@pytest.fixture
def receipt(faulty, visitor, envelope):
    """Return a function that reads tables of one receipt with these fields."""

    def read(tables: list[str], fields: dict) -> dict[str, pd.DataFrame]:
        faulty.on("/receipts", envelope({"id": 1, "receipt_products": [], **fields}))
        return visitor.venue(1).frames(tables, DAY, progress=False)

    return read


@pytest.mark.parametrize("more", [{}, {"new": 1}], ids=["documented", "with a new field"])
def test_a_line_number_of_the_servers_own_does_not_replace_the_place(receipt, more):
    rows = [{"id": 5, "line": 9, **more}, {"id": 6}]
    payments = receipt(["receipt_payments"], {"payment_methods": rows})["receipt_payments"]
    assert payments["line"].tolist() == [1, 2]
    assert payments["line_"][0] == 9


@pytest.mark.parametrize("sent", [0, False])
def test_zero_or_no_in_place_of_a_list_is_kept_and_noted(receipt, visitor, sent):
    payments = receipt(["receipt_payments"], {"payment_methods": sent})["receipt_payments"]
    assert payments["value"].tolist() == [sent]
    assert "not a list of objects" in {entry.what for entry in visitor.drift}


def test_a_column_asked_for_twice_comes_once(faulty, open_session, envelope):
    faulty.on("/receipts", envelope({"id": 1, "created_at": "2026-01-09 10:00:00"}))
    venue = open_session(faulty, timezone="Asia/Baku").venue(1)
    found = venue.frame("receipts", DAY, columns=["created_at", "created_at", "id"])
    assert list(found.columns) == ["created_at", "id"]


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
def test_times_of_undocumented_paths_are_in_the_zone_and_days_stay(
    faulty, open_session, envelope, backend
):
    row = {"at": "2026-01-09 10:00:00", "z": "2026-01-09T10:00:00Z", "day": "2026-01-09"}
    faulty.on("/stock", envelope(row))
    venue = open_session(faulty, timezone="Asia/Baku").venue(1)
    found = venue.frame("/stock", dtype_backend=backend)
    assert found["at"][0].isoformat() == "2026-01-09T10:00:00+04:00"
    assert found["z"][0].isoformat() == "2026-01-09T14:00:00+04:00"
    assert found["day"][0] == pd.Timestamp("2026-01-09")


def test_hundreds_of_unknown_values_are_a_few_lines_of_drift(faulty, visitor, envelope):
    rows = [{"id": n, "status": n, "receipt_products": []} for n in range(10, 510)]
    faulty.on("/receipts", envelope(*rows))
    receipts = visitor.venue(1).frame("receipts", DAY)
    assert receipts["status"].tolist() == list(range(10, 510))
    assert len(visitor.drift) == 21
    assert sum(entry.count for entry in visitor.drift) == 500
    assert [entry.what for entry in visitor.drift][-1] == "further unknown values"


def test_an_unknown_value_that_may_be_somebodys_is_not_shown(receipt, visitor):
    found = receipt(["receipts"], {"order_status": "Aygun, +994 50 555 44 33"})["receipts"]
    assert found["order_status"].tolist() == ["Aygun, +994 50 555 44 33"]
    told = f"{visitor.drift.frame().to_csv()} {visitor.drift._repr_html_()}"
    assert "order_status" in told
    assert "Aygun" not in told


def test_a_column_of_an_undocumented_path_may_be_asked_for_when_there_are_no_rows(
    faulty, visitor, envelope
):
    faulty.on("/stock", envelope())
    found = visitor.frame("/stock", columns=["quantity", "venue"], venues=[1])
    assert list(found.columns) == ["quantity", "venue"]
    assert len(found) == 0


def test_only_the_columns_named_are_categories(faulty, visitor, envelope):
    faulty.on("/receipts", envelope({"id": 1, "source": "pos"}))
    found = visitor.frame("receipts", DAY, venues=[1], categorical=["source"])
    assert (str(found["source"].dtype), str(found["venue"].dtype)) == ("category", "string")
    found = visitor.frame("receipts", DAY, venues=[1], categorical=["venue"])
    assert (str(found["source"].dtype), str(found["venue"].dtype)) == ("string", "category")
