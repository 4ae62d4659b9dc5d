"""The catalogue as a page: ``python -m clopos_nb.tables.markdown > docs/tables.md``."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from clopos_nb.tables import CATALOGUE
from clopos_nb.tables.catalogue import HEAD
from clopos_nb.tables.model import FORMATS, Column, Table

_INTRODUCTION = """# Tables

What `frame(name)` can return, made from the catalogue by `make docs`. Columns marked *if sent* are
only there when the server sends them: older or undocumented fields, seen in recordings. Fields that
no page names become further columns and are noted in `session.drift`. Columns marked *personal* may
hold something about a person. Money is `float64`, or an exact decimal with `money="decimal"`.

Any list path of the inventory and finance group is a table too: `frame("/stock")`. Its columns are
what the server sends, since the API documents none.
"""


def page() -> str:
    """Return the page."""
    tables = CATALOGUE.values()
    linked = [[f"[{line[0]}](#{line[0]})", *line[1:]] for line in CATALOGUE.lines()]
    parts = [_INTRODUCTION, _grid(HEAD, linked), *("\n".join(_section(t)) for t in tables)]
    return "\n".join(parts)


def _section(table: Table) -> Iterator[str]:
    yield f"\n## {table.name}\n\n{table.meaning.capitalize()}.\n"
    yield from (f"- {name}: {text}" for name, text in table.facts.items())
    yield ""
    yield _grid(
        ("column", "dtype", "sent as", "meaning"),
        [[f"`{c.name}`", f"`{c.dtype}`", FORMATS[c.kind], _meaning(c)] for c in table.shown],
    )


def _meaning(column: Column) -> str:
    parts = [
        column.meaning,
        " ".join(f"`{value}`" for value in column.known),
        "*if sent*" if column.optional else "",
        "*personal*" if column.personal else "",
    ]
    return "; ".join(filter(None, parts))


def _grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(line).replace("\n", " ") + " |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(page())
