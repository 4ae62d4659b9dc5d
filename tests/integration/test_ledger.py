"""Frames against the sandbox's own books, which were kept apart from what it serves."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pytest

FIRST, LAST = date(2026, 1, 1), date(2026, 1, 31)
VENUES = (1, 2, 3, 4)
DAYS = ("created_at", "shift_date")

January = Callable[..., pd.DataFrame]


def cents(amounts: Iterable[float]) -> Decimal:
    """Return the exact sum of amounts, each taken to the qəpik."""
    return sum((Decimal(f"{amount:.2f}") for amount in amounts), Decimal(0))


def by_method(payments: pd.DataFrame) -> dict[str, Decimal]:
    return {str(name): cents(group) for name, group in payments.groupby("name")["amount"]}


@pytest.fixture(scope="module")
def january(reader) -> January:
    """Return a function that reads January of a table, of one venue or of all, once."""

    @functools.cache
    def read(table: str, venue: int | None = None, day: Any = "created_at") -> pd.DataFrame:
        place = reader if venue is None else reader.venue(venue)
        return place.frame(table, "2026-01", day=day, progress=False)

    return read


@pytest.fixture(scope="module")
def ledger(sandbox) -> Callable[..., Any]:
    return functools.partial(sandbox.ledger, first=FIRST, last=LAST)


def summed(ledger: Callable[..., Any], name: str, day: str = "created_at") -> Any:
    return sum(getattr(ledger(venue, day=day), name) for venue in VENUES)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("venue", VENUES)
class TestOneVenue:
    def test_receipts_add_up_to_the_ledger(self, january, ledger, venue, day):
        receipts, books = january("receipts", venue, day), ledger(venue, day=day)
        assert cents(receipts["total"]) == books.total
        assert cents(receipts["total_discount"]) == books.discount
        assert cents(receipts["total_tax"]) == books.tax
        assert len(receipts) == books.receipts

    def test_lines_add_up_to_the_ledger(self, january, ledger, venue, day):
        lines, books = january("receipt_products", venue, day), ledger(venue, day=day)
        assert cents(lines["total"]) == books.line_total
        assert len(lines) == books.lines

    def test_payments_add_up_to_the_ledger(self, january, ledger, venue, day):
        payments, books = january("receipt_payments", venue, day), ledger(venue, day=day)
        assert cents(payments["amount"]) == books.paid
        assert by_method(payments) == books.by_payment_method
        assert len(payments) == books.payments


@pytest.mark.parametrize("day", DAYS)
def test_all_venues_add_up_to_all_ledgers(january, ledger, day):
    assert cents(january("receipts", day=day)["total"]) == summed(ledger, "total", day)
    assert cents(january("receipt_products", day=day)["total"]) == summed(ledger, "line_total", day)
    assert cents(january("receipt_payments", day=day)["amount"]) == summed(ledger, "paid", day)


def test_orders_are_as_many_as_in_the_ledger(january, ledger):
    counted = january("orders").groupby("venue_id").size().to_dict()
    assert counted == {venue: ledger(venue).orders for venue in VENUES}


@pytest.mark.parametrize("table", ["receipts", "orders", "receipt_products", "receipt_payments"])
def test_every_certificate_is_complete(january, ledger, table):
    certificate = january(table).attrs["clopos"]
    books = "orders" if table == "orders" else "receipts"
    assert certificate["complete"]
    assert certificate["rows"] == certificate["total"] == summed(ledger, books)
    assert {v["id"]: v["rows"] for v in certificate["venues"]} == {
        venue: getattr(ledger(venue), books) for venue in VENUES
    }


def test_the_days_of_a_month_are_the_month(reader, january, ledger):
    days = {
        day.date(): reader.venue(1).frame("receipts", day)
        for day in pd.date_range(FIRST, LAST, freq="D")
    }
    joined = pd.concat(days.values(), ignore_index=True)
    pd.testing.assert_frame_equal(joined, january("receipts", 1))
    sums = {day: cents(frame["total"]) for day, frame in days.items() if len(frame)}
    assert sums == ledger(1).by_day


def test_a_sale_after_midnight_belongs_to_the_business_day_before(january):
    calendar, business = january("receipts"), january("receipts", day="shift_date")
    late = calendar["created_at"].dt.normalize() > calendar["shift_date"]
    assert late.any()
    assert business["shift_date"].between("2026-01-01", "2026-01-31").all()
    assert set(business["id"]) != set(calendar["id"])


def test_every_line_and_payment_has_its_receipt(january):
    receipts = january("receipts").set_index(["venue_id", "id"]).index
    for table in ("receipt_products", "receipt_payments"):
        of = january(table).set_index(["venue_id", "receipt_id"]).index
        assert of.isin(receipts).all()


def test_rows_and_frame_hold_the_same_receipts(reader, january):
    ids = [row["id"] for row in reader.venue(2).rows("receipts", "2026-01")]
    assert ids == january("receipts", 2)["id"].tolist()
