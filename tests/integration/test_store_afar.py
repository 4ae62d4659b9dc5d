"""A store in an object store: a real S3 protocol on loopback, which keeps no locks for anybody."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyarrow import fs
from store_worker import TABLES, read, sums
from test_store_survives import BRAND, FIRST, LAST, VENUES, Worker, booked

import clopos_nb
from clopos_nb import ConfigError, StoreError, StoreUnavailable
from clopos_nb.sandbox import Sandbox
from clopos_nb.store import Site

KEYS = {"AWS_ACCESS_KEY_ID": "planted-key-id", "AWS_SECRET_ACCESS_KEY": "planted-secret-key"}


class Buckets:
    """An S3 server in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr is not None
        lines = iter(self.process.stderr)
        found = (re.search(r"http://127\.0\.0\.1:\d+", line) for line in lines)
        self.url = next(match.group() for match in found if match)
        self.seen: list[str] = []
        self._reading = threading.Thread(target=self.seen.extend, args=(lines,), daemon=True)
        self._reading.start()

    def ask(self, method: str, path: str, body: bytes | None = None) -> None:
        kind = {"Content-Type": "text/plain"}
        request = urllib.request.Request(self.url + path, body, kind, method=method)
        if not path.startswith("/moto-api"):
            request.add_header("Host", "s3.amazonaws.com")
        with urllib.request.urlopen(request):
            pass

    def refuse_unknown_keys(self, *, after: int = 0) -> None:
        self.ask("POST", "/moto-api/reset-auth", str(after).encode())

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()
        self._reading.join()


@pytest.fixture(scope="module")
def buckets() -> Iterator[Buckets]:
    pytest.importorskip("moto")
    server = Buckets()
    yield server
    server.stop()


@pytest.fixture
def bucket(buckets, monkeypatch, request) -> str:
    """Return the URL of a bucket of the test's own, which this process may use."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", buckets.url)
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.lower())[:60].strip("-")
    buckets.ask("PUT", f"/{name}")
    return f"s3://{name}"


@pytest.fixture
def tills() -> Iterator[Sandbox]:
    with Sandbox(brand=BRAND, window_s=0.01) as sandbox:
        yield sandbox


@pytest.fixture
def about(tills: Sandbox, bucket: str, tmp_path: Path) -> dict[str, Any]:
    cache = str(tmp_path / "cache")
    place = f"{bucket}/a b/clopos"
    return {"base_url": tills.url, "store": place, "cache_dir": cache, **tills.credentials}


@pytest.fixture
def kept(about: dict[str, Any]) -> Iterator[clopos_nb.Session]:
    """Return a session whose store holds all days."""
    with clopos_nb.Session(**about) as session:
        read(session, FIRST, LAST)
        yield session


@pytest.fixture
def plain(tills: Sandbox) -> Iterator[clopos_nb.Session]:
    with clopos_nb.Session(base_url=tills.url, cache_dir=False, **tills.credentials) as session:
        yield session


def same(found: dict[str, pd.DataFrame], there: dict[str, pd.DataFrame]) -> None:
    for name, frame in there.items():
        pd.testing.assert_frame_equal(found[name], frame, check_exact=True)


def both(frames: dict[str, pd.DataFrame]) -> dict[int, dict[str, str]]:
    return {venue: sums(frames, venue) for venue in VENUES}


# ------------------------------------------------------------------------------- as a directory


def test_frames_of_it_are_the_servers(tills, about, kept, plain):
    there = plain.frames(TABLES, FIRST, LAST, progress=False)
    before = len(tills.requests)
    found = kept.frames(TABLES, FIRST, LAST, progress=False)
    assert found["receipts"].attrs["clopos"]["source"] == "store"
    assert len(tills.requests) - before == len(VENUES)
    same(found, there)
    receipt = tills.books.recent(1, 1)[0]
    tills.books.edit_receipt(1, receipt.id)
    with clopos_nb.Session(**about) as another:
        changed = another.frames(TABLES, FIRST, LAST, progress=False)
    same(changed, plain.frames(TABLES, FIRST, LAST, progress=False))
    assert changed["receipts"].attrs["clopos"]["source"] == "api+store"
    same(kept.frames(TABLES, FIRST, LAST, refresh="never"), changed)


def test_every_tool_reads_it(kept):
    total = kept.frame("receipts", FIRST, LAST, refresh="never")["total"].sum().round(2)
    store = kept.store
    found = store.scan("receipts", venues=[1]).to_table(["total", "store_venue"])
    assert set(found["store_venue"].to_pylist()) == {1}
    [(by_duckdb,)] = store.duckdb().sql("select sum(total) from receipts").fetchall()
    by_polars = store.polars()["receipts"].select("total").collect()["total"].sum()
    by_dask = store.dask()["receipts"]["total"].sum().compute(scheduler="processes", num_workers=2)
    assert [round(each, 2) for each in (by_duckdb, by_polars, by_dask)] == [total] * 3


def test_as_it_was_can_be_read_until_somebody_is_forgotten(tills, kept):
    before = kept.frames(TABLES, FIRST, LAST, progress=False)
    version = before["receipts"].attrs["clopos"]["store_version"]
    tills.books.delete_receipt(1, tills.books.recent(1, 1)[0].id)
    read(kept, FIRST, LAST)
    same(kept.frames(TABLES, FIRST, LAST, as_of=version), before)
    info = kept.store.info()
    assert info.query("table == 'receipts'")["rows"].sum() == len(before["receipts"]) - 1
    customer = int(before["receipts"]["customer_id"].dropna().iloc[0])
    kept.store.compact()
    size = info.attrs["clopos"]["bytes"]
    assert kept.store.forget(customers=customer)["receipts"] > 0
    assert kept.store.info().attrs["clopos"]["bytes"] < size
    with pytest.raises(StoreError, match="no version"):
        kept.frames(TABLES, FIRST, LAST, as_of=version)
    assert both(kept.frames(TABLES, FIRST, LAST, refresh="never")) == booked(tills, FIRST, LAST)


# -------------------------------------------------------------------- several, without any lock


def test_several_that_fill_it_at_once_lose_and_double_nothing(tills, about):
    workers = [Worker(about) for _ in range(3)]
    try:
        for worker in workers:
            worker.start(FIRST, LAST, sync=True, may_give_up=True)
        for worker in workers:
            assert worker.answer() == booked(tills, FIRST, LAST)
        with clopos_nb.Session(**about) as session:
            offline = session.frames(TABLES, FIRST, LAST, refresh="never", strict=True)
            rows = session.store.info().groupby("table")["rows"].sum()
        assert both(offline) == booked(tills, FIRST, LAST)
        assert rows["receipts"] == len(offline["receipts"])
    finally:
        for worker in workers:
            worker.end()


def test_changes_that_two_see_at_once_are_right_for_both(tills, about, kept):
    workers = [Worker(about, "default") for _ in range(2)]
    try:
        for _ in range(3):
            for venue in VENUES:
                for receipt in tills.books.recent(venue, 5):
                    tills.books.edit_receipt(venue, receipt.id)
            for worker in workers:
                worker.start(FIRST, LAST, may_give_up=True)
            for worker in workers:
                assert worker.answer() == booked(tills, FIRST, LAST)
    finally:
        for worker in workers:
            worker.end()
    assert both(read(kept, FIRST, LAST)) == booked(tills, FIRST, LAST)


@pytest.mark.parametrize("count", [1, 3, 4])
def test_a_killed_writer_leaves_all_or_nothing(tills, about, count):
    worker = Worker(about)
    worker.start(FIRST, LAST, die_after=count)
    worker.process.wait(60)
    worker.end()
    with clopos_nb.Session(**about) as session:
        held = session.store.info()["table"]
        assert ("receipts" in set(held)) == (count == len(TABLES) + 1)
        assert both(read(session, FIRST, LAST)) == booked(tills, FIRST, LAST)


# ------------------------------------------------------------------------------ what goes wrong


def test_refused_by_it_the_servers_numbers_come_and_nothing_secret_is_said(
    tills, buckets, about, plain, caplog
):
    there = plain.frames(TABLES, FIRST, LAST, progress=False)
    buckets.refuse_unknown_keys()
    try:
        with clopos_nb.Session(**about) as session:
            with pytest.warns(StoreUnavailable, match=r"AWS_ACCESS_KEY_ID") as told:
                same(session.frames(TABLES, FIRST, LAST, progress=False), there)
            with pytest.raises(StoreError, match="403") as error:
                session.frames(TABLES, FIRST, LAST, venues=1, refresh="never")
            said = [str(told[0].message), str(error.value), repr(session.store), caplog.text]
    finally:
        buckets.refuse_unknown_keys(after=10**9)
    assert error.value.__cause__ is None
    for secret in KEYS.values():
        assert not [text for text in said if secret in text]


def test_not_reached_it_is_told_before_anybody_leaves(about, plain, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    with (
        clopos_nb.Session(**about) as session,
        pytest.warns(StoreUnavailable, match="cannot be read"),
    ):
        found = session.frames(TABLES, FIRST, LAST, progress=False)
    same(found, plain.frames(TABLES, FIRST, LAST, progress=False))


def test_a_file_that_is_gone_is_told_and_the_servers_numbers_come(about, kept, plain):
    files = kept.store._lake.site.files
    selected = files.get_file_info(fs.FileSelector("receipts", recursive=True))
    files.delete_file(next(info.path for info in selected if info.path.endswith(".parquet")))
    with (
        clopos_nb.Session(**about) as session,
        pytest.warns(StoreUnavailable, match="delete them"),
    ):
        found = session.frames(TABLES, FIRST, LAST, progress=False)
    same(found, plain.frames(TABLES, FIRST, LAST, progress=False))


def test_somebody_elses_files_are_left_alone(buckets, bucket, about):
    place = bucket.removeprefix("s3:/")
    buckets.ask("PUT", f"{place}/a%20b/clopos/accounts.xlsx", b"somebody's")
    with (
        clopos_nb.Session(**about) as session,
        pytest.raises(ConfigError, match="holds other files"),
    ):
        session.frame("receipts", FIRST, LAST, progress=False)
    assert Site(about["store"]).names() == {"accounts.xlsx"}


def test_another_brands_store_is_refused(about, kept):
    with (
        clopos_nb.Session(**{**about, "brand": "another"}) as session,
        pytest.raises(ConfigError, match="holds the brand 'narbag'"),
    ):
        session.frame("receipts", FIRST, LAST, refresh="never", venues=1)


# ----------------------------------------------------------------------------------------- URLs


@pytest.mark.parametrize(
    "url",
    ["s3://id:planted-secret@bucket/x", "az://box/x?sig=planted-secret", "s3://b/x#planted-secret"],
)
def test_a_url_with_a_secret_is_refused_without_repeating_it(sandbox, open_session, url):
    with pytest.raises(ConfigError, match="leave it out") as error:
        open_session(sandbox, store=url)
    assert "planted-secret" not in str(error.value)


@pytest.mark.parametrize("url", ["ftp://host/x", "https://host/x", "s3://", "file:///tmp/x"])
def test_a_url_of_another_kind_says_what_is_expected(sandbox, open_session, url):
    with pytest.raises(ConfigError, match="s3://bucket/name"):
        open_session(sandbox, store=url)
