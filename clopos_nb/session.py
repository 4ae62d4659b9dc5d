"""Session: the sentences that users write."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from clopos_nb import html, wire
from clopos_nb.addresses import checked_base_url, is_loopback
from clopos_nb.cabinet import default_cache_dir
from clopos_nb.cards import session_card
from clopos_nb.credentials import Credentials, Secret, complete, given
from clopos_nb.days import DayLike
from clopos_nb.drift import Drift
from clopos_nb.errors import ConfigError, TransportError
from clopos_nb.estimate import Estimate, estimate_places
from clopos_nb.fetch import Asking, Manner, Refresh, check_categories, checked_columns
from clopos_nb.privacy import STRICTER, Personal
from clopos_nb.progress import Watcher
from clopos_nb.pseudonyms import Pseudonyms, key_file
from clopos_nb.questions import Day, Place, Question
from clopos_nb.quota import Quota
from clopos_nb.reads import Reads
from clopos_nb.settings import (
    AsOf,
    dtypes,
    one_of,
    rate,
    sources,
    venue_setting,
    version_at,
    zone,
)
from clopos_nb.several import SessionFrames
from clopos_nb.tables import CATALOGUE, Catalogue
from clopos_nb.tokens import Token, TokenStore
from clopos_nb.transport import Transport
from clopos_nb.venues import Venue, VenueLike, Venues

if TYPE_CHECKING:
    from clopos_nb.checkup import Checkup
    from clopos_nb.store import Store
    from clopos_nb.widgets import DatesPicker, TablePicker, VenuePicker, VenuesPicker
    from clopos_nb.widgets.explorer import Explorer


class Session(html.Tidy):
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
        False, or ``off`` as the variable, keeps it in memory only.
    today : date, optional
        The day that "yesterday" and "last 7 days" count from, for reports that can be repeated.
    rate_limit : str, optional
        Requests that Clopos grants this integrator and brand, as in ``"300/60s"``, the default; or
        ``CLOPOS_RATE_LIMIT``. What the server's own headers say goes before it.
    store : path or URL, optional
        A directory of its own to keep what is read in, so that it is not read again, or a part of
        an object store, as in ``"s3://bucket/clopos"``, with access as ``deltalake`` finds it in
        the environment; else ``CLOPOS_NB_STORE``, else there is none, and False is none whatever is
        set. Needs the extra ``store``.
    personal : "keep", "hash" or "drop", optional
        What frames do with personal columns where a call does not say: see :meth:`frame`. Else
        ``CLOPOS_NB_PERSONAL``, else they are kept.
    pseudonym_key : path, optional
        The file of the key that makes pseudonyms, made when it is first needed: the same file, the
        same pseudonyms. Else ``CLOPOS_NB_PSEUDONYM_KEY``, else one in the user's data directory, or
        a key that ends with the session where ``cache_dir`` is False. Whoever has it can find out
        whose a pseudonym is, so keep it out of what is shared.

    Attributes
    ----------
    tables : Catalogue
        The tables that ``frame`` knows; shows itself as a list.
    frames : SessionFrames
        ``session.frames(["receipts", "orders"], "2026-01")`` returns several tables by name, in one
        set of requests where it can be; ``session.frames["orders"]`` is ``frame`` of that table.

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
        personal: Personal | None = None,
        pseudonym_key: str | os.PathLike[str] | None = None,
    ) -> None:
        credentials = {
            "client_id": client_id,
            "client_secret": client_secret,
            "brand": brand,
            "integrator_id": integrator_id,
        }
        self._given = given(credentials)
        self._sources = sources(
            {
                **credentials,
                "venue_id": venue_id,
                "base_url": base_url,
                "timezone": timezone,
                "cache_dir": cache_dir,
                "rate_limit": rate_limit,
                "store": store,
                "personal": personal,
                "pseudonym_key": pseudonym_key,
            }
        )
        self._credentials: Credentials | None = None
        self._venue_id = venue_setting(venue_id)
        timezone = zone(timezone or os.environ.get("CLOPOS_TIMEZONE") or None)
        today = today.date() if isinstance(today, dt.datetime) else today
        self.tables: Catalogue = CATALOGUE
        self.frames = SessionFrames(self)
        self._venues: Venues | None = None
        self._reading_venues = threading.Lock()
        self._cleanup = contextlib.ExitStack()
        if cache_dir is False:
            directory = None
        else:
            directory = Path(cache_dir) if cache_dir else default_cache_dir()
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
        chosen = personal or os.environ.get("CLOPOS_NB_PERSONAL") or "keep"
        self._reads.personal = one_of("personal", chosen, *STRICTER)
        key = key_file(pseudonym_key, writes=directory is not None)
        self._reads.pseudonyms = Pseudonyms(key)

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

    @property  # not a cached one: IPython would read the venues to complete what comes after it
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
        progress: bool | Watcher | None = None,
        refresh: Refresh = "auto",
        as_of: AsOf | None = None,
        dtype_backend: Literal["numpy_nullable", "pyarrow"] = "numpy_nullable",
        money: Literal["float", "decimal"] = "float",
        categorical: bool | Sequence[str] = False,
        personal: Personal | None = None,
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
        progress : bool or callable, optional
            A bar: always, never, or by default when there is more than one page. A function is
            called instead, several times a second, with the rows so far, their total (None until
            it is known) and a note; an exception that it raises ends the read at once.
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
        personal : "keep", "hash" or "drop", optional
            Personal columns (``session.tables[table].columns`` marks them), and those that no page
            documents, as they are, as pseudonyms or not at all; else as the session was made. A
            pseudonym is a text, of a value in whatever column and table the same, by the key that
            ``Session(pseudonym_key=)`` names; ids stay. ``filters`` are still of real values.

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
            privacy=self._reads.privacy(personal),
        )
        questions = self._reads.questions([table], start, end, filters, day, limit)
        (frame,) = self._fetch(questions, venues, manner).values()
        return frame

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

    def snapshot(
        self,
        path: str | os.PathLike[str],
        tables: str | Sequence[str],
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        venues: Literal["all"] | VenueLike | Sequence[VenueLike] = "all",
        personal: Personal | None = None,
        force: bool = False,
        progress: bool | Watcher | None = None,
    ) -> Path:
        """Write frames and certificates into one file, which :func:`open_snapshot` replays.

        For a colleague without credentials, who runs the same notebook on it: any days within those
        held can be asked for. What is not complete is not written. Orders are read one day at a
        time, a request for each day and venue, since only the server knows which day an order is
        of; receipts with a day more on either side, for business days. Tables of the brand come
        whole, whatever ``venues`` says.

        Parameters
        ----------
        path : path
            A zip: Parquet, certificates and a manifest, which names the brand and its venues. Only
            its owner can read it, until it is copied.
        tables : str or sequence of str
        start, end : date-like or period-like, optional
            Calendar days, both inclusive, as in :meth:`frame`.
        venues : "all", or ids, names or Venues
        personal : "keep", "hash" or "drop", optional
            By default personal columns are pseudonyms, as in :meth:`frame`, or dropped where this
            session drops them. The key of pseudonyms is never in the file.
        force : bool
            Replace a file that is there.
        progress : bool or callable, optional

        Returns
        -------
        Path
            That of the file.

        Raises
        ------
        ConfigError
            There is such a file, or no such folder; a dated table without days, or one that is read
            by receipt.
        IncompleteResult, UnknownTable, InvalidDates, VenueNotFound
        AuthError, RateLimited, ApiError, TransportError, ResponseError
        OSError
            The disk does not take it.

        Examples
        --------
        >>> import clopos_nb, tempfile
        >>> with tempfile.TemporaryDirectory() as folder, clopos_nb.demo() as session:
        ...     path = session.snapshot(f"{folder}/day.zip", ["customers", "orders"], "2026-01-05")
        ...     orders = clopos_nb.open_snapshot(path).frame("orders", "2026-01-05")
        >>> str(orders["payload_customer_phone"].dropna().iloc[0])[:2]
        'p_'
        """
        from clopos_nb.snapshots import VenueLine, checked_target, plan

        target, reads = Path(path), self._reads
        checked_target(target, force=force)  # before the first request
        names = [tables] if isinstance(tables, str) else list(tables)
        questions = reads.questions(names, start, end, None, "created_at")
        privacy = reads.privacy(personal or max(reads.personal, "hash", key=STRICTER.index))
        places = [
            self._places(q, "all" if q.source.scope == "brand" else venues) for q in questions
        ]
        parts = [plan(q, whose) for q, whose in zip(questions, places, strict=True)]
        lines = [VenueLine(venue.id, venue.name, venue.is_main) for venue in self.venues]
        reads.save_snapshot(target, parts, lines, privacy, force=force, progress=progress)
        return target

    def estimate(
        self,
        table: str,
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        venues: Literal["all"] | VenueLike | Sequence[VenueLike] = "all",
        filters: Mapping[str, Any] | None = None,
        day: Day = "created_at",
        progress: Watcher | None = None,
    ) -> Estimate:
        """Return what :meth:`frame` with these arguments would cost: rows, requests, seconds.

        One request for each venue. ``progress`` is a function as for :meth:`frame`, told of venues.

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
        places = self._places(question, venues)
        return estimate_places(self._transport, question, places, progress)

    def get(
        self, path: str, params: Mapping[str, Any] | None = None, *, venue: VenueLike | None = None
    ) -> Any:
        """Return the ``data`` of any GET, as plain Python values; nothing personal is hidden in it.

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

    # -- picking, in a notebook

    def pick_venue(self, venue: VenueLike | None = None) -> VenuePicker:
        """Return a picker of one venue: a :class:`~clopos_nb.widgets.VenuePicker`.

        One request, unless the venues have been read; an unknown venue raises ``VenueNotFound``.

        Examples
        --------
        >>> import clopos_nb
        >>> with clopos_nb.demo() as session:
        ...     session.pick_venue(3).code
        'session.venue(3)'
        """
        from clopos_nb.widgets import VenuePicker  # only whoever picks loads ipywidgets

        return VenuePicker(self, venue)

    def pick_venues(
        self, venues: Literal["all"] | VenueLike | Sequence[VenueLike] = "all"
    ) -> VenuesPicker:
        """Return a picker of several venues: a :class:`~clopos_nb.widgets.VenuesPicker`.

        One request, unless the venues have been read; an unknown venue raises ``VenueNotFound``.
        """
        from clopos_nb.widgets import VenuesPicker

        return VenuesPicker(self, venues)

    def pick_dates(self, start: DayLike = "yesterday", end: DayLike | None = None) -> DatesPicker:
        """Return a picker of days: a :class:`~clopos_nb.widgets.DatesPicker`.

        No request; what is not a day or period raises ``InvalidDates``.
        """
        from clopos_nb.widgets import DatesPicker

        return DatesPicker(self, start, end)

    def pick_table(self, table: str = "receipts") -> TablePicker:
        """Return a picker of a table: a :class:`~clopos_nb.widgets.TablePicker`.

        No request; an unknown name raises ``UnknownTable``.
        """
        from clopos_nb.widgets import TablePicker

        return TablePicker(self, table)

    def explore(
        self,
        table: str = "receipts",
        start: DayLike = "last 7 days",
        end: DayLike | None = None,
        *,
        venues: Literal["all"] | VenueLike | Sequence[VenueLike] = "all",
    ) -> Explorer:
        """Return an :class:`~clopos_nb.widgets.explorer.Explorer`: choose, load, look, take away.

        One request, for the list of venues; nothing is read before Load. Needs the extra
        ``explore``.

        Parameters
        ----------
        table, start, end, venues
            The first choice, as for :meth:`frame`; all of it can be changed in the widget.

        Raises
        ------
        ConfigError
            The extra is not installed.
        UnknownTable, InvalidDates, VenueNotFound, AuthError, ApiError, TransportError

        Examples
        --------
        >>> import clopos_nb
        >>> with clopos_nb.demo() as session:
        ...     explorer = session.explore("orders", "2026-01-05")
        >>> explorer.code
        'frame = session.frame("orders", "2026-01-05", "2026-01-05")'
        """
        try:
            from clopos_nb.widgets.explorer import Explorer
        except ImportError as missing:
            message = f"explore() needs {missing.name}: pip install 'clopos_nb[explore]'"
            raise ConfigError(message) from None
        return Explorer(self, table, start, end, venues)

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

    def doctor(self) -> Checkup:
        """Return what is well and what is not: a :class:`~clopos_nb.checkup.Checkup`.

        Settings and where each came from, the way to the server, its clock, the login, the venues,
        what these credentials may read, the request budget, the cache, versions. A request without
        a token, one for each list of the catalogue, and a login if there is no token yet; nobody is
        asked for a credential. It holds no secret and nothing about a person, to be sent to whoever
        helps. What is wrong is in it and raises nothing.

        Examples
        --------
        >>> import clopos_nb
        >>> with clopos_nb.demo() as session:
        ...     checkup = session.doctor()
        >>> checkup.ok, checkup.verdict
        (True, 'All is well')
        """
        from clopos_nb.doctor import examine  # only whoever asks for it loads it

        self._transport.check_server()
        return examine(self)

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
        return session_card(self)

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
        from clopos_nb.store import Site, Store

        host = self._transport.base_url.split("/")[2]
        server = "this machine" if is_loopback(host.rsplit(":", 1)[0]) else host
        reads = self._reads
        return Store(
            Site.of(place), server, lambda: self.brand, self._transport, self.drift, reads.now
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
        check_categories(questions, manner.dtypes)  # before the first request
        for question in questions:
            whole_brand = _of_brand(question, venues)
            checked_columns(question.tables[0], manner, not whole_brand)
            _check_owner(question, whole_brand)
        askings = [
            Asking(
                question,
                self._places(question, venues, offline=manner.offline),
                not _of_brand(question, venues),
            )
            for question in questions
        ]
        return self._reads.frames(askings, manner)

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
