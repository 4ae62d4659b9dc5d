"""What a store saves, costs and holds: read again, read in part, and synced beyond memory.

The sandbox runs in a process of its own; in the first part it answers each request 80 ms late. All
figures are made one after the other in one run. ``python benchmarks/store.py`` syncs a hundred
thousand receipts; ``--receipts 10_000_000`` as many as wanted, a year of two hundred venues.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import itertools
import json
import math
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow.parquet as pq

import clopos_nb
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.brand import Brand

LATENCY_S = 0.08
RATE = "300/0.001s"
LAST = dt.date(2026, 2, 28)
APPETITE = 1.66  # four lines and a half a receipt
TABLES = ["receipts", "receipt_products", "receipt_payments"]
BY_DAY = """
    select store_venue, cast(store_day as varchar),
        cast(sum(cast(round(total * 100) as bigint)) as bigint)
    from receipts group by all
"""

# ---------------------------------------------------------------------------- the server


def serve(venues: int, days: int, mean: int, latency_s: float) -> None:
    """Serve until standard input ends; answer each line of it with figures of the books."""
    brand = Brand(
        venues=venues,
        first_day=LAST - dt.timedelta(days=days - 1),
        last_day=LAST,
        receipts_per_day=mean,
        appetite=APPETITE,
    )
    with Sandbox(brand=brand, window_s=0.001, latency_s=latency_s) as sandbox:
        print(json.dumps({"url": sandbox.url, **sandbox.credentials}), flush=True)
        for line in sys.stdin:
            if line.startswith("count"):
                answer: Any = [len(sandbox.requests), sandbox.count("/auth")]
            elif line.startswith("memory"):
                answer = peak_gb()
            else:
                books = {venue: brand.ledger(venue).by_day for venue in brand.venue_ids}
                answer = [(v, str(d), int(t * 100)) for v in books for d, t in books[v].items()]
            print(json.dumps(answer), flush=True)


class Server:
    """A sandbox in a process of its own."""

    def __init__(self, venues: int, days: int, mean: int, latency_s: float = 0.0) -> None:
        numbers = map(str, (venues, days, mean, latency_s))
        command = [sys.executable, __file__, "--serve", *numbers]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)
        self.about = self.read()

    def read(self) -> Any:
        """Read a line of its output."""
        assert self.process.stdout is not None
        return json.loads(self.process.stdout.readline())

    def ask(self, what: str) -> Any:
        """Ask for "count", the requests and logins, "memory", or "books", revenue by day."""
        assert self.process.stdin is not None
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return self.read()

    def session(self, folder: str) -> clopos_nb.Session:
        """Open a session with a store."""
        known = {k: v for k, v in self.about.items() if k != "url"}
        folders = {"store": Path(folder) / "store", "cache_dir": Path(folder) / "cache"}
        # The limit that the sandbox does not have must not be kept here either.
        return clopos_nb.Session(base_url=self.about["url"], rate_limit=RATE, **folders, **known)

    def stop(self) -> None:
        """End it."""
        self.process.communicate()


# ------------------------------------------------------------------------------ figures


def again() -> None:
    """Read a month of twenty venues twice."""
    server = Server(20, 31, 100, LATENCY_S)
    with TemporaryDirectory() as folder:
        month = (LAST - dt.timedelta(days=30), LAST)
        with server.session(folder) as session:
            session.frame("sale_types", progress=False)
            session.venues  # noqa: B018  # read before, as in a notebook that is run again
            first, frame = timed(lambda: session.frame("receipts", *month, progress=False))
            # The sandbox has not sorted by updated_at yet, which takes it a tenth of a second each.
            sorting, _ = timed(lambda: session.frame("receipts", *month, progress=False))
            before = server.ask("count")
            second, found = timed(lambda: session.frame("receipts", *month, progress=False))
            requests, logins = (b - a for a, b in zip(before, server.ask("count"), strict=True))
            second = min(second, best(lambda: session.frame("receipts", *month, progress=False), 3))
    server.stop()
    assert found.equals(frame)
    show(f"{len(frame):,} receipts of 20 venues, first", f"{first:.2f} s")
    show("  again, while the sandbox sorts by updated_at first", f"{sorting:.2f} s")
    show(
        "  again, nothing changed, best of four",
        f"{second:.2f} s, {requests} requests, {logins} logins",
    )
    show("  times as fast", f"{first / second:.0f}")


def part() -> None:
    """Read one venue's month of a year that is held, and the same rows from one file."""
    server = Server(4, 365, 100)
    with TemporaryDirectory() as folder, server.session(folder) as session:
        session.sync(TABLES, LAST - dt.timedelta(days=364), LAST, progress=False)
        scan = session.store.scan
        table = scan("receipt_products", "2026-01", venues=2).to_table()
        path = Path(folder) / "plain.parquet"
        pq.write_table(table, path)
        month = session.venue(2)
        ours, plain, frame, by_pandas = in_turns(
            lambda: scan("receipt_products", "2026-01", venues=2).to_table(),
            lambda: pq.read_table(path),
            lambda: month.frame("receipt_products", "2026-01", refresh="never"),
            lambda: pq.read_table(path).to_pandas(),
        )
    server.stop()
    show(f"{len(table):,} lines, a venue's month of a year, scan", f"{ours * 1e3:.1f} ms")
    show("  one Parquet file of the same rows", f"{plain * 1e3:.1f} ms, {ours / plain:.2f} times")
    show("  frame(refresh='never')", f"{frame * 1e3:.1f} ms")
    show("  the file as a DataFrame", f"{by_pandas * 1e3:.1f} ms, {frame / by_pandas:.2f} times")


def beyond(receipts: int) -> None:
    """Sync many receipts with their lines, and add them up in two ways."""
    venues, mean = max(20, receipts // 50_000), 138
    days = math.ceil(receipts / (venues * 137))  # the last one is not over
    server = Server(venues, days, mean)
    with TemporaryDirectory() as folder, server.session(folder) as session:
        start = LAST - dt.timedelta(days=days - 1)
        seconds, tries = timed(lambda: synced(session, start))
        info = session.store.info().groupby("table")[["rows", "bytes"]].sum()
        count, lines = info.loc["receipts", "rows"], info.loc["receipt_products", "rows"]
        show(
            f"{count:,} receipts, {lines:,} lines synced",
            f"{seconds:.0f} s, {count / seconds:,.0f}/s, in {tries} calls",
        )
        show("  most memory", f"{peak_gb():.2f} GB, and the sandbox {server.ask('memory'):.2f} GB")
        show("  on disk", f"{info['bytes'].sum() / count:.0f} bytes a receipt with all of its rows")
        again, done = timed(lambda: session.sync(TABLES, start, LAST, progress=False))
        show("  again, nothing changed", f"{again:.1f} s, {done['requests'].sum()} requests")
        books = {(v, day): cents for v, day, cents in server.ask("books")}
        server.stop()
        same = "as in the books to the cent"
        took, rows = timed(lambda: session.store.duckdb().sql(BY_DAY).fetchall())
        assert {(v, day): cents for v, day, cents in rows} == books
        show("  revenue by venue and day, DuckDB", f"{took:.2f} s, {same}, {peak_gb():.2f} GB")
        took, (sums, most_gb) = timed(lambda: in_cluster(session))
        assert sums == books
        show(
            "  two Dask workers, started and stopped",
            f"{took:.2f} s, {same}, {most_gb:.2f} GB each",
        )


def synced(session: clopos_nb.Session, start: dt.date) -> int:
    """Sync as a nightly job would, until it is done; return how many calls that took."""
    for call in itertools.count(1):
        with contextlib.suppress(clopos_nb.RequestTimeout):
            session.sync(TABLES, start, LAST)
            return call
    raise AssertionError


def in_cluster(session: clopos_nb.Session) -> tuple[dict[tuple[int, str], int], float]:
    """Add up revenue by venue and day on a cluster of two workers; return their memory too."""
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        frame = session.store.dask()["receipts"]
        frame = frame.assign(
            day=frame["created_at"].dt.normalize(),
            cents=(frame["total"] * 100).round().astype("int64"),
        )
        sums = frame.groupby(["venue_id", "day"])["cents"].sum(split_out=1).compute()
        most_gb = max(client.run(peak_gb).values())
    return {(int(v), str(day.date())): int(c) for (v, day), c in sums.items()}, most_gb


def peak_gb() -> float:
    """Return the most memory that this process had."""
    # Linux hands ru_maxrss on to children.
    status = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) / 2**20


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that something took, and what it returned."""
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def best(work: Callable[[], Any], times: int) -> float:
    """Return the least seconds of several times."""
    return min(timed(work)[0] for _ in range(times))


def in_turns(*works: Callable[[], Any], times: int = 40) -> list[float]:
    """Return the least seconds of each, all of them tried one after the other, time and again."""
    rounds = [[timed(work)[0] for work in works] for _ in range(times)]
    return [min(seconds) for seconds in zip(*rounds, strict=True)]


def show(what: str, figure: str) -> None:
    """Print one figure."""
    print(f"{what:<56} {figure}", flush=True)


def main() -> None:
    """Print the figures, one a line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--receipts", type=int, default=100_000)
    parser.add_argument("--only", choices=["again", "part", "beyond"])
    parser.add_argument("--serve", nargs=4, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        *numbers, latency_s = chosen.serve
        serve(*map(int, numbers), float(latency_s))
        return
    parts = {"again": again, "part": part, "beyond": lambda: beyond(chosen.receipts)}
    for name, measure in parts.items():
        if chosen.only in (None, name):
            measure()


if __name__ == "__main__":
    main()
