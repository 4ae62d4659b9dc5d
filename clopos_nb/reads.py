"""What Session and Venue read with: questions made of what people write, and their answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from clopos_nb import errors
from clopos_nb.days import DayLike, day_range
from clopos_nb.drift import Drift
from clopos_nb.fetch import Asking, Manner, fetch_frames
from clopos_nb.items import source_of
from clopos_nb.questions import Day, Question, plain_filters
from clopos_nb.store import Store
from clopos_nb.tables import CATALOGUE, Table
from clopos_nb.transport import Transport


@dataclass
class Reads:
    """Reading through one transport, for one brand."""

    transport: Transport
    timezone: str | None
    today: dt.date | None
    brand: Callable[[], str]
    drift: Drift = field(default_factory=Drift)
    store: Store | None = None

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

    def frames(self, askings: Sequence[Asking], manner: Manner) -> dict[str, pd.DataFrame]:
        """Read what is asked, all at once; through the store, one after the other.

        Raises
        ------
        ConfigError
            Only the store is to be read, and there is none.
        """
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
            return fetch_frames(
                self.transport, askings, manner, brand=self.brand(), drift=self.drift
            )
        found: dict[str, pd.DataFrame] = {}
        for asking in askings:
            found |= self.store.frames(asking, manner)
        return found
