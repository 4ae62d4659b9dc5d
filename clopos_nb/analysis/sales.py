"""Revenue of venues and days, from the ``receipts`` table.

Four conventions hold for every function here.

Closed receipts only
    A receipt counts once it is closed (``status`` 2). An open one (1) may still change.
    Receipts with a ``deleted_at`` do not count, where the frame has that column.
Revenue is what guests pay
    It is the sum of ``total``: after discounts, with service charge, delivery fee and tax.
Returns net out
    A return is a receipt of its own with a negative ``total``. It lowers the revenue of the day
    and the venue where it was made, and is one of the receipts counted there.
Business days
    A day is ``shift_date``, the day the shift began. What is sold after midnight belongs to
    the evening before, so that a bar's Saturday is one day.
"""

from __future__ import annotations

import pandas as pd

__all__ = ["compare_venues", "daily_revenue"]

CLOSED = 2
_TOTAL_ROW = "All venues"
_VENUE = ["venue_id", "venue"]


def compare_venues(receipts: pd.DataFrame, *, total: bool = False) -> pd.DataFrame:
    """Return one row per venue: receipts, revenue, average, share and best day.

    A venue whose receipts are all open still has its row, with no revenue. A venue without any
    receipt is not in the frame and so not in the result. See the module for what counts.

    Parameters
    ----------
    receipts : pandas.DataFrame
        The ``receipts`` table of any venues and days. Read are ``venue_id``, ``venue``,
        ``status``, ``total``, ``shift_date`` and, if present, ``deleted_at``.
    total : bool, default False
        Append one more row for all venues together, with a missing ``venue_id``.

    Returns
    -------
    pandas.DataFrame
        RangeIndex, highest revenue first. Columns, the same for an empty frame:

        - ``venue_id`` (Int64), ``venue`` (string)
        - ``receipts`` (Int64): how many
        - ``revenue`` (float64): sum of ``total``
        - ``average_receipt`` (float64): revenue by receipt, NaN without receipts
        - ``share`` (float64): of all venues' revenue, 0 to 1, NaN when that is zero
        - ``best_day`` (datetime64): the business day of highest revenue, the first of equals
        - ``best_day_revenue`` (float64)

    See Also
    --------
    daily_revenue : The same receipts by day.

    Examples
    --------
    >>> import pandas as pd
    >>> receipts = pd.DataFrame({
    ...     "venue_id": [1, 1, 2, 2],
    ...     "venue": ["Harbour", "Harbour", "Park", "Park"],
    ...     "status": [2, 2, 2, 1],
    ...     "total": [30.0, 50.0, 20.0, 99.0],
    ...     "shift_date": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-01", "2026-01-02"]),
    ... })
    >>> compare_venues(receipts)[["venue", "receipts", "revenue", "average_receipt", "share"]]
         venue  receipts  revenue  average_receipt  share
    0  Harbour         2     80.0             40.0    0.8
    1     Park         1     20.0             20.0    0.2
    >>> compare_venues(receipts, total=True)[["venue", "revenue", "best_day", "best_day_revenue"]]
            venue  revenue   best_day  best_day_revenue
    0     Harbour     80.0 2026-01-02              50.0
    1        Park     20.0 2026-01-01              20.0
    2  All venues    100.0 2026-01-01              50.0
    """
    sales = closed(receipts)
    venues = receipts[_VENUE].drop_duplicates().astype({"venue_id": "Int64", "venue": "string"})
    table = _summary(sales, venues)
    table = table.sort_values(["revenue", "venue_id"], ascending=[False, True], ignore_index=True)
    if total:
        everywhere = pd.DataFrame({"venue_id": [pd.NA], "venue": [_TOTAL_ROW]})
        everywhere = everywhere.astype({"venue_id": "Int64", "venue": "string"})
        sales = sales.assign(venue_id=None, venue=_TOTAL_ROW).astype(everywhere.dtypes.to_dict())
        table = pd.concat([table, _summary(sales, everywhere)], ignore_index=True)
    return table


def daily_revenue(receipts: pd.DataFrame) -> pd.DataFrame:
    """Return revenue by business day and venue, ready to plot.

    Every day from the first to the last has its row, so that a day without sales is a zero in
    a plot and not a line drawn across it. See the module for what counts.

    Parameters
    ----------
    receipts : pandas.DataFrame
        The ``receipts`` table of any venues and days. Read are ``venue_id``, ``venue``,
        ``status``, ``total``, ``shift_date`` and, if present, ``deleted_at``.

    Returns
    -------
    pandas.DataFrame
        Index ``shift_date`` (DatetimeIndex, one row a day), one float64 column per venue, named
        and ordered as the venues' ids are. Venues that share a name keep their own
        columns, as "Name (id)". Without closed receipts there are no rows.

    See Also
    --------
    compare_venues : The same receipts by venue.

    Examples
    --------
    >>> import pandas as pd
    >>> receipts = pd.DataFrame({
    ...     "venue_id": [1, 2, 1],
    ...     "venue": ["Harbour", "Park", "Harbour"],
    ...     "status": [2, 2, 2],
    ...     "total": [30.0, 20.0, 50.0],
    ...     "shift_date": pd.to_datetime(["2026-01-01", "2026-01-01", "2026-01-03"]),
    ... })
    >>> daily_revenue(receipts)  # doctest: +NORMALIZE_WHITESPACE
    venue       Harbour  Park
    shift_date
    2026-01-01     30.0  20.0
    2026-01-02      0.0   0.0
    2026-01-03     50.0   0.0
    """
    sales = closed(receipts)
    names = _column_names(receipts)
    days = sales.pivot_table(index="shift_date", columns="venue_id", values="total", aggfunc="sum")
    if len(days):
        every_day = pd.date_range(days.index.min(), days.index.max(), name="shift_date")
    else:
        every_day = pd.DatetimeIndex([], name="shift_date")
    days = days.reindex(index=every_day, columns=names.index).fillna(0.0).astype("float64")
    days.columns = pd.Index(names.array, name="venue")
    return days


def closed(receipts: pd.DataFrame, *more: str) -> pd.DataFrame:
    """Return the receipts that count: venue, total and business day, and ``more`` as they are."""
    counts = (receipts["status"] == CLOSED).fillna(False).astype(bool)
    if "deleted_at" in receipts:
        counts &= receipts["deleted_at"].isna()
    sales = receipts.loc[counts, [*_VENUE, "total", "shift_date", *more]]
    return sales.astype({"venue_id": "Int64", "venue": "string", "total": "float64"}).assign(
        shift_date=pd.to_datetime(sales["shift_date"])
    )


def _summary(sales: pd.DataFrame, venues: pd.DataFrame) -> pd.DataFrame:
    """Return ``venues`` with their figures. ``venue_id`` may be missing (the total row)."""
    by_venue = sales.groupby(_VENUE, dropna=False)["total"]
    figures = by_venue.agg(receipts="size", revenue="sum").reset_index()
    table = venues.merge(figures, how="left", on=_VENUE).merge(_best_days(sales), "left", _VENUE)
    table["receipts"] = table["receipts"].astype("Int64").fillna(0)
    table["revenue"] = table["revenue"].astype("float64").fillna(0.0)
    everything = table["revenue"].sum()
    table["average_receipt"] = table["revenue"] / table["receipts"].astype("float64")
    table["share"] = table["revenue"] / (everything or float("nan"))
    columns = ["receipts", "revenue", "average_receipt", "share", "best_day", "best_day_revenue"]
    return table[[*_VENUE, *columns]]


def _best_days(sales: pd.DataFrame) -> pd.DataFrame:
    """Return each venue's day of highest revenue, the earliest where several are equal."""
    days = sales.groupby([*_VENUE, "shift_date"], dropna=False)["total"].sum().reset_index()
    days = days.sort_values(["total", "shift_date"], ascending=[False, True], kind="stable")
    best = days.drop_duplicates(_VENUE)
    return best.rename(columns={"shift_date": "best_day", "total": "best_day_revenue"})


def _column_names(receipts: pd.DataFrame) -> pd.Series[str]:
    """Return unambiguous venue names by ascending venue id."""
    venues = receipts[_VENUE].drop_duplicates("venue_id").sort_values("venue_id")
    names = venues["venue"].astype("string")
    twice = names.duplicated(keep=False)
    names = names.where(~twice, names + " (" + venues["venue_id"].astype("string") + ")")
    return names.set_axis(pd.Index(venues["venue_id"], dtype="Int64", name="venue_id"))
