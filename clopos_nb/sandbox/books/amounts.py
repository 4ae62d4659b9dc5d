"""JSON numbers of a request as the whole numbers of the books."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from clopos_nb.sandbox.books.errors import BooksError

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


def _scaled(value: float, digits: int, field: str) -> int:
    if not abs(value) <= MOST:
        reason = f"{field} is too large"
        raise BooksError(reason, field)
    return int(Decimal(str(value)).scaleb(digits).quantize(Decimal(1), ROUND_HALF_UP))
