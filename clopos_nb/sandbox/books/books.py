"""A brand with everything that was written since laid over the data it was made with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from functools import cached_property
from random import Random
from threading import RLock
from typing import Any

from clopos_nb.sandbox.books import inventory
from clopos_nb.sandbox.books.amounts import exact_minor
from clopos_nb.sandbox.books.clerk import Clerk, Job
from clopos_nb.sandbox.books.customers import check_unique, customer_row
from clopos_nb.sandbox.books.errors import BooksError
from clopos_nb.sandbox.books.log import OpenLog
from clopos_nb.sandbox.books.orders import GUEST, OrderDesk, edited, paid
from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.brand.columns import order_columns, receipt_columns
from clopos_nb.sandbox.brand.ledger import Ledger, keep
from clopos_nb.sandbox.brand.products import Row, fresh
from clopos_nb.sandbox.brand.served import LINE_IDS, Parts
from clopos_nb.sandbox.brand.settings import CASH, METHOD_NAMES
from clopos_nb.sandbox.brand.shift import Order
from clopos_nb.sandbox.brand.stamps import DAY, Keys
from clopos_nb.sandbox.brand.till import Receipt

_SHIFT_ENDS = timedelta(hours=6)
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
        self._receipt_logs: dict[int, OpenLog[Receipt]] = {}
        self._order_logs: dict[int, OpenLog[Order]] = {}
        self._customers: list[Row] = []
        self._next_receipt, self._next_order = brand.next_ids
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
        return len(self._customers) if resource == "customers" else 0

    def rows(self, resource: str, venue_id: int) -> list[Row]:
        """Return all rows of a small resource.

        Those of ``inventory.RESOURCES`` are invented, each with a field ``_sandbox`` that says so:
        the API publishes none of their fields.
        """
        if resource in inventory.RESOURCES:
            return self._invented(resource, venue_id)
        rows = self._brand.rows(resource, venue_id)
        if resource == "customers":
            with self._lock:
                rows += fresh(self._customers)
        return rows

    def log(self, resource: str, venue_id: int) -> OpenLog[Receipt] | OpenLog[Order]:
        """Return the receipts or orders of a venue, changes included."""
        self.clerk.tick()
        if resource == "receipts":
            return self._receipts(venue_id)
        if resource == "orders":
            return self._orders(venue_id)
        raise KeyError(resource)

    def stock_operations(self, venue_id: int, receipt_id: int) -> list[Row] | None:
        """Return a receipt's stock deductions; None when there is no such receipt."""
        self.clerk.tick()
        receipt = self._receipt(venue_id, receipt_id)
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
        log, orders = self._receipts(venue_id), self._orders(venue_id)
        if not log.changes and not orders.changes:
            return self._brand.ledger(venue_id, first, last, day=day)
        if day not in ("created_at", "shift_date"):
            message = f"day must be 'created_at' or 'shift_date', not {day!r}"
            raise ValueError(message)
        with self._lock:
            if day == "created_at":
                count = orders.total(first, last)
            else:
                count = self._brand.orders_of_shifts(venue_id, first or date.min, last or date.max)
                count += sum(_within(o.day, first, last) for o in orders.added())
            return keep(self._entries(log, venue_id, first, last, day), count)

    def _entries(
        self,
        log: OpenLog[Receipt],
        venue_id: int,
        first: date | None,
        last: date | None,
        day: str,
    ) -> Iterator[tuple[date, Receipt]]:
        touched = log.touched()
        below = self._brand.entries(venue_id, first or date.min, last or date.max, day)
        yield from (entry for entry in below if entry[1].id not in touched)
        for receipt in log.models():
            booked = receipt.day
            if day == "created_at":
                booked += timedelta(days=receipt.created // DAY)
            if _within(booked, first, last):
                yield booked, receipt

    def recent(self, venue_id: int, count: int) -> list[Receipt]:
        """Return the models of the newest receipts, newest first; not to be changed."""
        with self._lock:
            ids = self._receipts(venue_id).page_ids(None, None, 0, count, descending=True)
            found = [self._receipt(venue_id, id) for id in ids]
            return [receipt for receipt in found if receipt is not None]

    def create_customer(self, fields: Mapping[str, Any]) -> Row:
        """Add a customer of the brand; raises ``Taken`` ("phone", "code" or "cid")."""
        with self._lock:
            rows = self.rows("customers", fields.get("venue_id", self.venue_ids[0]))
            check_unique(fields, rows)
            number = max(row["id"] for row in rows) + 1
            groups = self._brand.rows("customer_groups", self.venue_ids[0])
            row = customer_row(number, self._keys, groups, _moment(self.now), fields)
            self._customers.append(row)
            made: Row = fresh(row)
            return made

    def create_order(self, fields: Mapping[str, Any], venue_id: int) -> Row:
        """Add an order, ``PENDING`` in what is returned, from the body of POST /orders.

        Raises ``BooksError`` for an unknown product, modifier, customer (0 is a guest) or sale
        type. The same body twice is two orders.
        """
        with self._lock:
            venue = self._brand.venue(venue_id)
            moment = _moment(self.now)
            customer = self._customer(fields["customer"]["id"], venue_id)
            order = self._desk.order(self._next_order, venue, moment, customer, fields)
            self._next_order += 1
            log = self._orders(venue_id)
            log.add(order)
            row = log.get(order.id)
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
            order = self._order(venue_id, order_id)
            if order is None:
                return None
            self._put_order(replace(order, status=status), self.now)
            return self._orders(venue_id).get(order_id)

    def ignore_order(self, venue_id: int, order_id: int) -> Row | None:
        """Cancel a pending order, or one that is cancelled already.

        Raises ``BooksError`` (field "status") for one that the till has.
        """
        with self._lock:
            self.clerk.tick()
            order = self._order(venue_id, order_id)
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
            receipt = self._receipt(venue_id, receipt_id)
            if receipt is None:
                return None
            now = max(_seconds(self.now, receipt.day), receipt.updated)
            written = {**(receipt.written or {}), **changes}
            self._put_receipt(replace(receipt, written=written, updated=now))
            return self._receipts(venue_id).get(receipt_id)

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
            receipt = self._receipt(venue_id, receipt_id)
            if receipt is None:
                return None
            if receipt.closed is not None:
                reason = "The receipt is closed already"
                raise BooksError(reason, "status")
            now = _seconds(self.now, receipt.day)
            # A receipt of this very second is closed in the next: later than created is the rule.
            closed = max(now, receipt.created + 1)
            if closed_at is not None:
                closed = _seconds(closed_at, receipt.day)
            self._put_receipt(paid(receipt, _amounts(payments), closed, now))
            return self._receipts(venue_id).get(receipt_id)

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
            day, created = _moment(at or self.now)
            number, rank = self._number(1), self._rank(venue_id, day)
            chance = Random(f"{self._brand.seed}:{number}:inserted")
            place = number, rank, created
            receipt = self._brand.kitchen.receipt(chance, venue, day, place, None, _FAR)
            now = _seconds(self.now, day)
            closed = receipt.closed or created + 1
            receipt.closed = max(created + 1, min(closed, now))
            receipt.updated = max(now, receipt.closed)
            for line in receipt.lines:
                line.added = min(line.added, receipt.closed - created)
            self._receipts(venue_id).add(receipt)
            return self._brand.receipt_row(receipt)

    def edit_receipt(self, venue_id: int, receipt_id: int) -> Row:
        """Sell one more of a receipt's first line; every sum follows, and ``updated_at``.

        Raises ``KeyError`` when the venue has no such receipt.
        """
        with self._lock:
            self.clerk.tick()
            receipt = self._needed(venue_id, receipt_id)
            new = edited(receipt, _seconds(self.now, receipt.day))
            self._put_receipt(new)
            return self._brand.receipt_row(new)

    def delete_receipt(self, venue_id: int, receipt_id: int) -> None:
        """Take a receipt out of everything; ``KeyError`` when the venue has no such receipt.

        The order it came from keeps its id and has no ``receipt`` any more.
        """
        with self._lock:
            self.clerk.tick()
            receipt = self._needed(venue_id, receipt_id)
            self._receipts(venue_id).remove(receipt_id)
            self._touch_order(receipt)

    def _step(self, job: Job, at: datetime) -> bool:
        order = self._order(job.venue_id, job.order_id)
        if order is None:
            return False
        if order.receipt is None:
            if order.status == "PENDING":
                self._accept(order, at)
                return True
            return False
        receipt = self._receipt(job.venue_id, order.receipt.id)
        if receipt is not None and receipt.closed is None:
            now = _seconds(at, receipt.day)
            payments = [(CASH, receipt.total)] if receipt.total else []
            self._put_receipt(paid(receipt, payments, max(now, receipt.created + 1), now))
            order = self._order(job.venue_id, job.order_id) or order
        if order.status == "RECEIVED" and receipt is not None:
            self._put_order(replace(order, status="DELIVERED"), at)
        return False

    def _accept(self, order: Order, at: datetime) -> None:
        day, second = _moment(at)
        number, rank = self._number(len(order.lines)), self._rank(order.venue.id, day)
        receipt = self._desk.receipt(order, number, rank, (day, second))
        self._receipts(order.venue.id).add(receipt)
        self._put_order(replace(order, status="RECEIVED", receipt=receipt), at)

    def _put_order(self, order: Order, at: datetime) -> None:
        order.updated = max(order.updated, _seconds(at, order.day))
        self._orders(order.venue.id).put(order)

    def _put_receipt(self, receipt: Receipt) -> None:
        self._receipts(receipt.venue.id).put(receipt)
        self._touch_order(receipt)

    def _touch_order(self, receipt: Receipt) -> None:
        # An order shows its receipt, so it changes with it.
        if receipt.order_id is None:
            return
        order = self._order(receipt.venue.id, receipt.order_id)
        if order is not None:
            self._orders(receipt.venue.id).put(order)

    def _number(self, lines: int) -> int:
        # Line ids follow from the receipt's: a long receipt takes up the room of several.
        number = self._next_receipt
        self._next_receipt += max(1, -(-lines // LINE_IDS))
        return number

    def _rank(self, venue_id: int, day: date) -> int:
        log = self._receipts(venue_id)
        added = sum(receipt.day == day for receipt in log.added())
        return self._brand.size_of_shift(venue_id, day) + added

    def _receipts(self, venue_id: int) -> OpenLog[Receipt]:
        with self._lock:
            if venue_id not in self._receipt_logs:
                self._receipt_logs[venue_id] = OpenLog(
                    self._brand.log("receipts", venue_id),
                    self._brand.receipt_row,
                    receipt_columns,
                    lambda day, second: self._brand.before("receipts", venue_id, day, second),
                    self._lock,
                )
            return self._receipt_logs[venue_id]

    def _orders(self, venue_id: int) -> OpenLog[Order]:
        with self._lock:
            if venue_id not in self._order_logs:
                self._order_logs[venue_id] = OpenLog(
                    self._brand.log("orders", venue_id),
                    self._order_row,
                    order_columns,
                    lambda day, second: self._brand.before("orders", venue_id, day, second),
                    self._lock,
                )
            return self._order_logs[venue_id]

    def _order_row(self, order: Order, parts: Parts) -> Row:
        receipt = order.receipt and self._receipt(order.venue.id, order.receipt.id)
        return self._brand.order_row(order, receipt, parts)

    def _receipt(self, venue_id: int, receipt_id: int) -> Receipt | None:
        log = self._receipts(venue_id)
        if log.is_gone(receipt_id):
            return None
        return log.model(receipt_id) or self._brand.receipt(venue_id, receipt_id)

    def _order(self, venue_id: int, order_id: int) -> Order | None:
        return self._orders(venue_id).model(order_id) or self._brand.order(venue_id, order_id)

    def _needed(self, venue_id: int, receipt_id: int) -> Receipt:
        receipt = self._receipt(venue_id, receipt_id)
        if receipt is None:
            raise KeyError(receipt_id)
        return receipt

    def _customer(self, customer_id: int, venue_id: int) -> Row | None:
        if customer_id == GUEST:
            return None
        rows = self.rows("customers", venue_id)
        found = next((row for row in rows if row["id"] == customer_id), None)
        if found is None:
            reason = "customer.id is not a customer of this brand"
            raise BooksError(reason, "customer")
        return found

    def _invented(self, resource: str, venue_id: int) -> list[Row]:
        self.clerk.tick()
        changes = self._receipts(venue_id).changes + len(self._customers)
        with self._lock:
            key = resource, venue_id
            if key not in self._made or self._made[key][0] != changes:
                self._made[key] = changes, inventory.rows(self, self._brand, resource, venue_id)
            made: list[Row] = fresh(self._made[key][1])
            return made

    @cached_property
    def _desk(self) -> OrderDesk:
        return OrderDesk(self._brand.seed, self._brand.catalogue)

    @cached_property
    def _keys(self) -> Keys:
        return Keys(self._brand.seed, "customer")


def _amounts(payments: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Return what each method paid; two entries of one method are one, empty ones none."""
    sums: dict[int, int] = {}
    for payment in payments:
        method = payment["id"]
        if method not in METHOD_NAMES:
            reason = f"{method} is not a payment method of this brand"
            raise BooksError(reason, "payment_methods")
        amount = exact_minor(payment["amount"], "amount")
        sums[method] = sums.get(method, 0) + amount
    return [(method, amount) for method, amount in sums.items() if amount]


def _moment(at: datetime) -> tuple[date, int]:
    """Return the shift day of a moment, which ends early in the morning, and its second."""
    day = (at - _SHIFT_ENDS).date()
    return day, _seconds(at, day)


def _seconds(at: datetime, day: date) -> int:
    return int((at - datetime.combine(day, time())).total_seconds())


def _within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)
