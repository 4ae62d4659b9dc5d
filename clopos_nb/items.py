"""The rows of a page as Python objects: structs of the documented fields, or plain dicts.

A :class:`Shape` says which tables are wanted of one list endpoint. From it a struct type is made
that holds exactly what the catalogue documents, so that msgspec reads a page of such rows straight
from its bytes. A page with anything else in it is read as dicts instead, which hold everything.
"""

from __future__ import annotations

import contextlib
import functools
import gc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import attrgetter
from typing import Any, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from clopos_nb import errors
from clopos_nb.tables import CATALOGUE
from clopos_nb.tables.model import Column, Table
from clopos_nb.wire import Envelope

DEEPEST = 100  # levels of a tree

Row: TypeAlias = dict[str, Any]
Node: TypeAlias = "dict[str, Column | Node | None]"


class Item(msgspec.Struct):
    """One row of documented fields; asked like a dict, so that callers need not know which it is.

    A field that was not sent is UNSET, and reads as None.
    """

    def get(self, name: str) -> Any:
        """Return a field's value; None when there is none."""
        value = getattr(self, name, None)
        return None if value is UNSET else value

    def __contains__(self, name: str) -> bool:
        return getattr(self, name, UNSET) is not UNSET

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


Items: TypeAlias = list[Any]  # of Row, or of Item


def values_of(items: Sequence[Row | Item], name: str) -> list[Any]:
    """Return a field of each row of one page, None where there is none.

    Examples
    --------
    >>> from clopos_nb.items import values_of
    >>> values_of([{"id": 7}, {}], "id")
    [7, None]
    """
    if not items or not isinstance(items[0], Item):
        return [item.get(name) for item in items]
    if name not in items[0].__struct_fields__:
        return [None] * len(items)
    return [None if value is UNSET else value for value in map(attrgetter(name), items)]


@contextlib.contextmanager
def no_collection() -> Iterator[None]:
    """Put off the cyclic garbage collection, for the milliseconds that a page takes.

    A page is thousands of objects without a cycle, which make the collector look through all that
    the process holds: a fifth of the time of a long read.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


# ------------------------------------------------------------------------------ shapes


@dataclass(frozen=True)
class Shape:
    """A table, whether it is wanted, and the tables nested in its rows that are.

    Examples
    --------
    >>> from clopos_nb.items import shape_of
    >>> from clopos_nb.tables import CATALOGUE
    >>> shape = shape_of((CATALOGUE["receipt_products"],))
    >>> shape.table.name, shape.wanted, [child.table.name for child in shape.children]
    ('receipts', False, ['receipt_products'])
    """

    table: Table
    wanted: bool
    children: tuple[Shape, ...] = ()

    @property
    def typed(self) -> bool:
        """Whether rows of this shape can be read as structs."""
        table = self.table
        plain = not (table.tree or table.inferred or table.mapped or table.hoisted)
        return plain and all(child.typed for child in self.children)


def parent_of(table: Table) -> Table | None:
    """Return the table that another one is nested in."""
    return CATALOGUE[table.parent] if table.parent else None


def source_of(table: Table) -> Table:
    """Return the table whose rows the endpoint lists: the topmost parent."""
    while above := parent_of(table):
        table = above
    return table


def shape_of(tables: Sequence[Table]) -> Shape:
    """Return the shape of tables that one walk reads."""
    names = {table.name: table for table in tables}
    for table in tables:
        while above := parent_of(table):
            names.setdefault(above.name, table := above)
    wanted = {table.name for table in tables}

    def below(table: Table) -> Shape:
        inside = [below(each) for each in names.values() if each.parent == table.name]
        return Shape(table, table.name in wanted, tuple(inside))

    return below(source_of(tables[0]))


# -------------------------------------------------------------------------- plain dicts


def field_tree(table: Table) -> Node:
    """Return the columns as a tree of field names; None marks what another table holds."""
    root: Node = {}
    for column in table.fields:
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


def flattened(items: Sequence[Row], inside: str, above: Sequence[str] = ()) -> Iterator[Row]:
    """Yield items and, after each, the items inside it, with ``path``: the names down to it."""
    if len(above) > DEEPEST:
        message = "The rows of the answer are nested too deeply to be a tree of categories"
        raise errors.ResponseError(message)
    for item in items:
        path = [*above, str(item.get("name") or item.get("id"))]
        yield {**item, "path": " / ".join(path)}
        children = item.get(inside)
        if isinstance(children, list):
            rows = [child for child in children if isinstance(child, dict)]
            yield from flattened(rows, inside, path)


def nested_rows(table: Table, parents: Sequence[Row]) -> tuple[list[Row], list[Any]]:
    """Return the rows of a child table, and what stood in their place and is no row.

    The latter become rows of their own, with a field ``value``, and a ``line`` of the server's own
    is ``line_``: nothing is lost.
    """
    rows: list[Row] = []
    odd = []
    for parent in parents:
        context = {name: parent.get(source) for name, source in table.inherited}
        for line, row in enumerate(_listed(_inside(parent, table.nested), table.mapped), start=1):
            if not isinstance(row, dict):
                odd.append(row)
                row = {"value": row}
            if table.hoisted:
                row = _hoisted(row, table.hoisted)
            if "line" in row:
                row = {**row, "line_": row["line"]}
            rows.append({**row, "line": line, **context})
    return rows, odd


def _hoisted(row: Row, inner: str) -> Row:
    """Return a row with the fields of an object in it, but for those whose names it has itself."""
    if not isinstance(row.get(inner), dict):
        return row
    kept = {k: v for k, v in row[inner].items() if k in row}
    above = {k: v for k, v in row[inner].items() if k not in row}
    return above | {k: v for k, v in row.items() if k != inner} | ({inner: kept} if kept else {})


def _inside(row: Row, steps: Sequence[str]) -> Any:
    found: Any = row
    for step in steps:
        names = [
            name
            for name in step.split("|")
            if isinstance(found, dict) and found.get(name) not in (None, "", [], {})
        ]
        found = found[names[0]] if names else None
    return found


def _listed(nested: Any, mapped: tuple[str, str] | None) -> list[Any]:
    """Return a list; PHP writes one with gaps as an object with numbers for keys."""
    if mapped is not None and isinstance(nested, dict):
        return [dict(zip(mapped, pair, strict=True)) for pair in nested.items()]
    if isinstance(nested, dict) and all(key.isdecimal() for key in nested):
        return list(nested.values())
    if nested is None:
        return []
    return nested if isinstance(nested, list) else [nested]


# ------------------------------------------------------------------------------ structs


Path: TypeAlias = tuple[str, ...]


@dataclass(frozen=True)
class Typed:
    """How the rows of one table, or an object inside them, are read as structs.

    ``fields`` are in the order of the struct: (key, what it is), and that is a column, an object, a
    child table, or None for what is not read. ``children`` are how the latter are read, by key.
    """

    struct: type[Item]
    fields: tuple[tuple[str, Column | Typed | Shape | None], ...]
    children: dict[str, Typed]

    @functools.cached_property
    def empty(self) -> Item:
        """The object that stands for null."""
        return self.struct()

    def unsent(self, items: Sequence[Item], at: Path = ()) -> Iterator[Path]:
        """Yield where no item has anything; of tables without rows nothing is known."""
        for key, what in self.fields:
            values = [value for item in items if (value := getattr(item, key)) is not UNSET]
            if not values and items:
                yield (*at, key)
            elif isinstance(what, Typed):
                yield from what.unsent([value for value in values if value], (*at, key))
            elif isinstance(what, Shape):
                rows = [row for value in values for row in value or ()]
                yield from self.children[key].unsent(rows, (*at, key))


_TYPES: dict[str, Any] = {
    "int": int | None | UnsetType,
    "number": int | float | None | UnsetType,
    "money": int | float | None | UnsetType,
    "exact": Decimal | None | UnsetType,
    "flag": bool | int | None | UnsetType,
    "text": str | None | UnsetType,
    "local": str | None | UnsetType,
    "utc": str | None | UnsetType,
    "date": str | None | UnsetType,
}


class Reader:
    """Reads page after page of one shape as structs.

    The first page shows which of the documented fields the server sends; the structs of the next
    ones have no place for the others, which makes them twice as fast, and a page that has one of
    them after all is read with a place for each.

    Examples
    --------
    >>> from clopos_nb.items import Reader, shape_of
    >>> from clopos_nb.tables import CATALOGUE
    >>> reader = Reader(shape_of((CATALOGUE["stop_list"],)))
    >>> [item] = reader.read(b'{"data": [{"id": 7, "limit": 0.5}]}').data
    >>> item.get("limit"), reader.read(b'{"data": [{"id": 7, "surprise": 1}]}')
    (0.5, None)
    """

    def __init__(self, shape: Shape, exact: bool = False) -> None:
        self._shape = shape
        self._exact = exact
        self._unsent: frozenset[Path] | None = None

    @no_collection()
    def read(self, body: bytes) -> Envelope | None:
        """Return an answer, ``data`` as items; None when any row is not as documented."""
        if not self._shape.typed:
            return None
        if self._unsent is not None:
            found = _decoded(body, self._shape, self._exact, self._unsent)
            if found is not None:
                return found
        found = _decoded(body, self._shape, self._exact, frozenset())
        if found and found.data:
            items: Any = found.data
            self._unsent = frozenset(reader_of(items[0]).unsent(items))
        return found


def _decoded(body: bytes, shape: Shape, exact: bool, unsent: frozenset[Path]) -> Envelope | None:
    try:
        found: Envelope = _decoder(shape, exact, unsent).decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError):
        return None
    return found


_READERS: dict[type[Item], Typed] = {}


def reader_of(item: Item) -> Typed:
    """Return how an item was read."""
    return _READERS[type(item)]


@functools.lru_cache(maxsize=256)
def _decoder(shape: Shape, exact: bool, unsent: frozenset[Path]) -> msgspec.json.Decoder[Any]:
    root: Any = _typed(shape, exact, unsent, ())
    _READERS[root.struct] = root
    rows: Any = list[root.struct]
    envelope: Any = msgspec.defstruct(
        "Envelope", [("data", rows | UnsetType, UNSET)], bases=(Envelope,)
    )
    return msgspec.json.Decoder(envelope)


def _typed(shape: Shape, exact: bool, unsent: frozenset[Path], at: Path) -> Typed:
    given = [name for name, _ in shape.table.inherited]
    tree = field_tree(shape.table) | dict.fromkeys(given)  # ours; the server may send its own
    if shape.table.parent:
        tree.pop("line")  # ours too; a row with its own is read as a dict, which keeps both
    below = {
        tuple(step.split("|")[0] for step in child.table.nested): child for child in shape.children
    }
    return _structs(tree, below, exact, unsent, at)


def _structs(
    tree: Node, below: dict[Path, Shape], exact: bool, unsent: frozenset[Path], at: Path
) -> Typed:
    inside = {path[0]: {path[1:]: shape} for path, shape in below.items()}
    fields: list[tuple[str, Any, Any]] = []  # key, type, what it is
    children: dict[str, Typed] = {}
    for key in dict.fromkeys([*tree, *inside]):
        node, deeper, here = tree.get(key), inside.get(key, {}), (*at, key)
        if here in unsent:
            continue
        if () in deeper:
            children[key] = _typed(deeper[()], exact, unsent, here)
            struct: Any = children[key].struct
            rows: Any = list[struct]
            fields.append((key, rows | None | UnsetType, deeper[()]))
        elif isinstance(node, dict):
            part = _structs(node, deeper, exact, unsent, here)
            fields.append((key, part.struct | None | UnsetType, part))
        elif node is None or node.kind == "withheld":
            fields.append((key, msgspec.Raw | UnsetType, None))
        else:
            kind = "exact" if exact and node.kind == "money" else node.kind
            fields.append((key, _TYPES.get(kind, Any), node))
    made: Any = msgspec.defstruct(
        "_".join(at) or "row",
        [(key, kind, UNSET) for key, kind, _ in fields],
        bases=(Item,),
        forbid_unknown_fields=True,
        gc=False,
    )
    return Typed(made, tuple((key, what) for key, _, what in fields), children)
