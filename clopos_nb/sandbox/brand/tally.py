"""How many receipts or orders each venue has on each day, and which ids they bear.

Everything here is arithmetic on whole arrays, so that a brand with hundreds of thousands of
venue-days starts at once and finds any row without making the rows before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from clopos_nb.sandbox.brand.venues import Venue

Counts = NDArray[np.int64]


class Place(NamedTuple):
    """Where a row lives: venue, shift day (counted from the first) and rank within the shift."""

    venue_id: int
    day: int
    rank: int


class Tally:
    """Counts before and after midnight of every venue and shift, and the ids that follow."""

    def __init__(self, early: Counts, late: Counts, first_id: int) -> None:
        self.early, self.late = early, late
        # Day-major, so that ids of all venues grow together as they do in one database.
        flat = (early + late).T.ravel()
        self._starts = np.concatenate(([0], np.cumsum(flat))) + first_id

    def first_id(self, venue_id: int, day: int) -> int:
        """Return the id of the first row of a venue's shift."""
        return int(self._starts[day * len(self.early) + venue_id - 1])

    def first_ids(self, venue_id: int, days: Counts) -> Counts:
        """Return ``first_id`` of several shifts at once."""
        found: Counts = self._starts[days * len(self.early) + venue_id - 1]
        return found

    @property
    def next_id(self) -> int:
        """The first id that no row of the brand bears."""
        return int(self._starts[-1])

    def place(self, row_id: int) -> Place | None:
        """Return where the row with this id lives, or None when no venue has it."""
        if not self._starts[0] <= row_id < self._starts[-1]:
            return None
        slot = int(np.searchsorted(self._starts, row_id, side="right")) - 1
        day, venue = divmod(slot, len(self.early))
        return Place(venue + 1, day, row_id - int(self._starts[slot]))


class Index:
    """Positions of one venue's rows in order of creation, by calendar day.

    Parameters
    ----------
    tally : Tally
        Counts of the whole brand.
    venue_id : int
        Whose rows.
    first_day : date
        The first shift day.
    existing : int
        Rows of the last shift that exist already; the rest lies in the future.
    """

    def __init__(self, tally: Tally, venue_id: int, first_day: date, existing: int) -> None:
        early, late = tally.early[venue_id - 1].copy(), tally.late[venue_id - 1].copy()
        early[-1], late[-1] = existing, 0
        self._first_day = first_day
        self._late = late
        self._starts = np.concatenate(([0], np.cumsum(early + late)))

    @property
    def days(self) -> int:
        """How many shift days there are."""
        return len(self._late)

    def start(self, day: int) -> int:
        """Return the position of the first row of a shift."""
        return int(self._starts[day])

    def size(self, day: int) -> int:
        """Return how many rows of a shift exist."""
        return int(self._starts[day + 1] - self._starts[day])

    def bounds(self, first: date | None, last: date | None) -> tuple[int, int]:
        """Return the half-open range of positions created on these calendar days."""
        low = 0 if first is None else self._created_before((first - self._first_day).days)
        high = int(self._starts[-1])
        if last is not None:
            high = self._created_before((last - self._first_day).days + 1)
        return low, max(low, high)

    def day_of(self, position: int) -> int:
        """Return the shift day of a position."""
        return int(np.searchsorted(self._starts, position, side="right")) - 1

    def places(self, positions: Counts) -> tuple[Counts, Counts]:
        """Return the shift days and ranks of positions."""
        days = np.searchsorted(self._starts, positions, side="right") - 1
        return days, positions - self._starts[days]

    def _created_before(self, number: int) -> int:
        if number <= 0:
            return 0
        if number >= len(self._late) + 1:
            return int(self._starts[-1])
        # The night's rows of the shift before were created on this very day.
        return int(self._starts[number] - self._late[number - 1])


def receipt_tally(seed: int, venues: Sequence[Venue], first_day: date, days: int) -> Tally:
    """Return the receipt counts: weekday pattern, mild growth that levels off, and noise."""
    numbers = np.arange(days)
    growth = 1 + 0.12 * (1 - np.exp(-numbers / 180))
    weekday = (first_day.weekday() + numbers) % 7
    early = np.zeros((len(venues), days), dtype=np.int64)
    late = np.zeros_like(early)
    for row, venue in enumerate(venues):
        noise = _uniform(seed, venue.id, "receipts", days)
        pattern = np.array(venue.character.weekdays) * 7 / sum(venue.character.weekdays)
        wanted = venue.mean * pattern[weekday] * growth * (0.84 + 0.32 * noise[:, 0])
        total = np.where(wanted > 0, np.floor(wanted + noise[:, 1]), 0).astype(np.int64)
        late[row] = np.floor(total * venue.character.late_share * (0.7 + 0.6 * noise[:, 2])).astype(
            np.int64
        )
        early[row] = total - late[row]
    return Tally(early, late, first_id=10_437)


def order_tally(seed: int, venues: Sequence[Venue], receipts: Tally) -> Tally:
    """Return the order counts, a share of the receipts on the same side of midnight."""
    early, late = np.zeros_like(receipts.early), np.zeros_like(receipts.late)
    for row, venue in enumerate(venues):
        noise = _uniform(seed, venue.id, "orders", early.shape[1])
        share = venue.character.order_share * (0.75 + 0.5 * noise[:, 0])
        early[row] = np.floor(receipts.early[row] * share + noise[:, 1]).astype(np.int64)
        late[row] = np.floor(receipts.late[row] * share + noise[:, 2]).astype(np.int64)
        # A venue that sold nothing took no orders either.
        early[row] = np.minimum(early[row], receipts.early[row])
        late[row] = np.minimum(late[row], receipts.late[row])
    return Tally(early, late, first_id=295)


def _uniform(seed: int, venue_id: int, stream: str, days: int) -> NDArray[np.float64]:
    # Plain uniform doubles are the one stream numpy keeps the same between its versions.
    entropy = [seed % 2**64, venue_id, *stream.encode()]
    return np.random.Generator(np.random.PCG64(entropy)).random((days, 3))
