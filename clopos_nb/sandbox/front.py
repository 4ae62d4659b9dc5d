"""The page at ``/``: what this server answers, what is switched on, and what time it is."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from clopos_nb.sandbox.clock import Clock
from clopos_nb.sandbox.faults import KINDS, Fault
from clopos_nb.sandbox.fidelity import SWITCHES
from clopos_nb.sandbox.openapi import describe
from clopos_nb.sandbox.service import BASE, DESCRIPTION

if TYPE_CHECKING:
    from clopos_nb.sandbox.server import Sandbox

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; --warn: #b45309; }
@media (prefers-color-scheme: dark) { :root { --warn: #fbbf24; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0; } code { font: 13px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .25rem .75rem .25rem 0;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; } td:first-child { white-space: nowrap; }
.on { color: var(--warn); } .spent { opacity: .6; }
.cols { columns: 20rem; padding: 0; list-style: none; margin: 0; }
details { margin-top: .5rem; } summary { cursor: pointer; }
"""


def page(sandbox: Sandbox) -> bytes:
    """Return the page as UTF-8."""
    brand = sandbox.brand
    venues = [f"{row['name']} ({row['id']})" for row in brand.rows("venues", brand.venue_ids[0])]
    base = _text(BASE)
    title = f"Clopos sandbox: {_text(brand.slug)}"
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8>"
        '<meta name=viewport content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style><h1>{title}</h1>"
        "<p>A simulated brand on this machine; made-up data, and not the vendor's service. "
        f"Start with <code>POST {base}/auth</code>.</p>",
        f"<p>Venues: {_text(', '.join(venues))}. Data up to {_text(sandbox.today)}.</p>",
        "<h2>Clock</h2>",
        _clock(sandbox.clock),
        "<h2>Faults</h2>",
        _faults(sandbox.faults.list()),
        "<details><summary>All faults there are</summary>",
        _table([(kind.name, kind.about) for kind in KINDS.values()], code=True),
        "</details>",
        _control(sandbox.control_url),
        "<h2>Fidelity</h2>",
        _table([(name, SWITCHES[name]) for name in sandbox.fidelity], code=True)
        if sandbox.fidelity
        else "<p>The newest documented shapes.</p>",
        f"<h2>Endpoints</h2><p>All below <code>{base}</code>.</p><ul class=cols>",
        *(f"<li><code>{verbs} {_text(path)}</code></li>" for verbs, path in endpoints()),
        "</ul>",
    ]
    return "".join(parts).encode(errors="replace")


@cache
def endpoints() -> list[tuple[str, str]]:
    """Return methods and path of everything that is answered, as its description has them."""
    paths = describe()["paths"]
    found = [(" ".join(verb.upper() for verb in item), path) for path, item in paths.items()]
    return [*found, ("GET", DESCRIPTION)]


def _clock(clock: Clock) -> str:
    rows = []
    for name, dial, shown in (
        ("Data time", clock.data, f"{clock.data_now():%Y-%m-%d %H:%M:%S}, local to the brand"),
        ("Token time", clock.token, f"{_utc(clock.token_now())} UTC"),
    ):
        pace = "frozen" if dial.frozen else "running"
        if not dial.frozen and dial.rate != 1:
            pace += f" {dial.rate:g} times as fast"
        rows.append((name, f"{shown}, {pace}"))
    return _table(rows)


def _utc(unix: float) -> str:
    return f"{datetime.fromtimestamp(unix, UTC):%Y-%m-%d %H:%M:%S}"


def _control(url: str | None) -> str:
    if url is None:
        return "<p>No control endpoint; start it with a control port to switch faults by HTTP.</p>"
    return (
        f"<p>Switch them at <code>{_text(url)}/faults</code>, from this machine: "
        f'<code>curl {_text(url)}/faults -d \'{{"name": "server_error", "count": 2}}\''
        "</code></p>"
    )


def _faults(faults: Sequence[Fault]) -> str:
    if not faults:
        return "<p>None is on.</p>"
    rows = []
    for fault in faults:
        state = "on" if fault.active else "spent"
        rows.append(
            f"<tr class={state}><td>{state}<td><code>{_text(fault)}</code>"
            f"<td>struck {fault.fired}<td>{_text(fault.kind.about)}"
        )
    return f"<table>{''.join(rows)}</table>"


def _table(rows: Iterable[tuple[str, str]], *, code: bool = False) -> str:
    start, end = ("<code>", "</code>") if code else ("", "")
    lines = (f"<tr><td>{start}{_text(name)}{end}<td>{_text(value)}" for name, value in rows)
    return f"<table>{''.join(lines)}</table>"


def _text(value: object) -> str:
    return html.escape(str(value))
