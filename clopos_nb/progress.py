"""One progress bar for a fetch: rows against the server's total, and the venue being read."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from clopos_nb.questions import Place
    from clopos_nb.walks import Walk


class Progress:
    """A ``tqdm.auto`` bar that appears with the second page or the first wait.

    The total is the server's own, so there is one only while a single venue is read; of several,
    the bar counts rows and says which venue it is at.

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
        self._rows: dict[int | None, int] = {}
        self._total: int | None = None

    def page(self, place: Place, walk: Walk) -> None:
        """Take note of a page."""
        self._rows[place.id] = walk.rows
        self._total = walk.total if self._places == 1 else None
        single = self._places == 1 and walk.next_page is None and walk.pages == 1
        if self._wanted or (self._wanted is None and not single):
            at = f"{len(self._rows)} of {self._places}: " if self._places > 1 else ""
            self._show(f"{at}{place.name or ''}")

    def waiting(self, seconds: float) -> None:
        """Say that nothing comes for a while, and why."""
        if self._wanted is not False:
            self._show(f"request budget used up, going on in {seconds:.0f} s")

    def _show(self, note: str) -> None:
        if self._bar is None:
            from tqdm.auto import tqdm  # chooses between notebook and terminal when imported

            self._bar = tqdm(desc=self._title, unit=" rows", total=self._total, leave=False)
        self._bar.total = self._total
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(sum(self._rows.values()) - self._bar.n)
        self._bar.refresh()

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
