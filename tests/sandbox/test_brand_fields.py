"""Every documented or recorded field is there, with its type; names follow the API to the letter.

``data/fields.json`` maps a resource to ``path: type``; ``?`` is nullable or not stated, ``-`` may
be missing, ``map`` an object that PHP may write as an empty list.
"""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from clopos_nb.sandbox.brand import Brand

FIELDS = json.loads((Path(__file__).parent / "data" / "fields.json").read_text())
BRAND = Brand(first_day=date(2026, 2, 10), last_day=date(2026, 2, 28))
TYPES = {
    "integer": int,
    "number": (int, float),
    "string": str,
    "boolean": bool,
    "array": list,
    "object": dict,
    "map": (dict, list),
    "any": object,
}
RELATIONS_WITHOUT_FIELDS = {
    "receipts": ["receipt_products"],
    "orders": ["receipt", "customer"],
    "products": ["category", "station", "modifications", "recipe", "unit", "codes", "tags"],
    "customers": ["group", "balance", "cashback_balance"],
}


def sample(resource):
    if resource in ("receipts", "orders"):
        return [
            row
            for venue_id in BRAND.venue_ids
            for row in BRAND.log(resource, venue_id).page(None, None, 0, 300, descending=True)
        ]
    if resource == "stock_operations":
        recent = BRAND.log("receipts", 4).page(None, None, 200, 20)
        return [row for r in recent for row in BRAND.stock_operations(4, r["id"])]
    return BRAND.rows(resource, 3)


def parents(rows, path):
    """Yield every object that a path's last name should be in."""
    found = list(rows)
    for name in path.split(".")[:-1]:
        key = name.removesuffix("[]")
        found = [row[key] for row in found if row.get(key)]
        if name.endswith("[]"):
            found = [inner for each in found for inner in each]
    return found


@pytest.mark.parametrize("resource", sorted(FIELDS))
def test_every_field_is_there_with_its_type(resource):
    rows = sample(resource)
    assert rows
    for path, kind in FIELDS[resource].items():
        name = path.rsplit(".", 1)[-1]
        expected = TYPES[kind.rstrip("?-")]
        for parent in parents(rows, path):
            if "-" in kind and name not in parent:
                continue
            assert name in parent, path
            value = parent[name]
            if value is None:
                assert "?" in kind, path
            else:
                assert isinstance(value, expected), (path, value)
                assert not (isinstance(value, bool) and kind[:3] in ("int", "num")), path


@pytest.mark.parametrize(
    ("resource", "name"),
    [(r, name) for r, names in RELATIONS_WITHOUT_FIELDS.items() for name in names],
)
def test_every_relation_is_nested(resource, name):
    assert all(name in row for row in sample(resource))
    assert any(row[name] for row in sample(resource)) or name == "tags"


@pytest.mark.parametrize("resource", sorted(FIELDS))
def test_rows_are_json_without_loss(resource):
    rows = sample(resource)
    assert json.loads(json.dumps(rows, allow_nan=False)) == rows


def test_venues_differ_in_what_they_sell_and_when():
    def receipts(venue_id):
        return list(BRAND.log("receipts", venue_id).scan(None, None))

    centre, lunch, lounge, kitchen = map(receipts, BRAND.venue_ids)
    assert sum(r["sale_type_id"] == 1 for r in centre) > len(centre) / 2
    assert not any(r["sale_type_id"] == 1 for r in kitchen)
    assert (
        min(r["created_at"][11:] for r in lounge if r["created_at"][:10] == r["shift_date"]) > "16"
    )
    weekdays = {date.fromisoformat(r["shift_date"]).weekday() for r in lunch}
    assert 6 not in weekdays, "offices are shut on Sundays"


def test_people_are_visibly_made_up():
    rows = BRAND.rows("customers", 1)
    assert all(re.fullmatch(r"\w+ \w+ \d{3}", row["name"]) for row in rows)
    assert all(row["email"] is None or row["email"].endswith("@example.com") for row in rows)
    digits = [re.sub(r"\D", "", row["phone"]) for row in rows if row["phone"]]
    assert all(re.fullmatch(r"(994|0)50000\d{4}", text) for text in digits)
    assert len(set(digits)) == len(digits)


def test_categories_are_a_nested_set():
    def walk(row, depth):
        assert row["depth"] == depth
        edge = row["_lft"]
        for child in row["children"]:
            assert child["parent_id"] == row["id"]
            assert child["_lft"] == edge + 1
            edge = walk(child, depth + 1)
        assert row["_rgt"] == edge + 1
        return row["_rgt"]

    edge = 0
    for root in BRAND.rows("categories", 1):
        assert root["parent_id"] is None
        assert root["_lft"] == edge + 1
        edge = walk(root, 0)


def test_what_was_sold_is_on_the_menu():
    menu = BRAND.rows("products", 1)
    ids = {row["id"] for row in menu} | {v["id"] for row in menu for v in row["modifications"]}
    parents_of_variants = {row["id"] for row in menu if row["has_modifications"]}
    sold = {line["product_id"] for r in sample("receipts") for line in r["receipt_products"]}
    assert sold <= ids - parents_of_variants
    assert {row["type"] for row in menu} == {"GOODS", "DISH", "TIMER", "PREPARATION", "INGREDIENT"}
    assert len({row["id"] for row in menu}) == len(menu)


def test_empty_php_arrays_stand_where_live_answers_have_them():
    assert any(row["status"] == [] for row in BRAND.rows("sale_types", 1))
    assert any(row["status"] == [] for row in BRAND.rows("payment_methods", 1))
    assert any(row["properties"] == [] for row in BRAND.rows("products", 1))
    products = [p for row in sample("orders") for p in row["payload"]["products"]]
    assert any(p["meta"]["order_product"]["product"] == [] for p in products)


def test_unknown_tables_and_venues_are_key_errors():
    with pytest.raises(KeyError):
        BRAND.rows("tables", 1)
    with pytest.raises(KeyError):
        BRAND.rows("users", 5)
    with pytest.raises(KeyError):
        BRAND.log("users", 1)
    with pytest.raises(ValueError, match="at least one"):
        Brand(venues=0)
