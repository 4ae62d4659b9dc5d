"""The rows of one page into Arrow tables, those of every wanted table in one pass.

Rows that came as structs go column by column with no look at each value. Dicts take the generic
way, which finds what is not documented: it becomes a further column and is noted in the drift. Both
ways end in :func:`clopos_nb.columns.array`, and give the same tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import chain
from typing import Any, TypeAlias

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import UNSET

from clopos_nb import columns as cols
from clopos_nb import errors
from clopos_nb.columns import Dtypes
from clopos_nb.drift import Drift, described
from clopos_nb.items import (
    Item,
    Items,
    Node,
    Row,
    Shape,
    Typed,
    field_tree,
    nested_rows,
    no_collection,
    reader_of,
)
from clopos_nb.tables.model import Column, Table

Tables: TypeAlias = dict[str, pa.Table]

CLOSE = 128  # rows turned into columns at a time: what the processor holds near
MOST_COLUMNS = 1_000  # undocumented ones of one reading
MOST_CELLS = 10_000_000  # of them in one page
ADDED = ("venue_id", "venue")  # what a frame of several venues begins with


@dataclass
class Decoding:
    """What goes with every page of a walk: the shape, the dtypes, and where to note drift."""

    shape: Shape
    drift: Drift = field(default_factory=Drift)
    dtypes: Dtypes = field(default_factory=Dtypes)
    strange: set[tuple[str, str]] = field(default_factory=set)  # undocumented columns so far
    stamp: str | None = None  # a column for what each row of the source is in one number


@no_collection()
def decode(ask: Decoding, items: Items, page: int = 1) -> Tables:
    """Return the wanted tables of one page.

    Parameters
    ----------
    ask : Decoding
    items : list of dict, or of Item as :func:`clopos_nb.items.read_typed` gives them
        Rows of the list endpoint, a tree of them flattened.
    page : int
        Which page it is, for the drift.

    Returns
    -------
    dict of str to pyarrow.Table
        All declared columns, the optional ones that were sent, then undocumented ones.

    Raises
    ------
    ResponseError
        More undocumented fields, or deeper ones, than any table has.
    """
    try:
        return _decoded(ask, items, page)
    except RecursionError:
        message = f"A row of {ask.shape.table.name} is nested too deeply to be read"
        raise errors.ResponseError(message) from None


def _decoded(ask: Decoding, items: Items, page: int) -> Tables:
    found: Tables = {}
    if items and isinstance(items[0], Item):
        reading = _Structs(ask, page, found)
        reading.table(ask.shape, reader_of(items[0]), items, {})
    else:
        _Dicts(ask, page, found).table(ask.shape, items)
    if ask.stamp:
        name = ask.shape.table.name
        found[name] = found[name].append_column(ask.stamp, pa.array(map(_stamp, items), pa.int64()))
    return found


def decode_together(ask: Decoding, pages: Sequence[tuple[Items, int]]) -> list[Tables]:
    """Return the tables of neighbouring pages: of all at once, which costs less than of each.

    Where anything is to be noted as drift, it is of each, which tells the page that had it.

    Parameters
    ----------
    ask : Decoding
    pages : sequence of (items, page)
        As for :func:`decode`, all read in one way.

    Returns
    -------
    list of dict of str to pyarrow.Table
        One for all, or one a page.
    """
    quiet = replace(ask, drift=Drift())
    together = decode(quiet, list(chain.from_iterable(items for items, _ in pages)))
    return [decode(ask, *page) for page in pages] if quiet.drift else [together]


def _stamp(item: Row | Item) -> int:
    """Return a number that another row, or one whose children differ, does not have."""
    try:
        written = msgspec.msgpack.encode(item)
    except OverflowError:  # a whole number of more than 64 bits
        written = msgspec.json.encode(item)
    text = blake2b(written, digest_size=8).digest()
    return int.from_bytes(text, signed=True)


def raw_rows(shape: Shape, items: Sequence[Row]) -> list[Row]:
    """Return the one wanted table's rows as dicts, with their parent's keys."""
    rows = list(items)
    while not shape.wanted:
        (shape,) = shape.children
        rows, _ = nested_rows(shape.table, rows)
    return rows


# ----------------------------------------------------------------------------- columns


@dataclass
class _Page:
    """The columns of one table of a page, as they are found."""

    ask: Decoding
    page: int
    of: Table
    found: dict[str, pa.Array] = field(default_factory=dict)

    def take(self, column: Column, values: Sequence[Any], *, checked: bool = False) -> None:
        """Add a declared column."""
        array, misfit = cols.array(values, column.kind, self.ask.dtypes, checked=checked)
        self.found[column.name] = array
        if misfit is not None:
            self.note(column.name, f"not {column.kind}", misfit, personal=column.personal)
        if column.known:
            for sent in pc.value_counts(array).to_pylist():
                value, count = sent["values"], sent["counts"]
                if value is not None and str(value) not in column.known:
                    what = f"unknown value {described(value, personal=column.personal)}"
                    self.note(column.name, what, value, count=count, personal=column.personal)

    def undocumented(self, name: str, values: Sequence[Any]) -> None:
        """Add a column that no page documents, under a name that is free."""
        while name in self.found or name in self.of.by_name or name in ADDED:
            name += "_"
        self.ask.strange.add((self.of.name, name))
        if len(self.ask.strange) > MOST_COLUMNS:
            message = (
                f"{self.of.name} came with more than {MOST_COLUMNS} fields that no page documents; "
                "a server that calls them anew in each row sends no table"
            )
            raise errors.ResponseError(message)
        self.found[name] = cols.inferred(values)
        sent = [v for v in values if v is not None]
        if not self.of.inferred:
            self.note(name, "undocumented", sent[0] if sent else None, count=len(sent))

    def note(self, name: str, what: str, example: Any, **more: Any) -> None:
        self.ask.drift.note(self.of.name, name, what, example, page=self.page, **more)

    def arrow(self) -> pa.Table:
        order = [column.name for column in self.of.fields if column.name in self.found]
        order += [name for name in self.found if name not in self.of.by_name]
        return pa.table({name: self.found[name] for name in order})


# -------------------------------------------------------------------------- from dicts


@dataclass
class _Dicts:
    """Reads rows that may hold anything."""

    ask: Decoding
    page: int
    into: Tables

    def table(self, shape: Shape, rows: Sequence[Row]) -> None:
        """Decode a table's rows, where wanted, and those nested in them."""
        if shape.wanted:
            page = _Page(self.ask, self.page, shape.table)
            self.node(page, field_tree(shape.table), rows, "")
            self.into[shape.table.name] = page.arrow()
        for child in shape.children:
            inside, odd = nested_rows(child.table, rows)
            if odd:
                where, what = ".".join(child.table.nested), "not a list of objects"
                self.ask.drift.note(
                    child.table.name, where, what, odd[0], count=len(odd), page=self.page
                )
            self.table(child, inside)

    def node(self, page: _Page, node: Node, rows: Sequence[Row], prefix: str) -> None:
        """Take the columns of a node, and what it does not name, out of the rows."""
        keys = set().union(*rows) if rows else set()
        for key, inner in node.items():
            if inner is None:
                continue
            values = [row.get(key) for row in rows]
            if isinstance(inner, Column):
                if inner.kind != "withheld" and (key in keys or not inner.optional):
                    page.take(inner, values)
                continue
            odd = [None if isinstance(v, dict) or v == [] else v for v in values]
            if any(v is not None for v in odd):  # an object was documented, something else came
                page.undocumented(f"{prefix}{key}", odd)
            self.node(page, inner, [_object(v) for v in values], f"{prefix}{key}_")
        unnamed = sorted(keys - node.keys())
        if len(unnamed) * len(rows) > MOST_CELLS:
            message = f"{page.of.name} came with too many fields that no page documents"
            raise errors.ResponseError(message)
        for key in unnamed:
            values = [row.get(key) for row in rows]
            if page.of.inferred and all(v is None or isinstance(v, dict) for v in values):
                self.node(page, {}, [_object(v) for v in values], f"{prefix}{key}_")
            else:
                page.undocumented(f"{prefix}{key}", values)


def _object(value: Any) -> Row:
    return value if isinstance(value, dict) else {}


# ------------------------------------------------------------------------ from structs


@dataclass
class _Structs:
    """Reads rows that msgspec has checked already."""

    ask: Decoding
    page: int
    into: Tables

    def table(
        self,
        shape: Shape,
        reader: Typed,
        items: Sequence[Item],
        inherited: Mapping[str, pa.Array],
    ) -> None:
        """Decode a table's rows, where wanted, and those nested in them."""
        page = _Page(self.ask, self.page, shape.table, dict(inherited))
        passed_on = {source for child in shape.children for _, source in child.table.inherited}
        lists = list(self.node(page, reader, items, None if shape.wanted else passed_on))
        for child, inside, nested in lists:
            counts = np.fromiter((len(rows or ()) for rows in nested), np.int64, len(items))
            rows = list(chain.from_iterable(filter(None, nested)))
            context = {"line": _counting(counts)} if "line" in child.table.by_name else {}
            parents = pa.array(np.repeat(np.arange(len(items)), counts))
            for name, source in child.table.inherited:
                if source in page.found:
                    context[name] = page.found[source].take(parents)
            self.table(child, inside, rows, context)
        if shape.wanted:
            self.into[shape.table.name] = page.arrow()

    def node(
        self, page: _Page, reader: Typed, items: Sequence[Item], only: set[str] | None
    ) -> Iterator[tuple[Shape, Typed, Sequence[Any]]]:
        """Take the columns of an object; yield the tables that are nested in it."""
        for (key, what), values in zip(reader.fields, _by_field(reader, items), strict=True):
            if isinstance(what, Shape):
                yield what, reader.children[key], values
            elif isinstance(what, Typed):
                inner = [value or what.empty for value in values]
                yield from self.node(page, what, inner, only)
            elif what is not None and (only is None or what.name in only):
                self.column(page, what, values)

    def column(self, page: _Page, column: Column, values: Sequence[Any]) -> None:
        if values and values[0] is UNSET and values.count(UNSET) == len(values):
            if column.optional:
                return
            values = [None] * len(values)
        elif not values and column.optional:
            return
        page.take(column, values, checked=True)


def _by_field(reader: Typed, items: Sequence[Item]) -> list[list[Any]]:
    """Return the values of each field, turned a few rows at a time."""
    fields: list[list[Any]] = [[] for _ in reader.fields]
    for at in range(0, len(items), CLOSE):
        rows = map(msgspec.structs.astuple, items[at : at + CLOSE])
        for values, more in zip(fields, zip(*rows, strict=True), strict=True):
            values += more
    return fields


def _counting(counts: np.ndarray[Any, Any]) -> pa.Array:
    """Return 1, 2, ... for each of so many rows."""
    begins = np.repeat(np.cumsum(counts) - counts, counts)
    return pa.array(np.arange(counts.sum()) - begins + 1)
