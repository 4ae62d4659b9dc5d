"""Bytes to columns, on both ways: the same frames, and nothing lost."""

from __future__ import annotations

from typing import Any

import msgspec
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clopos_nb.columns import Dtypes
from clopos_nb.decode import Decoding, decode
from clopos_nb.drift import Drift
from clopos_nb.frames import assemble
from clopos_nb.items import Reader, Shape, field_tree, flattened, shape_of, source_of
from clopos_nb.pages import Pages
from clopos_nb.tables import CATALOGUE, Column, Table
from clopos_nb.wire import Answer, read_answer
from tests.leaves import held_leaves, sent_leaves

SOURCES = {source_of(table).name: source_of(table) for table in CATALOGUE.values()}


def tables_of(source: Table) -> tuple[Table, ...]:
    return tuple(table for table in CATALOGUE.values() if source_of(table) == source)


def frames_of(
    shape: Shape, items: list[Any], dtypes: Dtypes
) -> tuple[dict[str, pd.DataFrame], list[tuple]]:
    """Return the frames of one page, and what was noted about it."""
    drift = Drift()
    if shape.table.tree:
        items = list(flattened(items, shape.table.tree))
    pages = decode(Decoding(shape, drift, dtypes), items)
    frames = {name: assemble(CATALOGUE[name], [page], dtypes) for name, page in pages.items()}
    return frames, sorted((entry.table, entry.column, entry.what, entry.count) for entry in drift)


def both_ways(rows: list[dict], shape: Shape, dtypes: Dtypes) -> list[dict[str, pd.DataFrame]]:
    """Return the frames as read from dicts and, where the rows are as documented, from structs."""
    body = msgspec.json.encode({"success": True, "data": rows, "total": len(rows)})
    answer = read_answer(200, body, path=shape.table.path)
    assert isinstance(answer, Answer)
    plain, noted = frames_of(shape, answer.rows(exact=dtypes.exact), dtypes)
    if (envelope := Reader(shape, dtypes.exact).read(body)) is None:
        return [plain]
    typed, noted_too = frames_of(shape, envelope.data, dtypes)
    assert noted_too == noted
    return [plain, typed]


# --------------------------------------------------------------------------- strategies

TEXT = st.text(st.characters(codec="utf-8", exclude_characters='"[{'), max_size=12)
DOCUMENTED: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(-(2**63), 2**63 - 1),
    "number": st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False),
    "money": st.integers(-(10**9), 10**9) | st.decimals(0, 10**6, places=2).map(float),
    "flag": st.booleans() | st.sampled_from([0, 1]),
    "text": TEXT,
    "local": st.datetimes()
    .filter(lambda at: 1900 <= at.year < 2200)
    .map(lambda at: at.isoformat(" ", "seconds")),
    "utc": st.datetimes()
    .filter(lambda at: 1900 <= at.year < 2200)
    .map(lambda at: at.isoformat(timespec="microseconds") + "Z"),
    "ms": st.integers(10**11, 2 * 10**12),
    "date": st.dates().filter(lambda day: 1900 <= day.year < 2200).map(str),
    "json": st.lists(st.integers(0, 9) | TEXT, max_size=2)
    | st.dictionaries(st.sampled_from("ab"), TEXT),
}
TIMES = ("local", "utc", "ms", "date")
ODD = st.sampled_from(["x-7", "12", 7, 0.5, True, "0000-00-00 00:00:00", [], {"new": 1}, [3]])


def rows_of(shape: Shape, odd: bool) -> st.SearchStrategy[dict[str, Any]]:
    """Draw rows of a table with its children inside, a few values of the wrong type among them."""
    given_down = {name for name, _ in shape.table.inherited} | {"line", "path"}
    tree: Any = {k: v for k, v in field_tree(shape.table).items() if k not in given_down}
    below = {tuple(s.split("|")[0] for s in c.table.nested): c for c in shape.children}

    def node(tree: Any, below: Any) -> st.SearchStrategy[dict[str, Any]]:
        inside = {path[0]: {path[1:]: child} for path, child in below.items()}
        fields: dict[str, Any] = {}
        for key, what in {**tree, **dict.fromkeys(inside)}.items():
            deeper = inside.get(key, {})
            if () in deeper and not deeper[()].table.mapped:
                fields[key] = st.lists(rows_of(deeper[()], odd), max_size=2)
            elif () in deeper:
                fields[key] = st.dictionaries(st.sampled_from("123"), st.sampled_from([0, 1]))
            elif isinstance(what, Column):
                if what.kind != "withheld":
                    value = st.none() | DOCUMENTED[what.kind]
                    # A time that cannot be read is empty; that is a test of its own.
                    fields[key] = value | ODD if odd and what.kind not in TIMES else value
            elif what is not None:
                fields[key] = st.none() | node(what, deeper)
        return st.fixed_dictionaries({}, optional=fields)

    return node(tree, below)


BOUNDED = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def held_in_full(rows: list[dict], shape: Shape, dtypes: Dtypes) -> bool:
    """Check that nothing is lost, and that both ways hold the same; tell whether there are two."""
    plain, *typed = both_ways(rows, shape, dtypes)
    assert sent_leaves(rows) <= held_leaves(plain.values())
    for frames in typed:
        for name, frame in frames.items():
            pd.testing.assert_frame_equal(frame, plain[name])
    return bool(typed)


@pytest.mark.parametrize("source", SOURCES)
def test_documented_rows_are_held_in_full_and_alike_on_both_ways(source):
    shape = shape_of(tables_of(SOURCES[source]))

    @BOUNDED
    @given(st.lists(rows_of(shape, odd=False), max_size=4))
    def check(rows: list[dict]) -> None:
        assert held_in_full(rows, shape, Dtypes()) == shape.typed

    check()


TYPED = ["receipts", "receipt_products", "receipt_payments"]  # all receipts tables but the inferred


@pytest.mark.parametrize(
    "names",
    [
        TYPED,
        ["orders", "order_products", "order_modificators"],
        ["products", "modifications", "packages"],
    ],
)
@pytest.mark.parametrize("dtypes", [Dtypes(), Dtypes(money="decimal")], ids=["float", "decimal"])
def test_tables_that_are_read_as_structs_are_the_same_as_those_from_dicts(names, dtypes):
    shape = shape_of(tuple(CATALOGUE[name] for name in names))
    assert shape.typed

    @BOUNDED
    @given(st.lists(rows_of(shape, odd=False), max_size=4))
    def check(rows: list[dict]) -> None:
        assert held_in_full(rows, shape, dtypes)

    check()


@pytest.mark.parametrize("name", ["guests", "total", "discount_value", "lock"])
@pytest.mark.parametrize("number", [2**53 + 1, 2**63 - 1, 2**64 + 1, 2**80 + 1])
def test_numbers_too_large_for_their_column_are_noted_alike_on_both_ways(name, number):
    shape = shape_of(tuple(CATALOGUE[name] for name in TYPED))
    rows = [{"receipt_products": [{"id": 1}], name: number}, {"id": 2}]
    held_in_full(rows, shape, Dtypes())


@pytest.mark.parametrize("source", SOURCES)
def test_rows_of_other_types_are_held_in_full_too(source):
    shape = shape_of(tables_of(SOURCES[source]))

    @BOUNDED
    @given(st.lists(rows_of(shape, odd=True), max_size=4))
    def check(rows: list[dict]) -> None:
        held_in_full(rows, shape, Dtypes())

    check()


@pytest.mark.parametrize("odd", [False, True], ids=["documented", "odd"])
@pytest.mark.parametrize(
    "dtypes",
    [
        Dtypes(backend="pyarrow"),
        Dtypes(money="decimal"),
        Dtypes(backend="pyarrow", money="decimal", timezone="UTC"),
        Dtypes(categorical=True),
    ],
    ids=["pyarrow", "decimal", "pyarrow, decimal, zone", "categorical"],
)
def test_rows_are_held_in_full_in_every_choice_of_dtypes(dtypes, odd):
    shape = shape_of(tables_of(CATALOGUE["receipts"]))

    @BOUNDED
    @given(st.lists(rows_of(shape, odd), max_size=4))
    def check(rows: list[dict]) -> None:
        held_in_full(rows, shape, dtypes)

    check()


# ------------------------------------------------------------------ many pages of structs

KINDS_OF_PAGE = {
    "usual": {"order_status": "NEW", "closed_at": "2026-01-02 03:04:05"},
    "new value": {"order_status": "BEAMED_UP"},
    "no time": {"closed_at": "0000-00-00 00:00:00"},
    "exact": {"total": 2**60 + 1},
    "new field": {"mood": "happy"},
}


@BOUNDED
@given(st.lists(st.sampled_from(list(KINDS_OF_PAGE)), min_size=1, max_size=30), st.integers(1, 90))
def test_pages_of_structs_become_the_same_frames_and_drift_together_as_one_by_one(kinds, size):
    shape = shape_of(tuple(CATALOGUE[name] for name in TYPED))
    reader, apart = Reader(shape), Decoding(shape)
    pages, loose = Pages(Decoding(shape)), []
    for number, kind in enumerate(kinds, start=1):
        rows = [
            {"id": number * 100 + n, "receipt_products": [{"id": n}] * (n % 3)}
            | KINDS_OF_PAGE[kind]
            for n in range(size)
        ]
        body = msgspec.json.encode({"data": rows})
        read = reader.read(body)
        assert (read is None) == (kind == "new field")
        items: list[Any] = rows if read is None else list(read.data)
        pages.append(items, number)
        loose.append(decode(apart, items, number))
    for name in TYPED:
        together = assemble(CATALOGUE[name], pages.take_out(name))
        pd.testing.assert_frame_equal(
            together, assemble(CATALOGUE[name], [page[name] for page in loose if name in page])
        )
    assert list(pages.ask.drift) == list(apart.drift)
