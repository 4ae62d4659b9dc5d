"""A bounded record of the requests a sandbox answered."""

from __future__ import annotations

import re
import threading
from collections import Counter, deque
from collections.abc import Iterator
from typing import NamedTuple, overload

_SECRET = re.compile(r"([^&=]*(?:secret|token|password|client_id)[^&=]*)=[^&]*", re.IGNORECASE)
_LONGEST = 1000


class Entry(NamedTuple):
    """One answered request: ``path`` is relative to the base URL, ``query`` without secrets.

    ``status`` is 0 where the connection was reset before an answer; ``faults`` names the faults
    that struck. What was no HTTP has ``?`` for method and path.
    """

    method: str
    path: str
    status: int
    venue_id: int | None
    query: str
    faults: tuple[str, ...] = ()


class RequestLog:
    """The latest requests, oldest first; counts go back to the start or the last ``clear``."""

    def __init__(self, size: int = 10_000) -> None:
        self._size = size
        self._entries: deque[Entry] = deque(maxlen=size)
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Record one request; of endless paths and queries the beginning."""
        query = _SECRET.sub(r"\1=***", entry.query[:_LONGEST])
        path = entry.path[:_LONGEST]
        with self._lock:
            self._entries.append(entry._replace(path=path, query=query))
            # Counts outlive entries, so whoever asks for paths at random must not grow them.
            if path in self._counts or len(self._counts) < self._size:
                self._counts[path] += 1

    def count(self, path: str) -> int:
        """Return how many requests a path had, as in ``count("/auth")``."""
        with self._lock:
            return self._counts[path]

    def clear(self) -> None:
        """Forget all entries and counts."""
        with self._lock:
            self._entries.clear()
            self._counts.clear()

    def _copy(self) -> list[Entry]:
        with self._lock:
            return list(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._copy())

    @overload
    def __getitem__(self, index: int) -> Entry: ...
    @overload
    def __getitem__(self, index: slice) -> list[Entry]: ...
    def __getitem__(self, index: int | slice) -> Entry | list[Entry]:
        return self._copy()[index]

    def __repr__(self) -> str:
        return f"<RequestLog of {len(self)}>"
