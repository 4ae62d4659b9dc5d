"""A snapshot as a session reads it; what is in the file is looked at before it is believed."""

from __future__ import annotations

import contextlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import msgspec
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from clopos_nb.certificate import VenueRecord
from clopos_nb.errors import ConfigError, SnapshotError
from clopos_nb.fetch import Asking, Manner, certificate_of, checked_columns, framed, with_venue
from clopos_nb.privacy import Personal, Privacy
from clopos_nb.questions import Place, Question
from clopos_nb.settings import zone
from clopos_nb.snapshots.form import CERTIFICATES, FORMAT, MANIFEST, OWN, Held, Label, Manifest
from clopos_nb.store.reading import can_filter, exact, trimmed, trims
from clopos_nb.store.rows import link_of
from clopos_nb.store.snapshot import DAY, VENUE
from clopos_nb.tables import Table

MOST_TEXT = 2**26  # of manifest and certificates, unpacked
MOST_TIMES = 1000  # what rows may take in memory, by what they take in the file
ALWAYS = 2**26  # bytes in memory that no file is too small for
_FILE = re.compile(r"\d{4,6}-\w{1,80}\.parquet")
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,  # an encoding that neither zipfile nor Arrow knows
    RuntimeError,  # an encrypted member
    pa.ArrowException,
    ValueError,
    OverflowError,
    KeyError,
)


class Snapshot:
    """A snapshot file: frames out of it, for the days and venues that it holds.

    Attributes
    ----------
    path : Path
    manifest : Manifest

    Raises
    ------
    SnapshotError
        It is no snapshot, damaged, or of a newer format.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._opened() as zipped:
            self.manifest = self._manifest(zipped)
            self._check_members(zipped)

    @property
    def personal(self) -> Personal:
        """What was done with personal columns."""
        return self.manifest.personal

    def frames(self, asking: Asking, manner: Manner) -> dict[str, pd.DataFrame]:
        """Return the frames of a question.

        Raises
        ------
        SnapshotError
            It does not hold what is asked for; the text says what it holds.
        ConfigError
        """
        question = asking.question
        if manner.as_of is not None:
            message = "as_of= reads a store, and a snapshot has one moment only; leave it out"
            raise ConfigError(message)
        checked_columns(question.tables[0], manner, asking.label)
        held = self._held(question, asking.places)
        source = self._read(question, held, question.source, _columns_for(question))
        records, wanted = [], {}
        for place in asking.places:
            rows = _of(source, held, place)
            kept = trimmed(question, rows)
            records.append(_record(place, rows.num_rows, kept.num_rows, self.manifest.made_at))
            if trims(question):
                wanted[place.id] = kept.column(link_of(question.source)).combine_chunks()
        certificate = certificate_of(question, self.manifest.brand, records)
        certificate.fetched_at = self.manifest.made_at
        shown = Privacy(self.personal)

        def pieces(table: Table) -> Iterator[pa.Table]:
            columns = None
            if manner.columns is not None and table is question.tables[0]:
                columns = [*manner.columns, link_of(table)]
            found = self._read(question, held, table, columns)
            for place in asking.places:
                rows = _of(found, held, place)
                if trims(question):
                    rows = rows.filter(pc.is_in(rows.column(link_of(table)), wanted[place.id]))
                rows = rows.drop_columns(OWN)
                rows = exact(rows, shown.table(table)) if manner.dtypes.exact else rows
                yield with_venue(rows, place) if asking.label else rows

        frames = framed(asking, certificate, pieces, manner)
        if question.limit is not None and len(frames[question.name]) >= question.limit:
            for frame in frames.values():
                frame.attrs["clopos"] |= {"cut": True, "complete": False}
        return frames

    # -- what is held

    def _held(self, question: Question, places: Sequence[Place]) -> Held:
        """Return what is held of an endpoint, if that is all that is asked for."""
        held = self.manifest.endpoints.get(question.source.name)
        tables = held.tables if held else {}
        for table in question.tables:
            if held is None or table.name not in tables or not tables[table.name].whole:
                self._missing(table.name)
        assert held is not None  # noqa: S101  # a question has a table
        if question.source.dated:
            first, last = question.asked_days()
            if not (first and last and held.first and held.last):
                self._missing(f"all days of {question.name}")
            if first < held.first or held.last < last:
                self._missing(f"{question.name} of {first} to {last}")
        for place in places:
            if held.venues is not None and place.id not in held.venues:
                self._missing(f"{question.name} of {place.name or place.id}")
        self._check_filters(question, held)
        return held

    def _check_filters(self, question: Question, held: Held) -> None:
        if not can_filter(question):
            message = (
                f"A snapshot takes filters on plain columns; filter the frame: {question.name}"
            )
            raise SnapshotError(message)
        source = question.source
        columns = [column for column in source.fields if column.path[0] in question.filters]
        hidden = [column.name for column in columns if column.personal]
        if hidden and self.personal != "keep":
            message = (
                f"{source.name}.{hidden[0]} is not in this snapshot as it was sent "
                f"(personal={self.personal!r}), so that nothing can be filtered by it"
            )
            raise SnapshotError(message)
        if columns and not held.tables[source.name].whole:
            self._missing(f"{source.name}, which the filter is on")

    def _missing(self, what: str) -> NoReturn:
        names = {venue.id: venue.name for venue in self.manifest.venues}
        parts = []
        for held in self.manifest.endpoints.values():
            part = ", ".join(name for name, table in held.tables.items() if table.whole)
            part += f" of {held.first} to {held.last}" if held.first else ""
            if held.venues is not None and set(held.venues) != set(names):
                part += f" of {', '.join(f'{id} {names.get(id, id)}' for id in held.venues)}"
            parts.append(part)
        message = (
            f"{self.path.name} does not hold {what}; it holds {'; '.join(parts) or 'nothing'}. Ask "
            "for these, or ask who made it for more"
        )
        raise SnapshotError(message)

    # -- the file

    def _read(
        self, question: Question, held: Held, table: Table, columns: Sequence[str] | None
    ) -> pa.Table:
        """Return rows of the days asked for."""
        at = held.tables[table.name]
        with self._opened() as zipped:
            content = zipped.read(at.file)  # stored, so no larger than the file
            parquet = pq.ParquetFile(pa.BufferReader(content))
            if not _is_sound(parquet, len(content), at.rows):
                self._damaged(f"{at.file} is not what the manifest says")
            if columns is not None:
                there = parquet.schema_arrow.names
                columns = list(dict.fromkeys(name for name in (*columns, *OWN) if name in there))
            rows = parquet.read(columns)
            rows.validate(full=True)
        first, last = question.asked_days()
        if first and last:
            on = pc.and_(
                pc.greater_equal(rows.column(DAY), pa.scalar(first, pa.date32())),
                pc.less_equal(rows.column(DAY), pa.scalar(last, pa.date32())),
            )
            rows = rows.filter(on)
        return rows

    @contextlib.contextmanager
    def _opened(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self.path) as zipped:
                yield zipped
        except OSError as exc:
            message = f"The snapshot {self.path} cannot be read ({exc.strerror or exc})"
            raise SnapshotError(message) from None
        except SnapshotError:
            raise
        except _DAMAGED as exc:
            self._damaged(type(exc).__name__)

    def _damaged(self, why: str) -> NoReturn:
        message = (
            f"{self.path.name} is no snapshot of this package, or damaged ({why}); get it again "
            "from who made it"
        )
        raise SnapshotError(message) from None

    def _manifest(self, zipped: zipfile.ZipFile) -> Manifest:
        if MANIFEST not in zipped.namelist():
            self._damaged(f"there is no {MANIFEST} in it")
        if zipped.getinfo(MANIFEST).file_size > MOST_TEXT:
            self._damaged(f"{MANIFEST} is too large")
        with zipped.open(MANIFEST) as file:
            text = file.read(MOST_TEXT)  # whatever its size is said to be
        try:
            label = msgspec.json.decode(text, type=Label)
            if label.format > FORMAT:
                message = (
                    f"{self.path.name} was made by clopos_nb {label.made_by[:20]}, in a newer "
                    "format; update clopos_nb to read it"
                )
                raise SnapshotError(message)
            manifest = msgspec.json.decode(text, type=Manifest)
            zone(manifest.timezone)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ConfigError):
            self._damaged(f"{MANIFEST} cannot be read")
        return manifest

    def _check_members(self, zipped: zipfile.ZipFile) -> None:
        """Refuse members that are not of a snapshot, and any that would unpack to more."""
        endpoints = self.manifest.endpoints.values()
        files = [table.file for held in endpoints for table in held.tables.values()]
        if odd := [name for name in files if not _FILE.fullmatch(name)]:
            self._damaged(f"a file is called {odd[0][:40]!r}")
        if sorted(zipped.namelist()) != sorted([*files, MANIFEST, CERTIFICATES]):
            self._damaged("its files are not those of the manifest")
        for name in files:
            info = zipped.getinfo(name)
            if info.compress_type != zipfile.ZIP_STORED or info.file_size != info.compress_size:
                self._damaged(f"{name} is packed")
        if unlisted := [n for n, h in self.manifest.endpoints.items() if n not in h.tables]:
            self._damaged(f"{unlisted[0]} is not there")


def _is_sound(parquet: pq.ParquetFile, size: int, rows: int) -> bool:
    """Tell whether a file holds plain columns, and not much more than its size."""
    meta, schema = parquet.metadata, parquet.schema_arrow
    most = max(ALWAYS, MOST_TIMES * size)
    groups = [meta.row_group(n) for n in range(meta.num_row_groups)]
    chunks = [group.column(n) for group in groups for n in range(group.num_columns)]
    return (
        meta.num_rows == rows == sum(group.num_rows for group in groups)
        and len(set(schema.names)) == len(schema.names)
        and set(OWN) <= set(schema.names)
        and all(map(_is_plain, schema.types))
        and 8 * rows * len(schema.names) <= most
        and sum(chunk.total_uncompressed_size for chunk in chunks) <= most
        and not any(chunk.has_dictionary_page for chunk in chunks)
    )


def _is_plain(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(
        types.is_large_string(kind)
        or types.is_int64(kind)
        or types.is_float64(kind)
        or types.is_boolean(kind)
        or types.is_timestamp(kind)
        or types.is_date32(kind)
    )


def _columns_for(question: Question) -> list[str]:
    """Return what tells which rows of the endpoint are wanted."""
    filtered = [c.name for c in question.source.fields if c.path[0] in question.filters]
    shift = ["created_at", "shift_date"] if question.day == "shift_date" else []
    return [link_of(question.source), *filtered, *shift]


def _of(rows: pa.Table, held: Held, place: Place) -> pa.Table:
    """Return the rows of a place; those of the brand are anybody's."""
    return rows if held.venues is None else rows.filter(pc.equal(rows.column(VENUE), place.id))


def _record(place: Place, rows: int, kept: int, made_at: str) -> VenueRecord:
    return VenueRecord(
        place.id,
        place.name,
        total=rows,
        rows=rows,
        left_out=rows - kept,
        complete=True,
        source="snapshot",
        note=f"as it was at {made_at}",
    )
