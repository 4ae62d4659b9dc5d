"""What goes over the wire: whose request it is, what is sent again, and where it may not go."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from werkzeug import Request, Response

from clopos_nb import errors
from clopos_nb.sandbox import Sandbox

DAY = "2026-01-09"
PHONE = "+994 50 555 44 33"


def refusal(status: int, error: str = "server_error", **headers: str) -> Response:
    body = {"success": False, "error": error}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(json.dumps(body), status, named, content_type="application/json")


def hang_up(request: Request) -> Response:
    """Break the connection off instead of answering."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return Response("")


def cut_short(request: Request) -> Response:
    """Promise more bytes than come."""
    response = Response('{"success": true, "data"')
    response.automatically_set_content_length = False
    response.headers["Content-Length"] = "5000"
    return response


cut_json = Response('{"success": true, "data": [{"id"')


# ----------------------------------------------------------------------------- venues


def venues_asked(sandbox: Any, path: str) -> list[int | None]:
    return [entry.venue_id for entry in sandbox.requests if entry.path == path]


def test_each_request_carries_its_own_venue(fresh, open_session):
    session = open_session(fresh)
    for venue in (3, 1, 3, 2):
        session.venue(venue).frame("receipts", DAY, limit=1)
    assert venues_asked(fresh, "/receipts") == [3, 1, 3, 2]


def test_interleaved_venues_do_not_mix(fresh, open_session):
    session = open_session(fresh)
    one, two = (session.venue(n).rows("receipts", "2026-01") for n in (1, 2))
    pairs = list(islice(zip(one, two, strict=False), 450))
    assert {(a["venue_id"], b["venue_id"]) for a, b in pairs} == {(1, 2)}
    assert venues_asked(fresh, "/receipts") == [1, 2] * 3


def test_threads_of_one_session_do_not_mix_venues(fresh, open_session):
    session = open_session(fresh)
    alone = {v.id: v.frame("receipts", DAY)["id"].tolist() for v in session.venues}
    with ThreadPoolExecutor(4) as pool:
        frames = pool.map(lambda v: session.venue(v).frame("receipts", DAY), [1, 2, 3, 4] * 4)
    for venue, frame in zip([1, 2, 3, 4] * 4, frames, strict=True):
        assert frame["id"].tolist() == alone[venue]
        assert set(frame["venue_id"]) == {venue}


def test_a_request_without_a_venue_names_none(faulty, visitor):
    visitor.get("/venues")
    assert "x-venue" not in faulty.seen[-1].headers


# ---------------------------------------------------------------------------- headers


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give this machine's user a login for every host, as ``~/.netrc`` holds it."""
    (tmp_path / ".netrc").write_text("machine localhost login me password x\ndefault login d\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))


@pytest.mark.usefixtures("netrc")
def test_the_token_goes_in_its_own_header_and_no_other_login_goes_along(faulty, visitor):
    visitor.get("/venues")
    login, read = faulty.seen
    assert "x-token" not in login.headers
    assert read.headers["x-token"].startswith("eyJplanted")
    assert not any("Authorization" in request.headers for request in faulty.seen)


def test_credentials_are_in_the_body_of_the_login_and_in_no_address(faulty, visitor, envelope):
    faulty.on("/users", envelope({"id": 1}))
    visitor.venue(1).frame("users")
    assert faulty.seen[0].get_json() == faulty.credentials
    for request in faulty.seen:
        assert not any(value in request.url for value in faulty.credentials.values())
        assert "eyJ" not in request.url


def test_proxies_of_the_environment_are_not_for_this_machine(fresh, open_session, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    assert len(open_session(fresh).get("/venues")) == 4


# ---------------------------------------------------------------------- what is sent again


def test_a_429_is_waited_for_and_the_read_completes(faulty, visitor, envelope):
    faulty.on("/users", refusal(429, "rate_limited", RateLimit_Reset="1"), envelope({"id": 1}))
    began = time.monotonic()
    frame = visitor.frame("users")
    assert 1 <= time.monotonic() - began < 3
    assert frame["id"].tolist() == [1]
    assert faulty.count("/users") == 2


def test_a_429_in_the_middle_of_a_walk_loses_no_row(faulty, visitor, waits, envelope):
    faulty.on(
        "/users",
        envelope({"id": 1}, total=2),
        refusal(429, "rate_limited", RateLimit_Reset="7"),
        envelope({"id": 2}, total=2),
    )
    frame = visitor.frame("users", progress=False)
    assert frame["id"].tolist() == [1, 2]
    assert waits == [pytest.approx(7, abs=0.2)]


def test_a_429_that_stays_is_told_with_what_it_asks_for(faulty, visitor, waits, refused):
    faulty.on("/users", refusal(429, "rate_limited", RateLimit_Reset="9"))
    with refused(errors.RateLimited, "Try again") as caught:
        visitor.frame("users")
    assert caught.value.retry_after == 9
    assert 2 <= faulty.count("/users") == len(waits) + 1 <= 5


def test_a_budget_that_is_used_up_is_waited_for_before_the_next_request(
    faulty, visitor, waits, envelope
):
    body = json.dumps(envelope({"id": 1}))
    last = {"RateLimit-Limit": "300", "RateLimit-Remaining": "0", "RateLimit-Reset": "30"}
    faulty.on("/users", Response(body, headers=last), Response(body))
    visitor.frame("users")
    assert waits == []
    assert (visitor.quota.limit, visitor.quota.remaining) == (300, 0)
    visitor.frame("users")
    assert waits == [pytest.approx(30, abs=1)]


def test_rows_leave_a_little_of_the_budget_to_others(faulty, visitor, waits, envelope):
    body = json.dumps(envelope({"id": 1}))
    last = {"RateLimit-Limit": "300", "RateLimit-Remaining": "3", "RateLimit-Reset": "30"}
    faulty.on("/users", Response(body, headers=last))
    venue = visitor.venue(1)
    for _ in range(2):
        visitor.get("/users")
    assert waits == []
    assert len(list(venue.rows("users"))) == 1
    assert waits == [pytest.approx(30, abs=1)]


def test_more_requests_than_the_budget_are_all_answered_and_none_refused(brand, open_session):
    with Sandbox(brand=brand, window_s=1.5) as sandbox:
        session = open_session(sandbox)
        for _ in range(330):
            session.get("/sale-types")
        assert {entry.status for entry in sandbox.requests} == {200}


@pytest.mark.parametrize(
    "failure", [refusal(500), refusal(502), refusal(504), hang_up, cut_short, cut_json]
)
def test_a_read_that_fails_is_tried_again(faulty, visitor, waits, envelope, failure):
    faulty.on("/users", failure, failure, envelope({"id": 1}))
    assert visitor.frame("users")["id"].tolist() == [1]
    assert faulty.count("/users") == 3
    assert len(waits) == 2


def test_a_read_that_goes_on_failing_ends(faulty, visitor, waits, refused):
    faulty.on("/users", refusal(500))
    with refused(errors.ServerError):
        visitor.frame("users")
    assert 2 <= faulty.count("/users") <= 5


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422])
def test_a_clear_no_is_not_asked_again(faulty, visitor, refused, status):
    faulty.on("/users", refusal(status))
    with pytest.raises(errors.ApiError):
        visitor.frame("users")
    assert faulty.count("/users") == 1


# ------------------------------------------------------------------------------- writes


def test_a_write_sends_its_body_and_returns_the_data(faulty, visitor, envelope):
    faulty.on("/orders", {"success": True, "data": {"id": 7}})
    found = visitor.request("post", "/orders", json={"note": "Şəkərsiz"}, venue=2)
    sent = faulty.seen[-1]
    assert found == {"id": 7}
    assert (sent.method, sent.get_json()) == ("POST", {"note": "Şəkərsiz"})
    assert sent.headers["x-venue"] == "2"


@pytest.mark.parametrize("status", [500, 503])
def test_a_write_that_fails_is_not_sent_again(faulty, visitor, refused, status):
    faulty.on("/orders", refusal(status))
    with pytest.raises(errors.OutcomeUnknown, match="Read the resource again"):
        visitor.request("POST", "/orders", json={})
    assert faulty.count("/orders") == 1


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("failure", [hang_up, cut_short])
def test_a_write_whose_answer_does_not_come_back_has_an_unknown_outcome(
    faulty, visitor, refused, method, failure
):
    faulty.on("/orders", failure)
    with refused(errors.OutcomeUnknown, "/orders", "may or may not", "Read the resource again"):
        visitor.request(method, "/orders", json={"phone": PHONE})
    assert faulty.count("/orders") == 1


def test_a_write_that_could_not_be_sent_did_not_happen(fresh, open_session, refused):
    session = open_session(fresh)
    session.get("/venues")
    fresh.stop()
    with refused(errors.ConnectionFailed):
        session.request("POST", "/orders", json={})


@pytest.mark.parametrize(
    "before", [refusal(429, "rate_limited", RateLimit_Reset="1"), refusal(401, "Token expired")]
)
def test_a_write_that_was_turned_away_unread_is_sent_again(faulty, visitor, waits, before):
    faulty.on("/orders", before, {"success": True, "data": {"id": 7}})
    assert visitor.request("POST", "/orders", json={}) == {"id": 7}
    assert faulty.count("/orders") == 2


# ----------------------------------------------------------------------------- redirects


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("path", ["/users", "/auth"])
def test_a_redirect_is_an_error_and_the_other_host_is_not_asked(
    faulty, visitor, fresh, refused, status, path
):
    faulty.on(path, Response("", status, {"Location": fresh.url + path}))
    with refused(errors.UnexpectedRedirect, path, str(status), "base_url"):
        visitor.frame("users")
    assert len(fresh.requests) == 0
    assert faulty.count(path) == 1


def test_a_server_that_restarts_is_found_again(fresh, open_session):
    session = open_session(fresh)
    session.get("/venues")
    fresh.stop()
    fresh.start()
    assert len(session.get("/venues")) == 4
    assert fresh.count("/auth") == 1


FORKED = """
import os, sys, clopos_nb
session = clopos_nb.Session(cache_dir=False)
session.venues
child = os.fork()
mine = 2 if child == 0 else 1
for _ in range(15):
    frame = session.venue(mine).frame("receipts", "2026-01-09", strict=True)
    assert set(frame["venue_id"]) == {mine}, set(frame["venue_id"])
if child == 0:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


def test_a_forked_process_does_not_read_its_parents_answers(sandbox):
    names = {f"CLOPOS_{name.upper()}": value for name, value in sandbox.credentials.items()}
    environment = os.environ | names | {"CLOPOS_BASE_URL": sandbox.url}
    done = subprocess.run(
        [sys.executable, "-c", FORKED], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
