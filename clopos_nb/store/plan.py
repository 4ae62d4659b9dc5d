"""What it takes to bring one venue's days up to what the server has."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from clopos_nb.certificate import VenueRecord
from clopos_nb.questions import Place
from clopos_nb.store.held import ONE_DAY, Days, Span, within, without
from clopos_nb.store.rows import CannotKeep, Index, Rows
from clopos_nb.store.snapshot import BRAND_WIDE, VENUE


def store_id(place: Place) -> int:
    """Return the partition of a place."""
    return BRAND_WIDE if place.id is None else place.id


@dataclass
class Plan:
    """What is known of one venue, and what it takes to be what the server has."""

    place: Place
    days: Days | None
    spans: list[Span]
    gaps: list[Days | None]
    index: Index
    record: VenueRecord
    totals: dict[Days | None, int | None] = field(default_factory=dict)  # of what was settled
    seen: dict[Days | None, dt.datetime | None] = field(default_factory=dict)  # all changes up to
    clock: dt.datetime | None = None  # the latest change before anything else was read
    rewritten: bool = False
    noted: bool = False  # what was seen is worth writing down, though no row changed

    @property
    def parts(self) -> list[Days]:
        """The days that are held, each range as long as can be."""
        if self.days is None:
            return []
        return without(self.days, [gap for gap in self.gaps if gap])

    def replace(self, days: Days | None, rows: Rows, *, exact: bool) -> None:
        """Take rows for all there is on some days.

        Unless a row tells which day it counts on, one that did not come may be its neighbour's.
        """
        self.record.walked.append("all" if days is None else f"{days[0]} to {days[1]}")
        held = {name for span in self.spans for name in span.tables}
        if days is None and held >= set(rows) and self.index.is_all(rows):
            return
        near = [False, False]
        if days is not None and not exact:
            beside = (days[0] - ONE_DAY, days[1] + ONE_DAY)
            near = [bool(within(self.spans, (day, day))) for day in beside]
        self.index = self.index.with_days(days, rows, before=near[0], after=near[1])
        self.rewritten = True

    def look(self, rows: Rows) -> None:
        """Take those of the rows that are news."""
        news = self.index.news(rows)
        if count := news[self.index.source.name].num_rows:
            self.index = self.index.with_rows(news)
            self.rewritten = True
            self.record.changes += count


def recorded(plan: Plan, *, looks: bool) -> VenueRecord:
    """Return what a venue took; it is complete, unless what was held was not looked at.

    Raises
    ------
    CannotKeep
        There are not as many rows as the server has after all.
    """
    record = plan.record
    known = [total for total in plan.totals.values() if total is not None]
    record.total = sum(known) if len(known) == len(plan.totals) else None
    record.rows = plan.index.count(plan.days)
    record.complete = looks or not plan.parts
    if record.complete and plan.days is not None and record.rows != record.total:
        message = f"{record.rows} rows of the server's {record.total}"
        raise CannotKeep(message)
    if plan.parts:
        record.source = "api+store" if plan.rewritten else "store"
    return record


def by_venue(rows: pa.Table) -> dict[int, pa.Table]:
    """Return rows that come venue by venue as a table for each."""
    column = rows.column(VENUE).combine_chunks()
    found, at = {}, 0
    for run in pc.value_counts(column).to_pylist():
        found[run["values"]] = rows.slice(at, run["counts"])
        at += run["counts"]
    return found
