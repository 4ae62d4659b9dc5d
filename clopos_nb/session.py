"""Session: the sentences that users write."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import pandas as pd

from clopos_nb import html, wire
from clopos_nb.addresses import checked_base_url, is_loopback
from clopos_nb.cabinet import default_cache_dir
from clopos_nb.credentials import Credentials, Secret, complete, given
from clopos_nb.days import DayLike
from clopos_nb.drift import Drift
from clopos_nb.errors import ConfigError, TransportError
from clopos_nb.estimate import Estimate, estimate_places
from clopos_nb.fetch import Manner, Refresh, checked_columns
from clopos_nb.questions import Day, Place, Question
from clopos_nb.quota import Quota
from clopos_nb.reads import Reads
from clopos_nb.settings import AsOf, dtypes, one_of, rate, venue_setting, version_at, zone
from clopos_nb.store import Store
from clopos_nb.tables import CATALOGUE, Catalogue
from clopos_nb.tokens import Token, TokenStore
from clopos_nb.transport import Transport
from clopos_nb.venues import Venue, VenueLike, Venues


class Session:
    """One brand of Clopos, seen through one set of credentials.

    Making a session does nothing yet. The first request logs in, once; the token is kept in a
    private cache directory, so that other sessions, kernels and processes of this machine use the
    same one until shortly before it ends. Works with and without ``with``.

    Parameters
    ----------
    client_id, client_secret, brand, integrator_id : str, optional
        The four credentials. What is not given comes from ``CLOPOS_CLIENT_ID``,
        ``CLOPOS_CLIENT_SECRET``, ``CLOPOS_BRAND`` and ``CLOPOS_INTEGRATOR_ID``, then from the key
        ring (service ``clopos_nb``) if the extra ``keyring`` is installed, then from a prompt if
        somebody can answer one. They are never written anywhere.
    venue_id : int, optional
        The venue that ``session.venue()`` means; else ``CLOPOS_VENUE_ID``, else the main one.
    base_url : str, optional
        Else ``CLOPOS_BASE_URL``, else the documented v2 address. ``https://`` only, but for this
        machine.
    timezone : str, optional
        An IANA name such as ``"Asia/Baku"``, or ``CLOPOS_TIMEZONE``. With it every instant comes
        out aware and in that zone, times written without an offset being read as that zone's own.
        Without it those stay naive and the others are UTC. "today" is that zone's today.
    cache_dir : path, optional
        Where the token is kept; else ``CLOPOS_NB_CACHE_DIR``, else the user's cache directory.
        False keeps it in memory only.
    today : date, optional
        The day that "yesterday" and "last 7 days" count from, for reports that can be repeated.
    rate_limit : str, optional
        Requests that Clopos grants this integrator and brand, as in ``"300/60s"``, the default; or
        ``CLOPOS_RATE_LIMIT``. What the server's own headers say goes before it.
    store : path, optional
        A directory of its own to keep what is read in, so that it is not read again; else
        ``CLOPOS_NB_STORE``, else there is none, and False is none whatever is set. Needs the extra
        ``store``.

    Raises
    ------
    ConfigError
        A setting is wrong. Missing credentials are told when they are first needed.

    Examples
    --------
    >>> import clopos_nb
    >>> session = clopos_nb.demo()
    >>> orders = session.venue(1).frame("orders", "2026-01")
    >>> orders.attrs["clopos"]["complete"]
    True
    >>> session.close()
    """

    def __init__(
        self,
        *,
        client_id: str | Secret | None = None,
        client_secret: str | Secret | None = None,
        brand: str | None = None,
        integrator_id: str | None = None,
        venue_id: int | None = None,
        base_url: str | None = None,
        timezone: str | None = None,
        cache_dir: str | os.PathLike[str] | Literal[False] | None = None,
        today: dt.date | None = None,
        rate_limit: str | None = None,
        store: str | os.PathLike[str] | Literal[False] | None = None,
    ) -> None:
        self._given = given(
            {
                "client_id": client_id,
                "client_secret": client_secret,
                "brand": brand,
                "integrator_id": integrator_id,
            }
        )
        self._credentials: Credentials | None = None
        self._venue_id = venue_setting(venue_id)
        timezone = zone(timezone or os.environ.get("CLOPOS_TIMEZONE") or None)
        today = today.date() if isinstance(today, dt.datetime) else today
        self._venues: Venues | None = None
        self._reading_venues = threading.Lock()
        self._cleanup = contextlib.ExitStack()
        directory = None if cache_dir is False else Path(cache_dir or default_cache_dir())
        self._transport = Transport(
            checked_base_url(
                base_url or os.environ.get("CLOPOS_BASE_URL") or wire.DEFAULT_BASE_URL
            ),
            self._complete_credentials,
            TokenStore(directory),
            rate(rate_limit or os.environ.get("CLOPOS_RATE_LIMIT") or None),
        )
        self._reads = Reads(self._transport, timezone, today, lambda: self.brand)
        self._reads.store = self._store_at(store)

    # -- who and where

    @property
    def brand(self) -> str:
        """The brand's slug; asks for it if it is not known yet."""
        return self._complete_credentials().brand

    @property
    def drift(self) -> Drift:
        """What the servers sent that the documentation does not name; nothing of it was lost."""
        return self._reads.drift

    @property
    def store(self) -> Store:
        """The local copy of what was read.

        Raises
        ------
        ConfigError
            The session was given no directory for one.
        """
        if self._reads.store is None:
            message = "This session has no store; Session(store='directory') or CLOPOS_NB_STORE"
            raise ConfigError(message)
        return self._reads.store

    @property
    def tables(self) -> Catalogue:
        """The tables that ``frame`` knows; shows itself as a list."""
        return CATALOGUE

    @property
    def venues(self) -> Venues:
        """The brand's venues; one request, the first time.

        Without a connection they are those that the store holds something of, if there is one.
        """
        with self._reading_venues:
            if self._venues is None:
                try:
                    answer = self._transport.send("GET", CATALOGUE["venues"].path)
                except TransportError:
                    if kept := self._stored_venues():
                        return kept
                    raise
                self._venues = Venues(self, answer.rows())
            return self._venues

    def _stored_venues(self) -> Venues | None:
        rows = self._reads.store.venue_rows() if self._reads.store else []
        return Venues(self, rows) if rows else None

    def venue(self, venue: VenueLike | None = None) -> Venue:
        """Return a venue by id, name or part of a name; without any, the default or main one.

        One request the first time, for the list of venues.

        Raises
        ------
        VenueNotFound
            The text lists the venues there are.

        Examples
        --------
        >>> import clopos_nb
        >>> with clopos_nb.demo() as session:
        ...     session.venue(1).id
        1
        """
        if venue is None:
            venue = self._venue_id if self._venue_id is not None else self.venues.main.id
        return self.venues[venue]

    # -- reading

    def frame(
        self,
        table: str,
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        venues: Literal["all"] | VenueLike | Sequence[VenueLike] = "all",
        columns: Sequence[str] | None = None,
        filters: Mapping[str, Any] | None = None,
        day: Day = "created_at",
        limit: int | None = None,
        strict: bool = False,
        errors: Literal["raise", "warn"] = "raise",
        progress: bool | None = None,
        refresh: Refresh = "auto",
        as_of: AsOf | None = None,
        dtype_backend: Literal["numpy_nullable", "pyarrow"] = "numpy_nullable",
        money: Literal["float", "decimal"] = "float",
        categorical: bool | Sequence[str] = False,
    ) -> pd.DataFrame:
        """Return one table of several venues as a DataFrame.

        All pages of all venues are read, up to sixteen at once, inside the request budget of the
        brand; a second call asks the server again. A table of the whole brand, such as products,
        is read once unless venues are named.

        Parameters
        ----------
        table : str
            A table name; ``session.tables`` lists them. An unknown name raises before any request.
            Or a list path of the inventory and finance group, such as ``"/stock"``, whose columns
            are what the server sends, since the API documents none.
        start, end : date-like or period-like, optional
            Calendar days, both inclusive. A month ("2026-01"), quarter or year alone means all of
            it; also "yesterday", "last 7 days", a date, a pandas.Period. Without them: all.
        venues : "all", or ids, names or Venues
            Which venues, in this order.
        columns : sequence of str, optional
            Only these, in this order. It saves memory, not time: the API sends all of them.
        filters : mapping, optional
            Field to value, or to a list of values of which one must match. Sent to the server, and
            applied again to what comes back, since a server may ignore them.
        day : "created_at" or "shift_date"
            What a day is: when a receipt was opened, or the business day it belongs to.
        limit : int, optional
            Stop after this many rows. A frame that reaches it is not certified as complete.
        strict : bool
            Raise ``IncompleteResult`` where there would be a warning.
        errors : "raise" or "warn"
            What a venue that fails does: end the call, or leave the other venues' rows and be named
            in the certificate and a warning. A refused login always raises.
        progress : bool, optional
            A bar: always, never, or by default when there is more than one page.
        refresh : "auto", "never" or "full"
            Of a store: read what is missing and what changed, one request for each venue when
            nothing did; nothing, so that it works offline; or everything again.
        as_of : int, str, date or datetime, optional
            Read the store alone, as it was: a version (``store_version`` in a certificate,
            ``session.store.versions()``), a moment (UTC), or the end of a day or month.
        dtype_backend : "numpy_nullable" or "pyarrow"
            As in pandas: nullable dtypes, or Arrow's own for every column.
        money : "float" or "decimal"
            Money as ``float64``, or exactly as written in the JSON text: ``decimal128(38, 4)``,
            and with 18 decimals where an amount has more than four.
        categorical : bool or names of columns
            Text as categories: True for the columns whose values the API documents, and ``venue``.

        Returns
        -------
        pandas.DataFrame
            RangeIndex; ``venue_id`` (Int64) and ``venue`` (string) first, then the columns of
            ``session.tables[table]``, the same for an empty result. Rows by venue, then by creation
            where the table allows it. ``attrs["clopos"]`` is the certificate.

        Raises
        ------
        UnknownTable, InvalidDates, ConfigError, VenueNotFound
            Before anything is sent.
        AuthError, RateLimited, ApiError, TransportError, ResponseError, IncompleteResult

        Examples
        --------
        >>> import clopos_nb
        >>> with clopos_nb.demo() as session:
        ...     frame = session.frame("receipts", "2026-01-05", venues=[1, 2], progress=False)
        >>> list(frame.columns[:2])
        ['venue_id', 'venue']
        """
        manner = Manner(
            dtypes(self._reads.timezone, dtype_backend, money, categorical),
            columns=columns,
            strict=strict,
            on_error=one_of("errors", errors, "raise", "warn"),
            progress=progress,
            refresh=one_of("refresh", refresh, "auto", "never", "full"),
            as_of=version_at(as_of),
        )
        questions = self._reads.questions([table], start, end, filters, day, limit)
        (frame,) = self._fetch(questions, venues, manner).values()
        return frame

    def frames(
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
        progress: bool | None = None,
        refresh: Refresh = "auto",
        as_of: AsOf | None = None,
        dtype_backend: Literal["numpy_nullable", "pyarrow"] = "numpy_nullable",
        money: Literal["float", "decimal"] = "float",
        categorical: bool | Sequence[str] = False,
    ) -> dict[str, pd.DataFrame]:
        """Return several tables by name; those of one endpoint come from one set of requests.

        Receipts, their lines and their payments cost no more requests than receipts alone, and are
        of the same moment, so that they add up. The parameters are those of :meth:`frame`; days
        apply to the tables that take them, filters to all.

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
            dtypes(self._reads.timezone, dtype_backend, money, categorical),
            strict=strict,
            on_error=one_of("errors", errors, "raise", "warn"),
            progress=progress,
            refresh=one_of("refresh", refresh, "auto", "never", "full"),
            as_of=version_at(as_of),
        )
        names = [tables] if isinstance(tables, str) else list(tables)
        questions = self._reads.questions(names, start, end, filters, day)
        found = self._fetch(questions, venues, manner)
        return {CATALOGUE[name].name: found[CATALOGUE[name].name] for name in names}

    def sync(
        self,
        tables: str | Sequence[str],
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        venues: Literal["all"] | VenueLike | Sequence[VenueLike] = "all",
        progress: bool | None = None,
    ) -> pd.DataFrame:
        """Fill the store: what is missing month by month, then what changed.

        Every step is kept when it is over: a call that was interrupted goes on where it was, and
        several processes may run at once. Made for a job that runs every night, and for more than
        fits in memory.

        Parameters
        ----------
        tables : str or sequence of str
        start, end : date-like or period-like, optional
            Calendar days, both inclusive, as in :meth:`frame`; tables without days come whole.
        venues : "all", or ids, names or Venues
        progress : bool, optional
            A bar of steps; False: none.

        Returns
        -------
        pandas.DataFrame
            A row for each endpoint and venue: ``table``, ``venue_id``, ``venue``, ``rows`` held of
            these days, ``changes`` that came to days held before, ``requests``.

        Raises
        ------
        ConfigError
            There is no store, or a dated table without days.
        StoreError
            The store cannot be written, or the server's answers cannot be certified.
        AuthError, RateLimited, ApiError, TransportError, ResponseError

        Examples
        --------
        >>> import clopos_nb, tempfile
        >>> with tempfile.TemporaryDirectory() as folder, clopos_nb.demo(store=folder) as session:
        ...     done = session.sync(["receipts", "receipt_products"], "2026-02", progress=False)
        >>> list(done.columns)
        ['table', 'venue_id', 'venue', 'rows', 'changes', 'requests']
        """
        names = [tables] if isinstance(tables, str) else list(tables)
        questions = self._reads.questions(names, start, end, None, "created_at")
        store = self.store
        done = [store.sync(q, self._places(q, venues), progress) for q in questions]
        return pd.concat(done, ignore_index=True)

    def estimate(
        self,
        table: str,
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        venues: Literal["all"] | VenueLike | Sequence[VenueLike] = "all",
        filters: Mapping[str, Any] | None = None,
        day: Day = "created_at",
    ) -> Estimate:
        """Return what :meth:`frame` with these arguments would cost: rows, requests, seconds.

        One request for each venue.

        Raises
        ------
        UnknownTable, InvalidDates, ConfigError, VenueNotFound
            Before anything is sent.
        AuthError, RateLimited, ApiError, TransportError, ResponseError

        Examples
        --------
        >>> import clopos_nb
        >>> with clopos_nb.demo() as session:
        ...     cost = session.estimate("receipts", "2026-01")
        >>> cost.rows, cost.requests
        (11773, 60)
        """
        (question,) = self._reads.questions([table], start, end, filters, day)
        return estimate_places(self._transport, question, self._places(question, venues))

    def get(
        self, path: str, params: Mapping[str, Any] | None = None, *, venue: VenueLike | None = None
    ) -> Any:
        """Return the ``data`` of any GET, as plain Python values.

        Parameters
        ----------
        path : str
            Below the base URL, as in ``"/receipts/12"``.
        params : mapping, optional
            Nested lists and maps are spelt with brackets: ``{"sort": ["id", 1]}``.
        venue : int, str or Venue, optional
            For whom; by default the venue that the token names.

        Returns
        -------
        dict, list or None

        Raises
        ------
        ConfigError, AuthError, ApiError, TransportError, ResponseError

        Examples
        --------
        >>> import clopos_nb
        >>> with clopos_nb.demo() as session:
        ...     session.get("/venues")[0]["id"]
        1
        """
        return self.request("GET", path, params=params, venue=venue)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        venue: VenueLike | None = None,
    ) -> Any:
        """Return the ``data`` of any request; the way to write.

        A write is sent again only where it cannot have been processed (a refused token, a 429).

        Raises
        ------
        OutcomeUnknown
            The answer to a write did not come back; read before repeating it.
        ConfigError, AuthError, ApiError, TransportError, ResponseError
        """
        answer = self._transport.send(
            method.upper(),
            path,
            query=wire.brackets(params or {}),
            body=json,
            venue_id=None if venue is None else self.venue(venue).id,
        )
        return answer.data()

    # -- the token

    def login(self) -> Token:
        """Log in now and return the new token; otherwise the first request does it."""
        return self._transport.login()

    @property
    def token(self) -> Token | None:
        """The token there is, which never shows itself; None before the first request."""
        return self._transport.stored_token()

    @property
    def quota(self) -> Quota:
        """The request budget, as the last answer stated it."""
        return self._transport.quota

    def logout(self) -> None:
        """Forget the token, here and on disk; sessions open elsewhere keep theirs to its end."""
        self._transport.logout()

    def close(self) -> None:
        """Close connections and the cache; the token stays, and using the session opens it again.

        The session of ``demo()`` ends for good, since its server stops.
        """
        self._transport.close()
        self._cleanup.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # -- showing itself

    def __repr__(self) -> str:
        return f"Session(brand={self._known_brand!r})"

    def _repr_html_(self) -> str:
        host = self._transport.base_url.split("/")[2]
        where = "this machine" if is_loopback(host.rsplit(":", 1)[0]) else host
        return html.card(
            "Clopos session",
            {
                "brand": self._known_brand or "not set",
                "server": where,
                "time zone": self._reads.timezone or "as sent",
                "venues": "not read yet" if self._venues is None else str(len(self._venues)),
            },
        )

    @property
    def _known_brand(self) -> str | None:
        if self._credentials is not None:  # from the key ring or a prompt
            return self._credentials.brand
        secret = self._given.get("brand")
        return secret.reveal() if secret else None

    # -- inside

    def _store_at(self, store: str | os.PathLike[str] | Literal[False] | None) -> Store | None:
        place = store if store is not None else os.environ.get("CLOPOS_NB_STORE")
        if not place:
            return None
        if "://" in str(place):
            message = (
                "store is a URL; expected a directory, since a store needs the file system's locks "
                "(CLOPOS_NB_STORE). docs/scale.md says how to put one into an object store"
            )
            raise ConfigError(message)
        host = self._transport.base_url.split("/")[2]
        server = "this machine" if is_loopback(host.rsplit(":", 1)[0]) else host
        reads = self._reads
        return Store(
            Path(place), server, lambda: self.brand, self._transport, self.drift, reads.now
        )

    def _complete_credentials(self) -> Credentials:
        if self._credentials is None:
            self._credentials = complete(self._given)
        return self._credentials

    def _fetch(
        self,
        questions: Sequence[Question],
        venues: str | VenueLike | Sequence[VenueLike],
        manner: Manner,
    ) -> dict[str, pd.DataFrame]:
        """Read every question, each from the places that it is to be asked of."""
        for question in questions:  # before the first request
            whole_brand = _of_brand(question, venues)
            checked_columns(question.tables[0], manner.columns, not whole_brand)
            _check_owner(question, whole_brand)
        found: dict[str, pd.DataFrame] = {}
        for question in questions:
            labelled = replace(manner, label=not _of_brand(question, venues))
            offline = manner.offline
            places = self._places(question, venues, offline=offline)
            found |= self._reads.frames([question], places, labelled)
        return found

    def _places(
        self,
        question: Question,
        venues: str | VenueLike | Sequence[VenueLike],
        *,
        offline: bool = False,
    ) -> list[Place]:
        if _of_brand(question, venues):
            return [Place(None)]
        known = self._stored_venues() if offline and self._venues is None else None
        return [venue.place for venue in (known or self.venues).chosen(venues)]


def _of_brand(question: Question, venues: object) -> bool:
    """Tell whether to ask the brand as a whole rather than each venue."""
    return question.source.scope == "brand" and isinstance(venues, str) and venues == "all"


def _check_owner(question: Question, whole_brand: bool) -> None:
    """Refuse venues for a table of the brand whose ``venue_id`` means something else."""
    table = question.tables[0]
    if not whole_brand and table.scope == "brand" and "venue_id" in question.source.by_name:
        message = f"{table.name} belong to the brand; leave venues out and filter on venue_id"
        raise ConfigError(message)
