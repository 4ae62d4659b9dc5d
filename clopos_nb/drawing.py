"""Plots as SVG elements whose colours are the page's own, so that they follow its theme.

Drawn with matplotlib's ``Figure`` rather than pyplot: no window system, no global state. Whoever
embeds one sets ``--line-0`` to ``--line-5``, ``--ink`` and ``--faint`` in its style sheet.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from threading import Lock
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which readers with any colour vision tell apart, ordered by contrast
# and adjusted per theme. The page holds the colours; a plot only refers to them by number.
LIGHT = ["#0072b2", "#d55e00", "#009e73", "#b65a93", "#a97a00", "#3f9fd6"]
DARK = ["#4aa8e0", "#f08a3c", "#2fc39a", "#dd8fbd", "#e3b341", "#9ad4f5"]
LEGEND_LETTERS = 105  # in a line of a legend, counting some for each venue's piece of line
DASHES = ["solid", "dashed", "dotted", "dashdot"]  # beyond the colours, another dash

_settings_lock = Lock()  # matplotlib's settings are the process's, and explorers draw in threads

# Colours that matplotlib draws with and the page replaces by its own variables.
INK, FAINT = "#010101", "#020202"


def variables(colours: Sequence[str]) -> str:
    """Return the style sheet's declarations of a palette."""
    return " ".join(f"--line-{number}: {colour};" for number, colour in enumerate(colours))


def line(number: int) -> str:
    """Return the colour to draw the line of a number with."""
    return f"#0303{number % len(LIGHT):02x}"


def dash(number: int) -> str:
    """Return the dash of the line of a number: the next one when the colours are used up."""
    return DASHES[number // len(LIGHT) % len(DASHES)]


def number(value: float | None, decimals: int = 0) -> str:
    """Return a number with thin spaces between thousands, or a dash when it is missing."""
    if value is None or pd.isna(value):
        return "–"
    text = f"{value:,.{decimals}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return text.replace("-", "\N{MINUS SIGN}")


def day(value: object) -> str:
    """Return a day as a short text, or a dash when it is missing."""
    at = pd.Timestamp(value)  # type: ignore[arg-type]
    return "–" if pd.isna(at) else f"{at:%a} {at.day} {at:%b}"


def ticks(days: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, list[str]]:
    """Return which days to mark, and their labels.

    In a range of weeks these are the Mondays, since a restaurant's rhythm is the week.
    """
    if len(days) > 70:
        months = days[days.day == 1]
        months = months[:: -(-len(months) // 12) or 1]
        return months, [f"{at:%b %Y}" for at in months]
    marked = days if len(days) <= 10 else days[days.day_of_week == 0]
    return marked, [day(at) for at in marked]


def shortened(name: str) -> str:
    """Return a name that leaves room for what it names."""
    return name if len(name) <= 32 else name[:31] + "…"


@contextmanager
def figure(width: float, height: float) -> Iterator[Figure]:
    """Give a figure to draw in and to turn into SVG, in inches.

    The salt makes the same data the same bytes. ``$`` in a venue's name is no formula.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "clopos_nb",
        "text.parse_math": False,
        "font.size": 10,
    }
    with _settings_lock, warnings.catch_warnings(), mpl.rc_context(settings):
        # The page has letters that matplotlib's own font lacks.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        yield Figure(figsize=(width, height), layout="constrained")


def bare(axes: Axes) -> None:
    """Take away what an eye does not need: frame and ticks."""
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(colors=INK, length=0)


def svg(drawn: Figure, alt: str) -> str:
    """Return a figure as an SVG element that says ``alt`` to whoever does not see it."""
    stream = io.StringIO()
    names = dict.fromkeys(("Date", "Creator", "Format", "Type"))
    drawn.savefig(stream, format="svg", transparent=True, metadata=names)
    text = stream.getvalue()
    text = text[text.index("<svg") :].strip()
    # The viewBox stays and the page decides the size.
    head = f'<svg role="img" aria-label="{escape(alt)}" '
    text = re.sub(r'<svg ([^>]*?)width="[^"]*"', lambda found: head + found[1], text, count=1)
    text = re.sub(r' height="[^"]*pt"', "", text, count=1)
    for place in range(len(LIGHT)):
        text = text.replace(line(place), f"var(--line-{place})")
    return text.replace(INK, "var(--ink)").replace(FAINT, "var(--faint)")


def days_by_venue(axes: Axes, days: pd.DataFrame, what: str) -> None:
    """Draw a line for each column of a frame that has a row for each day."""
    from matplotlib.ticker import FuncFormatter

    # matplotlib leaves "_name" out of a legend
    names = [re.sub("^_", " _", shortened(str(name))) for name in days.columns]
    for place, name in enumerate(names):
        axes.plot(
            days.index.to_numpy(),
            days.iloc[:, place].to_numpy(),
            color=line(place),
            linestyle=dash(place),
            linewidth=1.7,
            solid_joinstyle="round",
            label=name,
        )
    marked, labels = ticks(pd.DatetimeIndex(days.index))
    axes.set_xticks(marked.to_numpy(), labels=labels)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.set_xlabel("Business day", color=FAINT)
    axes.set_ylabel(what, color=FAINT)
    axes.margins(x=0.01)
    if days.to_numpy().min() >= 0:
        axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=FAINT, linewidth=0.5, alpha=0.35)
    bare(axes)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=min(max(LEGEND_LETTERS // (max(map(len, names)) + 5), 1), 4),
        frameon=False,
        labelcolor=INK,
        handlelength=1.6,
        borderaxespad=0.2,
    )
