"""The explorer in JupyterLab, as somebody uses it who has never read the API."""

from __future__ import annotations

import json
import re

import pandas as pd
from playwright.sync_api import Page, expect

BEGIN = """
from clopos_nb.sandbox import Sandbox
import clopos_nb
sandbox = Sandbox(latency_s={latency_s}).start()
session = clopos_nb.Session(
    base_url=sandbox.url, cache_dir=False, today=sandbox.today, **sandbox.credentials
)
"""
EXPLORE = 'explorer = session.explore("receipts", "2026-01-05", "2026-01-11")\nexplorer'
WITHIN_MS = 60_000


def status(page: Page, text: str):
    """Return what a screen reader is told, where it is this."""
    return page.get_by_role("status").filter(has_text=text)


def load(page: Page) -> None:
    page.get_by_role("button", name="Load").click()
    expect(status(page, "Complete")).to_be_visible(timeout=WITHIN_MS)
    expect(page.get_by_role("button", name="Load")).to_be_enabled()


def test_one_venue_is_chosen_loaded_looked_at_and_taken_away(open_cells, tmp_path):
    notebook = open_cells(BEGIN.format(latency_s=0), EXPLORE)
    notebook.run_all()
    page = notebook.page
    load(page)
    chart = page.locator(".clopos svg").first
    of_all = chart.inner_html()
    expect(page.locator(".clopos td").get_by_text("Nar Bağı Mərkəz").first).to_be_visible()

    page.get_by_label("All 4 venues").uncheck()
    page.get_by_label("Venues", exact=True).select_option(label="Nar Bağı Sahil")
    expect(page.get_by_text("The choice has changed")).to_be_visible()
    load(page)
    expect(page.get_by_text("The choice has changed")).to_have_count(0)
    expect(page.locator(".clopos td").get_by_text("Nar Bağı Sahil").first).to_be_visible()
    expect(page.locator(".clopos td").get_by_text("Nar Bağı Mərkəz")).to_have_count(0)
    assert chart.inner_html() != of_all
    code = page.locator(".clopos pre").last.inner_text()
    assert code == 'frame = session.frame("receipts", "2026-01-05", "2026-01-11", venues=[3])'

    page.get_by_role("button", name="Make the file").click()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save receipts").click()
    saved.value.save_as(tmp_path / "receipts.csv")
    told = re.sub(r"\D", "", status(page, "Complete").inner_text())  # "1 234 rows; all 1 234 ..."
    assert told == str(len(pd.read_csv(tmp_path / "receipts.csv"))) * 2
    notebook.show_whole()


def test_a_load_is_cancelled_and_the_next_one_works(open_cells):
    notebook = open_cells(
        BEGIN.format(latency_s=0.2),
        'sandbox.faults.add("limit_clamp", limit=2, path="/receipts")',
        EXPLORE,
    )
    notebook.run_all()
    page = notebook.page
    page.get_by_role("button", name="Load").click()
    expect(page.get_by_role("button", name="Load")).to_be_disabled()
    page.get_by_role("button", name="Cancel").click()
    expect(status(page, "Cancelled")).to_be_visible(timeout=WITHIN_MS)
    expect(page.get_by_role("button", name="Load")).to_be_enabled()
    page.get_by_label("Table", exact=True).select_option("stop_list")
    load(page)


def test_an_error_says_in_words_what_to_do(open_cells):
    deactivated = 'sandbox.faults.add("deactivated_integrator")'
    notebook = open_cells(BEGIN.format(latency_s=0), EXPLORE, deactivated)
    notebook.run_all()
    page = notebook.page
    page.get_by_role("button", name="Load").click()
    problem = page.get_by_role("alert").filter(has_text="That did not work")
    expect(problem).to_contain_text("Clopos", timeout=WITHIN_MS)
    expect(page.get_by_role("button", name="Load")).to_be_enabled()


def test_every_control_has_a_name_and_the_keyboard_reaches_it(open_cells):
    notebook = open_cells(BEGIN.format(latency_s=0), EXPLORE)
    notebook.run_all()
    page = notebook.page
    load(page)
    seen = []
    controls = page.locator(".clopos").locator("input, select, button, textarea")
    for control in controls.all():
        if control.is_visible() and control.is_enabled():
            name = control.evaluate(
                "e => e.getAttribute('aria-label') || (e.labels && e.labels[0] && "
                "e.labels[0].innerText) || e.innerText || e.title"
            )
            seen.append((name, control.evaluate("e => e.tabIndex")))
    assert len(seen) > 12
    assert [each for each in seen if not each[0].strip() or each[1] < 0] == [], json.dumps(seen)
    page.get_by_role("button", name="Estimate").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="requests")).to_be_visible(timeout=WITHIN_MS)
