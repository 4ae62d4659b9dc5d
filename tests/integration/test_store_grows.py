"""A store whose columns are not those it began with: the API grew, or sends another type."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import clopos_nb

FAMILY = ["receipts", "receipt_products", "receipt_modificators", "receipt_payments"]
BEFORE, AFTER = ("2026-01-02", "2026-01-06"), ("2026-01-26", "2026-02-01")


@pytest.fixture
def kept(fresh: Any, open_session: Any, tmp_path: Path) -> clopos_nb.Session:
    return open_session(fresh, store=tmp_path / "store")


@pytest.fixture
def plain(fresh: Any, open_session: Any) -> clopos_nb.Session:
    return open_session(fresh)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def read(session: clopos_nb.Session, days: tuple[str, str], **how: Any) -> dict[str, pd.DataFrame]:
    return session.frames(FAMILY, *days, venues=[1, 3], progress=False, **how)


def test_fields_that_are_new_are_columns_that_are_empty_before(fresh, kept, plain):
    old = read(kept, BEFORE)
    fresh.faults.add("unknown_fields", path="/receipts")
    there = read(plain, AFTER)
    for name, frame in read(kept, AFTER).items():
        same(frame, there[name])
    for name, frame in read(kept, BEFORE, refresh="never").items():
        new = [column for column in frame if column not in old[name]]
        assert new == [c for c in there[name] if c not in old[name]]
        assert frame[new].isna().all(axis=None)
        same(frame.drop(columns=new), old[name])


def test_a_field_that_is_gone_again_stays_for_the_rows_that_had_it(fresh, kept):
    fresh.faults.add("unknown_fields", path="/receipts")
    old = read(kept, BEFORE)
    fresh.faults.clear()
    read(kept, AFTER)
    for name, frame in read(kept, BEFORE, refresh="never").items():
        same(frame, old[name])


@pytest.mark.parametrize(
    ("field", "sent"),
    [("guests", 1.5), ("guests", "many"), ("total", "free"), ("lock", 7), ("customer_id", "x")],
)
def test_another_type_widens_a_column_and_every_value_stays(
    faulty, envelope, reader, open_session, tmp_path, field, sent
):
    old, new = ([*reader.venue(1).rows("receipts", *days)] for days in (BEFORE, AFTER))
    new[3] |= {field: sent}
    kept = open_session(faulty, store=tmp_path / "store")
    faulty.on("/receipts", envelope(*old))
    before = kept.venue(1).frame("receipts", *BEFORE)
    faulty.on("/receipts", envelope(*new))
    there = open_session(faulty).venue(1).frame("receipts", *AFTER)
    found = kept.venue(1).frame("receipts", *AFTER)
    assert found[field].dtype == there[field].dtype != before[field].dtype
    same(found, there)
    offline = kept.venue(1).frame("receipts", *BEFORE, refresh="never")
    same(offline, before)


def as_text(values: pd.Series) -> list[str]:
    """Return values as they are when flags became numbers, or numbers became text."""
    spelt = {"True": "1", "False": "0", "<NA>": "", "nan": ""}
    return [spelt.get(text, text) for text in values.astype(str).str.removesuffix(".0")]


def test_a_flag_that_became_a_number_and_then_text_is_all_of_them(
    faulty, envelope, open_session, tmp_path
):
    session = open_session(faulty, store=tmp_path / "store")
    for month, sent in (("2026-01", True), ("2026-02", 2), ("2026-03", 2.5), ("2026-04", "much")):
        row = {"id": int(month[-2:]), "venue_id": 1, "created_at": f"{month}-05 10:00:00"}
        row |= {"updated_at": f"{month}-05 10:00:00", "lock": sent, "total": 1}
        faulty.on("/receipts", envelope(row))
        session.venue(1).frame("receipts", month)
    found = session.venue(1).frame("receipts", "2026-01", "2026-04", refresh="never")
    assert found["id"].tolist() == [1, 2, 3, 4]
    assert as_text(found["lock"]) == ["1", "2", "2.5", "much"]
    assert found["total"].tolist() == [1.0] * 4


def test_an_old_version_keeps_its_own_columns(fresh, kept):
    old = read(kept, BEFORE)
    fresh.faults.add("unknown_fields", path="/receipts")
    read(kept, AFTER)
    version = old["receipts"].attrs["clopos"]["store_version"]
    for name, frame in read(kept, BEFORE, as_of=version).items():
        same(frame, old[name])


def test_a_customer_whose_id_became_text_is_forgotten_too(faulty, envelope, open_session, tmp_path):
    day = {"venue_id": 1, "created_at": "2026-01-05 10:00:00", "updated_at": "2026-01-05 10:00:00"}
    ids = [310, "guest", 311]
    rows = [{"id": n, "customer_id": id, "address": "here", **day} for n, id in enumerate(ids)]
    faulty.on("/receipts", envelope(*rows))
    venue = (kept := open_session(faulty, store=tmp_path / "store")).venue(1)
    assert venue.frame("receipts", "2026-01-05")["customer_id"].tolist() == ["310", "guest", "311"]
    assert kept.store.forget(310) == {"receipts": 1}
    found = venue.frame("receipts", "2026-01-05", refresh="never")
    assert found["address"].isna().tolist() == [True, False, False]
