"""Whether the amounts of a receipt add up, from ``receipts``, their lines and their payments."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

__all__ = ["reconcile"]

_TIMER = "TIMER"
_RESULT = {
    "venue_id": "Int64",
    "receipt_id": "Int64",
    "part": "string",
    "expected": "float64",
    "found": "float64",
    "difference": "float64",
}
_ROW = ["venue_id", "receipt_id", "part"]

Numbers = npt.NDArray[np.float64]


def reconcile(frames: Mapping[str, pd.DataFrame], *, tolerance: float = 0.01) -> pd.DataFrame:
    """Return the receipts whose amounts do not add up, by how much, and in which part.

    A wrong amount is named once for every sum it is part of: a wrong ``subtotal`` agrees neither
    with the lines nor with the total. What a part compares:

    ``price``
        A line's ``subtotal``: ``count`` x ``price``, or that x ``portion_size``.
    ``line``
        A line's ``total``: its ``subtotal`` less its ``total_discount``.
    ``lines``
        The receipt's ``subtotal`` less ``total_discount``: the lines' ``total`` less
        ``receipt_discount``.
    ``discount``
        The receipt's ``total_discount``: the lines' ``receipt_discount``, and what was taken off
        the lines themselves where the ``subtotal`` is from before that.
    ``service_charge``
        ``service_charge_value``: ``service_charge`` percent of what the receipt comes to before or
        after discounts, or anything between.
    ``taxes``
        ``total_tax``: ``i_tax`` and ``e_tax``.
    ``total``
        ``total``: ``subtotal`` less ``total_discount``, with ``service_charge_value``, ``e_tax``
        and ``delivery_fee``.
    ``payments``
        The sum of the payments: ``total`` less ``remaining``, of which an open receipt has some.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        What ``frames(["receipts", "receipt_products", "receipt_payments"], ...)`` of a session or
        venue returns, or some of it: a part whose tables are not there is not checked, and lines
        and payments of receipts that are not there are left out. With ``receipt_modificators``
        too, unless it is empty, lines without add-ons may not cost more than their price. Other
        tables are not read.
    tolerance : float, default 0.01
        How far apart two amounts may be; sums over lines half of it for each line, if that is more.
        With 0, percentages and prices by weight that a till rounds are named too.

    Returns
    -------
    pandas.DataFrame
        One row per receipt and part that disagrees, the largest difference first; none when all
        adds up. For ``price`` and ``line`` it is the receipt's worst line. RangeIndex; columns

        - ``venue_id``, ``receipt_id`` (Int64), ``part`` (string)
        - ``expected``, ``found``, ``difference`` (float64): found less expected

    Raises
    ------
    ValueError
        There is neither ``receipts`` nor ``receipt_products``, so that nothing can be checked.

    Notes
    -----
    The API documents what the amounts are, not how a till arrives at them. Where it is silent, each
    reading passes: a gift's line may come to nothing or not, and count as a discount or not; a line
    with add-ons, or of which it is not known, and a timer, may cost more than its price; a closed
    receipt may have something ``remaining``. Taxes and discounts are not worked out from their
    rates, and ``loyalty_value`` is not read. A missing discount, charge, fee or tax counts as none;
    a sum with another amount missing, or one that is no number, is not checked. Deleted receipts
    and lines (``deleted_at``) are skipped. Decimals are compared as floats.

    See Also
    --------
    clopos_nb.analysis.compare_venues : What the receipts come to.

    Examples
    --------
    >>> import clopos_nb
    >>> tables = ["receipts", "receipt_products", "receipt_payments"]
    >>> with clopos_nb.demo() as session:
    ...     frames = session.frames(tables, "2026-01-05", progress=False)
    >>> len(clopos_nb.reconcile(frames))
    0
    >>> frames["receipts"].loc[7, "delivery_fee"] += 2.5
    >>> clopos_nb.reconcile(frames)[["part", "difference"]]
        part  difference
    0  total        -2.5
    """
    receipts, lines = frames.get("receipts"), frames.get("receipt_products")
    payments = frames.get("receipt_payments")
    off: list[pd.DataFrame] = []
    if receipts is not None:
        receipts = _kept(receipts).drop_duplicates(["venue_id", "id"])
        off += _receipt_parts(receipts, tolerance)
        if payments is not None:
            off.append(_payments(receipts, payments, tolerance))
    if lines is not None:
        lines = _kept(lines)
        if receipts is not None:
            at = _places(receipts, lines)
            lines, at = lines[at >= 0], at[at >= 0]
            off += _sums_of_lines(receipts, lines, at, tolerance)
        off += _line_parts(lines, frames.get("receipt_modificators"), tolerance)
    if not off:
        message = f"frames has {sorted(frames)}; expected receipts or receipt_products"
        raise ValueError(message)
    found = pd.concat(off, ignore_index=True).astype(_RESULT)
    worst = (-found["difference"].abs()).rename("worst")
    found = found.assign(worst=worst).sort_values(["worst", *_ROW])
    return found.drop_duplicates(_ROW, ignore_index=True)[list(_RESULT)]


def _receipt_parts(receipts: pd.DataFrame, tolerance: float) -> list[pd.DataFrame]:
    """Check each receipt by itself."""
    subtotal, rate = _numbers(receipts, "subtotal"), _numbers(receipts, "service_charge")
    charge, added = _extra(receipts, "service_charge_value"), _extra(receipts, "e_tax")
    net = subtotal - _extra(receipts, "total_discount")
    before, after = subtotal * rate / 100, net * rate / 100
    percent = np.clip(charge, np.minimum(before, after), np.maximum(before, after))
    sums = {
        "service_charge": (np.where(charge == rate, charge, percent), charge),
        "taxes": (_extra(receipts, "i_tax") + added, _numbers(receipts, "total_tax")),
        "total": (
            net + charge + added + _extra(receipts, "delivery_fee"),
            _numbers(receipts, "total"),
        ),
    }
    return [_off(receipts, "id", part, *both, tolerance) for part, both in sums.items()]


def _payments(receipts: pd.DataFrame, payments: pd.DataFrame, tolerance: float) -> pd.DataFrame:
    at = _places(receipts, payments)
    paid = _summed(_numbers(payments, "amount")[at >= 0], at[at >= 0], len(receipts))
    due = _numbers(receipts, "total") - _extra(receipts, "remaining")
    return _off(receipts, "id", "payments", due, paid, tolerance)


def _sums_of_lines(
    receipts: pd.DataFrame, lines: pd.DataFrame, at: npt.NDArray[np.intp], tolerance: float
) -> list[pd.DataFrame]:
    """Check receipts against their lines, which belong to the receipts ``at`` these places."""

    def summed(amounts: Numbers) -> Numbers:
        return _summed(amounts, at, len(receipts))

    gift, shared = _numbers(lines, "is_gift") == 1, _extra(lines, "receipt_discount")
    before, after = _numbers(lines, "subtotal"), _numbers(lines, "total")
    subtotal, discount = _numbers(receipts, "subtotal"), _extra(receipts, "total_discount")
    net = after - shared
    charged = _nearest(subtotal - discount, [summed(net), summed(np.where(gift, 0, net))])

    # What of the lines' own discounts the receipt counts as one shows in its subtotal.
    shares, given = summed(shared), summed(np.where(gift, before - after, 0))
    marked_down = shares + summed(np.where(gift, 0, _extra(lines, "total_discount")))
    readings = [marked_down + given, marked_down, shares]
    subtotals = [summed(before), summed(np.where(gift, after, before)), summed(after)]
    misfits = [
        np.abs(subtotal - of_lines) + np.abs(discount - reading)
        for of_lines, reading in zip(subtotals, readings, strict=True)
    ]
    taken_off = _fitting(readings, misfits)

    allowed = np.maximum(tolerance, summed(np.ones(len(lines))) * tolerance / 2)
    return [
        _off(receipts, "id", "lines", charged, subtotal - discount, allowed),
        _off(receipts, "id", "discount", taken_off, discount, allowed),
    ]


def _line_parts(
    lines: pd.DataFrame, add_ons: pd.DataFrame | None, tolerance: float
) -> list[pd.DataFrame]:
    """Check each line by itself."""
    gift, count = _numbers(lines, "is_gift") == 1, _numbers(lines, "count")
    subtotal, total = _numbers(lines, "subtotal"), _numbers(lines, "total")
    whole = count * _numbers(lines, "price")
    portion = whole * _numbers(lines, "portion_size")
    least, most = np.minimum(whole, portion), np.maximum(whole, portion)
    more = _may_cost_more(lines, add_ons)
    least = np.where(more & (count < 0), -np.inf, np.where(gift, np.minimum(least, 0), least))
    most = np.where(more & (count >= 0), np.inf, np.where(gift, np.maximum(most, 0), most))
    left = subtotal - _extra(lines, "total_discount")
    readings = [left, np.where(gift, 0, left), np.where(gift, subtotal, left)]
    return [
        _off(lines, "receipt_id", "price", np.clip(subtotal, least, most), subtotal, tolerance),
        _off(lines, "receipt_id", "line", _nearest(total, readings), total, tolerance),
    ]


def _may_cost_more(lines: pd.DataFrame, add_ons: pd.DataFrame | None) -> npt.NDArray[np.bool_]:
    """Return which lines have, or may have, add-ons, or are timers with their tariffs."""
    if add_ons is None or not len(add_ons):  # none at all: a server that does not send them
        return np.ones(len(lines), dtype=bool)
    timers = lines["meta_product_type"].eq(_TIMER).fillna(False)
    return (timers | lines["id"].isin(add_ons["receipt_product_id"])).to_numpy(bool)


# ------------------------------------------------------------------------------- arithmetic


def _off(
    rows: pd.DataFrame,
    key: str,
    part: str,
    expected: Numbers,
    found: Numbers,
    allowed: Numbers | float,
) -> pd.DataFrame:
    """Return the rows where what was found is further from the expected than allowed."""
    difference = np.round(found - expected, 4)  # no money is finer, and floats are noisy
    off = np.abs(difference) > np.round(allowed, 6)
    return pd.DataFrame(
        {
            "venue_id": rows["venue_id"].array[off].astype("Int64"),
            "receipt_id": rows[key].array[off].astype("Int64"),
            "part": part,
            "expected": np.round(expected[off], 4),
            "found": found[off],
            "difference": difference[off],
        }
    )


def _nearest(found: Numbers, readings: list[Numbers]) -> Numbers:
    """Return for each row the reading that is nearest to what was found."""
    return _fitting(readings, [np.abs(reading - found) for reading in readings])


def _fitting(readings: list[Numbers], misfits: list[Numbers]) -> Numbers:
    """Return for each row the reading of least misfit, the first of equals; NaN if not known."""
    misfit, fitting = misfits[0], readings[0]
    for other, reading in zip(misfits[1:], readings[1:], strict=True):
        better = np.round(misfit - other, 4) > 0
        misfit, fitting = np.where(better, other, misfit), np.where(better, reading, fitting)
    return np.where(np.isnan(misfit), np.nan, fitting)


def _summed(amounts: Numbers, at: npt.NDArray[np.intp], size: int) -> Numbers:
    return np.bincount(at, amounts, size).astype("float64")


def _places(receipts: pd.DataFrame, parts: pd.DataFrame) -> npt.NDArray[np.intp]:
    """Return at which place each part's receipt is, -1 where it is not there."""
    keys = pd.MultiIndex.from_frame(receipts[["venue_id", "id"]].astype("Int64"))
    return keys.get_indexer(
        pd.MultiIndex.from_frame(parts[["venue_id", "receipt_id"]].astype("Int64"))
    )


def _kept(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["deleted_at"].isna()] if "deleted_at" in frame else frame


def _numbers(frame: pd.DataFrame, name: str) -> Numbers:
    numbers = frame[name]
    kind = numbers.dtype
    if isinstance(kind, pd.ArrowDtype) and pa.types.is_decimal(kind.pyarrow_dtype):
        numbers = numbers.astype(pd.ArrowDtype(pa.float64()))  # pandas does it one by one
    numbers = pd.to_numeric(numbers, errors="coerce")
    return numbers.to_numpy("float64", na_value=np.nan)


def _extra(frame: pd.DataFrame, name: str) -> Numbers:
    """Return amounts of which a missing one is none."""
    return np.nan_to_num(_numbers(frame, name))
