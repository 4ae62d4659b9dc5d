"""The pieces that the OpenAPI description is put together from: parameters, bodies, answers."""

from __future__ import annotations

from typing import Any

from clopos_nb.sandbox.bodies import Field
from clopos_nb.sandbox.query import DEFAULT_LIMIT
from clopos_nb.sandbox.resources import CATEGORY_TYPES, ORDER_STATUSES, Resource
from clopos_nb.sandbox.schemas import Schema, ref

TEXT: Schema = {"type": "string"}
INTEGER: Schema = {"type": "integer"}
SUCCESS: Schema = {"type": "boolean", "const": True}
TIMES: dict[str, Schema] = {
    "time": {"type": "integer", "description": "Milliseconds the server took"},
    "timestamp": {"type": "string", "description": "UTC, YYYY-MM-DD HH:mm:ss"},
    "unix": {"type": "integer"},
}
PAGINATION: Schema = {
    "type": "object",
    "properties": dict.fromkeys(("page", "per_page", "total", "total_pages"), INTEGER),
    "required": ["page", "per_page", "total", "total_pages"],
}
ERROR: Schema = {
    "type": "object",
    "description": "error is a sentence, a slug or a list of objects; message is for people",
    "properties": {
        "success": {"type": "boolean", "const": False},
        "message": TEXT,
        "error": {
            "anyOf": [
                TEXT,
                {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {
                            "message": TEXT,
                            "type": TEXT,
                            "exception": TEXT,
                            "http_code": INTEGER,
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
REFUSALS = {
    "400": "A parameter or the body is wrong",
    "401": "The token is missing, invalid or expired",
    "403": "A scope, an ability or a module is missing",
    "404": "Absent in this brand and venue",
    "405": "Another method is wanted; see Allow",
    "429": "Too many requests; wait RateLimit-Reset seconds",
}


def answer(text: str, schema: Schema) -> dict[str, Any]:
    """Return one response of JSON."""
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def refusals(texts: dict[str, str], *extra: str) -> dict[str, Any]:
    """Return the responses that refuse; ``extra`` adds 409 or 415."""
    more = {"409": "A unique value is taken", "415": "The body is not declared as JSON"}
    every = texts | {code: more[code] for code in extra}
    return {code: answer(text, ref("Error")) for code, text in sorted(every.items())}


def json_body(schema: Schema) -> dict[str, Any]:
    """Return a request body."""
    return {"required": True, "content": {"application/json": {"schema": schema}}}


def parameter(name: str, schema: Schema, *, where: str = "query", text: str = "") -> Schema:
    """Return one parameter."""
    found: Schema = {"name": name, "in": where, "schema": schema}
    if where == "path":
        found["required"] = True
    if text:
        found["description"] = text
    return found


def paging(most: int) -> list[Schema]:
    """Return the parameters of a page."""
    size = {"type": "integer", "minimum": 1, "maximum": most, "default": DEFAULT_LIMIT}
    return [
        parameter("page", {"type": "integer", "minimum": 1, "default": 1}),
        parameter("limit", size),
    ]


def list_parameters(resource: Resource) -> list[Schema]:
    """Return every parameter of a list."""
    found = [] if resource.envelope == "bare" else paging(resource.max_limit)
    if resource.sorts and resource.name == "price_lists":
        found.append(parameter("sort[0][0]", {"type": "string", "enum": list(resource.sorts)}))
        found.append(parameter("sort[0][1]", {"type": "string", "enum": ["asc", "desc"]}))
    elif resource.sorts:
        found.append(parameter("sort[0]", {"type": "string", "enum": list(resource.sorts)}))
        found.append(parameter("sort[1]", {"type": "integer", "enum": [1, -1]}))
    if resource.is_log:
        day = {"type": "string", "format": "date"}
        found += [parameter("date[0]", day), parameter("date[1]", day)]
    found += relations(resource, single=False)
    if resource.filters:
        found.append(parameter("filters[0][0]", {"type": "string", "enum": list(resource.filters)}))
        found.append(parameter("filters[0][1]", TEXT))
    if resource.selectable:
        found.append(parameter("selects", TEXT, text="Columns, separated by commas"))
    return found + _PLAIN.get(resource.name, [])


_PLAIN: dict[str, list[Schema]] = {
    "orders": [parameter("status", {"type": "string", "enum": list(ORDER_STATUSES)})],
    "categories": [
        parameter("parent_id", INTEGER),
        parameter("type", {"type": "string", "enum": list(CATEGORY_TYPES)}),
        parameter("include_children", {"type": "boolean", "default": True}),
        parameter("include_inactive", {"type": "boolean", "default": False}),
    ],
    "stations": [
        parameter("status", {"type": "integer", "enum": [0, 1]}),
        parameter("can_print", {"type": "boolean"}),
    ],
}


def relations(resource: Resource, *, single: bool) -> list[Schema]:
    """Return the ``with[]`` of a resource, or nothing."""
    paths: list[str] = []
    for path in resource.allowed_relations(single=single, legacy=False):
        parts = path.split(".")
        paths += [".".join(parts[: n + 1]) for n in range(len(parts))]
    if resource.name == "orders":
        paths.append("receipt:id,service_notification_id,status")
    if not paths:
        return []
    items = {"type": "string", "enum": list(dict.fromkeys(paths))}
    return [parameter("with[]", {"type": "array", "items": items})]


def body_schema(fields: dict[str, Field]) -> Schema:
    """Return the schema of a body whose fields are checked by these rules."""
    properties = {name: _body_field(rule) for name, rule in fields.items()}
    required = [name for name, rule in fields.items() if rule.required]
    schema: Schema = {"type": "object", "properties": properties}
    return schema | ({"required": required} if required else {})


def _body_field(rule: Field) -> Schema:
    schema: Schema = {"type": [rule.kind, "null"] if rule.nullable else rule.kind}
    if rule.kind == "string" and rule.max_length < 100:
        schema["maxLength"] = rule.max_length
    if rule.kind == "array":
        schema["items"] = body_schema(dict(rule.fields or {}))
        if rule.min_items:
            schema["minItems"] = rule.min_items
    elif rule.fields is not None:
        schema |= body_schema(dict(rule.fields))
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
