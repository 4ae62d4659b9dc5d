"""The catalogue: what every table is, as data.

A table is what ``frame()`` returns. It is either a list endpoint (``receipts``) or the rows nested
in one (``receipt_products``, whose parent is ``receipts``). The definitions in the modules beside
this one say where a table comes from and which columns it has; :mod:`clopos_nb.frames` and
:mod:`clopos_nb.fetch` do the work.
"""

from clopos_nb.tables.catalogue import Catalogue, close_names
from clopos_nb.tables.menu import CATEGORIES, PRODUCTS, STOP_LIST
from clopos_nb.tables.model import Column, Table
from clopos_nb.tables.people import CUSTOMERS, USERS, VENUES
from clopos_nb.tables.sales import (
    ORDER_PRODUCTS,
    ORDERS,
    PAYMENT_METHODS,
    RECEIPT_PAYMENTS,
    RECEIPT_PRODUCTS,
    RECEIPTS,
    SALE_TYPES,
)

__all__ = ["CATALOGUE", "Catalogue", "Column", "Table", "close_names"]

CATALOGUE = Catalogue(
    [
        VENUES,
        USERS,
        CUSTOMERS,
        CATEGORIES,
        PRODUCTS,
        STOP_LIST,
        SALE_TYPES,
        PAYMENT_METHODS,
        ORDERS,
        ORDER_PRODUCTS,
        RECEIPTS,
        RECEIPT_PRODUCTS,
        RECEIPT_PAYMENTS,
    ]
)
