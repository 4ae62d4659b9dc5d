"""The simulated restaurant brand: every table, receipt and order from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from functools import cached_property
from threading import RLock

from clopos_nb.sandbox.brand import people, settings
from clopos_nb.sandbox.brand.catalogue import Catalogue
from clopos_nb.sandbox.brand.columns import ORDER_COLUMNS, RECEIPT_COLUMNS, Columns
from clopos_nb.sandbox.brand.ledger import Ledger, keep
from clopos_nb.sandbox.brand.log import Log
from clopos_nb.sandbox.brand.products import Row, fresh
from clopos_nb.sandbox.brand.rota import Rota
from clopos_nb.sandbox.brand.served import Parts, Server, has
from clopos_nb.sandbox.brand.shift import Kitchen, Order, Shift
from clopos_nb.sandbox.brand.stamps import UTC_OFFSET
from clopos_nb.sandbox.brand.stock import stock_operations
from clopos_nb.sandbox.brand.till import Receipt
from clopos_nb.sandbox.brand.venues import Venue, make_venues

_CLOSING_TIME = time(21, 30)


class Brand:
    """A restaurant brand, "Nar Bağı", that does not exist.

    The same arguments give the same brand, on any machine and in any order of asking. Receipts and
    orders are made a venue and day at a time when asked for, and forgotten again, so that size
    costs neither start-up time nor memory.

    Parameters
    ----------
    seed : int, default 7
        Another seed is another brand with the same menu.
    venues : int, default 4
        The first four differ in character; more are variations on those.
    first_day, last_day : date
        The first shift, and the one that is running at ``now``.
    receipts_per_day : float, optional
        Mean of every venue; the default gives each its own, between 60 and 130.
    appetite : float, default 1
        So many times as much is ordered as usual, which is about three lines a receipt.

    Attributes
    ----------
    slug : str
        What the API calls ``brand``.
    venue_ids : list of int
        From 1.
    now : datetime
        Naive and brand-local: ``last_day`` at 21:30. Nothing later exists.
    utc_offset : timedelta
        Of the brand's local time.
    seed : int
        As given.
    """

    slug = "narbag"
    utc_offset = UTC_OFFSET

    def __init__(
        self,
        *,
        seed: int = 7,
        venues: int = 4,
        first_day: date = date(2025, 12, 1),
        last_day: date = date(2026, 2, 28),
        receipts_per_day: float | None = None,
        appetite: float = 1.0,
    ) -> None:
        if venues < 1 or last_day < first_day:
            message = "a brand needs at least one venue and one day"
            raise ValueError(message)
        self.seed = seed
        self._appetite = appetite
        self._first_day = first_day
        self._venues = make_venues(seed, venues, receipts_per_day)
        self.venue_ids = [venue.id for venue in self._venues]
        self.now = datetime.combine(last_day, _CLOSING_TIME)
        self._rota = Rota(seed, self._venues, first_day, self.now, lambda: self.kitchen)
        self._logs: dict[tuple[str, int], Log] = {}
        self._lock = RLock()

    def __repr__(self) -> str:
        last = self.now.date()
        return f"Brand({self.slug!r}, {len(self._venues)} venues, {self._first_day} to {last})"

    def version(self, resource: str) -> int:
        """Return how often a small resource changed: never, here."""
        return 0

    def rows(self, resource: str, venue_id: int) -> list[Row]:
        """Return a whole small table as one venue sees it, with every field and relation.

        Parameters
        ----------
        resource : str
            ``venues``, ``users``, ``customers``, ``customer_groups``, ``categories`` (a tree: the
            roots), ``stations``, ``products``, ``stop_list``, ``price_lists``, ``prices``,
            ``sale_types`` or ``payment_methods``.
        venue_id : int
            One of ``venue_ids``.

        Returns
        -------
        list of dict
            Fresh at every call, so the caller may cut them up.

        Raises
        ------
        KeyError
            No such resource or venue.
        """
        venue = self.venue(venue_id)
        rows: list[Row] = fresh(self._table(resource, venue))
        return rows

    def log(self, resource: str, venue_id: int) -> Log:
        """Return the receipts or orders of a venue.

        Raises
        ------
        KeyError
            ``resource`` is neither "receipts" nor "orders", or no such venue.
        """
        if resource not in ("receipts", "orders"):
            raise KeyError(resource)
        venue = self.venue(venue_id)
        with self._lock:
            key = resource, venue_id
            if key not in self._logs:
                self._logs[key] = self._make_log(resource, venue)
            return self._logs[key]

    def stock_operations(self, venue_id: int, receipt_id: int) -> list[Row] | None:
        """Return what a receipt took from storage, or None when the venue has no such receipt."""
        self.venue(venue_id)
        receipt = self.receipt(venue_id, receipt_id)
        return None if receipt is None else self.stock_operations_of(receipt)

    def ledger(
        self,
        venue_id: int,
        first: date | None = None,
        last: date | None = None,
        *,
        day: str = "created_at",
    ) -> Ledger:
        """Return the books of a venue, from the model and not from what was served.

        Parameters
        ----------
        venue_id : int
            One of ``venue_ids``.
        first, last : date, optional
            Inclusive; open ended where None.
        day : {"created_at", "shift_date"}
            Which day of a receipt counts. Orders have no shift date of their own: they count with
            the shift that took them.
        """
        if day not in ("created_at", "shift_date"):
            message = f"day must be 'created_at' or 'shift_date', not {day!r}"
            raise ValueError(message)
        first = first or self._first_day
        # Nothing of the last shift is made after midnight, so its own day is the last of all.
        last = last or self.now.date()
        if day == "created_at":
            orders = self.log("orders", venue_id).total(first, last)
        else:
            orders = self.orders_of_shifts(venue_id, first, last)
        return keep(self.entries(venue_id, first, last, day), orders)

    def receipt(self, venue_id: int, receipt_id: int) -> Receipt | None:
        """Return the model of a receipt, not to be changed; None when the venue has none such."""
        place = self.log("receipts", venue_id).place(receipt_id)
        return None if place is None else self.shift(venue_id, place[0]).receipt(place[1])

    def order(self, venue_id: int, order_id: int) -> Order | None:
        """Return the model of an order, not to be changed; None when the venue has none such."""
        place = self.log("orders", venue_id).place(order_id)
        return None if place is None else self.shift(venue_id, place[0]).orders[place[1]]

    def receipt_row(self, receipt: Receipt, parts: Parts = None) -> Row:
        """Return a receipt of any origin as a row."""
        monthly = self._rota.before_in_month(receipt) if has(parts, "legacy") else 0
        return self._server.receipt(receipt, monthly, parts)

    def order_row(self, order: Order, receipt: Receipt | None, parts: Parts = None) -> Row:
        """Return an order of any origin as a row, with the receipt that stands for it now."""
        monthly = self._rota.before_in_month(receipt) if receipt else 0
        return self._server.order(order, monthly, parts, receipt=receipt)

    def stock_operations_of(self, receipt: Receipt) -> list[Row]:
        """Return what a receipt of any origin took from storage."""
        return stock_operations(self.seed, self.catalogue, receipt)

    def cash_shift_cid(self, venue_id: int, day: date) -> str:
        """Return the UUID of the cash shift that a business day's receipts belong to."""
        return self._server.cash_shift_cid(venue_id, day)

    def before(self, resource: str, venue_id: int, day: date, seconds: int) -> int:
        """Return how many rows of the log had been created by a moment of a shift, itself included.

        Makes no rows.
        """
        return self._rota.before(resource, venue_id, day, seconds)

    def size_of_shift(self, venue_id: int, day: date) -> int:
        """Return how many receipts a shift has; none on days that the brand was not made for."""
        return self._rota.size(venue_id, day)

    @property
    def next_ids(self) -> tuple[int, int]:
        """The first receipt id and order id that no row bears."""
        return self._rota.receipts.next_id, self._rota.orders.next_id

    def entries(
        self, venue_id: int, first: date, last: date, day: str
    ) -> Iterator[tuple[date, Receipt]]:
        """Yield receipts with the day to book each on."""
        return self._rota.entries(venue_id, first, last, day)

    def orders_of_shifts(self, venue_id: int, first: date, last: date) -> int:
        """Return how many orders the shifts of these days took."""
        return self._rota.count_orders(venue_id, first, last)

    def venue(self, venue_id: int) -> Venue:
        """Return a venue; raises KeyError for an unknown one."""
        return self._rota.venue(venue_id)

    def shift(self, venue_id: int, number: int) -> Shift:
        """Return a venue's shift by day number, made now or remembered."""
        return self._rota.shift(venue_id, number)

    @property
    def shifts_made(self) -> int:
        """How often a venue and day had to be made so far."""
        return self._rota.made

    @cached_property
    def catalogue(self) -> Catalogue:
        """Every product of the brand."""
        return Catalogue(self.seed)

    @cached_property
    def _groups(self) -> list[Row]:
        return people.group_rows()

    @cached_property
    def _customers(self) -> list[Row]:
        return people.customer_rows(self.seed, self._venues, self._groups)

    @cached_property
    def _server(self) -> Server:
        names = people.user_names(people.user_rows(self.seed, self._venues))
        return Server(self.seed, self.catalogue, names)

    @cached_property
    def kitchen(self) -> Kitchen:
        """Makes receipts."""
        return Kitchen(self.seed, self.catalogue.items, self._customers, self._appetite)

    def _table(self, resource: str, venue: Venue) -> list[Row]:
        catalogue = self.catalogue
        match resource:
            case "venues":
                return settings.venue_rows(self._venues)
            case "users":
                return people.user_rows(self.seed, self._venues)
            case "customers":
                return self._customers
            case "customer_groups":
                return self._groups
            case "categories":
                return catalogue.categories
            case "stations":
                return catalogue.stations
            case "products":
                return catalogue.products
            case "stop_list":
                sold = [item.id for item in catalogue.items]
                return settings.stop_list_rows(self.seed, venue, sold, self.now.date())
            case "price_lists":
                return catalogue.price_lists
            case "prices":
                return catalogue.prices
            case "sale_types":
                return settings.sale_type_rows(self._venues, venue)
            case "payment_methods":
                return settings.payment_method_rows(self._venues, venue)
        raise KeyError(resource)

    def _make_log(self, resource: str, venue: Venue) -> Log:
        rota, (receipts, orders) = self._rota, self._rota.index(venue.id)
        if resource == "receipts":
            keys = self._server.receipt_keys
            receipt_rows = _ReceiptRows(self, rota, venue.id)
            return Log(rota.receipts, receipts, venue.id, receipt_rows, keys.number)
        order_rows = _OrderRows(self, rota, venue.id)
        return Log(rota.orders, orders, venue.id, order_rows, lambda _: None)


class _ReceiptRows:
    """What a venue's log of receipts is made of."""

    names: tuple[str, ...] = RECEIPT_COLUMNS

    def __init__(self, brand: Brand, rota: Rota, venue_id: int) -> None:
        self._brand = brand
        self._rota = rota
        self._venue_id = venue_id

    def row(self, day: int, rank: int, parts: Parts) -> Row:
        return self._brand.receipt_row(self._rota.shift(self._venue_id, day).receipt(rank), parts)

    def columns(self, day: int) -> Columns:
        return self._rota.columns("receipts", self._venue_id, day)


class _OrderRows:
    """What a venue's log of orders is made of."""

    names: tuple[str, ...] = ORDER_COLUMNS

    def __init__(self, brand: Brand, rota: Rota, venue_id: int) -> None:
        self._brand = brand
        self._rota = rota
        self._venue_id = venue_id

    def row(self, day: int, rank: int, parts: Parts) -> Row:
        order = self._rota.shift(self._venue_id, day).orders[rank]
        return self._brand.order_row(order, order.receipt, parts)

    def columns(self, day: int) -> Columns:
        return self._rota.columns("orders", self._venue_id, day)
