"""The receipts and orders of every venue, with everything that was written since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from threading import RLock

from clopos_nb.sandbox.books.log import OpenLog
from clopos_nb.sandbox.books.moments import within
from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.brand.columns import order_columns, receipt_columns
from clopos_nb.sandbox.brand.ledger import Ledger, keep
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.served import LINE_IDS, Parts
from clopos_nb.sandbox.brand.shift import Order
from clopos_nb.sandbox.brand.stamps import DAY
from clopos_nb.sandbox.brand.till import Receipt


class Journal:
    """Finds, numbers and enters the models of receipts and orders, and adds them up.

    Parameters
    ----------
    brand : Brand
        What was there from the beginning; stays as it is.
    lock : RLock
        Held while logs are read or changed.

    Attributes
    ----------
    next_order_id : int
        What the next order is to bear.
    """

    def __init__(self, brand: Brand, lock: RLock) -> None:
        self._brand = brand
        self._lock = lock
        self._receipt_logs: dict[int, OpenLog[Receipt]] = {}
        self._order_logs: dict[int, OpenLog[Order]] = {}
        self._next_receipt_id, self.next_order_id = brand.next_ids

    def receipts(self, venue_id: int) -> OpenLog[Receipt]:
        """Return the receipts of a venue."""
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

    def orders(self, venue_id: int) -> OpenLog[Order]:
        """Return the orders of a venue."""
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
        receipt = order.receipt and self.receipt(order.venue.id, order.receipt.id)
        return self._brand.order_row(order, receipt, parts)

    def receipt(self, venue_id: int, receipt_id: int) -> Receipt | None:
        """Return the model of a receipt as it is now, not to be changed."""
        log = self.receipts(venue_id)
        if log.is_gone(receipt_id):
            return None
        return log.model(receipt_id) or self._brand.receipt(venue_id, receipt_id)

    def order(self, venue_id: int, order_id: int) -> Order | None:
        """Return the model of an order as it is now, not to be changed."""
        return self.orders(venue_id).model(order_id) or self._brand.order(venue_id, order_id)

    def recent(self, venue_id: int, count: int) -> list[Receipt]:
        """Return the models of the newest receipts, newest first; not to be changed."""
        with self._lock:
            ids = self.receipts(venue_id).page_ids(None, None, 0, count, descending=True)
            found = [self.receipt(venue_id, id) for id in ids]
            return [receipt for receipt in found if receipt is not None]

    def next_place(self, venue_id: int, day: date) -> tuple[int, int]:
        """Return the id of the next receipt, and its rank within a shift."""
        added = sum(receipt.day == day for receipt in self.receipts(venue_id).added())
        return self._next_receipt_id, self._brand.size_of_shift(venue_id, day) + added

    def add_receipt(self, receipt: Receipt) -> None:
        """Enter a receipt made for its ``next_place``."""
        # Line ids follow from the receipt's: a long receipt takes up the room of several.
        self._next_receipt_id = receipt.id + max(1, -(-len(receipt.lines) // LINE_IDS))
        self.receipts(receipt.venue.id).add(receipt)

    def add_order(self, order: Order) -> None:
        """Enter an order that bears ``next_order_id``."""
        self.next_order_id = order.id + 1
        self.orders(order.venue.id).add(order)

    def put_receipt(self, receipt: Receipt) -> None:
        """Replace a receipt."""
        self.receipts(receipt.venue.id).put(receipt)
        self._touch_order(receipt)

    def remove_receipt(self, receipt: Receipt) -> None:
        """Take a receipt out."""
        self.receipts(receipt.venue.id).remove(receipt.id)
        self._touch_order(receipt)

    def put_order(self, order: Order) -> None:
        """Replace an order."""
        self.orders(order.venue.id).put(order)

    def _touch_order(self, receipt: Receipt) -> None:
        # An order shows its receipt, so it changes with it.
        if receipt.order_id is None:
            return
        order = self.order(receipt.venue.id, receipt.order_id)
        if order is not None:
            self.put_order(order)

    def ledger(self, venue_id: int, first: date | None, last: date | None, day: str) -> Ledger:
        """Return the true figures of these days; see ``Brand.ledger``."""
        log, orders = self.receipts(venue_id), self.orders(venue_id)
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
                count += sum(within(order.day, first, last) for order in orders.added())
            return keep(self._entries(venue_id, first, last, day), count)

    def _entries(
        self, venue_id: int, first: date | None, last: date | None, day: str
    ) -> Iterator[tuple[date, Receipt]]:
        log = self.receipts(venue_id)
        touched = log.touched()
        below = self._brand.entries(venue_id, first or date.min, last or date.max, day)
        yield from (entry for entry in below if entry[1].id not in touched)
        for receipt in log.models():
            booked = receipt.day
            if day == "created_at":
                booked += timedelta(days=receipt.created // DAY)
            if within(booked, first, last):
                yield booked, receipt
