"""The clock: data time and token time apart, frozen, run and advanced; limits that follow."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest

from clopos_nb.sandbox.clock import Clock, ClockError

START = datetime(2026, 2, 28, 22, 30)


class Real:
    """Real seconds, as told."""

    def __init__(self, at=1000.0):
        self.at = at

    def __call__(self):
        return self.at


@pytest.fixture
def real():
    return Real()


@pytest.fixture
def clock(real):
    return Clock(START, unix=real, monotonic=real)


def test_data_time_stands_still_and_token_time_runs(clock, real):
    real.at += 10
    assert clock.data_now() == START
    assert clock.token_now() == 1010


def test_data_time_is_advanced_by_named_spans(clock):
    clock.data.advance(hours=1)
    clock.data.advance(90)
    clock.data.advance(days=1, minutes=-30)
    assert clock.data_now() == datetime(2026, 3, 1, 23, 1, 30)
    assert clock.data.frozen


def test_data_and_token_time_move_apart(clock):
    clock.data.advance(days=3)
    assert clock.token_now() == 1000
    clock.token.advance(60)
    assert clock.data_now().day == 3


def test_run_and_freeze_go_on_from_where_it_is(clock, real):
    clock = Clock(START, unix=real, monotonic=real)
    clock.token.freeze()
    real.at += 100
    assert clock.token_now() == 1000
    clock.token.run(rate=60)
    real.at += 2
    assert clock.token_now() == 1120
    clock.token.freeze()
    clock.token.advance(1)
    real.at += 5
    assert (clock.token_now(), clock.token.frozen) == (1121, True)


def test_data_time_runs_when_told():
    clock = Clock(START)
    clock.data.run(rate=1e6)
    time.sleep(0.002)
    assert clock.data_now() > START
    clock.data.freeze()
    assert clock.data_now() == clock.data_now()


def test_set_shows_a_moment(clock):
    clock.data.set(datetime(2026, 5, 1))
    clock.token.set(5000)
    assert (clock.data_now(), clock.token_now()) == (datetime(2026, 5, 1), 5000)
    assert clock.state() == {
        "data": {"now": "2026-05-01 00:00:00", "frozen": True, "rate": 1.0},
        "token": {"now": 5000, "frozen": False, "rate": 1.0},
    }


def test_limits_follow_advances_and_speed_but_never_stop_or_turn_back(clock, real):
    began = clock.limits_now()
    clock.token.advance(60)
    assert clock.limits_now() == began + 60
    clock.token.advance(-900)
    assert clock.limits_now() == began + 60
    clock.token.freeze()
    real.at += 5
    assert clock.limits_now() == began + 65
    clock.token.run(rate=10)
    real.at += 1
    assert clock.limits_now() == began + 75


@pytest.mark.parametrize(
    "turn",
    [
        lambda clock: clock.data.run(rate=0),
        lambda clock: clock.data.run(rate=float("nan")),
        lambda clock: clock.token.run(rate=1e9),
        lambda clock: clock.data.advance(days=1e12),
        lambda clock: clock.data.advance(float("nan")),
        lambda clock: clock.data.advance(days=-366 * 1000),
        lambda clock: clock.token.advance(days=366 * 9000),
        lambda clock: clock.token.set(-5),
        lambda clock: clock.data.set(datetime(2026, 1, 1, tzinfo=UTC)),
    ],
)
def test_what_no_clock_shows_is_refused_and_changes_nothing(turn, clock):
    with pytest.raises(ClockError):
        turn(clock)
    assert (clock.data_now(), clock.token_now(), clock.limits_now()) == (START, 1000, 0)


def test_many_threads_advance_without_losing_a_second(clock):
    def work():
        for _ in range(500):
            clock.token.advance(1)
            clock.data.advance(1)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert clock.token_now() == 4000
    assert (clock.data_now() - START).total_seconds() == 3000
    assert clock.limits_now() == 3000


def test_a_token_expires_by_an_advance_without_sleeping(api, sandbox):
    assert api.get("/venues").status_code == 200
    sandbox.clock.token.advance(hours=1)
    answer = api.get("/venues")
    assert answer.json()["error"] == "Token expired"
    assert parsedate_to_datetime(answer.headers["Date"]).timestamp() > time.time() + 3500


def test_frozen_token_time_keeps_a_token_and_an_envelope_as_they_are(api, sandbox):
    sandbox.clock.token.freeze()
    one, two = api.get("/venues"), api.get("/venues")
    assert one.headers["Date"] == two.headers["Date"]
    assert one.json()["unix"] == two.json()["unix"] == int(sandbox.clock.token_now())


def test_limiter_windows_follow_the_clock(make_api):
    api = make_api(clock=Real())  # no real second ever passes for the limits
    for _ in range(60):
        api.auth()
    assert api.auth().status_code == 429
    api.sandbox.advance(59)
    assert api.auth().status_code == 429
    api.sandbox.clock.token.advance(2)
    assert api.auth().status_code == 200


def test_limiter_windows_can_be_restarted(api, sandbox):
    for _ in range(60):
        api.auth()
    assert api.auth().status_code == 429
    sandbox.restart_limits()
    assert api.auth().status_code == 200


def test_a_fast_clock_makes_short_windows(make_api):
    api = make_api()
    api.sandbox.clock.token.run(rate=10_000)
    for _ in range(60):
        api.auth()
    time.sleep(0.02)
    assert api.auth().status_code == 200


def test_repr_says_what_runs(clock):
    assert repr(clock) == "<Clock data frozen at 2026-02-28 22:30:00, token running>"
