"""The Delta tables on disk: read at one moment, written so that it is all there or not at all.

A store is a directory with one Delta table for each clopos table, and ``held``, a Delta table of
one row: the :class:`~clopos_nb.store.held.State`. A write changes the tables of an endpoint one
after the other, and ``held`` last, which names their versions. That last commit is the moment at
which the write happens: whoever reads takes the versions that ``held`` names. A process that is
killed before it leaves tables that are ahead of ``held``; the next writer puts them back.

Writers take turns by a lock that the system lets go of when its process dies. In case a file
system keeps no locks, each commit is also made to fail when another one came between.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.fs as fs

from clopos_nb.cabinet import make_private
from clopos_nb.columns import TYPES
from clopos_nb.errors import CloposError, ConfigError, StoreError
from clopos_nb.frames import joined
from clopos_nb.store.held import FORMAT, ONE_DAY, Days, Endpoint, Label, State

if TYPE_CHECKING:
    from deltalake import DeltaTable

log = logging.getLogger("clopos_nb")

HELD = "held"
VENUE, MONTH, DAY, HASH = "store_venue", "store_month", "store_day", "store_hash"
OWN = (VENUE, MONTH, DAY, HASH)
PARTITIONS = [VENUE, MONTH]
BRAND_WIDE, UNDATED = 0, "all"  # the partition of rows that belong to no venue, or to no month
LOCK_S = 600.0

# Bounds of values stand in the log of a Delta table, which outlives the rows; of these only.
_BOUNDED = f"id,receipt_id,order_id,created_at,updated_at,{DAY}"
_CONFIGURATION = {
    "delta.dataSkippingStatsColumns": _BOUNDED,
    "delta.logRetentionDuration": "interval 400 days",
}

Partition = tuple[int, str]  # venue and month
Files = list[tuple[str, int]]  # paths and sizes


def delta() -> Any:
    """Return the package deltalake, which is loaded by the first use of a store.

    Raises
    ------
    ConfigError
        It is not installed, or filelock is not.
    """
    try:
        import deltalake
        import deltalake.exceptions
        import filelock  # noqa: F401
    except ImportError:
        message = "A store needs deltalake and filelock; pip install 'clopos_nb[store]'"
        raise ConfigError(message) from None
    return deltalake


@contextlib.contextmanager
def told(doing: str, root: Path) -> Iterator[None]:
    """Turn what goes wrong on disk into a StoreError that says what to do."""
    delta()
    from deltalake.exceptions import DeltaError
    from filelock import Timeout

    broken = (OSError, DeltaError, pa.ArrowException, msgspec.MsgspecError, Timeout)
    odd = (ValueError, KeyError, IndexError)  # what was read is not of this package's making
    try:
        yield
    except CloposError:
        raise
    except (*broken, *odd) as exc:
        why = str(exc).partition("\n")[0][:200]
        message = (
            f"The store in {root} cannot be {doing} ({type(exc).__name__}: {why}); see that the "
            "disk has room and the directory may be written. If its files are damaged, delete the "
            "directory: it is filled again from the server"
        )
        raise StoreError(message) from exc


class Overtaken(Exception):  # no error: the write is made again
    """Somebody else wrote between reading and writing."""


# ------------------------------------------------------------------------------ reading


@dataclass
class Snapshot:
    """The store at one moment: what it holds, and the tables that hold it."""

    root: Path
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
            self._open[name] = delta().DeltaTable(self.root / name, version=version)
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
            names = (f"partition.{VENUE}", f"partition.{MONTH}", "path", "size_bytes")
            found: dict[Partition, Files] = {}
            columns = (actions.column(each).to_pylist() for each in names)
            for venue, month, path, size in zip(*columns, strict=True):
                found.setdefault((venue, month), []).append((path, size))
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
        return files_as_rows(self.root / name, schema, [(p, files[p]) for p in there])

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
        with told("read", self.root):
            found = self.dataset(endpoint, name, venues, months)
            if found is None:
                return None
            names = [n for n in found.schema.names if columns is None or n in columns]
            return found.to_table(names, filter=where)


def on(days: Days | None) -> ds.Expression | None:
    """Return what tells whether a row of the days' months is on them; None: every one is."""
    if days is None or (days[0].day == 1 and (days[1] + ONE_DAY).day == 1):
        return None
    return (ds.field(DAY) >= days[0]) & (ds.field(DAY) <= days[1])


def files_as_rows(
    path: Path, schema: pa.Schema, parts: Sequence[tuple[Partition, Files]]
) -> ds.Dataset:
    """Return the rows of partitions of a table, unread and in that order.

    Raises
    ------
    OSError
        A file is not as it was written.
    """
    parquet, system = ds.ParquetFileFormat(), fs.LocalFileSystem()
    fragments = []
    for (venue, month), files in parts:
        where = (ds.field(VENUE) == venue) & (ds.field(MONTH) == month)
        for name, size in files:
            if (path / name).stat().st_size != size:
                message = f"{name} is not as it was written"
                raise OSError(message)
            fragments.append(parquet.make_fragment(str(path / name), system, where))
    return ds.FileSystemDataset(fragments, schema, parquet, system)


# ------------------------------------------------------------------------------ the lake


@dataclass
class Lake:
    """A directory of Delta tables; nothing is opened before it is asked for something.

    Parameters
    ----------
    root : Path
    brand : callable
        Whose data it may hold.
    server : str
        Where the data is from.
    """

    root: Path
    brand: Callable[[], str]
    server: str
    _latest: Snapshot | None = field(default=None, repr=False)

    def latest(self) -> Snapshot:
        """Return the store as it is, opened once as long as nobody writes; not to be changed.

        Raises
        ------
        ConfigError, StoreError
        """
        with told("read", self.root):
            log = self.root / HELD / "_delta_log"
            commits = [p.name for p in log.glob("*.json")] if log.is_dir() else []
        newest = max(commits, default="")
        if self._latest is None or newest != f"{self._latest.version:020}.json":
            self._latest = self.snapshot()
        return self._latest

    def snapshot(self, at: dt.datetime | int | None = None) -> Snapshot:
        """Return the store as it is, or as it was at a moment or version.

        Raises
        ------
        ConfigError
            It is another brand's, made by another version of this package, or no store at all.
        StoreError
            It cannot be read, or has no such version.
        """
        with told("read", self.root):
            if not (self.root / HELD / "_delta_log").is_dir():
                self._refuse_foreign()
                return Snapshot(self.root, State(brand=self.brand(), server=self.server))
            held = delta().DeltaTable(self.root / HELD)
            now = Snapshot(self.root, self._state(held), held.version())
            if at is None:
                return now
            version = self._version(at, now)
            held.load_as_version(version)
            return Snapshot(self.root, self._state(held), version)

    def _state(self, held: DeltaTable) -> State:
        text = held.to_pyarrow_table().column("state")[0].as_py()
        self._check(msgspec.json.decode(text, type=Label))
        return msgspec.json.decode(text, type=State)

    def written(self, oldest: int) -> list[tuple[int, dt.datetime]]:
        """Return the versions since one, and when each was written, the oldest first."""
        with told("read", self.root):
            found = delta().DeltaTable(self.root / HELD).history()
            return [
                (each["version"], dt.datetime.fromtimestamp(each["timestamp"] / 1000, dt.UTC))
                for each in reversed(found)
                if each["version"] >= oldest and not each["operation"].startswith("VACUUM")
            ]

    def _version(self, at: dt.datetime | int, now: Snapshot) -> int:
        """Return the version that was the newest one at a moment, or is this one."""
        written = self.written(now.state.oldest)
        if isinstance(at, dt.datetime):
            fits = [version for version, when in written if when <= at]
        else:  # a vacuum has numbers of its own, and changes nothing
            fits = [version for version, _ in written if version <= at <= now.version]
        if not fits:
            first = f"{written[0][1]:%Y-%m-%d %H:%M} UTC (version {written[0][0]})"
            message = (
                f"The store in {self.root} has no version of {at}; it can be read back to {first}, "
                "what was before is not there or was removed by vacuum() or forget(); "
                "store.versions() lists them"
            )
            raise StoreError(message)
        return fits[-1]

    def _refuse_foreign(self) -> None:
        if self.root.exists() and (not self.root.is_dir() or any(self.root.iterdir())):
            known = {HELD, _LOCK}
            strange = not self.root.is_dir() or {p.name for p in self.root.iterdir()} - known
            if strange and not (self.root / _LOCK).exists():
                message = (
                    f"{self.root} holds other files and is no store; name an empty or new directory"
                )
                raise ConfigError(message)

    def _check(self, label: Label) -> None:
        if (made := label.format) != FORMAT:
            newer = made > FORMAT
            message = (
                f"The store in {self.root} is of {'a newer' if newer else 'an older'} clopos_nb "
                f"(format {made}, this one's is {FORMAT}); "
                f"{'update clopos_nb' if newer else 'delete it, to have it filled again'}, "
                "or name another directory"
            )
            raise ConfigError(message)
        if (label.brand, label.server) != (self.brand(), self.server):
            message = (
                f"The store in {self.root} holds the brand {label.brand!r} of "
                f"{label.server}, and this session is for {self.brand()!r} of {self.server}; "
                "name another directory"
            )
            raise ConfigError(message)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Write]:
        """Take the turn to write.

        Raises
        ------
        ConfigError, StoreError
        Overtaken
            Somebody wrote without taking a turn.
        """
        with told("written", self.root):
            from filelock import FileLock

            if not (self.root / HELD / "_delta_log").is_dir():
                self._refuse_foreign()
            self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
            make_private(self.root)
            with FileLock(self.root / _LOCK, timeout=LOCK_S, mode=0o600):
                write = Write(self.snapshot())
                try:
                    write.put_back()
                    yield write
                except _conflict() as exc:
                    raise Overtaken from exc


_LOCK = "lock"


def _conflict() -> type[Exception]:
    from deltalake.exceptions import CommitFailedError

    return CommitFailedError


# ------------------------------------------------------------------------------ writing


@dataclass
class Write:
    """One turn of writing; what was not committed at its end did not happen."""

    at: Snapshot

    def put_back(self) -> None:
        """Undo what a writer did that died before it could commit."""
        for endpoint in self.at.state.endpoints.values():
            for name, version in endpoint.versions.items():
                table = delta().DeltaTable(self.at.root / name)
                if table.version() != version:
                    log.warning("the store: undoing a write to %s that did not end", name)
                    table.restore(version)
                    endpoint.versions[name] = table.version()

    def replace(
        self,
        endpoint: str,
        name: str,
        partitions: Sequence[Partition],
        content: Sequence[pa.Table],
    ) -> None:
        """Make tables, one below the other, the whole content of some partitions."""
        rows = joined(content)
        versions = self.at.state.endpoints.setdefault(endpoint, Endpoint()).versions
        path = self.at.root / name
        options: dict[str, Any] = {
            "mode": "overwrite",
            "target_file_size": 2**40,  # one file a partition, so that the order of rows stays
            "commit_properties": delta().CommitProperties(max_commit_retries=0),
        }
        if name not in versions:  # anything there is what a dead writer left
            delta().write_deltalake(
                path,
                rows,
                partition_by=PARTITIONS,
                schema_mode="overwrite",
                configuration=_CONFIGURATION,
                **options,
            )
        else:
            table = delta().DeltaTable(path, version=versions[name])
            rows = self._widened(table, rows, options)
            delta().write_deltalake(
                table, rows, predicate=_predicate(partitions), schema_mode="merge", **options
            )
        versions[name] = delta().DeltaTable(path).version()

    def _widened(self, table: DeltaTable, rows: pa.Table, options: Mapping[str, Any]) -> pa.Table:
        """Return rows in the types of the table, after making its types hold both."""
        now = table.to_pyarrow_dataset(as_large_types=True)
        nothing = now.schema.empty_table()
        schema = joined([nothing, rows.schema.empty_table()]).schema
        wider = [f.name for f in now.schema if not schema.field(f.name).type.equals(f.type)]
        if wider:
            log.info(
                "the store: %s is written again, with wider columns: %s", table.table_uri, wider
            )
            batches = (
                joined([schema.empty_table(), pa.Table.from_batches([batch])]).to_batches()
                for batch in now.to_batches()
            )
            reader = pa.RecordBatchReader.from_batches(
                schema, (batch for found in batches for batch in found)
            )
            delta().write_deltalake(
                table, reader, partition_by=PARTITIONS, schema_mode="overwrite", **options
            )
        return joined([schema.empty_table(), rows]).select(schema.names)

    def commit(self) -> None:
        """Make everything since the beginning of the turn happen."""
        text = msgspec.json.encode(self.at.state).decode()
        path = self.at.root / HELD
        rows = pa.table({"state": pa.array([text], TYPES["text"])})
        target = delta().DeltaTable(path, version=self.at.version) if self.at.version >= 0 else path
        delta().write_deltalake(
            target,
            rows,
            mode="overwrite",
            configuration={"delta.dataSkippingNumIndexedCols": "0"} | _KEPT,
            commit_properties=delta().CommitProperties(max_commit_retries=0),
        )


_KEPT = {"delta.logRetentionDuration": _CONFIGURATION["delta.logRetentionDuration"]}


def _predicate(partitions: Sequence[Partition]) -> str:
    months: dict[int, list[str]] = {}
    for venue, month in sorted(set(partitions)):
        months.setdefault(venue, []).append(f"'{month}'")
    return " OR ".join(
        f"({VENUE} = {venue} AND {MONTH} IN ({', '.join(found)}))"
        for venue, found in months.items()
    )
