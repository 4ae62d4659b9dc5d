"""What makes a receipt add up to the qəpik, whoever made it, for tests of several kinds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

Row = dict[str, Any]


def dec(number: float) -> Decimal:
    """Read a JSON number as its text, the way an exact client would."""
    return Decimal(repr(number))


def cents(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.01"), ROUND_HALF_UP)


def total(rows: Iterable[Row], key: str) -> Decimal:
    return sum((dec(row[key]) for row in rows), Decimal(0))


def local_day(row: Row) -> date:
    """Read the brand-local calendar day of either spelling of created_at."""
    text = row["created_at"]
    if not text.endswith("Z"):
        return date.fromisoformat(text[:10])
    return (datetime.fromisoformat(text[:19]) + timedelta(hours=4)).date()


def check_line(line: Row) -> None:
    mods = sum((dec(m["price"]) * m["count"] for m in line["modificators"]), Decimal(0))
    eaten = dec(line["count"]) * dec(line["portion_size"])
    assert dec(line["subtotal"]) == cents(eaten * (dec(line["price"]) + mods))
    assert dec(line["total"]) == dec(line["subtotal"]) - dec(line["total_discount"])


def check_sums(receipt: Row) -> None:
    """Check a receipt against its lines and payments."""
    lines, payments = receipt["receipt_products"], receipt["payment_methods"]
    subtotal, discount = dec(receipt["subtotal"]), dec(receipt["total_discount"])
    assert subtotal == total(lines, "subtotal")
    assert discount == total(lines, "total_discount") + total(lines, "receipt_discount")
    service = cents(dec(receipt["service_charge"]) * (subtotal - discount) / 100)
    assert dec(receipt["service_charge_value"]) == service
    owed = subtotal - discount + service + dec(receipt["e_tax"]) + dec(receipt["delivery_fee"])
    assert dec(receipt["total"]) == owed
    assert total(payments, "amount") == owed - dec(receipt["remaining"])
    assert len({payment["id"] for payment in payments}) == len(payments)
