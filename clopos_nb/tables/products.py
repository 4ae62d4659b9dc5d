"""Products and what is nested in them: variants, add-ons, recipes, packages, codes, taxes."""

from dataclasses import replace

from clopos_nb.tables.model import Column, Table, child_of, columns

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
    unread=("modifications", "modificator_groups", "recipe", "packages", "taxes", "codes"),
    fields=columns("""
        id              int     product id
        parent_id       int     the product this is a variant of
        station_id      int     where it is prepared
        category_id     int
        unit_id         int
        type            text {GOODS, DISH, TIMER, PREPARATION, INGREDIENT, MODIFICATION}
        name            text
        parent_name     text
        full_name       text    name with the parent's
        position        int
        barcode         text    deprecated by the API
        gov_code        text    tax code
        status          int {0, 1} 1 active, 0 inactive
        hidden          flag
        sold_by_weight  flag
        discountable    flag
        giftable        flag
        has_modifications flag  has variants, and only those are sold
        description     text
        price           money
        cost_price      money
        cooking_time    int     minutes
        inventory_behavior int {0, 1, 3} 0 takes its ingredients from stock, 1 itself, 3 nothing
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
        unit            json
        tags            json
        category        json
        station         json
    """),
)

_OF_A_PRODUCT = (Column("product_id", "int", ("product_id",), "the product's id"),)
_FROM_THE_PRODUCT = (("product_id", "id"),)
_NESTED = columns("""
    optional:
    modifications   json
    modificator_groups json
    recipe          json
    packages        json
    taxes           json
""")

MODIFICATIONS = child_of(
    PRODUCTS,
    name="modifications",
    meaning="variants of products; where there are any, only these are sold",
    key=("product_id", "id"),
    relations=("modifications", "modifications.codes"),
    nested=("modifications",),
    inherited=_FROM_THE_PRODUCT,
    fields=(*_OF_A_PRODUCT, *PRODUCTS.fields, *columns("codes json barcodes"), *_NESTED),
)

MODIFICATOR_GROUPS = child_of(
    PRODUCTS,
    name="modificator_groups",
    meaning="groups of add-ons that a dish offers",
    key=("product_id", "id"),
    relations=("modificator_groups",),
    nested=("modificator_groups",),
    inherited=_FROM_THE_PRODUCT,
    unread=("modificators",),
    fields=columns(
        """
        id          int     group id
        name        text
        type        int {0, 1} 1 one may be chosen, 0 several
        min_select  int     how many at least
        max_select  int     how many at most
        optional:
        status      flag
        adjust_to_portion flag
        meta        json
        pivot       json
        created_at  utc
        updated_at  utc
        deleted_at  utc
    """,
        inherited=_OF_A_PRODUCT,
    ),
)

MODIFICATORS = child_of(
    MODIFICATOR_GROUPS,
    name="modificators",
    meaning="add-ons to choose from, by product and group",
    key=("product_id", "modificator_group_id", "id"),
    relations=("modificator_groups",),
    nested=("modificators",),
    inherited=(("modificator_group_id", "id"), ("product_id", "product_id")),
    fields=columns(
        """
        id          int     add-on id
        name        text
        price       money   added to the dish's
        ingredient  json    what it takes from stock
        optional:
        dish_id     int
        ingredient_id int
        group_id    int
        image       json
        cost_price  money
        brutto      number
        default_count int
        min_count   int
        max_count   int
        status      flag
        position    int
        meta        json
        media       json
        created_at  utc
        updated_at  utc
        deleted_at  utc
    """,
        inherited=(
            *_OF_A_PRODUCT,
            Column("modificator_group_id", "int", ("modificator_group_id",), "the group's id"),
        ),
    ),
)

RECIPES = child_of(
    PRODUCTS,
    name="recipes",
    meaning="what a dish or preparation is made of",
    key=("product_id", "line"),
    relations=("recipe",),
    nested=("recipe",),
    inherited=_FROM_THE_PRODUCT,
    hoisted="pivot",
    fields=(
        *_OF_A_PRODUCT,
        *columns("""
            line        int     place within the recipe, from 1
            ingredient_id int   the ingredient's product id
            name        text
            gross       number  quantity before preparation
            net         number  quantity after it
            optional:
            dish_id     int
            net_put     number
        """),
        *(replace(c, optional=True) for c in PRODUCTS.fields if c.name != "name"),
        *columns("optional:\n codes json"),
        *_NESTED,
    ),
)

PACKAGES = child_of(
    PRODUCTS,
    name="packages",
    meaning="packages that an ingredient is bought in",
    key=("product_id", "id"),
    relations=("packages",),
    nested=("packages",),
    inherited=_FROM_THE_PRODUCT,
    fields=columns(
        """
        id          int     package id
        name        text
        equal       number  how many base units it holds
    """,
        inherited=_OF_A_PRODUCT,
    ),
)

PRODUCT_CODES = child_of(
    PRODUCTS,
    name="product_codes",
    meaning="barcodes of products; the API does not document their fields",
    key=("product_id", "line"),
    relations=("codes",),
    nested=("codes",),
    inherited=_FROM_THE_PRODUCT,
    inferred=True,
    fields=columns(
        """
        line        int     place within the product, from 1
    """,
        inherited=_OF_A_PRODUCT,
    ),
)

PRODUCT_TAXES = child_of(
    PRODUCTS,
    name="product_taxes",
    meaning="taxes of products",
    key=("product_id", "id"),
    relations=("taxes",),
    nested=("taxes",),
    inherited=_FROM_THE_PRODUCT,
    fields=columns(
        """
        id          int     tax id
        name        text
        rate        number  percent
        optional:
        type_id     int
        rounding_option text
        priority    int
        calculation_type int
        is_default  flag
        status      int {0, 1} 1 active, 0 inactive
        meta        json
        tax_type_id = type.id int
        type.name   text
        has_sale_types flag
        sale_types  json
        created_at  utc
        updated_at  utc
        deleted_at  utc
    """,
        inherited=_OF_A_PRODUCT,
    ),
)
