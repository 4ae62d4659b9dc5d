"""Customers of the brand, and those that were added through the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from clopos_nb.sandbox.books.errors import BooksError, Taken
from clopos_nb.sandbox.books.moments import Moment
from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.brand.products import Row, fresh
from clopos_nb.sandbox.brand.stamps import Keys, iso

GUEST = 0
"""The customer id that stands for somebody without an account."""

_UNIQUE = ("phone", "code", "cid")


class Customers:
    """The customers of a brand, and those that were added."""

    def __init__(self, brand: Brand) -> None:
        self._brand = brand
        self._added: list[Row] = []

    @property
    def added(self) -> int:
        """How many were added."""
        return len(self._added)

    def rows(self, venue_id: int) -> list[Row]:
        """Return all of them, fresh."""
        return [*self._brand.rows("customers", venue_id), *fresh(self._added)]

    def find(self, customer_id: int, venue_id: int) -> Row | None:
        """Return a customer, or None for ``GUEST``; raises ``BooksError`` for a stranger."""
        if customer_id == GUEST:
            return None
        found = next((row for row in self.rows(venue_id) if row["id"] == customer_id), None)
        if found is None:
            reason = "customer.id is not a customer of this brand"
            raise BooksError(reason, "customer")
        return found

    def add(self, fields: Mapping[str, Any], moment: Moment) -> Row:
        """Add a customer; raises ``Taken`` for a unique value that somebody has."""
        main = self._brand.venue_ids[0]
        rows = self.rows(fields.get("venue_id", main))
        _check_unique(fields, rows)
        number = max(row["id"] for row in rows) + 1
        groups = self._brand.rows("customer_groups", main)
        row = _customer_row(number, self._keys, groups, moment, fields)
        self._added.append(row)
        made: Row = fresh(row)
        return made

    @cached_property
    def _keys(self) -> Keys:
        return Keys(self._brand.seed, "customer")


def _check_unique(fields: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Raise ``Taken`` when a unique value is held by a row; null and empty are no values."""
    for name in _UNIQUE:
        value = fields.get(name)
        if value and any(_same(name, row[name], value) for row in rows):
            raise Taken(name)


def _same(name: str, held: str | None, value: str) -> bool:
    if held is None:
        return False
    return held.lower() == value.lower() if name == "cid" else held == value


def _customer_row(
    number: int,
    keys: Keys,
    groups: Sequence[Row],
    moment: Moment,
    fields: Mapping[str, Any],
) -> Row:
    """Return a new customer with the documented defaults and the group it was given."""
    group_id = fields.get("group_id") or 1
    group = next((row for row in groups if row["id"] == group_id), None)
    if group is None:
        reason = "group_id is not a group of this brand"
        raise BooksError(reason, "group_id")
    created = iso(*moment)
    balance = {
        "id": 2800 + number,
        "system_type": None,
        "venue_id": None,
        "name": "CUSTOMER:",
        "description": None,
        "type": "CUSTOMER",
        "amount": 0,
        "position": 0,
        "created_at": created,
        "updated_at": created,
        "deleted_at": None,
    }
    return {
        "id": number,
        "cid": (fields.get("cid") or keys.cid(number)).lower(),
        "venue_id": fields.get("venue_id", 1),
        "group_id": group_id,
        "name": fields["name"],
        "email": fields.get("email"),
        "phone": fields.get("phone"),
        "phones": [],
        "address": None,
        "address_data": [],
        "description": fields.get("description"),
        "discount": 0,
        "spent": 0,
        "total_discount": 0,
        "total_bonus": 0,
        "receipt_count": 0,
        "gender": fields.get("gender"),
        "date_of_birth": fields.get("date_of_birth"),
        "code": fields.get("code"),
        "source": None,
        "reference_id": None,
        "status": True,
        "can_use_loyalty_system": False,
        "is_verified": False,
        "created_at": created,
        "updated_at": created,
        "group": fresh(group),
        "balance_id": balance["id"],
        "bonus_balance_id": None,
        "cashback_balance_id": None,
        "addresses": [],
        "phone_verified_at": None,
        "deleted_at": None,
        "balance": balance,
        "cashback_balance": None,
    }
