"""What is sent: one request, and the long read that it may belong to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from clopos_nb import errors, wire
from clopos_nb.refusals import where


@dataclass
class Errand:
    """What a long read shares with its requests: a way to stop them, and to be told of waits."""

    stopped: threading.Event = field(default_factory=threading.Event)
    waiting: Callable[[float], None] = lambda seconds: None


class Stopped(Exception):  # no error: whoever reads wanted it
    """The long read that a request belongs to was stopped."""


class Sealed:
    """A value that a verbose traceback does not show: only a call opens it."""

    def __init__(self, value: Any) -> None:
        self._open: Callable[[], Any] = lambda: value

    def open(self) -> Any:
        """Return the value."""
        return self._open()


class Request:
    """One request; what it says about anybody is sealed.

    Raises
    ------
    ConfigError
        The body cannot be written as JSON.
    """

    def __init__(
        self,
        method: str,
        path: str,
        query: Sequence[tuple[str, str]] = (),
        body: Any = None,
        venue_id: int | None = None,
        reader: wire.Reader | None = None,
        errand: Errand | None = None,
    ) -> None:
        self.method = method
        self.errand = errand
        self.path = path
        self.venue_id = venue_id
        self.reader = reader
        self.query = Sealed(list(query))
        self.body = Sealed(_as_json(body))
        self.strings = Sealed([value for _, value in query] + list(_strings(body)))

    def __str__(self) -> str:
        return where(self.path, self.venue_id)

    @property
    def is_write(self) -> bool:
        """Whether sending it twice may do something twice; a login is harmless."""
        return self.method not in ("GET", "HEAD") and self.path != "/auth"


def _as_json(body: Any) -> bytes | None:
    if body is None:
        return None
    try:
        return json.dumps(body, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError):
        message = "The body cannot be written as JSON; it may hold a NaN, a date or a numpy value"
        raise errors.ConfigError(message) from None


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, str):
        yield value
