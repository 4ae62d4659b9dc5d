"""The explorer as somebody uses it: load, look, change the choice, save, cancel, be refused."""

from __future__ import annotations

import io
import re

import pandas as pd
from driving import Notebook, contrast
from playwright.sync_api import Locator, expect

EXPLORE = """
import clopos_nb
session = clopos_nb.demo()
explorer = session.explore()
explorer
"""
SLOWLY = """
import clopos_nb
from clopos_nb.sandbox import Sandbox
sandbox = Sandbox(latency_s=0.2, window_s=1).start()
sandbox.faults.add("limit_clamp", limit=10, path="/receipts")
session = clopos_nb.Session(
    base_url=sandbox.url, cache_dir=False, today=sandbox.today, **sandbox.credentials
)
session.explore()
"""
LOADS_WITHIN_MS = 60_000


def opened(notebook: Notebook) -> Locator:
    """Run the cells and return the explorer that they show."""
    notebook.run_all()
    explorer = notebook.panel.locator(".clopos")
    expect(button(explorer, "Load")).to_be_enabled(timeout=LOADS_WITHIN_MS)
    return explorer


def button(explorer: Locator, name: str) -> Locator:
    return explorer.get_by_role("button", name=re.compile(name))


def load(explorer: Locator) -> None:
    button(explorer, "Load").click()
    expect(explorer.get_by_text("✓ Complete")).to_be_visible(timeout=LOADS_WITHIN_MS)
    expect(button(explorer, "Load")).to_be_enabled(timeout=LOADS_WITHIN_MS)


def test_a_week_is_loaded_looked_at_and_saved(open_cells):
    notebook = open_cells(EXPLORE)
    explorer = opened(notebook)
    button(explorer, "Estimate").click()
    expect(button(explorer, "Load: .* rows, .* requests")).to_be_visible(timeout=LOADS_WITHIN_MS)
    load(explorer)
    notebook.show_whole()
    chart, cells = explorer.get_by_role("img"), explorer.locator("tbody td")
    expect(chart).to_have_attribute("aria-label", re.compile("Revenue by business day, 4 lines"))
    explorer.get_by_label("Chart").select_option("Revenue by hour and weekday")
    expect(chart).to_have_attribute("aria-label", re.compile("Average revenue by weekday"))
    button(explorer, "Make the file").click()
    with notebook.page.expect_download() as saving:
        explorer.get_by_text("Save receipts_").click()
    saved = pd.read_csv(io.BytesIO(saving.value.path().read_bytes()))
    badge = explorer.get_by_role("status").filter(has_text="✓ Complete")
    assert len(saved) == int(re.sub(r"\D", "", badge.inner_text().partition("row")[0]))
    explorer.get_by_label("Sort by").select_option("total")
    explorer.get_by_label("Largest first").check()
    expect(cells.first).to_have_text(f"{saved['total'].max():.2f}")
    for text in (cells.first, badge, badge.locator("span"), explorer.locator("pre")):
        assert contrast(text) >= 4.5


def test_another_venue_changes_table_and_chart_and_until_then_it_is_said(open_cells):
    explorer = opened(open_cells(EXPLORE))
    load(explorer)
    chart = explorer.get_by_role("img")
    before = chart.get_attribute("aria-label")
    explorer.get_by_label("Venues", exact=True).select_option("Nar Bağı Sahil")
    expect(explorer.get_by_text("The choice has changed")).to_be_visible()
    load(explorer)
    expect(explorer.get_by_text("The choice has changed")).to_have_count(0)
    expect(chart).not_to_have_attribute("aria-label", before or "")
    expect(explorer.locator("pre")).to_contain_text("venues=[3]")
    expect(explorer.locator("tbody tr").first).to_contain_text("Nar Bağı Sahil")


def test_a_load_is_cancelled_with_the_keyboard_and_an_error_is_read_out(open_cells):
    notebook = open_cells(SLOWLY)
    explorer = opened(notebook)
    button(explorer, "Load").focus()
    notebook.page.keyboard.press("Enter")
    expect(button(explorer, "Load")).to_be_disabled()
    expect(explorer.get_by_text(re.compile(r"\d of .* rows"))).to_be_visible(
        timeout=LOADS_WITHIN_MS
    )
    button(explorer, "Cancel").focus()
    notebook.page.keyboard.press("Enter")
    expect(explorer.get_by_role("status").filter(has_text="Cancelled")).to_be_visible()
    expect(button(explorer, "Load")).to_be_enabled()
    filters = explorer.get_by_label("Filters")
    filters.fill("colour=red")
    filters.press("Enter")
    button(explorer, "Load").click()
    expect(explorer.get_by_role("alert")).to_contain_text("receipts has no filter 'colour'")


def test_nothing_is_cut_off_in_a_narrow_window_or_a_wide_one(open_cells):
    notebook = open_cells(EXPLORE)
    explorer = opened(notebook)
    load(explorer)
    explorer.get_by_label("Table", exact=True).select_option("receipt_payments")
    expect(explorer.get_by_text("The choice has changed")).to_be_visible()
    notebook.show_whole()
    for width in (1200, 700):
        notebook.page.set_viewport_size({"width": width, "height": 1600})
        parts = explorer.locator("select, input, button, p, pre, svg")
        edges = parts.evaluate_all("all => all.map(each => each.getBoundingClientRect().right)")
        assert max(edges) <= explorer.evaluate("it => it.getBoundingClientRect().right") + 1


def test_a_refusal_names_who_can_fix_it(open_cells):
    refused = 'sandbox.faults.clear(); sandbox.faults.add("deactivated_integrator")'
    explorer = opened(open_cells(SLOWLY, refused))
    button(explorer, "Load").click()
    problem = explorer.get_by_role("alert").filter(has_text="That did not work")
    expect(problem).to_contain_text("Clopos", timeout=LOADS_WITHIN_MS)
    expect(button(explorer, "Load")).to_be_enabled()


NAME = """each =>
  each.getAttribute("aria-label") || (each.labels && each.labels[0] || each).innerText"""


def test_every_control_has_a_name_and_is_in_the_order_of_the_tab_key(open_cells):
    explorer = opened(open_cells(EXPLORE))
    load(explorer)
    controls = explorer.locator("input:visible, select:visible, button:visible")
    names = {each.evaluate(NAME).strip(): each for each in controls.all() if each.is_enabled()}
    assert {"Table", "From", "Venues", "Load", "Chart", "Find", "Make the file"} <= set(names)
    assert "" not in names
    assert [n for n, each in names.items() if each.evaluate("each => each.tabIndex") < 0] == []
