"""An OpenAPI 3.1 description of what the sandbox serves, written for this project.

``python -m clopos_nb.sandbox.openapi`` prints it; a running sandbox has it at ``/openapi.json``,
for the fidelity switches that are on.
"""

from __future__ import annotations

import sys
from collections.abc import Container
from typing import Any

import msgspec

from clopos_nb.sandbox import writes
from clopos_nb.sandbox.bodies import Field
from clopos_nb.sandbox.facts import facts
from clopos_nb.sandbox.inventory import is_object
from clopos_nb.sandbox.query import DEFAULT_LIMIT
from clopos_nb.sandbox.resources import CATEGORY_TYPES, ORDER_STATUSES, RESOURCES, Resource
from clopos_nb.sandbox.routes import INVENTORY, Route, find_route
from clopos_nb.sandbox.schemas import NAMES, Schema, Schemas, ref

_TEXT: Schema = {"type": "string"}
_INTEGER: Schema = {"type": "integer"}
_SUCCESS: Schema = {"type": "boolean", "const": True}
_TIMES: dict[str, Schema] = {
    "time": {"type": "integer", "description": "Milliseconds the server took"},
    "timestamp": {"type": "string", "description": "UTC, YYYY-MM-DD HH:mm:ss"},
    "unix": {"type": "integer"},
}
_PAGINATION: Schema = {
    "type": "object",
    "properties": dict.fromkeys(("page", "per_page", "total", "total_pages"), _INTEGER),
    "required": ["page", "per_page", "total", "total_pages"],
}
_ERROR: Schema = {
    "type": "object",
    "description": "error is a sentence, a slug or a list of objects; message is for people",
    "properties": {
        "success": {"type": "boolean", "const": False},
        "message": _TEXT,
        "error": {
            "anyOf": [
                _TEXT,
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "message": _TEXT,
                            "type": _TEXT,
                            "exception": _TEXT,
                            "http_code": _INTEGER,
                        },
                    },
                },
            ]
        },
        "expires_at": {"type": "string", "format": "date-time"},
        "details": {"type": "object"},
    },
    "required": ["success"],
}
_REFUSALS = {
    "400": "A parameter or the body is wrong",
    "401": "The token is missing, invalid or expired",
    "403": "A scope, an ability or a module is missing",
    "404": "Absent in this brand and venue",
    "405": "Another method is wanted; see Allow",
    "429": "Too many requests; wait RateLimit-Reset seconds",
}
_ORDER_PATH = "/orders"


def describe(fidelity: Container[str] = frozenset(), *, closed: bool = False) -> dict[str, Any]:
    """Return the description for the switches that are on.

    Parameters
    ----------
    fidelity : container of str
        Names of switches; see ``clopos_nb.sandbox.fidelity``.
    closed : bool
        Describe objects as having no other fields. A client must not rely on that.

    Examples
    --------
    >>> description = describe()
    >>> description["openapi"], "/receipts/{id}/close" in description["paths"]
    ('3.1.0', True)
    """
    return _Description(fidelity, closed=closed).document()


class _Description:
    def __init__(self, fidelity: Container[str], *, closed: bool) -> None:
        self._fidelity = fidelity
        self._closed = closed
        self._schemas = Schemas(fidelity, closed=closed)

    def document(self) -> dict[str, Any]:
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Clopos sandbox",
                "version": "2",
                "summary": "A simulated Clopos Open API v2; not the vendor's service",
                "description": "Written from public documentation for the clopos_nb project. "
                "Inventory and finance reads have no published fields; theirs are made up.",
                "license": {"name": "MIT", "identifier": "MIT"},
            },
            "servers": [{"url": "/open-api/v2"}],
            "security": [{"token": []}],
            "paths": self._paths(),
            "components": {
                "schemas": {**self._schemas.components(), "Error": _ERROR},
                "securitySchemes": {
                    "token": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "x-token",
                        "description": "The bare JWT of POST /auth",
                    }
                },
                "parameters": {
                    "venue": {
                        "name": "x-venue",
                        "in": "header",
                        "description": "Venue id; the token's venue if absent",
                        "schema": _INTEGER,
                    }
                },
            },
        }

    def _paths(self) -> dict[str, Any]:
        paths: dict[str, Any] = {"/auth": {"post": self._auth()}}
        for resource in RESOURCES:
            path = "/" + "/".join(resource.path)
            paths[path] = {"get": self._list(resource, path)}
            if resource.single:
                paths[f"{path}/{{id}}"] = {"get": self._single(resource, f"{path}/{{id}}")}
        receipt = next(r for r in RESOURCES if r.name == "receipts")
        paths["/receipts/cid/{cid}"] = {"get": self._single(receipt, "/receipts/cid/{cid}")}
        paths["/receipts/{id}/stock-operations"] = {"get": self._stock_operations()}
        for path in INVENTORY:
            paths[f"/{path}"] = {"get": self._inventory(path)}
        self._add_writes(paths)
        return paths

    def _auth(self) -> dict[str, Any]:
        fields = ("client_id", "client_secret", "brand", "integrator_id")
        body = {
            "type": "object",
            "properties": dict.fromkeys(fields, _TEXT),
            "required": list(fields),
        }
        answer = self._schemas.object(facts()["auth"])
        refusals = {c: t for c, t in _REFUSALS.items() if c in ("400", "401", "403", "405", "429")}
        return {
            "operationId": "auth",
            "summary": "Log in",
            "security": [],
            "requestBody": _json_body(body),
            "responses": {
                # A test integrator at a live brand is refused with 200.
                "200": _answer("The token", {"anyOf": [answer, ref("Error")]}),
                **_refusals(refusals, "415"),
            },
        }

    def _list(self, resource: Resource, path: str) -> dict[str, Any]:
        row = ref(NAMES[resource.name])
        if resource.selectable:
            row = {"anyOf": [row, ref(f"{NAMES[resource.name]}Columns")]}
        envelope = resource.envelope
        if envelope == "total" and "pagination_everywhere" in self._fidelity:
            envelope = "pagination"
        rows = {"type": "array", "items": row}
        bare = resource.envelope == "pagination" and "no_success" in self._fidelity
        body = self._envelope(rows, success=not bare, paging=envelope)
        return self._read(path, body, _list_parameters(resource), ())

    def _single(self, resource: Resource, path: str) -> dict[str, Any]:
        key = "cid" if "{cid}" in path else "id"
        kind: Schema = {"type": "string", "format": "uuid"} if key == "cid" else _INTEGER
        parameters = [
            _parameter(key, kind, where="path"),
            *_relations(resource, single=key == "id"),
        ]
        if resource.name == "categories":
            parameters.append(_parameter("include_children", {"type": "boolean"}))
        body = self._envelope(ref(NAMES[resource.name]), success=True, paging="bare")
        return self._read(path, body, parameters, ())

    def _stock_operations(self) -> dict[str, Any]:
        path = "/receipts/{id}/stock-operations"
        rows = {"type": "array", "items": ref("StockOperation")}
        full = "legacy_fields" in self._fidelity
        body = self._envelope(rows, success=full, paging="bare")
        return self._read(path, body, [_parameter("id", _INTEGER, where="path")], ())

    def _inventory(self, path: str) -> dict[str, Any]:
        kind: Schema = {"type": "string", "format": "uuid"} if "cash-shifts" in path else _INTEGER
        parameters = [_parameter("id", kind, where="path")] if "{id}" in path else []
        row: Schema = {"type": "object", "description": "Made up: no fields are published"}
        if is_object(path):
            body = self._envelope(row, success=True, paging="bare")
        else:
            paging = "pagination" if "pagination_everywhere" in self._fidelity else "total"
            body = self._envelope({"type": "array", "items": row}, success=True, paging=paging)
            parameters += _paging(200)
        return self._read(f"/{path}", body, parameters, ())

    def _read(
        self, path: str, body: Schema, parameters: list[Schema], extra: tuple[str, ...]
    ) -> dict[str, Any]:
        route = _route(path)
        operation: dict[str, Any] = {
            "operationId": _operation_id("get", path),
            "parameters": [{"$ref": "#/components/parameters/venue"}, *parameters],
            "responses": {"200": _answer("Success", body), **_refusals(_REFUSALS, *extra)},
        }
        if route.need.scope:
            operation["x-scope"] = route.need.scope
        if route.need.ability:
            operation["x-ability"] = route.need.ability
        if route.need.module:
            operation["x-module"] = route.need.module
        return operation

    def _envelope(self, data: Schema, *, success: bool, paging: str) -> Schema:
        properties: dict[str, Schema] = {"data": data}
        if success:
            properties = {"success": _SUCCESS, **properties}
            if "no_diagnostics" not in self._fidelity:
                properties |= _TIMES
        if paging == "pagination":
            properties["pagination"] = _PAGINATION
        elif paging == "total":
            properties["total"] = _INTEGER
            properties["sorts"] = {"type": "array", "items": _TEXT}
        schema: Schema = {
            "type": "object",
            "properties": properties,
            "required": list(properties),
        }
        if self._closed:
            schema["additionalProperties"] = False
        return schema

    def _written(self, data: Schema, message: str | None) -> Schema:
        schema = self._envelope(data, success=True, paging="bare")
        if message:
            schema["properties"]["message"] = {"type": "string", "const": message}
            schema["required"].append("message")
        return schema

    def _add_writes(self, paths: dict[str, Any]) -> None:
        customer = self._written(ref("Customer"), None)
        order = self._without_payload()
        created = order
        if "nested_order_answer" in self._fidelity:
            created = {
                "type": "object",
                "properties": {
                    "status": _TEXT,
                    "payload": {
                        "type": "object",
                        "properties": {"id": _INTEGER, "venue_id": _INTEGER},
                        "required": ["id", "venue_id"],
                    },
                },
                "required": ["status", "payload"],
            }
        payments = self._schemas.object(facts()["receipts"])["properties"]["payment_methods"]
        closed = {
            "type": "object",
            "properties": {"id": _INTEGER, "closed_at": _TEXT, "payment_methods": payments},
            "required": ["id", "closed_at", "payment_methods"],
        }
        key = _parameter("id", _INTEGER, where="path")
        status = "201" if "created_status" in self._fidelity else "200"
        statuses = (
            writes.CLIENT_ORDER_STATUSES if "any_order_status" in self._fidelity else ["IGNORE"]
        )
        put = {
            "type": "object",
            "properties": {"status": {"type": "string", "enum": list(statuses)}},
            "required": ["status"],
        }
        paths["/customers"]["post"] = self._write(
            "post", "/customers", _body(writes.CUSTOMER), customer, [], status, "409"
        )
        paths[_ORDER_PATH]["post"] = self._write(
            "post",
            _ORDER_PATH,
            _body(writes.ORDER),
            self._written(created, "Order created"),
            [],
            status,
        )
        paths["/orders/{id}"]["put"] = self._write(
            "put", "/orders/{id}", put, self._written(order, writes.CHANGED), [key]
        )
        paths["/receipts/{id}"]["patch"] = self._write(
            "patch",
            "/receipts/{id}",
            {**_body(writes.RECEIPT), "additionalProperties": False},
            self._written(ref("Receipt"), writes.CHANGED),
            [key],
        )
        paths["/receipts/{id}/close"] = {
            "post": self._write(
                "post",
                "/receipts/{id}/close",
                _body(writes.CLOSE),
                self._written(closed, "Receipt closed"),
                [key],
            )
        }
        called = {
            "type": "object",
            "properties": {"success": _SUCCESS},
            "required": ["success"],
            "additionalProperties": False,
        }
        call = _body(writes.WAITER_CALL)
        call["properties"]["type"]["enum"] = ["WAITER", "PAY"]
        paths["/waiter-call"] = {"post": self._write("post", "/waiter-call", call, called, [])}

    def _without_payload(self) -> Schema:
        order = self._schemas.object(facts()["orders"])
        properties = {n: s for n, s in order["properties"].items() if n != "payload"}
        required = [name for name in order["required"] if name != "payload"]
        return {**order, "properties": properties, "required": required}

    def _write(
        self,
        method: str,
        path: str,
        body: Schema,
        answer: Schema,
        parameters: list[Schema],
        status: str = "200",
        *extra: str,
    ) -> dict[str, Any]:
        return {
            "operationId": _operation_id(method, path),
            "parameters": [{"$ref": "#/components/parameters/venue"}, *parameters],
            "requestBody": _json_body(body),
            "responses": {
                status: _answer("Success", answer),
                **_refusals(_REFUSALS, "415", *extra),
            },
        }


def _route(path: str) -> Route:
    route = find_route(path.replace("{id}", "1"))
    if route is None:
        raise LookupError(path)
    return route


def _operation_id(method: str, path: str) -> str:
    words = [word.strip("{}").replace("-", "_") for word in path.split("/") if word]
    return "_".join([method, *words])


def _answer(text: str, schema: Schema) -> dict[str, Any]:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _refusals(texts: dict[str, str], *extra: str) -> dict[str, Any]:
    more = {"409": "A unique value is taken", "415": "The body is not declared as JSON"}
    every = texts | {code: more[code] for code in extra}
    return {code: _answer(text, ref("Error")) for code, text in sorted(every.items())}


def _json_body(schema: Schema) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def _parameter(name: str, schema: Schema, *, where: str = "query", text: str = "") -> Schema:
    found: Schema = {"name": name, "in": where, "schema": schema}
    if where == "path":
        found["required"] = True
    if text:
        found["description"] = text
    return found


def _paging(most: int) -> list[Schema]:
    size = {"type": "integer", "minimum": 1, "maximum": most, "default": DEFAULT_LIMIT}
    return [
        _parameter("page", {"type": "integer", "minimum": 1, "default": 1}),
        _parameter("limit", size),
    ]


def _list_parameters(resource: Resource) -> list[Schema]:
    found = [] if resource.envelope == "bare" else _paging(resource.max_limit)
    if resource.sorts and resource.name == "price_lists":
        found.append(_parameter("sort[0][0]", {"type": "string", "enum": list(resource.sorts)}))
        found.append(_parameter("sort[0][1]", {"type": "string", "enum": ["asc", "desc"]}))
    elif resource.sorts:
        found.append(_parameter("sort[0]", {"type": "string", "enum": list(resource.sorts)}))
        found.append(_parameter("sort[1]", {"type": "integer", "enum": [1, -1]}))
    if resource.is_log:
        day = {"type": "string", "format": "date"}
        found += [_parameter("date[0]", day), _parameter("date[1]", day)]
    found += _relations(resource, single=False)
    if resource.filters:
        found.append(
            _parameter("filters[0][0]", {"type": "string", "enum": list(resource.filters)})
        )
        found.append(_parameter("filters[0][1]", _TEXT))
    if resource.selectable:
        found.append(_parameter("selects", _TEXT, text="Columns, separated by commas"))
    return found + _PLAIN.get(resource.name, [])


_PLAIN: dict[str, list[Schema]] = {
    "orders": [_parameter("status", {"type": "string", "enum": list(ORDER_STATUSES)})],
    "categories": [
        _parameter("parent_id", _INTEGER),
        _parameter("type", {"type": "string", "enum": list(CATEGORY_TYPES)}),
        _parameter("include_children", {"type": "boolean", "default": True}),
        _parameter("include_inactive", {"type": "boolean", "default": False}),
    ],
    "stations": [
        _parameter("status", {"type": "integer", "enum": [0, 1]}),
        _parameter("can_print", {"type": "boolean"}),
    ],
}


def _relations(resource: Resource, *, single: bool) -> list[Schema]:
    paths: list[str] = []
    for path in resource.allowed_relations(single=single, legacy=False):
        parts = path.split(".")
        paths += [".".join(parts[: n + 1]) for n in range(len(parts))]
    if resource.name == "orders":
        paths.append("receipt:id,service_notification_id,status")
    if not paths:
        return []
    items = {"type": "string", "enum": list(dict.fromkeys(paths))}
    return [_parameter("with[]", {"type": "array", "items": items})]


def _body(fields: dict[str, Field]) -> Schema:
    properties = {name: _body_field(rule) for name, rule in fields.items()}
    required = [name for name, rule in fields.items() if rule.required]
    schema: Schema = {"type": "object", "properties": properties}
    return schema | ({"required": required} if required else {})


def _body_field(rule: Field) -> Schema:
    schema: Schema = {"type": [rule.kind, "null"] if rule.nullable else rule.kind}
    if rule.kind == "string" and rule.max_length < 100:
        schema["maxLength"] = rule.max_length
    if rule.kind == "array":
        schema["items"] = _body(dict(rule.fields or {}))
        if rule.min_items:
            schema["minItems"] = rule.min_items
    elif rule.fields is not None:
        schema |= _body(dict(rule.fields))
        schema["type"] = rule.kind
    bounds: dict[str, Schema] = {
        "at least 0": {"minimum": 0},
        "above 0": {"exclusiveMinimum": 0},
        "YYYY-MM-DD": {"format": "date"},
        "a valid UUID": {"format": "uuid"},
        "non-empty": {"minLength": 1},
    }
    return schema | bounds.get(
        rule.rule, {"description": f"Must be {rule.rule}"} if rule.rule else {}
    )


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(describe()), indent=1) + b"\n")
