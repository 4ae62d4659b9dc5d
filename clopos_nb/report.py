"""One self-contained HTML page about a month of sales: figures, a plot, and what was read.

The page asks for nothing from elsewhere, follows the reader's light or dark setting, prints
well, and escapes every string that came from the API.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["write_report"]

Certificate = Mapping[str, Any]

# Okabe and Ito's palette, which readers with any colour vision tell apart, ordered by contrast
# and adjusted per theme. The page holds the colours; the plot only refers to them by number.
_LIGHT = ["#0072b2", "#d55e00", "#009e73", "#b65a93", "#a97a00", "#3f9fd6"]
_DARK = ["#4aa8e0", "#f08a3c", "#2fc39a", "#dd8fbd", "#e3b341", "#9ad4f5"]
_DASHES = ["solid", "dashed", "dotted", "dashdot"]  # beyond the colours, another dash

# Colours that matplotlib draws with and the page replaces by its own variables.
_INK, _FAINT = "#010101", "#020202"

_NO_PLOT = (
    "The plot of daily revenue needs matplotlib, which is not installed here. "
    'Run <code>pip install "clopos_nb[plots]"</code> and write the report again.'
)


def write_report(
    path: str | Path,
    *,
    brand: str,
    start: str,
    end: str,
    comparison: pd.DataFrame,
    daily: pd.DataFrame,
    certificates: Iterable[Certificate],
    currency: str = "",
    note: str = "",
) -> Path:
    """Write a report of one range of days and return where it is.

    The same arguments give the same bytes. Missing folders on the way to ``path`` are made, and
    an existing file is replaced. Without matplotlib the page says how to get the plot.

    Parameters
    ----------
    path : str or Path
        The HTML file to write.
    brand : str
        The brand's name, for the title.
    start, end : str
        First and last day, as ISO dates. Days outside are left out of the plot and its table,
        since a range of receipts holds only a part of them.
    comparison : pandas.DataFrame
        What ``analysis.compare_venues`` returns, with or without its total row.
    daily : pandas.DataFrame
        What ``analysis.daily_revenue`` returns.
    certificates : iterable of dict
        ``frame.attrs["clopos"]`` of the frames behind the figures.
    currency : str, optional
        Unit of money, such as "AZN". The API does not tell it, so by default none is shown.
    note : str, optional
        What a reader has to know before the figures, such as that the data are simulated.

    Returns
    -------
    pathlib.Path
        The absolute path of the file.

    See Also
    --------
    clopos_nb.analysis.compare_venues, clopos_nb.analysis.daily_revenue
    """
    days = _clip(daily, start, end)
    page = _PAGE.substitute(
        title=f"{escape(brand)}: {_range(start, end)}",
        brand=escape(brand),
        range=f"{_range(start, end)}{escape(f' · {note}' if note else '')}",
        light=_variables(_LIGHT),
        dark=_variables(_DARK),
        headline=_headline(comparison, currency),
        comparison=_comparison_table(comparison, currency),
        plot=_figure(days, currency),
        daily=_daily_table(days, currency),
        certificates=_certificates_table(list(certificates)),
    )
    path = Path(path).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


# Numbers and words


def _number(value: float | None, decimals: int = 0) -> str:
    """Return a number with thin spaces between thousands, or a dash when it is missing."""
    if value is None or pd.isna(value):
        return "–"
    text = f"{value:,.{decimals}f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
    return text.replace("-", "\N{MINUS SIGN}")


def _percent(value: float) -> str:
    return "–" if pd.isna(value) else f"{_number(100 * value, 1)}%"


def _day(value: object) -> str:
    day = pd.Timestamp(value)  # type: ignore[arg-type]
    return "–" if pd.isna(day) else f"{day:%a} {day.day} {day:%b}"


def _range(start: str, end: str) -> str:
    first, last = pd.Timestamp(start), pd.Timestamp(end)
    if first.is_month_start and last == first + pd.offsets.MonthEnd(0):
        return f"{first:%B %Y}"
    if first == last:
        return f"{first.day} {first:%B %Y}"
    return f"{first.day} {first:%B %Y} to {last.day} {last:%B %Y}"


def _with_unit(name: str, currency: str) -> str:
    return f"{name}, {currency}" if currency else name


def _clip(daily: pd.DataFrame, start: str, end: str) -> pd.DataFrame:
    """Return exactly the days of the range, with zero where nothing was sold."""
    return daily.reindex(pd.date_range(start, end, name=daily.index.name), fill_value=0.0)


def _variables(colours: Sequence[str]) -> str:
    return " ".join(f"--line-{number}: {colour};" for number, colour in enumerate(colours))


# Tables


def _table(head: Sequence[str], body: Iterable[Sequence[str]], *, last: str = "") -> str:
    """Return a table of cells that are HTML already; the first column holds row headings."""
    names = "".join(f'<th scope="col">{cell}</th>' for cell in head)
    rows = ["".join([f'<th scope="row">{row[0]}</th>', *_cells(row[1:])]) for row in body]
    classes = [""] * len(rows)
    if rows and last:
        classes[-1] = f' class="{last}"'
    lines = "\n".join(f"<tr{name}>{row}</tr>" for name, row in zip(classes, rows, strict=True))
    return (
        f'<div class="scroll"><table>\n<thead><tr>{names}</tr></thead>\n'
        f"<tbody>\n{lines}\n</tbody>\n</table></div>"
    )


def _cells(cells: Iterable[str]) -> Iterable[str]:
    return (f"<td>{cell}</td>" for cell in cells)


def _headline(comparison: pd.DataFrame, currency: str) -> str:
    venues = comparison[comparison["venue_id"].notna()]
    revenue, receipts = venues["revenue"].sum(), int(venues["receipts"].sum())
    average = revenue / receipts if receipts else float("nan")
    facts = [
        (_with_unit("Revenue", currency), _number(revenue)),
        ("Receipts", _number(receipts)),
        (_with_unit("Average receipt", currency), _number(average, 2)),
        ("Venues", _number(len(venues))),
    ]
    return "\n".join(f"<div><dt>{escape(n)}</dt><dd>{value}</dd></div>" for n, value in facts)


def _comparison_table(comparison: pd.DataFrame, currency: str) -> str:
    head = ["Venue", "Receipts", "Revenue", "Average receipt", "Share of revenue"]
    head += ["Best day", "Revenue that day"]
    money = {"Revenue", "Average receipt", "Revenue that day"}
    body = [
        [
            escape(str(row["venue"])),
            _number(row["receipts"]),
            _number(row["revenue"], 2),
            _number(row["average_receipt"], 2),
            _percent(row["share"]),
            _day(row["best_day"]),
            _number(row["best_day_revenue"], 2),
        ]
        for row in comparison.to_dict("records")
    ]
    with_total = len(comparison) > 0 and bool(comparison["venue_id"].isna().iloc[-1])
    names = [escape(_with_unit(name, currency) if name in money else name) for name in head]
    return _table(names, body, last="total" if with_total else "")


def _daily_table(days: pd.DataFrame, currency: str) -> str:
    head = [escape(_with_unit("Day", currency)), *(escape(str(name)) for name in days.columns)]
    body = [
        [_day(day), *(_number(value, 2) for value in row)]
        for day, row in zip(days.index, days.to_numpy(), strict=True)
    ]
    return _table(head, body)


def _certificates_table(certificates: Sequence[Certificate]) -> str:
    head = ["Table", "Rows read", "Rows the server counts", "Requests", "Complete"]
    body = [row for certificate in certificates for row in _certificate_rows(certificate)]
    return _table(head, body)


def _certificate_rows(certificate: Certificate) -> list[list[str]]:
    """Return the table's own row, and one for each venue that is not complete."""
    rows = [
        [
            escape(str(certificate["table"])),
            _number(certificate["rows"]),
            _number(certificate["total"]),
            _number(certificate["requests"]),
            _verdict(certificate),
        ]
    ]
    for venue in certificate["venues"]:
        if venue["complete"]:
            continue
        verdict = _verdict(venue)
        if venue["error"]:
            verdict += f"<br><small>{escape(venue['error'])}</small>"
        name = f"<small>{escape(str(venue['name']))}</small>"
        rows.append([name, _number(venue["rows"]), _number(venue["total"]), "", verdict])
    return rows


def _verdict(walk: Certificate) -> str:
    """Say in a few words whether this table, or this venue's part of it, is complete."""
    read, total = walk["rows"], walk["total"]
    if walk["complete"]:
        return '<span class="yes">✓ every row</span>'
    if total is None:
        words = "the server gave no number"
    elif read == total:
        words = "not certain"  # the list changed while it was read
    else:
        rows = "1 row" if abs(total - read) == 1 else f"{_number(abs(total - read))} rows"
        words = f"{rows} {'missing' if read < total else 'too many'}"
    return f'<span class="no">✗ {words}</span>'


# The plot


def _figure(days: pd.DataFrame, currency: str) -> str:
    if not len(days.columns):
        return '<p class="note">No receipts in this range, so there is nothing to plot.</p>'
    try:
        drawing = _plot(days, currency)
    except ImportError:
        return f'<p class="note">{_NO_PLOT}</p>'
    return f"<figure>{drawing}</figure>"


def _plot(days: pd.DataFrame, currency: str) -> str:
    """Return an SVG element whose colours and fonts are the page's own.

    ``Figure`` instead of pyplot: no window system, no global state. The salt and the missing
    date make the same data the same bytes. ``$`` in a venue's name is no formula.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    settings: dict[Any, Any] = {
        "svg.fonttype": "none",
        "svg.hashsalt": "clopos_nb",
        "text.parse_math": False,
        "font.size": 10,
    }
    with mpl.rc_context(settings):
        figure = Figure(figsize=(9.2, 3.9), layout="constrained")
        axes = figure.add_subplot()
        _draw(axes, days, currency)
        names = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        stream = io.StringIO()
        figure.savefig(stream, format="svg", transparent=True, metadata=names)
    return _as_element(stream.getvalue())


def _draw(axes: Axes, days: pd.DataFrame, currency: str) -> None:
    from matplotlib.ticker import FuncFormatter

    for number, name in enumerate(days.columns):
        axes.plot(
            days.index.to_numpy(),
            days[name].to_numpy(),
            color=_placeholder(number % len(_LIGHT)),
            linestyle=_DASHES[number // len(_LIGHT) % len(_DASHES)],
            linewidth=1.7,
            solid_joinstyle="round",
            label=str(name),
        )
    marked, labels = _ticks(pd.DatetimeIndex(days.index))
    axes.set_xticks(marked.to_numpy(), labels=labels)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _number(value)))
    axes.set_xlabel("Business day", color=_FAINT)
    axes.set_ylabel(_with_unit("Revenue a day", currency), color=_FAINT)
    axes.margins(x=0.01)
    if days.to_numpy().min() >= 0:
        axes.set_ylim(bottom=0)
    axes.grid(axis="y", color=_FAINT, linewidth=0.5, alpha=0.35)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_FAINT)
    axes.tick_params(colors=_INK, length=0)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=4,
        frameon=False,
        labelcolor=_INK,
        handlelength=1.6,
        borderaxespad=0.2,
    )


def _ticks(days: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, list[str]]:
    """Return which days to mark, and their labels.

    In a range of weeks these are the Mondays, since a restaurant's rhythm is the week.
    """
    if len(days) > 70:
        months = days[days.day == 1]
        months = months[:: -(-len(months) // 12)]
        return months, [f"{day:%b %Y}" for day in months]
    marked = days if len(days) <= 10 else days[days.day_of_week == 0]
    return marked, [_day(day) for day in marked]


def _placeholder(number: int) -> str:
    return f"#0303{number:02x}"


def _as_element(svg: str) -> str:
    """Turn matplotlib's SVG file into an element of the page."""
    svg = svg[svg.index("<svg") :].strip()
    # The viewBox stays and the page decides the size.
    head = '<svg role="img" aria-label="Revenue by business day, one line per venue" '
    svg = re.sub(r'<svg ([^>]*?)width="[^"]*"', lambda found: head + found[1], svg, count=1)
    svg = re.sub(r' height="[^"]*pt"', "", svg, count=1)
    for number in range(len(_LIGHT)):
        svg = svg.replace(_placeholder(number), f"var(--line-{number})")
    return svg.replace(_INK, "var(--ink)").replace(_FAINT, "var(--faint)")


_PAGE = Template(
    """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root {
  --font: system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Helvetica Neue", Arial,
    sans-serif;
  --paper: #fdfdfc; --ink: #1f2328; --faint: #6a717b; --rule: #e3e4e6; --yes: #1a7f4b;
  --no: #b3261e;
  $light
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #15171a; --ink: #e6e7e9; --faint: #969da7; --rule: #2e3238; --yes: #56c596;
    --no: #ff8a80;
    $dark
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 var(--font); -webkit-text-size-adjust: 100%;
}
main { max-width: 62rem; margin: 0 auto; padding: 3.5rem 1.5rem 4rem; }
h1 { margin: 0; font-size: 2rem; line-height: 1.2; font-weight: 600; letter-spacing: -0.015em; }
h2 { margin: 3.25rem 0 0.75rem; font-size: 1.125rem; font-weight: 600; }
p { margin: 0.25rem 0 1rem; max-width: 42rem; text-wrap: pretty; }
.range { margin: 0.3rem 0 0; font-size: 1.125rem; color: var(--faint); }
.facts { display: flex; flex-wrap: wrap; gap: 1.25rem 3.5rem; margin: 2.25rem 0 0; }
.facts dt { font-size: 0.875rem; color: var(--faint); }
.facts dd {
  margin: 0; font-size: 1.75rem; line-height: 1.25; font-variant-numeric: tabular-nums;
  letter-spacing: -0.01em;
}
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.5rem 0 0.5rem 1.5rem; text-align: right; white-space: nowrap; }
th:first-child { padding-left: 0; text-align: left; }
th { font-weight: 400; }
thead th {
  font-size: 0.875rem; line-height: 1.3; color: var(--faint); vertical-align: bottom;
  white-space: normal;
}
tbody tr { border-top: 1px solid var(--rule); }
thead + tbody tr:first-child { border-top-color: var(--faint); }
tr.total { border-top: 1px solid var(--faint); }
tr.total > * { font-weight: 600; }
figure { margin: 0; overflow-x: auto; }
svg { display: block; width: 100%; min-width: 34rem; height: auto; overflow: visible; }
svg text { font-family: var(--font) !important; }
small { font-size: 0.875rem; color: var(--faint); }
.note { font-size: 0.9375rem; color: var(--faint); }
.yes { color: var(--yes); }
.no { color: var(--no); }
.read th:last-child, .read td:last-child { text-align: left; white-space: normal; }
details { margin-top: 1rem; }
summary { cursor: pointer; font-size: 0.9375rem; color: var(--faint); }
details table { margin-top: 0.5rem; font-size: 0.875rem; }
details th, details td { padding-top: 0.25rem; padding-bottom: 0.25rem; }
code { font: 0.9375em/1 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
@media print { main { max-width: none; padding: 0; } h2, tr { break-after: avoid; } }
</style>
</head>
<body>
<main>
<h1>$brand</h1>
<p class="range">$range</p>
<dl class="facts">
$headline
</dl>

<h2>Venues side by side</h2>
$comparison

<h2>Revenue by business day</h2>
$plot
<details>
<summary>The same as a table</summary>
$daily
</details>

<h2>What was read</h2>
<p class="note">Revenue is what guests paid: after discounts, with service charge, delivery fee and
tax. Closed receipts count; a return is a receipt of its own with a negative total, so it counts and
lowers the revenue. Days are business days: sales after
midnight belong to the day before, so the days beside the range are read as well and left out
again. The rows that were read stand against the number that the server itself gave.</p>
<div class="read">
$certificates
</div>
</main>
</body>
</html>
"""
)
