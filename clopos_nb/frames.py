"""JSON rows into typed DataFrames.

Every page becomes an Arrow table when it arrives (:func:`decode`), so that no more than a page
lives as Python objects; :func:`assemble` joins the pages and gives pandas its declared dtypes.
Nothing is lost: an undocumented field becomes a further column, and is noted in :class:`Drift`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa

from clopos_nb import columns as cols
from clopos_nb.tables.model import Column, Table

Row: TypeAlias = dict[str, Any]
_Node: TypeAlias = "dict[str, Column | _Node | None]"

ADDED = ("venue_id", "venue")  # what a frame of several venues begins with


# ------------------------------------------------------------------------------ drift


@dataclass
class DriftEntry:
    """One thing the documentation does not name: where, what, an example, how often."""

    table: str
    column: str
    what: str
    example: str
    count: int = 0


@dataclass
class Drift:
    """What servers sent that the documentation does not name; nothing of it was lost."""

    entries: dict[tuple[str, str, str], DriftEntry] = field(default_factory=dict)

    def note(self, table: str, column: str, what: str, example: Any, count: int = 1) -> bool:
        """Count one find; return True when it is new."""
        key = (table, column, what)
        new = key not in self.entries
        if new:
            # The type says enough, and an unknown field may hold anything, a phone too.
            self.entries[key] = DriftEntry(table, column, what, type(example).__name__)
        self.entries[key].count += count
        return new

    def frame(self) -> pd.DataFrame:
        """Return the finds, a row each: table, column, what, example's type, count."""
        names = ["table", "column", "what", "example", "count"]
        rows = [[getattr(entry, name) for name in names] for entry in self.entries.values()]
        return pd.DataFrame(rows, columns=names).astype({"count": "int64"})

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[DriftEntry]:
        return iter(self.entries.values())

    def __repr__(self) -> str:
        return f"Drift({len(self)} undocumented)"

    def _repr_html_(self) -> str:
        if not self.entries:
            return "<p>Nothing undocumented so far.</p>"
        return str(self.frame().to_html(index=False, escape=True))


# ------------------------------------------------------------------------------- rows


def table_rows(table: Table, items: Sequence[Row], drift: Drift | None = None) -> list[Row]:
    """Return a table's own rows out of the items of a page: flattened tree, or nested rows."""
    if table.tree:
        return list(flattened(items, table.tree))
    if not table.nested:
        return list(items)
    rows = []
    for item in items:
        nested: Any = item
        for step in table.nested:
            nested = nested.get(step) if isinstance(nested, dict) else None
        context = {name: item.get(source) for name, source in table.inherited}
        for line, row in enumerate(_as_list(nested), start=1):
            if not isinstance(row, dict):
                if drift is not None:
                    drift.note(table.name, ".".join(table.nested), "not a list of objects", row)
                row = {"value": row}  # kept: it comes out as a column of its own
            rows.append({"line": line, **row, **context})
    return rows


def _as_list(nested: Any) -> list[Any]:
    """Return a list; PHP writes one with gaps as an object with numbers for keys."""
    if isinstance(nested, dict) and all(key.isdecimal() for key in nested):
        return list(nested.values())
    if nested is None:
        return []
    return nested if isinstance(nested, list) else [nested]


def flattened(items: Sequence[Row], inside: str) -> Iterator[Row]:
    """Yield items and, after each, the items inside it."""
    for item in items:
        yield item
        children = item.get(inside)
        if isinstance(children, list):
            yield from flattened([child for child in children if isinstance(child, dict)], inside)


# ----------------------------------------------------------------------------- decode


def decode(
    table: Table, rows: Sequence[Row], drift: Drift, timezone: str | None = None
) -> pa.Table:
    """Return rows of one page as an Arrow table with the table's columns.

    Parameters
    ----------
    table : Table
        What to make of them.
    rows : sequence of dict
        The table's own, as :func:`table_rows` takes them out of a page.
    drift : Drift
        Takes note of what is not documented.
    timezone : str, optional
        See :func:`assemble`.

    Returns
    -------
    pyarrow.Table
        All declared columns, the optional ones that were sent, then undocumented ones.
    """
    page = _Page(table, drift, timezone)
    page.read(_tree(table), rows, "")
    found = page.found
    order = [column.name for column in table.columns if column.name in found]
    order += [name for name in found if name not in table.by_name]
    return pa.table({name: found[name] for name in order})


def _tree(table: Table) -> _Node:
    """Return the columns as a tree of field names; None marks what another table holds."""
    root: _Node = {}
    for column in table.columns:
        node = root
        for step in column.path[:-1]:
            node = node.setdefault(step, {})  # type: ignore[assignment]
        node[column.path[-1]] = column
    for path in table.unread:
        *steps, last = path.split(".")
        node = root
        for step in steps:
            node = node.setdefault(step, {})  # type: ignore[assignment]
        node[last] = None
    if table.tree:
        root[table.tree] = None
    if table.parent:  # the place within the parent is ours, not the server's
        root.setdefault("line", None)
    return root


@dataclass
class _Page:
    """The columns of a page, as they are found."""

    table: Table
    drift: Drift
    timezone: str | None
    found: dict[str, pa.Array] = field(default_factory=dict)

    def read(self, node: _Node, rows: Sequence[Row], prefix: str) -> None:
        """Take the columns of a node, and what it does not name, out of the rows."""
        keys = set().union(*rows) if rows else set()
        for key, inner in node.items():
            if inner is None:
                continue
            values = [row.get(key) for row in rows]
            if isinstance(inner, Column):
                if inner.kind != "withheld" and (key in keys or not inner.optional):
                    self._take(inner, values)
                continue
            odd = [None if isinstance(v, dict) or v == [] else v for v in values]
            if any(v is not None for v in odd):  # an object was documented, something else came
                self._undocumented(f"{prefix}{key}", odd)
            self.read(inner, [v if isinstance(v, dict) else {} for v in values], f"{prefix}{key}_")
        for key in sorted(keys - node.keys()):
            self._undocumented(f"{prefix}{key}", [row.get(key) for row in rows])

    def _take(self, column: Column, values: list[Any]) -> None:
        self.found[column.name], misfit = cols.array(values, column.kind, self.timezone)
        if misfit is not None:
            self.drift.note(self.table.name, column.name, f"not {column.kind}", misfit)

    def _undocumented(self, name: str, values: list[Any]) -> None:
        while name in self.found or name in self.table.by_name or name in ADDED:
            name += "_"
        self.found[name] = cols.inferred(values)
        sent = [v for v in values if v is not None]
        self.drift.note(
            self.table.name, name, "undocumented", sent[0] if sent else None, count=len(sent)
        )


# --------------------------------------------------------------------------- assemble


def assemble(table: Table, pages: Sequence[pa.Table], timezone: str | None = None) -> pd.DataFrame:
    """Return pages as one DataFrame with the declared dtypes, also when there are none.

    Parameters
    ----------
    table : Table
    pages : sequence of pyarrow.Table
        As :func:`decode` gave them; further columns that the caller added come first.
    timezone : str, optional
        An IANA name. With it all instants are aware and in that zone, those written without an
        offset being read as that zone's own; without it the latter stay naive and those written
        with Z are UTC. Calendar days never move.

    Returns
    -------
    pandas.DataFrame
        RangeIndex; dtypes ``Int64``, ``float64``, ``boolean``, ``string``, ``datetime64[us]``.
    """
    pages = [decode(table, [], Drift()), *pages]
    names = _column_order(table, pages)
    joined = {name: _joined(name, pages) for name in names}
    frame: pd.DataFrame = pa.table(joined).to_pandas(types_mapper=_PANDAS_TYPES.get)
    for column in table.columns:
        if timezone and column.name in frame.columns and column.kind in ("local", "utc", "ms"):
            frame[column.name] = _in_zone(frame[column.name], timezone)
    return frame


_PANDAS_TYPES: Mapping[pa.DataType, Any] = {
    pa.int64(): pd.Int64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.large_string(): pd.StringDtype("pyarrow"),
}


def _column_order(table: Table, pages: Sequence[pa.Table]) -> list[str]:
    """Return added columns first, then the table's own order, then undocumented ones by name."""
    seen = list(dict.fromkeys(name for page in pages for name in page.column_names))
    first = list(ADDED) if "venue" in seen else []
    own = [c.name for c in table.columns if c.name in seen and c.name not in first]
    undocumented = sorted(set(seen) - set(first) - set(own))
    return first + own + undocumented


def _joined(name: str, pages: Sequence[pa.Table]) -> pa.ChunkedArray:
    sent = [page.column(name).type for page in pages if name in page.column_names]
    target = cols.common_type(sent)
    columns = [page.column(name) if name in page.column_names else page.num_rows for page in pages]
    try:
        chunks = [chunk for column in columns for chunk in _as_type(column, target)]
    except pa.ArrowInvalid:  # a whole number beyond what a float holds: keep its digits
        target = cols.TYPES["text"]
        chunks = [chunk for column in columns for chunk in _as_type(column, target)]
    return pa.chunked_array(chunks, target)


def _as_type(column: pa.ChunkedArray | int, target: pa.DataType) -> list[pa.Array]:
    """Return a column's chunks in another type, or so many nulls."""
    if isinstance(column, int):
        return [pa.nulls(column, target)]
    if column.type == target:
        return list(column.chunks)
    if target == cols.TYPES["text"]:
        values = column.to_pylist()
        return [pa.array([None if v is None else cols.text(v) for v in values], target)]
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int64())
    return list(column.cast(target).chunks)


def _in_zone(times: pd.Series[Any], timezone: str) -> pd.Series[Any]:
    if times.dt.tz is not None:
        converted: pd.Series[Any] = times.dt.tz_convert(timezone)
        return converted
    # The hour that a clock change repeats is read as its second run, the one that it skips as
    # the moment it is over; the API gives no way to know better.
    repeated = np.zeros(len(times), dtype=bool)
    aware: pd.Series[Any] = times.dt.tz_localize(
        timezone, ambiguous=repeated, nonexistent="shift_forward"
    )
    return aware
