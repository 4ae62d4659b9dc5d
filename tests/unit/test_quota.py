"""The budget is what the server's headers state."""

from __future__ import annotations

import pytest

from clopos_nb.quota import Quota, retry_after_s


def headers(remaining: object, reset: object = 7) -> dict[str, str]:
    return {
        "RateLimit-Limit": "300",
        "RateLimit-Remaining": str(remaining),
        "RateLimit-Reset": str(reset),
    }


def test_a_used_up_budget_is_waited_for_until_its_window_ends():
    clock = [100.0]
    quota = Quota(now=lambda: clock[0])
    quota.read(headers(0))
    assert quota.wait_s() == 7
    clock[0] += 5
    assert quota.wait_s() == 2
    clock[0] += 5
    assert quota.wait_s() == 0


@pytest.mark.parametrize(
    "sent", [{}, headers(5), headers("many"), headers("nan"), headers(0, "x"), headers(0, 1.8e9)]
)
def test_nothing_is_waited_for_while_there_is_budget_or_no_word_of_it(sent):
    quota = Quota()
    quota.read(sent)
    assert quota.wait_s() == 0


@pytest.mark.parametrize(
    ("sent", "seconds"),
    [
        ({"RateLimit-Reset": "2"}, 2),
        ({"Retry-After": "3"}, 3),
        ({}, None),
        ({"Retry-After": "-1"}, 0),
    ],
)
def test_a_429_says_how_long_to_wait(sent, seconds):
    assert retry_after_s(sent) == seconds
