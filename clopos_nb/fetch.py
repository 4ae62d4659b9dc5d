"""From a question to frames: walk each venue, decode each page, certify the whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import pandas as pd
import pyarrow as pa

from clopos_nb import errors
from clopos_nb.certificate import Certificate
from clopos_nb.columns import Dtypes
from clopos_nb.decode import ADDED, Decoding, raw_rows
from clopos_nb.drift import Drift
from clopos_nb.errands import Errand
from clopos_nb.frames import assemble
from clopos_nb.items import Row
from clopos_nb.lanes import Lane, items_of, walk_places
from clopos_nb.progress import Progress, Watcher
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
            "GET",
            question.path(page),
            query=question.query(page),
            venue_id=place.id,
            errand=Errand(),
        )
        wanted, _ = question.select(walk.take(items_of(answer, question, walk), answer.total))
        rows = raw_rows(question.shape, wanted)
        if left is not None:
            rows = rows[:left]
            left -= len(rows)
        yield from rows
        del wanted, rows  # when the next page fails, a crash report shows the variables
        if left == 0:
            return
    if not walk.complete:
        message = f"{question.name}: {walk.rows} rows of the server's {walk.total}"
        errors.tell(message, errors.IncompleteResultWarning)


# ----------------------------------------------------------------------------- frames


@dataclass(frozen=True)
class Manner:
    """How the frames of a fetch are to come: what ``frame()`` takes besides the question."""

    dtypes: Dtypes = field(default_factory=Dtypes)
    columns: Sequence[str] | None = None
    label: bool = False  # venue_id and venue first
    strict: bool = False
    on_error: Literal["raise", "warn"] = "raise"
    progress: bool | Watcher | None = None


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
    columns = checked_columns(question.tables[0], manner.columns, manner.label)
    certificate = _certificate(question, brand)
    ask = Decoding(question.shape, drift, manner.dtypes)
    with Progress(question.name, manner.progress) as bar:
        lanes = walk_places(transport, question, places, ask, bar, manner.on_error)
    for lane in lanes:
        if lane.walk.pages or lane.record.error:  # a limit may have been reached before
            certificate.venues.append(lane.record)
    if question.limit is not None:
        certificate.cut = sum(lane.rows(question.tables[0]) for lane in lanes) >= question.limit
    certificate.stamp()
    _vouch(certificate, manner.strict)  # before there are rows that a crash report could show
    frames = {}
    for table in question.tables:
        frame = assemble(table, _pieces(lanes, table, manner.label), manner.dtypes, columns)
        if question.limit is not None:
            frame = frame.head(question.limit)
        frame.attrs["clopos"] = {**certificate.as_dict(), "table": table.name}
        frames[table.name] = frame
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
    """Say so when rows are missing; that a limit cut them was asked for and is no news."""
    failed = any(venue.error for venue in certificate.venues)
    if not certificate.complete and (failed or not certificate.cut):
        incomplete = certificate.incomplete()
        if strict:
            raise incomplete
        errors.tell(str(incomplete), errors.IncompleteResultWarning)


def _pieces(lanes: Sequence[Lane], table: Table, label: bool) -> Iterator[pa.Table]:
    """Yield what was read of a table, and keep none of it."""
    for lane in lanes:
        for piece in lane.pages.take_out(table.name):
            yield _with_venue(piece, lane.place) if label else piece


def _with_venue(page: pa.Table, place: Place) -> pa.Table:
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
    if table.inferred:  # what there is shows when it comes
        return chosen
    known = [*(ADDED if label else ()), *(c.name for c in table.shown)]
    if unknown := [name for name in chosen if name not in known]:
        there_are = close_names(unknown[0], table.by_name)
        message = f"{table.name} has no column {unknown[0]!r}; {there_are}"
        raise errors.ConfigError(message)
    return chosen
