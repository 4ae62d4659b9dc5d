"""The HTML report: self-contained, escaped, deterministic, and honest about what was read."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from clopos_nb.analysis import compare_venues, daily_revenue
from clopos_nb.report import write_report

HOSTILE = "<script>alert('x')</script> & $x_1$ Xəzər"


def receipts(venue: str = "Sahil") -> pd.DataFrame:
    rows = [
        (1, venue, 2, 1234.5, "2026-01-01"),
        (1, venue, 2, 20.0, "2026-01-05"),
        (2, "Qala", 2, 100.0, "2026-01-31"),
        (2, "Qala", 2, 7.0, "2025-12-31"),
    ]
    frame = pd.DataFrame(rows, columns=["venue_id", "venue", "status", "total", "shift_date"])
    return frame.astype({"shift_date": "datetime64[us]"})


def part(name: str, rows: int, total: int | None, error: str | None = None) -> dict[str, Any]:
    complete = rows == total and error is None
    return {"id": 1, "name": name, "total": total, "rows": rows, "complete": complete} | {
        "error": error
    }


def certificate(**changes: Any) -> dict[str, Any]:
    made = {
        "table": "receipts",
        "venues": [part("Sahil", 11204, 11204)],
        "requests": 59,
        "total": 11204,
        "rows": 11204,
        "complete": True,
    }
    return made | changes


def write(path: Path, frame: pd.DataFrame | None = None, **changes: Any) -> str:
    frame = receipts() if frame is None else frame
    arguments: dict[str, Any] = {
        "brand": "Xəzər",
        "start": "2026-01-01",
        "end": "2026-01-31",
        "comparison": compare_venues(frame, total=True),
        "daily": daily_revenue(frame),
        "certificates": [certificate()],
    }
    return write_report(path / "r.html", **(arguments | changes)).read_text(encoding="utf-8")


def text(page: str) -> str:
    """Return what a reader sees, with plain spaces and without the style sheet."""
    words: list[str] = []
    parser = HTMLParser()
    parser.handle_data = words.append  # type: ignore[method-assign]
    parser.feed(re.sub(r"<style.*?</style>", "", page, flags=re.DOTALL))
    return " ".join(" ".join(words).split())


def test_it_returns_an_absolute_path_and_makes_folders(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = write_report(
        "new/folder/report.html",
        brand="B",
        start="2026-01-01",
        end="2026-01-31",
        comparison=compare_venues(receipts()),
        daily=daily_revenue(receipts()),
        certificates=[],
    )
    assert page == tmp_path / "new" / "folder" / "report.html"
    assert page.exists()


def test_it_asks_for_nothing_from_elsewhere(tmp_path):
    page = write(tmp_path)
    assert not re.findall(r'(?:src|(?<!xlink:)href)="(?!#)', page)
    assert not re.findall(r"@import|url\((?!#)", page)
    assert "<script" not in page
    assert "<link" not in page


def test_every_string_of_the_api_is_escaped(tmp_path):
    failed = part(HOSTILE, 0, None, HOSTILE)
    page = write(
        tmp_path,
        receipts(HOSTILE),
        brand=HOSTILE,
        currency=HOSTILE,
        certificates=[certificate(table=HOSTILE, venues=[failed], complete=False)],
    )
    assert "<script" not in page
    assert text(page).count("alert('x')") > 8


def test_a_dollar_in_a_name_is_no_formula(tmp_path):
    assert "$x_1$" in text(write(tmp_path, receipts("Cafe $x_1$"))).split("The same as a table")[0]


def test_the_same_arguments_give_the_same_bytes(tmp_path):
    assert write(tmp_path) == write(tmp_path)


def test_the_plot_takes_its_colours_from_the_page(tmp_path):
    page = write(tmp_path)
    drawing = page[page.index("<svg") : page.index("</svg>")]
    assert "var(--line-0)" in drawing
    assert "var(--line-1)" in drawing
    assert not re.findall(r"(?:stroke|fill): #", drawing)
    assert "prefers-color-scheme: dark" in page


def test_the_plot_has_labelled_axes_with_units_and_a_legend(tmp_path):
    page = write(tmp_path, currency="AZN")
    words = text(page[page.index("<svg") : page.index("</svg>")])
    for label in ("Business day", "Revenue a day, AZN", "Sahil", "Qala", "Mon 5 Jan", "1 200"):
        assert label in words


@pytest.mark.parametrize("end", ["2026-01-01", "2026-01-05", "2026-04-30", "2027-12-31"])
def test_any_length_of_range_can_be_plotted(tmp_path, end):
    assert "<svg" in write(tmp_path, end=end)


def test_more_venues_than_colours_get_other_dashes(tmp_path):
    rows = [(i, f"V{i}", 2, 10.0 + i, "2026-01-02") for i in range(20)]
    frame = pd.DataFrame(rows, columns=["venue_id", "venue", "status", "total", "shift_date"])
    page = write(tmp_path, frame.astype({"shift_date": "datetime64[us]"}))
    assert "stroke-dasharray" in page
    assert "V19" in page[page.index("<svg") : page.index("</svg>")]


def test_days_outside_the_range_are_not_plotted(tmp_path):
    assert "31 Dec" not in text(write(tmp_path))


def test_numbers_have_separated_thousands_and_money_two_decimals(tmp_path):
    page = write(tmp_path)
    assert "1\u202f254.50" in page
    assert "11\u202f204" in page
    assert "nan" not in page.lower()


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-01-01", "2026-01-31", "January 2026"),
        ("2026-01-05", "2026-01-05", "5 January 2026"),
        ("2026-01-05", "2026-02-06", "5 January 2026 to 6 February 2026"),
        ("2026-01-01", "2026-02-28", "1 January 2026 to 28 February 2026"),
    ],
)
def test_the_range_is_in_words(tmp_path, start, end, words):
    assert f"<title>Xəzər: {words}</title>" in write(tmp_path, start=start, end=end)


def test_a_complete_certificate_has_a_tick_and_words(tmp_path):
    words = text(write(tmp_path))
    assert "receipts 11 204 11 204 59 ✓ every row" in words
    assert "✗" not in words


def test_missing_rows_have_a_cross_and_name_the_venue(tmp_path):
    short = part("Sahil", 60, 100)
    failed = part("Qala", 0, None, "ServerError: 500")
    words = text(
        write(
            tmp_path,
            certificates=[certificate(rows=60, total=100, complete=False, venues=[short, failed])],
        )
    )
    assert "receipts 60 100 59 ✗ 40 rows missing" in words
    assert "Sahil 60 100 ✗ 40 rows missing" in words
    assert "Qala 0 – ✗ the server gave no number ServerError: 500" in words


def test_without_matplotlib_it_says_how_to_get_the_plot(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    page = write(tmp_path)
    assert "<svg" not in page
    assert 'pip install "clopos_nb[plots]"' in page


def test_no_receipts_is_a_page_too(tmp_path):
    words = text(write(tmp_path, receipts().iloc[:0]))
    assert "nothing to plot" in words
    assert "All venues 0 0.00" in words
