"""Pickers of a venue, of several venues, and of a table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import ipywidgets as W
import traitlets
from traitlets import observe, validate

from clopos_nb.errors import UnknownTable
from clopos_nb.tables import CATALOGUE
from clopos_nb.venues import Venue, VenueLike, Venues
from clopos_nb.widgets.picker import Choice, Picker

if TYPE_CHECKING:
    from clopos_nb.session import Session


class VenuePicker(Picker):
    """One venue of the brand, from a list; the main venue comes first.

    Making it reads the list of venues: one request, unless the session has read it before.

    Parameters
    ----------
    session : Session
    venue : int, str or Venue, optional
        The first choice; by default what ``session.venue()`` means.

    Attributes
    ----------
    venue : Venue
        The choice. May be set to an id, a name or a part of a name, too.

    Raises
    ------
    VenueNotFound
        Here, and when the trait is set.

    Examples
    --------
    >>> import clopos_nb
    >>> with clopos_nb.demo() as session:
    ...     picker = session.pick_venue()
    ...     picker.venue = 3
    >>> picker.code
    'session.venue(3)'
    """

    venue = Choice()

    def __init__(self, session: Session, venue: VenueLike | None = None) -> None:
        options = _options(_main_first(session.venues))
        self._choice = W.Dropdown(
            options=options, description="Venue", tooltip="The venue to look at"
        )
        super().__init__(session, [self._choice])
        self.venue = session.venue(venue)
        traitlets.link((self, "venue"), (self._choice, "value"))

    @validate("venue")
    def _known(self, proposal: Any) -> Venue:
        return self._session.venues[proposal.value]

    @property
    def code(self) -> str:
        """The call that returns the venue, as in ``session.venue(3)``."""
        return f"session.venue({self.venue.id})"

    def __repr__(self) -> str:
        return f"VenuePicker({self.venue.id}, {self.venue.name!r})"


class VenuesPicker(Picker):
    """Several venues of the brand: all, none, or those marked in a list that can be searched.

    A search lists some of the venues, to be marked one by one or all at once, and leaves alone
    those that it hides. Making the picker reads the list of venues: one request, unless the session
    has read it before.

    Parameters
    ----------
    session : Session
    venues : "all", or ids, names or Venues
        The first choice.

    Attributes
    ----------
    venues : tuple of Venue
        The choice, the main venue first, then as the brand lists them. May be set to whatever
        ``session.frame(venues=...)`` takes, and to nothing: ``()``.

    Raises
    ------
    VenueNotFound, ConfigError
        Here, and when the trait is set.

    Examples
    --------
    >>> import clopos_nb
    >>> with clopos_nb.demo() as session:
    ...     picker = session.pick_venues()
    ...     picker.venues = [3, 1]
    >>> picker.wanted, picker.code
    ([1, 3], 'session.venues.chosen([1, 3])')
    """

    venues = Choice(())

    def __init__(
        self,
        session: Session,
        venues: Literal["all"] | VenueLike | Sequence[VenueLike] = "all",
    ) -> None:
        self._offered = _main_first(session.venues)
        self._all = W.Checkbox(tooltip="Choose every venue listed, or none of them", indent=False)
        self._search = W.Text(
            description="Search",
            placeholder="part of a name",
            tooltip="Show only the venues with this in their name",
        )
        self._list = W.SelectMultiple(
            description="Venues",
            tooltip="Choose several with Ctrl or Shift",
            rows=min(max(len(self._offered), 3), 10),
        )
        self._count = W.HTML()
        self._updating = False
        controls = [self._search, self._all, self._list]
        super().__init__(session, controls, self._count)
        self.venues = venues
        self._show()
        self._all.observe(self._all_or_none, "value")
        self._search.observe(self._show, "value")
        self._list.observe(self._marked, "value")

    @validate("venues")
    def _known(self, proposal: Any) -> tuple[Venue, ...]:
        if isinstance(proposal.value, list | tuple) and not proposal.value:
            return ()
        chosen = set(self._session.venues.chosen(proposal.value))
        return tuple(venue for venue in self._offered if venue in chosen)

    @property
    def wanted(self) -> Literal["all"] | list[int]:
        """The choice as the argument ``venues=`` of a read: ``"all"``, or ids."""
        if len(self.venues) == len(self._offered):
            return "all"
        return [venue.id for venue in self.venues]

    @property
    def code(self) -> str:
        """The call that returns the venues, or ``[]`` when none is chosen."""
        return f"session.venues.chosen({json.dumps(self.wanted)})" if self.venues else "[]"

    def __repr__(self) -> str:
        first = ", ".join(f"{venue.id} {venue.name!r}" for venue in self.venues[:3])
        more = ", ..." if len(self.venues) > 3 else ""
        return f"VenuesPicker({len(self.venues)} of {len(self._offered)}: {first}{more})"

    # -- the controls

    @observe("venues")
    def _show(self, _: Any = None) -> None:
        """Make the controls say what is chosen, without taking that for a new choice."""
        chosen, found = set(self.venues), set(self._session.venues.search(self._search.value))
        shown = [venue for venue in self._offered if venue in found]
        self._updating = True
        try:
            if [value for _, value in self._list.options] != shown:
                self._list.options = _options(shown, among=self._offered)
            self._list.index = [place for place, venue in enumerate(shown) if venue in chosen]
            some = f"All {len(shown)} found" if self._search.value.strip() else ""
            self._all.description = some or f"All {len(shown)} venues"
            self._all.value = bool(shown) and chosen.issuperset(shown)
        finally:
            self._updating = False
        hidden = len(chosen - set(shown))
        note = f"{len(chosen)} of {len(self._offered)} venues chosen"
        note += f", {hidden} of them not shown by this search" if hidden else ""
        self._count.value = f'<span role="status">{escape(note)}</span>'

    def _all_or_none(self, change: Any) -> None:
        """Choose all that are listed, or none of them: with a search, all that the keyboard needs.

        JupyterLab takes the arrow keys of a list for itself (jupyter-widgets/ipywidgets #3912).
        """
        if not self._updating:
            others = set(self.venues) - self._shown
            self.venues = [*others, *self._shown] if change.new else [*others]
            self._show()  # where nothing was listed, nothing changed

    @property
    def _shown(self) -> set[Venue]:
        return {venue for _, venue in self._list.options}

    def _marked(self, change: Any) -> None:
        """Take over what is marked; what a search hides stays, unless that was everything."""
        if self._updating:
            return
        hidden = () if self.wanted == "all" else set(self.venues) - self._shown
        self.venues = [*hidden, *change.new]


class TablePicker(Picker):
    """One of the tables that ``frame`` knows, with what its rows are below it; no request.

    Parameters
    ----------
    session : Session
    table : str
        The first choice.

    Attributes
    ----------
    table : str
        The choice, one of ``session.tables``.

    Raises
    ------
    UnknownTable
        Here, and when the trait is set; the text names close ones.

    Examples
    --------
    >>> import clopos_nb
    >>> with clopos_nb.demo() as session:
    ...     picker = session.pick_table("orders")
    >>> picker, picker.code
    (TablePicker('orders'), '"orders"')
    """

    table = Choice()

    def __init__(self, session: Session, table: str = "receipts") -> None:
        self._choice = W.Dropdown(
            options=list(CATALOGUE), description="Table", tooltip="The table to read"
        )
        self._meaning = W.HTML()
        super().__init__(session, [self._choice], self._meaning)
        self.table = table
        traitlets.link((self, "table"), (self._choice, "value"))

    @validate("table")
    def _known(self, proposal: Any) -> str:
        name = CATALOGUE[proposal.value].name
        if name not in CATALOGUE:
            message = f"{name!r} is a path; read it with session.frame({name!r})"
            raise UnknownTable(message)
        return name

    @observe("table")
    def _explain(self, change: Any) -> None:
        table = CATALOGUE[change.new]
        within = f", within {table.parent}" if table.parent else ""
        self._meaning.value = f'<span role="status">{escape(table.meaning + within)}</span>'

    @property
    def code(self) -> str:
        """The table's name in quotes."""
        return json.dumps(self.table)

    def __repr__(self) -> str:
        return f"TablePicker({self.table!r})"


def _main_first(venues: Venues) -> list[Venue]:
    main = venues.main
    return sorted(venues, key=lambda venue: venue is not main)  # keeps the order of the rest


def _options(
    venues: Sequence[Venue], among: Sequence[Venue] | None = None
) -> list[tuple[str, Venue]]:
    """Return (label, venue) pairs; a name that two venues have is told apart by the id."""
    times = Counter(venue.name for venue in among or venues)
    return [
        (f"{venue.name} ({venue.id})" if times[venue.name] > 1 else venue.name, venue)
        for venue in venues
    ]
