"""What a frame looks like, of every table, whatever the server sends."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from werkzeug import Request

from clopos_nb import ConfigError
from clopos_nb.tables import CATALOGUE

# Of inferred tables nothing is declared; tables per receipt have tests of their own.
TABLES = [name for name, table in CATALOGUE.items() if not table.inferred and not table.per]
PARENTS = [name for name in TABLES if CATALOGUE[name].parent is None]
OF_THE_BRAND = [name for name in TABLES if CATALOGUE[name].scope == "brand"]
DAY, DAY_WITHOUT_DATA = "2026-01-09", "2024-01-09"


def days(table: str) -> tuple[str, ...]:
    few = table == "order_modificators"  # not every day has one
    return ("2026-01" if few else DAY,) if CATALOGUE[table].dated else ()


def nothing(place: Any, table: str) -> pd.DataFrame:
    """Read a table so that there is nothing in it."""
    if CATALOGUE[table].dated:
        return place.frame(table, DAY_WITHOUT_DATA)
    return place.frame(table, filters={"id": -1})


def shape(frame: pd.DataFrame) -> dict[str, str]:
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


# -------------------------------------------------------------------- columns and types


@pytest.mark.parametrize("table", TABLES)
def test_an_empty_frame_has_the_columns_and_types_of_a_full_one(reader, table):
    full, empty = reader.venue(1).frame(table, *days(table)), nothing(reader.venue(1), table)
    optional = [c.name for c in CATALOGUE[table].fields if c.optional]
    assert len(full) > 0
    assert len(empty) == 0
    assert shape(empty) == shape(full.drop(columns=optional, errors="ignore"))


@pytest.mark.parametrize("table", TABLES)
def test_the_types_are_the_declared_ones(reader, table):
    found = shape(reader.venue(1).frame(table, *days(table)))
    declared = {c.name: c.dtype for c in CATALOGUE[table].fields}
    assert found == {name: declared[name] for name in found}
    assert {c.name for c in CATALOGUE[table].fields if not c.optional} <= set(found)


@pytest.mark.parametrize("table", TABLES)
def test_nothing_documented_counts_as_drift(sandbox, open_session, table):
    session = open_session(sandbox)
    session.frame(table, *days(table), progress=False)
    assert list(session.drift) == []


@pytest.mark.parametrize("table", TABLES)
def test_an_index_counts_rows_and_a_certificate_is_json(reader, table):
    frame = reader.venue(1).frame(table, *days(table))
    assert frame.index.equals(pd.RangeIndex(len(frame)))
    certificate = json.loads(json.dumps(frame.attrs["clopos"]))
    assert (certificate["brand"], certificate["table"]) == ("narbag", table)


# ------------------------------------------------------------------- venues and brand


@pytest.mark.parametrize("table", [name for name in TABLES if name != "customers"])
def test_a_venue_and_a_session_read_the_same_rows(reader, table):
    of_venue = reader.venue(2).frame(table, *days(table))
    of_session = reader.frame(table, *days(table), venues=[2])
    assert list(of_session.columns[:2]) == ["venue_id", "venue"]
    assert (of_session["venue_id"].dtype, of_session["venue"].dtype) == ("Int64", "string")
    assert set(of_session["venue"]) == {reader.venue(2).name}
    pd.testing.assert_frame_equal(of_session[of_venue.columns], of_venue)


def test_venues_come_in_the_order_they_were_named_in(reader):
    frame = reader.frame("receipts", DAY, venues=[3, "1", reader.venue(2)], progress=False)
    assert frame["venue_id"].drop_duplicates().tolist() == [3, 1, 2]


@pytest.mark.parametrize("table", OF_THE_BRAND)
def test_a_table_of_the_brand_is_read_once(fresh, open_session, table):
    frame = open_session(fresh).frame(table, progress=False)
    pages = 2 if CATALOGUE[table].path == "/products" else 1
    assert fresh.count(CATALOGUE[table].path) == pages == frame.attrs["clopos"]["pages"]
    assert "venue" not in frame


@pytest.mark.parametrize("table", ["receipts", "orders", "stop_list"])
def test_a_table_of_venues_is_read_from_each(fresh, open_session, table):
    frame = open_session(fresh).frame(table, *days(table), progress=False)
    assert set(frame["venue_id"]) == {1, 2, 3, 4}
    asked = {entry.venue_id for entry in fresh.requests if entry.path == CATALOGUE[table].path}
    assert asked == {1, 2, 3, 4}


def test_a_venue_whose_id_is_text_is_not_left_out(faulty, visitor, envelope):
    faulty.on("/venues", envelope({"id": "1", "name": "Nizami"}))
    faulty.on("/receipts", envelope({"id": 1}))
    assert visitor.frame("receipts", DAY)["venue_id"].tolist() == [1]


def test_a_venue_that_is_listed_twice_is_read_once(faulty, visitor, envelope):
    faulty.on("/venues", envelope({"id": 1, "name": "Nizami"}, {"id": 1, "name": "Nizami"}))
    faulty.on("/receipts", envelope({"id": 1}))
    assert visitor.frame("receipts", DAY, progress=False)["id"].tolist() == [1]


# ------------------------------------------------------------------- what may be asked


def test_columns_come_in_the_order_they_were_asked_for(reader):
    frame = reader.frame("receipts", DAY, columns=["total", "venue", "id"], progress=False)
    assert list(frame.columns) == ["total", "venue", "id"]


def test_an_optional_column_is_there_when_asked_for_and_not_sent(reader):
    frame = reader.venue(1).frame("receipts", DAY, columns=["id", "gift_count"])
    assert shape(frame) == {"id": "Int64", "gift_count": "Int64"}
    assert frame["gift_count"].isna().all()


@pytest.mark.parametrize("table", ["receipts", "receipt_products", "products"])
def test_a_limit_is_the_beginning_of_the_whole(reader, table):
    whole = reader.venue(1).frame(table, *days(table))
    some = reader.venue(1).frame(table, *days(table), limit=5)
    pd.testing.assert_frame_equal(some, whole.head(5))
    assert some.attrs["clopos"]["limit"] == 5


def test_a_limit_asks_for_no_more_than_it_needs(fresh, open_session):
    session = open_session(fresh)
    assert len(session.frame("receipts", "2026-01", limit=3)) == 3
    (entry,) = [entry for entry in fresh.requests if entry.path == "/receipts"]
    assert "limit=3" in entry.query


@pytest.mark.parametrize(
    ("table", "filters", "kept"),
    [
        ("receipts", {"status": 2}, lambda row: row["status"] == 2),
        ("receipts", {"sale_type_id": [2, 3]}, lambda row: row["sale_type_id"] in (2, 3)),
        ("products", {"type": ["GOODS", "DISH"]}, lambda row: row["type"] in ("GOODS", "DISH")),
        ("products", {"giftable": True}, lambda row: row["giftable"] in (True, 1)),
        ("orders", {"status": "DELIVERED"}, lambda row: row["status"] == "DELIVERED"),
    ],
)
def test_a_filter_keeps_what_matches_and_nothing_else(reader, table, filters, kept):
    place = reader.venue(1)
    true_ids = [row["id"] for row in place.rows(table, *days(table)) if kept(row)]
    frame = place.frame(table, *days(table), filters=filters)
    assert true_ids
    assert frame["id"].tolist() == true_ids
    assert frame.attrs["clopos"]["complete"]


def test_lines_can_be_filtered_by_their_receipt(reader):
    receipts = reader.venue(1).frame("receipts", DAY, filters={"sale_type_id": 2})
    lines = reader.venue(1).frame("receipt_products", DAY, filters={"sale_type_id": 2})
    assert set(lines["receipt_id"]) == set(receipts["id"])


def test_rows_are_filtered_here_when_the_server_ignores_a_filter(faulty, visitor, envelope):
    faulty.on("/receipts", envelope({"id": 1, "status": 2}, {"id": 2, "status": 1}))
    frame = visitor.venue(1).frame("receipts", DAY, filters={"status": 2})
    assert frame["id"].tolist() == [1]
    assert frame.attrs["clopos"]["left_out"] == 1
    assert frame.attrs["clopos"]["complete"]
    assert [row["id"] for row in visitor.venue(1).rows("receipts", filters={"status": 2})] == [1]


@pytest.mark.parametrize(
    ("sent", "asked"),
    [
        ({"status": 2}, {"status": "2"}),
        ({"status": "2"}, {"status": 2}),
        ({"lock": True}, {"lock": 1}),
        ({"lock": 1}, {"lock": True}),
        ({"lock": 0}, {"lock": False}),
        ({"status": 2}, {"status": np.int64(2)}),
        ({"shift_date": "2026-01-09"}, {"shift_date": dt.date(2026, 1, 9)}),
        ({"total": 12.0}, {"total": 12}),
        ({"total": 12}, {"total": 12.0}),
        ({"total": "12.00"}, {"total": 12}),
        ({"lock": 1}, {"lock": np.True_}),
        ({"status": 2}, {"status": np.array([2, 3])}),
    ],
)
def test_a_row_that_matches_is_kept_however_the_two_are_written(
    faulty, visitor, envelope, sent, asked
):
    faulty.on("/receipts", envelope({"id": 1, **sent}))
    assert visitor.venue(1).frame("receipts", DAY, filters=asked)["id"].tolist() == [1]


# ---------------------------------------------------------------------------- time


@pytest.mark.parametrize("table", TABLES)
def test_with_a_time_zone_every_instant_is_aware_and_days_are_not(sandbox, open_session, table):
    session = open_session(sandbox, timezone="Asia/Baku")
    frame = session.venue(1).frame(table, *days(table))
    for column in CATALOGUE[table].fields:
        if column.name in frame and column.dtype.startswith("datetime64"):
            zone = "" if column.kind == "date" else ", Asia/Baku"
            assert str(frame[column.name].dtype) == f"datetime64[us{zone}]"


def test_a_time_zone_changes_how_an_instant_is_shown_and_not_the_instant(
    reader, sandbox, open_session
):
    session = open_session(sandbox, timezone="Asia/Baku")
    plain, aware = reader.venue(1).frame("orders", DAY), session.venue(1).frame("orders", DAY)
    assert (plain["created_at"] == aware["created_at"]).all()
    plain, aware = reader.venue(1).frame("receipts", DAY), session.venue(1).frame("receipts", DAY)
    assert (plain["created_at"] == aware["created_at"].dt.tz_localize(None)).all()


# --------------------------------------------------------------------------- drift


def test_unknown_fields_and_values_are_kept_and_noted(faulty, visitor, envelope):
    faulty.on(
        "/receipts",
        envelope(
            {"id": 1, "order_status": "TELEPORTED", "mood": "good", "deep": {"a": [1]}},
            {"id": 2, "total": "about ten"},
        ),
    )
    frame = visitor.venue(1).frame("receipts", DAY)
    assert frame["order_status"][0] == "TELEPORTED"
    assert frame["mood"].tolist()[0] == "good"
    assert json.loads(frame["deep"][0]) == {"a": [1]}
    assert frame["total"][1] == "about ten"
    noted = {(entry.column, entry.what) for entry in visitor.drift}
    assert noted == {
        ("mood", "undocumented"),
        ("deep", "undocumented"),
        ("total", "not money"),
        ("order_status", "unknown value TELEPORTED"),
    }


def test_drift_does_not_repeat_what_was_sent(faulty, visitor, envelope):
    faulty.on("/customers", envelope({"id": 1, "second_phone": "+994 50 555 44 33"}))
    visitor.frame("customers")
    shown = f"{visitor.drift!r} {visitor.drift.frame().to_string()} {visitor.drift._repr_html_()}"
    assert "second_phone" in shown
    assert "555 44 33" not in shown


def test_a_field_that_only_a_later_page_has_is_null_before(faulty, visitor, envelope):
    def page(request: Request) -> dict[str, Any]:
        number = int(request.args["page"])
        return envelope({"id": number} | ({"late": 1.5} if number == 2 else {}), total=2)

    faulty.on("/users", page)
    frame = visitor.frame("users", progress=False)
    assert frame["late"].isna().tolist() == [True, False]


def test_a_pin_is_in_no_frame(faulty, visitor, envelope):
    faulty.on("/users", envelope({"id": 1, "pin": "4711", "card": "c-1"}))
    frame = visitor.frame("users")
    assert not {"pin", "card", "barcode"} & set(frame.columns)
    assert "4711" not in frame.to_csv() + repr(list(visitor.drift))


# ---------------------------------------------------------------------------- rows


@pytest.mark.parametrize("table", PARENTS)
def test_rows_are_what_the_server_sent(sandbox, open_session, table):
    session = open_session(sandbox)
    wanted = CATALOGUE[table]
    params = {"date": [DAY, DAY], "sort": ["created_at", 1]} if wanted.dated else {}
    sent = session.venue(1).get(wanted.path, params | {"limit": 200})
    if wanted.tree:
        sent = [row for root in sent for row in (root, *root[wanted.tree])]
    found = list(session.venue(1).rows(table, *days(table)))
    assert all(row.pop("path") for row in found if wanted.tree)
    assert found[: len(sent)] == sent
    assert all(type(row) is dict for row in found)


def test_rows_keep_what_no_column_has(faulty, visitor, envelope):
    row = {"id": 1, "pin": "4711", "unheard": {"of": [1, None]}}
    faulty.on("/users", envelope(row))
    assert list(visitor.venue(1).rows("users")) == [row]


def test_rows_stop_at_their_limit(reader):
    assert len(list(reader.venue(1).rows("receipt_products", DAY, limit=7))) == 7


def test_rows_ask_for_nothing_before_they_are_wanted(fresh, open_session):
    venue = open_session(fresh).venue(1)
    before = len(fresh.requests)
    found = venue.rows("receipts", "2026-01")
    assert len(fresh.requests) == before
    next(found)
    assert len(fresh.requests) == before + 1


def test_get_gives_plain_values(reader):
    receipt = next(reader.venue(3).rows("receipts", DAY))
    found = reader.get(f"/receipts/{receipt['id']}", venue=3)
    assert (found["id"], found["total"]) == (receipt["id"], receipt["total"])


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"columns": ["totl"]}, "'totl'"),
        ({"filters": {"totl": 1}}, "'totl'"),
        ({"limit": 0}, "limit is 0"),
        ({"day": "closed_at"}, "'closed_at'"),
        ({"errors": "ignore"}, "'ignore'"),
        ({"venues": []}, "venues is empty"),
    ],
)
def test_what_cannot_be_asked_for_is_told_before_anything_is_sent(
    fresh, open_session, refused, asked, said
):
    session = open_session(fresh)
    with refused(ConfigError, said):
        session.frame("receipts", DAY, **asked)
    assert fresh.count("/receipts") == 0
