"""When the receipts and orders of one venue and shift are made, before what is in them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from random import Random
from typing import NamedTuple

from clopos_nb.sandbox.brand.stamps import DAY
from clopos_nb.sandbox.brand.venues import LATE_HOURS, Venue

_LINKED_SHARE = 0.8


class PlannedOrder(NamedTuple):
    """Second of creation, and the rank of the receipt it becomes (-1: none)."""

    created: int
    receipt: int


@dataclass(frozen=True, slots=True)
class Plan:
    """Seconds after the shift day's midnight, ascending; ranks are positions in these lists."""

    receipts: list[int]
    orders: list[PlannedOrder]

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
    character = venue.character
    weekend = day.weekday() in character.weekend
    hours = character.weekend_hours if weekend else character.hours
    early = _moments(chance, hours, receipts[0])
    late = _moments(chance, LATE_HOURS, receipts[1])
    # Kept apart so that the counts of each calendar day stay what the tally says.
    planned = _orders(chance, early, 0, orders[0], hours, floor=0)
    planned += _orders(chance, late, len(early), orders[1], LATE_HOURS, floor=DAY)
    return Plan(early + late, planned)


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
    linked = min(len(receipts), int(count * _LINKED_SHARE + chance.random()), count)
    made = [
        PlannedOrder(max(floor, receipts[i] - chance.randrange(60, 420)), first_rank + i)
        for i in chance.sample(range(len(receipts)), k=linked)
    ]
    made += [PlannedOrder(moment, -1) for moment in _moments(chance, hours, count - linked)]
    return sorted(made)
