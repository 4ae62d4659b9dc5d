"""The explorer, driven as a plain Python object over real HTTP."""

from __future__ import annotations

import base64
import io
import re
import threading
import time
from collections.abc import Iterator
from html import unescape
from typing import Any

import ipywidgets as W
import matplotlib as mpl
import pandas as pd
import pytest

import clopos_nb
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.requestlog import Entry
from clopos_nb.widgets.explorer import Explorer

DAYS = ("2026-01-05", "2026-01-11")
PATIENCE_S = 60


@pytest.fixture
def explorer(session) -> Explorer:
    return session.explore("receipts", *DAYS)


@pytest.fixture
def slow(brand) -> Iterator[Sandbox]:
    """Serve pages of two receipts, each after a while: a month would take minutes."""
    with Sandbox(brand=brand, window_s=1, latency_s=0.1) as sandbox:
        sandbox.faults.add("limit_clamp", limit=2, path="/receipts")
        yield sandbox


@pytest.fixture
def slowly(slow, open_session) -> Explorer:
    return open_session(slow, today=slow.today).explore("receipts", "2026-01")


def loaded(explorer: Explorer) -> pd.DataFrame:
    """Click Load, and return what came."""
    explorer.load_button.click()
    assert explorer.wait(PATIENCE_S)
    assert explorer.problem is None
    assert explorer.frame is not None
    return explorer.frame


def does(explorer: Explorer) -> pd.DataFrame:
    """Return what the code pane's call gives to whoever pastes it."""
    scope: dict[str, Any] = {"session": explorer._session}
    exec(explorer.code, scope)
    return scope["frame"]


def parts(widget: Any) -> Iterator[Any]:
    """Yield a widget and everything in it."""
    yield widget
    for child in getattr(widget, "children", ()):
        yield from parts(child)


def said(explorer: Explorer) -> str:
    """Return what all the explorer's lines of text say, without their markup."""
    lines = [part.value for part in parts(explorer) if isinstance(part, W.HTML)]
    text = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]*>", " ", " ".join(lines), flags=re.S)
    return " ".join(unescape(text).split())


# ----------------------------------------------------------------------------- opening


def test_opening_on_a_brand_of_500_venues_takes_one_request_and_less_than_a_second(
    faulty, visitor, envelope
):
    faulty.on("/venues", envelope(*[{"id": i, "name": f"Branch {i}"} for i in range(1, 501)]))
    visitor.login()
    before, began = len(faulty.seen), time.perf_counter()
    explorer = visitor.explore()
    assert time.perf_counter() - began < 1
    assert [request.path.rpartition("/")[2] for request in faulty.seen[before:]] == ["venues"]
    assert len(explorer.venues.venues) == 500


def test_nothing_is_loaded_at_first(explorer):
    assert explorer.frame is None
    assert repr(explorer) == "Explorer('receipts', nothing loaded)"
    assert explorer.result.layout.display == "none"
    assert explorer.code == 'frame = session.frame("receipts", "2026-01-05", "2026-01-11")'


def test_choosing_sends_nothing(fresh, open_session):
    explorer = open_session(fresh, today=fresh.today).explore()
    asked = len(fresh.requests)
    explorer.venues.venues = [2]
    explorer.dates.days = "2026-01"
    explorer.table.table = "orders"
    for text in ("s", "st", "status=NEW"):
        explorer.filters.value = text
    assert len(fresh.requests) == asked


# ----------------------------------------------------------------------------- loading


def test_the_frame_is_what_the_session_gives(explorer):
    frame = loaded(explorer)
    plain = explorer._session.frame("receipts", *DAYS, progress=False)
    pd.testing.assert_frame_equal(frame, plain)
    assert repr(explorer) == f"Explorer('receipts', {len(plain)} rows)"
    assert "✓ Complete" in said(explorer)
    assert explorer.result.layout.display == ""


CHOICES: dict[str, dict[str, Any]] = {
    "all venues": {},
    "one venue": {"venues": [3]},
    "venues": {"venues": [2, 1]},
    "business days": {"day": "shift_date"},
    "filters": {"filters": "status=2, source=web|app"},
    "lines": {"table": "receipt_products", "venues": [2]},
    "payments": {"table": "receipt_payments"},
    "a table of the brand": {"table": "products", "venues": [2]},
    "a table without days": {"table": "stop_list", "venues": [1]},
    "nothing there": {"days": ("2020-01-01", "2020-01-02")},
}


def choose(explorer: Explorer, choice: dict[str, Any]) -> None:
    explorer.table.table = choice.get("table", "receipts")
    explorer.venues.venues = choice.get("venues", "all")
    explorer.dates.days = choice.get("days", DAYS)
    explorer.filters.value = choice.get("filters", "")
    explorer.day.value = choice.get("day", "created_at")


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_the_code_gives_the_same_frame(explorer, choice):
    choose(explorer, choice)
    pd.testing.assert_frame_equal(loaded(explorer), does(explorer))


def test_each_choice_gives_other_rows(explorer):
    seen = []
    for name in ("all venues", "one venue", "business days", "filters", "lines"):
        choose(explorer, CHOICES[name])
        seen.append(len(loaded(explorer)))
    assert len(set(seen)) == len(seen)


def test_a_long_call_is_written_over_several_lines(explorer):
    explorer.filters.value = "status=2, source=pos|web, order_number=12, guests=1|2|3"
    lines = explorer.code.splitlines()
    assert lines[0] == "frame = session.frame("
    assert lines[-2] == (
        '    filters={"status": 2, "source": ["pos", "web"], "order_number": "12", '
        '"guests": [1, 2, 3]},'
    )


def test_what_a_table_does_not_take_is_switched_off_and_left_out(explorer):
    explorer.venues.venues = [2]
    explorer.table.table = "products"
    assert (explorer.venues.disabled, explorer.dates.disabled, explorer.day.disabled) == (True,) * 3
    assert explorer.code == 'frame = session.frame("products")'
    assert "belong to the whole brand" in said(explorer)
    explorer.table.table = "orders"
    assert (explorer.venues.disabled, explorer.dates.disabled) == (False, False)
    assert explorer.day.disabled  # orders have no business day
    assert explorer.code.endswith(", venues=[2])")


# ---------------------------------------------------------------------------- estimate


def test_the_estimate_stands_on_the_load_button_until_the_choice_changes(fresh, open_session):
    session = open_session(fresh, today=fresh.today)
    explorer = session.explore("receipts", *DAYS)
    asked = len(fresh.requests)
    explorer.estimate_button.click()
    assert explorer.wait(PATIENCE_S)
    assert len(fresh.requests) == asked + len(session.venues)
    written = explorer.load_button.description
    rows = re.sub(r"\D", "", written.partition("rows")[0])
    assert "requests" in written
    explorer.venues.venues = [1]
    assert explorer.load_button.description == "Load"
    explorer.venues.venues = "all"
    assert explorer.load_button.description == written
    assert len(loaded(explorer)) == int(rows)


# ------------------------------------------------------------------ one thing at a time


def test_controls_are_off_while_it_loads_and_on_after_it(slowly):
    explorer = slowly
    controls = [explorer.venues, explorer.dates, explorer.table, explorer.filters, explorer.day]
    buttons = [explorer.load_button, explorer.estimate_button]
    explorer.load_button.click()
    assert all(control.disabled for control in [*controls, *buttons])
    assert not explorer.cancel_button.disabled
    explorer.cancel_button.click()
    assert explorer.wait(PATIENCE_S)
    assert not any(control.disabled for control in [*controls, *buttons])
    assert explorer.cancel_button.disabled


def test_a_second_click_does_not_double_the_load(brand, open_session):
    """The server holds the first page back until the clicks are done."""
    clicked, seen = threading.Event(), []

    def observe(entry: Entry, _: float) -> None:
        seen.append(entry.path)
        if entry.path == "/receipts":
            clicked.wait(PATIENCE_S)

    with Sandbox(brand=brand, window_s=1, on_request=observe) as sandbox:
        explorer = open_session(sandbox, today=sandbox.today).explore("receipts", DAYS[0])
        explorer.load_button.click()
        explorer.load_button.click()
        explorer.load()
        explorer.estimate()
        clicked.set()
        assert explorer.wait(PATIENCE_S)
        assert seen.count("/receipts") == explorer.frame.attrs["clopos"]["requests"] == 4


# ------------------------------------------------------------------------------ cancel


def until_under_way(explorer: Explorer) -> None:
    """Wait until the explorer itself says that rows are there."""
    moved = threading.Event()
    explorer.bar.observe(lambda change: moved.set() if change.new else None, "value")
    explorer.load_button.click()
    assert moved.wait(PATIENCE_S)


def test_cancel_ends_the_load_and_leaves_nothing_running(slow, slowly):
    until_under_way(slowly)
    began = time.monotonic()
    slowly.cancel_button.click()
    assert slowly.wait(5)
    assert time.monotonic() - began < 2
    for thread in threading.enumerate():
        if thread.name.startswith("clopos_nb"):
            thread.join(10)
    assert not [t for t in threading.enumerate() if t.name.startswith("clopos_nb_")]
    asked = slow.requests.count("/receipts")
    assert 0 < asked < 400  # of some 1,200
    assert slowly.frame is None
    assert slowly.problem is None
    assert "Cancelled" in said(slowly)
    slowly.dates.days = ("2026-01-05", "2026-01-05")
    slowly.venues.venues = [1]
    assert len(loaded(slowly)) > 0


def test_cancel_keeps_what_was_loaded_before(slowly):
    slowly.dates.days, slowly.venues.venues = ("2026-01-05", "2026-01-05"), [1]
    before = loaded(slowly)
    slowly.dates.days = "2026-01"
    until_under_way(slowly)
    slowly.cancel_button.click()
    assert slowly.wait(PATIENCE_S)
    assert slowly.frame is before
    assert "The choice has changed" in said(slowly)
    pd.testing.assert_frame_equal(does(slowly), before)


def test_an_estimate_can_be_cancelled_while_no_answer_comes(faulty, visitor):
    release = threading.Event()

    def silent(_: Any) -> dict[str, Any]:
        release.wait(PATIENCE_S)
        return {"success": True, "data": [], "total": 0}

    faulty.on("/receipts", silent)
    explorer = visitor.explore("receipts", DAYS[0])
    explorer.estimate_button.click()
    explorer.cancel_button.click()
    try:
        assert explorer.wait(5)
    finally:
        release.set()
    assert "Cancelled" in said(explorer)


# ------------------------------------------------------------------------------ errors


def fails(explorer: Explorer, kind: type[Exception]) -> str:
    """Click Load, and return what the explorer says about its failure."""
    explorer.load_button.click()
    assert explorer.wait(PATIENCE_S)
    assert type(explorer.problem) is kind
    assert 'role="alert"' in explorer._status.value
    assert not explorer.load_button.disabled
    return said(explorer)


def test_an_error_is_told_in_the_widget_and_the_next_load_works(fresh, open_session):
    explorer = open_session(fresh, today=fresh.today).explore("receipts", *DAYS)
    fresh.faults.add("server_error", path="/receipts")
    assert "500" in fails(explorer, clopos_nb.ServerError)
    assert explorer.frame is None
    fresh.faults.clear()
    assert len(loaded(explorer)) > 0
    assert 'role="alert"' not in explorer._status.value


def test_a_refusal_names_who_can_fix_it(fresh, open_session):
    explorer = open_session(fresh, today=fresh.today).explore("orders", *DAYS)
    fresh.faults.add("missing_module", path="/orders")
    assert "its owner can ask Clopos" in fails(explorer, clopos_nb.ModuleUnavailable)
    fresh.faults.clear()
    fresh.deactivate_integrator()
    assert "only Clopos can reactivate it" in fails(explorer, clopos_nb.UnknownIntegrator)


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ("status", "write field=value"),
        ("status=", "write field=value"),
        ("=2", "write field=value"),
        ("status=1, status=2", "write field=value"),
        ("colour=red", "has no filter 'colour'"),
    ],
)
def test_a_filter_that_cannot_be_is_told_and_nothing_is_sent(fresh, open_session, filters, told):
    explorer = open_session(fresh, today=fresh.today).explore("receipts", *DAYS)
    explorer.filters.value = filters
    asked = len(fresh.requests)
    assert told in fails(explorer, clopos_nb.ConfigError)
    assert len(fresh.requests) == asked


def test_no_venue_is_not_all_venues(explorer):
    explorer.venues.venues = ()
    assert "No venue is chosen" in said(explorer)
    assert "No venue is chosen" in fails(explorer, clopos_nb.ConfigError)
    with pytest.raises(clopos_nb.ConfigError):
        _ = explorer.code


@pytest.mark.filterwarnings("ignore::clopos_nb.IncompleteResultWarning")
def test_an_incomplete_table_says_so_in_words(faulty, visitor, envelope):
    rows = [{"id": 1, "venue_id": 1, "created_at": "2026-01-05 10:00:00"}]
    faulty.on("/receipts", envelope(*rows, total=7), envelope(total=7))
    explorer = visitor.explore("receipts", DAYS[0], venues=[1])
    loaded(explorer)
    assert "✗ Not complete" in said(explorer)
    assert "1 of 7 read" in said(explorer)


# ----------------------------------------------------------------- nothing old as if new


def test_a_changed_choice_says_that_the_table_is_of_the_former_one(explorer):
    frame = loaded(explorer)
    former = explorer.code
    assert "The choice has changed" not in said(explorer)
    explorer.venues.venues = [1]
    assert "The choice has changed" in said(explorer)
    assert former.replace('"', "&quot;") in explorer.result.notice.value
    assert (explorer.frame is frame, explorer.code) == (True, former)
    explorer.venues.venues = "all"
    assert "The choice has changed" not in said(explorer)


def test_an_error_after_a_changed_choice_still_says_so(fresh, open_session):
    explorer = open_session(fresh, today=fresh.today).explore("receipts", *DAYS)
    loaded(explorer)
    explorer.dates.days = "2026-01"
    fresh.faults.add("server_error", path="/receipts")
    told = fails(explorer, clopos_nb.ServerError)
    assert "The choice has changed" in told


def test_a_file_that_was_made_before_is_not_offered_for_the_next_table(explorer):
    loaded(explorer)
    explorer.result.downloads.prepare.click()
    assert explorer.result.downloads.wait(PATIENCE_S)
    assert "receipts_2026-01-05_2026-01-11.csv" in explorer.result.downloads.link.value
    explorer.table.table = "receipt_payments"
    loaded(explorer)
    assert explorer.result.downloads.link.value == ""


# -------------------------------------------------------------------- what is taken away


def saved(explorer: Explorer, kind: str) -> bytes:
    """Make a file as a click does, and return what the link would save."""
    downloads = explorer.result.downloads
    downloads.kind.value = kind
    downloads.prepare.click()
    assert downloads.wait(PATIENCE_S)
    found = re.search(r'href="data:[^;]+;base64,([^"]+)"', downloads.link.value)
    assert found, downloads.link.value
    return base64.b64decode(found[1])


def test_the_files_parse_back_to_the_frame(explorer):
    explorer.dates.days = ("2026-01-05", "2026-01-05")
    frame = loaded(explorer)
    kinds = frame.dtypes.to_dict()
    exact = pd.read_parquet(io.BytesIO(saved(explorer, "parquet")))
    pd.testing.assert_frame_equal(exact, frame)
    assert exact.attrs["clopos"] == frame.attrs["clopos"]
    text = pd.read_csv(io.BytesIO(saved(explorer, "csv")), dtype=kinds_to_read(frame))
    sheet = pd.read_excel(io.BytesIO(saved(explorer, "xlsx")), dtype=kinds_to_read(frame))
    for back in (text, sheet):
        pd.testing.assert_frame_equal(back.astype(kinds), frame)


def kinds_to_read(frame: pd.DataFrame) -> dict[str, str]:
    """Return dtypes for readers, which take instants as text first."""
    return {
        str(name): "string" if str(kind).startswith("datetime") else str(kind)
        for name, kind in frame.dtypes.items()
    }


def test_a_file_too_large_for_a_link_says_how_to_write_it(explorer, monkeypatch):
    monkeypatch.setattr("clopos_nb.widgets.downloads.LARGEST", 1000)
    loaded(explorer)
    explorer.result.downloads.prepare.click()
    assert explorer.result.downloads.wait(PATIENCE_S)
    assert "to_parquet" in explorer.result.downloads.link.value
    assert "data:" not in explorer.result.downloads.link.value


# -------------------------------------------------------------------- what is shown of it


def test_the_charts_are_those_of_the_table(explorer):
    loaded(explorer)
    titles = [label for label, _ in explorer.result.which.options]
    assert titles == ["Revenue by day and venue", "Revenue by hour and weekday"]
    first = explorer.result.chart.value
    explorer.result.which.index = 1
    assert 'aria-label="Average revenue by weekday and hour; most on' in explorer.result.chart.value
    assert explorer.result.chart.value != first
    explorer.table.table = "receipt_products"
    loaded(explorer)
    assert 'aria-label="Revenue by product: ' in explorer.result.chart.value
    explorer.table.table = "stop_list"
    loaded(explorer)
    assert explorer.result.chart.value == ""


def test_the_chosen_chart_stays_and_follows_the_next_load(explorer):
    loaded(explorer)
    explorer.result.which.index = 1
    before = explorer.result.chart.value
    explorer.venues.venues = [1]
    loaded(explorer)
    assert explorer.result.which.index == 1
    assert explorer.result.chart.value != before


def test_a_chart_that_cannot_be_drawn_says_so_and_the_table_is_shown(explorer, monkeypatch):
    loaded(explorer)
    explorer.venues.venues = [1]
    monkeypatch.setenv("PATH", "")  # where LaTeX would be
    with mpl.rc_context({"text.usetex": True}):
        frame = loaded(explorer)
    assert "This chart cannot be drawn" in said(explorer)
    assert repr(explorer.result.grid) == f"Grid({len(frame)} of {len(frame)} rows)"
    assert explorer.code.endswith("venues=[1])")
    assert "venues=[1]" in explorer.result.code.value


def test_names_from_the_api_are_text_and_not_markup(faulty, visitor, envelope):
    hostile = "<img src=x onerror=alert(1)>"
    faulty.on("/venues", envelope({"id": 1, "name": hostile}))
    row = {
        "id": 1,
        "venue_id": 1,
        "status": 2,
        "total": 5,
        "source": hostile,
        "created_at": "2026-01-05 10:00:00",
        "shift_date": "2026-01-05",
    }
    faulty.on("/receipts", envelope(row))
    explorer = visitor.explore("receipts", DAYS[0])
    loaded(explorer)
    told = [part.value for part in parts(explorer) if isinstance(part, W.HTML)]
    assert "onerror" in explorer.result.chart.value
    assert not [text for text in told if "<img" in text]
    sent = str(explorer.result.grid._table._dt_args)
    assert "onerror" in sent
    assert "<img" not in sent


# ---------------------------------------------------------------------------- manners


def test_every_control_has_a_label(explorer):
    controls = [part for part in parts(explorer) if hasattr(part, "disabled")]
    controls = [control for control in controls if not hasattr(control, "children")]
    assert len(controls) > 12
    assert [control for control in controls if not control.description.strip()] == []


def test_there_is_no_output_widget_and_no_password(explorer):
    loaded(explorer)
    assert not [part for part in parts(explorer) if isinstance(part, W.Output | W.Password)]


def test_the_kernel_is_free_while_it_loads(slowly):
    began = time.monotonic()
    slowly.load()
    assert time.monotonic() - began < 1
    assert not slowly.wait(0.01)
    slowly.cancel()
    assert slowly.wait(PATIENCE_S)


def test_without_the_extra_it_says_what_to_install(session, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "itables.widget", None)
    monkeypatch.delitem(__import__("sys").modules, "clopos_nb.widgets.explorer", raising=False)
    monkeypatch.delitem(__import__("sys").modules, "clopos_nb.widgets.result", raising=False)
    monkeypatch.delitem(__import__("sys").modules, "clopos_nb.widgets.grid", raising=False)
    with pytest.raises(clopos_nb.ConfigError, match=r"pip install 'clopos_nb\[explore\]'"):
        session.explore()
