"""The store in other tools, and its care."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pandas as pd
import pyarrow.dataset as ds
import pytest

import clopos_nb
from clopos_nb import ConfigError, StoreError, UnknownTable

FAMILY = ["receipts", "receipt_products", "receipt_payments"]
FIRST, LAST = dt.date(2025, 12, 29), dt.date(2026, 2, 3)
VENUES = (1, 2, 3, 4)
BY_DAY = """
    select store_venue as venue, store_day as day, sum(cast(total as decimal(18, 2))) as total
    from receipts group by all
"""


@pytest.fixture(scope="module")
def lake(sandbox, tmp_path_factory):
    """Return a session with all receipts of the brand in its store."""
    folder = tmp_path_factory.mktemp("lake")
    settings = {"base_url": sandbox.url, "cache_dir": False, **sandbox.credentials}
    with clopos_nb.Session(store=folder / "store", today=sandbox.today, **settings) as session:
        session.sync([*FAMILY, "orders", "products", "stop_list"], FIRST, LAST, progress=False)
        yield session


@pytest.fixture
def kept(fresh, open_session, tmp_path):
    return open_session(fresh, store=tmp_path / "store")


@pytest.fixture(scope="module")
def booked(sandbox) -> dict[tuple[int, dt.date], Decimal]:
    """Return the revenue by venue and day that the sandbox's own books tell."""
    return {
        (venue, day): total
        for venue in VENUES
        for day, total in sandbox.ledger(venue, FIRST, LAST).by_day.items()
    }


# ---------------------------------------------------------------------------- other tools


def test_duckdb_adds_up_to_the_books(lake, booked):
    rows = lake.store.duckdb().sql(BY_DAY).fetchall()
    assert {(venue, day): total for venue, day, total in rows} == booked


def test_polars_adds_up_to_the_books(lake, booked):
    import polars as pl

    receipts = lake.store.polars()["receipts"]
    cents = (pl.col("total") * 100).round().cast(pl.Int64).sum()
    sums = receipts.group_by("store_venue", "store_day").agg(cents).collect()
    assert {(v, d): Decimal(c) / 100 for v, d, c in sums.rows()} == booked


def test_dask_adds_up_to_the_books_a_partition_for_each_venue_and_month(lake, booked):
    receipts = lake.store.dask()["receipts"]
    assert receipts.npartitions == len(VENUES) * 3
    receipts = receipts.assign(
        day=receipts["created_at"].dt.normalize(),
        cents=(receipts["total"] * 100).round().astype("int64"),
    )
    sums = receipts.groupby(["venue_id", "day"])["cents"].sum().compute(scheduler="synchronous")
    found = {(v, day.date()): Decimal(int(c)) / 100 for (v, day), c in sums.items()}
    assert found == booked


def test_dask_has_the_dtypes_of_frames(lake):
    parts = lake.store.dask("2026-01", venues=[2])
    for table in FAMILY:
        there = lake.venue(2).frame(table, "2026-01", refresh="never")
        found = parts[table].compute(scheduler="synchronous").reset_index(drop=True)
        pd.testing.assert_frame_equal(found, there, check_exact=True)


@pytest.mark.parametrize(
    ("days", "venues"), [(("2026-01-31", "2026-02-01"), 3), ((), [1, 4]), (("2026-01",), None)]
)
def test_a_scan_is_of_the_days_and_venues_named(lake, days, venues):
    scan = lake.store.scan("receipts", *days, venues=venues)
    named = "all" if venues is None else venues
    there = lake.frame("receipts", *(days or (FIRST, LAST)), venues=named, refresh="never")
    assert sorted(scan.to_table(["id"])["id"].to_pylist()) == sorted(there["id"])
    ours = lake.store.duckdb(*days, venues=venues).sql("select count(*) from receipts").fetchall()
    assert ours == [(len(there),)]


def test_a_scan_opens_only_the_files_of_its_days_and_venues(lake):
    (fragment,) = lake.store.scan("stop_list", venues=[3]).get_fragments()
    assert "store_venue=3/" in fragment.path
    every = lake.store.scan("receipt_products")
    where = (ds.field("store_venue") == 3) & (ds.field("store_month") == "2026-01")
    (fragment,) = every.get_fragments(where)
    assert "store_venue=3/store_month=2026-01" in fragment.path
    assert every.filter(where).count_rows() == fragment.count_rows()


def test_the_files_are_plain_delta_lake(lake):
    from deltalake import DeltaTable

    table = DeltaTable(lake.store.root / "receipts")
    assert table.metadata().partition_columns == ["store_venue", "store_month"]
    assert table.count() == len(lake.frame("receipts", FIRST, LAST, refresh="never"))


def test_what_is_not_there_is_told(lake):
    with pytest.raises(UnknownTable):
        lake.store.scan("recipts")
    with pytest.raises(StoreError, match="holds no customers"):
        lake.store.scan("customers")
    with pytest.raises(ConfigError, match="as_of"):
        lake.store.scan("receipts", as_of="yesterday-ish")


# ------------------------------------------------------------------------------- earlier


def test_an_earlier_version_tells_what_it_told(fresh, kept):
    before = kept.frame("receipts", "2026-01", progress=False)
    version = kept.store._lake.snapshot().version
    then = dt.datetime.now(dt.UTC)
    fresh.books.delete_receipt(1, int(before["id"].iloc[0]))
    after = kept.frame("receipts", "2026-01", progress=False)
    assert len(after) == len(before) - 1
    for as_of in (version, then):
        assert kept.store.scan("receipts", as_of=as_of).count_rows() == len(before)
    assert kept.store.scan("receipts").count_rows() == len(after)
    kept.store.compact()
    kept.store.vacuum(keep_days=1)
    assert kept.store.scan("receipts", as_of=version).count_rows() == len(before)


# ------------------------------------------------------------------------------- personal


def holds(root, texts: list[bytes]) -> list[str]:
    import pyarrow.parquet as pq

    found = []
    for path in root.rglob("*"):
        if path.suffix == ".parquet" and "_delta_log" not in path.parts:
            content = str(pq.ParquetFile(path).read().to_pydict()).encode()
        else:
            content = path.read_bytes() if path.is_file() else b""
        if any(text in content for text in texts):
            found.append(path.name)
    return found


def test_customers_are_in_the_store_only_when_they_were_asked_for(fresh, kept, tmp_path):
    kept.sync([*FAMILY, "products", "sale_types"], "2026-01", progress=False)
    customers = fresh.books.rows("customers", 1)
    texts = [row["phone"].encode() for row in customers if row["phone"]]
    assert len(texts) > 100
    assert holds(tmp_path / "store", texts) == []
    kept.frame("customers", progress=False)
    assert holds(tmp_path / "store", texts) != []
