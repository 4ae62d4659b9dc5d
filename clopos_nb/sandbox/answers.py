"""Bodies the sandbox answers with: envelopes of success and the coexisting shapes of error."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NoReturn

import msgspec

Body = dict[str, Any]

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, before a web framework sees it."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


class Refusal(Exception):
    """Raised anywhere while answering; carries the status and the whole JSON body."""

    def __init__(self, status: int, body: Body, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = headers or {}


def gateway(status: int, error: str | None, message: str, **extra: object) -> Refusal:
    """Shape E1: ``error`` is a fixed sentence (and absent where the documentation has none)."""
    body: Body = {"success": False, "message": message}
    if error is not None:
        body["error"] = error
    return Refusal(status, body | extra)


def slug(status: int, error: str, message: str) -> Refusal:
    """Shape E2: ``error`` is a slug."""
    return Refusal(status, {"success": False, "error": error, "message": message})


def reject(message: str) -> NoReturn:
    """Refuse a parameter: raises 400, slug ``invalid_parameter``."""
    raise slug(400, "invalid_parameter", message)


def over_limit(asked: int, most: int) -> Refusal:
    """400 with the details that the v1 overview shows."""
    details = {"parameter": "limit", "provided_value": asked, "valid_range": f"1-{most}"}
    message = f"limit must be between 1 and {most}"
    body: Body = {"success": False, "error": "invalid_parameter", "message": message}
    return Refusal(400, body | {"details": details})


def upstream_not_found(model: str, key: object) -> Refusal:
    """Shape E3: ``error`` is a list of objects, as seen on the live service."""
    problem = {
        "message": f"No query results for model [{model}] {key}",
        "type": "server_side",
        "exception": "NotFoundHttpException",
        "http_code": 404,
    }
    return Refusal(404, {"success": False, "error": [problem]})


def too_many(headers: dict[str, str]) -> Refusal:
    """429 with the one body the documentation shows."""
    body = {
        "success": False,
        "error": "rate_limited",
        "message": "Too many requests. Retry later.",
    }
    return Refusal(429, body, headers)


def encode(body: Body) -> bytes:
    """Return the body as compact JSON."""
    return _encode(body)


def diagnostics(*, now: float, spent_s: float) -> Body:
    """Return milliseconds spent, and this moment twice: as UTC text and as seconds."""
    second = int(now)
    return {
        "time": max(1, round(spent_s * 1000)),
        "timestamp": datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%d %H:%M:%S"),
        "unix": second,
    }
