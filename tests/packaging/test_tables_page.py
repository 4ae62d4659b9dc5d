"""Pages that are made from code are what the code makes now."""

from __future__ import annotations

from pathlib import Path

from clopos_nb.tables import markdown

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_tables_is_what_the_catalogue_makes():
    assert (DOCS / "tables.md").read_text() == markdown.page(), "run: make docs"
