"""The store as a session holds it."""

from __future__ import annotations

import datetime as dt
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd
import pyarrow.dataset as ds

from clopos_nb.days import DayLike, day_range
from clopos_nb.drift import Drift
from clopos_nb.errors import (
    ApiError,
    ConfigError,
    ResponseError,
    StoreError,
    StoreUnavailable,
    TransportError,
)
from clopos_nb.fetch import Manner, fetch_frames
from clopos_nb.questions import Place, Question
from clopos_nb.store.access import Part, in_dask, in_duckdb, in_polars, instant, scanned
from clopos_nb.store.care import compact, forget, info, vacuum
from clopos_nb.store.lake import Lake, Snapshot
from clopos_nb.store.reading import as_held, can_filter, held_frames
from clopos_nb.store.refresh import Refresher
from clopos_nb.store.rows import CannotKeep
from clopos_nb.store.sync import sync
from clopos_nb.transport import Transport

if TYPE_CHECKING:
    import dask.dataframe as dd
    import duckdb
    import polars as pl

Frames = dict[str, pd.DataFrame]
AsOf: TypeAlias = "dt.datetime | dt.date | str | int | None"


class Store:
    """A local copy of what was read, one Delta Lake table for each table.

    ``session.store`` is one, when the session was given a directory for it.

    Attributes
    ----------
    root : Path
        The directory.
    """

    def __init__(
        self,
        root: Path,
        server: str,
        brand: Callable[[], str],
        transport: Transport,
        drift: Drift,
        today: Callable[[], dt.date],
    ) -> None:
        self.root = root
        self._lake = Lake(root, brand, server)
        self._brand = brand
        self._transport = transport
        self._drift = drift
        self._today = today
        self._given_up = False

    def frames(self, question: Question, places: Sequence[Place], manner: Manner) -> Frames:
        """Return the frames of a question, from here as far as they are held and still true.

        Raises
        ------
        AuthError, TransportError, ApiError, ResponseError, IncompleteResult, ConfigError
        StoreError
            With ``refresh="never"``; else a store that fails is told once, and the server asked.
        """
        if manner.refresh == "never":
            return self._offline(question, places, manner)
        if self._given_up or not _is_kept(question):
            return self._from_server(question, places, manner)
        refresher = Refresher(
            self._lake,
            self._transport,
            _whole(question),
            self._drift,
            manner.progress,
            manner.refresh == "full",
        )
        try:
            snapshot, records = refresher.run(places)
            return held_frames(snapshot, question, places, records, manner, self._brand())
        except CannotKeep:
            pass
        except StoreError as exc:
            self._give_up(exc)
        except (ApiError, TransportError, ResponseError):
            if manner.on_error == "raise":
                raise
        return self._from_server(question, places, manner)

    def sync(
        self, question: Question, places: Sequence[Place], progress: bool | None
    ) -> pd.DataFrame:
        """Fill the store with what a question is about; see :meth:`Session.sync`."""
        if not _is_kept(question):
            message = f"{question.name} cannot be kept as asked for; name the days of dated tables"
            raise ConfigError(message)
        refresher = Refresher(self._lake, self._transport, _whole(question), self._drift)
        try:
            return sync(refresher, places, progress)
        except CannotKeep as exc:
            message = f"{question.name} cannot be kept: {exc}"
            raise StoreError(message) from None

    # -- for other tools

    def scan(
        self,
        table: str,
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        venues: int | Sequence[int] | None = None,
        as_of: AsOf = None,
    ) -> ds.Dataset:
        """Return a table's rows as a pyarrow dataset: nothing is read, and no server asked.

        Besides the table's own columns there are ``store_venue`` (the venue asked, 0 for the
        brand), ``store_month`` and ``store_day``: filters on these skip files unopened.

        Parameters
        ----------
        table : str
        start, end : date-like or period-like, optional
            Calendar days, both inclusive.
        venues : int or sequence of int, optional
            Ids.
        as_of : datetime, date, str or int, optional
            The store as it was then (UTC), at the end of that day, or in that version of it.

        Returns
        -------
        pyarrow.dataset.Dataset

        Raises
        ------
        UnknownTable, InvalidDates, ConfigError
        StoreError
            It holds none, or not any more what it held then.

        Examples
        --------
        >>> import clopos_nb, tempfile
        >>> with tempfile.TemporaryDirectory() as folder, clopos_nb.demo(store=folder) as session:
        ...     done = session.sync("receipts", "2026-02", venues=[1, 2], progress=False)
        ...     scan = session.store.scan("receipts", "2026-02-03", venues=1)
        ...     scan.count_rows() == len(session.venue(1).frame("receipts", "2026-02-03"))
        True
        """
        return scanned(self._at(as_of), table, self._part(start, end, venues))

    def duckdb(
        self,
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        venues: int | Sequence[int] | None = None,
        as_of: AsOf = None,
    ) -> duckdb.DuckDBPyConnection:
        """Return a DuckDB connection with a view of each table that is held.

        All views are of one moment; a later sync does not move them. Filters and columns of a query
        are pushed down. The parameters are those of :meth:`scan`. Needs the package ``duckdb``.

        Raises
        ------
        ConfigError, StoreError
        """
        return in_duckdb(self._at(as_of), self._part(start, end, venues))

    def polars(
        self,
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        venues: int | Sequence[int] | None = None,
        as_of: AsOf = None,
    ) -> dict[str, pl.LazyFrame]:
        """Return a Polars lazy frame of each table that is held, all of one moment.

        The parameters are those of :meth:`scan`. Needs the package ``polars``.

        Raises
        ------
        ConfigError, StoreError
        """
        return in_polars(self._at(as_of), self._part(start, end, venues))

    def dask(
        self,
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        venues: int | Sequence[int] | None = None,
        as_of: AsOf = None,
    ) -> dict[str, dd.DataFrame]:
        """Return a Dask DataFrame of each table that is held, all of one moment.

        A partition is a venue's month, with the dtypes that ``frame()`` gives; workers of a cluster
        have to see the directory. The parameters are those of :meth:`scan`. Needs the package
        ``dask``.

        Raises
        ------
        ConfigError, StoreError
        """
        return in_dask(self._at(as_of), self._part(start, end, venues))

    def _at(self, as_of: AsOf) -> Snapshot:
        return self._lake.latest() if as_of is None else self._lake.snapshot(instant(as_of))

    def _part(
        self, start: DayLike | None, end: DayLike | None, venues: int | Sequence[int] | None
    ) -> Part:
        days = day_range(start, end, today=self._today())
        return Part(days, [venues] if isinstance(venues, int) else venues)

    # -- care

    def info(self) -> pd.DataFrame:
        """Return what there is, a row for each table.

        Returns
        -------
        pandas.DataFrame
            ``table``, ``rows``, ``bytes`` and ``files`` of now, of how many ``venues``, the
            ``first`` and ``last`` day held, and the ``version`` of the Delta table.

        Raises
        ------
        ConfigError, StoreError
        """
        return info(self._lake.latest())

    def compact(self) -> None:
        """Write each table's log down in one file, so that a store of many writes opens at once.

        Rows need none of it: a venue's month is always one file.

        Raises
        ------
        ConfigError, StoreError
        """
        compact(self._lake)

    def vacuum(self, keep_days: float = 30) -> int:
        """Delete files that no version of the last days needs; return how many.

        What was held before cannot be read with ``as_of`` any more.

        Raises
        ------
        ConfigError, StoreError
        """
        return vacuum(self._lake, keep_days)

    def forget(self, customers: int | Sequence[int]) -> int:
        """Erase customers, in all earlier versions too; return in how many rows they were.

        Rows of ``customers`` go; receipts and orders keep their amounts and lose what is personal.
        Nothing earlier can be read with ``as_of`` any more. Erase them at Clopos first: what the
        server still has comes again when it is read again.

        Parameters
        ----------
        customers : int or sequence of int
            Ids.

        Raises
        ------
        ConfigError, StoreError
        """
        ids = [customers] if isinstance(customers, int) else [int(each) for each in customers]
        return forget(self._lake, ids)

    # -- for the session

    def venue_rows(self) -> list[dict[str, Any]]:
        """Return id and name of the venues that something is held of.

        Raises
        ------
        ConfigError, StoreError
        """
        venues = self._lake.latest().state.venues
        return [{"id": id, "name": name} for id, name in venues.items()]

    def _offline(self, question: Question, places: Sequence[Place], manner: Manner) -> Frames:
        if not _is_kept(question):
            message = (
                f"{question.name} as asked for cannot come from the store alone: name the days, "
                "leave limit out, and filter on plain columns"
            )
            raise ConfigError(message)
        snapshot = self._lake.latest()
        records = as_held(snapshot, question, places)
        return held_frames(snapshot, question, places, records, manner, self._brand())

    def _from_server(self, question: Question, places: Sequence[Place], manner: Manner) -> Frames:
        return fetch_frames(
            self._transport, question, places, manner, brand=self._brand(), drift=self._drift
        )

    def _give_up(self, exc: StoreError) -> None:
        self._given_up = True
        warnings.warn(
            f"{exc}. The server was asked instead, and will be by this session",
            StoreUnavailable,
            stacklevel=6,
        )

    def __repr__(self) -> str:
        return f"Store({str(self.root)!r})"


def _is_kept(question: Question) -> bool:
    """Tell whether the store keeps what a question is about."""
    source = question.source
    return (
        question.limit is None
        and source.per is None
        and not source.inferred
        and not (source.dated and question.days is None)
        and can_filter(question)
    )


def _whole(question: Question) -> Question:
    """Return the question for all rows of the days that another one needs."""
    first, last = question.asked_days()
    days = (first, last) if first and last else None
    return replace(question, days=days, day="created_at", filters={})
