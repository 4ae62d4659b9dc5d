"""What sorting and filtering need of a day's receipts or orders, as arrays instead of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from clopos_nb.sandbox.brand.busy import BusyPlan
from clopos_nb.sandbox.brand.plan import answered
from clopos_nb.sandbox.brand.served import terminal_id
from clopos_nb.sandbox.brand.shift import Order
from clopos_nb.sandbox.brand.stamps import DAY
from clopos_nb.sandbox.brand.till import Receipt

Columns = Mapping[str, NDArray[Any]]
"""Equally long arrays by field: moments in seconds, money in qəpik, -1 for null."""

RECEIPT_COLUMNS = (
    "id", "created_at", "updated_at", "closed_at", "total", "status", "sale_type_id", "terminal_id",
)  # fmt: skip
ORDER_COLUMNS = ("id", "created_at", "updated_at", "status")
_ORDER_STATUS = "<U16"


def second(day: date, seconds: int) -> int:
    """Return a moment as a number that grows with time, whatever the day it is counted from."""
    return day.toordinal() * DAY + seconds


def receipt_columns(receipts: Sequence[Receipt]) -> dict[str, NDArray[Any]]:
    """Return ``RECEIPT_COLUMNS`` of these receipts."""
    values = [
        (
            r.id,
            (start := r.day.toordinal() * DAY) + r.created,
            start + r.updated,
            -1 if r.closed is None else start + r.closed,
            r.total,
            1 if r.closed is None else 2,
            r.sale_type,
            terminal_id(r.venue.id, r.luck),
        )
        for r in receipts
    ]
    table = np.array(values, dtype=np.int64).reshape(len(values), len(RECEIPT_COLUMNS))
    return dict(zip(RECEIPT_COLUMNS, table.T, strict=True))


def order_columns(orders: Sequence[Order]) -> dict[str, NDArray[Any]]:
    """Return ``ORDER_COLUMNS`` of these orders."""
    values = [
        (o.id, (start := o.day.toordinal() * DAY) + o.created, start + o.updated) for o in orders
    ]
    table = np.array(values, dtype=np.int64).reshape(len(values), 3)
    found = dict(zip(ORDER_COLUMNS, table.T, strict=False))
    return {**found, "status": np.array([o.status for o in orders], dtype=_ORDER_STATUS)}


def busy_receipt_columns(
    plan: BusyPlan, venue_id: int, day: date, first_id: int, now: int
) -> dict[str, NDArray[Any]]:
    """Return the same without ``total``, and without making a receipt."""
    count, start = plan.receipts_until(now), second(day, 0)
    closed, updated = plan.ends(now)
    found = {
        "id": np.arange(first_id, first_id + len(closed)),
        "created_at": start + np.array(plan.receipts),
        "updated_at": start + updated,
        "closed_at": np.where(closed < 0, -1, start + closed),
        "status": np.where(closed < 0, 1, 2),
        "sale_type_id": plan.sale_types,
        "terminal_id": terminal_id(venue_id, plan.lucks),
    }
    return {name: column[:count] for name, column in found.items()}


def busy_order_columns(
    plan: BusyPlan, day: date, first_id: int, now: int
) -> dict[str, NDArray[Any]]:
    """Return ``ORDER_COLUMNS``, without making an order."""
    count, start = plan.receipts_until(now), second(day, 0)
    orders, closed = plan.orders[: plan.orders_until(now)], plan.ends(now)[0].tolist()
    answers = []
    for order, luck in zip(orders, plan.order_lucks, strict=False):
        rank, receipt = order.receipt, None
        if 0 <= rank < count:
            receipt = plan.receipts[rank], None if closed[rank] < 0 else closed[rank]
        answers.append(answered(order, luck, receipt, now))
    return {
        "id": np.arange(first_id, first_id + len(orders)),
        "created_at": start + np.array([order.created for order in orders], dtype=np.int64),
        "updated_at": start + np.array([updated for _, updated in answers], dtype=np.int64),
        "status": np.array([status for status, _ in answers], dtype=_ORDER_STATUS),
    }


def joined(parts: Sequence[Columns], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return the rows of all parts, in order."""
    return {name: np.concatenate([part[name] for part in parts]) for name in names}
