"""One call to a sandbox in which one fault is on, and what became of it.

Client and sandbox share a clock, and a wait moves it on: seconds that a server asks for take no
time, and are seen at both ends.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

import clopos_nb
from clopos_nb import CloposError, IncompleteResultWarning, Session
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.requestlog import Entry

FIRST, LAST, A_DAY = date(2026, 1, 1), date(2026, 1, 15), date(2026, 1, 9)
RESET_S = 7  # what ``rate_limited`` of the table asks to wait
LONGEST_BACK_OFF_S = 2.0
PAGE = 30  # rows, in long reads: a venue has eleven pages of them

Days = tuple[int, date, date]
"""A venue, and its days from the first to the last."""
Books = tuple[int, Decimal]
"""How many receipts, and what they amount to."""


class Seen(NamedTuple):
    """What became of a call: named as the columns of the table are."""

    gives: str
    requests: int
    logins: int
    backoffs: int
    waits: int
    written: int


# ------------------------------------------------------------------- sandbox and session


@dataclass
class Bench:
    """A sandbox, a session on it, what each of them noted, and the body of an order."""

    sandbox: Sandbox
    session: Session
    order: dict[str, Any]
    waits: list[float] = field(default_factory=list)
    asked: list[tuple[float, int]] = field(default_factory=list)
    """When the sandbox was asked, and the status that it answered with."""
    moments: dict[Days, list[Books]] = field(default_factory=dict)
    """What the ledger said, after each answer, of the days that are being read."""

    def share_the_clock(self) -> None:
        """Let a wait of the session move the sandbox's clock, which is the session's too."""
        transport, clock = self.session._transport, self.sandbox.clock.token
        transport.now = transport.store.now = clock.now

        def wait(seconds: float) -> None:
            self.waits.append(seconds)
            clock.advance(seconds)

        transport.sleep = wait

    def note(self, entry: Entry, _: float) -> None:
        self.asked.append((self.sandbox.clock.token.now(), entry.status))
        self.look()

    def look(self) -> None:
        for days, moments in self.moments.items():
            books = self.sandbox.ledger(*days)
            moments.append((books.receipts, books.total))

    @contextlib.contextmanager
    def reading(self, *of: Days) -> Iterator[None]:
        """Keep what the ledger says of these days, as long as this lasts."""
        self.moments = {days: [] for days in of}
        self.look()
        yield
        self.look()

    def agrees(self, frame: pd.DataFrame, days: Days) -> str:
        """Say with which of the sandbox's books a frame of receipts agrees, to the cent."""
        assert frame["id"].is_unique
        amounts = pd.to_numeric(frame["total"])
        found = len(frame), sum((Decimal(f"{amount:.2f}") for amount in amounts), Decimal(0))
        *before, after = self.moments[days]
        if found == after:
            return "right"
        return "as it was" if found in before else f"{found}, not {after}"


@contextlib.contextmanager
def opened(brand: Brand, order: dict[str, Any], store: Path | None = None) -> Iterator[Bench]:
    """Give a session that is logged in and knows the venues, on a sandbox of its own."""
    noted: list[Bench] = []
    with (
        Sandbox(brand=brand, on_request=lambda *of: [each.note(*of) for each in noted]) as sandbox,
        Session(
            base_url=sandbox.url, cache_dir=False, store=store, **sandbox.credentials
        ) as session,
    ):
        bench = Bench(sandbox, session, order)
        bench.share_the_clock()
        noted.append(bench)
        session.venues  # noqa: B018
        sandbox.faults.time_scale = 0.001
        yield bench


# ----------------------------------------------------------------------- kinds of call


@dataclass(frozen=True)
class Call:
    """One kind of call: what it does, on which path, and which of its requests are struck."""

    about: str
    path: str
    read: Callable[[Bench], str]
    struck: str = ""
    paged: bool = False
    prepare: Callable[[Bench], None] = lambda bench: None


def login(bench: Bench) -> str:
    bench.session.logout()
    token = bench.session.login()
    bench.session.get("/sale-types")  # which the token is good for
    assert bench.session.token == token
    return "right"


def small_read(bench: Bench) -> str:
    return _read(bench, (1, A_DAY, A_DAY))


def long_walk(bench: Bench) -> str:
    return _read(bench, (1, FIRST, LAST))


def _read(bench: Bench, days: Days) -> str:
    venue, start, end = days
    with bench.reading(days):
        place = bench.session.venue(venue)
        frame = place.frame("receipts", start, end, strict=True, progress=False)
    return bench.agrees(frame, days)


def several_venues(bench: Bench) -> str:
    """Read two venues, of which the second has the fault; the first must be right in any case."""
    first, second = (1, FIRST, LAST), (2, FIRST, LAST)
    with warnings.catch_warnings(record=True) as told, bench.reading(first, second):
        warnings.simplefilter("always")
        frame = bench.session.frame("receipts", FIRST, LAST, errors="warn", progress=False)
    one, two = (frame[frame["venue_id"] == venue] for venue in (1, 2))
    assert bench.agrees(one, first) == "right"
    certified, struck = frame.attrs["clopos"]["venues"]
    assert certified["complete"]
    kinds = [warning.category for warning in told]
    assert kinds == ([] if struck["complete"] else [IncompleteResultWarning])
    if struck["complete"]:
        return bench.agrees(two, second)
    error, _, _ = (struck["error"] or "IncompleteResult").partition(":")
    return str(error)


def fill_the_store(bench: Bench) -> None:
    """Read the days into the store, and let some of their receipts change and go after that."""
    frame = bench.session.venue(1).frame("receipts", FIRST, LAST, progress=False)
    bench.sandbox.clock.data.advance(hours=1)
    for receipt in frame["id"].iloc[[40, 90]]:
        bench.sandbox.books.edit_receipt(1, int(receipt))
    bench.sandbox.books.delete_receipt(1, int(frame["id"].iloc[7]))


def write(bench: Bench) -> str:
    made = bench.session.request("POST", "/orders", json=bench.order, venue=1)
    assert bench.session.get(f"/orders/{made['id']}", venue=1)["id"] == made["id"]
    return "right"


CALLS = {
    "login": Call("`session.login()`", "/auth", login),
    "small read": Call("`venue.frame` of one page", "/receipts", small_read),
    "long walk": Call("`venue.frame` of eleven pages", "/receipts", long_walk, "skip=2", True),
    "several venues": Call(
        '`session.frame(errors="warn")` of two venues, where the second one has the fault',
        "/receipts",
        several_venues,
        "venue=2",
        True,
    ),
    "refresh": Call(
        "the same `venue.frame` with a store that holds it, two changes and a deletion later",
        "/receipts",
        long_walk,
        prepare=fill_the_store,
    ),
    "write": Call("`session.request` that makes an order", "/orders", write),
}


# -------------------------------------------------------------------------- the measuring


def measure(bench: Bench, call: Call, fault: str) -> tuple[Seen, int]:
    """Make a call while a fault is on; return what became of it and how often the fault struck."""
    sandbox = bench.sandbox
    call.prepare(bench)
    if call.paged:
        sandbox.faults.add("limit_clamp", limit=PAGE, path=call.path)
    orders = sandbox.ledger(1).orders
    sandbox.requests.clear()
    bench.asked.clear()
    bench.waits.clear()
    on = sandbox.faults.add_text(fault)
    try:
        gives = call.read(bench)
    except CloposError as exc:
        gives = type(exc).__name__
    entries = [entry for entry in sandbox.requests if entry.path == call.path]
    sandbox.faults.clear()
    told = [wait for wait in bench.waits if wait > LONGEST_BACK_OFF_S]
    seen = Seen(
        gives,
        len(entries),
        sandbox.count("/auth"),
        len(bench.waits) - len(told),
        len(told),
        sandbox.ledger(1).orders - orders,
    )
    return seen, on.fired


def order_of(brand: Brand) -> dict[str, Any]:
    """Return the body of an order that a brand takes."""
    with (
        Sandbox(brand=brand) as sandbox,
        clopos_nb.Session(base_url=sandbox.url, cache_dir=False, **sandbox.credentials) as session,
    ):
        dishes = session.frame("products", filters={"type": "DISH"}, progress=False)
    dish = dishes[(dishes["price"] > 0) & ~dishes["has_modifications"].fillna(value=False)].iloc[0]
    line = {
        "product_id": int(dish["id"]),
        "product_name": dish["name"],
        "count": 2,
        "price": float(dish["price"]),
        "status": "new",
        "product_hash": str(dish["id"]),
    }
    guest = {"id": 0, "phone": "+994500000000", "address": "Street 1", "name": "Guest"}
    return {"sale_type_id": 2, "venue_id": 1, "customer": guest, "products": [line]}
