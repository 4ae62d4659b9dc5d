"""The shifts of every venue: how many rows each has, and the few that are made at the moment."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from threading import RLock

from clopos_nb.sandbox.brand.columns import Columns, order_columns, receipt_columns
from clopos_nb.sandbox.brand.plan import Plan, make_plan
from clopos_nb.sandbox.brand.shift import Kitchen, Shift
from clopos_nb.sandbox.brand.stamps import DAY
from clopos_nb.sandbox.brand.tally import Index, order_tally, receipt_tally
from clopos_nb.sandbox.brand.till import Receipt
from clopos_nb.sandbox.brand.venues import Venue

_MOST_SHIFTS, _MOST_RECEIPTS = 256, 8_000
_MOST_COLUMNS = 100_000  # shifts, of some kilobytes each


class Rota:
    """The shifts of all venues, by venue id and day number, which counts from the first day.

    A shift is made when asked for and forgotten again, so that size costs neither start-up time
    nor memory; counting makes none.

    Parameters
    ----------
    seed : int
        Of the brand.
    venues : sequence of Venue
        Ids from 1, in order.
    first_day : date
        Of the first shift.
    now : datetime
        During the last shift. Nothing later exists.
    kitchen : callable
        Returns the maker of shifts; not called before one is wanted.

    Attributes
    ----------
    receipts, orders : Tally
        How many there are of each, and their ids.
    made : int
        How often a shift had to be made so far.
    """

    def __init__(
        self,
        seed: int,
        venues: Sequence[Venue],
        first_day: date,
        now: datetime,
        kitchen: Callable[[], Kitchen],
    ) -> None:
        self._seed = seed
        self._venues = venues
        self._first_day = first_day
        self._days = (now.date() - first_day).days + 1
        self._now = now
        self._kitchen = kitchen
        self.receipts = receipt_tally(seed, venues, first_day, self._days)
        self.orders = order_tally(seed, venues, self.receipts)
        self.made = 0
        self._indexes: dict[int, tuple[Index, Index]] = {}
        self._shifts: OrderedDict[tuple[int, int], Shift] = OrderedDict()
        busiest = int((self.receipts.early + self.receipts.late).max())
        self._room = max(8, min(_MOST_SHIFTS, _MOST_RECEIPTS // max(1, busiest)))
        self._columns: OrderedDict[tuple[str, int, int], Columns] = OrderedDict()
        self._lock = RLock()

    def venue(self, venue_id: int) -> Venue:
        """Return a venue; raises KeyError for an unknown one."""
        if not 1 <= venue_id <= len(self._venues):
            raise KeyError(venue_id)
        return self._venues[venue_id - 1]

    def index(self, venue_id: int) -> tuple[Index, Index]:
        """Return the positions of a venue's receipts, and those of its orders."""
        with self._lock:
            if venue_id not in self._indexes:
                last = self._days - 1
                plan, now = self._plan(self.venue(venue_id), last), self._until(last)
                self._indexes[venue_id] = (
                    Index(self.receipts, venue_id, self._first_day, plan.receipts_until(now)),
                    Index(self.orders, venue_id, self._first_day, plan.orders_until(now)),
                )
            return self._indexes[venue_id]

    def shift(self, venue_id: int, number: int) -> Shift:
        """Return a venue's shift by day number, made now or remembered."""
        key = venue_id, number
        with self._lock:
            if key in self._shifts:
                self._shifts.move_to_end(key)
                return self._shifts[key]
            venue = self.venue(venue_id)
            shift = self._kitchen().shift(
                venue,
                self._first_day + timedelta(days=number),
                self._plan(venue, number),
                (self.receipts.first_id(venue_id, number), self.orders.first_id(venue_id, number)),
                self._until(number),
            )
            self.made += 1
            self._shifts[key] = shift
            if len(self._shifts) > self._room:
                self._forget(*self._shifts.popitem(last=False))
            return shift

    def _forget(self, key: tuple[int, int], shift: Shift) -> None:
        """Keep of a shift what sorting needs: who walks receipts often asks what changed next."""
        if shift.is_made:
            self._note(("receipts", *key), receipt_columns(shift.receipts))

    def _note(self, key: tuple[str, int, int], columns: Columns) -> None:
        self._columns[key] = columns
        if len(self._columns) > _MOST_COLUMNS:
            self._columns.popitem(last=False)

    def columns(self, resource: str, venue_id: int, number: int) -> Columns:
        """Return what sorting and filtering need of a shift, remembered longer than the shift."""
        key = resource, venue_id, number
        with self._lock:
            if key not in self._columns:
                shift = self.shift(venue_id, number)
                made = (
                    receipt_columns(shift.receipts)
                    if resource == "receipts"
                    else order_columns(shift.orders)
                )
                self._note(key, made)
            self._columns.move_to_end(key)
            return self._columns[key]

    def before(self, resource: str, venue_id: int, day: date, seconds: int) -> int:
        """Return how many rows had been created by a moment of a shift, itself included."""
        venue = self.venue(venue_id)
        number = self._number(day)
        index = self.index(venue_id)[resource == "orders"]
        if not 0 <= number < self._days:
            return 0 if number < 0 else index.start(self._days)
        plan = self._plan(venue, number)
        until = plan.receipts_until if resource == "receipts" else plan.orders_until
        return index.start(number) + min(index.size(number), until(seconds))

    def before_in_month(self, receipt: Receipt) -> int:
        """Return how many receipts its venue had in the shifts of the month before a receipt's."""
        number = self._number(receipt.day)
        index = self.index(receipt.venue.id)[0]
        end, start = (min(max(0, n), self._days) for n in (number, number - receipt.day.day + 1))
        return index.start(end) - index.start(start)

    def size(self, venue_id: int, day: date) -> int:
        """Return how many receipts a shift has; none on days that the brand was not made for."""
        number = self._number(day)
        return self.index(venue_id)[0].size(number) if 0 <= number < self._days else 0

    def count_orders(self, venue_id: int, first: date, last: date) -> int:
        """Return how many orders the shifts of these days took."""
        index = self.index(venue_id)[1]
        start = max(0, self._number(first))
        stop = min(self._days, self._number(last) + 1)
        return sum(index.size(number) for number in range(start, stop))

    def entries(
        self, venue_id: int, first: date, last: date, day: str
    ) -> Iterator[tuple[date, Receipt]]:
        """Yield receipts with the day to book each on, that of creation or of the shift."""
        start = max(0, self._number(first) - 1)
        stop = min(self._days, self._number(last) + 1)
        for number in range(start, stop):
            for receipt in self.shift(venue_id, number).receipts:
                booked = receipt.day
                if day == "created_at":
                    booked += timedelta(days=receipt.created // DAY)
                if first <= booked <= last:
                    yield booked, receipt

    def _number(self, day: date) -> int:
        return (day - self._first_day).days

    def _plan(self, venue: Venue, number: int) -> Plan:
        row = venue.id - 1
        receipts, orders = self.receipts, self.orders
        return make_plan(
            self._seed,
            venue,
            self._first_day + timedelta(days=number),
            (int(receipts.early[row, number]), int(receipts.late[row, number])),
            (int(orders.early[row, number]), int(orders.late[row, number])),
        )

    def _until(self, number: int) -> int:
        midnight = datetime.combine(self._first_day + timedelta(days=number), time())
        return int((self._now - midnight).total_seconds())
