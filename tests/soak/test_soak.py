"""Twenty seconds of `make soak`, always with the same seed."""

from __future__ import annotations

import pytest
from soak import TOLERATED, VALUES, Missed, Soak, soak


def test_a_client_that_polls_a_busy_brand_through_faults_misses_nothing_and_does_not_grow():
    found = soak(20)
    # How often depends on the machine; each poll was held against the books.
    assert all(tally.polls and tally.compared for tally in found.tables.values())
    assert found.struck.total() > 0
    assert found.logins > 1


BOOKS = {(1, 10): 5.5, (1, 11): 7.0, (2, 10): 3.0}


@pytest.mark.parametrize(
    ("read", "said"),
    [
        ([(1, 10, 5.5), (1, 11, 7.0)], "lost, such as .2, 10"),
        ([(1, 10, 5.5), (1, 11, 7.0), (2, 10, 3.0), (2, 12, 1.0)], "invented, such as .2, 12"),
        ([(1, 10, 5.5), (1, 11, 7.0), (2, 10, 3.0), (2, 10, 3.0)], "came twice"),
        ([(1, 10, 5.5), (1, 11, 7.01), (2, 10, 3.0)], "wrong, such as .1, 11"),
        ([(1, 10, None), (1, 11, 7.0), (2, 10, 3.0)], "wrong, such as .1, 10"),
    ],
)
def test_a_soak_that_sees_a_bad_poll_says_so(read, said):
    answer = {"rows": read, "requests": 1} | dict.fromkeys(TOLERATED, 0.0)
    with pytest.raises(Missed, match=said):
        Soak(1, 7).note("receipts", BOOKS, answer, BOOKS)


@pytest.mark.parametrize("name", TOLERATED)
def test_a_soak_that_sees_a_client_grow_says_so(name):
    found = Soak(1, 7, orders=1)
    found.struck["server_error"] += 1
    for step in range(40):
        taken = dict.fromkeys(TOLERATED, 10.0) | {name: float(step)}
        for table in VALUES:
            rows = [(*key, value) for key, value in BOOKS.items()]
            found.note(table, BOOKS, {"rows": rows, "requests": 1} | taken, BOOKS)
    with pytest.raises(Missed, match=f"{name} grew from"):
        found.check()
