"""Bring what the store holds of one endpoint up to what the server has, and certify it.

Days that are missing are walked. Of days that are held, the newest changes are asked for, which
come with the server's total; while that is not the number of rows held, the days are bisected. All
of that is worked out without writing; then it is written at once, unless somebody else changed the
same months meanwhile: then it is worked out again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pyarrow as pa

from clopos_nb import errors
from clopos_nb.certificate import VenueRecord
from clopos_nb.decode import Decoding, Tables, decode
from clopos_nb.drift import Drift
from clopos_nb.errands import Errand
from clopos_nb.items import Reader
from clopos_nb.lanes import Lane, items_of, walk_all
from clopos_nb.progress import Progress, Watcher
from clopos_nb.questions import Place, Question
from clopos_nb.store.held import (
    ONE_DAY,
    Days,
    Endpoint,
    Span,
    covered,
    missing,
    seen_up_to,
    within,
)
from clopos_nb.store.lake import Lake
from clopos_nb.store.plan import Plan, by_venue, recorded, store_id
from clopos_nb.store.rows import UPDATED, CannotKeep, Index, arrived, latest, months
from clopos_nb.store.snapshot import HASH, VENUE, Snapshot
from clopos_nb.store.write import Write
from clopos_nb.tables import CATALOGUE, Table
from clopos_nb.transport import WORKERS, Transport

PROBE = 20  # rows of the first look: enough when little changed
LOOK_BACK = 7  # days read again where the newest changes cannot be told
TRIES = 5
# A change may show later than another with a later time. Where times are written as instants, the
# documentation's own samples mix clocks that are hours apart.
MARGINS = {"local": dt.timedelta(minutes=10), "utc": dt.timedelta(days=1)}


class Overtaken(Exception):  # no error: it is worked out again
    """Somebody else changed the same months between reading and writing."""


@dataclass
class Refresher:
    """Refreshes one endpoint for several venues.

    Parameters
    ----------
    lake : Lake
    transport : Transport
    question : Question
        Without filters, limit and business days: what is kept.
    drift : Drift
    progress : bool or None
    full : bool
        Read everything again, whatever is held.
    looks : bool
        Whether days that are held are brought up to date too; else only missing ones are read.
    """

    lake: Lake
    transport: Transport
    question: Question
    drift: Drift
    progress: bool | Watcher | None = None
    full: bool = False
    looks: bool = True
    errand: Errand = field(default_factory=Errand)
    clocks: dict[int, dt.datetime | None] = field(default_factory=dict)  # by venue

    @property
    def source(self) -> Table:
        """The table whose rows the endpoint lists."""
        return self.question.source

    @property
    def exact_days(self) -> bool:
        """Whether a row tells which day the server counts it on."""
        return self.question.days is None or self.source.by_name["created_at"].kind == "local"

    @property
    def months(self) -> list[str]:
        """The months to read, those of rows included that may be put a day off."""
        days = self.question.days
        if days is None or self.exact_days:
            return months(days)
        return months((days[0] - ONE_DAY, days[1] + ONE_DAY))

    def run(self, places: Sequence[Place]) -> tuple[Snapshot, list[VenueRecord]]:
        """Refresh the places; return the store as it is then, and what each took.

        Raises
        ------
        AuthError, TransportError, ApiError, ResponseError
        StoreError
        CannotKeep
            The server's answers cannot be kept: it gives no total, or other rows than asked for.
        """
        for _ in range(TRIES):
            snapshot = self.lake.latest()
            whole = self._with_kept(snapshot, places)
            plans = self._plans(snapshot, whole, places)
            if self.question.days is not None:
                whole._each(whole._tell_time, [plan for plan in plans if plan.gaps])
            whole._walk_gaps(plans)
            if self.looks:
                whole._each(whole._settle, [plan for plan in plans if plan.parts])
            records = [recorded(plan, looks=self.looks) for plan in plans]
            try:
                return whole._write(snapshot, plans), records
            except Overtaken:
                continue
        message = f"The store in {self.lake.site} is written by others all the time; ask again"
        raise errors.StoreError(message)

    # -- what there is

    def _with_kept(self, snapshot: Snapshot, places: Sequence[Place]) -> Refresher:
        """Return the same for all tables that those months hold: they are rewritten together."""
        asked = dict.fromkeys([self.source, *self.question.tables])
        held = snapshot.endpoint(self.source.name).venues
        for place in places:
            for span in held.get(store_id(place), []):
                if set(months(_days(span))) & set(self.months):
                    asked |= dict.fromkeys(CATALOGUE[name] for name in span.tables)
        return replace(self, question=replace(self.question, tables=tuple(asked)))

    def _plans(self, snapshot: Snapshot, whole: Refresher, places: Sequence[Place]) -> list[Plan]:
        days = self.question.days
        names = [table.name for table in whole.question.tables]
        held = snapshot.endpoint(self.source.name).venues
        indexes = self._indexes(snapshot, places)
        plans = []
        for place in places:
            spans = held.get(store_id(place), [])
            gaps: list[Days | None] = [days]
            if days is not None and not self.full:
                gaps = [*missing(spans, days, names, cuts=self.exact_days)]
            record = VenueRecord(place.id, place.name)
            index = Index.of(self.source, indexes.get(store_id(place)))
            plans.append(Plan(place, days, spans, gaps, index, record))
        return plans

    def _indexes(self, snapshot: Snapshot, places: Sequence[Place]) -> dict[int, pa.Table]:
        venues = [store_id(place) for place in places]
        columns = [*Index.columns(self.source), VENUE]
        rows = snapshot.read(self.source.name, self.source.name, venues, self.months, columns)
        return {} if rows is None else by_venue(rows)

    # -- walks

    def _walk_gaps(self, plans: Sequence[Plan]) -> None:
        together: dict[Days | None, list[Plan]] = {}
        for plan in plans:
            for gap in plan.gaps:
                together.setdefault(gap, []).append(plan)
        for gap, some in together.items():
            for plan, lane in zip(some, self._walk(gap, some, self.progress), strict=True):
                plan.totals[gap] = lane.walk.total
                plan.seen[gap] = plan.clock

    def _walk(
        self, days: Days | None, plans: Sequence[Plan], progress: bool | Watcher | None = False
    ) -> list[Lane]:
        """Walk the days at some venues, and take the rows into their plans."""
        question = replace(self.question, days=days)
        ask = Decoding(question.shape, self.drift, stamp=HASH)
        with Progress(question.name, progress) as bar:
            lanes = [Lane(question, plan.place, ask) for plan in plans]
            walk_all(lanes, self.transport, bar)
        for plan, lane in zip(plans, lanes, strict=True):
            _check(lane)
            rows = arrived(question.tables, lane.pages.take_out, days)
            plan.replace(days, rows, exact=self.exact_days)
            _add(plan.record, lane.record)
        return lanes

    # -- looks

    def _each(self, work: Callable[[Plan], None], plans: Sequence[Plan]) -> None:
        """Do a work for several plans at once."""
        if not plans:
            return
        pool = ThreadPoolExecutor(min(WORKERS, len(plans)), thread_name_prefix="clopos_nb")
        finished = False
        try:
            list(pool.map(work, plans))
            finished = True
        finally:
            if not finished:
                self.errand.stopped.set()
            pool.shutdown(wait=finished, cancel_futures=True)

    def _tell_time(self, plan: Plan) -> None:
        """Note when a venue's newest row changed: whatever is read from now on has seen that.

        The clock that ``updated_at`` is written by is told by nothing else.
        """
        venue = store_id(plan.place)
        if venue not in self.clocks:  # an earlier time is as true
            question = replace(self.question, tables=(self.source,), days=None)
            question = replace(question, sort=("created_at", -1), size=1)
            page, _ = self._page(plan, question, 1)
            self.clocks[venue] = latest(page[self.source.name])
        plan.clock = self.clocks[venue]

    def _settle(self, plan: Plan) -> None:
        """Take what changed, and make the rows of the days held as many as the server has."""
        for part in plan.parts:
            for _ in range(TRIES):
                total = self._look(plan, part)
                if total is None:  # the list moved
                    continue
                self._bisect(plan, part, total)
                if plan.index.count(part) == total:
                    plan.totals[part] = total
                    break
            else:
                message = "the list keeps changing, or its total is not the number of its rows"
                raise CannotKeep(message)

    def _look(self, plan: Plan, days: Days) -> int | None:
        """Take the newest changes of some days; return the server's total, None if it moved."""
        since = seen_up_to(within(plan.spans, days))
        for size in (PROBE, None) if self._margin < ONE_DAY else (None,):
            pages, total, state = self._newest(plan, days, since, size)
            if state != "more":
                break
            plan.noted = True  # or the next look would be as long
        if state == "moved":
            return None
        top = latest(pages[0][self.source.name]) if state != "unsorted" else None
        plan.seen[days] = max((at for at in (since, top) if at), default=None)
        if state == "more":  # as much as all of it
            self._walk(days, [plan])
            return total
        if state == "unsorted":
            plan.record.note = f"newest changes cannot be told: last {LOOK_BACK} days read again"
            first, last = days
            self._walk((max(first, last - (LOOK_BACK - 1) * ONE_DAY), last), [plan])
        plan.look(arrived(self.question.tables, lambda name: [p[name] for p in pages], days))
        return total

    def _newest(
        self, plan: Plan, days: Days, since: dt.datetime | None, size: int | None
    ) -> tuple[list[Tables], int, str]:
        """Return pages of the newest changes, the total, and whether they are all that are new."""
        question = replace(self.question, days=days, sort=(UPDATED, -1), size=size)
        pages: list[Tables] = []
        read, until, before = 0, None, None
        while True:
            page, total = self._page(plan, question, len(pages) + 1)
            pages.append(page)
            if before is not None and total != before:  # a row may have slipped between two pages
                return pages, total, "moved"
            before = total
            rows = page[self.source.name]
            read += rows.num_rows
            times = rows.column(UPDATED)
            stale = len(pages) == 1 and self._is_stale(plan, days, rows, total)
            if stale or not _descends(times, until):
                return pages, total, "unsorted"
            until = times[-1].as_py().replace(tzinfo=None) if len(times) else until
            if read >= total:
                return pages, total, "all"
            if until is None or not rows.num_rows:
                return pages, total, "unsorted"
            if since is not None and until < since - self._margin:
                return pages, total, "all"
            if size == PROBE or 2 * read >= total:
                return pages, total, "more"

    @property
    def _margin(self) -> dt.timedelta:
        return MARGINS[self.source.by_name[UPDATED].kind]

    def _is_stale(self, plan: Plan, days: Days, rows: pa.Table, total: int) -> bool:
        """Tell whether a newest page is older than what is held: the order is another."""
        key, newest = plan.index.latest(days)
        top = latest(rows)
        if newest is None or top is None or newest <= top or plan.index.count(days) > total:
            return False  # where rows are gone, the newest may be
        return key not in rows.column(self.source.key[0]).to_pylist()

    def _page(self, plan: Plan, question: Question, number: int) -> tuple[Tables, int]:
        answer = self.transport.send(
            "GET",
            question.path(number),
            query=question.query(number),
            venue_id=plan.place.id,
            reader=Reader(question.shape, False).read,
            errand=self.errand,
        )
        items = items_of(answer, question, question.walk())
        plan.record.pages += 1
        plan.record.requests += 1
        if answer.total is None:
            message = f"the server gives no total of {question.name}"
            raise CannotKeep(message)
        if problem := question.problem(items, plan.place):
            raise CannotKeep(problem)
        ask = Decoding(question.shape, self.drift, stamp=HASH)
        return decode(ask, items, number), answer.total

    def _bisect(self, plan: Plan, days: Days, total: int) -> None:
        """Read days again whose rows are not as many as the server has, and as few as can be."""
        first, last = days
        if plan.index.count(days) == total:
            return
        if first == last or total <= (self.source.limit or 0):
            self._walk(days, [plan])
            return
        middle = first + (last - first) // 2
        question = replace(self.question, tables=(self.source,), days=(first, middle), size=1)
        _, left = self._page(plan, question, 1)
        self._bisect(plan, (first, middle), left)
        self._bisect(plan, (middle + ONE_DAY, last), total - left)

    # -- writing

    def _write(self, snapshot: Snapshot, plans: Sequence[Plan]) -> Snapshot:
        """Write what changed; return the store as it is then."""
        changed = [plan for plan in plans if plan.rewritten or plan.noted]
        if not changed:
            return snapshot
        name = self.source.name

        def do(write: Write) -> Snapshot:
            before, now = snapshot.files(name, name), write.at.files(name, name)
            parts = [(store_id(plan.place), month) for plan in plans for month in self.months]
            if any(before.get(part) != now.get(part) for part in parts):
                raise Overtaken
            self._write_rows(write, changed)
            write.at.state.venues |= {p.place.id: p.place.name or "" for p in plans if p.place.id}
            spans = write.at.state.endpoints.setdefault(name, Endpoint()).venues
            for plan in changed:
                venue = store_id(plan.place)
                for days, seen in plan.seen.items():
                    new = self._span(days, seen)
                    spans[venue] = covered(spans.get(venue, []), new, cuts=self.exact_days)
            return write.commit()

        return self.lake.write(do)

    def _write_rows(self, write: Write, plans: Sequence[Plan]) -> None:
        plans = [plan for plan in plans if plan.rewritten]
        if not plans:
            return
        tables = self.question.tables
        name = self.source.name
        contents: list[Mapping[str, pa.Table]] = []
        for plan in plans:
            venue, touched = store_id(plan.place), sorted(plan.index.touched)
            held = {t.name: write.at.read(name, t.name, [venue], touched) for t in tables}
            contents.append(plan.index.content(held, tables, venue))
        parts = [(store_id(p.place), month) for p in plans for month in p.index.touched]
        for table in reversed(tables):
            write.replace(name, table.name, parts, [content[table.name] for content in contents])

    def _span(self, days: Days | None, seen: dt.datetime | None) -> Span:
        first, last = days or (None, None)
        names = tuple(sorted(table.name for table in self.question.tables))
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        return Span(first, last, names, seen, now)


def _days(span: Span) -> Days | None:
    return (span.first, span.last) if span.first and span.last else None


def _check(lane: Lane) -> None:
    """Refuse rows that a walk cannot vouch for."""
    record = lane.record
    if record.error or not record.complete or record.left_out:
        raise CannotKeep(record.error or f"{record.rows} rows of the server's {record.total}")


def _add(to: VenueRecord, walk: VenueRecord) -> None:
    to.pages += walk.pages
    to.requests += walk.requests
    to.duplicates += walk.duplicates


def _descends(times: pa.ChunkedArray, before: dt.datetime | None) -> bool:
    """Tell whether times are there and none is later than the one before it."""
    values: Iterable[dt.datetime | None] = times.to_pylist()
    for at in values:
        if at is None or (before is not None and at.replace(tzinfo=None) > before):
            return False
        before = at.replace(tzinfo=None)
    return True
