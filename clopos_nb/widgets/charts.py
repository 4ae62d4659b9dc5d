"""Charts chosen for a table: each makes an SVG element of a frame that was read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from clopos_nb import drawing
from clopos_nb.analysis import daily_revenue, hour_by_weekday, payment_mix, top_products
from clopos_nb.drawing import number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH = 9.2  # inches; the page decides the size
LINES = 8  # venues that an eye can follow
BARS = 12
NOON = 36  # hours after a business day's midnight; later ones are of a shift left open
MONEY = "in the brand's currency"


@dataclass(frozen=True)
class Chart:
    """A chart: its title, what it draws, and what has to be known to read it."""

    title: str
    draw: Callable[[pd.DataFrame], str | None]
    note: str


def charts_for(table: str) -> list[Chart]:
    """Return the charts of a table, the first one to be shown first; for most there is none."""
    return _CHARTS.get(table, [])


def by_day(receipts: pd.DataFrame) -> str | None:
    """Draw revenue by business day, a line for each venue, the smaller venues together."""
    days = daily_revenue(_asked(receipts))
    if days.empty:
        return None
    if len(days) == 1:
        return _one_day(days.iloc[0])
    shown = _largest(days)
    sums = days.sum(axis="columns")
    alt = (
        f"Revenue by business day, {_lines(len(shown.columns))}, from {drawing.day(days.index[0])} "
        f"to {drawing.day(days.index[-1])}; together {number(sums.sum())}, most on "
        f"{drawing.day(sums.idxmax())} with {number(sums.max())}"
    )
    with drawing.figure(WIDTH, 3.7) as figure:
        drawing.days_by_venue(figure.add_subplot(), shown, "Revenue a day")
        return drawing.svg(figure, alt)


def by_hour(receipts: pd.DataFrame) -> str | None:
    """Draw an average week: what each hour of each weekday brings."""
    week = hour_by_weekday(_asked(receipts)).dropna(how="all")
    week = week.loc[:, 0 : NOON - 1]
    if week.empty:
        return None
    weekday, hour = week.max(axis="columns").idxmax(), week.max().idxmax()
    alt = (
        f"Average revenue by weekday and hour; most on {weekday} at {hour} o'clock with "
        f"{number(week.to_numpy().max())}"
    )
    with drawing.figure(WIDTH, 0.8 + 0.36 * len(week)) as figure:
        _heatmap(figure.add_subplot(), week)
        return drawing.svg(figure, alt)


def by_payment(payments: pd.DataFrame) -> str | None:
    """Draw how much was paid in each way."""
    mix = payment_mix(payments)
    if mix.empty:
        return None
    names = mix["method"].fillna("not named").tolist()
    texts = [
        f"{number(amount)}  ({100 * share:.0f}%)" if pd.notna(share) else number(amount)
        for amount, share in zip(mix["amount"], mix["share"], strict=True)
    ]
    alt = "Amount paid by way of paying: " + _told(names, texts)
    return _bars(names, mix["amount"].tolist(), texts, "Amount paid", alt)


def by_product(lines: pd.DataFrame) -> str | None:
    """Draw the products of highest revenue."""
    top = top_products(lines, BARS)
    if top.empty:
        return None
    names = top["product"].fillna("not named").tolist()
    sold = zip(top["revenue"], top["sold"], strict=True)
    texts = [f"{number(revenue)}  ({number(count)} sold)" for revenue, count in sold]
    alt = "Revenue by product: " + _told(names, texts)
    return _bars(names, top["revenue"].tolist(), texts, "Revenue after discounts", alt)


_CHARTS = {
    "receipts": [
        Chart(
            "Revenue by day and venue",
            by_day,
            f"Closed receipts, {MONEY}. A sale after midnight belongs to the day before; of days "
            "from midnight to midnight, the last one lacks its night.",
        ),
        Chart(
            "Revenue by hour and weekday",
            by_hour,
            f"Closed receipts, {MONEY}, all venues together: an average day's, by the hour in "
            "which the receipt was opened. After 24:00 is the night that belongs to the day; what "
            "was opened after the next noon is not drawn.",
        ),
    ],
    "receipt_payments": [
        Chart("Payment mix", by_payment, f"All payments in the table, {MONEY}."),
    ],
    "receipt_products": [
        Chart(
            "Top products",
            by_product,
            f"All lines in the table, {MONEY}, after discounts and before service charge.",
        ),
    ],
}


def _asked(receipts: pd.DataFrame) -> pd.DataFrame:
    """Leave out business days that were not asked for: only a part of their receipts is here."""
    certificate = receipts.attrs.get("clopos", {})
    if not certificate.get("start"):
        return receipts
    return receipts[receipts["shift_date"].between(certificate["start"], certificate["end"])]


def _one_day(venues: pd.Series[float]) -> str:
    """Draw a single day: a bar for each venue, the largest ones."""
    largest = venues.nlargest(BARS)
    names, texts = [str(name) for name in largest.index], [number(value) for value in largest]
    what = f"Revenue on {drawing.day(venues.name)}"
    return _bars(names, largest.tolist(), texts, what, f"{what}: {_told(names, texts)}")


def _largest(days: pd.DataFrame) -> pd.DataFrame:
    """Return the columns of highest sums, and the others in one."""
    if len(days.columns) <= LINES:
        return days
    largest = days.sum().nlargest(LINES - 1).index
    others = days.drop(columns=largest)
    shown = days[[name for name in days.columns if name in largest]]
    return shown.assign(**{f"{len(others.columns)} others": others.sum(axis="columns")})


def _heatmap(axes: Axes, week: pd.DataFrame) -> None:
    """Draw a cell for each hour: the stronger its colour the more, with the number in it."""
    most = max(week.to_numpy().max(), 1e-9)
    for row, values in enumerate(week.to_numpy()):
        for column, value in enumerate(values):
            # Faint enough for the number to be read on it, in a light page as in a dark one.
            strength = 0.04 + 0.5 * max(value / most, 0.0)
            across, down = (column - 0.48, 0.96), (row - 0.46, 0.92)
            cell = axes.broken_barh([across], down, color=drawing.line(0), alpha=strength)
            cell.set_linewidth(0)
            text = axes.text(column, row, number(value) if value else "", color=drawing.INK)
            text.set(ha="center", va="center", fontsize=8)
    hours = [f"{hour:02d}" for hour in week.columns]
    axes.set_xticks(range(len(hours)), hours, fontsize=8.5)
    axes.set_yticks(range(len(week)), list(week.index))
    axes.set_xlim(-0.5, len(hours) - 0.5)
    axes.set_ylim(len(week) - 0.5, -0.5)
    what = "Hour in which the receipt was opened; in the cells: average revenue"
    axes.set_xlabel(what, color=drawing.FAINT)
    drawing.bare(axes)
    axes.spines["bottom"].set_visible(False)


def _bars(names: list[str], values: list[float], texts: list[str], what: str, alt: str) -> str:
    """Draw a bar for each name, the first on top, with its figures beside it."""
    from matplotlib.ticker import FuncFormatter

    with drawing.figure(WIDTH, 0.9 + 0.33 * len(names)) as figure:
        axes = figure.add_subplot()
        drawn = axes.barh(range(len(names)), values, height=0.68, color=drawing.line(0), alpha=0.85)
        axes.bar_label(drawn, texts, padding=6, color=drawing.INK, fontsize=9)
        axes.set_yticks(range(len(names)), [drawing.shortened(name) for name in names])
        axes.invert_yaxis()
        axes.margins(x=0.18, y=0.02)
        axes.set_xlim(left=min(0, *values) * 1.18 if min(values) < 0 else 0)
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
        axes.set_xlabel(what, color=drawing.FAINT)
        drawing.bare(axes)
        return drawing.svg(figure, alt)


def _lines(count: int) -> str:
    return "one line" if count == 1 else f"{count} lines"


def _told(names: list[str], texts: list[str]) -> str:
    return "; ".join(f"{name} {text}" for name, text in zip(names, texts, strict=True))
