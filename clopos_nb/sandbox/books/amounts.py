"""JSON numbers of a request as the whole numbers of the books."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from clopos_nb.sandbox.books.errors import BooksError
from clopos_nb.sandbox.brand.settings import METHOD_NAMES

MOST = 10**9
"""No number of a request beyond this: products and sums of them stay inside 64 bits."""


def minor(value: float, field: str) -> int:
    """Return an amount in qəpik, rounded half up as a till does."""
    return _scaled(value, 2, field)


def exact_minor(value: float, field: str) -> int:
    """Return an amount in qəpik; raise ``BooksError`` for fractions of one."""
    found = _scaled(value, 2, field)
    if Decimal(str(value)) * 100 != found:
        reason = f"{field} must have at most two decimals"
        raise BooksError(reason, field)
    return found


def milli(value: float, field: str) -> int:
    """Return a quantity in thousandths."""
    return _scaled(value, 3, field)


def by_method(payments: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Return what each method paid; two entries of one method are one, empty ones none."""
    sums: dict[int, int] = {}
    for payment in payments:
        method = payment["id"]
        if method not in METHOD_NAMES:
            reason = f"{method} is not a payment method of this brand"
            raise BooksError(reason, "payment_methods")
        amount = exact_minor(payment["amount"], "amount")
        sums[method] = sums.get(method, 0) + amount
    return [(method, amount) for method, amount in sums.items() if amount]


def _scaled(value: float, digits: int, field: str) -> int:
    if not abs(value) <= MOST:
        reason = f"{field} is too large"
        raise BooksError(reason, field)
    return int(Decimal(str(value)).scaleb(digits).quantize(Decimal(1), ROUND_HALF_UP))
