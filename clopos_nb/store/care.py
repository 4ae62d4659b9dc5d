"""Looking after a store: what there is, making it smaller, and taking people out of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from clopos_nb.store.access import held_tables
from clopos_nb.store.lake import HELD, OWN, VENUE, Lake, Snapshot, Write, delta, told
from clopos_nb.tables import CATALOGUE, Table

INFO = {
    "table": "string",
    "rows": "Int64",
    "bytes": "Int64",
    "files": "Int64",
    "venues": "Int64",
    "first": "string",
    "last": "string",
    "version": "Int64",
}
# Where a row says which customer it is about.
ABOUT = {
    "customers": ("id",),
    "receipts": ("customer_id",),
    "orders": ("customer_id", "payload_customer_id", "payload_customer_own_id"),
}


def info(snapshot: Snapshot) -> pd.DataFrame:
    """Return a row for each table that something is held of.

    Raises
    ------
    StoreError
    """
    rows = []
    with told("read", snapshot.root):
        for name, source in held_tables(snapshot).items():
            endpoint = snapshot.endpoint(source)
            spans = [s for held in endpoint.venues.values() for s in held if name in s.tables]
            firsts = [str(s.first) for s in spans if s.first]
            lasts = [str(s.last) for s in spans if s.last]
            table = snapshot.table(source, name)
            if table is None:
                continue
            files = pa.table(table.get_add_actions(flatten=True))
            size, count = (pc.sum(files.column(c)).as_py() for c in ("size_bytes", "num_records"))
            venues = sum(any(name in s.tables for s in h) for h in endpoint.venues.values())
            found = [name, count or 0, size or 0, files.num_rows, venues]
            found += [min(firsts, default=None), max(lasts, default=None)]
            rows.append([*found, endpoint.versions[name]])
    return pd.DataFrame(rows, columns=list(INFO)).astype(INFO)


def compact(lake: Lake) -> None:
    """Write down the state of each table's log, so that it opens at once.

    Raises
    ------
    StoreError
    """
    with lake.writing() as write:
        for name in [*held_tables(write.at), HELD]:
            delta().DeltaTable(lake.root / name).create_checkpoint()


def vacuum(lake: Lake, keep_days: float) -> int:
    """Delete files that no version of the last days needs; return how many.

    Raises
    ------
    StoreError
    """
    with lake.writing() as write:
        return _vacuum(write, dt.timedelta(days=keep_days))


def _vacuum(write: Write, keep: dt.timedelta) -> int:
    hours, count = int(keep / dt.timedelta(hours=1)), 0
    for name, source in held_tables(write.at).items():
        table = delta().DeltaTable(write.at.root / name)
        gone = table.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
        count += len(gone)
        write.at.state.endpoints[source].versions[name] = table.version()
    write.commit()
    held = delta().DeltaTable(write.at.root / HELD)
    held.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True)
    return count


def forget(lake: Lake, customers: Sequence[int]) -> int:
    """Take customers out of the store, of its earlier versions too; return in how many rows.

    Raises
    ------
    StoreError
    """
    count = 0
    with lake.writing() as write:
        for name, source in held_tables(write.at).items():
            if name in ABOUT:
                count += _forget(write, source, CATALOGUE[name], customers)
        _vacuum(write, dt.timedelta(0))
    return count


def _forget(write: Write, source: str, table: Table, customers: Sequence[int]) -> int:
    dataset = write.at.dataset(source, table.name)
    names = dataset.schema.names if dataset is not None else []
    about = [name for name in ABOUT[table.name] if name in names]
    if dataset is None or not about:
        return 0
    where = _any(about, customers)
    found = dataset.to_table([*OWN[:2]], filter=where)
    partitions = sorted({tuple(row.values()) for row in found.to_pylist()})
    for venue, month in partitions:
        rows = write.at.read(source, table.name, [venue], [month])
        if rows is not None:
            rows = _without(rows, table, about, customers)
            write.replace(source, table.name, [(venue, month)], [_placed(rows, venue, month)])
    return int(found.num_rows)


def _any(about: Sequence[str], customers: Sequence[int]) -> ds.Expression:
    where = ds.field(about[0]).isin(list(customers))
    for name in about[1:]:
        where = where | ds.field(name).isin(list(customers))
    return where


def _without(
    rows: pa.Table, table: Table, about: Sequence[str], customers: Sequence[int]
) -> pa.Table:
    """Return rows without the customers: none of their own, and nothing personal in others."""
    ids = pa.array(customers, pa.int64())
    theirs = pa.array([False] * rows.num_rows)
    for name in about:
        theirs = pc.or_(theirs, pc.fill_null(pc.is_in(rows.column(name), ids), False))
    if table.name == "customers":
        return rows.filter(pc.invert(theirs))
    for index, name in enumerate(rows.column_names):
        column = table.by_name.get(name)
        # Nobody knows what is in a column that no page documents.
        if name not in OWN and (column is None or column.personal):
            kept = pc.if_else(theirs, pa.scalar(None, rows.column(name).type), rows.column(name))
            rows = rows.set_column(index, name, kept)
    return rows


def _placed(rows: pa.Table, venue: int, month: str) -> pa.Table:
    placed: Any = rows
    for name, value, kind in ((VENUE, venue, pa.int64()), (OWN[1], month, pa.large_string())):
        if name not in placed.column_names:
            placed = placed.append_column(name, pa.array([value] * placed.num_rows, kind))
    return placed
