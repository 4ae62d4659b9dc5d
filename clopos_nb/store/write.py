"""A turn of writing: the tables of an endpoint one after the other, and ``held`` last."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import pyarrow as pa

from clopos_nb.columns import TYPES
from clopos_nb.frames import joined
from clopos_nb.store.held import Endpoint
from clopos_nb.store.site import delta
from clopos_nb.store.snapshot import DAY, MONTH, VENUE, Partition, Snapshot

if TYPE_CHECKING:
    from deltalake import DeltaTable

log = logging.getLogger("clopos_nb")

HELD = "held"
PARTITIONS = [VENUE, MONTH]

# Bounds of values stand in the log of a Delta table, which outlives the rows; of these only.
_BOUNDED = f"id,receipt_id,order_id,created_at,updated_at,{DAY}"
_KEPT = {"delta.logRetentionDuration": "interval 400 days"}


class Collided(Exception):  # no error: the write is made again
    """Somebody else wrote at the same time, without taking a turn."""


@dataclass
class Write:
    """One turn of writing; what was not committed at its end did not happen.

    Every commit is of the version after the one that was read, or fails. So the versions that
    ``held`` names are those written here, whoever else wrote meanwhile.
    """

    at: Snapshot

    def head(self, name: str, version: int) -> DeltaTable:
        """Return a table for writing, with what a writer did undone that died before its end."""
        table = self.at.site.table(name)
        from deltalake.exceptions import CommitFailedError

        if table.version() != version:
            log.warning("the store: undoing a write to %s that did not end", name)
            try:
                table.restore(version)
            except CommitFailedError:
                raise Collided from None
        return table

    def put_back(self) -> None:
        """Undo what dead writers did, in all tables."""
        for endpoint in self.at.state.endpoints.values():
            for name, version in endpoint.versions.items():
                endpoint.versions[name] = self.head(name, version).version()

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
        if name in versions:
            table = self.head(name, versions[name])
            rows = self._widened(table, rows)
            where = _predicate(partitions)
            versions[name] = self._over(table, rows, predicate=where, schema_mode="merge")
            return
        new = {
            "partition_by": PARTITIONS,
            "configuration": _KEPT | {"delta.dataSkippingStatsColumns": _BOUNDED},
        }
        if self.at.site.newest(name) < 0:
            versions[name] = self._new(name, rows, **new)
        else:  # what a dead writer left
            left = self.at.site.table(name)
            versions[name] = self._over(left, rows, schema_mode="overwrite", **new)

    def commit(self) -> Snapshot:
        """Make everything since the beginning of the turn happen; return the store then."""
        text = msgspec.json.encode(self.at.state).decode()
        rows = pa.table({"state": pa.array([text], TYPES["text"])})
        if self.at.version < 0:
            configuration = _KEPT | {"delta.dataSkippingNumIndexedCols": "0"}
            version = self._new(HELD, rows, configuration=configuration)
        else:
            version = self._over(self.at.site.table(HELD, self.at.version), rows)
        return Snapshot(self.at.site, self.at.state, version)

    def _new(self, name: str, rows: pa.Table, **options: Any) -> int:
        """Write a table where there is none; return its version."""
        from deltalake.exceptions import DeltaError

        try:
            self._write(self.at.site.address(name), rows, mode="error", **options)
        except DeltaError:
            if self.at.site.newest(name) < 0:
                raise
            raise Collided from None
        return 0

    def _over(self, table: DeltaTable, rows: Any, **options: Any) -> int:
        """Write over a table; return the version that this made."""
        from deltalake.exceptions import CommitFailedError

        before = table.version()
        try:
            self._write(table, rows, mode="overwrite", **options)
        except CommitFailedError:
            raise Collided from None
        return before + 1

    def _write(self, target: DeltaTable | str, rows: Any, **options: Any) -> None:
        delta().write_deltalake(
            target,
            rows,
            storage_options=self.at.site.options,
            target_file_size=2**40,  # one file a partition, so that the order of rows stays
            commit_properties=delta().CommitProperties(max_commit_retries=0),
            **options,
        )

    def _widened(self, table: DeltaTable, rows: pa.Table) -> pa.Table:
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
            self._over(table, reader, partition_by=PARTITIONS, schema_mode="overwrite")
        return joined([schema.empty_table(), rows]).select(schema.names)


def _predicate(partitions: Sequence[Partition]) -> str:
    months: dict[int, list[str]] = {}
    for venue, month in sorted(set(partitions)):
        months.setdefault(venue, []).append(f"'{month}'")
    return " OR ".join(
        f"({VENUE} = {venue} AND {MONTH} IN ({', '.join(found)}))"
        for venue, found in months.items()
    )
