"""What a wrong body gets: the documented error or a clear 4xx, and nothing changes."""

from __future__ import annotations

import pytest
from writing import order, refusal, send, spoilt

WRITES = [
    ("POST", "/customers"),
    ("POST", "/orders"),
    ("PUT", "/orders/1"),
    ("PATCH", "/receipts/1"),
    ("POST", "/receipts/1/close"),
    ("POST", "/waiter-call"),
]
LINE = ("products", 0)
BAD_ORDERS = [
    *[((name,), ...) for name in ("sale_type_id", "venue_id", "customer", "products")],
    *[(("customer", name), ...) for name in ("id", "phone", "address", "name")],
    *[
        ((*LINE, name), ...)
        for name in ("product_id", "product_name", "count", "price", "status", "product_hash")
    ],
    (("sale_type_id",), "2"),
    (("sale_type_id",), True),
    (("venue_id",), 99),
    (("customer",), []),
    (("customer", "id"), -1),
    (("customer", "id"), "0"),
    (("products",), []),
    (("products",), {}),
    (("products", 0), 7),
    ((*LINE, "product_id"), 987654321),
    ((*LINE, "count"), 0),
    ((*LINE, "count"), 1.5),
    ((*LINE, "price"), -1),
    ((*LINE, "portion_size"), 0),
    ((*LINE, "note"), 5),
    ((*LINE, "modifiers"), [{"modifier_id": 1}]),
    ((*LINE, "modifiers"), "none"),
    (("order_number",), "x" * 21),
    (("order_number",), 6),
    (("auto_order_accept",), "yes"),
    (("delivery_fee",), -1),
    (("comment",), ["x"]),
    (("discount",), {"discount_type": 9}),
    (("service_charge",), {"enabled": 1}),
]


@pytest.mark.parametrize(("method", "path"), WRITES)
@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"7", b'"x"', b"\xff", b"[" * 5000, b"null"])
def test_a_body_that_is_no_object_is_400(api, method, path, raw):
    answer = send(api, method, path, data=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["success"] is False


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_body_that_is_not_declared_as_json_is_415(api, method, path):
    answer = send(api, method, path, data="a=1", headers={"Content-Type": "text/plain"})
    assert answer.status_code == 415
    assert answer.json()["error"] == "unsupported_media_type"


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_a_write_needs_a_token(api, method, path):
    answer = send(api, method, path, {}, headers={"x-token": ""})
    assert answer.status_code == 401


@pytest.mark.parametrize("body", [{}, {"name": ""}, {"name": "  "}, {"name": None}])
def test_a_customer_without_a_name_gets_the_documented_body(api, body):
    answer = send(api, "POST", "/customers", body)
    assert answer.status_code == 400
    assert answer.json() == {
        "success": False,
        "message": "Validation failed",
        "error": "The name field is required.",
    }


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", 5),
        ("phone", 994500000000),
        ("cid", "not-a-uuid"),
        ("gender", 3),
        ("gender", "1"),
        ("date_of_birth", "15.05.1990"),
        ("date_of_birth", "1990-02-30"),
        ("group_id", 987654321),
        ("group_id", "1"),
        ("name", "x" * 70_000),
    ],
)
def test_a_wrong_customer_field_is_named_in_error(api, name, value):
    answer = send(api, "POST", "/customers", {"name": "Test Person", name: value})
    assert answer.status_code == 400
    body = answer.json()
    assert body["message"] == "Validation failed"
    assert body["error"].startswith(f"The {name.replace('_', ' ')} field ")


@pytest.mark.parametrize(("path", "value"), BAD_ORDERS)
def test_a_wrong_order_is_refused_and_the_field_named(api, path, value):
    before = api.get("/orders?limit=1").json()["total"]
    answer = send(api, "POST", "/orders", spoilt(order(api), path, value))
    assert answer.status_code == 400, answer.text
    body = answer.json()
    assert (body["success"], body["error"]) == (False, "validation_failed")
    named = path[-1] if isinstance(path[-1], str) else path[0]
    assert named in body["message"]
    assert api.get("/orders?limit=1").json()["total"] == before


def test_an_order_needs_the_call_center_module_of_its_venue(api):
    api.sandbox.permissions.switch_off("call_center", venue_id=2)
    answer = send(api, "POST", "/orders", order(api, venue_id=2))
    assert answer.status_code == 403
    assert "does not have access to module call_center" in answer.json()["message"]


@pytest.mark.parametrize(
    "body", [{}, {"status": "READY"}, {"status": None}, {"status": "IGNORE", "comment": "x"}]
)
def test_an_order_takes_no_status_but_ignore(api, body):
    id = api.data("/orders?limit=1")[0]["id"]
    answer = send(api, "PUT", f"/orders/{id}", body)
    assert answer.status_code == 400
    assert answer.json() == refusal("Status is not allowed")


@pytest.mark.parametrize("key", ["987654321", "abc"])
def test_an_absent_order_is_404(api, key):
    answer = send(api, "PUT", f"/orders/{key}", {"status": "IGNORE"})
    assert answer.status_code == 404
    assert answer.json()["message"] == "Order not found"


@pytest.mark.parametrize(
    "body",
    [
        {"order_status": "DELIVERED"},
        {"order_status": 1},
        {"order_number": 6},
        {"fiscal_id": None},
        {"lock": 1},
        {"total": 5},
        {"lock": True, "status": 2},
        {"lock": True, "id": 1},
    ],
)
def test_a_receipt_takes_four_fields_and_no_others(api, body):
    id = api.data("/receipts?limit=1")[0]["id"]
    answer = send(api, "PATCH", f"/receipts/{id}", body)
    assert answer.status_code == 400
    assert answer.json() == refusal("Invalid field values provided")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "/receipts/987654321", {"lock": True}),
        ("POST", "/receipts/987654321/close", {"payment_methods": []}),
    ],
)
def test_an_absent_receipt_is_404(api, method, path, body):
    answer = send(api, method, path, body)
    assert answer.status_code == 404
    assert answer.json() == refusal("Receipt not found", "not_found")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"payment_methods": []},
        {"payment_methods": [{"id": 1, "name": "Cash"}]},
        {"payment_methods": [{"id": "1", "name": "Cash", "amount": 1}]},
        {"payment_methods": [{"id": 1, "name": "Cash", "amount": -1}]},
        {"payment_methods": [{"id": 1, "name": "Cash", "amount": 1}], "closed_at": "today"},
        {"payment_methods": [{"id": 1, "name": "Cash", "amount": 1}], "closed_at": 1_700_000_000},
    ],
)
def test_a_wrong_closing_is_refused(api, body):
    id = api.data("/receipts?filters[0][0]=status&filters[0][1]=1&limit=1")[0]["id"]
    answer = send(api, "POST", f"/receipts/{id}/close", body)
    assert answer.status_code == 400
    assert answer.json()["error"] == "validation_failed"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"table_id": 1},
        {"table_id": 1, "type": "COFFEE"},
        {"table_id": 1, "type": "PAY"},
        {"table_id": 1, "type": "PAY", "payment_method": 987654321},
        {"table_id": 1, "type": "WAITER", "payment_method": 1},
        {"table_id": "1", "type": "WAITER"},
    ],
)
def test_a_wrong_waiter_call_is_nothing_but_a_failure(api, body):
    answer = send(api, "POST", "/waiter-call", body)
    assert answer.status_code == 400
    assert answer.json() == {"success": False}


def test_a_waiter_call_needs_its_module(api):
    api.sandbox.permissions.switch_off("restaurant_emenu", venue_id=1)
    answer = send(api, "POST", "/waiter-call", {"table_id": 1, "type": "WAITER"})
    assert answer.status_code == 403
    assert "restaurant_emenu" in answer.json()["message"]
