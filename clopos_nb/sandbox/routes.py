"""Every path the sandbox answers, with its methods and what it needs: data, not code."""

from __future__ import annotations

from dataclasses import dataclass

from clopos_nb.sandbox.permissions import Need
from clopos_nb.sandbox.resources import BY_NAME, RESOURCES, Resource

NO_NEED = Need()
_RECEIPT_BY_CID = Need("receipts:read", "RECEIPT_VIEW")
_RECEIPT_STOCK = Need("receipts:read")

_STOCK = Need("stock:read", "STOCK_VIEW")
_STOCK_OPERATIONS = Need("stock-operations:read", "STOCK_VIEW")
_OPERATIONS = Need("operations:read", "STOCK_VIEW")
_OPERATION_ITEMS = Need("operation-items:read", "STOCK_VIEW")
_STORAGES = Need("storages:read", "STOCK_STORAGE_VIEW")
_SUPPLIERS = Need("suppliers:read", "STOCK_SUPPLIER_VIEW")
_BALANCES = Need("finance-balances:read", "FINANCE_BALANCE_VIEW")
_SHIFTS = Need("finance-cash-shifts:read", "CASH_SHIFT_VIEW", "cash_shift")
_FINANCE_CATEGORIES = Need("finance-categories:read", "FINANCE_CATEGORY_VIEW")
_TAXES = Need("finance-taxes:read", "TAX_VIEW")
_TAX_REPORTS = Need("finance-taxes:read", "TAX_REPORT_SHOW")
_TRANSACTIONS = Need("finance-transactions:read", "FINANCE_TRANSACTION_VIEW")

INVENTORY: dict[str, Need] = {
    "stock": _STOCK,
    "stock/total": _STOCK,
    "stock/product": _STOCK,
    "stock/product-group": _STOCK,
    "stock/info": _STOCK,
    "stock/{id}": _STOCK,
    "stock-operations": _STOCK_OPERATIONS,
    "stock-operations/products": _STOCK_OPERATIONS,
    "stock-operations/total": _STOCK_OPERATIONS,
    "stock-operations/{id}": _STOCK_OPERATIONS,
    "operations": _OPERATIONS,
    "operations/statuses": _OPERATIONS,
    "operations/total": _OPERATIONS,
    "operations/{id}": _OPERATIONS,
    "operations/{id}/items": _OPERATIONS,
    "operation-items": _OPERATION_ITEMS,
    "operation-items/total": _OPERATION_ITEMS,
    "storages": _STORAGES,
    "storages/{id}": _STORAGES,
    "suppliers": _SUPPLIERS,
    "suppliers/total": _SUPPLIERS,
    "suppliers/{id}": _SUPPLIERS,
    "finance/balances": _BALANCES,
    "finance/balances/list": _BALANCES,
    "finance/balances/customer": _BALANCES,
    "finance/balances/date-states": _BALANCES,
    "finance/balances/transactions": _BALANCES,
    "finance/balances/{id}": _BALANCES,
    "finance/cash-shifts": _SHIFTS,
    "finance/cash-shifts/{id}": _SHIFTS,
    "finance/cash-shifts/{id}/report": _SHIFTS,
    "finance/categories": _FINANCE_CATEGORIES,
    "finance/categories/{id}": _FINANCE_CATEGORIES,
    "finance/taxes": _TAXES,
    "finance/taxes/types": _TAXES,
    "finance/taxes/report": _TAX_REPORTS,
    "finance/taxes/total": _TAX_REPORTS,
    "finance/taxes/{id}": _TAXES,
    "finance/transactions": _TRANSACTIONS,
    "finance/transactions/{id}": _TRANSACTIONS,
}
"""The inventory and finance reads: named paths before the ``{id}`` they would match too."""

_INVENTORY_PARTS = {tuple(path.split("/")): path for path in INVENTORY}


@dataclass(frozen=True)
class Route:
    """Where a path leads.

    ``kind`` is ``list``, ``single``, ``cid``, ``stock`` (a receipt's operations), ``close``,
    ``waiter_call`` or ``inventory``, whose ``path`` is a key of ``INVENTORY``. ``key`` is what
    stood in place of an id.
    """

    kind: str
    methods: tuple[str, ...] = ("GET",)
    resource: Resource | None = None
    key: str = ""
    path: str = ""
    need: Need = NO_NEED


def find_route(path: str) -> Route | None:
    """Return what a path below the base URL means, or None when nothing answers there."""
    parts = tuple(path.strip("/").split("/"))
    for resource in RESOURCES:
        if parts == resource.path:
            writes = ("POST",) if resource.name in ("customers", "orders") else ()
            return Route("list", ("GET", *writes), resource)
    match parts:
        case ("receipts", "cid", key):
            return Route("cid", ("GET",), BY_NAME["receipts"], key, need=_RECEIPT_BY_CID)
        case ("receipts", key, "stock-operations"):
            return Route("stock", ("GET",), BY_NAME["receipts"], key, need=_RECEIPT_STOCK)
        case ("receipts", key, "close"):
            return Route("close", ("POST",), BY_NAME["receipts"], key)
        case ("waiter-call",):
            return Route("waiter_call", ("POST",), need=Need(module="restaurant_emenu"))
        case (name, key) if (found := _with_singles(name)) is not None:
            writes = {"orders": ("PUT",), "receipts": ("PATCH",)}.get(name, ())
            return Route("single", ("GET", *writes), found, key)
    return _inventory_route(parts)


def listing() -> list[tuple[str, str]]:
    """Return the methods and the path of every endpoint, ``{id}`` standing for an id."""
    paths = ["/auth"]
    for resource in RESOURCES:
        path = "/" + "/".join(resource.path)
        paths += [path, f"{path}/{{id}}"] if resource.single else [path]
    paths += ["/receipts/cid/{cid}", "/receipts/{id}/stock-operations", "/receipts/{id}/close"]
    paths += ["/waiter-call", *(f"/{path}" for path in INVENTORY)]
    return [(_methods(path), path) for path in paths]


def _methods(path: str) -> str:
    route = find_route(path)
    return " ".join(route.methods) if route else "POST"


def _with_singles(name: str) -> Resource | None:
    return next((r for r in RESOURCES if r.single and r.path == (name,)), None)


def _inventory_route(parts: tuple[str, ...]) -> Route | None:
    for pattern, path in _INVENTORY_PARTS.items():
        if len(pattern) == len(parts) and all(
            want in ("{id}", got) for want, got in zip(pattern, parts, strict=True)
        ):
            key = parts[pattern.index("{id}")] if "{id}" in pattern else ""
            return Route("inventory", key=key, path=path, need=INVENTORY[path])
    return None
