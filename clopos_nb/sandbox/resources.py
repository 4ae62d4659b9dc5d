"""The list endpoints as data: paths, limits, sorts, filters, relations and how each says no."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Row = dict[str, Any]
Match = Callable[[Row, list[str]], bool]

MAX_LIMIT = 200
"""The "typical" maximum of the common-objects page, where an endpoint names none of its own."""
ORDER_STATUSES = ("PENDING", "RECEIVED", "IGNORE", "DELIVERED")
CATEGORY_TYPES = ("PRODUCT", "INGREDIENT", "ACCOUNTING")


@dataclass(frozen=True)
class Resource:
    """One resource, as far as a plain list and a single object go."""

    name: str
    path: tuple[str, ...]
    sorts: tuple[str, ...] = ("id", "name", "created_at", "updated_at")
    max_limit: int = MAX_LIMIT
    envelope: Literal["total", "bare", "pagination"] = "total"
    is_log: bool = False
    relations: tuple[str, ...] = ()
    single_relations: tuple[str, ...] | None = None
    legacy_relations: tuple[str, ...] = ()
    filters: Mapping[str, Match] = field(default_factory=dict)
    selectable: tuple[str, ...] = ()
    single: bool = False
    error: str = "resource_not_found"
    title: str = ""
    model: str = ""

    def allowed_relations(self, *, single: bool, legacy: bool) -> tuple[str, ...]:
        """Return the relations this endpoint knows; the legacy switch opens all of them."""
        by_id = self.relations if self.single_relations is None else self.single_relations
        if legacy:
            return (*self.relations, *by_id, *self.legacy_relations)
        return by_id if single else self.relations


def as_text(value: object) -> str:
    """Return a value as PHP would compare it with a query string."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    return str(value)


def equals(name: str) -> Match:
    """Match rows whose field is one of the values."""

    def match(row: Row, values: list[str]) -> bool:
        if name not in row:
            return True
        return as_text(row[name]) in {_plain(value) for value in values}

    return match


def truth(test: Callable[[Row], object]) -> Match:
    """Match rows by a yes-or-no property, asked for with ``1`` or ``0``."""

    def match(row: Row, values: list[str]) -> bool:
        return as_text(bool(test(row))) in {_plain(value) for value in values}

    return match


def _plain(value: str) -> str:
    return {"true": "1", "false": "0"}.get(value.lower(), value)


def _name_contains(row: Row, values: list[str]) -> bool:
    name = as_text(row.get("name")).casefold()
    return any(value.casefold() in name for value in values)


def _has_phone(row: Row, values: list[str]) -> bool:
    # "phones" is documented as the field to filter by; in samples the number is in "phone" alone.
    return any(phone in values for phone in (row.get("phone"), *(row.get("phones") or ())))


def _has_tag(row: Row, values: list[str]) -> bool:
    tags = row.get("tags") or ()
    return any(as_text(tag.get("id") if isinstance(tag, dict) else tag) in values for tag in tags)


_PRODUCT_FILTERS: dict[str, Match] = {
    "type": equals("type"),
    "category_id": equals("category_id"),
    "station_id": equals("station_id"),
    "tags": _has_tag,
    "giftable": equals("giftable"),
    "discountable": equals("discountable"),
    "inventory_behavior": equals("inventory_behavior"),
    "haveIngredients": truth(lambda row: row.get("recipe")),
    "sold_by_portion": equals("sold_by_portion"),
    "has_variants": truth(lambda row: row.get("has_modifications") or row.get("modifications")),
    "has_modifiers": truth(lambda row: row.get("modificator_groups")),
    "has_barcode": truth(lambda row: row.get("barcode") or row.get("codes")),
    "has_service_charge": truth(lambda row: not row.get("ignore_service_charge")),
}

_RECEIPT_RELATIONS = (
    "receipt_products.modificators.modificator_group",
    "receipt_products.product.unit",
    "receipt_products.product.station",
)

RESOURCES: tuple[Resource, ...] = (
    Resource("venues", ("venues",), envelope="bare", sorts=()),
    Resource(
        "users",
        ("users",),
        sorts=("id", "username", "created_at", "updated_at"),
        single=True,
        title="User",
        model=r"App\Models\Auth\User",
    ),
    Resource(
        "customers",
        ("customers",),
        sorts=("id", "cid", "group_id", "name", "email", "address", "created_at", "updated_at"),
        max_limit=999,
        relations=("group",),
        single_relations=(),
        legacy_relations=("balance", "cashback_balance"),
        filters={"name": _name_contains, "phones": _has_phone, "group_id": equals("group_id")},
        single=True,
        title="Customer",
        model=r"App\Models\Client\Marketing\Customer",
    ),
    Resource(
        "customer_groups",
        ("customer-groups",),
        sorts=(
            "id",
            "name",
            "discount_type",
            "discount_value",
            "total_amount",
            "created_at",
            "updated_at",
            "deleted_at",
        ),
    ),
    Resource(
        "categories",
        ("categories",),
        sorts=("id", "name", "position", "created_at", "updated_at"),
        max_limit=999,
        filters={"type": equals("type")},
        single=True,
        title="Category",
        model=r"App\Models\Client\Category",
    ),
    Resource(
        "stations",
        ("stations",),
        single=True,
        title="Station",
        model=r"App\Models\Client\Station",
    ),
    Resource(
        "products",
        ("products",),
        sorts=("id", "name", "price", "created_at", "updated_at"),
        max_limit=100,
        relations=(
            "category",
            "station",
            "modifications.codes",
            "taxes",
            "codes",
            "modificator_groups",
            "recipe",
            "packages",
            "tags",
        ),
        single_relations=(
            "taxes",
            "unit",
            "modifications",
            "modificator_groups.modificators.ingredient.unit",
            "recipe",
            "packages",
            "tags",
            "setting",
        ),
        filters=_PRODUCT_FILTERS,
        selectable=("id", "name", "type"),
        single=True,
        title="Product",
        model=r"App\Models\Client\Product",
    ),
    Resource("stop_list", ("products", "stop-list"), envelope="bare", sorts=()),
    Resource(
        "price_lists",
        ("price-lists",),
        sorts=("id", "name", "created_at"),
        max_limit=999,
        envelope="pagination",
        relations=("prices",),
        selectable=("id", "name"),
    ),
    Resource(
        "prices",
        ("price-lists", "prices"),
        sorts=("id", "list_id", "product_id", "price"),
        max_limit=999,
        envelope="pagination",
        relations=("product", "list"),
        filters={name: equals(name) for name in ("id", "product_id", "list_id")},
    ),
    Resource("sale_types", ("sale-types",), sorts=("id", "name", "position", "created_at")),
    Resource(
        "payment_methods", ("payment-methods",), sorts=("id", "name", "position", "created_at")
    ),
    Resource(
        "orders",
        ("orders",),
        sorts=("id", "created_at", "updated_at"),
        max_limit=100,
        is_log=True,
        relations=("customer", "receipt"),
        filters={"status": equals("status")},
        single=True,
        title="Order",
        model=r"App\Models\Client\ServiceNotification",
    ),
    Resource(
        "receipts",
        ("receipts",),
        sorts=("id", "created_at", "updated_at", "closed_at", "total"),
        is_log=True,
        relations=_RECEIPT_RELATIONS,
        filters={name: equals(name) for name in ("status", "sale_type_id", "terminal_id")},
        single=True,
        error="not_found",
        title="Receipt",
        model=r"App\Models\Client\Receipt",
    ),
)

BY_NAME = {resource.name: resource for resource in RESOURCES}
