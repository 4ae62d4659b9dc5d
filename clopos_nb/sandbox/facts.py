"""The documented fields of every resource, as data: what ``openapi`` describes and tests walk.

Collected from public pages; ``legacy`` marks what only older pages, client models and recordings
show, ``with`` what comes only when that relation is asked for.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

Fact = dict[str, Any]
"""Of one field: ``type``, and where they apply ``nullable``, ``legacy``, ``optional`` (may be
missing), ``with``, ``format``, ``enum``, ``accept`` (a wider type also served), ``map``,
``empty_list`` (PHP's empty map), ``items``, ``fields``, ``extends`` (another resource)."""


@cache
def facts() -> dict[str, dict[str, Fact]]:
    """Return the fields of each resource. Do not change it."""
    raw = files("clopos_nb.sandbox").joinpath("facts.json").read_bytes()
    found: dict[str, dict[str, Fact]] = msgspec.json.decode(raw)
    return found
