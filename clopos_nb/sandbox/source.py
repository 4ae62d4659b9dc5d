"""What the endpoints ask of a brand's data, as types.

The data lives in ``clopos_nb.sandbox.brand``; tests and users may put anything of this shape in its
place with ``Sandbox(brand=...)``.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any, Protocol

from numpy.typing import NDArray

Row = dict[str, Any]


Parts = frozenset[str] | None
"""The optional parts of a row that are wanted, see ``lists.Cut``; None is all of them."""


class Log(Protocol):
    """A venue's receipts or orders in order of ``(created_at, id)``; days are inclusive."""

    @property
    def changes(self) -> int:
        """How often a row came, went or changed."""
        ...

    def total(self, first: date | None, last: date | None) -> int:
        """Count the rows created on these days."""
        ...

    def page_ids(
        self,
        first: date | None,
        last: date | None,
        offset: int,
        limit: int,
        *,
        descending: bool = False,
        by: str = "created_at",
    ) -> list[int]:
        """Return the ids of a page in order of ``id``, or of a moment and id, null first.

        Moments are ``created_at``, ``updated_at`` and ``closed_at``.
        """
        ...

    def get(self, id: int, parts: Parts = None) -> Row | None:
        """Return the row with this id."""
        ...

    def version(self, id: int) -> int:
        """Return how often a row was changed."""
        ...

    def columns(
        self, first: date | None, last: date | None, names: Collection[str]
    ) -> Mapping[str, NDArray[Any]]:
        """Return equally long arrays of these fields of these days' rows, as far as there are any.

        Moments and amounts may be any numbers that sort alike, null least.
        """
        ...

    def get_by_cid(self, cid: str) -> Row | None:
        """Return the row with this terminal-made UUID."""
        ...


class Source(Protocol):
    """A brand: full rows per resource and venue, relations and legacy fields included."""

    @property
    def slug(self) -> str:
        """The brand's slug."""
        ...

    @property
    def venue_ids(self) -> list[int]:
        """Ids of all venues, the main one first."""
        ...

    @property
    def now(self) -> datetime:
        """Naive brand-local moment at which the data ends."""
        ...

    def version(self, resource: str) -> int:
        """Return a number that grows when the rows of a small resource change."""
        ...

    def rows(self, resource: str, venue_id: int) -> list[Row]:
        """Return all rows of a small resource."""
        ...

    def log(self, resource: str, venue_id: int) -> Log:
        """Return the log of ``receipts`` or ``orders``."""
        ...

    def stock_operations(self, venue_id: int, receipt_id: int) -> list[Row] | None:
        """Return a receipt's stock deductions; None when there is no such receipt."""
        ...

    def ledger(
        self,
        venue_id: int,
        first: date | None = None,
        last: date | None = None,
        *,
        day: str = "created_at",
    ) -> Any:
        """Return the true figures of these days, to compare an analysis with."""
        ...
