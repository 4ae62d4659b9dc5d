"""Starting, stopping, several at once, and inside a running loop."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from clopos_nb.sandbox import Sandbox


@pytest.mark.parametrize("name", ["receipts_per_day", "token_lifetime_s", "window_s", "latency_s"])
@pytest.mark.parametrize("number", [-1, float("nan")])
def test_a_number_that_cannot_be_is_named(name, number):
    with pytest.raises(ValueError, match=f"{name} must be at least 0"):
        Sandbox(**{name: number})


def test_url_ends_in_the_documented_path_and_is_loopback(sandbox):
    assert sandbox.url.startswith("http://127.0.0.1:")
    assert sandbox.url.endswith("/open-api/v2")


def test_url_before_the_first_start_says_what_to_do(brand):
    with pytest.raises(RuntimeError, match="start"):
        _ = Sandbox(brand=brand).url


def test_start_and_stop_can_be_repeated(brand):
    sandbox = Sandbox(brand=brand)
    assert sandbox.start() is sandbox.start()
    url = sandbox.url
    sandbox.stop()
    sandbox.stop()
    with pytest.raises(requests.RequestException):
        requests.get(f"{url}/venues", timeout=2)
    with sandbox:
        assert sandbox.url == url
        assert requests.get(f"{url}/venues", timeout=5).status_code == 401
    assert "stopped" in repr(sandbox)


def test_taken_port_raises_in_the_caller(brand):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(OSError, match="use"):
            Sandbox(brand=brand, port=taken.getsockname()[1]).start()


def test_two_sandboxes_do_not_share_anything(make_api):
    one, two = make_api(), make_api(legacy=True)
    assert one.sandbox.url != two.sandbox.url
    assert "pin" not in one.data("/users")[0]
    assert "pin" in two.data("/users")[0]
    answer = two.get("/venues", headers={"x-token": one.token})
    assert answer.json()["error"] == "Invalid token"
    assert one.sandbox.count("/venues") == 0
    assert two.sandbox.count("/venues") == 1


def test_starts_inside_a_running_event_loop(brand):
    async def main():
        with Sandbox(brand=brand) as sandbox:
            return await asyncio.to_thread(
                requests.post, f"{sandbox.url}/auth", json=sandbox.credentials, timeout=5
            )

    assert asyncio.run(main()).json()["success"] is True


def test_request_log_names_what_was_asked_without_secrets(api, sandbox):
    api.get("/receipts?limit=2&client_secret=hush&x=1", venue=sandbox.brand.venue_ids[1])
    assert sandbox.count("/auth") == 1
    entry = sandbox.requests[-1]
    assert entry[:4] == ("GET", "/receipts", 200, sandbox.brand.venue_ids[1])
    assert entry.query == "limit=2&client_secret=***&x=1"
    assert [e.path for e in sandbox.requests] == ["/auth", "/receipts"]
    sandbox.requests.clear()
    assert (len(sandbox.requests), sandbox.count("/auth")) == (0, 0)


def test_latency_delays_every_answer(make_api):
    api = make_api(latency_s=0.05)
    began = time.perf_counter()
    api.auth()
    assert time.perf_counter() - began >= 0.05


def test_many_connections_at_once_get_right_answers(api):
    token = {"x-token": api.token}
    url = api.sandbox.url

    def one(page):
        params = {"page": page, "limit": 10}
        return requests.get(f"{url}/receipts", params=params, headers=token, timeout=10).json()

    with ThreadPoolExecutor(16) as pool:
        pages = list(pool.map(one, range(1, 31)))
    ids = [row["id"] for page in pages for row in page["data"]]
    assert len(ids) == len(set(ids)) == min(300, pages[0]["total"])


def test_a_fault_of_the_sandbox_is_a_json_500_in_the_log(api, sandbox, monkeypatch, caplog):
    token = api.token
    monkeypatch.setattr(type(sandbox.brand), "rows", lambda *_: 1 / 0)
    with caplog.at_level(logging.ERROR):
        answer = api.get("/users", headers={"x-token": token})
    assert (answer.status_code, answer.json()["error"]) == (500, "server_error")
    assert "ZeroDivisionError" in caplog.text
    assert "ZeroDivisionError" not in answer.text


def test_oversized_body_is_refused(api, sandbox):
    try:
        status = api.http.post(f"{sandbox.url}/auth", data=b"x" * (3 << 20), timeout=10).status_code
    except requests.RequestException:  # closed while the client was still sending: as good
        status = 400
    assert 400 <= status < 500
    assert api.http.get(f"{sandbox.url}/venues", timeout=10).status_code == 401  # and it lives on


def test_today_is_the_last_day_of_the_data(sandbox):
    assert sandbox.today.isoformat() == "2026-02-28"


def test_ledger_is_the_brands_own(sandbox):
    venue = sandbox.brand.venue_ids[0]
    mine = sandbox.ledger(venue, sandbox.today, sandbox.today)
    assert mine == sandbox.brand.ledger(venue, sandbox.today, sandbox.today)
