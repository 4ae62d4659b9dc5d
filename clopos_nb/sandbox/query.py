"""The query grammar: PHP brackets, paging, sorting, days, filters, relations and columns.

Brackets arrive plain or percent-encoded. A key that is not well formed is ignored, as PHP would
mangle it into a name nobody reads; a value of a known parameter that is not valid is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

from clopos_nb.sandbox.answers import over_limit, reject

MAX_PARAMETERS = 1000
"""PHP's own ``max_input_vars``: the rest is dropped."""
MAX_DEPTH = 8
DEFAULT_LIMIT = 50

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)")
_PART = re.compile(r"\[([^\[\]]*)\]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

Tree = dict[str, Any]
Sort = list[tuple[str, bool]]
"""Field names with ``True`` for descending, the most important first."""


@dataclass(frozen=True)
class Page:
    """A validated page: its number from 1, and its size within the endpoint's maximum."""

    number: int
    size: int

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.number - 1) * self.size


def parse(text: str) -> Tree:
    """Return the query as nested dicts of text, keyed as PHP would: ``{"sort": {"0": "id"}}``."""
    tree: Tree = {}
    pairs = parse_qsl(text, keep_blank_values=True, errors="replace")
    for key, value in pairs[:MAX_PARAMETERS]:
        match = _KEY.fullmatch(key)
        if match is None:
            continue
        path = [match[1], *_PART.findall(match[2])]
        if len(path) <= MAX_DEPTH:
            _put(tree, path, value)
    return tree


def _put(tree: Tree, path: list[str], value: str) -> None:
    node = tree
    for part in path[:-1]:
        key = part or _next_index(node)
        child = node.get(key)
        if not isinstance(child, dict):
            child = node[key] = {}
        node = child
    node[path[-1] or _next_index(node)] = value


def _next_index(node: Tree) -> str:
    taken = [int(key) for key in node if _INTEGER.fullmatch(key)]
    return str(max(taken, default=-1) + 1)


def integer(text: object) -> int | None:
    """Return the integer that a text spells, or None."""
    if isinstance(text, str) and _INTEGER.fullmatch(text):
        return int(text)
    return None


def page(tree: Tree, max_limit: int, *, strict: bool = False) -> Page:
    """Return the page asked for. A limit above the maximum is clamped, or refused if ``strict``."""
    number = _positive(tree, "page", 1)
    size = _positive(tree, "limit", DEFAULT_LIMIT)
    if strict and size > max_limit:
        raise over_limit(size, max_limit)
    return Page(number, min(size, max_limit))


def _positive(tree: Tree, name: str, default: int) -> int:
    if name not in tree:
        return default
    number = integer(tree[name])
    if number is None or number < 1:
        reject(f"{name} must be an integer of at least 1")
    return number


def sort(tree: Tree, fields: tuple[str, ...], default: str) -> Sort | None:
    """Return the order asked for with ``sort[0]`` and ``sort[1]``, or None when none is asked."""
    asked = tree.get("sort")
    if asked is None:
        return None
    if not isinstance(asked, dict):
        reject("sort must be given as sort[0] and sort[1]")
    direction = asked.get("1", "-1")
    if direction not in ("1", "-1"):
        reject("sort[1] must be 1 or -1")
    return [(_sort_field(asked.get("0", default), "sort[0]", fields), direction == "-1")]


def nested_sort(tree: Tree, fields: tuple[str, ...]) -> Sort | None:
    """Return the order asked for in price lists' grammar, ``sort[0][0]`` and ``sort[0][1]``."""
    asked = tree.get("sort")
    if asked is None:
        return None
    if not isinstance(asked, dict) or not all(isinstance(pair, dict) for pair in asked.values()):
        reject("sort must be given as sort[0][0] and sort[0][1]")
    order: Sort = []
    for index, pair in asked.items():
        word = pair.get("1", "asc")
        if word not in ("asc", "desc"):
            reject(f"sort[{index}][1] must be asc or desc")
        order.append((_sort_field(pair.get("0"), f"sort[{index}][0]", fields), word == "desc"))
    return order


def _sort_field(value: object, name: str, fields: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in fields:
        reject(f"{name} must be one of {', '.join(fields)}")
    return value


def days(tree: Tree) -> tuple[date | None, date | None]:
    """Return the inclusive range of ``date[0]`` and ``date[1]``; either side may be open."""
    asked = tree.get("date")
    if asked is None:
        return None, None
    if not isinstance(asked, dict):
        reject("date must be given as date[0] and date[1]")
    return _day(asked, "0"), _day(asked, "1")


def _day(asked: Tree, index: str) -> date | None:
    text = asked.get(index)
    if text is None:
        return None
    try:
        if not isinstance(text, str) or not _DAY.fullmatch(text):
            raise ValueError(text)
        return date.fromisoformat(text)
    except ValueError:
        reject(f"date[{index}] must be a date in the form YYYY-MM-DD")


def filters(tree: Tree) -> list[tuple[str, list[str]]]:
    """Return the filters as (field, values): one value or several is the same, OR within a list.

    Entries that do not follow the grammar are left out, as the live service seems to do.
    """
    asked = tree.get("filters")
    found = []
    for entry in asked.values() if isinstance(asked, dict) else ():
        if not isinstance(entry, dict) or not isinstance(entry.get("0"), str):
            continue
        values = _texts(entry.get("1"))
        if values:
            found.append((entry["0"], values))
    return found


def relations(tree: Tree) -> list[str]:
    """Return the relations asked for, as dot paths that may end in ``:column,column``."""
    return _texts(tree.get("with"))


def selects(tree: Tree) -> list[str]:
    """Return the columns asked for with ``selects=a,b`` (or a list of such)."""
    texts = _texts(tree.get("selects"))
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def flag(tree: Tree, name: str, *, default: bool) -> bool:
    """Return a boolean parameter, written ``true``/``false`` or ``1``/``0``."""
    value = tree.get(name)
    if value is None:
        return default
    known = {"true": True, "1": True, "false": False, "0": False}
    if not isinstance(value, str) or value.lower() not in known:
        reject(f"{name} must be true or false")
    return known[value.lower()]


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for text in value.values() if isinstance(text, str)]
    return []
