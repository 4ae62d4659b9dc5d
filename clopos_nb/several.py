"""Several tables at once, and single ones by their name: ``frames`` of a session and of a venue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from clopos_nb.days import DayLike
from clopos_nb.fetch import Asking, Manner, Refresh
from clopos_nb.html import Tidy
from clopos_nb.progress import Watcher
from clopos_nb.questions import Day
from clopos_nb.settings import AsOf, dtypes, one_of, version_at
from clopos_nb.tables import CATALOGUE

if TYPE_CHECKING:
    from clopos_nb.session import Session
    from clopos_nb.venues import Venue, VenueLike


class TableFrame(partial[pd.DataFrame]):
    """One table of a session or venue, not read yet; calling it is calling ``frame``.

    Examples
    --------
    >>> import clopos_nb
    >>> with clopos_nb.demo() as session:
    ...     orders = session.venue(1).frames["orders"]
    ...     frame = orders("2026-01-05", columns=["id", "status"])
    >>> list(frame.columns)
    ['id', 'status']
    """

    def __repr__(self) -> str:
        return f"{self.func.__self__!r}.frame({self.args[0]!r}, ...)"  # type: ignore[attr-defined]


class _Frames(Tidy):
    """What both kinds share: a name in brackets, which a notebook completes."""

    def __init__(self, whose: Session | Venue) -> None:
        self._whose = whose

    def __getitem__(self, table: str) -> TableFrame:
        """Return a table by its name, to be called with days; an unknown name raises at once."""
        return TableFrame(self._whose.frame, CATALOGUE[table].name)

    def _ipython_key_completions_(self) -> list[str]:
        return list(CATALOGUE)

    def __repr__(self) -> str:
        return f"{self._whose!r}.frames"


class SessionFrames(_Frames):
    """Several tables of the brand in one call, or one by name: ``session.frames["orders"]``."""

    _whose: Session

    def __call__(
        self,
        tables: Sequence[str],
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        venues: Literal["all"] | VenueLike | Sequence[VenueLike] = "all",
        filters: Mapping[str, Any] | None = None,
        day: Day = "created_at",
        strict: bool = False,
        errors: Literal["raise", "warn"] = "raise",
        progress: bool | Watcher | None = None,
        refresh: Refresh = "auto",
        as_of: AsOf | None = None,
        dtype_backend: Literal["numpy_nullable", "pyarrow"] = "numpy_nullable",
        money: Literal["float", "decimal"] = "float",
        categorical: bool | Sequence[str] = False,
    ) -> dict[str, pd.DataFrame]:
        """Return several tables by name, read at once; those of one endpoint share requests.

        Receipts, their lines and their payments cost no more requests than receipts alone, and are
        of the same moment, so that they add up. The parameters are those of :meth:`Session.frame`;
        days apply to the tables that take them, filters to all.

        Returns
        -------
        dict of str to pandas.DataFrame
            In the order asked for, each with its certificate.

        Raises
        ------
        UnknownTable, InvalidDates, ConfigError, VenueNotFound
            Before anything is sent.
        AuthError, RateLimited, ApiError, TransportError, ResponseError, IncompleteResult

        Examples
        --------
        >>> import clopos_nb
        >>> with clopos_nb.demo() as session:
        ...     frames = session.frames(["receipts", "receipt_payments"], "2026-01-05")
        >>> int(frames["receipt_payments"]["receipt_id"].isin(frames["receipts"]["id"]).all())
        1
        """
        manner = Manner(
            dtypes(self._whose._reads.timezone, dtype_backend, money, categorical),
            strict=strict,
            on_error=one_of("errors", errors, "raise", "warn"),
            progress=progress,
            refresh=one_of("refresh", refresh, "auto", "never", "full"),
            as_of=version_at(as_of),
        )
        names = [tables] if isinstance(tables, str) else list(tables)
        questions = self._whose._reads.questions(names, start, end, filters, day)
        found = self._whose._fetch(questions, venues, manner)
        return {CATALOGUE[name].name: found[CATALOGUE[name].name] for name in names}


class VenueFrames(_Frames):
    """Several tables of a venue in one call, or one by name: ``venue.frames["orders"]``."""

    _whose: Venue

    def __call__(
        self,
        tables: Sequence[str],
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        filters: Mapping[str, Any] | None = None,
        day: Day = "created_at",
        strict: bool = False,
        progress: bool | Watcher | None = None,
        refresh: Refresh = "auto",
        as_of: AsOf | None = None,
        dtype_backend: Literal["numpy_nullable", "pyarrow"] = "numpy_nullable",
        money: Literal["float", "decimal"] = "float",
        categorical: bool | Sequence[str] = False,
    ) -> dict[str, pd.DataFrame]:
        """Return several tables of this venue by name, in one set of requests where it can be.

        As :meth:`Session.frames`, for one venue and without the columns ``venue_id`` and ``venue``
        in front.

        Raises
        ------
        UnknownTable, InvalidDates, ConfigError, AuthError, ApiError, TransportError, ResponseError,
        IncompleteResult

        Examples
        --------
        >>> import clopos_nb
        >>> with clopos_nb.demo() as session:
        ...     frames = session.venue(1).frames(["receipts", "receipt_products"], "2026-01-05")
        >>> list(frames)
        ['receipts', 'receipt_products']
        """
        reads = self._whose._session._reads
        manner = Manner(
            dtypes(reads.timezone, dtype_backend, money, categorical),
            strict=strict,
            progress=progress,
            refresh=one_of("refresh", refresh, "auto", "never", "full"),
            as_of=version_at(as_of),
        )
        names = [tables] if isinstance(tables, str) else list(tables)
        questions = reads.questions(names, start, end, filters, day)
        askings = [Asking(question, [self._whose.place]) for question in questions]
        found = reads.frames(askings, manner)
        return {CATALOGUE[name].name: found[CATALOGUE[name].name] for name in names}
