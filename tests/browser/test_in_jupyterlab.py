"""What somebody sees who opens the tutorials in JupyterLab and runs all cells."""

from __future__ import annotations

from driving import contrast
from playwright.sync_api import expect


def test_the_quickstart_shows_tables_and_a_chart(open_notebook):
    notebook = open_notebook("01_quickstart.ipynb")
    notebook.run_all()
    notebook.show_whole()
    venues = notebook.output(2).locator("table")
    expect(venues).to_contain_text("Nar Bağı Sahil")
    charts = notebook.outputs.locator("img")
    expect(charts).to_have_count(1)
    assert charts.evaluate("image => image.naturalWidth") > 500
    assert notebook.outputs.locator("table").count() >= 6


def test_tables_are_readable_in_both_themes(open_cells, theme):
    notebook = open_cells(
        "import clopos_nb\nsession = clopos_nb.demo()\nsession",
        "session.venues",
        'session.venue(1).frame("receipts", "2026-01-05")',
        "session.tables",
    )
    notebook.run_all()
    light = notebook.page.locator("body").get_attribute("data-jp-theme-light")
    assert light == ("true" if theme == "light" else "false")
    for number in range(1, 5):
        cell = notebook.output(number).locator("td").first
        assert contrast(cell) >= 4.5, cell.inner_text()
