"""Inventory operations and their items, and the suppliers they come from."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property

from clopos_nb.sandbox.books.inventory.office import OPENED, Office, added_up
from clopos_nb.sandbox.brand.money import half_up, money, quantity
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.stamps import iso, local

_TYPES = {
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
_OPERATIONS = 24


class Operations:
    """What came into a venue's storage and left it, apart from sales."""

    def __init__(self, office: Office) -> None:
        self._office = office

    @cached_property
    def _kinds(self) -> list[int]:
        # The first stock of all came first; supplies are what mostly happens after.
        chance = self._office.chance("operation types")
        others = [kind for kind in _TYPES if kind not in (1, 11)]
        later = range(_OPERATIONS - 1)
        return [11, *(1 if chance.random() < 0.5 else chance.choice(others) for _ in later)]

    @cached_property
    def rows(self) -> list[Row]:
        """Operations, oldest first; the newest are drafts."""
        chance = self._office.chance("operations")
        made = []
        for rank, kind in enumerate(self._kinds):
            day = self._office.brand.now.date() - timedelta(days=2 * (_OPERATIONS - rank))
            second = 32_400 + chance.randrange(7200)
            number = self._office.venue.id * 1000 + rank + 1
            mine = [item for item in self.items if item["operation_id"] == number]
            supplied = kind in (1, 10)
            made.append(
                {
                    "id": number,
                    "venue_id": self._office.venue.id,
                    "type": kind,
                    "status": DRAFT if rank >= _OPERATIONS - 2 else PUBLISHED,
                    "storage_id": self._office.venue.storage_id,
                    "supplier_id": 1 + rank % len(_SUPPLIERS) if supplied else None,
                    "total_cost": added_up(mine, "total_cost"),
                    "items_count": len(mine),
                    "description": None,
                    "operated_at": local(day, second),
                    "created_at": local(day, second),
                    "updated_at": local(day, second + 60),
                }
            )
        return made

    @cached_property
    def items(self) -> list[Row]:
        """What each operation moved."""
        chance = self._office.chance("operation items")
        kept = list(self._office.catalogue.costs)
        made = []
        for rank, kind in enumerate(self._kinds):
            operation = self._office.venue.id * 1000 + rank + 1
            for place, number in enumerate(chance.sample(kept, k=1 + chance.randrange(4))):
                before, moved = chance.randrange(20, 90) * 1000, chance.randrange(1, 20) * 1000
                after = before - moved if kind in _TAKES else before + moved
                cost = self._office.catalogue.costs[number]
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
                        "product": self._office.product(number),
                    }
                )
        return made

    def statuses(self) -> list[Row]:
        """Return the statuses there are."""
        return [{"id": number, "name": name} for number, name in _STATUSES.items()]

    def total(self) -> list[Row]:
        """Return the sum of all operations."""
        return [{"operations": len(self.rows), "total_cost": added_up(self.rows, "total_cost")}]

    def item_total(self) -> list[Row]:
        """Return the sum of all items."""
        return [{"items": len(self.items), "total_cost": added_up(self.items, "total_cost")}]

    def suppliers(self) -> list[Row]:
        """Return the suppliers, and what was bought from each."""
        published = [row for row in self.rows if row["status"] == PUBLISHED]
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
                    "spent": added_up(bought, "total_cost"),
                    "balance_id": 9000 + number,
                    "status": True,
                    "created_at": iso(OPENED, 50_000 + rank),
                    "updated_at": iso(OPENED, 50_000 + rank),
                }
            )
        return made

    def supplier_total(self) -> list[Row]:
        """Return the sum of all suppliers."""
        found = self.suppliers()
        return [{"suppliers": len(found), "spent": added_up(found, "spent")}]
