"""Rows become typed columns; what is not as documented is kept and noted."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clopos_nb.columns import Dtypes, array, inferred
from clopos_nb.decode import Decoding, decode
from clopos_nb.drift import Drift
from clopos_nb.frames import assemble
from clopos_nb.items import flattened, shape_of
from clopos_nb.pages import Pages
from clopos_nb.tables import CATALOGUE, Column, Table

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
KINDS = ["int", "number", "flag", "text", "json"]
THINGS = Table(
    name="things",
    path="/things",
    meaning="things",
    fields=(
        Column("id", "int", ("id",), ""),
        Column("name", "text", ("name",), ""),
        Column("inner_price", "number", ("inner", "price"), ""),
        Column("on", "flag", ("on",), ""),
        Column("at", "local", ("at",), ""),
        Column("instant", "utc", ("instant",), ""),
    ),
)


def decoded(items: list[dict], drift: Drift, table: Table = THINGS, **dtypes: Any) -> pa.Table:
    """Return one page of a table as columns."""
    ask = Decoding(shape_of((table,)), drift, Dtypes(**dtypes))
    rows = list(flattened(items, table.tree)) if table.tree else items
    return decode(ask, rows)[table.name]


def frame(*pages: list[dict], table: Table = THINGS, **dtypes: Any) -> pd.DataFrame:
    columns = [decoded(page, Drift(), table, **dtypes) for page in pages]
    return assemble(table, columns, Dtypes(**dtypes))


@pytest.mark.parametrize("kind", KINDS)
@given(column=st.lists(values, max_size=6))
def test_every_json_value_of_any_column_survives(kind, column):
    found, _ = array(column, kind)
    for sent, held in zip(column, found.to_pylist(), strict=True):
        assert same(sent, held), (sent, held)


def same(sent: object, held: object) -> bool:
    """Tell whether a cell still says what was sent, be it as text or as another kind of number."""
    if sent is None or sent == []:
        return held in (None, "[]")
    if isinstance(sent, bool | int | float) and not isinstance(held, str):
        return held == sent
    if isinstance(held, str):
        return held == sent or json.loads(held) == sent
    return isinstance(sent, str) and (float(sent) == held or sent.lower() == str(held).lower())


@given(st.lists(values, max_size=6))
def test_every_json_value_of_an_undocumented_field_survives(column):
    for sent, held in zip(column, inferred(column).to_pylist(), strict=True):
        assert same(sent, held) or json.loads(held) == sent


@pytest.mark.parametrize("name", list(CATALOGUE))
def test_an_empty_table_has_its_declared_columns_and_dtypes(name):
    table = CATALOGUE[name]
    empty = assemble(table, [])
    declared = {c.name: c.dtype for c in table.fields if not c.optional}
    assert {column: str(dtype) for column, dtype in empty.dtypes.items()} == declared
    assert len(empty) == 0


def test_dtypes_do_not_depend_on_the_rows():
    full = frame(
        [{"id": 1, "name": "a", "inner": {"price": 5}, "on": 1, "at": "2026-01-02 03:04:05"}]
    )
    assert full.dtypes.equals(frame([]).dtypes)
    assert full.dtypes.equals(frame([{"id": None}], [{"inner": []}]).dtypes)


def test_numbers_written_as_text_are_numbers_and_codes_written_as_numbers_are_text():
    row = frame([{"id": "12", "name": 994, "inner": {"price": "16.2000"}, "on": "true"}]).iloc[0]
    assert row["id"] == 12
    assert row["name"] == "994"
    assert row["inner_price"] == 16.2
    assert row["on"] is True or row["on"] == True  # noqa: E712  # numpy's own True


def test_integers_beyond_what_a_float_holds_keep_every_digit():
    assert frame([{"id": 2**53 + 1}])["id"].iloc[0] == 2**53 + 1
    assert frame([{"new": 2**53 + 1}, {"new": None}])["new"].iloc[0] == 2**53 + 1


def test_a_value_of_another_type_widens_its_column_and_is_noted():
    drift = Drift()
    pages = [decoded(rows, drift) for rows in ([{"id": 1}], [{"id": "x-7"}])]
    assert list(assemble(THINGS, pages)["id"]) == ["1", "x-7"]
    assert [(e.column, e.what) for e in drift] == [("id", "not int")]


@given(st.lists(st.sampled_from(["plain", "text", "new"]), min_size=60, max_size=200))
def test_many_pages_are_one_frame_however_they_are_kept(kinds):
    """Every 64 pages are joined where they are alike; the frame is that of the loose pages."""
    odd = {"plain": {}, "text": {"id": "x"}, "new": {"surprise": True}}
    loose = [decoded([{"id": n, "on": 1} | odd[kind]], Drift()) for n, kind in enumerate(kinds)]
    pages = Pages(Decoding(shape_of((THINGS,))))
    for n, kind in enumerate(kinds):
        pages.append([{"id": n, "on": 1} | odd[kind]], n)
    assert pages.rows("things") == len(kinds)
    pd.testing.assert_frame_equal(
        assemble(THINGS, pages.take_out("things")), assemble(THINGS, loose)
    )


@pytest.mark.parametrize("timezone", [None, "Asia/Baku"])
def test_every_cell_can_be_written_to(timezone):
    row = {"id": 1, "name": "a", "inner": {"price": 1.5}, "on": True}
    row |= {"at": "2026-01-05 10:00:00", "instant": "2026-01-05T10:00:00Z"}
    other = {"id": 2, "name": "b", "inner": {"price": 2.5}, "on": False}
    other |= {"at": "2026-01-06 10:00:00", "instant": "2026-01-06T10:00:00Z"}
    found = frame([row, other], timezone=timezone)
    for name in found.columns:
        found.loc[1, name] = found[name].iloc[0]
    assert found.loc[1].equals(found.loc[0])


def test_an_undocumented_field_is_kept_behind_the_documented_ones_and_noted_without_its_value():
    drift = Drift()
    page = decoded([{"id": 1, "secret_phone": "+994 50 000 00 01"}, {"id": 2}], drift)
    found = assemble(THINGS, [page])
    assert list(found.columns)[-1] == "secret_phone"
    assert found["secret_phone"].isna().tolist() == [False, True]
    assert "994" not in repr(drift) + drift.frame().to_string() + drift._repr_html_()


def test_an_object_sent_as_an_empty_list_is_null():
    assert frame([{"id": 1, "inner": []}])["inner_price"].isna().all()


@pytest.mark.parametrize(
    "bad", ["203-05-25T12:08:43.000000Z", "0000-00-00 00:00:00", "soon", 3, {}]
)
def test_a_time_that_cannot_be_read_is_empty_and_noted(bad):
    drift = Drift()
    page = decoded([{"at": bad, "instant": bad}, {"at": "2026-01-02 03:04:05"}], drift)
    found = assemble(THINGS, [page])
    assert found["at"].isna().tolist() == [True, False]
    assert str(found["at"].dtype) == "datetime64[us]"
    assert {(e.column, e.what) for e in drift} == {("at", "not local"), ("instant", "not utc")}


def test_without_a_zone_offsetless_times_stay_naive_and_z_is_utc():
    row = frame([{"at": "2026-01-02 03:04:05", "instant": "2026-01-02T03:04:05.000000Z"}]).iloc[0]
    assert row["at"] == pd.Timestamp("2026-01-02 03:04:05")
    assert row["instant"] == pd.Timestamp("2026-01-02 03:04:05", tz="UTC")


def test_with_a_zone_every_instant_is_in_it():
    rows = [{"at": "2026-01-02 03:04:05", "instant": "2026-01-02T03:04:05.000000Z"}]
    row = frame(rows, timezone="Asia/Baku").iloc[0]
    assert row["at"] == pd.Timestamp("2026-01-02 03:04:05", tz="Asia/Baku")
    assert row["instant"].isoformat() == "2026-01-02T07:04:05+04:00"


def test_hours_that_a_clock_change_skips_or_repeats_are_kept():
    rows = [{"at": "2025-03-30 02:30:00"}, {"at": "2025-10-26 02:30:00"}]
    assert frame(rows, timezone="Europe/Berlin")["at"].notna().all()


def test_categories_come_out_flat_and_lines_know_their_parent():
    tree = [{"id": 1, "children": [{"id": 2, "parent_id": 1, "children": []}]}]
    assert frame(tree, table=CATALOGUE["categories"])["id"].tolist() == [1, 2]
    receipts = [{"id": 7, "venue_id": 3, "payment_methods": [{"id": 1, "amount": 2}, {"id": 2}]}]
    payments = frame(receipts, table=CATALOGUE["receipt_payments"])
    assert payments[["receipt_id", "venue_id", "line"]].to_numpy().tolist() == [
        [7, 3, 1],
        [7, 3, 2],
    ]


@pytest.mark.parametrize(
    "nested", [{"0": {"amount": 2}, "2": {"amount": 3}}, [{"amount": 2}, {"amount": 3}]]
)
def test_a_list_with_gaps_sent_as_an_object_loses_no_row(nested):
    payments = frame([{"id": 7, "payment_methods": nested}], table=CATALOGUE["receipt_payments"])
    assert payments["amount"].tolist() == [2, 3]


def test_a_nested_value_that_is_no_object_is_kept_and_noted():
    drift = Drift()
    table = CATALOGUE["receipt_payments"]
    page = decoded([{"id": 7, "payment_methods": [5]}], drift, table)
    assert assemble(table, [page])["value"].tolist() == [5]
    assert "not a list of objects" in {entry.what for entry in drift}


@pytest.mark.parametrize("value", ["2026-01-19T11:07:49.000000Z", 1768820869000])
def test_an_instant_where_a_local_time_is_documented_is_the_same_instant(value):
    rows = [{"at": value}, {"at": "2026-01-19 15:07:49"}]
    at = frame(rows, timezone="Asia/Baku")["at"]
    assert at[0] == at[1]


@pytest.mark.parametrize("value", ["01.02.2026 10:00:00", "10:30", "now"])
def test_no_time_is_guessed(value):
    assert frame([{"at": value}])["at"].isna().all()


@pytest.mark.parametrize(("first", "second"), [(2**60 + 1, 0.5), (2**53 + 1, 1.5)])
def test_numbers_that_no_one_type_holds_keep_their_digits_across_pages(first, second):
    found = frame([{"new": first}], [{"new": second}])["new"]
    assert found.tolist() == [str(first), str(second)]


def test_a_till_pin_never_reaches_a_frame():
    found = frame([{"id": 1, "pin": "4711"}], table=CATALOGUE["users"])
    assert "4711" not in found.to_string()
