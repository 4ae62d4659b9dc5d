"""The store at one moment: which versions of its Delta tables belong together, and their rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa
import pyarrow.dataset as ds

from clopos_nb.store.held import ONE_DAY, Days, Endpoint, State
from clopos_nb.store.site import Site

if TYPE_CHECKING:
    from deltalake import DeltaTable

VENUE, MONTH, DAY, HASH = "store_venue", "store_month", "store_day", "store_hash"
OWN = (VENUE, MONTH, DAY, HASH)
BRAND_WIDE, UNDATED = 0, "all"  # the partition of rows that belong to no venue, or to no month

Partition = tuple[int, str]  # venue and month


class File(NamedTuple):
    """A file of rows: its path from the table, its bytes, and how many rows are in it."""

    path: str
    size: int
    rows: int


Files = list[File]


@dataclass
class Snapshot:
    """The store at one moment: what it holds, and the tables that hold it."""

    site: Site
    state: State
    version: int = -1
    _open: dict[str, DeltaTable] = field(default_factory=dict, repr=False)
    _files: dict[str, dict[Partition, Files]] = field(default_factory=dict, repr=False)

    def endpoint(self, name: str) -> Endpoint:
        """Return what is held of an endpoint."""
        return self.state.endpoints.get(name, Endpoint())

    def table(self, endpoint: str, name: str) -> DeltaTable | None:
        """Return a table as it was at this moment; None when it holds nothing."""
        version = self.endpoint(endpoint).versions.get(name)
        if version is None:
            return None
        if name not in self._open:
            self._open[name] = self.site.table(name, version)
        return self._open[name]

    def columns(self, endpoint: str, name: str) -> list[str]:
        """Return the names of a table's columns; none when it holds nothing."""
        table = self.table(endpoint, name)
        return [] if table is None else [f.name for f in table.schema().fields]

    def files(self, endpoint: str, name: str) -> dict[Partition, Files]:
        """Return the files of each partition: the same files are the same rows."""
        table = self.table(endpoint, name)
        if table is not None and name not in self._files:
            actions = pa.table(table.get_add_actions(flatten=True))
            parts = (f"partition.{VENUE}", f"partition.{MONTH}")
            names = (*parts, "path", "size_bytes", "num_records")
            found: dict[Partition, Files] = {}
            columns = (actions.column(each).to_pylist() for each in names)
            for venue, month, *file in zip(*columns, strict=True):
                found.setdefault((venue, month), []).append(File(*file))
            self._files[name] = found
        return self._files.get(name, {})

    def dataset(
        self,
        endpoint: str,
        name: str,
        venues: Sequence[int] | None = None,
        months: Sequence[str] | None = None,
    ) -> ds.Dataset | None:
        """Return a table's rows, unread, of some venues and months; None when it holds nothing.

        They come by venue as given, then by month, else as they were written.
        """
        table = self.table(endpoint, name)
        if table is None:
            return None
        files = self.files(endpoint, name)
        there = sorted(files)
        rank = {venue: at for at, venue in enumerate(venues or ())}
        if venues is not None:
            there = sorted((p for p in there if p[0] in rank), key=lambda p: (rank[p[0]], p[1]))
        if months is not None:
            there = [partition for partition in there if partition[1] in set(months)]
        schema = pa.schema(table.schema().to_arrow(as_large_types=True))
        return files_as_rows(self.site, name, schema, [(p, files[p]) for p in there])

    def read(
        self,
        endpoint: str,
        name: str,
        venues: Sequence[int],
        months: Sequence[str],
        columns: Sequence[str] | None = None,
        where: ds.Expression | None = None,
    ) -> pa.Table | None:
        """Return rows of some venues and months, in the order of both; None: holds nothing.

        Raises
        ------
        StoreError
        """
        with self.site.told("read"):
            found = self.dataset(endpoint, name, venues, months)
            if found is None:
                return None
            names = [n for n in found.schema.names if columns is None or n in columns]
            return found.to_table(names, filter=where)

    def counts(
        self,
        endpoint: str,
        name: str,
        venues: Sequence[int],
        months: Sequence[str],
        where: ds.Expression | None = None,
    ) -> Counter[int]:
        """Return how many rows of some months each venue has; of whole ones, no file is opened.

        Raises
        ------
        StoreError
        """
        with self.site.told("read"):
            if where is None:
                found: Counter[int] = Counter()
                for (venue, month), files in self.files(endpoint, name).items():
                    found[venue] += sum(file.rows for file in files) if month in months else 0
                return found
            rows = self.dataset(endpoint, name, venues, months)
            if rows is None:
                return Counter()
            return Counter(rows.to_table([VENUE], filter=where).column(VENUE).to_pylist())


def on(days: Days | None) -> ds.Expression | None:
    """Return what tells whether a row of the days' months is on them; None: every one is."""
    if days is None or (days[0].day == 1 and (days[1] + ONE_DAY).day == 1):
        return None
    return (ds.field(DAY) >= days[0]) & (ds.field(DAY) <= days[1])


def files_as_rows(
    site: Site, name: str, schema: pa.Schema, parts: Sequence[tuple[Partition, Files]]
) -> ds.Dataset:
    """Return the rows of partitions of a table, unread and in that order."""
    parquet, system = ds.ParquetFileFormat(), site.files
    fragments = []
    for (venue, month), files in parts:
        where = (ds.field(VENUE) == venue) & (ds.field(MONTH) == month)
        for file in files:
            at = f"{name}/{file.path}"
            fragments.append(parquet.make_fragment(at, system, where, file_size=file.size))
    return ds.FileSystemDataset(fragments, schema, parquet, system)
