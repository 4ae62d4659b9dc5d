"""What a venue has in storage, and what moved it."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property

from clopos_nb.sandbox.books.inventory.office import OPENED, Office, added_up, milli, minor
from clopos_nb.sandbox.books.inventory.operations import PUBLISHED, Operations
from clopos_nb.sandbox.brand.money import half_up, money, quantity
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.stamps import iso


class Stock:
    """The one storage of a venue, its stock, and every deduction from it."""

    def __init__(self, office: Office, supplies: Operations) -> None:
        self._office = office
        self._supplies = supplies

    def storages(self) -> list[Row]:
        """Return the storage."""
        return [
            {
                **self._office.storage,
                "venue_id": self._office.venue.id,
                "is_default": True,
                "status": True,
                "created_at": iso(OPENED, 40_000),
                "updated_at": iso(OPENED, 40_000),
            }
        ]

    @cached_property
    def rows(self) -> list[Row]:
        """What there is of each product; of sold ones, what the last receipt left."""
        left = {row["product_id"]: row["after_quantity"] for row in reversed(self.deductions)}
        chance = self._office.chance("stock")
        made = []
        for number, cost in self._office.catalogue.costs.items():
            product, plenty = self._office.catalogue.by_id[number], chance.randrange(2, 200)
            made.append(
                {
                    "id": self._office.venue.id * 10_000 + number,
                    "product_id": number,
                    "storage_id": self._office.venue.storage_id,
                    "quantity": left.get(number, plenty),
                    "reserved": 0,
                    "cost": money(cost),
                    "low_stock": product["low_stock"],
                    "product": self._office.product(number),
                    "storage": self._office.storage,
                }
            )
        return made

    def total(self) -> list[Row]:
        """Return what the stock is worth."""
        stock = self.rows
        worth = sum(milli(row["quantity"]) * minor(row["cost"]) for row in stock)
        return [{"products": len(stock), "total_cost": money(half_up(worth, 1000))}]

    def by_product(self) -> list[Row]:
        """Return the stock of each product."""
        kept = ("id", "product_id", "quantity", "reserved", "cost", "product")
        return [
            {**{name: row[name] for name in kept}, "id": row["product_id"]} for row in self.rows
        ]

    def by_category(self) -> list[Row]:
        """Return the stock of each category."""
        groups: dict[int, list[Row]] = defaultdict(list)
        for row in self.rows:
            groups[self._office.catalogue.by_id[row["product_id"]]["category_id"]].append(row)
        return [
            {
                "id": number,
                "category_id": number,
                "products": len(inside),
                "quantity": quantity(sum(milli(row["quantity"]) for row in inside)),
            }
            for number, inside in sorted(groups.items())
        ]

    def info(self) -> list[Row]:
        """Return how much is low."""
        low = sum(row["quantity"] < row["low_stock"] for row in self.rows)
        return [{"storages": 1, "products": len(self.rows), "low_stock": low}]

    @cached_property
    def deductions(self) -> list[Row]:
        """Newest receipts first, as their own endpoint shows them."""
        return [
            {**row, "operation_id": None}
            for receipt in self._office.receipts
            for row in self._office.brand.stock_operations_of(receipt)
        ]

    def operations(self) -> list[Row]:
        """Return the deductions of receipts, then the items of published operations."""
        made = self.deductions.copy()
        published = {row["id"]: row for row in self._supplies.rows if row["status"] == PUBLISHED}
        for item in self._supplies.items:
            operation = published.get(item["operation_id"])
            if operation is None:
                continue
            stock = self._office.venue.id * 10_000 + item["product_id"]
            made.append(
                {
                    **item,
                    "receipt_id": None,
                    "receipt_product_id": None,
                    "stock_id": stock,
                    "storage_id": self._office.venue.storage_id,
                    "before_cost": item["cost"],
                    "operated_at": operation["operated_at"],
                    "stock": {"id": stock, "storage": self._office.storage},
                }
            )
        return made

    def operation_products(self) -> list[Row]:
        """Return what ``operations`` moved of each product."""
        made: dict[int, Row] = {}
        for row in self.operations():
            number = row["product_id"]
            found = made.setdefault(
                number,
                {
                    "id": number,
                    "product_id": number,
                    "quantity": 0,
                    "total_cost": 0,
                    "operations": 0,
                    "product": row["product"],
                },
            )
            found["quantity"] += milli(row["quantity"])
            found["total_cost"] += minor(row["total_cost"])
            found["operations"] += 1
        return [
            {
                **row,
                "quantity": quantity(row["quantity"]),
                "total_cost": money(row["total_cost"]),
            }
            for _, row in sorted(made.items())
        ]

    def operation_total(self) -> list[Row]:
        """Return the sum of ``operations``."""
        found = self.operations()
        return [{"operations": len(found), "total_cost": added_up(found, "total_cost")}]
