"""What a table and a column are, and the small notation the definitions are written in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

from clopos_nb import html

if TYPE_CHECKING:
    import pandas as pd

Kind: TypeAlias = Literal[
    "int", "number", "money", "flag", "text", "local", "utc", "ms", "date", "json", "withheld"
]

DTYPES: dict[str, str] = {
    "int": "Int64",
    "number": "float64",
    "money": "float64",  # or an exact decimal, on request
    "flag": "boolean",
    "text": "string",
    "json": "string",  # a list or map of no fixed shape, as compact JSON
    "local": "datetime64[us]",  # written without an offset
    "utc": "datetime64[us, UTC]",  # written with Z
    "ms": "datetime64[us, UTC]",  # written as milliseconds since 1970
    "date": "datetime64[us]",  # a calendar day, at midnight, never shifted between zones
    "withheld": "",  # known, secret (a PIN): kept out of every frame
}

FORMATS: dict[str, str] = {
    "int": "whole number",
    "number": "number",
    "money": "number, in the brand's currency",
    "flag": "true, false, 1 or 0",
    "text": "text",
    "json": "list or map",
    "local": "YYYY-MM-DD HH:MM:SS, no offset",
    "utc": "ISO 8601 with Z",
    "ms": "milliseconds since 1970",
    "date": "YYYY-MM-DD",
    "withheld": "",
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
    known : tuple of str
        The values that the API documents; a server may send others. Empty: anything.
    """

    name: str
    kind: Kind
    path: tuple[str, ...]
    meaning: str
    optional: bool = False
    personal: bool = False
    known: tuple[str, ...] = ()

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
    fields : tuple of Column
        The columns, in the order of the frame.
    limit : int or None
        Largest ``limit`` to ask for; None: the endpoint takes no paging and answers whole.
    dated : bool
        Whether the endpoint takes a date range (on ``created_at``).
    sort : tuple of (str, int) or None
        A stable ascending order that the endpoint documents; walks ask for it.
    sorts : tuple of str
        The fields that the endpoint is documented, or was seen, to sort by.
    scope : "brand" or "venue"
        Whose rows these are: a brand's are the same whichever venue asks.
    key : tuple of str
        What tells rows apart within one venue.
    relations : tuple of str
        What ``with`` has to ask for.
    parent : str or None
        The table that the rows are nested in; its walk is this table's walk.
    nested : tuple of str
        Where in a parent's row this table's rows are; a step may name alternatives, the newest
        spelling first: ``"modificators|receipt_product_modificators"``.
    inherited : tuple of (str, str)
        (column, parent's column) pairs copied down, the keys among them.
    mapped : tuple of (str, str) or None
        (key, value): the nested rows are a map, whose keys and values become these columns.
    tree : str or None
        The field that holds further rows of the same table.
    unread : tuple of str
        Fields of the row that other tables hold.
    parameters : tuple of str
        Filters that the endpoint takes as plain query parameters.
    per : str or None
        The parameter in ``path``: the endpoint answers for one of it at a time, and the filter of
        that name says for which.
    hoisted : str or None
        An object in the row whose fields count as the row's own, where it has none of that name.
    inferred : bool
        The API documents no fields: the columns are what the server sends.
    server_filters : tuple of str
        Filters that only the server can apply: on something that is not a column, or not by
        equality.
    """

    name: str
    path: str
    meaning: str
    fields: tuple[Column, ...]
    limit: int | None = None
    dated: bool = False
    sort: tuple[str, int] | None = None
    sorts: tuple[str, ...] = ()
    scope: Literal["brand", "venue"] = "brand"
    key: tuple[str, ...] = ("id",)
    relations: tuple[str, ...] = ()
    parent: str | None = None
    nested: tuple[str, ...] = ()
    inherited: tuple[tuple[str, str], ...] = ()
    mapped: tuple[str, str] | None = None
    per: str | None = None
    hoisted: str | None = None
    inferred: bool = False
    tree: str | None = None
    unread: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    server_filters: tuple[str, ...] = ()
    by_name: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __repr__(self) -> str:
        shown = ", ".join(column.name for column in self.fields if not column.optional)
        return f"Table({self.name!r}: {shown})"

    def _repr_html_(self) -> str:
        rows = [
            [
                column.name,
                column.dtype,
                column.meaning,
                ", ".join(column.known),
                "if sent" if column.optional else "",
            ]
            for column in self.shown
        ]
        head = html.card(f"{self.name}: {self.meaning}", self.facts)
        return head + html.table(["column", "dtype", "meaning", "values", ""], rows)

    @property
    def facts(self) -> dict[str, str]:
        """Where the rows come from and what can be asked, in words; only what there is."""
        checked = sorted(self.filterable - set(self.server_filters))
        told = {
            "from": f"GET {self.path}",
            "within": f"{self.parent}, in {'.'.join(self.nested).replace('|', ' or ')}"
            if self.parent
            else "",
            "belongs to": "a venue" if self.scope == "venue" else "the brand",
            "key": ", ".join(self.key),
            "days": "on created_at, both inclusive" if self.dated else "",
            "rows a request": f"up to {self.limit}" if self.limit else "all",
            "read in order of": self.sort[0] if self.sort else "",
            "can sort by": ", ".join(self.sorts),
            "asked with": ", ".join(self.relations),
            "filters": f"those of {self.parent}" if self.parent else "",
            "filters, checked again here": "" if self.parent else ", ".join(checked),
            "filters that only the server applies": ", ".join(self.server_filters),
            "columns": "what the server sends" if self.inferred else "",
        }
        return {name: text for name, text in told.items() if text}

    @property
    def shown(self) -> list[Column]:
        """The columns that a frame may have."""
        return [column for column in self.fields if column.kind != "withheld"]

    @property
    def columns(self) -> pd.DataFrame:
        """The columns as a DataFrame, a row each.

        Columns ``column``, ``dtype``, ``meaning``, ``format`` (how the API writes it), ``values``
        (the documented ones), ``optional`` (only there when the server sends it), ``personal``.

        Examples
        --------
        >>> from clopos_nb.tables import CATALOGUE
        >>> columns = CATALOGUE["receipts"].columns
        >>> columns.set_index("column").loc["shift_date", "dtype"]
        'datetime64[us]'
        """
        import pandas as pd

        return pd.DataFrame(
            {
                "column": [column.name for column in self.shown],
                "dtype": [column.dtype for column in self.shown],
                "meaning": [column.meaning for column in self.shown],
                "format": [FORMATS[column.kind] for column in self.shown],
                "values": [", ".join(column.known) for column in self.shown],
                "optional": [column.optional for column in self.shown],
                "personal": [column.personal for column in self.shown],
            }
        )

    def __post_init__(self) -> None:
        by_name = {column.name: column for column in self.fields}
        if len(by_name) != len(self.fields):
            message = f"{self.name}: two columns of one name"
            raise ValueError(message)
        object.__setattr__(self, "by_name", by_name)

    @property
    def filterable(self) -> set[str]:
        """Return the names that ``filters=`` takes: the row's own fields, and the server's."""
        own = {
            c.path[0]
            for c in self.fields
            if len(c.path) == 1 and c.kind not in ("json", "withheld")
        }
        per = {self.per} if self.per else set()
        return own | per | set(self.parameters) | set(self.server_filters)


def child_of(parent: Table, **own: Any) -> Table:
    """Return a table nested in the rows of another one, which is asked for as its parent is."""
    return Table(
        path=parent.path,
        limit=parent.limit,
        dated=parent.dated,
        sort=parent.sort,
        sorts=parent.sorts,
        scope=parent.scope,
        parent=parent.name,
        **own,
    )


_LINE = re.compile(
    r"(?:(?P<name>\w+) = )?(?P<path>[\w.]+)\s+(?P<kind>[a-z]+)(?P<personal>\*?)"
    r"(?:\s+\{(?P<values>[^}]*)\})?(?:\s+(?P<meaning>.+))?"
)


def columns(text: str, *, inherited: tuple[Column, ...] = ()) -> tuple[Column, ...]:
    """Read the notation of the definitions: a column a line.

    A line is ``[name =] path kind[*] [{value, value}] meaning``. A ``*`` marks what is personal;
    lines below ``optional:`` are columns that appear only when the
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
                known=tuple((match["values"] or "").replace(",", " ").split()),
            )
        )
    return tuple(found)
