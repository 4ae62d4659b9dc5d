"""The three rate-limit tiers, as true sliding windows."""

from __future__ import annotations

import pytest

from clopos_nb.sandbox.limits import SlidingWindow

BODY = {
    "success": False,
    "error": "rate_limited",
    "message": "Too many requests. Retry later.",
}


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def api(make_api, clock):
    return make_api(clock=clock)


def headers(answer):
    names = ("RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
    return tuple(int(answer.headers[name]) for name in names)


def test_window_slides_instead_of_restarting(clock):
    window = SlidingWindow(2, 60, clock)
    window.hit("a")
    clock.now += 40
    window.hit("a")
    assert window.standing("a").remaining == 0
    assert window.standing("a").reset_s == 20
    clock.now += 20
    assert window.standing("a").remaining == 1
    assert window.standing("a").reset_s == 40
    assert window.standing("b").remaining == 2


def test_no_window_of_any_offset_holds_more_than_the_limit(clock):
    window = SlidingWindow(5, 60, clock)
    granted = []
    for step in range(400):
        clock.now = 1000 + step * 1.7
        if window.standing("a").remaining:
            window.hit("a")
            granted.append(clock.now)
    assert all(sum(start <= moment < start + 60 for moment in granted) <= 5 for start in granted)


def test_every_authenticated_answer_carries_the_three_headers(api):
    api.token  # noqa: B018
    assert headers(api.get("/venues")) == (300, 299, 60)
    assert headers(api.get("/receipts/0")) == (300, 298, 60)
    assert headers(api.get("/users?page=0")) == (300, 297, 60)


def test_call_301_of_an_integrator_and_brand_is_429(api, clock):
    for _ in range(300):
        assert api.get("/stations?limit=1").status_code == 200
    clock.now += 12
    answer = api.get("/stations")
    assert answer.status_code == 429
    assert answer.json() == BODY
    assert headers(answer) == (300, 0, 48)
    clock.now += 48
    assert api.get("/stations").status_code == 200


def test_tokens_and_venues_of_a_brand_share_its_budget(api, sandbox):
    other = {"x-token": api.auth().json()["token"]}
    api.get("/venues")
    api.get("/venues", venue=api.sandbox.brand.venue_ids[1])
    assert headers(api.get("/venues", headers=other))[1] == 297


def test_another_integrator_and_brand_have_a_budget_of_their_own(api):
    api.get("/venues")
    token = api.auth(**api.sandbox.test_credentials).json()["token"]
    assert headers(api.get("/venues", headers={"x-token": token}))[1] == 299


def test_call_61_of_auth_from_an_address_is_429_whatever_it_holds(api, clock):
    for n in range(60):
        assert api.auth(**({"brand": "wrong"} if n % 2 else {})).status_code in (200, 401)
    answer = api.auth()
    assert (answer.status_code, answer.json()) == (429, BODY)
    assert headers(answer) == (60, 0, 60)
    clock.now += 60
    assert api.auth().status_code == 200


def test_error_601_from_an_address_is_429_before_the_token_is_looked_at(api, clock):
    good = {"x-token": api.token}
    for _ in range(600):
        assert api.get("/venues", headers={"x-token": "bad"}).status_code == 401
    answer = api.get("/venues", headers=good)
    assert (answer.status_code, answer.json()) == (429, BODY)
    assert headers(answer) == (600, 0, 60)
    clock.now += 60
    assert api.get("/venues", headers=good).status_code == 200


def test_headers_tell_of_the_tier_with_fewest_calls_left(api):
    for _ in range(450):
        api.get("/venues", headers={"x-token": "bad"})
    assert headers(api.get("/venues"))[:2] == (600, 150)
    assert headers(api.get("/venues", headers={}))[:2] == (600, 149)


def test_window_length_is_a_setting(make_api, clock):
    api = make_api(clock=clock, window_s=2.5)
    assert headers(api.get("/venues")) == (300, 299, 3)


def test_unknown_paths_cost_nothing(api):
    assert api.get("/nope").status_code == 404
    assert headers(api.get("/venues"))[:2] == (300, 299)
