"""Lists of JSON values into Arrow arrays of a declared kind, losing nothing.

The fast path hands the whole list to Arrow. When a server sent another type than documented, the
list goes value by value; what still does not fit widens the column (flag, int, number, text), and
the caller is told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
from msgspec import UNSET

from clopos_nb.tables.model import Kind

TYPES: dict[str, pa.DataType] = {
    "flag": pa.bool_(),
    "int": pa.int64(),
    "number": pa.float64(),
    "money": pa.float64(),
    "text": pa.large_string(),
    "json": pa.large_string(),
    "local": pa.timestamp("us"),
    "utc": pa.timestamp("us", "UTC"),
    "ms": pa.timestamp("us", "UTC"),
    "date": pa.timestamp("us"),
}

EXACT = (pa.decimal128(38, 4), pa.decimal128(38, 18))  # money, and money with more decimals


@dataclass(frozen=True)
class Dtypes:
    """How the columns of a frame are to come out; see ``Session.frame`` for each."""

    timezone: str | None = None
    backend: Literal["numpy_nullable", "pyarrow"] = "numpy_nullable"
    money: Literal["float", "decimal"] = "float"
    categorical: bool | tuple[str, ...] = False
    aware: bool = True  # False: instants stay as they were written, whatever the zone

    @property
    def exact(self) -> bool:
        """Whether money is read as decimals."""
        return self.money == "decimal"

    def category(self, name: str, *, known: bool) -> bool:
        """Whether a column of text is to be a category; ``known``: its values are."""
        chosen = self.categorical
        return name in chosen if isinstance(chosen, tuple) else chosen and known

    def arrow(self, kind: str) -> pa.DataType:
        """Return the Arrow type of a kind of column."""
        return EXACT[0] if kind == "money" and self.exact else TYPES[kind]


_PLAIN: dict[str, set[type]] = {
    "flag": {bool, type(None)},
    "int": {int, type(None)},
    "number": {int, float, type(None)},
    "money": {int, float, Decimal, type(None)},
    "text": {str, type(None)},
}

_LADDER: dict[str, tuple[str, ...]] = {
    "flag": ("flag", "int", "number", "text"),
    "int": ("int", "number", "text"),
    "number": ("number", "text"),
    "money": ("number", "text"),
    "text": ("text",),
}


def array(
    values: Sequence[Any], kind: Kind, dtypes: Dtypes | None = None, *, checked: bool = False
) -> tuple[pa.Array, Any]:
    """Return the values as an Arrow array, and an example of what did not fit, or None.

    Parameters
    ----------
    values : sequence
        One JSON value a row; None is null, and so is msgspec's UNSET.
    kind : str
        The declared kind of the column.
    dtypes : Dtypes, optional
        Its time zone is where a time that should have no offset, and has one, is to be read.
    checked : bool
        The types of the values are known to be those that are documented.

    Returns
    -------
    pyarrow.Array
        Of ``dtypes.arrow(kind)``, or of a wider type when a value did not fit.
    object
        The first value that made the column wider, or could not be read as a time.
    """
    dtypes = dtypes or Dtypes()
    # Arrow would turn 0.5 into 0 and True into 1.0 on its own; those take the careful path.
    if kind in _PLAIN and (checked or set(map(type, values)) <= _PLAIN[kind]):
        try:
            return pa.array(values, dtypes.arrow(kind)), None
        except _REFUSED:
            pass
    if kind in ("local", "utc", "date"):
        try:
            return pa.array(values, pa.string()).cast(TYPES[kind]), None
        except _REFUSED:
            pass
    values = [None if v is UNSET else v for v in values]
    if kind == "json":
        return pa.array([as_json(v) for v in values], TYPES["json"]), None
    if kind in ("local", "utc", "ms", "date"):
        return _times(values, kind, dtypes.timezone or "UTC")
    if kind == "money" and dtypes.exact:
        return _decimals(values)
    return _widened(values, kind)


_REFUSED = (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError)


def _decimals(values: Sequence[Any]) -> tuple[pa.Array, Any]:
    """Return money as it is written, in four decimals, in as many as it takes, or as text."""
    misfit = None
    for target in EXACT:
        try:
            return pa.array([_decimal(v) for v in values], target), misfit
        except (*_REFUSED, ValueError, TypeError):
            misfit = next((v for v in values if not _fits_decimal(v, target)), None)
    return _widened(values, "text")[0], misfit


def _decimal(value: Any) -> Decimal | None:
    if value is None or value == []:
        return None
    if isinstance(value, bool):
        raise ValueError
    try:
        found = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise ValueError from None
    if not found.is_finite():
        raise ValueError
    return found


def _fits_decimal(value: Any, target: pa.DataType) -> bool:
    try:
        pa.array([_decimal(value)], target)
    except (*_REFUSED, ValueError, TypeError):
        return False
    return True


def _widened(values: Sequence[Any], kind: Kind) -> tuple[pa.Array, Any]:
    misfit = None
    for step in _LADDER[kind]:
        read = _READERS[step]
        try:
            found = [None if v is None or v == [] else read(v) for v in values]
            return pa.array(found, TYPES[step]), misfit
        except (ValueError, TypeError, OverflowError, pa.ArrowInvalid):
            misfit = next(v for v in values if v is not None and not _fits(v, step))
    message = f"text holds every JSON value, yet {kind} failed"
    raise AssertionError(message)


def _fits(value: Any, kind: str) -> bool:
    try:
        pa.array([_READERS[kind](value)], TYPES[kind])
    except (ValueError, TypeError, OverflowError, pa.ArrowInvalid):
        return False
    return True


def _flag(value: Any) -> bool:
    if value in (0, 1, "0", "1") or isinstance(value, bool):
        return bool(int(value))
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ValueError


def _int(value: Any) -> int:
    if isinstance(value, str) and value.strip() == value and value.lstrip("-").isdecimal():
        if str(int(value)) != value:  # "007" is not a number
            raise ValueError
        return int(value)
    if isinstance(value, Decimal):  # to write 1E+999999999 out takes all memory there is
        value = value if value.adjusted() < 40 and value == value.to_integral_value() else 0.5
    if isinstance(value, int | float | Decimal) and value == int(value):
        return int(value)
    raise ValueError


def _number(value: Any) -> float:
    if isinstance(value, int) and int(float(value)) != value:
        raise ValueError  # beyond what a float holds: keep the digits
    if isinstance(value, int | float | Decimal | str):
        return float(value)
    raise ValueError


def text(value: Any) -> str:
    """Return any JSON value as text: strings as they are, the rest as compact JSON."""
    return value if isinstance(value, str) else _compact(value).decode()


def as_json(value: Any) -> str | None:
    """Return a list or map as compact JSON, and null for null."""
    return None if value is None else _compact(value).decode()


_compact = msgspec.json.Encoder(decimal_format="number").encode

_READERS: dict[str, Callable[[Any], Any]] = {
    "flag": _flag,
    "int": _int,
    "number": _number,
    "text": text,
}


def _times(values: Sequence[Any], kind: Kind, timezone: str) -> tuple[pa.Array, Any]:
    target = TYPES[kind]
    instants = [_instant(v) for v in values]
    unread = [v for v, at in zip(values, instants, strict=True) if at is None]
    misfit = next((v for v in unread if v not in (None, "", [])), None)
    if kind in ("local", "date"):
        aware = [v for v, at in zip(values, instants, strict=True) if at and at.tzinfo]
        misfit = aware[0] if misfit is None and aware else misfit
        zone = ZoneInfo(timezone)
        instants = [
            at.astimezone(zone).replace(tzinfo=None) if at and at.tzinfo else at for at in instants
        ]
    else:  # written without an offset where Z is documented: read as UTC, like the others
        instants = [at.replace(tzinfo=dt.UTC) if at and not at.tzinfo else at for at in instants]
    return pa.array(instants, target), misfit


_FIRST_YEAR = 1900  # the API has been seen to write the year 203
_FIRST_SECOND = 1e8  # in 1973; a smaller number is no time
_FIRST_MILLISECOND = 1e11


def _instant(value: Any) -> dt.datetime | None:
    """Return one time of any documented spelling; None when it cannot be read."""
    try:
        if isinstance(value, str) and not value.isdecimal():
            found = dt.datetime.fromisoformat(value)
            return found if found.year >= _FIRST_YEAR else None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            return None
        number = float(value)
        if number < _FIRST_SECOND:
            return None
        seconds = number / 1000 if number >= _FIRST_MILLISECOND else number
        return dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None


def inferred(values: Sequence[Any]) -> pa.Array:
    """Return values of an undocumented field with the type they show."""
    values = [float(v) if isinstance(v, Decimal) else v for v in values]
    if any(isinstance(v, dict | list) for v in values):  # whose types Arrow would multiply
        return pa.array([None if v is None else text(v) for v in values], pa.large_string())
    try:
        found = pa.array(values)
        if pa.types.is_integer(found.type):
            return found.cast(TYPES["int"])
        if pa.types.is_floating(found.type) or pa.types.is_boolean(found.type):
            return found
        if pa.types.is_null(found.type) or pa.types.is_string(found.type):
            return found.cast(TYPES["text"])
    except _REFUSED:
        pass
    return pa.array([None if v is None else text(v) for v in values], pa.large_string())


def common_type(types: Sequence[pa.DataType]) -> pa.DataType:
    """Return the narrowest type that holds them all; text holds everything.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from clopos_nb.columns import common_type
    >>> common_type([pa.int64(), pa.float64()])
    DataType(double)
    """
    kinds = set(types)
    if len(kinds) == 1:
        return types[0]
    if kinds == set(EXACT):
        return EXACT[1]
    for step in ("int", "number"):
        narrow = {TYPES[k] for k in ("flag", "int", "number")[: ("int", "number").index(step) + 2]}
        if kinds <= narrow:
            return TYPES[step]
    return TYPES["text"]
