"""Whether venues grew, told apart from how many venues there are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from clopos_nb.analysis.sales import closed

__all__ = ["same_store"]

_WEEK = pd.Timedelta(days=7)
_VENUE = ["venue_id", "venue"]
_FIGURES = ["receipts", "revenue", "average_receipt"]
Period = tuple[Any, Any]


def same_store(receipts: pd.DataFrame, before: Period, after: Period) -> pd.DataFrame:
    """Return each venue's change between two periods, and who may be compared at all.

    A brand that opens a branch grows, whatever its old ones do. So only venues count that were
    open all along: which sold something in the first and in the last seven days of both periods.
    Choose periods of the same length that begin on the same weekday; nothing is scaled here.
    What counts as revenue is as for :func:`compare_venues`.

    Parameters
    ----------
    receipts : pandas.DataFrame
        The ``receipts`` table, read with ``day="shift_date"``. Read are ``venue_id``, ``venue``,
        ``status``, ``total``, ``shift_date`` and, if present, ``deleted_at``.
    before, after : tuple of two date-likes
        First and last business day of each period, both included.

    Returns
    -------
    pandas.DataFrame
        RangeIndex, one row per venue in the frame, by ``venue_id``. Columns

        - ``venue_id`` (Int64), ``venue`` (string)
        - ``receipts_before``, ``receipts_after`` (Int64)
        - ``revenue_before``, ``revenue_after`` (float64)
        - ``change``, ``receipts_change``, ``average_receipt_change`` (float64): of revenue, of
          the number of receipts and of revenue by receipt, 0.1 for a tenth more; NaN where there
          was nothing before. One and the first is the product of one and each other.
        - ``same_store`` (boolean): was open all along

    Raises
    ------
    ValueError
        The periods have different lengths, or begin on different weekdays.

    Examples
    --------
    >>> import pandas as pd
    >>> receipts = pd.DataFrame({
    ...     "venue_id": [1, 1, 2], "venue": ["Harbour", "Harbour", "Park"], "status": 2,
    ...     "total": [100.0, 110.0, 40.0],
    ...     "shift_date": pd.to_datetime(["2026-01-05", "2026-01-12", "2026-01-13"]),
    ... })
    >>> weeks = same_store(receipts, ("2026-01-05", "2026-01-11"), ("2026-01-12", "2026-01-18"))
    >>> weeks[["venue", "revenue_before", "revenue_after", "change", "same_store"]]
         venue  revenue_before  revenue_after  change  same_store
    0  Harbour           100.0          110.0     0.1        True
    1     Park             0.0           40.0     NaN       False
    """
    periods = [(pd.Timestamp(first), pd.Timestamp(last)) for first, last in (before, after)]
    _check(*periods)
    sales = closed(receipts)
    venues = receipts[_VENUE].drop_duplicates().astype({"venue_id": "Int64", "venue": "string"})
    table = venues.sort_values("venue_id", ignore_index=True)
    table["same_store"] = True
    for name, (first, last) in zip(("before", "after"), periods, strict=True):
        days = sales[sales["shift_date"].between(first, last)]
        figures = days.groupby("venue_id")["total"].agg(receipts="size", revenue="sum")
        found = figures.reindex(table["venue_id"]).fillna(0)
        table[f"receipts_{name}"] = found["receipts"].array.astype("Int64")
        table[f"revenue_{name}"] = found["revenue"].array.astype("float64")
        early = days.loc[days["shift_date"] < first + _WEEK, "venue_id"]
        late = days.loc[days["shift_date"] > last - _WEEK, "venue_id"]
        table["same_store"] &= table["venue_id"].isin(early) & table["venue_id"].isin(late)
    table["change"] = _change(table["revenue_before"], table["revenue_after"])
    table["receipts_change"] = _change(table["receipts_before"], table["receipts_after"])
    table["average_receipt_change"] = (1 + table["change"]) / (1 + table["receipts_change"]) - 1
    table["same_store"] = table["same_store"].astype("boolean")
    counts, money = ["receipts_before", "receipts_after"], ["revenue_before", "revenue_after"]
    changes = ["change", "receipts_change", "average_receipt_change"]
    return table[[*_VENUE, *counts, *money, *changes, "same_store"]]


def _check(before: tuple[pd.Timestamp, pd.Timestamp], after: tuple[pd.Timestamp, ...]) -> None:
    lengths = [(last - first).days + 1 for first, last in (before, after)]
    if lengths[0] != lengths[1] or min(lengths) < 1:
        message = f"the periods have {lengths[0]} and {lengths[1]} days; expected as many"
        raise ValueError(message)
    if before[0].day_of_week != after[0].day_of_week:
        message = (
            f"the periods begin on a {before[0].day_name()} and a {after[0].day_name()}; expected "
            "the same weekday, since a week has strong days and weak ones"
        )
        raise ValueError(message)


def _change(before: pd.Series[float], after: pd.Series[float]) -> pd.Series[float]:
    base = before.astype("float64").replace(0.0, np.nan)
    return after.astype("float64") / base - 1
