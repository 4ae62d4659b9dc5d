"""Paging over days: the receipts or orders of one venue in order of creation."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import date
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from clopos_nb.sandbox.brand.columns import Columns, joined
from clopos_nb.sandbox.brand.plan import REACH
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.served import Parts
from clopos_nb.sandbox.brand.tally import Index, Tally

MOMENTS = ("updated_at", "closed_at")
"""What rows are ordered by nearly as they are by creation; null comes first."""
Ranked = list[tuple[int, int]]
"""Moments (-1 for null) and ids, ascending."""

_SCANNED = 500


class Paged(ABC):
    """The totals, pages and scans of rows that have positions.

    Positions count the rows from 0 in order of ``(created_at, id)``. Days are inclusive, and open
    ended where None.
    """

    number: Callable[[str], int | None]
    """Finds the id in a ``cid``, or None."""
    _lock: AbstractContextManager[Any] = nullcontext()
    """Held from counting rows to naming them, where rows come and go."""

    @abstractmethod
    def bounds(self, first: date | None, last: date | None) -> tuple[int, int]:
        """Return the half-open range of positions created on these calendar days."""

    @abstractmethod
    def ids_at(self, positions: Sequence[int]) -> list[int]:
        """Return the ids at these positions."""

    @abstractmethod
    def get(self, id: int, parts: Parts = None) -> Row | None:
        """Return the row with this id, or None when this venue has none."""

    def ids_by_id(
        self, positions: Sequence[int], first: date | None, last: date | None
    ) -> list[int]:
        """Return the ids that these days' rows would have there, were they ordered by id."""
        return self.ids_at(positions)

    @abstractmethod
    def ids_by_moment(
        self, by: str, first: date | None, last: date | None, start: int, stop: int
    ) -> list[int]:
        """Return some ids of these days' rows in order of one of ``MOMENTS`` and id."""

    def __len__(self) -> int:
        return self.total(None, None)

    def total(self, first: date | None, last: date | None) -> int:
        """Return how many rows were created on these days."""
        with self._lock:
            low, high = self.bounds(first, last)
            return high - low

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
        """Return the ids of a page in order of ``created_at`` and id, or of another moment or id.

        No row is made for it, save for ``updated_at`` and ``closed_at``: those of the days around.
        """
        with self._lock:
            low, high = self.bounds(first, last)
            positions = range(low + offset, min(low + offset + limit, high))
            if descending:
                start = high - 1 - offset
                positions = range(start, max(start - limit, low - 1), -1)
            if by in MOMENTS and positions:
                ends = sorted((positions[0] - low, positions[-1] - low))
                found = self.ids_by_moment(by, first, last, ends[0], ends[1] + 1)
                return found[::-1] if descending else found
            if by == "id":
                return self.ids_by_id(positions, first, last)
            return self.ids_at(positions)

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
        """Return the rows of a page by ``(created_at, id)``, with only the ``parts`` asked for."""
        ids = self.page_ids(first, last, offset, limit, descending=descending)
        return [row for row in (self.get(id, parts) for id in ids) if row is not None]

    def scan(self, first: date | None, last: date | None) -> Iterator[Row]:
        """Yield every row of these days, oldest first, as they are when it comes to them."""
        offset = 0
        while rows := self.page(first, last, offset, _SCANNED):
            yield from rows
            offset += len(rows)

    def get_by_cid(self, cid: str) -> Row | None:
        """Return the receipt with this UUID, or None; orders have none."""
        number = self.number(cid)
        return None if number is None else self.get(number)


class Rows(Protocol):
    """Makes what a log hands out."""

    names: tuple[str, ...]

    def row(self, day: int, rank: int, parts: Parts) -> Row:
        """Return the row of a shift day (counted from the first) and rank."""
        ...

    def columns(self, day: int, names: Collection[str]) -> Columns:
        """Return the columns of a shift day, those of these names among them."""
        ...


class Log(Paged):
    """The receipts or orders of one venue, made day by day as they are asked for.

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

    def get(self, id: int, parts: Parts = None) -> Row | None:
        """Return the row with this id, or None when this venue has none."""
        place = self.place(id)
        return None if place is None else self._rows.row(*place, parts)

    def version(self, id: int) -> int:
        """Return how often a row was changed: never, here."""
        return 0

    def columns(
        self, first: date | None, last: date | None, names: Collection[str]
    ) -> dict[str, NDArray[Any]]:
        """Return what sorting and filtering need of the range, oldest first."""
        return self.columns_at(*self.bounds(first, last), names)

    def columns_at(self, low: int, high: int, names: Collection[str]) -> dict[str, NDArray[Any]]:
        """Return the same of a half-open range of positions."""
        kept = [name for name in self._rows.names if name in names]
        day = self._index.day_of(low) if low < high else 0
        parts = []
        while True:
            start, size = self._index.start(day), self._index.size(day)
            if size or low >= high:
                found = self._rows.columns(day, names)
                ranks = slice(low - start, max(low, min(high, start + size)) - start)
                parts.append({name: found[name][ranks] for name in kept})
            low, day = max(low, start + size), day + 1
            if low >= high:
                return joined(parts, kept)

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

    def ids_at(self, positions: Sequence[int]) -> list[int]:
        """Return the ids at these positions; no day is made for it."""
        days, ranks = self._index.places(np.array(positions, dtype=np.int64))
        found: list[int] = (self._tally.first_ids(self._venue_id, days) + ranks).tolist()
        return found

    def ids_by_moment(
        self, by: str, first: date | None, last: date | None, start: int, stop: int
    ) -> list[int]:
        """Return some ids of these days' rows in order of one of ``MOMENTS`` and id."""
        return [id for _, id in self.ranked(by, *self.bounds(first, last), start, stop)]

    def ranked(self, by: str, low: int, high: int, start: int, stop: int) -> Ranked:
        """Return the entries ``start`` to ``stop`` of a range of positions, ordered by a moment.

        A row of another shift is before or after those wanted as a whole, unless it is less than
        twice ``REACH`` days away: once for each of the two. So a few days are enough to order.
        """
        stop = min(stop, high - low)
        if start >= stop:
            return []
        # What has no moment yet is of the last days, and first in order.
        recent = max(low, self._index.start(max(0, self._index.days - REACH)))
        waiting = [pair for pair in self._moments(by, recent, high) if pair[0] < 0]
        after, before = max(0, start - len(waiting)), max(0, stop - len(waiting))
        first_day = self._index.day_of(low + after) - 2 * REACH
        last_day = self._index.day_of(min(high, low + before + 1) - 1) + 2 * REACH
        edge = max(low, self._index.start(max(0, first_day)))
        end = min(high, self._index.start(min(self._index.days, last_day + 1)))
        near = [pair for pair in self._moments(by, edge, end) if pair[0] >= 0]
        skipped = edge - low
        return waiting[start:stop] + near[after - skipped : before - skipped]

    def moment(self, by: str, id: int) -> tuple[int, int]:
        """Return the entry of one row, which must exist."""
        position = self.position(id)
        return self._moments(by, position, position + 1)[0]

    def _moments(self, by: str, low: int, high: int) -> Ranked:
        found = self.columns_at(low, high, ("id", by))
        order = np.lexsort((found["id"], found[by]))
        return list(zip(found[by][order].tolist(), found["id"][order].tolist(), strict=True))
