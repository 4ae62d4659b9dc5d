"""The API's grammar, with no I/O: queries, envelopes, refusals.

Everything here takes and returns values. A second generation of the API would bring another module
like this one and another catalogue of tables, and nothing above them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from clopos_nb import errors

DEFAULT_BASE_URL = "https://integrations.clopos.com/open-api/v2"

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
        case list() | tuple():
            for index, inner in enumerate(value):
                yield from _spell(f"{key}[{index}]", inner)
        case bool():
            yield key, "true" if value else "false"
        case dt.date():
            yield key, value.strftime("%Y-%m-%d")
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
    """Filters write yes and no as 1 and 0; only plain parameters write true and false."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, list | tuple | set | frozenset | range):
        return [_filter_value(item) for item in value]
    return value


# -------------------------------------------------------------------------- envelopes


@dataclass(frozen=True)
class Answer:
    """A good answer: the bytes of ``data``, and what the envelope said about them."""

    status: int
    raw: bytes
    total: int | None = None
    sorts: tuple[str, ...] = ()
    message: str = ""
    token: Mapping[str, Any] | None = None

    def data(self) -> Any:
        """Return ``data`` as plain Python values.

        Raises
        ------
        ResponseError
            The bytes are not JSON after all.
        """
        try:
            return msgspec.json.decode(self.raw)
        except msgspec.DecodeError as exc:
            message = f"The answer's data cannot be read as JSON: {exc}"
            raise errors.ResponseError(message) from exc

    def rows(self) -> list[dict[str, Any]]:
        """Return ``data`` as a list of objects; an empty object or null is no rows.

        Raises
        ------
        ResponseError
            ``data`` is something else.
        """
        data = self.data()
        if data is None or data == {}:
            return []
        if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
            message = "The answer's data is not a list of objects, which this path should give"
            raise errors.ResponseError(message)
        return data


class _Envelope(msgspec.Struct):
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


_decode_envelope = msgspec.json.Decoder(_Envelope).decode


def open_answer(
    status: int,
    body: bytes,
    *,
    path: str,
    venue_id: int | None = None,
    sent: Iterable[str] = (),
    retry_after: float | None = None,
) -> Answer:
    """Open an HTTP answer: body first, the status only refines a failure.

    An answer is good when it has ``data``, or is the token of ``/auth``, and does not say
    ``success: false``. ``sent`` are the strings the request carried: the server may echo them, and
    they are masked in what the error says.

    Raises
    ------
    AuthError, ApiError, ResponseError
    """
    if body.lstrip()[:1] == b"[" and status < 400:  # an older page shows bare lists
        return Answer(status, body)
    try:
        envelope = _decode_envelope(body)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError) as exc:
        raise _unreadable(status, body, path, venue_id, retry_after) from exc
    refused = envelope.success is False or status >= 400
    if refused:
        raise refusal(
            status, envelope, path=path, venue_id=venue_id, sent=sent, retry_after=retry_after
        )
    if isinstance(envelope.token, str) and envelope.token:
        token = {
            "token": envelope.token,
            "expires_in": envelope.expires_in,
            "expires_at": envelope.expires_at,
        }
        return Answer(status, b"null", token=token)
    if envelope.data is msgspec.UNSET:
        if envelope.success is True:  # waiter-call answers with nothing else
            return Answer(status, b"null", message=_text(envelope.message))
        message = f"The answer of {path} has no data and does not say that it failed"
        raise errors.ResponseError(message)
    return Answer(
        status,
        bytes(envelope.data),
        total=_total(envelope),
        sorts=tuple(s for s in envelope.sorts if isinstance(s, str))
        if isinstance(envelope.sorts, list)
        else (),
        message=_text(envelope.message),
    )


def _total(envelope: _Envelope) -> int | None:
    total = envelope.total
    if total is None and isinstance(envelope.pagination, dict):
        total = envelope.pagination.get("total")
    if isinstance(total, str) and total.isdecimal():
        total = int(total)
    return total if isinstance(total, int) and not isinstance(total, bool) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _unreadable(
    status: int, body: bytes, path: str, venue_id: int | None, retry_after: float | None
) -> errors.CloposError:
    start = body.lstrip()[:1]
    what = {b"<": "an HTML page", b"": "empty"}.get(start, "JSON that breaks off or is not valid")
    if status == 429 or status >= 500:
        return refusal(status, _Envelope(), path=path, venue_id=venue_id, retry_after=retry_after)
    return errors.ResponseError(
        f"The answer of {path} (HTTP {status}) is {what}; a JSON object was expected. "
        "Try again; if it stays, check base_url: something else may be answering there"
    )


# --------------------------------------------------------------------------- refusals

# Sentences of the documentation; whatever else a server writes may echo a request, a name or an
# address, so it stays out of error texts (it is on ``.message``, masked and shortened).
_SAFE = re.compile(
    r"""
    (No\ query\ results\ for\ model\ \[[\w\\]+\]\ \S{1,40}
    |[\w\[\]]{1,40}\ must\ be\ [\w ,-]{1,80}
    |[A-Z]\w{1,20}\ not\ found
    |Validation\ failed|Status\ is\ not\ allowed|Invalid\ (field\ values\ provided|filter\ parameters)
    |closed_at\ must\ be\ greater\ than\ created_at|The\ \w{1,30}\ field\ is\ required\.
    |Missing(\ or\ invalid)?\ authentication\ headers|Headers\ are\ missing
    |Too\ many\ requests\.(\ Retry\ later\.)?
    |.{0,60}does\ not\ have\ access\ to\ module\ \w{1,40}
    |Customer\ with\ this\ phone\ number\ already\ exists
    |Invalid\ token|Token\ expired|Invalid\ integrator_id|Client\ is\ disabled
    |Integrator\ is\ in\ test\ mode.{0,60}
    |Missing\ client_id,\ client_secret,\ brand,\ or\ integrator_id
    |[a-z][a-z_]{1,40}|[A-Z]\w{1,60}Exception)\.?
    """,
    re.VERBOSE,
)

_PERSONAL = re.compile(
    r"""
    (?P<token>eyJ[\w-]{5,}(\.[\w-]*){0,2}|oauth_\w+)
    |(?P<email>[^\s@"'<>]+@[^\s@"'<>]+)
    |(?P<digits>\+?\d[\d\s().-]{5,}\d)
    """,
    re.VERBOSE,
)


def redact(text: str, sent: Iterable[str] = (), *, longest: int = 200) -> str:
    """Mask tokens, e-mails, long numbers and whatever the request itself sent; then shorten.

    Examples
    --------
    >>> from clopos_nb.wire import redact
    >>> redact("No user a@example.com with +994 50 000 00 00 at Park 5", sent=["Park 5"])
    'No user *** with *** at ***'
    """
    for piece in sorted({piece for piece in sent if len(piece) > 2}, key=len, reverse=True):
        text = text.replace(piece, "***")
    text = _PERSONAL.sub("***", text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _words(envelope: _Envelope) -> tuple[str, str, int | None]:
    """Return (code, message, http_code) of any of the four documented error shapes."""
    error, message = envelope.error, _text(envelope.message)
    if isinstance(error, dict):
        error = [error]
    if isinstance(error, list):
        first = next((item for item in error if isinstance(item, dict)), {})
        code = _text(first.get("exception")) or _text(first.get("type"))
        http_code = first.get("http_code")
        return (
            code,
            _text(first.get("message")) or message,
            http_code if isinstance(http_code, int) else None,
        )
    return _text(error), message, None


def refusal(
    status: int,
    envelope: _Envelope,
    *,
    path: str,
    venue_id: int | None = None,
    sent: Iterable[str] = (),
    retry_after: float | None = None,
) -> errors.CloposError:
    """Return the error that a refusing answer means."""
    code, message, inner = _words(envelope)
    effective = status if status >= 400 else inner or _SLUG_STATUS.get(code, status)
    login = path == "/auth"
    auth = _auth_error(effective, code, message, login=login)
    if auth is not None:
        return auth
    sent = list(sent)
    code, message = redact(code, sent), redact(message, sent)
    said = [word for word in (code, message) if word and _SAFE.fullmatch(word)]
    where = f"{path}" + (f" for venue {venue_id}" if venue_id is not None else "")
    cls, advice = _api_error(effective, code, message)
    text = f"{where}: HTTP {status}" + (f", {': '.join(said)}" if said else "") + f". {advice}"
    if message and message not in said:
        text += ". The server's own message is on .message; it may hold personal data"
    error = cls(text, status=status, code=code, message=message, path=path, venue_id=venue_id)
    if isinstance(error, errors.RateLimited):
        error.retry_after = retry_after
    return error


_SLUG_STATUS = {
    "not_found": 404,
    "resource_not_found": 404,
    "unauthorized": 401,
    "authentication_failed": 401,
    "rate_limited": 429,
    "duplicate_phone": 409,
    "validation_failed": 400,
    "invalid_parameter": 400,
}


def _auth_error(status: int, code: str, message: str, *, login: bool) -> errors.AuthError | None:
    said = f"{code} {message}".lower()
    if "test mode" in said:
        return errors.TestModeMismatch(
            "The integrator and the brand are not of the same kind: a test integrator reaches only "
            "test brands, a live integrator only live ones. Use the integrator_id that belongs to "
            "this brand, or ask Clopos for one",
            code=code,
        )
    if code == "Invalid integrator_id":
        return errors.UnknownIntegrator(
            "The integrator_id is unknown or deactivated, for every brand. Check "
            "CLOPOS_INTEGRATOR_ID; if it is right, only Clopos can reactivate it",
            code=code,
        )
    if "client is disabled" in said:
        return errors.ClientDisabled(
            "The brand has switched its Open API module off. The brand's owner can switch it on "
            "again in the back office, Add-ons > Open API",
            code=code,
        )
    if login and (status in (400, 401, 403) or status < 400):
        return errors.CredentialsRefused(
            "The login was refused: client_id, client_secret or brand is wrong. Compare "
            "CLOPOS_CLIENT_ID, CLOPOS_CLIENT_SECRET and CLOPOS_BRAND with the brand's back office, "
            "Add-ons > Open API",
            code=code if _SAFE.fullmatch(code) else str(status),
        )
    if status == 401:
        return errors.TokenRejected(
            "The server rejects the token, also after a fresh login. Run session.logout() and try "
            "again; if it stays, ask Clopos about this integrator and brand",
            code=code if _SAFE.fullmatch(code) else "401",
        )
    return None


def _api_error(status: int, code: str, message: str) -> tuple[type[errors.ApiError], str]:
    if re.search(r"\bmodule\b", f"{code} {message}", re.IGNORECASE):
        return errors.ModuleUnavailable, (
            "The brand or venue does not have the module this needs; its owner can ask Clopos"
        )
    if status in (400, 405, 415, 422):
        return errors.BadRequest, "The request's parameters were not accepted; correct them"
    if status == 403:
        return errors.PermissionDenied, (
            "The staff user behind these credentials, or the integrator's scope, may not read "
            "this; the brand's owner can grant it in the back office"
        )
    if status == 404:
        return errors.NotFound, (
            "Nothing there within this brand and venue; check the id, and whether it belongs to "
            "another venue"
        )
    if status == 409:
        return errors.Conflict, "A value that must be unique is taken already"
    if status == 429:
        return errors.RateLimited, (
            "Over the request limit that the brand and integrator share, also after waiting; other "
            "software may be using it up. Try again in a minute"
        )
    if status == 504:
        return errors.UpstreamTimeout, (
            "Clopos did not answer its own gateway within 8 seconds; ask for fewer days, or try "
            "again later"
        )
    if status >= 500:
        return errors.ServerError, "The server failed; try again later"
    return errors.ApiError, "The server refused without a reason this package knows"
