"""A store that cannot be used, or is not this session's: said so, and the numbers are right."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pytest

import clopos_nb
from clopos_nb import ConfigError, StoreError, StoreUnavailable

resource = pytest.importorskip("resource", reason="limits are POSIX")

MONTH = "2026-01"
TABLES = ["receipts", "receipt_products"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture(scope="module")
def filled(sandbox, tmp_path_factory) -> Path:
    """Return a store that holds January, to be copied."""
    folder = tmp_path_factory.mktemp("filled") / "store"
    settings = {"base_url": sandbox.url, "cache_dir": False, **sandbox.credentials}
    with clopos_nb.Session(store=folder, **settings) as session:
        session.frames(TABLES, MONTH, progress=False)
    return folder


@pytest.fixture
def kept(sandbox, open_session, filled, store) -> clopos_nb.Session:
    """Return a session whose store holds January."""
    shutil.copytree(filled, store)
    return open_session(sandbox, store=store)


@pytest.fixture(scope="module")
def there(reader) -> dict[str, pd.DataFrame]:
    return reader.frames(TABLES, MONTH, progress=False)


def same(found: dict[str, pd.DataFrame], there: dict[str, pd.DataFrame]) -> None:
    for name, frame in there.items():
        pd.testing.assert_frame_equal(found[name], frame, check_exact=True)


def data_files(store: Path, table: str) -> list[Path]:
    return sorted((store / table).glob("store_venue=*/*/*.parquet"))


def last_log(store: Path, table: str) -> Path:
    return max((store / table / "_delta_log").glob("*.json"))


# -------------------------------------------------------------------------- broken files


def cut_log(table: str) -> Callable[[Path], object]:
    def cut(store: Path) -> None:
        log = last_log(store, table)
        log.write_bytes(log.read_bytes()[:-40])

    return cut


def garble_data(store: Path) -> None:
    for path in data_files(store, "receipts"):
        path.write_bytes(b"PAR1" + bytes(path.stat().st_size - 8) + b"PAR1")


BROKEN: dict[str, Callable[[Path], object]] = {
    "a cut log of a table": cut_log("receipts"),
    "a cut log of what is held": cut_log("held"),
    "an empty log": lambda store: last_log(store, "receipts").write_bytes(b""),
    "no log": lambda store: shutil.rmtree(store / "receipts" / "_delta_log"),
    "no table": lambda store: shutil.rmtree(store / "receipt_products"),
    "a file that is gone": lambda store: data_files(store, "receipts")[0].unlink(),
    "files of something else": garble_data,
    "an odd state": lambda store: write_state(store, '{"format": 1}'),
    "no state": lambda store: write_state(store, "[]"),
}


def write_state(store: Path, text: str) -> None:
    from deltalake import write_deltalake

    rows = pa.table({"state": pa.array([text], pa.large_string())})
    write_deltalake(store / "held", rows, mode="overwrite")


@pytest.mark.parametrize("what", BROKEN)
def test_damaged_it_is_told_once_and_the_servers_numbers_come(
    sandbox, open_session, kept, store, there, what
):
    BROKEN[what](store)
    session = open_session(sandbox, store=store)
    with pytest.warns(StoreUnavailable, match="delete the directory"):
        found = session.frames(TABLES, MONTH, progress=False)
    same(found, there)
    same(session.frames(TABLES, MONTH, progress=False), there)  # a second warning would be an error


@pytest.mark.parametrize("what", BROKEN)
def test_damaged_and_alone_it_is_an_error(sandbox, open_session, kept, store, what):
    BROKEN[what](store)
    session = open_session(sandbox, store=store)
    with pytest.raises(StoreError, match="delete the directory"):
        session.frames(TABLES, MONTH, venues=1, refresh="never")


def test_what_another_tool_writes_is_not_read_and_is_undone(fresh, open_session, store):
    from deltalake import DeltaTable

    session = open_session(fresh, store=store)
    before = session.frames(TABLES, MONTH, progress=False)
    gone = int(before["receipts"]["id"].iloc[0])
    DeltaTable(store / "receipts").delete(f"id = {gone}")
    same(session.frames(TABLES, MONTH, refresh="never"), before)
    fresh.books.edit_receipt(1, int(before["receipts"]["id"].iloc[1]))
    session.frames(TABLES, MONTH, progress=False)
    assert DeltaTable(store / "receipts").count() == len(before["receipts"])


# -------------------------------------------------------------- places that take no files


@contextlib.contextmanager
def full_disk(most_bytes: int) -> Iterator[None]:
    """Let no file grow beyond so many bytes, as on a disk without room."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1000, 20_000])
def test_without_room_it_is_told_and_what_was_held_stays(
    sandbox, open_session, reader, kept, store, there, room
):
    session = open_session(sandbox, store=store, cache_dir=False)
    longer = reader.frames(TABLES, "2026-01-01", "2026-02-03", progress=False)
    with full_disk(room), pytest.warns(StoreUnavailable, match="room"):
        found = session.frames(TABLES, "2026-01-01", "2026-02-03", progress=False)
    same(found, longer)
    same(kept.frames(TABLES, MONTH, refresh="never"), there)
    same(kept.frames(TABLES, "2026-01-01", "2026-02-03", progress=False), longer)


def test_vacuum_makes_room_before_it_needs_any(kept, store, there):
    files = data_files(store, "receipts")
    left = [shutil.copy(path, path.with_name(f"part-dead-{path.name}")) for path in files]
    with full_disk(0), pytest.raises(StoreError, match="room"):
        kept.store.vacuum(keep_days=0)
    assert not any(path.exists() for path in left)
    same(kept.frames(TABLES, MONTH, refresh="never"), there)


@pytest.mark.parametrize("place", ["below a file", "in no file system"])
def test_a_directory_that_cannot_be_made_is_told(sandbox, open_session, tmp_path, there, place):
    (tmp_path / "file").write_text("a file")
    path = tmp_path / "file" / "store" if place == "below a file" else Path("/proc/no/store")
    session = open_session(sandbox, store=path)
    with pytest.warns(StoreUnavailable):
        same(session.frames(TABLES, MONTH, progress=False), there)


def test_a_read_only_store_is_read_and_a_write_told(fresh, open_session, store):
    session = open_session(fresh, store=store)
    kept = session.frame("receipts", MONTH, progress=False)
    for path in [store, *store.rglob("*")]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    if os.access(store, os.W_OK):
        pytest.skip("this user may write anywhere")
    again = session.frame("receipts", MONTH, progress=False)
    assert again.attrs["clopos"]["source"] == "store"
    fresh.books.delete_receipt(1, int(kept["id"].iloc[0]))
    with pytest.warns(StoreUnavailable):
        assert len(session.frame("receipts", MONTH, progress=False)) == len(kept) - 1
    for path in [store, *store.rglob("*")]:
        path.chmod(0o700)


# ------------------------------------------------------------------------- whose store it is


def test_a_directory_with_other_files_is_refused_and_left_alone(sandbox, open_session, store):
    store.mkdir()
    (store / "accounts.xlsx").write_text("somebody's")
    session = open_session(sandbox, store=store)
    for refresh in ("auto", "never"):
        with pytest.raises(ConfigError, match="holds other files"):
            session.frame("receipts", MONTH, progress=False, refresh=refresh)
    assert [path.name for path in store.iterdir()] == ["accounts.xlsx"]


def test_another_brands_store_is_refused(kept, faulty, open_session, store):
    theirs = {**faulty.credentials, "brand": "another"}
    session = clopos_nb.Session(base_url=faulty.url, store=store, **theirs)
    with session, pytest.raises(ConfigError, match="holds the brand 'narbag'"):
        session.frame("receipts", MONTH)


@pytest.mark.parametrize(("made", "do"), [(99, "update clopos_nb"), (0, "delete it")])
def test_a_store_of_another_format_says_what_to_do(kept, store, made, do):
    state = kept.store._lake.snapshot().state
    state.format = made
    write_state(store, msgspec.json.encode(state).decode())
    with pytest.raises(ConfigError, match=do):
        kept.frame("receipts", MONTH, progress=False)


@pytest.mark.parametrize("name", ["a%20b", "50%25"])
def test_a_path_that_deltalake_would_read_as_another_is_refused(
    sandbox, open_session, tmp_path, name
):
    with pytest.raises(ConfigError, match="name a place without"):
        open_session(sandbox, store=tmp_path / name / "store")


@pytest.mark.parametrize("name", ["a b", "Çay dəsgahı", "100% #1 ?*'"])
def test_a_path_may_be_written_in_any_other_way(sandbox, open_session, tmp_path, there, name):
    store = tmp_path / name
    session = open_session(sandbox, store=store)
    session.frames(TABLES, MONTH, progress=False)
    found = session.frames(TABLES, MONTH, progress=False)
    same(found, there)
    assert found["receipts"].attrs["clopos"]["source"] == "store"
    assert data_files(store, "receipts")


def test_a_store_may_be_named_from_home(sandbox, open_session, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_session(sandbox, store="~/kept").store.root == tmp_path / "kept"


def test_without_the_package_it_says_which_extra(sandbox, open_session, store, monkeypatch):
    for name in ("deltalake", "deltalake.exceptions"):
        monkeypatch.setitem(sys.modules, name, None)
    session = open_session(sandbox, store=store)
    with pytest.raises(ConfigError, match=r"clopos_nb\[store\]"):
        session.frame("receipts", MONTH, progress=False)


# ------------------------------------------------------------------- what the server adds


def listing(rows: list[dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def answer(request: Any) -> dict[str, Any]:
        first, last = (request.args.get(f"date[{n}]", "2026") for n in (0, 1))
        found = [row for row in rows if first <= row["created_at"][: len(last)] <= last]
        found.sort(key=lambda row: row["updated_at"], reverse=request.args["sort[1]"] == "-1")
        return {"success": True, "data": found, "total": len(found)}

    return answer


def test_new_fields_and_wider_values_become_columns_and_change_no_other_row(
    faulty, open_session, store
):
    def receipt(id: int, day: str, **more: Any) -> dict[str, Any]:
        times = {"created_at": f"{day} 12:00:00", "updated_at": f"{day} 12:05:00"}
        return {"id": id, "venue_id": 1, "guests": id, "total": 1.5, **times, **more}

    rows = [receipt(1, "2026-01-02"), receipt(2, "2026-01-03")]
    faulty.on("/receipts", listing(rows))
    venue = open_session(faulty, store=store).venue(1)
    before = venue.frame("receipts", MONTH)
    rows += [receipt(3, "2026-02-04", guests="many", total="1.0000001", mood="HAPPY")]
    february = venue.frame("receipts", "2026-02")
    plain = open_session(faulty).venue(1).frame("receipts", "2026-02")
    pd.testing.assert_frame_equal(february, plain)
    assert february["guests"].tolist() == ["many"]
    again = venue.frame("receipts", MONTH)
    assert again["mood"].isna().all()
    pd.testing.assert_frame_equal(again.drop(columns="mood"), before)
