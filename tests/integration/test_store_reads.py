"""Frames through a store: the same as without one, for fewer requests."""

from __future__ import annotations

import datetime as dt
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import clopos_nb
from clopos_nb import ConfigError, IncompleteResult, IncompleteResultWarning, ServerError
from clopos_nb.tables import CATALOGUE

MONTH = "2026-01"
FAMILY = [
    "receipts",
    "receipt_products",
    "receipt_modificators",
    "receipt_taxes",
    "receipt_payments",
]
TABLES = [name for name, table in CATALOGUE.items() if not table.per]
VENUES = 4

Keep = Callable[..., clopos_nb.Session]


@pytest.fixture
def keep(tmp_path: Path, open_session: Any) -> Keep:
    """Return a function that opens a session with a store, the same one each time."""

    def open_(server: Any, **settings: Any) -> clopos_nb.Session:
        return open_session(server, store=tmp_path / "store", **settings)

    return open_


def asked(sandbox: Any, path: str = "/receipts") -> int:
    return sandbox.count(path)


def costs(sandbox: Any, read: Callable[[], pd.DataFrame]) -> tuple[pd.DataFrame, int]:
    before = len(sandbox.requests)
    return read(), len(sandbox.requests) - before


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


# ----------------------------------------------------------------------- the same frames


@pytest.mark.parametrize("table", TABLES)
def test_a_table_is_the_same_kept_read_again_and_offline(reader, sandbox, keep, table):
    days = [MONTH] if CATALOGUE[table].dated else []
    there = reader.frame(table, *days, progress=False)
    session = keep(sandbox)
    same(session.frame(table, *days, progress=False), there)
    again = session.frame(table, *days, progress=False)
    same(again, there)
    assert again.attrs["clopos"]["complete"]
    offline = session.frame(table, *days, refresh="never")
    same(offline, there)
    assert offline.attrs["clopos"]["source"] == "store"


@pytest.mark.parametrize(
    "how",
    [
        {"day": "shift_date"},
        {"filters": {"status": 2}},
        {"filters": {"sale_type_id": [1, 2], "lock": False}},
        {"money": "decimal"},
        {"dtype_backend": "pyarrow"},
        {"categorical": True},
        {"venues": [3, 1]},
        {"columns": ["total", "venue", "id"]},
        {"venues": 2, "columns": ["created_at"], "filters": {"status": 2}, "day": "shift_date"},
    ],
    ids=str,
)
def test_whatever_is_asked_of_it_is_the_same_frame(reader, sandbox, keep, how):
    session = keep(sandbox)
    session.frame("receipts", MONTH, progress=False)
    found = session.frame("receipts", "2026-01-09", "2026-01-20", progress=False, **how)
    same(found, reader.frame("receipts", "2026-01-09", "2026-01-20", progress=False, **how))
    certificate = found.attrs["clopos"]
    assert certificate["source"] == "store"
    assert certificate["rows"] - certificate["left_out"] == len(found)


def test_with_a_time_zone_too(sandbox, open_session, keep):
    there = open_session(sandbox, timezone="Asia/Baku").frame("orders", MONTH, progress=False)
    same(keep(sandbox, timezone="Asia/Baku").frame("orders", MONTH, progress=False), there)


def test_tables_of_one_endpoint_are_kept_together(reader, fresh, keep):
    session = keep(fresh)
    session.frames(FAMILY, MONTH, progress=False)
    frames, requests = costs(fresh, lambda: session.frames(FAMILY, MONTH, progress=False))
    assert requests == VENUES
    for name, there in reader.frames(FAMILY, MONTH, progress=False).items():
        same(frames[name], there)


def test_a_venue_alone_is_read_of_what_was_kept_of_all(reader, fresh, keep):
    session = keep(fresh)
    session.frame("receipts", MONTH, progress=False)
    frame, requests = costs(fresh, lambda: session.venue(3).frame("receipts", MONTH))
    same(frame, reader.venue(3).frame("receipts", MONTH, progress=False))
    assert requests == 1


@pytest.mark.parametrize("table", ["receipts", "orders"])
def test_days_within_a_month_that_is_held_are_the_servers_days(reader, fresh, keep, table):
    # An order's time says nothing about which day the server counts it on.
    session = keep(fresh)
    session.frame(table, MONTH, progress=False)
    for first, last in [("2026-01-03", "2026-01-03"), ("2026-01-20", "2026-02-02")]:
        there = reader.frame(table, first, last, progress=False)
        same(session.frame(table, first, last, progress=False), there)
        again, requests = costs(fresh, lambda: session.frame(table, first, last))  # noqa: B023
        same(again, there)
        assert requests == VENUES
    same(session.frame(table, MONTH, progress=False), reader.frame(table, MONTH, progress=False))


# ------------------------------------------------------------------------------ its cost


def test_nothing_changed_is_one_request_for_each_venue_and_no_login(fresh, keep):
    session = keep(fresh)
    first = session.frame("receipts", MONTH, progress=False)
    assert first.attrs["clopos"]["source"] == "api"
    with keep(fresh) as other:
        other.venues  # noqa: B018  # one request of its own
        again, requests = costs(fresh, lambda: other.frame("receipts", MONTH))
    assert requests == VENUES
    assert again.attrs["clopos"]["source"] == "store"
    assert fresh.count("/auth") == 1


def test_days_that_are_missing_are_walked_together(fresh, keep):
    session = keep(fresh)
    session.venue(1).frame("receipts", "2026-01-10", "2026-01-12")
    frame, requests = costs(fresh, lambda: session.venue(1).frame("receipts", MONTH))
    walked = frame.attrs["clopos"]["venues"][0]["walked"]
    assert walked == ["2026-01-01 to 2026-01-09", "2026-01-13 to 2026-01-31"]
    assert frame.attrs["clopos"]["source"] == "api+store"
    assert (
        requests == frame.attrs["clopos"]["requests"] == 5
    )  # the time, a page, two pages, and a look


def test_changes_cost_no_walk(reader, fresh, keep):
    session = keep(fresh)
    kept = session.venue(1).frame("receipts", MONTH)
    for id in kept["id"][:5]:
        fresh.books.edit_receipt(1, int(id))
    fresh.books.insert_receipt(1, dt.datetime(2026, 1, 7, 12))
    frame, requests = costs(fresh, lambda: session.venue(1).frame("receipts", MONTH))
    assert requests == 1
    (record,) = frame.attrs["clopos"]["venues"]
    assert (record["changes"], record["walked"], record["total"]) == (6, [], len(kept) + 1)


def test_more_changes_than_a_look_shows_are_all_read(fresh, open_session, keep):
    session, plain = keep(fresh), open_session(fresh)
    kept = session.venue(1).frame("receipts", MONTH)
    for id in kept["id"][:300]:
        fresh.books.edit_receipt(1, int(id))
    found = session.venue(1).frame("receipts", MONTH, progress=False)
    same(found, plain.venue(1).frame("receipts", MONTH, progress=False))


def test_what_was_deleted_is_found_by_halves(fresh, open_session, keep):
    session = keep(fresh)
    kept = session.venue(1).frame("receipts", "2026-01-01", "2026-02-02", progress=False)
    gone = int(kept["id"].iloc[-9])
    fresh.books.delete_receipt(1, gone)
    found = session.venue(1).frame("receipts", "2026-01-01", "2026-02-02", progress=False)
    assert set(kept["id"]) - set(found["id"]) == {gone}
    (record,) = found.attrs["clopos"]["venues"]
    assert len(record["walked"]) == 1
    assert record["walked"] != ["2026-01-01 to 2026-02-02"]


def test_a_deletion_and_an_insertion_together_are_both_seen(fresh, open_session, keep):
    session, plain = keep(fresh), open_session(fresh)
    kept = session.venue(1).frame("receipts", MONTH)
    fresh.books.delete_receipt(1, int(kept["id"].iloc[3]))
    fresh.books.insert_receipt(1, dt.datetime(2026, 1, 20, 12))
    found = session.venue(1).frame("receipts", MONTH, progress=False)
    same(found, plain.venue(1).frame("receipts", MONTH, progress=False))


def test_two_changes_within_one_second_are_two(fresh, open_session, keep):
    session, plain = keep(fresh), open_session(fresh)
    id = int(session.venue(1).frame("receipts", MONTH)["id"].iloc[0])
    for _ in range(3):  # the sandbox's clock stands
        fresh.books.edit_receipt(1, id)
        there = plain.venue(1).frames(FAMILY, MONTH, progress=False)
        for name, frame in session.venue(1).frames(FAMILY, MONTH, progress=False).items():
            same(frame, there[name])


def test_a_day_that_is_not_over_grows(fresh, open_session, keep):
    session, plain = keep(fresh), open_session(fresh)
    today = fresh.today
    for _ in range(3):
        fresh.books.insert_receipt(2)
        found = session.frame("receipts", today, progress=False)
        same(found, plain.frame("receipts", today, progress=False))


def test_full_reads_what_no_change_tells_of(fresh, keep):
    session = keep(fresh)
    session.venue(1).frame("receipts", MONTH)
    frame, requests = costs(
        fresh, lambda: session.venue(1).frame("receipts", MONTH, refresh="full")
    )
    assert frame.attrs["clopos"]["venues"][0]["walked"] == ["2026-01-01 to 2026-01-31"]
    assert requests == 5  # the time, and four pages


def test_what_did_not_change_is_not_written_again(sandbox, keep):
    session = keep(sandbox)

    def versions() -> list[int]:
        for table in ("products", "receipts"):
            session.frame(table, *([MONTH] if table == "receipts" else []), progress=False)
        return session.store.info()["version"].tolist()

    assert versions() == versions()


def test_the_newest_row_deleted_is_no_reason_for_mistrust(fresh, keep):
    session = keep(fresh)
    kept = session.venue(1).frame("receipts", MONTH)
    newest = kept.sort_values("updated_at")["id"].iloc[-1]
    fresh.books.delete_receipt(1, int(newest))
    found = session.venue(1).frame("receipts", MONTH, progress=False)
    assert set(kept["id"]) - set(found["id"]) == {newest}
    assert found.attrs["clopos"]["venues"][0]["note"] is None


def test_rows_deleted_between_two_pages_of_changes_hide_none(fresh, open_session, keep):
    session, plain = keep(fresh), open_session(fresh)
    kept = session.venue(1).frame("receipts", MONTH)
    for id in kept["id"][:230]:
        fresh.books.edit_receipt(1, int(id))
    # After the small look, the first whole page: its rows go, and all later ones move up.
    fresh.faults.add("rows_deleted", path="/receipts", rows=5, skip=1, count=1)
    found = session.venue(1).frame("receipts", MONTH, progress=False)
    same(found, plain.venue(1).frame("receipts", MONTH, progress=False))


# --------------------------------------------------------------- servers not to be trusted


def test_newest_changes_out_of_order_are_told_and_the_last_days_read(fresh, open_session, keep):
    session, plain = keep(fresh), open_session(fresh)
    kept = session.venue(1).frame("receipts", MONTH)
    fresh.books.edit_receipt(1, int(kept["id"].iloc[-1]))
    fresh.faults.add("unsorted_page", path="/receipts", count=1)
    found = session.venue(1).frame("receipts", MONTH, progress=False)
    same(found, plain.venue(1).frame("receipts", MONTH, progress=False))
    (record,) = found.attrs["clopos"]["venues"]
    assert "last 7 days read again" in record["note"]
    assert record["walked"] == ["2026-01-25 to 2026-01-31"]


def test_an_order_that_the_server_ignores_is_noticed(faulty, visitor_kept, envelope):
    days = [f"2026-01-{n:02} 12:00:00" for n in range(1, 4)]
    listed = [
        {"id": n, "venue_id": 1, "created_at": day, "updated_at": day}
        for n, day in enumerate(days, start=1)
    ]
    listed[0]["updated_at"] = "2026-01-05 09:00:00"
    faulty.on("/receipts", lambda request: envelope(*_page(request, listed[::-1])))
    visitor_kept.venue(1).frame("receipts", MONTH)
    listed.append({**listed[2], "id": 4})
    frame = visitor_kept.venue(1).frame("receipts", MONTH)
    assert len(frame) == 4


def test_without_a_total_nothing_is_kept_and_the_servers_rows_come(faulty, visitor_kept):
    rows = [{"id": 1, "venue_id": 1, "created_at": "2026-01-01 12:00:00"}]
    faulty.on("/receipts", {"success": True, "data": rows})
    for _ in range(2):
        with pytest.warns(IncompleteResultWarning):
            frame = visitor_kept.venue(1).frame("receipts", MONTH)
        assert frame["id"].tolist() == [1]
        assert frame.attrs["clopos"]["source"] == "api"


def test_a_venue_that_fails_leaves_the_others_and_is_not_called_held(fresh, keep):
    session = keep(fresh)
    fresh.faults.add("server_error", path="/receipts", venue=2)
    with pytest.warns(IncompleteResultWarning, match="ServerError"):
        frame = session.frame("receipts", "2026-01-09", errors="warn", progress=False)
    assert set(frame["venue_id"]) == {1, 3, 4}
    with pytest.raises(ServerError):
        session.frame("receipts", "2026-01-09", progress=False)
    fresh.faults.clear()
    frame = session.frame("receipts", "2026-01-09", progress=False, strict=True)
    assert set(frame["venue_id"]) == {1, 2, 3, 4}


@pytest.fixture
def visitor_kept(faulty, keep) -> clopos_nb.Session:
    return keep(faulty)


def _page(request: Any, rows: list[Any]) -> list[Any]:
    number, size = int(request.args["page"]), int(request.args["limit"])
    return rows[(number - 1) * size : number * size]


# --------------------------------------------------------------------------- offline


def test_without_the_server_what_is_held_is_read(fresh, keep):
    kept = keep(fresh).frames(["receipts", "receipt_products"], MONTH, progress=False)
    fresh.stop()
    session = keep(fresh)
    found = session.frames(["receipts", "receipt_products"], MONTH, refresh="never")
    for name, frame in kept.items():
        same(found[name], frame)
    alone = session.venue(2).frame("receipts", MONTH, refresh="never", strict=True)
    assert len(alone) == (kept["receipts"]["venue_id"] == 2).sum()
    (record, *_) = found["receipts"].attrs["clopos"]["venues"]
    assert record["note"].startswith("as it was at 20")
    assert record["requests"] == 0


def test_offline_days_that_are_not_held_are_named(sandbox, keep):
    session = keep(sandbox)
    session.frame("receipts", "2026-01-01", "2026-01-05", progress=False)
    with pytest.warns(IncompleteResultWarning, match="does not hold 2026-01-06 to 2026-01-07"):
        frame = session.frame("receipts", "2026-01-04", "2026-01-07", refresh="never")
    assert set(frame["created_at"].dt.day) == {4, 5}
    with pytest.raises(IncompleteResult, match="2026-01-06"):
        session.frame("receipts", "2026-01-04", "2026-01-07", refresh="never", strict=True)


def test_offline_needs_a_store_and_days(sandbox, open_session, keep):
    with pytest.raises(ConfigError, match="CLOPOS_NB_STORE"):
        open_session(sandbox).frame("receipts", MONTH, refresh="never")
    with pytest.raises(ConfigError, match="CLOPOS_NB_STORE"):
        open_session(sandbox).store  # noqa: B018
    with pytest.raises(ConfigError, match="name the days"):
        keep(sandbox).frame("receipts", refresh="never")


# ------------------------------------------------------------------------- the directory


def test_the_environment_names_the_directory_and_false_is_none(
    sandbox, open_session, tmp_path, monkeypatch
):
    monkeypatch.setenv("CLOPOS_NB_STORE", str(tmp_path / "named"))
    assert open_session(sandbox).store.root == tmp_path / "named"
    with pytest.raises(ConfigError):
        open_session(sandbox, store=False).store  # noqa: B018


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX")
def test_only_the_owner_may_enter_the_directory(sandbox, keep, tmp_path):
    (tmp_path / "store").mkdir(mode=0o755)
    keep(sandbox).frame("sale_types", progress=False)
    assert stat.S_IMODE((tmp_path / "store").stat().st_mode) == 0o700


def test_no_secret_is_in_the_store(sandbox, keep, tmp_path):
    session = keep(sandbox)
    session.frames([*FAMILY, "orders", "products"], "2026-01-09", progress=False)
    hidden = [sandbox.credentials["client_secret"], sandbox.credentials["client_id"], "eyJ"]
    files = [path for path in (tmp_path / "store").rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert [text for text in hidden if text.encode() in content] == []
