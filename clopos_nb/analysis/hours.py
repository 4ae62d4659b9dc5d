"""When guests come: the average week by hour, from the ``receipts`` table."""

from __future__ import annotations

from typing import Literal

import pandas as pd

from clopos_nb.analysis.sales import closed

__all__ = ["hour_by_weekday"]

_WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]


def hour_by_weekday(
    receipts: pd.DataFrame, value: Literal["revenue", "receipts"] = "revenue"
) -> pd.DataFrame:
    """Return an average week: what each hour of each weekday brings, ready for a heatmap.

    A receipt belongs to the hour in which it was opened and to the weekday of its business day, so
    that Saturday's night goes on past midnight as Saturday's hours 24, 25 and so on. Averages are
    over all such weekdays from the first to the last business day, days without sales included. A
    receipt without a time or a business day is left out.
    What counts is as for :func:`compare_venues`.

    Parameters
    ----------
    receipts : pandas.DataFrame
        The ``receipts`` table, read with ``day="shift_date"`` so that no day is cut. Read are
        ``venue_id``, ``venue``, ``status``, ``total``, ``shift_date``, ``created_at`` and, if
        present, ``deleted_at``. Hours are those of the zone that ``created_at`` is in.
    value : {"revenue", "receipts"}, default "revenue"
        What to average: the sum of ``total``, or how many receipts there are.

    Returns
    -------
    pandas.DataFrame
        Index ``weekday``, always Monday to Sunday; columns ``hour`` (int64), each from the first
        to the last with a sale, counted from the business day's own midnight; float64. A weekday
        that the days do not hold is NaN. Without closed receipts there are no columns.

    See Also
    --------
    daily_revenue : The same receipts by day.

    Examples
    --------
    >>> import pandas as pd
    >>> receipts = pd.DataFrame({
    ...     "venue_id": 1, "venue": "Harbour", "status": 2, "total": [30.0, 50.0, 20.0],
    ...     "created_at": pd.to_datetime(["2026-01-03 22:10", "2026-01-03 23:40",
    ...                                   "2026-01-04 00:20"]),
    ...     "shift_date": pd.to_datetime("2026-01-03"),
    ... })
    >>> hour_by_weekday(receipts).loc[["Saturday"]]  # doctest: +NORMALIZE_WHITESPACE
    hour        22    23    24
    weekday
    Saturday  30.0  50.0  20.0
    """
    sales = closed(receipts, "created_at").dropna(subset=["created_at", "shift_date"])
    opened = pd.to_datetime(sales["created_at"]).dt.tz_localize(None)
    since = (opened - sales["shift_date"]).dt.total_seconds()
    sales["hour"] = (since // 3600).astype("int64")
    sales["weekday"] = sales["shift_date"].dt.day_of_week
    how: Literal["sum", "count"] = "sum" if value == "revenue" else "count"
    week = sales.pivot_table(index="weekday", columns="hour", values="total", aggfunc=how)
    first, last = sales["shift_date"].min(), sales["shift_date"].max()
    if len(sales):
        days = pd.date_range(first, last).day_of_week.value_counts()
        hours = pd.RangeIndex(sales["hour"].min(), sales["hour"].max() + 1)
    else:
        days = pd.Series(dtype="int64")
        hours = pd.RangeIndex(0)
    week = week.reindex(index=range(7), columns=hours).astype("float64")
    week = week.fillna(0.0).div(days.reindex(range(7)).astype("float64"), axis="index")
    week.index = pd.Index(_WEEKDAYS, name="weekday")
    return week.rename_axis(columns="hour")
