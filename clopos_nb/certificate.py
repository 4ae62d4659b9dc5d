"""The certificate: what a frame's walks saw, against what the server said there is."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass, field
from typing import Any

from clopos_nb import errors


@dataclass
class VenueRecord:
    """One venue's part of a certificate; ``id`` is None for a table of the whole brand."""

    id: int | None
    name: str | None
    total: int | None = None
    rows: int = 0
    pages: int = 0
    requests: int = 0
    duplicates: int = 0
    left_out: int = 0
    complete: bool = False
    error: str | None = None
    source: str = "api"  # or "store", or "api+store"
    walked: list[str] = field(default_factory=list)  # days read whole, where a store held others
    changes: int = 0  # rows that a store did not hold, or not as they are now
    note: str | None = None


@dataclass
class Certificate:
    """What a frame carries in ``attrs["clopos"]``, as a dict that JSON can hold.

    ``total`` is the server's own count and ``rows`` what was received of it, of the list endpoint:
    a child table certifies the walk of its parent. ``left_out`` are rows received and dropped again
    because they lie outside the business days or filters asked for. ``requests`` are the pages and
    those that were asked for ahead and not needed after all. ``cut`` says that ``limit`` was
    reached, so that there may be more. ``filters`` are their names only: a value may be somebody's
    phone number. ``store_version`` is that of the store it was read from, for ``as_of=``.
    """

    brand: str
    table: str
    endpoint: str
    start: str | None
    end: str | None
    day: str = "created_at"
    filters: list[str] = field(default_factory=list)
    limit: int | None = None
    venues: list[VenueRecord] = field(default_factory=list)
    cut: bool = False
    fetched_at: str = ""
    store_version: int | None = None

    @property
    def source(self) -> str:
        """Where the rows are from: "api", "store", or "api+store" for some from either."""
        used = {part for venue in self.venues for part in venue.source.split("+")}
        return "+".join(sorted(used)) or "api"

    @property
    def complete(self) -> bool:
        """Whether every venue's rows are its total, and no limit cut them short."""
        return not self.cut and all(venue.complete for venue in self.venues)

    def as_dict(self) -> dict[str, Any]:
        """Return the certificate with its sums."""
        totals = [venue.total for venue in self.venues]
        known = [total for total in totals if total is not None]
        sums = {
            name: sum(getattr(venue, name) for venue in self.venues)
            for name in ("pages", "requests", "rows", "duplicates", "left_out")
        }
        return {
            **asdict(self),
            **sums,
            "total": sum(known) if len(known) == len(totals) else None,
            "complete": self.complete,
            "source": self.source,
        }

    def sentence(self) -> str:
        """Say in one line what is missing, or that nothing is."""
        found = self.as_dict()
        of = "an unknown total" if found["total"] is None else f"the server's {found['total']}"
        text = f"{self.table}: {found['rows']} rows of {of}"
        for venue in self.venues:
            if venue.error:
                text += f"; {venue.name or venue.id}: {venue.error}"
            elif not venue.complete and len(self.venues) > 1:
                text += f"; {venue.name or venue.id}: {venue.rows} of {venue.total}"
        return text

    def stamp(self) -> None:
        """Note the end of the fetch."""
        self.fetched_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")

    def incomplete(self) -> errors.IncompleteResult:
        """Return the error that says what is missing."""
        text = f"Incomplete: {self.sentence()}"
        if not any(venue.error for venue in self.venues):  # which says itself what to do
            text += (
                ". Ask again; a list that changes while it is read, or a server that gives no "
                "total, cannot be certified"
            )
        return errors.IncompleteResult(text, certificate=self.as_dict())
