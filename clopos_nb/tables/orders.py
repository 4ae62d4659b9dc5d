"""Orders taken outside the till, their lines and the add-ons of those."""

from clopos_nb.tables.model import Column, Table, child_of, columns

ORDERS = Table(
    name="orders",
    path="/orders",
    meaning="orders taken outside the till, one row an order",
    limit=100,  # documented for v1 only; a server that takes less says so by its first page
    dated=True,
    sort=("created_at", 1),
    sorts=("created_at", "updated_at", "id"),
    scope="venue",
    fields=columns("""
        id              int     order id
        venue_id        int
        type            text
        integration     text    channel it came by
        integration_uuid text
        integration_id  text
        customer_ref_id text*  the customer, as that channel names them
        integration_status text
        status          text {PENDING, RECEIVED, IGNORE, DELIVERED}
        payload.auto_order_accept flag
        payload.auto_order_sent_to_station flag
        payload.delivery_fee money
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
        payload.meta.discount.discount_type int {0, 1, 2} 0 none, 1 percent, 2 amount
        payload.meta.discount.discount_value number
        payload.meta.apply_service_charge flag
        payload.meta.customer_discount_type int
        payload.meta.service_charge_value number
        integration_response json*
        created_at      utc
        updated_at      utc
        optional:
        payload.service.sale_type_name text
        payload.service.venue_name text
        payload.meta.orderTotal money
        payload.payload_updated_at text
        receive_user_id int
        receive_terminal_id int
        customer_id     int
        receipt_id      int
        payment_method_id int
        payment_status  text
        properties      json
        receipt         json*
        customer        json*
    """),
    unread=("payload.products",),
    parameters=("status",),
)

ORDER_PRODUCTS = child_of(
    ORDERS,
    name="order_products",
    meaning="lines of orders",
    key=("order_id", "line"),
    nested=("payload", "products"),
    inherited=(("order_id", "id"), ("venue_id", "venue_id")),
    unread=("product_modificators",),
    fields=columns(
        """
        line        int     place within the order, from 1
        product_id  int
        count       number  quantity
        portion_size number
        meta.price  money  unit price
        meta.order_product.count number
        meta.order_product.status text
        meta.order_product.product_modificators json
        meta.order_product.product_hash text
        meta.order_product.product.id int
        meta.order_product.product.name text
        meta.order_product.product.price money
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

ORDER_MODIFICATORS = child_of(
    ORDER_PRODUCTS,
    name="order_modificators",
    meaning="add-ons of order lines",
    key=("order_id", "order_line", "line"),
    nested=("product_modificators",),
    inherited=(("order_id", "order_id"), ("order_line", "line"), ("venue_id", "venue_id")),
    fields=columns(
        """
        line        int     place within the order line, from 1
        modificator_id int
        count       number  quantity
    """,
        inherited=(
            Column("order_id", "int", ("order_id",), "the order's id"),
            Column("order_line", "int", ("order_line",), "the line's place within the order"),
            Column("venue_id", "int", ("venue_id",), "the order's venue"),
        ),
    ),
)
