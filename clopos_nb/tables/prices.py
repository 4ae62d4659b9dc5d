"""Price lists: other prices for some sales; the API does not say for which."""

from clopos_nb.tables.model import Table, columns

PRICE_LISTS = Table(
    name="price_lists",
    path="/price-lists",
    meaning="price lists; where they apply is not in the API",
    limit=999,
    sorts=("id", "name", "created_at"),
    unread=("prices",),
    fields=columns("""
        id          int     price list id
        name        text
        description text
        status      flag    active
        created_at  utc
        updated_at  utc
    """),
)

PRICES = Table(
    name="prices",
    path="/price-lists/prices",
    meaning="prices of products by price list",
    limit=999,
    fields=columns("""
        id          int     price id
        list_id     int     price list
        product_id  int
        price       money
        optional:
        product     json
        list        json
    """),
)
