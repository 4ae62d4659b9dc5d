"""The catalogue: every fault by name, what it does, where it strikes and what can be set."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from clopos_nb.sandbox.faults import paging, refusing, reshaping
from clopos_nb.sandbox.faults.work import Options, Work

Stage = Literal["instead", "request", "answer"]
"""In place of the API's answer (one at most), before the API sees the request, or after it."""
Test = Callable[[Work, Options], bool]


def _always(work: Work, options: Options) -> bool:
    return True


@dataclass(frozen=True)
class Kind:
    """One fault as the catalogue has it."""

    name: str
    about: str
    stage: Stage
    act: Callable[[Work, Options], None]
    applies: Test = _always
    """Whether a request or answer is one it can strike; others do not use up its count."""
    path: str = "*"
    options: Mapping[str, Any] = field(default_factory=dict)
    """Names and defaults; a default's type is the option's."""
    writes: str = ""
    """The method of a writable brand that it needs."""


_PROCESSED = {"processed": False}

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind(
            "reset_before_body",
            "the connection is reset before the first byte",
            "instead",
            refusing.reset_before_body,
            options=_PROCESSED,
        ),
        Kind(
            "gateway_timeout",
            "504 after 8 s, times the time scale",
            "instead",
            refusing.gateway_timeout,
            options={"after_s": 8.0, **_PROCESSED},
        ),
        Kind(
            "server_error",
            "500 of an unhandled error",
            "instead",
            refusing.server_error,
            options=_PROCESSED,
        ),
        Kind(
            "html_error",
            "the HTML error page of a proxy",
            "instead",
            refusing.html_error,
            options={"status": 502, **_PROCESSED},
        ),
        Kind(
            "rate_limited",
            "429 with RateLimit-Reset, whatever was left; a storm without count",
            "instead",
            refusing.rate_limited,
            options={"reset_s": 1.0},
        ),
        Kind(
            "deactivated_integrator",
            "400 at /auth and 401 elsewhere: Invalid integrator_id",
            "instead",
            refusing.deactivated_integrator,
        ),
        Kind(
            "missing_module",
            "403 on the paths of call_center, cash_shift and restaurant_emenu",
            "instead",
            refusing.missing_module,
            lambda work, options: bool(options["module"]) or refusing.needs_module(work),
            options={"module": ""},
        ),
        Kind(
            "expired_token",
            "401 Token expired, though the token is good",
            "request",
            refusing.expired_token,
            lambda work, options: refusing.carries_token(work),
        ),
        Kind(
            "invalid_token",
            "401 Invalid token, though the token is good",
            "request",
            refusing.invalid_token,
            lambda work, options: refusing.carries_token(work),
        ),
        Kind(
            "limit_clamp",
            "larger limits are lowered to this one, silently",
            "request",
            paging.limit_clamp,
            paging.asks_for_more,
            options={"limit": 20},
        ),
        Kind(
            "repeated_page",
            "page 2 and on are answered with the page before",
            "request",
            paging.repeated_page,
            paging.asks_for_later_page,
        ),
        Kind(
            "rows_inserted",
            "after each page, new receipts of its venue",
            "answer",
            paging.rows_inserted,
            paging.has_receipts,
            path="/receipts",
            options={"rows": 1},
            writes="insert_receipt",
        ),
        Kind(
            "rows_edited",
            "after each page, a change of its first receipts",
            "answer",
            paging.rows_edited,
            paging.has_receipts,
            path="/receipts",
            options={"rows": 1},
            writes="edit_receipt",
        ),
        Kind(
            "rows_deleted",
            "after each page, its first receipts are gone and later ones move up",
            "answer",
            paging.rows_deleted,
            paging.has_receipts,
            path="/receipts",
            options={"rows": 1},
            writes="delete_receipt",
        ),
        Kind(
            "unsorted_page",
            "the rows of a page in another order",
            "answer",
            paging.unsorted_page,
            paging.has_list,
        ),
        Kind(
            "unknown_enums",
            "values that no page lists, in one field or all enumerated ones",
            "answer",
            reshaping.unknown_enums,
            reshaping.has_rows,
            options={"field": ""},
        ),
        Kind(
            "changed_types",
            "numbers as text and booleans as 0 and 1, or one field as text",
            "answer",
            reshaping.changed_types,
            reshaping.has_rows,
            options={"field": ""},
        ),
        Kind(
            "unknown_fields",
            "fields of every type that no page lists",
            "answer",
            reshaping.unknown_fields,
            reshaping.has_rows,
        ),
        Kind(
            "clock_skew",
            "Date, envelope times and expires_at of a clock that is off",
            "answer",
            reshaping.clock_skew,
            reshaping.is_answered,
            options={"skew_s": 300.0},
        ),
        Kind(
            "wrong_content_type",
            "JSON under another Content-Type",
            "answer",
            reshaping.wrong_content_type,
            reshaping.has_json,
            options={"content_type": "text/html; charset=utf-8"},
        ),
        Kind(
            "truncated_json",
            "a part of the body, with its own Content-Length",
            "answer",
            reshaping.truncated_json,
            reshaping.has_body,
            options={"share": 0.5},
        ),
        Kind(
            "slow_body",
            "the body trickles for this long, times the time scale",
            "answer",
            reshaping.slow_body,
            reshaping.has_body,
            options={"spread_s": 5.0},
        ),
        Kind(
            "reset_mid_body",
            "the connection is reset after a part of the body",
            "answer",
            reshaping.reset_mid_body,
            reshaping.has_body,
            options={"share": 0.5},
        ),
    )
}
"""In the order in which they strike."""
