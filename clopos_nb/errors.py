"""Everything that can go wrong, by name.

::

    CloposError
      ConfigError (ValueError)            a setting is missing or wrong
        MissingCredentials
        InvalidDates                      a day or range that cannot be
      UnknownTable (LookupError)          lists the close names
      VenueNotFound (LookupError)         lists the venues there are
      AuthError                           .who_can_fix, .code
        CredentialsRefused                id, secret or brand not accepted
        ClientDisabled                    the brand switched its Open API module off
        UnknownIntegrator                 integrator id unknown or deactivated
        TestModeMismatch                  test integrator with a live brand, or the reverse
        TokenRejected                     401 again, after one fresh login
      TransportError                      no HTTP answer
        RequestTimeout (TimeoutError)
        ConnectionFailed (ConnectionError)
        UnexpectedRedirect
        OutcomeUnknown                    a write whose fate is not known
      ApiError                            an answer that says no, with .status .code ...
        BadRequest
        PermissionDenied
          ModuleUnavailable
        NotFound
        Conflict
        RateLimited  .retry_after
        ServerError
          UpstreamTimeout
      ResponseError                       an answer that cannot be read
        AnswerTooLarge                    more than it can be, however it was packed
      IncompleteResult                    strict only; .certificate
      StoreError                          the local store cannot be used, or does not hold this
    CloposWarning (UserWarning)
      CacheUnavailable
      IncompleteResultWarning
      SchemaDrift
      StoreUnavailable

Texts say what was wrong, what was expected and what to do. They never hold a secret, a token, or
anything a server wrote about a person: :func:`clopos_nb.refusals.redact` sees to it.
"""

from __future__ import annotations

import sys
import traceback
import warnings
from collections.abc import Mapping
from typing import Any

__all__ = [
    "AnswerTooLarge",
    "ApiError",
    "AuthError",
    "BadRequest",
    "CacheUnavailable",
    "ClientDisabled",
    "CloposError",
    "CloposWarning",
    "ConfigError",
    "Conflict",
    "ConnectionFailed",
    "CredentialsRefused",
    "IncompleteResult",
    "IncompleteResultWarning",
    "InvalidDates",
    "MissingCredentials",
    "ModuleUnavailable",
    "NotFound",
    "OutcomeUnknown",
    "PermissionDenied",
    "RateLimited",
    "RequestTimeout",
    "ResponseError",
    "SchemaDrift",
    "ServerError",
    "StoreError",
    "StoreUnavailable",
    "TestModeMismatch",
    "TokenRejected",
    "TransportError",
    "UnexpectedRedirect",
    "UnknownIntegrator",
    "UnknownTable",
    "UpstreamTimeout",
    "VenueNotFound",
]


class CloposError(Exception):
    """Base of every error this package raises on purpose.

    A notebook shows it as its sentence and the line of the cell; after ``%xmode Verbose``, with
    every call in between.
    """

    def _render_traceback_(self) -> list[str]:  # what IPython calls
        from IPython import get_ipython  # only called where there is one

        shell = get_ipython()
        if shell and shell.InteractiveTB.mode == "Verbose":
            trace: list[str] = shell.InteractiveTB.structured_traceback(
                type(self), self, self.__traceback__
            )
            return trace
        calls = traceback.walk_tb(self.__traceback__)
        cells = [call for call in calls if call[0].f_globals.get("__name__") == "__main__"]
        lines = traceback.StackSummary.extract(iter(cells[:1]))
        where = [f"  line {each.lineno}: {each.line}" for each in lines]
        return [f"{type(self).__name__}: {self}", *where]


class ConfigError(CloposError, ValueError):
    """A setting or an argument is missing or wrong."""


class MissingCredentials(ConfigError):
    """One or more of the four credentials were not found anywhere."""


class InvalidDates(ConfigError):
    """A day, period or range of days that cannot be."""


class UnknownTable(CloposError, LookupError):
    """No table of that name; the text names close ones."""


class VenueNotFound(CloposError, LookupError):
    """No venue of that id or name; the text lists the venues there are."""


class AuthError(CloposError):
    """Logging in was refused.

    Attributes
    ----------
    code : str
        The server's own ``error`` text, or the HTTP status when it gave none.
    who_can_fix : str
        ``"you"``, ``"the brand's owner"`` or ``"Clopos"``.
    """

    who_can_fix = "you"

    def __init__(self, text: str, *, code: str = "") -> None:
        super().__init__(text)
        self.code = code


class CredentialsRefused(AuthError):
    """The client id, client secret or brand was not accepted."""


class ClientDisabled(AuthError):
    """The brand switched its Open API module off."""

    who_can_fix = "the brand's owner"


class UnknownIntegrator(AuthError):
    """The integrator id is unknown or deactivated; this affects every brand."""

    who_can_fix = "Clopos"


class TestModeMismatch(AuthError):
    """A test integrator met a live brand, or a live integrator a test brand."""

    __test__ = False  # the name begins with Test; pytest would try to collect it


class TokenRejected(AuthError):
    """A token was refused again right after a fresh login."""

    who_can_fix = "Clopos"


class TransportError(CloposError):
    """There was no HTTP answer to read."""


class RequestTimeout(TransportError, TimeoutError):
    """No answer within the client's time limit."""


class ConnectionFailed(TransportError, ConnectionError):
    """The server could not be reached, or broke the connection off."""


class UnexpectedRedirect(TransportError):
    """The server answered with a redirect, which this API never needs."""


class OutcomeUnknown(TransportError):
    """A write went out and its answer did not come back: it may have happened."""


class ApiError(CloposError):
    """The server answered, and the answer is no.

    Attributes
    ----------
    status : int
        HTTP status.
    code : str
        The normalised ``error`` of the body: a slug, a sentence or an exception name.
    message : str
        The server's message, redacted and shortened.
    path : str
        Path of the request, without its query.
    venue_id : int or None
        The venue the request was made for.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int = 0,
        code: str = "",
        message: str = "",
        path: str = "",
        venue_id: int | None = None,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.message = message
        self.path = path
        self.venue_id = venue_id


class BadRequest(ApiError):
    """The server did not accept the request's parameters or body."""


class PermissionDenied(ApiError):
    """The credential's staff user or scope may not read this."""


class ModuleUnavailable(PermissionDenied):
    """The brand or venue does not have the module this needs."""


class NotFound(ApiError):
    """Nothing there, within this brand and venue."""


class Conflict(ApiError):
    """A unique value is taken already."""


class RateLimited(ApiError):
    """Over the request limit, and waiting did not help; ``retry_after`` is in seconds."""

    retry_after: float | None = None


class ServerError(ApiError):
    """The server failed (5xx)."""


class UpstreamTimeout(ServerError):
    """The gateway gave up on its backend after 8 seconds (504)."""


class ResponseError(CloposError):
    """The answer cannot be read: not JSON, no envelope, or wrong types."""


class AnswerTooLarge(ResponseError):
    """The answer is, or unpacks to, far more than any known one; asking again is no use."""


class IncompleteResult(CloposError):
    """Rows received are not the server's total (``strict=True`` only).

    Attributes
    ----------
    certificate : dict
        What the walk saw; the same dict a frame carries in ``attrs["clopos"]``.
    """

    def __init__(self, text: str, *, certificate: Mapping[str, Any] | None = None) -> None:
        super().__init__(text)
        self.certificate = dict(certificate or {})


class StoreError(CloposError):
    """The local store cannot be read or written, or does not hold what was asked of it alone."""


class CloposWarning(UserWarning):
    """Base of every warning this package gives."""


class CacheUnavailable(CloposWarning):
    """The cache directory cannot be used; the token is kept in memory only."""


class IncompleteResultWarning(CloposWarning):
    """Rows received are not the server's total; the certificate says by how much."""


class SchemaDrift(CloposWarning):
    """The server sent something the documentation does not name; nothing was lost."""


class StoreUnavailable(CloposWarning):
    """The local store cannot be used; the server was asked instead."""


# Python says a warning once for each text and line, also when a cell is run again.
warnings.simplefilter("always", IncompleteResultWarning, append=True)


def tell(message: str, category: type[CloposWarning]) -> None:
    """Warn at the line outside of this package that led here."""
    ours = ("clopos_nb", "contextlib")
    frame, level = sys._getframe().f_back, 2
    while frame and frame.f_globals.get("__name__", "").partition(".")[0] in ours:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)
