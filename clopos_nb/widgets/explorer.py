"""The explorer: choose, load, look, and take away the call that did it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import ipywidgets as W
import pandas as pd

from clopos_nb.days import DayLike
from clopos_nb.drawing import number
from clopos_nb.errors import CloposError, ConfigError
from clopos_nb.items import source_of
from clopos_nb.tables import CATALOGUE
from clopos_nb.venues import VenueLike
from clopos_nb.widgets import style
from clopos_nb.widgets.call import Call, filters_of
from clopos_nb.widgets.dates import DatesPicker
from clopos_nb.widgets.pickers import TablePicker, VenuesPicker
from clopos_nb.widgets.result import Result
from clopos_nb.widgets.worker import Cancelled, Worker

if TYPE_CHECKING:
    from clopos_nb.session import Session

log = logging.getLogger("clopos_nb")

TELL_S = 0.2  # how often the bar moves


class Explorer(W.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """Choose venues, days and a table; load it; see it as a table and a chart; take the call away.

    Making one reads the list of venues: one request, unless the session has read it before. The
    estimate and the load run beside the kernel, which stays free. Everything that can be clicked
    can be called: the controls are attributes, and set like any widget's.

    Parameters
    ----------
    session : Session
    table, start, end, venues
        The first choice, as ``session.frame`` takes it.

    Attributes
    ----------
    venues, dates, table : VenuesPicker, DatesPicker, TablePicker
    filters : ipywidgets.Text
        ``field=value`` pairs, as in ``status=2, source=pos|web``.
    day : ipywidgets.Dropdown
        What a day is: ``"created_at"``, or ``"shift_date"`` for the business day.
    frame : pandas.DataFrame or None
        What was loaded last; its certificate is in ``attrs["clopos"]``.
    code : str
        The call that made ``frame``, or before the first load the one that would; ``exec`` with
        ``session`` in scope leaves the same frame in ``frame``.
    result : Result
        What is shown of the frame: badge, chart, grid, files, code.
    problem : Exception or None
        What went wrong last, if something did.

    Examples
    --------
    >>> import clopos_nb
    >>> with clopos_nb.demo() as session:
    ...     explorer = session.explore("receipts", "2026-01-05", venues=[1])
    ...     explorer.load()
    ...     explorer.wait()
    True
    >>> explorer
    Explorer('receipts', 78 rows)
    >>> explorer.code
    'frame = session.frame("receipts", "2026-01-05", "2026-01-05", venues=[1])'
    """

    def __init__(
        self,
        session: Session,
        table: str = "receipts",
        start: DayLike = "last 7 days",
        end: DayLike | None = None,
        venues: Literal["all"] | VenueLike | Sequence[VenueLike] = "all",
    ) -> None:
        self._session = session
        self._worker = Worker()
        self._told_at = 0.0
        self.frame: pd.DataFrame | None = None
        self.problem: Exception | None = None
        self._loaded: Call | None = None
        self._estimated: tuple[Call | None, str] = (None, "")
        self._running = False
        self.venues = VenuesPicker(session, venues)
        self.dates = DatesPicker(session, start, end)
        self.table = TablePicker(session, table)
        self._make_controls()
        self.result = Result()
        super().__init__(self._arranged())
        self.add_class("clopos")
        for picker, trait in ((self.venues, "venues"), (self.dates, "days"), (self.table, "table")):
            picker.observe(self._changed, trait)
        for control in (self.filters, self.day):
            control.observe(self._changed, "value")
        self._changed()

    # -- what to call

    def load(self) -> None:
        """Read what is chosen, beside the kernel; while something runs, do nothing."""
        self._start("Loading…", self._load)

    def estimate(self) -> None:
        """Ask what the load would cost, one request for each venue, and say it on the button."""
        self._start("Asking what it would cost…", self._estimate)

    def cancel(self) -> None:
        """Stop what runs; what was loaded before stays."""
        self._worker.cancel()

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until nothing runs, and return whether that is so."""
        return self._worker.wait(timeout_s)

    @property
    def code(self) -> str:
        """The call that made the frame, or before the first load the one that would."""
        wanted = self._loaded or self._wanted()
        if isinstance(wanted, CloposError):
            raise wanted
        return wanted.code

    def __repr__(self) -> str:
        rows = "nothing loaded" if self.frame is None else f"{len(self.frame)} rows"
        return f"Explorer({(self._loaded or self.table).table!r}, {rows})"

    # -- making

    def _make_controls(self) -> None:
        self.filters = W.Text(
            description="Filters",
            placeholder="such as status=2, source=pos|web",
            tooltip="field=value pairs with commas between them; sent to the server",
            continuous_update=False,
        )
        self.day = W.Dropdown(
            options=[("from midnight to midnight", "created_at"), ("business day", "shift_date")],
            description="A day is",
            tooltip="A sale after midnight belongs to the business day before",
        )
        self.load_button = W.Button(
            description="Load", button_style="primary", tooltip="Read what is chosen", icon="play"
        )
        self.estimate_button = W.Button(
            description="Estimate",
            tooltip="Ask for the number of rows first: one request for each venue",
        )
        self.cancel_button = W.Button(
            description="Cancel", tooltip="Stop reading", icon="stop", disabled=True
        )
        self.bar = W.FloatProgress(
            min=0, max=1, description="Progress", tooltip="How much has been read"
        )
        self._status = W.HTML()
        self.load_button.on_click(lambda _: self.load())
        self.estimate_button.on_click(lambda _: self.estimate())
        self.cancel_button.on_click(lambda _: self.cancel())

    def _arranged(self) -> list[Any]:
        what = W.VBox([self.table, self.dates, self.day, self.filters])
        choice = W.GridBox([what, self.venues])
        choice.add_class("choice")
        buttons = W.HBox([self.load_button, self.estimate_button, self.cancel_button, self.bar])
        buttons.add_class("row")
        self.load_button.layout.width = "auto"
        self.bar.layout.display = "none"
        return [W.HTML(style.STYLE), choice, buttons, self._status, self.result]

    # -- the choice

    def _wanted(self) -> Call | CloposError:
        """Return the call that is chosen, or what is wrong with the choice.

        What the table does not take is left out.
        """
        source = source_of(CATALOGUE[self.table.table])
        days = tuple(map(str, self.dates.days)) if source.dated else ()
        wanted: dict[str, Any] = {}
        if source.scope == "venue" and not self.venues.venues:
            return ConfigError("No venue is chosen; mark one or more")
        if source.scope == "venue" and self.venues.wanted != "all":
            wanted["venues"] = self.venues.wanted
        try:
            filters = filters_of(self.filters.value, source)
        except CloposError as problem:
            return problem
        if filters:
            wanted["filters"] = filters
        if self._has_business_day and self.day.value != "created_at":
            wanted["day"] = self.day.value
        return Call(self.table.table, days, wanted)

    @property
    def _has_business_day(self) -> bool:
        return "shift_date" in source_of(CATALOGUE[self.table.table]).by_name

    def _changed(self, _: Any = None) -> None:
        """Follow a new choice: what does not apply is off, and nothing old passes for new."""
        if self._running:  # the end of it looks again
            return
        source = source_of(CATALOGUE[self.table.table])
        self.dates.disabled = not source.dated
        self.venues.disabled = source.scope == "brand"
        self.day.disabled = not self._has_business_day
        wanted = self._wanted()
        estimated, cost = self._estimated
        self.load_button.description = f"Load: {cost}" if wanted == estimated else "Load"
        if isinstance(wanted, CloposError):
            self._status.value = style.error("This cannot be read.", str(wanted))
        else:
            self._status.value = style.status(self._remark(source.dated, source.scope))
        self.result.mark(stale=wanted != self._loaded)

    def _remark(self, dated: bool, scope: str) -> str:
        name = self.table.table
        if scope == "brand":
            takes = "no venues" if dated else "no venues and no days"
            return f"{name} belong to the whole brand and take {takes}."
        return "" if dated else f"{name} take no days."

    # -- running

    def _start(self, told: str, job: Callable[[Call], None]) -> None:
        """Run a job for the present choice, with the controls off; not while another one runs."""
        wanted = self._wanted()
        self._worker.start(lambda: self._run(job, wanted), first=lambda: self._busy(told))

    def _run(self, job: Callable[[Call], None], wanted: Call | CloposError) -> None:
        self.problem, told = None, ""
        try:
            if isinstance(wanted, CloposError):
                raise wanted
            job(wanted)
        except Cancelled:
            told = style.status("Cancelled. What was loaded before is still there.")
        except CloposError as problem:
            self.problem, told = problem, style.error("That did not work.", str(problem))
        except Exception as problem:  # the kernel's edge: nobody else would see it
            log.exception("the explorer failed")
            text = f"{type(problem).__name__}: {problem}"
            self.problem, told = problem, style.error("Something unexpected happened.", text)
        self._switch(running=False)
        self._changed()
        self._status.value = told or self._status.value

    def _busy(self, told: str) -> None:
        self._switch(running=True)
        self._status.value = style.status(told)

    def _switch(self, *, running: bool) -> None:
        self._running = running
        for picker in (self.venues, self.dates, self.table, self.filters, self.day):
            picker.disabled = running
        self.load_button.disabled = self.estimate_button.disabled = running
        self.cancel_button.disabled = not running
        self.bar.value, self.bar.bar_style = 0, ""
        self.bar.layout.display = "" if running else "none"

    def _load(self, call: Call) -> None:
        def watch(rows: int, total: int | None, note: str) -> None:
            self._watch(rows, total, f"rows · {note}")

        frame = self._session.frame(call.table, *call.days, **call.options, progress=watch)
        self._worker.check()
        self.frame, self._loaded = frame, call
        self.result.show(call, frame)

    def _estimate(self, call: Call) -> None:
        cost = self._session.estimate(call.table, *call.days, **call.options, progress=self._watch)
        seconds = f"about {number(cost.seconds)} s" if cost.seconds >= 1 else "under a second"
        told = f"{number(cost.rows)} rows, {number(cost.requests)} requests, {seconds}"
        self._estimated = (call, told)

    def _watch(self, done: int, total: int | None, note: str) -> None:
        """Move the bar, now and then; end the read when it was cancelled."""
        self._worker.check()
        if (now := time.monotonic()) < self._told_at + TELL_S:
            return
        self._told_at = now
        if total:
            self.bar.value = min(done / total, 1)
        of = number(done) if total is None else f"{number(done)} of {number(total)}"
        self._status.value = style.status(f"{of} {note}")
