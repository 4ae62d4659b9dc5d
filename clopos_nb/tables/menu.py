"""The menu: categories, products and what is running out."""

from clopos_nb.tables.model import Table, columns

CATEGORIES = Table(
    name="categories",
    path="/categories",
    meaning="menu, ingredient and accounting categories, the tree flattened",
    limit=999,
    tree="children",
    parameters=("parent_id", "type", "include_children", "include_inactive"),
    server_filters=("parent_id", "type"),  # a child may differ from the root it hangs on
    fields=columns("""
        id          int     category id
        name        text
        status      int     1 active, 0 inactive
        hidden      flag    hidden from menus
        type        text    PRODUCT, INGREDIENT or ACCOUNTING
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

PRODUCTS = Table(
    name="products",
    path="/products",
    meaning="goods, dishes, timers, preparations and ingredients",
    limit=100,
    server_filters=(
        "tags",
        "haveIngredients",
        "sold_by_portion",
        "has_variants",
        "has_modifiers",
        "has_barcode",
        "has_service_charge",
    ),
    fields=columns("""
        id              int     product id
        parent_id       int     the product this is a variant of
        station_id      int     where it is prepared
        category_id     int
        unit_id         int
        type            text    GOODS, DISH, TIMER, PREPARATION, INGREDIENT, MODIFICATION (variant)
        name            text
        parent_name     text
        full_name       text    name with the parent's
        position        int
        barcode         text    deprecated by the API
        gov_code        text    tax code
        status          int     1 active, 0 inactive
        hidden          flag
        sold_by_weight  flag
        discountable    flag
        giftable        flag
        has_modifications flag  has variants, and only those are sold
        description     text
        price           number
        cost_price      number
        cooking_time    int     minutes
        inventory_behavior int  0 takes its ingredients from stock, 1 itself, 3 nothing
        low_stock       number
        unit_weight     number  kilograms of one unit
        venues          json    what differs by venue
        media           json    pictures
        created_at      local
        updated_at      local
        setting         json    a timer's prices
        optional:
        cid             text
        net_output      number
        image           json
        max_age         int
        meta            json
        emenu_category_id int
        emenu_position  int
        emenu_hidden    flag
        accounting_category_id int
        markup_rate     number  percent
        ignore_service_charge flag
        gross_margin    number  percent
        name_slug       text
        slug            text
        color           text
        is_inventory_behavior_changeable flag
        properties      json
        deleted_at      text
        modifications   json
        modificator_groups json
        recipe          json
        packages        json
        taxes           json
        unit            json
        tags            json
        codes           json
        category        json
        station         json
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
