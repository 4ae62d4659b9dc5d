"""The catalogue: what every table is, as data.

A table is what ``frame()`` returns. It is either a list endpoint (``receipts``) or the rows nested
in one (``receipt_products``, whose parent is ``receipts``). The definitions in the modules beside
this one say where a table comes from and which columns it has; :mod:`clopos_nb.frames` and
:mod:`clopos_nb.fetch` do the work.
"""

from clopos_nb.tables import menu, orders, people, prices, products, receipts, selling
from clopos_nb.tables.catalogue import Catalogue, close_names
from clopos_nb.tables.model import Column, Table

__all__ = ["CATALOGUE", "Catalogue", "Column", "Table", "close_names"]

CATALOGUE = Catalogue(
    [
        people.VENUES,
        people.USERS,
        people.CUSTOMERS,
        people.CUSTOMER_GROUPS,
        menu.CATEGORIES,
        menu.STATIONS,
        products.PRODUCTS,
        products.MODIFICATIONS,
        products.MODIFICATOR_GROUPS,
        products.MODIFICATORS,
        products.RECIPES,
        products.PACKAGES,
        products.PRODUCT_CODES,
        products.PRODUCT_TAXES,
        menu.STOP_LIST,
        prices.PRICE_LISTS,
        prices.PRICES,
        selling.SALE_TYPES,
        selling.SALE_TYPE_VENUES,
        selling.PAYMENT_METHODS,
        selling.PAYMENT_METHOD_VENUES,
        orders.ORDERS,
        orders.ORDER_PRODUCTS,
        orders.ORDER_MODIFICATORS,
        receipts.RECEIPTS,
        receipts.RECEIPT_PRODUCTS,
        receipts.RECEIPT_MODIFICATORS,
        receipts.RECEIPT_TAXES,
        receipts.RECEIPT_PAYMENTS,
        receipts.STOCK_OPERATIONS,
    ]
)
