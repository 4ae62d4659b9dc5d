"""From what a store holds to the frames that were asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from clopos_nb.certificate import VenueRecord
from clopos_nb.columns import TYPES, Dtypes, array
from clopos_nb.fetch import Asking, Manner, certificate_of, framed, vouch, with_venue
from clopos_nb.questions import Place, Question, matches
from clopos_nb.store.held import Days, missing, within
from clopos_nb.store.plan import by_venue, store_id
from clopos_nb.store.rows import link_of, months
from clopos_nb.store.snapshot import OWN, VENUE, Snapshot, on
from clopos_nb.tables import Column, Table

COMPARED = {"int", "number", "money", "flag", "text"}  # kinds of columns that filters work on here


def can_filter(question: Question) -> bool:
    """Tell whether the filters of a question work on what is held."""
    columns = _filtered(question)
    by_server = set(question.source.server_filters)
    return not by_server & set(question.filters) and all(
        column is not None and column.kind in COMPARED for column in columns.values()
    )


def _filtered(question: Question) -> dict[str, Column | None]:
    at = {column.path: column for column in question.source.fields}
    return {name: at.get((name,)) for name in question.filters}


def held_frames(
    snapshot: Snapshot,
    asking: Asking,
    records: Sequence[VenueRecord],
    manner: Manner,
    brand: str,
) -> dict[str, pd.DataFrame]:
    """Return the frames of a question out of a store, with a certificate of what is recorded.

    Raises
    ------
    StoreError, ConfigError, IncompleteResult
    """
    question, places = asking.question, asking.places
    wanted = _wanted(snapshot, question, places, records) if trims(question) else None
    certificate = certificate_of(question, brand, records)
    certificate.store_version = snapshot.version
    vouch(certificate, manner.strict)

    def pieces(table: Table) -> Iterator[pa.Table]:
        chosen = manner.columns if table is question.tables[0] else None
        found = _read(snapshot, question, table, places, chosen)
        for place in places:
            rows = found.pop(store_id(place), _nothing(table))
            if wanted is not None:
                rows = rows.filter(pc.is_in(rows.column(link_of(table)), wanted[store_id(place)]))
            rows = rows.drop_columns([name for name in OWN if name in rows.column_names])
            rows = _declared(rows, table)
            rows = exact(rows, table) if manner.dtypes.exact else rows
            yield with_venue(rows, place) if asking.label else rows

    return framed(asking, certificate, pieces, manner)


def trims(question: Question) -> bool:
    """Tell whether rows of the days asked for may be left out."""
    return bool(question.filters) or bool(question.days and question.day == "shift_date")


def _read(
    snapshot: Snapshot,
    question: Question,
    table: Table,
    places: Sequence[Place],
    columns: Sequence[str] | None,
) -> dict[int, pa.Table]:
    """Return rows of the days asked for, by venue."""
    if columns is not None:
        columns = [*columns, link_of(table), VENUE]
    venues, days = [store_id(place) for place in places], _asked(question)
    source = question.source.name
    rows = snapshot.read(source, table.name, venues, months(days), columns, on(days))
    return {} if rows is None else by_venue(rows)


def _nothing(table: Table) -> pa.Table:
    return pa.table({link_of(table): pa.array([], pa.int64())})


def _wanted(
    snapshot: Snapshot,
    question: Question,
    places: Sequence[Place],
    records: Sequence[VenueRecord],
) -> dict[int, pa.Array]:
    """Return the keys of the wanted rows by venue; note how many are not wanted."""
    columns = [c.name for c in _filtered(question).values() if c]
    columns += ["created_at", *(["shift_date"] if question.day == "shift_date" else [])]
    found = _read(snapshot, question, question.source, places, columns)
    link, wanted = link_of(question.source), {}
    for place, record in zip(places, records, strict=True):
        rows = found.get(store_id(place), _nothing(question.source))
        kept = trimmed(question, rows)
        record.left_out = rows.num_rows - kept.num_rows
        wanted[store_id(place)] = kept.column(link).combine_chunks()
    return wanted


def trimmed(question: Question, rows: pa.Table) -> pa.Table:
    """Return the rows of an endpoint that are of the business days and filters asked for."""
    if not rows.num_rows:
        return rows
    if question.days and question.day == "shift_date":
        # A receipt without a business day belongs to the day it was opened on.
        shift = pc.coalesce(rows.column("shift_date"), rows.column("created_at"))
        first, last = (pa.scalar(day, pa.date32()) for day in question.days)
        day = shift.cast(pa.date32())
        rows = rows.filter(pc.and_(pc.greater_equal(day, first), pc.less_equal(day, last)))
    for name, column in _filtered(question).items():
        if column is not None and column.name in rows.column_names:
            values = rows.column(column.name)
            distinct = pc.unique(values)
            fits = [matches(value, question.filters[name]) for value in distinct.to_pylist()]
            rows = rows.filter(pc.is_in(values, distinct.filter(pa.array(fits, pa.bool_()))))
    return rows


def _declared(rows: pa.Table, table: Table) -> pa.Table:
    """Return rows with declared types where a column was made wider for other rows."""
    for index, name in enumerate(rows.column_names):
        column = table.by_name.get(name)
        if column is not None and rows.schema.field(index).type != TYPES[column.kind]:
            values, _ = array(rows.column(name).to_pylist(), column.kind)
            rows = rows.set_column(index, name, values)
    return rows


def exact(rows: pa.Table, table: Table) -> pa.Table:
    """Return rows with money in decimals: the shortest number that is the one held."""
    for index, name in enumerate(rows.column_names):
        column = table.by_name.get(name)
        if column is not None and column.kind == "money":
            sent = [None if v is None else Decimal(repr(v)) for v in rows.column(name).to_pylist()]
            rows = rows.set_column(index, name, array(sent, "money", EXACT_MONEY)[0])
    return rows


EXACT_MONEY = Dtypes(money="decimal")


def as_held(snapshot: Snapshot, question: Question, places: Sequence[Place]) -> list[VenueRecord]:
    """Return records of places of which nothing was asked: what is held of them, and what is not.

    Raises
    ------
    StoreError
    """
    source, days = question.source, _asked(question)
    names = [table.name for table in question.tables]
    held = snapshot.endpoint(source.name).venues
    venues = [store_id(place) for place in places]
    counts = snapshot.counts(source.name, source.name, venues, months(days), on(days))
    records = []
    for place in places:
        record = VenueRecord(place.id, place.name, source="store")
        spans = held.get(store_id(place), [])
        if days is None:
            fits = any(set(names) <= set(span.tables) for span in spans)
            gaps = [] if fits else ["it"]
        else:
            gaps = [f"{a} to {b}" for a, b in missing(spans, days, names, cuts=True)]
            spans = within(spans, days)
        record.error = f"the store does not hold {', '.join(gaps)}" if gaps else None
        record.complete = not gaps
        record.rows = counts[store_id(place)]
        record.total = None if gaps else record.rows
        if at := min((span.read_at for span in spans), default=""):
            record.note = f"as it was at {at}"
        records.append(record)
    return records


def _asked(question: Question) -> Days | None:
    first, last = question.asked_days()
    return (first, last) if first and last else None
