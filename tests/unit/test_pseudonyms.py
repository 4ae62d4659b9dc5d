"""A pseudonym is the same wherever a value is, by a key that shows itself nowhere."""

from __future__ import annotations

import datetime as dt
import os
import pickle
import stat
import threading
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clopos_nb import ConfigError
from clopos_nb.privacy import Privacy, personal_columns
from clopos_nb.pseudonyms import KEY_BYTES, Pseudonyms
from clopos_nb.tables import CATALOGUE
from clopos_nb.tables.catalogue import undocumented


def names(pseudonyms: Pseudonyms, *values: object) -> list[str | None]:
    return pseudonyms.of(pa.chunked_array([pa.array(values)])).to_pylist()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / "project" / "pseudonyms.key"


# ------------------------------------------------------------------------------- the names


@given(st.lists(st.none() | st.text(alphabet=st.characters(codec="utf-8")), min_size=1))
def test_equal_values_have_one_name_and_others_another(values):
    found = pseudonymous(values)
    for value, name in zip(values, found, strict=True):
        assert (name is None) == (value is None)
        if value is not None and value.strip() not in ("", "[]", "{}", "null"):
            assert name.startswith("p_")
            assert name != value


def pseudonymous(values: list[str | None]) -> list[str | None]:
    array = pa.chunked_array([pa.array(values, pa.large_string())])
    return Pseudonyms(None).of(array).to_pylist()


@pytest.mark.parametrize(
    "spelt",
    ["994500000001", "+994 50 000 00 01", "+994 (50) 000-00-01", 994500000001, 994500000001.0],
    ids=str,
)
def test_a_phone_has_one_name_however_it_is_spelt(key, spelt):
    (one,) = names(Pseudonyms(key), "+994500000001")
    assert names(Pseudonyms(key), spelt) == [one]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (5, "5"),
        (5.0, "5"),
        (Decimal("12.5000"), 12.5),
        (True, "true"),
        (dt.datetime(1990, 5, 15), "1990-05-15"),
    ],
    ids=str,
)
def test_a_value_has_one_name_whatever_its_type(key, one, other):
    assert names(Pseudonyms(key), one) == names(Pseudonyms(key), other)


def test_names_that_differ_in_a_letter_stay_apart(key):
    found = names(Pseudonyms(key), "Aygun", "aygun", "Aygun ", "CUST001", "CUST1", "001", "1")
    assert len(set(found)) == len(found)


def test_what_names_nobody_stays(key):
    assert names(Pseudonyms(key), "", "[]", "{}", None) == ["", "[]", "{}", None]


# --------------------------------------------------------------------------------- the key


def test_the_same_file_gives_the_same_names_and_another_one_others(key, tmp_path):
    (first,), (again,) = names(Pseudonyms(key), "Aygun"), names(Pseudonyms(key), "Aygun")
    (other,) = names(Pseudonyms(tmp_path / "other.key"), "Aygun")
    assert first == again != other


def test_no_file_is_made_before_a_name_is_needed(key):
    pseudonyms = Pseudonyms(key)
    assert not key.exists()
    names(pseudonyms, "Aygun")
    assert key.stat().st_size == KEY_BYTES
    assert [each.name for each in key.parent.iterdir()] == [key.name]


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_the_key_is_its_owners_alone_whatever_the_umask(key):
    previous = os.umask(0)
    try:
        names(Pseudonyms(key), "Aygun")
    finally:
        os.umask(previous)
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_sessions_that_begin_together_use_one_key(key):
    together, found = threading.Barrier(8), []

    def name() -> None:
        together.wait()
        found.extend(names(Pseudonyms(key), "Aygun"))

    threads = [threading.Thread(target=name) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_file_that_is_no_key_is_refused_and_kept(key, content):
    key.parent.mkdir()
    key.write_bytes(content)
    with pytest.raises(ConfigError, match="is no key of pseudonyms") as caught:
        names(Pseudonyms(key), "Aygun")
    assert "CLOPOS_NB_PSEUDONYM_KEY" in str(caught.value)
    assert key.read_bytes() == content


def test_a_key_that_cannot_be_made_is_an_error_that_says_where(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"file.*name another file"):
        names(Pseudonyms(tmp_path / "file" / "pseudonyms.key"), "Aygun")


def test_nothing_of_the_key_is_in_what_an_object_shows(key):
    pseudonyms = Pseudonyms(key)
    names(pseudonyms, "Aygun")
    privacy = Privacy("hash", pseudonyms)
    shown = f"{pseudonyms!r} {vars(pseudonyms)} {privacy!r} {vars(privacy)}".encode()
    secret = key.read_bytes()
    assert secret not in shown
    assert repr(secret).encode() not in shown
    assert secret.hex().encode() not in shown
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(pseudonyms)


# ----------------------------------------------------------------------------- which columns


def test_a_documented_table_hides_what_no_page_names():
    rows = pa.table({"id": [1], "total": [2.5], "loyalty_phone": [5], "venue_id": [1]})
    assert personal_columns(CATALOGUE["receipts"], rows) == ["loyalty_phone"]


def test_a_table_without_documentation_keeps_its_figures():
    rows = pa.table(
        {
            "id": [10_000_001],
            "supplier_id": [10_000_001],
            "quantity": [120],
            "cost": [12_345_678.5],
            "active": [True],
            "at": pa.array(["2026-01-05 10:00:00"], pa.large_string()),
            "phone": [994500000001],
            "supplier": pa.array(["Aygun"], pa.large_string()),
            "birthday": pa.array(["1990-05-15"], pa.large_string()),
        }
    )
    found = personal_columns(undocumented("/suppliers"), rows)
    assert found == ["phone", "supplier", "birthday"]
