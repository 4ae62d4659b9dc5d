"""What servers send that the documentation does not name: kept in the frame, and noted here."""

from __future__ import annotations

import datetime as dt
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from clopos_nb import html

_HEAD = ("table", "column", "what", "example", "first_page", "count")
_FEW = 20  # finds about one column; a free text where a code is documented has no end of them
_CODE = re.compile(r"[A-Z][A-Z_]{1,29}|[a-z][a-z_]{1,11}|\d{1,4}(\.\d{1,4})?")
_TIME = re.compile(r"[\dTZ:.\- +]{8,32}")


@dataclass
class DriftEntry:
    """One thing the documentation does not name: where, what, an example, how often."""

    table: str
    column: str
    what: str
    example: str
    first_page: int
    count: int = 0


@dataclass
class Drift:
    """What servers sent that the documentation does not name; nothing of it was lost.

    Examples
    --------
    >>> from clopos_nb.drift import Drift
    >>> drift = Drift()
    >>> drift.note("receipts", "mood", "undocumented", "HAPPY", count=3, page=2)
    True
    >>> next(iter(drift))
    DriftEntry(table='receipts', column='mood', what='undocumented', example='HAPPY', ...
    """

    entries: dict[tuple[str, str, str], DriftEntry] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def note(
        self,
        table: str,
        column: str,
        what: str,
        example: Any,
        *,
        count: int = 1,
        page: int = 1,
        personal: bool = False,
    ) -> bool:
        """Count one find; return True when it is new.

        Of one column's finds the first twenty are told apart, the others counted together.
        """
        key = (table, column, what)
        with self._lock:
            if key not in self.entries and sum(k[:2] == key[:2] for k in self.entries) >= _FEW:
                what = "further unknown values"
                key = (table, column, what)
            new = key not in self.entries
            if new:
                shown = described(example, personal=personal)
                self.entries[key] = DriftEntry(table, column, what, shown, page)
            self.entries[key].count += count
        return new

    def frame(self) -> pd.DataFrame:
        """Return the finds, a row each: table, column, what, example, first page, count."""
        rows = [[getattr(entry, name) for name in _HEAD] for entry in self]
        return pd.DataFrame(rows, columns=list(_HEAD)).astype(
            {"first_page": "int64", "count": "int64"}
        )

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[DriftEntry]:
        return iter(list(self.entries.values()))

    def __repr__(self) -> str:
        return f"Drift({len(self)} undocumented)"

    def _repr_html_(self) -> str:
        if not self.entries:
            return "<p>Nothing undocumented so far.</p>"
        return html.table(
            [name.replace("_", " ") for name in _HEAD],
            [[str(getattr(entry, name)) for name in _HEAD] for entry in self],
        )


def described(value: Any, *, personal: bool = False) -> str:
    """Show a value that cannot be anybody's, and of any other its kind and size.

    Nobody knows what is in a field that no page documents: a phone, a name, an address. Codes,
    short numbers, yes and no, and times are shown.

    Examples
    --------
    >>> from clopos_nb.drift import described
    >>> described("PICKED_UP"), described(12.5), described("0000-00-00 00:00:00")
    ('PICKED_UP', '12.5', '0000-00-00 00:00:00')
    >>> described("+994 50 000 00 01"), described([1, 2]), described("READY", personal=True)
    ('text of 17 characters', 'list of 2', 'text of 5 characters')
    """
    if isinstance(value, list):
        return f"list of {len(value)}"
    if isinstance(value, dict):
        return f"map of {len(value)}"
    if value is None or isinstance(value, bool):
        return str(value)
    text = str(value)
    if not personal and (_CODE.fullmatch(text) or _is_time(text)):
        return text
    kind = "text" if isinstance(value, str) else "number"
    return f"{kind} of {len(text)} characters"


def _is_time(text: str) -> bool:
    if not _TIME.fullmatch(text) or text.count("-") < 2:
        return False
    if re.match(r"0000-00-00|\d{3}-\d\d-\d\dT", text):  # seen instead of a time
        return True
    try:
        dt.datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
