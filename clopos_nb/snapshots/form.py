"""What a snapshot is: a zip of one Parquet file for each table, and what they hold."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import msgspec

from clopos_nb.store.snapshot import DAY, VENUE

FORMAT = 1
MANIFEST = "manifest.json"
CERTIFICATES = "certificates.json"
OWN = (VENUE, DAY)  # of each row: the venue that was asked, and the day it counts on
INDEX = ("created_at", "shift_date")  # with the key, what is there of a parent nobody asked for


class Label(msgspec.Struct, kw_only=True):
    """What every format says."""

    format: int
    made_by: str


class VenueLine(msgspec.Struct):
    """A venue of the brand, held or not."""

    id: int
    name: str
    is_main: bool


class TableFile(msgspec.Struct):
    """Where a table's rows are, and how many; ``whole`` if all of its columns are."""

    file: str
    rows: int
    whole: bool


class Held(msgspec.Struct):
    """What is held of one endpoint.

    Attributes
    ----------
    tables : dict of str to TableFile
        The one whose rows the endpoint lists among them.
    venues : list of int, or None
        None: the brand's rows, the same for each venue.
    first, last : date or None
        Days held, both inclusive; None of a table that takes no days.
    """

    tables: dict[str, TableFile]
    venues: list[int] | None
    first: dt.date | None
    last: dt.date | None


class Manifest(Label, kw_only=True):
    """What a snapshot holds, and how the session that made it was set."""

    made_at: str
    brand: str
    timezone: str | None
    today: dt.date
    personal: Literal["keep", "hash", "drop"]
    venues: list[VenueLine]
    endpoints: dict[str, Held] = msgspec.field(default_factory=dict)
