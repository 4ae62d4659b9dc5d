"""Faults that only somebody who reads page after page can see."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import quote, unquote_plus

from clopos_nb.sandbox import query
from clopos_nb.sandbox.faults.work import Options, Work

_DEFAULT_LIMIT = 50


def asks_for_more(work: Work, options: Options) -> bool:
    """Whether the page asked for is larger than the clamp."""
    limit = _number(work, "limit", _DEFAULT_LIMIT)
    return work.request.method == "GET" and limit is not None and limit > options["limit"]


def asks_for_later_page(work: Work, options: Options) -> bool:
    """Whether there is a page before the one asked for."""
    page = _number(work, "page", 1)
    return work.request.method == "GET" and page is not None and page > 1


def has_list(work: Work, options: Options) -> bool:
    """Whether the answer is a list with rows."""
    body = work.body
    return bool(work.rows) and body is not None and isinstance(body.get("data"), list)


def has_receipts(work: Work, options: Options) -> bool:
    """Whether the answer is a list of receipts: ids of any other rows name other receipts."""
    return work.path == "/receipts" and work.request.method == "GET" and has_list(work, options)


def limit_clamp(work: Work, options: Options) -> None:
    """Serve smaller pages than asked for, and say nothing."""
    _ask(work, "limit", options["limit"])


def repeated_page(work: Work, options: Options) -> None:
    """Serve the page before the one asked for."""
    page = _number(work, "page", 1)
    _ask(work, "page", max(1, (page or 1) - 1))


def unsorted_page(work: Work, options: Options) -> None:
    """Shuffle the rows of a page; of two or more, never into the order they had."""

    def shuffle(body: dict[str, list[object]]) -> None:
        rows = list(body["data"])
        work.rng.shuffle(rows)
        body["data"] = rows if rows != body["data"] else rows[::-1]

    work.edit(shuffle)


def rows_inserted(work: Work, options: Options) -> None:
    """Ring up new receipts once this page has been read."""
    for _ in range(options["rows"]):
        work.scene.source.insert_receipt(work.venue_id)


def rows_edited(work: Work, options: Options) -> None:
    """Change the first receipts of the page that has just been read."""
    _each(work, options, work.scene.source.edit_receipt)


def rows_deleted(work: Work, options: Options) -> None:
    """Delete the first receipts of the page that has just been read: all later ones move up."""
    _each(work, options, work.scene.source.delete_receipt)


def _each(work: Work, options: Options, change: Callable[[int | None, int], object]) -> None:
    for row in work.rows[: options["rows"]]:
        with contextlib.suppress(KeyError):  # somebody else deleted it meanwhile
            change(work.venue_id, row["id"])


def _number(work: Work, name: str, default: int) -> int | None:
    asked = query.parse(work.request.query).get(name)
    if asked is None:
        return default
    return query.integer(asked) if isinstance(asked, str) else None


def _ask(work: Work, name: str, value: object) -> None:
    kept = [
        pair
        for pair in work.request.query.split("&")
        if pair and unquote_plus(pair.partition("=")[0]) != name
    ]
    query_string = "&".join([*kept, f"{quote(name)}={value}"])
    work.request = replace(work.request, query=query_string)
