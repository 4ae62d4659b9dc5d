"""An answer to another question is not certified, and what comes in odd shapes is not lost."""

from __future__ import annotations

import os
import signal

import numpy as np
import pytest
from werkzeug import Response

import clopos_nb
from clopos_nb import errors
from clopos_nb.tables import CATALOGUE

DAY = "2026-01-09"


@pytest.fixture
def two_venues(faulty, envelope):
    faulty.on("/venues", envelope({"id": 1, "name": "A"}, {"id": 2, "name": "B"}))
    return faulty


def test_a_server_that_ignores_the_venue_is_not_certified(two_venues, visitor, envelope):
    two_venues.on("/receipts", envelope({"id": 1, "venue_id": 1, "total": 10}))
    with pytest.warns(errors.IncompleteResultWarning, match="rows of another venue"):
        frame = visitor.frame("receipts", DAY, progress=False)
    assert [venue["complete"] for venue in frame.attrs["clopos"]["venues"]] == [True, False]


def test_a_server_that_ignores_the_days_is_told_and_its_other_days_are_left_out(
    faulty, visitor, envelope
):
    days = ["2026-01-09", "2026-01-10", "2026-03-01"]
    rows = [{"id": n, "venue_id": 1, "created_at": f"{day} 10:00:00"} for n, day in enumerate(days)]
    faulty.on("/receipts", envelope(*rows))
    with pytest.warns(errors.IncompleteResultWarning, match="other days"):
        frame = visitor.venue(1).frame("receipts", "2026-01-09", progress=False)
    assert frame["id"].tolist() == [0, 1]  # a day off may be another time zone
    assert frame.attrs["clopos"]["left_out"] == 1
    assert [(e.column, e.what) for e in visitor.drift] == [("date", "ignored by the server")]


def test_a_server_that_ignores_a_filter_is_noted(faulty, visitor, envelope):
    faulty.on("/users", envelope({"id": 1, "owner": 1}, {"id": 2, "owner": 0}))
    assert visitor.frame("users", filters={"owner": 1})["id"].tolist() == [1]
    assert [(e.column, e.what) for e in visitor.drift] == [("owner", "ignored by the server")]


@pytest.mark.parametrize("day", ["created_at", "shift_date"])
def test_what_a_server_ignored_is_noted_by_its_name(faulty, visitor, envelope, day):
    sent = [(1, 2, "2026-01-09"), (2, 1, "2026-01-09"), (3, 2, "2026-03-01"), (4, 2, "2026-01-10")]
    rows = [
        {"id": n, "venue_id": 1, "status": status, "created_at": f"{at} 10:00:00", "shift_date": at}
        for n, status, at in sent
    ]
    faulty.on("/receipts", envelope(*rows))
    with pytest.warns(errors.IncompleteResultWarning, match="other days"):
        frame = visitor.venue(1).frame("receipts", "2026-01-09", filters={"status": 2}, day=day)
    assert frame["id"].tolist() == ([1] if day == "shift_date" else [1, 4])
    assert frame.attrs["clopos"]["left_out"] == len(rows) - len(frame)
    assert [(e.column, e.count) for e in visitor.drift] == [("status", 1), ("date", 1)]


def test_lines_that_were_asked_for_and_not_sent_are_not_certified(two_venues, visitor, envelope):
    two_venues.on("/receipts", envelope({"id": 1, "venue_id": 1}))
    with pytest.warns(errors.IncompleteResultWarning, match="no receipt_products"):
        visitor.venue(1).frame("receipt_products", DAY)


@pytest.mark.parametrize(
    ("table", "row", "missing"),
    [
        ("receipt_modificators", {"id": 1}, "receipt_products"),
        ("receipt_modificators", {"id": 1, "receipt_products": [{"id": 2}]}, "modificators"),
        ("receipt_taxes", {"id": 1}, "receipt_products"),
        ("modificators", {"id": 1}, "modificator_groups"),
    ],
)
def test_rows_nested_deeper_that_were_not_sent_are_not_certified(
    faulty, visitor, envelope, table, row, missing
):
    faulty.on(CATALOGUE[table].path, envelope(row))
    with pytest.warns(errors.IncompleteResultWarning, match=f"no {missing}"):
        frame = visitor.venue(1).frame(table)
    assert not frame.attrs["clopos"]["complete"]


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("receipt_modificators", {"id": 1, "receipt_products": []}),
        ("receipt_modificators", {"id": 1, "receipt_products": [{"id": 2, "modificators": []}]}),
        ("receipt_taxes", {"id": 1, "receipt_products": [{"id": 2}]}),  # not a relation: older
        ("modificators", {"id": 1, "modificator_groups": [{"id": 2, "modificators": []}]}),
    ],
)
def test_nothing_nested_deeper_is_certified_as_nothing(faulty, visitor, envelope, table, row):
    faulty.on(CATALOGUE[table].path, envelope(row))
    frame = visitor.venue(1).frame(table)
    assert (len(frame), frame.attrs["clopos"]["complete"]) == (0, True)


def test_a_frame_that_a_limit_cut_is_not_certified(reader):
    whole = reader.venue(1).frame("receipts", DAY)
    assert whole.attrs["clopos"]["complete"]
    asked = [(reader.venue(1), len(whole)), (reader, len(whole)), (reader.venue(1), np.int64(1))]
    for whose, limit in asked:
        found = whose.frame("receipts", DAY, limit=limit, progress=False)
        assert (len(found), found.attrs["clopos"]["complete"]) == (limit, False)
    assert reader.venue(1).frame("receipts", DAY, limit=len(whole) + 1).attrs["clopos"]["complete"]


def test_a_limit_with_local_trimming_still_reads_whole_pages(fresh, open_session):
    session = open_session(fresh)
    session.venue(1).frame("receipts", "2026-01", day="shift_date", limit=1)
    assert fresh.count("/receipts") == 1


def test_a_filter_on_categories_looks_at_children_too(reader):
    every = reader.frame("categories")
    child = every[every["depth"] > 0].iloc[0]
    assert reader.frame("categories", filters={"name": child["name"]})["id"].tolist() == [
        child["id"]
    ]
    assert len(reader.frame("categories", filters={"depth": 1})) == (every["depth"] == 1).sum()


def test_customers_belong_to_the_brand_and_are_not_read_by_venue(reader, refused):
    with refused(errors.ConfigError, "venue_id"):
        reader.frame("customers", venues=[1, 2])


def test_several_values_of_a_plain_parameter_are_all_found(reader):
    orders = reader.frame(
        "orders", "2026-01", filters={"status": ["DELIVERED", "IGNORE"]}, progress=False
    )
    assert set(orders["status"]) == {"DELIVERED", "IGNORE"}


@pytest.mark.parametrize("filters", [{"status": None}, {"status": []}, {"pin": "4711"}])
def test_a_filter_without_a_value_or_on_a_secret_is_refused(reader, refused, filters):
    with refused(errors.ConfigError, next(iter(filters))):
        reader.frame("users", filters=filters)


@pytest.mark.parametrize("path", ["/%2e%2e/%2e%2e/evil", "/a/%2E%2E/b", "/a%3Fb=c"])
def test_an_encoded_way_out_of_the_base_url_is_refused(fresh, open_session, refused, path):
    with refused(errors.ConfigError, "not a path"):
        open_session(fresh).get(path)
    assert len(fresh.requests) == 0


@pytest.mark.parametrize("body", [{"a": float("nan")}, {"a": {1}}, {"a": np.int64(1)}])
def test_a_body_that_is_no_json_is_refused_before_it_is_sent(fresh, open_session, refused, body):
    with refused(errors.ConfigError, "JSON"):
        open_session(fresh).request("POST", "/orders", json=body)
    assert fresh.count("/orders") == 0


def test_a_401_without_words_logs_in_once_more(faulty, visitor, envelope):
    faulty.on("/users", Response("", 401), envelope({"id": 1}))
    assert visitor.frame("users")["id"].tolist() == [1]
    assert faulty.count("/auth") == 2


def test_a_login_that_meets_the_limit_waits_and_tries_again(faulty, visitor, waits):
    login = {"success": True, "token": "eyJplanted.x.x", "expires_in": 3600}
    faulty.on("/auth", Response("", 429, {"RateLimit-Reset": "1"}), Response("", 500), login)
    assert len(visitor.venues) == 2
    assert waits[0] >= 1


def secrets_of(server) -> list[str]:
    """Return them from elsewhere: a verbose traceback shows the source lines of a test too."""
    return [server.credentials["client_id"], server.credentials["client_secret"], "eyJplanted"]


@pytest.mark.parametrize("path", ["/auth", "/users"])
def test_ctrl_c_while_waiting_for_an_answer_shows_no_secret(faulty, visitor, verbose, path):
    def interrupting(_):
        os.kill(os.getpid(), signal.SIGINT)
        return Response("", 500)

    faulty.on(path, interrupting, Response("", 500))
    with pytest.raises(KeyboardInterrupt) as caught:
        visitor.frame("users")
    shown = verbose(caught)
    assert [piece for piece in secrets_of(faulty) if piece in shown] == []


def test_a_closed_demo_says_that_it_is_closed(refused):
    session = clopos_nb.demo()
    session.close()
    with refused(errors.ConfigError, "closed"):
        session.get("/venues")
