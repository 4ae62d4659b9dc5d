"""What was loaded, to look at and to take away: badge, chart, grid, files and the call."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from html import escape
from typing import Any

import ipywidgets as W
import pandas as pd

from clopos_nb.drawing import number
from clopos_nb.widgets import style
from clopos_nb.widgets.call import Call
from clopos_nb.widgets.charts import Chart, charts_for
from clopos_nb.widgets.downloads import Downloads
from clopos_nb.widgets.grid import Grid

log = logging.getLogger("clopos_nb")

MANY = 8  # lines of a badge


class Result(W.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """What is shown of a frame; hidden until there is one.

    Attributes
    ----------
    badge : ipywidgets.HTML
        What the certificate says, in words.
    notice : ipywidgets.HTML
        That the choice has changed since, when it has.
    which, chart : ipywidgets.Dropdown, ipywidgets.HTML
        The charts that there are for the table, and the one that is shown.
    grid : Grid
    downloads : Downloads
    code : ipywidgets.HTML
    """

    def __init__(self) -> None:
        self._call: Call | None = None
        self._frame = pd.DataFrame()
        self.badge, self.notice, self.chart, self.code = W.HTML(), W.HTML(), W.HTML(), W.HTML()
        self.which = W.Dropdown(
            description="Chart", tooltip="Which chart to show", layout=W.Layout(width="340px")
        )
        self.grid = Grid()
        self.downloads = Downloads()
        self.which.observe(self._draw, "value")
        self._charts = W.VBox([self.which, self.chart])
        parts = [self.notice, self.badge, self._charts, self.grid, self.downloads, self.code]
        super().__init__(parts, layout=W.Layout(display="none"))
        self.add_class("result")

    def show(self, call: Call, frame: pd.DataFrame) -> None:
        """Show a frame and the call that made it."""
        self._call, self._frame = call, frame
        self._offer(charts_for(call.table))  # first, since drawing takes longest
        self.layout.display = ""  # before the grid: a table that is drawn unseen has no widths
        self.badge.value = badge(frame.attrs["clopos"], len(frame))
        self.notice.value = ""
        self.grid.show(frame)
        self.downloads.offer(frame, "_".join([call.table, *call.days]))
        head = style.heading("The call that made this table")
        self.code.value = f'{head}<pre tabindex="0">{escape(call.code)}</pre>'

    def mark(self, *, stale: bool) -> None:
        """Say that what is shown is of a former choice, or that it is not."""
        told = "The choice has changed. Below is still what was loaded before, by"
        self.notice.value = style.notice(told, self._call.code) if stale and self._call else ""

    def _offer(self, charts: list[Chart]) -> None:
        """Offer the charts of a table, and draw the one that was chosen, or the first."""
        options = [(chart.title, chart) for chart in charts]
        if list(self.which.options) == options:
            self._draw()
        else:
            self.which.options = options
            self.which.index = 0 if charts else None
        self._charts.layout.display = "" if charts else "none"

    def _draw(self, _: object = None) -> None:
        chart: Chart | None = self.which.value
        if chart is None:
            self.chart.value = ""
            return
        try:
            drawn = chart.draw(self._frame)
        except ImportError:
            needed = 'pip install "clopos_nb[explore]"'
            self.chart.value = style.notice("Charts need matplotlib:", needed)
            return
        except Exception as problem:  # whatever it is, the table below is to be of this frame
            log.exception("the explorer's chart failed")
            text = f"{type(problem).__name__}: {problem}"
            self.chart.value = style.error("This chart cannot be drawn.", text)
            return
        nothing = style.status("Nothing to draw: no rows that count.")
        note = f'<p class="faint">{escape(chart.note)}</p>'
        self.chart.value = drawn + note if drawn else nothing


def badge(certificate: Mapping[str, Any], rows: int) -> str:
    """Return what a certificate says, in words: whether every row is there, and what is missing."""
    read, total = certificate["rows"], certificate["total"]
    about = f"{number(rows)} row{'' if rows == 1 else 's'}"
    if certificate["complete"]:
        verdict = '<span class="yes">✓ Complete</span>'
        count = "all there are" if total is None else f"all {number(read)} that the server counts"
    else:
        verdict = '<span class="no">✗ Not complete</span>'
        count = f"{number(read)} of {'an unknown number' if total is None else number(total)} read"
    if rows != read:  # a child table certifies its parent's rows
        count += f" at {certificate['endpoint']}"
    lines = [f"{verdict} {escape(f'{about}; {count}')}"]
    lines += [escape(_shortfall(venue)) for venue in certificate["venues"] if not venue["complete"]]
    return f'<p role="status">{"<br>".join(lines[:MANY])}</p>'


def _shortfall(venue: Mapping[str, Any]) -> str:
    name = venue["name"] or venue["id"] or "all venues"
    of = "an unknown number" if venue["total"] is None else number(venue["total"])
    why = venue["error"] or f"{number(venue['rows'])} of {of}"
    return f"{name}: {why}"
