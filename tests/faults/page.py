"""``docs/reliability.md``, from the table that the tests of this folder hold the client to."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.faults.bench import CALLS
from tests.faults.table import TABLE, Row


def page() -> str:
    """Return the page."""
    head, tail = (Path(__file__).parent / "reliability.md").read_text().split("<!-- tables -->")
    return head + "".join(_section(name) for name in CALLS) + tail


def _section(name: str) -> str:
    call = CALLS[name]
    lines = [f"\n## {name.capitalize()}\n\n{call.about[0].upper() + call.about[1:]}.\n"]
    lines.append("\n| Fault | Once | Stays |\n| --- | --- | --- |\n")
    rows = [row for row in TABLE if row.call == name and row.when != "never"]
    for fault, both in itertools.groupby(rows, key=lambda row: (row.fault, row.options)):
        cells = {row.when: ", ".join(_cell(row)) for row in both}
        title = " ".join(f"`{word}`" for word in fault if word)
        lines.append(f"| {title} | {cells['once']} | {cells['stays']} |\n")
    return "".join(lines)


def _cell(row: Row) -> Iterator[str]:
    yield " or ".join(
        gives if gives in ("right", "as it was") else f"`{gives}`" for gives in row.gives.split("|")
    )
    yield _count(row.requests, "request")
    if row.call != "login":
        yield from _some(row.logins, "login")
    yield from _some(row.backoffs, "back-off")
    yield from _some(row.waits, "wait")
    if row.call == "write":
        yield {"0": "nothing written", "1": "written once"}[row.written]


def _some(number: str, noun: str) -> Iterator[str]:
    if number != "0":
        yield _count(number, noun)


def _count(number: str, noun: str) -> str:
    return f"{number.replace('-', ' to ')} {noun}{'' if number == '1' else 's'}"


if __name__ == "__main__":
    sys.stdout.write(page())
