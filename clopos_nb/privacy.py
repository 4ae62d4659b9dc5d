"""What says something about a person, in the rows of frames: kept, as pseudonyms, or left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from clopos_nb.decode import ADDED
from clopos_nb.errors import ConfigError
from clopos_nb.frames import joined, with_times
from clopos_nb.pseudonyms import Pseudonyms
from clopos_nb.tables import Column, Table

Personal: TypeAlias = Literal["keep", "hash", "drop"]
STRICTER: tuple[Personal, ...] = ("keep", "hash", "drop")  # from left to right

_LONG = 10**6  # a whole number of seven digits may be a phone


@dataclass(frozen=True)
class Privacy:
    """What to do with personal columns, and what was done with them before.

    Attributes
    ----------
    personal : "keep", "hash" or "drop"
    pseudonyms : Pseudonyms
    held : "keep", "hash" or "drop"
        How the rows come; of a server or store "keep".
    """

    personal: Personal = "keep"
    pseudonyms: Pseudonyms = field(default_factory=lambda: Pseudonyms(None), repr=False)
    held: Personal = "keep"

    def table(self, table: Table) -> Table:
        """Return a table as frames show it: pseudonyms are text, and what is dropped is no column.

        Examples
        --------
        >>> from clopos_nb.privacy import Privacy
        >>> from clopos_nb.tables import CATALOGUE
        >>> users = CATALOGUE["users"]
        >>> Privacy("hash").table(users).by_name["salary"].dtype
        'string'
        >>> "salary" in Privacy("drop").table(users).by_name
        False
        """
        if self.personal == "keep":
            return table
        fields = [self._shown(c) for c in table.fields if self.personal == "hash" or not _hidden(c)]
        return replace(table, fields=tuple(fields))

    def _shown(self, column: Column) -> Column:
        return replace(column, kind="text", known=()) if _hidden(column) else column

    def pieces(self, table: Table, pieces: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Yield rows of a table as frames show them; of an iterator no piece is kept.

        Raises
        ------
        ConfigError
            There is no key for pseudonyms.
        """
        if self.personal == self.held:
            yield from pieces
            return
        if table.inferred:  # what is in a column shows in all of it only
            together = list(pieces)
            pieces = [joined(together)] if together else []
        for piece in pieces:
            names = personal_columns(table, piece)
            if self.personal == "drop":
                yield piece.drop_columns(names)
                continue
            for name in names:
                at = piece.column_names.index(name)
                piece = piece.set_column(at, name, self.pseudonyms.of(piece.column(name)))
            yield piece

    def check(self, table: Table, columns: Sequence[str]) -> None:
        """Refuse columns that are asked for and left out.

        Raises
        ------
        ConfigError
        """
        own = [table.by_name[name] for name in columns if name in table.by_name]
        if self.personal == "drop" and (gone := [c.name for c in own if _hidden(c)]):
            message = (
                f"{table.name}.{gone[0]} is personal, and personal='drop' leaves it out; take it "
                "off columns, or say personal='hash' for pseudonyms"
            )
            raise ConfigError(message)


def _hidden(column: Column) -> bool:
    return column.personal and column.kind != "withheld"


def personal_columns(table: Table, rows: pa.Table) -> list[str]:
    """Return the columns of rows that may say something about a person.

    Those that the catalogue marks, and those that no page documents. Of a table without any
    documentation that would be all: there it is texts, and whole numbers as long as a phone; ids,
    amounts, short numbers, yes and no, and times stay, but not times of birth.
    """
    times = with_times(rows)[1] if table.inferred else {}

    def is_personal(name: str) -> bool:
        column = table.by_name.get(name)
        if column is not None:
            return column.personal
        if name in ADDED:
            return False
        if not table.inferred or "birth" in name.lower():
            return True
        return name not in times and _may_name(rows.column(name), name)

    return [name for name in rows.column_names if is_personal(name)]


def _may_name(values: pa.ChunkedArray, name: str) -> bool:
    if pa.types.is_large_string(values.type):
        return bool(values.null_count < len(values))
    if not pa.types.is_integer(values.type) or name == "id" or name.endswith("_id"):
        return False
    return bool((pc.max(pc.abs(values)).as_py() or 0) >= _LONG)
