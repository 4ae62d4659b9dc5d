"""The Delta tables of a store: read at one moment, written so that it is all there or not at all.

A store has one Delta table for each clopos table, and ``held``, a Delta table of one row: the
:class:`~clopos_nb.store.held.State`. A write changes the tables of an endpoint one after the other,
and ``held`` last, which names their versions. That last commit is the moment at which the write
happens: whoever reads takes the versions that ``held`` names. A process that is killed before it
leaves tables that are ahead of ``held``; the next writer puts them back.

Writers take turns by a lock that the system lets go of when its process dies. Where no locks are
kept, a commit fails when another one came between, and the write is made again.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import msgspec

from clopos_nb.errors import ConfigError, StoreError
from clopos_nb.store.held import FORMAT, Label, State
from clopos_nb.store.site import LOCK, Site
from clopos_nb.store.snapshot import Snapshot
from clopos_nb.store.write import HELD, Collided, Write
from clopos_nb.tables import CATALOGUE

if TYPE_CHECKING:
    from deltalake import DeltaTable

TRIES = 8
T = TypeVar("T")


@dataclass
class Lake:
    """The Delta tables of a store; nothing is opened before it is asked for something.

    Parameters
    ----------
    site : Site
    brand : callable
        Whose data it may hold.
    server : str
        Where the data is from.
    """

    site: Site
    brand: Callable[[], str]
    server: str
    _latest: Snapshot | None = field(default=None, repr=False)

    def latest(self) -> Snapshot:
        """Return the store as it is, opened once as long as nobody writes; not to be changed.

        Raises
        ------
        ConfigError, StoreError
        """
        with self.site.told("read"):
            newest = self.site.newest(HELD)
        if self._latest is None or newest != self._latest.version:
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
        with self.site.told("read"):
            if self.site.newest(HELD) < 0:
                self._refuse_foreign()
                return Snapshot(self.site, State(brand=self.brand(), server=self.server))
            held = self.site.table(HELD)
            now = Snapshot(self.site, self._state(held), held.version())
            if at is None:
                return now
            version = self._version(at, now)
            held.load_as_version(version)
            return Snapshot(self.site, self._state(held), version)

    def _state(self, held: DeltaTable) -> State:
        text = held.to_pyarrow_table().column("state")[0].as_py()
        self._check(msgspec.json.decode(text, type=Label))
        return msgspec.json.decode(text, type=State)

    def written(self, oldest: int) -> list[tuple[int, dt.datetime]]:
        """Return the versions since one, and when each was written, the oldest first."""
        with self.site.told("read"):
            found = self.site.table(HELD).history()
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
                f"The store in {self.site} has no version of {at}; it can be read back to {first}, "
                "what was before is not there or was removed by vacuum() or forget(); "
                "store.versions() lists them"
            )
            raise StoreError(message)
        return fits[-1]

    def _refuse_foreign(self) -> None:
        # A first writer may have died: the lock that it took marks a directory as a store.
        names = self.site.names()
        known = {HELD, *(CATALOGUE if self.site.remote else ())}
        if LOCK not in names and names - known:
            message = (
                f"{self.site} holds other files and is no store; name an empty or new directory"
            )
            raise ConfigError(message)

    def _check(self, label: Label) -> None:
        if (made := label.format) != FORMAT:
            newer = made > FORMAT
            message = (
                f"The store in {self.site} is of {'a newer' if newer else 'an older'} clopos_nb "
                f"(format {made}, this one's is {FORMAT}); "
                f"{'update clopos_nb' if newer else 'delete it, to have it filled again'}, "
                "or name another directory"
            )
            raise ConfigError(message)
        if (label.brand, label.server) != (self.brand(), self.server):
            message = (
                f"The store in {self.site} holds the brand {label.brand!r} of "
                f"{label.server}, and this session is for {self.brand()!r} of {self.server}; "
                "name another directory"
            )
            raise ConfigError(message)

    def write(self, do: Callable[[Write], T]) -> T:
        """Do something in a turn of writing, and again when somebody wrote without taking one.

        Raises
        ------
        ConfigError, StoreError
        """
        for attempt in range(TRIES):
            with self.site.told("written"):
                if self.site.newest(HELD) < 0:
                    self._refuse_foreign()
                with contextlib.suppress(Collided), self.site.turn():
                    return do(Write(self.snapshot()))
            time.sleep(random.uniform(0, 0.1 * 2**attempt))  # noqa: S311  # or they meet again
        message = f"The store in {self.site} is written by others all the time; ask again"
        raise StoreError(message)
