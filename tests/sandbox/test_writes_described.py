"""What a write that succeeds answers is what the description says, whichever switches are on."""

from __future__ import annotations

import pytest
from test_openapi import SETTINGS, fits
from writing import order, send

from clopos_nb.sandbox import openapi
from clopos_nb.sandbox.writes import CLIENT_ORDER_STATUSES

CUSTOMER = {
    "name": "Test Person",
    "email": "test@example.com",
    "phone": "+994500009997",
    "code": "C-1",
    "cid": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "description": "Likes tea",
    "group_id": 2,
    "gender": 2,
    "date_of_birth": "1990-02-28",
}
EXTRAS = {
    "order_number": "WEB-1",
    "delivery_fee": 2.5,
    "comment": "No onions",
    "discount": {"discount_type": 1, "discount_value": 10},
    "service_charge": {"enabled": True, "value": 5},
}


@pytest.fixture(params=SETTINGS, ids=lambda names: "+".join(names) or "documented")
def write(make_api, request):
    """Send a write that must succeed and fit; return its data."""
    api = make_api(fidelity=request.param)
    description = openapi.describe(request.param, closed=True)

    def done(method, pattern, body, key=""):
        answer = send(api, method, pattern.replace("{id}", str(key)), body)
        assert answer.ok, answer.text
        fits(description, answer, pattern, method.lower())
        return answer.json().get("data")

    done.api = api
    return done


def id_of(made):
    return made["payload"]["id"] if "payload" in made else made["id"]


def open_receipt(api, order_id):
    api.sandbox.books.clerk.work()
    made = api.data(f"/orders/{order_id}?with[]=receipt:id")["receipt"]
    return api.data(f"/receipts/{made['id']}")


def test_customers(write):
    write("POST", "/customers", CUSTOMER)
    write("POST", "/customers", {"name": "Nobody Else"})


def test_an_order_from_pending_to_paid(write):
    made = write("POST", "/orders", order(write.api, **EXTRAS))
    receipt = open_receipt(write.api, id_of(made))
    changes = {"order_status": "READY", "order_number": "A7", "fiscal_id": "F-1", "lock": True}
    write("PATCH", "/receipts/{id}", changes, receipt["id"])
    half = round(receipt["remaining"] / 2, 2)
    rest = round(receipt["remaining"] - half, 2)
    payments = [
        {"id": 1, "name": "Cash", "amount": half},
        {"id": 2, "name": "Card", "amount": rest},
    ]
    closing = {"payment_methods": payments, "closed_at": "2026-02-28 23:00:00"}
    write("POST", "/receipts/{id}/close", closing, receipt["id"])
    write("PATCH", "/receipts/{id}", {"lock": False}, receipt["id"])


def test_an_order_of_a_known_customer_is_ignored(write):
    known = write("POST", "/customers", CUSTOMER)["id"]
    guest = order(write.api)["customer"]
    made = write("POST", "/orders", order(write.api, customer=guest | {"id": known}))
    write("PUT", "/orders/{id}", {"status": "IGNORE"}, id_of(made))


def test_an_order_that_costs_nothing_is_closed_with_nothing(write):
    body = order(write.api)
    body["products"][0]["price"] = 0
    receipt = open_receipt(write.api, id_of(write("POST", "/orders", body)))
    assert receipt["remaining"] == 0
    nothing = [{"id": 1, "name": "Cash", "amount": 0}]
    write("POST", "/receipts/{id}/close", {"payment_methods": nothing}, receipt["id"])


def test_a_waiter_comes_and_brings_the_bill(write):
    write("POST", "/waiter-call", {"table_id": 100, "type": "WAITER"})
    write("POST", "/waiter-call", {"table_id": 100, "type": "PAY", "payment_method": 1})


@pytest.mark.parametrize("status", CLIENT_ORDER_STATUSES)
def test_whatever_status_is_allowed_is_described(make_api, status):
    api = make_api(fidelity={"any_order_status"})
    description = openapi.describe({"any_order_status"}, closed=True)
    id = send(api, "POST", "/orders", order(api)).json()["data"]["id"]
    answer = send(api, "PUT", f"/orders/{id}", {"status": status})
    assert answer.json()["data"]["status"] == status
    fits(description, answer, "/orders/{id}", "put")
    fits(description, api.get(f"/orders/{id}"), "/orders/{id}")
