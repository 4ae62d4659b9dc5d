"""The store as a session holds it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

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
    tell,
)
from clopos_nb.fetch import Asking, Manner, fetch_each
from clopos_nb.questions import Place, Question
from clopos_nb.settings import AsOf, version_at
from clopos_nb.store import care
from clopos_nb.store.access import Part, in_dask, in_duckdb, in_polars, scanned
from clopos_nb.store.lake import Lake
from clopos_nb.store.reading import as_held, can_filter, held_frames
from clopos_nb.store.refresh import Refresher
from clopos_nb.store.rows import CannotKeep
from clopos_nb.store.site import Site
from clopos_nb.store.snapshot import Snapshot
from clopos_nb.store.sync import sync
from clopos_nb.transport import Transport

if TYPE_CHECKING:
    import dask.dataframe as dd
    import duckdb
    import polars as pl

Frames = dict[str, pd.DataFrame]


class Store:
    """A local copy of what was read, one Delta Lake table for each table.

    ``session.store`` is one, when the session was given a directory for it.

    Attributes
    ----------
    root : Path or str
        The directory, or the URL.
    """

    def __init__(
        self,
        site: Site,
        server: str,
        brand: Callable[[], str],
        transport: Transport,
        drift: Drift,
        today: Callable[[], dt.date],
    ) -> None:
        self.root = site.root
        self._lake = Lake(site, brand, server)
        self._brand = brand
        self._transport = transport
        self._drift = drift
        self._today = today
        self._given_up = False

    def frames(self, asking: Asking, manner: Manner) -> Frames:
        """Return the frames of a question, from here as far as they are held and still true.

        Raises
        ------
        AuthError, TransportError, ApiError, ResponseError, IncompleteResult, ConfigError
        StoreError
            With ``refresh="never"``; else a store that fails is told once, and the server asked.
        """
        question = asking.question
        if manner.offline:
            return self._offline(asking, manner)
        if self._given_up or not _is_kept(question):
            return self._from_server(asking, manner)
        refresher = Refresher(
            self._lake,
            self._transport,
            _whole(question),
            self._drift,
            manner.progress,
            manner.refresh == "full",
        )
        try:
            snapshot, records = refresher.run(asking.places)
            return held_frames(snapshot, asking, records, manner, self._brand())
        except CannotKeep:
            pass
        except StoreError as exc:
            self._give_up(exc)
        except (ApiError, TransportError, ResponseError):
            if manner.on_error == "raise":
                raise
        return self._from_server(asking, manner)

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
        as_of: AsOf | None = None,
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
        as_of: AsOf | None = None,
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
        as_of: AsOf | None = None,
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
        as_of: AsOf | None = None,
    ) -> dict[str, dd.DataFrame]:
        """Return a Dask DataFrame of each table that is held, all of one moment.

        A partition is a venue's month, with the dtypes that ``frame()`` gives, of which the columns
        are read that a computation needs. Workers of a cluster have to see the directory, or to
        have the variables that open the URL. The parameters are those of :meth:`scan`. Needs the
        package ``dask``.

        Raises
        ------
        ConfigError, StoreError
        """
        return in_dask(self._at(as_of), self._part(start, end, venues))

    def _at(self, as_of: AsOf | dt.datetime | None) -> Snapshot:
        return self._lake.latest() if as_of is None else self._lake.snapshot(version_at(as_of))

    def _part(
        self, start: DayLike | None, end: DayLike | None, venues: int | Sequence[int] | None
    ) -> Part:
        days = day_range(start, end, today=self._today())
        ids = [venues] if isinstance(venues, int | Integral | str) else venues
        if ids is not None and not all(isinstance(id, Integral) for id in ids):
            message = f"venues is {venues!r}; expected ids, which session.venues lists"
            raise ConfigError(message)
        return Part(days, None if ids is None else [int(id) for id in ids])

    # -- care

    def info(self) -> pd.DataFrame:
        """Return what is held, a row for each table and venue; asks the server nothing.

        Returns
        -------
        pandas.DataFrame
            ``table``; ``venue_id`` (Int64) and ``venue`` (string), empty for a table of the whole
            brand; ``first`` and ``last`` (datetime64), the outermost days held, and ``days``
            (Int64), how many are; ``rows`` and ``bytes`` (Int64); ``read_at`` (datetime64, UTC),
            when the server was last asked; ``version`` (Int64) of the Delta table.
            ``attrs["clopos"]`` has ``brand``, ``server``, ``format``, the store's own ``version``
            and all its ``bytes``, old versions included.

        Raises
        ------
        ConfigError, StoreError

        Examples
        --------
        >>> import tempfile, clopos_nb
        >>> with tempfile.TemporaryDirectory() as place, clopos_nb.demo(store=place) as session:
        ...     kept = session.frame("receipts", "2026-01-05", venues=[1, 2], progress=False)
        ...     held = session.store.info()
        >>> held["days"].tolist(), int(held["rows"].sum()) == len(kept)
        ([1, 1], True)
        """
        return care.info(self._lake)

    def versions(self) -> pd.DataFrame:
        """Return the versions that ``as_of=`` can read, the newest first.

        Returns
        -------
        pandas.DataFrame
            ``version`` (Int64) and ``at`` (datetime64, UTC), when it was written.

        Raises
        ------
        ConfigError, StoreError
        """
        return care.versions(self._lake)

    def compact(self) -> None:
        """Write the log of each table as one file, so that it opens sooner.

        Rows need none of it: a venue's month is one file as it is written. Delta does the same
        by itself every hundred writes.

        Raises
        ------
        ConfigError, StoreError
        """
        care.compact(self._lake)

    def vacuum(self, keep_days: float = care.KEEP_DAYS) -> int:
        """Remove the files of old versions, and what writers left that died.

        Parameters
        ----------
        keep_days : float
            Versions of these last days stay, for ``as_of=`` and for whoever reads at this moment.
            0 leaves the newest alone.

        Returns
        -------
        int
            How many bytes that freed.

        Raises
        ------
        ConfigError, StoreError
        """
        return care.vacuum(self._lake, keep_days)

    def forget(self, customers: int | Iterable[int]) -> dict[str, int]:
        """Empty what is personal of customers, here and in every version there was.

        Rows stay, and with them every count and sum of receipts. What is emptied: all of a
        customer but the id; in their orders and receipts, and the receipts of their orders, each
        column marked personal and each that is not documented. Then every old version of the whole
        store is removed, so that ``as_of=`` reads back no further.

        The server is not asked and not told. Erase a customer in Clopos first: what it still has
        comes back when it is read again. Guests without an account all have the id 0, so that
        naming it empties all of them.

        Parameters
        ----------
        customers : int or iterable of int
            Ids.

        Returns
        -------
        dict of str to int
            How many rows of each table were emptied.

        Raises
        ------
        ConfigError, StoreError
            After a StoreError call it again; half of it may have been done.
        """
        return care.forget(self._lake, customers)

    # -- for the session

    def venue_rows(self) -> list[dict[str, Any]]:
        """Return id and name of the venues that something is held of.

        Raises
        ------
        ConfigError, StoreError
        """
        venues = self._lake.latest().state.venues
        return [{"id": id, "name": name} for id, name in venues.items()]

    def _offline(self, asking: Asking, manner: Manner) -> Frames:
        question = asking.question
        if not _is_kept(question):
            message = (
                f"{question.name} as asked for cannot come from the store alone: name the days, "
                "leave limit out, and filter on plain columns"
            )
            raise ConfigError(message)
        snapshot = self._at(manner.as_of)
        records = as_held(snapshot, question, asking.places)
        return held_frames(snapshot, asking, records, manner, self._brand())

    def _from_server(self, asking: Asking, manner: Manner) -> Frames:
        (frames,) = fetch_each(
            self._transport, [asking], manner, brand=self._brand(), drift=self._drift
        )
        return frames

    def _give_up(self, exc: StoreError) -> None:
        self._given_up = True
        message = f"{exc}. The server was asked instead, and will be by this session"
        tell(message, StoreUnavailable)

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
