"""Charts say what they show to whoever does not see them, and are the page's own colours."""

from __future__ import annotations

import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

import matplotlib as mpl
import pandas as pd
import pytest

from clopos_nb import drawing
from clopos_nb.analysis import daily_revenue
from clopos_nb.tables import CATALOGUE
from clopos_nb.widgets.charts import (
    LINES,
    WIDTH,
    by_day,
    by_hour,
    by_payment,
    by_product,
    charts_for,
)


def receipts(*rows: tuple[int, str, float, str], asked: tuple[str, str] | None = None):
    frame = pd.DataFrame(rows, columns=["venue_id", "venue", "total", "created_at"])
    frame["status"] = 2
    frame["created_at"] = pd.to_datetime(frame["created_at"])
    frame["shift_date"] = frame["created_at"].dt.normalize()
    if asked:
        frame.attrs["clopos"] = {"start": asked[0], "end": asked[1]}
    return frame


def label(svg: str | None) -> str:
    """Return what the chart says of itself, with plain spaces."""
    assert svg is not None
    drawing = ElementTree.fromstring(svg)  # our own
    assert drawing.attrib["role"] == "img"
    return " ".join(drawing.attrib["aria-label"].split())


def texts(svg: str | None) -> list[str]:
    return re.findall(r">([^<>]+)</text>", svg or "")


TWO_DAYS = receipts(
    (1, "Harbour", 1200.0, "2026-01-05 12:10:00"),
    (1, "Harbour", 300.0, "2026-01-06 20:10:00"),
    (2, "Park", 100.0, "2026-01-06 20:59:00"),
)


def test_days_tell_their_sum_and_the_best_of_them():
    said = label(by_day(TWO_DAYS))
    assert "2 lines" in said
    assert "from Mon 5 Jan to Tue 6 Jan; together 1 600, most on Mon 5 Jan with 1 200" in said


def test_a_single_day_is_bars():
    svg = by_day(TWO_DAYS[TWO_DAYS["shift_date"] == "2026-01-06"])
    assert label(svg) == "Revenue on Tue 6 Jan: Harbour 300; Park 100"


def test_many_venues_are_a_few_lines_and_the_others_together():
    rows = [
        (i, f"Branch {i}", float(i), f"2026-01-0{day} 12:00:00")
        for i in range(1, 501)
        for day in (5, 6)
    ]
    svg = by_day(receipts(*rows))
    assert f"{LINES} lines" in label(svg)
    assert "493 others" in texts(svg)
    assert "Branch 500" in texts(svg)
    assert "Branch 7" not in texts(svg)


def test_days_beside_those_asked_for_are_left_out():
    frame = receipts(
        *TWO_DAYS[["venue_id", "venue", "total", "created_at"]].to_numpy().tolist(),
        asked=("2026-01-06", "2026-01-06"),
    )
    assert "Revenue on Tue 6 Jan" in label(by_day(frame))
    assert "Monday" not in texts(by_hour(frame))


def test_hours_hold_their_numbers_so_that_no_colour_is_needed():
    svg = by_hour(TWO_DAYS)
    assert "most on Monday at 12 o'clock with 1 200" in label(svg)
    plain = ["".join(text.split()) for text in texts(svg)]
    assert {"1200", "400", "Monday", "Tuesday", "12", "20"} <= set(plain)


def test_ways_of_paying_tell_amounts_and_shares():
    frame = pd.DataFrame({"name": ["Cash", "Card"], "amount": [250.0, 750.0]})
    said = label(by_payment(frame))
    assert said == "Amount paid by way of paying: Card 750 (75%); Cash 250 (25%)"


def test_more_given_back_than_paid_is_drawn_too():
    frame = pd.DataFrame({"name": ["Cash", "Card"], "amount": [-50.0, 20.0]})
    assert "Cash \N{MINUS SIGN}50" in label(by_payment(frame))


def test_products_tell_revenue_and_how_many():
    frame = pd.DataFrame(
        {
            "product_id": [1],
            "meta_product_name": ["Plov"],
            "count": [2.0],
            "portion_size": [1.0],
            "total": [19.0],
            "receipt_discount": [0.5],
        }
    )
    assert label(by_product(frame)) == "Revenue by product: Plov 18 (2 sold)"


@pytest.mark.parametrize("table", ["receipts", "receipt_payments", "receipt_products"])
def test_an_empty_table_has_nothing_to_draw(table):
    kinds = {column.name: column.dtype for column in CATALOGUE[table].shown}
    if table == "receipts":
        kinds["venue"] = "string"
    empty = pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in kinds.items()})
    assert [chart.draw(empty) for chart in charts_for(table)] == [None] * len(charts_for(table))


def test_colours_are_the_pages_and_nothing_of_matplotlibs_settings_is_changed():
    before = dict(mpl.rcParams)
    svg = by_day(TWO_DAYS) or ""
    assert "var(--line-0)" in svg
    assert "var(--ink)" in svg
    assert not re.search(r"#0[123]0[123][0-9a-f]{2}", svg)
    assert dict(mpl.rcParams) == before
    assert by_day(TWO_DAYS) == svg  # the same data, the same bytes


def test_names_are_text():
    svg = by_day(
        receipts(
            (1, "<script>$x_1$ & 'q' \"", 5.0, "2026-01-05 12:00:00"),
            (1, "<script>$x_1$ & 'q' \"", 5.0, "2026-01-06 12:00:00"),
        )
    )
    assert "<script" not in (svg or "")
    assert "$x_1$" in (svg or "")
    label(svg)


def two_days_of(*names: str) -> pd.DataFrame:
    days = ("2026-01-05 12:00:00", "2026-01-06 12:00:00")
    return receipts(*[(i, name, 5.0, day) for i, name in enumerate(names) for day in days])


def test_every_venue_is_in_the_legend_whatever_it_begins_with():
    assert {text.strip() for text in texts(by_day(two_days_of("_archive", "Park")))} >= {
        "_archive",
        "Park",
    }


def test_names_too_long_or_in_letters_that_a_font_lacks_are_drawn_without_a_warning():
    frame = two_days_of("Restaurant " * 30, "\N{SLICE OF PIZZA} \u5bff\u53f8")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert by_day(frame)
        assert by_day(frame[frame["shift_date"] == "2026-01-05"])


def test_long_names_leave_the_lines_their_room_and_are_not_cut_off():
    days = daily_revenue(two_days_of(*[f"{i} Restaurant in a long avenue" for i in range(8)]))
    with drawing.figure(WIDTH, 3.7) as figure:
        axes = figure.add_subplot()
        drawing.days_by_venue(axes, days, "Revenue a day")
        figure.draw_without_rendering()
        legend = axes.get_legend().get_window_extent().transformed(figure.transFigure.inverted())
        assert legend.x1 <= 1
        assert axes.get_position().width > 0.8
        assert axes.get_position().height > 0.4


def test_a_shift_that_was_never_closed_does_not_squeeze_the_week():
    frame = receipts(
        (1, "Harbour", 5.0, "2026-01-05 12:00:00"), (1, "Harbour", 7.0, "2026-01-25 12:00:00")
    )
    frame["shift_date"] = pd.Timestamp("2026-01-05")
    drawn = [text for text in texts(by_hour(frame)) if text.isdigit()]
    assert drawn == [*map(str, range(12, 36)), "5"]
    assert by_hour(frame[1:]) is None


def test_charts_drawn_at_once_leave_matplotlibs_settings_alone():
    before = dict(mpl.rcParams)
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(by_day, [TWO_DAYS] * 12))
    assert dict(mpl.rcParams) == before
    assert set(drawn) == {by_day(TWO_DAYS)}
