"""A client that polls a busy brand through a bad network for as long as it is told: `make soak`.

The sandbox, its clerk and its faults are in this process; the client is in one of its own, so that
what it takes in memory, threads and descriptors is its own too. Each poll is held against the
sandbox's books: every row that was there before it must be in it, none that was not there after it,
and where nothing changed meanwhile every value must be the same. A poll may fail, but only with an
error of this package, and what it missed the next one brings.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psutil

import clopos_nb
from clopos_nb import errors
from clopos_nb.sandbox import Sandbox

VENUES = 3
DAY_S = 20  # that a day of the brand takes
ORDERS_A_SECOND = 10
POLLS_A_SECOND = 5
AT_REST = 4  # of so many polls one sees a brand that stands still, and is compared to the qəpik
# Sixteen requests may be under way, each in a thread and a connection of its own.
TOLERATED = {"memory_mb": 8.0, "threads": 16.0, "descriptors": 16.0}
VALUES = {"receipts": "total", "orders": "status", "stop_list": "limit"}

# Shares of the requests that a fault strikes, so small that six tries mostly get through.
FAULTS: list[tuple[str, dict[str, Any]]] = [
    ("server_error", {"probability": 0.15}),
    ("html_error", {"probability": 0.15}),
    ("gateway_timeout", {"probability": 0.1}),
    ("reset_before_body", {"probability": 0.15}),
    ("reset_mid_body", {"probability": 0.15}),
    ("truncated_json", {"probability": 0.15}),
    ("slow_body", {"probability": 0.1}),
    ("rate_limited", {"probability": 0.1, "reset_s": 0.2}),
    ("expired_token", {"count": 1}),
    ("invalid_token", {"count": 1}),
    ("clock_skew", {"probability": 0.2, "skew_s": 7200}),
    ("unsorted_page", {}),
    ("repeated_page", {"probability": 0.2}),
    ("rows_inserted", {"probability": 0.3}),
    ("rows_edited", {"probability": 0.3}),
    ("unknown_fields", {"probability": 0.3}),
    ("changed_types", {"probability": 0.3}),
    ("wrong_content_type", {}),
]

Rows = dict[tuple[int, int], Any]
"""Venue and id -> the value that is compared."""


class Missed(AssertionError):
    """The client lost, invented or changed something, or grew."""


# -- the client, in a process of its own


def poll() -> None:
    """Read a line of settings, then a line for each poll, and answer each with a line of JSON."""
    process = psutil.Process()
    with clopos_nb.Session(**json.loads(sys.stdin.readline())) as session:
        for line in sys.stdin:
            table, *days = json.loads(line)
            sys.stdout.write(json.dumps(_read(session, table, days) | _taken(process)) + "\n")
            sys.stdout.flush()


def _read(session: clopos_nb.Session, table: str, days: list[str]) -> dict[str, Any]:
    try:
        frame = session.frame(table, *days, strict=True, progress=False)
    except errors.CloposError as error:
        return {"error": type(error).__name__}
    values = frame[VALUES[table]].astype(object).where(frame[VALUES[table]].notna(), None)
    rows = list(zip(frame["venue_id"].tolist(), frame["id"].tolist(), values, strict=True))
    return {"rows": rows, "requests": frame.attrs["clopos"]["requests"]}


def _taken(process: psutil.Process) -> dict[str, float]:
    return {
        "memory_mb": process.memory_info().rss / 2**20,
        "threads": process.num_threads(),
        "descriptors": process.num_fds(),
    }


class Client:
    """The process that polls; `ask` does one poll."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--poller"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._send(settings)

    def _send(self, what: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def ask(self, table: str, days: tuple[date, date] | tuple[()]) -> dict[str, Any]:
        self._send([table, *map(str, days)])
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            message = f"the client ended with status {self._process.wait()}"
            raise Missed(message)
        return json.loads(line)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()


# -- the brand


class Brand:
    """A sandbox in which days are short, a clerk is busy, and the network is bad."""

    def __init__(self, sandbox: Sandbox, seed: int) -> None:
        self.sandbox = sandbox
        self.orders = 0
        self.struck: Counter[str] = Counter()
        self._rng = random.Random(seed)
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._products = [
            row
            for row in sandbox.books.rows("products", 1)
            if row["type"] == "DISH" and row["price"] > 0 and not row["has_modifications"]
        ]
        sandbox.faults.time_scale = 0.01
        sandbox.books.clerk.mode = "after"
        sandbox.books.clerk.delay_s = 900
        sandbox.clock.data.run(86400 / DAY_S)
        self._threads = [threading.Thread(target=work) for work in (self._sell, self._spoil)]

    def __enter__(self) -> Brand:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        self._clear()
        self.sandbox.clock.data.freeze()

    def _sell(self) -> None:
        while not self._over.wait(self._rng.expovariate(ORDERS_A_SECOND)):
            with self._turn:
                venue = self._rng.choice(self.sandbox.books.venue_ids)
                self.sandbox.books.create_order(self._order(venue), venue)
                self.orders += 1

    def _order(self, venue: int) -> dict[str, Any]:
        product = self._rng.choice(self._products)
        line = {"product_id": product["id"], "product_name": product["name"], "status": "new"}
        line |= {"count": self._rng.randint(1, 4), "price": product["price"], "product_hash": "1"}
        guest = {"id": 0, "name": "Guest", "phone": "+994500000000", "address": "Street 1"}
        return {"sale_type_id": 2, "venue_id": venue, "customer": guest, "products": [line]}

    def _spoil(self) -> None:
        while not self._over.is_set():
            self.sandbox.faults.add("limit_clamp", limit=20)  # so that every read has pages
            for name, options in self._rng.sample(FAULTS, 3):
                self.sandbox.faults.add(name, **options)
            self._over.wait(self._rng.uniform(0.3, 1.5))
            self._clear()
            self._over.wait(self._rng.uniform(0.0, 0.3))

    def _clear(self) -> None:
        for fault in self.sandbox.faults:
            if fault.name != "limit_clamp":
                self.struck[fault.name] += fault.fired
        self.sandbox.faults.clear()

    @contextmanager
    def at_rest(self) -> Iterator[None]:
        """Let nobody sell, and no time pass, for a while."""
        with self._turn:
            self.sandbox.clock.data.freeze()
            try:
                yield
            finally:
                self.sandbox.clock.data.run(86400 / DAY_S)

    def rows(self, table: str, days: tuple[date, date] | tuple[()]) -> Rows:
        """Return what the books hold."""
        books, found = self.sandbox.books, {}
        for venue in books.venue_ids:
            if not days:
                for row in books.rows(table, venue):
                    found[venue, row["id"]] = row["limit"]
                continue
            log = books.log(table, venue)
            for number in log.ids_at(range(*log.bounds(*days))):
                found[venue, number] = (log.get(number) or {})[VALUES[table]]
        return found


# -- the soak


class Tally(NamedTuple):
    """One table's polls."""

    polls: int = 0
    rows: int = 0
    requests: int = 0
    compared: int = 0


@dataclass
class Soak:
    """What a soak found; ``check`` raises ``Missed`` unless all is well."""

    seconds: float
    seed: int
    tables: dict[str, Tally] = field(default_factory=lambda: dict.fromkeys(VALUES, Tally()))
    failed: Counter[str] = field(default_factory=Counter)
    struck: Counter[str] = field(default_factory=Counter)
    orders: int = 0
    logins: int = 0
    taken: list[dict[str, float]] = field(default_factory=list)

    def note(self, table: str, before: Rows, answer: dict[str, Any], after: Rows) -> None:
        """Hold a poll against the books before and after it."""
        self.taken.append({name: answer[name] for name in TOLERATED})
        if "error" in answer:
            self.failed[answer["error"]] += 1
            return
        read = {(venue, number): value for venue, number, value in answer["rows"]}
        if twice := len(answer["rows"]) - len(read):
            message = f"{twice} rows of {table} came twice"
            raise Missed(message)
        if lost := before.keys() - read.keys():
            message = f"{len(lost)} rows of {table} are lost, such as {min(lost)}"
            raise Missed(message)
        if invented := read.keys() - after.keys():
            message = f"{len(invented)} rows of {table} are invented, such as {min(invented)}"
            raise Missed(message)
        if at_rest := before == after:
            wrong = [key for key, value in read.items() if not _same(value, after[key])]
            if wrong:
                message = f"{len(wrong)} rows of {table} are wrong, such as {min(wrong)}"
                raise Missed(message)
        was = self.tables[table]
        self.tables[table] = Tally(
            was.polls + 1,
            was.rows + len(read),
            was.requests + answer["requests"],
            was.compared + at_rest,
        )

    def growth(self) -> dict[str, tuple[float, float]]:
        """Return what is taken in the second quarter and in the last, as medians."""
        quarter = max(len(self.taken) // 4, 1)
        early, late = self.taken[quarter : 2 * quarter], self.taken[-quarter:]
        return {
            name: (median(one[name] for one in early), median(one[name] for one in late))
            for name in TOLERATED
        }

    def check(self) -> None:
        """Raise ``Missed`` when something was never tried, or when the client grew."""
        idle = [table for table, tally in self.tables.items() if not tally.compared]
        if idle or not self.orders or not self.struck.total():
            message = f"too little happened: {idle} {self.orders} {self.struck}"
            raise Missed(message)
        for name, (early, late) in self.growth().items():
            if late - early > TOLERATED[name]:
                message = f"{name} grew from {early:.1f} to {late:.1f}"
                raise Missed(message)

    def lines(self) -> Iterator[str]:
        """Return it as a Markdown table."""
        yield "| | |"
        yield "| --- | --- |"
        yield f"| seconds, seed | {self.seconds:g}, {self.seed} |"
        for table, tally in self.tables.items():
            yield (
                f"| `{table}` | {tally.polls:,} polls, {tally.requests:,} requests, {tally.rows:,} "
                f"rows; {tally.compared:,} of the polls at rest and equal in every value |"
            )
        rows = sum(tally.rows for tally in self.tables.values())
        yield f"| rows lost, invented, twice, wrong | 0 of {rows:,} |"
        yield f"| orders placed meanwhile | {self.orders:,} |"
        yield f"| logins | {self.logins:,} |"
        yield f"| faults that struck | {_counted(self.struck)} |"
        yield f"| polls that failed, with a named error | {_counted(self.failed) or 'none'} |"
        for name, (early, late) in self.growth().items():
            title = name.replace("_mb", " in MB")
            yield f"| {title}, second quarter and last, median | {early:.0f}, {late:.0f} |"


def _same(read: Any, true: Any) -> bool:
    if read is None or true is None or true in ("", None):
        return read == true
    try:
        return Decimal(str(read)) == Decimal(str(true))
    except ArithmeticError:  # a status
        return bool(read == true)


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} `{name}`" for name, count in sorted(counts.items()) if count)


def soak(seconds: float, seed: int = 7) -> Soak:
    """Poll for this long; return what was seen, or raise ``Missed``."""
    found = Soak(seconds, seed)
    last = date(2026, 2, 28)
    sandbox = Sandbox(
        seed=seed,
        venues=VENUES,
        first_day=last - timedelta(days=1),
        last_day=last,
        receipts_per_day=50,
        token_lifetime_s=5,
        window_s=1,
    )
    settings = {"cache_dir": False, "rate_limit": "300/1s", **sandbox.credentials}
    with sandbox, Client(settings | {"base_url": sandbox.url}) as client:
        with Brand(sandbox, seed) as brand:
            _poll_all(found, brand, client, seconds)
        failed = found.failed.copy()
        for table in VALUES:  # nobody sells any more, and nothing goes wrong
            _poll_once(found, brand, client, table)
        if found.failed != failed:
            message = f"a poll failed without a fault: {found.failed - failed}"
            raise Missed(message)
        found.orders, found.logins, found.struck = (
            brand.orders,
            sandbox.count("/auth"),
            brand.struck,
        )
    found.check()
    return found


def _poll_all(found: Soak, brand: Brand, client: Client, seconds: float) -> None:
    pace, until, number = threading.Event(), time.monotonic() + seconds, 0
    while time.monotonic() < until:
        for table in VALUES:
            number += 1
            if number % AT_REST:
                _poll_once(found, brand, client, table)
            else:
                with brand.at_rest():
                    _poll_once(found, brand, client, table)
            pace.wait(1 / POLLS_A_SECOND)


def _poll_once(found: Soak, brand: Brand, client: Client, table: str) -> None:
    today = brand.sandbox.books.now.date()
    days = () if table == "stop_list" else (today - timedelta(days=1), today)
    before = brand.rows(table, days)
    answer = client.ask(table, days)
    found.note(table, before, answer, brand.rows(table, days))


PAGE = """\
<!-- Written by `make soak ARGS="{args}"`. -->

`make soak` on {day}, Python {python}, pandas {pandas}: a client polls three venues while a clerk
sells, and three of {faults} faults at a time spoil its requests. Pages have 20 rows at most, a day
of the brand takes {day_s} s, and a token lives 5 s.

{table}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description="Poll a busy sandbox through a bad network.")
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--write", type=Path, help="also write the result to this Markdown file")
    parser.add_argument("--poller", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.poller:
        poll()
        return 0
    try:
        found = soak(args.minutes * 60, args.seed)
    except Missed as missed:
        sys.stderr.write(f"Missed: {missed}\n")
        return 1
    table = "\n".join(found.lines())
    sys.stdout.write(table + "\n")
    if args.write:
        import pandas as pd

        page = PAGE.format(
            args=" ".join(sys.argv[1:]),
            day=date.today(),
            python=sys.version.split()[0],
            pandas=pd.__version__,
            faults=len(FAULTS),
            day_s=DAY_S,
            table=table,
        )
        args.write.write_text(page, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
