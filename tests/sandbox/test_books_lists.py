"""Lists make no more than they must, keep what they made, and never show what is stale."""

from __future__ import annotations

from datetime import date, timedelta

import msgspec
import pytest

from clopos_nb.sandbox.books import Books
from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.brand.busy import BLOCK
from clopos_nb.sandbox.lists import Cut, EncodedRows, Lists
from clopos_nb.sandbox.query import Page
from clopos_nb.sandbox.resources import BY_NAME
from clopos_nb.sandbox.shapes import parts, projection, wanted

RECEIPTS, ORDERS = BY_NAME["receipts"], BY_NAME["orders"]
ALL = None, None
FIRST, LAST = date(2026, 2, 24), date(2026, 2, 28)


def cut(resource=RECEIPTS, *relations, legacy=False):
    switches = {"legacy_fields"} if legacy else set()
    want = wanted(relations, resource.allowed_relations(single=False, legacy=legacy))
    project = projection(resource.name, want, fidelity=switches)
    key = (resource.name, relations, legacy)
    return Cut(project, key, parts(resource.name, want, switches))


@pytest.fixture
def brand():
    return Brand(venues=2, first_day=FIRST, last_day=LAST, receipts_per_day=20)


@pytest.fixture
def books(brand):
    return Books(brand)


def fetch(lists, resource=RECEIPTS, days=ALL, conditions=(), order=None, page=None, how=None):
    found, total = lists.encoded_log_page(
        resource, 1, days, list(conditions), order, page or Page(1, 500), how or cut(resource)
    )
    return msgspec.json.decode(found), total


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize(
    ("resource", "relations"),
    [
        (RECEIPTS, ()),
        (RECEIPTS, ("receipt_products",)),
        (RECEIPTS, ("receipt_products.modificators.modificator_group",)),
        (RECEIPTS, ("receipt_products.product.unit", "receipt_products.product.station")),
        (RECEIPTS, ("receipt_products:cost,count",)),
        (ORDERS, ()),
        (ORDERS, ("customer", "receipt")),
        (ORDERS, ("receipt:id,service_notification_id,status",)),
    ],
)
def test_rows_made_of_parts_are_whole_rows_cut_down(books, resource, relations, legacy):
    how = cut(resource, *relations, legacy=legacy)
    rows, total = fetch(Lists(books), resource, how=how)
    whole = [how.project(row) for row in books.log(resource.name, 1).scan(*ALL)]
    assert rows == whole[::-1]
    assert total == len(whole)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("by", ["id", "created_at", "updated_at", "closed_at", "total"])
@pytest.mark.parametrize(
    "conditions", [[], [("status", ["2"])], [("sale_type_id", ["2", "3"]), ("terminal_id", ["11"])]]
)
@pytest.mark.parametrize("days", [ALL, (FIRST + timedelta(days=1), LAST - timedelta(days=1))])
def test_columns_sort_and_filter_as_rows_do(books, by, descending, conditions, days):
    books.insert_receipt(1, books.now - timedelta(days=2))
    books.edit_receipt(1, books.log("receipts", 1).page_ids(*ALL, 7, 1)[0])
    books.delete_receipt(1, books.log("receipts", 1).page_ids(*ALL, 9, 1)[0])
    rows = [
        row
        for row in books.log("receipts", 1).scan(*days)
        if all(str(row[name]) in values for name, values in conditions)
    ]
    rows.sort(key=lambda row: (row[by] is not None, row[by] or 0, row["id"]), reverse=descending)
    lists = Lists(books)
    found = []
    for number in range(1, 9):
        page, total = fetch(lists, RECEIPTS, days, conditions, [(by, descending)], Page(number, 17))
        assert total == len(rows)
        found += page
    assert [row["id"] for row in found] == [row["id"] for row in rows]


def test_orders_filter_by_status_after_a_change_of_it(books):
    lists = Lists(books)
    before = fetch(lists, ORDERS, conditions=[("status", ["IGNORE"])])[1]
    done = next(r for r in books.log("orders", 1).scan(*ALL) if r["status"] == "DELIVERED")
    books.set_order_status(1, done["id"], "IGNORE")
    assert fetch(lists, ORDERS, conditions=[("status", ["IGNORE"])])[1] == before + 1
    assert fetch(lists, ORDERS, conditions=[("status", ["NOBODY"])]) == ([], 0)


def test_what_was_encoded_is_not_made_again(brand):
    lists = Lists(brand)
    how = cut(RECEIPTS, "receipt_products")
    first = fetch(lists, how=how)
    calls = []
    brand.shift = lambda *args: calls.append(args)
    assert fetch(lists, how=how) == first
    assert calls == []


def test_a_change_shows_at_once_and_only_where_it_was(books):
    lists = Lists(books)
    before, total = fetch(lists)
    target = before[5]["id"]
    books.patch_receipt(1, target, {"fiscal_id": "F"})
    after, _ = fetch(lists)
    assert [row["id"] for row in after if row not in before] == [target]
    books.delete_receipt(1, target)
    left, count = fetch(lists)
    assert count == total - 1
    assert target not in {row["id"] for row in left}


def test_an_order_changes_with_its_receipt(books):
    lists, how = Lists(books), cut(ORDERS, "receipt")
    order = next(row for row in fetch(lists, ORDERS, how=how)[0] if row["receipt"])
    books.patch_receipt(1, order["receipt"]["id"], {"fiscal_id": "F"})
    rows = {row["id"]: row for row in fetch(lists, ORDERS, how=how)[0]}
    assert rows[order["id"]]["receipt"]["fiscal_id"] == "F"


def test_a_new_customer_shows_in_a_list_that_was_read_before(books):
    lists, customers = Lists(books), BY_NAME["customers"]
    before = len(lists.rows(customers, 1))
    books.create_customer({"name": "A"})
    assert len(lists.rows(customers, 1)) == before + 1


def test_shapes_are_kept_apart(books):
    lists = Lists(books)
    assert "receipt_products" not in fetch(lists)[0][0]
    assert "receipt_products" in fetch(lists, how=cut(RECEIPTS, "receipt_products"))[0][0]
    assert "meta" in fetch(lists, how=cut(RECEIPTS, legacy=True))[0][0]


def test_what_is_kept_has_a_bound(brand):
    log = brand.log("receipts", 1)
    rows, how = EncodedRows(most_bytes=5000), cut()
    ids = log.page_ids(*ALL, 0, 60)
    texts = rows.rows(RECEIPTS, log, ids, how)
    assert 0 < rows.size <= 5000
    assert rows.rows(RECEIPTS, log, ids, how) == texts


# Scale: counted, not timed.


@pytest.fixture(scope="module")
def huge():
    return Brand(
        venues=200, first_day=date(2021, 3, 2), last_day=date(2026, 2, 28), receipts_per_day=400
    )


@pytest.mark.parametrize("page", [1, 700, 2222, 3900])
def test_a_page_of_a_huge_brand_makes_the_days_it_touches(huge, page):
    before = huge.shifts_made
    rows, total = fetch(Lists(Books(huge)), page=Page(page, 200))
    assert len(rows) == 200
    assert total > 700_000
    days = {row["shift_date"] for row in rows}
    assert huge.shifts_made - before <= len(days) <= 3


def test_a_page_after_a_write_makes_no_more_days(huge):
    books = Books(huge)
    books.insert_receipt(1, books.now - timedelta(days=900))
    before = huge.shifts_made
    rows, _ = fetch(Lists(books), page=Page(1500, 200))
    assert huge.shifts_made - before <= len({row["shift_date"] for row in rows})


def test_positions_totals_and_ids_of_a_huge_brand_make_nothing(huge):
    before = huge.shifts_made
    log = Books(huge).log("receipts", 77)
    total = log.total(None, None)
    ids = log.page_ids(None, None, total // 2, 200)
    assert len(set(ids)) == 200
    assert log.total(date(2023, 1, 1), date(2023, 12, 31)) > 100_000
    assert huge.shifts_made == before


def test_a_receipt_is_made_with_those_before_it_in_its_block_and_no_others(huge):
    log = huge.log("receipts", 9)
    for offset in (0, 250):
        found = log.page_ids(date(2024, 5, 6), date(2024, 5, 6), offset, 1)[0]
        day, rank = log.place(found)
        blocks = huge.shift(9, day)._made
        made = sum(map(len, blocks))
        log.get(found)
        assert sum(map(len, blocks)) - made == rank % BLOCK + 1
    assert rank > BLOCK


def test_a_sorted_day_of_a_huge_brand_makes_that_day(huge):
    before = huge.shifts_made
    day = date(2024, 3, 5)
    rows, total = fetch(Lists(Books(huge)), days=(day, day), order=[("total", True)])
    assert len(rows) == min(total, 500)
    assert huge.shifts_made - before <= 2


def test_the_whole_calendar_is_a_range(books):
    log = books.log("receipts", 1)
    everything = log.total(None, None)
    assert log.total(date.min, date.max) == everything
    books.insert_receipt(1)
    assert log.total(date.min, date.max) == log.total(None, date.max) == everything + 1
    assert log.total(date.max, date.min) == 0
    assert books.ledger(1, date.min, date.max).receipts == everything + 1
