"""JSON bodies of writes: read, and checked field by field before anything is changed."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, NoReturn

import msgspec

from clopos_nb.sandbox.answers import Body, slug

MAX_TEXT = 65_535
"""Longest text that is taken, as of a MySQL TEXT column; the documentation names few limits."""
MAX_INTEGER = 2**63 - 1

Check = Callable[[Any], bool]


class InvalidField(Exception):
    """A field is missing or wrong; ``path`` is dotted and ``problem`` completes the sentence."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path} {problem}")
        self.path = path
        self.problem = problem


@dataclass(frozen=True)
class Field:
    """What one field of a body must be.

    ``kind`` is integer, number, string, boolean, object or array; ``fields`` checks an object, or
    each object of an array. ``rule`` names what ``check`` demands, to complete "must be".
    """

    kind: str
    required: bool = False
    nullable: bool = False
    fields: Mapping[str, Field] | None = None
    min_items: int = 0
    max_length: int = MAX_TEXT
    rule: str = ""
    check: Check | None = field(default=None, compare=False)


_KINDS: dict[str, tuple[str, Check]] = {
    "integer": ("an integer", lambda v: _is_integer(v)),
    "number": ("a number", lambda v: _is_number(v)),
    "string": ("a string", lambda v: isinstance(v, str)),
    "boolean": ("true or false", lambda v: isinstance(v, bool)),
    "object": ("an object", lambda v: isinstance(v, dict)),
    "array": ("an array", lambda v: isinstance(v, list)),
}


def read(raw: bytes) -> Body:
    """Return the JSON object in a body; raises 400 when it holds something else."""
    try:
        body = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        refuse("The body must be JSON")
    if not isinstance(body, dict):
        refuse("The body must be a JSON object")
    return body


def refuse(message: str) -> NoReturn:
    """Raise 400 with the slug ``validation_failed``."""
    raise slug(400, "validation_failed", message)


def checked(body: Mapping[str, Any], fields: Mapping[str, Field], path: str = "") -> Body:
    """Return the known fields of a body; raise ``InvalidField`` at the first that is wrong.

    What is not known is left out, as a server that validates with a list of rules does. A null is
    as good as a missing field where the field is not required.
    """
    kept: Body = {}
    for name, rule in fields.items():
        where = f"{path}{name}"
        value = body.get(name)
        if value is None:
            if rule.required and not (rule.nullable and name in body):
                raise InvalidField(where, "is required")
            if name in body and rule.nullable:
                kept[name] = None
            continue
        kept[name] = _value(value, rule, where)
    return kept


def _value(value: Any, rule: Field, where: str) -> Any:
    words, right = _KINDS[rule.kind]
    if not right(value):
        raise InvalidField(where, f"must be {words}")
    if rule.kind == "string" and len(value) > rule.max_length:
        raise InvalidField(where, f"must have at most {rule.max_length} characters")
    if rule.check is not None and not rule.check(value):
        raise InvalidField(where, f"must be {rule.rule}")
    if rule.kind == "object" and rule.fields is not None:
        return checked(value, rule.fields, f"{where}.")
    if rule.kind == "array":
        return _items(value, rule, where)
    return value


def _items(value: list[Any], rule: Field, where: str) -> list[Any]:
    if len(value) < rule.min_items:
        raise InvalidField(where, f"must have at least {rule.min_items} entries")
    if rule.fields is None:
        return value
    kept = []
    for index, item in enumerate(value):
        at = f"{where}.{index}"
        if not isinstance(item, dict):
            raise InvalidField(at, "must be an object")
        kept.append(checked(item, rule.fields, f"{at}."))
    return kept


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MAX_INTEGER


def _is_number(value: Any) -> bool:
    # 1e12 is far above any bill, and far below where float sums of money lose their cents.
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and abs(value) <= 1e12


def at_least_zero(value: Any) -> bool:
    """Whether a number is not negative."""
    return bool(value >= 0)


def above_zero(value: Any) -> bool:
    """Whether a number is positive."""
    return bool(value > 0)


def is_uuid(text: str) -> bool:
    """Whether a text is a UUID with dashes."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def is_day(text: str) -> bool:
    """Whether a text is a date, ``YYYY-MM-DD``."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def moment(text: str) -> datetime | None:
    """Return the naive moment of ``YYYY-MM-DD HH:mm:ss``, or None."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}", text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
