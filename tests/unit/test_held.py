"""Which days a store holds, against a set of days."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from clopos_nb.store.held import MOST_SPANS, Days, Span, covered, missing, seen_up_to, without

FIRST = dt.date(2026, 1, 1)
TABLES = ("receipts",)

day = st.integers(0, 60).map(lambda n: FIRST + dt.timedelta(days=n))
ranges = st.tuples(day, day).map(lambda pair: (min(pair), max(pair)))
times = st.none() | st.integers(1, 28).map(lambda n: dt.datetime(2026, 3, n))
reads = st.lists(st.tuples(ranges, times), max_size=12)


def days_of(found: Days) -> set[dt.date]:
    return {found[0] + dt.timedelta(days=n) for n in range((found[1] - found[0]).days + 1)}


def held(reads: list[tuple[Days, dt.datetime | None]], *, cuts: bool = True) -> list[Span]:
    spans: list[Span] = []
    for (first, last), newest in reads:
        spans = covered(spans, Span(first, last, TABLES, newest), cuts=cuts)
    return spans


@given(reads, ranges)
def test_days_are_missing_that_no_read_had(reads, wanted):
    read = set().union(*(days_of(days) for days, _ in reads))
    gaps = missing(held(reads), wanted, TABLES, cuts=True)
    assert set().union(*map(days_of, gaps)) == days_of(wanted) - read
    assert all(b[0] - a[1] > dt.timedelta(days=1) for a, b in pairwise(gaps))


@given(reads, st.booleans())
def test_each_day_is_held_once_with_what_was_seen_last(reads, cuts):
    seen = {each: newest for days, newest in reads for each in days_of(days)}
    spans = held(reads, cuts=cuts)
    found = [
        (each, span.newest) for span in spans for each in sorted(days_of((span.first, span.last)))
    ]
    assert found == sorted(seen.items(), key=lambda pair: pair[0])


@given(reads, ranges)
def test_a_cut_that_cannot_be_made_is_a_day_to_read(reads, wanted):
    spans = held(reads, cuts=False)
    gaps = missing(spans, wanted, TABLES, cuts=False)
    read = set().union(*map(days_of, gaps))
    begins, ends = {span.first for span in spans}, {span.last for span in spans}
    one = dt.timedelta(days=1)
    for first, last in without(wanted, gaps):
        assert first in begins or first - one in read
        assert last in ends or last + one in read


@given(ranges, st.lists(ranges, max_size=4))
def test_what_is_left_and_what_is_taken_are_all_of_it(days, taken):
    left = set().union(*map(days_of, without(days, taken)))
    assert left == days_of(days) - set().union(*map(days_of, taken))


def test_many_spans_become_fewer_and_nothing_is_seen_that_was_not():
    reads = [
        ((FIRST + dt.timedelta(days=n),) * 2, dt.datetime(2026, 3, 1 + n % 28)) for n in range(60)
    ]
    spans = held(reads)
    assert len(spans) <= MOST_SPANS
    assert missing(spans, (FIRST, FIRST + dt.timedelta(days=59)), TABLES, cuts=True) == []
    for (day, _), newest in reads:
        (span,) = [span for span in spans if span.first <= day <= span.last]
        assert span.newest <= newest


def test_days_without_one_of_the_tables_are_missing():
    spans = [Span(FIRST, FIRST, TABLES)]
    wanted = (FIRST, FIRST)
    assert missing(spans, wanted, ["receipts", "receipt_products"], cuts=True) == [wanted]


def test_what_was_seen_of_several_is_the_earliest_and_no_rows_tell_nothing():
    early, late = dt.datetime(2026, 1, 1), dt.datetime(2026, 2, 1)
    spans = [Span(None, None, TABLES, newest) for newest in (late, None, early)]
    assert seen_up_to(spans) == early
    assert seen_up_to(spans[1:2]) is None
