"""From a validated request to data: what each documented GET answers with."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from clopos_nb.sandbox import query
from clopos_nb.sandbox.answers import Body, Refusal, reject, slug, upstream_not_found
from clopos_nb.sandbox.lists import Lists, flat
from clopos_nb.sandbox.query import Page, Tree
from clopos_nb.sandbox.resources import (
    BY_NAME,
    CATEGORY_TYPES,
    ORDER_STATUSES,
    RESOURCES,
    Resource,
    Row,
    as_text,
)
from clopos_nb.sandbox.shapes import Project, projection, wanted
from clopos_nb.sandbox.source import Source

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


@dataclass(frozen=True)
class Route:
    """Where a path leads: a list, one object by id or cid, or a receipt's stock operations."""

    kind: str
    resource: Resource
    key: str = ""


def find_route(path: str) -> Route | None:
    """Return what a path below the base URL means, or None when nothing answers there."""
    parts = tuple(path.strip("/").split("/"))
    for resource in RESOURCES:
        if parts == resource.path:
            return Route("list", resource)
    match parts:
        case ("receipts", "cid", key):
            return Route("cid", BY_NAME["receipts"], key)
        case ("receipts", key, "stock-operations"):
            return Route("stock", BY_NAME["receipts"], key)
        case (name, key) if (found := _with_singles(name)) is not None:
            return Route("single", found, key)
    return None


def _with_singles(name: str) -> Resource | None:
    return next((r for r in RESOURCES if r.single and r.path == (name,)), None)


class Endpoints:
    """Answers a route with data of one brand.

    Parameters
    ----------
    source : Source
        The brand.
    legacy : bool
        Emit the fields, relations and error shapes of older pages and of the observed live service.
    """

    def __init__(self, source: Source, *, legacy: bool) -> None:
        self._source = source
        self._legacy = legacy
        self._lists = Lists(source)

    def answer(self, route: Route, venue_id: int, tree: Tree) -> Body:
        """Return the body, without diagnostics; raise ``Refusal`` for what cannot be answered."""
        if route.kind == "stock":
            return self._stock_operations(route, venue_id)
        if route.kind == "cid":
            return self._receipt_by_cid(route, venue_id, tree)
        if route.kind == "single":
            return self._single(route, venue_id, tree)
        if route.resource.name == "stop_list":
            return self._stop_list(route.resource, venue_id, tree)
        return self._list(route.resource, venue_id, tree)

    def _list(self, resource: Resource, venue_id: int, tree: Tree) -> Body:
        if resource.envelope == "bare":
            rows = self._lists.rows(resource, venue_id)
            return {"success": True, "data": self._project_all(rows, resource, tree)}
        page = query.page(tree, resource.max_limit)
        order = self._order(resource, tree)
        conditions = _conditions(resource, tree)
        if resource.is_log:
            rows, total = self._lists.log_page(
                resource, venue_id, query.days(tree), conditions, order, page
            )
        else:
            everything = self._candidates(resource, venue_id, tree)
            rows, total = self._lists.page(resource, everything, conditions, order, page)
        body: Body = {"success": True, "data": self._project_all(rows, resource, tree)}
        if resource.envelope == "pagination":
            return body | {"pagination": _pagination(page, total)}
        return body | {"total": total, "sorts": list(resource.sorts)}

    def _order(self, resource: Resource, tree: Tree) -> query.Sort | None:
        if resource.name == "price_lists":
            return query.nested_sort(tree, resource.sorts)
        return query.sort(tree, resource.sorts, "created_at" if resource.is_log else "id")

    def _candidates(self, resource: Resource, venue_id: int, tree: Tree) -> list[Row]:
        rows = self._lists.rows(resource, venue_id)
        if resource.name == "categories":
            return _categories(rows, tree)
        if resource.name == "stations":
            return _stations(rows, tree)
        return rows

    def _stop_list(self, resource: Resource, venue_id: int, tree: Tree) -> Body:
        rows = self._lists.rows(resource, venue_id)
        ids = _stop_list_ids(tree)
        if ids is not None:
            rows = [row for row in rows if row["id"] in ids]
        return {"success": True, "data": self._project_all(rows, resource, tree)}

    def _single(self, route: Route, venue_id: int, tree: Tree) -> Body:
        resource = route.resource
        row = self._lists.find(resource, venue_id, self._single_key(route))
        if row is None:
            raise self._not_found(resource, route.key)
        if resource.name == "categories":
            children = query.flag(tree, "include_children", default=True)
            row = row if children else row | {"children": []}
        return {"success": True, "data": self._projection(resource, tree, single=True)(row)}

    def _single_key(self, route: Route) -> int | str:
        number = query.integer(route.key)
        if number is not None:
            return number
        if route.resource.name == "products" and _UUID.fullmatch(route.key):
            return str(uuid.UUID(route.key))
        if route.resource.name == "orders":
            # The one path id documented as a string: any text is well formed, and finds nothing.
            raise self._not_found(route.resource, route.key)
        kind = "an integer or a UUID" if route.resource.name == "products" else "an integer"
        return reject(f"id must be {kind}")

    def _receipt_by_cid(self, route: Route, venue_id: int, tree: Tree) -> Body:
        if not _UUID.fullmatch(route.key):
            reject("cid must be a valid UUID")
        log = self._source.log("receipts", venue_id)
        row = log.get_by_cid(route.key.lower())
        if row is None:
            raise self._not_found(route.resource, route.key)
        return {"success": True, "data": self._projection(route.resource, tree, single=True)(row)}

    def _stock_operations(self, route: Route, venue_id: int) -> Body:
        number = query.integer(route.key)
        if number is None:
            reject("id must be an integer")
        rows = self._source.stock_operations(venue_id, number)
        if rows is None:
            raise self._not_found(route.resource, route.key)
        project = projection("stock_operations", legacy=self._legacy)
        body: Body = {"data": [project(row) for row in rows]}
        return {"success": True} | body if self._legacy else body

    def _project_all(self, rows: Iterable[Row], resource: Resource, tree: Tree) -> list[Row]:
        project = self._projection(resource, tree, single=False)
        return [project(row) for row in rows]

    def _projection(self, resource: Resource, tree: Tree, *, single: bool) -> Project:
        allowed = resource.allowed_relations(single=single, legacy=self._legacy)
        want = wanted(query.relations(tree), allowed)
        columns = query.selects(tree) if resource.selectable and not single else []
        if columns:
            kept = (*resource.selectable, *(c for c in columns if c not in resource.selectable))
            want = type(want)(kept, want.children)
        return projection(resource.name, want, legacy=self._legacy)

    def _not_found(self, resource: Resource, key: object) -> Refusal:
        if self._legacy:
            return upstream_not_found(resource.model, key)
        return slug(404, resource.error, f"{resource.title} not found")


def _conditions(resource: Resource, tree: Tree) -> list[tuple[str, list[str]]]:
    asked = [(name, values) for name, values in query.filters(tree) if name in resource.filters]
    if resource.name == "orders" and tree.get("status"):
        _one_of(tree["status"], "status", ORDER_STATUSES)
        asked.append(("status", [tree["status"]]))
    if resource.name == "categories":
        if tree.get("type"):
            asked.append(("type", [_one_of(tree["type"], "type", CATEGORY_TYPES)]))
        for name, values in asked:
            for value in values:
                _one_of(value, name, CATEGORY_TYPES)
    return asked


def _one_of(value: Any, name: str, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        reject(f"{name} must be one of {', '.join(allowed)}")
    return value


def _pagination(page: Page, total: int) -> dict[str, int]:
    return {
        "page": page.number,
        "per_page": page.size,
        "total": total,
        "total_pages": math.ceil(total / page.size),
    }


def _categories(roots: list[Row], tree: Tree) -> list[Row]:
    inactive = query.flag(tree, "include_inactive", default=False)
    children = query.flag(tree, "include_children", default=True)
    if tree.get("parent_id"):
        parent = query.integer(tree["parent_id"])
        if parent is None:
            reject("parent_id must be an integer")
        roots = [row for row in flat(roots) if row["parent_id"] == parent]
    return [
        _prune(row, inactive=inactive, children=children) for row in roots if _active(row, inactive)
    ]


def _active(row: Row, inactive: bool) -> bool:
    return inactive or as_text(row["status"]) == "1"


def _prune(row: Row, *, inactive: bool, children: bool) -> Row:
    kept = row["children"] if children else []
    return row | {
        "children": [
            _prune(child, inactive=inactive, children=True)
            for child in kept
            if _active(child, inactive)
        ]
    }


def _stations(rows: list[Row], tree: Tree) -> list[Row]:
    if tree.get("status"):
        status = tree["status"]
        if status not in ("0", "1"):
            reject("status must be 0 or 1")
        rows = [row for row in rows if as_text(row["status"]) == status]
    if tree.get("can_print"):
        printing = query.flag(tree, "can_print", default=True)
        rows = [row for row in rows if bool(row["printable"]) == printing]
    return rows


def _stop_list_ids(tree: Tree) -> set[int] | None:
    if "filters" not in tree:
        return None
    entries = query.filters(tree)
    ids = [query.integer(value) for name, values in entries if name == "id" for value in values]
    if not entries or None in ids:
        reject("Invalid filter parameters")
    if not any(name == "id" for name, _ in entries):
        return None
    return {number for number in ids if number is not None}
