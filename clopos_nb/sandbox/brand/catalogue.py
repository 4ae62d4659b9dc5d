"""The menu as the API serves it, and as the till uses it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zlib import crc32

from clopos_nb.sandbox.brand import menu
from clopos_nb.sandbox.brand.money import half_up, money
from clopos_nb.sandbox.brand.products import (
    ABSENT_IN_VARIANTS,
    EXCLUSIVE_CATEGORY,
    Row,
    bare,
    product_row,
    slug,
)
from clopos_nb.sandbox.brand.settings import category_trees, price_rows, station_rows
from clopos_nb.sandbox.brand.stamps import Keys, founding, iso
from clopos_nb.sandbox.brand.venues import APP, DELIVERY


@dataclass(frozen=True, slots=True)
class Modificator:
    """An add-on as the till knows it."""

    id: int
    name: str
    price: int
    group_id: int
    group_name: str
    ingredient_id: int | None
    amount: int


@dataclass(frozen=True, slots=True, eq=False)
class Item:
    """Something that can stand on a receipt line, with its served row.

    ``recipe`` pairs ingredient ids with thousandths; ``groups`` pairs "one option only" with the
    options.
    """

    row: Row
    category: str
    price: int
    cost: int
    appeal: int
    groups: tuple[tuple[bool, tuple[Modificator, ...]], ...] = ()
    recipe: tuple[tuple[int, int], ...] = ()
    halves: bool = False
    special_prices: Mapping[int, int] = field(default_factory=dict)
    id: int = field(init=False)
    """Product id, of the variant where there is one."""
    exclusive_tax: bool = field(init=False)
    """Whether the tax comes on top of the price."""
    discountable: bool = field(init=False)
    by_weight: bool = field(init=False)
    by_hour: bool = field(init=False)
    snapshot: Row = field(init=False)
    """What a receipt line remembers of the product."""

    def __post_init__(self) -> None:
        """Read from the row, once, what the till asks for at every sale."""
        read = {
            "id": self.row["id"],
            "exclusive_tax": self.category == EXCLUSIVE_CATEGORY,
            "discountable": self.row["discountable"],
            "by_weight": self.row["sold_by_weight"],
            "by_hour": self.row["type"] == "TIMER",
            "snapshot": {
                "name": self.row["full_name"],
                "type": self.row["type"],
                "price": self.row["price"],
                "barcode": self.row["barcode"],
            },
        }
        for name, value in read.items():
            object.__setattr__(self, name, value)

    def price_for(self, sale_type_id: int) -> int:
        """Return the price on a sale type's price list, or the menu price."""
        return self.special_prices.get(sale_type_id, self.price)


class Catalogue:
    """Every product of the brand, built once; the same menu hangs in all venues.

    Attributes
    ----------
    products : list of dict
        Rows of ``/products``: variants only inside their parents.
    items : list of Item
        What can be sold, variants instead of their parents.
    by_id : dict
        Every row by id, variants too.
    costs : dict
        Qəpik a unit, by product id, of all that is kept in stock.
    """

    def __init__(self, seed: int) -> None:
        self._keys = Keys(seed, "product")
        self._last_id = 40
        self.categories, self._categories = category_trees()
        self.stations = station_rows()
        self._stations = {row["id"]: row for row in self.stations}
        self.products: list[Row] = []
        self.items: list[Item] = []
        self.by_id: dict[int, Row] = {}
        self.costs: dict[int, int] = {}
        self._ids: dict[str, int] = {}
        self._add_ingredients()
        self._modificators = dict(self._make_modificators())
        for dish in menu.DISHES:
            self._add_dish(dish)
        for goods in menu.GOODS:
            self._add_goods(goods)
        self._add_timer()
        self._nested = {number: bare(row) for number, row in self.by_id.items()}
        special = [(item.id, item.special_prices) for item in self.items]
        self.price_lists, self.prices = price_rows(special, self._nested)

    def nested(self, product_id: int) -> Row:
        """Return a fresh product as it nests in a receipt line: with unit and station only."""
        row = self.by_id[product_id]
        made = self._nested[product_id].copy()
        made["venues"], made["media"] = [], []
        made["unit"] = row["unit"].copy()
        for key in ("meta", "station"):
            made[key] = row[key].copy() if row[key] else None
        return made

    def _row(
        self,
        name: str,
        kind: str,
        category: str,
        price: int,
        cost: int,
        unit: str,
        names: tuple[str, str] | None = None,
    ) -> Row:
        # Real ids have holes where products were deleted.
        self._last_id += 1 + crc32(name.encode()) % 4
        number = self._last_id
        cid = self._keys.cid(number) if number % 2 else None
        row = product_row(
            number, name, kind, category, price=price, cost=cost, unit=unit, names=names, cid=cid
        )
        own = self._categories[category]
        row["category_id"] = own["id"]
        row["category"] = {key: value for key, value in own.items() if key != "children"}
        row["category"]["children"] = []
        row["station"] = self._stations.get(row["station_id"])
        if price:
            kitchen = menu.CATEGORIES[category][2] == "metbex"
            accounting = "gelir_metbex" if kitchen else "gelir_bar"
            row["accounting_category_id"] = self._categories[accounting]["id"]
        self.by_id[number] = row
        return row

    def _add_ingredients(self) -> None:
        for key, thing in menu.INGREDIENTS.items():
            row = self._row(thing.name, "INGREDIENT", thing.category, 0, thing.cost, thing.unit)
            if thing.package:
                name, equal = thing.package
                row["packages"] = [{"id": row["id"] + 7000, "name": name, "equal": equal}]
            self._keep(key, row, thing.cost)
        for key, (name, unit, recipe) in menu.PREPARATIONS.items():
            cost = self._cost(recipe)
            row = self._row(name, "PREPARATION", "yarim", 0, cost, unit)
            row["recipe"] = self._recipe(row["id"], recipe)
            self._keep(key, row, cost)

    def _keep(self, key: str, row: Row, cost: int) -> None:
        self._ids[key] = row["id"]
        self.costs[row["id"]] = cost
        self.products.append(row)

    def _cost(self, recipe: Mapping[str, int]) -> int:
        return half_up(sum(self.costs[self._ids[k]] * milli for k, milli in recipe.items()), 1000)

    def _recipe(self, dish_id: int, recipe: Mapping[str, int]) -> list[Row]:
        rows = []
        for key, milli in recipe.items():
            ingredient = self.by_id[self._ids[key]]
            amount = f"{milli // 1000}.{milli % 1000:03d}"
            pivot = {
                "dish_id": dish_id,
                "ingredient_id": ingredient["id"],
                "net": amount,
                "gross": amount,
                "net_put": None,
            }
            rows.append({**bare(ingredient), "pivot": pivot, "unit": ingredient["unit"]})
        return rows

    def _make_modificators(self) -> list[tuple[str, tuple[Modificator, ...]]]:
        made = []
        last = 180
        for number, (key, group) in enumerate(menu.GROUPS.items()):
            options = []
            for option in group.options:
                last += 1 + crc32(option.name.encode()) % 3
                ingredient = self._ids[option.ingredient] if option.ingredient else None
                options.append(
                    Modificator(
                        last,
                        option.name,
                        option.price,
                        5 + 3 * number,
                        group.name,
                        ingredient,
                        option.amount,
                    )
                )
            made.append((key, tuple(options)))
        return made

    def _group_row(self, product_id: int, key: str) -> Row:
        group, options = menu.GROUPS[key], self._modificators[key]
        created = iso(*founding(key))
        return {
            "id": options[0].group_id,
            "name": group.name,
            "type": int(group.single),
            "min_select": 0,
            "max_select": 1 if group.single else len(options),
            "modificators": [self._modificator_row(i, mod) for i, mod in enumerate(options)],
            "meta": None,
            "status": True,
            "adjust_to_portion": False,
            "pivot": {"product_id": product_id, "modificator_group_id": options[0].group_id},
            "created_at": created,
            "updated_at": created,
            "deleted_at": None,
        }

    def _modificator_row(self, position: int, mod: Modificator) -> Row:
        ingredient, cost = None, 0
        if mod.ingredient_id is not None:
            row = self.by_id[mod.ingredient_id]
            ingredient = {**bare(row), "unit": row["unit"]}
            cost = half_up(self.costs[mod.ingredient_id] * mod.amount, 1000)
        created = iso(*founding(mod.name))
        return {
            "id": mod.id,
            "name": mod.name,
            "price": money(mod.price),
            "ingredient": ingredient,
            "dish_id": 0,
            "ingredient_id": mod.ingredient_id,
            "group_id": mod.group_id,
            "image": None,
            "cost_price": money(cost),
            "brutto": mod.amount / 1000,
            "default_count": 0,
            "min_count": 0,
            "max_count": 1,
            "meta": None,
            "status": True,
            "position": position,
            "media": [],
            "created_at": created,
            "updated_at": created,
            "deleted_at": None,
        }

    def _add_dish(self, dish: menu.Dish) -> None:
        cost = self._cost(dish.recipe)
        row = self._row(dish.name, "DISH", dish.category, dish.price, cost, "ədəd", dish.names)
        row["cooking_time"] = dish.minutes
        row["recipe"] = self._recipe(row["id"], dish.recipe)
        row["modificator_groups"] = [self._group_row(row["id"], key) for key in dish.groups]
        row["meta"]["modifier_pos"] = {
            str(self._modificators[key][0].group_id): i for i, key in enumerate(dish.groups)
        } or []
        self.products.append(row)
        item = Item(
            row,
            dish.category,
            dish.price,
            cost,
            dish.appeal,
            groups=tuple((menu.GROUPS[k].single, self._modificators[k]) for k in dish.groups),
            recipe=tuple((self._ids[key], milli) for key, milli in dish.recipe.items()),
            halves=dish.halves,
            special_prices=_special_prices(dish.category, dish.price),
        )
        self.items.append(item)

    def _add_goods(self, goods: menu.Goods) -> None:
        unit = "kq" if goods.by_weight else "ədəd"
        row = self._row(
            goods.name, "GOODS", goods.category, goods.price, goods.cost, unit, goods.names
        )
        row["sold_by_weight"] = goods.by_weight
        row["discountable"] = goods.discountable
        row["has_modifications"] = row["is_inventory_behavior_changeable"] = bool(goods.variants)
        self.products.append(row)
        if not goods.variants:
            self._sell(Item(row, goods.category, goods.price, goods.cost, goods.appeal))
        for position, (name, price, cost) in enumerate(goods.variants):
            variant = self._variant(row, goods, name, price, cost)
            variant["position"] = position
            nested = {k: v for k, v in variant.items() if k not in ABSENT_IN_VARIANTS}
            row["modifications"].append(nested)
            appeal = max(1, goods.appeal // len(goods.variants))
            self._sell(Item(variant, goods.category, price, cost, appeal))

    def _variant(self, parent: Row, goods: menu.Goods, name: str, price: int, cost: int) -> Row:
        full = f"{goods.name} {name}"
        variant = self._row(full, "MODIFICATION", goods.category, price, cost, "ədəd")
        variant.update(
            parent_id=parent["id"],
            name=name,
            parent_name=goods.name,
            name_slug=slug(name).replace("-", " "),
            slug=slug(name),
        )
        return variant

    def _sell(self, item: Item) -> None:
        self.costs[item.id] = item.cost
        self.items.append(item)

    def _add_timer(self) -> None:
        name, category, price, appeal = menu.TIMER
        row = self._row(name, "TIMER", category, price, 0, "saat")
        row["setting"] = {
            "interval": 60,
            "prices": [{"price": 3, "from": 120}],
            "calculation_methods": 0,
        }
        self.products.append(row)
        self.items.append(Item(row, category, price, 0, appeal))


def _special_prices(category: str, price: int) -> dict[int, int]:
    if category not in ("plov", "kabab", "qazan"):
        return {}
    # A tenth more for delivery, a fifth more in the app, to full 10 qəpik.
    return {DELIVERY: half_up(price * 110, 1000) * 10, APP: half_up(price * 120, 1000) * 10}
