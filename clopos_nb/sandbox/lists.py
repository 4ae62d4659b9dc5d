"""Filtering, ordering and paging of a brand's rows, and their JSON.

``encoded_log_page`` and ``encoded_page`` are what list endpoints use: they return a page as a
``msgspec.Raw``, a JSON array that goes into an envelope as it is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec

from clopos_nb.sandbox.query import Page, Sort
from clopos_nb.sandbox.resources import Resource, Row
from clopos_nb.sandbox.source import Log, Source

Days = tuple[date | None, date | None]
Conditions = list[tuple[str, list[str]]]

REMEMBERED = 16
"""How many sorted results are kept: walking the pages of one sorted list sorts it once."""

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Cut:
    """What of a row goes into an answer.

    ``project`` cuts a row down; cuts with equal ``key`` must cut alike, since encoded rows are kept
    under it (None: never kept). ``parts`` names the optional parts of receipts and orders that
    ``project`` may read, so that nothing else is made: ``legacy``, ``receipt_products``,
    ``receipt_products.product``, ``receipt_products.modificators``, ``customer``, ``receipt``;
    None is all of them.
    """

    project: Callable[[Row], Row]
    key: Hashable = None
    parts: frozenset[str] | None = None


class Lists:
    """Reads lists and single rows of a brand. Never changes a row it was given.

    The data of a brand does not change, so whatever was expensive to find out is kept.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._tables: dict[tuple[str, int], list[Row]] = {}
        self._by_day: dict[tuple[str, int, date], list[Row]] = {}
        self._results: OrderedDict[Hashable, list[int]] = OrderedDict()

    def rows(self, resource: Resource, venue_id: int) -> list[Row]:
        """Return all rows of a small resource."""
        key = resource.name, venue_id
        if key not in self._tables:
            self._tables[key] = self._source.rows(resource.name, venue_id)
        return self._tables[key]

    def find(self, resource: Resource, venue_id: int, key: int | str) -> Row | None:
        """Return one row by id, or by cid when the key is text; categories at any depth."""
        if resource.is_log:
            return self._source.log(resource.name, venue_id).get(int(key))
        name = "cid" if isinstance(key, str) else "id"
        rows = flat(self.rows(resource, venue_id))
        return next((row for row in rows if row.get(name) == key), None)

    def page(
        self,
        resource: Resource,
        rows: Iterable[Row],
        conditions: Conditions,
        order: Sort | None,
        page: Page,
    ) -> tuple[list[Row], int]:
        """Return one page of a small resource and the number of rows that match."""
        kept = _filtered(resource, rows, conditions)
        _sort(kept, order or [("id", False)])
        return kept[page.offset : page.offset + page.size], len(kept)

    def log_page(
        self,
        resource: Resource,
        venue_id: int,
        days: Days,
        conditions: Conditions,
        order: Sort | None,
        page: Page,
    ) -> tuple[list[Row], int]:
        """Return one page of receipts or orders, newest first unless asked otherwise."""
        log = self._source.log(resource.name, venue_id)
        by, descending = (order or [("created_at", True)])[0]
        # Ids are given out in order of creation, so both orders are the log's own.
        if by in ("created_at", "id") and not conditions:
            rows = log.page(*days, page.offset, page.size, descending=descending)
            return rows, log.total(*days)
        ids = self._result(resource, venue_id, days, conditions, (by, descending))
        found = (log.get(id) for id in ids[page.offset : page.offset + page.size])
        return [row for row in found if row is not None], len(ids)

    def encoded_page(
        self,
        resource: Resource,
        rows: Iterable[Row],
        conditions: Conditions,
        order: Sort | None,
        page: Page,
        cut: Cut,
    ) -> tuple[msgspec.Raw, int]:
        """Return ``page`` as a JSON array."""
        found, total = self.page(resource, rows, conditions, order, page)
        return encode_rows(found, cut), total

    def encoded_log_page(
        self,
        resource: Resource,
        venue_id: int,
        days: Days,
        conditions: Conditions,
        order: Sort | None,
        page: Page,
        cut: Cut,
    ) -> tuple[msgspec.Raw, int]:
        """Return ``log_page`` as a JSON array, from what was encoded before where it can be."""
        found, total = self.log_page(resource, venue_id, days, conditions, order, page)
        return encode_rows(found, cut), total

    def _result(
        self,
        resource: Resource,
        venue_id: int,
        days: Days,
        conditions: Conditions,
        order: tuple[str, bool],
    ) -> list[int]:
        wanted = tuple((name, tuple(values)) for name, values in conditions)
        key = (resource.name, venue_id, days, wanted, order)
        if key not in self._results:
            rows = _filtered(resource, self._briefs(resource, venue_id, days), conditions)
            _sort(rows, [order])
            self._results[key] = [row["id"] for row in rows]
            while len(self._results) > REMEMBERED:
                self._results.popitem(last=False)
        self._results.move_to_end(key)
        return self._results[key]

    def _briefs(self, resource: Resource, venue_id: int, days: Days) -> Iterator[Row]:
        """Yield of each row what sorting and filtering need; a day is scanned only once."""
        log = self._source.log(resource.name, venue_id)
        needed = {"id", *resource.sorts, *resource.filters}
        for day in _days_of(log, *days):
            key = resource.name, venue_id, day
            if key not in self._by_day:
                rows = log.scan(day, day)
                self._by_day[key] = [{n: row[n] for n in needed if n in row} for row in rows]
            yield from self._by_day[key]


def _days_of(log: Log, first: date | None, last: date | None) -> Iterator[date]:
    ends = [*log.page(None, None, 0, 1), *log.page(None, None, 0, 1, descending=True)]
    if len(ends) < 2:
        return
    # A day more on either side: the day of a row may not be the one its text begins with.
    oldest, newest = (date.fromisoformat(row["created_at"][:10]) for row in ends)
    day = max(first or oldest - _DAY, oldest - _DAY)
    stop = min(last or newest + _DAY, newest + _DAY)
    while day <= stop:
        yield day
        day += _DAY


def _filtered(resource: Resource, rows: Iterable[Row], conditions: Conditions) -> list[Row]:
    tests = [(resource.filters[name], values) for name, values in conditions]
    return [row for row in rows if all(test(row, values) for test, values in tests)]


def _sort(rows: list[Row], order: Sort) -> None:
    # Stable sorts from the least important key up; ties end in id, in the direction of the first.
    rows.sort(key=_ranked_by("id"), reverse=order[0][1])
    for name, descending in reversed(order):
        rows.sort(key=_ranked_by(name), reverse=descending)


def _ranked_by(name: str) -> Callable[[Row], tuple[int, Any]]:
    return lambda row: _rank(row.get(name))


def _rank(value: Any) -> tuple[int, Any]:
    """Order values of mixed types: null first, then numbers, then text, as MySQL would."""
    if value is None:
        return 0, 0
    if isinstance(value, (bool, int, float)):
        return 1, value
    return 2, str(value)


def encode_rows(rows: Iterable[Row], cut: Cut) -> msgspec.Raw:
    """Return rows, cut down, as a JSON array."""
    return msgspec.Raw(msgspec.json.encode([cut.project(row) for row in rows]))


def flat(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield every row of a tree, parents before their children."""
    for row in rows:
        yield row
        yield from flat(row.get("children") or ())
