"""Writes that work, as documented, and what a reader sees afterwards."""

from __future__ import annotations

import pytest
from writing import order, refusal, send

ENVELOPE = {"success", "data", "time", "timestamp", "unix"}


@pytest.fixture
def slow(api):
    """Nobody at the till, so that orders stay what they are."""
    api.sandbox.books.clerk.mode = "never"
    return api


def open_receipt(api):
    rows = api.data("/receipts?filters[0][0]=status&filters[0][1]=1&limit=50")
    return next(row for row in rows if row["remaining"] > 0)


def test_a_customer_is_made_with_the_documented_defaults(api):
    answer = send(api, "POST", "/customers", {"name": "Test Person", "phone": "+994500009999"})
    assert answer.status_code == 200
    assert set(answer.json()) == ENVELOPE
    customer = answer.json()["data"]
    assert (customer["name"], customer["phone"]) == ("Test Person", "+994500009999")
    assert (customer["status"], customer["is_verified"], customer["source"]) == (True, False, None)
    assert (customer["spent"], customer["receipt_count"], customer["phones"]) == (0, 0, [])
    assert "group" not in customer
    assert api.data(f"/customers/{customer['id']}") == customer
    assert api.data("/customers?limit=999")[-1]["id"] == customer["id"]


@pytest.mark.parametrize("field", ["phone", "code", "cid"])
def test_a_second_customer_with_the_same_is_409(api, field):
    value = "7c9e6679-7425-40de-944b-e07fc1f90ae7" if field == "cid" else "0500009998"
    body = {"name": "Test Person", field: value}
    assert send(api, "POST", "/customers", body).status_code == 200
    answer = send(api, "POST", "/customers", body)
    assert answer.status_code == 409
    assert answer.json()["error"] == f"duplicate_{field}"
    if field == "phone":
        assert answer.json() == {
            "success": False,
            "message": "Customer with this phone number already exists",
            "error": "duplicate_phone",
        }


def test_an_order_is_answered_flat_and_without_payload(slow):
    answer = send(slow, "POST", "/orders", order(slow, order_number="A-1"))
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == ENVELOPE | {"message"}
    assert body["message"] == "Order created"
    made = body["data"]
    assert "payload" not in made
    assert (made["status"], made["integration_status"]) == ("PENDING", "CREATED")
    assert (made["type"], made["integration"]) == ("CALL_CENTER_ORDER", "call_center_new")
    read = slow.data(f"/orders/{made['id']}")
    assert read["payload"]["customer"]["id"] == 0
    line = read["payload"]["products"][0]
    assert line["meta"]["order_product"]["status"] == "new"
    assert line["product_modificators"] == []


def test_the_same_order_twice_is_two_orders(slow):
    body = order(slow)
    before = slow.get("/orders?limit=1").json()["total"]
    ids = {send(slow, "POST", "/orders", body).json()["data"]["id"] for _ in range(2)}
    assert len(ids) == 2
    assert slow.get("/orders?limit=1").json()["total"] == before + 2


def test_nested_answer_and_created_status_by_name(slow):
    slow.sandbox.fidelity = {"nested_order_answer", "created_status"}
    answer = send(slow, "POST", "/orders", order(slow))
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert set(data) == {"status", "payload"}
    assert set(data["payload"]) == {"id", "venue_id", "created_at", "updated_at"}
    assert slow.data(f"/orders/{data['payload']['id']}")["status"] == "PENDING"


def test_an_order_goes_to_the_venue_of_its_body(slow):
    made = send(slow, "POST", "/orders", order(slow, venue_id=2)).json()["data"]
    assert made["venue_id"] == 2
    assert slow.get(f"/orders/{made['id']}", venue=2).status_code == 200
    assert slow.get(f"/orders/{made['id']}", venue=1).status_code == 404


def test_a_pending_order_can_be_ignored(slow):
    id = send(slow, "POST", "/orders", order(slow)).json()["data"]["id"]
    answer = send(slow, "PUT", f"/orders/{id}", {"status": "IGNORE"})
    assert answer.status_code == 200
    assert answer.json()["data"]["status"] == "IGNORE"
    assert "payload" not in answer.json()["data"]
    assert slow.data(f"/orders/{id}")["status"] == "IGNORE"


def test_other_statuses_only_by_name(slow):
    id = send(slow, "POST", "/orders", order(slow)).json()["data"]["id"]
    slow.sandbox.fidelity.add("any_order_status")
    answer = send(slow, "PUT", f"/orders/{id}", {"status": "READY"})
    assert answer.status_code == 200
    assert slow.data(f"/orders/{id}")["status"] == "READY"


def test_an_order_becomes_a_receipt_that_carries_its_number(api):
    books = api.sandbox.books
    books.clerk.mode = "on_demand"
    body = order(api, order_number="WEB-17")
    id = send(api, "POST", "/orders", body).json()["data"]["id"]
    assert api.data(f"/orders/{id}")["status"] == "PENDING"
    books.clerk.work()
    read = api.data(f"/orders/{id}?with[]=receipt:id,service_notification_id,status")
    assert read["status"] == "RECEIVED"
    assert read["receipt"] == {
        "id": read["receipt"]["id"],
        "service_notification_id": id,
        "status": 1,
    }
    receipt = api.data(f"/receipts/{read['receipt']['id']}?with[]=receipt_products")
    assert receipt["order_number"] == "WEB-17"
    assert receipt["receipt_products"][0]["product_id"] == body["products"][0]["product_id"]
    books.clerk.work()
    assert api.data(f"/receipts/{receipt['id']}")["status"] == 2


def test_a_patched_receipt_comes_back_whole(api):
    row = api.data("/receipts?limit=1")[0]
    changes = {"order_status": "READY", "order_number": "77", "fiscal_id": "F-1", "lock": True}
    answer = send(api, "PATCH", f"/receipts/{row['id']}", changes)
    assert answer.status_code == 200
    body = answer.json()
    assert body["message"] == "Operation completed successfully"
    assert body["data"].keys() == row.keys()
    assert body["data"] == row | changes | {"updated_at": body["data"]["updated_at"]}
    assert api.data(f"/receipts/{row['id']}") == body["data"]


def test_closing_a_receipt_answers_a_part_of_it(api):
    row = open_receipt(api)
    pay = [{"id": 1, "name": "Cash", "amount": row["remaining"]}]
    answer = send(api, "POST", f"/receipts/{row['id']}/close", {"payment_methods": pay})
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["message"] == "Receipt closed"
    assert set(body["data"]) == {"id", "closed_at", "payment_methods"}
    closed = api.data(f"/receipts/{row['id']}")
    assert (closed["status"], closed["remaining"]) == (2, 0)
    again = send(api, "POST", f"/receipts/{row['id']}/close", {"payment_methods": pay})
    assert again.status_code == 400


def test_a_receipt_is_not_closed_before_it_was_made(api):
    row = open_receipt(api)
    pay = [{"id": 1, "name": "Cash", "amount": row["remaining"]}]
    body = {"payment_methods": pay, "closed_at": row["created_at"]}
    answer = send(api, "POST", f"/receipts/{row['id']}/close", body)
    assert answer.status_code == 400
    assert answer.json() == refusal("closed_at must be greater than created_at")


def test_amounts_must_add_up(api):
    row = open_receipt(api)
    pay = [{"id": 1, "name": "Cash", "amount": row["remaining"] + 1}]
    answer = send(api, "POST", f"/receipts/{row['id']}/close", {"payment_methods": pay})
    assert answer.status_code == 400
    assert api.data(f"/receipts/{row['id']}")["status"] == 1


def table(api):
    api.sandbox.fidelity.add("legacy_fields")
    found = next(r["table_id"] for r in api.data("/receipts?limit=200") if r["table_id"])
    api.sandbox.fidelity.clear()
    return found


def test_a_waiter_comes_and_nothing_else_is_said(api):
    for body in (
        {"table_id": table(api), "type": "WAITER"},
        {"table_id": table(api), "type": "PAY", "payment_method": 1},
    ):
        answer = send(api, "POST", "/waiter-call", body)
        assert answer.status_code == 200, body
        assert answer.json() == {"success": True}
    assert len(api.sandbox.books.waiter_calls) == 2


def test_writes_stay_in_their_sandbox(make_api):
    one, two = make_api(), make_api()
    one.sandbox.books.clerk.mode = "never"
    id = send(one, "POST", "/orders", order(one)).json()["data"]["id"]
    assert two.get(f"/orders/{id}").status_code == 404
