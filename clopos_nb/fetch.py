"""From a question to frames: walk each venue, decode each page, certify the whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Literal, TypeAlias

import pandas as pd
import pyarrow as pa

from clopos_nb import errors
from clopos_nb.certificate import Certificate, VenueRecord
from clopos_nb.columns import Dtypes
from clopos_nb.decode import ADDED, Decoding, raw_rows
from clopos_nb.drift import Drift
from clopos_nb.errands import Errand
from clopos_nb.frames import assemble
from clopos_nb.items import Row
from clopos_nb.lanes import Lane, items_of, walk_all
from clopos_nb.privacy import Privacy
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

Refresh: TypeAlias = Literal["auto", "never", "full"]


@dataclass(frozen=True)
class Manner:
    """How frames are to come: what ``frame()`` takes besides the question."""

    dtypes: Dtypes = field(default_factory=Dtypes)
    columns: Sequence[str] | None = None
    strict: bool = False
    on_error: Literal["raise", "warn"] = "raise"
    progress: bool | Watcher | None = None
    refresh: Refresh = "auto"  # of a store
    as_of: dt.datetime | int | None = None  # of a store: the version
    privacy: Privacy = field(default_factory=Privacy)

    @property
    def offline(self) -> bool:
        """Whether a store alone is to be read."""
        return self.refresh == "never" or self.as_of is not None


@dataclass(frozen=True)
class Asking:
    """A question, whom it is put to, and whether rows are to say so: venue_id and venue first."""

    question: Question
    places: Sequence[Place]
    label: bool = False

    def lanes(self, drift: Drift, dtypes: Dtypes) -> list[Lane]:
        """Return a walk for each place, at its beginning."""
        ask = Decoding(self.question.shape, drift, dtypes)
        return [Lane(self.question, place, ask) for place in self.places]


def fetch_each(
    transport: Transport, askings: Sequence[Asking], manner: Manner, *, brand: str, drift: Drift
) -> list[dict[str, pd.DataFrame]]:
    """Read what is asked, all at once, into the frames of each asking.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError, IncompleteResult
    """
    for asking in askings:  # before anything is sent
        checked_columns(asking.question.tables[0], manner, asking.label)
    title = ", ".join(dict.fromkeys(asking.question.name for asking in askings))
    walked = [asking.lanes(drift, manner.dtypes) for asking in askings]
    with Progress(title, manner.progress) as bar:
        walk_all([lane for lanes in walked for lane in lanes], transport, bar, manner.on_error)
    reads = [
        (each, lanes, _certificate(each.question, brand, lanes))
        for each, lanes in zip(askings, walked, strict=True)
    ]
    for _, _, certificate in reads:  # before there are rows that a crash report could show
        vouch(certificate, manner.strict)
    return [
        framed(asking, certificate, partial(_pieces, lanes, asking.label), manner)
        for asking, lanes, certificate in reads
    ]


def framed(
    asking: Asking,
    certificate: Certificate,
    pieces: Callable[[Table], Iterable[pa.Table]],
    manner: Manner,
) -> dict[str, pd.DataFrame]:
    """Return the tables of one question, with their certificate; what gives the pieces is used up.

    Raises
    ------
    ConfigError
    """
    question, privacy = asking.question, manner.privacy
    columns = checked_columns(question.tables[0], manner, asking.label)
    certificate.personal = privacy.personal
    frames = {}
    for table in question.tables:
        shown = privacy.pieces(table, pieces(table))
        frame = assemble(privacy.table(table), shown, manner.dtypes, columns)
        if question.limit is not None:
            frame = frame.head(question.limit)
        frame.attrs["clopos"] = {**certificate.as_dict(), "table": table.name}
        frames[table.name] = frame
    return frames


def certificate_of(question: Question, brand: str, records: Sequence[VenueRecord]) -> Certificate:
    """Return the certificate of an answer to a question, as of now."""
    certificate = Certificate(
        brand=brand,
        table=question.name,
        endpoint=question.source.path,
        start=str(question.days[0]) if question.days else None,
        end=str(question.days[1]) if question.days else None,
        day=question.day,
        filters=sorted(question.filters),
        limit=question.limit,
        venues=list(records),
    )
    certificate.stamp()
    return certificate


def _certificate(question: Question, brand: str, lanes: Sequence[Lane]) -> Certificate:
    # A limit may have been reached before a venue was asked.
    asked = [lane.record for lane in lanes if lane.walk.pages or lane.record.error]
    certificate = certificate_of(question, brand, asked)
    rows = sum(lane.rows(question.tables[0]) for lane in lanes)
    certificate.cut = question.limit is not None and rows >= question.limit
    return certificate


def vouch(certificate: Certificate, strict: bool) -> None:
    """Say so when rows are missing; that a limit cut them was asked for and is no news.

    Raises
    ------
    IncompleteResult
        Instead of a warning, if ``strict``.
    """
    failed = any(venue.error for venue in certificate.venues)
    if not certificate.complete and (failed or not certificate.cut):
        incomplete = certificate.incomplete()
        if strict:
            raise incomplete
        errors.tell(str(incomplete), errors.IncompleteResultWarning)


def _pieces(lanes: Sequence[Lane], label: bool, table: Table) -> Iterator[pa.Table]:
    """Yield what was read of a table, and keep none of it."""
    for lane in lanes:
        for piece in lane.pages.take_out(table.name):
            yield with_venue(piece, lane.place) if label else piece


def with_venue(page: pa.Table, place: Place) -> pa.Table:
    """Add the venue's id, unless the rows have their own, and its name."""
    count = page.num_rows
    asked = pa.array([place.id] * count, pa.int64())
    if "venue_id" not in page.column_names:
        page = page.append_column("venue_id", asked)
    elif page.column("venue_id").null_count == count:  # theirs, yet not sent
        page = page.set_column(page.column_names.index("venue_id"), "venue_id", asked)
    return page.append_column("venue", pa.array([place.name] * count, pa.large_string()))


def checked_columns(table: Table, manner: Manner, label: bool) -> list[str] | None:
    """Return the columns asked for, if the table has them.

    Raises
    ------
    ConfigError
    """
    columns = manner.columns
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
    manner.privacy.check(table, chosen)
    return chosen


def check_categories(questions: Sequence[Question], dtypes: Dtypes) -> None:
    """Check that each column that is to be a category is one of a table that is asked for.

    Raises
    ------
    ConfigError
    """
    tables = [table for question in questions for table in question.tables]
    if isinstance(dtypes.categorical, bool) or any(table.inferred for table in tables):
        return
    known = [*ADDED, *(column.name for table in tables for column in table.shown)]
    if unknown := [name for name in dtypes.categorical if name not in known]:
        names = " and ".join(table.name for table in tables)
        message = f"categorical: {names} has no column {unknown[0]!r}; "
        raise errors.ConfigError(message + close_names(unknown[0], known))
