"""Inventory and finance rows, whose fields the API publishes nowhere.

Names that the reference mentions are kept, enumerations are its own, and whatever follows from
receipts does so: deductions, payments, cash shifts and taxes are those of the newest receipts. The
rest is plausible and plainly marked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from functools import cached_property
from random import Random
from typing import Any, Protocol

from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.brand.ledger import Ledger
from clopos_nb.sandbox.brand.money import half_up, money, quantity
from clopos_nb.sandbox.brand.products import EXCLUSIVE_TAX, INCLUDED_TAX, Row
from clopos_nb.sandbox.brand.settings import METHOD_NAMES
from clopos_nb.sandbox.brand.stamps import iso, local
from clopos_nb.sandbox.brand.stock import STORAGE
from clopos_nb.sandbox.brand.till import Receipt

MARK = "invented shape"
RECENT = 60
"""How many of the newest receipts have their stock operations and payments listed."""
SHIFTS = 3
"""How many business days have a cash shift."""
OPERATION_TYPES = {
    1: "IN",
    3: "TRANSFER",
    4: "WASTE",
    5: "RETURN",
    7: "MAKE",
    9: "INVENTORY_CHECK",
    10: "SUPPLY_RETURN",
    11: "INITIAL_STOCK",
}
PUBLISHED, DRAFT = 1, 2
_STATUSES = {PUBLISHED: "Published", DRAFT: "Draft"}
_TAKES = (4, 10)
_SUPPLIERS = ("Nümunə Ət", "Sınaq Tərəvəz", "Misal Süd", "Uydurma İçki")
_CATEGORIES = ("Satış", "Təchizat", "Əmək haqqı", "Kommunal", "İcarə")
_OPERATIONS = 24


class Source(Protocol):
    """What is asked of the books."""

    def recent(self, venue_id: int, count: int) -> list[Receipt]:
        """Return the newest receipts of a venue, newest first."""
        ...

    def ledger(self, venue_id: int, first: date | None, last: date | None, *, day: str) -> Ledger:
        """Return the true figures of these days."""
        ...

    def rows(self, resource: str, venue_id: int) -> list[Row]:
        """Return all rows of a small resource."""
        ...


def rows(books: Source, brand: Brand, resource: str, venue_id: int) -> list[Row]:
    """Return the rows of one of ``RESOURCES``, every one marked."""
    made = _RESOURCES[resource](_Office(books, brand, venue_id))
    return [{**row, "_sandbox": MARK} for row in made]


class _Office:
    """Makes the rows of one venue; what several resources share is made once."""

    def __init__(self, books: Source, brand: Brand, venue_id: int) -> None:
        self._books = books
        self._brand = brand
        self._catalogue = brand.catalogue
        self._venue = brand.venue(venue_id)
        self._storage = {"id": self._venue.storage_id, "name": STORAGE}

    def _chance(self, what: str) -> Random:
        return Random(f"{self._brand.seed}:{self._venue.id}:{what}")

    @cached_property
    def _receipts(self) -> list[Receipt]:
        return self._books.recent(self._venue.id, RECENT)

    @cached_property
    def _last_day(self) -> date:
        return self._receipts[0].day if self._receipts else self._brand.now.date()

    def storages(self) -> list[Row]:
        return [
            {
                **self._storage,
                "venue_id": self._venue.id,
                "is_default": True,
                "status": True,
                "created_at": iso(date(2023, 4, 12), 40_000),
                "updated_at": iso(date(2023, 4, 12), 40_000),
            }
        ]

    @cached_property
    def stock_rows(self) -> list[Row]:
        left = {row["product_id"]: row["after_quantity"] for row in reversed(self.deductions)}
        chance = self._chance("stock")
        made = []
        for number, cost in self._catalogue.costs.items():
            product, plenty = self._catalogue.by_id[number], chance.randrange(2, 200)
            made.append(
                {
                    "id": self._venue.id * 10_000 + number,
                    "product_id": number,
                    "storage_id": self._venue.storage_id,
                    "quantity": left.get(number, plenty),
                    "reserved": 0,
                    "cost": money(cost),
                    "low_stock": product["low_stock"],
                    "product": self._product(number),
                    "storage": self._storage,
                }
            )
        return made

    def stock(self) -> list[Row]:
        return self.stock_rows

    def stock_total(self) -> list[Row]:
        stock = self.stock_rows
        worth = sum(_milli(row["quantity"]) * _minor(row["cost"]) for row in stock)
        return [{"products": len(stock), "total_cost": money(half_up(worth, 1000))}]

    def stock_product(self) -> list[Row]:
        kept = ("id", "product_id", "quantity", "reserved", "cost", "product")
        return [
            {**{name: row[name] for name in kept}, "id": row["product_id"]}
            for row in self.stock_rows
        ]

    def stock_product_group(self) -> list[Row]:
        groups: dict[int, list[Row]] = defaultdict(list)
        for row in self.stock_rows:
            groups[self._catalogue.by_id[row["product_id"]]["category_id"]].append(row)
        return [
            {
                "id": number,
                "category_id": number,
                "products": len(inside),
                "quantity": quantity(sum(_milli(row["quantity"]) for row in inside)),
            }
            for number, inside in sorted(groups.items())
        ]

    def stock_info(self) -> list[Row]:
        low = sum(row["quantity"] < row["low_stock"] for row in self.stock_rows)
        return [{"storages": 1, "products": len(self.stock_rows), "low_stock": low}]

    @cached_property
    def deductions(self) -> list[Row]:
        """Newest receipts first, as their own endpoint shows them."""
        return [
            {**row, "operation_id": None}
            for receipt in self._receipts
            for row in self._brand.stock_operations_of(receipt)
        ]

    def stock_operations(self) -> list[Row]:
        made = self.deductions.copy()
        published = {row["id"]: row for row in self.operations() if row["status"] == PUBLISHED}
        for item in self.items:
            operation = published.get(item["operation_id"])
            if operation is None:
                continue
            stock = self._venue.id * 10_000 + item["product_id"]
            made.append(
                {
                    **{name: item[name] for name in item if name != "type"},
                    "receipt_id": None,
                    "receipt_product_id": None,
                    "stock_id": stock,
                    "storage_id": self._venue.storage_id,
                    "before_cost": item["cost"],
                    "operated_at": operation["operated_at"],
                    "stock": {"id": stock, "storage": self._storage},
                }
            )
        return made

    def stock_operation_products(self) -> list[Row]:
        made: dict[int, Row] = {}
        for row in self.stock_operations():
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
            found["quantity"] += _milli(row["quantity"])
            found["total_cost"] += _minor(row["total_cost"])
            found["operations"] += 1
        return [
            {
                **row,
                "quantity": quantity(row["quantity"]),
                "total_cost": money(row["total_cost"]),
            }
            for _, row in sorted(made.items())
        ]

    def stock_operation_total(self) -> list[Row]:
        found = self.stock_operations()
        return [{"operations": len(found), "total_cost": _sum(found, "total_cost")}]

    def operations(self) -> list[Row]:
        chance = self._chance("operations")
        made = []
        for rank, kind in enumerate(self._kinds):
            day = self._brand.now.date() - timedelta(days=2 * (_OPERATIONS - rank))
            second = 32_400 + chance.randrange(7200)
            number = self._venue.id * 1000 + rank + 1
            mine = [item for item in self.items if item["operation_id"] == number]
            supplied = kind in (1, 10)
            made.append(
                {
                    "id": number,
                    "venue_id": self._venue.id,
                    "type": kind,
                    "status": DRAFT if rank >= _OPERATIONS - 2 else PUBLISHED,
                    "storage_id": self._venue.storage_id,
                    "supplier_id": self._supplier(rank) if supplied else None,
                    "total_cost": _sum(mine, "total_cost"),
                    "items_count": len(mine),
                    "description": None,
                    "operated_at": local(day, second),
                    "created_at": local(day, second),
                    "updated_at": local(day, second + 60),
                }
            )
        return made

    @cached_property
    def _kinds(self) -> list[int]:
        # The first stock of all came first; supplies are what mostly happens after.
        chance = self._chance("operation types")
        others = [kind for kind in OPERATION_TYPES if kind not in (1, 11)]
        later = range(_OPERATIONS - 1)
        return [11, *(1 if chance.random() < 0.5 else chance.choice(others) for _ in later)]

    @cached_property
    def items(self) -> list[Row]:
        chance = self._chance("operation items")
        kept = list(self._catalogue.costs)
        made = []
        for rank, kind in enumerate(self._kinds):
            operation = self._venue.id * 1000 + rank + 1
            for place, number in enumerate(chance.sample(kept, k=1 + chance.randrange(4))):
                before, moved = chance.randrange(20, 90) * 1000, chance.randrange(1, 20) * 1000
                after = before - moved if kind in _TAKES else before + moved
                cost = self._catalogue.costs[number]
                made.append(
                    {
                        "id": operation * 10 + place,
                        "operation_id": operation,
                        "product_id": number,
                        "quantity": quantity(moved),
                        "before_quantity": quantity(before),
                        "after_quantity": quantity(after),
                        "cost": money(cost),
                        "total_cost": money(half_up(moved * cost, 1000)),
                        "product": self._product(number),
                    }
                )
        return made

    def operation_items(self) -> list[Row]:
        return self.items

    def operation_statuses(self) -> list[Row]:
        return [{"id": number, "name": name} for number, name in _STATUSES.items()]

    def operation_total(self) -> list[Row]:
        found = self.operations()
        return [{"operations": len(found), "total_cost": _sum(found, "total_cost")}]

    def operation_item_total(self) -> list[Row]:
        return [{"items": len(self.items), "total_cost": _sum(self.items, "total_cost")}]

    def suppliers(self) -> list[Row]:
        published = [row for row in self.operations() if row["status"] == PUBLISHED]
        made = []
        for rank, name in enumerate(_SUPPLIERS):
            number = rank + 1
            bought = [row for row in published if row["supplier_id"] == number and row["type"] == 1]
            made.append(
                {
                    "id": number,
                    "name": name,
                    "phone": f"+9945000090{number:02d}",
                    "email": f"supplier{number}@example.com",
                    "spent": _sum(bought, "total_cost"),
                    "balance_id": 9000 + number,
                    "status": True,
                    "created_at": iso(date(2023, 4, 12), 50_000 + rank),
                    "updated_at": iso(date(2023, 4, 12), 50_000 + rank),
                }
            )
        return made

    def supplier_total(self) -> list[Row]:
        found = self.suppliers()
        return [{"suppliers": len(found), "spent": _sum(found, "spent")}]

    @cached_property
    def balances(self) -> list[Row]:
        methods = self._brand.rows("payment_methods", self._venue.id)
        made = []
        for method in methods:
            if method["balance"]:
                row = {name: v for name, v in method["balance"].items() if name != "pivot"}
                made.append({**row, "payment_method_id": method["id"]})
        return made

    def finance_balances(self) -> list[Row]:
        return self.balances

    def finance_balance_list(self) -> list[Row]:
        return [{name: row[name] for name in ("id", "name", "type")} for row in self.balances]

    def finance_balance_customer(self) -> list[Row]:
        customers = self._books.rows("customers", self._venue.id)
        return [{**row["balance"], "customer_id": row["id"]} for row in customers]

    def finance_balance_date_states(self) -> list[Row]:
        first = {row["balance_id"]: row["before_amount"] for row in self.transactions}
        return [
            {
                "id": row["id"],
                "balance_id": row["id"],
                "date": self._last_day.isoformat(),
                "before_amount": first.get(row["id"], row["amount"]),
                "after_amount": row["amount"],
            }
            for row in self.balances
        ]

    @cached_property
    def transactions(self) -> list[Row]:
        """Payments of the newest receipts, newest first; the last one left what is there now."""
        left = {row["payment_method_id"]: _minor(row["amount"]) for row in self.balances}
        ids = {row["payment_method_id"]: row["id"] for row in self.balances}
        made = []
        for receipt in self._receipts:
            for place, (method, amount) in enumerate(receipt.payments):
                if method not in ids:
                    continue
                after = left[method]
                left[method] = after - amount
                at = local(receipt.day, receipt.closed or receipt.created)
                made.append(
                    {
                        "id": receipt.id * 8 + place,
                        "balance_id": ids[method],
                        "category_id": 1,
                        "amount": money(amount),
                        "before_amount": money(after - amount),
                        "after_amount": money(after),
                        "receipt_id": receipt.id,
                        "operation_id": None,
                        "customer_id": receipt.customer_id,
                        "supplier_id": None,
                        "operated_at": at,
                        "created_at": at,
                        "updated_at": at,
                    }
                )
        return made

    def finance_transactions(self) -> list[Row]:
        return self.transactions

    def finance_categories(self) -> list[Row]:
        return [
            {"id": rank + 1, "name": name, "type": "INCOME" if rank == 0 else "EXPENSE"}
            for rank, name in enumerate(_CATEGORIES)
        ]

    def finance_taxes(self) -> list[Row]:
        taxes = {tax["id"]: tax for row in self._catalogue.by_id.values() for tax in row["taxes"]}
        return [tax for _, tax in sorted(taxes.items())]

    def finance_tax_types(self) -> list[Row]:
        types = {tax["type"]["id"]: tax["type"] for tax in self.finance_taxes()}
        return [kind for _, kind in sorted(types.items())]

    def finance_tax_report(self) -> list[Row]:
        included = sum(receipt.i_tax for receipt in self._receipts)
        exclusive = sum(receipt.e_tax for receipt in self._receipts)
        entries = ((1, INCLUDED_TAX, included), (4, EXCLUSIVE_TAX, exclusive))
        return [
            {"id": number, "tax_id": number, "rate": rate, "amount": money(amount)}
            for number, rate, amount in entries
        ]

    def finance_tax_total(self) -> list[Row]:
        found = self.finance_tax_report()
        return [{"receipts": len(self._receipts), "amount": _sum(found, "amount")}]

    @cached_property
    def _shifts(self) -> list[tuple[date, Ledger]]:
        days = [self._last_day - timedelta(days=n) for n in range(SHIFTS)]
        books = [
            (day, self._books.ledger(self._venue.id, day, day, day="shift_date")) for day in days
        ]
        return [(day, ledger) for day, ledger in books if ledger.receipts]

    def finance_cash_shifts(self) -> list[Row]:
        running = (self._brand.now - timedelta(hours=6)).date()
        return [
            {
                "id": self._brand.cash_shift_cid(self._venue.id, day),
                "venue_id": self._venue.id,
                "shift_date": day.isoformat(),
                "status": 1 if day >= running else 2,
                "opened_at": local(day, 7 * 3600),
                "closed_at": None if day >= running else local(day, 28 * 3600),
                "receipts": ledger.receipts,
                "total": float(ledger.total),
            }
            for day, ledger in self._shifts
        ]

    def finance_cash_shift_reports(self) -> list[Row]:
        numbers = {name: number for number, name in METHOD_NAMES.items()}
        return [
            {
                "id": self._brand.cash_shift_cid(self._venue.id, day),
                "shift_date": day.isoformat(),
                "receipts": ledger.receipts,
                "total": float(ledger.total),
                "paid": float(ledger.paid),
                "discount": float(ledger.discount),
                "tax": float(ledger.tax),
                "payment_methods": [
                    {"id": numbers[name], "name": name, "amount": float(amount)}
                    for name, amount in ledger.by_payment_method.items()
                ],
            }
            for day, ledger in self._shifts
        ]

    def _product(self, number: int) -> Row:
        return {"id": number, "name": self._catalogue.by_id[number]["full_name"]}

    def _supplier(self, rank: int) -> int:
        return 1 + rank % len(_SUPPLIERS)


def _milli(value: float) -> int:
    return round(value * 1000)


def _minor(value: float) -> int:
    return round(value * 100)


def _sum(rows: Sequence[Row], name: str) -> int | float:
    return money(sum(_minor(row[name]) for row in rows))


_RESOURCES: dict[str, Callable[[_Office], list[dict[str, Any]]]] = {
    "stock": _Office.stock,
    "stock_total": _Office.stock_total,
    "stock_product": _Office.stock_product,
    "stock_product_group": _Office.stock_product_group,
    "stock_info": _Office.stock_info,
    "stock_operations": _Office.stock_operations,
    "stock_operation_products": _Office.stock_operation_products,
    "stock_operation_total": _Office.stock_operation_total,
    "operations": _Office.operations,
    "operation_items": _Office.operation_items,
    "operation_statuses": _Office.operation_statuses,
    "operation_total": _Office.operation_total,
    "operation_item_total": _Office.operation_item_total,
    "storages": _Office.storages,
    "suppliers": _Office.suppliers,
    "supplier_total": _Office.supplier_total,
    "finance_balances": _Office.finance_balances,
    "finance_balance_list": _Office.finance_balance_list,
    "finance_balance_customer": _Office.finance_balance_customer,
    "finance_balance_date_states": _Office.finance_balance_date_states,
    "finance_balance_transactions": _Office.finance_transactions,
    "finance_cash_shifts": _Office.finance_cash_shifts,
    "finance_cash_shift_reports": _Office.finance_cash_shift_reports,
    "finance_categories": _Office.finance_categories,
    "finance_taxes": _Office.finance_taxes,
    "finance_tax_types": _Office.finance_tax_types,
    "finance_tax_report": _Office.finance_tax_report,
    "finance_tax_total": _Office.finance_tax_total,
    "finance_transactions": _Office.finance_transactions,
}
RESOURCES = frozenset(_RESOURCES)
