"""What each write does to a brand, and what it leaves alone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from threading import Thread

import pytest

from clopos_nb.sandbox.books import Books, BooksError, Taken
from clopos_nb.sandbox.brand import Brand

BRAND = Brand(venues=4, first_day=date(2026, 2, 25), last_day=date(2026, 2, 28))
ITEM = next(row for row in BRAND.rows("products", 1) if row["type"] == "DISH" and row["recipe"])


class Time:
    """Data time that a test moves."""

    def __init__(self):
        self.now = BRAND.now

    def __call__(self):
        return self.now

    def pass_(self, **much):
        self.now += timedelta(**much)


@pytest.fixture
def time():
    return Time()


@pytest.fixture
def books(time):
    return Books(BRAND, time)


def body(**changes):
    line = {
        "product_id": ITEM["id"],
        "product_name": ITEM["name"],
        "count": 2,
        "price": 7.55,
        "status": "new",
        "product_hash": "h",
    }
    return {
        "sale_type_id": 2,
        "venue_id": 1,
        "customer": {"id": 0, "phone": "+994500000000", "address": "Nar 1", "name": "Qonaq"},
        "products": [line],
    } | changes


def order_of(books, row):
    return books.log("orders", 1).get(row["id"])


def open_receipt(books, **changes):
    row = books.create_order(body(auto_order_accept=True, **changes), 1)
    return order_of(books, row)["receipt"]["id"]


def newest(books, name="receipts", venue=1):
    return books.log(name, venue).page(None, None, 0, 1, descending=True)[0]


def test_books_without_a_write_are_the_brand(books):
    for venue in BRAND.venue_ids:
        for name in ("receipts", "orders"):
            mine, theirs = books.log(name, venue), BRAND.log(name, venue)
            assert mine.page(None, None, 3, 40) == theirs.page(None, None, 3, 40)
            assert len(mine) == theirs.total(None, None)
        assert books.ledger(venue) == BRAND.ledger(venue)
    assert books.rows("products", 1) == BRAND.rows("products", 1)


# Customers


def test_a_new_customer_has_the_documented_defaults_and_is_listed_everywhere(books):
    row = books.create_customer({"name": "Aysel", "phone": "+994500001234", "group_id": 2})
    assert (row["status"], row["can_use_loyalty_system"], row["is_verified"]) == (
        True,
        False,
        False,
    )
    assert (row["spent"], row["receipt_count"], row["phones"], row["source"]) == (0, 0, [], None)
    assert row["group"]["id"] == 2
    assert row["id"] > max(each["id"] for each in BRAND.rows("customers", 1))
    for venue in BRAND.venue_ids:
        assert books.rows("customers", venue)[-1] == row
    assert set(row) == set(BRAND.rows("customers", 1)[0])


@pytest.mark.parametrize("field", ["phone", "code", "cid"])
def test_a_unique_field_is_taken_once(books, field):
    value = "0F9654BC-9520-43d7-8109-317d9820f54c" if field == "cid" else "X1"
    books.create_customer({"name": "A", field: value})
    with pytest.raises(Taken) as caught:
        books.create_customer({"name": "B", field: value.lower() if field == "cid" else value})
    assert caught.value.field == field
    assert len(books.rows("customers", 1)) == len(BRAND.rows("customers", 1)) + 1


def test_a_brand_s_own_customers_hold_their_values_and_nulls_collide_with_nothing(books):
    held = next(row for row in BRAND.rows("customers", 1) if row["code"])
    with pytest.raises(Taken):
        books.create_customer({"name": "A", "code": held["code"]})
    for _ in range(2):
        books.create_customer({"name": "A", "code": None, "phone": ""})


# Orders and the clerk


def test_an_order_is_pending_in_the_answer_whatever_the_clerk_does(books):
    row = books.create_order(body(), 1)
    assert (row["status"], row["integration_status"]) == ("PENDING", "CREATED")
    assert order_of(books, row)["status"] == "DELIVERED"


def test_the_same_body_twice_is_two_orders(books):
    first, second = (books.create_order(body(), 1) for _ in range(2))
    assert second["id"] == first["id"] + 1
    assert books.log("orders", 1).total(None, None) == BRAND.log("orders", 1).total(None, None) + 2


def test_the_body_s_names_become_the_payload_s(books):
    sent = body(
        comment="acısız",
        discount={"discount_type": 1, "discount_value": 10},
        service_charge={"enabled": True, "value": 7.5},
        delivery_fee=2.5,
        order_number="A-17",
    )
    mods = next(row for row in BRAND.rows("products", 1) if row["modificator_groups"])
    modifier = mods["modificator_groups"][0]["modificators"][0]
    sent["products"][0]["modifiers"] = [
        {"modifier_id": modifier["id"], "modifier_name": "x", "count": 2, "price": 0.5}
    ]
    row = books.create_order(sent, 1)
    payload, meta = row["payload"], row["payload"]["meta"]
    assert payload["customer_id"] == 0
    assert row["customer_id"] is None
    assert payload["products"][0]["product_modificators"] == [
        {"modificator_id": modifier["id"], "count": 2}
    ]
    assert meta["comment"] == "acısız"
    assert meta["discount"] == {"discount_type": 1, "discount_value": 10}
    assert (meta["apply_service_charge"], meta["service_charge_value"]) == (True, 7.5)
    receipt = books.log("receipts", 1).get(order_of(books, row)["receipt_id"])
    # 2 x (7.55 + 2 x 0.50) less a tenth, service of 7.5 % on that, and the fee.
    assert receipt["subtotal"] == 17.1
    assert receipt["total_discount"] == 1.71
    assert receipt["service_charge"] == 7.5
    assert receipt["service_charge_value"] == 1.15
    assert receipt["total"] == 19.04
    assert (receipt["order_number"], receipt["description"]) == ("A-17", "acısız")
    assert (receipt["source"], receipt["customer_id"]) == ("web", None)
    assert meta["orderTotal"] == "19.0400"


def test_on_demand_the_clerk_takes_one_step_a_time(books):
    books.clerk.mode = "on_demand"
    row = books.create_order(body(), 1)
    assert order_of(books, row)["status"] == "PENDING"
    assert books.clerk.work() == 1
    accepted = order_of(books, row)
    assert (accepted["status"], accepted["receipt"]["status"]) == ("RECEIVED", 1)
    assert books.stock_operations(1, accepted["receipt_id"]) == []
    assert books.clerk.work() == 1
    done = order_of(books, row)
    assert (done["status"], done["receipt"]["status"]) == ("DELIVERED", 2)
    assert books.stock_operations(1, done["receipt_id"])
    assert books.clerk.work() == 0


def test_after_a_delay_the_clerk_moves_on_without_being_called(books, time):
    books.clerk.mode, books.clerk.delay_s = "after", 60
    row = books.create_order(body(), 1)
    for seconds, status in ((59, "PENDING"), (1, "RECEIVED"), (59, "RECEIVED"), (1, "DELIVERED")):
        time.pass_(seconds=seconds)
        assert order_of(books, row)["status"] == status
    receipt = books.log("receipts", 1).get(order_of(books, row)["receipt_id"])
    assert receipt["created_at"] == (BRAND.now + timedelta(seconds=60)).isoformat(" ")
    assert receipt["closed_at"] == (BRAND.now + timedelta(seconds=120)).isoformat(" ")


def test_a_clerk_with_more_patience_than_the_calendar_has_years_just_waits(books):
    books.clerk.mode, books.clerk.delay_s = "after", 1e12
    row = books.create_order(body(), 1)
    assert order_of(books, row)["status"] == "PENDING"
    assert books.clerk.work() == 0


def test_a_clerk_told_an_unknown_mode_says_which_there_are(books):
    with pytest.raises(ValueError, match="immediately, after, on_demand, never, not 'always'"):
        books.clerk.mode = "always"
    assert books.clerk.mode == "immediately"


def test_a_clerk_who_never_works_does_not_even_when_called(books):
    books.clerk.mode = "never"
    row = books.create_order(body(), 1)
    assert books.clerk.work() == 0
    assert order_of(books, row)["status"] == "PENDING"


def test_auto_accept_needs_no_clerk(books):
    books.clerk.mode = "never"
    row = books.create_order(body(auto_order_accept=True), 1)
    assert row["status"] == "PENDING"
    assert (order_of(books, row)["status"], order_of(books, row)["receipt"]["status"]) == (
        "RECEIVED",
        1,
    )


def test_an_ignored_order_stays_ignored_and_a_received_one_cannot_be(books):
    books.clerk.mode = "on_demand"
    ignored, received = (books.create_order(body(), 1) for _ in range(2))
    assert books.ignore_order(1, ignored["id"])["status"] == "IGNORE"
    assert books.clerk.work() == 2
    assert order_of(books, ignored)["status"] == "IGNORE"
    assert order_of(books, ignored)["receipt"] is None
    with pytest.raises(BooksError, match="till"):
        books.ignore_order(1, received["id"])
    assert books.ignore_order(1, 10**9) is None
    assert books.ignore_order(2, received["id"]) is None


def test_an_order_of_the_brand_can_be_ignored(books):
    pending = next(
        row
        for venue in BRAND.venue_ids
        for row in BRAND.log("orders", venue).scan(None, None)
        if row["status"] == "PENDING"
    )
    venue = pending["venue_id"]
    assert books.ignore_order(venue, pending["id"])["status"] == "IGNORE"
    assert books.log("orders", venue).get(pending["id"])["status"] == "IGNORE"
    books.clerk.work()
    assert books.log("orders", venue).get(pending["id"])["receipt"] is None


@pytest.mark.parametrize(
    "changes",
    [
        {"sale_type_id": 99},
        {"customer": {"id": 5, "phone": "", "address": "", "name": ""}},
        {"products": [body()["products"][0] | {"product_id": 10**8}]},
        {"products": [body()["products"][0] | {"price": 1e300}]},
        {"products": [body()["products"][0] | {"count": 10**9, "price": 10**9}]},
        {"discount": {"discount_type": 1, "discount_value": 101}},
        {
            "products": [
                body()["products"][0]
                | {"modifiers": [{"modifier_id": 1, "modifier_name": "", "count": 1}]}
            ]
        },
    ],
)
def test_what_cannot_become_a_receipt_is_refused_and_leaves_no_trace(books, changes):
    with pytest.raises(BooksError):
        books.create_order(body(**changes), 1)
    assert books.log("orders", 1).changes == 0


def test_an_amount_discount_is_at_most_what_there_is(books):
    id = open_receipt(books, discount={"discount_type": 2, "discount_value": 500})
    assert books.log("receipts", 1).get(id)["total"] == 0


# Receipts


def test_a_patch_changes_what_it_names_and_updated_at(books, time):
    row = newest(books)
    time.pass_(minutes=5)
    changes = {"order_status": "CANCELLED", "order_number": "9", "fiscal_id": "F", "lock": True}
    patched = books.patch_receipt(1, row["id"], changes)
    assert {name: patched[name] for name in changes} == changes
    assert patched["updated_at"] == time.now.isoformat(" ")
    same = set(row) - set(changes) - {"updated_at", "meta", "terminal_updated_at"}
    assert {name: patched[name] for name in same} == {name: row[name] for name in same}
    assert books.patch_receipt(1, row["id"], {"lock": False})["fiscal_id"] == "F"
    assert books.patch_receipt(2, row["id"], {}) is None


def test_closing_pays_takes_stock_and_tells_the_order(books):
    books.clerk.mode = "never"
    id = open_receipt(books)
    assert books.log("receipts", 1).get(id)["remaining"] == 15.1
    payments = [{"id": 1, "amount": 5}, {"id": 2, "amount": 10}, {"id": 1, "amount": 0.1}]
    closed = books.close_receipt(1, id, payments)
    assert [(p["id"], p["amount"]) for p in closed["payment_methods"]] == [(1, 5.1), (2, 10)]
    assert (closed["status"], closed["remaining"], closed["order_status"]) == (2, 0, "COMPLETED")
    assert closed["closed_at"] > closed["created_at"]
    assert books.stock_operations(1, id)
    assert newest(books, "orders")["receipt"]["status"] == 2


@pytest.mark.parametrize(
    ("payments", "at", "field"),
    [
        ([{"id": 1, "amount": 15.09}], None, "payment_methods"),
        ([{"id": 1, "amount": 15.101}], None, "amount"),
        ([{"id": 77, "amount": 15.1}], None, "payment_methods"),
        ([], None, "payment_methods"),
        ([{"id": 1, "amount": 15.1}], datetime(2026, 1, 1), "closed_at"),
    ],
)
def test_a_receipt_is_not_closed_wrongly(books, payments, at, field):
    books.clerk.mode = "never"
    id = open_receipt(books)
    with pytest.raises(BooksError) as caught:
        books.close_receipt(1, id, payments, at)
    assert caught.value.field == field
    assert books.log("receipts", 1).get(id)["status"] == 1


def test_a_closed_receipt_is_not_closed_again(books):
    id = open_receipt(books)
    with pytest.raises(BooksError, match="closed already"):
        books.close_receipt(1, id, [{"id": 1, "amount": 15.1}])


def test_an_open_receipt_of_the_brand_can_be_closed(books):
    row = next(r for r in BRAND.log("receipts", 1).scan(None, None) if r["status"] == 1)
    at = BRAND.now + timedelta(hours=1)
    closed = books.close_receipt(1, row["id"], [{"id": 2, "amount": row["total"]}], at)
    assert closed["closed_at"] == closed["updated_at"] == at.isoformat(" ")
    assert books.ledger(1).paid == BRAND.ledger(1).paid + Decimal(repr(row["total"]))


def test_a_receipt_is_found_by_the_cid_that_it_shows(books):
    row = books.insert_receipt(1)
    assert books.log("receipts", 1).get_by_cid(row["cid"]) == row
    assert books.log("receipts", 2).get_by_cid(row["cid"]) is None
    books.delete_receipt(1, row["id"])
    assert books.log("receipts", 1).get_by_cid(row["cid"]) is None


def test_a_receipt_inserted_into_the_past_stands_where_it_belongs(books):
    at = datetime(2026, 2, 26, 15, 0)
    before = books.log("receipts", 1).page_ids(None, None, 0, 10**6)
    row = books.insert_receipt(1, at)
    assert row["created_at"] == at.isoformat(" ")
    assert row["updated_at"] == BRAND.now.isoformat(" ")
    assert row["id"] > max(before)
    rows = list(books.log("receipts", 1).scan(None, None))
    assert [r["created_at"] for r in rows] == sorted(r["created_at"] for r in rows)
    assert books.log("receipts", 1).page_ids(None, None, 0, 10**6, by="id") == [*before, row["id"]]


def test_nothing_of_a_deleted_receipt_is_left_but_the_order_s_reference(books):
    row = books.create_order(body(), 1)
    receipt_id = order_of(books, row)["receipt_id"]
    total = books.ledger(1).total
    books.delete_receipt(1, receipt_id)
    left = order_of(books, row)
    assert (left["receipt"], left["receipt_id"]) == (None, receipt_id)
    assert books.ledger(1).total < total
    assert books.stock_operations(1, receipt_id) is None
    for wrong in (receipt_id, 10**9):
        with pytest.raises(KeyError):
            books.delete_receipt(1, wrong)
        with pytest.raises(KeyError):
            books.edit_receipt(1, wrong)


def test_a_table_calls_and_an_unknown_one_cannot(books):
    books.call_waiter(1, 105, "PAY", 1)
    assert [call["table_id"] for call in books.waiter_calls] == [105]
    with pytest.raises(BooksError):
        books.call_waiter(1, 205, "WAITER")


# Shared


def test_rows_that_were_handed_out_are_nobody_s_to_change(books):
    row = books.create_customer({"name": "A"})
    row["name"] = "B"
    books.rows("customers", 1)[-1]["group"]["name"] = "C"
    assert books.rows("customers", 1)[-1]["name"] == "A"
    assert books.rows("customers", 1)[-1]["group"]["name"] != "C"
    books.create_order(body(), 1)
    newest(books, "orders")["payload"]["meta"]["comment"] = "x"
    assert newest(books, "orders")["payload"]["meta"]["comment"] is None


def test_two_books_of_one_brand_do_not_know_each_other(books):
    other = Books(BRAND)
    books.create_order(body(), 1)
    assert other.log("orders", 1).total(None, None) < books.log("orders", 1).total(None, None)


def test_threads_write_and_read_at_once(books):
    base = books.log("receipts", 1).total(None, None)
    failures = []

    def write():
        try:
            for _ in range(15):
                row = books.insert_receipt(1)
                books.edit_receipt(1, row["id"])
                books.create_order(body(), 1)
                books.delete_receipt(1, row["id"])
                books.log("receipts", 1).page(None, None, 0, 20, descending=True)
                books.ledger(1)
        except Exception as error:
            failures.append(error)

    threads = [Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert books.log("receipts", 1).total(None, None) == base + 4 * 15
    ids = books.log("orders", 1).page_ids(None, None, 0, 10**6)
    assert len(set(ids)) == len(ids)
