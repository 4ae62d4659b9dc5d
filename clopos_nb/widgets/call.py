"""What is to be read, as a value: it can be compared, written as Python, and asked for."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from clopos_nb.errors import ConfigError
from clopos_nb.tables import Table

WIDTH = 88  # characters; a longer call is written over several lines


@dataclass(frozen=True)
class Call:
    """A call of ``session.frame``: the table and days, and what differs from the defaults."""

    table: str
    days: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The call as Python, with ``session`` in scope; it leaves the result in ``frame``."""
        parts = [_literal(text) for text in (self.table, *self.days)]
        parts += [f"{name}={_literal(value)}" for name, value in self.options.items()]
        line = f"frame = session.frame({', '.join(parts)})"
        if len(line) <= WIDTH:
            return line
        return "frame = session.frame(\n" + "".join(f"    {part},\n" for part in parts) + ")"


def _literal(value: Any) -> str:
    """Return a value as Python, with double quotes."""
    if isinstance(value, list):
        return "[" + ", ".join(map(_literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(k)}: {_literal(v)}" for k, v in value.items()) + "}"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)


def filters_of(text: str, table: Table) -> dict[str, Any]:
    """Return the filters that a line of ``field=value`` pairs means for a table.

    Pairs are parted by commas, several values of a field by ``|``. Whole numbers become numbers,
    but for fields that are text, whose zeros in front count.

    Raises
    ------
    ConfigError
        A piece without an equals sign, name or value, or a field named twice.

    Examples
    --------
    >>> from clopos_nb.tables import CATALOGUE
    >>> filters_of("status=2, source=pos|web, order_number=12", CATALOGUE["receipts"])
    {'status': 2, 'source': ['pos', 'web'], 'order_number': '12'}
    """
    filters: dict[str, Any] = {}
    for piece in filter(None, map(str.strip, text.split(","))):
        name, _, written = (part.strip() for part in piece.partition("="))
        is_text = name in table.by_name and table.by_name[name].kind == "text"
        values = [_value(part.strip(), is_text) for part in written.split("|")]
        if not name or "" in values or name in filters:
            message = (
                f"The filter {piece!r} cannot be read; write field=value, several with commas "
                "between them, as in: status=2, source=pos|web"
            )
            raise ConfigError(message)
        filters[name] = values[0] if len(values) == 1 else values
    return filters


def _value(text: str, is_text: bool) -> int | str:
    is_whole = re.fullmatch(r"0|-?[1-9]\d{0,17}", text) is not None
    return int(text) if is_whole and not is_text else text
