"""What Session and Venue read with: questions made of what people write, and their answers."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd

from clopos_nb import errors
from clopos_nb.columns import Dtypes
from clopos_nb.days import DayLike, day_range
from clopos_nb.drift import Drift
from clopos_nb.fetch import Asking, Manner, check_categories, fetch_each
from clopos_nb.items import source_of
from clopos_nb.privacy import STRICTER, Personal, Privacy
from clopos_nb.progress import Watcher
from clopos_nb.pseudonyms import Pseudonyms
from clopos_nb.questions import Day, Question, plain_filters
from clopos_nb.settings import one_of
from clopos_nb.tables import CATALOGUE, Table
from clopos_nb.transport import Transport

if TYPE_CHECKING:  # whoever uses one loads it
    from clopos_nb.snapshots import Part, Snapshot, VenueLine
    from clopos_nb.store import Store


@dataclass
class Reads:
    """Reading through one transport, for one brand."""

    transport: Transport
    timezone: str | None
    today: dt.date | None
    brand: Callable[[], str]
    drift: Drift = field(default_factory=Drift)
    store: Store | None = None
    personal: Personal = "keep"
    pseudonyms: Pseudonyms = field(default_factory=lambda: Pseudonyms(None))
    snapshot: Snapshot | None = None

    def now(self) -> dt.date:
        """Return the day that relative days count from."""
        zone = ZoneInfo(self.timezone) if self.timezone else None
        return self.today or dt.datetime.now(zone).date()

    def days(
        self, start: DayLike | None, end: DayLike | None = None
    ) -> tuple[dt.date, dt.date] | None:
        """Return the first and last day that are meant, counted from this session's today.

        Raises
        ------
        InvalidDates
        """
        return day_range(start, end, today=self.now())

    def questions(
        self,
        names: Sequence[str],
        start: DayLike | None,
        end: DayLike | None,
        filters: Mapping[str, Any] | None,
        day: Day,
        limit: int | None = None,
    ) -> list[Question]:
        """Return a question for each endpoint that the tables come from.

        Raises
        ------
        UnknownTable, InvalidDates, ConfigError
        """
        days = self.days(start, end)
        endpoints: dict[str, list[Table]] = {}
        for table in dict.fromkeys(CATALOGUE[name] for name in names):
            endpoints.setdefault(source_of(table).name, []).append(table)
        if not endpoints:
            message = "tables is empty; name one or more"
            raise errors.ConfigError(message)
        mixed = len(endpoints) > 1
        return [
            Question(
                tuple(tables),
                days if not mixed or source_of(tables[0]).dated else None,
                day,
                plain_filters(filters),
                limit,
            )
            for tables in endpoints.values()
        ]

    def privacy(self, personal: Personal | None) -> Privacy:
        """Return what ``personal=`` asks for, by default what the session was made with.

        Raises
        ------
        ConfigError
            None of the three, or a snapshot does not hold what it asks for.
        """
        chosen = self.personal if personal is None else personal
        one_of("personal", chosen, *STRICTER)
        held: Personal = self.snapshot.personal if self.snapshot else "keep"
        if STRICTER.index(chosen) < STRICTER.index(held):
            message = (
                f"The snapshot was saved with personal={held!r}, so that personal={chosen!r} is "
                "not to be had; leave it out"
            )
            raise errors.ConfigError(message)
        return Privacy(chosen, self.pseudonyms, held)

    def frames(self, askings: Sequence[Asking], manner: Manner) -> dict[str, pd.DataFrame]:
        """Read what is asked, all at once; through the store, one after the other.

        Raises
        ------
        ConfigError
            Only the store is to be read, and there is none; a category is no column.
        """
        each = self.each(askings, manner)
        return {name: frame for frames in each for name, frame in frames.items()}

    def each(self, askings: Sequence[Asking], manner: Manner) -> list[dict[str, pd.DataFrame]]:
        """Read as :meth:`frames` does, and return the frames of each asking."""
        check_categories([asking.question for asking in askings], manner.dtypes)
        if self.snapshot is not None:
            return [self.snapshot.frames(asking, manner) for asking in askings]
        if self.store is None and manner.offline:
            message = (
                "refresh='never' and as_of= read the store alone; give the session one "
                "(CLOPOS_NB_STORE)"
            )
            raise errors.ConfigError(message)
        if manner.as_of is not None and manner.refresh == "full":
            message = "as_of reads the store alone; leave refresh out"
            raise errors.ConfigError(message)
        if self.store is None:
            return fetch_each(self.transport, askings, manner, brand=self.brand(), drift=self.drift)
        return [self.store.frames(asking, manner) for asking in askings]

    def save_snapshot(
        self,
        path: Path,
        parts: Sequence[Part],
        venues: Sequence[VenueLine],
        privacy: Privacy,
        *,
        force: bool,
        progress: bool | Watcher | None,
    ) -> None:
        """Read all parts, each whole or not at all, and write them as one file."""
        from clopos_nb.snapshots import FORMAT, Manifest, save

        manner = Manner(
            Dtypes(self.timezone, "pyarrow", aware=False),
            strict=True,
            progress=progress,
            privacy=privacy,
        )
        found = self.each([asking for part in parts for asking in part.askings], manner)
        manifest = Manifest(
            format=FORMAT,
            made_by=_version(),
            made_at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
            brand=self.brand(),
            timezone=self.timezone,
            today=self.now(),
            personal=privacy.personal,
            venues=list(venues),
        )
        save(path, manifest, parts, found, force=force)


def _version() -> str:
    try:
        return importlib.metadata.version("clopos_nb")
    except importlib.metadata.PackageNotFoundError:  # run from its source, not installed
        return "unknown"
