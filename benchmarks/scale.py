"""What a large brand costs in requests, hours, bytes and money: arithmetic on what was measured.

``python benchmarks/scale.py`` measures on a small sandbox what a receipt and a night take, and
prints the figures of a brand of 1,000 venues and five years; ``--venues``, ``--years`` and
``--receipts-per-day`` make it another brand. ``--recorded`` measures nothing and prints what
``docs/scale.md`` shows.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

import clopos_nb
from clopos_nb.budget import RESERVED
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.brand import Brand

# Documented: requests a minute for an integrator and brand, rows a page, the life of a token.
A_MINUTE, PAGE, ORDERS_PAGE, TOKEN_S = 300, 200, 100, 3600
AT_ONCE = 16  # requests under way
MONTH_DAYS = 365.25 / 12
TABLES = ["receipts", "receipt_products", "receipt_modificators", "receipt_payments"]

# Assumed, and easily replaced: prices in US dollars of a large cloud, as lists have them.
MACHINE_HOUR, DISK_GB_MONTH, OBJECTS_GB_MONTH = 0.10, 0.08, 0.023


@dataclass(frozen=True)
class Brandsize:
    """How large a brand is."""

    venues: int = 1000
    years: float = 5
    receipts_per_day: float = 150
    orders_share: float = 0.1  # orders for each receipt


@dataclass(frozen=True)
class Measured:
    """What one takes, as measured here: bytes of a receipt with all of its rows, requests."""

    wire: float = 2305  # uncompressed JSON
    disk: float = 342  # in the store
    order_wire: float = 1500
    order_disk: float = 84
    more: float = 2  # requests for a venue of a table, besides the pages
    night: float = 7  # requests for a venue's receipts and orders, a day later
    same: float = 1  # requests for a venue of which nothing changed


def figures(size: Brandsize, one: Measured) -> Iterator[tuple[str, str, str]]:
    """Yield what, how much, and how it was worked out."""
    months = size.venues * size.years * 12
    a_month = size.receipts_per_day * MONTH_DAYS
    receipts, orders = months * a_month, months * a_month * size.orders_share
    yield "receipts", many(receipts), "venues x days x receipts a day"
    pages = months * math.ceil(a_month / PAGE)
    order_pages = months * math.ceil(a_month * size.orders_share / ORDERS_PAGE)
    more = 2 * size.venues * one.more
    total = pages + order_pages + more
    yield "pages of receipts, with lines", many(pages), f"{PAGE} a page, each venue's months alone"
    yield (
        "pages of orders",
        many(order_pages),
        f"{ORDERS_PAGE} a page, {size.orders_share:.0%} of receipts",
    )
    yield "other requests", many(more), f"{one.more:.0f} a venue, for receipts and for orders"
    pace = A_MINUTE * (1 - RESERVED)
    hours = total / pace / 60
    yield (
        "first fill",
        f"{hours:,.0f} hours",
        f"{hours / 24:.1f} days at {pace:.0f} a minute; {RESERVED:.0%} is left to others",
    )
    yield "logins meanwhile", many(hours * 3600 / TOKEN_S), "one an hour"
    slowest = AT_ONCE * 60 / pace
    yield "answers may take", f"{slowest:.1f} s", f"{AT_ONCE} at once use the limit up to there"
    wire = receipts * one.wire + orders * one.order_wire
    yield "JSON received", f"{wire / 1e12:.2f} TB", f"{one.wire:,.0f} bytes a receipt, uncompressed"
    yield (
        "on the line",
        f"{wire * 8 / hours / 3600 / 1e6:.0f} Mbit/s",
        "while it fills, uncompressed",
    )
    rows = pace / 60 * PAGE
    yield "receipts arriving", f"{rows:,.0f} a second", "what a machine has to keep up with"
    disk = (receipts * one.disk + orders * one.order_disk) / 1e9
    yield "on disk", f"{disk:,.0f} GB", f"{one.disk:,.0f} bytes a receipt with all of its rows"
    yield "files of a table", many(months), "one for each venue and month"
    night = size.venues * one.night
    yield (
        "a night's sync of both",
        f"{night / pace:.0f} minutes",
        f"{many(night)} requests, {one.night:.0f} a venue",
    )
    again = size.venues * one.same / pace
    yield (
        "a look at one table of all venues",
        f"{again:.1f} minutes",
        f"{one.same:.0f} request a venue",
    )
    yield "first fill, machine", f"${hours * MACHINE_HOUR:,.0f}", f"${MACHINE_HOUR:.2f} an hour"
    yield (
        "kept, a month",
        f"${disk * DISK_GB_MONTH:,.1f}",
        f"${DISK_GB_MONTH} a GB of disk; ${disk * OBJECTS_GB_MONTH:,.1f} as objects",
    )


def many(number: float) -> str:
    """Write a large number for people."""
    return f"{number / 1e6:,.2f} million" if number >= 1e6 else f"{number:,.0f}"


def table(size: Brandsize, one: Measured) -> str:
    """Return the figures as Markdown."""
    head = f"| {size.venues:,} venues, {size.years:g} years | | how |\n| --- | ---: | --- |\n"
    return head + "".join(f"| {a} | {b} | {c} |\n" for a, b, c in figures(size, one))


# ---------------------------------------------------------------------------- measuring


def measured() -> Measured:
    """Measure on two venues and three months of a sandbox."""
    first, last = dt.date(2025, 12, 1), dt.date(2026, 2, 28)
    brand = Brand(seed=7, venues=2, first_day=first, last_day=last, receipts_per_day=150)
    with Sandbox(brand=brand, window_s=0.001) as sandbox, TemporaryDirectory() as folder:
        settings = {"base_url": sandbox.url, "cache_dir": False, **sandbox.credentials}
        with clopos_nb.Session(store=Path(folder) / "store", **settings) as session:
            eve = last - dt.timedelta(days=1)
            filled = session.sync(TABLES, first, eve, progress=False)["requests"].sum()
            session.sync("orders", first, eve, progress=False)
            made = session.frame("receipts", first, eve, refresh="never")
            night = session.sync([*TABLES, "orders"], first, last, progress=False)
            same = session.sync(TABLES, first, last, progress=False)
            info = session.store.info().groupby("table")[["rows", "bytes"]].sum()
        wire, order_wire = (
            page_bytes(sandbox, path) for path in ("/receipts?with[0]=receipt_products", "/orders?")
        )
    rows, size = info["rows"], info["bytes"]
    months = made.groupby(["venue_id", made["created_at"].dt.to_period("M")]).size()
    pages = (months / PAGE).apply(math.ceil).sum()
    return Measured(
        wire,
        size[TABLES].sum() / rows["receipts"],
        order_wire,
        size["orders"] / rows["orders"],
        (filled - pages) / len(brand.venue_ids),
        night.groupby("venue_id")["requests"].sum().max(),
        same["requests"].max(),
    )


def page_bytes(sandbox: Sandbox, path: str) -> float:
    """Return the bytes of JSON that a row of a page takes."""
    with requests.Session() as http:
        answer = http.post(f"{sandbox.url}/auth", json=sandbox.credentials, timeout=30).json()
        http.headers["x-token"] = answer["token"]
        found = http.get(f"{sandbox.url}{path}&limit=100", timeout=30)
    return len(found.content) / len(found.json()["data"])


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    for each in fields(Brandsize):
        name = "--" + each.name.replace("_", "-")
        parser.add_argument(name, type=type(each.default), default=each.default)
    parser.add_argument("--recorded", action="store_true")
    chosen = vars(parser.parse_args())
    one = Measured() if chosen.pop("recorded") else measured()
    print(table(Brandsize(**chosen), one))
    print(", ".join(f"{each.name} {getattr(one, each.name):,.0f}" for each in fields(one)))


if __name__ == "__main__":
    main()
