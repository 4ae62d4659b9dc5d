"""Product rows as the API serves them, before catalogue fills in their relations."""

from __future__ import annotations

from typing import Any
from zlib import crc32

from clopos_nb.sandbox.brand import menu
from clopos_nb.sandbox.brand.money import money
from clopos_nb.sandbox.brand.pictures import image, photo
from clopos_nb.sandbox.brand.stamps import founding, local
from clopos_nb.sandbox.brand.venues import DELIVERY

Row = dict[str, Any]

INCLUDED_TAX, EXCLUSIVE_TAX = 18, 5
EXCLUSIVE_CATEGORY = "qelyan"
HIDDEN_PRODUCT = "Qablaşdırma"
UNITS = {
    "ədəd": (1, "PIECE", "əd"),
    "kq": (2, "WEIGHT", "kq"),
    "litr": (3, "VOLUME", "l"),
    "saat": (7, "TIME", "saat"),
}
RELATIONS = frozenset(
    {
        "modifications", "modificator_groups", "recipe", "packages", "taxes", "unit",
        "tags", "codes", "category", "station",
    }
)  # fmt: skip
ABSENT_IN_VARIANTS = RELATIONS - {"unit", "codes"} | {"color", "is_inventory_behavior_changeable"}
"""What recorded variants lack beside their parents."""

_LETTERS = str.maketrans("əğıöüşçƏĞIİÖÜŞÇ", "egiouscEGIIOUSC")


def unit_row(name: str) -> Row:
    """Return the unit object that nests in products."""
    number, kind, symbol = UNITS[name]
    return {
        "id": number,
        "_lft": 2 * number - 1,
        "_rgt": 2 * number,
        "parent_id": None,
        "name": name,
        "type": kind,
        "symbol": symbol,
        "equal": None,
        "deleted_at": None,
    }


def slug(name: str) -> str:
    """Return a name in lower-case ASCII with hyphens."""
    plain = name.translate(_LETTERS).lower()
    return "-".join("".join(c if c.isalnum() else " " for c in plain).split())


def bare(row: Row) -> Row:
    """Return a product without its relations, as it nests in other rows."""
    return {key: value for key, value in row.items() if key not in RELATIONS}


def fresh(value: Any) -> Any:
    """Return a copy of JSON-like data that its taker may cut up."""
    if isinstance(value, dict):
        return {key: fresh(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [fresh(inner) for inner in value]
    return value


def product_row(
    number: int,
    name: str,
    kind: str,
    category: str,
    *,
    price: int,
    cost: int,
    unit: str,
    names: tuple[str, str] | None = None,
    cid: str | None = None,
) -> Row:
    """Return a product with every field of its own and empty relations.

    Parameters
    ----------
    number : int
        The id.
    name, kind, category : str
        Name, API ``type``, and key of the category in ``menu.CATEGORIES``.
    price, cost : int
        Qəpik; a product without a price is not for sale.
    unit : str
        Key of ``UNITS``.
    names : tuple of str, optional
        English and Russian names.
    cid : str, optional
        UUID; products made in the back office have none.
    """
    created, seconds = founding(name)
    sold = price > 0
    code = f"{'0' if number % 3 == 0 else '4'}{760_000_000_000 + number * 7919:012d}"
    has_code = kind in ("GOODS", "MODIFICATION")
    pictured = kind == "DISH" and number % 2 == 0
    return {
        "id": number,
        "parent_id": None,
        "station_id": menu.STATION_OF.get(category),
        "category_id": None,
        "unit_id": UNITS[unit][0],
        "type": kind,
        "name": name,
        "parent_name": "",
        "full_name": name,
        "position": None if number % 5 == 0 else number % 20,
        "barcode": code if has_code and number % 2 else None,
        "gov_code": f"{crc32(name.encode()) % 1_000_000:06d}" if number % 4 == 0 else None,
        "status": int(category != menu.INACTIVE_CATEGORY),
        "hidden": int(name == HIDDEN_PRODUCT),
        "sold_by_weight": False,
        "discountable": category != EXCLUSIVE_CATEGORY,
        "giftable": kind == "DISH" and category in ("cay", "shirniyyat", "qehve"),
        "has_modifications": False,
        "description": f"{name}, günün təzə məhsullarından" if names else None,
        "price": money(price),
        "cost_price": money(cost),
        "cooking_time": 0,
        "inventory_behavior": {"DISH": 0, "PREPARATION": 0, "TIMER": 3}.get(kind, 1),
        "low_stock": 5 if kind == "INGREDIENT" else 0,
        "unit_weight": 1,
        "venues": [],
        "media": [photo(name)] if pictured else [],
        "created_at": local(created, seconds),
        "updated_at": local(created, seconds + 86_400 * 31),
        "cid": cid,
        "net_output": 1,
        "image": image(name) if pictured else None,
        "max_age": None,
        "meta": _meta(name, names) if sold else None,
        "emenu_category_id": None,
        "emenu_position": None,
        "emenu_hidden": False,
        "accounting_category_id": None,
        "markup_rate": round((price - cost) / cost * 100, 4) if sold and cost else 0,
        "ignore_service_charge": False,
        "gross_margin": round((price - cost) / price * 100, 4) if sold else 0,
        "name_slug": slug(name).replace("-", " "),
        "slug": slug(name),
        "color": f"{crc32(category.encode()) & 0xFFFFFF:06x}",
        "is_inventory_behavior_changeable": False,
        "properties": _properties(number) if sold else [],
        "deleted_at": None,
        "modifications": [],
        "modificator_groups": [],
        "recipe": [],
        "packages": [],
        "setting": None,
        "taxes": _taxes(category) if sold or kind == "GOODS" else [],
        "unit": unit_row(unit),
        "tags": [],
        "codes": _codes(number, code) if has_code else [],
        "category": None,
        "station": None,
    }


def _codes(number: int, code: str) -> list[Row]:
    return [{"id": number + 9000, "product_id": number, "code": code}]


def _properties(number: int) -> Any:
    # PHP writes an empty map as an empty list; only some products have the map.
    if number % 3:
        return []
    return {"measure": 250, "measure_unit_id": 5, "stop_list_setting": []}


def _meta(name: str, names: tuple[str, str] | None) -> Row:
    langs: Row = {key: [] for key in ("en", "az", "ar", "tr", "ru", "uz", "kz", "es")}
    if names:
        for key, text in zip(("az", "en", "ru"), (name, *names), strict=True):
            langs[key] = {"name": text, "description": None}
    schedules: Row = {"itemAvailability": [], "itemVisibility": []}
    return {
        "langs": langs,
        "availability": {
            "itemAvailability": False,
            "itemVisibility": False,
            "schedules": schedules,
        },
        "gov_package_code": "",
        "allergies": [],
        "diets": [],
        "modifier_pos": {},
    }


def _taxes(category: str) -> list[Row]:
    exclusive = category == EXCLUSIVE_CATEGORY
    number, type_id = (4, 1) if exclusive else (1, 2)
    sale_type = {
        "id": DELIVERY,
        "name": "Delivery",
        "media": [photo("delivery")],
        "pivot": {"tax_id": number, "sale_type_id": DELIVERY},
        "status": [],
    }
    return [
        {
            "id": number,
            "name": "Lounge rüsumu" if exclusive else "ƏDV",
            "rate": EXCLUSIVE_TAX if exclusive else INCLUDED_TAX,
            "type_id": type_id,
            "rounding_option": "ROUND_HALF_UP",
            "priority": 1,
            "calculation_type": 1,
            "meta": None,
            "is_default": not exclusive,
            "status": 1,
            "created_at": "2023-04-12T11:14:45.000000Z",
            "deleted_at": None,
            "type": {"id": type_id, "name": "Xaric" if exclusive else "Daxil"},
            "has_sale_types": True,
            "sale_types": [sale_type],
        }
    ]
