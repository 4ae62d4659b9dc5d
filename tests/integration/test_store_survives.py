"""A store that several processes use and some of them die over: it opens, and it is right."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import store_worker
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from store_worker import TABLES, read, sums

import clopos_nb
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.brand import Brand

FIRST, LAST = dt.date(2026, 1, 25), dt.date(2026, 2, 6)  # two months
VENUES = (1, 2)
BRAND = Brand(seed=7, venues=2, first_day=FIRST, last_day=LAST, receipts_per_day=12)

Days = tuple[dt.date, dt.date]

days = st.dates(FIRST, LAST)
ranges = st.tuples(days, days).map(lambda pair: (min(pair), max(pair)))
venues = st.sampled_from(VENUES)


def booked(sandbox: Sandbox, first: dt.date, last: dt.date) -> dict[int, dict[str, str]]:
    """Return what the sandbox's own books say, in the worker's words."""
    found = {}
    for venue in VENUES:
        books = sandbox.ledger(venue, first, last)
        pairs = [
            (books.receipts, books.total),
            (books.lines, books.line_total),
            (books.payments, books.paid),
        ]
        found[venue] = {
            table: f"{count} rows, {amount:.2f}"
            for table, (count, amount) in zip(TABLES, pairs, strict=True)
        }
    return found


class Worker:
    """Another process on the store."""

    def __init__(self, about: dict[str, Any], warnings: str = "error") -> None:
        pipe = subprocess.PIPE
        command = [sys.executable, "-W", f"{warnings}::UserWarning", store_worker.__file__]
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.say(about)
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def say(self, what: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()

    def start(self, first: dt.date, last: dt.date, **how: Any) -> None:
        self.say({"first": str(first), "last": str(last), **how})

    def answer(self) -> dict[int, dict[str, str]]:
        assert self.process.stdout is not None
        told = json.loads(self.process.stdout.readline())
        return {int(venue): each for venue, each in told.items()}

    def end(self) -> None:
        self.process.communicate()

    def kill(self, after_s: float) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(after_s)
        self.process.kill()
        self.process.communicate()


def settings_of(sandbox: Sandbox, folder: Path) -> dict[str, Any]:
    return {
        "base_url": sandbox.url,
        "store": str(folder / "store"),
        "cache_dir": str(folder / "cache"),
        **sandbox.credentials,
    }


# ----------------------------------------------------------------- at random, in two processes


class TwoProcesses(RuleBasedStateMachine):
    """Receipts come, change and go; two processes read; one is killed at any moment."""

    def __init__(self) -> None:
        super().__init__()
        self.cleanup = contextlib.ExitStack()
        self.folder = Path(self.cleanup.enter_context(tempfile.TemporaryDirectory()))
        self.sandbox = self.cleanup.enter_context(Sandbox(brand=BRAND, window_s=0.01))
        self.about = settings_of(self.sandbox, self.folder)
        self.session = self.cleanup.enter_context(clopos_nb.Session(**self.about))
        self.worker: Worker | None = None
        self.held: Days | None = None

    @initialize()
    def fill(self) -> None:
        self.reads((FIRST, dt.date(2026, 1, 31)))

    def ids(self, venue: int) -> list[int]:
        return [receipt.id for receipt in self.sandbox.books.recent(venue, 500)]

    # -- what happens at the tills

    @rule(venue=venues, place=st.integers(0, 400))
    def edit(self, venue: int, place: int) -> None:
        ids = self.ids(venue)
        self.sandbox.books.edit_receipt(venue, ids[place % len(ids)])

    @rule(venue=venues, place=st.integers(0, 400))
    def delete(self, venue: int, place: int) -> None:
        ids = self.ids(venue)
        self.sandbox.books.delete_receipt(venue, ids[place % len(ids)])

    @rule(venue=venues, day=days)
    def insert(self, venue: int, day: dt.date) -> None:
        at = dt.datetime.combine(day, dt.time(12, 30))
        self.sandbox.books.insert_receipt(venue, min(at, self.sandbox.books.now))

    @rule(seconds=st.integers(1, 900))
    def time_passes(self, seconds: int) -> None:
        self.sandbox.clock.data.advance(seconds=seconds)

    # -- who reads

    @rule(wanted=ranges)
    def reads(self, wanted: Days) -> None:
        frames = read(self.session, *wanted)
        found = {venue: sums(frames, venue) for venue in VENUES}
        assert found == booked(self.sandbox, *wanted)
        self.held = wanted

    @rule(wanted=ranges)
    def the_other_reads(self, wanted: Days) -> None:
        worker = self.other()
        worker.start(*wanted)
        assert worker.answer() == booked(self.sandbox, *wanted)

    @rule(wanted=ranges, theirs=ranges)
    def both_read_at_once(self, wanted: Days, theirs: Days) -> None:
        worker = self.other()
        worker.start(*theirs)
        self.reads(wanted)
        assert worker.answer() == booked(self.sandbox, *theirs)

    @rule(wanted=ranges, theirs=ranges, after_s=st.floats(0, 0.4))
    def the_other_is_killed(self, wanted: Days, theirs: Days, after_s: float) -> None:
        worker = self.other()
        worker.start(*theirs)
        killing = threading.Thread(target=worker.kill, args=(after_s,))
        killing.start()
        self.reads(wanted)
        killing.join()
        self.worker = None

    def other(self) -> Worker:
        if self.worker is None:
            self.worker = Worker(self.about)
        return self.worker

    @invariant()
    def what_is_held_opens_and_belongs_together(self) -> None:
        if self.held:
            offline = self.session.frames(TABLES, *self.held, refresh="never")
            ids = set(zip(offline["receipts"]["venue_id"], offline["receipts"]["id"], strict=True))
            for table in TABLES[1:]:
                rows = offline[table]
                assert set(zip(rows["venue_id"], rows["receipt_id"], strict=True)) <= ids

    def teardown(self) -> None:
        if self.worker is not None:
            self.worker.end()
        self.cleanup.close()


TestTwoProcesses = TwoProcesses.TestCase
TestTwoProcesses.settings = settings(
    max_examples=5,
    stateful_step_count=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)


# ------------------------------------------- orders: whose day their own time does not tell

steps = st.lists(st.tuples(ranges, st.integers(0, 400), venues), min_size=2, max_size=6)


@settings(max_examples=15, deadline=None)
@given(steps)
def test_orders_of_any_days_are_the_servers_after_any_others(asked):
    with (
        Sandbox(brand=BRAND, window_s=0.01) as sandbox,
        tempfile.TemporaryDirectory() as folder,
        clopos_nb.Session(**settings_of(sandbox, Path(folder))) as session,
        clopos_nb.Session(**settings_of(sandbox, Path(folder)) | {"store": False}) as plain,
    ):
        for wanted, place, venue in asked:
            there = plain.frames(["orders", "order_products"], *wanted, progress=False)
            found = session.frames(["orders", "order_products"], *wanted, progress=False)
            for table, frame in there.items():
                pd.testing.assert_frame_equal(found[table], frame, check_exact=True)
            for record in found["orders"].attrs["clopos"]["venues"]:
                assert record["source"] != "api" or record["walked"]
            if ids := there["orders"].query(f"venue_id == {venue}")["id"].tolist():
                status = ("RECEIVED", "IGNORE", "DELIVERED")[place % 3]
                sandbox.books.set_order_status(venue, ids[place % len(ids)], status)
            sandbox.clock.data.advance(seconds=place * 60)


# ------------------------------------------------------------------------ between two tables


@pytest.fixture
def tills(tmp_path: Path) -> Iterator[tuple[Sandbox, dict[str, Any]]]:
    with Sandbox(brand=BRAND, window_s=0.01) as sandbox:
        yield sandbox, settings_of(sandbox, tmp_path)


@pytest.fixture
def other(tills: Any) -> Iterator[Callable[[], Worker]]:
    """Return a function that starts another process."""
    started: list[Worker] = []

    def start() -> Worker:
        started.append(Worker(tills[1]))
        return started[-1]

    yield start
    for worker in started:
        worker.end()


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_killed_after_any_table_nothing_or_all_of_it_is_held(tills, other, count):
    sandbox, about = tills
    worker = other()
    worker.start(FIRST, LAST, die_after=count)
    worker.process.wait(60)
    with clopos_nb.Session(**about) as session:
        held = session.store._lake.snapshot().endpoint("receipts").venues
        assert bool(held) == (count == 4)
        frames = read(session, FIRST, LAST)
        found = {venue: sums(frames, venue) for venue in VENUES}
    assert found == booked(sandbox, FIRST, LAST)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_killed_during_a_refresh_the_rows_of_before_stay_together(tills, other, count):
    sandbox, about = tills
    with clopos_nb.Session(**about) as session:
        before = session.frames(TABLES, FIRST, LAST, progress=False)
        for id in before["receipts"].query("venue_id == 1")["id"][:6]:
            sandbox.books.edit_receipt(1, int(id))
        worker = other()
        worker.start(FIRST, LAST, die_after=count)
        worker.process.wait(60)
        offline = session.frames(TABLES, FIRST, LAST, refresh="never")
        found = {venue: sums(offline, venue) for venue in VENUES}
        then = {venue: sums(before, venue) for venue in VENUES}
        assert found == (booked(sandbox, FIRST, LAST) if count == 4 else then)
        frames = read(session, FIRST, LAST)
        found = {venue: sums(frames, venue) for venue in VENUES}
    assert found == booked(sandbox, FIRST, LAST)


def test_two_that_fill_it_at_once_lose_and_double_nothing(tills, other):
    sandbox, _ = tills
    workers = [other() for _ in range(3)]
    for worker in workers:
        worker.start(FIRST, LAST)
    for worker in workers:
        assert worker.answer() == booked(sandbox, FIRST, LAST)


@pytest.mark.parametrize("count", [2, 5, 7])
def test_a_sync_that_was_killed_goes_on_beside_another(tills, other, count):
    sandbox, about = tills
    killed = other()
    killed.start(FIRST, LAST, sync=True, die_after=count)
    killed.process.wait(60)
    workers = [other(), other()]
    for worker in workers:
        worker.start(FIRST, LAST, sync=True)
    for worker in workers:
        assert worker.answer() == booked(sandbox, FIRST, LAST)
    with clopos_nb.Session(**about) as session:
        offline = session.frames(TABLES, FIRST, LAST, refresh="never", strict=True)
        found = {venue: sums(offline, venue) for venue in VENUES}
        rows = session.store.info().groupby("table")["rows"].sum()
    assert found == booked(sandbox, FIRST, LAST)
    assert rows["receipts"] == len(offline["receipts"])


def test_without_a_lock_between_them_one_may_give_up_and_nobody_is_wrong(tills, tmp_path):
    # As on two machines whose file system keeps no locks: the same tables, and a lock for each.
    sandbox, about = tills
    with clopos_nb.Session(**about) as session:
        read(session, FIRST, LAST)
    twin = tmp_path / "twin"
    twin.mkdir(mode=0o700)
    for name in (*TABLES, "held"):
        (twin / name).symlink_to(tmp_path / "store" / name)
    workers = [Worker(each, "default") for each in (about, {**about, "store": str(twin)})]
    for _ in range(5):
        for venue in VENUES:
            for receipt in sandbox.books.recent(venue, 5):
                sandbox.books.edit_receipt(venue, receipt.id)
        for worker in workers:
            worker.start(FIRST, LAST, may_give_up=True)
        for worker in workers:
            assert worker.answer() == booked(sandbox, FIRST, LAST)
    for worker in workers:
        worker.end()
    with clopos_nb.Session(**about) as session:
        found = {venue: sums(read(session, FIRST, LAST), venue) for venue in VENUES}
    assert found == booked(sandbox, FIRST, LAST)
