"""Many walks at once: the pages of each are asked for ahead of time, and taken in their order.

Up to 16 requests are under way. Walks share them evenly, and none is more than so many pages ahead
of what was decoded, so that memory is bounded however fast the network is; nor is a page asked for
while enough that came are waiting.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Literal

from clopos_nb import errors
from clopos_nb.certificate import VenueRecord
from clopos_nb.crew import REFRESH_S, Crew
from clopos_nb.decode import Decoding
from clopos_nb.items import Items, Reader, Row
from clopos_nb.pages import Pages
from clopos_nb.progress import Progress
from clopos_nb.questions import Place, Question
from clopos_nb.tables import Table
from clopos_nb.transport import WORKERS, Transport
from clopos_nb.walks import Walk
from clopos_nb.wire import Answer

MOST_WAITING = WORKERS // 2  # pages there and not taken: more only leave the processor's cache


def items_of(answer: Answer, question: Question, walk: Walk, exact: bool = False) -> Items:
    """Return the rows of an answer, as structs where the reader could read them."""
    if answer.items is not None:
        return answer.items
    if question.source.inferred and answer.is_object:
        walk.paged = False  # a single object, where nobody said what there is
        row: Row = answer.data(exact=exact)
        return [row]
    return answer.rows(exact=exact)


@dataclass
class Lane:
    """One venue's walk, the tables decoded so far, and its line in the certificate."""

    question: Question
    place: Place
    ask: Decoding
    walk: Walk = field(init=False)
    record: VenueRecord = field(init=False)
    reader: Reader = field(init=False)
    pages: Pages = field(init=False)
    ahead: dict[int, Future[Answer]] = field(default_factory=dict)
    floors: dict[int, int] = field(default_factory=dict)
    size: int = 0
    unneeded: int = 0

    def __post_init__(self) -> None:
        self.walk = self.question.walk()
        self.record = VenueRecord(self.place.id, self.place.name)
        self.reader = Reader(self.question.shape, self.ask.dtypes.exact)
        self.pages = Pages(self.ask)

    @property
    def over(self) -> bool:
        """Whether no page is to be asked for any more."""
        return self.walk.next_page is None

    @property
    def last_page(self) -> int:
        """The page that should be the last one, by the total and the size of the first."""
        pages = math.ceil((self.walk.total or 0) / self.size) if self.size else 0
        return max(pages, self.walk.next_page or 1)

    @property
    def pages_left(self) -> int:
        """How many pages are still to be taken."""
        return 0 if self.walk.next_page is None else self.last_page - self.walk.next_page + 1

    def pages_for(self, left: int) -> int:
        """How many pages more so many rows will take, by those there are."""
        rows = self.rows(self.question.tables[0])
        return math.ceil((left - rows) * self.walk.pages / rows) if rows else 1

    def rows(self, table: Table) -> int:
        """How many rows of a table there are so far."""
        return self.pages.rows(table.name)

    def look_ahead(self, crew: Crew, most: int) -> None:
        """Ask for the next pages, so that no more than so many are under way or waiting."""
        if self.walk.next_page is None or self.waiting >= MOST_WAITING:
            return
        for page in range(self.walk.next_page, self.last_page + 1):
            if len(self.ahead) >= most:
                return
            if page not in self.ahead:
                self.floors[page] = self.walk.highest
                self.ahead[page] = crew.ask(self.question, page, self.place, self.reader.read)

    @property
    def waiting(self) -> int:
        """How many pages came and are to be taken."""
        return sum(future.done() for future in self.ahead.values())

    @property
    def head(self) -> Future[Answer]:
        """The page that is to be taken next."""
        return self.ahead[self.walk.next_page or 1]

    def take(self, left: int | None) -> None:
        """Take the next page; ``left`` are the rows still wanted, if there is a limit.

        Raises
        ------
        AuthError, TransportError, ApiError, ResponseError
        """
        refused: errors.ResponseError | None = None
        page = self.walk.next_page or 1
        answer = self.ahead.pop(page).result()
        exact = self.ask.dtypes.exact
        items = items_of(answer, self.question, self.walk, exact)
        self.size = self.size or len(items)
        fresh = self.walk.take(items, answer.total, floor=self.floors.pop(page))
        if self.walk.restarted:  # what was held is void, and so is this page
            self.pages.clear()
            self.record.left_out = 0
        else:
            self.record.error = self.record.error or self.question.problem(fresh, self.place)
            wanted, others = self.question.select(fresh)
            self.record.left_out += others.total()
            for asked, count in others.items():
                if asked != "shift_date":  # which was asked for wider than wanted
                    source = self.question.source.name
                    self.ask.drift.note(source, asked, "ignored by the server", None, count=count)
            try:
                self.pages.append(wanted, self.walk.pages)
                if self.over:
                    self.pages.settle()
            except errors.ResponseError as exc:
                refused = errors.ResponseError(str(exc))
        if refused is not None:  # outside of the except, as a crash report shows the rows there
            del items, fresh, wanted, others
            raise refused
        if left is not None and self.rows(self.question.tables[0]) >= left:
            self.walk.stop()
        if self.walk.next_page != page + 1:  # over, or back: those are stale
            self.drop()
        self._keep_record()

    def fail(self, exc: errors.CloposError) -> None:
        """End without rows: the venue's part of the certificate says why."""
        self.drop()
        self.pages.clear()
        self.walk.stop()
        error = f"{type(exc).__name__}: {exc}"
        self.record = VenueRecord(self.place.id, self.place.name, error=error)

    def drop(self) -> None:
        """Forget the pages that were asked for ahead."""
        self.unneeded += sum(not future.cancel() for future in self.ahead.values())
        self.ahead.clear()
        self.floors.clear()

    def _keep_record(self) -> None:
        record, walk = self.record, self.walk
        record.total, record.rows, record.pages = walk.total, walk.rows, walk.pages
        record.requests = walk.pages + self.unneeded
        record.duplicates = walk.duplicates
        record.complete = walk.complete and record.error is None


def walk_all(
    lanes: Sequence[Lane],
    transport: Transport,
    progress: Progress,
    on_error: Literal["raise", "warn"] = "raise",
) -> None:
    """Walk all lanes at once, to their ends.

    Raises
    ------
    AuthError, TransportError, ApiError, ResponseError
        Of the first venue that fails, unless ``on_error`` is "warn".
    """
    with Crew(transport, progress.waiting) as crew:
        if all(lane.question.limit is None for lane in lanes):
            _drive(lanes, crew, progress, transport, on_error)
        else:
            _drive_limited(lanes, crew, progress, transport, on_error)


def _drive(
    lanes: Sequence[Lane],
    crew: Crew,
    progress: Progress,
    transport: Transport,
    on_error: str,
    left: int | None = None,
) -> None:
    """Take pages of whichever lanes have one until all are over."""
    while active := [lane for lane in lanes if not lane.over][:WORKERS]:
        share = max(2 * WORKERS // len(active), 1)
        for lane in active:
            lane.look_ahead(crew, share if left is None else min(share, lane.pages_for(left)))
        ready, _ = wait([lane.head for lane in active], REFRESH_S, FIRST_COMPLETED)
        for lane in active:
            if lane.head in ready:
                try:
                    lane.take(left)
                except (errors.ApiError, errors.TransportError, errors.ResponseError) as exc:
                    if on_error == "raise":
                        raise
                    lane.fail(exc)
        progress.show(lanes, transport.budget)


def _drive_limited(
    lanes: Sequence[Lane],
    crew: Crew,
    progress: Progress,
    transport: Transport,
    on_error: str,
) -> None:
    """Take one lane after the other until there are rows enough."""
    left = int(lanes[0].question.limit or 0)
    for lane in lanes:
        if left > 0:
            _drive([lane], crew, progress, transport, on_error, left)
            left = max(left - lane.rows(lane.question.tables[0]), 0)
