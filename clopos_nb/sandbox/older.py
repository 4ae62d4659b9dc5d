"""Bodies as older clients send them, turned into those of the v2 pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from clopos_nb.sandbox.answers import Body
from clopos_nb.sandbox.bodies import Field
from clopos_nb.sandbox.resources import Row

_NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")


def numbered(body: Body, fields: Mapping[str, Field]) -> Body:
    """Return the body with numbers where its fields want some and it has them as texts."""
    found = dict(body)
    for name, rule in fields.items():
        if name in body:
            found[name] = _numbered(body[name], rule)
    return found


def _numbered(value: Any, rule: Field) -> Any:
    if rule.kind in ("integer", "number") and isinstance(value, str) and _NUMBER.fullmatch(value):
        return float(value) if "." in value else int(value)
    if rule.fields is None:
        return value
    if rule.kind == "object" and isinstance(value, dict):
        return numbered(value, rule.fields)
    if rule.kind == "array" and isinstance(value, list):
        return [numbered(v, rule.fields) if isinstance(v, dict) else v for v in value]
    return value


def is_v1_order(body: Body) -> bool:
    """Whether this is the body of v1's POST /orders."""
    return isinstance(body.get("payload"), dict) and "products" not in body


def order_from_v1(body: Body, products: Mapping[int, Row]) -> Body:
    """Return the body of v2 for one of v1; what v1 left out is taken from the products.

    What has the wrong type goes through as it is, for the checks to find.
    """
    payload = body["payload"]
    service = _map(payload.get("service"))
    customer = _map(payload.get("customer"))
    meta = _map(body.get("meta")) | _map(payload.get("meta"))
    lines = payload.get("products")
    found: Body = {
        "sale_type_id": service.get("sale_type_id"),
        "venue_id": service.get("venue_id"),
        "customer": {
            **dict.fromkeys(("phone", "address", "name"), ""),
            **{name: value for name, value in customer.items() if value is not None},
            "id": customer.get("id", body.get("customer_id")),
        },
        "products": [_line(v, products) for v in lines] if isinstance(lines, list) else lines,
    }
    for name in ("auto_order_accept", "auto_order_sent_to_station", "delivery_fee"):
        if name in payload:
            found[name] = payload[name]
    return found | {name: meta[name] for name in ("comment", "discount") if name in meta}


def _line(line: Any, products: Mapping[int, Row]) -> Any:
    if not isinstance(line, dict):
        return line
    meta = _map(line.get("meta"))
    ordered = _map(meta.get("order_product"))
    number = line.get("product_id")
    product = products.get(number, {}) if isinstance(number, int) else {}
    named = _map(ordered.get("product"))
    modifiers = line.get("product_modificators")
    return {
        "product_id": number,
        "product_name": named.get("name", product.get("full_name", "")),
        "count": line.get("count"),
        "price": meta.get("price", product.get("price", 0)),
        "status": ordered.get("status") or "new",
        "product_hash": ordered.get("product_hash") or str(number),
        "modifiers": [_modifier(v) for v in modifiers] if isinstance(modifiers, list) else [],
    }


def _modifier(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    number = value.get("modificator_id")
    return {"modifier_id": number, "modifier_name": str(number), "count": value.get("count", 1)}


def _map(value: Any) -> Body:
    return value if isinstance(value, dict) else {}
