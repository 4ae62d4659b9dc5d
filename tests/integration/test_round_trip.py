"""Whatever the server sends, in whatever shape, is in the frames."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from clopos_nb.items import source_of
from clopos_nb.sandbox import Sandbox
from clopos_nb.tables import CATALOGUE, Table
from tests.leaves import held_leaves, sent_leaves

DAY = "2026-01-09"
SECRET = frozenset({"pin", "card", "barcode"})  # of users: never in a frame
TWICE = frozenset({"receipt_product_modificators"})  # the older name of modificators, same rows
SOURCES = [t.name for t in dict.fromkeys(map(source_of, CATALOGUE.values())) if not t.per]
FIDELITY = [
    "",
    "legacy_fields",
    "empty_maps_as_lists",
    "pagination_everywhere",
    "no_success",
    "flat_recipe",
]
DRIFT = ["unknown_fields", "unknown_enums", "changed_types"]


def children(source: str) -> list[Table]:
    return [table for table in CATALOGUE.values() if source_of(table).name == source]


def sent(session: Any, tables: list[Table]) -> list[dict]:
    """Return all rows of the tables' endpoint as the server sends them, asked for by hand."""
    source = tables[0]
    relations = dict.fromkeys(relation for table in tables for relation in table.relations)
    query: dict[str, Any] = {"limit": source.limit, "with": list(relations)}
    query |= {"date": [DAY, DAY]} if source.dated else {}
    rows: list[dict] = []
    for page in range(1, 50):
        found = session.get(source.path, {**query, "page": page}, venue=1)
        rows += found
        if source.limit is None or not found:
            break
    return rows


def kept(session: Any, source: str) -> Iterator[tuple[dict, dict]]:
    """Read an endpoint by hand and into frames of all its tables."""
    tables = children(source)
    names = [table.name for table in tables]
    days = (DAY,) if tables[0].dated else ()
    of_venue = tables[0].scope == "venue"
    place = session.venue(1) if of_venue else session
    unread = {"users": SECRET, "receipts": TWICE}.get(source, frozenset())
    return sent_leaves(sent(session, tables), unread), held_leaves(
        place.frames(names, *days, progress=False).values()
    )


@pytest.fixture(scope="module")
def spoken(brand) -> Iterator[Sandbox]:
    """Serve the brand in every shape, one after the other."""
    with Sandbox(brand=brand, window_s=0.001) as sandbox:
        yield sandbox


@pytest.mark.parametrize("switch", FIDELITY)
@pytest.mark.parametrize("source", SOURCES)
def test_every_value_sent_is_in_the_frames(spoken, open_session, source, switch):
    spoken.fidelity.replace([switch] if switch else [])
    all_sent, all_held = kept(open_session(spoken), source)
    assert len(all_sent) > 0
    assert all_sent <= all_held


@pytest.mark.parametrize("fault", DRIFT)
@pytest.mark.parametrize("source", SOURCES)
def test_every_value_is_in_the_frames_when_the_api_has_changed(spoken, open_session, source, fault):
    spoken.fidelity.replace([])
    session = open_session(spoken)
    session.venues  # noqa: B018  # read before anything has changed
    added = spoken.faults.add(fault)
    try:
        all_sent, all_held = kept(session, source)
    finally:
        spoken.faults.remove(added)
    assert all_sent <= all_held
    if fault == "unknown_fields":
        assert {e.what for e in session.drift} >= {"undocumented"}
