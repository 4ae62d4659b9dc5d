"""From a question to frames: walk each venue, decode each page, certify the whole."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import pandas as pd
import pyarrow as pa

from clopos_nb import errors
from clopos_nb.certificate import Certificate
from clopos_nb.columns import Dtypes
from clopos_nb.decode import ADDED, Decoding, Tables, raw_rows
from clopos_nb.drift import Drift
from clopos_nb.frames import assemble
from clopos_nb.items import Row
from clopos_nb.lanes import items_of, walk_places
from clopos_nb.progress import Progress
from clopos_nb.questions import Place, Question
from clopos_nb.tables import Table, close_names
from clopos_nb.transport import Transport

# ------------------------------------------------------------------------------- rows


def read_rows(transport: Transport, question: Question, place: Place) -> Iterator[Row]:
    """Yield the table's rows as the server sent them, a page after the other.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError
    """
    left = question.limit
    walk = question.walk()
    while (page := walk.next_page) is not None:
        answer = transport.send(
            "GET", question.path(page), query=question.query(page), venue_id=place.id
        )
        wanted, _ = question.select(walk.take(items_of(answer, question, walk), answer.total))
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


# ----------------------------------------------------------------------------- frames

Refresh: TypeAlias = Literal["auto", "never", "full"]


@dataclass(frozen=True)
class Manner:
    """How the frames of a fetch are to come: what ``frame()`` takes besides the question."""

    dtypes: Dtypes = field(default_factory=Dtypes)
    columns: Sequence[str] | None = None
    label: bool = False  # venue_id and venue first
    strict: bool = False
    on_error: Literal["raise", "warn"] = "raise"
    progress: bool | None = None
    refresh: Refresh = "auto"  # of a store
    as_of: dt.datetime | int | None = None  # of a store: the version

    @property
    def offline(self) -> bool:
        """Whether a store alone is to be read."""
        return self.refresh == "never" or self.as_of is not None


def fetch_frames(
    transport: Transport,
    question: Question,
    places: Sequence[Place],
    manner: Manner,
    *,
    brand: str,
    drift: Drift,
) -> dict[str, pd.DataFrame]:
    """Read the places, all at once, into a frame for each table, with its certificate.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError, IncompleteResult
    """
    checked_columns(question.tables[0], manner.columns, manner.label)
    certificate = certificate_of(question, brand)
    ask = Decoding(question.shape, drift, manner.dtypes)
    with Progress(question.name, manner.progress) as bar:
        lanes = walk_places(transport, question, places, ask, bar, manner.on_error)
    pages: list[Tables] = []
    for lane in lanes:
        if lane.walk.pages or lane.record.error:  # a limit may have been reached before
            certificate.venues.append(lane.record)
        pages += [labelled(p, lane.place) if manner.label else p for p in lane.pages]
        lane.pages.clear()
    if question.limit is not None:
        first = question.tables[0].name
        certificate.cut = sum(page[first].num_rows for page in pages) >= question.limit
    return certified(question, certificate, pages, manner)


def certified(
    question: Question, certificate: Certificate, pages: Sequence[Tables], manner: Manner
) -> dict[str, pd.DataFrame]:
    """Return the pages as a frame for each table, with its certificate, and vouch for it.

    Raises
    ------
    ConfigError, IncompleteResult
    """
    columns = checked_columns(question.tables[0], manner.columns, manner.label)
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


def certificate_of(question: Question, brand: str) -> Certificate:
    """Return the certificate of an answer to a question, before anything came."""
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
        warnings.warn(str(incomplete), errors.IncompleteResultWarning, stacklevel=6)


def labelled(page: Tables, place: Place) -> Tables:
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
    if columns is None:
        return None
    chosen = [columns] if isinstance(columns, str) else list(columns)
    if table.inferred:  # what there is shows when it comes
        return chosen
    known = [*(ADDED if label else ()), *(c.name for c in table.shown)]
    if unknown := [name for name in chosen if name not in known]:
        there_are = close_names(unknown[0], table.by_name)
        message = f"{table.name} has no column {unknown[0]!r}; {there_are}"
        raise errors.ConfigError(message)
    return chosen
