"""When the receipts and orders of one venue and shift are made, before what is in them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from random import Random
from typing import NamedTuple

from clopos_nb.sandbox.brand.stamps import DAY
from clopos_nb.sandbox.brand.venues import LATE_HOURS, Venue

LINKED_SHARE = 0.8
"""Of the orders, these became receipts."""
DELIVERED_SHARE = 0.82
"""Of those, these are brought; the others are fetched."""
STAY_AT_TABLE, STAY = (1800, 4500), (480, 2220)
"""A receipt is open for at least so many seconds, and up to so many more."""
PATCHED_SHARE, PATCHING = 0.03, (600, 172_200)
"""Some are changed so long after they were closed."""
TOUCHING = 30, 1470
"""One that is open was changed so long after it was opened."""
REACH = 4
"""Whatever happens to a shift's rows happens within so many days of its day's midnight."""
_WAITING = 40 * 60
"""A clerk answers an order within so many seconds, or hardly ever."""


class PlannedOrder(NamedTuple):
    """Second of creation, and the rank of the receipt it becomes (-1: none)."""

    created: int
    receipt: int


class Fate(NamedTuple):
    """What is settled of a receipt before it is made; ``closed`` is None while it is open."""

    sale_type: int
    luck: int
    closed: int | None
    updated: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds after the shift day's midnight, ascending; ranks are positions in these lists.

    ``block`` receipts share a stream of chance.
    """

    receipts: list[int]
    orders: list[PlannedOrder]

    @property
    def block(self) -> int:
        """So many receipts share a stream of chance: all."""
        return max(1, len(self.receipts))

    def fates(self, now: int) -> Sequence[Fate | None]:
        """Return what is settled of each receipt before it is made: nothing."""
        return [None] * len(self.receipts)

    def order_luck(self, rank: int, chance: Random) -> int:
        """Return what decides about an order, in order of rank."""
        return chance.getrandbits(30)

    def receipts_until(self, now: int) -> int:
        """Return how many receipts exist at a moment."""
        return bisect_right(self.receipts, now)

    def orders_until(self, now: int) -> int:
        """Return how many orders exist at a moment."""
        return sum(order.created <= now for order in self.orders)


def make_plan(
    seed: int, venue: Venue, day: date, receipts: tuple[int, int], orders: tuple[int, int]
) -> Plan:
    """Return the plan of a shift with so many rows before and after midnight."""
    chance = Random(f"{seed}:{venue.id}:{day}:plan")
    hours = venue.character.hours_of(day)
    early = _moments(chance, hours, receipts[0])
    late = _moments(chance, LATE_HOURS, receipts[1])
    # Kept apart so that the counts of each calendar day stay what the tally says.
    planned = _orders(chance, early, 0, orders[0], hours, floor=0)
    planned += _orders(chance, late, len(early), orders[1], LATE_HOURS, floor=DAY)
    return Plan(early + late, planned)


def answered(
    order: PlannedOrder, luck: int, receipt: tuple[int, int | None] | None, now: int
) -> tuple[str, int]:
    """Return the status of an order and when it was changed.

    ``receipt`` is when what it became was made and closed, None where it became nothing.
    """
    if receipt is not None:
        created, closed = receipt
        if closed is not None and luck % 7 != 0:
            return "DELIVERED", closed
        return "RECEIVED", created
    if now - order.created < _WAITING or luck % 16 == 0:
        return "PENDING", order.created
    return "IGNORE", min(now, order.created + 120 + luck % 900)


def _moments(chance: Random, hours: Mapping[int, float], count: int) -> list[int]:
    weights = list(accumulate(hours.values()))
    chosen = chance.choices(list(hours), cum_weights=weights, k=count)
    return sorted(hour * 3600 + int(chance.random() * 3600) for hour in chosen)


def _orders(
    chance: Random,
    receipts: list[int],
    first_rank: int,
    count: int,
    hours: Mapping[int, float],
    *,
    floor: int,
) -> list[PlannedOrder]:
    linked = min(len(receipts), int(count * LINKED_SHARE + chance.random()), count)
    made = [
        PlannedOrder(max(floor, receipts[i] - chance.randrange(60, 420)), first_rank + i)
        for i in chance.sample(range(len(receipts)), k=linked)
    ]
    made += [PlannedOrder(moment, -1) for moment in _moments(chance, hours, count - linked)]
    return sorted(made)
