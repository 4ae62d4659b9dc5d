"""Fill the store for a range of days, in steps that are each kept when they are done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from clopos_nb.certificate import VenueRecord
from clopos_nb.questions import Place
from clopos_nb.store.held import Days, missing
from clopos_nb.store.plan import store_id
from clopos_nb.store.refresh import Refresher
from clopos_nb.store.rows import month_ranges

AT_ONCE = 40  # venue-months a step reads: some hundred thousand rows in memory
LOOKED_AT = 400  # venue-months whose keys are in memory when changes are looked for

DTYPES = {
    "table": "string",
    "venue_id": "Int64",
    "venue": "string",
    "rows": "Int64",
    "changes": "Int64",
    "requests": "Int64",
}


@dataclass(frozen=True)
class Step:
    """Some days of some venues, and whether what is held of them is looked at too."""

    days: Days | None
    places: Sequence[Place]
    looks: bool


def sync(refresher: Refresher, places: Sequence[Place], progress: bool | None) -> pd.DataFrame:
    """Read what is missing, a month of some venues at a time, then what changed in all of it.

    Each step is kept when it is over, so that a call that is interrupted goes on where it was.

    Returns
    -------
    pandas.DataFrame
        A row for each venue: ``table`` (string), ``venue_id`` (Int64), ``venue`` (string), and how
        many ``rows`` are held, ``changes`` came and ``requests`` it took (Int64).

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError
    StoreError, CannotKeep
    """
    steps = list(_steps(refresher, places))
    total: dict[int | None, VenueRecord] = {}
    from tqdm.auto import tqdm  # chooses between notebook and terminal when imported

    title = f"sync {refresher.question.name}"
    with tqdm(desc=title, total=len(steps), unit=" steps", disable=progress is False) as bar:
        for step in steps:
            question = replace(refresher.question, days=step.days)
            one = replace(refresher, question=question, looks=step.looks, progress=False)
            _, records = one.run(step.places)
            for record in records:
                _add(total.setdefault(record.id, replace(record, requests=0, changes=0)), record)
            bar.set_postfix_str(str(step.days[0]) if step.days else "", refresh=False)
            bar.update()
    rows: list[list[Any]] = [
        [refresher.source.name, r.id, r.name, r.rows, r.changes, r.requests] for r in total.values()
    ]
    return pd.DataFrame(rows, columns=list(DTYPES)).astype(DTYPES)


def _steps(refresher: Refresher, places: Sequence[Place]) -> Iterator[Step]:
    """Yield first what is missing, month by month, then one look at all of the days."""
    days = refresher.question.days
    if days is None:
        yield Step(None, places, looks=True)
        return
    held = refresher.lake.latest().endpoint(refresher.source.name).venues
    names = [table.name for table in refresher.question.tables]
    parts = month_ranges(days)
    for part in parts:
        lacking = [
            place
            for place in places
            if missing(held.get(store_id(place), []), part, names, cuts=True)
        ]
        for some in _batches(lacking, AT_ONCE):
            yield Step(part, some, looks=False)
    for some in _batches(places, max(LOOKED_AT // len(parts), 1)):
        yield Step(days, some, looks=True)


def _batches(places: Sequence[Place], size: int) -> Iterator[Sequence[Place]]:
    for at in range(0, len(places), size):
        yield places[at : at + size]


def _add(total: VenueRecord, record: VenueRecord) -> None:
    total.rows = record.rows
    total.requests += record.requests
    total.changes += record.changes
