"""The rows of an endpoint as the store keeps them, in Arrow and without I/O.

Tables of one endpoint go together: each row of a child table has a link, its parent's key at the
top. Where a row is from and on which day it counts is decided for the parents, in a small table of
their keys, the :class:`Index`; their children follow.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from clopos_nb.frames import joined
from clopos_nb.items import parent_of
from clopos_nb.store.held import ONE_DAY, Days
from clopos_nb.store.snapshot import DAY, HASH, MONTH, UNDATED, VENUE
from clopos_nb.tables import CATALOGUE, Table

Rows = dict[str, pa.Table]  # by table
UPDATED = "updated_at"
KEPT = -1  # the origin of a row that the store holds


class CannotKeep(Exception):  # no error: the server's rows are given instead
    """Rows that the store cannot tell apart, or cannot vouch for."""


def link_of(table: Table) -> str:
    """Return the column of a table that holds its topmost parent's key.

    Examples
    --------
    >>> from clopos_nb.store.rows import link_of
    >>> from clopos_nb.tables import CATALOGUE
    >>> link_of(CATALOGUE["receipt_modificators"]), link_of(CATALOGUE["receipts"])
    ('receipt_id', 'id')
    """
    above = parent_of(table)
    if above is None:
        return table.key[0]
    link = link_of(above)
    return next(name for name, source in table.inherited if source == link)


def months(days: Days | None) -> list[str]:
    """Return the months that days lie in, as partitions name them."""
    if days is None:
        return [UNDATED]
    return [f"{first:%Y-%m}" for first, _ in month_ranges(days)]


def month_ranges(days: Days) -> list[Days]:
    """Return days month by month.

    Examples
    --------
    >>> import datetime as dt
    >>> from clopos_nb.store.rows import month_ranges
    >>> for first, last in month_ranges((dt.date(2026, 1, 30), dt.date(2026, 2, 2))):
    ...     print(first, last)
    2026-01-30 2026-01-31
    2026-02-01 2026-02-02
    """
    (first, last), found = days, []
    while first <= last:
        following = (first.replace(day=1) + 31 * ONE_DAY).replace(day=1)
        found.append((first, min(last, following - ONE_DAY)))
        first = following
    return found


# ---------------------------------------------------------------------- rows that arrive


def arrived(
    tables: Sequence[Table], pieces: Callable[[str], Iterable[pa.Table]], days: Days | None
) -> Rows:
    """Return pages of a walk below each other, each row with the day it counts on.

    Parameters
    ----------
    tables : sequence of Table
        The one whose rows the endpoint lists first.
    pieces : callable
        Gives what was decoded of a table, stamped.
    days : tuple of date, or None
        What was asked for: a row counts within it, whatever its own time says.

    Raises
    ------
    CannotKeep
        Rows without a key.
    """
    source = tables[0]
    found = {t.name: joined([*pieces(t.name)]) for t in tables}
    keys = found[source.name].column(link_of(source))
    if keys.null_count or not pa.types.is_integer(keys.type):
        message = f"some {source.name} have no number for {link_of(source)}"
        raise CannotKeep(message)
    day = _days(found[source.name], days)
    for table in tables:
        rows = found[table.name]
        at = pc.index_in(rows.column(link_of(table)), keys.combine_chunks())
        found[table.name] = rows.append_column(DAY, day.take(at))
    return found


def _days(rows: pa.Table, days: Days | None) -> pa.Array:
    """Return each row's day of creation, as written, within the days asked for."""
    if days is None:
        return pa.nulls(rows.num_rows, pa.date32())
    first, last = (pa.scalar(day, pa.date32()) for day in days)
    created = rows.column("created_at").combine_chunks()
    if not pa.types.is_timestamp(created.type):
        created = pa.nulls(rows.num_rows, pa.timestamp("us"))
    written = pc.fill_null(created.cast(pa.date32()), first)
    return pc.min_element_wise(pc.max_element_wise(written, first), last)


def latest(rows: pa.Table) -> dt.datetime | None:
    """Return the latest change in rows; one in the future is some clock's error."""
    times = rows.column(UPDATED) if UPDATED in rows.column_names else None
    if times is None or not _is_time(times):
        return None
    soon = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(hours=14)
    past = pc.less(times.cast(pa.timestamp("us")), pa.scalar(soon, pa.timestamp("us")))
    found = pc.max(times.filter(past)).as_py()
    return found.replace(tzinfo=None) if found else None


# ----------------------------------------------------------------------------- the index


@dataclass(frozen=True)
class Index:
    """The keys of one venue's rows: what is there, on which day it counts, where it is from.

    ``rows`` has the columns ``key``, the day, ``updated_at``, the hash, ``created_at`` and
    ``origin``: KEPT, or the place in ``changes`` of the rows that brought it. ``touched`` are the
    months that are not as they are held.
    """

    source: Table
    rows: pa.Table
    changes: tuple[Rows, ...] = ()
    touched: frozenset[str] = frozenset()

    @staticmethod
    def columns(source: Table) -> list[str]:
        """Return the columns to read for it."""
        return [link_of(source), DAY, UPDATED, HASH, "created_at"]

    @classmethod
    def of(cls, source: Table, held: pa.Table | None) -> Index:
        """Return the index of rows that the store holds."""
        return cls(source, _keys(source, held, KEPT))

    def count(self, days: Days | None) -> int:
        """Return how many rows count on these days."""
        return (
            self.rows.num_rows if days is None else int(pc.sum(_on(self.rows, days)).as_py() or 0)
        )

    def is_all(self, rows: Rows) -> bool:
        """Tell whether these rows are what is here, children included and in this order."""
        there = _keys(self.source, rows[self.source.name], KEPT)
        return all(there.column(n).equals(self.rows.column(n)) for n in ("key", HASH))

    def news(self, rows: Rows) -> Rows:
        """Return those of the rows that are not here, or not as they are now, children included."""
        there = _keys(self.source, rows[self.source.name], KEPT)
        at = pc.index_in(there.column("key"), _set(self.rows))
        known = self.rows.column(HASH).combine_chunks().take(at.combine_chunks())
        alike = pc.fill_null(pc.equal(known, there.column(HASH).combine_chunks()), False)
        fresh = there.filter(pc.invert(alike)).column("key").combine_chunks()
        return {name: _linked(name, table, fresh) for name, table in rows.items()}

    def with_rows(self, rows: Rows) -> Index:
        """Return the index with rows added, or in place of those with their keys."""
        new = _keys(self.source, rows[self.source.name], len(self.changes))
        gone = _is_in(self.rows, new)
        touched = _months_of(self.rows.filter(gone)) | _months_of(new)
        return self._changed(joined([self.rows.filter(pc.invert(gone)), new]), rows, touched)

    def with_days(
        self, days: Days | None, rows: Rows, *, before: bool = False, after: bool = False
    ) -> Index:
        """Return the index with rows as all there is on some days.

        A row of those days that did not come is gone; or, where it may be of the day ``before``,
        and was made before the first that came, it is put there; and so ``after``.
        """
        new = _keys(self.source, rows[self.source.name], len(self.changes))
        if days is None:
            return self._changed(new, rows, {UNDATED})
        on = _on(self.rows, days)
        kept = self.rows.filter(pc.invert(on))
        pushed = _pushed(self.rows.filter(on), new, days)
        beside = [keys for keys, may in zip(pushed, (before, after), strict=True) if may]
        kept = joined([kept, *beside])
        gone = _is_in(kept, new)
        touched = {*months(days), *_months_of(kept.filter(gone))}.union(*map(_months_of, beside))
        return self._changed(joined([kept.filter(pc.invert(gone)), new]), rows, touched)

    def _changed(self, keys: pa.Table, rows: Rows, touched: Collection[str]) -> Index:
        return replace(
            self,
            rows=keys,
            changes=(*self.changes, rows),
            touched=self.touched | frozenset(touched),
        )

    def latest(self, days: Days) -> tuple[int | None, dt.datetime | None]:
        """Return the key and time of the latest change on some days."""
        rows = self.rows.filter(_on(self.rows, days)).drop_null()
        if not rows.num_rows:
            return None, None
        row = rows.sort_by([(UPDATED, "descending")]).slice(0, 1).to_pylist()[0]
        return row["key"], row[UPDATED]

    # -- from keys to rows

    def content(
        self, held: Mapping[str, pa.Table | None], tables: Sequence[Table], venue: int
    ) -> Rows:
        """Return all rows of the touched months, in the order to keep.

        Parameters
        ----------
        held : dict of str to pyarrow.Table or None
            What the store holds of those months.
        tables : sequence of Table
        venue : int
        """
        month = pc.fill_null(pc.strftime(self.rows.column(DAY), "%Y-%m"), UNDATED)
        order = self.rows.filter(pc.is_in(month, pa.array(sorted(self.touched), month.type)))
        if self.source.dated:
            order = order.sort_by([("created_at", "ascending"), ("key", "ascending")])
        return {
            table.name: self._content(order, held.get(table.name), table, venue) for table in tables
        }

    def _content(
        self, order: pa.Table, held: pa.Table | None, table: Table, venue: int
    ) -> pa.Table:
        parts = []
        for origin, rows in [(KEPT, held), *enumerate(c.get(table.name) for c in self.changes)]:
            if rows is None:
                continue
            of = order.filter(pc.equal(order.column("origin"), origin))
            links = rows.column(link_of(table))
            parts.append(rows.filter(pc.is_in(links, _set(of))))
        whole = joined(parts)
        at = pc.index_in(whole.column(link_of(table)), _set(order))
        day = order.column(DAY).take(at)
        whole = _put(whole, DAY, day)
        month = pc.fill_null(pc.strftime(day, "%Y-%m"), UNDATED).cast(pa.large_string())
        whole = _put(whole, MONTH, month)
        whole = _put(whole, VENUE, pa.array([venue] * whole.num_rows, pa.int64()))
        return whole.take(pc.sort_indices(at))  # stable: children stay as they came


def _keys(source: Table, rows: pa.Table | None, origin: int) -> pa.Table:
    types = {"key": pa.int64(), DAY: pa.date32(), UPDATED: pa.timestamp("us"), HASH: pa.int64()}
    types |= {"created_at": pa.timestamp("us"), "origin": pa.int64()}
    if rows is None:
        return pa.schema(list(types.items())).empty_table()
    found = {"key": rows.column(link_of(source))}
    for name in (DAY, UPDATED, HASH, "created_at"):
        given = rows.column(name) if name in rows.column_names else None
        if given is None or (pa.types.is_timestamp(types[name]) and not _is_time(given)):
            given = pa.nulls(rows.num_rows, types[name])
        found[name] = given.cast(types[name])
    found["origin"] = pa.array([origin] * rows.num_rows, pa.int64())
    return pa.table(found)


def _is_time(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_timestamp(column.type))


def _on(rows: pa.Table, days: Days) -> pa.ChunkedArray:
    first, last = (pa.scalar(day, pa.date32()) for day in days)
    day = rows.column(DAY)
    return pc.and_(pc.greater_equal(day, first), pc.less_equal(day, last))


def _set(index: pa.Table) -> pa.Array:
    return index.column("key").combine_chunks()


def _is_in(rows: pa.Table, new: pa.Table) -> pa.ChunkedArray:
    return pc.is_in(rows.column("key"), _set(new))


def _linked(name: str, table: pa.Table, keys: pa.Array) -> pa.Table:
    links = table.column(link_of(CATALOGUE[name]))
    return table.filter(pc.is_in(links, keys))


def _pushed(left: pa.Table, new: pa.Table, days: Days) -> list[pa.Table]:
    """Return rows that may be the neighbours' on the day before or after the days."""
    times = new.column("created_at")
    noon = dt.datetime.combine(days[0] + (days[1] - days[0]) / 2, dt.time(12))
    first, last = pc.min(times).as_py() or noon, pc.max(times).as_py() or noon
    made = left.column("created_at")
    before = left.filter(pc.less(made, pa.scalar(first, pa.timestamp("us"))))
    after = left.filter(pc.greater(made, pa.scalar(last, pa.timestamp("us"))))
    return [
        _put(rows, DAY, pa.array([day] * rows.num_rows, pa.date32()))
        for rows, day in ((before, days[0] - ONE_DAY), (after, days[1] + ONE_DAY))
    ]


def _put(rows: pa.Table, name: str, values: pa.Array | pa.ChunkedArray) -> pa.Table:
    if name in rows.column_names:
        return rows.set_column(rows.column_names.index(name), name, values)
    return rows.append_column(name, values)


def _months_of(index: pa.Table) -> set[str]:
    days = pc.unique(index.column(DAY)).to_pylist()
    return {f"{day:%Y-%m}" if day else UNDATED for day in days}
