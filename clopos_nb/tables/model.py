"""What a table and a column are, and the small notation the definitions are written in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from clopos_nb import html

Kind: TypeAlias = Literal[
    "int", "number", "flag", "text", "local", "utc", "ms", "date", "json", "withheld"
]

DTYPES: dict[str, str] = {
    "int": "Int64",
    "number": "float64",
    "flag": "boolean",
    "text": "string",
    "json": "string",  # a list or map of no fixed shape, as compact JSON
    "local": "datetime64[us]",  # written without an offset
    "utc": "datetime64[us, UTC]",  # written with Z
    "ms": "datetime64[us, UTC]",  # written as milliseconds since 1970
    "date": "datetime64[us]",  # a calendar day, at midnight, never shifted between zones
    "withheld": "",  # known, secret (a PIN): kept out of every frame
}


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : str
        The API's own name; a nested field is spelt ``parent_child``.
    kind : str
        How the API writes it, which decides the dtype (see :data:`DTYPES`).
    path : tuple of str
        Where it is in a row.
    meaning : str
        One line for people.
    optional : bool
        Only present when the server sends it: older or undocumented today, seen in recordings.
    personal : bool
        May hold something about a person.
    """

    name: str
    kind: Kind
    path: tuple[str, ...]
    meaning: str
    optional: bool = False
    personal: bool = False

    @property
    def dtype(self) -> str:
        """Return the pandas dtype when no time zone was chosen."""
        return DTYPES[self.kind]


@dataclass(frozen=True, repr=False)
class Table:
    """One table: where its rows come from, and its columns.

    Attributes
    ----------
    name, path : str
        The name in ``frame(name)`` and the path of the list endpoint.
    meaning : str
        One line for people.
    columns : tuple of Column
        In the order of the frame.
    limit : int or None
        Largest ``limit`` to ask for; None: the endpoint takes no paging and answers whole.
    dated : bool
        Whether the endpoint takes a date range (on ``created_at``).
    sort : tuple of (str, int) or None
        A stable ascending order that the endpoint documents.
    scope : "brand" or "venue"
        Whose rows these are: a brand's are the same whichever venue asks.
    key : tuple of str
        What tells rows apart within one venue.
    relations : tuple of str
        What ``with`` has to ask for.
    parent : str or None
        The table that the rows are nested in; its walk is this table's walk.
    nested : tuple of str
        Where in a parent's row this table's rows are.
    inherited : tuple of (str, str)
        (column, parent's field) pairs copied down, the keys among them.
    tree : str or None
        The field that holds further rows of the same table.
    unread : tuple of str
        Fields of the row that other tables hold.
    parameters : tuple of str
        Filters that the endpoint takes as plain query parameters.
    server_filters : tuple of str
        Filters that only the server can apply: on something that is not a column, or not by
        equality.
    """

    name: str
    path: str
    meaning: str
    columns: tuple[Column, ...]
    limit: int | None = None
    dated: bool = False
    sort: tuple[str, int] | None = None
    scope: Literal["brand", "venue"] = "brand"
    key: tuple[str, ...] = ("id",)
    relations: tuple[str, ...] = ()
    parent: str | None = None
    nested: tuple[str, ...] = ()
    inherited: tuple[tuple[str, str], ...] = ()
    tree: str | None = None
    unread: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    server_filters: tuple[str, ...] = ()
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __repr__(self) -> str:
        shown = ", ".join(column.name for column in self.columns if not column.optional)
        return f"Table({self.name!r}: {shown})"

    def _repr_html_(self) -> str:
        rows = [
            [column.name, column.dtype, column.meaning, "if sent" if column.optional else ""]
            for column in self.columns
            if column.kind != "withheld"
        ]
        return html.table(["column", "dtype", "meaning", ""], rows)

    def __post_init__(self) -> None:
        by_name = {column.name: column for column in self.columns}
        if len(by_name) != len(self.columns):
            message = f"{self.name}: two columns of one name"
            raise ValueError(message)
        object.__setattr__(self, "by_name", by_name)

    @property
    def filterable(self) -> set[str]:
        """Return the names that ``filters=`` takes: the row's own fields, and the server's."""
        own = {
            c.path[0]
            for c in self.columns
            if len(c.path) == 1 and c.kind not in ("json", "withheld")
        }
        return own | set(self.parameters) | set(self.server_filters)


_LINE = re.compile(
    r"(?:(?P<name>\w+) = )?(?P<path>[\w.]+)\s+(?P<kind>[a-z]+)(?P<personal>\*?)"
    r"(?:\s+(?P<meaning>.+))?"
)


def columns(text: str, *, inherited: tuple[Column, ...] = ()) -> tuple[Column, ...]:
    """Read the notation of the definitions: a column a line, ``[name =] path kind[*] meaning``.

    A ``*`` marks what is personal; lines below ``optional:`` are columns that appear only when the
    server sends them.
    """
    found = list(inherited)
    optional = False
    for line in filter(None, map(str.strip, text.splitlines())):
        if line == "optional:":
            optional = True
            continue
        match = _LINE.fullmatch(line)
        if match is None or match["kind"] not in get_args(Kind):
            message = f"not a column definition: {line!r}"
            raise ValueError(message)
        path = tuple(match["path"].split("."))
        found.append(
            Column(
                name=match["name"] or "_".join(path),
                kind=match["kind"],  # type: ignore[arg-type]  # checked above
                path=path,
                meaning=match["meaning"] or "",
                optional=optional,
                personal=bool(match["personal"]),
            )
        )
    return tuple(found)
