"""Which requests a fault strikes: paths, venues, methods, chance, counts; and what is refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.faults import KINDS, FaultError, Faults


def statuses(api, path, times, **kw):
    return [api.get(path, **kw).status_code for _ in range(times)]


def test_count_is_how_often_it_strikes(api, sandbox):
    sandbox.faults.add("server_error", path="/receipts", count=2)
    assert statuses(api, "/receipts", 4) == [500, 500, 200, 200]


def test_skip_lets_the_first_ones_through(api, sandbox):
    sandbox.faults.add("server_error", path="/receipts", skip=2, count=1)
    assert statuses(api, "/receipts", 4) == [200, 200, 500, 200]


@pytest.mark.parametrize(
    ("pattern", "struck"),
    [
        ("/receipts", {"/receipts"}),
        ("/receipts/*", {"/receipts/1"}),
        ("/receipts*", {"/receipts", "/receipts/1"}),
        ("/open-api/v2/orders", {"/orders"}),
        ("*", {"/receipts", "/receipts/1", "/orders"}),
    ],
)
def test_path_is_a_pattern_below_the_base_url(pattern, struck, api, sandbox):
    _ = api.token
    sandbox.faults.add("server_error", path=pattern)
    paths = ("/receipts", "/receipts/1", "/orders")
    assert {path for path in paths if api.get(path).status_code == 500} == struck


def test_venue_is_that_of_the_header_or_the_token(api, sandbox):
    first, second = sandbox.brand.venue_ids[:2]
    sandbox.faults.add("server_error", venue=second)
    assert statuses(api, "/receipts", 1, venue=second) == [500]
    assert statuses(api, "/receipts", 1, venue=first) == [200]
    assert statuses(api, "/receipts", 1) == [200]
    sandbox.faults.clear()
    sandbox.faults.add("server_error", venue=first)
    assert statuses(api, "/receipts", 1) == [500]
    assert api.auth().status_code == 200  # a login is of no venue


def test_method_is_the_requests(api, sandbox):
    sandbox.faults.add("server_error", method="post")
    assert api.auth().status_code == 500
    sandbox.faults.add("invalid_token", method="GET")
    sandbox.faults.remove("server_error")
    assert api.auth().status_code == 200
    assert statuses(api, "/receipts", 1) == [401]


def test_probability_is_a_share_and_repeats_with_the_seed(make_api):
    def run(seed):
        api = make_api(seed=seed)
        api.sandbox.faults.add("server_error", path="/venues", probability=0.3)
        return statuses(api, "/venues", 60)

    one = run(1)
    assert 8 <= one.count(500) <= 30
    assert run(1) == one
    assert run(2) != one


def test_only_the_first_of_several_refusals_answers(api, sandbox):
    errors = sandbox.faults.add("server_error", path="/venues", count=1)
    storm = sandbox.faults.add("rate_limited", path="/venues", count=1)
    assert statuses(api, "/venues", 3) == [500, 429, 200]
    assert (errors.fired, storm.fired) == (1, 1)


def test_faults_of_the_answer_add_up(api, sandbox):
    sandbox.faults.add("unknown_fields")
    sandbox.faults.add("wrong_content_type", content_type="text/plain")
    answer = api.get("/venues")
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.json()["data"][0]["sandbox_new_text"] == "new"
    assert sandbox.requests[-1].faults == ("unknown_fields", "wrong_content_type")


def test_an_answer_that_it_cannot_spoil_does_not_use_it_up(api, sandbox):
    fault = sandbox.faults.add("unknown_fields", count=1)
    assert api.get("/receipts/999999999").status_code == 404
    assert fault.fired == 0
    assert "sandbox_new_text" in api.get("/venues").json()
    assert fault.fired == 1


def test_count_holds_when_many_ask_at_once(api, sandbox):
    _ = api.token
    fault = sandbox.faults.add("server_error", path="/venues", count=5)
    with ThreadPoolExecutor(8) as pool:
        seen = list(pool.map(lambda _: api.get("/venues").status_code, range(40)))
    assert (seen.count(500), fault.fired) == (5, 5)


def test_removing_takes_a_fault_a_name_or_an_id(sandbox):
    faults = sandbox.faults
    one = faults.add("server_error")
    two = faults.add("server_error", path="/venues")
    three = faults.add("clock_skew")
    assert faults.list() == [one, two, three]
    assert (faults.remove(three.id), faults.remove("server_error"), len(faults)) == (1, 2, 0)
    assert faults.remove(one) == 0
    faults.add("clock_skew")
    faults.clear()
    assert repr(faults) == "<Faults none>"


def test_faults_stay_through_a_stop_and_reach_no_other_sandbox(make_api):
    one, two = make_api(), make_api()
    one.sandbox.faults.add("server_error", path="/venues")
    assert statuses(two, "/venues", 1) == [200]
    one.sandbox.stop()
    one.sandbox.start()
    assert statuses(one, "/venues", 1) == [500]


@pytest.mark.parametrize(
    ("name", "settings", "said"),
    [
        ("server_eror", {}, "there are changed_types, clock_skew"),
        ("server_error", {"pathh": "/x"}, "path, method, venue, probability, count, skip"),
        ("server_error", {"name": "x"}, "has no option 'name'"),
        ("server_error", {"self": "x"}, "has no option 'self'"),
        ("limit_clamp", {"clamp": 5}, "skip, limit"),
        ("limit_clamp", {"limit": 0}, "must be from"),
        ("limit_clamp", {"limit": "5"}, "type int"),
        ("limit_clamp", {"limit": True}, "type int"),
        ("clock_skew", {"skew_s": float("nan")}, "type float"),
        ("clock_skew", {"skew_s": 1e12}, "must be from"),
        ("truncated_json", {"share": 1.5}, "must be from"),
        ("truncated_json", {"share": -0.5}, "must be from"),
        ("slow_body", {"spread_s": -1}, "must be from"),
        ("gateway_timeout", {"after_s": -1}, "must be from"),
        ("html_error", {"status": 200}, "must be from"),
        ("wrong_content_type", {"content_type": "a\r\nb: c"}, "printable"),
        ("wrong_content_type", {"content_type": "snö"}, "printable"),
        ("server_error", {"probability": 1.5}, "from 0 to 1"),
        ("server_error", {"probability": "1"}, "from 0 to 1"),
        ("server_error", {"count": 0}, "at least 1"),
        ("server_error", {"count": 1.5}, "at least 1"),
        ("server_error", {"skip": -1}, "at least 0"),
        ("server_error", {"venue": 99}, "there are 1, 2, 3"),
        ("server_error", {"venue": [1]}, "there are 1, 2, 3"),
        ("server_error", {"path": "receipts"}, "/receipts"),
        ("server_error", {"path": 5}, "/receipts"),
        ("server_error", {"method": 5}, "method"),
        ("missing_module", {"module": "cinema"}, "call_center"),
        ("server_error", {"processed": 1}, "type bool"),
        (["server_error"], {}, "there are"),
    ],
)
def test_what_cannot_be_is_said_with_what_there_is(name, settings, said):
    faults = Faults(seed=1, venue_ids=[1, 2, 3])
    with pytest.raises(FaultError, match=said):
        faults.add(name, **settings)
    assert not faults.list()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("server_eror", "there are"),
        ("", "there are"),
        ("server_error,count", "give count a value"),
        ("server_error,count=many", "type int"),
        ("server_error,probability=often", "type float"),
        ("server_error,limit=5", "it has path"),
        ("server_error,processed=perhaps", "true or false"),
        ("server_error,count=1,count=2", "twice"),
    ],
)
def test_a_wrong_text_is_said_with_what_there_is(text, said):
    with pytest.raises(FaultError, match=said):
        Faults().add_text(text)


@pytest.mark.parametrize("name", KINDS)
def test_a_fault_prints_as_the_command_line_takes_it(name):
    faults = Faults(seed=1, venue_ids=[1, 2])
    fault = faults.add(name, path="/receipts*", venue=2, probability=0.25, count=3, method="get")
    again = Faults(seed=1, venue_ids=[1, 2]).add_text(str(fault))
    assert again.state() == fault.state()


def test_text_with_every_type_of_option():
    fault = Faults(venue_ids=[1]).add_text(
        "gateway_timeout, path=/receipts, venue=1, probability=0.5, after_s=2, processed=true"
    )
    state = fault.state()
    assert (state["venue"], state["after_s"], state["processed"]) == (1, 2.0, True)


def test_faults_that_change_rows_need_a_brand_that_can_be_written():
    with pytest.raises(FaultError, match="open for writing"):
        Faults(writable=lambda method: False).add("rows_inserted")


def test_a_sandbox_has_no_faults_at_first(brand):
    assert Sandbox(brand=brand).faults.list() == []


def test_the_manual_lists_every_fault_with_its_options():
    manual = (Path(__file__).parents[2] / "docs" / "faults.md").read_text()
    for kind in KINDS.values():
        line = next(line for line in manual.splitlines() if line.startswith(f"| `{kind.name}`"))
        assert [name for name in kind.options if f"`{name}" not in line] == []
