"""Whole-number money and quantities, and the only two roundings the brand uses.

Amounts are integers of qəpik (hundredths of a manat), quantities integers of thousandths. Floats
appear only where a value leaves for JSON.
"""

from __future__ import annotations

from collections.abc import Sequence


def money(minor: int) -> int | float:
    """Return an amount as the API writes it: whole when whole, else two decimals."""
    return minor // 100 if minor % 100 == 0 else minor / 100


def quantity(milli: int) -> int | float:
    """Return a quantity as the API writes it: whole when whole, else up to three decimals."""
    return milli // 1000 if milli % 1000 == 0 else milli / 1000


def half_up(numerator: int, denominator: int) -> int:
    """Divide and round half away from zero, as a till does.

    Examples
    --------
    >>> half_up(5, 2), half_up(-5, 2), half_up(7, 3)
    (3, -3, 2)
    """
    rounded = (2 * abs(numerator) + denominator) // (2 * denominator)
    return rounded if numerator >= 0 else -rounded


def share(amount: int, weights: Sequence[int]) -> list[int]:
    """Split an amount in proportion to weights so that the parts add up to it exactly.

    The largest remainders get the odd qəpik, the first line first among equals. No part exceeds
    its weight as long as the amount does not exceed their sum.

    Examples
    --------
    >>> share(100, [1, 1, 1])
    [34, 33, 33]
    """
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    order = sorted(range(len(weights)), key=lambda i: -(amount * weights[i] % whole))
    for i in order[: amount - sum(parts)]:
        parts[i] += 1
    return parts
