"""The menu: what can be sold, how it sells, and what it is made of."""

from __future__ import annotations

import pandas as pd
import pytest

from clopos_nb.analysis import menu_engineering, raw_ingredients, sellable


def product(number: int, kind: str, name: str, price: float = 0.0, **more: object) -> dict:
    return {
        "id": number,
        "type": kind,
        "full_name": name,
        "category_id": 7,
        "price": price,
        "cost_price": price / 4,
        "status": 1,
        "hidden": False,
        "has_modifications": False,
        **more,
    }


def table(*rows: dict) -> pd.DataFrame:
    flags = {"has_modifications": "boolean", "hidden": "boolean"}
    return pd.DataFrame(rows).astype({"id": "Int64", "category_id": "Int64", **flags})


PRODUCTS = table(
    product(1, "DISH", "Plov", 12.0),
    product(2, "GOODS", "Cola", has_modifications=True, category_id=8),
    product(3, "INGREDIENT", "Rice"),
    product(4, "PREPARATION", "Filling"),
    product(9, "TIMER", "Billiards", 8.0),
)
VARIANTS = table(
    product(5, "MODIFICATION", "Cola 0.33 L", 2.0, product_id=2, category_id=None),
    product(6, "MODIFICATION", "Cola 0.5 L", 3.0, product_id=2, category_id=8),
)


def test_variants_stand_in_place_of_the_good_they_are_variants_of():
    menu = sellable(PRODUCTS, VARIANTS)
    assert menu["product"].tolist() == ["Plov", "Cola 0.33 L", "Cola 0.5 L", "Billiards"]


def test_a_variant_without_a_category_is_in_its_parents():
    menu = sellable(PRODUCTS, VARIANTS).set_index("product_id")
    assert menu["category_id"].to_dict() == {1: 7, 5: 8, 6: 8, 9: 7}


def test_a_variant_that_also_comes_as_a_product_is_on_the_menu_once():
    products = pd.concat([PRODUCTS, VARIANTS.drop(columns="product_id")])
    assert sellable(products, VARIANTS)["product_id"].tolist() == [1, 5, 6, 9]


MENU = pd.DataFrame(
    {
        "product_id": [1, 2, 3, 4],
        "product": ["Tea", "Soup", "Steak", "Snail"],
        "category_id": 7,
        "price": [2.0, 10.0, 30.0, 5.0],
        "cost_price": [0.5, 2.0, 10.0, 4.0],
    }
)


def sales(*lines: tuple[int, int, float, float], status: int = 2) -> dict[str, pd.DataFrame]:
    """Return frames of one receipt a line: product, count, total and share of the discount."""
    columns = ["product_id", "count", "total", "receipt_discount"]
    frame = pd.DataFrame(lines, columns=columns).assign(venue_id=1, portion_size=1.0)
    frame["receipt_id"] = range(1, len(frame) + 1)
    receipts = pd.DataFrame(
        {
            "venue_id": 1,
            "venue": "Harbour",
            "id": frame["receipt_id"],
            "status": status,
            "total": frame["total"],
            "shift_date": pd.Timestamp("2026-01-05"),
        }
    )
    return {"receipts": receipts, "receipt_products": frame}


SOLD = sales((1, 60, 120.0, 0.0), (2, 30, 300.0, 0.0), (3, 5, 150.0, 0.0), (4, 2, 10.0, 0.0))


def test_each_item_is_of_the_class_of_its_popularity_and_margin():
    found = menu_engineering(SOLD, MENU).set_index("product")["class"].to_dict()
    assert found == {"Tea": "plowhorse", "Soup": "star", "Steak": "puzzle", "Snail": "dog"}


def test_margin_is_what_was_paid_after_both_discounts_less_cost_and_included_tax():
    frames = sales((3, 2, 54.0, 7.0))  # the line's total is after its own discount of 6 already
    row = menu_engineering(frames, MENU, included_tax=17.5).iloc[0]
    assert row["revenue"] == pytest.approx(47.0 / 1.175)
    assert row["cost"] == 20.0
    assert row["margin_each"] == pytest.approx((40.0 - 20.0) / 2)


def test_half_a_portion_is_half_sold_and_half_the_cost():
    frames = sales((3, 2, 30.0, 0.0))
    frames["receipt_products"]["portion_size"] = 0.5
    row = menu_engineering(frames, MENU).iloc[0]
    assert (row["sold"], row["cost"]) == (1.0, 10.0)


def test_returns_net_out_and_open_receipts_do_not_count():
    frames = sales((2, 3, 30.0, 0.0), (2, -1, -10.0, 0.0), (2, 9, 90.0, 0.0))
    frames["receipts"].loc[2, "status"] = 1
    row = menu_engineering(frames, MENU).iloc[0]
    assert (row["sold"], row["revenue"]) == (2.0, 20.0)


def test_a_line_counts_in_the_venue_of_its_receipt_only():
    frames = sales((2, 3, 30.0, 0.0))
    frames["receipts"]["venue_id"] = 2  # another venue's receipt of the same number
    assert menu_engineering(frames, MENU)["sold"].sum() == 0.0


def test_an_item_that_nobody_bought_is_kept_with_the_margin_of_its_list_price():
    row = menu_engineering(sales((2, 3, 30.0, 0.0)), MENU).set_index("product").loc["Steak"]
    assert (row["sold"], row["margin"], row["margin_each"]) == (0.0, 0.0, 20.0)
    assert row["class"] == "puzzle"


def test_what_is_not_on_the_menu_is_not_compared():
    assert menu_engineering(SOLD, MENU.iloc[:1])["share"].tolist() == [1.0]


@pytest.mark.parametrize("menu", [MENU, MENU.iloc[:0]])
def test_without_sales_or_without_a_menu_the_columns_and_dtypes_are_the_same(menu):
    empty = {name: frame.iloc[:0] for name, frame in SOLD.items()}
    full, found = menu_engineering(SOLD, MENU), menu_engineering(empty, menu)
    assert found.dtypes.to_dict() == full.dtypes.to_dict()
    assert len(found) == len(menu)
    assert not found["popular"].any()


RECIPES = pd.DataFrame(
    [
        (1, 2, "Filling", 0.5),
        (1, 10, "Flour", 0.2),
        (1, 12, "Onion", 0.1),
        (2, 3, "Stock", 0.5),
        (2, 12, "Onion", 0.4),
        (3, 11, "Lamb", 2.0),
    ],
    columns=["product_id", "ingredient_id", "name", "gross"],
)


def test_preparations_are_taken_apart_to_the_last():
    parts = raw_ingredients(RECIPES)
    dish = parts[parts["product_id"] == 1].set_index("ingredient")["quantity"]
    assert dish.to_dict() == pytest.approx({"Flour": 0.2, "Lamb": 0.5, "Onion": 0.3})


def test_a_recipe_that_contains_itself_is_refused():
    circle = pd.concat([RECIPES, pd.DataFrame([(3, 2, "Filling", 1.0)], columns=RECIPES.columns)])
    with pytest.raises(ValueError, match="contains itself"):
        raw_ingredients(circle)


def test_no_recipes_give_no_ingredients_of_the_same_dtypes():
    full, empty = raw_ingredients(RECIPES), raw_ingredients(RECIPES.iloc[:0])
    assert empty.dtypes.to_dict() == full.dtypes.to_dict()
    assert len(empty) == 0
