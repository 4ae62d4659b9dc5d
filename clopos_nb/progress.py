"""One progress bar for a read: rows against the servers' totals, venues, waits and what is left."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from clopos_nb.budget import Budget
    from clopos_nb.lanes import Lane

# Is told rows, their total if it is known, and a note; what it raises ends the read.
Watcher: TypeAlias = Callable[[int, int | None, str], None]

MANY = 100  # requests; a read of more says how long the budget will make it


class Progress:
    """A ``tqdm.auto`` bar that appears with the second page or the first wait.

    Its total is the servers' own, once each venue has told; the time left counts the waits for the
    request budget.

    Parameters
    ----------
    title : str
    wanted : bool, None or Watcher
        True: from the first page on. False: never. None: when there is more than a page. A function
        is told instead of the bar, several times a second even while nothing arrives.
    """

    def __init__(self, title: str, wanted: bool | Watcher | None) -> None:
        self._title = title
        self._watcher = wanted if callable(wanted) else None
        self._wanted = True if callable(wanted) else wanted
        self._bar: Any = None
        self._waits_until = 0.0
        self._looked_at = -math.inf
        self._seconds = 0.0

    def waiting(self, seconds: float) -> None:
        """Note that a request waits; may be called from any thread."""
        self._waits_until = max(self._waits_until, time.monotonic() + seconds)

    def show(self, lanes: Sequence[Lane], budget: Budget) -> None:
        """Show how far the lanes are; raises what a watcher raises."""
        waits = self._waits_until - time.monotonic()
        pages = sum(lane.walk.pages for lane in lanes)
        left = sum(lane.pages_left for lane in lanes)
        if self._wanted is False or (self._wanted is None and pages + left < 2 and waits <= 0):
            return
        totals = [lane.walk.total for lane in lanes]
        total = sum(filter(None, totals)) if None not in totals else None
        kind = "venues" if len({lane.question.name for lane in lanes}) == 1 else "lists"
        note = f"{sum(lane.over for lane in lanes)} of {len(lanes)} {kind}"
        if left > MANY:
            note += f", about {left} requests"
            if seconds := self._forecast_s(budget, left):
                note += f" and {seconds:.0f} s of waiting for their budget"
        elif waits > 0:
            note += f", request budget used up, going on in {waits:.0f} s"
        self._draw(sum(lane.walk.rows for lane in lanes), total, note)

    def _forecast_s(self, budget: Budget, left: int) -> float:
        """Return the waits to come; the shared budget is looked at once a second, not each page."""
        if (now := time.monotonic()) > self._looked_at + 1:
            self._looked_at, self._seconds = now, budget.forecast_s(left)
        return self._seconds

    def _draw(self, rows: int, total: int | None, note: str) -> None:
        if self._watcher is not None:
            self._watcher(rows, total, note)
            return
        if self._bar is None:
            from tqdm.auto import tqdm  # chooses between notebook and terminal when imported

            self._bar = tqdm(desc=self._title, unit=" rows", total=total, leave=False)
        self._bar.total = total
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(rows - self._bar.n)

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()
