"""Ways of selling and of paying, and at which venues."""

from clopos_nb.tables.model import Column, Table, child_of, columns

SALE_TYPES = Table(
    name="sale_types",
    path="/sale-types",
    meaning="ways of selling: in the hall, delivery, takeaway",
    limit=100,
    fields=columns("""
        id          int     sale type id; a brand's own ones start at 1000
        name        text
        system_type text {IN, DELIVERY, TAKEAWAY} empty for a brand's own
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

SALE_TYPE_VENUES = child_of(
    SALE_TYPES,
    name="sale_type_venues",
    meaning="where each way of selling is on",
    key=("sale_type_id", "venue_id"),
    nested=("status",),
    inherited=(("sale_type_id", "id"),),
    mapped=("venue_id", "status"),
    fields=columns(
        """
        venue_id    int     venue id
        status      flag    on at this venue
    """,
        inherited=(Column("sale_type_id", "int", ("sale_type_id",), "the way of selling's id"),),
    ),
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
        balance.type text {CASH, CARD, CUSTOMER}
        service.name text
        service.check json
        service.payload json
        optional:
        balance.venue_id int
        balance.description text*  what somebody wrote
        balance.amount money
        balance.position int
        balance.created_at utc
        balance.updated_at utc
        balance.deleted_at utc
        balance.pivot json
        own_balance_id = balance_id int
        deleted_at  utc
    """),
)

PAYMENT_METHOD_VENUES = child_of(
    PAYMENT_METHODS,
    name="payment_method_venues",
    meaning="where each way of paying is on",
    key=("payment_method_id", "venue_id"),
    nested=("status",),
    inherited=(("payment_method_id", "id"),),
    mapped=("venue_id", "status"),
    fields=columns(
        """
        venue_id    int     venue id
        status      flag    on at this venue
    """,
        inherited=(
            Column("payment_method_id", "int", ("payment_method_id",), "the way of paying's id"),
        ),
    ),
)
