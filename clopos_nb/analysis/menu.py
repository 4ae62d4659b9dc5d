"""What is on the menu, what it costs to make, and how each dish does."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from clopos_nb.analysis.sales import closed

__all__ = ["menu_engineering", "sellable"]

_SOLD = ["DISH", "GOODS", "TIMER", "MODIFICATION"]
_ROW = ["venue_id", "receipt_id"]
_AMOUNTS = ["count", "portion_size", "total", "receipt_discount"]
_CLASSES = {  # popular, profitable
    (True, True): "star",
    (True, False): "plowhorse",
    (False, True): "puzzle",
    (False, False): "dog",
}


def sellable(products: pd.DataFrame, modifications: pd.DataFrame) -> pd.DataFrame:
    """Return what a guest can buy: one row per dish, good, timer and variant.

    The table ``products`` also holds ingredients and preparations, and goods that are sold only in
    their variants (the API's *modifications*), with a price of 0. Here the variants stand in place
    of such a good. Lines of receipts name these ids. Inactive and hidden ones are kept.

    Parameters
    ----------
    products, modifications : pandas.DataFrame
        The tables of these names. Read are ``id``, ``type``, ``full_name``, ``category_id``,
        ``price``, ``cost_price``, ``status``, ``hidden`` and ``has_modifications``.

    Returns
    -------
    pandas.DataFrame
        RangeIndex, in the order of the products' ids. Columns ``product_id`` (Int64), ``product``
        (string, the full name), ``type`` (string), ``category_id`` (Int64, the parent's where a
        variant has none), ``price``, ``cost_price`` (float64), ``status`` (Int64), ``hidden``
        (boolean).

    See Also
    --------
    menu_engineering : How each of these sells.

    Examples
    --------
    >>> import clopos_nb
    >>> with clopos_nb.demo() as session:
    ...     menu = sellable(session.frame("products"), session.frame("modifications"))
    >>> menu.loc[menu["product"].str.startswith("Fanta"), ["product_id", "product", "price"]]
        product_id       product  price
    53         257  Fanta 0.33 L    2.2
    54         258   Fanta 0.5 L    2.8
    """
    parents = products.set_index("id")["category_id"]
    variants = modifications.assign(
        category_id=modifications["category_id"].fillna(modifications["product_id"].map(parents))
    )
    columns = ["id", "full_name", "type", "category_id", "price", "cost_price", "status", "hidden"]
    whole = products[~products["has_modifications"].fillna(False)]
    menu = pd.concat([whole[columns], variants[columns]]).drop_duplicates("id")
    menu = menu[menu["type"].isin(_SOLD)].sort_values("id", ignore_index=True)
    return menu.rename(columns={"id": "product_id", "full_name": "product"})


def menu_engineering(
    frames: Mapping[str, pd.DataFrame],
    menu: pd.DataFrame,
    *,
    included_tax: float = 0.0,
    popularity: float = 0.7,
) -> pd.DataFrame:
    """Return how popular and how profitable each item of a menu is, and so what to do with it.

    The classes are those of Kasavana and Smith: an item is popular when it sells at least
    ``popularity`` of what an average item sells, and profitable when one of it leaves at least
    what an average one leaves. Compare like with like: a plov against a plov, not a glass of tea.

    Parameters
    ----------
    frames : mapping of str to pandas.DataFrame
        ``receipts`` and ``receipt_products`` of the same days, as ``frames()`` of a session or
        venue returns them. Only lines of closed receipts count; returns net out.
    menu : pandas.DataFrame
        The items to compare, as :func:`sellable` returns them, all or a part. Lines of other
        products are not read; items without any line are kept. Read are ``product_id``,
        ``product``, ``category_id``, ``price`` and ``cost_price``.
    included_tax : float, default 0.0
        Percent of tax that prices include and that is no income, such as 18 for VAT in Azerbaijan.
    popularity : float, default 0.7
        How much of an even share of what is sold makes an item popular.

    Returns
    -------
    pandas.DataFrame
        RangeIndex, highest ``margin`` first. Columns

        - ``product_id`` (Int64), ``product`` (string), ``category_id`` (Int64)
        - ``sold`` (float64): ``count`` x ``portion_size``, so portions, or kilograms by weight
        - ``revenue`` (float64): what guests paid for it after all discounts, without the tax
        - ``cost`` (float64): ``sold`` x ``cost_price``
        - ``margin`` (float64): ``revenue`` less ``cost``
        - ``margin_each`` (float64): by item sold; of the list price where none was
        - ``share`` (float64): of all that was sold
        - ``popular``, ``profitable`` (boolean)
        - ``class`` (string): ``star`` (both), ``plowhorse`` (popular only), ``puzzle``
          (profitable only) or ``dog`` (neither)

    Notes
    -----
    ``cost_price`` is today's, without add-ons; what a sale took from stock, add-ons included, and
    at which cost, the API tells receipt by receipt (``stock_operations``). Add-ons are in the
    revenue of their line, so a dish with dear ones looks better than it is. Gifts count as sold
    and bring nothing. Service charge and delivery fee are no dish's.

    Examples
    --------
    >>> import clopos_nb
    >>> with clopos_nb.demo() as session:
    ...     sold = session.frames(["receipts", "receipt_products"], "2026-01-05", progress=False)
    ...     menu = sellable(session.frame("products"), session.frame("modifications"))
    >>> plovs = menu_engineering(sold, menu[menu["category_id"] == 4], included_tax=18)
    >>> plovs[["product", "sold", "margin_each", "class"]].round(2)
          product  sold  margin_each      class
    0    Şah plov   9.0        20.45     puzzle
    1  Toyuq plov  23.0         7.88  plowhorse
    2  Səbzi plov  15.5         7.64  plowhorse
    3  Şüyüd plov  14.0         7.99  plowhorse
    """
    net = 1 / (1 + included_tax / 100)
    table = menu[["product_id", "product", "category_id"]].reset_index(drop=True)
    price, cost = (menu[name].to_numpy("float64") for name in ("price", "cost_price"))
    sums = _sums(frames["receipts"], frames["receipt_products"])
    sums = sums.reindex(menu["product_id"], fill_value=0.0)
    table["sold"], table["revenue"] = sums["sold"].array, sums["paid"].array * net
    table["cost"] = table["sold"] * cost
    table["margin"] = table["revenue"] - table["cost"]
    each = table["margin"] / table["sold"].replace(0.0, np.nan)
    table["margin_each"] = each.fillna(pd.Series(price * net - cost))
    everything = table["sold"].sum() or float("nan")
    table["share"] = table["sold"] / everything
    popular = table["share"] >= popularity / max(len(table), 1)
    profitable = table["margin_each"] >= table["margin"].sum() / everything
    table["popular"], table["profitable"] = popular.astype("boolean"), profitable.astype("boolean")
    classes = [_CLASSES[pair] for pair in zip(popular, profitable, strict=True)]
    table["class"] = pd.array(classes, dtype="string")
    return table.sort_values(["margin", "product_id"], ascending=[False, True], ignore_index=True)


def _sums(receipts: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Return what was sold of each product, and paid for it, in receipts that count."""
    counts = closed(receipts, "id")[["venue_id", "id"]].set_axis(_ROW, axis=1)
    if "deleted_at" in lines:
        lines = lines[lines["deleted_at"].isna()]
    lines = lines.merge(counts.drop_duplicates(), on=_ROW)
    lines = lines.astype(dict.fromkeys(_AMOUNTS, "float64"))
    sold = lines["count"] * lines["portion_size"].fillna(1.0)
    paid = lines["total"] - lines["receipt_discount"].fillna(0.0)
    sums = pd.DataFrame({"product_id": lines["product_id"], "sold": sold, "paid": paid})
    return sums.groupby("product_id").sum()
