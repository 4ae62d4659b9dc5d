"""From a question to a frame: walk each venue, decode each page, certify the whole."""

from __future__ import annotations

import datetime as dt
import numbers
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

import pandas as pd
import pyarrow as pa

from clopos_nb import errors, wire
from clopos_nb.certificate import Certificate, VenueRecord
from clopos_nb.frames import ADDED, Drift, Row, assemble, decode, table_rows
from clopos_nb.progress import Progress
from clopos_nb.tables import CATALOGUE, Table, close_names
from clopos_nb.transport import Transport
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
    """What to read, checked before anything is sent.

    Raises
    ------
    ConfigError
        Days for a table that takes none, a filter nobody knows, a limit that is not a number.
    """

    table: Table
    days: DayRange | None = None
    day: Day = "created_at"
    filters: Mapping[str, Any] = field(default_factory=dict)
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.days and not self.table.dated:
            message = f"{self.table.name} takes no days; leave start and end out"
            raise errors.ConfigError(message)
        if self.day not in ("created_at", "shift_date"):
            message = f"day is {self.day!r}; expected 'created_at' or 'shift_date'"
            raise errors.ConfigError(message)
        if self.day == "shift_date" and "shift_date" not in self.source.by_name:
            message = f"{self.table.name} has no business day; leave day out"
            raise errors.ConfigError(message)
        if self.limit is not None and (
            not isinstance(self.limit, numbers.Integral)
            or isinstance(self.limit, bool)
            or self.limit < 1
        ):
            message = f"limit is {self.limit!r}; expected a number of rows, 1 or more"
            raise errors.ConfigError(message)
        if unknown := [f for f in self.filters if f not in self.source.filterable]:
            there_are = close_names(unknown[0], sorted(self.source.filterable))
            message = f"{self.table.name} has no filter {unknown[0]!r}; {there_are}"
            raise errors.ConfigError(message)

    @property
    def source(self) -> Table:
        """The table whose rows the endpoint lists: the parent of a child table."""
        return CATALOGUE[self.table.parent] if self.table.parent else self.table

    def walk(self) -> Walk:
        """Return a walk of the source, at its beginning."""
        source = self.source
        return Walk(key=source.key[0], paged=source.limit is not None, tree=source.tree)

    def query(self, page: int) -> list[tuple[str, str]]:
        """Return the query of one page."""
        # A plain parameter takes one value; several go out as a filter, and are checked here too.
        plain = {
            name: value
            for name, value in self.filters.items()
            if name in self.source.parameters and not isinstance(value, list)
        }
        filters = {k: v for k, v in self.filters.items() if k not in plain}
        if self.table.limit is None:
            return wire.brackets(plain) + wire.list_query(filters=filters)
        size = self.table.limit
        untrimmed = self.day == "created_at" and not self.filters and self.table is self.source
        if self.limit is not None and untrimmed:
            size = min(size, int(self.limit))
        return wire.brackets(plain) + wire.list_query(
            page=page,
            limit=size,
            sort=self.table.sort,
            days=self._asked_days(),
            relations=self.table.relations,
            filters=filters,
        )

    def _asked_days(self) -> tuple[dt.date | None, dt.date | None]:
        if not self.days:
            return None, None
        first, last = self.days
        if self.day == "created_at":
            return first, last
        # The range is on created_at; a business day may begin a day earlier or end a day later.
        one = dt.timedelta(days=1)
        return max(first, dt.date.min + one) - one, min(last, dt.date.max - one) + one

    def rows(self, items: Sequence[Row], drift: Drift | None = None) -> tuple[list[Row], int]:
        """Return the table's rows of a page, and how many of the page were left out.

        A server may ignore a filter, and business days are asked for wider than wanted.
        """
        if self.table.tree:
            every = table_rows(self.table, items, drift)
            rows = [row for row in every if self._wants(row)]
            return rows, len(every) - len(rows)
        wanted = [item for item in items if self._wants(item)]
        return table_rows(self.table, wanted, drift), len(items) - len(wanted)

    def _wants(self, item: Row) -> bool:
        if self.days and self.day == "shift_date":
            # A receipt without a business day belongs to the day it was opened on.
            shift = str(item.get("shift_date") or item.get("created_at"))[:10]
            if not str(self.days[0]) <= shift <= str(self.days[1]):
                return False
        return all(
            _matches(item[name], wanted)
            for name, wanted in self.filters.items()
            if name in self.source.by_name
            and name not in self.source.server_filters
            and name in item
        )

    def problem(self, items: Sequence[Row], place: Place) -> str | None:
        """Return what shows that a page is not the answer to this question, or None."""
        if place.id is not None and self.source.scope == "venue":
            others = {str(item.get("venue_id")) for item in items} - {str(place.id), "None"}
            if others:
                return "the server sent rows of another venue"
        if self.table.relations and items:
            step = self.table.nested[0]
            if not any(step in item for item in items):
                return f"the server sent no {step}"
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


def _matches(value: Any, wanted: Any) -> bool:
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


# ------------------------------------------------------------------------------ walks


def walk_pages(
    transport: Transport, question: Question, place: Place, walk: Walk
) -> Iterator[list[Row]]:
    """Yield each page's new items, the walk having taken note of them.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError
    """
    while (page := walk.next_page) is not None:
        answer = transport.send(
            "GET", question.table.path, query=question.query(page), venue_id=place.id
        )
        yield walk.take(answer.rows(), answer.total)


def read_rows(transport: Transport, question: Question, place: Place) -> Iterator[Row]:
    """Yield the table's rows as the server sent them, page by page.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError
    """
    left = question.limit
    walk = question.walk()
    for items in walk_pages(transport, question, place, walk):
        rows, _ = question.rows(items)
        if left is not None:
            rows = rows[:left]
            left -= len(rows)
        yield from rows
        if left == 0:
            return
    if not walk.complete:
        message = f"{question.table.name}: {walk.rows} rows of the server's {walk.total}"
        warnings.warn(message, errors.IncompleteResultWarning, stacklevel=2)


@dataclass
class _Reading:
    """The pages of one venue's walk, and its line in the certificate."""

    record: VenueRecord
    pages: list[pa.Table] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows of the table there are so far."""
        return sum(page.num_rows for page in self.pages)


@dataclass
class Asking:
    """What goes with every page of one fetch."""

    drift: Drift
    progress: Progress
    timezone: str | None = None


def _read(
    transport: Transport,
    question: Question,
    place: Place,
    ask: Asking,
    left: int | None,
) -> _Reading:
    """Walk one venue; at most ``left`` rows of the table are wanted of it."""
    reading = _Reading(VenueRecord(place.id, place.name))
    record, walk = reading.record, question.walk()
    for items in walk_pages(transport, question, place, walk):
        if walk.restarted:  # what was held is void, and so is this page
            reading.pages.clear()
            record.left_out = 0
        else:
            rows, left_out = question.rows(items, ask.drift)
            reading.pages.append(decode(question.table, rows, ask.drift, ask.timezone))
            record.left_out += left_out
            record.error = record.error or question.problem(items, place)
        if left is not None and reading.rows >= left:
            walk.stop()
        record.total, record.rows, record.pages = walk.total, walk.rows, walk.pages
        record.duplicates = walk.duplicates
        record.complete = walk.complete and record.error is None
        ask.progress.page(place, walk)
    return reading


# ----------------------------------------------------------------------------- frames


def fetch_frame(
    transport: Transport,
    question: Question,
    places: Sequence[Place],
    *,
    brand: str,
    drift: Drift,
    timezone: str | None = None,
    columns: Sequence[str] | None = None,
    label: bool = False,
    strict: bool = False,
    on_error: Literal["raise", "warn"] = "raise",
    progress: bool | None = None,
) -> pd.DataFrame:
    """Read the places one after the other into one frame with its certificate.

    Parameters
    ----------
    label : bool
        Put ``venue_id`` and ``venue`` first.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError, IncompleteResult
    """
    chosen = checked_columns(question.table, columns, label)
    certificate = Certificate(
        brand=brand,
        table=question.table.name,
        endpoint=question.table.path,
        start=str(question.days[0]) if question.days else None,
        end=str(question.days[1]) if question.days else None,
        day=question.day,
        filters=sorted(question.filters),
        limit=question.limit,
    )
    pages: list[pa.Table] = []
    left = question.limit
    with Progress(question.table.name, len(places), progress) as bar:
        transport.on_wait = bar.waiting
        for place in places:
            if left == 0:
                break
            try:
                reading = _read(transport, question, place, Asking(drift, bar, timezone), left)
            except (errors.ApiError, errors.TransportError, errors.ResponseError) as exc:
                if on_error == "raise":
                    raise
                reading = _Reading(VenueRecord(place.id, place.name, error=_brief(exc)))
            certificate.venues.append(reading.record)
            labelled = [_labelled(p, place) if label else p for p in reading.pages]
            pages += labelled
            if left is not None:
                left = max(left - reading.rows, 0)
    transport.on_wait = None
    certificate.cut = left == 0
    certificate.stamp()
    frame = assemble(question.table, pages, timezone)
    if question.limit is not None:
        frame = frame.head(question.limit)
    if chosen is not None:
        frame = _with_columns(frame, question.table, chosen)
    frame.attrs["clopos"] = certificate.as_dict()
    return _vouched(frame, certificate, strict)


def _vouched(frame: pd.DataFrame, certificate: Certificate, strict: bool) -> pd.DataFrame:
    """Return the frame, saying so when it is not complete; a limit was asked for and is no news."""
    failed = any(venue.error for venue in certificate.venues)
    if not certificate.complete and (certificate.limit is None or failed):
        incomplete = certificate.incomplete()
        if strict:
            raise incomplete
        warnings.warn(str(incomplete), errors.IncompleteResultWarning, stacklevel=4)
    return frame


def _brief(exc: errors.CloposError) -> str:
    return f"{type(exc).__name__}: {exc}"


def _labelled(page: pa.Table, place: Place) -> pa.Table:
    """Add the venue's id, unless the rows have their own, and its name."""
    count = page.num_rows
    asked = pa.array([place.id] * count, pa.int64())
    if "venue_id" not in page.column_names:
        page = page.append_column("venue_id", asked)
    elif page.column("venue_id").null_count == count:  # theirs, yet not sent
        page = page.set_column(page.column_names.index("venue_id"), "venue_id", asked)
    return page.append_column("venue", pa.array([place.name] * count, pa.large_string()))


def checked_columns(table: Table, columns: Sequence[str] | None, label: bool) -> list[str] | None:
    """Return the columns asked for, if the table has them.

    Raises
    ------
    ConfigError
    """
    if columns is None:
        return None
    chosen = [columns] if isinstance(columns, str) else list(columns)
    known = [*(ADDED if label else ()), *(c.name for c in table.columns if c.kind != "withheld")]
    if unknown := [name for name in chosen if name not in known]:
        there_are = close_names(unknown[0], table.by_name)
        message = f"{table.name} has no column {unknown[0]!r}; {there_are}"
        raise errors.ConfigError(message)
    return chosen


def _with_columns(frame: pd.DataFrame, table: Table, chosen: list[str]) -> pd.DataFrame:
    for name in chosen:
        if name not in frame.columns:  # optional, and no row had it
            dtype = pd.api.types.pandas_dtype(table.by_name[name].dtype)
            frame[name] = pd.Series([None] * len(frame), index=frame.index, dtype=dtype)
    return frame[chosen]
