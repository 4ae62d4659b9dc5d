"""Faults that answer in place of the API, or spoil the token before it sees the request."""

from __future__ import annotations

import math
from dataclasses import replace

from clopos_nb.sandbox import answers
from clopos_nb.sandbox.answers import Answer
from clopos_nb.sandbox.auth import UNKNOWN_INTEGRATOR
from clopos_nb.sandbox.faults.work import Options, Work
from clopos_nb.sandbox.limits import AUTH_CALLS, CALLS, Standing

_HTML = b"""<html>
<head><title>502 Bad Gateway</title></head>
<body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body>
</html>
"""
MODULE_PATHS = {
    "call_center": "/orders",
    "cash_shift": "/finance/cash-shifts",
    "restaurant_emenu": "/waiter-call",
}
"""Where the API asks for a module."""


def carries_token(work: Work) -> bool:
    """Whether there is a token to spoil."""
    return work.path != "/auth" and bool(work.request.token)


def needs_module(work: Work) -> bool:
    """Whether the path belongs to a module."""
    return _module(work) is not None


def expired_token(work: Work, options: Options) -> None:
    """Let the API see the caller's token as it will be when it has expired."""
    work.request = replace(work.request, token=work.scene.age(work.request.token or ""))


def invalid_token(work: Work, options: Options) -> None:
    """Let the API see another token."""
    work.request = replace(work.request, token="spoilt.by.fault")  # noqa: S106 - that it is none is the point


def deactivated_integrator(work: Work, options: Options) -> None:
    """400 at /auth, 401 elsewhere."""
    status = 400 if work.path == "/auth" else 401
    work.refuse(answers.gateway(status, UNKNOWN_INTEGRATOR, "The integrator has been deactivated."))


def rate_limited(work: Work, options: Options) -> None:
    """429, and how long to wait."""
    limit = AUTH_CALLS if work.path == "/auth" else CALLS
    work.refuse(answers.too_many(Standing(limit, 0, math.ceil(options["reset_s"])).headers))


def server_error(work: Work, options: Options) -> None:
    """500 of an unhandled error in the gateway."""
    work.processed = options["processed"]
    work.refuse(answers.slug(500, "server_error", "Internal server error"))


def gateway_timeout(work: Work, options: Options) -> None:
    """504 when the upstream has not answered for eight seconds."""
    work.processed = options["processed"]
    work.delay_s += options["after_s"]
    work.refuse(answers.slug(504, "gateway_timeout", "The upstream did not answer in time"))


def html_error(work: Work, options: Options) -> None:
    """Answer as a proxy does that knows nothing of JSON."""
    work.processed = options["processed"]
    work.answer = Answer(options["status"], _HTML, content_type="text/html")


def missing_module(work: Work, options: Options) -> None:
    """403 with the text seen on the live service."""
    module = options["module"] or _module(work)
    message = f"Brand {work.scene.source.slug} does not have access to module {module}"
    work.refuse(answers.slug(403, "forbidden", message))


def reset_before_body(work: Work, options: Options) -> None:
    """Reset the connection before a byte of the answer."""
    work.processed = options["processed"]
    work.cut = 0.0
    work.answer = Answer(0, b"")


def _module(work: Work) -> str | None:
    for module, path in MODULE_PATHS.items():
        if work.path == path or work.path.startswith(f"{path}/"):
            return module
    return None
