"""Receipts and what is nested in them: lines, their add-ons and taxes, payments."""

from clopos_nb.tables.model import Column, Table, child_of, columns

RECEIPTS = Table(
    name="receipts",
    path="/receipts",
    meaning="receipts, open and closed, one row a receipt",
    limit=200,
    dated=True,
    sort=("created_at", 1),
    sorts=("created_at", "updated_at", "closed_at", "total"),
    scope="venue",
    fields=columns("""
        id              int     receipt id
        cid             text    key made by the till (UUID)
        venue_id        int
        customer_id     int
        sale_type_id    int
        source          text    pos, web, ...
        guests          int
        status          int {1, 2} 1 open, 2 closed
        order_status    text {NEW, SCHEDULED, IN_PROGRESS, READY, PICKED_UP, COMPLETED, CANCELLED}
        order_number    text    keeps its leading zeros
        lock            flag
        total           money  what the guest pays
        subtotal        money  before discounts, taxes and fees
        discount_type   int {0, 1, 2} 0 none, 1 percent, 2 amount
        discount_value  number  percent or amount, as discount_type says
        discount_rate   number
        total_discount  money
        service_charge  number  percent
        service_charge_value money  amount
        delivery_fee    money
        remaining       money  not paid yet
        i_tax           money  tax included in prices
        e_tax           money  tax added to prices
        total_tax       money
        fiscal_id       text
        loyalty_type    text
        loyalty_value   number
        address         text*
        description     text*
        created_at      local   opened
        updated_at      local
        closed_at       local   empty while open
        shift_date      date    business day
        optional:
        cash_shift_cid  text
        user_id         int
        open_by_user_id int
        close_by_user_id int
        courier_id      int
        seller_id       int
        terminal_id     int
        closed_terminal_id int
        service_notification_id int  the order it came from
        table_id        int
        hall_id         int
        is_returns      flag
        printed         flag
        inventory_status int
        report_status   int
        suspicion       int
        local_status    int
        customer_discount_type int
        gift_count      int
        original_subtotal money
        gift_total      money
        by_cash         money
        by_card         money
        rps_discount    money
        totalCost       money  cost of what was sold
        terminal_version text
        terminal_updated_at text
        deleted_at      text    set on deleted receipts
        meta            json*
        properties      json*
    """),
    unread=("payment_methods", "receipt_products"),
)

_OF_A_RECEIPT = (
    Column("receipt_id", "int", ("receipt_id",), "the receipt's id"),
    Column("venue_id", "int", ("venue_id",), "the receipt's venue"),
)
_FROM_THE_RECEIPT = (("receipt_id", "id"), ("venue_id", "venue_id"))

RECEIPT_PRODUCTS = child_of(
    RECEIPTS,
    name="receipt_products",
    meaning="lines of receipts",
    relations=("receipt_products",),
    nested=("receipt_products",),
    inherited=_FROM_THE_RECEIPT,
    unread=("modificators", "receipt_product_modificators", "taxes"),
    fields=columns(
        """
        id              int     line id
        cid             text
        product_id      int     the variant's id when a variant was sold
        count           number  quantity, a fraction for goods sold by weight
        portion_size    number
        price           money  unit price
        subtotal        money
        total           money  before the receipt's own discount
        is_gift         flag
        discount_type   int {0, 1, 2} 0 none, 1 percent, 2 amount
        discount_value  number
        discount_rate   number
        total_discount  money
        receipt_discount money  this line's share of the receipt's discount
        loyalty_type    text
        loyalty_value   number
        meta.product.name text  as it was when sold
        meta.product.type text
        meta.product.price money
        meta.product.barcode text
        created_at      local
        updated_at      local
        optional:
        meta.product.giftable flag
        meta.product.modifier_name text
        meta.product.discountable flag
        meta.product.sold_by_weight flag
        meta.product.priceWithoutTaxes money
        meta.product.taxes json
        meta.product.station.id int
        meta.product.station.name text
        meta.originalPrice money
        meta.total_gift money
        meta.discountedPrice money
        meta.terminal_updated_at ms
        product_hash    text
        preprint_count  int
        station_printed_count int
        station_aborted_count int
        seller_id       int
        cost            money
        product         json
        terminal_updated_at text
        deleted_at      text
    """,
        inherited=_OF_A_RECEIPT,
    ),
)

_OF_A_LINE = (
    Column("receipt_product_id", "int", ("receipt_product_id",), "the line's id"),
    *_OF_A_RECEIPT,
)
_FROM_THE_LINE = (
    ("receipt_product_id", "id"),
    ("receipt_id", "receipt_id"),
    ("venue_id", "venue_id"),
)

RECEIPT_MODIFICATORS = child_of(
    RECEIPT_PRODUCTS,
    name="receipt_modificators",
    meaning="add-ons of receipt lines; the API does not document their fields",
    key=("receipt_product_id", "line"),
    relations=("receipt_products", "receipt_products.modificators"),
    nested=("modificators|receipt_product_modificators",),
    inherited=_FROM_THE_LINE,
    inferred=True,
    fields=columns("line  int  place within the receipt line, from 1", inherited=_OF_A_LINE),
)

RECEIPT_TAXES = child_of(
    RECEIPT_PRODUCTS,
    name="receipt_taxes",
    meaning="taxes of receipt lines, where the server sends them; their fields are not documented",
    key=("receipt_product_id", "line"),
    relations=("receipt_products",),
    nested=("taxes",),
    inherited=_FROM_THE_LINE,
    inferred=True,
    fields=columns("line  int  place within the receipt line, from 1", inherited=_OF_A_LINE),
)

RECEIPT_PAYMENTS = child_of(
    RECEIPTS,
    name="receipt_payments",
    meaning="payments of receipts; a split receipt has several",
    key=("receipt_id", "line"),
    nested=("payment_methods",),
    inherited=_FROM_THE_RECEIPT,
    fields=columns(
        """
        line        int     place within the receipt, from 1
        payment_method_id = id int  payment method id
        name        text    payment method as the receipt names it
        amount      money
    """,
        inherited=_OF_A_RECEIPT,
    ),
)

STOCK_OPERATIONS = Table(
    name="stock_operations",
    path="/receipts/{receipt_id}/stock-operations",
    meaning="what receipts took from stock; one request a receipt, so say which ones",
    scope="venue",
    per="receipt_id",
    fields=columns("""
        id              int     stock operation id
        receipt_id      int
        receipt_product_id int  the receipt's line
        product_id      int
        stock_id        int
        storage_id      int
        quantity        number  taken, positive
        before_quantity number
        after_quantity  number
        cost            money   of one unit
        before_cost     money
        total_cost      money
        operated_at     local
        product_own_id = product.id int
        product.name    text
        stock_own_id = stock.id int
        stock.storage.id int
        stock.storage.name text
    """),
)
