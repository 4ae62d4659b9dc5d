"""Paging over days: the receipts or orders of one venue in order of creation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date

from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.tally import Index, Tally


class Log:
    """The receipts or orders of one venue, made day by day as they are asked for.

    Parameters
    ----------
    tally : Tally
        Ids of the whole brand.
    index : Index
        Positions of this venue's rows.
    venue_id : int
        Whose rows.
    row : callable
        Makes the row of a shift day (counted from the first) and rank.
    number : callable
        Finds the id in a ``cid``, or None.
    """

    def __init__(
        self,
        tally: Tally,
        index: Index,
        venue_id: int,
        row: Callable[[int, int], Row],
        number: Callable[[str], int | None],
    ) -> None:
        self._tally = tally
        self._index = index
        self._venue_id = venue_id
        self._row = row
        self._number = number

    def total(self, first: date | None, last: date | None) -> int:
        """Return how many rows were created from ``first`` to ``last``, both inclusive."""
        low, high = self._index.bounds(first, last)
        return high - low

    def page(
        self,
        first: date | None,
        last: date | None,
        offset: int,
        limit: int,
        *,
        descending: bool = False,
    ) -> list[Row]:
        """Return rows ``offset`` to ``offset + limit`` of the range by ``(created_at, id)``.

        Only the days that the page touches are made.
        """
        low, high = self._index.bounds(first, last)
        if descending:
            positions = range(high - 1 - offset, max(high - 1 - offset - limit, low - 1), -1)
        else:
            positions = range(low + offset, min(low + offset + limit, high))
        return [self._at(position) for position in positions]

    def scan(self, first: date | None, last: date | None) -> Iterator[Row]:
        """Yield every row of the range, oldest first, a day at a time."""
        return map(self._at, range(*self._index.bounds(first, last)))

    def get(self, id: int) -> Row | None:
        """Return the row with this id, or None when this venue has none."""
        place = self._tally.place(id)
        if place is None or place.venue_id != self._venue_id:
            return None
        if place.rank >= self._index.size(place.day):
            return None
        return self._row(place.day, place.rank)

    def get_by_cid(self, cid: str) -> Row | None:
        """Return the receipt with this UUID, or None; orders have none."""
        number = self._number(cid)
        return None if number is None else self.get(number)

    def _at(self, position: int) -> Row:
        day = self._index.day_of(position)
        return self._row(day, position - self._index.start(day))
