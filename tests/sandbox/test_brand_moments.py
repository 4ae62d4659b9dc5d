"""Pages in order of change or closing make the days around them, and are what sorting all gives."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from adding import local_day
from hypothesis import given, settings
from hypothesis import strategies as st

from clopos_nb.sandbox.books import Books
from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.brand.busy import QUIET

FIRST, LAST = date(2026, 1, 10), date(2026, 2, 28)
BRAND = Brand(venues=3, first_day=FIRST, last_day=LAST, receipts_per_day=9)
BUSY = Brand(venues=4, first_day=LAST - timedelta(days=20), last_day=LAST, receipts_per_day=300)
SORTS = [("receipts", "updated_at"), ("receipts", "closed_at"), ("orders", "updated_at")]

days = st.none() | st.dates(FIRST - timedelta(days=2), LAST + timedelta(days=2))


def written():
    """Return books whose venue 3 has rows added, changed and taken out, old and new."""
    books = Books(BRAND)
    ids = books.log("receipts", 3).page_ids(None, None, 0, 999)
    for id in ids[3::17]:
        books.edit_receipt(3, id)
    for id in [*ids[5::23], *ids[-2:]]:
        books.delete_receipt(3, id)
    for back in (0, 1, 9, 9, 30, 48):
        books.insert_receipt(3, books.now - timedelta(days=back))
    for order in books.log("orders", 3).page(None, None, 0, 60)[::6]:
        books.set_order_status(3, order["id"], "IGNORE")
    return books


WRITTEN = written()
ROWS = {
    (source, name): list(source.log(name, 3).scan(None, None))
    for source in (BRAND, WRITTEN)
    for name in ("receipts", "orders")
}


@pytest.mark.parametrize("source", [BRAND, WRITTEN], ids=["as made", "written to"])
@pytest.mark.parametrize(("name", "by"), SORTS)
@settings(deadline=None, max_examples=60)  # the machine may be busy
@given(
    first=days, last=days, offset=st.integers(0, 480), size=st.integers(1, 60), down=st.booleans()
)
def test_a_page_is_a_slice_of_all_rows_sorted(source, name, by, first, last, offset, size, down):
    rows = [
        row
        for row in ROWS[source, name]
        if (first or FIRST) <= local_day(row) <= (last or date.max)
    ]
    rows.sort(key=lambda row: (row[by] or "", row["id"]), reverse=down)
    found = source.log(name, 3).page_ids(first, last, offset, size, descending=down, by=by)
    assert found == [row["id"] for row in rows[offset : offset + size]]


def test_these_brands_have_what_is_to_be_tested():
    assert any(row["closed_at"] is None for row in ROWS[BRAND, "receipts"])
    assert any((row["closed_at"] or "~") < row["updated_at"] for row in ROWS[BRAND, "receipts"])
    sizes = [BUSY.size_of_shift(1, LAST - timedelta(days=n)) for n in range(1, 20)]
    assert min(sizes) > QUIET


@pytest.mark.parametrize("venue", BUSY.venue_ids)
def test_what_is_known_of_busy_days_without_making_them_is_what_their_rows_say(venue):
    before = BUSY.shifts_made
    log, orders = BUSY.log("receipts", venue), BUSY.log("orders", venue)
    names = {"id", "status", "sale_type_id", "terminal_id"}
    known, answered = (each.columns(None, None, names) for each in (log, orders))
    sizes = [BUSY.size_of_shift(venue, LAST - timedelta(days=n)) for n in range(21)]
    assert BUSY.shifts_made - before <= sum(0 < size <= QUIET for size in sizes)
    for columns, rows in (known, log), (answered, orders):
        scanned = list(rows.scan(None, None))
        for name, column in columns.items():
            assert column.tolist() == [row[name] for row in scanned]
    assert known.keys() == names


@pytest.mark.parametrize(("name", "by"), SORTS)
def test_pages_of_busy_days_are_slices_too_and_make_none(name, by):
    log = BUSY.log(name, 1)
    before = BUSY.shifts_made
    ids = log.page_ids(None, None, 0, len(log), by=by)
    pages = [
        id
        for offset in range(0, len(log), 97)
        for id in log.page_ids(None, None, offset, 97, descending=True, by=by)
    ]
    assert BUSY.shifts_made == before
    rows = sorted(log.scan(None, None), key=lambda row: (row[by] or "", row["id"]))
    assert ids == pages[::-1] == [row["id"] for row in rows]
