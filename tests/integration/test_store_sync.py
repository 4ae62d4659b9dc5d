"""Filling a store: in steps that last, whoever interrupts it."""

from __future__ import annotations

import datetime as dt

import pandas as pd
import pytest

from clopos_nb import ConfigError, ServerError, StoreError

FAMILY = ["receipts", "receipt_products", "receipt_payments"]
FIRST, LAST = "2025-12-29", "2026-02-03"  # three months
VENUES = 4


@pytest.fixture
def kept(fresh, open_session, tmp_path):
    return open_session(fresh, store=tmp_path / "store")


def test_what_was_synced_is_what_the_server_has_and_is_there_offline(reader, kept):
    done = kept.sync([*FAMILY, "products"], FIRST, LAST, progress=False)
    there = reader.frames([*FAMILY, "products"], FIRST, LAST, progress=False)
    found = kept.frames([*FAMILY, "products"], FIRST, LAST, refresh="never")
    for name, frame in there.items():
        pd.testing.assert_frame_equal(found[name], frame, check_exact=True)
    counted = done.query("table == 'receipts'").set_index("venue_id")["rows"].to_dict()
    assert counted == there["receipts"].groupby("venue_id").size().to_dict()
    assert done.query("table == 'products'")["rows"].tolist() == [len(there["products"])]


def test_a_second_time_is_one_request_for_each_venue(fresh, kept):
    kept.sync(FAMILY, FIRST, LAST, progress=False)
    before = len(fresh.requests)
    done = kept.sync(FAMILY, FIRST, LAST, progress=False)
    assert len(fresh.requests) - before == done["requests"].sum() == VENUES
    assert done["changes"].sum() == 0


def test_changes_of_all_its_days_come(fresh, kept, open_session):
    kept.sync(FAMILY, FIRST, LAST, progress=False)
    ids = [row["id"] for row in open_session(fresh).venue(2).rows("receipts", FIRST)]
    fresh.books.edit_receipt(2, ids[0])
    fresh.books.delete_receipt(2, ids[1])
    fresh.books.insert_receipt(2, dt.datetime(2026, 1, 15, 12))
    done = kept.sync(FAMILY, FIRST, LAST, progress=False).set_index("venue_id")
    assert done["changes"].to_dict() == {1: 0, 2: 2, 3: 0, 4: 0}
    there = open_session(fresh).frames(FAMILY, FIRST, LAST, progress=False)
    found = kept.frames(FAMILY, FIRST, LAST, refresh="never")
    for name, frame in there.items():
        pd.testing.assert_frame_equal(found[name], frame, check_exact=True)


def test_interrupted_it_goes_on_where_it_was(fresh, kept):
    # December and January arrive in 24 requests; every one of February fails.
    fresh.faults.add("server_error", path="/receipts", skip=24)
    with pytest.raises(ServerError):
        kept.sync("receipts", FIRST, LAST, progress=False)
    fresh.faults.clear()
    january = kept.frame("receipts", FIRST, "2026-01-31", refresh="never", strict=True)
    assert len(january)
    done = kept.sync("receipts", FIRST, LAST, progress=False)
    assert done["requests"].tolist() == [3, 3, 3, 3]  # the time, February, a look at all


def test_dated_tables_need_days_and_the_server_a_total(faulty, fresh, kept, open_session, tmp_path):
    with pytest.raises(ConfigError, match="name the days"):
        kept.sync("receipts")
    rows = [{"id": 1, "venue_id": 1, "created_at": "2026-01-01 12:00:00"}]
    faulty.on("/receipts", {"success": True, "data": rows})
    visitor = open_session(faulty, store=tmp_path / "other")
    with pytest.raises(StoreError, match="no total"):
        visitor.sync("receipts", "2026-01", venues=1, progress=False)
