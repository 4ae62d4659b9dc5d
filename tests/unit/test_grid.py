"""The grid sorts and searches the whole frame, and sends a page of it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from clopos_nb.widgets.grid import PAGE, Grid, found

COUNT = 1_000_000


@pytest.fixture(scope="module")
def large() -> pd.DataFrame:
    """Return a million rows; 7919 has no divisor in common with it, so each number comes once."""
    numbers = np.arange(COUNT) * 7919 % COUNT
    return pd.DataFrame({"number": numbers, "name": pd.Series(numbers, dtype="string")})


def sent(grid: Grid) -> int:
    """Return how much goes to the browser, in bytes."""
    return len(str(grid._table._dt_args))


def test_a_page_of_a_million_rows_goes_to_the_browser(large):
    grid = Grid()
    grid.show(large)
    assert len(grid.shown) == PAGE
    assert sent(grid) < 50_000
    assert "of 5 000" in grid._said.value.replace("\N{NARROW NO-BREAK SPACE}", " ")


def test_sorting_is_of_all_rows(large):
    grid = Grid()
    grid.show(large)
    grid.sort.value = "number"
    assert grid.shown["number"].tolist() == list(range(PAGE))
    grid.largest_first.value = True
    assert grid.shown["number"].tolist() == list(range(COUNT - 1, COUNT - 1 - PAGE, -1))
    grid.page.value = grid.page.max
    assert grid.shown["number"].tolist() == list(range(PAGE - 1, -1, -1))


def test_finding_is_in_all_rows_and_begins_on_the_first_page(large):
    grid = Grid()
    grid.show(large)
    grid.page.value = 9
    grid.find.value = "99999"
    assert grid.page.value == 1
    expected = [n for n in large["number"].tolist() if "99999" in str(n)]
    assert grid.shown["number"].tolist() == expected
    assert "found among" in grid._said.value


def test_another_frame_is_shown_from_its_beginning(large):
    grid = Grid()
    grid.show(large)
    grid.find.value, grid.sort.value = "9", "number"
    grid.show(pd.DataFrame({"other": [2, 1]}))
    assert (grid.find.value, grid.sort.value, grid.page.value) == ("", "as read", 1)
    assert grid.shown["other"].tolist() == [2, 1]


def test_missing_values_come_last_whichever_way():
    grid = Grid()
    grid.show(pd.DataFrame({"n": pd.array([2, None, 1], "Int64")}))
    grid.sort.value = "n"
    assert grid.shown["n"].tolist()[:2] == [1, 2]
    grid.largest_first.value = True
    assert grid.shown["n"].tolist()[:2] == [2, 1]


def test_what_it_is_sorted_by_stands_first_and_the_others_keep_their_order():
    grid = Grid()
    grid.show(pd.DataFrame({"a": [1], "b": [2], "c": [3]}))
    grid.sort.value = "b"
    assert grid._table.df.columns.tolist() == ["b", "a", "c"]
    grid.sort.value = "as read"
    assert grid._table.df.columns.tolist() == ["a", "b", "c"]


def test_no_rows_are_shown_as_none():
    grid = Grid()
    grid.show(pd.DataFrame({"n": pd.array([], "Int64")}))
    assert "0 rows" in grid._said.value
    assert len(grid.shown) == 0


FRAME = pd.DataFrame(
    {
        "name": pd.array(["Plov", "Çay", None], "string"),
        "price": [9.5, 2.0, 9.0],
        "count": pd.array([2, None, 5], "Int64"),
        "gift": pd.array([True, False, None], "boolean"),
        "at": pd.to_datetime(["2026-01-05 10:00:00", "2026-01-31 23:59:59", "2026-02-01 00:00:00"]),
        "zoned": pd.to_datetime(
            ["2026-01-05T21:00Z", "2026-03-01T00:00Z", "2026-03-01T00:00Z"]
        ).tz_convert("Asia/Baku"),
    }
)


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("", [0, 1, 2]),
        ("  ", [0, 1, 2]),
        ("plo", [0]),
        ("çay", [1]),
        ("2", [0, 1]),
        ("9.50", [0]),
        ("2026-01-31", [1]),
        ("2026-01", [0, 1]),
        ("2026-01-06", [0]),  # in its zone
        ("2026-13", []),
        ("p.*", []),
        ("nan", []),
    ],
)
def test_what_is_found(text, rows):
    assert np.flatnonzero(found(FRAME, text)).tolist() == rows


def test_what_people_read_in_the_cells():
    grid = Grid()
    grid.show(FRAME)
    cells = str(grid._table._dt_args["data_json"])
    for text in ("9.5", "yes", "no", "2026-01-05 10:00:00", '"2026-02-01"', "2026-01-06 01:00:00"):
        assert text in cells
    assert "NA" not in cells
    assert "NaT" not in cells


def test_numbers_of_a_column_have_the_decimals_that_one_of_them_needs():
    grid = Grid()
    grid.show(pd.DataFrame({"total": [191.4, 174.68, 0.1 + 0.2], "guests": [2.0, 4.0, None]}))
    assert grid._table.df["total"].tolist() == ["191.40", "174.68", "0.30"]
    assert grid._table.df["guests"].tolist() == ["2", "4", ""]
