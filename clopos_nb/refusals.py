"""Refusing answers into named errors that say what to do, and nothing about anybody.

The documentation shows four shapes of refusal; all four end in one tree of errors. No I/O.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from clopos_nb import errors

# Sentences of the documentation; whatever else a server writes may echo a request, a name or an
# address, so it stays out of error texts (it is on ``.message``, masked and shortened).
_SAFE = re.compile(
    r"""
    (No\ query\ results\ for\ model\ \[[\w\\]+\]\ [\da-f-]{1,40}
    |[\w\[\]]{1,40}\ must\ be\ (1\ or\ -1|one\ of\ [A-Z_,\ ]{1,80})
    |(Receipt|Category|Product|Station|Order|Customer|User|Venue)\ not\ found
    |Validation\ failed|Status\ is\ not\ allowed
    |Invalid\ (field\ values\ provided|filter\ parameters)
    |closed_at\ must\ be\ greater\ than\ created_at|The\ \w{1,30}\ field\ is\ required\.
    |Missing(\ or\ invalid)?\ authentication\ headers|Headers\ are\ missing
    |Too\ many\ requests\.(\ Retry\ later\.)?
    |(?i:((the|this)\ )?(brand|venue|client|user)\ )?does\ not\ have\ access\ to\ module\ \w{1,40}
    |Customer\ with\ this\ phone\ number\ already\ exists
    |Invalid\ token|Token\ expired|Invalid\ integrator_id|Client\ is\ disabled
    |Integrator\ is\ in\ test\ mode\.\ But\ brand\ is\ not\ in\ test\ mode
    |Missing\ client_id,\ client_secret,\ brand,\ or\ integrator_id
    |[a-z]{1,20}(_[a-z]{1,20}){1,4}|unauthorized|[A-Z]\w{1,60}Exception)\.?
    """,
    re.VERBOSE,
)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


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
    >>> from clopos_nb.refusals import redact
    >>> redact("No user a@example.com with +994 50 000 00 00 at Park 5", sent=["Park 5"])
    'No user *** with *** at ***'
    """
    for piece in sorted({piece for piece in sent if len(piece) > 2}, key=len, reverse=True):
        text = text.replace(piece, "***")
    text = _PERSONAL.sub("***", text)
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _words(error: Any, message: Any) -> tuple[str, str, int | None]:
    """Return (code, message, http_code) of any of the four documented error shapes."""
    message = _text(message)
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


def where(path: str, venue_id: int | None = None) -> str:
    """Say what was asked, and for whom; the path of an error.

    Examples
    --------
    >>> from clopos_nb.refusals import where
    >>> where("/orders", 2), where("/products")
    ('/orders for venue 2', '/products')
    """
    return redact(path) + (f" for venue {venue_id}" if venue_id is not None else "")


def refusal(
    status: int,
    error: Any = None,
    message: Any = None,
    *,
    path: str,
    venue_id: int | None = None,
    sent: Iterable[str] = (),
    retry_after: float | None = None,
) -> errors.CloposError:
    """Return the error that a refusing answer means."""
    code, message, inner = _words(error, message)
    effective = status if status >= 400 else inner or _SLUG_STATUS.get(code, status)
    login = path == "/auth"
    auth = _auth_error(effective, code, message, login=login)
    if auth is not None:
        return auth
    sent = list(sent)
    code, message = redact(code, sent), redact(message, sent)
    said = [word for word in (code, message) if word and _SAFE.fullmatch(word)]
    cls, advice = _api_error(effective, code, message)
    if login and effective == 429:
        advice = "More than 60 logins a minute came from this address; try again in a minute"
    text = (
        f"{where(path, venue_id)}: HTTP {status}"
        + (f", {': '.join(said)}" if said else "")
        + f". {advice}"
    )
    if message and message not in said:
        text += ". The server's own message is on .message; it may hold personal data"
    refused = cls(text, status=status, code=code, message=message, path=path, venue_id=venue_id)
    if isinstance(refused, errors.RateLimited):
        refused.retry_after = retry_after
    return refused


_MODULE = re.compile(r"\bmodule\b", re.IGNORECASE)

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
    code = code if _SAFE.fullmatch(code) else str(status)
    if "test mode" in said:
        return errors.TestModeMismatch(
            "The integrator and the brand are not of the same kind: a test integrator reaches only "
            "test brands, a live integrator only live ones. Use the integrator_id that belongs to "
            "this brand, or ask Clopos for one",
            code=code,
        )
    if "invalid integrator_id" in said:
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
    if login and (status in (400, 401, 403) or status < 400) and not _MODULE.search(said):
        return errors.CredentialsRefused(
            "The login was refused: client_id, client_secret or brand is wrong. Compare "
            "CLOPOS_CLIENT_ID, CLOPOS_CLIENT_SECRET and CLOPOS_BRAND with the brand's back office, "
            "Add-ons > Open API",
            code=code,
        )
    if status == 401:
        return errors.TokenRejected(
            "The server rejects the token, also after a fresh login. Run session.logout() and try "
            "again; if it stays, ask Clopos about this integrator and brand",
            code=code,
        )
    return None


def _api_error(status: int, code: str, message: str) -> tuple[type[errors.ApiError], str]:
    if _MODULE.search(f"{code} {message}"):
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
