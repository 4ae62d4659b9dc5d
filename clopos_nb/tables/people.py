"""Venues, staff and customers."""

from clopos_nb.tables.model import Table, columns

VENUES = Table(
    name="venues",
    path="/venues",
    meaning="branches that the credentials may see",
    fields=columns("""
        id          int     branch id
        name        text    branch name
        is_main     flag    primary branch
        media       json    pictures
        optional:
        address     text    street address
        phone       text*   telephone, which may be somebody's own
        email       text*   e-mail
        status      int {0, 1} 1 active, 0 inactive
    """),
)

USERS = Table(
    name="users",
    path="/users",
    meaning="staff",
    limit=100,
    fields=columns("""
        id              int     staff id
        email           text*   e-mail
        username        text*   name shown at the till
        first_name      text*
        last_name       text*
        mobile_number   text*
        owner           flag    owns the brand
        status          flag    active
        created_at      utc
        updated_at      utc
        optional:
        pin             withheld  till PIN
        card            withheld  till card
        barcode         withheld  till login barcode
        hide            flag    hidden in the till's list of users
        salary          money*
        tip_message     text*   what guests are told
        can_receive_tips flag
        login_at        text
        bonus_balance_id int
        properties      json*
        image           json*
        deleted_at      utc
    """),
)

CUSTOMERS = Table(
    name="customers",
    path="/customers",
    meaning="registered customers",
    limit=999,
    server_filters=("name", "phones"),  # name matches parts
    sort=("id", 1),
    sorts=("id", "cid", "group_id", "name", "email", "address", "created_at", "updated_at"),
    fields=columns("""
        id              int     customer id
        cid             text    key made by the till (UUID)
        venue_id        int     owning venue
        group_id        int     customer group
        name            text*
        email           text*
        phone           text*   primary number, free format
        phones          json*   further numbers
        address         text*
        address_data    json*   addresses with their parts
        description     text*
        discount        number  customer-level discount
        spent           money  lifetime spend
        total_discount  money  lifetime discount
        total_bonus     money  lifetime bonus
        receipt_count   int     lifetime receipts
        gender          int* {1, 2} 1 male, 2 female
        date_of_birth   date*
        code            text*   unique card or code
        source          text    e.g. LOYALTY
        reference_id    text*   who this is elsewhere
        status          flag    active
        can_use_loyalty_system flag
        is_verified     flag
        created_at      utc
        updated_at      utc
        optional:
        group           json
        balance         json*   with the customer's name in it
        cashback_balance json*
        balance_id      int
        bonus_balance_id int
        cashback_balance_id int
        addresses       json*
        phone_verified_at text
        deleted_at      utc
    """),
)

CUSTOMER_GROUPS = Table(
    name="customer_groups",
    path="/customer-groups",
    meaning="groups that customers are in",
    limit=100,
    sorts=(
        "id",
        "name",
        "discount_type",
        "discount_value",
        "total_amount",
        "created_at",
        "updated_at",
        "deleted_at",
    ),
    fields=columns("""
        id          int     group id
        name        text
        discount_type text  documented as text; a number in client models
        discount_value number  percent or amount
        system_type text    my_customers, or empty
        created_at  utc
        updated_at  utc
        deleted_at  utc
        optional:
        total_amount money
    """),
)
