"""What is asked of one list endpoint: checked before it is sent, and on what arrives."""

from __future__ import annotations

import datetime as dt
import functools
import numbers
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias
from urllib.parse import quote

from clopos_nb import errors, wire
from clopos_nb.items import Item, Items, Row, Shape, flattened, shape_of, values_of
from clopos_nb.tables import Table, close_names
from clopos_nb.walks import Walk

DayRange: TypeAlias = tuple[dt.date, dt.date]
Day: TypeAlias = Literal["created_at", "shift_date"]


@dataclass
class Place:
    """Whose rows: a venue, or the brand as a whole when ``id`` is None."""

    id: int | None
    name: str | None = None


@dataclass(frozen=True)
class Question:
    """Which tables of one list endpoint to read, and which of its rows.

    Raises
    ------
    ConfigError
        Days for a table that takes none, a filter nobody knows, a limit that is not a number.
    """

    tables: tuple[Table, ...]
    days: DayRange | None = None
    day: Day = "created_at"
    filters: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None
    size: int | None = None  # rows a page; None: as many as the endpoint gives
    sort: tuple[str, int] | None = None  # None: the table's own order

    def __post_init__(self) -> None:
        if self.days and not self.source.dated:
            message = f"{self.name} takes no days; leave start and end out"
            raise errors.ConfigError(message)
        if self.day not in ("created_at", "shift_date"):
            message = f"day is {self.day!r}; expected 'created_at' or 'shift_date'"
            raise errors.ConfigError(message)
        if self.day == "shift_date" and "shift_date" not in self.source.by_name:
            message = f"{self.name} has no business day; leave day out"
            raise errors.ConfigError(message)
        if self.limit is not None and (
            not isinstance(self.limit, numbers.Integral)
            or isinstance(self.limit, bool)
            or self.limit < 1
        ):
            message = f"limit is {self.limit!r}; expected a number of rows, 1 or more"
            raise errors.ConfigError(message)
        self._check_filters()

    def _check_filters(self) -> None:
        known = self.source.filterable
        if not self.source.inferred and (unknown := [f for f in self.filters if f not in known]):
            there_are = close_names(unknown[0], sorted(known))
            message = f"{self.name} has no filter {unknown[0]!r}; {there_are}"
            raise errors.ConfigError(message)
        if (per := self.source.per) and per not in self.filters:
            message = (
                f"{self.name} are read one {per} at a time; say which, as in "
                f"filters={{{per!r}: [1, 2]}}"
            )
            raise errors.ConfigError(message)

    @property
    def name(self) -> str:
        """The name of the table, or the first of them."""
        return self.tables[0].name

    @functools.cached_property
    def shape(self) -> Shape:
        """The tables as a tree, from the one whose rows the endpoint lists."""
        return shape_of(self.tables)

    @property
    def source(self) -> Table:
        """The table whose rows the endpoint lists: the topmost parent."""
        return self.shape.table

    # -- what to send

    def walk(self) -> Walk:
        """Return a walk of the source, at its beginning."""
        source = self.source
        parts = len(self._parts) if source.per else 1
        return Walk(source.key[0], paged=source.limit is not None, parts=parts, tree=source.tree)

    @property
    def _parts(self) -> list[Any]:
        """The values of the parameter in the path: one request each."""
        wanted = self.filters[str(self.source.per)]
        return wanted if isinstance(wanted, list) else [wanted]

    def path(self, page: int) -> str:
        """Return where a page is."""
        if self.source.per:
            value = quote(str(self._parts[page - 1]), safe="")
            return self.source.path.format(**{self.source.per: value})
        return self.source.path

    def query(self, page: int) -> list[tuple[str, str]]:
        """Return the query of one page."""
        source = self.source
        # A plain parameter takes one value; several go out as a filter, and are checked here too.
        plain = {
            name: value
            for name, value in self.filters.items()
            if name in source.parameters and not isinstance(value, list)
        }
        filters = {k: v for k, v in self.filters.items() if k not in plain and k != source.per}
        if source.limit is None:
            return wire.brackets(plain) + wire.list_query(filters=filters)
        size = source.limit
        untrimmed = self.day == "created_at" and not self.filters and self.tables == (source,)
        if self.limit is not None and untrimmed:
            size = min(size, int(self.limit))
        if self.size is not None:
            size = min(size, self.size)
        return wire.brackets(plain) + wire.list_query(
            page=page,
            limit=size,
            sort=self.sort or source.sort,
            days=self.asked_days(),
            relations=list(dict.fromkeys(r for table in self.tables for r in table.relations)),
            filters=filters,
        )

    def asked_days(self) -> tuple[dt.date | None, dt.date | None]:
        """Return the days to ask for, both None without any; wider than business days."""
        if not self.days:
            return None, None
        first, last = self.days
        if self.day == "created_at":
            return first, last
        # The range is on created_at; a business day may begin a day earlier or end a day later.
        one = dt.timedelta(days=1)
        return max(first, dt.date.min + one) - one, min(last, dt.date.max - one) + one

    # -- what arrived

    def select(self, items: Items) -> tuple[Items, Counter[str]]:
        """Return the wanted rows of a page, a tree of them flattened, and why others are not.

        A server may ignore a filter (its name counts the rows) or the days ("date"), and business
        days are asked for wider than wanted ("shift_date").
        """
        if self.source.tree:
            items = list(flattened(items, self.source.tree))
        trimmed = self.days and self.day == "shift_date"
        if not self.filters and not trimmed and not self._strays(items):
            return items, Counter()
        wanted: Items = []
        others: Counter[str] = Counter()
        for item in items:
            if why := self._unwanted(item):
                others[why] += 1
            else:
                wanted.append(item)
        return wanted, others

    def _strays(self, items: Sequence[Row | Item]) -> bool:
        """Tell whether a row was created on a day that was not asked for, in whatever time zone."""
        first, last = self.asked_days()
        if first is None or last is None:
            return False
        sent = [at for at in values_of(items, "created_at") if isinstance(at, str)]
        if not sent:
            return False
        try:
            earliest, latest = (dt.date.fromisoformat(at[:10]) for at in (min(sent), max(sent)))
        except ValueError:  # a time that cannot be read says nothing
            return False
        return (first - earliest).days > 1 or (latest - last).days > 1

    def _unwanted(self, item: Row | Item) -> str | None:
        """Return the name of what was asked for and does not hold for a row, or None."""
        if self._strays([item]):
            return "date"
        for name, wanted in self.filters.items():
            if (
                name not in self.source.server_filters
                and name in item
                and not matches(item[name], wanted)
            ):
                return name
        if self.days and self.day == "shift_date":
            # A receipt without a business day belongs to the day it was opened on.
            shift = str(item.get("shift_date") or item.get("created_at"))[:10]
            if not str(self.days[0]) <= shift <= str(self.days[1]):
                return "shift_date"
        return None

    def problem(self, items: Sequence[Row | Item], place: Place) -> str | None:
        """Return what shows that a page is not the answer to this question, or None."""
        expected = {str(place.id), "None"}
        if (
            place.id is not None
            and self.source.scope == "venue"
            and set(map(str, values_of(items, "venue_id"))) - expected
        ):
            return "the server sent rows of another venue"
        if self._strays(items):
            return "the server sent rows of other days"
        missing = _unsent(self.shape, items)
        return f"the server sent no {missing}" if missing else None


def _unsent(shape: Shape, rows: Sequence[Row | Item]) -> str | None:
    """Return what was asked for with its parent and none of the parent's rows has, however deep."""
    for child in shape.children:
        steps = child.table.nested[0].split("|")
        asked = set(child.table.relations) - set(shape.table.relations)
        if asked and rows and not any(step in row for row in rows for step in steps):
            return steps[0]
        lists = [row.get(step) for row in rows for step in steps] if child.children else []
        inside = [row for each in lists if isinstance(each, list) for row in each]
        found = _unsent(child, [row for row in inside if isinstance(row, dict | Item)])
        if found:
            return found
    return None


def plain_filters(filters: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return filters with plain values and lists of them, whatever they came in as.

    Raises
    ------
    ConfigError
        Not a mapping.
    """
    if filters is None:
        return {}
    if not isinstance(filters, Mapping):
        message = (
            f"filters is a {type(filters).__name__}; expected a mapping, as in {{'status': 2}}"
        )
        raise errors.ConfigError(message)
    plain = {str(name): _plain(wanted) for name, wanted in filters.items()}
    if empty := [name for name, wanted in plain.items() if wanted is None or wanted == []]:
        message = f"the filter {empty[0]!r} has no value; leave it out, or filter the frame"
        raise errors.ConfigError(message)
    return plain


def _plain(wanted: Any) -> Any:
    if isinstance(wanted, str | bytes | Mapping) or not hasattr(wanted, "__iter__"):
        return wanted.item() if hasattr(wanted, "item") else wanted  # a numpy scalar
    return [_plain(option) for option in wanted]


def matches(value: Any, wanted: Any) -> bool:
    """Tell whether a value is the wanted one, or one of a list of them."""
    options = wanted if isinstance(wanted, list) else [wanted]
    return any(_same(value, option) for option in options)


def _same(value: Any, wanted: Any) -> bool:
    """Tell whether a sent value is the wanted one: 12, 12.0 and "12.00" are one number."""
    if isinstance(value, str) and isinstance(wanted, str):
        return value == wanted  # of two codes each zero counts
    try:
        return Decimal(str(_digit(value))) == Decimal(str(_digit(wanted)))
    except InvalidOperation:
        return str(value) == str(wanted)


def _digit(value: Any) -> Any:
    if isinstance(value, str):
        return {"true": 1, "false": 0}.get(value.lower(), value)
    return int(value) if isinstance(value, bool) else value
