"""Where a store lies: a directory, or a part of an object store by its URL.

Only here does it matter which. A directory keeps locks, so writers take turns in it. An object
store keeps none: there two that write at once find out when they commit, since Delta puts a commit
only where there is none, and the second makes its own again.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

import msgspec
import pyarrow as pa
import pyarrow.fs as fs

from clopos_nb.cabinet import make_private
from clopos_nb.errors import CloposError, ConfigError, StoreError

if TYPE_CHECKING:
    from deltalake import DeltaTable

Place = TypeVar("Place", Path, str)

LOCK = "lock"
LOCK_S = 600.0
SCHEMES = ("s3", "s3a", "gs", "az", "abfs", "abfss")
# Without an answer deltalake tries for three minutes. Everything else is in its own variables.
PATIENCE = {"connect_timeout": "5s", "max_retries": "3", "retry_timeout": "20s"}


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


@dataclass(frozen=True)
class Site:
    """A place for a store; nothing is opened before it is asked for something.

    Parameters
    ----------
    root : Path or str
        A directory, or a URL. What opens it is where ``deltalake`` looks for it: the environment's
        variables ``AWS_*``, ``GOOGLE_*`` or ``AZURE_*``, and the machine's own role.
    """

    root: Path | str

    @classmethod
    def of(cls, place: str | os.PathLike[str]) -> Site:
        """Return the site that a setting names.

        Raises
        ------
        ConfigError
            A URL of an unknown kind, or with something secret in it, which is not repeated; or one
            that deltalake would read as another.
        """
        text = os.fspath(place)
        if "://" not in text:
            return cls(_plain(Path(text).expanduser()))
        parts = urlsplit(text)
        if parts.scheme not in SCHEMES or not parts.hostname:
            message = (
                "store is a URL of an unknown kind; expected a directory, or one like "
                "s3://bucket/name (CLOPOS_NB_STORE)"
            )
            raise ConfigError(message)
        if (parts.password is not None) or parts.query or parts.fragment:
            message = (
                "store is a URL with a password or a signature in it, which would be shown; leave "
                "it out, and set the variables that deltalake reads, such as AWS_ACCESS_KEY_ID"
            )
            raise ConfigError(message)
        return cls(_plain(text.rstrip("/")))

    def __str__(self) -> str:
        return str(self.root)

    @property
    def remote(self) -> bool:
        """Whether it is no directory."""
        return isinstance(self.root, str)

    @property
    def options(self) -> dict[str, str] | None:
        """What deltalake is told beside what it finds in the environment."""
        return PATIENCE if self.remote else None

    @functools.cached_property  # with the connections of an object store
    def files(self) -> fs.FileSystem:
        """The files of all tables, each by its path from here."""
        if isinstance(self.root, Path):
            return fs.SubTreeFileSystem(str(self.root), fs.LocalFileSystem())
        delta()
        from deltalake.fs import DeltaStorageHandler

        return fs.PyFileSystem(DeltaStorageHandler(self.root, self.options))

    def address(self, name: str) -> str:
        """Return where a table is."""
        return f"{self.root}/{name}"

    def table(self, name: str, version: int | None = None) -> DeltaTable:
        """Open a table, the newest version of it if none is named."""
        opened: DeltaTable = delta().DeltaTable(self.address(name), version, self.options)
        return opened

    def newest(self, name: str) -> int:
        """Return the newest version of a table, -1 when there is none."""
        if isinstance(self.root, Path):  # without opening it
            log = self.root / name / "_delta_log"
            commits = [path.stem for path in log.glob("*.json")] if log.is_dir() else []
            return max((int(each) for each in commits if each.isdecimal()), default=-1)
        there: bool = delta().DeltaTable.is_deltatable(self.address(name), self.options)
        return self.table(name).version() if there else -1

    def names(self) -> set[str]:
        """Return the names of what lies here; that of the site itself when it is a file."""
        if isinstance(self.root, Path) and self.root.exists() and not self.root.is_dir():
            return {self.root.name}
        found = self.files.get_file_info(fs.FileSelector("", allow_not_found=True))
        return {info.base_name for info in found}

    def size(self) -> int:
        """Return how many bytes lie here."""
        every = fs.FileSelector("", allow_not_found=True, recursive=True)
        return sum(info.size or 0 for info in self.files.get_file_info(every))

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Take the turn to write, where turns are kept; the directory is made and private then.

        Raises
        ------
        OSError
        filelock.Timeout
        """
        if not isinstance(self.root, Path):
            yield
            return
        from filelock import FileLock

        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        make_private(self.root)
        with FileLock(self.root / LOCK, timeout=LOCK_S, mode=0o600):
            yield

    @contextlib.contextmanager
    def told(self, doing: str) -> Iterator[None]:
        """Turn what goes wrong here into a StoreError that says what to do."""
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
            raise self._error(doing, exc) from (None if self.remote else exc)

    def _error(self, doing: str, exc: Exception) -> StoreError:
        why = " ".join(re.sub(r"\x1b\[\d+m|↳", "", str(exc)).split())[:300]  # drawn as a tree
        if self.remote:  # its answer, which begins with "<", may repeat a token
            why = why.partition("<")[0]
        care = (
            "see that it is there, and that the environment's variables (AWS_ACCESS_KEY_ID and "
            "others) allow to read and write it. If its files are damaged, delete them"
            if self.remote
            else "see that the disk has room and the directory may be written. If its files are "
            "damaged, delete the directory"
        )
        message = (
            f"The store in {self} cannot be {doing} ({type(exc).__name__}: {why}); {care}: it is "
            "filled again from the server"
        )
        return StoreError(message)


def _plain(root: Place) -> Place:
    whole = str(root.absolute() if isinstance(root, Path) else root)
    if unquote(whole) != whole:
        message = (
            f"store is {str(root)!r}, and deltalake reads a % before two digits as another letter; "
            "name a place without"
        )
        raise ConfigError(message)
    return root
