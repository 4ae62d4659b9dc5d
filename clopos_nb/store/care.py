"""Looking after a store: what is in it, old versions, and people who want to be forgotten.

None of this asks the server. What writes takes its turn as a refresh does.
"""

from __future__ import annotations

import datetime as dt
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from numbers import Integral
from typing import TYPE_CHECKING, Any, TypeVar

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.fs as fs

from clopos_nb.errors import ConfigError
from clopos_nb.store.access import held_tables
from clopos_nb.store.held import ONE_DAY, Span
from clopos_nb.store.lake import Lake
from clopos_nb.store.rows import link_of
from clopos_nb.store.site import Site
from clopos_nb.store.snapshot import BRAND_WIDE, HASH, MONTH, OWN, VENUE, Partition, Snapshot
from clopos_nb.store.write import HELD, Write
from clopos_nb.tables import CATALOGUE, Table
from clopos_nb.transport import WORKERS

if TYPE_CHECKING:
    from deltalake import DeltaTable

KEEP_DAYS = 30.0
T = TypeVar("T")

# --------------------------------------------------------------------- what there is

_COLUMNS = {
    "table": "string",
    "venue_id": "Int64",
    "venue": "string",
    "first": "datetime64[us]",
    "last": "datetime64[us]",
    "days": "Int64",
    "rows": "Int64",
    "bytes": "Int64",
    "read_at": "datetime64[us, UTC]",
    "version": "Int64",
}


def info(lake: Lake) -> pd.DataFrame:
    """Return what a store holds, a row for each table and venue."""
    snapshot = lake.latest()
    with lake.site.told("read"):
        rows = [
            row
            for name, endpoint in snapshot.state.endpoints.items()
            for table in endpoint.versions
            for row in _table_rows(snapshot, name, table)
        ]
        frame = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(_COLUMNS)
        frame.attrs["clopos"] = {
            "brand": snapshot.state.brand,
            "server": snapshot.state.server,
            "format": snapshot.state.format,
            "version": max(snapshot.version, 0),
            "bytes": lake.site.size(),
        }
        return frame


def _table_rows(snapshot: Snapshot, endpoint: str, table: str) -> list[dict[str, Any]]:
    """Return what is held of a table, by venue."""
    held = snapshot.endpoint(endpoint)
    counts = _counts(snapshot, endpoint, table)
    found = []
    for venue in sorted({*held.venues, *counts}):
        spans = [span for span in held.venues.get(venue, []) if table in span.tables]
        if not spans and venue not in counts:
            continue
        rows, size = counts.get(venue, (0, 0))
        found.append(
            {
                "table": table,
                "venue_id": None if venue == BRAND_WIDE else venue,
                "venue": snapshot.state.venues.get(venue),
                "first": min((s.first for s in spans if s.first), default=None),
                "last": max((s.last for s in spans if s.last), default=None),
                "days": _days(spans),
                "rows": rows,
                "bytes": size,
                "read_at": min((s.read_at for s in spans), default=None),
                "version": held.versions[table],
            }
        )
    return found


def _days(spans: Iterable[Span]) -> int | None:
    """Return how many days are held; None of a table that takes none."""
    lengths = [(s.last - s.first) // ONE_DAY + 1 for s in spans if s.first and s.last]
    return sum(lengths) if lengths else None


def _counts(snapshot: Snapshot, endpoint: str, table: str) -> dict[int, tuple[int, int]]:
    """Return rows and bytes of each venue, from the log alone."""
    found: dict[int, tuple[int, int]] = {}
    for (venue, _), files in snapshot.files(endpoint, table).items():
        rows, size = found.get(venue, (0, 0))
        more = sum(file.rows for file in files), sum(file.size for file in files)
        found[venue] = rows + more[0], size + more[1]
    return found


def versions(lake: Lake) -> pd.DataFrame:
    """Return the versions that can be read, the newest first: ``version`` and ``at``."""
    snapshot = lake.latest()
    found = [] if snapshot.version < 0 else lake.written(snapshot.state.oldest)
    frame = pd.DataFrame(found[::-1], columns=["version", "at"])
    return frame.astype({"version": "Int64", "at": "datetime64[us, UTC]"})


# -------------------------------------------------------------------- old versions


def compact(lake: Lake) -> None:
    """Write the log of each table as one file."""

    def done(write: Write) -> None:
        write.put_back()
        for name in [HELD, *_names(write)]:
            table = lake.site.table(name)
            table.create_checkpoint()
            table.cleanup_metadata()

    _turn(lake, done)


def vacuum(lake: Lake, days: float = KEEP_DAYS) -> int:
    """Remove files that no version of the last days needs; return how many bytes."""
    if not isinstance(days, (int, float)) or isinstance(days, bool) or not 0 <= days < math.inf:
        message = f"keep_days is {days!r}; expected a number, 0 or more"
        raise ConfigError(message)
    with lake.site.told("read"):
        before = lake.site.size()
    _turn(lake, lambda write: _clean(lake, write, days))
    with lake.site.told("read"):
        return before - lake.site.size()


def _clean(lake: Lake, write: Write, days: float) -> None:
    state, site = write.at.state, lake.site
    if not site.remote:
        _sweep(site, set(CATALOGUE) - set(_names(write)), days)
    tables = {name: write.at.table(source, name) for name, source in held_tables(write.at).items()}
    useless = _useless(site, {HELD: site.table(HELD), **tables}, days)
    if not useless:
        return
    since = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
    old = [version for version, at in lake.written(0) if at <= since]
    state.oldest = max([state.oldest, *old]) if days else write.at.version + 1
    # Not as Delta does it, which writes first that it will: the disk may be full.
    _remove(site, useless)
    write.put_back()
    write.commit()
    _remove(site, _useless(site, {HELD: site.table(HELD)}, days))


def _useless(site: Site, tables: Mapping[str, DeltaTable | None], days: float) -> list[str]:
    """Return the files of tables that no version of the last days needs."""
    every = site.files.get_file_info(fs.FileSelector("", recursive=True))
    there = {info.path for info in every}
    hours, found = math.ceil(days * 24), []
    for name, table in tables.items():
        if table is not None:
            listed = table.vacuum(hours, dry_run=True, enforce_retention_duration=False, full=True)
            found += [f"{name}/{path}" for path in listed]
    return [path for path in found if path in there]


def _remove(site: Site, paths: Sequence[str]) -> None:
    files = site.files
    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(files.delete_file, paths))


def _sweep(site: Site, strange: set[str], days: float) -> None:
    """Remove what Delta passes over: what a dead writer began to write, whole tables among it."""
    files = site.files
    for left in files.get_file_info(fs.FileSelector("", recursive=True)):
        if ".parquet#" in left.base_name and left.mtime_ns <= (time.time() - days * 86400) * 1e9:
            files.delete_file(left.path)
    for name in strange & site.names():
        files.delete_dir(name)


def _names(write: Write) -> list[str]:
    return list(held_tables(write.at))


def _turn(lake: Lake, do: Callable[[Write], T]) -> T | None:
    """Do something in a turn of writing; nothing to a store that is none yet."""
    if lake.latest().version < 0:
        return None
    return lake.write(do)


# ------------------------------------------------------------------- being forgotten

Keys = dict[tuple[int, int], str]  # (venue, key of the topmost parent): the month it is in


def forget(lake: Lake, customers: int | Iterable[int]) -> dict[str, int]:
    """Empty what is personal in rows of customers, and remove all that was before."""
    ids = _checked(customers)
    found = _turn(lake, lambda write: _empty_all(write, ids)) or {}
    vacuum(lake, 0)
    return found


def _checked(customers: int | Iterable[int]) -> pa.Array:
    ids = list(customers) if isinstance(customers, Iterable) else [customers]
    if not ids or not all(isinstance(id, Integral) and not isinstance(id, bool) for id in ids):
        message = f"customers is {customers!r}; expected the ids of one or more, whole numbers"
        raise ConfigError(message)
    return pa.array(map(int, ids), pa.int64())


def _empty_all(write: Write, ids: pa.Array) -> dict[str, int]:
    keys = _keys(write.at, ids)
    counts = {}
    for name, endpoint in write.at.state.endpoints.items():
        for table in list(endpoint.versions):
            if keys.get(name) and (count := _empty(write, name, CATALOGUE[table], keys[name])):
                counts[table] = count
    if counts:
        write.commit()
    return counts


def _keys(at: Snapshot, ids: pa.Array) -> dict[str, Keys]:
    """Return the rows of each endpoint that are of customers, by their own id or by an order's."""
    found = {}
    for name in at.state.endpoints:
        links = [n for n in at.columns(name, name) if _names_customer(name, n)]
        found[name] = _of(at, name, dict.fromkeys(links, ids))
    orders, receipts = found.get("orders", {}), found.get("receipts", {})
    others = {"service_notification_id": _set(orders), "id": _named(at, orders)}
    for name, ids_in in (("receipts", others), ("orders", {"receipt_id": _set(receipts)})):
        there = {n: v for n, v in ids_in.items() if n in at.columns(name, name)}
        found[name] = found.get(name, {}) | _of(at, name, there)
    return found


def _names_customer(table: str, column: str) -> bool:
    return column.endswith(("customer_id", "customer_own_id")) or (table, column) == (
        "customers",
        "id",
    )


def _set(keys: Keys) -> pa.Array:
    return pa.array([key for _, key in keys], pa.int64())


def _named(at: Snapshot, orders: Keys) -> pa.Array:
    """Return the receipts that orders name."""
    if "receipt_id" not in at.columns("orders", "orders"):
        return pa.array([], pa.int64())
    found = at.dataset("orders", "orders")
    assert found is not None  # noqa: S101  # it has columns
    rows = found.to_table(["receipt_id"], filter=ds.field("id").isin(_set(orders)))
    return rows.column("receipt_id").drop_null().combine_chunks()


def _of(at: Snapshot, endpoint: str, links: Mapping[str, pa.Array]) -> Keys:
    """Return the rows of an endpoint in which one of some columns holds one of its values."""
    rows = at.dataset(endpoint, endpoint)
    found: Keys = {}
    if rows is None:
        return found
    key = link_of(CATALOGUE[endpoint])
    for name, values in links.items():
        same = values.cast(rows.schema.field(name).type)  # ids that somewhere were text are text
        table = rows.to_table([VENUE, key, MONTH], filter=ds.field(name).isin(same))
        venues, keys, months = (table.column(n).to_pylist() for n in (VENUE, key, MONTH))
        found |= dict(zip(zip(venues, keys, strict=True), months, strict=True))
    return found


def _empty(write: Write, endpoint: str, table: Table, keys: Keys) -> int:
    """Empty what is personal in the rows that have these keys at the top; return how many."""
    named = [n for n in write.at.columns(endpoint, table.name) if _is_personal(table, n)]
    if not named:
        return 0
    parts: list[Partition] = sorted({(venue, month) for (venue, _), month in keys.items()})
    contents, count = [], 0
    for venue, month in parts:
        rows = write.at.read(endpoint, table.name, [venue], [month])
        assert rows is not None  # noqa: S101  # it has columns
        own = pa.array([key for of, key in keys if of == venue], pa.int64())
        gone = pc.is_in(rows.column(link_of(table)), own)
        count += int(pc.sum(gone).as_py() or 0)
        for name in named:
            column = rows.column(name)
            emptied = pc.if_else(gone, pa.scalar(None, column.type), column)
            rows = rows.set_column(rows.column_names.index(name), name, emptied)
        contents.append(rows)
    if count:
        write.replace(endpoint, table.name, parts, contents)
    return count


def _is_personal(table: Table, name: str) -> bool:
    """Tell whether a column may tell something about a customer: marked so, or not documented.

    The hash of what was sent is one: with the rest of the row known, a phone can be tried out.
    """
    if name in OWN or name == link_of(table):
        return name == HASH
    if table.name == "customers":
        return True
    column = table.by_name.get(name)
    return not table.inferred if column is None else column.personal
