"""Paging over days: the receipts or orders of one venue in order of creation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clopos_nb.sandbox.brand.columns import Columns, joined
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.served import Parts
from clopos_nb.sandbox.brand.tally import Index, Tally


class Rows(Protocol):
    """Makes what a log hands out."""

    names: tuple[str, ...]

    def row(self, day: int, rank: int, parts: Parts) -> Row:
        """Return the row of a shift day (counted from the first) and rank."""
        ...

    def columns(self, day: int) -> Columns:
        """Return the columns of a shift day."""
        ...


class Log:
    """The receipts or orders of one venue, made day by day as they are asked for.

    Positions count its rows from 0 in order of ``(created_at, id)``.

    Parameters
    ----------
    tally : Tally
        Ids of the whole brand.
    index : Index
        Positions of this venue's rows.
    venue_id : int
        Whose rows.
    rows : Rows
        Makes them.
    number : callable
        Finds the id in a ``cid``, or None.
    """

    changes = 0
    """How often a row came, went or changed: never, here."""

    def __init__(
        self,
        tally: Tally,
        index: Index,
        venue_id: int,
        rows: Rows,
        number: Callable[[str], int | None],
    ) -> None:
        self._tally = tally
        self._index = index
        self._venue_id = venue_id
        self._rows = rows
        self.number = number
        self._near = 0, 0, 0

    def __len__(self) -> int:
        return self.bounds(None, None)[1]

    def total(self, first: date | None, last: date | None) -> int:
        """Return how many rows were created from ``first`` to ``last``, both inclusive."""
        low, high = self.bounds(first, last)
        return high - low

    def page(
        self,
        first: date | None,
        last: date | None,
        offset: int,
        limit: int,
        *,
        descending: bool = False,
        parts: Parts = None,
    ) -> list[Row]:
        """Return rows ``offset`` to ``offset + limit`` of the range by ``(created_at, id)``.

        Only the days that the page touches are made, and only the ``parts`` asked for.
        """
        positions = window(*self.bounds(first, last), offset, limit, descending=descending)
        return [self.at(position, parts) for position in positions]

    def page_ids(
        self,
        first: date | None,
        last: date | None,
        offset: int,
        limit: int,
        *,
        descending: bool = False,
        by: str = "created_at",
    ) -> list[int]:
        """Return the ids of ``page``, without making anything; by id is the same order."""
        positions = window(*self.bounds(first, last), offset, limit, descending=descending)
        return self.ids_at(np.array(positions, dtype=np.int64)) if positions else []

    def scan(self, first: date | None, last: date | None) -> Iterator[Row]:
        """Yield every row of the range, oldest first, a day at a time."""
        return map(self.at, range(*self.bounds(first, last)))

    def get(self, id: int, parts: Parts = None) -> Row | None:
        """Return the row with this id, or None when this venue has none."""
        place = self.place(id)
        return None if place is None else self._rows.row(*place, parts)

    def get_by_cid(self, cid: str) -> Row | None:
        """Return the receipt with this UUID, or None; orders have none."""
        number = self.number(cid)
        return None if number is None else self.get(number)

    def version(self, id: int) -> int:
        """Return how often a row was changed: never, here."""
        return 0

    def columns(self, first: date | None, last: date | None) -> dict[str, NDArray[Any]]:
        """Return what sorting and filtering need of the range, oldest first."""
        return self.columns_at(*self.bounds(first, last))

    def columns_at(self, low: int, high: int) -> dict[str, NDArray[Any]]:
        """Return the columns of a range of positions."""
        parts = [{name: column[:0] for name, column in self._rows.columns(0).items()}]
        day = self._index.day_of(low) if low < high else 0
        while low < high:
            start, size = self._index.start(day), self._index.size(day)
            if size:
                ranks = slice(low - start, min(high - start, size))
                found = self._rows.columns(day)
                parts.append({name: column[ranks] for name, column in found.items()})
            low, day = max(low, start + size), day + 1
        return joined(parts, self._rows.names)

    def bounds(self, first: date | None, last: date | None) -> tuple[int, int]:
        """Return the half-open range of positions created on these calendar days."""
        return self._index.bounds(first, last)

    def place(self, id: int) -> tuple[int, int] | None:
        """Return the shift day and rank of an id, or None when this venue has no such row."""
        low, high, day = self._near
        if low <= id < high:
            return day, id - low
        place = self._tally.place(id)
        if place is None or place.venue_id != self._venue_id:
            return None
        low, size = id - place.rank, self._index.size(place.day)
        # Who asks for one row mostly asks for its neighbours next.
        self._near = low, low + size, place.day
        return (place.day, place.rank) if place.rank < size else None

    def position(self, id: int) -> int:
        """Return the position of an id that exists."""
        place = self.place(id)
        if place is None:
            raise KeyError(id)
        return self._index.start(place[0]) + place[1]

    def at(self, position: int, parts: Parts = None) -> Row:
        """Return the row at a position."""
        day = self._index.day_of(position)
        return self._rows.row(day, position - self._index.start(day), parts)

    def ids_at(self, positions: NDArray[np.int64]) -> list[int]:
        """Return the ids at these positions."""
        days, ranks = self._index.places(positions)
        found: list[int] = (self._tally.first_ids(self._venue_id, days) + ranks).tolist()
        return found


def window(low: int, high: int, offset: int, limit: int, *, descending: bool) -> range:
    """Return the numbers of one page of the half-open range from ``low`` to ``high``."""
    if descending:
        return range(high - 1 - offset, max(high - 1 - offset - limit, low - 1), -1)
    return range(low + offset, min(low + offset + limit, high))
