"""What the server states of the budget, and when a request fits into it."""

from __future__ import annotations

import sqlite3
from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clopos_nb import cabinet
from clopos_nb.budget import Budget, Rate, Window
from clopos_nb.cabinet import Cabinet
from clopos_nb.errors import CacheUnavailable
from clopos_nb.quota import Quota, retry_after_s


def headers(remaining: object, reset: object = 7) -> dict[str, str]:
    return {
        "RateLimit-Limit": "300",
        "RateLimit-Remaining": str(remaining),
        "RateLimit-Reset": str(reset),
    }


def test_the_quota_is_what_the_last_answer_said():
    quota = Quota()
    quota.read(headers(5))
    quota.read({})
    assert (quota.limit, quota.remaining, quota.reset_s) == (300, 5, 7)


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ({"RateLimit-Remaining": "-3"}, (None, 0, None)),
        ({"RateLimit-Remaining": "1"}, (None, 1, None)),
        ({"RateLimit-Remaining": "5", "RateLimit-Limit": "10000"}, (10_000, 5, None)),
        ({"RateLimit-Remaining": "5", "RateLimit-Limit": "10001"}, (None, 5, None)),
        ({"RateLimit-Remaining": "5", "RateLimit-Limit": "-10001"}, (None, 5, None)),
        ({"RateLimit-Remaining": "5", "RateLimit-Limit": "inf"}, (None, 5, None)),
        ({"RateLimit-Remaining": "5", "RateLimit-Reset": "3601"}, (None, 5, None)),
        ({"RateLimit-Remaining": "many", "RateLimit-Limit": "7"}, (300, 9, 7)),
        ({"RateLimit-Limit": "7", "RateLimit-Reset": "1"}, (300, 9, 7)),
    ],
)
def test_headers_that_say_nothing_sound_are_not_believed(sent, seen):
    quota = Quota()
    quota.read(headers(9))
    quota.read(sent)
    assert (quota.limit, quota.remaining, quota.reset_s) == seen


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ({"RateLimit-Reset": "2"}, 2),
        ({"Retry-After": "3"}, 3),
        ({}, None),
        ({"Retry-After": "-1"}, 0),
        ({"RateLimit-Reset": "0", "Retry-After": "3"}, 0),
        ({"RateLimit-Reset": "2", "Retry-After": "3"}, 2),
        ({"RateLimit-Reset": "soon", "Retry-After": "3"}, 3),
        ({"RateLimit-Reset": "1767848732", "Retry-After": "3"}, 3),  # a time, not a wait
        ({"RateLimit-Reset": "3600"}, 3600),
        ({"RateLimit-Reset": "3601"}, None),
        ({"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}, None),
        ({"Retry-After": "nan"}, None),
        ({"Retry-After": "-inf"}, None),
    ],
)
def test_a_429_says_how_long_to_wait(sent, seconds):
    assert retry_after_s(sent) == seconds


# -------------------------------------------------------------------------- the window


def test_a_full_window_is_waited_for_until_its_first_request_leaves():
    window = Window(Rate(2, 60), {"a": 100.0, "b": 130.0})
    assert window.wait_s(140) == 20
    window.forget_old(160)
    assert (list(window.sent), window.wait_s(160)) == (["b"], 0)


def test_a_long_read_leaves_a_little_to_others():
    window = Window(Rate(10, 60), {str(i): 100.0 for i in range(9)})
    assert window.wait_s(101) == 0
    assert window.wait_s(101, keep=1) == 59


def test_a_clock_that_was_set_back_stops_nobody():
    window = Window(Rate(1, 60), {"from the future": 10_000.0})
    window.forget_old(100)
    assert window.wait_s(100) == 0


def test_what_others_spend_of_the_budget_is_heard():
    window = Window(Rate(300, 60), {"mine": 100.0})
    window.heard(limit=300, remaining=0, reset_s=30, now=100)
    assert window.wait_s(100) == 30


def test_the_first_answer_in_an_empty_window_teaches_its_length_and_limit():
    window = Window(Rate(300, 60), {"mine": 100.0})
    window.heard(limit=1000, remaining=999, reset_s=6, now=100)
    assert window.rate == Rate(1000, 6)


@given(
    st.lists(st.floats(0, 0.5), min_size=1, max_size=80),
    st.lists(st.floats(0, 1), min_size=80, max_size=80),
    st.lists(st.floats(0, 2), min_size=80, max_size=80),
)
def test_no_request_is_ever_refused_whatever_the_network_does(gaps, way, took):
    """Play requests of any length against a server's own sliding window."""
    rate, now = Rate(7, 10), 0.0
    window, server, under_way = Window(rate), deque(), []
    for number, gap in enumerate(gaps):
        now += gap
        while True:
            for name, ends in [entry for entry in under_way if entry[1] <= now]:
                window.sent[name] = ends
                under_way.remove((name, ends))
            window.forget_old(now)
            if (seconds := window.wait_s(now)) == 0:
                break
            now = min([now + seconds, *(ends for _, ends in under_way)])
        arrives = now + way[number]
        window.sent[str(number)] = now + 25
        under_way.append((str(number), arrives + took[number]))
        server.append(arrives)
    for arrival in server:
        opens = arrival - rate.window_s + 1e-9  # sums of floats that should be equal are not
        assert sum(opens < other <= arrival for other in server) <= rate.limit


@pytest.mark.parametrize("text", ["", "300", "0/60s", "300/0", "many/60s", "300/inf"])
def test_a_rate_that_cannot_be_is_refused(text):
    with pytest.raises(ValueError):
        Rate.of(text)


# ------------------------------------------------------------------------- the budget


@pytest.mark.parametrize("shared", [True, False], ids=["on disk", "in memory"])
def test_two_sessions_spend_one_budget(tmp_path, shared):
    clock = [1000.0]
    here = [
        Budget(Cabinet(tmp_path if shared else None), f"x{shared}", Rate(3, 60), lambda: clock[0])
        for _ in range(2)
    ]
    names = [here[turn % 2].take()[0] for turn in range(3)]
    assert all(names)
    for turn, name in enumerate(names):
        here[turn % 2].ended(name)
    assert here[0].take() == (None, 60)
    assert here[1].forecast_s(1) == 60
    clock[0] += 60
    assert here[1].take()[1] == 0


@pytest.mark.parametrize("shared", [True, False], ids=["on disk", "in memory"])
def test_a_rate_that_was_set_counts_where_the_server_states_none_whoever_asked_before(
    tmp_path, shared
):
    clock, where = [1000.0], Cabinet(tmp_path if shared else None)
    fast, slow = (Budget(where, f"set{shared}", Rate(n, 60), lambda: clock[0]) for n in (300, 2))
    for _ in range(2):
        fast.ended(fast.take()[0])
    assert slow.take() == (None, 60)
    fast.ended(fast.take()[0], Quota(limit=300, remaining=297, reset_s=50))
    assert slow.take()[1] == 0  # now the server has said


def test_who_died_with_a_request_under_way_holds_the_others_up_no_longer_than_its_lease(tmp_path):
    clock = [1000.0]
    budget = Budget(Cabinet(tmp_path), "x", Rate(1, 6), lambda: clock[0])
    budget.take()
    _, wait = budget.take()
    clock[0] += wait
    assert budget.take()[1] == 0
    assert wait <= 25 + 6


def test_a_process_that_stands_still_while_it_holds_the_budget_is_not_waited_for(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(cabinet, "LOCK_S", 0.2)
    budget = Budget(Cabinet(tmp_path), "x", Rate(1, 60))
    budget.take()
    standing_still = sqlite3.connect(tmp_path / "tokens" / "cache.db", isolation_level=None)
    standing_still.execute("BEGIN IMMEDIATE")
    with pytest.warns(CacheUnavailable, match="in memory only"):
        assert budget.take()[1] == 0
    standing_still.close()


@pytest.mark.parametrize(
    "row",
    [
        {"sent": "everything"},
        {"limit": 0, "window_s": 60, "stated": True, "sent": {}},
        {"limit": 1, "window_s": -1, "stated": True, "sent": {}},
        {"limit": 1, "window_s": 60, "stated": True, "sent": {"a": "long ago"}},
        "nothing",
    ],
)
def test_a_row_that_is_not_ours_is_a_budget_unspent(tmp_path, row):
    cabinet = Cabinet(tmp_path)
    budget = Budget(cabinet, "x", Rate(1, 60))
    with budget._window(), cabinet.opened() as cache:
        pass
    with cabinet.opened() as cache:
        for key in list(cache):
            cache.set(key, row)
    assert budget.forecast_s(1) == 0
    assert budget.take()[1] == 0
