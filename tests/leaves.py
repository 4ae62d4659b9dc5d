"""What was sent and what is held, as comparable values: nothing may be lost in between."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

import pandas as pd


def sent_leaves(value: Any, without: frozenset[str] = frozenset()) -> Counter[str]:
    """Count the values in JSON data, but for those of keys that are kept out of frames."""
    return Counter(leaf for leaf in map(plain, _walk(value, without)) if leaf is not None)


def held_leaves(frames: Iterable[pd.DataFrame]) -> Counter[str]:
    """Count the values in frames; a list or map is held as JSON, a time may have been a number."""
    found: Counter[str] = Counter()
    for frame in frames:
        for name in frame.columns:
            for cell in frame[name].astype(object):
                if cell is None or cell is pd.NA or cell is pd.NaT:
                    continue
                found.update(_readings(cell))
    return found


def _readings(cell: Any) -> Iterator[str]:
    """Yield each way a cell may have been written."""
    if isinstance(cell, pd.Timestamp):
        milliseconds = cell.as_unit("ms").asm8.view("i8")
        yield from filter(None, (plain(cell.to_pydatetime()), plain(int(milliseconds))))
        return
    if isinstance(cell, str) and cell[:1] in '[{"':
        try:
            inner = json.loads(cell)
        except ValueError:
            pass
        else:
            for leaf in _walk(inner, frozenset()):
                if (text := plain(leaf)) is not None:
                    yield text
            return
    if (text := plain(cell)) is not None:
        yield text
        if isinstance(cell, float) and cell.is_integer() and str(int(cell)) != text:
            yield str(int(cell))  # written with all its digits, which a large one's text rounds


def _walk(value: Any, without: frozenset[str]) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in without:
                yield from _walk(inner, without)
    elif isinstance(value, list):
        for inner in value:
            yield from _walk(inner, without)
    else:
        yield value


def plain(value: Any) -> str | None:
    """Return one spelling for all that mean the same: 1, 1.0, "1.0" and true; two times."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, dt.datetime):
        return _instant(value)
    if isinstance(value, bool) or str(value) in ("true", "false", "True", "False"):
        return "1" if str(value).lower() == "true" else "0"
    text = str(value)
    if isinstance(value, str):
        try:
            return _instant(dt.datetime.fromisoformat(text)) if len(text) >= 10 else _number(text)
        except ValueError:
            pass
    return _number(text)


def _instant(at: dt.datetime) -> str:
    return (at.astimezone(dt.UTC).replace(tzinfo=None) if at.tzinfo else at).isoformat()


def _number(text: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    return f"{number.normalize():f}" if number.is_finite() else text
