"""What the inventory and finance rows of a venue are made from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cached_property
from random import Random
from typing import Protocol

from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.brand.ledger import Ledger
from clopos_nb.sandbox.brand.money import money
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.stock import STORAGE
from clopos_nb.sandbox.brand.till import Receipt

RECENT = 60
"""How many of the newest receipts have their stock operations and payments listed."""
OPENED = date(2023, 4, 12)
"""When storages and suppliers were entered."""


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


class Office:
    """The back office of one venue: its newest receipts, its storage, and its own luck."""

    def __init__(self, books: Source, brand: Brand, venue_id: int) -> None:
        self.books = books
        self.brand = brand
        self.catalogue = brand.catalogue
        self.venue = brand.venue(venue_id)
        self.storage = {"id": self.venue.storage_id, "name": STORAGE}

    def chance(self, what: str) -> Random:
        """Return random numbers that are the same for the same rows of this venue."""
        return Random(f"{self.brand.seed}:{self.venue.id}:{what}")

    @cached_property
    def receipts(self) -> list[Receipt]:
        """The newest ones, newest first."""
        return self.books.recent(self.venue.id, RECENT)

    @cached_property
    def last_day(self) -> date:
        """The business day of the newest receipt."""
        return self.receipts[0].day if self.receipts else self.brand.now.date()

    def product(self, number: int) -> Row:
        """Return a product as other rows show it."""
        return {"id": number, "name": self.catalogue.by_id[number]["full_name"]}


def milli(value: float) -> int:
    """Return a row's quantity in thousandths."""
    return round(value * 1000)


def minor(value: float) -> int:
    """Return a row's amount in qəpik."""
    return round(value * 100)


def added_up(rows: Sequence[Row], name: str) -> int | float:
    """Return the sum of an amount over rows."""
    return money(sum(minor(row[name]) for row in rows))
