"""The picker of days."""

from __future__ import annotations

import datetime as dt
import json
from html import escape
from typing import TYPE_CHECKING, Any

import ipywidgets as W
from traitlets import observe, validate

from clopos_nb.days import DayLike
from clopos_nb.errors import InvalidDates
from clopos_nb.widgets.picker import Choice, Picker

if TYPE_CHECKING:
    from clopos_nb.session import Session

PRESETS = ("today", "yesterday", "last 7 days", "this week", "last month")
CUSTOM = "custom"


class DatesPicker(Picker):
    """A range of calendar days, both included: a preset, or a start and an end.

    "today" is the session's: that of its time zone, or what it was given as ``today=``. No request.

    Parameters
    ----------
    session : Session
    start, end : date-like or period-like
        The first choice, as ``session.frame`` takes it: ``"2026-01"``, ``"last 7 days"``, a date.

    Attributes
    ----------
    start, end : datetime.date
        Each may be set to anything that stands for a day.
    days : tuple of (date, date)
        Both at once; may be set to a period such as ``"2026-01"`` as well. This is the trait to
        link, since a start and an end that arrive one after the other may cross on the way.

    Raises
    ------
    InvalidDates
        Here, and when a trait is set to what is not a day, or to an end before the start.

    Examples
    --------
    >>> import clopos_nb
    >>> with clopos_nb.demo() as session:
    ...     picker = session.pick_dates("last month")
    >>> picker.start, picker.code
    (datetime.date(2026, 1, 1), '("2026-01-01", "2026-01-31")')
    """

    start = Choice()
    end = Choice()
    days = Choice()

    def __init__(
        self, session: Session, start: DayLike = "yesterday", end: DayLike | None = None
    ) -> None:
        self._preset = W.Dropdown(
            options=[*PRESETS, CUSTOM], description="Days", tooltip="A range of days by its name"
        )
        self._start = W.DatePicker(description="From", tooltip="The first day, included")
        self._end = W.DatePicker(description="To", tooltip="The last day, included")
        self._note = W.HTML()
        self._updating = False
        super().__init__(session, [self._preset, self._start, self._end], self._note)
        self.days = start if end is None else (start, end)
        self._preset.observe(self._named, "value")
        self._start.observe(self._moved, "value")
        self._end.observe(self._moved, "value")

    @validate("start")
    def _valid_start(self, proposal: Any) -> dt.date:
        return self._range(proposal.value, self.end)[0]

    @validate("end")
    def _valid_end(self, proposal: Any) -> dt.date:
        return self._range(self.start, proposal.value)[1]

    @validate("days")
    def _valid_days(self, proposal: Any) -> tuple[dt.date, dt.date]:
        days = proposal.value
        return self._range(*days) if isinstance(days, tuple | list) else self._range(days)

    def _range(self, start: Any, end: Any = None) -> tuple[dt.date, dt.date]:
        days = self._session._reads.days(start, end)
        if days is None:
            message = "A picker of days needs a start"
            raise InvalidDates(message)
        return days

    @observe("start", "end")
    def _one_changed(self, _: Any) -> None:
        self.days = (self.start, self.end)

    @observe("days")
    def _both_changed(self, change: Any) -> None:
        with self.hold_trait_notifications():  # they may cross on the way
            self.start, self.end = change.new
        self._show()

    def _show(self) -> None:
        """Make the controls say what is chosen, without taking that for a new choice."""
        fitting = [preset for preset in PRESETS if self._range(preset) == self.days]
        self._updating = True
        try:
            self._start.value, self._end.value = self.days
            self._preset.value = fitting[0] if fitting else CUSTOM
        finally:
            self._updating = False
        self._note.value = ""

    @property
    def code(self) -> str:
        """The start and the end as a tuple of texts, to be given to ``frame(table, *days)``."""
        return f"({json.dumps(str(self.start))}, {json.dumps(str(self.end))})"

    def __repr__(self) -> str:
        return f"DatesPicker({str(self.start)!r}, {str(self.end)!r})"

    # -- the controls

    def _named(self, change: Any) -> None:
        if not self._updating and change.new != CUSTOM:
            self.days = change.new
            self._show()  # where these are the days already, the controls may have been left astray

    def _moved(self, _: Any) -> None:
        """Take over the days in the controls once they are days, the one not after the other.

        A browser tells each key: of "25" first the 2nd, of 2026 first the years 2, 20 and 202.
        """
        if self._updating:
            return
        days = (self._start.value, self._end.value)
        try:
            if any(day is None or day.year < 1000 for day in days):
                message = "Both days are needed"
                raise InvalidDates(message)
            self.days = days
            self._note.value = ""
        except InvalidDates as exc:
            told = f"{exc}. Still chosen: {self.start} to {self.end}"
            self._note.value = f'<span role="status">{escape(told)}</span>'
