"""The menu: categories, kitchen stations and what is running out."""

from clopos_nb.tables.model import Table, columns

CATEGORIES = Table(
    name="categories",
    path="/categories",
    meaning="menu, ingredient and accounting categories, the tree flattened",
    limit=999,
    tree="children",
    parameters=("parent_id", "type", "include_children", "include_inactive"),
    server_filters=(
        "parent_id",  # a child may differ from the root it hangs on
        "type",
        "include_children",
        "include_inactive",
    ),
    fields=columns("""
        id          int     category id
        name        text
        status      int {0, 1} 1 active, 0 inactive
        hidden      flag    hidden from menus
        type        text {PRODUCT, INGREDIENT, ACCOUNTING}
        position    int     order within its parent
        parent_id   int     the category above; empty at the root
        _lft        int     nested-set bound, renumbered on edits
        _rgt        int     nested-set bound, renumbered on edits
        depth       int     0 at the root
        path        text    the names from the root down, as in Drinks / Hot; made here
        color       text    hex, without #
        media       json    pictures
        created_at  utc
        updated_at  utc
        optional:
        slug        text
        code        text
        image       json
        meta        json
        properties  json
        emenu_position int
        emenu_hidden flag
        deleted_at  utc
    """),
)

STOP_LIST = Table(
    name="stop_list",
    path="/products/stop-list",
    meaning="products with a limit; a product not listed has none",
    scope="venue",
    fields=columns("""
        id          int     product id
        limit       number  what is left, 0 is out
        timestamp   ms      last change
    """),
)

STATIONS = Table(
    name="stations",
    path="/stations",
    meaning="where orders are prepared",
    limit=200,
    parameters=("status", "can_print"),
    server_filters=("can_print",),
    fields=columns("""
        id          int     station id
        name        text
        status      int {0, 1} 1 active, 0 inactive
        type        int {0, 1} 1 kitchen, 0 other
        printable   flag    prints tickets
        created_at  utc
        updated_at  utc
        optional:
        can_print   flag
        reminder_enabled flag
        description text
        meta        json
    """),
)
