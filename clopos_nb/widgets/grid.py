"""A frame to look at: sorted and searched as a whole in Python, shown a page at a time."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import ipywidgets as W
import numpy as np
import numpy.typing as npt
import pandas as pd
from itables.widget import ITable

from clopos_nb.drawing import number
from clopos_nb.widgets import style

PAGE = 200  # rows; what a browser draws without a pause
AS_READ = "as read"


class Grid(W.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A table with a search, an order and pages.

    All of them are of the whole frame; only the rows of one page go to the browser.

    Attributes
    ----------
    find : ipywidgets.Text
        Shows the rows with this in any text, a number equal to it, or on this day or month.
    sort, largest_first : ipywidgets.Dropdown, ipywidgets.Checkbox
        The column to sort by, which is then shown first. Missing values come last.
    page : ipywidgets.BoundedIntText
    shown : pandas.DataFrame
        The rows of the page.
    """

    def __init__(self) -> None:
        self._frame = pd.DataFrame()
        self._rows = np.arange(0)
        self._resetting = False
        self.find = W.Text(
            description="Find",
            placeholder="text, a number or a day",
            tooltip="Show only rows with this in any column; press Enter",
            continuous_update=False,
        )
        self.sort = W.Dropdown(
            options=[AS_READ],
            description="Sort by",
            tooltip="The column to sort all rows by",
        )
        self.largest_first = W.Checkbox(
            description="Largest first",
            tooltip="Sort downwards",
            indent=False,
            layout=W.Layout(width="auto"),
        )
        self.page = W.BoundedIntText(
            value=1,
            min=1,
            max=1,
            description="Page",
            tooltip="Which page of the rows to show",
            layout=W.Layout(width="150px"),
        )
        self._said = W.HTML()
        self._table = ITable(pd.DataFrame(), **_LOOK)
        for control in (self.find, self.sort, self.largest_first):
            control.observe(self._arrange, "value")
        self.page.observe(self._draw, "value")
        order = W.HBox([self.find, self.sort, self.largest_first])
        where = W.HBox([self.page, self._said])
        for row in (order, where):
            row.add_class("row")
        super().__init__([order, where, self._table])

    @property
    def shown(self) -> pd.DataFrame:
        """The rows of the page that is shown."""
        first = (self.page.value - 1) * PAGE
        return self._frame.iloc[self._rows[first : first + PAGE]]

    def __repr__(self) -> str:
        return f"Grid({len(self._rows)} of {len(self._frame)} rows)"

    def show(self, frame: pd.DataFrame) -> None:
        """Show another frame from its beginning, in the order it came in."""
        self._frame, self._resetting = frame, True
        try:
            self.find.value = ""
            self.sort.options = [AS_READ, *map(str, frame.columns)]
            self.sort.value, self.largest_first.value = AS_READ, False
        finally:
            self._resetting = False
        self._arrange()

    def _arrange(self, _: object = None) -> None:
        """Find and sort the rows of the whole frame; begin with the first page."""
        if self._resetting:
            return
        rows = np.flatnonzero(found(self._frame, self.find.value))
        if self.sort.value not in (None, AS_READ):
            place = list(map(str, self._frame.columns)).index(self.sort.value)
            column = self._frame.iloc[rows, place].reset_index(drop=True)
            order = column.sort_values(ascending=not self.largest_first.value, kind="stable").index
            rows = rows[order.to_numpy()]
        self._rows = rows
        self.page.max = max(-(-len(rows) // PAGE), 1)
        if self.page.value == 1:
            self._draw()
        else:
            self.page.value = 1  # which draws

    def _draw(self, _: object = None) -> None:
        first, count = (self.page.value - 1) * PAGE, len(self._rows)
        if count > PAGE:
            rows = f"{number(first + 1)}–{number(min(first + PAGE, count))} of {number(count)}"
            told = f"of {number(self.page.max)} · rows {rows}"
        else:
            told = f"{number(count)} row{'' if count == 1 else 's'}"
        told += f", found among {number(len(self._frame))}" if self.find.value.strip() else ""
        self._said.value = style.status(told)
        page = self.shown
        if self.sort.value != AS_READ:  # what it is sorted by stands first, so that it is seen
            page = page[sorted(page.columns, key=lambda name: str(name) != self.sort.value)]
        self._table.update(_plain(page), **_LOOK)


_LOOK: dict[str, Any] = {
    "showIndex": False,
    "paging": False,
    "ordering": False,  # it would sort the page alone
    "layout": dict.fromkeys(("topStart", "topEnd", "bottomStart", "bottomEnd")),
    "scrollX": True,
    "scrollY": "340px",
    "scrollCollapse": True,
    "classes": "display compact nowrap",
    "maxBytes": 0,
    "style": "width:100%;margin:0",
}


def found(frame: pd.DataFrame, text: str) -> npt.NDArray[np.bool_]:
    """Return which rows have a text in any column, a number equal to it, or are of that day.

    Case does not matter.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"name": ["Plov", "Tea"], "price": [9.5, 2.0]})
    >>> found(frame, "plo").tolist(), found(frame, "2").tolist()
    ([True, False], [False, True])
    """
    wanted = text.strip()
    rows = np.full(len(frame), not wanted)
    if not wanted:
        return rows
    amount, day = _number(wanted), _day(wanted)
    for _, column in frame.items():
        if pd.api.types.is_datetime64_any_dtype(column.dtype):
            if day is not None:
                at = column.dt.tz_localize(None)
                rows |= at.between(day.start_time, day.end_time).to_numpy(dtype=bool)
        elif pd.api.types.is_bool_dtype(column.dtype):
            continue
        elif pd.api.types.is_numeric_dtype(column.dtype):
            if amount is not None:
                rows |= (column == amount).fillna(False).to_numpy(dtype=bool)
        else:
            texts = column.astype("string")
            has = texts.str.contains(wanted, case=False, regex=False)
            rows |= has.fillna(False).to_numpy(dtype=bool)
    return rows


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _day(text: str) -> pd.Period | None:
    if not re.fullmatch(r"\d{4}-\d{2}(-\d{2})?", text):
        return None
    try:
        return pd.Period(text)
    except ValueError:
        return None


def _plain(page: pd.DataFrame) -> pd.DataFrame:
    """Return a page as what people read: nothing where a value is missing, points in one line."""
    return pd.DataFrame(
        {
            str(name): column.map(partial(_text, decimals=_decimals(column)))
            for name, column in page.items()
        }
    )


def _decimals(column: pd.Series[Any]) -> int:
    """Return how many decimals the numbers of a column need, at most four."""
    if not pd.api.types.is_float_dtype(column.dtype):
        return 0
    values = np.round(column.dropna().to_numpy("float64"), 4)
    return next((n for n in range(4) if np.allclose(np.round(values, n), values, rtol=0)), 4)


def _text(value: Any, decimals: int) -> str:
    if not pd.api.types.is_scalar(value):
        return str(value)
    if pd.isna(value):
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M:%S}"
    if isinstance(value, float):
        return f"{value:.{decimals}f}"
    return str(value)
