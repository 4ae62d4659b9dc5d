"""Which fields an answer holds: documented in v2, legacy only, or only with a relation.

The brand's rows hold everything; a projection cuts them down to what this request may see.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Project = Callable[[Row], Row]


@dataclass(frozen=True)
class Shape:
    """The fields of one object.

    ``v2`` are always there, ``legacy`` only behind the switch, ``relations`` only when asked for.
    ``nested`` names the shapes of objects inside, ``maps`` the fields that PHP writes as ``[]``
    when empty; an ``anything`` shape is undocumented and passes every field but its relations.
    """

    v2: str = ""
    legacy: str = ""
    relations: Mapping[str, str] = field(default_factory=dict)
    nested: Mapping[str, str] = field(default_factory=dict)
    maps: str = ""
    anything: bool = False


@dataclass
class Wanted:
    """The relations asked for below one object, and the columns of that object if chosen."""

    columns: tuple[str, ...] | None = None
    children: dict[str, Wanted] = field(default_factory=dict)

    def key(self) -> tuple[object, ...]:
        """Return the same for trees that ask for the same, to remember results under."""
        below = sorted((name, child.key()) for name, child in self.children.items())
        return (self.columns or (), self.columns is None, *below)


NOTHING = Wanted()

_PRODUCT = (
    "id parent_id station_id category_id unit_id type name parent_name full_name position barcode "
    "gov_code status hidden sold_by_weight discountable giftable has_modifications description "
    "price cost_price cooking_time inventory_behavior low_stock unit_weight venues media "
    "created_at updated_at"
)
_PRODUCT_LEGACY = (
    "cid net_output image max_age meta setting emenu_category_id emenu_position emenu_hidden "
    "accounting_category_id markup_rate ignore_service_charge gross_margin name_slug slug color "
    "is_inventory_behavior_changeable properties deleted_at"
)
_MODIFICATOR_LEGACY = (
    "dish_id ingredient_id group_id image cost_price brutto default_count min_count max_count meta "
    "status position media created_at updated_at deleted_at"
)

SHAPES: dict[str, Shape] = {
    "anything": Shape(anything=True),
    "venues": Shape("id name is_main media", "address status phone email"),
    "users": Shape(
        "id email username first_name last_name mobile_number owner status created_at updated_at",
        "pin card hide salary barcode tip_message can_receive_tips login_at bonus_balance_id "
        "properties image deleted_at",
    ),
    "customers": Shape(
        "id cid venue_id group_id name email phone phones address address_data description "
        "discount spent total_discount total_bonus receipt_count gender date_of_birth code source "
        "reference_id status can_use_loyalty_system is_verified created_at updated_at",
        "balance_id bonus_balance_id cashback_balance_id addresses phone_verified_at deleted_at",
        relations={
            "group": "customer_groups",
            "balance": "anything",
            "cashback_balance": "anything",
        },
    ),
    "customer_groups": Shape(
        "id name discount_type discount_value system_type created_at updated_at deleted_at",
        "total_amount",
    ),
    "categories": Shape(
        "id name status hidden type position parent_id _lft _rgt depth color children media "
        "created_at updated_at",
        "slug code image meta properties emenu_position emenu_hidden deleted_at",
        nested={"children": "categories"},
        maps="properties",
    ),
    "stations": Shape(
        "id name status type printable created_at updated_at",
        "can_print reminder_enabled description meta",
    ),
    "products": Shape(
        _PRODUCT,
        _PRODUCT_LEGACY,
        relations={
            "modifications": "products",
            "modificator_groups": "modificator_groups",
            "recipe": "recipe",
            "packages": "anything",
            "setting": "anything",
            "taxes": "taxes",
            "unit": "anything",
            "tags": "anything",
            "codes": "anything",
            "category": "categories",
            "station": "stations",
        },
        maps="properties",
    ),
    # A recorded recipe item is a whole product with its unit and a pivot; the page's flat fields
    # pass too, should the brand hold those.
    "recipe": Shape(
        f"{_PRODUCT} unit pivot ingredient_id gross net",
        _PRODUCT_LEGACY,
        maps="properties",
    ),
    "modificator_groups": Shape(
        "id name type min_select max_select modificators",
        "meta status adjust_to_portion pivot created_at updated_at deleted_at",
        nested={"modificators": "modificators"},
    ),
    "modificators": Shape(
        "id name price ingredient",
        _MODIFICATOR_LEGACY,
        nested={"ingredient": "products"},
    ),
    "taxes": Shape(
        "id name rate",
        "type_id rounding_option priority calculation_type meta is_default status created_at "
        "deleted_at type has_sale_types sale_types",
    ),
    "stop_list": Shape("id limit timestamp"),
    "price_lists": Shape(
        "id name description status created_at updated_at",
        relations={"prices": "prices"},
    ),
    "prices": Shape(
        "id list_id product_id price",
        relations={"product": "products", "list": "price_lists"},
    ),
    "sale_types": Shape(
        "id name system_type channel status service_charge_rate position media created_at "
        "updated_at",
        "payment_method_id payment_method deleted_at",
        nested={"payment_method": "payment_methods"},
        maps="status",
    ),
    "payment_methods": Shape(
        "id name status split position customer_required is_system created_at updated_at balance "
        "service",
        "balance_id deleted_at",
        nested={"balance": "balance"},
        maps="status",
    ),
    "balance": Shape(
        "id system_type name type",
        "venue_id description amount position created_at updated_at deleted_at pivot",
    ),
    "receipts": Shape(
        "id cid venue_id customer_id sale_type_id source guests status order_status order_number "
        "lock total subtotal discount_type discount_value discount_rate total_discount "
        "service_charge service_charge_value delivery_fee remaining i_tax e_tax total_tax "
        "payment_methods fiscal_id loyalty_type loyalty_value address description created_at "
        "updated_at closed_at shift_date",
        "user_id open_by_user_id close_by_user_id courier_id seller_id terminal_id "
        "closed_terminal_id service_notification_id table_id hall_id inventory_status "
        "report_status suspicion local_status customer_discount_type gift_count is_returns printed "
        "original_subtotal gift_total by_cash by_card rps_discount totalCost cash_shift_cid "
        "terminal_version terminal_updated_at deleted_at meta properties",
        relations={"receipt_products": "receipt_products"},
        maps="properties",
    ),
    "receipt_products": Shape(
        "id cid product_id count portion_size total price subtotal is_gift discount_type "
        "discount_value discount_rate total_discount receipt_discount loyalty_type loyalty_value "
        "meta created_at updated_at",
        "receipt_id product_hash preprint_count station_printed_count station_aborted_count "
        "seller_id cost receipt_product_modificators taxes terminal_updated_at deleted_at",
        relations={"modificators": "receipt_modificators", "product": "products"},
        nested={"meta": "line_meta"},
    ),
    "line_meta": Shape(
        "product",
        "originalPrice total_gift discountedPrice terminal_updated_at",
        nested={"product": "line_meta_product"},
    ),
    "line_meta_product": Shape(
        "name type price barcode",
        "giftable modifier_name discountable sold_by_weight priceWithoutTaxes taxes station",
    ),
    "receipt_modificators": Shape(anything=True, relations={"modificator_group": "anything"}),
    "stock_operations": Shape(
        "id receipt_id receipt_product_id product_id stock_id storage_id quantity before_quantity "
        "after_quantity cost before_cost total_cost operated_at product stock"
    ),
    "orders": Shape(
        "id venue_id type integration integration_uuid integration_id customer_ref_id "
        "integration_status status payload integration_response created_at updated_at",
        "receive_user_id receive_terminal_id customer_id receipt_id payment_status properties "
        "payment_method_id",
        relations={"receipt": "receipts", "customer": "customers"},
        nested={"payload": "payload"},
    ),
    "payload": Shape(
        "auto_order_accept auto_order_sent_to_station delivery_fee service customer products meta "
        "customer_id sale_type_id",
        "payload_updated_at",
        nested={
            "service": "payload_service",
            "products": "payload_products",
            "meta": "payload_meta",
        },
    ),
    "payload_service": Shape("sale_type_id venue_id", "sale_type_name venue_name"),
    "payload_meta": Shape(
        "comment discount apply_service_charge customer_discount_type service_charge_value",
        "orderTotal",
    ),
    "payload_products": Shape(
        "product_id count product_modificators portion_size meta",
        nested={"meta": "payload_product_meta"},
    ),
    "payload_product_meta": Shape("price order_product", nested={"order_product": "order_product"}),
    "order_product": Shape(
        "count status product_modificators product_hash product",
        nested={"product": "order_product_product"},
        maps="product",
    ),
    "order_product_product": Shape("id name price", "category_id station_id"),
}


def wanted(asked: Iterable[str], allowed: Iterable[str]) -> Wanted:
    """Return the tree of the relations asked for, without those the endpoint does not know.

    Asking for ``a.b`` includes ``a``. Columns after a colon belong to the last name of the path.
    """
    known = {".".join(path[: n + 1]) for path in _paths(allowed) for n in range(len(path))}
    root = Wanted()
    for text in asked:
        path, _, columns = text.partition(":")
        if path not in known:
            continue
        node = root
        for name in path.split("."):
            node = node.children.setdefault(name, Wanted())
        if columns:
            node.columns = tuple(name.strip() for name in columns.split(","))
    return root if root.children else NOTHING


def _paths(dotted: Iterable[str]) -> list[list[str]]:
    return [path.split(".") for path in dotted]


def projection(
    name: str, want: Wanted = NOTHING, *, fidelity: Container[str] = frozenset()
) -> Project:
    """Return a function that cuts a full row down to the fields of this shape.

    ``fidelity`` holds the names of the switches that are on.
    """
    return _Compiler(fidelity).compile(name, want)


def parts(name: str, want: Wanted, fidelity: Container[str]) -> frozenset[str] | None:
    """Return the optional parts of a receipt or order that a projection may read; None is all."""
    if name not in ("receipts", "orders") or _chooses_columns(want):
        return None
    found = {"legacy"} if "legacy_fields" in fidelity else set()
    for child, below in want.children.items():
        found.add(child)
        found |= {f"{child}.{grandchild}" for grandchild in below.children}
    return frozenset(found)


def _chooses_columns(want: Wanted) -> bool:
    return want.columns is not None or any(map(_chooses_columns, want.children.values()))


class _Compiler:
    """Builds projections once per request; the memo is what lets a category hold categories."""

    def __init__(self, fidelity: Container[str]) -> None:
        self._legacy = "legacy_fields" in fidelity
        self._flat_recipe = "flat_recipe" in fidelity
        self._empty: Any = [] if "empty_maps_as_lists" in fidelity else {}
        self._memo: dict[tuple[str, int], Project] = {}

    def compile(self, name: str, want: Wanted) -> Project:
        key = (name, id(want))
        if key not in self._memo:
            # Recursion ends here: while this shape is being built, its own name resolves late.
            self._memo[key] = lambda row: self._memo[key](row)
            self._memo[key] = self._build(name, want)
        return self._memo[key]

    def _build(self, name: str, want: Wanted) -> Project:
        shape = SHAPES[name]
        if name == "recipe" and self._flat_recipe:
            return _flat_ingredient
        deep = {
            name: self.compile(shape.relations[name], child)
            for name, child in want.children.items()
            if name in shape.relations
        }
        if shape.anything:
            return _open_projection(frozenset(shape.relations), deep)
        fields = [*shape.v2.split(), *(shape.legacy.split() if self._legacy else ())]
        if want.columns is not None:
            fields = [name for name in _every_field(shape) if name in want.columns]
        for name in fields:
            if name in shape.nested and name not in deep:
                deep[name] = self.compile(shape.nested[name], want.children.get(name, NOTHING))
        project = _closed_projection(tuple(name for name in fields if name not in deep), deep)
        maps = tuple(name for name in shape.maps.split() if name in fields)
        return _with_maps(project, maps, self._empty) if maps else project


def _every_field(shape: Shape) -> list[str]:
    # Choosing columns reaches legacy ones too: the documented example picks one of them.
    return [*shape.v2.split(), *shape.legacy.split()]


def _flat_ingredient(row: Row) -> Row:
    pivot = row.get("pivot") or row
    return {
        "ingredient_id": pivot["ingredient_id"],
        "name": row["name"],
        "gross": pivot["gross"],
        "net": pivot["net"],
    }


def _with_maps(project: Project, maps: tuple[str, ...], empty: Any) -> Project:
    def project_maps(row: Row) -> Row:
        cut = project(row)
        for name in maps:
            if name in cut and cut[name] in ([], {}):
                cut[name] = empty
        return cut

    return project_maps


def _closed_projection(plain: tuple[str, ...], deep: dict[str, Project]) -> Project:
    whole = (*plain, *deep)

    def project(row: Row) -> Row:
        # Receipts are mostly made with nothing to cut off, and copying is many times quicker.
        if tuple(row) == whole:
            cut = row.copy()
        else:
            cut = {name: row[name] for name in whole if name in row}
        _cut_inside(cut, deep)
        return cut

    return project


def _open_projection(relations: frozenset[str], deep: dict[str, Project]) -> Project:
    def project(row: Row) -> Row:
        cut = {name: value for name, value in row.items() if name not in relations}
        cut |= {name: row[name] for name in deep if name in row}
        _cut_inside(cut, deep)
        return cut

    return project


def _cut_inside(cut: Row, deep: dict[str, Project]) -> None:
    # PHP's empty map is a list, and a relation may be null: both go out as they are.
    for name, project in deep.items():
        value = cut.get(name)
        if isinstance(value, dict):
            cut[name] = project(value)
        elif isinstance(value, list):
            cut[name] = [project(item) if isinstance(item, dict) else item for item in value]
