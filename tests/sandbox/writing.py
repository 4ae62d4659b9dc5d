"""Bodies that work, for tests that spoil them one field at a time."""

from __future__ import annotations

import copy
from typing import Any


def send(api: Any, method: str, path: str, body: Any = None, **kw: Any) -> Any:
    headers = {"x-token": api.token, **kw.pop("headers", {})}
    if "data" not in kw:
        kw["json"] = body
    return api.http.request(method, api.sandbox.url + path, headers=headers, timeout=10, **kw)


def refusal(message: str, error: str = "validation_failed") -> dict[str, Any]:
    return {"success": False, "error": error, "message": message}


def order(api: Any, **changes: Any) -> dict[str, Any]:
    product = next(
        row
        for row in api.data("/products?limit=100&filters[0][0]=type&filters[0][1]=DISH")
        if row["price"] > 0 and not row["has_modifications"]
    )
    body = {
        "sale_type_id": 2,
        "venue_id": 1,
        "customer": {"id": 0, "phone": "+994500000000", "address": "Street 1", "name": "Guest"},
        "products": [
            {
                "product_id": product["id"],
                "product_name": product["name"],
                "count": 2,
                "price": product["price"],
                "status": "new",
                "product_hash": str(product["id"]),
            }
        ],
    }
    return body | changes


def spoilt(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a copy with one value replaced, or removed if it is ``...``."""
    body = copy.deepcopy(body)
    inner = body
    for name in path[:-1]:
        inner = inner[name]
    if value is ...:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return body
