"""Small pieces of HTML for notebooks: escaped, themed by Jupyter's own style, always the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape


class Tidy:
    """A base whose ``dir()``, and so what a notebook completes, are the public names."""

    def __dir__(self) -> Iterable[str]:
        return [name for name in super().__dir__() if not name.startswith("_")]


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an HTML table; everything in it is escaped."""
    cells = "".join(f"<th>{escape(text)}</th>" for text in head)
    lines = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table>"


def card(title: str, facts: Mapping[str, str]) -> str:
    """Return a small table of facts below a title; everything in it is escaped."""
    lines = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>" for name, value in facts.items()
    )
    return f"<table><caption>{escape(title)}</caption><tbody>{lines}</tbody></table>"
