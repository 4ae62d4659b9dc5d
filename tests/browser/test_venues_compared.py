"""The tutorial on comparing venues: its picker moves its table and its chart."""

from __future__ import annotations

from playwright.sync_api import expect


def test_another_venue_shows_another_table_and_chart(open_notebook):
    notebook = open_notebook("03_compare_venues.ipynb")
    notebook.run_all()
    page = notebook.page
    chart = notebook.outputs.locator(".widget-html img")
    before = chart.get_attribute("src")
    picker = notebook.outputs.locator(".widget-dropdown").filter(has_text="Venue").last
    picker.locator("select").select_option(label="Nar Bağı Sahil")
    expect(chart).to_have_attribute(
        "alt", "Revenue of Nar Bağı Sahil by hour and weekday", timeout=30_000
    )
    assert chart.get_attribute("src") != before
    table = page.locator(".widget-html", has=page.locator("img")).locator("table")
    expect(table).to_contain_text("Nar Bağı Sahil")
    notebook.show_whole()
