"""Orders, receipts and what is nested in them."""

from clopos_nb.tables.model import Column, Table, columns

SALE_TYPES = Table(
    name="sale_types",
    path="/sale-types",
    meaning="ways of selling: in the hall, delivery, takeaway",
    limit=100,
    fields=columns("""
        id          int     sale type id; a brand's own ones start at 1000
        name        text
        system_type text    IN, DELIVERY, TAKEAWAY or empty
        channel     text
        status      json    venue id to 1 (on) or 0 (off)
        service_charge_rate number  percent
        position    int
        media       json    pictures
        created_at  utc
        updated_at  utc
        optional:
        payment_method_id int
        payment_method json
        deleted_at  utc
    """),
)

PAYMENT_METHODS = Table(
    name="payment_methods",
    path="/payment-methods",
    meaning="ways of paying",
    limit=100,
    fields=columns("""
        id          int     payment method id
        name        text
        status      json    venue id to 1 (on) or 0 (off)
        split       flag    may pay part of a receipt
        position    int
        customer_required flag
        is_system   flag
        created_at  utc
        updated_at  utc
        balance_id = balance.id int  the money account behind it
        balance.system_type text
        balance.name text
        balance.type text  CASH, CARD or CUSTOMER
        service.name text
        service.check json
        service.payload json
        optional:
        balance.venue_id int
        balance.description text
        balance.amount number
        balance.position int
        balance.created_at utc
        balance.updated_at utc
        balance.deleted_at utc
        balance.pivot json
        own_balance_id = balance_id int
        deleted_at  utc
    """),
)

ORDERS = Table(
    name="orders",
    path="/orders",
    meaning="orders taken outside the till, one row an order",
    limit=100,  # documented for v1 only; a server that takes less says so by its first page
    dated=True,
    sort=("created_at", 1),
    scope="venue",
    fields=columns("""
        id              int     order id
        venue_id        int
        type            text
        integration     text    channel it came by
        integration_uuid text
        integration_id  text
        customer_ref_id text
        integration_status text
        status          text    PENDING, RECEIVED, IGNORE or DELIVERED
        payload.auto_order_accept flag
        payload.auto_order_sent_to_station flag
        payload.delivery_fee number
        payload.service.sale_type_id int
        payload.service.venue_id int
        payload_customer_own_id = payload.customer.id int  0 is a guest
        payload.customer.name text*
        payload.customer.phone text*
        payload.customer.address text*
        payload.customer.customer_discount_type int
        payload.customer_id int
        payload.sale_type_id int
        payload.meta.comment text*
        payload.meta.discount.discount_type int  0 none, 1 percent, 2 amount
        payload.meta.discount.discount_value number
        payload.meta.apply_service_charge flag
        payload.meta.customer_discount_type int
        payload.meta.service_charge_value number
        integration_response json
        created_at      utc
        updated_at      utc
        optional:
        payload.service.sale_type_name text
        payload.service.venue_name text
        payload.meta.orderTotal number
        payload.payload_updated_at text
        receive_user_id int
        receive_terminal_id int
        customer_id     int
        receipt_id      int
        payment_method_id int
        payment_status  text
        properties      json
        receipt         json
        customer        json*
    """),
    unread=("payload.products",),
    parameters=("status",),
)

ORDER_PRODUCTS = Table(
    name="order_products",
    path="/orders",
    meaning="lines of orders",
    limit=ORDERS.limit,
    dated=True,
    sort=ORDERS.sort,
    scope="venue",
    key=("order_id", "line"),
    parent="orders",
    nested=("payload", "products"),
    inherited=(("order_id", "id"), ("venue_id", "venue_id")),
    fields=columns(
        """
        line        int     place within the order, from 1
        product_id  int
        count       number  quantity
        portion_size number
        product_modificators json  add-ons
        meta.price  number  unit price
        meta.order_product.count number
        meta.order_product.status text
        meta.order_product.product_modificators json
        meta.order_product.product_hash text
        meta.order_product.product.id int
        meta.order_product.product.name text
        meta.order_product.product.price number
        optional:
        meta.order_product.product.category_id int
        meta.order_product.product.station_id int
    """,
        inherited=(
            Column("order_id", "int", ("order_id",), "the order's id"),
            Column("venue_id", "int", ("venue_id",), "the order's venue"),
        ),
    ),
)

RECEIPTS = Table(
    name="receipts",
    path="/receipts",
    meaning="receipts, open and closed, one row a receipt",
    limit=200,
    dated=True,
    sort=("created_at", 1),
    scope="venue",
    fields=columns("""
        id              int     receipt id
        cid             text    key made by the till (UUID)
        venue_id        int
        customer_id     int
        sale_type_id    int
        source          text    pos, web, ...
        guests          int
        status          int     1 open, 2 closed
        order_status    text    NEW, SCHEDULED, IN_PROGRESS, READY, PICKED_UP, COMPLETED, CANCELLED
        order_number    text    keeps its leading zeros
        lock            flag
        total           number  what the guest pays
        subtotal        number  before discounts, taxes and fees
        discount_type   int     0 none, 1 percent, 2 amount
        discount_value  number  percent or amount, as discount_type says
        discount_rate   number
        total_discount  number
        service_charge  number  percent
        service_charge_value number  amount
        delivery_fee    number
        remaining       number  not paid yet
        i_tax           number  tax included in prices
        e_tax           number  tax added to prices
        total_tax       number
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
        original_subtotal number
        gift_total      number
        by_cash         number
        by_card         number
        rps_discount    number
        totalCost       number  cost of what was sold
        terminal_version text
        terminal_updated_at text
        deleted_at      text    set on deleted receipts
        meta            json*
        properties      json
    """),
    unread=("payment_methods", "receipt_products"),
)

_OF_A_RECEIPT = (
    Column("receipt_id", "int", ("receipt_id",), "the receipt's id"),
    Column("venue_id", "int", ("venue_id",), "the receipt's venue"),
)
_FROM_THE_RECEIPT = (("receipt_id", "id"), ("venue_id", "venue_id"))

RECEIPT_PRODUCTS = Table(
    name="receipt_products",
    path="/receipts",
    meaning="lines of receipts",
    limit=RECEIPTS.limit,
    dated=True,
    sort=RECEIPTS.sort,
    scope="venue",
    relations=("receipt_products",),
    parent="receipts",
    nested=("receipt_products",),
    inherited=_FROM_THE_RECEIPT,
    fields=columns(
        """
        id              int     line id
        cid             text
        product_id      int     the variant's id when a variant was sold
        count           number  quantity, a fraction for goods sold by weight
        portion_size    number
        price           number  unit price
        subtotal        number
        total           number  before the receipt's own discount
        is_gift         flag
        discount_type   int     0 none, 1 percent, 2 amount
        discount_value  number
        discount_rate   number
        total_discount  number
        receipt_discount number  this line's share of the receipt's discount
        loyalty_type    text
        loyalty_value   number
        meta.product.name text  as it was when sold
        meta.product.type text
        meta.product.price number
        meta.product.barcode text
        created_at      local
        updated_at      local
        optional:
        meta.product.giftable flag
        meta.product.modifier_name text
        meta.product.discountable flag
        meta.product.sold_by_weight flag
        meta.product.priceWithoutTaxes number
        meta.product.taxes json
        meta.product.station.id int
        meta.product.station.name text
        meta.originalPrice number
        meta.total_gift number
        meta.discountedPrice number
        meta.terminal_updated_at ms
        product_hash    text
        preprint_count  int
        station_printed_count int
        station_aborted_count int
        seller_id       int
        cost            number
        taxes           json
        product         json
        modificators    json
        receipt_product_modificators json
        terminal_updated_at text
        deleted_at      text
    """,
        inherited=_OF_A_RECEIPT,
    ),
)

RECEIPT_PAYMENTS = Table(
    name="receipt_payments",
    path="/receipts",
    meaning="payments of receipts; a split receipt has several",
    limit=RECEIPTS.limit,
    dated=True,
    sort=RECEIPTS.sort,
    scope="venue",
    key=("receipt_id", "line"),
    parent="receipts",
    nested=("payment_methods",),
    inherited=_FROM_THE_RECEIPT,
    fields=columns(
        """
        line        int     place within the receipt, from 1
        payment_method_id = id int  payment method id
        name        text    payment method as the receipt names it
        amount      number
    """,
        inherited=_OF_A_RECEIPT,
    ),
)
