"""The inventory and finance reads, whose fields the API does not publish.

The rows are the books' own invention, marked ``_sandbox``, and go out whole.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from clopos_nb.sandbox import query
from clopos_nb.sandbox.answers import Body, reject, slug
from clopos_nb.sandbox.query import Tree
from clopos_nb.sandbox.resources import Resource, Row
from clopos_nb.sandbox.routes import Route
from clopos_nb.sandbox.source import Source


@dataclass(frozen=True)
class _Plan:
    resource: str
    one: str = ""
    """Empty for a list; ``object`` for the only row; else the field that holds the path's id."""
    title: str = ""
    parent: str = ""
    """Of a list below an object: the resource that object is a row of."""


_PLANS: dict[str, _Plan] = {
    "stock": _Plan("stock"),
    "stock/total": _Plan("stock_total", "object"),
    "stock/product": _Plan("stock_product"),
    "stock/product-group": _Plan("stock_product_group"),
    "stock/info": _Plan("stock_info", "object"),
    "stock/{id}": _Plan("stock", "id", "Stock"),
    "stock-operations": _Plan("stock_operations"),
    "stock-operations/products": _Plan("stock_operation_products"),
    "stock-operations/total": _Plan("stock_operation_total", "object"),
    "stock-operations/{id}": _Plan("stock_operations", "id", "Stock operation"),
    "operations": _Plan("operations"),
    "operations/statuses": _Plan("operation_statuses"),
    "operations/total": _Plan("operation_total", "object"),
    "operations/{id}": _Plan("operations", "id", "Operation"),
    "operations/{id}/items": _Plan("operation_items", "operation_id", "Operation", "operations"),
    "operation-items": _Plan("operation_items"),
    "operation-items/total": _Plan("operation_item_total", "object"),
    "storages": _Plan("storages"),
    "storages/{id}": _Plan("storages", "id", "Storage"),
    "suppliers": _Plan("suppliers"),
    "suppliers/total": _Plan("supplier_total", "object"),
    "suppliers/{id}": _Plan("suppliers", "id", "Supplier"),
    "finance/balances": _Plan("finance_balances"),
    "finance/balances/list": _Plan("finance_balance_list"),
    "finance/balances/customer": _Plan("finance_balance_customer"),
    "finance/balances/date-states": _Plan("finance_balance_date_states"),
    "finance/balances/transactions": _Plan("finance_balance_transactions"),
    "finance/balances/{id}": _Plan("finance_balances", "id", "Balance"),
    "finance/cash-shifts": _Plan("finance_cash_shifts"),
    "finance/cash-shifts/{id}": _Plan("finance_cash_shifts", "id", "Cash shift"),
    "finance/cash-shifts/{id}/report": _Plan("finance_cash_shift_reports", "id", "Cash shift"),
    "finance/categories": _Plan("finance_categories"),
    "finance/categories/{id}": _Plan("finance_categories", "id", "Category"),
    "finance/taxes": _Plan("finance_taxes"),
    "finance/taxes/types": _Plan("finance_tax_types"),
    "finance/taxes/report": _Plan("finance_tax_report"),
    "finance/taxes/total": _Plan("finance_tax_total", "object"),
    "finance/taxes/{id}": _Plan("finance_taxes", "id", "Tax"),
    "finance/transactions": _Plan("finance_transactions"),
    "finance/transactions/{id}": _Plan("finance_transactions", "id", "Transaction"),
}

Lister = Callable[[Resource, list[Row], Tree], Body]


class Inventory:
    """Answers the reads of 5.18.

    Parameters
    ----------
    source : Source
        The brand.
    lister : callable
        Turns a resource, its rows and the query into the body of a page.
    """

    def __init__(self, source: Source, lister: Lister) -> None:
        self._source = source
        self._lister = lister

    def answer(self, route: Route, venue_id: int, tree: Tree) -> Body:
        """Return the body, without diagnostics; raise ``Refusal`` for what cannot be answered."""
        plan = _PLANS[route.path]
        key = _key(route)
        if plan.parent and not any(row["id"] == key for row in self._rows(plan.parent, venue_id)):
            raise slug(404, "not_found", f"{plan.title} not found")
        rows = self._rows(plan.resource, venue_id)
        if plan.one == "object":
            return {"success": True, "data": rows[0] if rows else {}}
        if plan.one and not plan.parent:
            return {"success": True, "data": _row(rows, plan, key)}
        if plan.parent:
            rows = [row for row in rows if row[plan.one] == key]
        return self._lister(_as_resource(plan.resource, rows), rows, tree)

    def _rows(self, name: str, venue_id: int) -> list[Row]:
        try:
            return self._source.rows(name, venue_id)
        except KeyError:
            raise slug(501, "not_implemented", "This sandbox's data has no such rows") from None


def _key(route: Route) -> int | str | None:
    if not route.key:
        return None
    if route.path.startswith("finance/cash-shifts/"):
        try:
            return str(uuid.UUID(route.key))
        except ValueError:
            reject("id must be a valid UUID")
    number = query.integer(route.key)
    if number is None:
        reject("id must be an integer")
    return number


def _row(rows: list[Row], plan: _Plan, key: int | str | None) -> Row:
    row = next((row for row in rows if row[plan.one] == key), None)
    if row is None:
        raise slug(404, "not_found", f"{plan.title} not found")
    return row


def _as_resource(name: str, rows: list[Row]) -> Resource:
    # What can be sorted by is what the rows hold as plain values; nothing is documented.
    row = rows[0] if rows else {}
    sorts = tuple(n for n, v in row.items() if n[0] != "_" and not isinstance(v, (dict, list)))
    return Resource(name, (), sorts=sorts)


def is_object(path: str) -> bool:
    """Whether a path of ``INVENTORY`` answers with one object instead of a list."""
    plan = _PLANS[path]
    return bool(plan.one) and not plan.parent
