"""Filtering, ordering and paging of a brand's rows, and their JSON.

``encoded_log_page`` and ``encoded_page`` are what list endpoints use: they return a page as a
``msgspec.Raw``, a JSON array that goes into an envelope as it is.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from clopos_nb.sandbox.query import Page, Sort
from clopos_nb.sandbox.resources import Resource, Row
from clopos_nb.sandbox.source import Log, Source

Days = tuple[date | None, date | None]
Conditions = list[tuple[str, list[str]]]

REMEMBERED = 8
"""How many sorted results are kept: walking the pages of one sorted list sorts it once."""
MOST_BYTES = 128 << 20
"""How much JSON of receipts and orders is kept."""

_KEPT_IN_ORDER = ("id", "created_at", "updated_at", "closed_at")
_LEGACY = frozenset({"legacy"})
_ID_BITS, _SHAPE_BITS = 64, 32
_encode = msgspec.json.Encoder().encode


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

    What was expensive to find out is kept until the brand changes.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._tables: dict[tuple[str, int], tuple[int, list[Row]]] = {}
        self._results: OrderedDict[Hashable, NDArray[Any]] = OrderedDict()
        self._encoded = EncodedRows()

    def rows(self, resource: Resource, venue_id: int) -> list[Row]:
        """Return all rows of a small resource."""
        key, version = (resource.name, venue_id), self._source.version(resource.name)
        if key not in self._tables or self._tables[key][0] != version:
            self._tables[key] = version, self._source.rows(resource.name, venue_id)
        return self._tables[key][1]

    def find(self, resource: Resource, venue_id: int, key: int | str) -> Row | None:
        """Return one row by id, or by cid when the key is text; categories at any depth."""
        if resource.is_log:
            return self._source.log(resource.name, venue_id).get(int(key))
        name = "cid" if isinstance(key, str) else "id"
        rows = flat(self.rows(resource, venue_id))
        return next((row for row in rows if row.get(name) == key), None)

    def encoded_page(
        self,
        resource: Resource,
        rows: Iterable[Row],
        conditions: Conditions,
        order: Sort | None,
        page: Page,
        cut: Cut,
    ) -> tuple[msgspec.Raw, int]:
        """Return one page of a small resource and the number of rows that match."""
        kept = _filtered(resource, rows, conditions)
        _sort(kept, order or [("id", False)])
        return encode_rows(kept[page.offset : page.offset + page.size], cut), len(kept)

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
        """Return one page of receipts or orders, and how many there are in all.

        Newest first unless asked otherwise. Rows that were encoded before are not made again.
        """
        log = self._source.log(resource.name, venue_id)
        by, descending = (order or [("created_at", True)])[0]
        if by in _KEPT_IN_ORDER and not conditions:
            ids = log.page_ids(*days, page.offset, page.size, descending=descending, by=by)
            total = log.total(*days)
        else:
            found = self._result(resource, venue_id, log, days, conditions, (by, descending))
            ids, total = found[page.offset : page.offset + page.size].tolist(), len(found)
        rows = self._encoded.rows(resource, log, ids, cut)
        return msgspec.Raw(b"[" + b",".join(rows) + b"]"), total

    def _result(
        self,
        resource: Resource,
        venue_id: int,
        log: Log,
        days: Days,
        conditions: Conditions,
        order: tuple[str, bool],
    ) -> NDArray[Any]:
        wanted = tuple((name, tuple(values)) for name, values in conditions)
        key = (resource.name, venue_id, log.changes, days, wanted, order)
        if key not in self._results:
            by, descending = order
            columns = log.columns(*days, {"id", by, *(name for name, _ in conditions)})
            for name, values in conditions:
                kept = _matching(resource, log, columns, name, values)
                columns = {each: column[kept] for each, column in columns.items()}
            ranked = np.lexsort((columns["id"], columns[by]))
            self._results[key] = columns["id"][ranked[::-1] if descending else ranked]
            while len(self._results) > REMEMBERED:
                self._results.popitem(last=False)
        self._results.move_to_end(key)
        return self._results[key]


class EncodedRows:
    """JSON of single receipts and orders, by shape; the least recently used go first.

    A row that changes has another version and is made anew.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._held = 0
        self._shapes: dict[Hashable, int] = {}
        # By version, shape and id in one number: hundreds of thousands of tuples would sooner or
        # later have the garbage collector walk them all in the middle of a page.
        self._rows: OrderedDict[int, bytes] = OrderedDict()

    @property
    def size(self) -> int:
        """Bytes of JSON that are held."""
        return self._held

    def rows(self, resource: Resource, log: Log, ids: Iterable[int], cut: Cut) -> list[bytes]:
        """Return these rows, cut down; those that are no more are left out."""
        if cut.key is None:
            return [text for text in (_encoded(log, id, cut) for id in ids) if text]
        shape = self._shapes.setdefault((resource.name, cut.key), len(self._shapes)) << _ID_BITS
        kept, used, changed = self._rows, self._rows.move_to_end, log.changes > 0
        found = []
        for id in ids:
            key = shape | id
            if changed:
                key |= log.version(id) << _ID_BITS + _SHAPE_BITS
            text = kept.get(key)
            if text is not None:
                used(key)
                found.append(text)
            elif text := _encoded(log, id, cut):
                self._keep(key, text)
                found.append(text)
        return found

    def _keep(self, key: int, text: bytes) -> None:
        self._rows[key] = text
        self._held += len(text)
        while self._held > self._most:
            self._held -= len(self._rows.popitem(last=False)[1])


def _encoded(log: Log, id: int, cut: Cut) -> bytes:
    row = log.get(id, cut.parts)
    return b"" if row is None else _encode(cut.project(row))


def _matching(
    resource: Resource, log: Log, columns: Mapping[str, NDArray[Any]], name: str, values: list[str]
) -> NDArray[np.bool_]:
    test = resource.filters[name]
    if name not in columns:
        rows = (log.get(id, _LEGACY) or {} for id in columns["id"].tolist())
        return np.array([test(row, values) for row in rows], dtype=bool)
    # A column of thousands of rows holds a handful of values.
    distinct, which = np.unique(columns[name], return_inverse=True)
    passed = [test({name: value}, values) for value in distinct.tolist()]
    return np.array(passed, dtype=bool)[which]


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
