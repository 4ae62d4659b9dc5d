"""Figures of the analysis against the sandbox's own books, in every kind of column."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from clopos_nb.analysis import hour_by_weekday, menu_engineering, raw_ingredients, sellable
from clopos_nb.analysis import same_store as compare

FIRST, LAST = date(2026, 1, 5), date(2026, 1, 18)
VENUES = (1, 2, 3, 4)
KINDS: list[dict[str, Any]] = [{}, {"dtype_backend": "pyarrow"}, {"money": "decimal"}]


@pytest.fixture(scope="module", params=KINDS, ids=["numpy", "pyarrow", "decimal"])
def frames(request, reader) -> dict[str, pd.DataFrame]:
    tables = ["receipts", "receipt_products"]
    named = {"progress": False, **request.param}
    days = {"day": "shift_date", **named}
    found = reader.frames(tables, FIRST, LAST, **days)
    menu = {name: reader.frame(name, **named) for name in ("products", "modifications", "recipes")}
    return {**found, **menu}


@pytest.fixture(scope="module")
def books(sandbox):
    def summed(name: str, first: date = FIRST, last: date = LAST) -> float:
        ledgers = [sandbox.ledger(venue, first, last, day="shift_date") for venue in VENUES]
        return float(sum(getattr(ledger, name) for ledger in ledgers))

    return summed


def test_the_hours_of_two_whole_weeks_are_their_revenue(frames, books):
    week = hour_by_weekday(frames["receipts"])
    assert 2 * week.to_numpy().sum() == pytest.approx(books("total"))
    counted = hour_by_weekday(frames["receipts"], "receipts")
    assert 2 * counted.to_numpy().sum() == pytest.approx(books("receipts"))


def test_every_item_of_the_menu_together_is_what_lines_brought(frames, books):
    menu = sellable(frames["products"], frames["modifications"])
    found = menu_engineering(frames, menu)
    assert found["revenue"].sum() == pytest.approx(books("subtotal") - books("discount"))


def test_two_weeks_compared_are_the_ledgers_of_each(frames, books):
    middle = FIRST + timedelta(days=7)
    found = compare(frames["receipts"], (FIRST, middle - timedelta(days=1)), (middle, LAST))
    assert found["revenue_before"].sum() == pytest.approx(
        books("total", FIRST, middle - timedelta(days=1))
    )
    assert found["revenue_after"].sum() == pytest.approx(books("total", middle, LAST))
    assert found["same_store"].all()


def test_raw_ingredients_cost_what_dishes_say_they_cost(frames):
    products = frames["products"].set_index("id")
    parts = raw_ingredients(frames["recipes"])
    price = parts["ingredient_id"].map(products["cost_price"].astype("float64"))
    cost = (parts["quantity"] * price).groupby(parts["product_id"]).sum()
    said = products.loc[cost.index, "cost_price"].astype("float64")
    # The preparations inside are priced to the qəpik.
    assert (cost - said).abs().max() < 0.01
