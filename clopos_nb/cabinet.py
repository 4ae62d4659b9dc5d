"""The private directory that sessions and processes of a machine share.

It is a diskcache that never unpickles, in a folder that only its owner can read. Tokens are kept in
it, and when requests were sent.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diskcache
import platformdirs

from clopos_nb.errors import CacheUnavailable, tell

log = logging.getLogger("clopos_nb")

LOCK_S = 8.0  # whoever dies while holding something is not waited for any longer
_SIZE = 2**22


class StrictDisk(diskcache.JSONDisk):  # type: ignore[misc]  # diskcache is untyped
    """A disk that never unpickles and never opens a file named by a row (CVE-2025-69872).

    diskcache's own ``JSONDisk`` unpickles a planted row before it looks at it, so a shared cache
    folder would run code. Here anything but an inline raw value is refused with ``ValueError``.
    """

    def get(self, key: Any, raw: bool) -> Any:
        """Return a key; refuse a pickled one."""
        if not raw:
            raise ValueError(_PLANTED)
        return super().get(key, raw)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> Any:
        """Return a value; refuse a pickled one and one in a file."""
        if mode != diskcache.core.MODE_RAW or filename is not None or read:
            raise ValueError(_PLANTED)
        return super().fetch(mode, filename, value, read)

    def remove(self, file_path: str) -> None:
        """Remove nothing."""
        # Values are kept inline, so a row that names a file was planted: leave that file alone.
        log.warning("a cache row names a file; it is left alone")


_PLANTED = "a cache row is not of this package's making"

_BROKEN = (sqlite3.Error, OSError, diskcache.Timeout)


def default_cache_dir() -> Path | None:
    """Return ``CLOPOS_NB_CACHE_DIR``, or the user's cache directory for this package; no I/O.

    None if the variable is ``off``.
    """
    given = os.environ.get("CLOPOS_NB_CACHE_DIR")
    if given == "off":
        return None
    return Path(given) if given else platformdirs.user_cache_path("clopos_nb")


@dataclass
class Cabinet:
    """The shared directory, opened when it is first used; a broken one is given up with a warning.

    Parameters
    ----------
    directory : Path or None
        The cache directory; rows are in ``tokens/`` below it. None: there is none.

    Attributes
    ----------
    turn : Lock
        For whoever reads and then writes: threads that queue here wait less than at SQLite, which
        looks again after up to a tenth of a second.
    """

    directory: Path | None
    turn: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _cache: Any = field(default=None, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @contextlib.contextmanager
    def opened(self) -> Iterator[Any]:
        """Yield the cache or None; a failure switches it off, with a warning."""
        with self._lock:
            if self._cache is None and self.directory is not None:
                try:
                    self._cache = _open(self.directory)
                except _BROKEN as exc:
                    self._give_up(exc)
            cache = self._cache
        try:
            yield cache
        except _BROKEN as exc:
            self._give_up(exc)

    def read(self, cache: Any, key: str) -> Any:
        """Return a row, or None; one that this package did not write is deleted."""
        try:
            return cache.get(key)
        except (ValueError, TypeError, zlib.error):
            log.warning("refused a cache row that this package did not write")
            _delete_row(cache, key)
            return None

    def wipe(self, cache: Any) -> None:
        """Empty SQLite's log of writes, where what was deleted or overwritten still lies."""
        cache._sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def close(self) -> None:
        """Close the cache; the next use opens it again."""
        with self._lock:
            if self._cache is not None:
                self._cache.close()
                self._cache = None

    def after_fork(self) -> None:
        """Take new locks, since a thread of the parent may have held the old ones."""
        self._lock, self.turn = threading.RLock(), threading.Lock()

    def _give_up(self, exc: Exception) -> None:
        with self._lock:
            directory, self.directory, self._cache = self.directory, None, None
        if directory is not None:
            tell(
                f"The cache directory {directory} cannot be used ({type(exc).__name__}); tokens "
                "and the request budget are kept in memory only. Set CLOPOS_NB_CACHE_DIR to "
                "another directory, or delete it",
                CacheUnavailable,
            )


_umask_lock = threading.Lock()


def _open(directory: Path) -> Any:
    """Open the cache so that only its owner can read it, whatever the umask."""
    # A folder of our own, so that a mode is never changed on one that was only pointed to.
    directory = directory / "tokens"
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if directory.is_symlink():
        message = f"{directory} is a link to elsewhere"
        raise PermissionError(message)
    make_private(directory)
    _drop_planted(directory)
    with _umask_lock:
        previous = os.umask(0o077)  # process-wide, so only for as long as the files are made
        try:
            _wait_for_a_turn(directory)
            return diskcache.Cache(
                str(directory),
                disk=StrictDisk,
                disk_min_file_size=2**20,
                eviction_policy="none",
                size_limit=_SIZE,
                timeout=LOCK_S,
                sqlite_secure_delete=1,  # some builds of SQLite leave what was deleted readable
            )
        finally:
            os.umask(previous)


def _wait_for_a_turn(directory: Path) -> None:
    """Take the database's lock and give it back; fails after LOCK_S.

    diskcache would try for minutes to open what another process holds, or what lies on a file
    system that keeps no locks.
    """
    database = directory / diskcache.core.DBNAME
    with contextlib.closing(sqlite3.connect(database, timeout=LOCK_S)) as base:
        base.execute("BEGIN IMMEDIATE")
        base.rollback()


def _drop_planted(directory: Path) -> None:
    """Remove a cache file that others can read, or that is a file elsewhere by another name."""
    for path in directory.glob("cache.db*") if os.name == "posix" else ():
        try:
            status = path.lstat()
        except FileNotFoundError:  # of another process that was just closing its own
            continue
        ours = status.st_uid == os.getuid() and status.st_nlink == 1
        if not (stat.S_ISREG(status.st_mode) and ours and not stat.S_IMODE(status.st_mode) & 0o077):
            path.unlink(missing_ok=True)
            log.warning("removed a cache file that others could read")


def make_private(directory: Path) -> None:
    """Let only the owner into a directory.

    Raises
    ------
    PermissionError
        It belongs to another user.
    """
    if os.name != "posix":
        return
    status = directory.stat()
    if status.st_uid != os.getuid():
        message = f"{directory} belongs to another user"
        raise PermissionError(message)
    if stat.S_IMODE(status.st_mode) & 0o077:
        directory.chmod(0o700)
        log.warning("made the directory %s private (mode 0700)", directory)


def _delete_row(cache: Any, key: str) -> None:
    # cache.delete() would also try to remove the file that the row names.
    cache._sql("DELETE FROM Cache WHERE key = ?", (cache._disk.put(key)[0],))
