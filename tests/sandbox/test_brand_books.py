"""Every receipt adds up to the qəpik, and the ledger is what the rows say."""

from __future__ import annotations

from collections import Counter, defaultdict
from datetime import date, timedelta
from decimal import Decimal
from functools import cache

import pytest
from adding import cents, check_line, check_sums, dec, total

from clopos_nb.sandbox.brand import Brand

BRAND = Brand(first_day=date(2026, 2, 16), last_day=date(2026, 2, 28))


@cache
def receipts(venue_id):
    return list(BRAND.log("receipts", venue_id).scan(None, None))


@pytest.mark.parametrize("venue_id", BRAND.venue_ids)
def test_every_line_adds_up(venue_id):
    for receipt in receipts(venue_id):
        for line in receipt["receipt_products"]:
            check_line(line)
            if line["is_gift"]:
                assert line["total"] == 0
                assert line["total_discount"] == line["subtotal"]
            assert abs(dec(line["receipt_discount"])) <= abs(dec(line["total"]))


@pytest.mark.parametrize("venue_id", BRAND.venue_ids)
def test_every_receipt_adds_up(venue_id):
    for receipt in receipts(venue_id):
        assert receipt["receipt_products"]
        check_sums(receipt)
        assert dec(receipt["total_tax"]) == dec(receipt["i_tax"]) + dec(receipt["e_tax"])
        by_id = {p["id"]: dec(p["amount"]) for p in receipt["payment_methods"]}
        assert dec(receipt["by_cash"]) == by_id.get(1, 0)
        assert dec(receipt["by_card"]) == by_id.get(2, 0)


@pytest.mark.parametrize("venue_id", BRAND.venue_ids)
def test_a_closed_receipt_is_paid_and_an_open_one_is_not(venue_id):
    now = BRAND.now.isoformat(" ")
    opened = 0
    for receipt in receipts(venue_id):
        assert receipt["created_at"] <= receipt["updated_at"] <= now
        if receipt["status"] == 1:
            opened += 1
            assert receipt["closed_at"] is None
            assert receipt["payment_methods"] == []
            assert receipt["remaining"] == receipt["total"]
            assert receipt["created_at"] > (BRAND.now - timedelta(hours=2)).isoformat(" ")
        else:
            assert receipt["created_at"] < receipt["closed_at"] <= receipt["updated_at"]
            assert receipt["remaining"] == 0
    assert opened or venue_id == 2, "the lunch place is shut at half past nine"


def test_the_brand_has_seen_everything_that_a_till_can_do():
    seen = Counter()
    for venue_id in BRAND.venue_ids:
        for r in receipts(venue_id):
            seen["receipts"] += 1
            seen["split"] += len(r["payment_methods"]) == 2
            seen["customer"] += r["customer_id"] is not None
            seen["return"] += r["is_returns"]
            seen["percent"] += r["discount_type"] == 1
            seen["amount"] += r["discount_type"] == 2
            seen["exclusive"] += r["e_tax"] > 0
            seen["service"] += r["service_charge_value"] > 0
            seen["fee"] += r["delivery_fee"] > 0
            seen["patched"] += r["closed_at"] is not None and r["updated_at"] > r["closed_at"]
            seen["order"] += r["service_notification_id"] is not None
            seen["odd"] += isinstance(r["total"], float)
            for line in r["receipt_products"]:
                seen["lines"] += 1
                seen["gift"] += line["is_gift"]
                seen["weighed"] += isinstance(line["count"], float)
                seen["portion"] += line["portion_size"] != 1
                seen["add-on"] += bool(line["modificators"])
                seen["variant"] += line["meta"]["product"]["type"] == "MODIFICATION"
                seen["line discount"] += line["discount_type"] != 0
                seen["receipt discount"] += line["receipt_discount"] != 0
            if r["is_returns"]:
                assert r["total"] < 0
    assert all(seen.values()), seen
    assert 0.05 < seen["split"] / seen["receipts"] < 0.11
    assert 0.15 < seen["customer"] / seen["receipts"] < 0.3


def test_a_month_of_four_venues_is_ten_to_twelve_thousand_receipts():
    brand = Brand()
    january = date(2026, 1, 1), date(2026, 1, 31)
    totals = [brand.log("receipts", venue_id).total(*january) for venue_id in brand.venue_ids]
    assert 10_000 < sum(totals) < 12_000


@pytest.mark.parametrize("venue_id", BRAND.venue_ids)
@pytest.mark.parametrize("day", ["created_at", "shift_date"])
@pytest.mark.parametrize(
    ("first", "last"),
    [(None, None), (date(2026, 2, 18), date(2026, 2, 22)), (date(2026, 2, 28), None)],
)
def test_the_ledger_is_the_sum_of_the_rows(venue_id, day, first, last):
    rows = [
        row
        for row in receipts(venue_id)
        if (first is None or row[day][:10] >= first.isoformat())
        and (last is None or row[day][:10] <= last.isoformat())
    ]
    lines = [line for row in rows for line in row["receipt_products"]]
    payments = [payment for row in rows for payment in row["payment_methods"]]
    by_method, by_day = defaultdict(Decimal), defaultdict(Decimal)
    for payment in payments:
        by_method[payment["name"]] += dec(payment["amount"])
    for row in rows:
        by_day[date.fromisoformat(row[day][:10])] += dec(row["total"])
    ledger = BRAND.ledger(venue_id, first, last, day=day)
    assert ledger.receipts == len(rows)
    assert ledger.total == total(rows, "total")
    assert ledger.subtotal == total(rows, "subtotal")
    assert ledger.discount == total(rows, "total_discount")
    assert ledger.service_charge == total(rows, "service_charge_value")
    assert ledger.tax == total(rows, "total_tax")
    assert ledger.delivery_fee == total(rows, "delivery_fee")
    assert ledger.lines == len(lines)
    assert ledger.line_quantity == total(lines, "count")
    assert ledger.line_total == total(lines, "total")
    assert ledger.payments == len(payments)
    assert ledger.paid == total(payments, "amount")
    assert ledger.by_payment_method == by_method
    assert ledger.by_day == by_day
    assert ledger.total.as_tuple().exponent == -2
    if day == "created_at":
        assert ledger.orders == BRAND.log("orders", venue_id).total(first, last)


def test_only_the_lounge_works_after_midnight_and_books_it_on_the_day_before():
    for venue_id in BRAND.venue_ids:
        late = [row for row in receipts(venue_id) if row["created_at"][:10] != row["shift_date"]]
        assert bool(late) == (venue_id == 3)
        for row in late:
            created = date.fromisoformat(row["created_at"][:10])
            assert created == date.fromisoformat(row["shift_date"]) + timedelta(days=1)
            assert row["created_at"][11:] < "03:00:00"


@pytest.mark.parametrize("venue_id", BRAND.venue_ids)
def test_an_accepted_order_became_a_receipt_with_the_same_lines(venue_id):
    log = BRAND.log("receipts", venue_id)
    statuses = Counter()
    for order in BRAND.log("orders", venue_id).scan(None, None):
        statuses[order["status"]] += 1
        assert (order["status"] in ("RECEIVED", "DELIVERED")) == (order["receipt_id"] is not None)
        if order["receipt_id"] is None:
            assert order["receipt"] is None
            continue
        receipt = log.get(order["receipt_id"])
        assert order["receipt"]["id"] == receipt["id"]
        assert receipt["service_notification_id"] == order["id"]
        assert receipt["customer_id"] == order["customer_id"] == order["customer"]["id"]
        sold = [(x["product_id"], x["count"], x["price"]) for x in receipt["receipt_products"]]
        wanted = order["payload"]["products"]
        assert sold == [(x["product_id"], x["count"], x["meta"]["price"]) for x in wanted]
    assert set(statuses) == {"PENDING", "RECEIVED", "IGNORE", "DELIVERED"}


def test_stock_before_less_quantity_is_stock_after():
    rows = BRAND.log("receipts", 1).page(None, None, 500, 60)
    moved = 0
    for receipt in rows:
        left = {}
        for row in BRAND.stock_operations(1, receipt["id"]):
            moved += 1
            before, after = dec(row["before_quantity"]), dec(row["after_quantity"])
            assert before - dec(row["quantity"]) == after
            assert left.setdefault(row["product_id"], before) == before
            left[row["product_id"]] = after
            assert dec(row["total_cost"]) == cents(dec(row["quantity"]) * dec(row["cost"]))
            assert row["receipt_product_id"] in {x["id"] for x in receipt["receipt_products"]}
    assert moved > len(rows)


def test_stock_operations_of_an_unknown_receipt_are_none():
    foreign = BRAND.log("receipts", 2).page(None, None, 0, 1)[0]["id"]
    assert BRAND.stock_operations(1, foreign) is None
    assert BRAND.stock_operations(1, 10**9) is None


def test_guests_with_more_appetite_order_more_and_it_all_adds_up():
    hungry = Brand(first_day=date(2026, 2, 26), last_day=date(2026, 2, 28), appetite=1.66)
    rows = [row for v in hungry.venue_ids for row in hungry.log("receipts", v).scan(None, None)]
    for receipt in rows:
        check_sums(receipt)
    usual = [len(r["receipt_products"]) for v in BRAND.venue_ids for r in receipts(v)]
    lines = sum(len(receipt["receipt_products"]) for receipt in rows) / len(rows)
    assert lines > 1.3 * sum(usual) / len(usual)
