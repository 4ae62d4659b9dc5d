"""A shift of several blocks is one shift: its pages, sums and books agree wherever one begins."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import msgspec
import pytest
from adding import dec
from hypothesis import given, settings
from hypothesis import strategies as st

from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.brand.busy import BLOCK
from clopos_nb.sandbox.lists import Cut, Lists
from clopos_nb.sandbox.query import Page
from clopos_nb.sandbox.resources import BY_NAME

FIRST, LAST = date(2026, 2, 26), date(2026, 2, 28)
DAYS = [FIRST + timedelta(days=n) for n in range(3)]
SETTINGS = {"venues": 2, "first_day": FIRST, "last_day": LAST, "receipts_per_day": 500}
BRAND = Brand(**SETTINGS)
WHOLE = list(BRAND.log("receipts", 1).scan(None, None))
SORTS = ["id", "created_at", "updated_at", "closed_at", "total"]


def fresh():
    """Return the same brand with nothing made yet."""
    return Brand(**SETTINGS).log("receipts", 1)


def test_every_shift_is_longer_than_two_blocks():
    assert all(BRAND.size_of_shift(1, day) > 2 * BLOCK for day in DAYS)


@settings(deadline=None, max_examples=20)  # the machine may be busy
@given(st.integers(0, len(WHOLE)), st.integers(1, 220), st.booleans())
def test_a_first_page_from_anywhere_is_a_slice_of_the_scan(offset, limit, descending):
    expected = WHOLE[::-1] if descending else WHOLE
    page = fresh().page(None, None, offset, limit, descending=descending)
    assert page == expected[offset : offset + limit]


@settings(deadline=None, max_examples=10)  # the machine may be busy
@given(st.permutations(range(0, len(WHOLE), 61)))
def test_receipts_asked_for_in_any_order_are_the_same(positions):
    log = fresh()
    for position in positions:
        assert log.get(WHOLE[position]["id"]) == WHOLE[position]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("by", SORTS)
def test_every_sort_pages_through_every_receipt(by, descending):
    lists, order, ids = Lists(Brand(**SETTINGS)), [(by, descending)], []
    rows = sorted(
        WHOLE, key=lambda row: (row[by] is not None, row[by] or 0, row["id"]), reverse=descending
    )
    how = Cut(lambda row: row, parts=frozenset())
    numbers = list(range(1, len(WHOLE) // 150 + 2))
    found = {}
    for number in reversed(numbers):  # the first thing asked for is in the middle of a block
        found[number], total = lists.encoded_log_page(
            BY_NAME["receipts"], 1, (None, None), [], order, Page(number, 150), how
        )
        assert total == len(WHOLE)
    for number in numbers:
        ids += [row["id"] for row in msgspec.json.decode(found[number])]
    assert ids == [row["id"] for row in rows]


def test_the_ledger_is_what_the_rows_of_all_blocks_say():
    ledger = Brand(**SETTINGS).ledger(1)
    lines = [line for row in WHOLE for line in row["receipt_products"]]
    assert ledger.receipts == len(WHOLE)
    assert ledger.total == sum(dec(row["total"]) for row in WHOLE)
    assert ledger.lines == len(lines)
    assert ledger.line_total == sum(dec(line["total"]) for line in lines)
    assert ledger.paid == sum(dec(p["amount"]) for r in WHOLE for p in r["payment_methods"])


def test_counts_by_day_are_those_of_the_rows():
    rows = Counter(row["created_at"][:10] for row in WHOLE)
    assert {str(day): BRAND.log("receipts", 1).total(day, day) for day in sorted(DAYS)} == rows


def test_an_order_is_what_its_receipt_of_any_block_says():
    by_id = {row["id"]: row for row in WHOLE}
    served = {}
    for row in BRAND.log("orders", 1).scan(None, None):
        if row["receipt"]:
            served[row["receipt"]["id"]] = row["id"]
    assert served == {n: r["service_notification_id"] for n, r in by_id.items()
                      if r["service_notification_id"] is not None}  # fmt: skip
    assert any(BRAND.log("receipts", 1).place(n)[1] >= BLOCK for n in served)


def test_blocks_do_not_repeat_each_other():
    lucks = [receipt.luck for receipt in BRAND.shift(1, 0).receipts]
    assert set(lucks[:BLOCK]).isdisjoint(lucks[BLOCK:])
