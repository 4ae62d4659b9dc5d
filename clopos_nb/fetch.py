"""From a question to frames: walk each venue, decode each page, certify the whole."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd
import pyarrow as pa

from clopos_nb import errors
from clopos_nb.certificate import Certificate, VenueRecord
from clopos_nb.columns import Dtypes
from clopos_nb.decode import ADDED, Decoding, Tables, decode, raw_rows
from clopos_nb.drift import Drift
from clopos_nb.frames import assemble
from clopos_nb.items import Items, Reader, Row
from clopos_nb.progress import Progress
from clopos_nb.questions import Place, Question
from clopos_nb.tables import Table, close_names
from clopos_nb.transport import Transport
from clopos_nb.walks import Walk
from clopos_nb.wire import Answer

# ------------------------------------------------------------------------------ walks


def walk_pages(
    transport: Transport,
    question: Question,
    place: Place,
    walk: Walk,
    *,
    plain: bool = False,
    exact: bool = False,
) -> Iterator[Items]:
    """Yield each page's new items, the walk having taken note of them.

    Parameters
    ----------
    plain : bool
        As dicts, whatever they hold.
    exact : bool
        With money as decimals.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError
    """
    reader = Reader(question.shape, exact)
    while (page := walk.next_page) is not None:
        answer = transport.send(
            "GET",
            question.path(page),
            query=question.query(page),
            venue_id=place.id,
            reader=None if plain else reader.read,
        )
        items = answer.items
        if items is None:
            items = _plain_items(answer, question, walk, exact)
        yield walk.take(items, answer.total)


def _plain_items(answer: Answer, question: Question, walk: Walk, exact: bool) -> list[Row]:
    if question.source.inferred and answer.is_object:
        walk.paged = False  # a single object, where nobody said what there is
        return [answer.data(exact=exact)]
    return answer.rows(exact=exact)


def read_rows(transport: Transport, question: Question, place: Place) -> Iterator[Row]:
    """Yield the table's rows as the server sent them, page by page.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError
    """
    left = question.limit
    walk = question.walk()
    for items in walk_pages(transport, question, place, walk, plain=True):
        wanted, _ = question.select(items)
        rows = raw_rows(question.shape, wanted)
        if left is not None:
            rows = rows[:left]
            left -= len(rows)
        yield from rows
        if left == 0:
            return
    if not walk.complete:
        message = f"{question.name}: {walk.rows} rows of the server's {walk.total}"
        warnings.warn(message, errors.IncompleteResultWarning, stacklevel=2)


@dataclass
class _Reading:
    """The pages of one venue's walk, and its line in the certificate."""

    record: VenueRecord
    pages: list[Tables] = field(default_factory=list)

    def rows(self, table: Table) -> int:
        """How many rows of a table there are so far."""
        return sum(page[table.name].num_rows for page in self.pages)


def _read(
    transport: Transport,
    question: Question,
    place: Place,
    ask: Decoding,
    progress: Progress,
    left: int | None,
) -> _Reading:
    """Walk one venue; at most ``left`` rows of the table are wanted of it."""
    reading = _Reading(VenueRecord(place.id, place.name))
    record, walk = reading.record, question.walk()
    for items in walk_pages(transport, question, place, walk, exact=ask.dtypes.exact):
        if walk.restarted:  # what was held is void, and so is this page
            reading.pages.clear()
            record.left_out = 0
        else:
            record.error = record.error or question.problem(items, place)
            wanted, left_out = question.select(items)
            record.left_out += left_out
            reading.pages.append(decode(ask, wanted, walk.pages))
        if left is not None and reading.rows(question.tables[0]) >= left:
            walk.stop()
        record.total, record.rows, record.pages = walk.total, walk.rows, walk.pages
        record.duplicates = walk.duplicates
        record.complete = walk.complete and record.error is None
        progress.page(place, walk)
    return reading


# ----------------------------------------------------------------------------- frames


@dataclass(frozen=True)
class Manner:
    """How the frames of a fetch are to come: what ``frame()`` takes besides the question."""

    dtypes: Dtypes = field(default_factory=Dtypes)
    columns: Sequence[str] | None = None
    label: bool = False  # venue_id and venue first
    strict: bool = False
    on_error: Literal["raise", "warn"] = "raise"
    progress: bool | None = None


def fetch_frames(
    transport: Transport,
    question: Question,
    places: Sequence[Place],
    manner: Manner,
    *,
    brand: str,
    drift: Drift,
) -> dict[str, pd.DataFrame]:
    """Read the places one after the other into a frame for each table, with its certificate.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError, IncompleteResult
    """
    columns = checked_columns(question.tables[0], manner.columns, manner.label)
    certificate = _certificate(question, brand)
    ask = Decoding(question.shape, drift, manner.dtypes)
    pages: list[Tables] = []
    left = question.limit
    with Progress(question.name, len(places), manner.progress) as bar:
        transport.on_wait = bar.waiting
        for place in places:
            if left == 0:
                break
            try:
                reading = _read(transport, question, place, ask, bar, left)
            except (errors.ApiError, errors.TransportError, errors.ResponseError) as exc:
                if manner.on_error == "raise":
                    raise
                reading = _Reading(VenueRecord(place.id, place.name, error=_brief(exc)))
            certificate.venues.append(reading.record)
            pages += [_labelled(p, place) if manner.label else p for p in reading.pages]
            if left is not None:
                left = max(left - reading.rows(question.tables[0]), 0)
    transport.on_wait = None
    certificate.cut = left == 0
    certificate.stamp()
    frames = {}
    for table in question.tables:
        own = [page.pop(table.name) for page in pages]
        frame = assemble(table, own, manner.dtypes, columns)
        if question.limit is not None:
            frame = frame.head(question.limit)
        frame.attrs["clopos"] = {**certificate.as_dict(), "table": table.name}
        frames[table.name] = frame
    _vouch(certificate, manner.strict)
    return frames


def _certificate(question: Question, brand: str) -> Certificate:
    return Certificate(
        brand=brand,
        table=question.name,
        endpoint=question.source.path,
        start=str(question.days[0]) if question.days else None,
        end=str(question.days[1]) if question.days else None,
        day=question.day,
        filters=sorted(question.filters),
        limit=question.limit,
    )


def _vouch(certificate: Certificate, strict: bool) -> None:
    """Say so when the rows are not complete; a limit was asked for and is no news."""
    failed = any(venue.error for venue in certificate.venues)
    if not certificate.complete and (certificate.limit is None or failed):
        incomplete = certificate.incomplete()
        if strict:
            raise incomplete
        warnings.warn(str(incomplete), errors.IncompleteResultWarning, stacklevel=5)


def _brief(exc: errors.CloposError) -> str:
    return f"{type(exc).__name__}: {exc}"


def _labelled(page: Tables, place: Place) -> Tables:
    """Add the venue's id, unless the rows have their own, and its name."""
    return {name: _with_venue(table, place) for name, table in page.items()}


def _with_venue(page: pa.Table, place: Place) -> pa.Table:
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
    if columns is None or table.inferred:
        return None if columns is None else list(columns)
    chosen = [columns] if isinstance(columns, str) else list(columns)
    known = [*(ADDED if label else ()), *(c.name for c in table.shown)]
    if unknown := [name for name in chosen if name not in known]:
        there_are = close_names(unknown[0], table.by_name)
        message = f"{table.name} has no column {unknown[0]!r}; {there_are}"
        raise errors.ConfigError(message)
    return chosen
