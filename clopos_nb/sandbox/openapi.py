"""An OpenAPI 3.1 description of what the sandbox serves, written for this project.

``python -m clopos_nb.sandbox.openapi`` prints it; a running sandbox has it at ``/openapi.json``,
for the fidelity switches that are on.
"""

from __future__ import annotations

import sys
from collections.abc import Container
from typing import Any

import msgspec

from clopos_nb.sandbox import openapi_parts as parts
from clopos_nb.sandbox import writes
from clopos_nb.sandbox.facts import facts
from clopos_nb.sandbox.inventory import is_object
from clopos_nb.sandbox.resources import RESOURCES, Resource
from clopos_nb.sandbox.routes import INVENTORY, Route, find_route
from clopos_nb.sandbox.schemas import NAMES, Schema, Schemas, ref

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
        self._components = self._schemas.components()
        if "any_order_status" in fidelity:
            status = self._components["Order"]["properties"]["status"]
            status["enum"] = list(writes.CLIENT_ORDER_STATUSES)

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
                "schemas": {**self._components, "Error": parts.ERROR},
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
                        "schema": parts.INTEGER,
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
            "properties": dict.fromkeys(fields, parts.TEXT),
            "required": list(fields),
        }
        answer = self._schemas.object(facts()["auth"])
        refusals = {
            c: t for c, t in parts.REFUSALS.items() if c in ("400", "401", "403", "405", "429")
        }
        return {
            "operationId": "auth",
            "summary": "Log in",
            "security": [],
            "requestBody": parts.json_body(body),
            "responses": {
                # A test integrator at a live brand is refused with 200.
                "200": parts.answer("The token", {"anyOf": [answer, ref("Error")]}),
                **parts.refusals(refusals, "415"),
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
        return self._read(path, body, parts.list_parameters(resource), ())

    def _single(self, resource: Resource, path: str) -> dict[str, Any]:
        key = "cid" if "{cid}" in path else "id"
        kind: Schema = {"type": "string", "format": "uuid"} if key == "cid" else parts.INTEGER
        parameters = [
            parts.parameter(key, kind, where="path"),
            *parts.relations(resource, single=key == "id"),
        ]
        if resource.name == "categories":
            parameters.append(parts.parameter("include_children", {"type": "boolean"}))
        body = self._envelope(ref(NAMES[resource.name]), success=True, paging="bare")
        return self._read(path, body, parameters, ())

    def _stock_operations(self) -> dict[str, Any]:
        path = "/receipts/{id}/stock-operations"
        rows = {"type": "array", "items": ref("StockOperation")}
        full = "legacy_fields" in self._fidelity
        body = self._envelope(rows, success=full, paging="bare")
        return self._read(path, body, [parts.parameter("id", parts.INTEGER, where="path")], ())

    def _inventory(self, path: str) -> dict[str, Any]:
        kind: Schema = (
            {"type": "string", "format": "uuid"} if "cash-shifts" in path else parts.INTEGER
        )
        parameters = [parts.parameter("id", kind, where="path")] if "{id}" in path else []
        row: Schema = {"type": "object", "description": "Made up: no fields are published"}
        if is_object(path):
            body = self._envelope(row, success=True, paging="bare")
        else:
            paging = "pagination" if "pagination_everywhere" in self._fidelity else "total"
            body = self._envelope({"type": "array", "items": row}, success=True, paging=paging)
            parameters += parts.paging(200)
        return self._read(f"/{path}", body, parameters, ())

    def _read(
        self, path: str, body: Schema, parameters: list[Schema], extra: tuple[str, ...]
    ) -> dict[str, Any]:
        route = _route(path)
        refusals = parts.refusals(parts.REFUSALS, *extra)
        operation: dict[str, Any] = {
            "operationId": _operation_id("get", path),
            "parameters": [{"$ref": "#/components/parameters/venue"}, *parameters],
            "responses": {
                "200": parts.answer("Success", body),
                **refusals,
            },
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
            properties = {"success": parts.SUCCESS, **properties}
            if "no_diagnostics" not in self._fidelity:
                properties |= parts.TIMES
        if paging == "pagination":
            properties["pagination"] = parts.PAGINATION
        elif paging == "total":
            properties["total"] = parts.INTEGER
            properties["sorts"] = {"type": "array", "items": parts.TEXT}
        return self._object(properties)

    def _object(self, properties: dict[str, Schema]) -> Schema:
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
            made = dict.fromkeys(("id", "venue_id"), parts.INTEGER)
            made |= {name: order["properties"][name] for name in ("created_at", "updated_at")}
            created = self._object({"status": parts.TEXT, "payload": self._object(made)})
        receipt = self._components["Receipt"]["properties"]
        kept = {name: receipt[name] for name in ("id", "closed_at", "payment_methods")}
        kept["closed_at"] = {**kept["closed_at"], "type": "string"}  # never null here
        closed = self._object(kept)
        key = parts.parameter("id", parts.INTEGER, where="path")
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
            "post", "/customers", parts.body_schema(writes.CUSTOMER), customer, [], status, "409"
        )
        paths[_ORDER_PATH]["post"] = self._write(
            "post",
            _ORDER_PATH,
            parts.body_schema(writes.ORDER),
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
            parts.body_schema(writes.RECEIPT),
            self._written(ref("Receipt"), writes.CHANGED),
            [key],
        )
        paths["/receipts/{id}/close"] = {
            "post": self._write(
                "post",
                "/receipts/{id}/close",
                parts.body_schema(writes.CLOSE),
                self._written(closed, "Receipt closed"),
                [key],
            )
        }
        called = {
            "type": "object",
            "properties": {"success": parts.SUCCESS},
            "required": ["success"],
            "additionalProperties": False,
        }
        call = parts.body_schema(writes.WAITER_CALL)
        call["properties"]["type"]["enum"] = ["WAITER", "PAY"]
        paths["/waiter-call"] = {"post": self._write("post", "/waiter-call", call, called, [])}

    def _without_payload(self) -> Schema:
        order = self._components["Order"]
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
            "requestBody": parts.json_body(body),
            "responses": {
                status: parts.answer("Success", answer),
                **parts.refusals(parts.REFUSALS, "415", *extra),
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


if __name__ == "__main__":
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(describe()), indent=1) + b"\n")
