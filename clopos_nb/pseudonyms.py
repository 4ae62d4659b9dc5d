"""Pseudonyms: the same name for the same value, which nobody without the key can find out."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import re
import secrets
import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import platformdirs
import pyarrow as pa
import pyarrow.compute as pc

from clopos_nb.columns import TYPES, text
from clopos_nb.errors import ConfigError

KEY_BYTES = 32
_NAME_BYTES = 8  # of a million values two share a name once in forty million projects
_EMPTY = ("", "[]", "{}", "null")  # names nobody
_PHONE = re.compile(r"\+?[\d\s().-]+")
_PHONE_DIGITS = 7


def key_file(given: str | os.PathLike[str] | None, *, writes: bool) -> Path | None:
    """Return where the key is: the setting, else the user's own; no I/O.

    None, for a key that ends with the session, where nothing is to be written and nothing was set.
    """
    given = given or os.environ.get("CLOPOS_NB_PSEUDONYM_KEY") or None
    if given:
        return Path(given).expanduser()
    return platformdirs.user_data_path("clopos_nb") / "pseudonyms.key" if writes else None


class Pseudonyms:
    """Names such as ``p_9f86d081884c7d65`` in place of values, by a secret key.

    Parameters
    ----------
    path : Path or None
        The file of the key, 32 random bytes that only its owner can read; it is made when it is
        first needed. None: a key in memory.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from clopos_nb.pseudonyms import Pseudonyms
    >>> names = Pseudonyms(None).of(pa.chunked_array([["+994 50 000 00 01", None, "994500000001"]]))
    >>> names[0] == names[2], names[1].as_py(), str(names[0])[:2], len(str(names[0]))
    (True, None, 'p_', 18)
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._name: Callable[[str], str] | None = None
        self._lock = threading.Lock()

    def of(self, values: pa.ChunkedArray) -> pa.Array:
        """Return the pseudonyms of a column of any type, as text; null stays null.

        Raises
        ------
        ConfigError
            The file of the key cannot be read, written, or is none.
        """
        with self._lock:
            if self._name is None:
                self._name = _named_by(self.path)
            name = self._name
        distinct = pc.unique(values)
        plain = [None if v is None else _normal(v) for v in distinct.to_pylist()]
        names = [v if v is None or v.strip() in _EMPTY else name(v) for v in plain]
        at = pc.index_in(values.combine_chunks(), distinct)
        return pa.array(names, TYPES["text"]).take(at)

    def __repr__(self) -> str:
        return "Pseudonyms()"


def _normal(value: Any) -> str:
    """Return a value as one text, whichever way it is written: a phone is its digits."""
    if isinstance(value, bool):
        return text(value)
    if isinstance(value, int | float | Decimal):
        exact = Decimal(str(value))
        found = f"{exact.normalize():f}" if exact.is_finite() else str(value)
    elif isinstance(value, dt.datetime) and value.time() == dt.time():
        found = str(value.date())
    else:
        found = value if isinstance(value, str) else str(value)
    digits = re.sub(r"\D", "", found) if _PHONE.fullmatch(found) else ""
    return digits if len(digits) >= _PHONE_DIGITS else found


# ---------------------------------------------------------------------------------- the key


def _named_by(path: Path | None) -> Callable[[str], str]:
    """Return a function that names values; the key is in no variable that a traceback could show.

    Raises
    ------
    ConfigError
    """
    if path is not None and _size(path) != KEY_BYTES:
        message = (
            f"{path} is no key of pseudonyms, which is {KEY_BYTES} bytes; name another file, one "
            "that is not there is made (CLOPOS_NB_PSEUDONYM_KEY)"
        )
        raise ConfigError(message)
    try:
        keyed = hashlib.blake2b(
            key=secrets.token_bytes(KEY_BYTES) if path is None else path.read_bytes(),
            digest_size=_NAME_BYTES,
        )
    except OSError as exc:
        raise _unusable(path, exc) from None

    def name(value: str) -> str:
        hashed = keyed.copy()
        hashed.update(value.encode("utf-8", "surrogatepass"))
        return f"p_{hashed.hexdigest()}"

    return name


def _size(path: Path) -> int:
    """Return how long the file of the key is, which is made if there is none."""
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make(path)
        return path.stat().st_size
    except OSError as exc:
        raise _unusable(path, exc) from None


def _make(path: Path) -> None:
    """Write a key in one step, so that of two processes both use the first one's."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        except OSError:  # a file system without hard links
            draft.replace(path)
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


def _unusable(path: Path | None, exc: OSError) -> ConfigError:
    message = (
        f"The key of pseudonyms cannot be used: {path} ({exc.strerror}); name another file "
        "(CLOPOS_NB_PSEUDONYM_KEY)"
    )
    return ConfigError(message)
