"""After any sequence of writes, clerk's work, faults and paging, everything still adds up."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal

import pytest
from adding import cents, check_line, check_sums, dec, local_day, total
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from clopos_nb.sandbox.books import Books, BooksError
from clopos_nb.sandbox.brand import Brand

FIRST, LAST = date(2026, 2, 24), date(2026, 2, 27)
BRAND = Brand(venues=3, first_day=FIRST, last_day=LAST, receipts_per_day=7)
SOLD = [row["id"] for row in BRAND.rows("products", 1) if row["price"]]
MODIFIERS = [
    mod["id"]
    for row in BRAND.rows("products", 1)
    for group in row["modificator_groups"]
    for mod in group["modificators"]
]
CUSTOMERS = [0] + [row["id"] for row in BRAND.rows("customers", 1)[:5]]

venues = st.sampled_from(BRAND.venue_ids)
moments = st.integers(-4 * 86_400, 2 * 86_400).map(lambda s: BRAND.now + timedelta(seconds=s))
days = st.none() | st.dates(FIRST - timedelta(days=1), LAST + timedelta(days=3))
amounts = st.integers(0, 9000).map(lambda n: n / 100)
lines = st.fixed_dictionaries(
    {
        "product_id": st.sampled_from(SOLD),
        "product_name": st.just("x"),
        "count": st.integers(1, 4) | st.just(0.355),
        "price": amounts,
        "status": st.just("new"),
        "product_hash": st.just("h"),
    },
    optional={
        "portion_size": st.sampled_from([0.5, 1, 1.5]),
        "modifiers": st.lists(
            st.fixed_dictionaries(
                {
                    "modifier_id": st.sampled_from(MODIFIERS),
                    "modifier_name": st.just("m"),
                    "count": st.integers(1, 3),
                },
                optional={"price": amounts},
            ),
            max_size=3,
        ),
    },
)
orders = st.fixed_dictionaries(
    {
        "sale_type_id": st.sampled_from([1, 2, 3, 1000]),
        "customer": st.sampled_from(CUSTOMERS).map(
            lambda n: {"id": n, "phone": "0", "address": "a", "name": "n"}
        ),
        "products": st.lists(lines, min_size=1, max_size=20),
    },
    optional={
        "auto_order_accept": st.booleans(),
        "delivery_fee": amounts,
        "discount": st.fixed_dictionaries(
            {"discount_type": st.integers(0, 2), "discount_value": amounts}
        ),
        "service_charge": st.fixed_dictionaries(
            {"enabled": st.booleans(), "value": st.sampled_from([0, 7.5, 10, 12])}
        ),
    },
)


def check_receipt(receipt):
    for line in receipt["receipt_products"]:
        check_line(line)
    check_sums(receipt)
    if receipt["status"] == 1:
        assert receipt["closed_at"] is None
        assert receipt["payment_methods"] == []
    else:
        assert receipt["remaining"] == 0
        assert receipt["created_at"] < receipt["closed_at"] <= receipt["updated_at"]


def check_stock(receipt, operations):
    left = {}
    for row in operations:
        before, after = dec(row["before_quantity"]), dec(row["after_quantity"])
        assert before - dec(row["quantity"]) == after
        assert left.setdefault(row["product_id"], before) == before
        left[row["product_id"]] = after
        assert row["receipt_product_id"] in {x["id"] for x in receipt["receipt_products"]}
    if receipt["status"] == 1:
        assert operations == []


class BooksMachine(RuleBasedStateMachine):
    @initialize(mode=st.sampled_from(["immediately", "after", "on_demand", "never"]))
    def open_books(self, mode):
        self.time = BRAND.now
        self.books = Books(BRAND, lambda: self.time)
        self.books.clerk.mode = mode
        self.counts = {
            (name, v): BRAND.log(name, v).total(None, None)
            for name in ("receipts", "orders")
            for v in BRAND.venue_ids
        }

    def some_id(self, data, name, venue):
        log = self.books.log(name, venue)
        ids = log.page_ids(None, None, 0, 10**6)
        recent = log.page_ids(None, None, 0, 8, descending=True)
        return data.draw(st.sampled_from(recent) | st.sampled_from(ids)) if ids else None

    @rule(venue=venues, fields=orders)
    def order(self, venue, fields):
        row = None
        try:
            row = self.books.create_order({**fields, "venue_id": venue}, venue)
        except BooksError:
            assert fields["discount"]["discount_type"] == 1
            return
        assert row["status"] == "PENDING"
        self.counts["orders", venue] += 1
        new = self.books.log("orders", venue).get(row["id"], None)
        if new["receipt"] is not None:
            self.counts["receipts", venue] += 1

    @rule(seconds=st.integers(1, 20_000))
    def wait(self, seconds):
        self.time += timedelta(seconds=seconds)
        self.recount()

    @rule()
    def work(self):
        self.books.clerk.work()
        self.recount()

    def recount(self):
        """Let receipts that the clerk made count: only accepted orders may have made any."""
        for venue in BRAND.venue_ids:
            now = self.books.log("receipts", venue).total(None, None)
            assert now >= self.counts["receipts", venue]
            self.counts["receipts", venue] = now

    @rule(venue=venues, at=st.none() | moments)
    def insert(self, venue, at):
        row = self.books.insert_receipt(venue, at)
        assert self.books.log("receipts", venue).get(row["id"]) == row
        self.counts["receipts", venue] += 1

    @rule(venue=venues, data=st.data())
    def edit(self, venue, data):
        if id := self.some_id(data, "receipts", venue):
            before = self.books.log("receipts", venue).get(id)
            after = self.books.edit_receipt(venue, id)
            assert after["updated_at"] > before["updated_at"]

    @rule(venue=venues, data=st.data())
    def delete(self, venue, data):
        if id := self.some_id(data, "receipts", venue):
            self.books.delete_receipt(venue, id)
            assert self.books.log("receipts", venue).get(id) is None
            assert self.books.stock_operations(venue, id) is None
            self.counts["receipts", venue] -= 1

    @rule(venue=venues, data=st.data(), lock=st.booleans())
    def patch(self, venue, data, lock):
        if id := self.some_id(data, "receipts", venue):
            row = self.books.patch_receipt(venue, id, {"lock": lock, "fiscal_id": "f"})
            assert (row["lock"], row["fiscal_id"]) == (lock, "f")

    @rule(venue=venues, data=st.data(), cash=st.booleans())
    def close(self, venue, data, cash):
        id = self.some_id(data, "receipts", venue)
        if not id:
            return
        row = self.books.log("receipts", venue).get(id)
        whole = dec(row["remaining"])
        part = cents(whole / 3) if cash else whole
        payments = [{"id": 1, "amount": float(part)}, {"id": 2, "amount": float(whole - part)}]
        if row["status"] == 2:
            with pytest.raises(BooksError, match="closed already"):
                self.books.close_receipt(venue, id, payments)
        else:
            assert self.books.close_receipt(venue, id, payments)["status"] == 2

    @rule(venue=venues, data=st.data())
    def ignore(self, venue, data):
        if id := self.some_id(data, "orders", venue):
            if self.books.log("orders", venue).get(id)["status"] in ("RECEIVED", "DELIVERED"):
                with pytest.raises(BooksError, match="at the till"):
                    self.books.ignore_order(venue, id)
            else:
                assert self.books.ignore_order(venue, id)["status"] == "IGNORE"

    @rule(
        name=st.sampled_from(["receipts", "orders"]),
        venue=venues,
        first=days,
        last=days,
        offset=st.integers(0, 40),
        limit=st.integers(0, 40),
        descending=st.booleans(),
    )
    def page(self, name, venue, first, last, offset, limit, descending):
        log = self.books.log(name, venue)
        rows = [
            row
            for row in log.scan(None, None)
            if (first is None or local_day(row) >= first)
            and (last is None or local_day(row) <= last)
        ]
        assert log.total(first, last) == len(rows)
        assert list(log.scan(first, last)) == rows
        for by in (
            "created_at",
            "id",
            "updated_at",
            *(["closed_at"] if name == "receipts" else []),
        ):
            ordered = sorted(rows, key=lambda row: (row[by] or "", row["id"]), reverse=descending)
            expected = ordered[offset : offset + limit]
            found = log.page_ids(first, last, offset, limit, descending=descending, by=by)
            assert found == [row["id"] for row in expected]
            if by == "created_at":
                page = log.page(first, last, offset, limit, descending=descending)
                assert page == expected
        columns = log.columns(first, last, {"id"})
        assert sorted(columns["id"].tolist()) == sorted(row["id"] for row in rows)

    @precondition(lambda self: hasattr(self, "books"))
    @invariant()
    def everything_adds_up(self):
        if not hasattr(self, "books"):
            return
        for venue in BRAND.venue_ids:
            receipts = list(self.books.log("receipts", venue).scan(None, None))
            assert len(receipts) == self.counts["receipts", venue]
            keys = [(row["created_at"], row["id"]) for row in receipts]
            assert keys == sorted(set(keys))
            sold = [line["id"] for row in receipts for line in row["receipt_products"]]
            assert len(set(sold)) == len(sold)
            for receipt in receipts[-6:]:
                check_receipt(receipt)
                check_stock(receipt, self.books.stock_operations(venue, receipt["id"]))
            self.check_ledger(venue, receipts)
            self.check_orders(venue, {row["id"]: row for row in receipts})

    def check_ledger(self, venue, receipts):
        payments = [p for row in receipts for p in row["payment_methods"]]
        ledger = self.books.ledger(venue)
        assert ledger.receipts == len(receipts)
        assert ledger.total == total(receipts, "total")
        assert ledger.tax == total(receipts, "total_tax")
        assert ledger.paid == total(payments, "amount")
        assert ledger.lines == sum(len(row["receipt_products"]) for row in receipts)
        assert ledger.orders == self.counts["orders", venue]
        by_shift = defaultdict(Decimal)
        for row in receipts:
            by_shift[date.fromisoformat(row["shift_date"])] += dec(row["total"])
        assert self.books.ledger(venue, day="shift_date").by_day == by_shift

    def check_orders(self, venue, receipts):
        rows = list(self.books.log("orders", venue).scan(None, None))
        assert len(rows) == self.counts["orders", venue]
        for order in rows:
            receipt = receipts.get(order["receipt_id"])
            assert (order["receipt"] or {}).get("id") == (receipt or {}).get("id")
            if receipt is not None:
                assert order["receipt"]["status"] == receipt["status"]
                assert order["receipt"]["total"] == receipt["total"]
                sold = [(x["product_id"], x["price"]) for x in receipt["receipt_products"]]
                asked = order["payload"]["products"]
                assert sold == [(x["product_id"], x["meta"]["price"]) for x in asked]


BooksMachine.TestCase.settings = settings(deadline=None, max_examples=25, stateful_step_count=25)
TestBooks = BooksMachine.TestCase
