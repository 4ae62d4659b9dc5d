"""An independent client, PyPI ``integrify-clopos`` 0.1.0, run against the sandbox.

It was written by others from the same documentation and from a live brand, and shares no code with
this project; what it can read is evidence that the sandbox speaks the API. It is stricter than the
API: several documented bodies fail its models. Each such place is named below, and the test then
says that these are its *only* complaints. It only knows the legacy shape of an error.
"""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import pytest
from integrify.clopos import CloposClientClass
from pydantic import ValidationError


class Independent:
    def __init__(self, sandbox):
        # Without the trailing slash it drops the last segment of the base URL.
        self.client = CloposClientClass(base_url=sandbox.url + "/")
        token = self.client.auth(**sandbox.credentials).body.token
        self.headers = {"x-token": token}

    def close(self):
        self.client.close()

    def call(self, name, /, **kw):
        headers = self.headers | kw.pop("headers", {})
        return getattr(self.client, name)(headers=headers, **kw)

    def data(self, name, /, **kw):
        answer = self.call(name, **kw)
        assert answer.status_code == 200
        assert answer.body.success is True
        return answer.body.data

    def complaints(self, name, /, **kw):
        """Return the fields its models reject, as the last names of their paths."""
        try:
            self.call(name, **kw)
        except ValidationError as error:
            paths = [[part for part in e["loc"] if isinstance(part, str)] for e in error.errors()]
            return {path[path.index("data") + 1] for path in paths if "data" in path}
        return set()


@pytest.fixture
def theirs(legacy):
    with closing(Independent(legacy.sandbox)) as independent:
        yield independent


@pytest.fixture
def theirs_v2(sandbox):
    with closing(Independent(sandbox)) as independent:
        yield independent


@pytest.fixture
def client(sandbox):
    with closing(CloposClientClass(base_url=sandbox.url + "/")) as client:
        yield client


def test_it_logs_in(client, sandbox):
    body = client.auth(**sandbox.credentials).body
    assert (body.success, body.token_type, body.expires_in) == (True, "Bearer", 3600)
    assert body.token.count(".") == 2


def test_it_reads_the_refusal_of_wrong_credentials(client, sandbox):
    answer = client.auth(**{**sandbox.credentials, "client_secret": "wrong"})
    assert answer.status_code == 401
    assert answer.body.success is False


def test_it_reads_venues_up_to_their_media(theirs_v2):
    # Its model wants media to be texts; the documentation shows objects.
    assert theirs_v2.complaints("get_venues") == {"media"}


def test_it_reads_users(theirs, legacy):
    # Its model requires the PIN, which the newest v2 tables no longer have.
    users = theirs.data("get_users")
    assert [user.id for user in users] == [row["id"] for row in legacy.data("/users")]
    assert theirs.data("get_user_by_id", id=users[0].id).username == users[0].username


def test_it_wants_legacy_fields_of_users_and_nothing_else(theirs_v2):
    assert theirs_v2.complaints("get_users") == {"pin", "hide"}


def test_it_reads_customers(theirs, legacy):
    # Not with group: its model rejects the documented null of system_type.
    customers = theirs.data("get_customers", with_=["balance"])
    rows = legacy.data("/customers")
    assert [customer.id for customer in customers] == [row["id"] for row in rows]
    assert theirs.data("get_customer_by_id", id=customers[0].id).spent == Decimal(
        str(rows[0]["spent"])
    )


def test_it_wants_one_legacy_field_of_customers_and_nothing_else(theirs_v2):
    assert theirs_v2.complaints("get_customers") == {"balance_id"}


@pytest.mark.parametrize("fixture", ["theirs", "theirs_v2"])
def test_it_reads_categories_as_a_tree(fixture, request):
    client = request.getfixturevalue(fixture)
    categories = client.data("get_categories")
    assert any(category.children for category in categories)
    assert client.data("get_category_by_id", id=categories[0].id).name == categories[0].name


@pytest.mark.parametrize("fixture", ["theirs", "theirs_v2"])
def test_it_reads_products(fixture, request):
    # It sends all parameters as one JSON text, which means nothing: 50 rows of page 1 come back.
    client = request.getfixturevalue(fixture)
    products = client.data("get_products", page=2, limit=20)
    assert len(products) == 50
    assert client.data("get_product_by_id", id=products[0].id).name == products[0].name


def test_it_reads_stations_stop_list_and_price_lists(theirs_v2):
    for name in ("get_stations", "get_stop_list", "get_price_lists", "get_price_list_prices"):
        assert theirs_v2.data(name), name


def test_it_rejects_php_empty_maps_of_sale_types_and_nothing_else(theirs_v2):
    assert theirs_v2.complaints("get_sale_types") <= {"status"}


def test_it_reads_orders_of_a_status_it_knows(theirs_v2):
    orders = theirs_v2.data("get_orders", status="RECEIVED", limit=20)
    assert orders
    assert {order.status.value for order in orders} == {"RECEIVED"}
    assert theirs_v2.data("get_order_by_id", id=orders[0].id).payload.products


def test_it_rejects_the_documented_status_delivered_and_weighed_goods_only(theirs_v2):
    # In the payload its complaint is of fractional counts, which the documentation leaves open.
    assert theirs_v2.complaints("get_orders", limit=100) == {"status", "payload"}


def test_it_reads_receipts(theirs_v2, api):
    receipts = theirs_v2.data("get_receipts", page=2, limit=100)
    rows = api.data("/receipts?page=2&limit=100")
    assert [receipt.id for receipt in receipts] == [row["id"] for row in rows]
    assert sum(receipt.total for receipt in receipts) == sum(
        Decimal(str(row["total"])) for row in rows
    )
    assert theirs_v2.data("get_receipt_by_id", id=receipts[0].id).total == receipts[0].total


def test_it_reads_stock_operations_when_they_have_the_success_key(theirs, legacy):
    # The documented example has no "success", which its models insist on; the switch adds it.
    id = legacy.data("/receipts?filters[0][0]=status&filters[0][1]=2&limit=1")[0]["id"]
    operations = theirs.data("get_receipt_stock_operations", id=id)
    assert {operation.receipt_id for operation in operations} == {id}


def test_it_selects_a_venue(theirs_v2, sandbox):
    venue = sandbox.brand.venue_ids[1]
    receipts = theirs_v2.data("get_receipts", headers={"x-venue": str(venue)})
    assert {receipt.venue_id for receipt in receipts} == {venue}


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("get_user_by_id", r"App\Models\Auth\User"),
        ("get_customer_by_id", r"App\Models\Client\Marketing\Customer"),
        ("get_category_by_id", r"App\Models\Client\Category"),
        ("get_station_by_id", r"App\Models\Client\Station"),
        ("get_product_by_id", r"App\Models\Client\Product"),
        ("get_order_by_id", r"App\Models\Client\ServiceNotification"),
        ("get_receipt_by_id", r"App\Models\Client\Receipt"),
    ],
)
def test_it_reads_the_404_that_its_author_saw_live(theirs, name, model):
    answer = theirs.call(name, id=987654321)
    problem = answer.body.error[0]
    assert answer.status_code == problem.http_code == 404
    assert answer.body.success is False
    assert problem.message == f"No query results for model [{model}] 987654321"
    assert (problem.type, problem.exception) == ("server_side", "NotFoundHttpException")


@pytest.fixture
def writer(make_api):
    """What this client needs for writes: its v1 order, and amounts spelled as strings."""
    switches = {"legacy_fields", "live_errors", "numeric_strings", "v1_order_body"}
    api = make_api(fidelity=switches)
    api.sandbox.books.clerk.mode = "never"
    with closing(Independent(api.sandbox)) as independent:
        independent.sandbox = api.sandbox
        yield independent


def test_it_creates_a_customer_and_rejects_only_the_slug_of_a_second(writer):
    made = writer.data("create_customer", name="Test Person", phone="0500007654")
    assert writer.data("get_customer_by_id", id=made.id).name == "Test Person"
    with pytest.raises(ValidationError) as caught:
        writer.call("create_customer", name="Test Person", phone="0500007654")
    assert [error["loc"][-1] for error in caught.value.errors()] == ["error"]


def test_it_creates_orders_and_wants_only_the_payload_in_the_answer(writer):
    # It posts the body of v1; each call makes an order, although its model rejects the answer.
    orders = writer.sandbox.books.log("orders", 1)
    before = orders.total(None, None)
    product = writer.data("get_products")[0]
    payload = {
        "service": {
            "sale_type_id": 2,
            "sale_type_name": "Delivery",
            "venue_id": 1,
            "venue_name": "Main",
        },
        "customer": {"id": 0, "name": "Guest", "phone": "0500000001", "address": "Street 1"},
        "products": [
            {"product_id": product.id, "count": 1, "product_modificators": [], "meta": {}}
        ],
        "meta": None,
    }
    for _ in range(2):
        assert writer.complaints("create_order", customer_id=0, payload=payload) == {"payload"}
    assert writer.sandbox.books.log("orders", 1).total(None, None) == before + 2
    order = writer.data("get_orders", status="PENDING")[0]
    assert order.payload.products[0].product_id == product.id
    assert writer.complaints("update_order", id=order.id, status="IGNORE") == {"payload"}
    assert writer.sandbox.books.log("orders", 1).get(order.id)["status"] == "IGNORE"


def test_it_sets_the_status_that_its_own_tests_set_live(writer):
    writer.sandbox.fidelity.add("any_order_status")
    order = next(o for o in writer.sandbox.books.log("orders", 1).scan(None, None))
    assert writer.complaints("update_order", id=order["id"], status="READY") == {"payload"}
    assert writer.sandbox.books.log("orders", 1).get(order["id"])["status"] == "READY"


def test_it_changes_and_closes_a_receipt(writer):
    receipt = next(r for r in writer.data("get_receipts") if r.status == 1 and r.remaining)
    changed = writer.data("update_closed_receipt", id=receipt.id, order_number="77")
    assert (changed.id, changed.order_number) == (receipt.id, "77")
    # The answer to closing is a part of a receipt; its model wants the whole.
    complaints = writer.complaints(
        "close_receipt",
        id=receipt.id,
        cid=str(receipt.cid),
        payment_methods=[{"id": 1, "name": "Cash", "amount": receipt.remaining}],
        closed_at="2026-03-01 01:00:00",
    )
    assert complaints
    assert not complaints & {"id", "closed_at", "payment_methods"}
    assert writer.data("get_receipt_by_id", id=receipt.id).status == 2
