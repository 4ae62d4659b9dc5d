"""What dishes are made of, down to what the kitchen buys."""

from __future__ import annotations

import pandas as pd

__all__ = ["raw_ingredients"]

_PART = ["product_id", "ingredient_id", "ingredient", "quantity"]


def raw_ingredients(recipes: pd.DataFrame) -> pd.DataFrame:
    """Return what one of each dish takes of every raw ingredient, preparations taken apart.

    A recipe may name a preparation, such as a filling, that has a recipe of its own. Here that
    stands in its place, as often as needed, so that no lamb hides inside a filling.

    Parameters
    ----------
    recipes : pandas.DataFrame
        The table ``recipes``. Read are ``product_id``, ``ingredient_id``, ``name`` and ``gross``,
        what is taken from stock. A preparation's recipe is read as making one unit of it.

    Returns
    -------
    pandas.DataFrame
        RangeIndex, by product and ingredient, one row for each such pair. Columns ``product_id``,
        ``ingredient_id`` (Int64), ``ingredient`` (string), ``quantity`` (float64, in the
        ingredient's unit). Dishes and preparations both have their rows.

    Raises
    ------
    ValueError
        A recipe contains itself.

    Examples
    --------
    >>> import pandas as pd
    >>> recipes = pd.DataFrame({
    ...     "product_id": [1, 1, 2], "ingredient_id": [2, 10, 11],
    ...     "name": ["Filling", "Flour", "Lamb"], "gross": [0.5, 0.2, 0.8],
    ... })
    >>> raw_ingredients(recipes)
       product_id  ingredient_id ingredient  quantity
    0           1             10      Flour       0.2
    1           1             11       Lamb       0.4
    2           2             11       Lamb       0.8
    """
    names = {"name": "ingredient", "gross": "quantity"}
    types = {"product_id": "Int64", "ingredient_id": "Int64", "ingredient": "string"}
    recipes = recipes.rename(columns=names)[_PART].astype({**types, "quantity": "float64"})
    inner = recipes.set_axis(["made_id", "inner_id", "inner", "each"], axis=1)
    parts, done = recipes, []
    for _ in range(recipes["product_id"].nunique() + 1):
        made = parts["ingredient_id"].isin(recipes["product_id"])
        done.append(parts[~made])
        if not made.any():
            break
        parts = parts[made].merge(inner, left_on="ingredient_id", right_on="made_id")
        parts["quantity"] *= parts["each"]
        parts = parts[["product_id", "inner_id", "inner", "quantity"]].set_axis(_PART, axis=1)
    else:
        message = f"the recipe of product {parts['product_id'].iloc[0]} contains itself"
        raise ValueError(message)
    everything = pd.concat(done).groupby(_PART[:2], as_index=False)
    return everything.agg({"ingredient": "first", "quantity": "sum"})
