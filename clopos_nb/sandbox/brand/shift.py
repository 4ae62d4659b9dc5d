"""The receipts and orders of one venue and one business day."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate, chain, islice
from random import Random
from threading import RLock

from clopos_nb.sandbox.brand import till
from clopos_nb.sandbox.brand.catalogue import Item
from clopos_nb.sandbox.brand.people import GROUP_PERCENT, WAITERS
from clopos_nb.sandbox.brand.plan import Plan, PlannedOrder
from clopos_nb.sandbox.brand.products import Row
from clopos_nb.sandbox.brand.till import Line, Offer, Receipt
from clopos_nb.sandbox.brand.venues import DELIVERY, IN, TAKEAWAY, Character, Venue

_Offers = tuple[Offer, Offer, list[int], list[float], float]
"""What is sold away and at a table; sale types, their accumulated weights and the sum of those."""
_WAITING = 40 * 60
"""A clerk answers an order within so many seconds, or hardly ever."""
BLOCK = 192
"""So many receipts of a shift share a stream of chance; the demo's busiest shift is one block."""


@dataclass(slots=True)
class Order:
    """A call-centre order; ``receipt`` is what it became, if anything.

    ``payload`` is what an API client sent; None where the brand makes it up. A guest's order has
    no ``customer``.
    """

    id: int
    venue: Venue
    day: date
    created: int
    updated: int
    status: str
    customer: Row | None
    sale_type: int
    lines: list[Line]
    receipt: Receipt | None
    delivery_fee: int
    luck: int
    payload: Row | None = None


class Shift:
    """What exists of one venue's shift at the brand's present moment.

    Each block of ``BLOCK`` receipts has its own stream of chance, so a receipt costs those before
    it in its block and no others; orders cost all receipts.

    Parameters
    ----------
    count : int
        Receipts.
    make : callable
        Makes the receipts of a block's ranks in order, each when it is asked for.
    take : callable
        Makes the orders, of all receipts.
    """

    def __init__(
        self,
        count: int,
        make: Callable[[range], Iterator[Receipt]],
        take: Callable[[Sequence[Receipt]], list[Order]],
    ) -> None:
        self._count = count
        starts = range(0, count, BLOCK)
        self._coming = [make(range(start, min(start + BLOCK, count))) for start in starts]
        self._made: list[list[Receipt]] = [[] for _ in starts]
        self._take = take
        self._orders: list[Order] | None = None
        self._lock = RLock()

    def receipt(self, rank: int) -> Receipt:
        """Return one receipt."""
        block, place = divmod(rank, BLOCK)
        made = self._made[block]
        if place >= len(made):
            with self._lock:
                made.extend(islice(self._coming[block], max(0, place + 1 - len(made))))
        return made[place]

    @property
    def is_made(self) -> bool:
        """Whether all receipts were made."""
        return self._count == sum(map(len, self._made))

    @property
    def receipts(self) -> list[Receipt]:
        """All receipts, oldest first."""
        with self._lock:
            for made, coming in zip(self._made, self._coming, strict=True):
                made.extend(coming)
        return list(chain.from_iterable(self._made))

    @property
    def orders(self) -> list[Order]:
        """All orders, oldest first."""
        with self._lock:
            if self._orders is None:
                self._orders = self._take(self.receipts)
            return self._orders


class Kitchen:
    """Makes shifts; holds what all shifts of a brand share.

    Parameters
    ----------
    seed : int
        Of the brand.
    items : sequence of Item
        What can be sold.
    customers : sequence of dict
        Customer rows.
    appetite : float
        So many times as much is ordered as usual.
    """

    def __init__(
        self, seed: int, items: Sequence[Item], customers: Sequence[Row], appetite: float
    ) -> None:
        self._seed = seed
        self._appetite = appetite
        self._items = items
        self._customers = [row for row in customers if row["status"]]
        self._by_id = {row["id"]: row for row in self._customers}
        self._offers: dict[str, _Offers] = {}

    def shift(self, venue: Venue, day: date, plan: Plan, ids: tuple[int, int], now: int) -> Shift:
        """Return a shift as it stands ``now`` seconds after its day's midnight.

        Parameters
        ----------
        venue, day, plan
            Whose, when, and at which moments.
        ids : tuple of int
            First receipt id and first order id.
        now : int
            The brand's present; what comes later is left out.
        """
        born = {
            order.receipt: (ids[1] + rank, order)
            for rank, order in enumerate(plan.orders)
            if order.receipt >= 0
        }

        def make(ranks: range) -> Iterator[Receipt]:
            block = f":{ranks.start}" if ranks.start else ""
            chance = Random(f"{self._seed}:{venue.id}:{day}:receipts{block}")
            for rank in ranks:
                place = ids[0] + rank, rank, plan.receipts[rank]
                yield self.receipt(chance, venue, day, place, born.get(rank), now)

        def take(receipts: Sequence[Receipt]) -> list[Order]:
            chance = Random(f"{self._seed}:{venue.id}:{day}:orders")
            return [
                self._order(chance, venue, day, ids[1] + rank, order, receipts, now)
                for rank, order in enumerate(plan.orders[: plan.orders_until(now)])
            ]

        return Shift(plan.receipts_until(now), make, take)

    def _offer(self, character: Character) -> _Offers:
        if character.name not in self._offers:
            self._offers[character.name] = (
                Offer(self._items, character, at_table=False),
                Offer(self._items, character, at_table=True),
                list(character.sale_types),
                list(accumulate(character.sale_types.values())),
                sum(character.sale_types.values()) + 0.0,
            )
        return self._offers[character.name]

    def receipt(
        self,
        chance: Random,
        venue: Venue,
        day: date,
        place: tuple[int, int, int],
        born: tuple[int, PlannedOrder] | None,
        now: int,
    ) -> Receipt:
        """Return a receipt at a place, which is its id, rank and second; ``born`` of an order."""
        number, rank, created = place
        away, table, kinds, weights, whole = self._offer(venue.character)
        if born:
            sale_type = DELIVERY if chance.random() < 0.82 else TAKEAWAY
        else:
            # What Random.choices does, without its checks.
            sale_type = kinds[bisect(weights, chance.random() * whole, 0, len(kinds) - 1)]
        guests = till.party(chance, venue) if sale_type == IN else 1
        offer = table if sale_type == IN else away
        size = till.size(chance, sale_type, guests, self._appetite)
        lines = offer.lines(chance, sale_type, size)
        receipt = Receipt(number, venue, day, rank, created, sale_type, lines, guests)
        receipt.order_id = born[0] if born else None
        receipt.luck = chance.getrandbits(30)
        receipt.waiter = WAITERS[receipt.luck % len(WAITERS)]
        if not born and chance.random() < 0.006:
            till.turn_into_return(receipt)
        else:
            self._terms(chance, receipt)
        till.add_up(receipt)
        _close(chance, receipt, now)
        return receipt

    def _terms(self, chance: Random, receipt: Receipt) -> None:
        percent = 0
        if receipt.order_id is not None or chance.random() < 0.13:
            customer = self._customers[int(chance.random() * len(self._customers))]
            receipt.customer_id = customer["id"]
            percent = GROUP_PERCENT[customer["group_id"]]
        till.give_and_discount(chance, receipt.lines)
        till.discount_receipt(chance, receipt, percent)
        if receipt.sale_type == IN:
            receipt.service_rate = receipt.venue.character.service_percent * 100
        receipt.delivery_fee = till.delivery_fee(chance, receipt)

    def _order(
        self,
        chance: Random,
        venue: Venue,
        day: date,
        number: int,
        planned: PlannedOrder,
        receipts: Sequence[Receipt],
        now: int,
    ) -> Order:
        luck = chance.getrandbits(30)
        created, rank = planned
        if 0 <= rank < len(receipts):
            receipt = receipts[rank]
            customer = self._by_id[receipt.customer_id or 0]
            done = receipt.closed is not None and luck % 7 != 0
            updated = receipt.closed if done and receipt.closed else receipt.created
            return Order(
                number,
                venue,
                day,
                created,
                updated,
                "DELIVERED" if done else "RECEIVED",
                customer,
                receipt.sale_type,
                receipt.lines,
                receipt,
                receipt.delivery_fee,
                luck,
            )
        sale_type = DELIVERY if chance.random() < 0.8 else TAKEAWAY
        lines = self._offer(venue.character)[0].lines(chance, sale_type, 1 + luck % 4)
        pending = now - created < _WAITING or luck % 16 == 0
        return Order(
            number,
            venue,
            day,
            created,
            created if pending else min(now, created + 120 + luck % 900),
            "PENDING" if pending else "IGNORE",
            self._customers[luck % len(self._customers)],
            sale_type,
            lines,
            None,
            250 if sale_type == DELIVERY else 0,
            luck,
        )


def _close(chance: Random, receipt: Receipt, now: int) -> None:
    least, spread = (1800, 4500) if receipt.sale_type == IN else (480, 2220)
    closed = receipt.created + least + till.below(chance, spread)
    till.pay(chance, receipt)
    patched = closed
    if chance.random() < 0.03:
        patched += 600 + till.below(chance, 172_200)
    if closed > now:
        receipt.payments = ()
        receipt.updated = min(now, receipt.created + chance.randrange(30, 1500))
    else:
        receipt.closed = closed
        receipt.updated = patched if patched <= now else closed
    # A line cannot be rung up after the till was closed or before it exists.
    last = (closed if receipt.closed else receipt.updated) - receipt.created
    for line in receipt.lines:
        if line.added > last:
            line.added = last
