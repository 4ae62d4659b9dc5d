"""Making a snapshot: which readings it takes, and the file."""

from __future__ import annotations

import datetime as dt
import io
import os
import re
import secrets
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from clopos_nb.errors import ConfigError
from clopos_nb.fetch import Asking
from clopos_nb.frames import joined
from clopos_nb.questions import DayRange, Place, Question
from clopos_nb.snapshots.form import CERTIFICATES, INDEX, MANIFEST, Held, Manifest, TableFile
from clopos_nb.store.rows import CannotKeep, arrived, link_of
from clopos_nb.store.snapshot import DAY, VENUE
from clopos_nb.tables import Table

ONE_DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Part:
    """One endpoint of a snapshot: what was asked for, of whom, and the readings that it takes."""

    question: Question
    places: Sequence[Place]
    days: DayRange | None

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables to read: the one that the endpoint lists first, whether asked for or not."""
        source = self.question.source
        return (source, *(table for table in self.question.tables if table is not source))

    @property
    def askings(self) -> list[Asking]:
        """The readings, one for each place and span of days."""
        whole = replace(self.question, tables=self.tables)
        return [
            Asking(replace(whole, days=days), [place])
            for place in self.places
            for days in self._spans
        ]

    @property
    def _spans(self) -> list[DayRange | None]:
        if self.days is None:
            return [None]
        if self.question.source.by_name["created_at"].kind == "local":
            return [self.days]
        # An instant does not tell which day the server counts it on; only asking for that day does.
        first, last = self.days
        count = (last - first).days + 1
        return [(first + n * ONE_DAY, first + n * ONE_DAY) for n in range(count)]


def plan(question: Question, places: Sequence[Place]) -> Part:
    """Return what it takes to hold the answer to a question, for whatever days within it.

    A day more is read on either side where there are business days, so that these can be asked for.

    Raises
    ------
    ConfigError
    """
    source, days = question.source, question.days
    if source.dated and days is None:
        message = f"A snapshot of {question.name} needs days; name start and end"
        raise ConfigError(message)
    if days and "shift_date" in source.by_name:
        days = replace(question, day="shift_date").asked_days()  # type: ignore[assignment]  # both
    return Part(question, places, days)


def checked_target(path: Path, *, force: bool) -> None:
    """Refuse a path that nothing can be written to; writes nothing.

    Raises
    ------
    ConfigError
    """
    if not path.parent.is_dir():
        message = f"There is no folder {path.parent}; make it, or choose another"
        raise ConfigError(message)
    if os.path.lexists(path) and not force:
        message = f"{path} is there already; choose another name, or say force=True to replace it"
        raise ConfigError(message)


def save(
    path: Path,
    manifest: Manifest,
    parts: Sequence[Part],
    frames: Sequence[Mapping[str, pd.DataFrame]],
    *,
    force: bool,
) -> None:
    """Write the frames of all readings of all parts; the old file stays until the new one is whole.

    Raises
    ------
    ConfigError
        As of :func:`checked_target`, or rows that cannot be told apart.
    OSError
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    readings = iter(frames)
    certificates: list[Any] = []
    try:
        descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        with os.fdopen(descriptor, "w+b") as file, zipfile.ZipFile(file, "w") as zipped:
            for part in parts:
                found = [next(readings) for _ in part.askings]
                held = manifest.endpoints[part.question.source.name] = _held(part)
                for number, (table, rows) in enumerate(_tables(part, found)):
                    name = f"{len(manifest.endpoints):02}{number:02}-{_slug(table)}.parquet"
                    whole = table in part.question.tables
                    held.tables[table.name] = TableFile(name, rows.num_rows, whole)
                    zipped.writestr(name, _parquet(rows))  # stored, since it is packed already
                    if whole:
                        certificates += [each[table.name].attrs["clopos"] for each in found]
            for name, content in ((CERTIFICATES, certificates), (MANIFEST, manifest)):
                text = msgspec.json.format(msgspec.json.encode(content))
                zipped.writestr(name, text, zipfile.ZIP_DEFLATED)
        checked_target(path, force=force)  # somebody may have been first
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would change line ends


def _held(part: Part) -> Held:
    venues = [place.id for place in part.places if place.id is not None]
    first, last = part.days or (None, None)
    return Held({}, venues or None, first, last)


def _slug(table: Table) -> str:
    return re.sub(r"\W+", "_", table.name).strip("_")


def _tables(
    part: Part, readings: Sequence[Mapping[str, pd.DataFrame]]
) -> Iterator[tuple[Table, pa.Table]]:
    """Yield the rows of each table, venue by venue, each row with its venue and day."""
    spans = [
        _with_own(part, asking, found) for asking, found in zip(part.askings, readings, strict=True)
    ]
    for table in part.tables:
        rows = joined([span[table.name] for span in spans])
        if table not in part.question.tables:
            wanted = [link_of(table), *INDEX, VENUE, DAY]
            rows = rows.select([name for name in wanted if name in rows.column_names])
        yield table, rows


def _with_own(
    part: Part, asking: Asking, frames: Mapping[str, pd.DataFrame]
) -> dict[str, pa.Table]:
    rows = {
        table.name: pa.Table.from_pandas(frames[table.name], preserve_index=False)
        for table in part.tables
    }
    rows = {name: table.replace_schema_metadata(None) for name, table in rows.items()}
    if asking.question.days is None:
        days = {name: pa.nulls(table.num_rows, pa.date32()) for name, table in rows.items()}
        rows = {name: table.append_column(DAY, days[name]) for name, table in rows.items()}
    else:
        try:
            rows = arrived(part.tables, lambda name: [rows[name]], asking.question.days)
        except CannotKeep as exc:
            message = f"{part.question.name} cannot be in a snapshot: {exc}"
            raise ConfigError(message) from None
    (place,) = asking.places
    return {
        name: table.append_column(VENUE, pa.array([place.id] * table.num_rows, pa.int64()))
        for name, table in rows.items()
    }


def _parquet(rows: pa.Table) -> bytes:
    stream = io.BytesIO()
    # Without dictionaries no file says much more than it holds, which is looked at on reading.
    pq.write_table(rows, stream, compression="zstd", use_dictionary=False)
    return stream.getvalue()
