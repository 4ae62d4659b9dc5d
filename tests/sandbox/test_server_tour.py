"""A day of an integrator with nothing but ``requests``: log in, look around, write, look again."""

from __future__ import annotations

import pytest
import requests

LISTS = (
    "venues",
    "users",
    "customers",
    "customer-groups",
    "categories",
    "stations",
    "products",
    "products/stop-list",
    "price-lists",
    "price-lists/prices",
    "sale-types",
    "payment-methods",
    "orders",
    "receipts",
)


@pytest.fixture
def http(sandbox):
    sandbox.books.clerk.mode = "on_demand"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.post(f"{sandbox.url}/auth", json=sandbox.credentials, timeout=10)
        session.headers["x-token"] = answer.json()["token"]
        yield session


def test_the_whole_tour(sandbox, http):
    def call(method, path, body=None, **params):
        url = f"{sandbox.url}/{path}"
        answer = http.request(method, url, json=body, params=params, timeout=10)
        assert answer.ok, answer.text
        assert int(answer.headers["RateLimit-Remaining"]) > 0
        return answer.json()

    found = {path: call("GET", path)["data"] for path in LISTS}
    assert all(found.values())
    dish = next(row for row in found["products"] if row["price"] and not row["has_modifications"])

    customer = call("POST", "customers", {"name": "Test Person", "phone": "+994500001111"})["data"]
    assert call("GET", f"customers/{customer['id']}")["data"] == customer

    body = {
        "sale_type_id": 3,
        "venue_id": 1,
        "customer": {"id": customer["id"], "phone": "x", "address": "x", "name": "x"},
        "products": [
            {
                "product_id": dish["id"],
                "product_name": dish["name"],
                "count": 3,
                "price": dish["price"],
                "status": "new",
                "product_hash": str(dish["id"]),
            }
        ],
        "order_number": "TOUR-1",
    }
    first = call("POST", "orders", body)["data"]["id"]
    second = call("POST", "orders", body)["data"]["id"]
    assert first != second
    assert call("PUT", f"orders/{second}", {"status": "IGNORE"})["data"]["status"] == "IGNORE"

    sandbox.books.clerk.work()
    with_receipt = {"with[0]": "receipt:id,service_notification_id,status"}
    order = call("GET", f"orders/{first}", **with_receipt)["data"]
    assert order["status"] == "RECEIVED"
    assert call("GET", f"orders/{second}", **with_receipt)["data"]["receipt"] is None

    receipt = call("GET", f"receipts/{order['receipt']['id']}")["data"]
    assert (receipt["status"], receipt["order_number"]) == (1, "TOUR-1")
    assert receipt["customer_id"] == customer["id"]
    assert call("GET", f"receipts/cid/{receipt['cid']}")["data"]["id"] == receipt["id"]
    call("PATCH", f"receipts/{receipt['id']}", {"order_status": "READY", "lock": False})
    paid = [{"id": 1, "name": "Cash", "amount": receipt["remaining"]}]
    closed = call("POST", f"receipts/{receipt['id']}/close", {"payment_methods": paid})["data"]
    assert closed["payment_methods"][0]["amount"] == receipt["total"]

    row = call("GET", f"receipts/{receipt['id']}", **{"with[0]": "receipt_products"})["data"]
    assert (row["status"], row["order_status"], row["remaining"]) == (2, "COMPLETED", 0)
    assert [line["count"] for line in row["receipt_products"]] == [3]
    used = call("GET", f"receipts/{receipt['id']}/stock-operations")["data"]
    assert {operation["receipt_id"] for operation in used} == {receipt["id"]}
