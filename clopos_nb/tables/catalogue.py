"""The catalogue itself: look a table up by name, or see them all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence

from clopos_nb import html
from clopos_nb.errors import UnknownTable
from clopos_nb.tables.model import Table


def close_names(wanted: object, names: Iterable[str]) -> str:
    """Return the names to choose from, the ones spelt alike first.

    Examples
    --------
    >>> from clopos_nb.tables import close_names
    >>> close_names("totl", ["id", "total"])
    "did you mean 'total'? There are: id, total"
    """
    names = list(names)
    close = difflib.get_close_matches(str(wanted), names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(map(repr, close))}? There are" if close else "there are"
    return f"{hint}: {', '.join(names)}"


def undocumented(path: str) -> Table:
    """Return a table for a list path whose fields no page documents."""
    return Table(path, path, "rows as they are sent", (), limit=UNDOCUMENTED_LIMIT, inferred=True)


HEAD = ("table", "rows", "from", "within", "days", "a request", "columns")
UNDOCUMENTED_LIMIT = 100  # what the endpoints that say one take at least


class Catalogue(html.Tidy, Mapping[str, Table]):
    """All tables by name; shows itself as a list of them.

    Examples
    --------
    >>> from clopos_nb.tables import CATALOGUE
    >>> CATALOGUE["receipts"].path
    '/receipts'
    >>> CATALOGUE["recipts"]
    Traceback (most recent call last):
    ...
    clopos_nb.errors.UnknownTable: There is no table 'recipts'; did you mean 'receipts' ...
    """

    def __init__(self, tables: Sequence[Table]) -> None:
        self._tables = {table.name: table for table in tables}

    def __getitem__(self, name: str) -> Table:
        """Return the table of a name, or of a path such as ``"/stock"``.

        Of a path that the API documents without its fields, the columns are what is sent.
        """
        if isinstance(name, str) and name.startswith("/"):
            listed = (t for t in self._tables.values() if t.path == name and not t.parent)
            return next(listed, None) or undocumented(name)
        try:
            return self._tables[name]
        except (KeyError, TypeError):
            raise self._unknown(name) from None

    def __contains__(self, name: object) -> bool:  # Mapping would expect a KeyError
        return name in self._tables

    def __iter__(self) -> Iterator[str]:
        return iter(self._tables)

    def __len__(self) -> int:
        return len(self._tables)

    def _unknown(self, name: object) -> UnknownTable:
        there_are = close_names(name, self._tables)
        return UnknownTable(f"There is no table {name!r}; {there_are}; or a path such as '/stock'")

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._tables)

    def __repr__(self) -> str:
        width = max(map(len, self._tables))
        return "\n".join(f"{name:<{width}}  {t.meaning}" for name, t in self._tables.items())

    def _repr_html_(self) -> str:
        return html.table(HEAD, self.lines())

    def lines(self) -> list[list[str]]:
        """Return a line for each table: name, rows, path, parent, days, rows a request, columns."""
        return [
            [
                table.name,
                table.meaning,
                table.path,
                table.parent or "",
                "yes" if table.dated else "",
                str(table.limit or "all"),
                str(sum(not column.optional for column in table.shown)),
            ]
            for table in self._tables.values()
        ]
