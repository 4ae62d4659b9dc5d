"""The simulated restaurant brand: every table, receipt and order from a seed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cached_property
from threading import RLock

from clopos_nb.sandbox.brand import people, settings
from clopos_nb.sandbox.brand.catalogue import Catalogue
from clopos_nb.sandbox.brand.columns import (
    ORDER_COLUMNS,
    RECEIPT_COLUMNS,
    Columns,
    order_columns,
    receipt_columns,
)
from clopos_nb.sandbox.brand.ledger import Ledger, keep
from clopos_nb.sandbox.brand.log import Log
from clopos_nb.sandbox.brand.plan import Plan, make_plan
from clopos_nb.sandbox.brand.products import Row, fresh
from clopos_nb.sandbox.brand.served import Parts, Server, has
from clopos_nb.sandbox.brand.shift import Kitchen, Order, Shift
from clopos_nb.sandbox.brand.stamps import DAY, UTC_OFFSET
from clopos_nb.sandbox.brand.stock import stock_operations
from clopos_nb.sandbox.brand.tally import Index, order_tally, receipt_tally
from clopos_nb.sandbox.brand.till import Receipt
from clopos_nb.sandbox.brand.venues import Venue, make_venues

_CLOSING_TIME = time(21, 30)
_MOST_SHIFTS, _MOST_RECEIPTS = 256, 8_000
_MOST_COLUMNS = 4096


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
    shifts_made : int
        How often a venue and day had to be made so far.
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
    ) -> None:
        if venues < 1 or last_day < first_day:
            message = "a brand needs at least one venue and one day"
            raise ValueError(message)
        self.seed = seed
        self._first_day = first_day
        self._days = (last_day - first_day).days + 1
        self._venues = make_venues(seed, venues, receipts_per_day)
        self.venue_ids = [venue.id for venue in self._venues]
        self.now = datetime.combine(last_day, _CLOSING_TIME)
        self._receipts = receipt_tally(seed, self._venues, first_day, self._days)
        self._orders = order_tally(seed, self._venues, self._receipts)
        self._logs: dict[tuple[str, int], Log] = {}
        self._indexes: dict[int, tuple[Index, Index]] = {}
        self._shifts: OrderedDict[tuple[int, int], Shift] = OrderedDict()
        busiest = int((self._receipts.early + self._receipts.late).max())
        self._room = max(8, min(_MOST_SHIFTS, _MOST_RECEIPTS // max(1, busiest)))
        self._columns: OrderedDict[tuple[str, int, int], Columns] = OrderedDict()
        self._lock = RLock()
        self.shifts_made = 0

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
        monthly = self._before_in_month(receipt) if has(parts, "legacy") else 0
        return self._server.receipt(receipt, monthly, parts)

    def order_row(self, order: Order, receipt: Receipt | None, parts: Parts = None) -> Row:
        """Return an order of any origin as a row, with the receipt that stands for it now."""
        monthly = self._before_in_month(receipt) if receipt else 0
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
        venue = self.venue(venue_id)
        number = (day - self._first_day).days
        index = self._index(venue_id)[resource == "orders"]
        if not 0 <= number < self._days:
            return 0 if number < 0 else index.start(self._days)
        plan = self._plan(venue, number)
        until = plan.receipts_until if resource == "receipts" else plan.orders_until
        return index.start(number) + min(index.size(number), until(seconds))

    def size_of_shift(self, venue_id: int, day: date) -> int:
        """Return how many receipts a shift has; none on days that the brand was not made for."""
        number = (day - self._first_day).days
        return self._index(venue_id)[0].size(number) if 0 <= number < self._days else 0

    @property
    def next_ids(self) -> tuple[int, int]:
        """The first receipt id and order id that no row bears."""
        return self._receipts.next_id, self._orders.next_id

    def entries(
        self, venue_id: int, first: date, last: date, day: str
    ) -> Iterator[tuple[date, Receipt]]:
        """Yield receipts with the day to book each on."""
        start = max(0, (first - self._first_day).days - 1)
        stop = min(self._days, (last - self._first_day).days + 1)
        for number in range(start, stop):
            shift = self.shift(venue_id, number)
            for receipt in shift.receipts:
                booked = receipt.day
                if day == "created_at":
                    booked += timedelta(days=receipt.created // DAY)
                if first <= booked <= last:
                    yield booked, receipt

    def orders_of_shifts(self, venue_id: int, first: date, last: date) -> int:
        """Return how many orders the shifts of these days took."""
        index = self._index(venue_id)[1]
        start = max(0, (first - self._first_day).days)
        stop = min(self._days, (last - self._first_day).days + 1)
        return sum(index.size(number) for number in range(start, stop))

    def venue(self, venue_id: int) -> Venue:
        """Return a venue; raises KeyError for an unknown one."""
        if not 1 <= venue_id <= len(self._venues):
            raise KeyError(venue_id)
        return self._venues[venue_id - 1]

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
        return Kitchen(self.seed, self.catalogue.items, self._customers)

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

    def _plan(self, venue: Venue, number: int) -> Plan:
        row = venue.id - 1
        receipts, orders = self._receipts, self._orders
        return make_plan(
            self.seed,
            venue,
            self._first_day + timedelta(days=number),
            (int(receipts.early[row, number]), int(receipts.late[row, number])),
            (int(orders.early[row, number]), int(orders.late[row, number])),
        )

    def _now(self, number: int) -> int:
        midnight = datetime.combine(self._first_day + timedelta(days=number), time())
        return int((self.now - midnight).total_seconds())

    def _index(self, venue_id: int) -> tuple[Index, Index]:
        with self._lock:
            if venue_id not in self._indexes:
                last = self._days - 1
                plan, now = self._plan(self.venue(venue_id), last), self._now(last)
                self._indexes[venue_id] = (
                    Index(self._receipts, venue_id, self._first_day, plan.receipts_until(now)),
                    Index(self._orders, venue_id, self._first_day, plan.orders_until(now)),
                )
            return self._indexes[venue_id]

    def _make_log(self, resource: str, venue: Venue) -> Log:
        receipts, orders = self._index(venue.id)
        if resource == "receipts":
            keys = self._server.receipt_keys
            made = _ReceiptRows(self, venue.id)
            return Log(self._receipts, receipts, venue.id, made, keys.number)
        return Log(self._orders, orders, venue.id, _OrderRows(self, venue.id), lambda _: None)

    def columns(self, resource: str, venue_id: int, number: int) -> Columns:
        """Return what sorting and filtering need of a shift, remembered longer than the shift."""
        key = resource, venue_id, number
        with self._lock:
            if key not in self._columns:
                shift = self.shift(venue_id, number)
                self._columns[key] = (
                    receipt_columns(shift.receipts)
                    if resource == "receipts"
                    else order_columns(shift.orders)
                )
                if len(self._columns) > _MOST_COLUMNS:
                    self._columns.popitem(last=False)
            self._columns.move_to_end(key)
            return self._columns[key]

    def shift(self, venue_id: int, number: int) -> Shift:
        """Return a venue's shift by day number, made now or remembered."""
        key = venue_id, number
        with self._lock:
            if key in self._shifts:
                self._shifts.move_to_end(key)
                return self._shifts[key]
            venue = self.venue(venue_id)
            shift = self.kitchen.shift(
                venue,
                self._first_day + timedelta(days=number),
                self._plan(venue, number),
                (
                    self._receipts.first_id(venue_id, number),
                    self._orders.first_id(venue_id, number),
                ),
                self._now(number),
            )
            self.shifts_made += 1
            self._shifts[key] = shift
            if len(self._shifts) > self._room:
                self._shifts.popitem(last=False)
            return shift

    def _before_in_month(self, receipt: Receipt) -> int:
        number = (receipt.day - self._first_day).days
        index = self._index(receipt.venue.id)[0]
        end, start = (min(max(0, n), self._days) for n in (number, number - receipt.day.day + 1))
        return index.start(end) - index.start(start)


class _ReceiptRows:
    """What a venue's log of receipts is made of."""

    names: tuple[str, ...] = RECEIPT_COLUMNS

    def __init__(self, brand: Brand, venue_id: int) -> None:
        self._brand = brand
        self._venue_id = venue_id

    def row(self, day: int, rank: int, parts: Parts) -> Row:
        return self._brand.receipt_row(self._brand.shift(self._venue_id, day).receipt(rank), parts)

    def columns(self, day: int) -> Columns:
        return self._brand.columns("receipts", self._venue_id, day)


class _OrderRows:
    """What a venue's log of orders is made of."""

    names: tuple[str, ...] = ORDER_COLUMNS

    def __init__(self, brand: Brand, venue_id: int) -> None:
        self._brand = brand
        self._venue_id = venue_id

    def row(self, day: int, rank: int, parts: Parts) -> Row:
        order = self._brand.shift(self._venue_id, day).orders[rank]
        return self._brand.order_row(order, order.receipt, parts)

    def columns(self, day: int) -> Columns:
        return self._brand.columns("orders", self._venue_id, day)
