"""One self-contained HTML page about a month of sales: figures, a plot, and what was read.

The page asks for nothing from elsewhere, follows the reader's light or dark setting, prints
well, and escapes every string that came from the API.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import pandas as pd

from clopos_nb import drawing
from clopos_nb.drawing import day as _day
from clopos_nb.drawing import number as _number

__all__ = ["write_report"]

Certificate = Mapping[str, Any]

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
        light=drawing.variables(drawing.LIGHT),
        dark=drawing.variables(drawing.DARK),
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


def _percent(value: float) -> str:
    return "–" if pd.isna(value) else f"{_number(100 * value, 1)}%"


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
    with drawing.figure(9.2, 3.9) as figure:
        drawing.days_by_venue(figure.add_subplot(), days, _with_unit("Revenue a day", currency))
        return drawing.svg(figure, "Revenue by business day, one line per venue")


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
