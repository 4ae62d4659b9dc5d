"""The API's grammar, with no I/O: queries, envelopes, refusals.

Everything here takes and returns values. A second generation of the API would bring another module
like this one and another catalogue of tables, and nothing above them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec
import numpy as np

from clopos_nb import errors
from clopos_nb.refusals import refusal, where

DEFAULT_BASE_URL = "https://integrations.clopos.com/open-api/v2"
MOST_PARTS = 500_000  # lists and objects in an answer; an empty one takes twenty times its text
_STRETCH = 2**22  # bytes to count in at a time
_DIGITS = 15  # of a total; a larger one is none

# ---------------------------------------------------------------------------- queries


def brackets(params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Spell nested parameters the way the API reads them, PHP's bracket notation.

    Examples
    --------
    >>> from clopos_nb.wire import brackets
    >>> brackets({"page": 2, "sort": ["created_at", 1], "include_children": True})
    [('page', '2'), ('sort[0]', 'created_at'), ('sort[1]', '1'), ('include_children', 'true')]
    """
    return [pair for key, value in params.items() for pair in _spell(key, value)]


def _spell(key: str, value: Any) -> Iterator[tuple[str, str]]:
    match value:
        case None:
            return
        case Mapping():
            for name, inner in value.items():
                yield from _spell(f"{key}[{name}]", inner)
        case list() | tuple() | set() | frozenset() | range():
            for index, inner in enumerate(value):
                yield from _spell(f"{key}[{index}]", inner)
        case bool():
            yield key, "true" if value else "false"
        case dt.datetime():
            yield key, value.isoformat(sep=" ", timespec="seconds")
        case dt.date():
            yield key, value.isoformat()
        case _ if hasattr(value, "tolist"):  # numpy's scalars and arrays
            yield from _spell(key, value.tolist())
        case _:
            yield key, str(value)


def list_query(
    *,
    page: int | None = None,
    limit: int | None = None,
    sort: tuple[str, int] | None = None,
    days: tuple[dt.date | None, dt.date | None] = (None, None),
    relations: Sequence[str] = (),
    filters: Mapping[str, Any] | None = None,
) -> list[tuple[str, str]]:
    """Return the query of one page of a list endpoint.

    Examples
    --------
    >>> from clopos_nb.wire import list_query
    >>> list_query(page=1, limit=200, filters={"type": ["GOODS", "DISH"]})[-2:]
    [('filters[0][1][0]', 'GOODS'), ('filters[0][1][1]', 'DISH')]
    """
    return brackets(
        {
            "page": page,
            "limit": limit,
            "sort": sort,
            "date": list(days) if all(days) else None,
            "with": list(relations) or None,
            "filters": [[name, _filter_value(value)] for name, value in (filters or {}).items()],
        }
    )


def _filter_value(value: Any) -> Any:
    """Write yes and no as 1 and 0, as filters do; only plain parameters say true and false."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | tuple | set | frozenset | range):
        return [_filter_value(item) for item in value]
    return value


# -------------------------------------------------------------------------- envelopes


@dataclass(frozen=True)
class Answer:
    """A good answer: the bytes of ``data``, and what the envelope said about them.

    ``where`` is what was asked, and for whom.

    ``items`` are the rows, where the reader that was given to :func:`read_answer` could read them;
    there are no bytes then.
    """

    status: int
    where: str
    # Other people's data, and a verbose traceback shows a repr.
    raw: bytes | msgspec.Raw = field(repr=False)
    total: int | None = None
    sorts: tuple[str, ...] = ()
    message: str = field(default="", repr=False)
    token: Mapping[str, Any] | None = field(default=None, repr=False)
    items: list[Any] | None = field(default=None, repr=False)

    @property
    def is_object(self) -> bool:
        """Whether ``data`` is a single object rather than a list."""
        return bytes(memoryview(self.raw)[:1]) == b"{"

    def data(self, *, exact: bool = False) -> Any:
        """Return ``data`` as plain Python values.

        Raises
        ------
        ResponseError
            The bytes are not JSON after all.
        """
        try:
            return (_decode_exact if exact else msgspec.json.decode)(self.raw)
        except _UNREADABLE:
            message = f"The data in the answer of {self.where} cannot be read as JSON"
            raise errors.ResponseError(message) from None

    def rows(self, *, exact: bool = False) -> list[dict[str, Any]]:
        """Return ``data`` as a list of objects; an empty object or null is no rows.

        With ``exact``, numbers with a point are decimals.

        Raises
        ------
        ResponseError
            ``data`` is something else.
        """
        rows = _as_rows(self.data(exact=exact))
        if rows is None:
            message = (
                f"The data in the answer of {self.where} is not a list of objects, as it should be"
            )
            raise errors.ResponseError(message)
        return rows


def _as_rows(data: Any) -> list[dict[str, Any]] | None:
    if data is None or data == {}:
        return []
    if isinstance(data, list) and all(isinstance(row, dict) for row in data):
        return data
    return None


class Envelope(msgspec.Struct):
    """The keys an envelope may have; types are checked where they matter, not here."""

    success: Any = None
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    total: Any = None
    pagination: Any = None
    sorts: Any = None
    message: Any = None
    error: Any = None
    token: Any = None
    expires_in: Any = None
    expires_at: Any = None


Reader: TypeAlias = Callable[[bytes], Envelope | None]
"""Reads an envelope whose rows are as expected, in one pass; None of any other."""

# ArithmeticError is what an exponent of 20 digits ends in, as a decimal.
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ArithmeticError)
_decode_exact = msgspec.json.Decoder(float_hook=Decimal).decode
_decode_envelope = msgspec.json.Decoder(Envelope).decode


def read_answer(
    status: int,
    body: bytes,
    *,
    path: str,
    venue_id: int | None = None,
    sent: Iterable[str] = (),
    retry_after: float | None = None,
    reader: Reader | None = None,
) -> Answer | errors.CloposError:
    """Read an HTTP answer: body first, the status only refines a failure.

    An answer is good when it has ``data``, or is the token of ``/auth``, and does not say
    ``success: false``. ``sent`` are the strings the request carried: the server may echo them, and
    they are masked in what the error says. Where a ``reader`` is given and can read the answer, its
    rows are on ``items``.

    Returns
    -------
    Answer or CloposError
        The error is returned, not raised, so that no traceback holds this function's body.
    """
    asked = where(path, venue_id)
    if len(body) > MOST_PARTS and _parts(body) > MOST_PARTS:  # of a small one nobody need count
        return errors.AnswerTooLarge(
            f"The answer of {asked} has more than {MOST_PARTS} parts. Ask for less at a time"
        )
    if body.lstrip()[:1] == b"[" and status < 400:  # an older page shows bare lists
        return Answer(status, asked, body)
    try:
        envelope = (reader and reader(body)) or _decode_envelope(body)
    except _UNREADABLE:
        return _unreadable(status, body, path, venue_id, retry_after)
    if (envelope.success is not None and not envelope.success) or status >= 400:
        return refusal(
            status,
            envelope.error,
            envelope.message,
            path=path,
            venue_id=venue_id,
            sent=sent,
            retry_after=retry_after,
        )
    if path == "/auth":
        keys = ("token", "expires_in", "expires_at")
        return Answer(status, asked, b"null", token={key: getattr(envelope, key) for key in keys})
    if envelope.data is msgspec.UNSET:
        if envelope.success is True:  # waiter-call answers with nothing else
            return Answer(status, asked, b"null", message=_text(envelope.message))
        return errors.ResponseError(
            f"The answer of {asked} has no data and does not say that it failed"
        )
    sorts = envelope.sorts if isinstance(envelope.sorts, list) else []
    data: Any = envelope.data
    items = data if isinstance(data, list) else None
    return Answer(
        status,
        asked,
        data if items is None else b"",
        items=items,
        total=_total(envelope),
        sorts=tuple(sort for sort in sorts if isinstance(sort, str)),
        message=_text(envelope.message),
    )


def _parts(body: bytes) -> int:
    """Return how many lists and objects begin in an answer, and such signs in its texts."""
    signs = np.frombuffer(body, np.uint8)  # four times as fast as bytes.count
    pieces = (signs[at : at + _STRETCH] for at in range(0, len(signs), _STRETCH))
    return sum(int(np.count_nonzero(each | 0x20 == ord("{"))) for each in pieces)  # "[" is one, too


def _total(envelope: Envelope) -> int | None:
    total = envelope.total
    if total is None and isinstance(envelope.pagination, dict):
        total = envelope.pagination.get("total")
    if isinstance(total, str) and total.isdecimal() and len(total) < _DIGITS:
        total = int(total)
    known = isinstance(total, int) and not isinstance(total, bool) and abs(total) < 10**_DIGITS
    return total if known else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _unreadable(
    status: int, body: bytes, path: str, venue_id: int | None, retry_after: float | None
) -> errors.CloposError:
    start = body.lstrip()[:1]
    what = {b"<": "an HTML page", b"": "empty"}.get(start, "JSON that breaks off or is not valid")
    if status in (401, 429) or status >= 500:
        return refusal(status, path=path, venue_id=venue_id, retry_after=retry_after)
    return errors.ResponseError(
        f"The answer of {where(path, venue_id)} (HTTP {status}) is {what}; a JSON object was "
        "expected. Try again; if it stays, check base_url: something else may be answering there"
    )
