"""Venue and Venues: one branch of the brand, and all of them."""

from __future__ import annotations

import numbers
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pandas as pd

from clopos_nb import errors, html
from clopos_nb.days import DayLike
from clopos_nb.fetch import Asking, Manner, Refresh, read_rows
from clopos_nb.items import Row
from clopos_nb.privacy import Personal
from clopos_nb.progress import Watcher
from clopos_nb.questions import Day, Place
from clopos_nb.settings import AsOf, dtypes, one_of, version_at
from clopos_nb.several import VenueFrames

if TYPE_CHECKING:
    from clopos_nb.session import Session

VenueLike: TypeAlias = "int | str | Venue"


class Venue(html.Tidy):
    """One branch of the brand.

    Attributes
    ----------
    id : int
    name : str
    is_main : bool
    frames : VenueFrames
        ``venue.frames(["receipts", "orders"], "2026-01")`` returns several tables by name, in one
        set of requests where it can be; ``venue.frames["orders"]`` is ``frame`` of that table.
    """

    def __init__(self, session: Session, row: Row) -> None:
        self._session = session
        self.id: int = _venue_id(row.get("id"))
        self.name: str = str(row.get("name") or row["id"])
        self.is_main: bool = bool(row.get("is_main"))
        self.frames = VenueFrames(self)  # an attribute: IPython completes nothing behind a property

    @property
    def place(self) -> Place:
        """The venue as a fetch names it."""
        return Place(self.id, self.name)

    def frame(
        self,
        table: str,
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        columns: Sequence[str] | None = None,
        filters: Mapping[str, Any] | None = None,
        day: Day = "created_at",
        limit: int | None = None,
        strict: bool = False,
        progress: bool | Watcher | None = None,
        refresh: Refresh = "auto",
        as_of: AsOf | None = None,
        dtype_backend: Literal["numpy_nullable", "pyarrow"] = "numpy_nullable",
        money: Literal["float", "decimal"] = "float",
        categorical: bool | Sequence[str] = False,
        personal: Personal | None = None,
    ) -> pd.DataFrame:
        """Return one table of this venue as a DataFrame.

        Like :meth:`Session.frame`, whose parameters these are, for one venue and without the
        columns ``venue_id`` and ``venue`` in front. The venue goes with each request as
        ``x-venue``; nothing is shared between venues.

        Returns
        -------
        pandas.DataFrame
            RangeIndex; columns and dtypes as ``session.tables[table]`` lists them, the same for an
            empty result. ``attrs["clopos"]`` is the certificate.

        Raises
        ------
        UnknownTable, InvalidDates, ConfigError, AuthError, ApiError, TransportError, ResponseError,
        IncompleteResult

        See Also
        --------
        Session.frame : Several venues in one frame.
        Venue.rows : Plain dicts instead.

        Examples
        --------
        >>> import clopos_nb
        >>> with clopos_nb.demo() as session:
        ...     receipts = session.venue(1).frame("receipts", "2026-01-05")
        >>> str(receipts["total"].dtype), str(receipts["order_number"].dtype)
        ('float64', 'string')
        """
        manner = Manner(
            dtypes(self._session._reads.timezone, dtype_backend, money, categorical),
            columns=columns,
            strict=strict,
            progress=progress,
            refresh=one_of("refresh", refresh, "auto", "never", "full"),
            as_of=version_at(as_of),
            privacy=self._session._reads.privacy(personal),
        )
        (question,) = self._session._reads.questions([table], start, end, filters, day, limit)
        (frame,) = self._session._reads.frames([Asking(question, [self.place])], manner).values()
        return frame

    def rows(
        self,
        table: str,
        start: DayLike | None = None,
        end: DayLike | None = None,
        *,
        filters: Mapping[str, Any] | None = None,
        day: Day = "created_at",
        limit: int | None = None,
    ) -> Iterator[Row]:
        """Return an iterator of plain dicts, as the server sent them, page by page.

        Nothing is dropped or converted; rows of a child table also hold their parent's keys, rows
        of a tree the ``path`` of names down to them. A list
        that shrinks while it is read may give a row twice; a frame never does. A session made with
        ``personal=`` "hash" or "drop" refuses, since nothing is hidden here.

        Raises
        ------
        UnknownTable, InvalidDates, ConfigError
            At once.
        AuthError, ApiError, TransportError, ResponseError
            While iterating.

        Examples
        --------
        >>> import clopos_nb
        >>> with clopos_nb.demo() as session:
        ...     row = next(session.venue(1).rows("receipts", "2026-01-05"))
        >>> row["venue_id"]
        1
        """
        reads = self._session._reads
        if reads.personal != "keep":
            message = (
                f"rows() gives what was sent, people included, and this session was made with "
                f"personal={reads.personal!r}; frame() hides them"
            )
            raise errors.ConfigError(message)
        (question,) = reads.questions([table], start, end, filters, day, limit)
        return read_rows(reads.transport, question, self.place)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the ``data`` of any GET made for this venue; see :meth:`Session.get`."""
        return self._session.get(path, params, venue=self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Venue) and other.id == self.id and other._session is self._session

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        return f"Venue({self.id}, {self.name!r})"

    def _repr_html_(self) -> str:
        main = {"main": "yes"} if self.is_main else {}
        return html.card(f"Venue {self.id}", {"name": self.name, **main})


class Venues(html.Tidy):
    """The brand's venues: iterate, count, look one up by id or name; shows itself as a table.

    Examples
    --------
    >>> import clopos_nb
    >>> with clopos_nb.demo() as session:
    ...     venues = session.venues
    >>> len(venues), venues[1].id, venues[venues[1].name].id
    (4, 1, 1)
    """

    def __init__(self, session: Session, rows: Sequence[Row]) -> None:
        self._session = session
        venues = [Venue(session, row) for row in rows]
        self._venues = list({venue.id: venue for venue in venues}.values())

    def __getitem__(self, venue: VenueLike) -> Venue:
        """Return the venue of an id, a name, or a part of a name that no other venue has.

        Case and accents do not matter. A venue's place in the list is not a key.
        """
        if isinstance(venue, Venue):
            if venue._session is not self._session:
                message = f"{venue!r} belongs to another session; use session.venue({venue.id})"
                raise errors.VenueNotFound(message)
            return venue
        for fits in (_is_called, _is_spelt_alike, _has_in_its_name):
            found = [v for v in self._venues if fits(v, venue)]
            if found:
                break
        if len(found) == 1:
            return found[0]
        problem = f"No venue {venue!r}" if not found else f"Several venues fit {venue!r}"
        there_are = ", ".join(f"{v.id} {_printable(v.name)}" for v in self._venues[:50])
        more = f" and {len(self) - 50} more" if len(self) > 50 else ""
        message = f"{problem} in this brand; there are: {there_are or 'none'}{more}"
        raise errors.VenueNotFound(message)

    def chosen(self, venues: str | VenueLike | Sequence[VenueLike]) -> list[Venue]:
        """Return the venues that are meant: "all", one of them, or several in their order.

        Raises
        ------
        ConfigError, VenueNotFound
        """
        if isinstance(venues, str) and venues == "all":
            return list(self) or [self.main]  # which says that there is none
        if isinstance(venues, numbers.Integral | str | Venue):
            return [self[venues]]
        if not isinstance(venues, Iterable):
            message = f"venues is {venues!r}; expected 'all', an id, a name or a list of them"
            raise errors.ConfigError(message)
        chosen = list({venue.id: venue for venue in map(self.__getitem__, venues)}.values())
        if not chosen:
            message = "venues is empty; name one, or leave it out for all"
            raise errors.ConfigError(message)
        return chosen

    def search(self, text: str) -> list[Venue]:
        """Return the venues with this in their name, or of this id, in the brand's order.

        Case and accents do not matter; an empty text finds all.
        """
        part = _plain(text)
        return [v for v in self if part in _plain(v.name) or part == str(v.id)]

    @property
    def main(self) -> Venue:
        """The main venue, or the first where none says that it is."""
        if not self._venues:
            message = "These credentials see no venue; the brand's owner can grant one"
            raise errors.VenueNotFound(message)
        return next((v for v in self._venues if v.is_main), self._venues[0])

    def frame(self) -> pd.DataFrame:
        """Return the venues as the table ``venues``; one request."""
        return self._session.frame("venues")

    def __len__(self) -> int:
        return len(self._venues)

    def __iter__(self) -> Iterator[Venue]:
        return iter(self._venues)

    def __contains__(self, venue: object) -> bool:
        return venue in self._venues or any(_is_called(v, venue) for v in self._venues)

    def _ipython_key_completions_(self) -> list[str]:
        return [venue.name for venue in self._venues]

    def __repr__(self) -> str:
        inside = ", ".join(f"{v.id} {v.name!r}" for v in self._venues[:10])
        return f"Venues({inside}{', ...' if len(self) > 10 else ''})"

    def _repr_html_(self) -> str:
        rows = [[str(v.id), v.name, "main" if v.is_main else ""] for v in self._venues]
        return html.table(["id", "name", ""], rows)


_DIGITS = 18  # of an id; what columns of whole numbers hold


def _venue_id(value: object) -> int:
    if isinstance(value, str) and value.isdecimal() and len(value) < _DIGITS:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**_DIGITS:
        return value
    message = "The list of venues has one without a whole number for its id; none was left out"
    raise errors.ResponseError(message)


def _is_called(venue: Venue, wanted: object) -> bool:
    if isinstance(wanted, numbers.Real) and not isinstance(wanted, bool):
        return venue.id == wanted
    return isinstance(wanted, str) and wanted.strip() in (venue.name, str(venue.id))


def _is_spelt_alike(venue: Venue, wanted: object) -> bool:
    return isinstance(wanted, str) and _plain(venue.name) == _plain(wanted)


def _has_in_its_name(venue: Venue, wanted: object) -> bool:
    return (
        isinstance(wanted, str) and len(wanted.strip()) > 1 and _plain(wanted) in _plain(venue.name)
    )


def _printable(name: str) -> str:
    """Return a name that neither steers a terminal nor begins a line."""
    return "".join(letter if letter.isprintable() else "?" for letter in name)


def _plain(name: str) -> str:
    """Return a name without case and accents, as it is typed on any keyboard."""
    letters = unicodedata.normalize("NFKD", name.casefold().replace("ı", "i").replace("ə", "e"))
    return "".join(c for c in letters if not unicodedata.combining(c)).strip()
