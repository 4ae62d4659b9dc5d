"""A brand with everything that was written since laid over the data it was made with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from typing import Any

from clopos_nb.sandbox.books.clerk import Clerk
from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.source import Log

Row = dict[str, Any]


class Books:
    """The same source as a brand, and open for writing.

    Rows are returned fresh; a write returns the full row (relations and legacy fields included, so
    the endpoints project it), or None where the venue has no such row.

    Parameters
    ----------
    brand : Brand
        Stays as it is.
    now : callable, optional
        Naive brand-local data time; the brand's own, which stands still, by default.
    """

    def __init__(self, brand: Brand, now: Callable[[], datetime] | None = None) -> None:
        self._brand = brand
        self._now = now or (lambda: brand.now)
        self.clerk = Clerk(self)
        self.waiter_calls: list[Row] = []

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
        """Naive brand-local data time."""
        return self._now()

    @property
    def utc_offset(self) -> timedelta:
        """Of the brand's local time."""
        return self._brand.utc_offset

    def rows(self, resource: str, venue_id: int) -> list[Row]:
        """Return all rows of a small resource.

        Also those of 5.18, every row with ``_sandbox``: ``stock stock_total stock_product
        stock_product_group stock_info stock_operations stock_operation_products
        stock_operation_total operations operation_items operation_statuses operation_total
        operation_item_total storages suppliers supplier_total finance_balances
        finance_balance_list finance_balance_customer finance_balance_date_states
        finance_balance_transactions finance_cash_shifts finance_cash_shift_reports
        finance_categories finance_taxes finance_tax_types finance_tax_report finance_tax_total
        finance_transactions``.
        """
        return self._brand.rows(resource, venue_id)

    def log(self, resource: str, venue_id: int) -> Log:
        """Return the receipts or orders of a venue, changes included."""
        return self._brand.log(resource, venue_id)

    def stock_operations(self, venue_id: int, receipt_id: int) -> list[Row] | None:
        """Return a receipt's stock deductions; None when there is no such receipt."""
        return self._brand.stock_operations(venue_id, receipt_id)

    def ledger(
        self,
        venue_id: int,
        first: date | None = None,
        last: date | None = None,
        *,
        day: str = "created_at",
    ) -> Any:
        """Return the true figures of these days, changes included."""
        return self._brand.ledger(venue_id, first, last, day=day)

    def create_customer(self, fields: Mapping[str, Any]) -> Row:
        """Add a customer of the brand; raises ``Taken`` ("phone", "code" or "cid")."""
        raise NotImplementedError

    def create_order(self, fields: Mapping[str, Any], venue_id: int) -> Row:
        """Add an order, ``PENDING`` in what is returned, from the body of POST /orders.

        Raises ``BooksError`` for an unknown product, modifier, customer (0 is a guest) or sale
        type. The same body twice is two orders.
        """
        raise NotImplementedError

    def set_order_status(self, venue_id: int, order_id: int, status: str) -> Row | None:
        """Set any status, as client tests do it; nothing else follows from it."""
        raise NotImplementedError

    def ignore_order(self, venue_id: int, order_id: int) -> Row | None:
        """Cancel a pending order; raises ``BooksError`` for one that the till has already."""
        raise NotImplementedError

    def patch_receipt(
        self, venue_id: int, receipt_id: int, changes: Mapping[str, Any]
    ) -> Row | None:
        """Set ``order_status``, ``order_number``, ``fiscal_id`` or ``lock`` of a receipt."""
        raise NotImplementedError

    def close_receipt(
        self,
        venue_id: int,
        receipt_id: int,
        payments: list[Mapping[str, Any]],
        closed_at: datetime | None = None,
    ) -> Row | None:
        """Pay and close an open receipt.

        Raises ``BooksError`` (``field`` "status", "payment_methods" or "closed_at") when it is not
        open, the amounts do not add up to ``remaining``, a method does not exist, or it would be
        closed before it was made.
        """
        raise NotImplementedError

    def call_waiter(
        self, venue_id: int, table_id: int, type: str, payment_method: int | None = None
    ) -> Row:
        """Note that a table called; see ``waiter_calls``. Raises ``BooksError``: no such table."""
        raise NotImplementedError

    def insert_receipt(self, venue_id: int, at: datetime | None = None) -> Row:
        """Ring up a closed receipt at a moment, now by default; its id is the next one."""
        raise NotImplementedError

    def edit_receipt(self, venue_id: int, receipt_id: int) -> Row:
        """Sell one more of a receipt's first line; every sum follows, and ``updated_at``.

        Raises ``KeyError`` when the venue has no such receipt.
        """
        raise NotImplementedError

    def delete_receipt(self, venue_id: int, receipt_id: int) -> None:
        """Take a receipt out of everything; ``KeyError`` when the venue has no such receipt."""
        raise NotImplementedError

    def settle(self) -> int:
        """Do the clerk's work; ``clerk.work`` calls this."""
        return 0
