"""Files for other programs: what comes back is what was written, and no formula runs."""

from __future__ import annotations

import io

import openpyxl
import pandas as pd
import pytest

from clopos_nb import ConfigError, files
from clopos_nb.files import as_file

FORMULAS = [
    "=cmd|' /C calc'!A0",
    "=1+1",
    "@SUM(1+1)",
    "+cmd|' /C calc'!A0",
    "-2+3+cmd|' /C calc'!A0",
    "\t=1+1",
    "  =1+1",
    "＝1+1",
]
HARMLESS = ["Plov", "+994 50 555 44 33", "-12.50", "a=b", "x@example.com", "Xəzər", "", "'quoted"]


def cells(frame: pd.DataFrame) -> list[object]:
    """Return the first column of the frame's sheet, below the head, as a spreadsheet holds it."""
    sheet = openpyxl.load_workbook(io.BytesIO(as_file(frame, "xlsx"))).active
    return list(sheet["A"][1:])


@pytest.mark.parametrize("kind", ["object", "string", "category", "string[pyarrow]"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_csv_quotes_what_a_spreadsheet_would_run(formula, kind):
    frame = pd.DataFrame({"name": pd.Series([formula], dtype=kind)})
    back = pd.read_csv(io.BytesIO(as_file(frame, "csv")), dtype="string")
    assert back["name"].tolist() == [f"'{formula}"]


def test_csv_leaves_other_texts_alone():
    frame = pd.DataFrame({"name": pd.Series(HARMLESS, dtype="string")})
    back = pd.read_csv(
        io.BytesIO(as_file(frame, "csv")),
        dtype="string",
        keep_default_na=False,
        skip_blank_lines=False,
    )
    assert back["name"].tolist() == HARMLESS


@pytest.mark.parametrize("formula", FORMULAS)
def test_xlsx_holds_formulas_as_text(formula):
    (cell,) = cells(pd.DataFrame({"name": [formula]}))
    assert (cell.data_type, cell.value) == ("s", formula)


def test_names_of_columns_are_texts_too():
    frame = pd.DataFrame({"=1+1": [1]})
    assert as_file(frame, "csv").decode("utf-8-sig").splitlines()[0] == "'=1+1"
    sheet = openpyxl.load_workbook(io.BytesIO(as_file(frame, "xlsx"))).active
    assert (sheet["A1"].data_type, sheet["A1"].value) == ("s", "=1+1")


def test_csv_begins_with_the_mark_that_excel_needs():
    assert as_file(pd.DataFrame({"name": ["Xəzər"]}), "csv").startswith(b"\xef\xbb\xbf")


def test_addresses_of_web_pages_do_not_become_links():
    (cell,) = cells(pd.DataFrame({"name": ["https://example.com"]}))
    assert cell.hyperlink is None


def test_instants_with_a_zone_are_that_zones_own_time_in_a_sheet():
    at = pd.Series(pd.to_datetime(["2026-01-05T20:30:00Z"])).dt.tz_convert("Asia/Baku")
    (cell,) = cells(pd.DataFrame({"at": at}))
    assert cell.value == pd.Timestamp("2026-01-06 00:30:00")


def test_missing_values_are_empty_cells():
    frame = pd.DataFrame({"a": pd.array([None, 1], "Int64"), "b": pd.array([None, "x"], "string")})
    assert as_file(frame, "csv").decode("utf-8-sig").splitlines() == ["a,b", ",", "1,x"]
    assert [cell.value for cell in cells(frame)] == [None, 1]


def test_more_rows_than_a_sheet_holds_is_an_error(monkeypatch):
    monkeypatch.setattr(files, "SHEET_ROWS", 2)
    assert len(cells(pd.DataFrame({"n": [1, 2]}))) == 2
    with pytest.raises(ConfigError, match="take CSV or Parquet"):
        as_file(pd.DataFrame({"n": [1, 2, 3]}), "xlsx")


def test_parquet_is_exact():
    frame = pd.DataFrame(
        {
            "name": pd.array(["=1+1", None], "string"),
            "n": pd.array([1, None], "Int64"),
            "at": pd.to_datetime(["2026-01-05T20:30:00Z", None]).tz_convert("Asia/Baku"),
        }
    )
    frame.attrs["clopos"] = {"complete": True}
    back = pd.read_parquet(io.BytesIO(as_file(frame, "parquet")))
    pd.testing.assert_frame_equal(back, frame)
    assert back.attrs == frame.attrs


def test_xlsx_keeps_days_that_excel_cannot_count():
    days = ["1800-01-01", "1899-12-31", "1900-01-01", "2026-01-05"]
    frame = pd.DataFrame({"born": pd.Series([None, *days]).astype("datetime64[us]")})
    missing, *old, new = [cell.value for cell in cells(frame)]
    assert old == [f"{day} 00:00:00" for day in days[:3]]
    assert pd.Timestamp(new) == pd.Timestamp(days[3])
    assert missing is None


def test_a_text_longer_than_a_cell_of_excel_is_refused_and_not_cut():
    with pytest.raises(ConfigError, match="take CSV or Parquet"):
        as_file(pd.DataFrame({"note": ["x" * 32768, None]}), "xlsx")
    (cell,) = cells(pd.DataFrame({"note": ["x" * 32767]}))
    assert len(cell.value) == 32767
