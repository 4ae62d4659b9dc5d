"""Several tables of one walk, the choices of dtypes, and endpoints without documented fields."""

from __future__ import annotations

import contextlib
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from clopos_nb import ConfigError, UnknownTable, errors
from clopos_nb.tables import CATALOGUE

DAY = "2026-01-09"
RECEIPTS = ["receipts", "receipt_products", "receipt_payments"]
INFERRED = [name for name, table in CATALOGUE.items() if table.inferred]


def paths(sandbox) -> list[str]:
    return [entry.path for entry in sandbox.requests if entry.path != "/auth"]


def declared(table: str) -> dict[str, str]:
    return {c.name: c.dtype for c in CATALOGUE[table].fields if not c.optional}


def shape(frame: pd.DataFrame) -> dict[str, str]:
    return {name: str(dtype) for name, dtype in frame.dtypes.items()}


# ------------------------------------------------------------------------ several tables


def test_tables_of_one_endpoint_come_from_the_requests_of_one(fresh, open_session):
    session = open_session(fresh)
    session.venues  # noqa: B018  # one request of its own
    session.frame("receipts", DAY, progress=False)
    alone = len(paths(fresh))
    frames = session.frames(RECEIPTS, DAY, progress=False)
    assert list(frames) == RECEIPTS
    assert len(paths(fresh)) == 2 * alone - 1


def test_together_and_alone_the_tables_are_the_same(reader):
    together = reader.frames(RECEIPTS, DAY, progress=False)
    for name in RECEIPTS:
        alone = reader.frame(name, DAY, progress=False)
        pd.testing.assert_frame_equal(together[name], alone)
        assert together[name].attrs["clopos"]["table"] == name
        assert together[name].attrs["clopos"]["complete"]


def test_lines_and_payments_are_linked_to_their_receipts(reader):
    receipts, lines, payments = reader.venue(1).frames(RECEIPTS, DAY, progress=False).values()
    assert set(lines["receipt_id"]) <= set(receipts["id"])
    assert set(payments["receipt_id"]) <= set(receipts["id"])
    paid = payments.groupby("receipt_id")["amount"].sum()
    total = receipts.set_index("id")["total"] - receipts.set_index("id")["remaining"]
    assert (paid - total[paid.index]).abs().max() < 0.005


@pytest.mark.parametrize("table", ["sale_type", "payment_method"])
def test_a_map_of_venues_is_a_row_a_venue_and_no_map_is_none(faulty, visitor, envelope, table):
    every = [{"id": 1, "status": {"1": 1, "2": 0}}, {"id": 2, "status": []}, {"id": 3}]
    faulty.on(CATALOGUE[f"{table}s"].path, envelope(*every))
    rows = visitor.frame(f"{table}_venues", progress=False)
    assert shape(rows) == declared(f"{table}_venues")
    assert rows.to_numpy().tolist() == [[1, 1, True], [1, 2, False]]


def test_tables_of_several_endpoints_take_days_where_they_can(reader):
    frames = reader.frames(["products", "receipts", "sale_types"], DAY, progress=False)
    assert list(frames) == ["products", "receipts", "sale_types"]
    assert set(frames["receipts"]["created_at"].dt.date.astype(str)) == {DAY}
    assert len(frames["products"]) > len(frames["sale_types"]) > 0


@pytest.mark.parametrize("tables", [[], ["receipts", "recipts"]])
def test_no_tables_or_an_unknown_one_are_refused_before_any_request(fresh, open_session, tables):
    session = open_session(fresh)
    with pytest.raises((ConfigError, UnknownTable)):
        session.frames(tables, DAY)
    assert list(fresh.requests) == []


# ------------------------------------------------------------------------------- dtypes


def test_decimal_money_is_exact_and_the_same_sum(reader):
    exact = reader.frame("receipts", DAY, money="decimal", progress=False)
    rough = reader.frame("receipts", DAY, progress=False)
    assert exact["total"].dtype == pd.ArrowDtype(pa.decimal128(38, 4))
    assert isinstance(exact["total"].iloc[0], Decimal)
    sent = [Decimal(str(row["total"])) for row in reader.venue(1).rows("receipts", DAY)]
    assert exact.loc[exact["venue_id"] == 1, "total"].sum() == sum(sent)
    assert float(exact["total"].sum()) == pytest.approx(rough["total"].sum())


def test_the_pyarrow_backend_gives_arrow_dtypes_and_the_same_values(reader):
    arrow = reader.frame("receipts", DAY, dtype_backend="pyarrow", progress=False)
    assert {type(dtype) for dtype in arrow.dtypes} == {pd.ArrowDtype}
    usual = reader.frame("receipts", DAY, progress=False)
    pd.testing.assert_frame_equal(arrow.astype(usual.dtypes), usual)
    assert arrow.attrs["clopos"]["rows"] == usual.attrs["clopos"]["rows"]


def test_categories_are_the_documented_values_also_when_there_are_no_rows(reader):
    full = reader.frame("receipts", DAY, categorical=True, progress=False)
    empty = reader.frame("receipts", "2024-01-09", categorical=True, progress=False)
    assert full["order_status"].dtype == "category"
    assert full["order_status"].cat.categories.equals(empty["order_status"].cat.categories)
    assert "CANCELLED" in full["order_status"].cat.categories
    named = reader.frame("receipts", DAY, categorical=["source"], progress=False)
    assert (named["source"].dtype, str(named["order_status"].dtype)) == ("category", "string")


@pytest.mark.parametrize("wrong", [["nope"], "sorce", ["source", "mood"]])
def test_a_category_that_is_no_column_is_refused_before_anything_is_sent(
    fresh, open_session, wrong
):
    session = open_session(fresh)
    with pytest.raises(ConfigError, match=r"receipts has no column .*source"):
        session.frame("receipts", DAY, categorical=wrong)
    with pytest.raises(ConfigError, match=r"receipts and orders has no column .*source"):
        session.frames(["receipts", "orders"], DAY, categorical=wrong)
    assert list(fresh.requests) == []


@pytest.mark.parametrize("wrong", [{"money": "exact"}, {"dtype_backend": "numpy"}])
def test_an_unknown_choice_of_dtypes_is_refused(fresh, open_session, wrong):
    with pytest.raises(ConfigError, match="expected"):
        open_session(fresh).frame("receipts", DAY, **wrong)
    assert list(fresh.requests) == []


# ----------------------------------------------------------- endpoints without documentation


def test_an_undocumented_path_is_a_frame_of_what_is_sent(reader):
    stock = reader.frame("/stock", venues=[1], progress=False)
    assert len(stock) > 0
    assert stock.attrs["clopos"]["complete"]
    assert (stock["id"].dtype, stock["quantity"].dtype) == ("Int64", "float64")


def test_its_times_are_times_and_its_objects_columns(reader):
    operations = reader.frame("/operations", venues=[1], progress=False)
    times = [n for n in operations.columns if n.endswith("_at")]
    assert times
    assert all(str(operations[name].dtype).startswith("datetime64") for name in times)
    nested = [row for row in reader.venue(1).rows("/stock") if "storage" in row]
    stock = reader.frame("/stock", venues=[1], progress=False)
    assert not nested or "storage_name" in stock.columns


@pytest.mark.parametrize("table", INFERRED)
def test_keys_of_undocumented_rows_are_typed_and_also_there_without_rows(
    faulty, visitor, envelope, table
):
    line = {"id": 9, "modificators": [{"id": 3, "price": 0.5}], "taxes": [{"id": 3, "price": 0.5}]}
    row = {"id": 5, "codes": [{"id": 3, "price": 0.5}], "receipt_products": [line]}
    faulty.on(CATALOGUE[table].path, envelope(row), envelope())
    full, empty = visitor.venue(1).frame(table), visitor.venue(1).frame(table)
    assert shape(full) == {**declared(table), "id": "Int64", "price": "float64"}
    assert (len(full), len(empty)) == (1, 0)
    assert shape(empty) == declared(table)


def test_add_ons_are_found_under_their_older_name_too(faulty, visitor, envelope):
    def receipt(name: str) -> dict:
        return envelope({"id": 5, "receipt_products": [{"id": 9, name: [{"id": 3}, {"id": 4}]}]})

    faulty.on("/receipts", receipt("modificators"), receipt("receipt_product_modificators"))
    newer, older = (visitor.venue(1).frame("receipt_modificators") for _ in range(2))
    pd.testing.assert_frame_equal(newer, older)
    assert older[["receipt_id", "receipt_product_id", "id"]].to_numpy().tolist() == [
        [5, 9, 3],
        [5, 9, 4],
    ]


def test_the_sandbox_serves_the_rows_that_no_page_documents(reader):
    assert len(reader.venue(1).frame("receipt_modificators", DAY)) > 0
    assert len(reader.venue(1).frame("product_codes")) > 0


def test_a_single_object_is_one_row(reader):
    assert len(reader.frame("/stock/total", venues=[1], progress=False)) == 1


def test_the_path_of_a_documented_table_is_that_table(reader):
    of_path = reader.frame("/stations", progress=False)
    pd.testing.assert_frame_equal(of_path, reader.frame("stations", progress=False))


def test_a_missing_scope_and_a_missing_module_are_told_apart(fresh, open_session):
    session = open_session(fresh)
    with contextlib.ExitStack() as undo:
        undo.callback(fresh.permissions.restore)
        fresh.permissions.revoke("stock:read")
        with pytest.raises(errors.PermissionDenied, match="back office") as scope:
            session.frame("/stock", progress=False)
        assert not isinstance(scope.value, errors.ModuleUnavailable)
        fresh.permissions.switch_off("cash_shift", venue_id=1)
        with pytest.raises(errors.ModuleUnavailable):
            session.venue(1).frame("/finance/cash-shifts")


# -------------------------------------------------------------------------------- drift


def test_drift_says_where_what_how_often_and_on_which_page(fresh, open_session):
    session = open_session(fresh)
    session.venues  # noqa: B018  # read before anything has changed
    fresh.faults.add("unknown_enums", path="/receipts", field="order_status")
    receipts = session.venue(1).frame("receipts", DAY, progress=False)
    (entry,) = [entry for entry in session.drift if entry.table == "receipts"]
    assert entry.column == "order_status"
    assert entry.example in set(receipts["order_status"])
    assert (entry.first_page, entry.count) == (1, len(receipts))
    assert "order_status" in session.drift._repr_html_()
    assert list(session.drift.frame().columns)[:2] == ["table", "column"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("+994 50 000 00 01", False),
        ("Aygun", False),
        ("guest@example.com", False),
        ("Nizami 17, flat 4", False),
        (994500000001, False),
        ({"name": "Aygun"}, False),
        ("PICKED_UP", True),
        (12.5, True),
        ("0000-00-00 00:00:00", True),
    ],
)
def test_drift_shows_no_value_that_may_be_about_a_person(value, shown):
    from clopos_nb.drift import described

    text = described(value)
    assert (str(value) == text) is shown
    assert shown or not any(part in text for part in ("Aygun", "994", "@", "Nizami"))


# ------------------------------------------------------------------- one request a receipt


def test_stock_operations_are_read_receipt_by_receipt(fresh, open_session):
    venue = open_session(fresh).venue(1)
    receipts = venue.frame("receipts", DAY, limit=3)
    ids = receipts["id"].tolist()
    taken = venue.frame("stock_operations", filters={"receipt_id": ids})
    assert set(taken["receipt_id"]) <= set(ids)
    assert len(taken) > 0
    assert shape(taken) == declared("stock_operations")
    assert taken.attrs["clopos"]["requests"] == 3
    assert taken.attrs["clopos"]["complete"]
    assert [p for p in paths(fresh) if "stock" in p] == [
        f"/receipts/{receipt}/stock-operations" for receipt in ids
    ]


def test_an_estimate_of_stock_operations_counts_a_request_for_each_receipt(fresh, open_session):
    session = open_session(fresh)
    ids = session.venue(1).frame("receipts", DAY, limit=3)["id"].tolist()
    cost = session.estimate("stock_operations", venues=1, filters={"receipt_id": ids})
    assert cost.requests == 3


def test_a_receipt_that_took_nothing_from_stock_is_an_empty_frame(faulty, visitor):
    faulty.on("/receipts/7/stock-operations", {"data": []})
    taken = visitor.venue(1).frame("stock_operations", filters={"receipt_id": 7})
    assert (len(taken), shape(taken)) == (0, declared("stock_operations"))


def test_stock_operations_of_all_receipts_are_not_asked_for_by_accident(fresh, open_session):
    venue = open_session(fresh).venue(1)
    with pytest.raises(ConfigError, match="receipt_id"):
        venue.frame("stock_operations")
    assert not [p for p in paths(fresh) if "stock" in p]
