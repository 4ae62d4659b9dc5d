"""What the store holds for other tools: unread, with versions that belong together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from clopos_nb.errors import ConfigError, StoreError
from clopos_nb.frames import assemble
from clopos_nb.items import source_of
from clopos_nb.store.held import Days
from clopos_nb.store.rows import months
from clopos_nb.store.site import Site
from clopos_nb.store.snapshot import OWN, Files, Partition, Snapshot, files_as_rows, on
from clopos_nb.tables import CATALOGUE

if TYPE_CHECKING:
    import dask.dataframe as dd
    import duckdb
    import polars as pl


@dataclass(frozen=True)
class Part:
    """Some of what is held: days and venues, None for all."""

    days: Days | None = None
    venues: Sequence[int] | None = None

    @property
    def months(self) -> list[str] | None:
        """The months to look into."""
        return None if self.days is None else months(self.days)


def held_tables(snapshot: Snapshot) -> dict[str, str]:
    """Return the tables that something is held of, each with its endpoint."""
    endpoints = snapshot.state.endpoints.items()
    return {name: source for source, endpoint in endpoints for name in endpoint.versions}


def scanned(snapshot: Snapshot, table: str, part: Part) -> ds.Dataset:
    """Return a table's rows, unread.

    Raises
    ------
    UnknownTable, StoreError
    """
    known = CATALOGUE[table]
    with snapshot.site.told("read"):
        found = snapshot.dataset(source_of(known).name, known.name, part.venues, part.months)
        if found is None:
            message = f"The store in {snapshot.site} holds no {table}"
            raise StoreError(message)
        where = on(part.days)
        return found if where is None else found.filter(where)


def in_duckdb(snapshot: Snapshot, part: Part) -> duckdb.DuckDBPyConnection:
    """Return a connection with a view of each table."""
    connection: duckdb.DuckDBPyConnection = _needed("duckdb").connect()
    for name in held_tables(snapshot):
        connection.register(name, scanned(snapshot, name, part))
    return connection


def in_polars(snapshot: Snapshot, part: Part) -> dict[str, pl.LazyFrame]:
    """Return a lazy frame of each table."""
    polars = _needed("polars")
    tables = held_tables(snapshot)
    return {name: polars.scan_pyarrow_dataset(scanned(snapshot, name, part)) for name in tables}


def in_dask(snapshot: Snapshot, part: Part) -> dict[str, dd.DataFrame]:
    """Return a Dask DataFrame of each table, a partition for each venue and month."""
    dataframe = _needed("dask.dataframe")
    found = {}
    for name, source in held_tables(snapshot).items():
        whole = snapshot.dataset(source, name)
        if whole is None:
            continue
        wanted = [
            (partition, files)
            for partition, files in sorted(snapshot.files(source, name).items())
            if (part.venues is None or partition[0] in part.venues)
            and (part.months is None or partition[1] in part.months)
        ]
        read = _Reader(snapshot.site, whole.schema, name, part)
        meta = read(None)
        if wanted:
            found[name] = dataframe.from_map(read, wanted, meta=meta, enforce_metadata=False)
        else:
            found[name] = dataframe.from_pandas(meta, npartitions=1)
    return found


@dataclass(frozen=True)
class _Reader:
    """Reads one venue's month, in whatever process."""

    site: Site
    schema: pa.Schema
    name: str
    part: Part

    def __call__(self, wanted: tuple[Partition, Files] | None) -> pd.DataFrame:
        files = files_as_rows(self.site, self.name, self.schema, [wanted] if wanted else [])
        rows = files.to_table(filter=on(self.part.days))
        rows = rows.drop_columns([name for name in OWN if name in rows.column_names])
        return assemble(CATALOGUE[self.name], [rows])


def _needed(name: str) -> Any:
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError:
        package = name.partition(".")[0]
        message = f"This needs the package {package}; pip install 'clopos_nb[scale]'"
        raise ConfigError(message) from None
