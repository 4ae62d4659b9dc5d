"""The catalogue against the documented facts: every field has a place, every example its dtype."""

from __future__ import annotations

from typing import Any

import msgspec
import pandas as pd
import pytest

from clopos_nb.decode import Decoding, decode
from clopos_nb.drift import Drift
from clopos_nb.frames import assemble
from clopos_nb.items import Reader, flattened, shape_of, source_of
from clopos_nb.sandbox.facts import facts
from clopos_nb.tables import CATALOGUE, Table
from clopos_nb.wire import Answer, read_answer

RESOURCES = [name for name in facts() if name not in ("auth", "media")]
CHILDREN = [table for table in CATALOGUE.values() if table.parent]


def example(fields: dict[str, Any], *, legacy: bool, depth: int = 0) -> dict[str, Any]:
    """Return a row of documented examples: null where there is none, relations included."""
    return {
        name: _value(fact, legacy=legacy, depth=depth)
        for name, fact in fields.items()
        if legacy or not fact.get("legacy")
    }


def _value(fact: dict[str, Any], *, legacy: bool, depth: int) -> Any:
    if "example" in fact:
        return fact["example"]
    inner = fact.get("fields") or (depth < 2 and facts().get(fact.get("extends", "")))
    if fact["type"] == "array":
        items = fact.get("items") or ({"type": "object", "fields": inner} if inner else None)
        known = (
            items
            and items["type"] == "object"
            and (items.get("fields") or inner or items.get("extends"))
        )
        return [_value(items, legacy=legacy, depth=depth + 1)] if known else []
    if fact["type"] == "object" and inner:
        return example(inner, legacy=legacy, depth=depth + 1)
    return None


def read(tables: tuple[Table, ...], row: dict[str, Any], *, typed: bool) -> tuple[dict, Drift]:
    """Decode one row, as a struct or as a dict."""
    shape, drift = shape_of(tables), Drift()
    body = msgspec.json.encode({"data": [row]})
    if typed:
        envelope = Reader(shape).read(body)
        assert envelope is not None, "not as documented"
        items: Any = envelope.data
    else:
        answer = read_answer(200, body, path=tables[0].path)
        assert isinstance(answer, Answer)
        items = answer.rows()
        items = list(flattened(items, shape.table.tree)) if shape.table.tree else items
    pages = decode(Decoding(shape, drift), items)
    return {name: assemble(CATALOGUE[name], [page]) for name, page in pages.items()}, drift


@pytest.mark.parametrize("legacy", [False, True], ids=["newest", "legacy"])
@pytest.mark.parametrize("resource", RESOURCES)
def test_documented_examples_have_their_declared_dtypes_and_nothing_is_drift(resource, legacy):
    tables = tuple(t for t in CATALOGUE.values() if source_of(t).name == resource)
    row = example(facts()[resource], legacy=legacy)
    plain, drift = read(tables, row, typed=False)
    assert list(drift) == []
    for name, frame in plain.items():
        declared = {column.name: column.dtype for column in CATALOGUE[name].fields}
        found = {column: str(dtype) for column, dtype in frame.dtypes.items()}
        known = {column: dtype for column, dtype in found.items() if column in declared}
        assert known == {column: declared[column] for column in known}
        if not CATALOGUE[name].inferred:
            assert known == found


@pytest.mark.parametrize("resource", RESOURCES)
def test_documented_examples_need_no_generic_way(resource):
    tables = tuple(t for t in CATALOGUE.values() if source_of(t).name == resource)
    documented = tuple(t for t in tables if shape_of((t,)).typed)
    row = example(facts()[resource], legacy=False)
    typed, drift = read(documented, row, typed=True) if documented else ({}, Drift())
    assert list(drift) == []
    for name, frame in typed.items():
        plain, _ = read(documented, row, typed=False)
        pd.testing.assert_frame_equal(frame, plain[name])
    assert documented or CATALOGUE[resource].tree


@pytest.mark.parametrize("table", CHILDREN, ids=[table.name for table in CHILDREN])
def test_a_child_table_is_linked_to_its_parent(table):
    parent = CATALOGUE[table.parent]
    assert table.path == parent.path
    keys = {source for _, source in table.inherited}
    assert keys & {*parent.key, "id", "line"}
    assert keys <= {*parent.by_name, "line"}
    assert {name for name, _ in table.inherited} <= set(table.by_name)
    assert set(table.key) <= set(table.by_name) | {"venue_id"}


@pytest.mark.parametrize("table", CATALOGUE.values(), ids=list(CATALOGUE))
def test_a_table_shows_what_it_is(table):
    page, text = table._repr_html_(), repr(table)
    assert table.path in page
    assert all(column.name in page for column in table.shown)
    assert text.startswith(f"Table({table.name!r}")
    assert list(table.columns["column"]) == [column.name for column in table.shown]
    assert all(table.meaning for table in CATALOGUE.values())
