"""Personal columns are kept, pseudonyms or absent, in every frame however it is asked for."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

import clopos_nb
from clopos_nb import ConfigError
from clopos_nb.cli import main
from clopos_nb.tables import CATALOGUE

DAYS = ("2026-01-05", "2026-01-06")
PEOPLE = {"customers": (), "users": (), "orders": DAYS, "receipts": DAYS}


def personal_of(table: str, frame: pd.DataFrame) -> list[str]:
    return [c.name for c in CATALOGUE[table].shown if c.personal and c.name in frame]


def values_of(frame: pd.DataFrame, names: list[str]) -> set[str]:
    """Return the texts of some columns that could name somebody."""
    found = {str(value) for name in names for value in frame[name].dropna()}
    return {value for value in found if len(value) > 4}


@pytest.fixture
def named(sandbox, open_session) -> clopos_nb.Session:
    """Return a session with a key in a file."""
    return open_session(sandbox, cache_dir=False)


@pytest.mark.parametrize("backend", ["numpy_nullable", "pyarrow"])
@pytest.mark.parametrize("table", PEOPLE)
def test_hash_leaves_no_personal_value_and_every_other_one(named, table, backend):
    options = {"dtype_backend": backend, "progress": False}
    kept = named.frame(table, *PEOPLE[table], **options)
    hashed = named.frame(table, *PEOPLE[table], personal="hash", **options)
    personal = personal_of(table, kept)
    assert personal
    assert list(hashed.columns) == list(kept.columns)
    pd.testing.assert_frame_equal(hashed.drop(columns=personal), kept.drop(columns=personal))
    text = pd.ArrowDtype(pa.large_string()) if backend == "pyarrow" else pd.StringDtype("pyarrow")
    assert {hashed[name].dtype for name in personal} == {text}
    assert hashed[personal].isna().equals(kept[personal].isna())
    shown = hashed.to_csv()
    assert [value for value in values_of(kept, personal) if value in shown] == []
    facts = {
        "personal": hashed.attrs["clopos"]["personal"],
        "kept": kept.attrs["clopos"]["personal"],
    }
    assert facts == {"personal": "hash", "kept": "keep"}


@pytest.mark.parametrize("table", PEOPLE)
def test_drop_leaves_every_other_column_as_it_is(named, table):
    kept = named.frame(table, *PEOPLE[table], progress=False)
    dropped = named.frame(table, *PEOPLE[table], personal="drop", progress=False)
    pd.testing.assert_frame_equal(dropped, kept.drop(columns=personal_of(table, kept)))
    assert dropped.attrs["clopos"]["personal"] == "drop"


@pytest.mark.parametrize("personal", ["hash", "drop"])
@pytest.mark.parametrize("table", PEOPLE)
def test_no_rows_have_the_same_columns_and_dtypes(
    faulty, visitor, envelope, table, personal, named
):
    faulty.on(CATALOGUE[table].path, envelope())
    with_rows = named.frame(table, *PEOPLE[table], personal=personal, progress=False)
    options = {"venues": [1]} if CATALOGUE[table].scope == "venue" else {}
    empty = visitor.frame(table, *PEOPLE[table], personal=personal, **options)
    assert len(empty) == 0 < len(with_rows)
    pd.testing.assert_series_equal(empty.dtypes, with_rows.dtypes)


def test_a_join_of_pseudonyms_finds_what_a_join_of_the_values_finds(named):
    def joined(personal: str) -> pd.DataFrame:
        frames = named.frames(["orders", "customers"], *DAYS, personal=personal, progress=False)
        there = frames["customers"].dropna(subset="phone")
        return frames["orders"].merge(there, left_on="payload_customer_phone", right_on="phone")

    hashed, kept = joined("hash"), joined("keep")
    assert len(kept) > 10
    assert hashed[["id_x", "id_y"]].equals(kept[["id_x", "id_y"]])


def test_a_category_of_pseudonyms_can_be_asked_for(named):
    options = {"personal": "hash", "categorical": ["gender", "phone"]}
    frame = named.frame("customers", **options)
    plain = named.frame("customers", personal="hash")
    for name in ("gender", "phone"):
        assert isinstance(frame[name].dtype, pd.CategoricalDtype)
        assert frame[name].astype("string").equals(plain[name].astype("string"))


@pytest.mark.parametrize("money", ["float", "decimal"])
def test_a_salary_is_a_pseudonym_too(faulty, visitor, envelope, money):
    faulty.on("/users", envelope({"id": 1, "salary": 1234567.5}, {"id": 2, "salary": None}))
    salaries = visitor.frame("users", personal="hash", money=money)["salary"]
    assert salaries.str.startswith("p_").tolist() == [True, pd.NA]


def test_a_field_that_no_page_names_is_hidden_whatever_is_in_it(faulty, visitor, envelope):
    faulty.on("/customers", envelope({"id": 1, "telegram": "@aygun", "iban": 4444555566667777}))
    assert visitor.frame("customers")["telegram"].tolist() == ["@aygun"]
    hashed = visitor.frame("customers", personal="hash")
    assert "aygun" not in hashed.to_csv()
    assert "4444555566667777" not in hashed.to_csv()
    assert {"telegram", "iban"} & set(visitor.frame("customers", personal="drop")) == set()


def test_a_dropped_column_cannot_be_asked_for_and_no_request_is_made(faulty, visitor):
    with pytest.raises(ConfigError, match=r"customers\.phone is personal, and personal='drop'"):
        visitor.frame("customers", columns=["id", "phone"], personal="drop")
    with pytest.raises(
        ConfigError, match="personal is 'mask'; expected 'keep' or 'hash' or 'drop'"
    ):
        visitor.frame("customers", personal="mask")
    assert faulty.seen == []


def test_a_filter_is_by_the_real_value_and_its_row_comes_back_hidden(named):
    customers = named.frame("customers", progress=False)
    code = customers["code"].dropna().iloc[0]
    found = named.frame("customers", filters={"code": code}, personal="hash")
    assert found["id"].tolist() == customers.loc[customers["code"] == code, "id"].tolist()
    assert code not in found.to_csv()


# ----------------------------------------------------------------------- however it is asked


def test_a_session_says_what_every_call_does_that_does_not(sandbox, open_session):
    session = open_session(sandbox, cache_dir=False, personal="drop")
    venue = session.venue(1)
    frames = [
        session.frame("customers"),
        venue.frame("customers"),
        session.frames["customers"](),
        session.frames(["customers"])["customers"],
        venue.frames(["customers"])["customers"],
    ]
    assert ["phone" in frame for frame in frames] == [False] * 5
    assert "phone" in session.frame("customers", personal="keep")
    with pytest.raises(ConfigError, match=r"rows\(\) gives what was sent"):
        venue.rows("customers")


def test_the_explorer_shows_what_its_session_shows(sandbox, open_session):
    session = open_session(sandbox, cache_dir=False, personal="drop")
    explorer = session.explore("customers")
    explorer.load()
    assert explorer.wait(60)
    assert explorer.problem is None
    assert "phone" not in explorer.frame
    namespace: dict[str, Any] = {"session": session}
    exec(explorer.code, namespace)
    pd.testing.assert_frame_equal(namespace["frame"], explorer.frame)


def test_the_setting_comes_from_the_environment_and_a_wrong_one_is_refused(
    sandbox, open_session, monkeypatch
):
    monkeypatch.setenv("CLOPOS_NB_PERSONAL", "drop")
    assert "phone" not in open_session(sandbox).frame("customers")
    monkeypatch.setenv("CLOPOS_NB_PERSONAL", "no")
    with pytest.raises(ConfigError, match="personal is 'no'"):
        open_session(sandbox)


def test_two_sessions_on_one_key_give_the_same_names(sandbox, open_session, tmp_path):
    def names(**settings: Any) -> pd.Series:
        session = open_session(sandbox, cache_dir=False, **settings)
        return session.frame("customers", personal="hash")["phone"]

    first, other = names(), names(pseudonym_key=tmp_path / "other.key")
    assert first.equals(names())
    assert set(first.dropna()) & set(other.dropna()) == set()


def test_without_a_place_to_write_names_are_of_the_session(sandbox, open_session, monkeypatch):
    monkeypatch.delenv("CLOPOS_NB_PSEUDONYM_KEY")
    session = open_session(sandbox, cache_dir=False)
    frames = [session.frame("customers", personal="hash") for _ in range(2)]
    assert frames[0].equals(frames[1])
    other = open_session(sandbox, cache_dir=False).frame("customers", personal="hash")
    assert set(frames[0]["name"]) & set(other["name"]) == set()


def test_a_store_keeps_the_real_values_and_hides_them_in_what_it_gives(
    named, sandbox, open_session, tmp_path
):
    pytest.importorskip("deltalake")
    stored = open_session(sandbox, cache_dir=False, store=tmp_path / "store")
    expected = named.frame("orders", *DAYS, personal="hash", progress=False)
    first = stored.frame("orders", *DAYS, personal="hash", progress=False)
    options = {"personal": "hash", "refresh": "never", "progress": False}
    for found in (first, stored.frame("orders", *DAYS, **options)):
        pd.testing.assert_frame_equal(found[expected.columns], expected)
        assert found.attrs["clopos"]["personal"] == "hash"
    phones = stored.frame("orders", *DAYS, refresh="never")["payload_customer_phone"]
    assert phones.equals(named.frame("orders", *DAYS, progress=False)["payload_customer_phone"])


def test_a_pulled_file_hides_what_it_is_told_to(sandbox, reader, tmp_path, monkeypatch):
    for name, value in {"base_url": sandbox.url, **sandbox.credentials}.items():
        monkeypatch.setenv(f"CLOPOS_{name.upper()}", value)
    path = tmp_path / "customers.csv"
    with contextlib.redirect_stdout(io.StringIO()):
        assert main(["pull", "customers", "--personal", "hash", "--out", str(path)]) == 0
    kept = reader.frame("customers", progress=False)
    shown = path.read_text("utf-8-sig")
    hidden = values_of(kept, personal_of("customers", kept)) - {"LOYALTY"}
    assert [value for value in hidden if value in shown] == []
    assert pd.read_csv(path)["id"].tolist() == kept["id"].tolist()


def test_the_key_is_in_no_traceback_log_or_checkup(
    sandbox, open_session, tmp_path, caplog, verbose
):
    caplog.set_level("DEBUG")
    key = Path(tmp_path / "pseudonyms.key")
    session = open_session(sandbox, pseudonym_key=key)
    session.frame("customers", personal="hash")
    told = [str(session.doctor()), repr(vars(session._reads)), caplog.text]
    with pytest.raises(ConfigError) as caught:
        session.frame("customers", columns=["none"], personal="hash")
    told.append(verbose(caught))
    key.write_bytes(key.read_bytes()[:16])
    with pytest.raises(ConfigError) as caught:
        open_session(sandbox, pseudonym_key=key).frame("customers", personal="hash")
    told.append(verbose(caught))
    secret = key.read_bytes()
    marks = (repr(secret)[2:-1], secret.hex())
    assert [text for text in told if any(mark in text for mark in marks)] == []
