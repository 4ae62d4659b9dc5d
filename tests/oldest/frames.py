"""Print what frames of every table look like: columns, dtypes, and a digest of the values.

Run with the lowest and with the newest releases of the dependencies, it prints the same.
"""

from __future__ import annotations

import hashlib
import warnings
from datetime import date
from typing import Any

import pandas as pd

import clopos_nb
from clopos_nb.sandbox import Sandbox
from clopos_nb.sandbox.brand import Brand
from clopos_nb.tables import CATALOGUE

DAYS = ("2026-01-03", "2026-01-07")
CHOICES: list[dict[str, Any]] = [
    {},
    {"dtype_backend": "pyarrow"},
    {"money": "decimal"},
    {"categorical": True},
]


def main() -> None:
    """Print a line for each table and choice of dtypes."""
    brand = Brand(seed=7, venues=2, first_day=date(2026, 1, 1), last_day=date(2026, 1, 14))
    for fidelity in ((), ("legacy_fields",)):
        with (
            Sandbox(brand=brand, window_s=0.01, fidelity=fidelity) as sandbox,
            clopos_nb.Session(base_url=sandbox.url, cache_dir=False, **sandbox.credentials) as read,
        ):
            venue = read.venue(1)
            receipts = venue.frame("receipts", *DAYS, limit=3)["id"].tolist()
            for name, table in CATALOGUE.items():
                days = DAYS if table.dated else ()
                filters = {"receipt_id": receipts} if table.per else None
                for choice in CHOICES:
                    place = venue if table.scope == "venue" else read
                    frame = place.frame(name, *days, filters=filters, progress=False, **choice)
                    print(name, *choice.values(), *fidelity, len(frame), *_told(frame))


def _told(frame: Any) -> list[str]:
    """Return each column's dtype and the digest of its values."""
    return [
        f"{name}:{dtype}:{_digest(frame[name])}".replace(" ", "_")
        for name, dtype in frame.dtypes.items()
    ]


def _digest(column: Any) -> str:
    text = "\n".join("" if pd.isna(value) else str(value) for value in column.astype(object))
    return hashlib.sha256(text.encode()).hexdigest()[:8]


if __name__ == "__main__":
    warnings.simplefilter("error", clopos_nb.CloposWarning)
    main()
