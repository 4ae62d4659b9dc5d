"""Inventory and finance rows."""

from __future__ import annotations

from typing import Any

RESOURCES: frozenset[str] = frozenset()


def rows(books: Any, brand: Any, resource: str, venue_id: int) -> list[dict[str, Any]]:
    """Return the rows of one resource."""
    raise KeyError(resource)
