"""What makes up the revenue: ways of paying, and products."""

from __future__ import annotations

import pandas as pd

__all__ = ["payment_mix", "top_products"]


def payment_mix(payments: pd.DataFrame) -> pd.DataFrame:
    """Return how much was paid in each way.

    Every payment in the frame counts, those of receipts that are still open too, since the table
    does not hold the receipt's state. Money given back is negative and nets out.

    Parameters
    ----------
    payments : pandas.DataFrame
        The ``receipt_payments`` table of any venues and days. Read are ``name`` and ``amount``.

    Returns
    -------
    pandas.DataFrame
        RangeIndex, highest amount first. Columns, the same for an empty frame:

        - ``method`` (string): as the receipts name it
        - ``payments`` (Int64): how many
        - ``amount`` (float64)
        - ``share`` (float64): of all amounts, 0 to 1, NaN when they sum to zero

    Examples
    --------
    >>> import pandas as pd
    >>> payments = pd.DataFrame({"name": ["Cash", "Card", "Cash"], "amount": [10.0, 60.0, 30.0]})
    >>> payment_mix(payments)
      method  payments  amount  share
    0   Card         1    60.0    0.6
    1   Cash         2    40.0    0.4
    """
    plain = pd.DataFrame(
        {
            "method": payments["name"].astype("string"),
            "amount": payments["amount"].astype("float64"),
        }
    )
    by_method = plain.groupby("method", dropna=False, as_index=False)
    mix = by_method.agg(payments=("amount", "size"), amount=("amount", "sum"))
    mix = mix.astype({"payments": "Int64"})
    mix = mix.sort_values(["amount", "method"], ascending=[False, True], ignore_index=True)
    mix["share"] = mix["amount"] / (mix["amount"].sum() or float("nan"))
    return mix


def top_products(lines: pd.DataFrame, count: int | None = None) -> pd.DataFrame:
    """Return what was sold of each product, highest revenue first.

    Every line in the frame counts, those of receipts that are still open too, since the table does
    not hold the receipt's state; lines with a ``deleted_at`` do not. Returns net out.

    Parameters
    ----------
    lines : pandas.DataFrame
        The ``receipt_products`` table of any venues and days. Read are ``product_id``,
        ``meta_product_name``, ``count``, ``portion_size``, ``total``, ``receipt_discount`` and, if
        present, ``deleted_at``.
    count : int, optional
        How many products; by default all.

    Returns
    -------
    pandas.DataFrame
        RangeIndex. Columns, the same for an empty frame:

        - ``product_id`` (Int64), ``product`` (string): the name on the last line
        - ``sold`` (float64): ``count`` x ``portion_size``, so portions, or kilograms by weight
        - ``revenue`` (float64): ``total`` less the line's share of the receipt's discount; without
          the receipt's service charge, delivery fee and added tax
        - ``share`` (float64): of the revenue of all products, NaN when that is zero

    Examples
    --------
    >>> import clopos_nb
    >>> with clopos_nb.demo() as session:
    ...     lines = session.frame("receipt_products", "2026-01-05", progress=False)
    >>> top_products(lines, 2)[["product", "sold"]]
       product  sold
    0   Xəngəl  42.0
    1  Düşbərə  46.0
    """
    if "deleted_at" in lines:
        lines = lines[lines["deleted_at"].isna()]
    numbers = ["count", "portion_size", "total", "receipt_discount"]
    parts = lines[numbers].astype("float64")
    sums = pd.DataFrame(
        {
            "product_id": lines["product_id"].astype("Int64"),
            "product": lines["meta_product_name"].astype("string"),
            "sold": parts["count"] * parts["portion_size"].fillna(1.0),
            "revenue": parts["total"] - parts["receipt_discount"].fillna(0.0),
        }
    )
    by_product = sums.groupby("product_id", as_index=False, dropna=False)
    table = by_product.agg({"product": "last", "sold": "sum", "revenue": "sum"})
    table = table.sort_values(["revenue", "product_id"], ascending=[False, True], ignore_index=True)
    table["share"] = table["revenue"] / (table["revenue"].sum() or float("nan"))
    return table if count is None else table.head(count)
