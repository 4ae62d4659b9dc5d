"""Any page is a slice of the whole, whatever the range, size or order of asking."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from adding import local_day
from hypothesis import given, settings
from hypothesis import strategies as st

from clopos_nb.sandbox.brand import Brand

ROOT = Path(__file__).parents[2]
FIRST, LAST = date(2026, 1, 26), date(2026, 2, 8)
SETTINGS = {"first_day": FIRST, "last_day": LAST, "receipts_per_day": 12.0}
BRAND = Brand(**SETTINGS)
LOGS = {(name, v): BRAND.log(name, v) for name in ("receipts", "orders") for v in BRAND.venue_ids}
WHOLE = {key: list(log.scan(None, None)) for key, log in LOGS.items()}

keys = st.sampled_from(sorted(LOGS))
days = st.none() | st.dates(FIRST - timedelta(days=3), LAST + timedelta(days=3))


def within(key, first, last):
    return [
        row
        for row in WHOLE[key]
        if (first is None or local_day(row) >= first) and (last is None or local_day(row) <= last)
    ]


@settings(deadline=None)  # the machine may be busy
@given(keys, days, days, st.integers(0, 260), st.integers(0, 220), st.booleans())
def test_a_page_is_a_slice_of_the_scan(key, first, last, offset, limit, descending):
    expected = within(key, first, last)
    if descending:
        expected.reverse()
    page = LOGS[key].page(first, last, offset, limit, descending=descending)
    assert page == expected[offset : offset + limit]


@settings(deadline=None)  # the machine may be busy
@given(keys, days, days)
def test_total_counts_what_scan_yields(key, first, last):
    expected = within(key, first, last)
    assert LOGS[key].total(first, last) == len(expected)
    assert list(LOGS[key].scan(first, last)) == expected


@pytest.mark.parametrize("key", sorted(LOGS))
def test_days_partition_the_log(key):
    single = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    assert sum(LOGS[key].total(day, day) for day in single) == len(WHOLE[key])


@pytest.mark.parametrize("key", sorted(LOGS))
def test_ids_and_times_ascend_together(key):
    for before, after in pairwise(WHOLE[key]):
        assert before["id"] < after["id"]
        assert before["created_at"] <= after["created_at"]


@pytest.mark.parametrize("name", ["receipts", "orders"])
def test_no_two_venues_share_an_id(name):
    ids = [row["id"] for venue_id in BRAND.venue_ids for row in WHOLE[name, venue_id]]
    assert len(ids) == len(set(ids)) > 0


def test_no_two_lines_share_an_id():
    lines = [
        line["id"]
        for venue_id in BRAND.venue_ids
        for row in WHOLE["receipts", venue_id]
        for line in row["receipt_products"]
    ]
    assert len(lines) == len(set(lines)) > 0


@pytest.mark.parametrize("key", sorted(LOGS))
def test_every_row_is_found_by_its_id_in_its_own_venue_only(key):
    name, venue_id = key
    elsewhere = BRAND.log(name, venue_id % 4 + 1)
    for row in WHOLE[key]:
        assert LOGS[key].get(row["id"]) == row
        assert elsewhere.get(row["id"]) is None
    assert LOGS[key].get(0) is None
    assert LOGS[key].get(-1) is None
    assert LOGS[key].get(10**12) is None


def test_a_receipt_that_lies_in_the_future_is_not_found():
    log = LOGS["receipts", 3]
    newest = WHOLE["receipts", 3][-1]["id"]
    assert [log.get(newest + n) for n in range(1, 4)] == [None] * 3


def test_every_receipt_is_found_by_its_cid_in_its_own_venue_only():
    for row in WHOLE["receipts", 1]:
        assert LOGS["receipts", 1].get_by_cid(row["cid"]) == row
        assert LOGS["receipts", 1].get_by_cid(row["cid"].upper()) == row
        assert LOGS["receipts", 2].get_by_cid(row["cid"]) is None


@given(st.uuids() | st.text(max_size=40))
def test_a_foreign_cid_finds_nothing(cid):
    assert LOGS["receipts", 1].get_by_cid(str(cid)) is None


def test_the_same_seed_gives_the_same_brand_in_any_order_of_asking():
    other = Brand(**SETTINGS)
    for key in sorted(LOGS, reverse=True):
        log = other.log(*key)
        size = len(WHOLE[key])
        backwards = [log.page(None, None, n, 1)[0] for n in range(size - 1, -1, -7)]
        assert backwards == WHOLE[key][::-7]
    for venue_id in BRAND.venue_ids:
        for table in ("users", "customers", "products", "stop_list"):
            assert other.rows(table, venue_id) == BRAND.rows(table, venue_id)


def test_the_same_seed_gives_the_same_brand_in_another_process():
    program = (
        "from clopos_nb.sandbox.brand import Brand\n"
        "brand = Brand()\n"
        "print(brand.log('receipts', 3).page(None, None, 900, 40), brand.rows('products', 1))\n"
        "print(brand.log('orders', 4).page(None, None, 90, 40), brand.rows('customers', 1))"
    )

    def printed(hash_seed):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=environment, capture_output=True, check=True).stdout

    assert printed("1") == printed("2")


def test_another_seed_gives_another_brand():
    other = Brand(seed=8, **SETTINGS)
    assert list(other.log("receipts", 1).scan(None, None)) != WHOLE["receipts", 1]
    assert other.rows("customers", 1) != BRAND.rows("customers", 1)


def test_a_later_present_keeps_the_past():
    longer = Brand(first_day=FIRST, last_day=LAST + timedelta(days=9), receipts_per_day=12.0)
    settled = LAST - timedelta(days=3)
    for key, log in LOGS.items():
        assert longer.log(*key).page(None, settled, 0, 500) == log.page(None, settled, 0, 500)


def test_rows_may_be_cut_up_by_their_taker():
    taken = LOGS["receipts", 1].page(None, None, 0, 5)
    for row in taken:
        for line in row["receipt_products"]:
            for nested in ("unit", "station", "meta"):
                (line["product"][nested] or {}).clear()
            line["product"].clear()
            line["meta"]["product"].clear()
        row["meta"].clear()
    assert LOGS["receipts", 1].page(None, None, 0, 5) == WHOLE["receipts", 1][:5]
    for table in ("products", "categories", "customers", "prices", "sale_types"):
        before = BRAND.rows(table, 1)
        for row in BRAND.rows(table, 1):
            row.clear()
        assert BRAND.rows(table, 1) == before


def test_a_huge_brand_makes_only_the_days_that_a_page_touches():
    brand = Brand(
        venues=200, first_day=date(2021, 3, 1), last_day=date(2026, 2, 28), receipts_per_day=400
    )
    log = brand.log("receipts", 137)
    total = log.total(None, None)
    assert total > 600_000
    assert brand.shifts_made == 0
    page = log.page(None, None, total // 2, 200)
    assert len(page) == 200
    assert brand.shifts_made <= 2
    assert log.get(page[0]["id"]) == page[0]
    assert log.get_by_cid(page[-1]["cid"]) == page[-1]
    assert brand.shifts_made <= 2


@pytest.mark.parametrize(
    ("mean", "venues"), [(0.2, 1), (0.0, 2), (1.0, 9)], ids=["rarely", "never", "once"]
)
def test_a_quiet_brand_is_still_whole(mean, venues):
    brand = Brand(venues=venues, first_day=FIRST, last_day=LAST, receipts_per_day=mean)
    for venue_id in brand.venue_ids:
        for name in ("receipts", "orders"):
            log = brand.log(name, venue_id)
            rows = list(log.scan(None, None))
            assert len(rows) == log.total(None, None)
            assert log.page(None, None, 0, 50) == rows[:50]
        assert brand.ledger(venue_id).receipts == brand.log("receipts", venue_id).total(None, None)


def test_a_single_day_is_a_brand():
    brand = Brand(first_day=LAST, last_day=LAST)
    log = brand.log("receipts", 1)
    assert log.total(None, None) == log.total(LAST, LAST) > 0
    assert log.total(LAST + timedelta(days=1), None) == 0
    assert log.total(None, LAST - timedelta(days=1)) == 0
