"""What sorting and filtering need of a day's receipts or orders, as arrays instead of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
            terminal_id(r),
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


def joined(parts: Sequence[Columns], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    """Return the rows of all parts, in order."""
    return {name: np.concatenate([part[name] for part in parts]) for name in names}
