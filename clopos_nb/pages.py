"""The decoded pages of one walk, kept in a few large pieces rather than many small ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import pyarrow as pa

from clopos_nb.decode import Decoding, decode_together
from clopos_nb.items import Item, Items

AT_ONCE = 1000  # rows of structs become columns together; of a page alone, calls are half the cost
TOGETHER = 64  # so many pieces become one; small ones cost more memory than what they hold


@dataclass
class Pages:
    """Pages in their order, table by table; neighbours of one schema are joined now and then.

    Examples
    --------
    >>> from clopos_nb.decode import Decoding
    >>> from clopos_nb.items import shape_of
    >>> from clopos_nb.pages import Pages
    >>> from clopos_nb.tables import CATALOGUE
    >>> pages = Pages(Decoding(shape_of((CATALOGUE["orders"],))))
    >>> for page in range(1, 101):
    ...     pages.append([{"id": page}], page)
    >>> pages.rows("orders"), len(list(pages.take_out("orders"))), pages.rows("orders")
    (100, 37, 0)
    """

    ask: Decoding
    _waiting: list[tuple[Items, int]] = field(default_factory=list, repr=False)
    _pieces: dict[str, list[pa.Table]] = field(default_factory=dict, repr=False)
    _loose: int = 0

    def append(self, items: Items, page: int) -> None:
        """Add the rows of a page."""
        kind = type(items[0]) if items else None
        if self._waiting and type(self._waiting[0][0][0]) is not kind:
            self.settle()
        self._waiting.append((items, page))
        few = kind and issubclass(kind, Item) and sum(len(i) for i, _ in self._waiting) < AT_ONCE
        if not few:
            self.settle()

    def rows(self, name: str) -> int:
        """How many rows of a table there are."""
        self.settle()
        return sum(piece.num_rows for piece in self._pieces.get(name, ()))

    def take_out(self, name: str) -> Iterator[pa.Table]:
        """Yield the pieces of a table, which are then no longer here."""
        self.settle()
        yield from self._pieces.pop(name, ())

    def clear(self) -> None:
        """Forget them all."""
        self._waiting.clear()
        self._pieces.clear()
        self._loose = 0

    def settle(self) -> None:
        """Decode what waits for more.

        Raises
        ------
        ResponseError
        """
        waiting, self._waiting = self._waiting, []
        for tables in decode_together(self.ask, waiting) if waiting else ():
            for name, table in tables.items():
                self._pieces.setdefault(name, []).append(table)
            self._loose += 1
            if self._loose == TOGETHER:
                self._join()

    def _join(self) -> None:
        for name, pieces in self._pieces.items():
            kept, loose = pieces[: -self._loose], pieces[-self._loose :]
            runs = itertools.groupby(loose, key=lambda table: table.schema)
            self._pieces[name] = kept + [pa.concat_tables(run).combine_chunks() for _, run in runs]
        self._loose = 0
