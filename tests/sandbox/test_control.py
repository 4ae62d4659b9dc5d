"""The control endpoint: faults, clock, clerk, limits and log, over HTTP and from loopback only."""

from __future__ import annotations

import socket
from datetime import datetime
from urllib.parse import urlsplit

import pytest
import requests

from clopos_nb.sandbox import Sandbox


@pytest.fixture
def api(make_api):
    return make_api(control_port=0)


@pytest.fixture
def sandbox(api):
    return api.sandbox


@pytest.fixture
def control(sandbox):
    """Call the control endpoint; return the status and the data or the message."""
    http = requests.Session()
    http.trust_env = False

    def call(method, path, body=None, **kw):
        answer = http.request(method, sandbox.control_url + path, json=body, timeout=10, **kw)
        told = answer.json()
        assert told["success"] is (answer.status_code == 200)
        return answer.status_code, told["data"] if told["success"] else told["message"]

    yield call
    http.close()


def test_overview_says_what_is_on(control, sandbox):
    sandbox.faults.add("server_error", path="/orders")
    status, told = control("GET", "/")
    assert status == 200
    assert told["url"] == sandbox.url
    assert told["faults"][0]["name"] == "server_error"
    assert told["clock"]["data"]["frozen"] is True
    assert told["clerk"]["mode"] == "on_demand"
    assert told["there_are"]["limit_clamp"]["options"] == {"limit": 20}


def test_a_fault_is_added_seen_and_removed_while_it_runs(control, api):
    assert api.get("/venues").status_code == 200
    settings = {"name": "server_error", "path": "/venues", "count": 2, "probability": 1}
    _, fault = control("POST", "/faults", settings)
    assert api.get("/venues").status_code == 500
    assert control("GET", "/faults")[1]["faults"][0]["fired"] == 1
    assert control("DELETE", f"/faults/{fault['id']}") == (200, {"removed": 1})
    assert api.get("/venues").status_code == 200
    assert control("DELETE", f"/faults/{fault['id']}")[0] == 404


def test_faults_are_removed_by_name_all_at_once_and_replaced(control, sandbox):
    for name in ("server_error", "server_error", "clock_skew"):
        control("POST", "/faults", {"name": name})
    assert control("DELETE", "/faults/server_error") == (200, {"removed": 2})
    assert control("PUT", "/faults", {"faults": [{"name": "html_error"}]})[0] == 200
    assert [fault.name for fault in sandbox.faults] == ["html_error"]
    assert control("PUT", "/faults", {"faults": [{"name": "slow_body"}, {"name": "x"}]})[0] == 400
    assert [fault.name for fault in sandbox.faults] == ["html_error"]
    assert control("DELETE", "/faults") == (200, {"removed": 1})


def test_time_scale_is_set(control, sandbox):
    assert control("POST", "/faults", {"time_scale": 0.01}) == (200, {"time_scale": 0.01})
    assert sandbox.faults.time_scale == 0.01
    assert control("POST", "/faults", {"time_scale": -1})[0] == 400


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "server_eror"}, "there are changed_types"),
        ({"name": "server_error", "limit": 5}, "it has path, method, venue"),
        ({"name": "server_error", "venue": 99}, "there are 1, 2, 3"),
        ({"name": 5}, "name is missing"),
        ({}, "name is missing"),
        ({"name": "limit_clamp", "limit": 10**400}, "must be from 1 to 999"),
        ({"name": "clock_skew", "skew_s": 10**400}, "type float"),
    ],
)
def test_a_wrong_fault_is_400_and_says_what_there_is(body, said, control, sandbox):
    status, message = control("POST", "/faults", body)
    assert status == 400
    assert said in message
    assert not sandbox.faults.list()


def test_clock_is_advanced_frozen_run_and_set(control, api, sandbox):
    assert api.get("/venues").status_code == 200
    turn = {"token": {"advance": {"hours": 1, "seconds": 1}}, "data": {"advance": 90}}
    status, state = control("POST", "/clock", turn)
    assert (status, state["data"]["frozen"]) == (200, True)
    assert api.get("/venues").json()["error"] == "Token expired"
    control("POST", "/clock", {"data": {"set": "2026-05-01T12:00"}, "token": {"freeze": True}})
    assert sandbox.clock.data_now() == datetime(2026, 5, 1, 12)
    assert sandbox.clock.token.frozen
    control("POST", "/clock", {"data": {"run": 60}, "token": {"run": True, "set": 2_000_000_000}})
    assert (sandbox.clock.data.rate, sandbox.clock.token.frozen) == (60, False)
    assert sandbox.clock.token_now() == pytest.approx(2_000_000_000, abs=5)
    assert control("GET", "/clock")[1]["data"]["rate"] == 60


@pytest.mark.parametrize(
    "turn",
    [
        {"data": {"set": "yesterday"}},
        {"data": {"set": "2026-05-01T12:00+04:00"}},
        {"data": {"advance": {"weeks": 1}}},
        {"data": {"advance": "1"}},
        {"data": {"advance": 1e12}},
        {"data": {"advance": {"days": 1e7}}},
        {"data": {"run": 0}},
        {"token": {"set": -1}},
        {"token": {"set": 1e300}},
        {"token": {"wind": 1}},
        {"token": 5},
        {"clock": {}},
    ],
)
def test_a_wrong_turn_of_the_clock_is_400_and_changes_nothing(turn, control, sandbox):
    before = sandbox.clock.data_now()
    assert control("POST", "/clock", turn)[0] == 400
    assert sandbox.clock.data_now() == before
    assert sandbox.clock.data.frozen


def test_clerk_is_told_how_to_work(control, sandbox):
    told = {"mode": "after", "delay_s": 5}
    assert control("POST", "/clerk", told) == (200, {"mode": "after", "delay_s": 5, "moved": 0})
    assert control("GET", "/clerk") == (200, {"mode": "after", "delay_s": 5})
    assert control("POST", "/clerk", {"mode": "sometimes"})[0] == 400
    assert control("POST", "/clerk", {"delay_s": -1})[0] == 400
    assert control("POST", "/clerk", {"work": True})[1]["moved"] == 0


def test_limits_are_restarted(control, api):
    for _ in range(60):
        api.auth()
    assert api.auth().status_code == 429
    assert control("POST", "/limits") == (200, {"restarted": True})
    assert api.auth().status_code == 200


def test_requests_are_listed_without_secrets_and_cleared(control, api):
    api.get("/venues?client_secret=hush")
    _, told = control("GET", "/requests")
    assert told["latest"][-1]["query"] == "client_secret=***"
    assert told["latest"][-1]["faults"] == []
    assert control("DELETE", "/requests") == (200, {"count": 0})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/faults/1/2", 405),
        ("DELETE", "/clock", 405),
        ("PATCH", "/faults", 405),
        ("BREW", "/faults", 405),
        ("DELETE", "/faults/nothing", 400),
    ],
)
def test_wrong_paths_and_methods_are_clear(method, path, status, control):
    assert control(method, path)[0] == status


@pytest.mark.parametrize("raw", [b"{", b"[]", b"5", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_object_is_400(raw, sandbox):
    answer = requests.post(sandbox.control_url + "/faults", data=raw, timeout=10)
    assert (answer.status_code, answer.json()["success"]) == (400, False)


@pytest.mark.parametrize(
    "headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}]
)
def test_no_web_page_reaches_it(headers, control, sandbox):
    answer = requests.delete(f"{sandbox.control_url}/faults", headers=headers, timeout=10)
    assert answer.status_code == 403
    assert control("GET", "/")[0] == 200


def test_it_listens_on_loopback_whatever_the_host(brand):
    with Sandbox(brand=brand, host="0.0.0.0", control_port=0) as sandbox:
        port = urlsplit(sandbox.control_url).port
        with socket.socket() as other:
            # The address is free: the control endpoint took that of 127.0.0.1 alone.
            other.bind(("127.0.0.2", port))
        assert requests.get(f"{sandbox.control_url}/clock", timeout=10).status_code == 200


def test_there_is_none_unless_asked_for(brand):
    with Sandbox(brand=brand) as sandbox:
        assert sandbox.control_url is None


def test_it_stops_with_the_sandbox_and_comes_back_where_it_was(sandbox):
    url = sandbox.control_url
    sandbox.stop()
    assert sandbox.control_url is None
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=2)
    sandbox.start()
    assert sandbox.control_url == url


def test_a_taken_control_port_raises_and_leaves_nothing_running(brand):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        sandbox = Sandbox(brand=brand, control_port=taken.getsockname()[1])
        with pytest.raises(OSError, match="control"):
            sandbox.start()
    assert "stopped" in repr(sandbox)
    sandbox.start()
    sandbox.stop()
