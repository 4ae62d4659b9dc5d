"""The catalogue against the documented facts: every field has a place, every example its dtype."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
SOURCES = [table for table in CATALOGUE.values() if not table.parent]
AMOUNT = re.compile(r"(price|cost|amount|fee|tax|salary|spent|total|total_(cost|discount))$", re.I)
COUNTED = re.compile(r"(_id|_rate|^rate|(^|_)count|quantity|weight|_size|status|limit|position)$")
CONTACT = re.compile(r"(e?mail|phones?|mobile_number|address\w*|date_of_birth|(first|last)_name)$")
FREE = re.compile(
    r"(comment|description|note|\w*_message|reference_id|meta|properties|balance|customer)$"
)


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


def place(table: Table) -> list[str]:
    """Return where a table's rows are: the resource, then the fields down to them."""
    steps = [step.split("|")[0] for step in table.nested]
    return [*place(CATALOGUE[table.parent]), *steps] if table.parent else [table.name]


def enumerated(fields: dict[str, Any], at: str) -> Iterator[tuple[str, list[Any]]]:
    """Yield every documented field with a closed list of values, at whatever depth."""
    for name, fact in fields.items():
        if "enum" in fact:
            yield f"{at}.{name}", fact["enum"]
        inner = fact.get("fields") or fact.get("items", {}).get("fields") or {}
        yield from enumerated(inner, f"{at}.{name}")


ENUMERATED = dict(e for name in RESOURCES for e in enumerated(facts()[name], name))


@pytest.mark.parametrize("field", ENUMERATED)
def test_a_documented_enumeration_is_what_its_column_knows(field):
    found = {".".join([*place(t), *c.path]): c for t in CATALOGUE.values() for c in t.fields}
    column = found[field]
    if column.kind == "flag":
        assert ENUMERATED[field] == [0, 1]
    else:
        assert sorted(column.known) == sorted(map(str, ENUMERATED[field]))


@pytest.mark.parametrize("table", CATALOGUE.values(), ids=list(CATALOGUE))
def test_amounts_are_money_and_other_numbers_are_not(table):
    numbers = [c for c in table.fields if c.kind in ("int", "number", "money")]
    amounts = {c.name for c in numbers if AMOUNT.search(c.path[-1])}
    counted = {c.name for c in numbers if COUNTED.search(c.path[-1])}
    money = {c.name for c in numbers if c.kind == "money"}
    assert amounts - money == set()
    assert counted & money == set()


@pytest.mark.parametrize("name", ["users", "customers", "orders", "receipts"])
def test_contacts_of_people_are_personal(name):
    contacts = [c for c in CATALOGUE[name].fields if CONTACT.search(c.path[-1])]
    assert contacts
    assert [c.name for c in contacts if not c.personal] == []


@pytest.mark.parametrize("name", ["users", "customers", "orders", "receipts"])
def test_what_people_write_and_what_may_hold_anything_is_personal(name):
    free = [c for c in CATALOGUE[name].fields if FREE.search(c.path[-1])]
    assert free
    assert [c.name for c in free if not c.personal] == []


@pytest.mark.parametrize("table", SOURCES, ids=[table.name for table in SOURCES])
def test_what_is_no_field_of_a_row_only_the_server_can_filter_by(table):
    asked = table.filterable - set(table.server_filters)
    assert asked <= {c.path[0] for c in table.fields}
    assert all(name in table.facts["filters, checked again here"] for name in asked)
    assert all(name in table._repr_html_() for name in table.server_filters)


@pytest.mark.parametrize("table", CHILDREN, ids=[table.name for table in CHILDREN])
def test_a_child_table_is_asked_for_as_its_parent(table):
    parent = CATALOGUE[table.parent]
    for what in ("path", "limit", "dated", "sort", "sorts", "scope"):
        assert getattr(table, what) == getattr(parent, what), what
    assert table.facts["filters"] == f"those of {parent.name}"


@pytest.mark.parametrize("table", CHILDREN, ids=[table.name for table in CHILDREN])
def test_a_child_table_is_linked_to_its_parent(table):
    parent = CATALOGUE[table.parent]
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
