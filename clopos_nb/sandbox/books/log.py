"""A log with rows that came, went and changed laid over it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Sequence
from datetime import date
from threading import RLock
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from clopos_nb.sandbox.brand.columns import Columns, joined, second
from clopos_nb.sandbox.brand.log import Log, Paged
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.served import Parts
from clopos_nb.sandbox.brand.stamps import DAY


class Model(Protocol):
    """What a receipt and an order have in common."""

    id: int
    day: date
    created: int


M = TypeVar("M", bound=Model)


class _Added(NamedTuple):
    """An added row's place: its second and id order it, ``before`` counts the log's rows before."""

    second: int
    id: int
    before: int


class OpenLog(Paged, Generic[M]):
    """Reads like the log below it, and takes changes.

    Added rows are few beside the log's own, so their places are kept in sorted lists and a position
    of the whole is found by bisection; no day is made that a page does not touch.

    Parameters
    ----------
    base : Log
        What was there from the beginning.
    row : callable
        Makes the row of a model.
    columns : callable
        Makes the columns of models.
    before : callable
        Counts the rows of ``base`` created by a moment of a shift.
    lock : RLock
        Held while changes are read or made.
    """

    def __init__(
        self,
        base: Log,
        row: Callable[[M, Parts], Row],
        columns: Callable[[Sequence[M]], Columns],
        before: Callable[[date, int], int],
        lock: RLock,
    ) -> None:
        self._base = base
        self.number = base.number
        self._row = row
        self._columns = columns
        self._before = before
        self._lock = lock
        self._models: dict[int, M] = {}
        """Of added and of changed rows."""
        self._versions: dict[int, int] = {}
        self._gone: list[int] = []
        self._gone_ids: set[int] = set()
        self._added: list[_Added] = []
        self._added_ids: set[int] = set()
        self.changes = 0
        self._index()

    def add(self, model: M) -> None:
        """Add a row with an id of its own."""
        with self._lock:
            before = self._before(model.day, model.created)
            insort(self._added, _Added(second(model.day, model.created), model.id, before))
            self._added_ids.add(model.id)
            self._change(model)

    def put(self, model: M) -> None:
        """Replace a row by a model with the same id and moment of creation."""
        with self._lock:
            self._change(model)

    def remove(self, id: int) -> None:
        """Take a row out."""
        with self._lock:
            if id in self._added_ids:
                self._added_ids.remove(id)
                self._added = [entry for entry in self._added if entry.id != id]
            else:
                insort(self._gone, self._base.position(id))
                self._gone_ids.add(id)
            self._models.pop(id, None)
            self.changes += 1
            self._index()

    def model(self, id: int) -> M | None:
        """Return the model of an added or changed row."""
        return self._models.get(id)

    def models(self) -> list[M]:
        """Return the models of all added and changed rows."""
        with self._lock:
            return list(self._models.values())

    def added(self) -> list[M]:
        """Return the models of added rows, oldest first."""
        with self._lock:
            return [self._models[entry.id] for entry in self._added]

    def is_gone(self, id: int) -> bool:
        """Return whether a row was taken out."""
        return id in self._gone_ids

    def touched(self) -> set[int]:
        """Return the ids below that no longer stand for themselves: changed or gone."""
        with self._lock:
            return self._gone_ids | (self._models.keys() - self._added_ids)

    def _change(self, model: M) -> None:
        self._models[model.id] = model
        self._versions[model.id] = self._versions.get(model.id, 0) + 1
        self.changes += 1
        self._index()

    def _index(self) -> None:
        self._kept_before = [place - rank for rank, place in enumerate(self._gone)]
        self._ranks = [
            entry.before - bisect_left(self._gone, entry.before) + rank
            for rank, entry in enumerate(self._added)
        ]

    def bounds(self, first: date | None, last: date | None) -> tuple[int, int]:
        """Return the half-open range of positions created on these calendar days."""
        low, high = self._kept_bounds(first, last)
        start, stop = self._added_bounds(first, last)
        return low + start, max(low + start, high + stop)

    def ids_at(self, positions: Sequence[int]) -> list[int]:
        """Return the ids at these positions."""
        if not self.changes:
            return self._base.ids_at(positions)
        found: list[int | None] = []
        kept: list[int] = []
        for position in positions:
            rank = bisect_left(self._ranks, position)
            if rank < len(self._ranks) and self._ranks[rank] == position:
                found.append(self._added[rank].id)
            else:
                found.append(None)
                kept.append(self._position(position - rank))
        below = iter(self._base.ids_at(kept))
        return [next(below) if id is None else id for id in found]

    def ids_by_id(
        self, positions: Sequence[int], first: date | None, last: date | None
    ) -> list[int]:
        """Return the ids that these days' rows would have there, were they ordered by id."""
        if not self._added:
            return self.ids_at(positions)
        # Ids of added rows are above all others, wherever in time the rows are.
        start, stop = self._added_bounds(first, last)
        added = sorted(entry.id for entry in self._added[start:stop])
        low, high = self._kept_bounds(first, last)
        size = high - low
        places = [position - low - start for position in positions]
        below = iter(self._base.ids_at([self._position(low + n) for n in places if n < size]))
        return [next(below) if n < size else added[n - size] for n in places]

    def _position(self, kept: int) -> int:
        """Return the position below of the row that has so many kept ones before it."""
        return kept + bisect_right(self._kept_before, kept)

    def _kept_bounds(self, first: date | None, last: date | None) -> tuple[int, int]:
        low, high = self._base.bounds(first, last)
        return low - bisect_left(self._gone, low), high - bisect_left(self._gone, high)

    def _added_bounds(self, first: date | None, last: date | None) -> tuple[int, int]:
        start, stop = 0, len(self._added)
        if first is not None:
            start = bisect_left(self._added, (first.toordinal() * DAY,))
        if last is not None:
            stop = bisect_left(self._added, ((last.toordinal() + 1) * DAY,))
        return start, max(start, stop)

    def get(self, id: int, parts: Parts = None) -> Row | None:
        """Return the row with this id."""
        if self.changes:
            with self._lock:
                if id in self._gone_ids:
                    return None
                if id in self._models:
                    return self._row(self._models[id], parts)
        return self._base.get(id, parts)

    def version(self, id: int) -> int:
        """Return how often a row was changed."""
        return self._versions.get(id, 0)

    def columns(
        self, first: date | None, last: date | None, names: Collection[str]
    ) -> dict[str, NDArray[Any]]:
        """Return what sorting and filtering need of these days, in no particular order."""
        with self._lock:
            found = self._base.columns(first, last, names)
            if not self.changes:
                return found
            kept = ~np.isin(found["id"], sorted(self.touched()))
            below = {name: column[kept] for name, column in found.items()}
            mine = self._own(first, last)
            return joined([below, self._columns(mine)], list(found)) if mine else below

    def ids_by_moment(
        self, by: str, first: date | None, last: date | None, start: int, stop: int
    ) -> list[int]:
        """Return some ids of these days' rows in order of a moment and id."""
        low, high = self._base.bounds(first, last)
        mine, gone = self._own(first, last), self._touched_among(low, high)
        if not mine and not gone:
            return self._base.ids_by_moment(by, first, last, start, stop)
        # So many rows of the log below may be before a page, or gone from it.
        slack = len(mine) + len(gone)
        begin, end = max(0, start - slack), min(high - low, stop + slack)
        pairs = self._base.ranked(by, low, high, begin, end)
        columns = self._columns(mine)
        own = list(zip(columns[by].tolist(), columns["id"].tolist(), strict=True))
        earlier = 0
        if begin:
            earlier = sum(pair < pairs[0] for pair in own)
            earlier -= sum(self._base.moment(by, id) < pairs[0] for id in gone)
            own = [pair for pair in own if pair >= pairs[0]]
        kept = [pair for pair in pairs if pair[1] not in gone]
        skipped = begin + earlier
        return [id for _, id in sorted(kept + own)[start - skipped : stop - skipped]]

    def _own(self, first: date | None, last: date | None) -> list[M]:
        """Return the models of these days' rows that were added or changed."""
        start, stop = self._added_bounds(first, last)
        mine = [self._models[entry.id] for entry in self._added[start:stop]]
        changed = self._touched_among(*self._base.bounds(first, last))
        return mine + [self._models[id] for id in sorted(changed & self._models.keys())]

    def _touched_among(self, low: int, high: int) -> set[int]:
        return {id for id in self.touched() if low <= self._base.position(id) < high}
