"""The brand's own books, kept from the model and never from what was served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from clopos_nb.sandbox.brand.settings import METHOD_NAMES
from clopos_nb.sandbox.brand.till import Receipt


@dataclass(frozen=True)
class Ledger:
    """Sums over the receipts of a venue and range, to the qəpik.

    Open receipts count, returns count with their negative amounts. ``line_quantity`` has three
    decimals, every amount two. ``by_day`` and ``by_payment_method`` hold only what occurred.
    """

    receipts: int
    total: Decimal
    subtotal: Decimal
    discount: Decimal
    service_charge: Decimal
    tax: Decimal
    delivery_fee: Decimal
    lines: int
    line_quantity: Decimal
    line_total: Decimal
    payments: int
    paid: Decimal
    by_payment_method: dict[str, Decimal]
    by_day: dict[date, Decimal]
    orders: int


def amount(minor: int) -> Decimal:
    """Return qəpik as manat with two decimals."""
    return Decimal(minor).scaleb(-2)


def keep(entries: Iterable[tuple[date, Receipt]], orders: int) -> Ledger:
    """Return the ledger of receipts, each with the day to book it on."""
    sums: Counter[str] = Counter()
    methods: Counter[int] = Counter()
    days: Counter[date] = Counter()
    for day, receipt in entries:
        days[day] += receipt.total
        for method, part in receipt.payments:
            methods[method] += part
        sums["receipts"] += 1
        sums["total"] += receipt.total
        sums["subtotal"] += receipt.subtotal
        sums["discount"] += receipt.discount
        sums["service"] += receipt.service_charge
        sums["tax"] += receipt.i_tax + receipt.e_tax
        sums["fee"] += receipt.delivery_fee
        sums["payments"] += len(receipt.payments)
        sums["paid"] += receipt.paid
        sums["lines"] += len(receipt.lines)
        sums["quantity"] += sum(line.count for line in receipt.lines)
        sums["line_total"] += sum(line.total for line in receipt.lines)
    return Ledger(
        receipts=sums["receipts"],
        total=amount(sums["total"]),
        subtotal=amount(sums["subtotal"]),
        discount=amount(sums["discount"]),
        service_charge=amount(sums["service"]),
        tax=amount(sums["tax"]),
        delivery_fee=amount(sums["fee"]),
        lines=sums["lines"],
        line_quantity=Decimal(sums["quantity"]).scaleb(-3),
        line_total=amount(sums["line_total"]),
        payments=sums["payments"],
        paid=amount(sums["paid"]),
        by_payment_method={METHOD_NAMES[m]: amount(methods[m]) for m in sorted(methods)},
        by_day={day: amount(minor) for day, minor in sorted(days.items())},
        orders=orders,
    )
