"""Faults in what an answer holds, and in how it travels."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from clopos_nb.sandbox.faults.work import Options, Work

ENUMS = frozenset(
    {
        "channel",
        "discount_type",
        "gender",
        "integration",
        "integration_status",
        "inventory_behavior",
        "order_status",
        "rounding_option",
        "source",
        "status",
        "system_type",
        "type",
    }
)
"""Fields whose values the documentation enumerates."""
NEW_VALUE, NEW_NUMBER = "SANDBOX_NEW_VALUE", 99


def has_rows(work: Work, options: Options) -> bool:
    """Whether the answer holds any row."""
    return bool(work.rows)


def has_json(work: Work, options: Options) -> bool:
    """Whether the answer is a JSON object."""
    return work.body is not None


def has_body(work: Work, options: Options) -> bool:
    """Whether there is a body that can be cut in two."""
    return work.answer is not None and len(work.answer.body) > 1 and work.request.method != "HEAD"


def is_answered(work: Work, options: Options) -> bool:
    """Whether anything is sent at all."""
    return work.answer is not None and work.cut is None


def unknown_fields(work: Work, options: Options) -> None:
    """Add fields of every JSON type to the envelope, the rows and the objects in them."""

    def add(row: dict[str, Any]) -> None:
        row["sandbox_new_text"] = "new"
        row["sandbox_new_number"] = 12.5
        row["sandbox_new_object"] = {"id": 1, "name": "new"}
        row["sandbox_new_list"] = [{"id": 1}]
        row["sandbox_new_null"] = None

    def change(body: dict[str, Any]) -> None:
        for row in _objects(body.get("data")):
            add(row)
        body["sandbox_new_text"] = "new"

    work.edit(change)


def unknown_enums(work: Work, options: Options) -> None:
    """Give every enumerated field a value that no page lists."""

    def new(name: str, value: object) -> object:
        if name not in ENUMS or options["field"] not in ("", name):
            return value
        if isinstance(value, str):
            return NEW_VALUE
        return NEW_NUMBER if isinstance(value, int) and not isinstance(value, bool) else value

    work.edit(_each_value(new))


def changed_types(work: Work, options: Options) -> None:
    """Send numbers other than ids as text and booleans as 0 and 1, or one named field as text."""

    def new(name: str, value: object) -> object:
        if options["field"]:
            chosen = name == options["field"] and value is not None
            return str(value) if chosen and not isinstance(value, dict | list) else value
        if isinstance(value, bool):
            return int(value)
        plain = isinstance(value, int | float) and name != "id" and not name.endswith("_id")
        return str(value) if plain else value

    work.edit(_each_value(new))


def clock_skew(work: Work, options: Options) -> None:
    """Answer as a server whose clock is off: ``Date``, envelope times and ``expires_at``."""
    seconds = options["skew_s"]
    work.skew_s += seconds

    def change(body: dict[str, Any]) -> None:
        expires = body.get("expires_at")
        if isinstance(expires, int):
            body["expires_at"] = expires + round(seconds)
        if isinstance(expires, str):
            moved = datetime.fromisoformat(expires).timestamp() + seconds
            text = datetime.fromtimestamp(moved, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            body["expires_at"] = text
        if isinstance(body.get("unix"), int):
            body["unix"] += round(seconds)
            moment = datetime.fromtimestamp(body["unix"], UTC)
            body["timestamp"] = moment.strftime("%Y-%m-%d %H:%M:%S")

    work.edit(change)


def truncated_json(work: Work, options: Options) -> None:
    """Send a part of the body as if it were all: ``Content-Length`` is that of the part."""
    if work.answer is not None:
        body = work.answer.body
        work.change(body=body[: _part(len(body), options["share"])])


def wrong_content_type(work: Work, options: Options) -> None:
    """Call JSON something else."""
    work.change(content_type=options["content_type"])


def slow_body(work: Work, options: Options) -> None:
    """Let the body trickle."""
    work.trickle_s += options["spread_s"]


def reset_mid_body(work: Work, options: Options) -> None:
    """Reset the connection when a part of the body has gone out."""
    work.cut = options["share"]


def _part(size: int, share: float) -> int:
    return max(1, min(size - 1, round(size * share)))


def _objects(value: object) -> list[dict[str, Any]]:
    """Return every object in a value, itself included, before any of them is changed."""
    if isinstance(value, list):
        return [found for item in value for found in _objects(item)]
    if isinstance(value, dict):
        return [value, *(found for item in value.values() for found in _objects(item))]
    return []


def _each_value(new: Callable[[str, object], object]) -> Callable[[dict[str, Any]], None]:
    def change(body: dict[str, Any]) -> None:
        for row in _objects(body.get("data")):
            for name, value in row.items():
                row[name] = new(name, value)

    return change
