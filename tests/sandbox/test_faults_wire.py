"""Every fault, seen from outside: what a client gets on the wire."""

from __future__ import annotations

import json
import socket
import time
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import pytest
import requests


@pytest.fixture
def faults(sandbox):
    return sandbox.faults.add


@pytest.fixture
def raw(api, sandbox):
    """Send a GET over a socket and return all bytes and how the connection ended."""
    token, address = api.token, urlsplit(sandbox.url)

    def get(path):
        with socket.create_connection((address.hostname, address.port), timeout=10) as client:
            client.sendall(
                f"GET /open-api/v2{path} HTTP/1.1\r\nHost: x\r\nx-token: {token}\r\n"
                "Connection: close\r\n\r\n".encode()
            )
            got = b""
            try:
                while piece := client.recv(65536):
                    got += piece
            except ConnectionResetError:
                return got, "reset"
        return got, "closed"

    return get


def get(api, path="/receipts", **kw):
    return api.get(path, **kw)


def ids(answer):
    return [row["id"] for row in answer.json()["data"]]


REFUSALS = {
    "expired_token": (401, "Token expired"),
    "invalid_token": (401, "Invalid token"),
    "deactivated_integrator": (401, "Invalid integrator_id"),
    "rate_limited": (429, "rate_limited"),
    "server_error": (500, "server_error"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_are_answered_once_and_then_gone(name, api, faults):
    assert get(api).status_code == 200
    fault = faults(name, count=1)
    answer = get(api)
    assert (answer.status_code, answer.json()["error"]) == REFUSALS[name]
    assert answer.json()["success"] is False
    assert get(api).status_code == 200
    assert (fault.fired, fault.active) == (1, False)


def test_expired_token_says_when_it_expired(api, faults):
    faults("expired_token")
    assert api.auth().json()["success"] is True  # logging in still works
    assert get(api).json()["expires_at"].endswith(".000Z")


def test_deactivated_integrator_is_400_at_auth(api, faults):
    faults("deactivated_integrator")
    answer = api.auth()
    assert (answer.status_code, answer.json()["error"]) == (400, "Invalid integrator_id")


@pytest.mark.parametrize(("path", "limit"), [("/receipts", "300"), ("/auth", "60")])
def test_rate_limited_names_the_wait(path, limit, api, faults, sandbox):
    _ = api.token
    faults("rate_limited", reset_s=3.0)
    answer = api.auth() if path == "/auth" else get(api)
    assert answer.status_code == 429
    assert answer.headers["RateLimit-Limit"] == limit
    assert answer.headers["RateLimit-Remaining"] == "0"
    assert answer.headers["RateLimit-Reset"] == "3"


def test_gateway_timeout_takes_its_time_scaled(api, faults, sandbox):
    _ = api.token
    sandbox.faults.time_scale = 0.01
    faults("gateway_timeout")
    began = time.perf_counter()
    answer = get(api)
    assert 0.08 <= time.perf_counter() - began < 4
    assert (answer.status_code, answer.json()["error"]) == (504, "gateway_timeout")


def test_gateway_timeout_keeps_nobody_else_waiting(api, faults, sandbox):
    token = {"x-token": api.token}
    faults("gateway_timeout", path="/receipts", after_s=5.0)
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.url}/receipts", headers=token, timeout=0.2)
    began = time.perf_counter()
    assert get(api, "/venues").status_code == 200
    assert time.perf_counter() - began < 2


def test_html_error_is_the_page_of_a_proxy(api, faults):
    faults("html_error", path="/receipts", status=503)
    answer = get(api)
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "text/html"
    assert answer.text.startswith("<html>")


def test_slow_body_trickles(raw, faults, sandbox):
    whole, _ = raw("/receipts?limit=5")
    sandbox.faults.time_scale = 0.1
    faults("slow_body", spread_s=3.0)
    began = time.perf_counter()
    slow, end = raw("/receipts?limit=5")
    assert 0.3 <= time.perf_counter() - began < 4
    assert end == "closed"
    assert len(slow.partition(b"\r\n\r\n")[2]) >= len(whole.partition(b"\r\n\r\n")[2]) - 5
    assert json.loads(slow.partition(b"\r\n\r\n")[2])["success"] is True


def test_reset_before_body_sends_nothing(raw, faults, sandbox):
    faults("reset_before_body", path="/receipts")
    assert raw("/receipts") == (b"", "reset")
    assert sandbox.requests[-1].status == 0


def test_a_client_that_left_before_the_reset_is_no_error(raw, faults, api, sandbox, caplog):
    faults("reset_before_body", path="/receipts")
    address, token = urlsplit(sandbox.url), api.token
    with socket.create_connection((address.hostname, address.port), timeout=10) as client:
        client.sendall(
            f"GET /open-api/v2/receipts HTTP/1.1\r\nHost: x\r\nx-token: {token}\r\n\r\n".encode()
        )
        client.shutdown(socket.SHUT_RDWR)
    assert raw("/receipts") == (b"", "reset")  # which takes as long, and began later
    assert sandbox.count("/receipts") == 2
    assert caplog.records == []


def test_reset_mid_body_sends_a_part(raw, faults, api):
    faults("reset_mid_body", share=0.5)
    got, end = raw("/receipts?limit=5")
    head, _, body = got.partition(b"\r\n\r\n")
    announced = int(head.lower().partition(b"content-length: ")[2].split()[0])
    assert end == "reset"
    assert 0 < len(body) <= announced // 2 + 1
    with pytest.raises(requests.RequestException):
        get(api)


def test_truncated_json_looks_whole_and_is_not(api, faults):
    _ = api.token
    faults("truncated_json", share=0.7, count=1)
    answer = get(api)
    assert answer.status_code == 200
    assert len(answer.content) == int(answer.headers["Content-Length"])
    with pytest.raises(ValueError):
        answer.json()


def test_wrong_content_type_is_still_json(api, faults):
    faults("wrong_content_type", content_type="text/plain")
    answer = get(api)
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.json()["success"] is True


def test_limit_clamp_serves_less_than_asked(api, faults):
    faults("limit_clamp", limit=7)
    assert len(ids(get(api, "/receipts?limit=200"))) == 7
    assert len(ids(get(api, "/receipts"))) == 7
    assert len(ids(get(api, "/receipts?limit=5"))) == 5
    first, second = get(api, "/receipts?limit=50&page=1"), get(api, "/receipts?limit=50&page=2")
    assert not set(ids(first)) & set(ids(second))


def test_unsorted_page_has_the_same_rows_in_another_order(api, faults):
    right = ids(get(api))
    faults("unsorted_page", count=1)
    wrong = ids(get(api))
    assert wrong != right
    assert sorted(wrong) == sorted(right)
    assert ids(get(api)) == right


def test_repeated_page_serves_the_page_before(api, faults):
    first, second = get(api, "/receipts?limit=5"), get(api, "/receipts?limit=5&page=2")
    faults("repeated_page", count=1)
    assert ids(get(api, "/receipts?limit=5&page=1")) == ids(first)  # not struck, nor used up
    assert ids(get(api, "/receipts?limit=5&page=2")) == ids(first)
    assert ids(get(api, "/receipts?limit=5&page=2")) == ids(second)


def test_clock_skew_moves_all_the_server_says_of_time(api, faults):
    honest = api.auth().json()["expires_at"]
    faults("clock_skew", skew_s=-7200)
    login, answer = api.auth(), get(api)
    assert login.json()["expires_at"] == pytest.approx(honest - 7200, abs=5)
    said = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    assert said == pytest.approx(time.time() - 7200, abs=5)
    assert answer.json()["unix"] == pytest.approx(said, abs=2)


def test_clock_skew_moves_the_iso_time_of_an_expired_token(api, faults):
    faults("expired_token")
    honest = get(api).json()["expires_at"]
    faults("clock_skew", skew_s=86_400)
    assert get(api).json()["expires_at"] > honest


def test_unknown_fields_are_everywhere(api, faults):
    faults("unknown_fields")
    body = get(api, "/receipts?with[]=receipt_products").json()
    row = body["data"][0]
    assert body["sandbox_new_text"] == "new"
    assert {type(row[f"sandbox_new_{kind}"]) for kind in ("text", "number", "list", "object")} == {
        str,
        float,
        list,
        dict,
    }
    assert row["sandbox_new_null"] is None
    assert row["receipt_products"][0]["sandbox_new_text"] == "new"


def test_unknown_enums_are_values_that_no_page_lists(api, faults, sandbox):
    faults("unknown_enums")
    row = get(api).json()["data"][0]
    assert (row["status"], row["source"]) == (99, "SANDBOX_NEW_VALUE")
    sandbox.faults.clear()
    faults("unknown_enums", field="source")
    row = get(api).json()["data"][0]
    assert (row["status"], row["source"]) == (2, "SANDBOX_NEW_VALUE")


def test_changed_types_keep_ids(api, faults, sandbox):
    right = get(api).json()["data"][0]
    faults("changed_types")
    row = get(api).json()["data"][0]
    assert row["id"] == right["id"]
    assert row["total"] == str(right["total"])
    sandbox.faults.clear()
    faults("changed_types", field="total")
    row = get(api).json()["data"][0]
    assert row == right | {"total": str(right["total"])}


@pytest.mark.parametrize("module", ["call_center", "cash_shift"])
def test_missing_module_is_a_matter_of_one_venue(module, api, faults, sandbox):
    path = {"call_center": "/orders", "cash_shift": "/finance/cash-shifts"}[module]
    mine, other = sandbox.brand.venue_ids[:2]
    faults("missing_module", venue=other)
    answer = get(api, path, venue=other)
    assert answer.status_code == 403
    assert f"does not have access to module {module}" in answer.json()["message"]
    assert get(api, path, venue=mine).status_code != 403
    assert get(api, "/receipts", venue=other).status_code == 200
