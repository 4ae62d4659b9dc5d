"""Pages that are made from code are what the code makes now."""

from __future__ import annotations

from pathlib import Path

from clopos_nb.tables import markdown
from tests.faults import page

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_of_tables_is_what_the_catalogue_makes():
    assert (DOCS / "tables.md").read_text() == markdown.page(), "run: make docs"


def test_the_page_of_reliability_is_what_the_table_of_faults_makes():
    assert (DOCS / "reliability.md").read_text() == page.page(), "run: make docs"
