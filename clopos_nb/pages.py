"""The decoded pages of one walk, kept in a few large pieces rather than many small ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import pyarrow as pa

Tables: TypeAlias = dict[str, pa.Table]

TOGETHER = 64  # so many pages become a piece; small ones cost more memory than what they hold


@dataclass
class Pages:
    """Pages in their order, table by table; neighbours of one schema are joined now and then.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from clopos_nb.pages import Pages
    >>> pages = Pages()
    >>> for page in range(100):
    ...     pages.append({"orders": pa.table({"id": [page]})})
    >>> pages.rows("orders"), len(list(pages.take_out("orders"))), pages.rows("orders")
    (100, 37, 0)
    """

    _pieces: dict[str, list[pa.Table]] = field(default_factory=dict, repr=False)
    _loose: int = 0

    def append(self, page: Tables) -> None:
        """Add a page."""
        for name, table in page.items():
            self._pieces.setdefault(name, []).append(table)
        self._loose += 1
        if self._loose == TOGETHER:
            self._join()

    def rows(self, name: str) -> int:
        """How many rows of a table there are."""
        return sum(piece.num_rows for piece in self._pieces.get(name, ()))

    def take_out(self, name: str) -> Iterator[pa.Table]:
        """Yield the pieces of a table, which are then no longer here."""
        yield from self._pieces.pop(name, ())

    def clear(self) -> None:
        """Forget them all."""
        self._pieces.clear()
        self._loose = 0

    def _join(self) -> None:
        for name, pieces in self._pieces.items():
            kept, loose = pieces[: -self._loose], pieces[-self._loose :]
            runs = itertools.groupby(loose, key=lambda table: table.schema)
            self._pieces[name] = kept + [pa.concat_tables(run).combine_chunks() for _, run in runs]
        self._loose = 0
