"""Whether what a fault was given can be: names, types, ranges and words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from clopos_nb.sandbox.faults.kinds import KINDS, Kind
from clopos_nb.sandbox.faults.refusing import MODULE_PATHS
from clopos_nb.sandbox.service import BASE

COMMON = {"path": "*", "method": "GET", "venue": 1, "probability": 1.0, "count": 1, "skip": 0}
"""What every fault takes, each with an example of its type."""

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_TEN_YEARS_S = 10 * 366 * 86_400
_RANGES: dict[str, tuple[float, float]] = {
    "rows": (1, 100),
    "limit": (1, 999),
    "status": (400, 599),
    "share": (0, 1),
    "after_s": (0, 3600),
    "reset_s": (0, 3600),
    "spread_s": (0, 3600),
    "skew_s": (-_TEN_YEARS_S, _TEN_YEARS_S),
}
_WORDS = {"module": ("", *MODULE_PATHS)}


class FaultError(ValueError):
    """A fault that cannot be: unknown name or option, or a value out of range."""


def kind_named(name: str) -> Kind:
    """Return a kind by name."""
    kind = KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        message = f"there is no fault {name!r}; there are {', '.join(sorted(KINDS))}"
        raise FaultError(message)
    return kind


def no_option(kind: Kind, option: str) -> FaultError:
    """Return the error of an option that a kind does not have."""
    known = ", ".join([*COMMON, *kind.options])
    return FaultError(f"{kind.name} has no option {option!r}; it has {known}")


def options(kind: Kind, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return all options of a kind, those given checked."""
    for name in given:
        if name not in kind.options:
            raise no_option(kind, name)
    return {
        name: _option(name, given.get(name, default), default)
        for name, default in kind.options.items()
    }


def path(value: object) -> str:
    """Return a pattern of paths below the base URL."""
    pattern = value.removeprefix(BASE) if isinstance(value, str) else ""
    if not pattern.startswith(("/", "*")):
        message = (
            f"path is one below the base URL, as in /receipts, /receipts/* or *, not {value!r}"
        )
        raise FaultError(message)
    return pattern


def method(value: object) -> str:
    """Return a method in capitals."""
    if str(value).upper() not in _METHODS:
        message = f"method must be one of {', '.join(_METHODS)}, not {value!r}"
        raise FaultError(message)
    return str(value).upper()


def venue(value: object, venue_ids: list[int]) -> int:
    """Return the id of a venue that there is."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in venue_ids:
        message = f"there is no venue {value!r}; there are {', '.join(map(str, venue_ids))}"
        raise FaultError(message)
    return value


def probability(value: object) -> float:
    """Return a share of one."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        message = f"probability must be from 0 to 1, not {value!r}"
        raise FaultError(message)
    return float(value)


def whole(name: str, value: object, least: int) -> int:
    """Return a whole number that is not too small."""
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        message = f"{name} must be a whole number of at least {least}, not {value!r}"
        raise FaultError(message)
    return value


def read(kind: Kind, option: str, text: str) -> Any:
    """Return a word of the command line as the type that an option has."""
    examples = COMMON | dict(kind.options)
    if option not in examples:
        raise no_option(kind, option)
    example: Any = examples[option]
    if isinstance(example, bool):
        found = {"true": True, "1": True, "false": False, "0": False}.get(text.lower())
        if found is None:
            message = f"{option} is true or false, not {text!r}"
            raise FaultError(message)
        return found
    try:
        return type(example)(text)
    except ValueError:
        message = f"{option} must be of type {type(example).__name__}, not {text!r}"
        raise FaultError(message) from None


def _option(name: str, value: Any, default: Any) -> Any:
    kind = type(default)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = _float(value)
    if type(value) is not kind or (kind is float and not math.isfinite(value)):
        message = f"{name} must be of type {kind.__name__}, as {default!r} is, not {value!r}"
        raise FaultError(message)
    if isinstance(value, str):
        return _text(name, value)
    least, most = _RANGES.get(name, (-math.inf, math.inf))
    if not least <= value <= most:
        message = f"{name} must be from {least} to {most}, not {value!r}"
        raise FaultError(message)
    return value


def _float(value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _text(name: str, value: str) -> str:
    if not (value.isascii() and value.isprintable()):
        message = f"{name} must be printable ASCII"
        raise FaultError(message)
    if value not in _WORDS.get(name, (value,)):
        message = f"{name} must be one of {', '.join(filter(None, _WORDS[name]))}, not {value!r}"
        raise FaultError(message)
    return value
