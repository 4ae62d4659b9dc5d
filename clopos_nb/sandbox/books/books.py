"""A brand with everything that was written since laid over the data it was made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cached_property
from random import Random
from threading import RLock
from typing import Any

from clopos_nb.sandbox.books import inventory
from clopos_nb.sandbox.books.amounts import by_method
from clopos_nb.sandbox.books.clerk import Clerk, Job
from clopos_nb.sandbox.books.customers import Customers
from clopos_nb.sandbox.books.errors import BooksError
from clopos_nb.sandbox.books.journal import Journal
from clopos_nb.sandbox.books.log import OpenLog
from clopos_nb.sandbox.books.moments import moment, seconds
from clopos_nb.sandbox.books.orders import OrderDesk, edited, paid
from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.brand.ledger import Ledger
from clopos_nb.sandbox.brand.products import Row, fresh
from clopos_nb.sandbox.brand.settings import CASH
from clopos_nb.sandbox.brand.shift import Order
from clopos_nb.sandbox.brand.till import Receipt

_TABLES = 24
_FAR = 10**9


class Books:
    """The same source as a brand, and open for writing.

    Rows are returned fresh; a write returns the full row (relations and legacy fields included, so
    the endpoints project it), or None where the venue has no such row. Any thread may call.

    Parameters
    ----------
    brand : Brand
        Stays as it is.
    now : callable, optional
        Naive brand-local data time; the brand's own, which stands still, by default.

    Attributes
    ----------
    clerk : Clerk
        Accepts and closes the orders that ``create_order`` added.
    waiter_calls : list of dict
        What ``call_waiter`` noted.
    """

    def __init__(self, brand: Brand, now: Callable[[], datetime] | None = None) -> None:
        self._brand = brand
        self._now = now or (lambda: brand.now)
        self._lock = RLock()
        self._journal = Journal(brand, self._lock)
        self._customers = Customers(brand)
        self._made: dict[tuple[str, int], tuple[int, list[Row]]] = {}
        self.clerk = Clerk(self._step, lambda: self.now, self._lock)
        self.waiter_calls: list[Row] = []

    def __repr__(self) -> str:
        return f"<Books of {self._brand!r}>"

    @property
    def slug(self) -> str:
        """The brand's slug."""
        return self._brand.slug

    @property
    def venue_ids(self) -> list[int]:
        """Ids of all venues, the main one first."""
        return self._brand.venue_ids

    @property
    def now(self) -> datetime:
        """Naive brand-local data time, in whole seconds."""
        return self._now().replace(microsecond=0)

    @property
    def utc_offset(self) -> timedelta:
        """Of the brand's local time."""
        return self._brand.utc_offset

    def version(self, resource: str) -> int:
        """Return a number that grows when the rows of a small resource change."""
        return self._customers.added if resource == "customers" else 0

    def rows(self, resource: str, venue_id: int) -> list[Row]:
        """Return all rows of a small resource.

        Those of ``inventory.RESOURCES`` are invented, each with a field ``_sandbox`` that says so:
        the API publishes none of their fields.
        """
        if resource in inventory.RESOURCES:
            return self._invented(resource, venue_id)
        if resource == "customers":
            with self._lock:
                return self._customers.rows(venue_id)
        return self._brand.rows(resource, venue_id)

    def log(self, resource: str, venue_id: int) -> OpenLog[Receipt] | OpenLog[Order]:
        """Return the receipts or orders of a venue, changes included."""
        self.clerk.tick()
        if resource == "receipts":
            return self._journal.receipts(venue_id)
        if resource == "orders":
            return self._journal.orders(venue_id)
        raise KeyError(resource)

    def stock_operations(self, venue_id: int, receipt_id: int) -> list[Row] | None:
        """Return a receipt's stock deductions; None when there is no such receipt."""
        self.clerk.tick()
        receipt = self._journal.receipt(venue_id, receipt_id)
        return None if receipt is None else self._brand.stock_operations_of(receipt)

    def ledger(
        self,
        venue_id: int,
        first: date | None = None,
        last: date | None = None,
        *,
        day: str = "created_at",
    ) -> Ledger:
        """Return the true figures of these days, changes included; see ``Brand.ledger``."""
        self.clerk.tick()
        return self._journal.ledger(venue_id, first, last, day)

    def recent(self, venue_id: int, count: int) -> list[Receipt]:
        """Return the models of the newest receipts, newest first; not to be changed."""
        return self._journal.recent(venue_id, count)

    def create_customer(self, fields: Mapping[str, Any]) -> Row:
        """Add a customer of the brand; raises ``Taken`` ("phone", "code" or "cid")."""
        with self._lock:
            return self._customers.add(fields, moment(self.now))

    def create_order(self, fields: Mapping[str, Any], venue_id: int) -> Row:
        """Add an order, ``PENDING`` in what is returned, from the body of POST /orders.

        Raises ``BooksError`` for an unknown product, modifier, customer (0 is a guest) or sale
        type. The same body twice is two orders.
        """
        with self._lock:
            venue = self._brand.venue(venue_id)
            customer = self._customers.find(fields["customer"]["id"], venue_id)
            number = self._journal.next_order_id
            order = self._desk.order(number, venue, moment(self.now), customer, fields)
            self._journal.add_order(order)
            row = self._journal.orders(venue_id).get(order.id)
            job = Job(venue_id, order.id, self.now)
            if fields.get("auto_order_accept"):
                self._accept(order, self.now)
            self.clerk.take(job)
            self.clerk.tick()
            return row or {}

    def set_order_status(self, venue_id: int, order_id: int, status: str) -> Row | None:
        """Set any status, as client tests do it; nothing else follows from it."""
        with self._lock:
            self.clerk.tick()
            order = self._journal.order(venue_id, order_id)
            if order is None:
                return None
            self._put_order(replace(order, status=status), self.now)
            return self._journal.orders(venue_id).get(order_id)

    def ignore_order(self, venue_id: int, order_id: int) -> Row | None:
        """Cancel a pending order, or one that is cancelled already.

        Raises ``BooksError`` (field "status") for one that the till has.
        """
        with self._lock:
            self.clerk.tick()
            order = self._journal.order(venue_id, order_id)
            if order is not None and order.status in ("RECEIVED", "DELIVERED"):
                reason = "The order is at the till already"
                raise BooksError(reason, "status")
            return self.set_order_status(venue_id, order_id, "IGNORE")

    def patch_receipt(
        self, venue_id: int, receipt_id: int, changes: Mapping[str, Any]
    ) -> Row | None:
        """Set ``order_status``, ``order_number``, ``fiscal_id`` or ``lock`` of a receipt.

        Nothing else follows from these: a cancelled receipt keeps its amounts, a locked one takes
        the next change.
        """
        with self._lock:
            self.clerk.tick()
            receipt = self._journal.receipt(venue_id, receipt_id)
            if receipt is None:
                return None
            now = max(seconds(self.now, receipt.day), receipt.updated)
            written = {**(receipt.written or {}), **changes}
            self._journal.put_receipt(replace(receipt, written=written, updated=now))
            return self._journal.receipts(venue_id).get(receipt_id)

    def close_receipt(
        self,
        venue_id: int,
        receipt_id: int,
        payments: Sequence[Mapping[str, Any]],
        closed_at: datetime | None = None,
    ) -> Row | None:
        """Pay and close an open receipt.

        Raises ``BooksError`` (``field`` "status", "payment_methods" or "closed_at") when it is not
        open, the amounts do not add up to ``remaining``, a method does not exist, or it would be
        closed before it was made.
        """
        with self._lock:
            self.clerk.tick()
            receipt = self._journal.receipt(venue_id, receipt_id)
            if receipt is None:
                return None
            if receipt.closed is not None:
                reason = "The receipt is closed already"
                raise BooksError(reason, "status")
            now = seconds(self.now, receipt.day)
            # A receipt of this very second is closed in the next: later than created is the rule.
            closed = max(now, receipt.created + 1)
            if closed_at is not None:
                closed = seconds(closed_at, receipt.day)
            self._journal.put_receipt(paid(receipt, by_method(payments), closed, now))
            return self._journal.receipts(venue_id).get(receipt_id)

    def call_waiter(
        self, venue_id: int, table_id: int, type: str, payment_method: int | None = None
    ) -> Row:
        """Note that a table called; see ``waiter_calls``. Raises ``BooksError``: no such table."""
        self._brand.venue(venue_id)
        if not venue_id * 100 <= table_id < venue_id * 100 + _TABLES:
            reason = "table_id is not a table of this venue"
            raise BooksError(reason, "table_id")
        call = {
            "venue_id": venue_id,
            "table_id": table_id,
            "type": type,
            "payment_method": payment_method,
            "at": self.now.isoformat(" "),
        }
        self.waiter_calls.append(call)
        return dict(call)

    def insert_receipt(self, venue_id: int, at: datetime | None = None) -> Row:
        """Ring up a closed receipt at a moment, now by default; its id is the next one.

        One of the past has its day's ``created_at`` and an ``updated_at`` of now, as when a
        terminal comes back online.
        """
        with self._lock:
            self.clerk.tick()
            venue = self._brand.venue(venue_id)
            day, created = moment(at or self.now)
            number, rank = self._journal.next_place(venue_id, day)
            chance = Random(f"{self._brand.seed}:{number}:inserted")
            place = number, rank, created
            receipt = self._brand.kitchen.receipt(chance, venue, day, place, None, _FAR)
            now = seconds(self.now, day)
            closed = receipt.closed or created + 1
            receipt.closed = max(created + 1, min(closed, now))
            receipt.updated = max(now, receipt.closed)
            for line in receipt.lines:
                line.added = min(line.added, receipt.closed - created)
            self._journal.add_receipt(receipt)
            return self._brand.receipt_row(receipt)

    def edit_receipt(self, venue_id: int, receipt_id: int) -> Row:
        """Sell one more of a receipt's first line; every sum follows, and ``updated_at``.

        Raises ``KeyError`` when the venue has no such receipt.
        """
        with self._lock:
            self.clerk.tick()
            receipt = self._needed(venue_id, receipt_id)
            new = edited(receipt, seconds(self.now, receipt.day))
            self._journal.put_receipt(new)
            return self._brand.receipt_row(new)

    def delete_receipt(self, venue_id: int, receipt_id: int) -> None:
        """Take a receipt out of everything; ``KeyError`` when the venue has no such receipt.

        The order it came from keeps its id and has no ``receipt`` any more.
        """
        with self._lock:
            self.clerk.tick()
            self._journal.remove_receipt(self._needed(venue_id, receipt_id))

    def _step(self, job: Job, at: datetime) -> bool:
        order = self._journal.order(job.venue_id, job.order_id)
        if order is None:
            return False
        if order.receipt is None:
            if order.status == "PENDING":
                self._accept(order, at)
                return True
            return False
        receipt = self._journal.receipt(job.venue_id, order.receipt.id)
        if receipt is not None and receipt.closed is None:
            now = seconds(at, receipt.day)
            payments = [(CASH, receipt.total)] if receipt.total else []
            self._journal.put_receipt(paid(receipt, payments, max(now, receipt.created + 1), now))
            order = self._journal.order(job.venue_id, job.order_id) or order
        if order.status == "RECEIVED" and receipt is not None:
            self._put_order(replace(order, status="DELIVERED"), at)
        return False

    def _accept(self, order: Order, at: datetime) -> None:
        accepted = moment(at)
        number, rank = self._journal.next_place(order.venue.id, accepted[0])
        receipt = self._desk.receipt(order, number, rank, accepted)
        self._journal.add_receipt(receipt)
        self._put_order(replace(order, status="RECEIVED", receipt=receipt), at)

    def _put_order(self, order: Order, at: datetime) -> None:
        order.updated = max(order.updated, seconds(at, order.day))
        self._journal.put_order(order)

    def _needed(self, venue_id: int, receipt_id: int) -> Receipt:
        receipt = self._journal.receipt(venue_id, receipt_id)
        if receipt is None:
            raise KeyError(receipt_id)
        return receipt

    def _invented(self, resource: str, venue_id: int) -> list[Row]:
        self.clerk.tick()
        changes = self._journal.receipts(venue_id).changes + self._customers.added
        with self._lock:
            key = resource, venue_id
            if key not in self._made or self._made[key][0] != changes:
                self._made[key] = changes, inventory.rows(self, self._brand, resource, venue_id)
            made: list[Row] = fresh(self._made[key][1])
            return made

    @cached_property
    def _desk(self) -> OrderDesk:
        return OrderDesk(self._brand.seed, self._brand.catalogue)
