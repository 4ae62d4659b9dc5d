"""Which days of which tables the store holds, without I/O: what is missing, what a read adds.

The state of a whole store is one small document, :class:`State`. It is committed after the rows it
speaks of and names the versions of the tables that hold them, so that whoever reads it sees rows
and claims that belong together, whatever was being written when.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

FORMAT = 1
MOST_SPANS = 40  # of one venue; more are joined, which costs a refresh some rows, never a wrong one
ONE_DAY = dt.timedelta(days=1)

Days = tuple[dt.date, dt.date]


class Span(msgspec.Struct, frozen=True):
    """Days that are held, both inclusive.

    Attributes
    ----------
    first, last : date or None
        None of a table that takes no days: all of it.
    tables : tuple of str
        Those of the endpoint that are held, in order.
    newest : datetime or None
        Every change up to this ``updated_at`` was seen.
    read_at : str
        When the server was last asked, an ISO instant; nothing is decided by it.
    """

    first: dt.date | None
    last: dt.date | None
    tables: tuple[str, ...]
    newest: dt.datetime | None = None
    read_at: str = ""


class Endpoint(msgspec.Struct):
    """What is held of one endpoint: the version of each table, and each venue's days."""

    versions: dict[str, int] = msgspec.field(default_factory=dict)
    venues: dict[int, list[Span]] = msgspec.field(default_factory=dict)


class Label(msgspec.Struct, kw_only=True):
    """Whose a store is, and how it is written; the same in every format."""

    brand: str
    server: str
    format: int


class State(Label, kw_only=True):
    """What a store holds, and whose it is."""

    format: int = FORMAT
    venues: dict[int, str] = msgspec.field(default_factory=dict)
    endpoints: dict[str, Endpoint] = msgspec.field(default_factory=dict)
    oldest: int = 0


def within(spans: Iterable[Span], days: Days) -> list[Span]:
    """Return the parts of the spans that lie within the days."""
    return [part for span in spans if (part := _clipped(span, *days))]


def missing(spans: Sequence[Span], days: Days, tables: Sequence[str], *, cuts: bool) -> list[Days]:
    """Return the ranges of days that have to be read, none of them next to another.

    Parameters
    ----------
    spans : sequence of Span
        What is held, in order.
    days : tuple of date
        What is asked for.
    tables : sequence of str
        Days that lack one of these are not held.
    cuts : bool
        Whether a span may be cut anywhere. It may not where the server's day of a row cannot be
        told from the row; then a day at the edge of what is asked, and inside a span, is read.

    Examples
    --------
    >>> import datetime as dt
    >>> from clopos_nb.store.held import Span, missing
    >>> day = [dt.date(2026, 1, n) for n in range(1, 32)]
    >>> held = [Span(day[4], day[9], ("receipts",))]
    >>> missing(held, (day[4], day[10]), ["receipts"], cuts=True)
    [(datetime.date(2026, 1, 11), datetime.date(2026, 1, 11))]
    """
    first, last = days
    there = [s for s in within(spans, days) if set(tables) <= set(s.tables)]
    gaps = []
    at = first
    for span in there:
        begin, end = span.first or first, span.last or last
        if at < begin:
            gaps.append((at, begin - ONE_DAY))
        at = end + ONE_DAY
    if at <= last:
        gaps.append((at, last))
    if not cuts:
        gaps += [(edge, edge) for edge in _cut_edges(spans, days)]
    return _joined(gaps)


def without(days: Days, gaps: Iterable[Days]) -> list[Days]:
    """Return the ranges of days that are left of some without others."""
    first, last = days
    found = []
    for begin, end in sorted(gaps):
        if first < begin and first <= last:
            found.append((first, min(last, begin - ONE_DAY)))
        first = max(first, end + ONE_DAY)
    return [*found, (first, last)] if first <= last else found


def covered(spans: Sequence[Span], new: Span, *, cuts: bool) -> list[Span]:
    """Return the spans with a new one in place of what it covers.

    Neighbours of which the same was seen become one, unless no cut could be made there again.
    """
    if new.first is None or new.last is None:
        return [new]
    kept = [part for span in spans for part in _outside(span, new.first, new.last)]
    found: list[Span] = []
    for span in sorted([*kept, new], key=lambda s: s.first or dt.date.min):
        if cuts and found and _touch(found[-1], span) and _alike(found[-1], span):
            span = msgspec.structs.replace(found.pop(), last=span.last)
        found.append(span)
    while len(found) > MOST_SPANS:
        found = _fewer(found)
    return found


def seen_up_to(spans: Iterable[Span]) -> dt.datetime | None:
    """Return the moment up to which all changes were seen in every one of the spans.

    A span without one has no rows: whatever comes to it changes the server's total.
    """
    return min((span.newest for span in spans if span.newest), default=None)


def forgotten(spans: Sequence[Span], days: Days) -> list[Span]:
    """Return the spans without some days."""
    return [part for span in spans for part in _outside(span, *days)]


def _clipped(span: Span, first: dt.date, last: dt.date) -> Span | None:
    if span.first is None or span.last is None:
        return None
    begin, end = max(span.first, first), min(span.last, last)
    return msgspec.structs.replace(span, first=begin, last=end) if begin <= end else None


def _outside(span: Span, first: dt.date, last: dt.date) -> list[Span]:
    parts = (
        _clipped(span, dt.date.min, first - ONE_DAY),
        _clipped(span, last + ONE_DAY, dt.date.max),
    )
    return [part for part in parts if part]


def _cut_edges(spans: Sequence[Span], days: Days) -> list[dt.date]:
    first, last = days
    starts = [first for s in spans if s.first and s.last and s.first < first <= s.last]
    ends = [last for s in spans if s.first and s.last and s.first <= last < s.last]
    return starts + ends


def _joined(ranges: Iterable[Days]) -> list[Days]:
    found: list[Days] = []
    for first, last in sorted(ranges):
        if found and first <= found[-1][1] + ONE_DAY:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


def _touch(one: Span, other: Span) -> bool:
    return one.last is not None and other.first == one.last + ONE_DAY


def _alike(one: Span, other: Span) -> bool:
    return (one.tables, one.newest) == (other.tables, other.newest)


def _fewer(spans: list[Span]) -> list[Span]:
    """Return the spans with the two oldest neighbours as one, or without the oldest."""
    for index, (one, other) in enumerate(pairwise(spans)):
        if _touch(one, other) and one.tables == other.tables:
            both = msgspec.structs.replace(
                one,
                last=other.last,
                newest=seen_up_to([one, other]),
                read_at=min(one.read_at, other.read_at),
            )
            return [*spans[:index], both, *spans[index + 2 :]]
    return spans[1:]  # days that are not held any more are read again when they are asked for
