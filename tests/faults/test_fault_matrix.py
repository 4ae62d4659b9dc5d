"""Every fault of the sandbox in every kind of call: what comes of it is what the table says.

``docs/reliability.md`` shows the table; ``make docs`` writes it when all of this has passed.
"""

from __future__ import annotations

import itertools

import pytest

from clopos_nb.sandbox.faults import KINDS
from tests.faults.bench import CALLS, RESET_S, measure, opened, small_read
from tests.faults.table import TABLE, Row


def test_the_table_names_every_fault_for_every_call():
    assert {(row.fault, row.call) for row in TABLE} == set(itertools.product(KINDS, CALLS))


def test_the_table_has_a_fault_that_strikes_both_once_and_for_good():
    found = {(row.fault, row.options, row.call): set() for row in TABLE}
    for row in TABLE:
        found[row.fault, row.options, row.call].add(row.when)
    assert [whens for whens in found.values() if whens not in ({"once", "stays"}, {"never"})] == []


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.switch} {row.call} {row.when}")
def test_a_call_with_a_fault_ends_as_the_table_says(brand, order, tmp_path, row: Row):
    call = CALLS[row.call]
    with opened(brand, order, tmp_path if row.call == "refresh" else None) as bench:
        seen, fired = measure(bench, call, row.switch)
        asked = list(bench.asked)
        assert row.differs(seen) == {}, f"{row} was {seen}"
        assert (fired > 0) == (row.when != "never")
        assert row.when != "once" or fired == 1
        # The session is usable afterwards, and what it reads is right.
        assert small_read(bench) == "right"
    if not call.paged:  # one request after the other: none comes before it may
        waited = [later[0] - now[0] for now, later in itertools.pairwise(asked) if now[1] == 429]
        assert all(seconds >= RESET_S for seconds in waited)
        assert len(waited) == seen.waits
