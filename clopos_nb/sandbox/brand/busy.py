"""The plan of a busy shift: when its receipts are made and how they end, drawn for all at once.

A shift of some dozens of receipts is made from the first to the last. Where there are hundreds, and
years of them are to be sorted and filtered without making a receipt, this much is arrays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

import numpy as np
from numpy.typing import NDArray

from clopos_nb.sandbox.brand import plan
from clopos_nb.sandbox.brand.plan import Fate, Plan, PlannedOrder
from clopos_nb.sandbox.brand.stamps import DAY
from clopos_nb.sandbox.brand.venues import DELIVERY, IN, LATE_HOURS, TAKEAWAY, Venue

Numbers = NDArray[np.int64]
Uniform = NDArray[np.float64]

QUIET = 192
"""A shift with more receipts is busy; the demo's busiest has fewer."""
BLOCK = 16
"""So many receipts of a busy shift share a stream of chance."""


@dataclass(frozen=True, slots=True)
class BusyPlan(Plan):
    """A plan that knows of each receipt what lists are sorted and filtered by, save its total.

    ``closings`` and ``patches`` are when a receipt is closed and last changed, ``touches`` when it
    is changed while open, all in seconds after the shift day's midnight.
    """

    sale_types: Numbers
    lucks: Numbers
    closings: Numbers
    patches: Numbers
    touches: Numbers
    order_lucks: list[int]

    @property
    def block(self) -> int:
        """So many receipts share a stream of chance: few, since a page may begin anywhere."""
        return BLOCK

    def ends(self, now: int) -> tuple[Numbers, Numbers]:
        """Return when receipts were closed (-1: not yet) and changed, as it is at a moment."""
        is_closed = self.closings <= now
        changed = np.where(self.patches <= now, self.patches, self.closings)
        open_since = np.minimum(now, self.touches)
        return np.where(is_closed, self.closings, -1), np.where(is_closed, changed, open_since)

    def fates(self, now: int) -> list[Fate | None]:
        """Return what is settled of each receipt before it is made."""
        closed, updated = (column.tolist() for column in self.ends(now))
        each = zip(self.sale_types.tolist(), self.lucks.tolist(), closed, updated, strict=True)
        return [Fate(kind, luck, None if end < 0 else end, last) for kind, luck, end, last in each]

    def order_luck(self, rank: int, chance: Random) -> int:
        """Return what decides about an order, known beforehand."""
        return self.order_lucks[rank]


def make_busy_plan(
    seed: int, venue: Venue, day: date, receipts: tuple[int, int], orders: tuple[int, int]
) -> BusyPlan:
    """Return the plan of a busy shift with so many rows before and after midnight."""
    # Plain uniform doubles are the one stream numpy keeps the same between its versions.
    entropy = [seed % 2**64, venue.id, day.toordinal(), *b"busy"]
    draw = np.random.Generator(np.random.PCG64(entropy)).random
    hours = venue.character.hours_of(day)
    early = _moments(draw((receipts[0], 2)), hours)
    late = _moments(draw((receipts[1], 2)), LATE_HOURS)
    planned = _orders(draw((receipts[0] + orders[0], 2)), early, 0, orders[0], hours, floor=0)
    planned += _orders(
        draw((receipts[1] + orders[1], 2)), late, len(early), orders[1], LATE_HOURS, floor=DAY
    )
    created = np.concatenate((early, late))
    luck = draw((6, len(created)))
    born = [order.receipt for order in planned if order.receipt >= 0]
    sale_types = _choices(luck[0], venue.character.sale_types)
    sale_types[born] = np.where(luck[0][born] < plan.DELIVERED_SHARE, DELIVERY, TAKEAWAY)
    stays = _between(luck[1], *plan.STAY)
    closings = created + np.where(sale_types == IN, _between(luck[1], *plan.STAY_AT_TABLE), stays)
    patched = luck[2] < plan.PATCHED_SHARE
    return BusyPlan(
        receipts=created.tolist(),
        orders=planned,
        sale_types=sale_types,
        lucks=_between(luck[5], 0, 1 << 30),
        closings=closings,
        patches=closings + np.where(patched, _between(luck[3], *plan.PATCHING), 0),
        touches=created + _between(luck[4], *plan.TOUCHING),
        order_lucks=_between(draw(len(planned)), 0, 1 << 30).tolist(),
    )


def _between(uniform: Uniform, least: int, spread: int) -> Numbers:
    found: Numbers = least + (uniform * spread).astype(np.int64)
    return found


def _choices(uniform: Uniform, weights: Mapping[int, float]) -> Numbers:
    marks = np.cumsum(list(weights.values()))
    picks = np.searchsorted(marks, uniform * marks[-1], side="right")
    found: Numbers = np.array(list(weights), dtype=np.int64)[np.minimum(picks, len(marks) - 1)]
    return found


def _moments(uniform: Uniform, hours: Mapping[int, float]) -> Numbers:
    found: Numbers = np.sort(
        _choices(uniform[:, 0], hours) * 3600 + _between(uniform[:, 1], 0, 3600)
    )
    return found


def _orders(
    uniform: Uniform,
    receipts: Numbers,
    first_rank: int,
    count: int,
    hours: Mapping[int, float],
    *,
    floor: int,
) -> list[PlannedOrder]:
    own, others = uniform[: len(receipts)], uniform[len(receipts) :]
    linked = min(len(receipts), round(count * plan.LINKED_SHARE))
    ranks = np.argsort(own[:, 0], kind="stable")[:linked]
    before = np.maximum(floor, receipts[ranks] - _between(own[ranks, 1], 60, 360))
    made = list(map(PlannedOrder, before.tolist(), (first_rank + ranks).tolist()))
    alone = _moments(others[: count - linked], hours).tolist()
    return sorted([*made, *(PlannedOrder(moment, -1) for moment in alone)])
