"""Inventory and finance rows, whose fields the API publishes nowhere.

Names that the reference mentions are kept, enumerations are its own, and whatever follows from
receipts does so: deductions, payments, cash shifts and taxes are those of the newest receipts. The
rest is plausible and plainly marked.
"""

from __future__ import annotations

from collections.abc import Callable

from clopos_nb.sandbox.books.inventory.finance import Finance
from clopos_nb.sandbox.books.inventory.office import Office, Source
from clopos_nb.sandbox.books.inventory.operations import Operations
from clopos_nb.sandbox.books.inventory.stock import Stock
from clopos_nb.sandbox.brand import Brand
from clopos_nb.sandbox.brand.products import Row

_MARK = "invented shape"


def rows(books: Source, brand: Brand, resource: str, venue_id: int) -> list[Row]:
    """Return the rows of one of ``RESOURCES``, every one marked."""
    made = _RESOURCES[resource](_Rooms(Office(books, brand, venue_id)))
    return [{**row, "_sandbox": _MARK} for row in made]


class _Rooms:
    def __init__(self, office: Office) -> None:
        self.operations = Operations(office)
        self.stock = Stock(office, self.operations)
        self.finance = Finance(office)


_RESOURCES: dict[str, Callable[[_Rooms], list[Row]]] = {
    "stock": lambda of: of.stock.rows,
    "stock_total": lambda of: of.stock.total(),
    "stock_product": lambda of: of.stock.by_product(),
    "stock_product_group": lambda of: of.stock.by_category(),
    "stock_info": lambda of: of.stock.info(),
    "stock_operations": lambda of: of.stock.operations(),
    "stock_operation_products": lambda of: of.stock.operation_products(),
    "stock_operation_total": lambda of: of.stock.operation_total(),
    "storages": lambda of: of.stock.storages(),
    "operations": lambda of: of.operations.rows,
    "operation_items": lambda of: of.operations.items,
    "operation_statuses": lambda of: of.operations.statuses(),
    "operation_total": lambda of: of.operations.total(),
    "operation_item_total": lambda of: of.operations.item_total(),
    "suppliers": lambda of: of.operations.suppliers(),
    "supplier_total": lambda of: of.operations.supplier_total(),
    "finance_balances": lambda of: of.finance.balances,
    "finance_balance_list": lambda of: of.finance.balance_list(),
    "finance_balance_customer": lambda of: of.finance.customer_balances(),
    "finance_balance_date_states": lambda of: of.finance.date_states(),
    "finance_balance_transactions": lambda of: of.finance.transactions,
    "finance_transactions": lambda of: of.finance.transactions,
    "finance_cash_shifts": lambda of: of.finance.cash_shifts(),
    "finance_cash_shift_reports": lambda of: of.finance.cash_shift_reports(),
    "finance_categories": lambda of: of.finance.categories(),
    "finance_taxes": lambda of: of.finance.taxes(),
    "finance_tax_types": lambda of: of.finance.tax_types(),
    "finance_tax_report": lambda of: of.finance.tax_report(),
    "finance_tax_total": lambda of: of.finance.tax_total(),
}
RESOURCES = frozenset(_RESOURCES)
