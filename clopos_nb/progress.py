"""One progress bar for a fetch: rows against the server's total, and the venue being read."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clopos_nb.fetch import Place
    from clopos_nb.walks import Walk


class Progress:
    """A ``tqdm.auto`` bar that appears with the second page; silent for a single one.

    Parameters
    ----------
    title : str
    places : int
        How many venues will be read.
    wanted : bool or None
        True: from the first page on. False: never. None: when there is more than a page.
    """

    def __init__(self, title: str, places: int, wanted: bool | None) -> None:
        self._title = title
        self._places = places
        self._wanted = wanted
        self._bar: Any = None
        self._totals: dict[int | None, int] = {}
        self._rows: dict[int | None, int] = {}

    def page(self, place: Place, walk: Walk) -> None:
        """Take note of a page."""
        self._totals[place.id] = walk.total or walk.rows
        self._rows[place.id] = walk.rows
        single = self._places == 1 and walk.next_page is None and walk.pages == 1
        if self._bar is None and (self._wanted or (self._wanted is None and not single)):
            from tqdm.auto import tqdm  # chooses between notebook and terminal when imported

            self._bar = tqdm(desc=self._title, unit=" rows", total=self._expected(), leave=False)
        if self._bar is not None:
            self._bar.total = self._expected()
            self._bar.set_postfix_str(place.name or "", refresh=False)
            self._bar.update(sum(self._rows.values()) - self._bar.n)

    def _expected(self) -> int:
        """Return the rows to come in all, venues not asked yet taken as like the others."""
        known = sum(self._totals.values())
        return round(known * self._places / len(self._totals))

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
