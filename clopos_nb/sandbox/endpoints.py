"""From a validated request to data: what each documented GET answers with."""

from __future__ import annotations

import math
import re
import uuid
from typing import Any

import msgspec

from clopos_nb.sandbox import query
from clopos_nb.sandbox.answers import Body, Refusal, reject, slug, upstream_not_found
from clopos_nb.sandbox.fidelity import Fidelity
from clopos_nb.sandbox.inventory import Inventory
from clopos_nb.sandbox.lists import Cut, Lists, encode_rows, flat
from clopos_nb.sandbox.query import Page, Tree
from clopos_nb.sandbox.resources import (
    CATEGORY_TYPES,
    ORDER_STATUSES,
    Resource,
    Row,
    as_text,
)
from clopos_nb.sandbox.routes import Route
from clopos_nb.sandbox.shapes import Project, Wanted, parts, projection, wanted
from clopos_nb.sandbox.source import Source

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


class Endpoints:
    """Answers a route with data of one brand.

    Parameters
    ----------
    source : Source
        The brand.
    fidelity : Fidelity
        Which of the coexisting shapes to emit; read at every request.
    """

    def __init__(self, source: Source, fidelity: Fidelity) -> None:
        self._source = source
        self._fidelity = fidelity
        self._lists = Lists(source)
        self._inventory = Inventory(source, self._plain_page)

    def answer(self, route: Route, venue_id: int, tree: Tree) -> Body:
        """Return the body, without diagnostics; raise ``Refusal`` for what cannot be answered."""
        if route.kind == "stock":
            return self._stock_operations(route, venue_id)
        if route.kind == "cid":
            return self._receipt_by_cid(route, venue_id, tree)
        if route.kind == "inventory":
            return self._inventory.answer(route, venue_id, tree)
        if route.kind == "single":
            return self._single(route, venue_id, tree)
        resource = _resource(route)
        if resource.name == "stop_list":
            return self._stop_list(resource, venue_id, tree)
        return self._list(resource, venue_id, tree)

    def _list(self, resource: Resource, venue_id: int, tree: Tree) -> Body:
        if resource.envelope == "bare":
            rows = self._lists.rows(resource, venue_id)
            return {"success": True, "data": encode_rows(rows, self._cut(resource, tree))}
        page = self._page(resource, tree)
        order = self._order(resource, tree)
        conditions = _conditions(resource, tree)
        cut = self._cut(resource, tree)
        if resource.is_log:
            found, total = self._lists.encoded_log_page(
                resource, venue_id, query.days(tree), conditions, order, page, cut
            )
        else:
            everything = self._candidates(resource, venue_id, tree)
            found, total = self._lists.encoded_page(
                resource, everything, conditions, order, page, cut
            )
        return self._envelope(resource, found, page, total)

    def _page(self, resource: Resource, tree: Tree) -> Page:
        strict = "strict_limits" in self._fidelity
        return query.page(tree, resource.max_limit, strict=strict)

    def _plain_page(self, resource: Resource, rows: list[Row], tree: Tree) -> Body:
        page = self._page(resource, tree)
        order = query.sort(tree, resource.sorts, "id")
        cut = Cut(lambda row: row)
        found, total = self._lists.encoded_page(resource, rows, [], order, page, cut)
        return self._envelope(resource, found, page, total)

    def _envelope(self, resource: Resource, rows: msgspec.Raw, page: Page, total: int) -> Body:
        if resource.envelope == "pagination":
            body: Body = {"data": rows, "pagination": _pagination(page, total)}
            return body if "no_success" in self._fidelity else {"success": True} | body
        if "pagination_everywhere" in self._fidelity:
            return {"success": True, "data": rows, "pagination": _pagination(page, total)}
        return {"success": True, "data": rows, "total": total, "sorts": list(resource.sorts)}

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
        return {"success": True, "data": encode_rows(rows, self._cut(resource, tree))}

    def _single(self, route: Route, venue_id: int, tree: Tree) -> Body:
        resource = _resource(route)
        row = self._lists.find(resource, venue_id, self._single_key(route))
        if row is None:
            raise self.not_found(resource, route.key)
        if resource.name == "categories":
            children = query.flag(tree, "include_children", default=True)
            row = row if children else row | {"children": []}
        return {"success": True, "data": self._projection(resource, tree)(row)}

    def _single_key(self, route: Route) -> int | str:
        number = query.integer(route.key)
        if number is not None:
            return number
        resource = _resource(route)
        if resource.name == "products" and _UUID.fullmatch(route.key):
            return str(uuid.UUID(route.key))
        if resource.name == "orders":
            # The one path id documented as a string: any text is well formed, and finds nothing.
            raise self.not_found(resource, route.key)
        kind = "an integer or a UUID" if resource.name == "products" else "an integer"
        return reject(f"id must be {kind}")

    def _receipt_by_cid(self, route: Route, venue_id: int, tree: Tree) -> Body:
        if not _UUID.fullmatch(route.key):
            reject("cid must be a valid UUID")
        log = self._source.log("receipts", venue_id)
        row = log.get_by_cid(route.key.lower())
        if row is None:
            raise self.not_found(_resource(route), route.key)
        return {"success": True, "data": self._projection(_resource(route), tree)(row)}

    def _stock_operations(self, route: Route, venue_id: int) -> Body:
        number = query.integer(route.key)
        if number is None:
            reject("id must be an integer")
        rows = self._source.stock_operations(venue_id, number)
        if rows is None:
            raise self.not_found(_resource(route), route.key)
        project = projection("stock_operations", fidelity=self._fidelity.names)
        body: Body = {"data": [project(row) for row in rows]}
        return {"success": True} | body if "legacy_fields" in self._fidelity else body

    def _cut(self, resource: Resource, tree: Tree) -> Cut:
        want = self._wanted(resource, tree, single=False)
        names = self._fidelity.names
        project = projection(resource.name, want, fidelity=names)
        return Cut(project, (resource.name, want.key(), names), parts(resource.name, want, names))

    def _projection(self, resource: Resource, tree: Tree) -> Project:
        want = self._wanted(resource, tree, single=True)
        return projection(resource.name, want, fidelity=self._fidelity.names)

    def _wanted(self, resource: Resource, tree: Tree, *, single: bool) -> Wanted:
        legacy = "legacy_fields" in self._fidelity
        allowed = resource.allowed_relations(single=single, legacy=legacy)
        want = wanted(query.relations(tree), allowed)
        columns = query.selects(tree) if resource.selectable and not single else []
        if columns:
            kept = (*resource.selectable, *(c for c in columns if c not in resource.selectable))
            want = Wanted(kept, want.children)
        return want

    def not_found(self, resource: Resource, key: object) -> Refusal:
        """Return the 404 of a resource, in the shape that is switched on."""
        if "live_errors" in self._fidelity:
            return upstream_not_found(resource.model, key)
        return slug(404, resource.error, f"{resource.title} not found")


def _resource(route: Route) -> Resource:
    # Only the paths of 5.18 and the waiter call have none, and they do not come here.
    assert route.resource is not None  # noqa: S101 - for the type checker
    return route.resource


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
