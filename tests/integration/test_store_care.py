"""Looking after a store: what is in it, its old versions, who is forgotten, what it refuses."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable

import clopos_nb
from clopos_nb import ConfigError, StoreError

MONTH = "2026-01"
FAMILY = ["receipts", "receipt_products", "receipt_payments"]
DATA = Path(__file__).parent / "data"

Keep = Callable[..., clopos_nb.Session]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def keep(place: Path, open_session: Any) -> Keep:
    """Return a function that opens a session with a store, the same one each time."""

    def open_(server: Any, **settings: Any) -> clopos_nb.Session:
        return open_session(server, store=place, **settings)

    return open_


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def parquet(place: Path) -> set[Path]:
    return set(place.rglob("*.parquet"))


def values(place: Path) -> Iterator[str]:
    """Yield every value in every Parquet file on disk, and every other file's whole text."""
    for path in place.rglob("*"):
        if path.suffix == ".parquet":
            for column in pq.ParquetFile(path).read().columns:
                yield from map(str, column.unique().to_pylist())
        elif path.is_file():
            yield path.read_bytes().decode(errors="replace")


def on_disk(place: Path, *texts: str) -> list[str]:
    """Return those of the texts that are anywhere in a store."""
    whole = "\n".join(values(place))
    return [text for text in texts if text in whole]


# --------------------------------------------------------------------------------- info


def test_it_says_what_is_held_of_each_venue_without_asking_the_server(fresh, keep, place):
    session = keep(fresh)
    kept = session.frames(FAMILY, "2026-01-05", "2026-01-09", venues=[1, 3], progress=False)
    session.venue(1).frame("receipts", "2026-01-20", progress=False)
    session.frame("sale_types")
    asked = len(fresh.requests)
    held = session.store.info()
    assert len(fresh.requests) == asked
    lines = held[held["table"] == "receipt_products"].set_index("venue_id")
    assert lines["days"].to_dict() == {1: 6, 3: 5}
    assert lines["rows"].sum() >= len(kept["receipt_products"])
    receipts = held[held["table"] == "receipts"].set_index("venue_id")
    assert receipts.loc[1, "first"] == pd.Timestamp("2026-01-05")
    assert receipts.loc[1, "last"] == pd.Timestamp("2026-01-20")
    assert receipts.loc[1, "venue"] == session.venue(1).name
    (types,) = held[held["table"] == "sale_types"].to_dict("records")
    assert pd.isna(types["venue_id"])
    assert pd.isna(types["days"])
    assert held.attrs["clopos"]["brand"] == fresh.credentials["brand"]
    on = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    assert held["bytes"].sum() < held.attrs["clopos"]["bytes"] == on


def test_its_rows_are_those_of_the_frames(sandbox, keep):
    session = keep(sandbox)
    kept = session.frames([*FAMILY, "orders"], MONTH, progress=False)
    kept["customers"] = session.frame("customers")
    counted = session.store.info().groupby("table")["rows"].sum().to_dict()
    assert counted == {name: len(frame) for name, frame in kept.items()}


def test_of_nothing_there_are_the_same_columns(sandbox, keep):
    session = keep(sandbox)
    empty = session.store.info()
    assert len(empty) == len(session.store.versions()) == 0
    session.frame("sale_types")
    assert empty.dtypes.to_dict() == session.store.info().dtypes.to_dict()
    assert session.store.vacuum(0) == session.store.vacuum(0) == 0


# -------------------------------------------------------------------------- old versions


def edited(server: Any, session: clopos_nb.Session, frame: pd.DataFrame) -> pd.DataFrame:
    for id in frame["id"][:3]:
        server.books.edit_receipt(1, int(id))
    return session.venue(1).frame("receipts", MONTH, progress=False)


def test_a_report_is_reproduced_as_of_the_version_in_its_certificate(fresh, keep):
    session = keep(fresh)
    before = session.venue(1).frame("receipts", MONTH, progress=False)
    moment = dt.datetime.now(dt.UTC)
    after = edited(fresh, session, before)
    assert not before.equals(after)
    version = before.attrs["clopos"]["store_version"]
    assert version < after.attrs["clopos"]["store_version"]
    asked = len(fresh.requests)
    for as_of in (version, moment, moment.isoformat()):
        again = session.venue(1).frame("receipts", MONTH, as_of=as_of)
        same(again, before)
        assert again.attrs["clopos"]["store_version"] == version
    for period in (moment.date(), "today", f"{moment:%Y-%m}", f"{moment:%Y}"):  # to its end
        same(session.venue(1).frame("receipts", MONTH, as_of=period), after)
    frames = session.frames(["receipts"], MONTH, venues=[1], as_of=version)
    assert frames["receipts"]["total"].tolist() == before["total"].tolist()
    assert len(fresh.requests) == asked
    assert session.store.versions()["version"].tolist()[:2] == [version + 1, version]


@pytest.mark.parametrize("as_of", [99, dt.datetime(2020, 1, 1), "2020-01-01", "2020-02"], ids=str)
def test_a_version_that_there_is_not_is_no_other_one(sandbox, keep, as_of):
    session = keep(sandbox)
    session.frame("sale_types")
    with pytest.raises(StoreError, match=r"no version of .* back to 20"):
        session.frame("sale_types", as_of=as_of)


@pytest.mark.parametrize("as_of", ["someday", "2026-13", "", -1, True, 1.5, float("nan")], ids=str)
def test_what_names_no_version_is_refused(sandbox, keep, as_of):
    with pytest.raises(ConfigError, match="expected a version"):
        keep(sandbox).frame("sale_types", as_of=as_of)


def test_an_old_version_needs_a_store_and_is_not_refreshed(sandbox, open_session, keep):
    with pytest.raises(ConfigError, match="CLOPOS_NB_STORE"):
        open_session(sandbox).frame("sale_types", as_of=0)
    with pytest.raises(ConfigError, match="leave refresh out"):
        keep(sandbox).frame("sale_types", as_of=0, refresh="full")


def test_vacuum_frees_what_no_version_of_those_days_needs(fresh, keep, place):
    session = keep(fresh)
    before = session.venue(1).frame("receipts", MONTH, progress=False)
    after = edited(fresh, session, before)
    version = before.attrs["clopos"]["store_version"]
    assert session.store.vacuum() == 0  # a month is kept
    same(session.venue(1).frame("receipts", MONTH, as_of=version), before)
    files = parquet(place / "receipts")
    assert session.store.vacuum(keep_days=0) > 0
    assert parquet(place / "receipts") < files
    same(session.venue(1).frame("receipts", MONTH, refresh="never"), after)
    with pytest.raises(StoreError, match="vacuum"):
        session.venue(1).frame("receipts", MONTH, as_of=version)
    (left,) = session.store.versions()["version"]
    told = session.venue(1).frame("receipts", MONTH).attrs["clopos"]["store_version"]
    for version in (int(left), told):
        same(session.venue(1).frame("receipts", MONTH, as_of=version), after)
    same(edited(fresh, session, after), keep(fresh).venue(1).frame("receipts", MONTH))


@pytest.mark.parametrize("days", [-1, "7", True, float("nan")], ids=str)
def test_days_to_keep_are_a_number(sandbox, keep, days):
    with pytest.raises(ConfigError, match="keep_days is"):
        keep(sandbox).store.vacuum(days)


def test_vacuum_takes_away_what_a_dead_writer_left(sandbox, keep, place):
    session = keep(sandbox)
    session.frame("receipts", "2026-01-05", progress=False)
    kept = parquet(place) - parquet(place / "held")
    (some, *_) = (path for path in kept if "receipts" in path.parts)
    for left in ("part-99999-dead.parquet", "part-99999-dead.parquet#1"):
        shutil.copy(some, some.with_name(left))
    shutil.copytree(place / "receipts", place / "orders")  # a table that was never committed
    session.store.vacuum(keep_days=0)
    assert parquet(place) - parquet(place / "held") == kept
    assert not (place / "orders").exists()
    assert not list(place.rglob("*#*"))


def test_a_vacuum_that_died_before_it_was_written_down_is_gone_on_from(fresh, keep, place):
    session = keep(fresh)
    kept = session.venue(1).frame("receipts", MONTH, progress=False)
    after = edited(fresh, session, kept)
    table = DeltaTable(place / "receipts")
    assert table.vacuum(0, dry_run=False, enforce_retention_duration=False, full=True)
    same(keep(fresh).venue(1).frame("receipts", MONTH, refresh="never"), after)
    again = edited(fresh, session, after)
    session.store.vacuum(keep_days=0)
    same(keep(fresh).venue(1).frame("receipts", MONTH, refresh="never"), again)


def test_compacting_changes_no_row_and_leaves_one_file_of_log_to_read(fresh, keep, place):
    session = keep(fresh)
    kept = session.venue(1).frame("receipts", MONTH, progress=False)
    for _ in range(3):
        kept = edited(fresh, session, kept)
    session.store.compact()
    same(keep(fresh).venue(1).frame("receipts", MONTH, refresh="never"), kept)
    pointer = json.loads((place / "receipts" / "_delta_log" / "_last_checkpoint").read_text())
    assert pointer["version"] == DeltaTable(place / "receipts").version()


# ------------------------------------------------------------------------ an older package


def test_a_store_that_this_format_began_with_opens_and_goes_on(sandbox, reader, keep, place):
    # Made when format 1 was new: the venues 1 and 2 of this brand, 2026-01-05 to 2026-01-06.
    with zipfile.ZipFile(DATA / "store_format_1.zip") as kept:
        kept.extractall(place)
    session = keep(sandbox)
    days = ("2026-01-05", "2026-01-06")
    offline = session.frame("receipts", *days, venues=[1, 2], refresh="never")
    assert offline.attrs["clopos"]["complete"]
    assert len(offline) > 0
    for name in ("receipts", "receipt_products"):
        found = session.frame(name, *days, progress=False)
        same(found, reader.frame(name, *days, progress=False))


# ---------------------------------------------------------------------------- forgetting


@pytest.fixture
def known(fresh: Any, keep: Keep) -> tuple[clopos_nb.Session, dict[str, Any]]:
    """Return a session that has read all about a customer, twice, and that customer's row."""
    session = keep(fresh)
    session.frames([*FAMILY, "orders", "order_products"], MONTH, progress=False)
    orders = session.frame("orders", MONTH, progress=False)
    customers = session.frame("customers")
    buyer = customers[
        customers["id"].isin(orders["payload_customer_id"]) & customers["phone"].notna()
    ].iloc[0]
    for id in session.frame("receipts", MONTH).query("venue_id == 1")["id"][:2]:
        fresh.books.edit_receipt(1, int(id))
    session.frames([*FAMILY, "orders", "customers"], MONTH, progress=False)
    return session, buyer.to_dict()


def test_a_customer_is_forgotten_in_every_file_there_is(known, place):
    session, buyer = known
    about = [buyer["phone"], buyer["name"], buyer["cid"]]
    assert on_disk(place, *about) == about
    emptied = session.store.forget(customers=[buyer["id"]])
    assert on_disk(place, *about) == []
    assert {"customers": 1}.items() <= emptied.items()
    assert emptied["orders"] > 0


def test_no_personal_column_of_theirs_is_left_and_no_row_of_anybody_is_lost(known):
    session, buyer = known
    names = [*FAMILY, "orders", "order_products", "customers"]
    before = session.frames(names, MONTH, refresh="never")
    session.store.forget(customers=[buyer["id"]])
    after = session.frames(names, MONTH, refresh="never")
    for name, table in ((name, session.tables[name]) for name in names):
        frame, was = after[name], before[name]
        personal = [c.name for c in table.shown if c.personal and c.name in frame]
        if name == "customers":
            personal = list(frame.columns.drop("id"))
        same(frame.drop(columns=personal), was.drop(columns=personal))
        theirs = _theirs(was, buyer["id"])
        assert frame.loc[theirs, personal].isna().all(axis=None)
        same(frame[~theirs], was[~theirs])
    assert _theirs(before["receipts"], buyer["id"]).any()
    assert _theirs(before["orders"], buyer["id"]).any()
    (row,) = after["customers"].query("id == @buyer['id']").to_dict("records")
    assert [name for name, value in row.items() if pd.notna(value)] == ["id"]


def _theirs(frame: pd.DataFrame, id: int) -> pd.Series:
    links = [c for c in frame if c in ("customer_id", "payload_customer_id")]
    own = frame["id"] == id if "spent" in frame else pd.Series(False, index=frame.index)
    for link in links:
        own |= (frame[link] == id).fillna(False)
    return own.astype(bool)


def test_an_undocumented_field_may_be_about_them_and_goes_too(fresh, keep, place):
    session = keep(fresh)
    fresh.faults.add("unknown_fields", path="/receipts")
    receipts = session.venue(1).frame("receipts", MONTH, progress=False)
    (new, *_) = [name for name in receipts if "sandbox_new" in name]
    buyer = int(receipts["customer_id"].dropna().iloc[0])
    session.store.forget(customers=[buyer])
    after = session.venue(1).frame("receipts", MONTH, refresh="never")
    theirs = (after["customer_id"] == buyer).fillna(False)
    assert after.loc[theirs, new].isna().all()
    assert after.loc[~theirs, new].notna().all()


def test_every_guest_without_an_account_is_forgotten_by_the_id_that_they_share(fresh, keep, place):
    session = keep(fresh)
    dish = session.frame("products", filters={"type": "DISH"}).query("price > 0").iloc[0]
    item = {"product_id": int(dish["id"]), "product_name": dish["name"], "price": dish["price"]}
    body = {
        "sale_type_id": 2,
        "venue_id": 1,
        "customer": {"id": 0, "phone": "+994500000077", "address": "Planted 1", "name": "Guest"},
        "products": [{**item, "count": 2, "status": "new", "product_hash": str(dish["id"])}],
    }
    session.request("POST", "/orders", json=body, venue=1)
    orders = session.frame("orders", "2026-02", progress=False)
    known = set(orders["payload_customer_phone"].dropna()) - {"+994500000077"}
    assert known
    assert on_disk(place, "+994500000077", "Planted 1")
    assert session.store.forget(customers=0) == {"orders": 1}
    assert set(on_disk(place, "+994500000077", "Planted 1", *known)) == known


def test_no_hash_is_left_by_which_a_phone_could_be_tried_out(known):
    session, buyer = known
    session.store.forget(customers=buyer["id"])
    for name in ("orders", "customers"):
        rows = session.store.scan(name).to_table().to_pandas()
        theirs = _theirs(rows, buyer["id"])
        assert rows.loc[theirs, "store_hash"].isna().all()
        assert rows.loc[~theirs, "store_hash"].notna().all()


def test_who_was_erased_at_the_server_first_stays_forgotten(
    faulty, keep, place, envelope, open_session
):
    at = "2026-01-05 10:00:00"
    row = {"id": 1, "venue_id": 1, "customer_id": 5, "total": 9, "created_at": at, "updated_at": at}
    faulty.on("/receipts", envelope({**row, "address": "Nizami 17, flat 4"}))
    session = keep(faulty)
    session.venue(1).frame("receipts", MONTH)
    faulty.on("/receipts", envelope({**row, "address": None}))  # as the server has it from now on
    assert session.store.forget(customers=5) == {"receipts": 1}
    for _ in range(2):
        found = session.venue(1).frame("receipts", MONTH)
        same(found, open_session(faulty).venue(1).frame("receipts", MONTH))
        assert on_disk(place, "Nizami 17") == []


def test_a_customer_that_only_an_old_version_knew_is_forgotten(faulty, keep, place, envelope):
    rows = [{"id": 1, "name": "Aygun Planted", "phone": "+994 50 555 44 33"}, {"id": 2}]
    faulty.on("/customers", envelope(*rows), envelope(rows[1]))
    session = keep(faulty)
    session.frame("customers")
    session.frame("customers")
    assert on_disk(place, "Aygun Planted")
    assert session.store.forget(customers=[1]) == {}
    assert on_disk(place, "Aygun Planted", "+994 50 555 44 33") == []


@pytest.mark.parametrize("ids", [[], "5", ["five"], [1.5], [None]], ids=str)
def test_customers_to_forget_are_named_by_their_ids(sandbox, keep, ids):
    with pytest.raises(ConfigError, match="customers is"):
        keep(sandbox).store.forget(customers=ids)
